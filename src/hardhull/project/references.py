"""Every image reference of a repository: where it is written, what it means, who else writes it."""

from __future__ import annotations

import csv
import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardhull.images import Reference, parse_reference
from hardhull.model import Span
from hardhull.project.contexts import in_compose
from hardhull.project.names import named_like_a_file
from hardhull.project.writers import chosen_files, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hardhull.documents.dockerfile import Dockerfile, Instruction, Word
    from hardhull.documents.msbuild import Element
    from hardhull.documents.yaml import Cursor
    from hardhull.project.builds import Builds
    from hardhull.project.compose import ComposeService
    from hardhull.project.kubernetes import Workload
    from hardhull.project.kustomize import Entry
    from hardhull.project.stages import Origin, Stage
    from hardhull.project.writers import Writer

_FROM_OPTION = re.compile(r"(?:^|,)(?i:from)=([^,]*)")
_INDEX = re.compile(r"[+-]?\d+")
_DEFAULTED = re.compile(r"\$\{\w+(?::?-(?P<default>[^{}]*))?\}")
_FLUX = re.compile(r"\$imagepolicy")
NEVER_PULLED = "it is never pulled: imagePullPolicy is Never"
_WRITING_ANNOTATIONS = ("argocd-image-updater.argoproj.io/", "keel.sh/policy", "keel.sh/trigger")


class Place(enum.Enum):
    """What kind of text holds a reference."""

    FROM = "FROM"
    COPY = "COPY --from"
    MOUNT = "RUN --mount"
    SYNTAX = "# syntax"
    KUBERNETES = "kubernetes"
    COMPOSE = "compose"
    PROJECT = "ContainerBaseImage"
    KUSTOMIZATION = "kustomization"


@dataclass(frozen=True)
class ImageUse:
    """One reference. `span` covers `text` as written; `word` is its place in a Dockerfile.

    `reference` is None where the text can't be resolved. `origins` are the ARG definitions that
    gave parts of it.
    """

    path: str
    span: Span
    text: str
    place: Place
    used_by: str
    reference: Reference | None
    origins: tuple[Origin, ...] = ()
    instruction: Instruction | None = None
    word: Word | None = None
    cursor: Cursor | None = None
    built_here: str | None = None
    built_from: str | None = None
    writer: str | None = None
    element: Element | None = None
    """Its place in an MSBuild file."""
    unsure: str = ""
    """Why it may not be in force, or not be all of it: then it is not changed."""
    ignores_digest: str = ""
    """Why a digest may be ignored: then none is added."""
    entry: Entry | None = None
    """The item of a kustomization's `images` that makes it."""

    @property
    def where(self) -> str:
        """Symbolic place, as findings use it."""
        return self.used_by

    @property
    def name(self) -> str | None:
        """The normalised name with tag and without digest; None if unresolved."""
        return self.reference.name if self.reference is not None else None

    @property
    def pinned(self) -> bool:
        """True if a digest is there already."""
        return self.reference is not None and self.reference.digest is not None


def dockerfile_references(file: Dockerfile, stages: Sequence[Stage]) -> Iterator[ImageUse]:
    """Yield the images that a Dockerfile reads: FROM, COPY --from, RUN --mount, # syntax."""
    path = file.source.path
    syntax = file.directives.get("syntax")
    if syntax is not None:
        text = syntax.text.split()[0] if syntax.text.split() else ""
        span = Span(syntax.span.start, syntax.span.start + len(text))
        yield ImageUse(
            path, span, text, Place.SYNTAX, "# syntax", parse_reference(text), word=syntax
        )
    # A stage that comes later can't be copied from, but its name never means an image.
    names = {stage.name.lower() for stage in stages if stage.name}
    for stage in stages:
        if stage.base.stage is None and not stage.base.is_scratch:
            yield _from(path, stage)
        for instruction in stage.instructions:
            yield from _flags(path, stage, instruction, names)


def _from(path: str, stage: Stage) -> ImageUse:
    resolved = stage.base.resolved
    reference = parse_reference(resolved) if resolved else None
    word = next((w for w in stage.from_.words if w.span == stage.base.span), stage.from_.words[0])
    return ImageUse(
        path,
        stage.base.span,
        stage.base.text,
        Place.FROM,
        f"stage {stage.name or stage.index}",
        reference,
        stage.base.origins,
        stage.from_,
        word,
    )


