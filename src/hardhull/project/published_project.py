"""What the files of one project say together of the image that the SDK publishes of it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.documents.msbuild import MsbuildFile
from hardhull.project.names import folders_above
from hardhull.project.published import ImageSetting, image_settings, projects_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.project.dotnet import DotnetProject, Programs
    from hardhull.project.evidence import EvidenceTexts

_BEFORE, _BEHIND = "Directory.Build.props", "Directory.Build.targets"
_IMPORT = re.compile(r"<Import\b[^>]*?\bProject\s*=\s*[\"'](?P<path>[^\"']*)[\"']", re.IGNORECASE)
_OF_AN_IMAGE = re.compile(r"<container[a-z]+", re.IGNORECASE)
_PROFILE = ".pubxml"


@dataclass(frozen=True)
class ProjectSettings:
    """Settings in the order in which MSBuild reads them; those of publish profiles apart.

    `unseen` says why there may be more than is seen; empty if there is not.
    """

    settings: tuple[ImageSetting, ...] = ()
    profiles: tuple[ImageSetting, ...] = ()
    unseen: str = ""

    def last(self, name: str) -> ImageSetting | None:
        """The property that is in force, if its doubt is none; None if nothing sets it."""
        found = [one for one in self.settings if one.name == name and not one.item]
        return found[-1] if found else None

    def items(self, *names: str) -> tuple[ImageSetting, ...]:
        """All items of these names."""
        return tuple(one for one in self.settings if one.name in names and one.item)

    def doubt(self, *names: str) -> str:
        """Why what is seen of these properties and items may not be in force; empty if it is."""
        if self.unseen:
            return self.unseen
        for one in self.profiles:
            if one.name in names:
                return f"{one.place} sets {one.name} for a publish profile"
        for name in names:
            last = self.last(name)
            found = [*self.items(name), *((last,) if last is not None else ())]
            for one in self.settings:
                if one.name == name and _takes_away(one):
                    return f"{one.place} takes away what is set elsewhere"
            for one in found:
                if one.doubt:
                    return f"{one.path}: {one.doubt}"
        return ""


def _takes_away(one: ImageSetting) -> bool:
    return not one.item and one.element.attribute("Remove") is not None


def project_settings(
    project: DotnetProject,
    documents: Mapping[str, Document],
    programs: Programs,
    texts: EvidenceTexts,
) -> ProjectSettings:
    """Read the project, the files that MSBuild imports by itself, and its publish profiles."""
    paths = [*_nearest(project, _BEFORE, texts), project.path, *_nearest(project, _BEHIND, texts)]
    settings: list[ImageSetting] = []
    unseen = ""
    for path in paths:
        document = documents.get(path)
        if isinstance(document, MsbuildFile):
            settings += image_settings(document)
            continue
        source = texts.source(path)
        if source is not None and _OF_AN_IMAGE.search(source.text):
            unseen = f"{path} says something of the image, and is left out or can't be read"
    profiles = tuple(
        setting
        for path in documents
        if path.lower().endswith(_PROFILE) and project in projects_of(path, programs)
        for setting in _settings_at(path, documents)
    )
    unseen = unseen or next(_imports(paths, documents, programs, texts), "")
    return ProjectSettings(tuple(settings), profiles, unseen)


def _settings_at(path: str, documents: Mapping[str, Document]) -> tuple[ImageSetting, ...]:
    document = documents[path]
    return image_settings(document) if isinstance(document, MsbuildFile) else ()


def _nearest(project: DotnetProject, name: str, texts: EvidenceTexts) -> list[str]:
    """The files of this name that count, the outermost first: MSBuild takes only the nearest.

    Those above it count where it imports them.
    """
    known = set(texts.named(name))
    found: list[str] = []
    for folder in folders_above(project.path) if known else ():
        path = posixpath.join(folder, name)
        source = texts.source(path) if path in known else None
        if source is None:
            continue
        found.insert(0, path)
        if not any(name in one["path"] for one in _IMPORT.finditer(source.text)):
            break
    return found


def _imports(
    paths: list[str],
    documents: Mapping[str, Document],
    programs: Programs,
    texts: EvidenceTexts,
) -> Iterator[str]:
    """Files about images that one of these imports by itself: when they count is not seen."""
    others = {
        posixpath.basename(path).lower(): path
        for path, document in documents.items()
        if isinstance(document, MsbuildFile) and not projects_of(path, programs)
    }
    for path in paths if others else ():
        source = texts.source(path)
        for match in _IMPORT.finditer(source.text) if source is not None else ():
            name = posixpath.basename(match["path"].replace("\\", "/")).lower()
            if name in others:
                yield f"{path} imports {others[name]}, which says something of the image too"
