"""What one file of a .NET program says of its ports, the files it writes and its endpoints.

Longer than a module should be: it is one table of patterns and the few functions that read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


_LONGEST_CALL = 2000
_MOST_CALLS = 500  # of one kind in one file: what the first show is enough
_LONGEST_TEXT = 120
_DEEPEST_SETTING = 64
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

# Cheap test before anything else: a code file without any of these words says nothing here.
_PORT_WORDS = (
    "Listen", "Urls", "Prefixes.", "UseSetting", "SetEnvironmentVariable", "ServerPort",
    "MetricServer",
)  # fmt: skip
_KEY_WORDS = ("GetValue", "GetEnvironmentVariable", "GetSection", '["')
_WRITE_WORDS = (
    "File.", "File(", "FileStream", "FileTarget", "FileSystem", "FileAppender", "StreamWriter",
    "CreateDirectory", "ExtractTo", "LiteDatabase", "Sqlite",
)  # fmt: skip
_CODE_WORDS = (
    *_PORT_WORDS, *_KEY_WORDS, *_WRITE_WORDS, "://", "ort", "PORT", "IFormFile", "DataProtection",
    "PersistKeys", "HealthChecks", "WebHost", "PROFIL", "DiagnosticPorts", "HOOKS", "InCluster",
    "KubernetesClient",
)  # fmt: skip
_CONSTANT_LIKE = re.compile(r"(?:ort|ORT)\s*=\s*\d|As Integer")
_KNOWN_PORT_KEY = re.compile(
    r"(?:(?:ASPNETCORE|DOTNET|HTTPS?|GRPC|WEB|APP|API|SERVER|SERVICE|LISTEN(?:ING)?)_?)*PORTS?",
    re.IGNORECASE,
)
_URL = re.compile(r"(https?)://(?:\[[^\]]*\]|[^:/;,\"\s]*)(?::([^/;,\"\s]*))?", re.IGNORECASE)
_LITERAL = re.compile(r'[$@]*"((?:\\.|[^"\\\n])*)"')
_ARGUMENT_TOKEN = re.compile(r'@"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|[()\[\]{},]')
_INTEGER = re.compile(r"(?:\w+\s*:\s*)?(\d{1,5})")
_TEMPORARY = re.compile(r'GetTemp(?:Path|FileName)|^[$@]*"/tmp(?:["/])')
_PATH_LIKE = re.compile(r"path|file|combine|\.log|\.txt", re.IGNORECASE)
_DATABASE = re.compile(
    r"(?:Data ?Source|Filename)\s*=\s*([^;\"]+\.(?:db3?|sqlite3?|litedb))\b", re.IGNORECASE
)

_PORT_CALL = re.compile(
    r"\b(ListenAnyIP|ListenLocalhost|Listen|UseUrls|Urls\.Add|Prefixes\.Add|UseSetting"
    r"|SetEnvironmentVariable|TcpListener|ServerPort|UseMetricServer|(?:Kestrel)?MetricServer)\s*\("
)
_STARTED_AT = re.compile(r'\.(Run(?:Async)?|Start(?:With)?)\s*\(\s*[$@]*"([^"\n]*://[^"\n]*)"')
_PORT_KEY = re.compile(
    r"(?:GetValue(?:<[^<>]*>)?|GetEnvironmentVariable|GetSection)\s*\(\s*(?:typeof\(\w+\),\s*)?"
    r'"(\w+)"|\[\s*"(\w+)"\s*\]'
)
_PORT_DEFAULT = re.compile(r'\s*(?:,|\)?\s*\?\?)\s*"?(\d{1,5})\b')
_PORT_CONSTANT = re.compile(
    r"\b(?:int|const|ushort|var|let|Dim|Integer)\s+"
    r"((?:http|https|grpc|web|listen\w*|server|default)?_?port)\b"
    r"(?:\s+As\s+Integer|\s*:\s*int)?\s*=\s*(\d{1,5})\b",
    re.IGNORECASE,
)
_WRITE_CALL = re.compile(
    r"\bFile\.(?:Write\w*|Append\w*|Create\w*|OpenWrite|Open|Copy|Move|Replace)\b"
    r"|\b(?:FileStream|StreamWriter|ExtractToDirectory|CreateDirectory|FileTarget|LiteDatabase"
    r"|UseSqlite|SqliteConnection|PersistKeysToFileSystem|RollingFileAppender)\b"
    r"|\bWriteTo\b[^;]{0,200}?\.(?:Rolling)?File\b|\b\w{0,40}[lL]og\w{0,40}\.AddFile\b"
)
_OPENING = re.compile(r"\s*\(")
_TYPES = frozenset({"FileStream", "StreamWriter", "FileTarget", "LiteDatabase", "SqliteConnection"})
_WRITE_MODE = re.compile(r"FileMode\.(?:Create|CreateNew|Append|OpenOrCreate|Truncate)|\.Write\b")
_HEALTH_CALL = re.compile(r"\b(?:Map|Use)HealthChecks\b")
_LEGACY_HOST = re.compile(r"\bWebHost\.(?:CreateDefaultBuilder|Start\w*)|\bnew\s+WebHostBuilder\b")
_PROFILER = re.compile(
    r"COR(?:ECLR)?_(?:ENABLE_PROFILING|PROFILER)\w*|DOTNET_(?:DiagnosticPorts|STARTUP_HOOKS)"
)
_PROTECTION = re.compile(r"\b(?:AddDataProtection|PersistKeysTo\w+)")
_CLUSTER_CLIENT = re.compile(r"\bInClusterConfig\b|\bKubernetesClientConfiguration\b")


def without_comments(text: str, language: str) -> str:
    """Return `text` with comments blanked out, everything else at its old offset."""

    def blank(match: re.Match[str]) -> str:
        comment: str | None = match["comment"]
        return match[0] if comment is None else re.sub(r"[^\n]", " ", comment)

    return _COMMENTS[language].sub(blank, text)


def says_nothing(text: str) -> bool:
    """Tell, cheaply, that the text of a code file can't hold anything of interest."""
    return not _any_of(_CODE_WORDS, text)


