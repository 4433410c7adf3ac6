"""What MSBuild files say of the image that `dotnet publish` makes without a Dockerfile.

Only what is written counts: MSBuild is never run. A setting whose value or presence hangs on a
condition, a property or a target is read with a doubt, and nothing that has one is changed.
Sources: dotnet/sdk, src/Containers; dotnet/docs, core/containers/publish-configuration.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from hardhull.documents.msbuild import MsbuildFile
from hardhull.images import parse_reference
from hardhull.model import Span
from hardhull.project.references import ImageUse, Place
from hardhull.project.sighting import without_comments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.msbuild import Element
    from hardhull.project.dotnet import DotnetProject, Programs
    from hardhull.project.evidence import EvidenceTexts

BASE_IMAGE: Final = "ContainerBaseImage"
USER: Final = "ContainerUser"
PORT: Final = "ContainerPort"
VARIABLE: Final = "ContainerEnvironmentVariable"
FAMILY: Final = "ContainerFamily"
FOLDER: Final = "ContainerWorkingDirectory"
REGISTRY: Final = "ContainerRegistry"
REPOSITORY: Final = ("ContainerImageName", "ContainerRepository")
"""The image's name; the older property wins where both are set."""
START: Final = tuple(
    f"Container{name}"
    for name in ("Entrypoint", "EntrypointArgs", "AppCommand", "AppCommandArgs", "DefaultArgs")
)
"""What it starts; without any of them it is the project's program."""
FIRST_SDK: Final = (9, 0, 200)
"""The first SDK that takes a digest in ContainerBaseImage; older ones silently leave it out.

https://github.com/dotnet/sdk/pull/44461, in 9.0.2xx by #45594; #45856 is the report of before.
"""
_FIRST_FRAMEWORK: Final = (10, 0)
"""Built only by SDKs that take a digest: .NET 9 is built by 9.0.100 too, which does not."""

_COMPUTED = re.compile(r"[$@%]\(")
_FRAMEWORK = re.compile(r"net(\d+)\.(\d+)")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-.*)?")
_NAMES = (BASE_IMAGE, USER, PORT, VARIABLE, FAMILY, FOLDER, REGISTRY, *REPOSITORY, *START)
_PROJECT = (".csproj", ".fsproj", ".vbproj")
_INHERITED = ("directory.build.props", "directory.build.targets")
_PROFILES = "/publishprofiles"


@dataclass(frozen=True)
class ImageSetting:
    """A property, or an item with what it includes, about the image that the SDK publishes.

    `text` is what it says, trimmed; of an item it is the value that goes with it. `doubt` says why
    it may not be in force, or not be what is written; empty if nothing is seen.
    """

    file: MsbuildFile
    element: Element
    name: str
    text: str
    item: str = ""
    doubt: str = ""

    @property
    def path(self) -> str:
        """Its file."""
        return self.file.source.path

    @property
    def line(self) -> int:
        """The 1-based line on which it begins."""
        return self.file.line_of(self.element)

    @property
    def place(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}"

    @property
    def span(self) -> Span:
        """Where it stands: the text of a property, the tag that begins an item."""
        inside = Span(self.element.opening.end, self.element.closing.start)
        if self.item or inside.start >= inside.end:
            return self.element.opening
        at = self.file.source.text.find(self.text, *inside) if self.text else -1
        return Span(at, at + len(self.text)) if at >= 0 else inside


def image_settings(file: MsbuildFile) -> tuple[ImageSetting, ...]:
    """All that a file says of published images, in order."""
    found = tuple(_settings(file))
    last = {one.name: one.line for one in found if not one.item and not one.doubt}
    return tuple(
        replace(one, doubt=f"line {last[one.name]} sets {one.name} again")
        if not one.doubt and not one.item and one.line != last[one.name]
        else one
        for one in found
    )


def settings_in(documents: Mapping[str, Document]) -> Iterator[ImageSetting]:
    """All settings of all documents, by path."""
    for path in sorted(documents):
        document = documents[path]
        if isinstance(document, MsbuildFile):
            yield from image_settings(document)


def _settings(file: MsbuildFile) -> Iterator[ImageSetting]:
    known = {name.lower(): name for name in _NAMES}
    for element in file.elements:
        name = known.get(element.name.lower(), element.name)
        if not name.lower().startswith("container") or element.parent is None:
            continue
        group = file.elements[element.parent].name.lower()
        if group == "propertygroup":
            text = element.text.strip()
            yield ImageSetting(file, element, name, text, "", _doubt(file, element, text))
        elif group == "itemgroup":
            included = element.attribute("Include") or element.attribute("Update")
            item = included.value.strip() if included is not None else ""
            text = _value(element)
            yield ImageSetting(file, element, name, text, item, _doubt(file, element, item + text))


def _value(element: Element) -> str:
    """The value that goes with an item: an attribute, or an element inside."""
    attribute = element.attribute("Value")
    if attribute is not None:
        return attribute.value.strip()
    inner = (one.text.strip() for one in element.children if one.name.lower() == "value")
    return next(inner, "")


def _doubt(file: MsbuildFile, element: Element, text: str) -> str:
    for one in (element, *file.parents(element)):
        line = file.line_of(one)
        if one.attribute("Condition") is not None:
            return f"line {line} sets it under a condition: it may not be in force"
        if one.name.lower() in ("target", "choose"):
            return f"line {line} sets it within <{one.name}>: it may not be in force"
    if _COMPUTED.search(text):
        return f"line {file.line_of(element)} puts it together of properties: change it by hand"
    return ""


