"""JSON patches (RFC 6902): what a list of operations does at the place of a change."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from hardhull.model import AppendItem, Pairs, Refusal, RemoveNode
from hardhull.project.patch_parts import SAFETY, Steps, Too, Wish, at_place, same_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hardhull.documents.yaml import Cursor
    from hardhull.project.kustomize import Patch

_ESCAPES: Final = (("~1", "/"), ("~0", "~"))
_NUMBER = re.compile(r"\d{1,9}")


def in_json(wish: Wish) -> Iterator[Too | Refusal]:
    """Follow the operations of a JSON patch in order, keeping count of items that it shifts.

    Each may say something: what one of them sets a later one may set again, or take away.
    """
    at = wish.at
    for item in wish.patch.cursor.items():
        verb, path = _text(item, "op"), _text(item, "path")
        if verb is None or path is None:
            yield wish.refused("can't be read", item)
            return
        steps = steps_of(path)
        if verb in ("move", "copy"):
            start = steps_of(_text(item, "from") or "")
            if any(_overlap(one, at) for one in (steps, start)):
                yield wish.refused("moves or copies what would change", item)
            continue
        if counted_by_others(steps, wish.own, wish.beside) and _alike(steps, at):
            yield wish.refused("counts the items of a list that another patch adds to", item)
        if _shifts(verb, steps, at):
            if isinstance(wish.operation, RemoveNode) and len(steps) == len(at):
                yield wish.refused("counts the items of this list", item)
            shifted = _shifted(verb, steps, at)
            if shifted is None:
                return
            at = shifted
            continue
        answer = _against(wish, item, verb, steps, at)
        if answer is not None:
            yield answer


def _against(wish: Wish, item: Cursor, verb: str, steps: Steps, at: Steps) -> Too | Refusal | None:
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


def _in_value(wish: Wish, value: Cursor, rest: Steps) -> Too | Refusal | None:
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
    return at_place(wish, here)


def _missing(wish: Wish, here: Cursor, rest: Steps) -> Too | Refusal | None:
    """It replaces a mapping and leaves out what the operation puts there: that goes in as well."""
    if isinstance(wish.operation, RemoveNode):
        return None
    if wish.key not in SAFETY or not here.is_mapping:
        return wish.refused("replaces what would change", here)
    operation = replace(wish.operation, path=wish.patch.path, at=(*here.address, *rest), after=())
    return wish.too(operation, here, contradicted=False)


def _text(item: Cursor, key: str) -> str | None:
    found = item.get(key)
    return found.text if found is not None else None


def steps_of(path: str) -> Steps:
    """The keys and numbers of a JSON pointer."""
    found: list[str | int] = []
    for word in path.split("/")[1:]:
        step = word
        for escape, meant in _ESCAPES:
            step = step.replace(escape, meant)
        found.append(int(step) if _NUMBER.fullmatch(step) else step)
    return tuple(found)


def _overlap(one: Sequence[str | int], other: Sequence[str | int]) -> bool:
    shorter = min(len(one), len(other))
    return tuple(one[:shorter]) == tuple(other[:shorter])


def _counts(steps: Steps, at: Steps) -> bool:
    """Whether a path counts items of the list from which one is to be removed, from there on."""
    depth = len(at) - 1
    if not isinstance(at[-1], int) or len(steps) <= depth or steps[:depth] != at[:depth]:
        return False
    step = steps[depth]
    return isinstance(step, int) and step >= at[-1]


def _shifts(verb: str, steps: Steps, at: Steps) -> bool:
    """Whether an operation adds or removes an item of a list that the address goes through."""
    depth = len(steps) - 1
    if verb not in ("add", "remove") or depth < 0 or depth >= len(at):
        return False
    place, mine = steps[-1], at[depth]
    if not isinstance(place, int) or not isinstance(mine, int) or steps[:-1] != at[:depth]:
        return False
    return place <= mine


def _shifted(verb: str, steps: Steps, at: Steps) -> Steps | None:
    """The address after such an operation; None if its own item is gone."""
    depth = len(steps) - 1
    place, mine = steps[-1], at[depth]
    if not isinstance(place, int) or not isinstance(mine, int):
        return at
    if verb == "remove" and place == mine:
        return None
    return (*at[:depth], mine + 1 if verb == "add" else mine - 1, *at[depth + 1 :])


def counted_by_others(steps: Steps, own: Cursor, patches: Sequence[Patch]) -> bool:
    """Whether a path counts items of a list that other patches put in another order.

    What a patch lists comes first, in its order: a number means another item than in the object.
    """
    for depth, step in enumerate(steps):
        if not isinstance(step, int) or depth == 0:
            continue
        listed, name = own.get(*steps[:depth]), str(steps[depth - 1])
        first = listed.items() if listed is not None else []
        for patch in patches:
            ordered = None if patch.is_json else patch.cursor.get(*steps[:depth])
            items = ordered.items() if ordered is not None else []
            same = [same_item(ordered, one, name) for one in first[: len(items)] if ordered]
            if items and same != items:
                return True
    return False


def counts(patch: Patch, name: str) -> bool:
    """Whether a JSON patch names items of a list of this name by number."""
    for item in patch.cursor.items() if patch.is_json else ():
        steps = steps_of(_text(item, "path") or "")
        if any(one == name and isinstance(other, int) for one, other in pairwise(steps)):
            return True
    return False


def _alike(steps: Steps, at: Steps) -> bool:
    """Whether two paths would overlap if the numbers in them meant the same items."""
    shorter = min(len(steps), len(at))
    return all(
        one == other or (isinstance(one, int) and isinstance(other, int))
        for one, other in zip(steps[:shorter], at[:shorter], strict=True)
    )
