"""What a program is told to listen on: the nouns, and the texts of variables and arguments."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.documents.yaml import Cursor

PRIVILEGED = 1024
"""Ports below this one need root on many container runtimes."""

URL_VARIABLES = ("URLS", "ASPNETCORE_URLS", "DOTNET_URLS")
PORT_VARIABLES = (
    "ASPNETCORE_HTTP_PORTS",
    "ASPNETCORE_HTTPS_PORTS",
    "DOTNET_HTTP_PORTS",
    "DOTNET_HTTPS_PORTS",
    "HTTP_PORTS",
    "HTTPS_PORTS",
)
ENDPOINT = re.compile(r"^(?:ASPNETCORE_|DOTNET_)?Kestrel__Endpoints__\w+?__Url$", re.IGNORECASE)
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[^\]]*\]|(?:\$\{[^}]*\}|[^:/;,\s\"'\])}>])+)(?::(?P<port>\d{1,9}))?",
    re.IGNORECASE,
)
_SCHEME_PORTS = {"http": 80, "https": 443}
_URLS_OPTION = re.compile(r"(?:^|(?<=\s))--urls(?:=|\s+)(?P<value>[\"']?[^\s\"']+)")
OTHER_OPTION = re.compile(
    r"(?:^|\s)(?:/urls|(?:--|/)?(?:server\.urls|https?_ports|kestrel[:_][\w:]*url)|urls=)\b",
    re.IGNORECASE,
)
"""How configuration from the command line may also be told where to listen."""


LAUNCH_SETTINGS = "launch settings"
"""How a port is recognised that only counts when a program is started from an editor."""


class Decider(enum.Enum):
    """What decides that a port is listened on, strongest first."""

    CODE = "code"
    ARGUMENT = "argument"
    VARIABLE = "variable"
    BASE = "base image"


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that is listened on, and why; `cursor` is the manifest's variable, if one decides."""

    port: int
    scheme: str
    decider: Decider
    evidence: str
    path: str
    line: int = 0
    variable: str = ""
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """All listeners of one way to run a program. `unknown` says what could not be found out."""

    listeners: tuple[Listener, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def privileged(self) -> tuple[Listener, ...]:
        """Those that need root on many runtimes; 0 stands for any port that is free."""
        return tuple(one for one in self.listeners if 0 < one.port < PRIVILEGED)


def decides_port(variable: str) -> bool:
    """Whether a variable of this name says where ASP.NET Core listens."""
    return (
        variable in URL_VARIABLES
        or variable in PORT_VARIABLES
        or ENDPOINT.match(variable) is not None
    )


def ports_in(variable: str, value: str) -> tuple[tuple[str, int], ...]:
    """Scheme and port of everything that a variable's value names."""
    if variable in PORT_VARIABLES:
        scheme = "https" if "HTTPS" in variable else "http"
        return tuple((scheme, int(part)) for part in re.findall(r"\d{1,9}", value))
    return tuple(
        (match["scheme"].lower(), int(match["port"] or _SCHEME_PORTS[match["scheme"].lower()]))
        for match in _URL.finditer(value)
    )


def moved(variable: str, value: str, moves: Mapping[int, int]) -> str:
    """The value with ports moved; everything else stays as written."""
    if variable in PORT_VARIABLES:
        return re.sub(r"\d{1,9}", lambda m: str(moves.get(int(m[0]), int(m[0]))), value)
    return moved_urls(value, moves)


def moved_urls(text: str, moves: Mapping[int, int], host: str | None = None) -> str:
    """Move the ports of all URLs in `text`, or only of those to `host`."""

    def one(match: re.Match[str]) -> str:
        port = int(match["port"] or _SCHEME_PORTS[match["scheme"].lower()])
        if port not in moves or (host is not None and match["host"].lower() != host.lower()):
            return match[0]
        return f"{match['scheme']}://{match['host']}:{moves[port]}"

    return _URL.sub(one, text)


def moved_arguments(text: str, moves: Mapping[int, int]) -> str:
    """Move the ports of `--urls` in one word of a command, or in a whole command line."""
    if "--urls" not in text:
        return moved_urls(text, moves)  # the word behind --urls
    return _URLS_OPTION.sub(lambda match: moved_urls(match[0], moves), text)


def urls_argument(words: tuple[str, ...]) -> tuple[int, str] | None:
    """The index of the word that holds the value of `--urls`, and the value."""
    for index, word in enumerate(words):
        if word == "--urls" and index + 1 < len(words):
            return index + 1, words[index + 1]
        match = _URLS_OPTION.search(word)
        if match is not None:
            return index, match["value"].strip("\"'")
    return None
