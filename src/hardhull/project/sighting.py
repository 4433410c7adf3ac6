"""What was seen in a program's files, and the parts of reading that all kinds of files share."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardhull.documents.source import Source


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something seen in a program's files.

    `topic` is the field of `Evidence` it belongs to and `how` says by what it was recognised.
    `literal` is the path, URL, key or package where the text spells it, `port` the number; both
    are None where the text computes them.
    """

    topic: str
    how: str
    path: str
    line: int
    text: str
    literal: str | None = None
    port: int | None = None
    conditional: bool = False
    """Whether it stands under a condition, and so may not be what a deployed program does."""


_DEVELOPMENT = re.compile(r"(?:^|/)appsettings\.development\.json$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a program was seen to do. Not `complete`: something could not be read or followed."""

    complete: bool
    files: int
    ports_in_code: tuple[Sighting, ...] = ()
    file_writes: tuple[Sighting, ...] = ()
    health_endpoints: tuple[Sighting, ...] = ()
    profiler: tuple[Sighting, ...] = ()
    data_protection: tuple[Sighting, ...] = ()
    kubernetes_client: tuple[Sighting, ...] = ()
    legacy_host: tuple[Sighting, ...] = ()

    def outside_development(self) -> Evidence:
        """The same without what only the settings for development say."""
        return replace(
            self,
            ports_in_code=_deployed(self.ports_in_code),
            file_writes=_deployed(self.file_writes),
            profiler=_deployed(self.profiler),
        )


def _deployed(found: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    return tuple(one for one in found if not _DEVELOPMENT.search(one.path))


_LONGEST_TEXT = 120
_SCHEME_PORTS = {"http": 80, "https": 443}

_C_STRINGS = (
    r'"{3,}.*?"{3,}|\$?@\$?"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\[^\n']{1,9}|[^'\\\n])'"
)
_C_COMMENTS = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_COMMENTS = {
    "cs": re.compile(f"(?P<comment>{_C_COMMENTS})|{_C_STRINGS}", re.DOTALL),
    "fs": re.compile(rf"(?P<comment>//[^\n]*|\(\*(?!\)).*?(?:\*\)|\Z))|{_C_STRINGS}", re.DOTALL),
    "vb": re.compile(r"\"(?:[^\"\n]|\"\")*\"|(?P<comment>'[^\n]*|\bREM\b[^\n]*)"),
    "json": re.compile(rf'(?P<comment>{_C_COMMENTS})|"(?:\\.|[^"\\])*"', re.DOTALL),
    "xml": re.compile(r"(?P<comment><!--.*?(?:-->|\Z))", re.DOTALL),
}
_URL = re.compile(r"(https?)://(?:\[[^\]]*\]|[^:/;,\"\s]*)(?::([^/;,\"\s]*))?", re.IGNORECASE)

KNOWN_PORT_KEY = re.compile(
    r"(?:(?:ASPNETCORE|DOTNET|HTTPS?|GRPC|WEB|APP|API|SERVER|SERVICE|LISTEN(?:ING)?)_?)*PORTS?",
    re.IGNORECASE,
)
"""Names of settings that hold the program's own port."""
DATABASE = re.compile(
    r"(?:Data ?Source|Filename)\s*=\s*([^;\"]+\.(?:db3?|sqlite3?|litedb))\b", re.IGNORECASE
)
"""The file of an embedded database in a connection string."""
PROFILER = re.compile(
    r"COR(?:ECLR)?_(?:ENABLE_PROFILING|PROFILER)\w*|DOTNET_(?:DiagnosticPorts|STARTUP_HOOKS)"
)


def without_comments(text: str, language: str) -> str:
    """Return `text` with comments blanked out, everything else at its old offset."""

    def blank(match: re.Match[str]) -> str:
        comment: str | None = match["comment"]
        return match[0] if comment is None else blanked(comment)

    return _COMMENTS[language].sub(blank, text)


def code_and_bare(text: str, language: str) -> tuple[str, str]:
    """Return `text` without its comments, and without its strings too, all at its old offsets.

    A call that is found in the bare code is one; in the other it may be the text of a message.
    """
    code: list[str] = []
    bare: list[str] = []
    done = 0
    for match in _COMMENTS[language].finditer(text):
        start, end = match.span()
        between, nothing = text[done:start], blanked(match[0])
        code += (between, nothing if match["comment"] is not None else match[0])
        bare += (between, nothing)
        done = end
    rest = text[done:]
    return "".join((*code, rest)), "".join((*bare, rest))


def blanked(text: str) -> str:
    """Return as many blanks as the text is long, its line ends kept."""
    return re.sub(r"[^\n]", " ", text) if "\n" in text else " " * len(text)


def sighting(
    source: Source,
    topic: str,
    how: str,
    offset: int,
    literal: str | None = None,
    port: int | None = None,
) -> Sighting:
    """Make a sighting of what stands at an offset of a source."""
    line = source.line_of(offset)
    text = source.line_text(line).strip()[:_LONGEST_TEXT]
    return Sighting(topic, how, source.path, line, text, literal, port)


_NUMBER = re.compile(r"[0-9]{1,5}")


def ports_of_address(value: str) -> list[tuple[str, int | None]]:
    """Return address and port of each part of `http://*:80;https://*` or of `80;8081`."""
    found: list[tuple[str, int | None]] = []
    for part in re.split(r"[;,]", value):
        url = _URL.search(part)
        if url is None:
            if _NUMBER.fullmatch(part.strip()):
                found.append((part.strip(), int(part)))
        elif url[2] is None:
            found.append((url[0], _SCHEME_PORTS[url[1].lower()]))
        else:
            found.append((url[0], int(url[2]) if _NUMBER.fullmatch(url[2]) else None))
    return found
