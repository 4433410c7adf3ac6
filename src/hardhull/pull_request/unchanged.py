"""What a body says of findings that were not fixed: held back, told, respected, refused, unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.outcome import Status
from hardhull.pull_request.fitting import Section
from hardhull.pull_request.state import box, marks_of
from hardhull.report import standing
from hardhull.report.neutral import code, markdown
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.outcome import Entry, Outcome

_FEW, _MOST, _NAMED = 4, 8, 3
"""Lines that stand open, lines at most, places in a line. The run's own report has all of them."""


@dataclass(frozen=True, slots=True)
class About:
    """What a text needs beside the outcome.

    `refused` holds fingerprints that people refused before; `elsewhere` how many changes stand in
    other pull requests. `waiting` says why checks will not start by themselves.
    """

    base: str
    prefix: str = ""
    title: str | None = None
    refused: frozenset[str] = frozenset()
    waiting: str = ""
    elsewhere: int = 0


def _place(outcome: Outcome, entry: Entry, about: About) -> str:
    line = place_of(outcome, entry.finding).line
    return code(f"{about.prefix}{entry.finding.path}:{line}", table=False)


def _together(outcome: Outcome, about: About, said: Mapping[Entry, str]) -> tuple[str, ...]:
    """One line for all that the same is said of, with its first places."""
    places: dict[str, dict[str, None]] = {}
    for entry, words in said.items():
        places.setdefault(words, {})[_place(outcome, entry, about)] = None
    lines = []
    for words, found in places.items():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        lines.append(f"- {', '.join(list(found)[:_NAMED])}{more}: {words}")
    return tuple(lines)


def held_of(outcome: Outcome, about: About) -> Section:
    """What was held back, and why."""
    held = [entry for entry in outcome.entries if entry.status is Status.WITHHELD]
    lines = _together(
        outcome,
        about,
        {
            e: f"{markdown(e.finding.message)} (`{e.finding.rule}`): {markdown(e.reason)}"
            for e in held
        },
    )
    return _folded_if_long("**Held back,** and why:", "Held back, and why", lines)


def told_of(outcome: Outcome, about: About) -> Section:
    """What is only reported."""
    told = [e for e in outcome.entries if e.status is Status.UNFIXED and not _is_refused(e, about)]
    lines = _together(
        outcome, about, {e: f"{markdown(e.finding.message)} (`{e.finding.rule}`)" for e in told}
    )
    return _folded_if_long("**Reported only:**", "Reported only", lines)


def respected_of(outcome: Outcome, about: About) -> Section:
    """What was decided in the files, by our comments or other tools' marks."""
    lines = tuple(
        f"- {_place(outcome, e, about)} `{e.finding.rule}` on {markdown(e.finding.where)}: "
        f"{markdown(e.reason)}"
        for e in outcome.entries
        if e.status is Status.ACCEPTED
    )
    return _folded_if_long("**Respected,** decided in the files:", "Respected decisions", lines)


def skipped_of(outcome: Outcome, about: About) -> Section:
    """What could not be read."""
    lines = tuple(
        f"- {code(about.prefix + (f'{s.path}:{s.line}' if s.line else s.path), table=False)}: "
        f"{markdown(s.reason)}"
        for s in outcome.skipped
    )
    return _folded_if_long("**Not read:**", "Not read", lines)


def standing_of(outcome: Outcome, about: About) -> Section:
    """Which Pod Security level the hardened workloads pass, before and after."""
    lines = []
    for told in standing.told(outcome):
        first, more = told.standings[0].workload, len(told.standings) - 1
        others = f" and {more} more" if more else ""
        missing = f"; not yet: {markdown(', '.join(told.missing))}" if told.missing else ""
        place = code(f"{about.prefix}{first.path}", table=False)
        lines.append(f"- {place} {markdown(first.where)}{others}: {told.change}{missing}")
    wanted = standing.wanted(outcome)
    return _folded_if_long(f"**Pod Security** ({wanted}):", "Pod Security", tuple(lines))


def _folded_if_long(head: str, summary: str, lines: tuple[str, ...]) -> Section:
    shown, rest = lines[:_MOST], len(lines) - _MOST
    folded = summary if len(lines) > _FEW else ""
    return Section(head, shown, folded=folded, dropped=max(0, rest))


def _is_refused(entry: Entry, about: About) -> bool:
    return entry.status is Status.UNFIXED and entry.finding.fingerprint in about.refused


def refused_of(outcome: Outcome, about: About) -> Section:
    """What people refused before, as boxes that are ticked."""
    marks = marks_of({*(c.finding.fingerprint for c in outcome.changes), *about.refused})
    lines = tuple(
        f"{box('no', ticked=True, fixes=(marks[entry.finding.fingerprint],))} "
        f"{code(about.prefix + entry.finding.path, table=False)} {markdown(entry.finding.message)}"
        for entry in outcome.entries
        if _is_refused(entry, about)
    )
    return Section("**Refused before** (untick to take it back):", lines)
