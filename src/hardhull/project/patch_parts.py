"""Strategic-merge patches: what a part of an object says at the place of a change.

Lists are merged by a key of their items, or replaced as a whole, as the Kubernetes API declares it
(`patchStrategy` in k8s.io/api/core/v1) and kustomize does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from hardhull.model import (
    AppendItem,
    Items,
    Pairs,
    Refusal,
    RemoveNode,
    Scalar,
    SetValue,
)

if TYPE_CHECKING:
    from hardhull.documents.yaml import Cursor
    from hardhull.model import Value, YamlOperation
    from hardhull.project.kustomize import Patch

Steps: TypeAlias = tuple[str | int, ...]
"""Keys and numbers that lead to a place."""

_MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
"""The keys by which lists of a pod are merged; other lists are replaced as a whole."""
SAFETY: Final = frozenset({
    "runAsNonRoot", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "type",
    "drop", "automountServiceAccountToken", "seccompProfile",
})  # fmt: skip
"""What is changed in a patch that says otherwise: it is never right to keep the worse one."""


@dataclass(frozen=True, slots=True)
class Too:
    """An operation on a patch; `contradicted` says that the patch said otherwise before."""

    operation: YamlOperation
    contradicted: bool = False


@dataclass(frozen=True)
class Wish:
    """One operation on an object, by its address in it, and one patch over that object.

    `alone` says that the text of the patch is for this object and no other; `beside` are the
    other patches over it.
    """

    operation: YamlOperation
    at: Steps
    own: Cursor
    patch: Patch
    alone: bool
    beside: tuple[Patch, ...] = ()

    @property
    def key(self) -> str:
        """The last key of the address."""
        return next((key for key in reversed(self.at) if isinstance(key, str)), "")

    @property
    def old(self) -> Cursor | None:
        """What stands at the address now."""
        return self.own.get(*self.at)

    def refused(self, reason: str, at: Cursor | None = None) -> Refusal:
        """A refusal that names the place in the patch."""
        span = self.patch.span_of(at if at is not None else self.patch.cursor)
        return Refusal(f"a patch {reason}", self.patch.path, span)

    def too(self, operation: YamlOperation, at: Cursor, *, contradicted: bool) -> Too | Refusal:
        """The operation, if the patch is ours to edit."""
        if self.patch.left_alone:
            reason = f"{self.patch.left_alone} would have to say it too"
            return Refusal(reason, self.patch.path, self.patch.span_of(at))
        if not self.alone or not self.patch.target.sure:
            return self.refused("for several objects would have to say it too", at)
        if at.shared:
            return self.refused("would have to say it too, and an alias stands there", at)
        return Too(operation, contradicted)


def in_part(wish: Wish) -> Too | Refusal | None:
    """Walk a strategic-merge patch along the address, as far as it goes."""
    here: Cursor = wish.patch.cursor
    there: Cursor | None = wish.own
    for depth, key in enumerate(wish.at):
        directive = here.get("$patch") if here.is_mapping else None
        if directive is not None:
            whole = depth == 0 or isinstance(wish.at[depth - 1], int)
            if whole and directive.text == "delete":
                return None  # nothing is left of it that could differ
            return wish.refused(f"says $patch: {directive.raw} above what would change", directive)
        if here.is_null or here.is_opaque:
            return wish.refused("takes away what would change", here)
        if isinstance(key, int):
            item = there.get(key) if there is not None else None
            name = str(wish.at[depth - 1])
            if not _merged(name):
                return _replaced(wish, here)
            found = same_item(here, item, name)
            if found is None:
                return None
            here, there = found, item
            continue
        step = here.get(key)
        if step is None:
            return None
        here, there = step, there.get(key) if there is not None else None
    return at_place(wish, here)


def _merged(name: str) -> bool:
    return name in _MERGE_KEYS or name == "ports"


def same_item(listed: Cursor, item: Cursor | None, name: str) -> Cursor | None:
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


def _replaced(wish: Wish, here: Cursor) -> Too | Refusal | None:
    """A list that is not merged: the patch's own is what counts."""
    if isinstance(wish.operation, RemoveNode):
        removed = wish.old
        kept = [one for one in here.items() if removed is not None and one.text == removed.text]
        return wish.refused("lists it again", kept[0]) if kept else None
    return wish.refused("replaces the list that would change", here)


def at_place(wish: Wish, here: Cursor) -> Too | Refusal | None:
    """The patch says something at the very place of the operation."""
    match wish.operation:
        case SetValue(_, _, value):
            return _set(wish, here, value)
        case AppendItem(_, _, value):
            return _appended(wish, here, value)
        case RemoveNode():
            return wish.refused("says it again", here)
    assert_never(wish.operation)


def _set(wish: Wish, here: Cursor, value: Value, key: str = "") -> Too | Refusal | None:
    key = key or wish.key
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
    if not same and key not in SAFETY:
        return wish.refused(f"says otherwise ({key}: {here.raw})", here)
    operation = SetValue(wish.patch.path, here.address, value)
    return wish.too(operation, here, contradicted=not same)


def _bool(cursor: Cursor) -> str | None:
    value = cursor.as_bool()
    return None if value is None else "true" if value else "false"


def _appended(wish: Wish, here: Cursor, value: Value) -> Too | Refusal | None:
    name = wish.key
    if here.is_null or not here.is_sequence:
        return wish.refused("takes away the list that would change", here)
    if isinstance(value, Scalar):
        if any(one.text == value.text for one in here.items()):
            return None
        if name not in SAFETY:
            return wish.refused("replaces the list that would change", here)
        operation = AppendItem(wish.patch.path, here.address, value)
        return wish.too(operation, here, contradicted=True)
    if not _merged(name) or not isinstance(value, Pairs):
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
