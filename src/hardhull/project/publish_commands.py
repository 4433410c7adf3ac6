"""Commands that let the SDK publish a project as an image: read from workflows and scripts."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from hardhull.project.writers import place_of, repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.source import Source
    from hardhull.project.dotnet import DotnetProject

_COMMAND = re.compile(
    r"\bdotnet(?:\.exe)?[ \t]+(?:publish|build|msbuild)\b"
    r"(?P<rest>[^\n]*(?:\n[ \t]+(?:[-/]{1,2}[A-Za-z]|\$\{\{)[^\n]*)*)"
)
"""The lines below that begin with an option go on with it, as in YAML's folded text."""
_AS_IMAGE = re.compile(
    r"[-/]t(?:arget)?:\S*PublishContainer|PublishProfile=[\"']?DefaultContainer"
    r"|\bContainer(?:Repository|ImageName|ImageTags?|Registry)=",
    re.IGNORECASE,
)
_MARKS = ("PublishContainer", "DefaultContainer", "ContainerR", "ContainerImage")
"""One of these stands in every command that is looked for, but for other spellings of case."""
_PROPERTY = re.compile(
    r"(?:[-/]{1,2}p(?:roperty)?(?::[ \t]*|[ \t]+)[\"']?|;)(?P<name>\w+)="
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|(?:\$\{\{.*?\}\}|[^\s;\"'])*)",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"\b(?:docker|podman|nerdctl)[ \t]+(?:image[ \t]+)?tag[ \t]+[\"']?(?P<old>[^\s\"']+)[\"']?"
    r"[ \t]+[\"']?(?P<new>[^\s\"']+)"
)
_TARGET = re.compile(r"[^\s\"'=]+\.(?:cs|fs|vb)proj\b|[^\s\"'=]+\.slnx?\b")
_FRAMEWORK = re.compile(r"(?:^|\s)(?:-f|--framework)[ =](?P<name>net\d+\.\d+)(?=\s|$)")
_WITH_VALUE = re.compile(
    r"(?:^|(?<=\s))(?:-[cfraov]|-tl|--(?:configuration|framework|runtime|arch|os|output|verbosity"
    r"|version-suffix|artifacts-path|source|self-contained)|-p|--property)"
    r"[ \t]+(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?\}\}|\S+)"
)
_MOVED = re.compile(
    r"(?:^|[\n;&|{(])[ \t]*(?:cd|pushd|Set-Location|Push-Location)[ \t]+"
    r"[\"']?(?P<folder>[^\s\"';&|)]+)"
)
_WORKING = re.compile(r"working-?directory:[ \t]*[\"']?(?P<folder>[^\s\"']+)", re.IGNORECASE)
_STEP = re.compile(
    r"^[ \t]*-[ \t]+(?:name|run|uses|id|if|task|script|bash|pwsh|env)\b", re.MULTILINE
)


_MOST, _LONGEST = 200, 4096
"""More commands in one file, and longer ones, are no person's: they are not read."""


@dataclass(frozen=True, slots=True)
class PublishCommand:
    """A command that publishes an image; `place` is its `path:line`.

    `target` is the project, solution or folder as it is written, empty if none is; `folders` are
    those in which it may be called, relative to the root. `properties` are what it sets, by their
    names in small letters.
    """

    place: str
    target: str
    folders: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)
    framework: str = ""
    tags: tuple[tuple[str, str, str], ...] = ()
    """What its file names anew by `docker tag`: the image, its other name and the `path:line`."""

    @property
    def repository(self) -> str | None:
        """The name it gives to the image; None if it gives none. The older property wins."""
        return self.properties.get("containerimagename") or self.properties.get(
            "containerrepository"
        )


def publish_commands(source: Source, joined: str) -> Iterator[PublishCommand]:
    """Yield the commands of a file; `joined` is its text with continued lines made one."""
    if not any(mark in joined for mark in _MARKS):
        return
    tags = tuple(
        (repository(match["old"]), repository(match["new"]), place_of(source, match[0]))
        for match in islice(_TAG.finditer(joined), _MOST)
    )
    steps = [match.start() for match in _STEP.finditer(joined)] if _has_steps(source) else []
    moves = [(match.start(), match["folder"]) for match in _MOVED.finditer(joined)]
    for match in islice(_COMMAND.finditer(joined), _MOST):
        rest = match["rest"][:_LONGEST]
        if _AS_IMAGE.search(rest) is not None:
            shown = rest.partition("\n")[0].strip() or match[0]
            folders = _folders(source, joined, match.start(), steps, moves)
            yield replace(_read(rest, place_of(source, shown), folders), tags=tags)


def skaffold_command(text: str, place: str, folder: str, image: str) -> Iterator[PublishCommand]:
    """Yield the commands of an artifact of skaffold's: its image has the artifact's name."""
    for match in islice(_COMMAND.finditer(text), _MOST):
        rest = match["rest"][:_LONGEST]
        if _AS_IMAGE.search(rest) is not None:
            found = _read(rest, place, (posixpath.normpath(folder),))
            named = {
                "containerrepository": image,
                "containerregistry": "",
                "containerimagename": "",
            }
            yield replace(found, properties={**found.properties, **named})


def _read(rest: str, place: str, folders: tuple[str, ...]) -> PublishCommand:
    found = ((one["name"].lower(), one["value"]) for one in _PROPERTY.finditer(rest))
    properties = {name: value.strip("\"'") for name, value in found}
    framework = _FRAMEWORK.search(rest)
    named = framework["name"] if framework is not None else ""
    return PublishCommand(place, _target(rest), folders, properties, named)


def _target(rest: str) -> str:
    """What is published, as written: a project or solution, else the first bare word."""
    named = _TARGET.search(rest)
    if named is not None:
        return named[0].replace("\\", "/")
    first = re.split(r"&&|\|\||[;|](?=\s)", rest, maxsplit=1)[0]
    for word in _WITH_VALUE.sub(" ", _PROPERTY.sub(" ", first)).split():
        bare = word.strip("\"'")
        if bare and not bare.startswith(("-", "/", "`", "\\")):
            return bare.replace("\\", "/")
    return ""


def _has_steps(source: Source) -> bool:
    return source.path.lower().endswith((".yml", ".yaml"))


def _folders(
    source: Source, joined: str, at: int, steps: list[int], moves: list[tuple[int, str]]
) -> tuple[str, ...]:
    """Where it may be called: what moves there is relative to the root or to the script.

    `steps` and `moves` are where those of the file begin; a step of a workflow stands by itself.
    """
    own, moved, start = posixpath.dirname(source.path), "", 0
    if _has_steps(source):
        after = bisect_right(steps, at)
        start = steps[after - 1] if after else 0
        end = steps[after] if after < len(steps) else len(joined)
        found = _WORKING.search(joined, start, end)
        moved = found["folder"] if found is not None else ""
    last = bisect_left(moves, (at, "")) - 1
    if last >= 0 and moves[last][0] >= start:
        moved = moves[last][1]
    return tuple(dict.fromkeys(posixpath.normpath(posixpath.join(one, moved)) for one in ("", own)))


def published_by(
    command: PublishCommand, projects: Sequence[DotnetProject]
) -> tuple[DotnetProject, ...] | None:
    """The projects that a command publishes: one that it names, else all that it may mean.

    None if a variable says which.
    """
    places = [
        posixpath.normpath(posixpath.join(one, command.target)).lstrip("./")
        for one in command.folders
    ]
    found = ([one for one in projects if place in (one.path, one.directory)] for place in places)
    named = {one.path: one for alone in found if len(alone) == 1 for one in alone}
    if named:
        return tuple(named.values()) if len(named) == 1 else None
    if "$" in command.target or "%" in command.target or any("$" in one for one in places):
        return None
    if command.target.endswith("proj"):
        tail = posixpath.normpath(command.target).lstrip("./")
        ending = [one for one in projects if f"/{one.path}".endswith(f"/{tail}")]
        return (ending[0],) if len(ending) == 1 else None
    return tuple(
        one
        for one in projects
        if not one.is_test and any(not p or one.path.startswith(f"{p}/") for p in _roots(command))
    )


def _roots(command: PublishCommand) -> list[str]:
    """The folders below which the projects of a solution may lie."""
    solution = posixpath.dirname(command.target) if ".sln" in command.target else command.target
    joined = (posixpath.normpath(posixpath.join(one, solution)) for one in command.folders)
    return ["" if one == "." else one for one in joined]
