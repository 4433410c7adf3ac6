"""stale-suppression: a comment that should accept a finding is wrong, over, or accepts nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Rule, Severity, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.link import Project

ID = "stale-suppression"


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  see below
    """Nothing by itself: the run adds these, since they follow from what all rules found."""
    return iter(())


_BASE = "FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled\n"

RULE = Rule(
    id=ID,
    title="A suppression is wrong, has expired, or accepts nothing",
    concern="repository",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=None,
    why=(
        "A suppression that nobody needs any more hides the next real finding at its place, and "
        "one that can't be read hides nothing although its author thinks it does."
    ),
    fix_note="Reported only: decide again, or remove the comment.",
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    examples=(
        Example(
            "it expired",
            {"Dockerfile": "# hardhull: ignore[image-runs-as-root] until=2020-01-01 old\n" + _BASE},
            reported=True,
        ),
        Example(
            "it accepts nothing",
            {"Dockerfile": "# hardhull: ignore[stale-suppression] why\n" + _BASE},
            reported=True,
        ),
        Example("there is none", {"Dockerfile": "# a comment\n" + _BASE}, silent=True),
    ),
)
