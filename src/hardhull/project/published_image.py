"""The image that the SDK publishes of a project: its base, its user, its variables, its start.

As dotnet/sdk computes them: src/Containers, ComputeDotnetBaseImageAndTag.cs, ImageBuilder.cs and
Microsoft.NET.Build.Containers.targets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.facts.catalogue import MICROSOFT_HOST
from hardhull.images import parse_reference
from hardhull.project.published import (
    BASE_IMAGE,
    FAMILY,
    FOLDER,
    PORT,
    START,
    USER,
    VARIABLE,
    framework_version,
    set_by_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.facts.gather import Facts
    from hardhull.facts.kinds import ImageFacts
    from hardhull.model import Span
    from hardhull.project.dotnet import DotnetProject
    from hardhull.project.evidence import EvidenceTexts
    from hardhull.project.published import ImageSetting
    from hardhull.project.published_project import ProjectSettings

_PACKAGE = "microsoft.net.build.containers"
_FIRST_WITH_VARIANTS = (8, 0)
"""The first version for which the SDK picks chiseled images and those with ICU by itself."""
_MUSL = re.compile(r"<(?:Container)?RuntimeIdentifiers?>\s*linux-musl")


@dataclass(frozen=True)
class PublishedImage:
    """What is known of the image of one project; `evidence` says why it is published.

    `base` is the image that it is made from, None if that is not known; `base_doubt` says why.
    """

    project: DotnetProject
    settings: ProjectSettings
    base: str | None
    facts: ImageFacts | None
    base_doubt: str
    user_doubt: str

    @property
    def path(self) -> str:
        """The project's path."""
        return self.project.path

    @property
    def where(self) -> str:
        """Symbolic place: `project Api`."""
        return f"project {self.project.name}"

    @property
    def user(self) -> ImageSetting | None:
        """What sets its user; without it the base's APP_UID counts, then the base's user."""
        return self.settings.last(USER)

    @cached_property
    def variables(self) -> Mapping[str, tuple[str | None, ImageSetting | None]]:
        """Variables with their value, None if it is not known, and what sets it; None: the base."""
        found: dict[str, tuple[str | None, ImageSetting | None]] = {
            name: (value, None)
            for name, value in (self.facts.variables if self.facts is not None else {}).items()
        }
        for one in self.settings.items(VARIABLE):
            found[one.item] = (None if one.doubt else one.text, one)
        return found

    @property
    def ports(self) -> tuple[ImageSetting, ...]:
        """Items that name ports: of what is declared, and variables."""
        return self.settings.items(PORT, VARIABLE)

    @property
    def start(self) -> tuple[ImageSetting, ...]:
        """Items and properties that say what it starts; none of them: the project's program."""
        last = (self.settings.last(name) for name in START)
        return (*self.settings.items(*START), *(one for one in last if one is not None))

    @property
    def folder(self) -> str:
        """The directory that the program starts in; `/app` but for a setting."""
        last = self.settings.last(FOLDER)
        return last.text if last is not None and last.text.startswith("/") else "/app"

    @property
    def place(self) -> tuple[str, Span] | None:
        """Where a finding about it points: its first setting; None if none is written."""
        own = [one for one in self.settings.settings if one.path == self.path]
        first = next(iter(own or self.settings.settings), None)
        return (first.path, first.span) if first is not None else None


def published_image(
    project: DotnetProject,
    settings: ProjectSettings,
    frameworks: Iterable[str],
    facts: Facts,
    texts: EvidenceTexts,
) -> PublishedImage:
    """Tell what the SDK makes of a project; `frameworks` are those that it is published for."""
    doubt = settings.doubt(BASE_IMAGE, FAMILY) or _given(texts, BASE_IMAGE, FAMILY)
    wanted = tuple(frameworks)
    bases = _bases(project, settings, wanted, texts) if not doubt else ()
    known = [facts.image(name) for name in bases]
    if len(bases) > 1 and not all(_is_same(one, known[0]) for one in known):
        named = " and ".join(name.rpartition("/")[2] for name in bases)
        doubt = f"{project.path} may be published on {named}, whose images differ"
    elif not bases and not doubt:
        doubt = f"{project.path} does not say for which .NET it is published"
    base = bases[0] if bases and not doubt else None
    own = known[0] if base is not None else None
    user = settings.doubt(USER) or _given(texts, USER)
    if not user and settings.last(USER) is None:
        user = doubt or _package(project) or _older_sdk(project, wanted, own)
    return PublishedImage(project, settings, base, own, doubt, user)