# ---------------------------------------------------------------- whose image it is


def projects_of(path: str, programs: Programs) -> tuple[DotnetProject, ...]:
    """The projects that a file of MSBuild's speaks for; empty where that is not seen.

    `Directory.Build.props` and its like speak for all below that may be published: no tests, and
    no libraries for every .NET.
    """
    folder, name = posixpath.split(path)
    if name.lower().endswith(_PROJECT):
        return tuple(one for one in programs.projects() if one.path == path)
    if name.lower().endswith(".pubxml") and folder.lower().endswith(_PROFILES):
        folder = posixpath.dirname(posixpath.dirname(folder))
        return tuple(one for one in programs.projects() if one.directory == folder)
    if name.lower() not in _INHERITED:
        return ()
    below = f"{folder}/" if folder else ""
    return tuple(
        one
        for one in programs.projects()
        if one.path.startswith(below) and not one.is_test and not _is_library(one)
    )


def _is_library(project: DotnetProject) -> bool:
    frameworks = project.target_frameworks
    return bool(frameworks) and all(one.startswith("netstandard") for one in frameworks)


def framework_version(name: str) -> tuple[int, int] | None:
    """`(8, 0)` for `net8.0`; None for other platforms (`net8.0-windows`), frameworks and texts."""
    match = _FRAMEWORK.fullmatch(name)
    return (int(match[1]), int(match[2])) if match is not None else None


def set_by_command(name: str, texts: EvidenceTexts) -> str:
    """Where a workflow or script sets a property for `dotnet`; empty if nowhere."""
    pattern = re.compile(
        rf"[-/]{{1,2}}p(?:roperty)?[:\s]\s*[\"']?(?:[^\s\"']*;)?{name}\s*=|^[ ]+{name}:[ ]",
        re.IGNORECASE | re.MULTILINE,
    )
    found = (
        f"{source.path}:{source.line_of(match.start())}"
        for source, match in texts.first_matches(pattern, (name, name.lower()))
    )
    return next(found, "")


# ---------------------------------------------------------------- references


def published_references(
    documents: Mapping[str, Document], programs: Programs, texts: EvidenceTexts
) -> Iterator[ImageUse]:
    """Yield the base images that MSBuild files name."""
    for path, document in documents.items():
        if not isinstance(document, MsbuildFile):
            continue
        named = [one for one in image_settings(document) if one.name == BASE_IMAGE and one.text]
        if not named:
            continue
        projects = projects_of(path, programs)
        setter = set_by_command(BASE_IMAGE, texts)
        left = "a project for .NET Framework is left as it is"
        old = left if any(project.of_framework for project in projects) else ""
        ignores = ignores_digest(path, projects, texts)
        for one in named:
            yield ImageUse(
                path,
                one.span,
                one.text,
                Place.PROJECT,
                used_by(path, projects),
                parse_reference(one.text),
                writer=setter or None,
                element=one.element,
                unsure=one.doubt or old,
                ignores_digest=ignores,
            )


def used_by(path: str, projects: tuple[DotnetProject, ...]) -> str:
    """Whose image it is, as findings say it."""
    if not projects:
        return f"projects that import {posixpath.basename(path)}"
    if len(projects) == 1:
        return f"project {projects[0].name}"
    folder = posixpath.dirname(path)
    return f"projects below {folder}" if folder else "all projects"


def ignores_digest(path: str, projects: Iterable[DotnetProject], texts: EvidenceTexts) -> str:
    """Why a digest may be left out by the SDK that builds these projects; empty if it is not."""
    projects = tuple(projects)
    if not projects:
        name = posixpath.basename(path)
        return f"it is not seen which projects import {name}, and which SDK builds them"
    for project in projects:
        frameworks = [framework_version(one.partition("-")[0]) for one in project.target_frameworks]
        new = bool(frameworks) and all(one and one >= _FIRST_FRAMEWORK for one in frameworks)
        if not new and not _sdk_is_new(project, texts):
            return (
                f"{'it' if project.path == path else project.path} may be built by a .NET SDK "
                "before 9.0.200, which silently ignores a digest; let a global.json at the root "
                "ask for sdk.version 9.0.200 or later"
            )
    return ""


def _sdk_is_new(project: DotnetProject, texts: EvidenceTexts) -> bool:
    """Whether every global.json that may count asks for such an SDK; no roll-forward goes lower.

    `dotnet` looks upwards from where it is called, which may be the root or the project's folder.
    """
    known = set(texts.named("global.json"))
    folder = project.directory
    paths = ["global.json"]
    while folder:
        paths.append(f"{folder}/global.json")
        folder = posixpath.dirname(folder)
    sources = [texts.source(path) for path in paths if path in known]
    return "global.json" in known and all(
        source is not None and _asks_for_new(source.text) for source in sources
    )


@lru_cache(maxsize=64)
def _asks_for_new(text: str) -> bool:
    try:
        read = json.loads(without_comments(text, "json"))
    except (ValueError, RecursionError):
        return False
    sdk = read.get("sdk") if isinstance(read, dict) else None
    version = sdk.get("version") if isinstance(sdk, dict) else None
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None or any(len(match[number]) > 4 for number in (1, 2, 3)):  # noqa: PLR2004  no version has more digits
        return False
    asked = (int(match[1]), int(match[2]), int(match[3]))
    return asked > FIRST_SDK or (asked == FIRST_SDK and not match[4])
