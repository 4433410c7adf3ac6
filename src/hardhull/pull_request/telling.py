"""What is told of a run that brought something: one operation, the pull requests, the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.pull_request.options import Brought, Operation, PullRequest
from hardhull.pull_request.seen import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.pull_request.carry_out import Carrier
    from hardhull.pull_request.seen import Seen
    from hardhull.pull_request.steps import Decision
    from hardhull.pull_request.wanting import Wants

_RANK = (
    Operation.CREATED,
    Operation.REOPENED,
    Operation.UPDATED,
    Operation.CLOSED,
    Operation.BLOCKED,
    Operation.NONE,
)


def summary(seen: Seen, wanted: Wants, decisions: Sequence[tuple[str, Decision]]) -> Brought:
    """All decisions in one, and whether checks will start."""
    checks = "waiting" if wanted.waiting else None if seen.waits_for_approval else "start"
    return as_one(decisions, checks)


def as_one(decisions: Sequence[tuple[str, Decision]], checks: str | None) -> Brought:
    """All decisions in one: the operation that matters most, and what stands in the way."""
    operations = [decision.operation for _, decision in decisions] or [Operation.NONE]
    reasons = [decision.reason for _, decision in decisions if decision.reason]
    return Brought(min(operations, key=_RANK.index), "; ".join(reasons), checks=checks)


def notes_of(decisions: Sequence[tuple[str, Decision]]) -> list[str]:
    """What is to be said about the decisions."""
    return [note for _, decision in decisions for note in decision.notes]


def open_ones(
    seen: Seen, carrier: Carrier, decisions: Sequence[tuple[str, Decision]]
) -> tuple[PullRequest, ...]:
    """The pull requests of ours that are open now."""
    found = []
    for branch, decision in decisions:
        made = carrier.opened.get(branch)
        last = next((pull for pull in seen.of_branch(branch) if pull.ours), None)
        reopened = decision.operation is Operation.REOPENED
        if made is not None:
            found.append(made)
        elif (
            last is not None
            and decision.operation is not Operation.CLOSED
            and (reopened or last.standing is Standing.OPEN)
        ):
            head = carrier.head_of(branch) or last.head
            found.append(PullRequest(last.number, last.url, head, branch))
    return tuple(found)
