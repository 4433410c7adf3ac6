"""What patches of kustomizations do to a change: it goes into them as well, or is refused.

A rule changes the object that all overlays share. A patch over that object may say the same thing
once more, or say the opposite, or replace a list that the change adds to, or name items of a list
by number. For every operation on an object each of its patches is walked: what it repeats is
changed in it too, what can't be told refuses the whole fix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from hardhull.documents.yaml import YamlFile
from hardhull.model import (
    AppendItem,
    Fix,
    Items,
    Level,
    Pairs,
    Refusal,
    RemoveNode,
    Scalar,
    SetValue,
    Span,
    worst,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Operation, Value, YamlOperation
    from hardhull.project.kubernetes import KubernetesObject, KubernetesService, Workload
    from hardhull.project.kustomize import Patch
    from hardhull.project.link import Project

    Object = Workload | KubernetesService | KubernetesObject

_MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
"""The keys by which lists of a pod are merged; other lists are replaced as a whole."""
_SAFETY: Final = frozenset({
    "runAsNonRoot", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "type",
    "drop", "automountServiceAccountToken", "seccompProfile",
})  # fmt: skip
"""What is changed in a patch that says otherwise: it is never right to keep the worse one."""
_ESCAPES: Final = (("~1", "/"), ("~0", "~"))
_NUMBER = re.compile(r"\d+")


def coherent(fix: Fix, project: Project) -> Fix | Refusal:
    """The fix with what it takes in the patches over the objects that it changes."""
    if not project.kustomize.patches:
        return fix
    more: list[Operation] = []
    contradicted = False
    for operation in fix.operations:
        if not isinstance(operation, (SetValue, AppendItem, RemoveNode)):
            continue
        alone = project.kustomize.left_alone.get(operation.path)
        if alone is not None:
            return Refusal(alone, operation.path, _span(operation, project))
        own = _object_at(project, operation)
        for patch in _patches_of(own, project) if own is not None else ():
            wish = _Wish(operation, operation.at[len(_root(own).address) :], own, patch, project)
            for answer in _answers(wish):
                if isinstance(answer, Refusal):
                    return answer
                if any(_same_place(answer.operation, one) for one in (*fix.operations, *more)):
                    continue
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


@dataclass(frozen=True, slots=True)
class _Too:
    """An operation on a patch; `contradicted` says that the patch said otherwise before."""

    operation: YamlOperation
    contradicted: bool = False


@dataclass(frozen=True)
class _Wish:
    """One operation on an object, by its address in it, and one patch over that object."""

    operation: YamlOperation
    at: tuple[str | int, ...]
    own: Object
    patch: Patch
    project: Project

    @property
    def key(self) -> str | int:
        """The last key of the address."""
        return next((key for key in reversed(self.at) if isinstance(key, str)), "")

    @property
    def old(self) -> Cursor | None:
        """What stands at the address now."""
        return _root(self.own).get(*self.at)

    def refused(self, reason: str, at: Cursor | None = None) -> Refusal:
        """A refusal that names the place in the patch."""
        span = self.patch.span_of(at if at is not None else self.patch.cursor)
        return Refusal(f"a patch {reason}", self.patch.path, span)

    def too(self, operation: YamlOperation, at: Cursor, *, contradicted: bool) -> _Too | Refusal:
        """The operation, if the patch is ours to edit."""
        if self.patch.left_alone:
            reason = f"{self.patch.left_alone} would have to say it too"
            return Refusal(reason, self.patch.path, self.patch.span_of(at))
        if len(_objects_of(self.patch, self.project)) != 1 or not self.patch.target.sure:
            return self.refused("for several objects would have to say it too", at)
        if at.shared:
            return self.refused("would have to say it too, and an alias stands there", at)
        return _Too(operation, contradicted)


def _span(operation: YamlOperation, project: Project) -> Span | None:
    document = project.documents.get(operation.path)
    index = operation.at[0]
    if not isinstance(document, YamlFile) or not isinstance(index, int):
        return None
    root = document.cursor(index)
    found = root.get(*operation.at[1:]) if root is not None else None
    return found.span if found is not None else None


def _root(own: Object) -> Cursor:
    root: Cursor | None = getattr(own, "root", None)
    return root if root is not None else own.cursor  # type: ignore[union-attr]  # only Workload


def _object_at(project: Project, operation: YamlOperation) -> Object | None:
    manifest = project.manifests.get(operation.path)
    if manifest is None:
        return None
    for own in (*manifest.workloads, *manifest.services, *manifest.others):
        address = _root(own).address
        if operation.at[: len(address)] == address:
            return own
    return None


def _patches_of(own: Object, project: Project) -> tuple[Patch, ...]:
    kind = getattr(own, "kind", "Service")
    return project.kustomize.patches_of(own.path, kind, own.name)


def _objects_of(patch: Patch, project: Project) -> set[tuple[str, str, str]]:
    """The objects that one text is laid over, by whichever kustomization."""
    found = set()
    for path, manifest in project.manifests.items():
        for own in (*manifest.workloads, *manifest.services, *manifest.others):
            if any(one.cursor == patch.cursor for one in _patches_of(own, project)):
                found.add((path, getattr(own, "kind", "Service"), own.name))
    return found


def _same_place(one: Operation, other: Operation) -> bool:
    if isinstance(one, AppendItem):
        return one == other
    return (
        isinstance(one, (SetValue, RemoveNode))
        and isinstance(other, (SetValue, RemoveNode))
        and (one.path, one.at) == (other.path, other.at)
    )


def _answers(wish: _Wish) -> Iterator[_Too | Refusal]:
    answer = _in_json(wish) if wish.patch.is_json else _in_part(wish)
    if answer is not None:
        yield answer


# ---------------------------------------------------------------- parts of objects


def _in_part(wish: _Wish) -> _Too | Refusal | None:
    """Walk a strategic-merge patch along the address, as far as it goes."""
    here: Cursor = wish.patch.cursor
    there: Cursor | None = _root(wish.own)
    for depth, key in enumerate(wish.at):
        directive = here.get("$patch") if here.is_mapping else None
        if directive is not None:
            reason = f"says $patch: {directive.raw} above what would change"
            return wish.refused(reason, directive) if isinstance(key, str) else None
        if here.is_null or here.is_opaque:
            return wish.refused("takes away what would change", here)
        if isinstance(key, int):
            item = there.get(key) if there is not None else None
            name = str(wish.at[depth - 1])
            if not _merged(name, wish):
                return _replaced(wish, here)
            found = _same_item(here, item, name)
            if found is None:
                return None
            here, there = found, item
            continue
        step = here.get(key)
        if step is None:
            return None
        here, there = step, there.get(key) if there is not None else None
    return _at(wish, here)


def _merged(name: str, wish: _Wish) -> bool:
    return name in _MERGE_KEYS or (name == "ports" and wish.at[:2] != ("spec", "podSelector"))


def _same_item(listed: Cursor, item: Cursor | None, name: str) -> Cursor | None:
    """The item of a patch's list that is merged into this item of the object."""
    if item is None:
        return None
    for one in listed.items():
        keys = (_MERGE_KEYS[name],) if name in _MERGE_KEYS else ("containerPort", "port")
        for key in keys:
            mine, other = one.get(key), item.get(key)
            if mine is not None and other is not None and mine.text == other.text:
                return one
    return None


