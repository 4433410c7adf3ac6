"""What code binds: calls, settings with a default, constants that are named like ports."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from hardhull.project.calls import LITERAL, MOST_CALLS, any_of, arguments_at, integer
from hardhull.project.sighting import KNOWN_PORT_KEY, Sighting, ports_of_address, sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source

PORT_WORDS = (
    "Listen", "Urls", "Prefixes.", "UseSetting", "SetEnvironmentVariable", "ServerPort",
    "MetricServer",
)  # fmt: skip
KEY_WORDS = ("GetValue", "GetEnvironmentVariable", "GetSection", '["')
_CONSTANT_LIKE = re.compile(r"(?:ort|ORT)\s*=\s*\d|As Integer")
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
    r"(?:\s+As\s+Integer|\s*:\s*int)?\s*=\s*(\d[\d_]{0,6})\b",
    re.IGNORECASE,
)
_APPLIED = re.compile(
    r"\b(ListenAnyIP|ListenLocalhost|UseUrls)[ \t]+([^(\s|>][^\n|]*(?:\|[^>\n][^\n]*)?)"
)
"""F# applies functions without parentheses."""
_BRACES = re.compile(r"[{}]")
_CONDITIONAL = re.compile(
    r"\b(?:if|switch|catch)\s*(?:\((?:[^(){};]|\((?:[^(){};]|\([^(){};]*\))*\))*\)\s*)?[\w.]*$"
    r"|(?<!#)\belse\s+[\w.]*$|(?<!#)\belse\s*$"
)
_HEAD = 400
"""How far before its block a condition is looked for."""
_CONDITION = re.compile(r"\s*#\s*(?P<word>if|elif|else|endif)\b(?P<rest>.*)", re.IGNORECASE)


def ports_in_code(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    """Yield what code binds; `bare` is the code without its strings."""
    for one in _all_ports(source, code, bare):
        # A debug build may not be what runs, nor what stands under an `if`: that something may
        # listen is known, not where.
        start = source.offset_of_line(one.line)
        call = start + max(0, source.line_text(one.line).find(one.how))
        maybe = _in_debug(source.text, one.line) or _under_condition(bare, call)
        yield replace(one, port=None, conditional=True) if maybe else one


def _all_ports(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    yield from _ports_of_calls(source, code, bare)
    yield from _ports_of_values(source, code, bare)


def _ports_of_calls(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    # Patterns that can match in many ways are slow; plain words say first whether they may.
    if any_of(PORT_WORDS, bare):
        for hit in islice(_PORT_CALL.finditer(bare), MOST_CALLS):
            for text, port in _ports_of_call(hit[1], arguments_at(code, hit.end() - 1), code):
                yield sighting(source, "ports_in_code", hit[1], hit.start(), text, port)
        for hit in (
            islice(_APPLIED.finditer(code), MOST_CALLS) if source.path.endswith("fs") else ()
        ):
            for text, port in _ports_of_call(hit[1], [hit[2].strip()], code):
                yield sighting(source, "ports_in_code", hit[1], hit.start(), text, port)
    for hit in _STARTED_AT.finditer(code) if "://" in code else ():
        for text, port in ports_of_address(hit[2]):
            yield sighting(source, "ports_in_code", hit[1], hit.start(), text, port)


def _ports_of_values(source: Source, code: str, bare: str) -> Iterator[Sighting]:
    for hit in _PORT_KEY.finditer(code) if any_of(KEY_WORDS, code) else ():
        key = hit[1] or hit[2]
        if KNOWN_PORT_KEY.fullmatch(key):
            default = _PORT_DEFAULT.match(code, hit.end())
            port = int(default[1]) if default else None
            yield sighting(source, "ports_in_code", "setting", hit.start(), key, port)
    for hit in _PORT_CONSTANT.finditer(bare) if _CONSTANT_LIKE.search(bare) else ():
        number = int(hit[2].replace("_", ""))
        yield sighting(source, "ports_in_code", "constant", hit.start(), hit[1], number)


def _under_condition(bare: str, offset: int) -> bool:
    """Whether C# at `offset` stands in the block of an `if`, `else`, `switch` or `catch`.

    `bare` is code without comments and strings. Braces are matched backwards to the start.
    """
    depth = 0
    for brace in _BRACES.finditer(bare[:offset][::-1]):
        place = offset - brace.start() - 1
        depth += 1 if brace[0] == "}" else -1
        if depth < 0:
            depth = 0
            if _CONDITIONAL.search(bare, max(0, place - _HEAD), place) is not None:
                return True
    return _CONDITIONAL.search(bare, max(0, offset - _HEAD), offset) is not None


def _in_debug(text: str, line: int) -> bool:
    """Whether a line stands between `#if DEBUG` and its `#else` or `#endif`."""
    if "DEBUG" not in text:
        return False
    open_branches: list[bool] = []
    for found in text.splitlines()[: line - 1]:
        mark = _CONDITION.match(found)
        if mark is None:
            continue
        if mark["word"] == "if":
            open_branches.append(re.search(r"(?<!!)\bDEBUG\b", mark["rest"]) is not None)
        elif open_branches and mark["word"] == "endif":
            open_branches.pop()
        elif open_branches:  # else, elif
            open_branches[-1] = False
    return any(open_branches)


def _ports_of_call(
    name: str, arguments: list[str], code: str
) -> Iterator[tuple[str | None, int | None]]:
    everything = ",".join(arguments)
    match name:
        case "ListenAnyIP" | "ListenLocalhost":
            yield None, integer(arguments, 0)
        case "Listen":
            yield from _ports_of_listen(arguments, everything, code)
        case "TcpListener" | "ServerPort":
            yield None, integer(arguments, 1)
        case "UseMetricServer" | "KestrelMetricServer" | "MetricServer":
            named = re.search(r"\bport\s*:\s*(\d+)", everything)
            port = int(named[1]) if named else integer(arguments, 0)
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
        yield None, int(inner[1]) if inner else integer(arguments, 1)


def _ports_of_text(text: str) -> Iterator[tuple[str | None, int | None]]:
    """Yield address and port of each URL or port list in the literals of an argument."""
    literals: list[str] = LITERAL.findall(text)
    found = [pair for literal in literals for pair in ports_of_address(literal)]
    if found:
        yield from found
    else:
        yield None, None
