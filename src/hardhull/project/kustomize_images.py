"""The images that kustomizations name: what each entry of `images` makes of the image it is for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.project.references import ImageUse, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.project.kubernetes import KubernetesObject, Manifest
    from hardhull.project.kustomize import Entry, Kustomize

_FLUX = re.compile(r"\$imagepolicy")
_UPDATER = "argocd-image-updater.argoproj.io/"


def kustomization_references(
    kustomize: Kustomize, manifests: Mapping[str, Manifest]
) -> Iterator[ImageUse]:
    """Yield the image that each entry of `images` leads to."""
    others = [one for manifest in manifests.values() for one in manifest.others]
    for entry in kustomize.entries:
        text = _reference(entry, kustomize, manifests)
        at = entry.cursor.get("newTag") or entry.cursor.get("digest") or entry.cursor.get("name")
        if at is None:
            continue
        shown = text or entry.text("newName") or entry.name
        yield ImageUse(
            entry.path,
            at.span,
            shown.partition("@")[0],
            Place.KUSTOMIZATION,
            f"images[{entry.name}]",
            parse_reference(text) if text else None,
            cursor=at,
            writer=_writer(entry, others),
            entry=entry,
        )


def _reference(entry: Entry, kustomize: Kustomize, manifests: Mapping[str, Manifest]) -> str | None:
    """The reference that an entry makes; None where it depends on more than one manifest."""
    for key in ("newName", "newTag", "digest"):
        said = entry.cursor.get(key)
        if said is not None and not said.text:
            return None
    if entry.cursor.get("tagSuffix") is not None:
        return None
    name, tag = entry.text("newName") or entry.name, entry.text("newTag")
    digest = entry.text("digest")
    if tag is None:
        tags = set(_tags(entry, kustomize, manifests))
        tag = tags.pop() if len(tags) == 1 else None
        if tag is None and digest is None:
            return None
    text = f"{name}:{tag}" if tag else name
    return f"{text}@{digest}" if digest is not None else text


def _tags(
    entry: Entry, kustomize: Kustomize, manifests: Mapping[str, Manifest]
) -> Iterator[str | None]:
    """The tags of the images that an entry is for, in the manifests below it."""
    for path in kustomize.built.get(entry.path, ()):
        manifest = manifests.get(path)
        for workload in manifest.workloads if manifest is not None else ():
            for container in workload.containers:
                text = container.image.text if container.image is not None else None
                reference = parse_reference(text) if text else None
                if reference is not None and reference.spelled == entry.name:
                    yield reference.tag


def _writer(entry: Entry, others: list[KubernetesObject]) -> str | None:
    """Flux marks the line it writes; Argo CD's image updater names images in annotations."""
    source = entry.cursor.file.source
    for _, value in entry.cursor.pairs():
        if _FLUX.search(source.line_text(value.line)):
            return "Flux image policy marker"
    names = {name for name in (entry.name, entry.text("newName")) if name}
    for one in others:
        notes = one.cursor.get("metadata", "annotations")
        for key, note in notes.pairs() if notes is not None else ():
            if key.startswith(_UPDATER) and any(name in (note.text or "") for name in names):
                return f"annotation {key} of {one.kind}/{one.name}"
    return None