def _replaced(wish: _Wish, here: Cursor) -> _Too | Refusal | None:
    """A list that is not merged: the patch's own is what counts."""
    if isinstance(wish.operation, RemoveNode):
        removed = wish.old
        kept = [one for one in here.items() if removed is not None and one.text == removed.text]
        return wish.refused("lists it again", kept[0]) if kept else None
    return wish.refused("replaces the list that would change", here)


def _at(wish: _Wish, here: Cursor) -> _Too | Refusal | None:
    """The patch says something at the very place of the operation."""
    match wish.operation:
        case SetValue(_, _, value):
            return _set(wish, here, value)
        case AppendItem(_, _, value):
            return _appended(wish, here, value)
        case RemoveNode():
            return wish.refused("says it again", here)
    assert_never(wish.operation)


def _set(wish: _Wish, here: Cursor, value: Value, key: str = "") -> _Too | Refusal | None:
    key = key or str(wish.key)
    if here.is_opaque or here.get("$patch") is not None or here.is_null:
        return wish.refused("has its own way with what would change", here)
    if isinstance(value, Pairs):
        for name, part in value.pairs:
            inner = here.get(name)
            answer = _set(wish, inner, part, name) if inner is not None else None
            if answer is not None:
                return answer
        return None
    if isinstance(value, Items) or here.text is None:
        return wish.refused("replaces what would change", here)
    if here.text == value.text or _bool(here) == value.text:
        return None
    old = wish.old
    same = old is not None and old.text == here.text
    if not same and key not in _SAFETY:
        return wish.refused(f"says otherwise ({key}: {here.raw})", here)
    operation = SetValue(wish.patch.path, here.address, value)
    return wish.too(operation, here, contradicted=not same)


