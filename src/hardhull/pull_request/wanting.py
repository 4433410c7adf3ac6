"""What should be on GitHub: one plan and one text for each part, from runs of hardhull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import Phase
from hardhull.outcome import Status
from hardhull.pull_request.body import write
from hardhull.pull_request.codeowners import CodeOwners
from hardhull.pull_request.commits import plan_commits
from hardhull.pull_request.options import SplitBy
from hardhull.pull_request.split import parts_of
from hardhull.pull_request.unchanged import About
from hardhull.pull_request.view import Wanted
from hardhull.report.neutral import plain
from hardhull.rules.images.unpinned_image import ID as UNPINNED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hardhull.outcome import Outcome
    from hardhull.pull_request.checkout import Checkout
    from hardhull.pull_request.memory import Memory
    from hardhull.pull_request.options import PullRequestOptions
    from hardhull.pull_request.seen import Seen
    from hardhull.pull_request.split import Part

    Ask = Callable[[frozenset[str]], Outcome]

_ROUNDS = 5
_WAITING = (
    "Its checks wait: they were asked for with GITHUB_TOKEN, so someone with write access has to "
    "approve their run. A GitHub App's token lets them start by themselves."
)


@dataclass(frozen=True, slots=True)
class Wants:
    """What is wanted by branch; empty if nothing is left to change.

    `waiting` is that of About, `unknown` and `failed` are those of View.
    """

    parts: Mapping[str, Wanted]
    waiting: str = ""
    unknown: frozenset[str] = frozenset()
    failed: bool = False
    notes: tuple[str, ...] = ()


def parts(
    options: PullRequestOptions, checkout: Checkout, outcome: Outcome, root: Path
) -> tuple[Part, ...]:
    """The parts that an outcome is split into."""
    owners = CodeOwners.committed(root) if options.split_by is SplitBy.CODEOWNERS else CodeOwners()
    return parts_of(outcome, options.split_by, owners, checkout.prefix)


def wants(
    options: PullRequestOptions,
    checkout: Checkout,
    ask: Ask,
    root: Path,
    seen: Seen,
    memory: Memory,
) -> Wants:
    """Run without what people refused, part what is left, and plan each part by itself."""
    if seen.base is None:
        raise ValueError("without a base nothing is wanted")
    rejected, notes = _rejected(checkout, ask, memory)
    outcome = ask(rejected)
    found = parts(options, checkout, outcome, root)
    everything = frozenset().union(*(part.fixes for part in found))
    waiting = _WAITING if seen.waits_for_approval and seen.base.needs_checks else ""
    if waiting and found:
        notes.append(_WAITING)
    wanted: dict[str, Wanted] = {}
    for part in found:
        own = outcome if len(found) == 1 else ask(rejected | (everything - part.fixes))
        if not own.changes:
            notes.append(f"{plain(part.name)}: waits for another part")
            continue
        plan = plan_commits(own, checkout)
        about = About(
            seen.base.name,
            checkout.prefix,
            options.title,
            memory.refused,
            waiting,
            len(outcome.changes) - len(own.changes),
        )
        wanted[_name(options, seen, part)] = Wanted(plan, write(own, plan, about))
    return Wants(wanted, waiting, _unknown(outcome), bool(outcome.crashes), tuple(notes))


def _unknown(outcome: Outcome) -> frozenset[str]:
    """Fixes that this run could not judge, because their digest is not known."""
    facts = outcome.project.workspace.facts
    pins = {rule.id for rule in outcome.rules if rule.phase is Phase.PIN}
    withheld = {e.finding for e in outcome.entries if e.status is Status.WITHHELD}
    return frozenset(
        finding.fingerprint
        for finding in withheld
        if finding.rule in pins and facts.digest(finding.what) is None
    )


def _name(options: PullRequestOptions, seen: Seen, part: Part) -> str:
    """The branch of a part. Where `hardhull/…` is a branch, `hardhull` itself can't be one."""
    name = options.branch + part.suffix
    taken = any(other.startswith(f"{name}/") for other in seen.names)
    return f"{name}-fix" if taken else name


def _rejected(checkout: Checkout, ask: Ask, memory: Memory) -> tuple[frozenset[str], list[str]]:
    """What is taken out before the rules run: refused, reverted, or in files we can't write.

    What depends on it is refused with it by the run; a result is never filtered.
    """
    rejected, notes = memory.refused, []
    reverted: set[str] = set()
    left: dict[str, str] = {}
    for _ in range(_ROUNDS):
        outcome = ask(rejected)
        back = {
            change.finding.fingerprint
            for change in outcome.changes
            if change.finding.fingerprint in memory.reverted
            and _stays(outcome, change.finding.rule)
        }
        unwritable = checkout.unwritable(outcome.before[path] for path in outcome.changed)
        stuck = {
            change.finding.fingerprint
            for change in outcome.changes
            if any(path in unwritable for path in change.files)
        }
        if not back and not stuck:
            break
        reverted |= back
        left |= unwritable
        rejected |= back | stuck
    if reverted:
        notes.append(f"{len(reverted)} merged and reverted since: not proposed again for 90 days")
    notes += [
        f"{plain(checkout.in_repository(p))}: left as it is, {why}" for p, why in left.items()
    ]
    return rejected, notes


def _stays(outcome: Outcome, rule: str) -> bool:
    """Whether a fix of this rule, once merged, stays: a digest is refreshed again and again."""
    phases = {one.id: one.phase for one in outcome.rules}
    return rule == UNPINNED or phases[rule] is Phase.HARDEN
