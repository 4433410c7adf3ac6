"""Heredocs of RUN, COPY and ADD: which words open one, and the body that follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hardhull.documents.dockerfile_lines import LogicalLine, Malformed
from hardhull.documents.expansion import Mode, expand_words
from hardhull.documents.shell_lexer import TOO_DEEP
from hardhull.model import Span

_OPENING = re.compile(r"[0-9]*<<(-?)([\t\n\f\r ]*)([^<]*)\Z")

_NAMED_BY_VARIABLE = re.compile(r"<<-?[^\s<]*\$\{\w+[^\w}]")
_PATTERNS = re.compile(r"\$\{[^{}:+?$-]*[#%/]")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A heredoc: the word that ends it, whether variables expand and leading tabs go.

    `body` is as written (`span` in the source), without the line that ends it. `disputed`
    says that older builders see none: those before 2025 in `<< WORD` with blanks, those before
    2024 in a line with `${V%x}`, `${V#x}` or `${V/x/y}`.
    """

    name: str
    expand: bool
    chomp: bool
    body: str
    span: Span
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A word that opens a heredoc."""

    name: str
    expand: bool
    chomp: bool
    disputed: bool


def openings(logical: str, line: int) -> list[Opening]:
    """Return the heredocs that a whole logical line opens. Raises Malformed.

    BuildKit uses the backslash here whatever the escape directive says, and sees no heredoc at
    all in a line that its lexer can't read.
    """
    if _NAMED_BY_VARIABLE.search(logical):
        raise Malformed(line, "a heredoc named by ${…}, which builders read differently")
    words = expand_words(logical, {}, Mode(raw_quotes=True, raw_escapes=True, keep_unset=True))
    if words == TOO_DEEP:  # BuildKit goes on, we can't
        raise Malformed(line, TOO_DEEP)
    if isinstance(words, str):
        return []
    patterns = bool(_PATTERNS.search(logical))
    found: list[Opening] = []
    for word in words:
        match = _OPENING.match(word)
        if not match or not match[3]:
            continue
        plain = expand_words(match[3], {}, Mode(keep_unset=True))
        if isinstance(plain, str):
            raise Malformed(line, f"heredoc {word}: {plain}")
        if len(plain) != 1:
            continue
        raw = expand_words(match[3], {}, Mode(raw_quotes=True, keep_unset=True))
        if isinstance(raw, str) or len(raw) != 1:
            raise Malformed(line, f"heredoc {word} can't be read")
        expands = _quotes(raw[0]) == _quotes(plain[0])
        found.append(Opening(plain[0], expands, bool(match[1]), patterns or bool(match[2])))
    return found


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')


def read_bodies(
    opened: list[Opening], lines: list[str], line: LogicalLine
) -> tuple[tuple[Heredoc, ...], int, int]:
    """Read the bodies behind `line`; return them and the place (line, offset) behind the last."""
    heredocs: list[Heredoc] = []
    index, offset = line.after, line.offset_after
    for opening in opened:
        start = offset
        body: list[str] = []
        while True:
            if index == len(lines):
                raise Malformed(line.first, f"the heredoc {opening.name} has no end")
            text = lines[index]
            index += 1
            offset += len(text) + 1
            end = text.rstrip("\r")
            if (end.lstrip("\t") if opening.chomp else end) == opening.name:
                break
            body.append(text + "\n")
        content = "".join(body)
        span = Span(start, start + len(content))
        heredocs.append(
            Heredoc(opening.name, opening.expand, opening.chomp, content, span, opening.disputed)
        )
    return tuple(heredocs), index, offset