def _bool(cursor: Cursor) -> str | None:
    value = cursor.as_bool()
    return None if value is None else "true" if value else "false"


def _appended(wish: _Wish, here: Cursor, value: Value) -> _Too | Refusal | None:
    name = str(wish.key)
    if here.is_null or not here.is_sequence:
        return wish.refused("takes away the list that would change", here)
    if isinstance(value, Scalar):
        if any(one.text == value.text for one in here.items()):
            return None
        if name not in _SAFETY:
            return wish.refused("replaces the list that would change", here)
        operation = AppendItem(wish.patch.path, here.address, value)
        return wish.too(operation, here, contradicted=True)
    if not _merged(name, wish) or not isinstance(value, Pairs):
        return wish.refused("replaces the list that would change", here)
    key = _MERGE_KEYS.get(name, "containerPort")
    new = dict(value.pairs).get(key)
    for one in here.items():
        found = one.get(key)
        if found is not None and isinstance(new, Scalar) and found.text == new.text:
            return wish.refused(f"has an item of the same {key}", one)
        if one.get("$patch") is not None and found is None:
            return wish.refused("replaces the list that would change", one)
    return None


# ---------------------------------------------------------------- JSON patches


def _in_json(wish: _Wish) -> _Too | Refusal | None:
    """Follow the operations of a JSON patch in order, keeping count of items that it shifts."""
    at = wish.at
    for item in wish.patch.cursor.items():
        verb, path = _text(item, "op"), _text(item, "path")
        if verb is None or path is None:
            return wish.refused("can't be read", item)
        steps = steps_of(path)
        if verb in ("move", "copy"):
            start = steps_of(_text(item, "from") or "")
            if any(_overlap(one, at) for one in (steps, start)):
                return wish.refused("moves or copies what would change", item)
            continue
        if _shifts(verb, steps, at):
            if isinstance(wish.operation, RemoveNode) and len(steps) == len(at):
                return wish.refused("counts the items of this list", item)
            at = _shifted(verb, steps, at)
            if at is None:
                return None
            continue
        answer = _against(wish, item, verb, steps, at)
        if answer is not None:
            return answer
    return None


