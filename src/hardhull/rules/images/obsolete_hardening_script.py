"""obsolete-hardening-script: a script takes apart an image, where a smaller image would do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.images.more_examples import OBSOLETE_HARDENING_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.model import Span
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.stages import Stage

ID = "obsolete-hardening-script"
_SCRIPT = re.compile(r"(?<![\w-])(?:harden(?:ing)?|post-install)\.sh\b", re.IGNORECASE)
_IRON = "ironpeakservices/iron-"


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """RUN of a hardening script, and images that are made by one; once a stage."""
    for path, stages in project.dockerfiles.items():
        for stage in stages:
            seen = _seen(stage)
            if seen is not None:
                span, text = seen
                where = f"stage {stage.name or stage.index}"
                yield Finding(
                    ID, path, where, span, text, Severity.LOW, Level.MANUAL, subject=project
                )


def _seen(stage: Stage) -> tuple[Span, str] | None:
    if stage.base.stage is None and _IRON in (stage.base.resolved or ""):
        text = (
            "this image is a stripped Alpine that is not kept up; a chiseled image has less still"
        )
        return stage.base.span, text
    for instruction in stage.instructions:
        if instruction.keyword != "RUN" or ".sh" not in instruction.text.lower():
            continue
        found = _SCRIPT.search(instruction.text)
        if found is not None:
            text = (
                f"{found[0]} deletes tools in a layer of its own: they stay in the layers below; a "
                "chiseled image never had them"
            )
            return instruction.keyword_span, text
    return None


RULE = Rule(
    id=ID,
    title="A script takes the image apart",
    concern="images",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=None,
    why=(
        "Scripts in the manner of iron-alpine delete shells, package managers and setuid bits. "
        "What they delete stays in the layers below, some steps do harm (a /tmp without its "
        "sticky bit), and their base image is no longer kept up."
    ),
    fix_note=(
        "Reported only: a chiseled or distroless .NET image has no shell and no package manager, "
        "and `allowPrivilegeEscalation: false` makes setuid bits useless."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=(
        "https://github.com/dotnet/dotnet-docker/blob/main/documentation/distroless.md",
        "https://github.com/ironpeakservices/iron-alpine",
    ),
    equivalents=(),
    examples=OBSOLETE_HARDENING_SCRIPT,
)
