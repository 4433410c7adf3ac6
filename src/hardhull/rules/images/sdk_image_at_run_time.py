"""sdk-image-at-run-time: the program runs in an image made for building it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Level, Rule, Severity, SubjectKind
from hardhull.rules.finding import in_stage
from hardhull.rules.images.more_examples import SDK_IMAGE_AT_RUN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.model import Finding
    from hardhull.project.application import AppStage
    from hardhull.project.context import Context

ID = "sdk-image-at-run-time"


def find(stage: AppStage, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Application stages that start a program on an SDK image."""
    facts = stage.facts
    if facts is None or facts.kind != "sdk" or stage.windows or not stage.starts_program:
        return
    first = stage.chain[0].from_
    span = stage.stage.from_.words[0].span if stage.chain[0] is stage.stage else first.words[0].span
    yield in_stage(
        ID,
        Severity.MEDIUM,
        stage,
        span,
        "the program runs in an SDK image, with compilers, a package manager and git",
        level=Level.MANUAL,
        evidence=(f"{stage.where} is made from {stage.base}",),
    )


RULE = Rule(
    id=ID,
    title="The program runs in an SDK image",
    concern="images",
    subject=SubjectKind.STAGE,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "The SDK image holds compilers, NuGet, git and curl: all that someone who breaks in needs, "
        "and a lot more that can be vulnerable. The program needs only the runtime."
    ),
    fix_note=(
        "Reported only: publish the program in a stage made from the SDK image, and copy the "
        "result to a stage made from `aspnet`, `runtime` or `runtime-deps`."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=("https://learn.microsoft.com/dotnet/core/docker/build-container",),
    equivalents=(),
    examples=SDK_IMAGE_AT_RUN_TIME,
)
