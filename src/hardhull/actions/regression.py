"""Lines that a pull request takes away and whose loss is what is found: what the base has there.

A line is a candidate if the found text stands in its place, or if it speaks of what the fix would
write. It is told only if the finding goes once its part of the change is taken back.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hardhull.documents.source import Source
from hardhull.model import AppendItem, InsertInstruction, Items, Pairs, Scalar, SetValue
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hardhull.discover import Replaced
    from hardhull.model import Operation, Value
    from hardhull.outcome import Entry, Outcome

_MOST_LINES = 2000
"""Longer files are generated."""
_EXACT = 500
"""In longer files, lines that come again and again are no landmarks: comparing takes long else."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Lost:
    """A line of the base that is gone; `path` is relative to the root."""

    path: str
    text: str


class _Part(NamedTuple):
    """A part of a change: these lines of the base became those of the head."""

    old: range
    new: range


def lost_lines(
    old: Outcome,
    now: Outcome,
    entries: Iterable[Entry],
    scan: Callable[[Replaced], Outcome],
) -> Mapping[str, Lost]:
    """By fingerprint, the line of the base whose loss brought a finding about, where one did.

    `scan` is what is checked out with other files put in place; it is called once at most.
    """
    found: dict[str, tuple[Lost, _Part]] = {}
    for entry in entries:
        if (candidate := _candidate(old, now, entry)) is not None:
            found[entry.finding.fingerprint] = candidate
    if not found:
        return {}
    parts: dict[str, set[_Part]] = {}
    for lost, part in found.values():
        parts.setdefault(lost.path, set()).add(part)
    back = {path: partial(_taken_back, old, now, path, some) for path, some in parts.items()}
    again = scan(back)
    left = {entry.finding.fingerprint for entry in again.entries if entry.left}
    solved = {key: lost for key, (lost, _) in found.items() if key not in left}
    # A finding that only changed its place, such as to another number of stage, is not solved.
    fewer = _counts(now.entries)
    fewer.subtract(_counts(again.entries))
    claimed = _counts(entry for entry in now.entries if entry.finding.fingerprint in solved)
    return {
        entry.finding.fingerprint: solved[entry.finding.fingerprint]
        for entry in now.entries
        if entry.finding.fingerprint in solved and fewer[_kind(entry)] >= claimed[_kind(entry)]
    }


def _kind(entry: Entry) -> tuple[str, str]:
    return entry.finding.rule, entry.finding.path


def _counts(entries: Iterable[Entry]) -> Counter[tuple[str, str]]:
    return Counter(_kind(entry) for entry in entries if entry.left)


def _candidate(old: Outcome, now: Outcome, entry: Entry) -> tuple[Lost, _Part] | None:
    path = entry.finding.path
    before, after = _lines(old, path), _lines(now, path)
    if not before or not after or max(len(before), len(after)) > _MOST_LINES:
        return None
    parts = list(_parts(before, after))
    operations = entry.fix.operations if entry.fix is not None else ()
    words = {word.lower() for one in operations if one.path == path for word in _words(one)}
    for part in parts:
        for index in part.old:
            if words & set(_spoken(before[index])):
                return Lost(path, before[index].strip()), part
    place = place_of(now, entry.finding)
    for part in parts:
        if place.line - 1 in part.new and (text := before[part.old[0]].strip()):
            return Lost(path, text), part
    return None


def _lines(outcome: Outcome, path: str) -> list[str]:
    source = outcome.before.get(path)
    return _LINE.findall(source.text) if source is not None else []


def _parts(before: Sequence[str], after: Sequence[str]) -> Iterator[_Part]:
    """The parts that take something away."""
    rough = max(len(before), len(after)) > _EXACT
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=rough)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag in ("replace", "delete"):
            yield _Part(range(start, end), range(new_start, new_end))


def _spoken(line: str) -> Iterator[str]:
    """The words of a line that may name what it sets."""
    for word in line.lower().replace("=", " ").split():
        yield word.strip("\"',[]{}:-")


def _words(operation: Operation) -> Iterator[str]:
    """The words that a line would hold that says what this operation writes."""
    match operation:
        case SetValue(at=at, value=value) | AppendItem(at=at, value=value):
            yield from _leaves(value)
            if not isinstance(value, Pairs) and at and isinstance(at[-1], str):
                yield at[-1]
        case InsertInstruction(text=text):
            yield text.split(maxsplit=1)[0]
        case _:
            return


def _leaves(value: Value) -> Iterator[str]:
    """Keys whose values are no mappings, and what lists hold; `true` alone says nothing."""
    match value:
        case Pairs(pairs=pairs):
            for key, one in pairs:
                if not isinstance(one, Pairs):
                    yield key
                yield from _leaves(one)
        case Items(items=items):
            yield from (one.text for one in items if isinstance(one, Scalar))
        case Scalar():
            return


def _taken_back(old: Outcome, now: Outcome, path: str, parts: Iterable[_Part]) -> bytes:
    before, after = _lines(old, path), _lines(now, path)
    for part in sorted(parts, key=lambda one: one.new.start, reverse=True):
        lines = before[part.old.start : part.old.stop]
        if lines and not lines[-1].endswith("\n") and part.new.stop < len(after):
            lines[-1] += "\n"
        after[part.new.start : part.new.stop] = lines
    source = now.before[path]
    return Source(path, source.kind, "".join(after), source.bom).to_bytes()
