"""The arguments of one instruction to flags and words, each with its place in the logical line.

A token is `(start, end, value)`: a range of the logical line and what BuildKit makes of it.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from hardhull.documents.shell_lexer import GO_SPACE

Token: TypeAlias = tuple[int, int, str]

BLANK_SPLIT = frozenset(("FROM", "EXPOSE", "COPY", "ADD", "VOLUME"))
"""Instructions whose words end at any blank, quoted or not."""
PAIRS = frozenset(("ENV", "LABEL"))
JSON_FORMS = frozenset(("ADD", "COPY", "CMD", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"))

BLANKS = re.compile(r"[\t\v\f\r ]+")
_UNBLANK = re.compile(r"[^\t\v\f\r ]+")
ASCII_SPACE = "\t\n\v\f\r "


def _token_pattern(escape: str, spaces: str, *, escape_in_single: bool) -> re.Pattern[str]:
    """Build the pattern of one word that may hold quotes, which may stay open until the end."""
    mark = re.escape(escape)
    bare = rf"""[^{re.escape(spaces)}{mark}"']+"""
    double, single = (
        rf"{quote}[^{quote}{mark}]*(?:{mark}.[^{quote}{mark}]*)*(?:{quote}|{mark}?\Z)"
        for quote in "\"'"
    )
    if not escape_in_single:
        single = r"'[^']*(?:'|\Z)"
    return re.compile(rf"(?:{bare}|{mark}(?:.|\Z)|{double}|{single})+", re.DOTALL)


_WORD = {escape: _token_pattern(escape, GO_SPACE, escape_in_single=False) for escape in "\\`"}
_FLAG = {escape: _token_pattern(escape, ASCII_SPACE, escape_in_single=True) for escape in "\\`"}
_STRING = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
_ELEMENT = re.compile(_STRING)
_ARRAY = re.compile(rf"\[[ \t\r\n]*(?:{_STRING}[ \t\r\n]*(?:,[ \t\r\n]*{_STRING}[ \t\r\n]*)*)?\]")


def quoted_words(text: str, escape: str) -> list[Token]:
    """Split at blanks outside quotes; quotes and escapes stay, as BuildKit's parseWords."""
    tokens: list[Token] = []
    for match in _WORD[escape].finditer(text):
        value = match[0]
        if match.end() == len(text) and _dangling(value, escape):
            value = value[:-1]  # a lone escape at the end of the line is dropped
        if value:
            tokens.append((match.start(), match.end(), value))
    return tokens


def _dangling(word: str, escape: str) -> bool:
    """Whether the last character is an escape with nothing left to escape."""
    if not word.endswith(escape):
        return False
    quote = ""
    at = 0
    while at < len(word):
        char = word[at]
        if char == escape and quote != "'":
            at += 2
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        at += 1
    return at > len(word)


def blank_words(text: str) -> list[Token]:
    """Split at blanks wherever they stand."""
    return [(match.start(), match.end(), match[0]) for match in _UNBLANK.finditer(text)]


def words_of(keyword: str, text: str, escape: str) -> list[Token]:
    """Split the arguments of a shell-form instruction as BuildKit does for this keyword."""
    if keyword in BLANK_SPLIT:
        return blank_words(text)
    tokens = quoted_words(text, escape)
    if keyword in PAIRS and tokens and "=" not in tokens[0][2]:
        blank = BLANKS.search(text)  # the old form `ENV name value with blanks`
        if blank:
            return [
                (0, blank.start(), text[: blank.start()]),
                (blank.end(), len(text), text[blank.end() :]),
            ]
    return tokens


def json_words(text: str) -> list[Token] | str | None:
    """Read a JSON array of strings. None if it is shell form, a reason if BuildKit refuses it."""
    if not text.startswith("["):
        return None
    match = _ARRAY.match(text)
    if match and match.end() == len(text):
        return [
            (found.start(), found.end(), _decoded(found[0])) for found in _ELEMENT.finditer(text)
        ]
    try:
        _, end = _DECODER.raw_decode(text)
    except ValueError:
        return None
    except RecursionError:
        return "JSON that is nested too deeply"
    if end < len(text):
        return "text behind a JSON array (read as JSON by older builders, as a command by newer)"
    return "JSON arrays must hold strings only"


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _decoded(element: str) -> str:
    if "\\" not in element:
        return element[1:-1]
    # Only escapes are decoded: bytes that are not UTF-8 (surrogates in the text) stay as they are.
    value: str = json.loads(element)
    return value


def flags_of(text: str, start: int, escape: str) -> tuple[list[Token], int] | str:
    """Read the `--flags` at `start`; return them and where the arguments begin."""
    tokens: list[Token] = []
    while text.startswith("--", start):
        match = _FLAG[escape].match(text, start)
        if match is None:  # pragma: no cover  a token that starts with -- always matches
            break
        if not match[0].isascii():
            return "a flag with characters outside ASCII, which BuildKit reads byte by byte"
        value = _unquoted(match[0], escape)
        start = match.end()
        if value == "--":
            break
        tokens.append((match.start(), match.end(), value))
        while start < len(text) and text[start] in ASCII_SPACE:
            start += 1
    return tokens, start


def _unquoted(token: str, escape: str) -> str:
    if escape not in token and '"' not in token and "'" not in token:
        return token
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(token):
        char = token[at]
        at += 1
        if char == escape:
            out.append(token[at : at + 1])
            at += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            out.append(char)
    return "".join(out)
