"""The job summary of a GitHub workflow: a line for each application, then the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hardhull import __version__
from hardhull.model import Level, UsageError
from hardhull.outcome import Status
from hardhull.report import markdown as body
from hardhull.report.grouping import by_application
from hardhull.report.neutral import code, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

_LARGEST = 1024 * 1024 - 1024
"""A larger summary is dropped as a whole."""
_CUT = "\n\n*Cut off here: a job summary holds 1 MiB. `--format json` has all of it.*\n"
_FIXING = ("routine", "review", "held back", "left", "accepted")
_SCANNING = ("high", "medium", "low", "fixable", "accepted")


def part_of(outcome: Outcome, root: Root) -> str:
    """The summary of one root."""
    heads = _FIXING if outcome.fixing else _SCANNING
    lines = [f"| application | {' | '.join(heads)} |", "|---" + "|--:" * len(heads) + "|"]
    told = set()
    for app, entries in by_application(outcome):
        counts = _fixing(entries) if outcome.fixing else _scanning(entries)
        name = markdown(app.name) if app is not None else "*none*"
        lines.append(f"| {name} | {' | '.join(map(str, counts))} |")
        told.add(id(app))
    parts = ["\n".join(lines)] if outcome.entries else []
    alone = [
        app.name
        for app in outcome.project.applications
        if not app.containers and (outcome.fixing or id(app) in told)
    ]
    if alone:
        names = ", ".join(code(name, table=False) for name in alone)
        parts.append(f"Not linked: {names}. No manifest or Compose file here runs its image.")
    parts.append(body.body_of(outcome, root))
    return "\n\n".join(parts)


def _fixing(entries: Iterable[Entry]) -> tuple[int, ...]:
    entries = list(entries)
    changes = [entry.change for entry in entries if entry.change is not None]
    review = sum(change.fix.level is Level.REVIEW for change in changes)
    return (
        len(changes) - review,
        review,
        _count(entries, Status.WITHHELD),
        _count(entries, Status.UNFIXED),
        _count(entries, Status.ACCEPTED),
    )


def _scanning(entries: Iterable[Entry]) -> tuple[int, ...]:
    entries = list(entries)
    left = [entry for entry in entries if entry.status is not Status.ACCEPTED]
    severities = [entry.finding.severity.value for entry in left]
    return (
        *(severities.count(word) for word in ("high", "medium", "low")),
        sum(entry.fix is not None for entry in left),
        _count(entries, Status.ACCEPTED),
    )


def _count(entries: Iterable[Entry], status: Status) -> int:
    return sum(entry.status is status for entry in entries)


def append(file: str, parts: Sequence[str]) -> bool:
    """Append to the file that GITHUB_STEP_SUMMARY names; cut at a line if it would not fit.

    Returns whether it was cut.
    """
    place = Path(file)
    text = f"# hardhull {__version__}\n\n" + "\n".join(parts) + "\n"
    try:
        room = _LARGEST - (place.stat().st_size if place.exists() else 0)
        data = text.encode("utf-8", "replace")
        cut = len(data) > room
        if cut:
            kept = data[: max(0, room - len(_CUT))].rpartition(b"\n")[0]
            data = kept + _CUT.encode()
        with place.open("ab") as summary:
            summary.write(data)
    except OSError as error:
        raise UsageError(f"GITHUB_STEP_SUMMARY={file}: {error.strerror}") from None
    return cut
