"""What may be chosen about the pull request, and what is told when it is done."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import UsageError

if TYPE_CHECKING:
    from hardhull.pull_request.steps import Decision

_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+")
_BRANCH = re.compile(
    r"(?![/.-])(?!.*(?://|\.\.|/\.|@\{|\.lock(?:/|$)))[\w./+@=-]+(?<![/.])", re.ASCII
)


class SplitBy(enum.StrEnum):
    """What gets a pull request of its own."""

    NONE = "none"
    LEVEL = "level"
    APPLICATION = "application"
    CODEOWNERS = "codeowners"


class CommitMode(enum.StrEnum):
    """How commits come to GitHub: made there, and verified; or pushed by git."""

    API = "api"
    GIT = "git"


@dataclass(frozen=True, slots=True)
class PullRequestOptions:
    """The choices of whoever runs hardhull; `base` None is the default branch.

    Raises UsageError for names that GitHub would not take.
    """

    repository: str
    base: str | None = None
    branch: str = "hardhull"
    title: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    draft: bool = False
    split_by: SplitBy = SplitBy.NONE
    max_open: int = 10
    commit_mode: CommitMode = CommitMode.API
    dry_run: bool = False
    comment_commands: bool = False

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise UsageError(f"repository `{self.repository}`: expected the form owner/name")
        for name, branch in (("base", self.base), ("branch", self.branch)):
            if branch is not None and not _BRANCH.fullmatch(branch):
                raise UsageError(f"{name} `{branch}`: not a name that a branch can have")
        if self.branch == self.base:
            raise UsageError(f"branch `{self.branch}`: is the base itself; give another name")
        if self.max_open < 1:
            raise UsageError("max-open-pull-requests: expected a number from 1")

    @property
    def owner(self) -> str:
        """Who the repository belongs to."""
        return self.repository.partition("/")[0]


class Operation(enum.StrEnum):
    """What was done, in one word: an output of the action."""

    NONE = "none"
    CREATED = "created"
    UPDATED = "updated"
    REOPENED = "reopened"
    CLOSED = "closed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request of ours."""

    number: int
    url: str
    head_sha: str
    branch: str


@dataclass(frozen=True, slots=True)
class Brought:
    """What happened, for outputs, summary and exit code.

    `refused` says that GitHub did not let us; `blocked_reason` then names the setting to change.
    `plan` is what a dry run would have done, `bodies` the texts it would have written, and
    `decisions` the same as data, for each branch.
    """

    operation: Operation = Operation.NONE
    blocked_reason: str = ""
    refused: bool = False
    pull_requests: tuple[PullRequest, ...] = ()
    commits_verified: bool | None = None
    checks: str | None = None
    writes: int = 0
    requests: int = 0
    notes: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    decisions: tuple[tuple[str, Decision], ...] = ()
