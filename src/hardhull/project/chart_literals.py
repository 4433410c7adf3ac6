"""Edits of rendered text, carried back to the literal text of the templates it comes from."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NoReturn

from hardhull.documents import yaml_edits
from hardhull.documents.chart import ChartTemplate
from hardhull.documents.chart_text import Origin
from hardhull.documents.go_template import Branch
from hardhull.model import Edit, Unrenderable, YamlOperation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.go_template import Part
    from hardhull.project.charts import View

_INDENT = re.compile(r"\bn?indent\s+(\d{1,3})")
_REST = re.compile(r"[ \t]*(?:#[^\n{]*)?(?:\r?\n|$)")


def literal_edits(view: View, operations: Sequence[YamlOperation]) -> dict[str, list[Edit]]:
    """The edits of templates, by file, that make these edits of what is rendered.

    Raises Unrenderable where rendered text would have to change that no literal text gave.
    """
    found: dict[str, list[Edit]] = {}
    back = _Back(view)
    for edit in yaml_edits.render(view.file, operations):
        file, made = back.carried(edit)
        listed = found.setdefault(file, [])
        if made not in listed:
            listed.append(made)
    return found


class _Back:
    """The way back from rendered text to templates."""

    def __init__(self, view: View) -> None:
        self.view, self.text = view, view.rendering.text
        self.pieces, self.starts = view.rendering.pieces, view.rendering.starts

    def carried(self, edit: Edit) -> tuple[str, Edit]:
        start, end, new = edit
        if start < end:
            return self._replaced(start, end, new)
        at_line_start = start == 0 or self.text[start - 1] == "\n"
        if at_line_start and new.endswith("\n"):
            return self._lines(start, new)
        if start == len(self.text) and new.startswith(("\n", "\r\n")):
            return self._lines(
                start, new.lstrip("\r\n") + new[: len(new) - len(new.lstrip("\r\n"))]
            )
        index, offset = self._before(start)
        piece = self.pieces[index]
        if piece.origin is not Origin.LITERAL:
            self._refuse(start)
        return piece.file, Edit(offset, offset, new)

    def _refuse(self, offset: int) -> NoReturn:
        reason = "an action of the template stands where the change belongs"
        raise Unrenderable(reason, self.view.path, self.view.file.span(offset, offset))

    def _index(self, offset: int) -> int:
        index = bisect_right(self.starts, offset) - 1
        while index and not self.pieces[index].text:
            index -= 1
        return index

    def _before(self, offset: int) -> tuple[int, int]:
        """The piece of the letter before, and where in its file it ends."""
        index = self._index(max(offset - 1, 0))
        piece = self.pieces[index]
        if piece.origin is Origin.LITERAL:
            return index, piece.start + max(offset - 1, 0) - self.starts[index] + (offset > 0)
        return index, piece.end

    def _replaced(self, start: int, end: int, new: str) -> tuple[str, Edit]:
        first, last = self._index(start), self._index(end - 1)
        one, other = self.pieces[first], self.pieces[last]
        literal = one.origin is Origin.LITERAL is other.origin and one.file == other.file
        low = one.start + start - self.starts[first]
        high = other.start + end - self.starts[last]
        source = self.view.chart.parts[one.file].source.text
        if not literal or source[low:high] != self.text[start:end]:
            self._refuse(start)
        return one.file, Edit(low, high, new)

    def _lines(self, start: int, new: str) -> tuple[str, Edit]:
        """Whole lines go behind the line of the letter before them."""
        position = start
        while position and self.text[position - 1] in "\r\n":
            position -= 1
        index, offset = self._line_end(position)
        piece = self.pieces[index]
        source = self.view.chart.parts[piece.file].source.text
        rest = _REST.match(source, offset)
        if rest is None:
            self._refuse(max(position - 1, 0))
        shift = self._shift(position, piece.file, source)
        lines = [_shifted(line, shift) for line in new.splitlines(keepends=True)]
        column = len(lines[0]) - len(lines[0].lstrip(" "))
        document = self.view.chart.parts[piece.file]
        assert isinstance(document, ChartTemplate)  # noqa: S101  pieces come from templates
        place, body = _past_deeper(document, rest.end(), column), "".join(lines)
        if not source[:place].endswith("\n"):
            newline = "\r\n" if "\r\n" in source else "\n"
            body = newline + body.rstrip("\r\n")
        elif "\r\n" in source[:place]:
            body = body.replace("\r\n", "\n").replace("\n", "\r\n")
        return piece.file, Edit(place, place, body)

    def _line_end(self, position: int) -> tuple[int, int]:
        """The piece that a line ends in, and where in its file.

        A line that a template begins is that template's, though its end be included from another
        file (`name: {{ include "shop.name" . }}`): it ends behind the action.
        """
        index, offset = self._before(position)
        begin = self.text.rfind("\n", 0, position) + 1
        blanks = len(self.text[begin:position]) - len(self.text[begin:position].lstrip(" "))
        own = self._index(begin + blanks)
        first = self.pieces[own]
        if first.origin is not Origin.LITERAL or first.file == self.pieces[index].file:
            return index, offset
        written = (p for p in self.pieces[own:index] if p.text and p.file == first.file)
        done = max(piece.end for piece in written)
        document = self.view.chart.parts[first.file]
        assert isinstance(document, ChartTemplate)  # noqa: S101  pieces come from templates
        end = next((end for start, end in document.template.actions if start >= done), done)
        return own, end

    def _shift(self, position: int, file: str, source: str) -> int:
        """How much deeper lines stand once they are rendered: `include … | nindent 8`."""
        while position > 0:
            begin = self.text.rfind("\n", 0, position) + 1
            word = begin
            while word < position and self.text[word] == " ":
                word += 1
            index = self._index(word)
            piece = self.pieces[index]
            if word < position and piece.origin is Origin.LITERAL and piece.file == file:
                offset = piece.start + word - self.starts[index]
                return (word - begin) - (offset - (source.rfind("\n", 0, offset) + 1))
            position = begin - 1
        return 0


def _past_deeper(document: ChartTemplate, place: int, column: int) -> int:
    """Go on behind branches and actions whose text, once there is some, stands deeper than this."""
    text, template = document.source.text, document.template
    while True:
        line_end = text.find("\n", place)
        start = place + len(text[place:]) - len(text[place:].lstrip(" \t\r\n"))
        action = next((a for a in template.actions if a[0] == start), None)
        if action is None or line_end < 0:
            return place
        stop = _stop_of(template.parts, start) or _stop_in_defines(document, start) or action[1]
        depth = _depth(text, action[1], stop) if stop > action[1] else _indent_of(text[start:stop])
        rest = _REST.match(text, stop)
        if depth is None or depth <= column or rest is None:
            return place
        place = rest.end()


def _stop_in_defines(document: ChartTemplate, start: int) -> int | None:
    stops = (_stop_of(body, start) for body in document.template.defines.values())
    return next((stop for stop in stops if stop is not None), None)


def _stop_of(parts: tuple[Part, ...], start: int) -> int | None:
    """Where the branch that begins at `start` ends: behind its end action."""
    for part in parts:
        if isinstance(part, Branch) and part.start <= start < part.stop:
            if part.start == start:
                return part.close
            return _stop_of(part.body, start) or _stop_of(part.other, start)
    return None


def _depth(text: str, start: int, stop: int) -> int | None:
    """How deep the first line stands that a branch writes."""
    for line in text[start:stop].split("\n")[1:]:
        bare = line.lstrip(" ")
        if bare.strip() and not bare.startswith(("{{", "#")):
            return len(line) - len(bare)
        if bare.startswith("{{") and (depth := _indent_of(bare)) is not None:
            return depth
    return _indent_of(text[start:stop])


def _indent_of(text: str) -> int | None:
    match = _INDENT.search(text)
    return int(match[1]) if match is not None else None


def _shifted(line: str, shift: int) -> str:
    if shift > 0:
        return line[shift:] if line.startswith(" " * shift) else line.lstrip(" ")
    return " " * -shift + line
