"""What a program's settings files say of its ports and of the files it writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.sighting import (
    DATABASE,
    KNOWN_PORT_KEY,
    PROFILER,
    Sighting,
    ports_of_address,
    sighting,
    without_comments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source

_DEEPEST_SETTING = 64
_JSON_PART = re.compile(r'"((?:\\.|[^"\\])*)"|([{}\[\]:,])|([^\s{}\[\]:,"]+)')
_FILE_SINKS = frozenset({"file", "rollingfile", "sqlite"})


def settings(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield each setting of a .NET JSON file: `a:b:0`, its text and its offset; never raises.

    Comments and trailing commas are allowed, as .NET allows them; keys come in lower case.
    """
    keys: list[str | int] = []
    pending: str | None = None
    for part in _JSON_PART.finditer(without_comments(text, "json")):
        value, mark = part[1] if part[1] is not None else part[3], part[2]
        match mark:
            case "{" | "[":
                if len(keys) >= _DEEPEST_SETTING:
                    return
                _name(keys, pending)
                keys.append("" if mark == "{" else -1)
                pending = None
            case "}" | "]":
                del keys[-1:]
                pending = None
            case ":" | ",":
                pending = pending if mark == ":" else None
            case _ if pending is None and keys and isinstance(keys[-1], str):
                pending = value
            case _:
                _name(keys, pending)
                yield ":".join(str(key) for key in keys).lower(), value, part.start()
                pending = None


def _name(keys: list[str | int], pending: str | None) -> None:
    """Set the innermost key to the pending name, or to the next index."""
    match keys:
        case [*_, int() as index]:
            keys[-1] = index + 1
        case [*_, str()]:
            keys[-1] = pending or ""
        case _:
            pass


def seen_in_settings(source: Source) -> tuple[Sighting, ...]:
    """Return what an appsettings, hosting or launchSettings file shows."""
    launch = source.path.lower().endswith("launchsettings.json")
    if launch and "Docker" not in source.text:
        return ()
    pairs = list(settings(source.text))
    if launch:
        docker = {
            key.rpartition(":")[0]
            for key, value, _ in pairs
            if key.endswith(":commandname") and value.lower() == "docker"
        }
        pairs = [pair for pair in pairs if any(pair[0].startswith(f"{name}:") for name in docker)]
    values = {key: value for key, value, _ in pairs}
    seen: list[Sighting] = []
    for key, value, offset in pairs:
        if launch:
            seen += _launch_ports(source, key, value, offset)
        else:
            seen += _setting_ports(source, key, value, offset)
            seen += _setting_writes(source, key, value, offset, values)
        if hit := PROFILER.search(key.upper()) or PROFILER.search(key):
            seen.append(sighting(source, "profiler", hit[0], offset))
    return tuple(seen)


def _launch_ports(source: Source, key: str, value: str, offset: int) -> Iterator[Sighting]:
    name = key.rpartition(":")[2]
    if name in ("httpport", "sslport") or re.fullmatch(
        r"(?:aspnetcore_|dotnet_)?(?:urls|https?_ports)", name
    ):
        for literal, port in ports_of_address(value if value != "0" else ""):
            yield sighting(source, "ports_in_code", "launch settings", offset, literal, port)


def _setting_ports(source: Source, key: str, value: str, offset: int) -> Iterator[Sighting]:
    if key in ("urls", "server.urls", "http_ports", "https_ports") or re.fullmatch(
        r"kestrel:endpoints:[^:]+:url", key
    ):
        for literal, port in ports_of_address(value) or [(value, None)]:
            yield sighting(source, "ports_in_code", key, offset, literal, port)
    elif KNOWN_PORT_KEY.fullmatch(key) and value.isdecimal():
        yield sighting(source, "ports_in_code", "setting", offset, key, int(value))


def _setting_writes(
    source: Source, key: str, value: str, offset: int, values: dict[str, str]
) -> Iterator[Sighting]:
    place, _, name = key.rpartition(":")
    database = DATABASE.search(value)
    if database:
        yield sighting(source, "file_writes", "database", offset, database[1].strip())
    elif key.startswith("serilog:writeto") and name == "name" and value.lower() in _FILE_SINKS:
        target = next(
            (
                values[f"{place}:args:{argument}"]
                for argument in ("path", "pathformat", "sqlitedbpath")
                if f"{place}:args:{argument}" in values
            ),
            None,
        )
        yield sighting(source, "file_writes", "Serilog", offset, target)
    elif key.startswith("nlog:targets") and name == "type" and value.lower() == "file":
        yield sighting(source, "file_writes", "NLog", offset, values.get(f"{place}:filename"))
    elif key in ("logging:pathformat", "logging:file:path", "logging:file:pathformat"):
        yield sighting(source, "file_writes", "Logging", offset, value)


_LOG_TARGET = re.compile(
    r"<target\b[^<>]*\btype\s*=\s*[\"'](?:nlog:)?File[\"'][^<>]*|<appender\b[^<>]*\bFileAppender[^<>]*"
    r"|<appender\b[^<>]*\bRollingFileAppender[^<>]*",
    re.IGNORECASE,
)
_LOG_FILE = re.compile(
    r"fileName\s*=\s*[\"']([^\"']*)[\"']|<file\s+value\s*=\s*[\"']([^\"']*)[\"']",
    re.IGNORECASE,
)


def seen_in_log_configuration(source: Source) -> tuple[Sighting, ...]:
    """Return the files that NLog or log4net are told to write."""
    text = without_comments(source.text, "xml")
    seen: list[Sighting] = []
    for hit in _LOG_TARGET.finditer(text):
        closing = text.find("</", hit.end())
        name = _LOG_FILE.search(text, hit.start(), closing if closing > 0 else len(text))
        literal = (name[1] or name[2]) if name else None
        seen.append(sighting(source, "file_writes", "log target", hit.start(), literal))
    return tuple(seen)
