"""What was seen of GitHub at one moment: frozen values, and nothing that speaks to it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.pull_request.commits import fixes_in, state_in

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from hardhull.project.updaters import OpenUpdate

GITHUB_ITSELF = "web-flow"
"""The committer of what was made by a button or through the API."""


class Standing(enum.Enum):
    """What became of a pull request."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class SeenCommit:
    """A commit; `committer` is a login, empty if GitHub knows none."""

    oid: str
    tree: str
    message: str
    parents: tuple[str, ...]
    committer: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Commits on top of each other that vouch for themselves: made by us, not touched since."""

    content: str
    parent: str
    fixes: frozenset[str]


@dataclass(frozen=True, slots=True)
class SeenBranch:
    """A branch with the newest part of its history, newest first."""

    head: str
    history: tuple[SeenCommit, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """What a comment asks for, `regenerate` or `retry`; whether its author may is asked apart.

    `at` is the second it was written in: numbers of comments have outgrown what the API gives.
    """

    at: int
    author: str
    word: str


@dataclass(frozen=True, slots=True)
class SeenPull:
    """A pull request from a branch of this repository.

    `ours` says that the account we run as opened it. `commits` are the newest, oldest first.
    `last_sign` is the day of the last thing a person did about it. `by_machine` says that a bot
    closed it; `set_up` that labels or reviewers were given or taken once; `farewell` that our
    comment about its closing is there.
    """

    number: int
    url: str
    branch: str
    base: str
    head: str
    title: str
    body: str
    standing: Standing
    ours: bool
    created: datetime.date
    last_sign: datetime.date
    commits: tuple[SeenCommit, ...] = ()
    commit_count: int = 0
    closed: datetime.date | None = None
    by_machine: bool = False
    conflicting: bool = False
    approved: bool = False
    auto_merge: bool = False
    in_queue: bool = False
    labels: frozenset[str] = frozenset()
    set_up: bool = False
    farewell: bool = False
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenBase:
    """The branch that pull requests go to. `strict` demands that they are up to date."""

    name: str
    head: str
    strict: bool = False
    needs_checks: bool = False


@dataclass(frozen=True)
class Seen:
    """One snapshot.

    `pulls` are newest first; `updates` are the open pull requests of Renovate and Dependabot about
    images, by number; `names` are all branches whose names begin like ours.
    """

    id: str
    name: str
    viewer: str
    base: SeenBase | None
    viewer_id: int | None = None
    unusable: str = ""
    branches: Mapping[str, SeenBranch] = field(default_factory=dict)
    pulls: tuple[SeenPull, ...] = ()
    names: tuple[str, ...] = ()
    updates: tuple[OpenUpdate, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def waits_for_approval(self) -> bool:
        """Whether checks of what this token opens wait until a person lets them run."""
        return self.viewer == "github-actions[bot]"

    def of_branch(self, branch: str) -> tuple[SeenPull, ...]:
        """The pull requests from a branch, newest first."""
        return tuple(pull for pull in self.pulls if pull.branch == branch)


def chain_of(newest_first: tuple[SeenCommit, ...], viewer: str) -> Chain | None:
    """The commits of ours that a history begins with; None if its head is none.

    Each names its own tree and what all of them do together, so that an amended one does not
    pass; and each was committed by us or, on our behalf, by GitHub.
    """
    fixes: set[str] = set()
    content = parent = ""
    for commit in newest_first:
        told = state_in(commit.message)
        if told is None or told[0] != commit.tree or len(commit.parents) != 1:
            break
        if commit.committer not in (viewer, GITHUB_ITSELF) or told[1] != (content or told[1]):
            break
        content, parent = told[1], commit.parents[0]
        fixes |= fixes_in(commit.message)
    return Chain(content, parent, frozenset(fixes)) if content else None
