"""The report for a person: grouped by application, and last what to type next."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.model import Level
from hardhull.outcome import Status
from hardhull.report import standing
from hardhull.report.grouping import by_application, introduction
from hardhull.report.neutral import plain
from hardhull.report.notes import notes_of
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.model import Skipped
    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

_ALIKE = 3
"""So many held-back findings of a rule, or files skipped for one reason, are listed by name."""
_SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Row:
    """One finding. `word` says what became of it, or how bad it is."""

    word: str
    place: str
    what: str
    why: str
    rule: str


@dataclass(frozen=True, slots=True)
class Block:
    """An application, or what belongs to none, with its rows."""

    title: str
    detail: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """What is counted over all roots."""

    files: int = 0
    changes: int = 0
    review: int = 0
    held: int = 0
    fixable: int = 0
    left: Counter[str] = field(default_factory=Counter)
    """Findings that are neither fixed nor accepted, by severity."""

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.files + other.files,
            self.changes + other.changes,
            self.review + other.review,
            self.held + other.held,
            self.fixable + other.fixable,
            self.left + other.left,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The report of one root, ready to be laid out."""

    root: Root
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    pods: tuple[str, ...]
    """Workloads whose Pod Security level changed, or is not the wanted one."""
    skipped: tuple[str, ...]
    totals: Totals
    changed: tuple[str, ...]
    """Changed files, relative to the root."""
    contacted: tuple[str, ...] = ()


# ---------------------------------------------------------------- what is said


def page_of(outcome: Outcome, root: Root) -> Page:
    """Say what happened in one root."""
    blocks = []
    for app, entries in by_application(outcome):
        rows = _shortened([_row(outcome, entry) for entry in entries])
        title, detail = "other", "belongs to no application found here"
        if app is not None:
            title, detail = plain(app.name), plain(introduction(app))
        blocks.append(Block(title, detail, rows))
    return Page(
        root,
        tuple(blocks),
        (*_notes(outcome.entries), *map(plain, outcome.notes)),
        _pods(outcome),
        _skipped(outcome.skipped),
        _totals(outcome),
        outcome.changed,
        outcome.contacted,
    )


def _row(outcome: Outcome, entry: Entry) -> Row:
    finding, change = entry.finding, entry.change
    place = f"{finding.path}:{place_of(outcome, finding).line}" if finding.path else ""
    row = Row(
        finding.severity.value,
        plain(place),
        plain(finding.message),
        plain(entry.reason.removeprefix(f"{place}: ")),
        finding.rule,
    )
    match entry.status:
        case Status.FIXED if change is not None:
            word = "review" if change.fix.level is Level.REVIEW else "fixed"
            unchecked = [said for said in finding.evidence if said.startswith("not checked")]
            why = plain("; ".join(unchecked)) if unchecked and word == "review" else row.what
            row = replace(row, word=word, what=plain(change.fix.summary), why=why)
        case Status.WITHHELD:
            row = replace(row, word="held")
        case Status.ACCEPTED:
            row = replace(row, word="accepted")
        case _ if entry.fix is not None:
            mark = " (review)" if entry.fix.level is Level.REVIEW else ""
            row = replace(row, why=f"fix{mark}: {plain(entry.fix.summary)}")
        case _:
            row = replace(row, why=row.why or "reported only")
    return row


