"""end-of-life-runtime: images of .NET versions that get no security fixes any more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.facts.catalogue import DOTNET_KINDS
from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.images.more_examples import END_OF_LIFE_RUNTIME
from hardhull.rules.images.published_examples import END_OF_LIFE_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.facts.catalogue import ImageFacts
    from hardhull.facts.gather import Facts
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.references import ImageUse

ID = "end-of-life-runtime"
_PATCH = re.compile(r"\d+\.\d+\.\d+")


def find(project: Project, context: Context) -> Iterator[Finding]:
    """One finding for the repository: versions, when they ended, how many files name them."""
    ended: dict[str, tuple[str, list[ImageUse]]] = {}
    for use in project.references:
        facts = facts_of(use, context.facts)
        if facts is None:
            continue
        said = _said_by_registry(use, facts, context.facts)
        if is_over(facts, context.facts):
            ended.setdefault(facts.version, (facts.end_of_life or "", []))[1].append(use)
        elif said is not None:
            version, date = said
            ended.setdefault(version, (f"{date}, as its registry says", []))[1].append(use)
    if not ended:
        return
    versions = sorted(ended, key=_number)
    first = min((use for _, uses in ended.values() for use in uses), key=lambda u: (u.path, u.span))
    files = {use.path for _, uses in ended.values() for use in uses}
    listed = ", ".join(f".NET {version} (since {ended[version][0]})" for version in versions)
    count = f"{len(files)} files" if len(files) > 1 else "1 file"
    yield Finding(
        ID,
        first.path,
        project.where,
        first.span,
        f"out of support, without security fixes: {listed}; named in {count}",
        Severity.MEDIUM,
        Level.MANUAL,
        ", ".join(versions),
        tuple(_told(version, ended[version][1]) for version in versions),
        project,
    )


def facts_of(use: ImageUse, known: Facts) -> ImageFacts | None:
    """What is known of a Linux .NET image named with a version; `latest` names none."""
    tag = use.reference.tag if use.reference is not None else None
    if use.name is None or tag is None or tag.split("-", maxsplit=1)[0] == "latest":
        return None
    facts = known.image(use.name)
    wanted = facts is not None and facts.os == "linux" and facts.kind in DOTNET_KINDS
    return facts if wanted else None


def is_over(facts: ImageFacts, known: Facts) -> bool:
    """Whether support of the .NET version has ended."""
    return facts.end_of_life is not None and facts.end_of_life < known.today.isoformat()


def ended_in_registry(use: ImageUse, known: Facts) -> str | None:
    """The day since which the registry says that what a tag names today gets no fixes.

    A digest that is written beside the tag does not matter: that it is not the newest one is
    another thing.
    """
    recorded = known.record(use.name) if use.name is not None else None
    date = recorded.end_of_life if recorded is not None else None
    return date if date is not None and date <= known.today.isoformat() else None


def patch_of(use: ImageUse) -> str | None:
    """The version of one patch that a tag names, such as 8.0.1: fixes come as another version."""
    tag = use.reference.tag if use.reference is not None else None
    found = _PATCH.match(tag or "")
    return found[0] if found is not None else None


def _said_by_registry(use: ImageUse, facts: ImageFacts, known: Facts) -> tuple[str, str] | None:
    """A version that ended by what its registry says, and since when.

    Of a version that is supported one tag may have stopped: tag-no-longer-rebuilt tells of it.
    """
    date, patch = ended_in_registry(use, known), patch_of(use)
    if date is None or (patch is None and facts.end_of_life is not None):
        return None
    return patch or facts.version, date


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _told(version: str, uses: list[ImageUse]) -> str:
    paths = sorted({use.path for use in uses})
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""  # noqa: PLR2004  enough to look
    return f".NET {version}: {', '.join(paths[:3])}{more}"


RULE = Rule(
    id=ID,
    title="The .NET version is out of support",
    concern="images",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "Images of a .NET version that has ended can be pulled for ever, but nobody rebuilds them: "
        "vulnerabilities found since stay open. The dates of versions are Microsoft's; where its "
        "registry was asked, what it says of an image counts too, that of one patch (`8.0.1`) "
        "among them."
    ),
    fix_note=(
        "Reported only, once for the repository: another version needs another target framework "
        "and tests, and may change the distribution under the image."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=("https://dotnet.microsoft.com/platform/support/policy/dotnet-core",),
    equivalents=(),
    examples=(*END_OF_LIFE_RUNTIME, *END_OF_LIFE_IN_PROJECT),
)
