"""The users that a RUN instruction creates, as its `useradd` and `adduser` commands say."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction

# Options that take a value in shadow's useradd, Debian's adduser or busybox's. Where one letter
# means two things (-g is a group or a comment), both take one.
_SHORT = frozenset("bcdefgGhkKpPRsuZ")
_LONG = frozenset({
    "base-dir", "comment", "conf", "expiredate", "extra-groups", "firstgid", "firstuid", "gecos",
    "gid", "groups", "home", "home-dir", "inactive", "ingroup", "key", "lastgid", "lastuid",
    "password", "prefix", "root", "shell", "skel", "uid",
})  # fmt: skip
_UID = frozenset({"u", "uid"})
_HOME = frozenset({"d", "h", "home", "home-dir"})
_COMMANDS = re.compile(r"&&|\|\||[;|\n(){}]")
_CREATES = re.compile(r"(?:\S*/)?(?:useradd|adduser)")
_BEFORE = frozenset({"sudo", "then", "do", "else", "busybox", "!", "if", "exec", "command"})
_UNCERTAIN = re.compile(r"\|\||\bif\b|\bcase\b|\busermod\b")


_IN_BRACES = re.compile(r"\$\{(\w+)[^{}]*\}(?!\w)")
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True)
class Account:
    """A user that is created.

    `uid` is None where no number is written; `certain` says that the command runs whatever
    happens and that nothing changes the number afterwards.
    """

    name: str
    uid: int | None
    home: str
    certain: bool
    instruction: Instruction
    variable: str | None = None
    """The variable that the number comes from, where it is written as one."""


def accounts(instruction: Instruction) -> Iterator[Account]:
    """Yield the users that a RUN instruction creates."""
    text = " ".join(word.value for word in instruction.words) if instruction.json else ""
    text = text or instruction.text
    text += "".join(f"\n{heredoc.body}" for heredoc in instruction.heredocs)
    if "useradd" not in text and "adduser" not in text:
        return
    certain = _UNCERTAIN.search(text) is None
    text = _IN_BRACES.sub(r"$\1", text)
    for command in _COMMANDS.split(text):
        words = _words(command)
        while words and (words[0] in _BEFORE or re.fullmatch(r"\w+=.*", words[0])):
            del words[0]
        if words and _CREATES.fullmatch(words[0]):
            names, options = _parsed(words[1:])
            if len(names) == 1:  # `adduser name group` puts somebody into a group
                yield _account(names[0], options, certain, instruction)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:  # a quote left open by the cut at a `;`
        return command.split()


def _parsed(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Split the words of a command into names and the values of its options."""
    names: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        long, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            names.append(word)
        elif word.startswith("--") or long in _LONG:
            if long in _LONG:
                options[long] = value if equals else next(rest, "")
        else:
            _short(word[1:], rest, options)
    return names, options


def _short(letters: str, rest: Iterator[str], options: dict[str, str]) -> None:
    """Read `-rm`, `-u1001` or `-ms /bin/sh`: the first letter with a value takes what follows."""
    for index, letter in enumerate(letters):
        if letter in _SHORT:
            options[letter] = letters[index + 1 :] or next(rest, "")
            return


def _account(
    name: str, options: dict[str, str], certain: bool, instruction: Instruction
) -> Account:
    uid = next((options[key] for key in options if key in _UID), "")
    home = next((options[key] for key in options if key in _HOME), "") or f"/home/{name}"
    number = int(uid) if uid.isdecimal() else None
    variable = _VARIABLE.search(uid)
    return Account(
        name, number, home, certain, instruction, variable[1] if variable is not None else None
    )
