"""What a container does when it starts, line by line: its command, its image's, their scripts."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.project.container import Platform
from hardhull.project.ports import start_instructions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.link import Project

_SCRIPT = re.compile(r"[\w./-]+\.sh\b|(?:^|[\s/])(?:docker-)?entrypoint[\w.-]*")


@dataclass(frozen=True, slots=True)
class StartLine:
    """One line of a start-up and where it stands."""

    path: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Start:
    """All lines of a start-up; `unread` names scripts that are not here to be read."""

    lines: tuple[StartLine, ...]
    unread: tuple[str, ...] = ()

    def first(self, pattern: re.Pattern[str]) -> StartLine | None:
        """The first line that matches, comments of scripts left out."""
        return next((line for line in self.lines if pattern.search(line.text)), None)


def start_of(container: Container, project: Project) -> Start:
    """What runs before and as the program: in one pod or service, with any image it may have."""
    known, place = project.index.starts, (container.where, container.cursor)
    if place not in known:
        known[place] = _start_of(container, project)
    return known[place]


def _start_of(container: Container, project: Project) -> Start:
    lines: list[StartLine] = []
    unread: list[str] = []
    command = container.command
    if command:
        text = " ".join(item.text or item.raw for item in command)
        lines.append(StartLine(command[0].path, command[0].line, text))
        _read_scripts(text, posixpath.dirname(command[0].path), project, lines, unread)
    key = "command" if container.platform is Platform.KUBERNETES else "entrypoint"
    if container.cursor.get(key) is not None:
        return Start(tuple(lines), tuple(unread))  # it takes the place of ENTRYPOINT and CMD
    lines += _published(container, project)
    for stage in project.stages_of(container):
        found, missing = start_of_stage(stage, project)
        lines += found
        unread += missing
    return Start(tuple(dict.fromkeys(lines)), tuple(dict.fromkeys(unread)))


def _published(container: Container, project: Project) -> Iterator[StartLine]:
    """What an image without a Dockerfile starts: by its project, or by its own config."""
    app = project.owner_of(container)
    image = app.image_of(container) if app is not None else None
    for one in image.start if image is not None else ():
        yield StartLine(one.path, one.line, one.item or one.text)
    config = app.published(container) if app is not None else None
    if config is None or container.image is None:
        return
    words = (*config.entrypoint, *(() if container.command else config.cmd))
    if words:
        yield StartLine(container.path, container.image.line, " ".join(words))


def start_of_stage(stage: AppStage, project: Project) -> tuple[list[StartLine], list[str]]:
    """The lines of ENTRYPOINT, CMD and their scripts, and the scripts that can't be read."""
    lines: list[StartLine] = []
    unread: list[str] = []
    if stage.inherited_start:
        text = " ".join(stage.inherited_start)
        lines.append(StartLine(stage.path, stage.chain[0].from_.first_line, text))
        # It lies in the base image: a script of the same name here is another one.
        unread += [posixpath.basename(found[0].strip()) for found in _SCRIPT.finditer(text)]
    for instruction in start_instructions(stage):
        text = " ".join(word.value for word in instruction.words) or instruction.text
        lines.append(StartLine(stage.path, instruction.first_line, text))
        _read_scripts(text, posixpath.dirname(stage.path), project, lines, unread)
    return lines, unread


def _read_scripts(
    text: str, folder: str, project: Project, lines: list[StartLine], unread: list[str]
) -> None:
    for match in _SCRIPT.finditer(text):
        name = posixpath.basename(match[0].strip())
        source = _script(name, folder, project)
        if source is None:
            unread.append(name)
        else:
            lines += _lines(source)


def _script(name: str, folder: str, project: Project) -> Source | None:
    """The script of this name that is nearest below the folder, else the only one there is."""
    texts = project.workspace.texts
    found = texts.named(name)
    near = [path for path in found if path.startswith(f"{folder}/")]
    if not near and len(found) == 1:
        near = [*found]
    return texts.source(near[0]) if near else None


def _lines(source: Source) -> Iterator[StartLine]:
    for number, line in enumerate(source.text.splitlines(), 1):
        code = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if code:
            yield StartLine(source.path, number, code)
