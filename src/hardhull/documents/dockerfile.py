"""The Dockerfile reader: instructions, flags and words as BuildKit reads them, with exact spans.

The text is never changed here; `dockerfile_edits` writes. Only words that someone asks for are
split, because most of a Dockerfile is RUN text that nobody edits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.documents.dockerfile_checks import KEYWORDS, check_order, complaint, guard
from hardhull.documents.dockerfile_heredocs import Heredoc, openings, read_bodies
from hardhull.documents.dockerfile_lines import (
    Layout,
    LogicalLine,
    Malformed,
    comment_span,
    is_continued,
    join,
    read_directives,
)
from hardhull.documents.dockerfile_words import (
    BLANKS,
    JSON_FORMS,
    Token,
    flags_of,
    json_words,
    words_of,
)
from hardhull.documents.shell_lexer import GO_SPACE
from hardhull.documents.unreadable import Unreadable
from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.source import Source

__all__ = ["Dockerfile", "Heredoc", "Instruction", "Unreadable", "Word", "read_dockerfile"]

_HEREDOC_KEYWORDS = frozenset(("RUN", "COPY", "ADD"))
_NO_TRIGGERS = frozenset(("ONBUILD", "FROM", "MAINTAINER"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written and as meant.

    `value` is the decoded element in JSON form, and the unquoted text of a flag; elsewhere it is
    `text` without continuations, quotes kept.
    """

    text: str
    value: str
    span: Span


