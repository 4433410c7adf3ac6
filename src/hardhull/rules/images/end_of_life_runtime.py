"""end-of-life-runtime: images of .NET versions that get no security fixes any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.catalogue import DOTNET_KINDS
from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.images.more_examples import END_OF_LIFE_RUNTIME
from hardhull.rules.images.published_examples import END_OF_LIFE_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.facts.catalogue import ImageFacts
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.references import ImageUse

ID = "end-of-life-runtime"


def find(project: Project, context: Context) -> Iterator[Finding]:
    """One finding for the repository: versions, when they ended, how many files name them."""
    ended: dict[str, tuple[str, list[ImageUse]]] = {}
    for use in project.references:
        facts = facts_of(use, context)
        if facts is not None and is_over(facts, context):
            ended.setdefault(facts.version, (facts.end_of_life or "", []))[1].append(use)
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


def facts_of(use: ImageUse, context: Context) -> ImageFacts | None:
    """What is known of a Linux .NET image named with a version; `latest` names none."""
    tag = use.reference.tag if use.reference is not None else None
    if use.name is None or tag is None or tag.split("-", maxsplit=1)[0] == "latest":
        return None
    facts = context.facts.image(use.name)
    wanted = facts is not None and facts.os == "linux" and facts.kind in DOTNET_KINDS
    return facts if wanted else None


def is_over(facts: ImageFacts, context: Context) -> bool:
    """Whether support of the .NET version has ended."""
    return facts.end_of_life is not None and facts.end_of_life < context.facts.today.isoformat()


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
        "vulnerabilities found since stay open."
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
