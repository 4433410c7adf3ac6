"""Text from a repository made harmless, once for every place it is shown in.

Paths, names, comments and reasons come from files that anyone may have written. Shown as they
are, they could colour a terminal, give commands to the GitHub runner (`::`, `##[`), or write
Markdown of their own. Every report passes them through here; nothing is lost, only spelled out.
"""

from __future__ import annotations

import re
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*)::|::(?=[A-Za-z])")
_ENTITIES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "`": "&#96;",
    "@": "&#64;",
    "#": "&#35;",
}
_MARKDOWN: Final = re.compile(r"[&<>|`@#]|[\\*_\[\]~!]|(?<=[a-z])://|\bwww\.", re.IGNORECASE)
_BACKTICKS: Final = re.compile(r"`+")
_BYTES: Final = range(0xDC80, 0xDD00)


def plain(text: str) -> str:
    """One line that is safe in a terminal and in a log: what can't be seen is spelled out."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _spelled(char) for char in text)
    if "::" in text:
        text = _COMMAND.sub(lambda match: f"{match[1] or ''}:\\x3a", text)
    return text.replace("##[", r"#\x23[")


def _spelled(char: str) -> str:
    number = ord(char)
    if number in _BYTES:  # a byte that is not UTF-8, as Python carries it
        return f"\\x{number - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    """Text for running Markdown or a table cell: shown to the letter, linking to nothing."""
    return _MARKDOWN.sub(_escaped, plain(text))


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if found == "://":
        return "&#58;//"
    if found.lower() == "www.":
        return f"{found[:3]}&#46;"
    return _ENTITIES.get(found, "\\" + found)


def code(text: str, *, table: bool = True) -> str:
    """Text as a Markdown code span; in a table a pipe must be escaped even there.

    It begins no comment: our own parts of a text are found again by comments.
    """
    text = plain(text).replace("<!--", r"<!\x2d-")
    if not text.strip():
        return ""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    if text[0] in "` " or text[-1] in "` ":
        text = f" {text} "
    return fence + (text.replace("|", r"\|") if table else text) + fence


def fenced(text: str, language: str) -> str:
    """Lines as a Markdown code block; the fence is longer than any run of backticks within."""
    fence = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(text)), default=0))
    lines = "\n".join(plain(line) for line in text.removesuffix("\n").split("\n"))
    return f"{fence}{language}\n{lines}\n{fence}"


def command_data(text: str) -> str:
    """The message of a workflow command; its own line breaks are kept."""
    lines = "\n".join(plain(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property of a workflow command."""
    return command_data(text).replace(":", "%3A").replace(",", "%2C")