@dataclass(frozen=True)
class Instruction:
    """One instruction. Not slotted: words are split when first asked for.

    `text` is the logical text of the arguments, without continuations and comments. `arguments`
    spans it in the source. `trigger` is the instruction behind ONBUILD, whose words then are its
    keyword, flags and words. `open` says that the file ends within a continuation of it.
    """

    index: int
    keyword: str
    span: Span
    first_line: int
    last_line: int
    flags: tuple[Word, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    text: str
    trigger: Instruction | None = None
    open: bool = False
    _tokens: list[Token] | None = field(default=None, repr=False, compare=False)
    _name: tuple[int, int] = field(default=(0, 0), repr=False, compare=False)
    _start: int = field(default=0, repr=False, compare=False)
    _escape: str = field(default="\\", repr=False, compare=False)
    _layout: Layout = field(default=Layout("", ((0, 0),)), repr=False, compare=False)

    @cached_property
    def keyword_span(self) -> Span:
        """Where the keyword stands."""
        return self._layout.span(*self._name)

    @cached_property
    def arguments(self) -> Span:
        """Where everything behind the flags stands, heredoc bodies excluded."""
        return self._layout.span(self._start, self._start + len(self.text))

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The arguments one by one; `ENV name value with blanks` has two."""
        if self.trigger:
            inner = self.trigger
            layout = self._layout
            keyword = Word(
                layout.source[slice(*inner.keyword_span)], inner.keyword, inner.keyword_span
            )
            return (keyword, *inner.flags, *inner.words)
        tokens = self._tokens
        if tokens is None:
            tokens = words_of(self.keyword, self.text, self._escape)
        return _words(tokens, self._start, self._layout)


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile that BuildKit would accept.

    `directives` maps `syntax`, `escape` and `check` to their values; `comments` are all comment
    lines but directives, those between continued lines included.
    """

    source: Source
    escape: str
    directives: Mapping[str, Word] = field(hash=False)
    instructions: tuple[Instruction, ...]
    comments: tuple[Span, ...]


def read_dockerfile(source: Source) -> Dockerfile | Unreadable:
    """Read a Dockerfile; a file that BuildKit would refuse is returned as Unreadable."""
    try:
        return _read(source)
    except Malformed as problem:
        return Unreadable(problem.line, problem.reason)


def read_fragment(text: str, escape: str) -> tuple[Instruction, ...]:
    """Read instructions that are not a whole file. Raises Malformed."""
    return tuple(_instructions(text, _lines(text), escape, set(), []))


def _read(source: Source) -> Dockerfile:
    text = source.text
    lines = _lines(text)
    guard(text, lines)
    directives = read_directives(lines)
    escape = next((item.value for item in directives if item.name == "escape"), "\\")
    comments: list[Span] = []
    skipped = {item.line for item in directives}
    instructions = tuple(_instructions(text, lines, escape, skipped, comments))
    check_order((item.keyword, item.first_line) for item in instructions)
    values = {
        item.name: Word(text[slice(*item.span)], item.value, item.span) for item in directives
    }
    return Dockerfile(source, escape, values, instructions, tuple(comments))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _instructions(
    text: str, lines: list[str], escape: str, directives: set[int], comments: list[Span]
) -> Iterator[Instruction]:
    """Yield the instructions; comment spans are added to `comments` on the way."""
    at = offset = index = 0
    while at < len(lines):
        raw = lines[at]
        bare = raw.strip(GO_SPACE)
        if not bare or bare[0] == "#":
            if bare and at not in directives:
                comments.append(comment_span(raw, offset))
            at += 1
            offset += len(raw) + 1
            continue
        if bare[-1] == escape and is_continued(raw, escape) >= 0:
            line = join(text, lines, at, offset, escape)
            comments += line.comments
        else:
            lead = raw.index(bare[0])
            after = offset + len(raw) + 1
            layout = Layout(text, ((0, offset + lead),))
            line = LogicalLine(bare, layout, at + 1, at + 1, after)
        found, at, offset = _finish(line, lines, index, escape)
        yield found
        index += 1


def _finish(
    line: LogicalLine, lines: list[str], index: int, escape: str
) -> tuple[Instruction, int, int]:
    """Make the instruction, with the heredocs behind its line."""
    start = len(line.text) - len(line.text.lstrip(GO_SPACE))
    made = _instruction(line, index, escape, start, 0)
    if "<<" not in line.text or made.json or not _takes_heredocs(made):
        return made, line.after, line.offset_after
    opened = openings(line.text, line.first)
    if not opened:
        return made, line.after, line.offset_after
    heredocs, at, offset = read_bodies(opened, lines, line)
    span = Span(made.span.start, _end(line.layout.source, offset))
    return replace(made, span=span, last_line=at, heredocs=heredocs), at, offset


def _takes_heredocs(made: Instruction) -> bool:
    return (made.trigger or made).keyword in _HEREDOC_KEYWORDS


def _instruction(line: LogicalLine, index: int, escape: str, start: int, depth: int) -> Instruction:
    """Read one instruction from `start` in the logical line; `depth` 1 is behind ONBUILD."""
    layout = line.layout
    logical = line.text.rstrip(GO_SPACE)
    blank = BLANKS.search(logical, start)
    name_end = blank.start() if blank else len(logical)
    keyword = _keyword(logical[start:name_end], line.first, depth)
    flags = flags_of(logical, blank.end() if blank else len(logical), escape)
    if isinstance(flags, str):
        raise Malformed(line.first, flags)
    found, begin = flags
    text = logical[begin:].lstrip(GO_SPACE)
    begin = len(logical) - len(text)
    trigger = None
    tokens: list[Token] | None = None
    if keyword == "ONBUILD" and text and depth == 0:
        trigger = _instruction(line, index, escape, begin, 1)
    else:
        tokens = _json(keyword, text, line.first)
        problem = complaint(keyword, text, tokens, escape)
        if problem:
            hint = ": a template?" if "{{" in text else ""
            raise Malformed(line.first, problem + hint)
    is_json = trigger.json if trigger else tokens is not None
    if tokens is not None and keyword == "HEALTHCHECK":
        tokens = [(0, 3, text[:3]), *tokens]
    end = _end(layout.source, line.offset_after)
    return Instruction(
        index,
        keyword,
        Span(layout.offset(start), end),
        line.first,
        line.after,
        _words(found, 0, layout) if found else (),
        is_json,
        (),
        text,
        trigger,
        line.open,
        tokens,
        (start, name_end),
        begin,
        escape,
        layout,
    )


def _keyword(written: str, line: int, depth: int) -> str:
    if written in KEYWORDS:
        keyword = written
    elif written.isascii() and written.upper() in KEYWORDS:
        keyword = written.upper()
    else:
        raise Malformed(line, f"unknown instruction {written[:40]}: a template?")
    if depth and keyword in _NO_TRIGGERS:
        raise Malformed(line, f"{keyword} can't stand behind ONBUILD")
    return keyword


def _json(keyword: str, text: str, line: int) -> list[Token] | None:
    """Read the JSON form where this keyword has one; behind `CMD` for a health check."""
    shift = 0
    if keyword == "HEALTHCHECK":
        if text[:3].upper() != "CMD" or text[3:4].strip(GO_SPACE):
            return None
        shift = len(text) - len(text[3:].lstrip(GO_SPACE))
    elif keyword not in JSON_FORMS:
        return None
    tokens = json_words(text[shift:])
    if isinstance(tokens, str):
        raise Malformed(line, tokens)
    if tokens is None or not shift:
        return tokens
    return [(start + shift, end + shift, value) for start, end, value in tokens]


def _end(text: str, after: int) -> int:
    """Return the end of the line that ends just before `after`, without its line end."""
    if after > len(text):
        return len(text) - (text.endswith("\r"))
    end = after - 1
    return end - (text[end - 1 : end] == "\r")


def _words(tokens: list[Token], shift: int, layout: Layout) -> tuple[Word, ...]:
    source = layout.source
    words: list[Word] = []
    for start, end, value in tokens:
        span = layout.span(start + shift, end + shift)
        words.append(Word(source[span.start : span.end], value, span))
    return tuple(words)