def _given(texts: EvidenceTexts, *names: str) -> str:
    """What a workflow or script sets for some call of `dotnet`."""
    for name in names:
        place = set_by_command(name, texts)
        if place:
            return f"{place} sets {name}"
    return ""


def _package(project: DotnetProject) -> str:
    for package, line in project.packages:
        if package.lower() == _PACKAGE:
            return (
                f"{project.path}:{line} takes the publishing from a package, whose version decides "
                "the user; SDKs have it built in"
            )
    return ""


def _older_sdk(project: DotnetProject, wanted: Iterable[str], base: ImageFacts | None) -> str:
    """SDKs before 8 know nothing of APP_UID: they can't publish for .NET 8, but on its images."""
    if base is None or base.app_uid is None or base.app_uid == base.user_uid:
        return ""
    for framework in wanted:
        version = framework_version(framework.partition("-")[0])
        if version is None or version < _FIRST_WITH_VARIANTS:
            return f"{project.path} is for {framework}: whether the SDK heeds APP_UID is not known"
    return ""


def _is_same(one: ImageFacts | None, other: ImageFacts | None) -> bool:
    """Whether two images start a program as the same user, with the same port."""
    if one is None or other is None:
        return False
    mine = (one.os, one.user, one.user_uid, one.app_uid, one.port_env, one.http_port)
    return mine == (
        other.os, other.user, other.user_uid, other.app_uid, other.port_env, other.http_port
    )  # fmt: skip


def _bases(
    project: DotnetProject,
    settings: ProjectSettings,
    frameworks: tuple[str, ...],
    texts: EvidenceTexts,
) -> tuple[str, ...]:
    """The images that it may be made from, one for each framework; empty if that is not known."""
    said = settings.last(BASE_IMAGE)
    if said is not None and said.text:
        reference = parse_reference(said.text)
        return (reference.exact,) if reference is not None else ()
    family = settings.last(FAMILY)
    versions = [framework_version(one.partition("-")[0]) for one in frameworks]
    found = []
    for version in versions:
        if version is None:
            return ()
        found.append(_inferred(project, version, family.text if family else "", texts))
    return tuple(dict.fromkeys(found))


def _inferred(
    project: DotnetProject, version: tuple[int, int], family: str, texts: EvidenceTexts
) -> str:
    """The image that the SDK picks; which user and port it has hangs on the version alone."""
    source = texts.source(project.path)
    text = source.text if source is not None else ""

    def says(name: str) -> bool:
        return re.search(rf"<{name}>\s*true\s*</", text, re.IGNORECASE) is not None

    ahead, trimmed = says("PublishAot"), says("PublishTrimmed")
    alone = ahead or says("SelfContained") or says("PublishSelfContained")
    kind = "runtime-deps" if alone else "aspnet" if project.is_web else "runtime"
    tag = f"{version[0]}.{version[1]}"
    small = (ahead or trimmed) and version >= _FIRST_WITH_VARIANTS
    if not family:
        musl = _MUSL.search(text) is not None
        family = "alpine" if musl else "noble-chiseled" if small else ""
    else:
        small = family.endswith("-chiseled") and version >= _FIRST_WITH_VARIANTS
    extra = "-extra" if small and not says("InvariantGlobalization") else ""
    return f"{MICROSOFT_HOST}/dotnet/{kind}:{tag}{f'-{family}' if family else ''}{extra}"
