"""One branch as it was seen, and what should be on it: all that a decision is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.pull_request.memory import Memory

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from hardhull.pull_request.body import Text
    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.seen import SeenBase, SeenBranch, SeenPull


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should be there: commits, and the text about them."""

    plan: Plan
    text: Text


@dataclass(frozen=True)
class View:
    """One branch as it was seen.

    `merged_only` are pull requests on whose branch, since our commits, nothing happened but merges
    of the base that left our files as they were. `set_up` says that labels or reviewers are wanted.
    `unknown` are fixes that could not be judged this time, for want of a digest; `failed` says that
    a rule failed, so that a fix that is missing may still be wanted.
    `commands` maps pull requests that a comment asks to make anew to when it was written.
    """

    key: str
    branch: str
    base: SeenBase
    viewer: str
    today: datetime.date
    at: SeenBranch | None = None
    pulls: Sequence[SeenPull] = ()
    memory: Memory = field(default_factory=Memory)
    merged_only: frozenset[int] = frozenset()
    set_up: bool = False
    unknown: frozenset[str] = frozenset()
    failed: bool = False
    commands: Mapping[int, int] = field(default_factory=dict)

    @property
    def refused(self) -> tuple[str, ...]:
        """What is remembered as refused, to be written into the next body."""
        return tuple(sorted(self.memory.refused))
