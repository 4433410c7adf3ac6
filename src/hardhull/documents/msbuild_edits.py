"""Operations on an MSBuild file to edits, and what the file must read as afterwards.

`render` and `expected` share no code: the one cuts text, the other computes on structures, so that
comparing them proves an edit.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from hardhull.documents.msbuild import Element, Text
from hardhull.documents.source import newline_at
from hardhull.model import (
    Edit,
    InsertElement,
    RemoveElement,
    SetAttribute,
    SetElementText,
    Span,
    Unrenderable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.msbuild import Attribute, Content, MsbuildFile
    from hardhull.model import MsbuildOperation, Operation

Node: TypeAlias = tuple[str, tuple[tuple[str, str], ...], tuple[Any, ...]]
"""Name, attributes, and what is inside: nodes, and texts as (kind, value)."""
Structure: TypeAlias = tuple[tuple[tuple[str, str], ...], Node]
"""What stands outside of the root, and the root."""

# ---------------------------------------------------------------- structures


def structure(file: MsbuildFile) -> Structure:
    """Return what the file says, without places and without blanks between elements."""
    return _outside(file), _node(file.root, {}, {})


def expected(file: MsbuildFile, operations: Sequence[MsbuildOperation]) -> Structure:
    """Return the structure of the file with the operations applied, without rendering them.

    For operations that `render` has accepted.
    """
    changes: dict[int, list[MsbuildOperation]] = {}
    inserted: dict[int, list[InsertElement]] = {}
    for operation in _of(file, operations):
        if isinstance(operation, InsertElement):
            inserted.setdefault(operation.parent, []).append(operation)
        else:
            changes.setdefault(operation.element, []).append(operation)
    return _outside(file), _node(file.root, changes, inserted)


def _outside(file: MsbuildFile) -> tuple[tuple[str, str], ...]:
    return tuple((piece.kind, piece.value) for piece in file.outside)


def _node(
    element: Element,
    changes: dict[int, list[MsbuildOperation]],
    inserted: dict[int, list[InsertElement]],
) -> Node:
    attributes = {one.name: one.value for one in element.attributes}
    inside: list[Any] = []
    for piece in element.content:
        if isinstance(piece, Text):
            if piece.kind != "text" or piece.value.strip():
                inside.append((piece.kind, piece.value))
        elif not any(isinstance(o, RemoveElement) for o in changes.get(piece.index, ())):
            inside.append(_node(piece, changes, inserted))
    for operation in changes.get(element.index, ()):
        match operation:
            case SetElementText(text=text):
                inside = [("text", text)] if text.strip() else []
            case SetAttribute(name=name, value=value):
                attributes[name] = value
            case _:
                pass
    for new in inserted.get(element.index, ()):
        said = (("text", new.text),) if new.text is not None and new.text.strip() else ()
        inside.append((new.name, new.attributes, said))
    return element.name, tuple(attributes.items()), tuple(inside)


def named_spans(file: MsbuildFile, operations: Sequence[Operation]) -> tuple[Span, ...]:
    """Return exactly what the operations name: a value, a text, an element with its line."""
    spans: list[Span] = []
    for operation in operations:
        match operation:
            case SetElementText(_, at, _):
                spans.append(_inside(file.elements[at]))
            case SetAttribute(_, at, name, _):
                spans.append(_attribute(file, file.elements[at], name).span)
            case RemoveElement(_, at):
                spans.append(_with_line(file, file.elements[at].span))
            case _:
                pass
    return tuple(spans)


# ---------------------------------------------------------------- rendering


def render(file: MsbuildFile, operations: Sequence[MsbuildOperation]) -> tuple[Edit, ...]:
    """Turn operations into edits in terms of the file's text. Raises Unrenderable.

    Operations for other paths are passed over; equal operations count once.
    """
    edits = [edit for operation in _of(file, operations) for edit in _edits(file, operation)]
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    for first, second in pairwise(ordered):
        if first.end > second.start:
            raise _refuse(file, "two operations touch one place", Span(*second[:2]))
    return tuple(ordered)


def _of(file: MsbuildFile, operations: Sequence[MsbuildOperation]) -> list[MsbuildOperation]:
    return list(dict.fromkeys(item for item in operations if item.path == file.source.path))


def _edits(file: MsbuildFile, operation: MsbuildOperation) -> list[Edit]:
    match operation:
        case SetElementText(_, at, text):
            return [_set_text(file, _element(file, at), text)]
        case SetAttribute(_, at, name, value):
            attribute = _attribute(file, _element(file, at), name)
            quote = file.source.text[attribute.span.end]
            return [Edit(*attribute.span, _escaped(file, value, attribute.span, quote))]
        case RemoveElement(_, at):
            element = _element(file, at)
            if element.parent is None:
                raise _refuse(file, "the root element can't be removed", element.opening)
            return [Edit(*_with_line(file, element.span), "")]
        case InsertElement():
            return [_insertion(file, operation)]
    assert_never(operation)


def _element(file: MsbuildFile, index: int) -> Element:
    if not 0 <= index < len(file.elements):
        raise _refuse(file, "there is no such element")
    return file.elements[index]


def _attribute(file: MsbuildFile, element: Element, name: str) -> Attribute:
    for one in element.attributes:
        if one.name == name:
            return one
    raise _refuse(file, f"<{element.name}> has no attribute {name}", element.opening)


def _inside(element: Element) -> Span:
    return Span(element.opening.end, element.closing.start)


def _set_text(file: MsbuildFile, element: Element, text: str) -> Edit:
    """Only the text itself: blanks around it, which MSBuild would keep, are part of it."""
    if element.closing.start == element.closing.end:
        raise _refuse(file, f"<{element.name} /> has no text to replace", element.opening)
    if len(element.content) > 1 or any(
        not isinstance(piece, Text) or piece.kind != "text" for piece in element.content
    ):
        raise _refuse(file, f"<{element.name}> holds more than a text", element.opening)
    inside = _inside(element)
    return Edit(*inside, _escaped(file, text, inside))


def _escaped(file: MsbuildFile, text: str, span: Span, quote: str = "") -> str:
    if re.search("[\x00-\x1f\ud800-\udfff\ufffe\uffff]", text):
        raise _refuse(file, "a value of several lines, or with control characters", span)
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    if quote:
        return text.replace(quote, "&quot;" if quote == '"' else "&apos;")
    return text.replace("]]>", "]]&gt;")


def _with_line(file: MsbuildFile, span: Span) -> Span:
    """An element with the line it has to itself; alone where something shares that line."""
    text = file.source.text
    start, end = span
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    while end < len(text) and text[end] in " \t":
        end += 1
    begins = start == 0 or text[start - 1] == "\n"
    for mark in ("\r\n", "\n"):
        if begins and text.startswith(mark, end):
            return Span(start, end + len(mark))
    return span


def _insertion(file: MsbuildFile, operation: InsertElement) -> Edit:
    """Behind the last element inside, on a line of its own with the same indentation."""
    parent = _element(file, operation.parent)
    if not parent.children:
        raise _refuse(file, f"<{parent.name}> holds no element to stand beside", parent.opening)
    last = parent.children[-1]
    text = file.source.text
    start = text.rfind("\n", 0, last.opening.start) + 1
    indentation = text[start : last.opening.start]
    ending = _after(file, parent, last)
    if indentation.strip() or ending is None:
        raise _refuse(file, "the last element beside it shares its line", last.opening)
    new = _written(file, operation, last.opening)
    return Edit(ending, ending, f"{newline_at(text, last.closing.end)}{indentation}{new}")


def _after(file: MsbuildFile, parent: Element, last: Element) -> int | None:
    """Where the line of an element ends, comments behind it left where they are; None if shared."""
    end = last.closing.end
    for piece in _behind(parent, last):
        blank = isinstance(piece, Text) and piece.kind == "text" and not piece.value.strip()
        if blank and "\n" in file.source.text[piece.span.start : piece.span.end]:
            return end
        if not isinstance(piece, Text) or (piece.kind not in ("text", "comment")):
            return None
        if piece.kind == "comment" and "\n" not in piece.value:
            end = piece.span.end
        elif not blank:
            return None
    return None


def _behind(parent: Element, last: Element) -> tuple[Content, ...]:
    at = next(i for i, piece in enumerate(parent.content) if piece is last)
    return parent.content[at + 1 :]


def _written(file: MsbuildFile, operation: InsertElement, place: Span) -> str:
    attributes = "".join(
        f' {name}="{_escaped(file, value, place, chr(34))}"' for name, value in operation.attributes
    )
    if operation.text is None:
        return f"<{operation.name}{attributes} />"
    text = _escaped(file, operation.text, place)
    return f"<{operation.name}{attributes}>{text}</{operation.name}>"


def _refuse(file: MsbuildFile, reason: str, span: Span | None = None) -> Unrenderable:
    return Unrenderable(reason, file.source.path, span)
