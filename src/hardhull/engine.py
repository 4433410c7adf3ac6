"""The engine: rule after rule, find, fix or refuse, render, prove, keep or withhold."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hardhull.documents.document import render
from hardhull.documents.source import is_generated
from hardhull.model import (
    Change,
    Crash,
    Edit,
    Finding,
    Fix,
    Level,
    Phase,
    Refusal,
    Unrenderable,
    Withheld,
    worst,
)
from hardhull.proof import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.model import Operation, Rule
    from hardhull.project.context import Context

    Documents = Mapping[str, Document]
    Relink = Callable[[Documents, Context], Context]
    Gate = Callable[[Finding, Context], bool]

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding with the fix that was proposed for it."""

    finding: Finding
    fix: Fix


@dataclass
class Memory:
    """What each rule found in the latest project, so that nothing is asked twice."""

    project: object = None
    found: dict[str, list[Finding]] = field(default_factory=dict)
    crashes: dict[tuple[str, str], Crash] = field(default_factory=dict)

    def note_crash(self, rule: str, where: str) -> None:
        """Keep what a rule raised just now, once for each place."""
        self.crashes.setdefault((rule, where), Crash(rule, where, traceback.format_exc(limit=-6)))

    def of(self, project: object) -> dict[str, list[Finding]]:
        """The findings by rule in this project; those of an earlier one are forgotten."""
        if self.project is not project:
            self.project, self.found = project, {}
        return self.found


@dataclass
class Ledger:
    """What has happened so far; with its memory the only thing in the engine that changes."""

    changes: list[Change] = field(default_factory=list)
    withheld: dict[tuple[str, str, str, str], Withheld] = field(default_factory=dict)
    failed: set[tuple[str, ...]] = field(default_factory=set)
    texts: dict[str, set[str]] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def forget_solved(self, left: Mapping[tuple[str, str, str, str], Finding] | None) -> None:
        """Drop refusals of findings that something else solved; `left` are those that remain."""
        if left is not None:
            self.withheld = {key: held for key, held in self.withheld.items() if key in left}

    def refuse(self, finding: Finding, reason: str, path: str = "", line: int = 0) -> None:
        """Note why a finding is not fixed; a later reason replaces an earlier one."""
        self.withheld[finding.key] = Withheld(finding, reason, path, line)


def find_all(rule: Rule, context: Context, ledger: Ledger) -> list[Finding]:
    """Run a rule over all its subjects. A rule that raises is our bug: noted, not fatal."""
    known = ledger.memory.of(context.project)
    if rule.id in known:
        return known[rule.id]
    found: list[Finding] = []
    for subject in context.subjects(rule.subject):
        try:
            found += rule.find(subject, context)
        except Exception:  # noqa: BLE001  one rule's bug must not stop the run
            where = str(getattr(subject, "where", "") or getattr(subject, "name", ""))
            ledger.memory.note_crash(rule.id, where)
    known[rule.id] = _told_apart(found)
    return known[rule.id]


def _told_apart(found: Iterable[Finding]) -> list[Finding]:
    """Drop repeated findings; number those that stand at different places of one name."""
    unique: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        unique.setdefault((finding.key, finding.span), finding)
    counted: dict[tuple[str, ...], int] = {}
    told: list[Finding] = []
    for finding in sorted(unique.values(), key=lambda one: (one.path, one.span)):
        number = counted[finding.key] = counted.get(finding.key, 0) + 1
        told.append(
            finding if number == 1 else replace(finding, where=f"{finding.where} #{number}")
        )
    return told


def propose(rule: Rule, finding: Finding, context: Context, ledger: Ledger) -> Fix | Refusal:
    """Ask a rule for its fix, with the level that finding and fix deserve together."""
    if rule.fix is None or finding.level is Level.MANUAL:
        return Refusal("reported only")
    try:
        fix = rule.fix(finding, context)
    except Exception:  # noqa: BLE001  as above
        ledger.memory.note_crash(rule.id, finding.where)
        return Refusal("hardhull failed here; this is a bug of ours")
    if isinstance(fix, Refusal):
        return fix
    for path in fix.paths:
        if is_generated(context.documents[path].source):
            return Refusal("the file's first lines say that a program writes it: change that", path)
    return replace(fix, level=worst(fix.level, finding.level))


