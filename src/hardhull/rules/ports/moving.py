"""How a port moves in a text: what a place answers with, and the URLs and numbers it may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.project.ports import moved_urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Operation

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  read, never bound
_LOCAL = r"(?:localhost|127\.0\.0\.1)"
_FETCHES = re.compile(r"\b(?:curl|wget|http)\b")
_HIDDEN_URL = re.compile(r"https?://[^/\s\"']*\$")
HTTP = 80


@dataclass(frozen=True, slots=True)
class Moved:
    """Operations that move the port at one place.

    `numeric` says it was a Service's number; `note` what a maintainer should know of the place.
    """

    operations: tuple[Operation, ...]
    numeric: bool = False
    note: str = ""


def local_urls(text: str, moves: Mapping[int, int]) -> str:
    """Move the ports of URLs that point at the container itself."""
    for host in _LOCAL_HOSTS:
        text = moved_urls(text, moves, host)
    for old, new in moves.items():
        text = re.sub(rf"(?<![\w.])({_LOCAL}):{old}(?!\d)", rf"\g<1>:{new}", text)
    return text


def checked(text: str, moves: Mapping[int, int], whole: str = "") -> str:
    """Move what a health check or a hook asks; `curl localhost/health` means port 80 too.

    `whole` is the command that `text` is a word of, where it was split into words.
    """
    text = local_urls(text, moves)
    if HTTP in moves and _FETCHES.search(whole or text):
        bare = rf"(?<![\w./:@-])({_LOCAL})(?=/|$|[\s\"'])"
        text = re.sub(bare, rf"\g<1>:{moves[HTTP]}", text)
    return text


def still_asks(text: str, moves: Mapping[int, int]) -> bool:
    """Whether a command names an old port in a way that is not understood (`nc -z host 80`)."""
    return bool(_HIDDEN_URL.search(text)) or names_number(text, moves)


def names_number(text: str, numbers: Iterable[int]) -> bool:
    """Whether one of the numbers stands in the text by itself."""
    listed = "|".join(str(number) for number in numbers)
    return re.search(rf"(?<![\w.$-])(?:{listed})(?![\w.]|-\w)", text) is not None


def called(text: str, hosts: Iterable[str], moves: Mapping[int, int]) -> str:
    """Move the ports of URLs and addresses that name one of the hosts."""
    for host in hosts:
        if host not in text:
            continue
        text = moved_urls(text, moves, host)
        for old, new in moves.items():
            pattern = rf"(?<![\w.-])({re.escape(host)}):{old}(?!\d)"
            text = re.sub(pattern, rf"\g<1>:{new}", text)
    return text


def number_of(cursor: Cursor) -> int | None:
    """A port written as a number or as a string of digits."""
    number = cursor.as_int()
    text = cursor.text or ""
    return int(text) if number is None and text.isdecimal() else number


def scalars(cursor: Cursor | None) -> Iterator[Cursor]:
    """All scalars below a place, nulls left out."""
    pending = [cursor] if cursor is not None else []
    while pending:
        item = pending.pop()
        inner = [value for _, value in item.pairs()] + item.items()
        if inner:
            pending += inner
        elif not item.is_null:
            yield item