def seen_in_code(source: Source, language: str) -> tuple[Sighting, ...]:
    """Return what C#, F# or Visual Basic code shows, by line."""
    code = without_comments(source.text, language)
    seen = [*_ports(source, code), *_writes(source, code)]
    for topic, pattern in (
        ("legacy_host", _LEGACY_HOST),
        ("profiler", _PROFILER),
        ("data_protection", _PROTECTION),
        ("kubernetes_client", _CLUSTER_CLIENT),
    ):
        seen += (_sighting(source, topic, hit[0], hit.start()) for hit in pattern.finditer(code))
    for hit in _HEALTH_CALL.finditer(code):
        endpoint = _literal(next(iter(_arguments(code, hit.end())), ""))
        seen.append(_sighting(source, "health_endpoints", hit[0], hit.start(), endpoint))
    return tuple(sorted(dict.fromkeys(seen), key=lambda one: one.line))


def _any_of(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _sighting(
    source: Source,
    topic: str,
    how: str,
    offset: int,
    literal: str | None = None,
    port: int | None = None,
) -> Sighting:
    line = source.line_of(offset)
    text = source.line_text(line).strip()[:_LONGEST_TEXT]
    return Sighting(topic, how, source.path, line, text, literal, port)


# ---------------------------------------------------------------- code: ports


def _ports(source: Source, code: str) -> Iterator[Sighting]:
    # Patterns that can match in many ways are slow; plain words say first whether they may.
    for hit in islice(_PORT_CALL.finditer(code), _MOST_CALLS) if _any_of(_PORT_WORDS, code) else ():
        for literal, port in _ports_of_call(hit[1], _arguments(code, hit.end() - 1), code):
            yield _sighting(source, "ports_in_code", hit[1], hit.start(), literal, port)
    for hit in _STARTED_AT.finditer(code) if "://" in code else ():
        for literal, port in ports_of_address(hit[2]):
            yield _sighting(source, "ports_in_code", hit[1], hit.start(), literal, port)
    for hit in _PORT_KEY.finditer(code) if _any_of(_KEY_WORDS, code) else ():
        key = hit[1] or hit[2]
        if _KNOWN_PORT_KEY.fullmatch(key):
            default = _PORT_DEFAULT.match(code, hit.end())
            port = int(default[1]) if default else None
            yield _sighting(source, "ports_in_code", "setting", hit.start(), key, port)
    for hit in _PORT_CONSTANT.finditer(code) if _CONSTANT_LIKE.search(code) else ():
        yield _sighting(source, "ports_in_code", "constant", hit.start(), hit[1], int(hit[2]))


def _ports_of_call(
    name: str, arguments: list[str], code: str
) -> Iterator[tuple[str | None, int | None]]:
    everything = ",".join(arguments)
    match name:
        case "ListenAnyIP" | "ListenLocalhost":
            yield None, _integer(arguments, 0)
        case "Listen":
            yield from _ports_of_listen(arguments, everything, code)
        case "TcpListener" | "ServerPort":
            yield None, _integer(arguments, 1)
        case "UseMetricServer" | "KestrelMetricServer" | "MetricServer":
            named = re.search(r"\bport\s*:\s*(\d+)", everything)
            port = int(named[1]) if named else _integer(arguments, 0)
            # Without a port the middleware answers on the program's own.
            if port is not None or name != "UseMetricServer":
                yield None, port
        case "UseSetting" | "SetEnvironmentVariable":
            if re.search(r"urls|_PORTS", arguments[0] if arguments else "", re.IGNORECASE):
                yield from _ports_of_text(",".join(arguments[1:]))
        case "UseUrls":
            yield from _ports_of_text(everything)
        case "Urls.Add" | "Prefixes.Add":
            yield from _ports_of_text(everything)


def _ports_of_listen(
    arguments: list[str], everything: str, code: str
) -> Iterator[tuple[str | None, int | None]]:
    # Sockets, buses and others listen too; an address or Kestrel nearby tells them apart.
    by_name = len(arguments) > 1 and "Kestrel" in code
    if by_name or re.search(r"IPAddress|EndPoint", everything):
        inner = re.search(r"EndPoint\s*\([^()]*(?:\([^()]*\))?[^()]*,\s*(\d+)", everything)
        yield None, int(inner[1]) if inner else _integer(arguments, 1)


def _ports_of_text(text: str) -> Iterator[tuple[str | None, int | None]]:
    """Yield address and port of each URL or port list in the literals of an argument."""
    literals: list[str] = _LITERAL.findall(text)
    found = [pair for literal in literals for pair in ports_of_address(literal)]
    if found:
        yield from found
    else:
        yield None, None


def ports_of_address(value: str) -> list[tuple[str, int | None]]:
    """Return address and port of each part of `http://*:80;https://*` or of `80;8081`."""
    found: list[tuple[str, int | None]] = []
    for part in re.split(r"[;,]", value):
        url = _URL.search(part)
        if url is None:
            if part.strip().isdigit():
                found.append((part.strip(), int(part)))
        elif url[2] is None:
            found.append((url[0], _SCHEME_PORTS[url[1].lower()]))
        else:
            found.append((url[0], int(url[2]) if url[2].isdigit() else None))
    return found


# ---------------------------------------------------------------- code: files


def _writes(source: Source, code: str) -> Iterator[Sighting]:
    for hit in (
        islice(_WRITE_CALL.finditer(code), _MOST_CALLS) if _any_of(_WRITE_WORDS, code) else ()
    ):
        opening = _OPENING.match(code, hit.end())
        if opening is None and hit[0] in _TYPES:
            continue
        arguments = _arguments(code, opening.end() - 1) if opening else []
        if _is_write(hit[0], arguments, code[: hit.start()]):
            literal = _written_path(arguments)
            how = "WriteTo.File" if hit[0].startswith("WriteTo") else hit[0]
            yield _sighting(source, "file_writes", how, hit.end() - 1, literal)
    if "IFormFile" in code:
        for hit in re.finditer(r"\bWebRootPath\b|\"wwwroot\b", code):
            yield _sighting(source, "file_writes", "upload", hit.start())


def _is_write(call: str, arguments: list[str], before: str) -> bool:
    first = arguments[0].strip() if arguments else ""
    everything = ",".join(arguments)
    if _TEMPORARY.search(first):
        return False
    match call:
        case "FileStream" | "File.Open":
            return _WRITE_MODE.search(everything) is not None
        case "StreamWriter":
            return first.startswith(('"', '@"', '$"')) or _PATH_LIKE.search(first) is not None
        case "SqliteConnection" | "LiteDatabase" | "FileTarget":
            constructed = re.search(r"\bnew\s+(?:\w+\.)*\Z", before[-80:]) is not None
            return constructed and "memory" not in everything.lower()
        case "UseSqlite":
            return "memory" not in everything.lower()
        case _:
            return True


def _written_path(arguments: list[str]) -> str | None:
    for argument in arguments[:2]:
        whole = re.fullmatch(
            r'\s*(?:\w+\s*[:=]\s*)?(?:new\s+DirectoryInfo\s*\(\s*)?@?"([^"]*)"\s*\)?\s*', argument
        )
        if whole:
            database = _DATABASE.search(whole[1])
            return database[1].strip() if database else str(whole[1])
    return None


# ---------------------------------------------------------------- code: calls


def _arguments(code: str, opening: int) -> list[str]:
    """Return the arguments of the call whose parenthesis is at or right after `opening`."""
    start = code.find("(", opening, opening + 2)
    if start < 0:
        return []
    depth, begin, arguments = 0, start + 1, []
    for token in _ARGUMENT_TOKEN.finditer(code, start, start + _LONGEST_CALL):
        match token[0]:
            case "(" | "[" | "{":
                depth += 1
            case ")" | "]" | "}":
                depth -= 1
            case "," if depth == 1:
                arguments.append(code[begin : token.start()])
                begin = token.end()
        if depth == 0:
            return [*arguments, code[begin : token.start()]]
    return arguments


def _integer(arguments: list[str], index: int) -> int | None:
    whole = _INTEGER.fullmatch(arguments[index].strip()) if index < len(arguments) else None
    return int(whole[1]) if whole else None


def _literal(text: str) -> str | None:
    whole = _LITERAL.match(text.strip())
    return whole[1] if whole else None


# ---------------------------------------------------------------- settings


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
        if hit := _PROFILER.search(key.upper()) or _PROFILER.search(key):
            seen.append(_sighting(source, "profiler", hit[0], offset))
    return tuple(seen)


def _launch_ports(source: Source, key: str, value: str, offset: int) -> Iterator[Sighting]:
    name = key.rpartition(":")[2]
    if name in ("httpport", "sslport") or re.fullmatch(
        r"(?:aspnetcore_|dotnet_)?(?:urls|https?_ports)", name
    ):
        for literal, port in ports_of_address(value if value != "0" else ""):
            yield _sighting(source, "ports_in_code", "launch settings", offset, literal, port)


def _setting_ports(source: Source, key: str, value: str, offset: int) -> Iterator[Sighting]:
    if key in ("urls", "server.urls", "http_ports", "https_ports") or re.fullmatch(
        r"kestrel:endpoints:[^:]+:url", key
    ):
        for literal, port in ports_of_address(value) or [(value, None)]:
            yield _sighting(source, "ports_in_code", key, offset, literal, port)
    elif _KNOWN_PORT_KEY.fullmatch(key) and value.isdigit():
        yield _sighting(source, "ports_in_code", "setting", offset, key, int(value))


def _setting_writes(
    source: Source, key: str, value: str, offset: int, values: dict[str, str]
) -> Iterator[Sighting]:
    place, _, name = key.rpartition(":")
    database = _DATABASE.search(value)
    if database:
        yield _sighting(source, "file_writes", "database", offset, database[1].strip())
    elif key.startswith("serilog:writeto") and name == "name" and value.lower() in _FILE_SINKS:
        target = next(
            (
                values[f"{place}:args:{argument}"]
                for argument in ("path", "pathformat", "sqlitedbpath")
                if f"{place}:args:{argument}" in values
            ),
            None,
        )
        yield _sighting(source, "file_writes", "Serilog", offset, target)
    elif key.startswith("nlog:targets") and name == "type" and value.lower() == "file":
        yield _sighting(source, "file_writes", "NLog", offset, values.get(f"{place}:filename"))
    elif key in ("logging:pathformat", "logging:file:path", "logging:file:pathformat"):
        yield _sighting(source, "file_writes", "Logging", offset, value)


_LOG_TARGET = re.compile(
    r"<target\b[^<>]*\btype\s*=\s*\"(?:nlog:)?File\"[^<>]*|<appender\b[^<>]*\bFileAppender[^<>]*"
    r"|<appender\b[^<>]*\bRollingFileAppender[^<>]*",
    re.IGNORECASE,
)
_LOG_FILE = re.compile(
    r"fileName\s*=\s*\"([^\"]*)\"|<file\s+value\s*=\s*\"([^\"]*)\"", re.IGNORECASE
)


def seen_in_log_configuration(source: Source) -> tuple[Sighting, ...]:
    """Return the files that NLog or log4net are told to write."""
    text = without_comments(source.text, "xml")
    seen: list[Sighting] = []
    for hit in _LOG_TARGET.finditer(text):
        closing = text.find("</", hit.end())
        name = _LOG_FILE.search(text, hit.start(), closing if closing > 0 else len(text))
        literal = (name[1] or name[2]) if name else None
        seen.append(_sighting(source, "file_writes", "log target", hit.start(), literal))
    return tuple(seen)
