"""The report as Markdown, in the order a maintainer asks: what changes, what if it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Level
from hardhull.outcome import Status
from hardhull.report import standing
from hardhull.report.grouping import applications_changed
from hardhull.report.neutral import code, markdown
from hardhull.report.notes import NOT_CHECKED, notes_of, unchecked_in
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.model import Change
    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

_LARGEST = 58_000
"""A pull request's body may have 65,536 characters; some room is left for what others add."""
_CUT = "\n\n*Cut off here: there is more than fits. `--format json` has all of it.*\n"


def join(bodies: Sequence[str]) -> str:
    """One text; cut at the end of a line if it would be too long."""
    text = "\n".join(bodies)
    if len(text) <= _LARGEST:
        return text
    return text[: text.rfind("\n", 0, _LARGEST - len(_CUT))] + _CUT


def body_of(outcome: Outcome, root: Root) -> str:
    """What happened in one root, as the body of a pull request says it."""
    parts = [f"## {_title(outcome)}", *_changes(outcome)] if outcome.fixing else _found(outcome)
    parts += [*_pods(outcome), *_held(outcome), *_respected(outcome), *_skipped(outcome)]
    parts += [f"Contacted: {', '.join(map(code, outcome.contacted))}."] if outcome.contacted else []
    if root.label != ".":
        parts.insert(0, f"# {code(root.label, table=False)}")
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------- what changed


def _title(outcome: Outcome) -> str:
    names = applications_changed(outcome)
    if not outcome.changes:
        return "Harden containers: nothing to change"
    what = markdown(" and ".join(names)) if 0 < len(names) <= 2 else f"{len(names)} applications"  # noqa: PLR2004  more than two names are no title
    review = sum(change.fix.level is Level.REVIEW for change in outcome.changes)
    look = f" ({review} need{'s' if review == 1 else ''} a look)" if review else ""
    return f"Harden containers: {what if names else 'images'}{look}"


def _changes(outcome: Outcome) -> list[str]:
    if not outcome.changes:
        return []
    # In the order of places, as entries are: that is how a diff is read.
    changes = [entry.change for entry in outcome.entries if entry.change is not None]
    routine = [change for change in changes if change.fix.level is Level.ROUTINE]
    review = [change for change in changes if change.fix.level is not Level.ROUTINE]
    counts = ", ".join(
        f"{len(some)} {word}"
        for some, word in ((routine, "routine"), (review, "for review"))
        if some
    )
    amount = f"{_number(len(changes), 'change')} in {_number(len(outcome.changed), 'file')}"
    parts = [f"{amount}: {counts}. Reverting this alone undoes all of it."]
    if routine:
        parts.append(_table(outcome, routine, 1))
    if review:
        parts += ["### Review", _table(outcome, review, 1 + len(routine)), *_notes(review)]
    parts.append(
        "**Checked:** every changed file parses; it differs from the old one only in the changes "
        "listed here; comments, line ends and encoding are as they were; each problem is gone and "
        "no other one appeared."
    )
    parts.append(
        "**Not checked:** the image was not built and the program not started: uploads, scheduled "
        "jobs, and anything that start-up does not reach." + _unchecked(review)
    )
    parts += map(markdown, outcome.notes)
    return parts


def _table(outcome: Outcome, changes: Iterable[Change], first: int) -> str:
    lines = ["| # | where | change | if it is wrong, you see |", "|--:|---|---|---|"]
    for number, change in enumerate(changes, first):
        place = code(f"{change.finding.path}:{place_of(outcome, change.finding).line}")
        others = len(change.fix.operations) - 1
        more = f" and {_number(others, 'more place')}" if others else ""
        lines.append(
            f"| {number} | {place}{more} | {code(change.fix.summary)} | "
            f"{markdown(change.fix.if_wrong)} |"
        )
    return "\n".join(lines)


def _notes(changes: Iterable[Change]) -> list[str]:
    told = notes_of(change.fix for change in changes)
    notes = [f"- {markdown(note)}" for note in told if not note.startswith(NOT_CHECKED)]
    return ["\n".join(notes)] if notes else []


def _unchecked(changes: Iterable[Change]) -> str:
    return "".join(f" {markdown(line)}" for line in unchecked_in(changes))


# ---------------------------------------------------------------- what did not


def _found(outcome: Outcome) -> list[str]:
    left = [entry for entry in outcome.entries if entry.status is not Status.ACCEPTED]
    if not left:
        return ["## Nothing found"]
    worst = sorted(left, key=lambda entry: -entry.finding.severity.rank)
    lines = ["| severity | where | what | fix |", "|---|---|---|---|"]
    for entry in worst:
        finding = entry.finding
        place = code(f"{finding.path}:{place_of(outcome, finding).line}")
        lines.append(
            f"| {finding.severity.value} | {place} | {markdown(finding.message)} "
            f"(`{finding.rule}`) | {_fix_cell(entry)} |"
        )
    return [f"## {_number(len(left), 'finding')}", "\n".join(lines)]


def _fix_cell(entry: Entry) -> str:
    if entry.fix is not None:
        return code(entry.fix.summary)
    return markdown(entry.reason) if entry.reason else "reported only"


def _pods(outcome: Outcome) -> list[str]:
    """The Pod Security levels, where they changed or are not the wanted one."""
    rows = []
    for told in standing.told(outcome):
        first = told.standings[0].workload
        more = len(told.standings) - 1
        others = f" and {more} more" if more else ""
        missing = ", ".join(f"`{check}`" for check in told.missing) or "nothing"
        rows.append(
            f"| {code(first.path)} {code(first.where)}{others} | {told.change} | {missing} |"
        )
    if not rows:
        return []
    heads = f"| Pod Security | level | missing for {standing.wanted(outcome)} |\n|---|---|---|"
    return ["\n".join([heads, *rows])]


def _held(outcome: Outcome) -> list[str]:
    if not outcome.fixing:
        return []
    held = [
        f"- {code(f'{e.finding.path}:{place_of(outcome, e.finding).line}', table=False)} "
        f"{markdown(e.finding.message)} (`{e.finding.rule}`): {markdown(e.reason)}"
        for e in outcome.entries
        if e.status is Status.WITHHELD
    ]
    told = [
        f"- {code(f'{e.finding.path}:{place_of(outcome, e.finding).line}', table=False)} "
        f"{markdown(e.finding.message)} (`{e.finding.rule}`)"
        for e in outcome.entries
        if e.status is Status.UNFIXED
    ]
    parts = []
    if held:
        parts.append("**Held back:**\n\n" + "\n".join(held))
    if told:
        parts.append("**Reported only:**\n\n" + "\n".join(told))
    return parts


def _respected(outcome: Outcome) -> list[str]:
    lines = [
        f"- `{entry.finding.rule}` at {code(entry.finding.path, table=False)} "
        f"{markdown(entry.finding.where)} ({markdown(entry.reason)})"
        for entry in outcome.entries
        if entry.status is Status.ACCEPTED
    ]
    return ["**Respected:**\n\n" + "\n".join(lines)] if lines else []


def _skipped(outcome: Outcome) -> list[str]:
    lines = [
        f"- {code(f'{skip.path}:{skip.line}' if skip.line else skip.path, table=False)}: "
        f"{markdown(skip.reason)}"
        for skip in outcome.skipped
    ]
    return ["**Not read:**\n\n" + "\n".join(lines)] if lines else []


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
