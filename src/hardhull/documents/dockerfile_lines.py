"""Physical lines of a Dockerfile to logical ones: directives, comments, continuations.

Offsets count code points of the source text; line indexes are 0-based in this module.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from hardhull.documents.shell_lexer import GO_SPACE
from hardhull.model import Span

LONGEST_LINE = 65_536
"""BuildKit gives up on a file with a longer line (in bytes, line end included)."""

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z")
_KNOWN = frozenset(("syntax", "escape", "check"))


class Malformed(Exception):
    """What makes a file unreadable, on its way out of the reader; never leaves the package."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Layout(NamedTuple):
    """Where the characters of a logical line stand in the source.

    `pieces` pairs offsets in the logical line with offsets in the source.
    """

    source: str
    pieces: tuple[tuple[int, int], ...]

    def offset(self, logical: int) -> int:
        """Return where the character at `logical` stands."""
        pieces = self.pieces
        at, start = pieces[bisect_right(pieces, (logical, len(self.source))) - 1]
        return start + logical - at

    def span(self, start: int, end: int) -> Span:
        """Return the source span of a logical range; an empty one stands behind what precedes."""
        if len(self.pieces) == 1 and start < end:
            at, offset = self.pieces[0]
            return Span(offset + start - at, offset + end - at)
        if start >= end:
            place = self.offset(start - 1) + 1 if start > 0 else self.offset(start)
            return Span(place, place)
        return Span(self.offset(start), self.offset(end - 1) + 1)


@dataclass(frozen=True, slots=True)
class Directive:
    """A parser directive: its name, the span of its value, the value, and its line."""

    name: str
    value: str
    span: Span
    line: int


class LogicalLine(NamedTuple):
    """One instruction's line with the continuations joined, as BuildKit joins it.

    `first` is its 1-based line, `after` is the index of the next physical line. `open` says that
    the file ended while a continuation was still expected.
    """

    text: str
    layout: Layout
    first: int
    after: int
    offset_after: int
    comments: tuple[Span, ...] = ()
    open: bool = False


def is_continued(line: str, escape: str) -> int:
    """Return where the continuation mark of a line stands, -1 if it has none.

    A mark directly behind another one does not continue; blanks and tabs may follow.
    """
    line = line.rstrip("\r\n").rstrip(" \t")
    if not line.endswith(escape) or line.endswith(escape * 2):
        return -1
    return len(line) - 1


def comment_span(line: str, offset: int) -> Span:
    """Return the span of a comment line, from its `#` to its last character."""
    return Span(offset + line.index("#"), offset + len(line.rstrip(GO_SPACE)))


def join(source: str, lines: list[str], index: int, offset: int, escape: str) -> LogicalLine:
    """Join the continued line at `index` (which starts at `offset`) with those that follow."""
    first = index + 1
    line = lines[index]
    mark = is_continued(line, escape)
    lead = len(line) - len(line.lstrip(GO_SPACE))
    texts = [line[lead:mark]]
    pieces = [(0, offset + lead)]
    length = mark - lead
    comments: list[Span] = []
    while True:
        offset += len(line) + 1
        index += 1
        if index == len(lines):
            break
        line = lines[index]
        bare = line.lstrip(GO_SPACE)
        if not bare:
            continue
        if bare[0] == "#":
            comments.append(comment_span(line, offset))
            continue
        mark = is_continued(line, escape)
        text = line.rstrip("\r") if mark < 0 else line[:mark]
        if text:
            texts.append(text)
            pieces.append((length, offset))
            length += len(text)
        if mark < 0:
            return LogicalLine(
                "".join(texts),
                Layout(source, tuple(pieces)),
                first,
                index + 1,
                offset + len(line) + 1,
                tuple(comments),
            )
    if len(pieces) > 1 and pieces[1][0] == 0:
        del pieces[0]
    layout = Layout(source, tuple(pieces))
    return LogicalLine("".join(texts), layout, first, index, offset, tuple(comments), open=True)


def read_directives(lines: list[str]) -> list[Directive]:
    """Read the directives at the top: `escape` as the parser does, the others as the builder.

    They differ: only the builder looks behind a `#!` line, only the parser allows indentation.
    """
    found = [item for item in _directives(lines, 0, indented=True) if item.name == "escape"]
    for item in found:
        if item.value not in ("\\", "`"):
            raise Malformed(item.line + 1, "the escape character must be \\ or `")
    behind = 1 if lines and lines[0].startswith("#!") else 0
    found += [item for item in _directives(lines, behind, indented=False) if item.name != "escape"]
    return sorted(found, key=lambda item: item.line)


def foreign_syntax(text: str, lines: list[str]) -> str:
    """Return why a file is written for another frontend than Docker's; empty if it isn't."""
    first = lines[1 if lines[0].startswith("#!") else 0 :][:1]
    if first and first[0].startswith("//"):
        found = _DIRECTIVE.match(first[0][2:].lstrip(GO_SPACE))
        if found and found[1].lower() == "syntax":
            return f"written for another frontend (// syntax={found[2]})"
    if text.lstrip(GO_SPACE).startswith("{") and '"syntax"' in text:
        return "written for another frontend (JSON with a syntax key)"
    return ""


def _directives(lines: list[str], index: int, *, indented: bool) -> list[Directive]:
    found: list[Directive] = []
    offset = sum(len(line) + 1 for line in lines[:index])
    for at in range(index, len(lines)):
        line = lines[at]
        start = len(line) - len(line.lstrip(GO_SPACE)) if indented else 0
        if not line.startswith("#", start):
            break
        inner = line[start + 1 :].lstrip(GO_SPACE)
        match = _DIRECTIVE.match(inner)
        if not match or match[1].lower() not in _KNOWN:
            break
        name = match[1].lower()
        if any(item.name == name for item in found):
            raise Malformed(at + 1, f"only one {name} directive can be used")
        value = match[2].split(" ", 1)[0] if name == "syntax" else match[2]
        begin = offset + len(line) - len(inner) + match.start(2)
        found.append(Directive(name, value, Span(begin, begin + len(value)), at))
        offset += len(line) + 1
    return found
