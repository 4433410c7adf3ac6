"""Directories that a user who is not root may write, and what the program writes elsewhere."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.rules.user.obstacle import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.application import Application, AppStage
    from hardhull.rules.user.creating import NewUser

_OWN_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  the container's, not ours
_COMMANDS = re.compile(r"&&|\|\||[;|\n]")
_A_FILE = re.compile(r"\.\w+$|^/etc/(?:localtime|timezone)$")
"""A mount that is a file, as far as its name says: what is written elsewhere is not in it."""
_FOR_ALL = re.compile(r"0?[1-7]?[0-7][0-7][2367]|(?:[ugo]*[ao]|[ugo]*)\+\w*w\w*")


@dataclass(frozen=True, slots=True)
class Gift:
    """A path given to an owner; the owner None stands for everybody."""

    path: str
    owner: str | None
    instruction: Instruction
    contents: bool = False
    """Whether only what lies in it was given: a folder that was there stays its owner's."""


def gifts(stage: AppStage) -> Iterator[Gift]:
    """The directories that the Dockerfile gives to others than root, in order."""
    made: set[str] = set()
    for instruction, folder, user in _in_order(stage):
        by_root = user in ("", "root", "0")
        match instruction.keyword:
            case "WORKDIR" if by_root:
                made.add(folder)
            case "RUN":
                text = instruction.text + "".join(f"\n{h.body}" for h in instruction.heredocs)
                for owner, path in _given_by_command(text):
                    yield Gift(_absolute(folder, path), owner, instruction)
                made |= {_absolute(folder, path) for path in _made_by_command(text) if by_root}
            case "COPY" | "ADD":
                for flag in instruction.flags:
                    name, _, owner = flag.value.partition("=")
                    if name == "--chown" and instruction.words:
                        path = _absolute(folder, instruction.words[-1].value)
                        yield Gift(path, owner, instruction, contents=path in made)
            case _:
                pass


def _in_order(stage: AppStage) -> Iterator[tuple[Instruction, str, str]]:
    """Each instruction with the folder and the user that are in force behind it."""
    folder, user = "/", ""
    for instruction in stage.instructions:
        if instruction.keyword == "WORKDIR":
            folder = _absolute(folder, instruction.text.strip().strip("\"'"))
        elif instruction.keyword == "USER":
            user = instruction.text.partition(":")[0].strip()
        yield instruction, folder, user


def _given_by_command(text: str) -> Iterator[tuple[str | None, str]]:
    if "chown" not in text and "chmod" not in text:
        return
    for command in _COMMANDS.split(text):
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            words = command.split()
        for tool in ("chown", "chmod"):
            if tool not in words:
                continue
            rest = [word for word in words[words.index(tool) + 1 :] if not word.startswith("--")]
            rest = [word for word in rest if not re.fullmatch(r"-[RvcfhHLP]+", word)]
            who, paths = (rest[0], rest[1:]) if rest else ("", [])
            if tool == "chown":
                yield from ((who, path) for path in paths)
            elif _FOR_ALL.fullmatch(who):
                yield from ((None, path) for path in paths)


def _made_by_command(text: str) -> Iterator[str]:
    for command in _COMMANDS.split(text) if "mkdir" in text else ():
        name, _, rest = command.strip().partition(" ")
        if name == "mkdir":
            yield from (word for word in rest.split() if not word.startswith("-"))


def _absolute(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path.rstrip("*") or "."))


def belongs_to(gift: Gift, user: NewUser, stage: AppStage) -> bool:
    """Whether what was given is the new user's, or everybody's."""
    if gift.owner is None:
        return True
    owner = gift.owner.partition(":")[0]
    names = {str(user.uid), user.name}
    if stage.facts is not None and stage.facts.app_uid == user.uid:
        names |= {"$APP_UID", "${APP_UID}"}
    return owner in names


def writes(stage: AppStage, app: Application, user: NewUser) -> Iterator[Refusal | Doubt]:
    """Files that the program writes where root owns."""
    program = app.program
    if program is None or not program.files:
        yield Doubt("not checked: the program's code is not here; does it write below its folder?")
        return
    given = [gift for gift in gifts(stage) if belongs_to(gift, user, stage)]
    own = [gift.path for gift in given if not gift.contents]
    partly = [gift.path for gift in given if gift.contents]
    mounted = [m.target for c in app.containers for m in c.mounts if m.target and m.writable]
    folders = [target for target in mounted if not _A_FILE.search(target)]
    places = [*own, *mounted, user.home, *_OWN_TEMPORARY]
    work = stage.effective("WORKDIR")
    folder = work.text.strip().strip("\"'") if work is not None else "/"
    for write in program.file_writes:
        target, whole = _target(write.literal, folder)
        known = target is not None and any(_below(target, place) for place in places)
        beneath = [*own, *partly, *folders]
        if not whole and target is not None and not known:
            beneath = [place for place in beneath if _below(place, target)] + [
                place for place in partly if _below(target, place)
            ]
        if not known and (beneath if not whole else any(_below(target or "", p) for p in partly)):
            yield Doubt(f"not checked: where {write.path}:{write.line} writes ({write.how})")
        elif not known:
            yield Refusal(
                f"{write.path}:{write.line} writes {write.literal or 'files'}, "
                "where only root may write",
                write.path,
            )
    if not program.complete:
        yield Doubt("not checked: all of the program's code; does it write below its folder?")


def _target(literal: str | None, folder: str) -> tuple[str | None, bool]:
    """The path that is written, and whether that is all of it: else the folder that it is in.

    None where a variable or a Windows drive hides it.
    """
    if literal is None or re.match(r"[A-Za-z]:|~", literal):
        return None, False
    path = literal.replace("\\", "/")
    variable = re.search(r"[{}$%]", path)
    if variable is not None:
        path = path[: variable.start()].rpartition("/")[0]
        if not path:
            return None, False
    return posixpath.normpath(posixpath.join(folder, path)), variable is None


def _below(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def foreign_gifts(stage: AppStage, user: NewUser) -> Iterator[Refusal | Doubt]:
    """Directories made ready for somebody else: the program seems to write there."""
    for gift in gifts(stage):
        if gift.owner is not None and not belongs_to(gift, user, stage):
            owner = gift.owner.partition(":")[0]
            if owner not in ("", "root", "0"):
                place = f"{stage.path}:{gift.instruction.first_line}"
                yield Doubt(f"not checked: {place} gives {gift.path} to {owner}; who writes there?")


def image_volumes(stage: AppStage, user: NewUser) -> Iterator[Doubt]:
    """VOLUME says that the program writes there; unless it was given away, root owns it."""
    own = [gift.path for gift in gifts(stage) if belongs_to(gift, user, stage)]
    for instruction in stage.instructions:
        if instruction.keyword == "VOLUME":
            for word in instruction.words:
                if not any(_below(word.value, place) for place in (*own, user.home)):
                    place = f"{stage.path}:{instruction.first_line}"
                    yield Doubt(f"not checked: who may write the volume {word.value} at {place}")
