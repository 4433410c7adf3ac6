"""The arguments of calls in C#, F# and Visual Basic, without parsing the languages."""

from __future__ import annotations

import re

_LONGEST_CALL = 2000
MOST_CALLS = 500
"""Of one kind in one file: what the first show is enough."""
_ARGUMENT_TOKEN = re.compile(r'@"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|[()\[\]{},]')
_INTEGER = re.compile(r"(?:\w+\s*:\s*)?(\d[\d_]{0,6})")
LITERAL = re.compile(r'[$@]*"((?:\\.|[^"\\\n])*)"')


def arguments_at(code: str, opening: int) -> list[str]:
    """Return the arguments of the call whose parenthesis is at or right after `opening`."""
    start = code.find("(", opening, opening + 2)
    if start < 0:
        return []
    depth, begin, arguments = 0, start + 1, list[str]()
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


def integer(arguments: list[str], index: int) -> int | None:
    """Return the argument at `index` if it is a number as written."""
    whole = _INTEGER.fullmatch(arguments[index].strip()) if index < len(arguments) else None
    return int(whole[1].replace("_", "")) if whole else None


def literal(text: str) -> str | None:
    """Return the string that an argument begins with."""
    whole = LITERAL.match(text.strip())
    return whole[1] if whole else None


def any_of(words: tuple[str, ...], text: str) -> bool:
    """Whether one of the words stands in the text: the cheap test before a pattern."""
    return any(word in text for word in words)