def _against(
    wish: _Wish, item: Cursor, verb: str, steps: tuple[str | int, ...], at: tuple[str | int, ...]
) -> _Too | Refusal | None:
    if isinstance(wish.operation, RemoveNode) and _counts(steps, at):
        return wish.refused("counts the items of this list", item)
    if steps[: len(at)] == at and len(steps) > len(at):
        below = isinstance(wish.operation, RemoveNode)
        return wish.refused("changes what would be removed", item) if below else None
    if at[: len(steps)] != steps:
        return None
    if verb == "remove":
        return wish.refused("takes away what would change", item)
    value = item.get("value")
    rest = at[len(steps) :]
    if value is None:
        return wish.refused("can't be read", item)
    if verb == "test" and rest:
        return wish.refused("compares what would change", item)
    return _in_value(wish, value, rest)


def _in_value(
    wish: _Wish, value: Cursor, rest: tuple[str | int, ...]
) -> _Too | Refusal | None:
    """What a JSON patch puts in place of something that holds the place of the operation."""
    here: Cursor | None = value
    for depth, key in enumerate(rest):
        if here is None or here.is_null or here.is_opaque:
            return wish.refused("replaces what would change", value)
        if isinstance(key, int):
            return wish.refused("replaces the list that holds what would change", value)
        step = here.get(key)
        if step is None:
            return _missing(wish, here, rest[depth:])
        here = step
    if here is None:
        return None
    if isinstance(wish.operation, AppendItem) and isinstance(wish.operation.value, Pairs):
        return wish.refused("replaces the list that would change", here)
    return _at(wish, here)


def _missing(
    wish: _Wish, here: Cursor, rest: tuple[str | int, ...]
) -> _Too | Refusal | None:
    """It replaces a mapping and leaves out what the operation puts there: that goes in as well."""
    if isinstance(wish.operation, RemoveNode):
        return None
    if wish.key not in _SAFETY or not here.is_mapping:
        return wish.refused("replaces what would change", here)
    operation = replace(
        wish.operation, path=wish.patch.path, at=(*here.address, *rest), after=()
    )
    return wish.too(operation, here, contradicted=False)


def _text(item: Cursor, key: str) -> str | None:
    found = item.get(key)
    return found.text if found is not None else None


def steps_of(path: str) -> tuple[str | int, ...]:
    """The keys and numbers of a JSON pointer."""
    found: list[str | int] = []
    for word in path.split("/")[1:]:
        step = word
        for escape, meant in _ESCAPES:
            step = step.replace(escape, meant)
        found.append(int(step) if _NUMBER.fullmatch(step) and len(step) < 10 else step)
    return tuple(found)


def _overlap(one: Sequence[str | int], other: Sequence[str | int]) -> bool:
    shorter = min(len(one), len(other))
    return tuple(one[:shorter]) == tuple(other[:shorter])


def _counts(steps: tuple[str | int, ...], at: tuple[str | int, ...]) -> bool:
    """Whether a path counts items of the list from which one is to be removed, from there on."""
    depth = len(at) - 1
    if not isinstance(at[-1], int) or len(steps) <= depth or steps[:depth] != at[:depth]:
        return False
    step = steps[depth]
    return isinstance(step, int) and step >= at[-1]


def _shifts(
    verb: str, steps: tuple[str | int, ...], at: tuple[str | int, ...]
) -> bool:
    """Whether an operation adds or removes an item of a list that the address goes through."""
    depth = len(steps) - 1
    if verb not in ("add", "remove") or depth < 0 or depth >= len(at):
        return False
    place, mine = steps[-1], at[depth]
    if not isinstance(place, int) or not isinstance(mine, int) or steps[:-1] != at[:depth]:
        return False
    return place <= mine


def _shifted(
    verb: str, steps: tuple[str | int, ...], at: tuple[str | int, ...]
) -> tuple[str | int, ...] | None:
    """The address after such an operation; None if its own item is gone."""
    depth = len(steps) - 1
    place, mine = steps[-1], at[depth]
    if not isinstance(place, int) or not isinstance(mine, int):
        return at
    if verb == "remove" and place == mine:
        return None
    return (*at[:depth], mine + 1 if verb == "add" else mine - 1, *at[depth + 1 :])


__all__ = ["coherent", "steps_of"]
