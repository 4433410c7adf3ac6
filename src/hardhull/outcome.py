"""The outcome of a run: complete enough that every report and the pull request follow from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hardhull.documents.source import Source
    from hardhull.model import Accepted, Change, Crash, Finding, Fix, Rule, Skipped, Withheld
    from hardhull.project.link import Project


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


@dataclass(frozen=True)
class Outcome:
    """Everything that happened in one root. Positions of findings are in `before` texts.

    `entries` are sorted by path and place; a fixed finding carries its change.
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

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The paths whose text is not what it was."""
        return tuple(
            path for path in sorted(self.after) if self.after[path].text != self.before[path].text
        )
