"""What BuildKit refuses although its lines are well formed: whole files, order, arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.documents.dockerfile_lines import LONGEST_LINE, Malformed, foreign_syntax
from hardhull.documents.dockerfile_words import BLANKS, Token, blank_words, quoted_words

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYWORDS = frozenset(
    (
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    )
)
_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_FROM_WORDS = (1, 3)
_COPY_WORDS = 2
_ANY = frozenset(("RUN", "CMD", "ENTRYPOINT"))


def guard(text: str, lines: list[str]) -> None:
    """Raise Malformed for a text that is no Dockerfile as a whole."""
    if len(lines) == 1 and "\r" in text.rstrip("\r\n"):
        raise Malformed(1, "lines end with a carriage return only")
    if len(text) * 4 > LONGEST_LINE:
        for number, line in enumerate(lines, 1):
            long = len(line) * 4 >= LONGEST_LINE
            if long and len(line.encode("utf-8", "surrogateescape")) >= LONGEST_LINE:
                raise Malformed(number, f"a line longer than {LONGEST_LINE - 1} bytes")
    if lines and (reason := foreign_syntax(text, lines)):
        raise Malformed(1, reason)


def check_order(instructions: Iterable[tuple[str, int]]) -> None:
    """Raise Malformed unless a FROM comes first, but for ARG. Takes keywords and lines."""
    for keyword, line in instructions:
        if keyword == "FROM":
            return
        if keyword != "ARG":
            raise Malformed(line, f"{keyword} before the first FROM")
    raise Malformed(1, "no FROM in this file")


def complaint(keyword: str, text: str, elements: list[Token] | None, escape: str) -> str:
    """Return why BuildKit refuses these arguments, or an empty text. `elements` are JSON words."""
    if keyword in _ANY:
        return ""
    if keyword in ("COPY", "ADD"):
        count = len(elements if elements is not None else blank_words(text))
        return "" if count >= _COPY_WORDS else f"{keyword} needs a source and a destination"
    if keyword == "SHELL":
        return "" if elements else "SHELL needs a JSON array with at least one string"
    if keyword == "VOLUME" and elements is not None:
        blank = not elements or any(not value.strip() for _, _, value in elements)
        return "VOLUME needs paths that are not empty" if blank else ""
    if not text:
        return f"{keyword} needs an argument"
    match keyword:
        case "FROM":
            return _from(text)
        case "ENV" | "LABEL" | "ARG":
            return _pairs(keyword, text, escape)
        case "HEALTHCHECK":
            return _healthcheck(text, elements)
        case _:
            return ""


def _from(text: str) -> str:
    words = [value for _, _, value in blank_words(text)]
    if len(words) not in _FROM_WORDS or (len(words) > 1 and words[1].lower() != "as"):
        return "FROM needs an image, or an image, AS and a name"
    if len(words) > 1 and not _STAGE_NAME.fullmatch(words[2].lower()):
        return f"{words[2]!r} is no name for a build stage"
    return ""


def _pairs(keyword: str, text: str, escape: str) -> str:
    words = [value for _, _, value in quoted_words(text, escape)]
    if not words:
        return f"{keyword} needs an argument"
    if any(word.startswith("=") for word in words):
        return f"{keyword} names can't be empty"
    if keyword == "ARG":
        return ""
    if "=" not in words[0]:
        name, *value = BLANKS.split(text, maxsplit=1)
        if "=" in name or '"' in name or "'" in name:
            return f"{keyword} needs a plain name, but has {name!r}"
        return "" if value else f"{keyword} {name} has no value"
    bad = next((word for word in words if "=" not in word), None)
    return "" if bad is None else f"{keyword}: no = in {bad!r}"


def _healthcheck(text: str, elements: list[Token] | None) -> str:
    kind, _, rest = text.replace("\t", " ").partition(" ")
    match kind.upper():
        case "NONE":
            return "HEALTHCHECK NONE takes no arguments" if rest.strip() else ""
        case "CMD":
            missing = not rest.strip() if elements is None else not elements
            return "HEALTHCHECK CMD needs a command" if missing else ""
        case _:
            return "HEALTHCHECK needs CMD or NONE"
