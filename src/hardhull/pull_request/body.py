"""What the pull request says: answers first, then a row for each change, then all the rest.

Everything is a function of the outcome: the same outcome gives the same text, to the letter. Text
of the repository is neutralised; nothing here links, mentions, counts visits or tells the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull import __version__
from hardhull.conclusion import LEFT_TO
from hardhull.model import Level
from hardhull.pull_request.commits import quiet, short_hash
from hardhull.pull_request.fitting import Section, fitted
from hardhull.pull_request.folded import digests_of, links_of
from hardhull.pull_request.state import box, marks_of
from hardhull.pull_request.unchanged import (
    held_of,
    refused_of,
    respected_of,
    skipped_of,
    standing_of,
    told_of,
)
from hardhull.report.grouping import applications_changed
from hardhull.report.neutral import code, markdown
from hardhull.report.notes import NOT_CHECKED, notes_of, unchecked_in
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Change
    from hardhull.outcome import Outcome
    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.unchanged import About

LARGEST = 58_000
"""GitHub takes 65,536 characters; some room is left for what people add."""
_REFRESHED = ("Pins are refreshed by: ", LEFT_TO)
_REFRESHERS = ("Renovate", "Dependabot", "scheduled run", "nobody")
_LONGEST_TITLE, _SHOWN, _FEW = 200, 8, 2
_NAMED = 3
"""So many places and values stand in a row of the table; the list below it has all of them."""


@dataclass(frozen=True, slots=True)
class Text:
    """Title and text, and `facts`: the same as long as only the wording differs."""

    title: str
    text: str
    facts: str


def write(outcome: Outcome, plan: Plan, about: About) -> Text:
    """The pull request's title and our part of its body, without markers and state."""
    changes = outcome.changes
    routine = [change for change in changes if change.fix.level is Level.ROUTINE]
    review = [change for change in changes if change.fix.level is not Level.ROUTINE]
    many = len(changes) > _SHOWN
    safe, other = _rows(routine, many=many), _rows(review, many=many)
    sections = [
        Section(_answers(outcome, routine, review, about)),
        _table(outcome, safe, 1, about, ""),
        _table(outcome, other, 1 + len(safe), about, "**For review**\n\n"),
        _boxes(outcome, [*safe, *other], about),
        _notes(changes),
        Section(_checked()),
        held_of(outcome, about),
        told_of(outcome, about),
        respected_of(outcome, about),
        refused_of(outcome, about),
        skipped_of(outcome, about),
        standing_of(outcome, about),
        Section(_pins(outcome)),
        digests_of(outcome),
        links_of(changes, about.prefix),
        Section(_closing(plan, about)),
    ]
    room = LARGEST - 800 - 12 * (len(plan.fixes) + len(about.refused))
    return Text(_title(outcome, about), fitted(sections, room), _facts(outcome, plan, about))


def _facts(outcome: Outcome, plan: Plan, about: About) -> str:
    """A hash of what is said: of findings and their fates, never of words or line numbers."""
    levels = [f"{c.finding.fingerprint} {c.fix.level.value}" for c in outcome.changes]
    others = [
        f"{entry.finding.fingerprint} {entry.status.value}"
        for entry in outcome.entries
        if entry.change is None
    ]
    skipped = [skip.path for skip in outcome.skipped]
    told = " ".join(note for note in outcome.notes if note.startswith(_REFRESHED[0]))
    rest = [name for name in _REFRESHERS if name in told]
    rest += [note for note in outcome.notes if note.startswith(LEFT_TO)]
    rest += [str(bool(about.waiting)), str(about.elsewhere)]
    refused = sorted(about.refused)
    return short_hash("\0".join([plan.content, *levels, *others, *skipped, *rest, *refused]))


# ---------------------------------------------------------------- answers


def _title(outcome: Outcome, about: About) -> str:
    if about.title is not None:
        return about.title
    names = applications_changed(outcome)
    what = f"{len(names)} applications" if names else "images"
    if 0 < len(names) <= _FEW:
        what = " and ".join(quiet(name) for name in names)
    review = sum(change.fix.level is not Level.ROUTINE for change in outcome.changes)
    look = f" ({review} need{'s' if review == 1 else ''} a look)" if review else ""
    return f"Harden containers: {what[:_LONGEST_TITLE]}{look}"


def _answers(
    outcome: Outcome, routine: Sequence[Change], review: Sequence[Change], about: About
) -> str:
    amount = f"{_number(len(outcome.changes), 'change')} in {_number(len(outcome.changed), 'file')}"
    counts = [f"{len(routine)} routine"] if routine else []
    counts += [f"{len(review)} for review"] if review else []
    lines = [f"**{amount}: {', '.join(counts)}.**"]
    if about.waiting:
        lines.append(f"**{about.waiting}**")
    return "\n".join(
        [
            *lines,
            "",
            (
                f"- **Does it run as before?** {_as_before(routine, review)} Reverting this pull "
                "request alone undoes all of it."
            ),
            "- **If it is wrong,** the last column says what you would see.",
            f"- **Not checked:** {_unchecked(outcome.changes)}",
            (
                f"- **How to say no:** tick a change below the table, or close this to refuse "
                f"{_all_of(len(outcome.changes))}. What is new still gets a pull request."
            ),
        ]
    )


