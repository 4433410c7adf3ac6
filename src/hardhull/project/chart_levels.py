"""Where a new key may stand in a template's own text, and what else could write the same key."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.documents.chart import ChartTemplate
from hardhull.documents.chart_text import Origin, Piece
from hardhull.documents.go_template import Action, Branch, Field, Function, Variable
from hardhull.documents.yaml_nodes import Node, key_text
from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.chart_text import Path, Skipped
    from hardhull.documents.go_template import Part
    from hardhull.project.charts import View

_INDENTED = re.compile(r"\bn?indent\s+(\d+)")
_LINE = re.compile(r"^[ ]*(?P<word>[^\s#{])", re.MULTILINE)
"""A line of literal text: what stands less deep ends a mapping."""
_WRITES = re.compile(r"\b(?:toYaml|include|tpl|template)\b|\.\s*$")


@dataclass(frozen=True, slots=True)
class Level:
    """What writes the key already: the value at `path`, or something that is in the way."""

    path: Path | None = None
    reason: str = ""
    file: str = ""
    span: Span | None = None


def levels_of(view: View, mapping: Node, key: str) -> Level | list[str]:
    """What writes `key` into this mapping when values change, else the keys it may stand behind."""
    return _Levels(view, mapping).answer(key)


def below_nothing(view: View, node: Node) -> Level | None:
    """What a branch that is not taken would write below a key that has no value now."""
    rendering, end = view.rendering, node.end
    while end < len(rendering.text) and rendering.text[end] in " \n\r":
        end += 1
    for piece, start in zip(rendering.pieces, rendering.starts, strict=True):
        skipped = piece.skipped
        if skipped is None or not node.end <= start <= end:
            continue
        document = view.chart.parts[piece.file]
        assert isinstance(document, ChartTemplate)  # noqa: S101  pieces come from templates
        line = document.source.text.rfind("\n", 0, piece.start) + 1
        path = rendered_behind(document, skipped.start, skipped)
        if path:
            return Level(path=path)
        reason = "a branch that these values do not take may write something here"
        return Level(reason=reason, file=piece.file, span=Span(line, piece.end))
    return None


class _Levels:
    def __init__(self, view: View, mapping: Node) -> None:
        self.view, self.mapping = view, mapping
        self.rendering = view.rendering
        owners = [self._piece(key.start) for key, _ in mapping.pairs]
        literal = [piece.file for piece in owners if piece.origin is Origin.LITERAL]
        self.file = literal[0] if literal else view.path
        document = view.chart.parts[self.file]
        assert isinstance(document, ChartTemplate)  # noqa: S101  pieces come from templates
        self.document = document
        self.text = document.source.text
        self.start = self._shallowest()
        self.column = 0
        if self.start is not None:
            self.column = self.start - (self.text.rfind("\n", 0, self.start) + 1)

    # ---- places

    def _shallowest(self) -> int | None:
        """Where the key stands that the fewest branches hold: its place is the mapping's own."""
        places = [self._literal(key.start) for key, _ in self.mapping.pairs]
        known = [place for place in places if place is not None]
        return min(known, key=lambda place: len(self.document.blocks_around(place)), default=None)

    def _index(self, offset: int) -> int:
        index = bisect_right(self.rendering.starts, offset) - 1
        while index and not self.rendering.pieces[index].text:
            index -= 1
        return index

    def _piece(self, offset: int) -> Piece:
        return self.rendering.pieces[self._index(offset)]

    def _literal(self, offset: int) -> int | None:
        """Where a letter of the rendered text stands in the template; None if it does not."""
        index = self._index(offset)
        piece = self.rendering.pieces[index]
        if piece.origin is not Origin.LITERAL or piece.file != self.file:
            return None
        return piece.start + offset - self.rendering.starts[index]

    def _begin(self) -> int:
        """From where on other parts of this mapping may be written: behind what holds it."""
        assert self.start is not None  # noqa: S101  asked only where it is
        text, position = self.rendering.text, self.mapping.start
        while position and text[position - 1] in " \n\r":
            position -= 1
        place = self._literal(position - 1) if position else None
        if place is not None and place < self.start:
            return place + 1
        # What holds it is in no text of this file: from where its first key could be on.
        bounds = [start for start, end, _ in self.document.template.blocks
                  if start <= self.start <= end]  # fmt: skip
        return max(bounds, default=0)

    def _end(self) -> int:
        """Up to where in the template other parts of this mapping may be written."""
        assert self.start is not None  # noqa: S101  asked only where it is
        bounds = [end for start, end, _ in self.document.template.blocks
                  if start <= self.start <= end]  # fmt: skip
        end = min(bounds, default=len(self.text))
        places = [self._literal(key.start) for key, _ in self.mapping.pairs]
        last = max(place for place in places if place is not None)
        for match in _LINE.finditer(self.text, self.text.find("\n", last) + 1 or end, end):
            if match.start("word") - match.start() < self.column:
                return match.start()
        return end

    # ---- the answer

    def answer(self, key: str) -> Level | list[str]:
        if self.start is None:
            return Level(reason="what stands here is put together by the template",
                         file=self.view.path, span=self._span(self.mapping))  # fmt: skip
        end = self._end()
        found = self._written_elsewhere(key, end)
        if found is not None:
            return found
        return list(self._anchors())

    def _span(self, node: Node) -> Span:
        return self.view.file.span(node.start, node.end)

    def _written_elsewhere(self, key: str, end: int) -> Level | None:
        """The key in a branch that is not taken, or an action that could write any key here."""
        assert self.start is not None  # noqa: S101  asked only where it is
        begin = self._begin()
        own = re.compile(rf"^ {{{self.column}}}{re.escape(key)}[ \t]*:", re.MULTILINE)
        for piece in self.rendering.pieces:
            skipped = piece.skipped
            if skipped is None or piece.file != self.file:
                continue
            if skipped.end <= begin or skipped.start >= end:
                continue
            match = own.search(self.text, skipped.start, skipped.end)
            if match is not None:
                return self._in_branch(match.start(), match.end(), skipped)
        for start, stop in self.document.template.actions:
            if not (begin <= start < end):
                continue
            action = self.text[start:stop]
            indents = _INDENTED.search(action)
            if indents and int(indents[1]) == self.column and _WRITES.search(action):
                reason = f"this action may write the key {key} too"
                return Level(reason=reason, file=self.file, span=Span(start, stop))
        return None

    def _in_branch(self, at: int, behind: int, skipped: Skipped) -> Level:
        """A key in a branch that is not taken: where it only renders a value, that value."""
        path = rendered_behind(self.document, behind, skipped)
        if path:
            return Level(path=path)
        reason = "a branch that these values do not take writes it"
        line_end = self.text.find("\n", behind)
        return Level(reason=reason, file=self.file,
                     span=Span(at, line_end if line_end >= 0 else len(self.text)))  # fmt: skip

    def _anchors(self) -> Iterator[str]:
        """Keys that stand under the same conditions as the mapping itself, ends included."""
        assert self.start is not None  # noqa: S101  as above
        around = self.document.blocks_around(self.start)
        for name, value in self.mapping.pairs:
            place = self._literal(name.start)
            label = key_text(name)
            if place is None or label is None:
                continue
            last = self._piece(max(value.end - 1, name.end - 1))
            if last.file != self.file:
                continue
            stop = self._literal(max(value.end - 1, name.end - 1))
            stop = last.end if stop is None else stop
            if self.document.blocks_around(place) == around == self.document.blocks_around(stop):
                yield label


