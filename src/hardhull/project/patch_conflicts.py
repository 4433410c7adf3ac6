"""What a patch says that a stricter setting does not go together with.

An overlay may start another program, as another user, on another port, or with more rights than
its base. What was judged of the base does not hold for it then: the base stays as it is, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hardhull.images import parse_reference
from hardhull.model import AppendItem, Refusal, SetValue
from hardhull.project.container import capability
from hardhull.project.patch_json import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.kustomize import Patch
    from hardhull.project.patch_parts import Steps, Wish

_ANOTHER_PROGRAM: Final = frozenset({"image", "command", "args"})
_CONFLICTS: Final = {
    "allowPrivilegeEscalation": frozenset({"privileged", "add"}),
    "runAsNonRoot": frozenset({"runAsUser", "value"}) | _ANOTHER_PROGRAM,
    "drop": frozenset({"runAsUser", "privileged", "value"}) | _ANOTHER_PROGRAM,
    "readOnlyRootFilesystem": _ANOTHER_PROGRAM,
}
"""By the key that is set: the keys of a patch that must be looked at."""
_GAINING: Final = frozenset({"SYS_ADMIN", "ALL"})
_PORT_NAMES = re.compile(r"_URLS\b|_PORTS\b|\bURLS\b|Kestrel__")
_LOW_PORT = re.compile(r"(?<![\d.])(?:[1-9]\d{0,2}|10[01]\d|102[0-3])(?![\d.])|https?://[^:]*$")


def conflict(wish: Wish) -> Refusal | None:
    """Why a setting of an object does not go together with a patch over it."""
    if wish.patch.unread:
        return Refusal(wish.patch.left_alone, wish.patch.path, wish.patch.cursor.span)
    looked_at = _CONFLICTS.get(wish.key)
    if looked_at is None or not isinstance(wish.operation, (SetValue, AppendItem)):
        return None
    index, name = _container(wish)
    for steps, value in said(wish.patch):
        key = _listed(steps) or str(steps[-1] if steps else "")
        if (
            "exec" in steps
            or key not in looked_at
            or (index is not None and not _is_for(steps, index, name))
        ):
            continue
        told = _against(key, value, wish)
        if told:
            return wish.refused(f"{told}, with which this does not go together", value)
    return None


def starts_otherwise(patch: Patch) -> Iterator[tuple[str, Cursor]]:
    """What a patch says of how a program starts: by another command, or on a low port."""
    if patch.unread:
        yield "can't be read", patch.cursor
        return
    for steps, value in said(patch):
        key = _listed(steps) or str(steps[-1] if steps else "")
        if key in ("command", "args") and "exec" not in steps:
            yield "starts it otherwise", value
        elif key == "value" and (told := _low_port(value, patch)):
            yield told, value


def _low_port(value: Cursor, patch: Patch) -> str:
    low = _PORT_NAMES.search(patch.cursor.raw) and _LOW_PORT.search(value.text or "")
    return "gives it a low port" if low else ""


def said(patch: Patch) -> Iterator[tuple[Steps, Cursor]]:
    """All scalars that a patch says, by their path in the object; items are named where they can.

    A name stands as `=name`, so that it is not taken for a key.
    """
    seen: set[int] = set()
    if not patch.is_json:
        yield from _scalars(patch.cursor, (), seen)
        return
    for item in patch.cursor.items():
        path, value = item.get("path"), item.get("value")
        if path is not None and path.text and value is not None:
            yield from _scalars(value, steps_of(path.text), seen)


def _scalars(cursor: Cursor, steps: Steps, seen: set[int]) -> Iterator[tuple[Steps, Cursor]]:
    if cursor.shared and id(cursor.node) in seen:
        return  # aliases of aliases would never end
    seen.add(id(cursor.node))
    for key, part in cursor.pairs():
        yield from _scalars(part, (*steps, key), seen)
    for number, item in enumerate(cursor.items()):
        name = item.get("name")
        named = f"={name.text}" if name is not None and name.text else number
        yield from _scalars(item, (*steps, named), seen)
    if not cursor.pairs() and not cursor.items():
        yield steps, cursor


def _listed(steps: Steps) -> str | None:
    """The key of the list of words that a scalar is an item of: `add`, `command`, `args`."""
    if len(steps) < 2:  # noqa: PLR2004  a key and a number
        return None
    holder, last = steps[-2], steps[-1]
    counted = isinstance(last, int) or last == "-"
    return holder if counted and holder in ("add", "command", "args") else None


def _container(wish: Wish) -> tuple[int | None, str]:
    """Which container an operation is about; None for the whole pod."""
    for depth, key in enumerate(wish.at[:-1]):
        index = wish.at[depth + 1]
        if key in ("containers", "initContainers") and isinstance(index, int):
            name = wish.own.get(*wish.at[: depth + 2], "name")
            return index, (name.text if name is not None else None) or ""
    return None, ""


def _is_for(steps: Steps, index: int, name: str) -> bool:
    """Whether something that a patch says is, or may be, about this container or its pod."""
    for depth, key in enumerate(steps[:-1]):
        if key in ("containers", "initContainers"):
            item = steps[depth + 1]
            return item in (index, f"={name}") or not isinstance(item, (int, str))
    return True


def _against(key: str, value: Cursor, wish: Wish) -> str:
    """What this says against a stricter setting; empty if nothing."""
    match key:
        case "privileged" if value.as_bool():
            return "makes it privileged"
        case "add" if wish.key == "allowPrivilegeEscalation" and capability(value) in _GAINING:
            return f"adds {value.text}"
        case "runAsUser" if value.as_int() == 0:
            return "runs it as root"
        case "command" | "args":
            return "starts it otherwise"
        case "image" if _is_another(value, wish):
            return "runs another image"
        case "value":
            return _low_port(value, wish.patch)
    return ""


def _is_another(value: Cursor, wish: Wish) -> bool:
    """Whether an image is none of the object's own, whatever the tag."""
    new = parse_reference(value.text) if value.text else None
    images = re.findall(r"\bimage[\"']?\s*:\s*[\"']?([^\s\"'},]+)", wish.own.raw)
    own = {one.repository_name for text in images if (one := parse_reference(text)) is not None}
    return new is None or new.repository_name not in own