def _as_before(routine: Sequence[Change], review: Sequence[Change]) -> str:
    if not review:
        return "Nothing speaks against it: every precondition of every change was checked."
    rest = f"The {_number(len(review), 'change')} for review: if what was not checked holds."
    if not routine:
        return rest
    return f"The routine part: every precondition was checked. {rest}"


def _all_of(count: int) -> str:
    return {1: "it", 2: "both"}.get(count, f"all {count}")


def _unchecked(changes: Sequence[Change]) -> str:
    said = [markdown(line) for line in unchecked_in(changes)]
    more = [f"{len(said) - _SHOWN} more, see the table."] if len(said) > _SHOWN else []
    always = (
        "No image was built and no program started: uploads, scheduled jobs, whatever start-up "
        "does not reach."
    )
    return " ".join([*said[:_SHOWN], *more, always])


# ---------------------------------------------------------------- changes


def _rows(changes: Sequence[Change], *, many: bool) -> list[list[Change]]:
    """Changes that are told as one: of one rule, with the same to look out for.

    Where there are few, of one file; a change that spans files has a row to itself.
    """
    rows: dict[object, list[Change]] = {}
    for index, change in enumerate(changes):
        path, rule = change.finding.path, change.finding.rule
        alone = index if len(change.files) > 1 else path
        key = (rule, change.fix.if_wrong, None if many else alone)
        rows.setdefault(key, []).append(change)
    return list(rows.values())


def _table(
    outcome: Outcome, told: Sequence[list[Change]], first: int, about: About, head: str
) -> Section:
    rows = []
    for number, changes in enumerate(told, first):
        places = _places(outcome, changes, about)
        shown = places if len(places) <= _NAMED else places[: _NAMED - 1]
        where = ", ".join(code(place) for place in shown)
        others = len(places) - len(shown)
        others += sum(len(change.fix.operations) - 1 for change in changes)
        more = f" and {_number(others, 'more place')}" if others else ""
        values = list(dict.fromkeys(change.fix.summary for change in changes))
        what = ", ".join(code(value) for value in values[:_NAMED])
        rest = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
        wrong = markdown(changes[0].fix.if_wrong)
        rows.append(f"| {number} | {where}{more} | {what}{rest} | {wrong} |")
    top = f"{head}| # | where | change | if it is wrong, you see |\n|--:|---|---|---|"
    return Section(top, tuple(rows), least=10, more="| | and {} more | | |", tight=True)


def _places(outcome: Outcome, changes: Sequence[Change], about: About) -> list[str]:
    """Each file with the lines of its changes: `src/Api/Dockerfile:1, 9`."""
    lines: dict[str, dict[int, None]] = {}
    for change in changes:
        line = place_of(outcome, change.finding).line
        lines.setdefault(change.finding.path, {})[line] = None
    return [
        f"{about.prefix}{path}:{', '.join(str(line) for line in found)}"
        for path, found in lines.items()
    ]


def _boxes(outcome: Outcome, told: Sequence[list[Change]], about: About) -> Section:
    """One box for each change: by the number of its row, and by file where there are many."""
    marks = marks_of({*(c.finding.fingerprint for c in outcome.changes), *about.refused})
    files: dict[str, dict[str, None]] = {}
    few: dict[str, None] = {}
    for row, changes in enumerate(told, 1):
        for change in changes:
            line = place_of(outcome, change.finding).line
            path = about.prefix + change.finding.path
            mark = box("no", fixes=(marks[change.finding.fingerprint],))
            files.setdefault(path, {})[f"  {mark} {row}, line {line}"] = None
            which = f": {code(f'{path}:{line}', table=False)}" if len(changes) > 1 else ""
            few[f"{mark} no to {row}{which}"] = None
    if len(few) <= _SHOWN:
        return Section("", tuple(few), least=1)
    lines: list[str] = []
    for path, (first, *rest) in files.items():
        lines += [f"- {code(path, table=False)}\n{first}", *rest]
    return Section("", tuple(lines), folded="Say no to single changes, by row", least=1)


def _notes(changes: Sequence[Change]) -> Section:
    told = notes_of(change.fix for change in changes)
    lines = [f"- {markdown(note)}" for note in told if not note.startswith(NOT_CHECKED)]
    return Section("**While old meets new,** and what else to know:", tuple(lines))


def _checked() -> str:
    return (
        "**Checked:** every changed file parses; only the changes listed here differ; comments, "
        "line ends and encoding are as they were; each problem is gone and no other appeared."
    )


# ---------------------------------------------------------------- the end


def _pins(outcome: Outcome) -> str:
    said = [markdown(note) for note in outcome.notes if note.startswith(_REFRESHED)]
    return "\n".join(said)


def _closing(plan: Plan, about: About) -> str:
    lines = []
    if about.elsewhere:
        lines.append(f"{_number(about.elsewhere, 'change')} in pull requests of their own.\n")
    lines += [
        (
            f"{box('regenerate')} make this anew from {code(about.base, table=False)}; "
            "discards what others committed here"
        ),
        "",
        (
            f"Made by hardhull {__version__} from {code(about.base, table=False)} "
            f"at {plan.parent[:7]}."
        ),
    ]
    return "\n".join(lines)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
