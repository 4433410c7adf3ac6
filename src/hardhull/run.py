"""The story of one run, read from top to bottom: survey, find, harden, pin, conclude."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from hardhull.acceptance import ID as STALE
from hardhull.acceptance import Decisions, as_findings
from hardhull.conclusion import (
    entries,
    explain,
    left_to_updates,
    left_to_windows,
    refreshers,
    standings,
)
from hardhull.engine import harden
from hardhull.ledger import Ledger, find_all
from hardhull.model import Crash
from hardhull.outcome import Outcome
from hardhull.rules import RULES
from hardhull.survey import informed, relink, survey

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hardhull.facts.asking import Answers
    from hardhull.facts.gather import Recorded
    from hardhull.facts.lookups import Wanted
    from hardhull.model import Finding, Fix
    from hardhull.project.context import Context
    from hardhull.project.updaters import OpenUpdate
    from hardhull.settings import Settings

    Ask: TypeAlias = Callable[[tuple[Wanted, ...]], Answers]


def run(  # noqa: PLR0913  everything a run depends on is named here
    root: Path,
    settings: Settings,
    *,
    recorded: Mapping[str, Recorded] | None = None,
    fixing: bool,
    today: datetime.date | None = None,
    rejected: frozenset[str] = frozenset(),
    refreshing: bool = True,
    updates: tuple[OpenUpdate, ...] = (),
    ask: Ask | None = None,
) -> Outcome:
    """Scan or harden one root. Nothing is written: the outcome holds the new texts.

    `rejected` holds fingerprints of findings that are not to be fixed. They are taken out before
    the rules run, so that what depends on them is refused with them. A run that is not
    `refreshing` leaves the digests of tags that moved for one that is. `updates` are open pull
    requests of update tools, to which it leaves theirs. `ask` looks up images that
    are not recorded; without it nothing is contacted.
    """
    context = survey(
        root, settings, recorded=recorded, today=today, refreshing=refreshing, updates=updates
    )
    outcome = conclude(root, context, fixing=fixing, rejected=rejected)
    # Only a run shows what must be known: the references to pin are those that are left at its end.
    asked = _unknown(outcome, context) if ask is not None else ()
    if ask is None or not asked:
        return outcome
    answers = ask(asked)
    if answers.images or answers.failures:
        context = informed(context, answers)
        outcome = conclude(root, context, fixing=fixing, rejected=rejected)
    traces = tuple(Crash("look-up", n, f.trace) for n, f in answers.failures.items() if f.trace)
    return replace(
        outcome,
        contacted=answers.contacted,
        notes=(*outcome.notes, *answers.notes),
        crashes=(*outcome.crashes, *traces),
    )


def _unknown(outcome: Outcome, context: Context) -> tuple[Wanted, ...]:
    """What the run wants to know and nobody recorded."""
    from hardhull.wanted import wanted  # noqa: PLC0415  slow to import, and a scan asks nobody

    return tuple(one for one in wanted(outcome) if one.name not in context.facts.recorded)


def conclude(
    root: Path, context: Context, *, fixing: bool, rejected: frozenset[str] = frozenset()
) -> Outcome:
    """Find, fix if wanted, and say what became of every finding."""
    rules = tuple(rule for rule in RULES if context.settings.state_of(rule) != "off")
    decisions = Decisions.read(context, rules)
    ledger = Ledger()
    before = [finding for rule in rules for finding in find_all(rule, context, ledger)]
    accepted = {f.key: a for f in before if (a := decisions.accepted(f, context)) is not None}
    if any(rule.id == STALE for rule in rules):
        errors = (*decisions.errors, *decisions.unused(before, context))
        before += as_findings(errors, context)

    def gate(finding: Finding, now: Context) -> bool:
        if context.settings.state_of_id(finding.rule) != "fix" or finding.key in accepted:
            return False
        if rejected and finding.fingerprint in rejected:
            return False
        return not decisions.marks or Decisions.read(now, rules).accepted(finding, now) is None

    final = context
    proposed: Mapping[tuple[str, ...], Fix] = {}
    if fixing:
        final, ledger = harden(context, rules, gate, relink, ledger.memory)
    else:
        proposed = explain(rules, before, context, ledger)
    left = {f.key: f for rule in rules for f in find_all(rule, final, ledger)} if fixing else None
    ledger.forget_solved(left)
    later = [change.finding for change in ledger.changes]
    later += [held.finding for held in ledger.withheld.values()]
    told = entries([*before, *later], accepted, ledger, proposed, left)
    return Outcome(
        root,
        context.project,
        rules,
        {path: context.document(path).source for path in final.documents},
        {path: document.source for path, document in final.documents.items()},
        told,
        tuple(ledger.changes),
        tuple(entry_withheld for entry_withheld in ledger.withheld.values()),
        tuple(accepted.values()),
        (
            *context.project.workspace.skipped,
            *context.project.charts.skipped,
            *context.project.kustomize.skipped,
        ),
        tuple(ledger.memory.crashes.values()),
        fixing,
        (
            *refreshers(told, rules, context.project.workspace),
            *left_to_updates(context.project, rules),
            *left_to_windows(context.project),
        ),
        pod_security=standings(rules, context, final),
    )
