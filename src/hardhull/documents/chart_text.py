"""Rendered text that knows where each part of it comes from: a template's text, or a value.

Pieces survive what charts do to rendered text (indenting, trimming, quoting, including), so that a
change of the rendered text can be carried back to the file that holds its cause.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hardhull.documents.yaml_render import spell
from hardhull.model import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes below `.Values`."""


class Origin(enum.Enum):
    """What a piece of rendered text was made from."""

    LITERAL = "literal"
    """The template's own text, letter by letter."""
    VALUE = "value"
    """A value, spelled as it is or in quotes."""
    FALLBACK = "fallback"
    """What stands in for a value that is empty."""
    MADE = "made"
    """Anything else that an action put together."""
    SKIPPED = "skipped"
    """No text: the body of a branch that was not taken."""


class Skipped(NamedTuple):
    """The body of a branch that was not taken, and what dot and `$` would be in it."""

    start: int
    end: int
    dot: Path | None
    root: Path | None


class Piece(NamedTuple):
    """A part of rendered text. `start` and `end` are the place in `file`: text or action."""

    text: str
    file: str
    start: int
    end: int
    origin: Origin
    path: Path | None = None
    skipped: Skipped | None = None


Pieces: TypeAlias = tuple[Piece, ...]


class Val(NamedTuple):
    """A value, the path below `.Values` that gave it, and its text in pieces where it has some.

    `fallback` says that the path holds nothing and that the value stands in for it.
    """

    value: Any
    path: Path | None = None
    pieces: Pieces | None = None
    fallback: bool = False


MOST = 200_000
"""How many letters, keys and items a value may have: beyond that nobody wrote it."""


def bare(value: Any) -> Any:
    """A value without what it knows of its parts (`dict` and `list` keep that of their items).

    Raises ValueError for more than `MOST`: values that hold each other may be read without end.
    """
    return _bare(value, [MOST])


def _bare(value: Any, budget: list[int]) -> Any:
    if isinstance(value, Val):
        value = value.value
    budget[0] -= len(value) + 1 if isinstance(value, (str, dict, list)) else 1
    if budget[0] < 0:
        raise ValueError("too large")
    if isinstance(value, dict):
        return {key: _bare(item, budget) for key, item in value.items()}
    if isinstance(value, list):
        return [_bare(item, budget) for item in value]
    return value


def plain(pieces: Iterable[Piece]) -> str:
    """The text of pieces."""
    return "".join(piece.text for piece in pieces)


def part(piece: Piece, start: int, end: int) -> Piece:
    """A part of one piece, by offsets in its text."""
    if piece.origin is not Origin.LITERAL:
        return piece._replace(text=piece.text[start:end])
    first = piece.start + start
    return piece._replace(text=piece.text[start:end], start=first, end=piece.start + end)


def indented(pieces: Iterable[Piece], pad: str, made: Piece) -> Iterator[Piece]:
    """Pieces with `pad` at the start of every line; `made` says which action pads."""
    padding = made._replace(text=pad)
    yield padding
    for piece in pieces:
        if "\n" not in piece.text:
            yield piece
            continue
        done = 0
        while (found := piece.text.find("\n", done)) >= 0:
            yield part(piece, done, found + 1)
            yield padding
            done = found + 1
        if done < len(piece.text):
            yield part(piece, done, len(piece.text))


def trimmed(pieces: Pieces, start: int, end: int) -> Iterator[Piece]:
    """The pieces between two offsets of their text; what has no text stays."""
    position = 0
    for piece in pieces:
        after = position + len(piece.text)
        low, high = max(start, position), min(end, after)
        if not piece.text:
            yield piece
        elif low < high:
            yield part(piece, low - position, high - position)
        position = after


# ---------------------------------------------------------------- values as YAML


def yaml_of(value: Any, path: Path | None, made: Piece) -> Pieces:
    """What `toYaml` makes of a value, each part knowing which key or item it is."""
    if isinstance(value, Val):
        value, path = value.value, value.path
    if isinstance(value, (dict, list)) and value:
        lines = list(_lines(value, path, "", made, [MOST]))
        last = lines[-1]
        lines[-1] = last._replace(text=last.text.removesuffix("\n"))
        return tuple(lines)
    return (_leaf(value, path, made),)


def _leaf(value: Any, path: Path | None, made: Piece) -> Piece:
    origin = Origin.MADE if path is None else Origin.VALUE
    return made._replace(text=_spelled(value), origin=origin, path=path)


def _lines(
    value: Any, path: Path | None, indent: str, made: Piece, budget: list[int]
) -> Iterator[Piece]:
    """Keys in order, lists at the level of their key, as Go's sigs.k8s.io/yaml writes them."""
    listed = isinstance(value, list)
    entries = list(enumerate(value)) if listed else sorted(value.items(), key=lambda e: str(e[0]))
    for key, item in entries:
        inner = None if path is None else (*path, key)
        if isinstance(item, Val):
            item, inner = item.value, item.path  # noqa: PLW2901
        budget[0] -= 10 + (len(item) if isinstance(item, str) else 0)
        if budget[0] < 0:
            raise ValueError("too large")
        origin = Origin.MADE if inner is None else Origin.VALUE
        head = "-" if listed else f"{spell(Scalar(str(key), string=True))}:"
        own = made._replace(text=f"{indent}{head}", origin=origin, path=inner)
        nested = isinstance(item, (dict, list)) and item
        if not nested:
            yield own._replace(text=own.text + " ")
            yield _leaf(item, inner, made)
            yield made._replace(text="\n")
        elif listed:
            first, *rest = _lines(item, inner, indent + "  ", made, budget)
            yield own._replace(text=own.text + " ")
            yield first._replace(text=first.text.removeprefix(indent + "  "))
            yield from rest
        else:
            yield own._replace(text=own.text + "\n")
            deeper = indent if isinstance(item, list) else indent + "  "
            yield from _lines(item, inner, deeper, made, budget)


def _spelled(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return spell(Scalar(value, string=True)) if value else '""'
        case dict():
            return "{}"
        case list():
            return "[]"
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004  as Go prints
            return str(int(value))
    return str(value)