def harden(
    context: Context, rules: Sequence[Rule], gate: Gate, relink: Relink, memory: Memory
) -> tuple[Context, Ledger]:
    """Apply rules until nothing changes; HARDEN to a fixed point, then PIN on the final text.

    `gate` says which findings may be fixed at all; the others were taken out by the user. If the
    final texts hold a finding that nobody announced, the last fix at that place is undone and the
    run repeated without it.
    """
    barred: set[tuple[str, ...]] = set()
    known = _places(rules, context, Ledger(memory=memory))
    while True:
        ledger = Ledger(failed=set(barred), memory=memory)
        final = _run(context, rules, gate, relink, ledger)
        surprise = _surprise(rules, final, known, ledger)
        if surprise is None:
            _note_barred(ledger, barred, final, rules)
            return final, ledger
        barred.add(surprise.finding.key)


def _run(
    context: Context, rules: Sequence[Rule], gate: Gate, relink: Relink, ledger: Ledger
) -> Context:
    for phase in Phase:
        ordered = [rule for rule in rules if rule.phase is phase and rule.fix is not None]
        for _ in range(ROUNDS):
            before = len(ledger.changes)
            for rule in ordered:
                context = _apply_rule(rule, context, gate, relink, ledger)
            if len(ledger.changes) == before:
                break
    return context


def _apply_rule(
    rule: Rule, context: Context, gate: Gate, relink: Relink, ledger: Ledger
) -> Context:
    """Fix what one rule finds: all of it at once, or one by one if that can't be verified."""
    candidates = []
    for finding in find_all(rule, context, ledger):
        told_only = finding.level is Level.MANUAL
        if told_only or finding.key in ledger.failed or not gate(finding, context):
            continue
        fix = propose(rule, finding, context, ledger)
        if isinstance(fix, Refusal):
            line = _line(context, fix.path, fix.span)
            ledger.refuse(finding, fix.reason, fix.path, line)
        elif fix.level.rank > context.settings.level.rank:
            ledger.refuse(finding, f"needs a look ({fix.level.value}); only routine is wanted")
        else:
            candidates.append(Candidate(finding, fix))
    candidates = _without_conflicts(candidates)
    if not candidates:
        return context
    together = _attempt(rule, context, candidates, relink, ledger)
    if together is not None:
        return together
    for candidate in candidates:
        context = _attempt(rule, context, [candidate], relink, ledger) or context
    return context


