"""The patterns inside `${V%p}` and `${V/p/r}` with BuildKit's meaning, as expressions."""

from __future__ import annotations

import re

_MOST_STEPS = 10_000_000
"""A pattern with many stars on a long value could keep us busy for hours."""


class WordSyntaxError(Exception):
    """Wrong syntax in a word; never leaves the package."""


def without_prefix(value: str, pattern: str, *, greedy: bool) -> str:
    """Return `value` without the shortest (or longest) start that fits."""
    found = _compiled(pattern, value, greedy=greedy).match(value)
    return value[found.end() :] if found else value


def without_suffix(value: str, pattern: str, *, greedy: bool) -> str:
    """Return `value` without the shortest (or longest) end that fits: a prefix, backwards."""
    return without_prefix(value[::-1], _backwards(pattern), greedy=greedy)[::-1]


def replaced(value: str, pattern: str, replacement: str, *, everywhere: bool) -> str:
    """Return `value` with the first (or every) longest match replaced."""
    compiled = _compiled(pattern, value, greedy=True)
    if everywhere:
        return _replace_all(compiled, value, replacement)
    found = compiled.search(value)
    return value[: found.start()] + replacement + value[found.end() :] if found else value


def _compiled(pattern: str, value: str, *, greedy: bool) -> re.Pattern[str]:
    if len(value) ** (pattern.count("*") + 1) > _MOST_STEPS and "*" in pattern:
        raise WordSyntaxError(f"the pattern ({pattern}) is too costly")
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append(".*" if greedy else ".*?")
        elif char == "?":
            out.append(".")
        elif char == "\\":
            escaped = pattern[at : at + 1]
            if escaped and escaped in "}/":
                continue  # escaped for the sake of `${…}` only; the next round takes it as it is
            if not escaped or escaped not in "*?\\":
                raise WordSyntaxError(f"invalid pattern ({pattern}) in substitution")
            out.append("\\" + escaped)
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out))


def _backwards(pattern: str) -> str:
    return "".join(reversed(re.findall(r"(?s)\\.|.", pattern)))


def _replace_all(compiled: re.Pattern[str], value: str, replacement: str) -> str:
    """Replace as Go's ReplaceAllString: `$0` is the match, no empty match right behind a match."""
    out: list[str] = []
    at = done = 0
    while at <= len(value) and (found := compiled.search(value, at)):
        out.append(value[done : found.start()])
        if found.end() > done or found.start() == 0:
            out.append(_template(replacement, found[0]))
        done = found.end()
        at = max(at + 1, done)
    return "".join(out) + value[done:]


def _template(replacement: str, match: str) -> str:
    def value(reference: re.Match[str]) -> str:
        name = reference[0].strip("${}")
        if reference[0] == "$$":
            return "$"
        return match if name.isdecimal() and int(name) == 0 else ""

    return re.sub(r"\$(?:\$|\w+|\{\w+\})", value, replacement)
