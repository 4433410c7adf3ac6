"""The engine: rule after rule, find, fix or refuse, render, prove, keep or withhold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from hardhull.documents.document import render
from hardhull.ledger import Ledger, Memory, find_all, propose
from hardhull.model import (
    AppendItem,
    Change,
    CreateFile,
    Edit,
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Phase,
    Refusal,
    RemoveInstruction,
    RemoveNode,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    SetValue,
    Unrenderable,
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
"""How often all rules are gone through; the last round changes nothing."""
PARTS = 50
"""How often one rule is asked again within a round."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding with the fix that was proposed for it."""

    finding: Finding
    fix: Fix


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
        surprise = _surprise(rules, final, known, gate, ledger)
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
    """Fix what one rule finds: all of it at once, or in the largest parts that can be verified.

    After each part the rule is asked anew, since operations speak of the text before them.
    """
    for _ in range(PARTS):
        candidates = _without_conflicts(_candidates(rule, context, gate, ledger))
        after = _attempt(rule, context, candidates, relink, ledger)
        if after is None:
            break
        context = after
    return context


def _candidates(rule: Rule, context: Context, gate: Gate, ledger: Ledger) -> list[Candidate]:
    """What a rule would fix now; why it would not is noted."""
    found: list[Candidate] = []
    for finding in find_all(rule, context, ledger):
        told_only = finding.level is Level.MANUAL
        if told_only or finding.key in ledger.failed or not gate(finding, context):
            continue
        fix = propose(rule, finding, context, ledger)
        if isinstance(fix, Refusal):
            ledger.refuse(finding, fix.reason, fix.path, _line(context, fix.path, fix.span))
        elif fix.level.rank > context.settings.level.rank:
            ledger.refuse(finding, f"needs a look ({fix.level.value}); only routine is wanted")
        else:
            found.append(Candidate(finding, fix))
    return found


def _without_conflicts(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Keep fixes that agree on every place they touch; the others wait for the next part."""
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
    match operation:
        case SetValue(path, at, _) | RemoveNode(path, at):
            return (path, at)
        case ReplaceWord(path, instruction, part, _):
            return (path, instruction, "word", part)
        case ReplaceFlag(path, instruction, part, _):
            return (path, instruction, "flag", part)
        case ReplaceDirective(path, name, _):
            return (path, name)
        case CreateFile(path, _):
            return (path, "create")
        case AppendItem() | InsertInstruction() | RemoveInstruction():
            return operation  # several may stand side by side
    assert_never(operation)


def _attempt(
    rule: Rule,
    context: Context,
    candidates: Sequence[Candidate],
    relink: Relink,
    ledger: Ledger,
) -> Context | None:
    """Render and prove these fixes together, or the first half of them that can be.

    None if nothing could; the reason is noted for each that failed by itself.
    """
    if not candidates:
        return None
    after = _verified(rule, context, candidates, relink, ledger)
    if not isinstance(after, str):
        return after
    if len(candidates) == 1:
        finding = candidates[0].finding
        ledger.failed.add(finding.key)
        ledger.refuse(finding, after)
        return None
    middle = len(candidates) // 2
    return _attempt(rule, context, candidates[:middle], relink, ledger) or _attempt(
        rule, context, candidates[middle:], relink, ledger
    )


def _verified(
    rule: Rule,
    context: Context,
    candidates: Sequence[Candidate],
    relink: Relink,
    ledger: Ledger,
) -> Context | str:
    """Apply these fixes, and keep them if the proof holds and their findings are gone."""
    outcome = _edited(context, candidates, ledger)
    if isinstance(outcome, str):
        return outcome
    documents, edits = outcome
    after = relink({**context.documents, **documents}, context)
    left = {finding.key for finding in find_all(rule, after, ledger)}
    if any(candidate.finding.key in left for candidate in candidates):
        return "the problem would still be there after the edit"
    for path, document in documents.items():
        seen = ledger.texts.setdefault(path, set())
        seen |= {context.document(path).source.text, document.source.text}
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
        before = context.document(path)
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


def _record(
    candidates: Sequence[Candidate], edits: Mapping[str, tuple[Edit, ...]], ledger: Ledger
) -> None:
    """Note the changes. The edits of a batch belong to its first change, which undoes them all."""
    for index, candidate in enumerate(candidates):
        own = tuple(edits.items()) if index == 0 else ()
        ledger.changes.append(Change(candidate.finding, candidate.fix, own))
        ledger.withheld.pop(candidate.finding.key, None)


def _places(rules: Iterable[Rule], context: Context, ledger: Ledger) -> set[tuple[str, str, str]]:
    return {
        (finding.rule, finding.path, finding.where)
        for rule in rules
        for finding in find_all(rule, context, ledger)
    }


def _surprise(
    rules: Sequence[Rule],
    final: Context,
    known: set[tuple[str, str, str]],
    gate: Gate,
    ledger: Ledger,
) -> Change | None:
    """The last change at a place that has a finding now which was not there at the start.

    What the user wants only reported, or has accepted, is no reason to take a change back.
    """
    if not ledger.changes:
        return None
    news = {
        (finding.rule, finding.path, finding.where)
        for rule in rules
        for finding in find_all(rule, final, ledger)
        if (finding.rule, finding.path, finding.where) not in known and gate(finding, final)
    }
    for rule, path, where in sorted(news):
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
