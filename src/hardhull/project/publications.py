"""Which projects the SDK publishes as images, under which names, and what says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardhull.documents.msbuild import MsbuildFile
from hardhull.images import parse_reference
from hardhull.project.publish_commands import published_by
from hardhull.project.published import (
    BASE_IMAGE,
    FAMILY,
    FOLDER,
    PORT,
    REGISTRY,
    REPOSITORY,
    START,
    USER,
    VARIABLE,
    projects_of,
)
from hardhull.project.published_project import ProjectSettings, project_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.images import Reference
    from hardhull.project.builds import Builds
    from hardhull.project.dotnet import DotnetProject, Programs
    from hardhull.project.evidence import EvidenceTexts
    from hardhull.project.publish_commands import PublishCommand
    from hardhull.project.published import ImageSetting

_LIBRARY = "library/"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_VALID = re.compile(rf"{_PART}(?:/{_PART})*")
_INVALID = re.compile(r"[^a-z0-9_/-]")
_HIDDEN = re.compile(r"[$%@{}<>()]")
_TAGS = ("ContainerImageTag", "ContainerImageTags", "ContainerLabel", "ContainerImageFormat")
_OF_THE_SDK = frozenset(
    [BASE_IMAGE, USER, PORT, VARIABLE, FAMILY, FOLDER, REGISTRY, *REPOSITORY, *START, *_TAGS]
)
"""Settings that nothing but the SDK reads; Visual Studio has others for images of Dockerfiles."""


@dataclass(frozen=True)
class PublishedName:
    """A name that an image is given: `repository`, and the registry if that is known.

    `written` says that somebody wrote it; without it, it is the default of the SDK.
    """

    repository: str
    registry: str
    evidence: str
    written: bool
    doubt: str = ""
    """Why it may not be in force; empty if nothing is seen."""

    @property
    def last(self) -> str:
        """The last part of the repository."""
        return self.repository.rpartition("/")[2]

    def fits(self, reference: Reference) -> bool:
        """Whether an image reference may mean it; with any registry before it, if none is known."""
        named = reference.repository.removeprefix(_LIBRARY)
        if self.registry and reference.spelled.startswith(f"{reference.host}/"):
            return (reference.host, named) == (self.registry, self.repository)
        return named == self.repository or (
            not self.registry and named.endswith(f"/{self.repository}")
        )


@dataclass(frozen=True)
class Publication:
    """A project that is published as an image."""

    project: DotnetProject
    settings: ProjectSettings
    names: tuple[PublishedName, ...]
    frameworks: tuple[str, ...]


def publications(
    documents: Mapping[str, Document], programs: Programs, builds: Builds, texts: EvidenceTexts
) -> Iterator[Publication]:
    """Yield the projects that are seen to be published, with the names that are certain."""
    own: dict[str, list[PublishCommand]] = {}
    shared: dict[str, list[PublishCommand]] = {}
    hidden = ""
    for command in builds.publishes:
        named = published_by(command, programs.projects())
        if (named is None or len(named) > 1) and command.repository is not None:
            hidden = hidden or command.place
        for project in named or ():
            (own if len(named or ()) == 1 else shared).setdefault(project.path, []).append(command)
    spoken_for = {
        project.path
        for path, document in documents.items()
        if isinstance(document, MsbuildFile)
        for project in projects_of(path, programs)
    }
    for project in programs.projects():
        commands, more = own.get(project.path, []), shared.get(project.path, [])
        if project.of_framework or project.is_test:
            continue
        if not (commands or more or project.path in spoken_for or _enabled(project)):
            continue
        settings = project_settings(project, documents, programs, texts)
        names, by_profile = _names(project, settings, commands, more, hidden)
        if names:
            chosen = _with_profile(settings) if by_profile else settings
            yield Publication(project, chosen, names, _frameworks(project, commands))


def _enabled(project: DotnetProject) -> bool:
    asked = {("EnableSdkContainerSupport", "true"), ("PublishProfile", "defaultcontainer")}
    return any((name, value.lower()) in asked for name, value in project.container)


def _frameworks(project: DotnetProject, commands: list[PublishCommand]) -> tuple[str, ...]:
    """Those that all commands name, else all that the project has."""
    named = tuple(dict.fromkeys(one.framework for one in commands))
    return named if named and "" not in named else project.target_frameworks


def _with_profile(settings: ProjectSettings) -> ProjectSettings:
    """With what the one publish profile says, which is read behind the project."""
    return ProjectSettings((*settings.settings, *settings.profiles), (), settings.unseen)


def _names(
    project: DotnetProject,
    settings: ProjectSettings,
    commands: list[PublishCommand],
    shared: list[PublishCommand],
    hidden: str,
) -> tuple[tuple[PublishedName, ...], bool]:
    """All names that are certain, and whether a publish profile alone gives one."""
    registry = _registry(settings)
    found = [name for one in (*commands, *shared) for name in _given(one, registry, commands)]
    if any(one.repository is None for one in commands) or not commands:
        said = _said(settings)
        profile = [one for one in settings.profiles if one.name in REPOSITORY and not one.doubt]
        if said is None and profile and not commands:
            return (*found, _written(profile[-1], registry)), _is_one(settings)
        if said is not None and not _HIDDEN.search(said.text):
            found.append(replace(_written(said, registry), doubt=settings.unseen or said.doubt))
        elif said is None and not hidden and not settings.unseen:
            found += _default(project, settings, commands or shared, registry)
    found += [name for one in (*commands, *shared) for name in _renamed(one, tuple(found))]
    return tuple(dict.fromkeys(found)), False


def _is_one(settings: ProjectSettings) -> bool:
    return len({one.path for one in settings.profiles}) == 1


def _given(
    command: PublishCommand, registry: str, commands: list[PublishCommand]
) -> Iterator[PublishedName]:
    """The name that a command gives; of one behind a variable the last part, if that is written.

    A name for several projects at once is none.
    """
    name = command.repository
    if name is None or command not in commands:
        return
    own = command.properties.get("containerregistry", "")
    registry = own if own and not _HIDDEN.search(own) else "" if own else registry
    if _HIDDEN.search(name):
        name, registry = name.rpartition("/")[2] if "/" in name else "", ""
    if name and not _HIDDEN.search(name):
        evidence = f"{command.place} publishes {command.target or 'it'} as {name}"
        yield PublishedName(normalised(name), registry, evidence, written=True)


def _renamed(command: PublishCommand, names: tuple[PublishedName, ...]) -> Iterator[PublishedName]:
    """The other names that the command's file gives to the image."""
    for old, new, place in command.tags:
        for name in names:
            if name.repository != old or name.doubt:
                continue
            registry, slash, rest = new.rpartition("/")
            reference = parse_reference(new)
            if reference is not None:
                explicit = reference.spelled.startswith(f"{reference.host}/")
                registry = reference.host if explicit else ""
                rest = reference.repository.removeprefix(_LIBRARY)
            elif _HIDDEN.search(rest) or not slash:
                continue
            else:
                registry = ""
            yield PublishedName(rest, registry, f"{place} names {old} {new}", written=True)


