"""Expansion of `$V` and `${V…}` as BuildKit does it, with where each value came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.documents.shell_lexer import Lexer
from hardhull.documents.shell_patterns import WordSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.model import Span

__all__ = ["Expansion", "Mode", "Origin", "expand", "expand_words"]


@dataclass(frozen=True, slots=True)
class Origin:
    """A value and where it was given.

    `value` is None for a name that was declared without one. `late` says that only the build
    knows the value (`TARGETARCH`). `instruction` and `word` are indexes, `span` is that of the
    value as written; -1 and None where the value comes from outside the file.
    """

    value: str | None
    name: str = ""
    instruction: int = -1
    word: int = -1
    span: Span | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Expansion:
    """The expanded text, the names that gave values, and those that had none.

    A name without a value that a default stands in for (`${V:-x}`) is not unresolved.
    """

    text: str
    sources: tuple[tuple[str, Origin], ...] = ()
    unresolved: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Mode:
    """How the lexer treats quotes, escapes and names without a value."""

    escape: str = "\\"
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_unset: bool = False


MAX_LENGTH = 64 * 1024
"""Of an expanded word: arguments that double each other would fill the memory otherwise."""


def expand(text: str, lookup: Mapping[str, Origin], escape: str = "\\") -> Expansion:
    """Expand one word: variables replaced, quotes and escapes removed."""
    if "$" not in text and not ("'" in text or '"' in text or escape in text):
        return Expansion(text)
    lexer = Lexer(text, lookup, Mode(escape))
    try:
        result, _ = lexer.until("", raw_escapes=False)
    except WordSyntaxError as error:
        return Expansion("", tuple(lexer.sources), tuple(lexer.unresolved), str(error))
    if len(result) > MAX_LENGTH:
        return Expansion("", tuple(lexer.sources), tuple(lexer.unresolved), "longer than 64 KiB")
    return Expansion(result, tuple(lexer.sources), tuple(dict.fromkeys(lexer.unresolved)))


def expand_words(
    text: str, lookup: Mapping[str, Origin], mode: Mode | None = None
) -> tuple[str, ...] | str:
    """Expand and then split at unquoted blanks; the reason as text when the syntax is wrong."""
    chosen = mode or Mode()
    try:
        _, words = Lexer(text, lookup, chosen).until("", raw_escapes=chosen.raw_escapes)
    except WordSyntaxError as error:
        return str(error)
    return tuple(words)