def _without_conflicts(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Keep fixes that agree on every place they touch; the others wait for the next round."""
    chosen: list[Candidate] = []
    taken: dict[object, Operation] = {}
    for candidate in candidates:
        places = {_place(operation): operation for operation in candidate.fix.operations}
        if all(taken.get(place, operation) == operation for place, operation in places.items()):
            taken |= places
            chosen.append(candidate)
    return chosen


def _place(operation: Operation) -> object:
    """What an operation touches: two operations on one place must be equal to be one."""
    for names in (("at",), ("instruction", "word"), ("instruction", "flag"), ("name",)):
        if all(hasattr(operation, name) for name in names):
            where = tuple(getattr(operation, name) for name in names)
            same_list = getattr(operation, "value", None) if names == ("at",) else None
            appended = same_list if type(operation).__name__ == "AppendItem" else None
            return (operation.path, names[-1], where, appended)
    return (operation.path, type(operation).__name__, operation)


def _attempt(
    rule: Rule,
    context: Context,
    candidates: Sequence[Candidate],
    relink: Relink,
    ledger: Ledger,
) -> Context | None:
    """Render and prove these fixes together. None, and the reason noted if it was one alone."""
    outcome = _edited(context, candidates, ledger)
    if isinstance(outcome, str):
        _give_up(candidates, outcome, ledger)
        return None
    documents, edits = outcome
    after = relink({**context.documents, **documents}, context)
    left = {finding.key for finding in find_all(rule, after, ledger)}
    if any(candidate.finding.key in left for candidate in candidates):
        _give_up(candidates, "the problem would still be there after the edit", ledger)
        return None
    for path, document in documents.items():
        seen = ledger.texts.setdefault(path, set())
        seen |= {context.documents[path].source.text, document.source.text}
    _record(candidates, edits, ledger)
    return after


def _edited(
    context: Context, candidates: Sequence[Candidate], ledger: Ledger
) -> tuple[dict[str, Document], dict[str, tuple[Edit, ...]]] | str:
    operations: dict[str, list[Operation]] = {}
    for candidate in candidates:
        for operation in candidate.fix.operations:
            listed = operations.setdefault(operation.path, [])
            if operation not in listed:
                listed.append(operation)
    documents: dict[str, Document] = {}
    edits: dict[str, tuple[Edit, ...]] = {}
    for path, wanted in operations.items():
        before = context.documents[path]
        try:
            edits[path] = render(before, wanted)
        except Unrenderable as error:
            line = before.source.line_of(error.span.start) if error.span else 0
            return f"{path}:{line}: {error.reason}" if line else f"{path}: {error.reason}"
        proved = prove(before, wanted, edits[path])
        if isinstance(proved, str):
            return f"{path}: {proved}"
        if proved.source.text in ledger.texts.get(path, ()):
            others = {change.finding.rule for change in ledger.changes if path in change.fix.paths}
            return f"it would undo what {', '.join(sorted(others))} did"
        documents[path] = proved
    return documents, edits


def _give_up(candidates: Sequence[Candidate], reason: str, ledger: Ledger) -> None:
    if len(candidates) == 1:
        finding = candidates[0].finding
        ledger.failed.add(finding.key)
        ledger.refuse(finding, reason)


def _record(
    candidates: Sequence[Candidate], edits: Mapping[str, tuple[Edit, ...]], ledger: Ledger
) -> None:
    """Note the changes. The edits of a batch belong to its first change, which undoes them all."""
    for index, candidate in enumerate(candidates):
        own = tuple(edits.items()) if index == 0 else ()
        ledger.changes.append(Change(candidate.finding, candidate.fix, own))
        ledger.withheld.pop(candidate.finding.key, None)


def _places(
    rules: Iterable[Rule], context: Context, ledger: Ledger
) -> set[tuple[str, str, str]]:
    return {
        (finding.rule, finding.path, finding.where)
        for rule in rules
        for finding in find_all(rule, context, ledger)
    }


def _surprise(
    rules: Sequence[Rule], final: Context, known: set[tuple[str, str, str]], ledger: Ledger
) -> Change | None:
    """The last change at a place that has a finding now which was not there at the start."""
    if not ledger.changes:
        return None
    for rule, path, where in sorted(_places(rules, final, ledger) - known):
        if any(
            held.finding.rule == rule and held.finding.where == where
            for held in ledger.withheld.values()
        ):
            continue  # a rule that saw it already, and said why it stays
        touching = [c for c in ledger.changes if path in c.fix.paths and c.finding.rule != rule]
        same_place = [change for change in touching if change.finding.where == where]
        if touching:
            return (same_place or touching)[-1]
    return None


def _note_barred(
    ledger: Ledger, barred: set[tuple[str, ...]], final: Context, rules: Sequence[Rule]
) -> None:
    for rule in rules if barred else ():
        for finding in find_all(rule, final, ledger):
            if finding.key in barred:
                ledger.refuse(finding, "its fix would cause another finding at the same place")


def _line(context: Context, path: str, span: Any) -> int:
    document = context.documents.get(path)
    return document.source.line_of(span.start) if document is not None and span is not None else 0
