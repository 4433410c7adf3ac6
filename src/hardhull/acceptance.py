"""Which findings people accepted: our comments and other tools' marks, and what they reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from hardhull.documents.document import comment_spans
from hardhull.documents.yaml import YamlFile
from hardhull.model import Accepted, Finding, Level, Severity, Span
from hardhull.suppression import (
    ForeignDecision,
    Suppression,
    SuppressionError,
    annotation_decisions,
    equivalents,
    foreign_decisions,
    read_suppressions,
    rules_meant,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.model import Rule
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "stale-suppression"
Lines: TypeAlias = tuple[int, int]
"""First and last line, 1-based, both included."""

_MARKS = ("hardhull", "checkov:", "bridgecrew:", "hadolint", "trivy:", "tfsec:", "kics-scan")


@dataclass(frozen=True, slots=True)
class Mark:
    """One decision and the lines it reaches; for `next` the block that its line begins."""

    decision: Suppression | ForeignDecision
    rules: tuple[str, ...]
    path: str
    line: int
    reach: Lines
    near: bool
    """True if it counts for what stands at, or directly below, its line."""


@dataclass(frozen=True)
class Decisions:
    """All that was decided in the files of a project."""

    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)
    errors: tuple[SuppressionError, ...] = ()

    @classmethod
    def read(cls, context: Context, rules: Sequence[Rule]) -> Decisions:
        """Collect the decisions of all documents; expired ones don't count."""
        known, ids = equivalents(rules), {rule.id for rule in rules}
        marks: dict[str, list[Mark]] = {}
        errors: list[SuppressionError] = []
        for path, document in context.documents.items():
            text = document.source.text.lower()
            if not any(mark in text for mark in _MARKS):
                continue
            good, bad = read_suppressions(document.source, comment_spans(document), ids)
            errors += bad
            marks.setdefault(path, []).extend(
                Mark(one, one.rules, path, one.line, (one.line, one.line), near=True)
                for one in good
                if not one.expired(context.facts.today)
            )
            errors += [
                SuppressionError(path, one.line, f"it expired on {one.until}; decide again")
                for one in good
                if one.expired(context.facts.today)
            ]
            marks[path] += _foreign(document, known, context.settings.respect)
        for workload in context.project.all_workloads:
            found = _annotated(workload, known, context.settings.respect)
            if found:
                marks.setdefault(workload.path, []).extend(found)
        return cls({path: tuple(found) for path, found in marks.items()}, tuple(errors))

    def mark_of(self, finding: Finding, context: Context) -> Mark | None:
        """The decision that accepts a finding, if there is one."""
        marks = [m for m in self.marks.get(finding.path, ()) if finding.rule in m.rules]
        if not marks:
            return None
        document = context.documents[finding.path]
        here = document.source.line_of(finding.span.start)
        regions = [_with_comments_above(document, region) for region in _regions(finding, document)]
        for mark in marks:
            if not mark.near and mark.reach[0] <= here <= mark.reach[1]:
                return mark
            if mark.near and any(first <= mark.line <= last for first, last in regions):
                return mark
        return None

    def accepted(self, finding: Finding, context: Context) -> Accepted | None:
        """Whether a finding was accepted, by whom and why."""
        mark = self.mark_of(finding, context)
        if mark is None:
            return None
        by = mark.decision.tool if isinstance(mark.decision, ForeignDecision) else "hardhull"
        return Accepted(finding, f"{by} ({mark.path}:{mark.line})", mark.decision.reason)

    def unused(self, findings: Iterable[Finding], context: Context) -> Iterator[SuppressionError]:
        """Our own comments that accept nothing that was found."""
        used = {id(self.mark_of(finding, context)) for finding in findings}
        for marks in self.marks.values():
            for mark in marks:
                if isinstance(mark.decision, Suppression) and id(mark) not in used:
                    yield SuppressionError(
                        mark.path, mark.line, "it accepts nothing that was found; remove it"
                    )


def as_findings(errors: Iterable[SuppressionError], context: Context) -> Iterator[Finding]:
    """Findings about suppressions that can't be followed, are over, or accept nothing."""
    for error in errors:
        source = context.documents[error.path].source
        start = source.offset_of_line(error.line)
        span = Span(start, start + len(source.line_text(error.line)))
        yield Finding(
            ID,
            error.path,
            "comment",
            span,
            f"suppression: {error.message}",
            Severity.LOW,
            Level.MANUAL,
            error.message,
        )


def _foreign(
    document: Document,
    known: Mapping[tuple[str, str], tuple[str, ...]],
    respected: Sequence[str],
) -> Iterator[Mark]:
    source = document.source
    for start, end in comment_spans(document):
        for decision in foreign_decisions(source.text[start:end], source.line_of(start)):
            rules = rules_meant(decision, known)
            if decision.tool not in respected or not rules:
                continue
            near = decision.reach in ("next", "line")
            reach = _whole(document, decision)
            yield Mark(decision, rules, source.path, decision.line, reach, near)


def _whole(document: Document, decision: ForeignDecision) -> Lines:
    """The lines of the file, or of the YAML document in which the mark stands."""
    source = document.source
    last = source.line_of(len(source.text))
    if not isinstance(document, YamlFile) or decision.reach == "file":
        return (1, last)
    for part in document.documents:
        first, end = source.line_of(part.start), source.line_of(max(part.end - 1, part.start))
        if first <= decision.line <= end:
            return (first, end)
    return (1, last)


def _annotated(
    workload: Workload,
    known: Mapping[tuple[str, str], tuple[str, ...]],
    respected: Sequence[str],
) -> list[Mark]:
    decisions = annotation_decisions(workload.annotations)
    if not decisions:
        return []
    source = workload.root.file.source
    first = source.line_of(workload.root.span.start)
    reach = (first, source.line_of(workload.root.span.end))
    return [
        Mark(decision, rules, workload.path, decision.line or first, reach, near=False)
        for decision in decisions
        if decision.tool in respected and (rules := rules_meant(decision, known))
    ]


def _regions(finding: Finding, document: Document) -> Iterator[Lines]:
    """The finding's own lines, and those of what it speaks about."""
    source = document.source
    yield source.line_of(finding.span.start), source.line_of(finding.span.end)
    cursor = getattr(finding.subject, "cursor", None)
    if cursor is not None and cursor.file.source.path == finding.path:
        start = cursor.key_span.start if cursor.key_span is not None else cursor.span.start
        yield source.line_of(start), source.line_of(cursor.span.end)
    root = getattr(finding.subject, "root", None)
    if root is not None:
        yield source.line_of(root.span.start), source.line_of(root.span.end)
    stage = getattr(finding.subject, "stage", None)
    if stage is not None and hasattr(stage, "from_"):
        last = stage.instructions[-1] if stage.instructions else stage.from_
        yield stage.from_.first_line, last.last_line


def _with_comments_above(document: Document, region: Lines) -> Lines:
    first, last = region
    source = document.source
    while first > 1 and source.line_text(first - 1).lstrip().startswith(("#", "<!--")):
        first -= 1
    return (first, last)