def rendered_behind(document: ChartTemplate, behind: int, skipped: Skipped) -> Path | None:
    """The value of which `toYaml` alone is written behind a place of a branch, if one is."""
    action = next(
        (part for part in _actions(document.template.parts, document)
         if behind <= part.start < skipped.end),
        None,
    )  # fmt: skip
    if action is None or document.source.text[behind : action.start].strip():
        return None
    first = action.pipeline.commands[0]
    if first[0] != Function("toYaml") or len(first) != 2:  # noqa: PLR2004  it and what it renders
        return None
    return _path_of(first[1], skipped)


def _path_of(operand: object, skipped: Skipped) -> Path | None:
    match operand:
        case Field(keys):
            if skipped.dot is not None:
                return (*skipped.dot, *keys)
            return keys[1:] if keys[:1] == ("Values",) else None
        case Variable("", keys):
            return keys[1:] if keys[:1] == ("Values",) and skipped.root is None else None
    return None


def _actions(parts: tuple[Part, ...], document: ChartTemplate) -> Iterator[Action]:
    """All output actions, in the order of the text."""
    pending = [*parts]
    for body in document.template.defines.values():
        pending += body
    found: list[Action] = []
    while pending:
        part = pending.pop()
        if isinstance(part, Action):
            found.append(part)
        elif isinstance(part, Branch):
            pending += (*part.body, *part.other)
    yield from sorted(found, key=lambda action: action.start)