def _flags(
    path: str, stage: Stage, instruction: Instruction, names: set[str]
) -> Iterator[ImageUse]:
    """COPY/ADD --from=image and RUN --mount=…,from=image; ONBUILD belongs to child builds."""
    for flag in instruction.flags if instruction.keyword in ("COPY", "ADD", "RUN") else ():
        if flag.value.startswith("--from="):
            value, offset, place = flag.value[7:], 7, Place.COPY
        elif flag.value.startswith("--mount="):
            value, offset = _mount_from(flag.value[8:])
            offset, place = 8 + offset, Place.MOUNT
        else:
            continue
        is_index = place is Place.COPY and _INDEX.fullmatch(value)
        if not value or value.lower() in names or is_index or "$" in value or value == "scratch":
            continue
        start = flag.span.start + offset
        reference = parse_reference(value)
        # Without a digest: the place stays the same one when that is added or refreshed.
        named = value.partition("@")[0]
        where = f"stage {stage.name or stage.index} {instruction.keyword} from {named}"
        span, text = Span(start, start + len(value)), value
        if flag.text[offset : offset + len(value)] != value:
            span, text = flag.span, flag.text  # quoted or continued: only the whole can be shown
        yield ImageUse(path, span, text, place, where, reference, (), instruction, flag)


def _mount_from(options: str) -> tuple[str, int]:
    """The image that a mount reads, with its place; the last `from` counts, as in BuildKit."""
    if '"' in options:
        fields = next(csv.reader([options]), [])
        found = [field[5:] for field in fields if field[:5].lower() == "from="]
        return (found[-1] if found else ""), 0
    matches = list(_FROM_OPTION.finditer(options))
    return (matches[-1][1], matches[-1].start(1)) if matches else ("", 0)


def kubernetes_references(workloads: Iterable[Workload]) -> Iterator[ImageUse]:
    """Yield the images of Kubernetes containers."""
    for workload in workloads:
        writer = next(
            (
                f"annotation {key}"
                for key in workload.annotations
                if key.startswith(_WRITING_ANNOTATIONS)
            ),
            None,
        )
        for container in workload.containers:
            if container.image is not None:
                found = _cursor(container.image, Place.KUBERNETES, container.where)
                policy = container.cursor.get("imagePullPolicy")
                here = NEVER_PULLED if policy is not None and policy.text == "Never" else None
                yield replace(found, writer=found.writer or writer, built_here=here)


def compose_references(services: Iterable[ComposeService]) -> Iterator[ImageUse]:
    """Yield the images of Compose services, in every file that names one."""
    for service in services:
        built = service.build is not None
        for path, layer in service.layers:
            image = layer.get("image")
            if image is not None and not image.shared:
                found = _cursor(image, Place.COMPOSE, service.where)
                here = f"{path}:{service.cursor.line} builds it" if built else None
                dockerfile = service.build.dockerfile if service.build is not None else None
                yield replace(found, built_here=here, built_from=dockerfile)


def set_by_compose(
    uses: Iterable[ImageUse], services: Iterable[ComposeService]
) -> Iterator[ImageUse]:
    """Say of each reference of a Dockerfile what Compose files say: ARGs set, contexts named."""
    services = tuple(services)
    contexts = dict(in_compose(services))
    setters: dict[tuple[str, str], str] = {}
    for service in services:
        build = service.build
        for name, setting in build.arguments.items() if build is not None else ():
            place = f"{setting.cursor.file.source.path}:{setting.cursor.line}"
            if build is not None and build.dockerfile is not None:
                setters.setdefault((build.dockerfile, name), f"{place} sets ARG {name}")
    for use in uses:
        keys = ((use.path, origin.name) for origin in use.origins)
        writer = next((setters[key] for key in keys if key in setters), None)
        context = contexts.get((use.path, use.text.lower()))
        here = f"{context} names a build context" if context is not None else use.built_here
        if writer is None and ".devcontainer" in use.path.split("/") and use.origins:
            writer = "devcontainer.json, which may set its arguments,"
        changed = writer is not None or here != use.built_here
        yield replace(use, writer=writer or use.writer, built_here=here) if changed else use


