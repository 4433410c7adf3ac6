"""Annotations of a GitHub workflow: the worst findings, at their lines, ten of each level."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hardhull.model import Severity
from hardhull.outcome import Status
from hardhull.report.neutral import command_data, command_property
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

_EACH = 10
"""The runner shows so many errors, warnings and notices of a step, and drops the others."""
_LONGEST = 4000
_LEVELS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice"}


class Note(NamedTuple):
    """One annotation, as a line for the runner."""

    rank: int
    level: str
    line: str


def notes_of(outcome: Outcome, root: Root) -> list[Note]:
    """The annotations of what is left in one root."""
    return [
        _note(outcome, entry, root)
        for entry in outcome.entries
        if entry.status in (Status.UNFIXED, Status.WITHHELD)
    ]


def _note(outcome: Outcome, entry: Entry, root: Root) -> Note:
    finding = entry.finding
    place = place_of(outcome, finding)
    properties = []
    if finding.path:
        properties += [("file", root.shown(finding.path)), ("line", str(place.line))]
        # The runner drops columns of what spans lines.
        if place.end_line == place.line:
            properties.append(("col", str(place.column)))
            if place.end_column > place.column:
                properties.append(("endColumn", str(place.end_column)))
        else:
            properties.append(("endLine", str(place.end_line)))
    properties.append(("title", f"hardhull: {finding.rule}"))
    message = finding.message
    if entry.fix is not None:
        message += f"\nFix: {entry.fix.summary} (hardhull fix makes it)"
    elif entry.reason:
        message += f"\nNot fixed: {entry.reason}"
    level = _LEVELS[finding.severity]
    listed = ",".join(f"{name}={command_property(value)}" for name, value in properties)
    line = f"::{level} {listed}::{command_data(message[:_LONGEST])}"
    return Note(-finding.severity.rank, level, line)


def join(notes: Iterable[Note], *, summarised: bool = True) -> str:
    """The worst first; what the runner would drop is counted instead."""
    lines: list[str] = []
    shown: dict[str, int] = {}
    left = 0
    for note in sorted(notes, key=lambda note: note.rank):
        if shown.get(note.level, 0) == _EACH:
            left += 1
            continue
        shown[note.level] = shown.get(note.level, 0) + 1
        lines.append(note.line)
    if left:
        where = "in the job summary" if summarised else "not shown; --format json has all of them"
        lines.append(f"hardhull: {left} more are {where}")
    return "".join(f"{line}\n" for line in lines)