def _said(settings: ProjectSettings) -> ImageSetting | None:
    """What names the image; the older property wins where both are set."""
    last = (settings.last(name) for name in REPOSITORY)
    return next((one for one in last if one is not None and one.text), None)


def _written(one: ImageSetting, registry: str) -> PublishedName:
    return PublishedName(
        normalised(one.text), registry, f"{one.place} sets {one.name} to {one.text}", written=True
    )


def _registry(settings: ProjectSettings) -> str:
    said = settings.last(REGISTRY)
    return said.text if said is not None and not said.doubt else ""


def _default(
    project: DotnetProject,
    settings: ProjectSettings,
    commands: list[PublishCommand],
    registry: str,
) -> Iterator[PublishedName]:
    """The assembly's name, where something says that the project is published."""
    if _HIDDEN.search(project.assembly_name) or not project.assembly_name:
        return
    if commands:
        evidence = f"{commands[0].place} publishes it"
    else:
        own = [one for one in settings.settings if one.name in _OF_THE_SDK]
        if not own and not _enabled(project):
            return
        said = f"{own[0].place} sets {own[0].name}" if own else f"{project.path} asks for an image"
        evidence = said
    name = normalised(project.assembly_name)
    yield PublishedName(name, registry, f"{evidence}, by default as {name}", written=False)


def normalised(name: str) -> str:
    """The name as the SDK makes it fit: where one character does not, no dot does."""
    if _VALID.fullmatch(name):
        return name
    return _INVALID.sub("-", name.lower())
