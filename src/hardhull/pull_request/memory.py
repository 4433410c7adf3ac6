"""What people decided about our pull requests, read from the pull requests themselves."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.pull_request.commits import fixes_in
from hardhull.pull_request.seen import Standing
from hardhull.pull_request.state import block_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.pull_request.seen import SeenPull

RETRY = "hardhull:retry"
"""A label that takes back what closing a pull request refused."""
SILENCE = datetime.timedelta(days=90)
"""For how long a revert is a no, and a bot's close keeps us quiet."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`refused` for good, `reverted` for a while, and until when nothing is opened at all."""

    refused: frozenset[str] = frozenset()
    reverted: frozenset[str] = frozenset()
    silent_until: datetime.date | None = None


def remember(
    pulls: Sequence[SeenPull], today: datetime.date, retried: frozenset[int] = frozenset()
) -> Memory:
    """Read what was refused from our pull requests, newest first as they are given.

    A person's close refuses exactly the fixes it held. A fix that comes back although it was
    merged was reverted by someone. A bot's close says nothing but that nobody looked. `retried`
    are pull requests of which a comment takes the no back, as the label does.
    """
    ours = [pull for pull in pulls if pull.ours]
    refused: set[str] = set()
    reverted: set[str] = set()
    silent: datetime.date | None = None
    for pull in sorted(ours, key=lambda one: one.number):
        block = block_in(pull.body)
        if block is not None:
            taken_back = block.unticked & set(block.state.refused)
            refused |= (set(block.state.refused) | block.ticked) - taken_back
            refused -= taken_back
        match pull.standing:
            case Standing.CLOSED if closed_by_us(pull):
                pass
            case Standing.CLOSED if pull.by_machine:
                until = (pull.closed or pull.created) + SILENCE
                silent = until if until > today else silent
            case Standing.CLOSED:
                refused |= fixes_of(pull)
            case Standing.MERGED if (pull.closed or pull.created) + SILENCE > today:
                reverted |= fixes_of(pull)
            case _:
                pass
    return Memory(frozenset(refused - _retried(ours, retried)), frozenset(reverted), silent)


def _retried(pulls: Iterable[SeenPull], by_comment: frozenset[int]) -> set[str]:
    """Fixes of closed pull requests that someone labelled, unless they were refused again since."""
    found: set[str] = set()
    for pull in sorted(pulls, key=lambda one: one.number):
        if pull.standing is not Standing.CLOSED or closed_by_us(pull) or pull.by_machine:
            continue
        if RETRY in pull.labels or pull.number in by_comment:
            found |= fixes_of(pull)
        else:
            found -= fixes_of(pull)
    return found


def fixes_of(pull: SeenPull) -> frozenset[str]:
    """The fixes that a pull request of ours held: from its state and its commits' trailers."""
    block = block_in(pull.body)
    told = frozenset(block.state.fixes) if block is not None else frozenset()
    return told | {fix for commit in pull.commits for fix in fixes_in(commit.message)}


def closed_by_us(pull: SeenPull) -> bool:
    """Whether we said, before it was closed, that we close it as it is; a login proves nothing."""
    block = block_in(pull.body)
    return pull.ours and block is not None and block.state.closing == pull.head
