"""The engine: rule after rule, find, fix or refuse, render, prove, keep or withhold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull.conflicts import by_path, without_conflicts
from hardhull.documents.document import render
from hardhull.documents.source import is_generated
from hardhull.ledger import Candidate, Ledger, Memory, find_all, propose
from hardhull.model import (
    Change,
    Edit,
    Finding,
    Level,
    Phase,
    Refusal,
    Unrenderable,
    worst,
)
from hardhull.project.chart_edits import carried
from hardhull.project.chart_proof import differs
from hardhull.proof import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.model import Rule
    from hardhull.project.context import Context

    Documents = Mapping[str, Document]
    Relink = Callable[[Documents, Context], Context]
    Gate = Callable[[Finding, Context], bool]

ROUNDS = 5
"""How often all rules are gone through; the last round changes nothing."""
PARTS = 50
"""How often one rule is asked again within a round."""


def harden(
    context: Context, rules: Sequence[Rule], gate: Gate, relink: Relink, memory: Memory
) -> tuple[Context, Ledger]:
    """Apply rules in stages: what is routine to a fixed point, then what needs a look on top.

    `gate` says which findings may be fixed at all; the others were taken out by the user. If the
    texts after a stage hold a finding that nobody announced, the last fix at that place is undone
    and the run repeated without it in that stage.
    """
    stages = [level for level in Level if level.rank <= context.settings.level.rank]
    barred: dict[Level, set[tuple[str, ...]]] = {stage: set() for stage in stages}
    known = _places(rules, context, Ledger(memory=memory))
    while True:
        ledger = Ledger(memory=memory)
        final = context
        surprise: Change | None = None
        for stage in stages:
            ledger.stage, ledger.failed = stage, ledger.failed | barred[stage]
            final = _run(final, rules, gate, relink, ledger)
            surprise = _surprise(rules, final, known, gate, ledger)
            if surprise is not None:
                # It may be that the next stage mends what a fix of this one brought up.
                _bar(surprise, ledger, barred)
                break
            ledger.failed -= barred[stage]
        if surprise is None:
            _note_barred(ledger, set().union(*barred.values()), final, rules)
            return final, ledger


def _bar(surprise: Change, ledger: Ledger, barred: Mapping[Level, set[tuple[str, ...]]]) -> None:
    """Bar a fix in the stage that ended with a surprise, and in all before it."""
    for stage, keys in barred.items():
        if stage.rank <= ledger.stage.rank:
            keys.add(surprise.finding.key)


def _run(
    context: Context, rules: Sequence[Rule], gate: Gate, relink: Relink, ledger: Ledger
) -> Context:
    """One stage: HARDEN to a fixed point, then PIN on what that left."""
    for phase in Phase:
        ordered = [rule for rule in rules if rule.phase is phase and rule.fix is not None]
        if phase is Phase.PIN:
            ledger.awaited = _awaited(ordered, context, relink, ledger)
        for _ in range(ROUNDS):
            before = len(ledger.changes)
            ledger.put_off = {}  # after the last round, which changes nothing, it speaks of now
            for rule in ordered:
                context = _apply_rule(rule, context, gate, relink, ledger)
            if len(ledger.changes) == before:
                break
    return context


def _awaited(
    rules: Sequence[Rule], context: Context, relink: Relink, ledger: Ledger
) -> frozenset[tuple[str, ...]]:
    """Findings of these rules that the fixes put off to the next stage would change.

    A pin is for the final reference: pinned before its tag changes, it names the wrong image.
    """
    later = without_conflicts(ledger.put_off.values())
    if not later:
        return frozenset()
    now = [finding for rule in rules for finding in find_all(rule, context, ledger)]
    edited = _edited(context, later, ledger)
    if isinstance(edited, str):
        touched = set(by_path(later))
        return frozenset(finding.key for finding in now if finding.path in touched)
    then = relink({**context.documents, **edited[0]}, context)
    scratch = Ledger()
    stay = {finding.key for rule in rules for finding in find_all(rule, then, scratch)}
    return frozenset(finding.key for finding in now if finding.key not in stay)


def _apply_rule(
    rule: Rule, context: Context, gate: Gate, relink: Relink, ledger: Ledger
) -> Context:
    """Fix what one rule finds: all of it at once, or in the largest parts that can be verified.

    After each part the rule is asked anew, since operations speak of the text before them.
    """
    for _ in range(PARTS):
        candidates = without_conflicts(_candidates(rule, context, gate, ledger))
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
        elif fix.level.rank > ledger.stage.rank or finding.key in ledger.awaited:
            ledger.put_off[finding.key] = Candidate(finding, fix)
        else:
            # What only a change that needs a look made possible is as sure as that change is.
            found.append(Candidate(finding, replace(fix, level=worst(fix.level, ledger.stage))))
    return found


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
    otherwise = differs(context.project.charts, after.project.charts, by_path(candidates))
    if otherwise is not None:
        return otherwise
    left = {finding.key for finding in find_all(rule, after, ledger)}
    if any(candidate.finding.key in left for candidate in candidates):
        return "the problem would still be there after the edit"
    for path, document in documents.items():
        seen = ledger.texts.setdefault(path, set())
        seen |= {context.document(path).source.text, document.source.text}
    _record(candidates, edits, context, ledger)
    return after


def _edited(
    context: Context, candidates: Sequence[Candidate], ledger: Ledger
) -> tuple[dict[str, Document], dict[str, tuple[Edit, ...]]] | str:
    documents: dict[str, Document] = {}
    edits: dict[str, tuple[Edit, ...]] = {}
    try:
        changes = carried(context.project.charts, by_path(candidates))
        edits |= {path: tuple(sorted(made)) for path, made in changes.edits.items()}
        for path, wanted in changes.operations.items():
            edits[path] = render(context.document(path), wanted)
    except Unrenderable as error:
        line = _line(context, error.path, error.span)
        return f"{error.path}:{line}: {error.reason}" if line else f"{error.path}: {error.reason}"
    for path, made in edits.items():
        if is_generated(context.document(path).source):
            return f"{path}: its first lines say that a program writes it: change that"
        proved = prove(context.document(path), changes.operations.get(path, ()), made)
        if isinstance(proved, str):
            return f"{path}: {proved}"
        if proved.source.text in ledger.texts.get(path, ()):
            others = {change.finding.rule for change in ledger.changes if path in change.fix.paths}
            return f"it would undo what {', '.join(sorted(others))} did"
        documents[path] = proved
    return documents, edits


def _record(
    candidates: Sequence[Candidate],
    edits: Mapping[str, tuple[Edit, ...]],
    context: Context,
    ledger: Ledger,
) -> None:
    """Note the changes. The edits of a batch belong to its first change, which undoes them all."""
    for index, candidate in enumerate(candidates):
        own = tuple(edits.items()) if index == 0 else ()
        made = carried(context.project.charts, by_path([candidate]))
        files = tuple(sorted({*made.operations, *made.edits}))
        ledger.changes.append(Change(candidate.finding, candidate.fix, own, files))
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
    told = [held.finding for held in ledger.withheld.values()]
    told += [candidate.finding for candidate in ledger.put_off.values()]
    seen = {(finding.rule, finding.where) for finding in told}
    for rule, path, where in sorted(news):
        if (rule, where) in seen:
            continue  # a rule that saw it already, and said why it stays, or will mend it
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
