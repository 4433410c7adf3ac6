"""The outcome of a run: complete enough that every report and the pull request follow from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hardhull.documents.source import Source
    from hardhull.model import (
        Accepted,
        Change,
        Crash,
        Edit,
        Finding,
        Fix,
        PodSecurityLevel,
        Rule,
        Skipped,
        Withheld,
    )
    from hardhull.project.kubernetes import Workload
    from hardhull.project.link import Project
    from hardhull.project.pod_security import Violation


class Status(enum.Enum):
    """What became of a finding."""

    FIXED = "fixed"
    UNFIXED = "unfixed"
    WITHHELD = "withheld"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding with what became of it and why."""

    finding: Finding
    status: Status
    reason: str = ""
    change: Change | None = None
    fix: Fix | None = None
    """In a scan: the fix that would be tried."""

    @property
    def left(self) -> bool:
        """Whether the finding is still there, and nobody accepted it."""
        return self.status in (Status.UNFIXED, Status.WITHHELD)


@dataclass(frozen=True, slots=True)
class Standing:
    """The Pod Security level that a workload's pods pass, before and after the run.

    `missing` is what keeps them from the wanted level in the text after the run.
    """

    workload: Workload
    before: PodSecurityLevel
    after: PodSecurityLevel
    wanted: PodSecurityLevel
    version: str
    missing: tuple[Violation, ...]
    hardened: bool
    """Whether the workload runs an application, so that rules look at it."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to say: as it should be, and as it was."""
        return self.before is self.after and self.after.rank >= self.wanted.rank


@dataclass(frozen=True)
class Outcome:
    """Everything that happened in one root. Positions of findings are in `before` texts.

    `entries` are sorted by path and place; a fixed finding carries its change. `notes` are what
    is said once for all of it.
    """

    root: Path
    project: Project
    rules: tuple[Rule, ...]
    before: Mapping[str, Source]
    after: Mapping[str, Source]
    entries: tuple[Entry, ...] = ()
    changes: tuple[Change, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    crashes: tuple[Crash, ...] = ()
    fixing: bool = False
    notes: tuple[str, ...] = field(default=())
    pod_security: tuple[Standing, ...] = ()
    """All workloads, by path and place; empty if no rule about Pod Security was run."""
    contacted: tuple[str, ...] = field(default=())
    """The hosts that were asked about images."""

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The paths whose text is not what it was."""
        return tuple(
            path
            for path in sorted(self.after)
            if self.after[path].text != self.before[path].text or self.before[path].absent
        )

    @cached_property
    def spans(self) -> Mapping[tuple[str, ...], Span]:
        """Where each finding is in the `before` texts, by its key.

        A finding that arose only after an earlier change was found in a text that nobody has
        seen: its place is carried back over the edits made until then.
        """
        spans: dict[tuple[str, ...], Span] = {
            entry.finding.key: entry.finding.span for entry in self.entries
        }
        late = {
            entry.finding.key
            for entry in self.entries
            if entry.change is not None and entry.finding is entry.change.finding
        }
        done_in: dict[str, list[tuple[Edit, ...]]] = {}
        waiting: list[tuple[str, tuple[Edit, ...]]] = []
        for change in self.changes:
            if change.edits:  # the first of a batch: the edits of the batch before count from now
                for path, edits in waiting:
                    done_in.setdefault(path, []).append(edits)
                waiting = list(change.edits)
            if change.finding.key in late:
                done = done_in.get(change.finding.path, ())
                spans[change.finding.key] = _carried_back(change.finding.span, done)
        return spans


def _carried_back(span: Span, done: Sequence[tuple[Edit, ...]]) -> Span:
    start, end = span
    for edits in reversed(done):
        start, end = _before(start, edits), _before(end, edits)
    return Span(start, end)


def _before(offset: int, edits: Iterable[Edit]) -> int:
    """An offset in the edited text as one in the text before; within an edit it is its start."""
    shift = 0
    for edit in sorted(edits):
        new_start = edit.start + shift
        if offset < new_start:
            break
        if offset < new_start + len(edit.text):
            return edit.start
        shift += len(edit.text) - (edit.end - edit.start)
    return offset - shift