def _notes(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What the fixes ask a maintainer to know; what several say is said once."""
    fixes = (entry.change.fix if entry.change is not None else entry.fix for entry in entries)
    return tuple(plain(note) for note in notes_of(fix for fix in fixes if fix is not None))


def _pods(outcome: Outcome) -> tuple[str, ...]:
    """A line for workloads of which the same is to be said about Pod Security."""
    lines = []
    for told in standing.told(outcome):
        first = told.standings[0].workload
        more = len(told.standings) - 1
        others = f" and {more} more" if more else ""
        line = f"{plain(first.path)} {plain(first.where)}{others}: {told.change}"
        if told.missing:
            line += f"; for {standing.wanted(outcome)}: {', '.join(told.missing)}"
        lines.append(line)
    return tuple(lines)


def _skipped(skipped: Iterable[Skipped]) -> tuple[str, ...]:
    """Lines about what was not read; many files with one reason share a line."""
    reasons: dict[str, list[str]] = {}
    for skip in skipped:
        place = f"{skip.path}:{skip.line}" if skip.line else skip.path
        reasons.setdefault(skip.reason, []).append(place)
    lines = []
    for reason, places in reasons.items():
        if len(places) > _ALIKE:
            lines.append(f"{plain(places[0])} and {len(places) - 1} more  {plain(reason)}")
        else:
            lines += [f"{plain(place)}  {plain(reason)}" for place in places]
    return tuple(lines)


def _shortened(rows: Sequence[Row]) -> tuple[Row, ...]:
    """List a few held-back findings of each rule, and count the others."""
    seen: Counter[str] = Counter()
    shown: list[Row] = []
    for row in rows:
        seen[row.rule] += row.word == "held"
        if row.word != "held" or seen[row.rule] <= _ALIKE:
            shown.append(row)
    for rule, count in seen.items():
        if count > _ALIKE:
            shown.append(Row("held", f"and {count - _ALIKE} more", "", "", rule))
    return tuple(shown)


def _totals(outcome: Outcome) -> Totals:
    open_entries = [e for e in outcome.entries if e.status in (Status.UNFIXED, Status.WITHHELD)]
    return Totals(
        len(outcome.changed),
        len(outcome.changes),
        sum(change.fix.level is Level.REVIEW for change in outcome.changes),
        sum(entry.status is Status.WITHHELD for entry in outcome.entries),
        sum(entry.fix is not None for entry in open_entries),
        Counter(entry.finding.severity.value for entry in open_entries),
    )


# ---------------------------------------------------------------- what to type next


@dataclass(frozen=True, slots=True)
class Told:
    """What the user asked for, as far as the last lines depend on it."""

    fixing: bool
    written: bool
    undo: tuple[str, ...] = ()
    """Commands that bring the old texts back."""
    paths: tuple[str, ...] = ()
    git: bool = True
    """Whether git knows all changed files."""


def closing(pages: Sequence[Page], told: Told) -> list[str]:
    """The last lines: what was done in one sentence, and the next commands."""
    totals = sum((page.totals for page in pages), Totals())
    few = len(told.paths) <= _ALIKE
    paths = "".join(f" {plain(shlex.quote(path))}" for path in told.paths) if few else " PATH"
    if told.fixing:
        lines = _closing_fix(totals, told)
    elif totals.left.total():
        lines = [_count_left(totals)]
        if totals.fixable:
            # A scan tries no fix: what waits for another one is not counted.
            lines[0] += f", at least {totals.fixable} can be fixed. "
            lines[0] += f"See how: hardhull fix --diff{paths}"
        else:
            lines[0] += ", none can be fixed here."
    else:
        lines = []
    hosts = sorted({host for page in pages for host in page.contacted})
    lines += [f"Contacted: {plain(', '.join(hosts))}"] if hosts else []
    rule = _worth_explaining(pages)
    return lines + ([f"About a rule: hardhull explain {rule}"] if rule else [])


def _closing_fix(totals: Totals, told: Told) -> list[str]:
    if not totals.files:
        return [_count_left(totals) + ", nothing was changed."] if totals.left.total() else []
    verb = "changed" if told.written else "would change"
    parts = [f"{_number(totals.files, 'file')} {verb}"]
    if totals.review:
        parts.append(f"{totals.review} for review")
    if totals.held:
        parts.append(f"{totals.held} held back")
    sentence = ", ".join(parts) + "."
    if not told.written:
        return [f"{sentence} Nothing was written; to apply: the same without --diff"]
    if not told.git:
        return [f"{sentence} Not in a git repository: nothing can undo this."]
    return [f"{sentence} Undo: {'; '.join(told.undo)}" if told.undo else sentence]


def undo_of(folder: str, paths: Iterable[str], created: Iterable[str] = ()) -> str:
    """The command that brings files back which lie in one repository, and removes new ones."""
    where = f"-C {shlex.quote(folder)} " if folder != "." else ""
    commands = [
        f"git {where}{verb} {' '.join(map(shlex.quote, some))}"
        for verb, some in (("restore", tuple(paths)), ("clean -f", tuple(created)))
        if some
    ]
    return plain(" && ".join(commands))


def _count_left(totals: Totals) -> str:
    severities = [f"{totals.left[word]} {word}" for word in _SEVERITIES if totals.left[word]]
    return f"{_number(totals.left.total(), 'finding')} ({', '.join(severities)})"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _worth_explaining(pages: Sequence[Page]) -> str:
    """The rule one would ask about: of a held-back finding, else of the worst one left."""
    rows = [row for page in pages for block in page.blocks for row in block.rows]
    for word in ("held", "review", *_SEVERITIES):
        for row in rows:
            if row.word == word:
                return row.rule
    return ""


# ---------------------------------------------------------------- without a terminal


def lines_of(pages: Sequence[Page], told: Told) -> list[str]:
    """The report as plain lines."""
    lines: list[str] = []
    for page in pages:
        if not (page.blocks or page.pods or page.skipped):
            continue
        if page.root.label != ".":
            lines += [*([""] if lines else []), f"{plain(page.root.label)}:"]
        widths = _widths([row for block in page.blocks for row in block.rows])
        for block in page.blocks:
            lines += [f"{block.title}  {block.detail}", *_table(block.rows, widths)]
        lines += [f"note  {note}" for note in page.notes]
        lines += [f"pod security  {line}" for line in page.pods]
        lines += [f"skipped  {line}" for line in page.skipped]
    last = closing(pages, told)
    return lines + ([""] if lines and last else []) + last


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.word, row.place, row.what, row.why


def _widths(rows: Iterable[Row]) -> list[int]:
    # A column is as wide as its widest cell, but one very long cell must not push all others.
    return [min(max(map(len, column)), 48) for column in zip(*map(_cells, rows), strict=True)]


def _table(rows: Iterable[Row], widths: Sequence[int]) -> list[str]:
    lines = []
    for row in rows:
        cells = zip(_cells(row), widths, strict=True)
        lines.append(f"  {'  '.join(cell.ljust(width) for cell, width in cells)}  [{row.rule}]")
    return lines
