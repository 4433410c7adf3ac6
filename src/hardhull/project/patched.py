"""What patches of kustomizations do to a change: it goes into them as well, or is refused.

A rule changes the object that all overlays share. A patch over that object may say the same thing
once more, or say the opposite, or replace a list that the change adds to, or name items of a list
by number. For every operation on an object each of its patches is walked: what it repeats is
changed in it too, what can't be told refuses the whole fix.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.documents.yaml import YamlFile
from hardhull.model import (
    AppendItem,
    Fix,
    Level,
    Pairs,
    Refusal,
    RemoveNode,
    SetValue,
    value_of,
    worst,
)
from hardhull.project.kubernetes import KubernetesService, Workload
from hardhull.project.patch_conflicts import conflict
from hardhull.project.patch_json import counts, in_json
from hardhull.project.patch_parts import Too, Wish, in_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Operation, Span, YamlOperation
    from hardhull.project.kubernetes import KubernetesObject, Manifest
    from hardhull.project.kustomize import Patch
    from hardhull.project.link import Project

    Object = Workload | KubernetesService | KubernetesObject


def coherent(fix: Fix, project: Project) -> Fix | Refusal:
    """The fix with what it takes in the patches over the objects that it changes."""
    if not project.kustomize.patches:
        return fix
    more: list[Operation] = []
    contradicted = False
    for operation in fix.operations:
        if not isinstance(operation, (SetValue, AppendItem, RemoveNode)):
            continue
        if operation.at[-1] == "image":
            continue  # a patch that names an image has its own digest
        refused = _in_patch(operation, project)
        if refused is not None:
            return refused
        own = _object_at(project, operation)
        for answer in _answers(operation, own, project) if own is not None else ():
            if isinstance(answer, Refusal):
                return answer
            if not any(_same_place(answer.operation, one) for one in (*fix.operations, *more)):
                more.append(answer.operation)
                contradicted = contradicted or answer.contradicted
    if not more:
        return fix
    paths = ", ".join(sorted({one.path for one in more}))
    notes = (f"{paths} said otherwise: why is not known here",) if contradicted else ()
    level = worst(fix.level, Level.REVIEW) if contradicted else fix.level
    return replace(
        fix, operations=(*fix.operations, *more), level=level, notes=(*fix.notes, *notes)
    )


def _in_patch(operation: YamlOperation, project: Project) -> Refusal | None:
    """Why a patch itself is not changed.

    An item that a patch lists comes before the object's own: numbers in other patches shift.
    """
    alone = project.kustomize.left_alone.get(operation.path)
    if alone is not None:
        return Refusal(alone, operation.path, _span(operation, project))
    if not isinstance(operation, AppendItem) or not isinstance(operation.value, Pairs):
        return None
    for part, own in project.overlays.laid_over:
        if part.path == operation.path:
            for patch in _patches_of(own, project):
                if counts(patch, str(operation.at[-1])):
                    reason = "a JSON patch counts the items of the list that would change"
                    return Refusal(reason, patch.path, patch.span_of(patch.cursor))
    return None


def _span(operation: YamlOperation, project: Project) -> Span | None:
    document = project.documents.get(operation.path)
    index = operation.at[0]
    if not isinstance(document, YamlFile) or not isinstance(index, int):
        return None
    root = document.cursor(index)
    found = root.get(*operation.at[1:]) if root is not None else None
    return found.span if found is not None else None


def _root(own: Object) -> Cursor:
    return own.root if isinstance(own, Workload) else own.cursor


def _objects(manifest: Manifest) -> list[Object]:
    return [*manifest.workloads, *manifest.services, *manifest.others]


def _object_at(project: Project, operation: YamlOperation) -> Object | None:
    manifest = project.manifests.get(operation.path)
    if manifest is None:
        return None
    for own in _objects(manifest):
        address = _root(own).address
        if operation.at[: len(address)] == address:
            return own
    return None


def _patches_of(own: Object, project: Project) -> tuple[Patch, ...]:
    kind = "Service" if isinstance(own, KubernetesService) else own.kind
    return project.kustomize.patches_of(own.path, kind, own.name)


def _relied_on(operation: YamlOperation, project: Project) -> Iterator[SetValue]:
    """What must stay as it is for a setting to be right: a read-only root needs its /tmp."""
    document = project.documents.get(operation.path)
    index, *steps = operation.at
    if operation.at[-1] != "readOnlyRootFilesystem" or not isinstance(document, YamlFile):
        return
    root = document.cursor(index) if isinstance(index, int) else None
    mounts = root.get(*steps[:-2], "volumeMounts") if root is not None else None
    for mount in mounts.items() if mounts is not None else ():
        place = mount.get("mountPath")
        if place is not None and place.text and place.text.rstrip("/") == "/tmp":  # noqa: S108  the container's
            yield SetValue(operation.path, place.address, value_of(place.text))


def _same_place(one: Operation, other: Operation) -> bool:
    if isinstance(one, AppendItem):
        return one == other
    return (
        isinstance(one, (SetValue, RemoveNode))
        and isinstance(other, (SetValue, RemoveNode))
        and (one.path, one.at) == (other.path, other.at)
    )


def _answers(operation: YamlOperation, own: Object, project: Project) -> Iterator[Too | Refusal]:
    root = _root(own)
    patches = _patches_of(own, project)
    wanted = (operation, *_relied_on(operation, project))
    for one, patch in ((one, patch) for patch in patches for one in wanted):
        wish = Wish(
            one,
            one.at[len(root.address) :],
            root,
            patch,
            project.overlays.patched_by.get(patch.cursor) == 1,
            tuple(other for other in patches if other is not patch),
        )
        found = conflict(wish) or (None if patch.is_json else in_part(wish))
        if found is not None:
            yield found
        elif patch.is_json:
            yield from in_json(wish)