def with_defaults(text: str) -> str:
    """A Compose text with every `${NAME:-default}` filled in, and nothing where there is none."""
    return _DEFAULTED.sub(lambda match: match["default"] or "", text.strip("\"'"))


def _cursor(image: Cursor, place: Place, used_by: str) -> ImageUse:
    source = image.file.source
    text = image.text
    reference = parse_reference(text) if text else None
    line = source.line_text(source.line_of(image.span.start))
    writer = "Flux image policy marker" if _FLUX.search(line) else None
    shown = text if text is not None else image.raw
    return ImageUse(
        source.path, image.span, shown, place, used_by, reference, cursor=image, writer=writer
    )


def settled(
    uses: Iterable[ImageUse], builds: Builds, built_names: Mapping[str, str]
) -> tuple[ImageUse, ...]:
    """Say of each use whether the image is built here and who else writes the reference."""
    built = dict(built_names)
    found = tuple(uses)
    made = [(u.name, u.built_from) for u in found if u.built_here is not None]
    made += [(image.name, image.dockerfile) for image in builds.images]
    for use in found:
        if use.built_here is not None and use.reference is None and use.place is Place.COMPOSE:
            likely = parse_reference(with_defaults(use.text))
            if likely is not None:
                made.append((likely.name, use.built_from))
                built.setdefault(likely.repository_name, use.built_here)
    makers: dict[str, set[str | None]] = {}
    for name, dockerfile in made:
        reference = parse_reference(name) if name else None
        if reference is not None:
            makers.setdefault(reference.repository_name, set()).add(dockerfile)
    for image in builds.images:
        reference = parse_reference(image.name) if image.name else None
        if reference is not None:
            built.setdefault(reference.repository_name, f"{image.evidence} builds it")
    bases = [u.reference for u in found if u.place is Place.FROM and u.reference is not None]
    dockerfiles = dict.fromkeys(use.path for use in found if use.instruction is not None)
    for name, path in named_like_a_file(bases, dockerfiles):
        built.setdefault(name, f"{path} is named like it")
        makers.setdefault(name, set()).add(path)
    paths = {use.path for use in found}
    writers = [(writer, chosen_files(writer, paths)) for writer in builds.writers]
    # Nothing is built from itself: the only Dockerfile of a name takes another image of that name.
    alone = {(name, next(iter(files))) for name, files in makers.items() if len(files) == 1}
    return tuple(_settle(use, builds, writers, built, alone) for use in found)


def _settle(
    use: ImageUse,
    builds: Builds,
    writers: Sequence[tuple[Writer, frozenset[str] | None]],
    built: Mapping[str, str],
    alone: set[tuple[str, str | None]],
) -> ImageUse:
    here, writer = use.built_here, use.writer
    if here is None and use.reference is not None:
        name = use.reference.repository_name
        here = built.get(name) if (name, use.path) not in alone else None
        renamed = parse_reference(use.entry.name) if use.entry is not None else None
        if here is None and renamed is not None:
            here = built.get(renamed.repository_name)
    if here is None and use.instruction is not None and use.text.lower() in builds.contexts:
        here = f"{builds.contexts[use.text.lower()]} names a build context"
    if writer is None:
        writer = _argument_setter(use, builds)
    if writer is None:
        chosen = (w for w, files in writers if files is None or use.path in files)
        writer = next((w.evidence for w in chosen if writes(w, use)), None)
    if here == use.built_here and writer == use.writer:
        return use
    return replace(use, built_here=here, writer=writer)


def _argument_setter(use: ImageUse, builds: Builds) -> str | None:
    for origin in use.origins:
        for dockerfile in (use.path, None):
            place = builds.arguments.get((dockerfile, origin.name))
            if place is not None:
                return f"{place} sets ARG {origin.name}"
    return None


__all__ = [
    "ImageUse",
    "Place",
    "compose_references",
    "dockerfile_references",
    "kubernetes_references",
    "set_by_compose",
    "settled",
]
