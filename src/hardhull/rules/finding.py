"""Making findings: the same few lines for every rule about a container, workload or stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.model import Finding, Level, Severity, Span

if TYPE_CHECKING:
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.kubernetes import Workload


def in_container(  # noqa: PLR0913  the fields of a finding
    rule: str,
    severity: Severity,
    container: Container,
    message: str,
    *,
    at: Cursor | None = None,
    level: Level = Level.ROUTINE,
    what: str = "",
    evidence: tuple[str, ...] = (),
    plan: Any = None,
) -> Finding:
    """A finding in a container, at `at` or at its first line."""
    path = at.file.source.path if at is not None else container.path
    span = at.span if at is not None else container.span
    return Finding(
        rule, path, container.where, span, message, severity, level, what, evidence, container, plan
    )


def in_workload(  # noqa: PLR0913  the fields of a finding
    rule: str,
    severity: Severity,
    workload: Workload,
    message: str,
    *,
    at: Cursor | None = None,
    level: Level = Level.ROUTINE,
    what: str = "",
    evidence: tuple[str, ...] = (),
    plan: Any = None,
) -> Finding:
    """A finding in a workload, at `at` or at the first line of its pod."""
    place = workload.pod.span
    span = at.span if at is not None else Span(place.start, place.start + 1)
    return Finding(
        rule, workload.path, workload.where, span, message, severity, level, what, evidence,
        workload, plan,
    )  # fmt: skip


def in_stage(  # noqa: PLR0913  the fields of a finding
    rule: str,
    severity: Severity,
    stage: AppStage,
    span: Span,
    message: str,
    *,
    level: Level = Level.ROUTINE,
    what: str = "",
    evidence: tuple[str, ...] = (),
    plan: Any = None,
) -> Finding:
    """A finding in a stage of a Dockerfile."""
    return Finding(
        rule, stage.path, stage.where, span, message, severity, level, what, evidence, stage, plan
    )


def place(cursor: Cursor) -> str:
    """`path:line` of a YAML node."""
    return f"{cursor.file.source.path}:{cursor.line}"
