"""What the stand-in remembers: accounts, tokens, repositories and their pull requests."""

from __future__ import annotations

import datetime
import enum
import fnmatch
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from standin.gitstore import GitStore

START = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


class Refused(Exception):
    """What GitHub answers instead: a status, a message, and where it says more, its errors."""

    def __init__(
        self, status: int, message: str, errors: list[Any] | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def invalid(resource: str, message: str = "", *, field: str = "", code: str = "custom") -> Refused:
    """A 422 in GitHub's form."""
    one = {"resource": resource, "field": field, "code": code, "message": message}
    return Refused(422, "Validation Failed", [{k: v for k, v in one.items() if v}])


@dataclass
class Clock:
    """The stand-in's time. It moves a second with everything that happens, and when told to."""

    now: datetime.datetime = START

    def advance(self, **span: float) -> None:
        self.now += datetime.timedelta(**span)

    def tick(self) -> str:
        self.advance(seconds=1)
        return self.stamp

    @property
    def stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def seconds(self) -> int:
        return int(self.now.timestamp())


class AccountKind(enum.Enum):
    USER = "User"
    BOT = "Bot"
    ORGANIZATION = "Organization"


@dataclass(frozen=True)
class Account:
    login: str
    """As REST spells it: bots end in `[bot]`."""
    kind: AccountKind
    id: int

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


class TokenKind(enum.Enum):
    ACTIONS = "the GITHUB_TOKEN of a workflow"
    APP = "an App's installation token"
    FINE_GRAINED = "a fine-grained personal access token"
    CLASSIC = "a classic personal access token"


@dataclass(frozen=True)
class Token:
    value: str
    account: Account
    kind: TokenKind
    permissions: Mapping[str, str]
    """`contents: write` and so on, by the names of a workflow's `permissions` with underscores."""

    @property
    def is_app(self) -> bool:
        return self.kind in {TokenKind.ACTIONS, TokenKind.APP}

    def may(self, permission: str, level: str) -> bool:
        order = ("none", "read", "write", "admin")
        return order.index(self.permissions.get(permission, "none")) >= order.index(level)


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class Edit:
    """A version of a body: GitHub keeps the first one too, once there is a second."""

    id: int
    editor: Account
    at: str
    text: str


@dataclass
class Comment:
    id: int
    author: Account
    body: str
    created_at: str
    updated_at: str
    edits: list[Edit] = field(default_factory=list)
    minimized: str | None = None


@dataclass
class Review:
    id: int
    author: Account
    state: str
    body: str
    commit: str
    at: str


@dataclass(frozen=True)
class Event:
    """One line of a pull request's timeline, by its GraphQL type."""

    id: int
    kind: str
    actor: Account
    at: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AutoMerge:
    by: Account
    at: str
    method: str


@dataclass
class Pull:
    id: int
    number: int
    title: str
    body: str | None
    author: Account
    head_repository: Repository
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created_at: str
    updated_at: str
    draft: bool = False
    maintainer_can_modify: bool = False
    state: str = "open"
    closed_at: str | None = None
    merged_at: str | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    merge_base_at_close: str | None = None
    locked: bool = False
    auto_merge: AutoMerge | None = None
    queued_at: str | None = None
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    team_reviewers: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True)
class Rule:
    """A rule of a ruleset, by the kind and parameters that REST gives it."""

    kind: str
    branches: str = "~ALL"
    """A pattern, `~ALL` or `~DEFAULT_BRANCH`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    bypass: frozenset[str] = frozenset()
    """Logins that may pass by."""
    classic: bool = False
    """Of a branch protection rule: the texts differ."""


@dataclass
class Repository:
    id: int
    owner: Account
    name: str
    store: GitStore
    created_at: str
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    disabled: bool = False
    locked: bool = False
    mirror: bool = False
    parent: Repository | None = None
    pulls: dict[int, Pull] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    """Permission by login: read, triage, write, maintain, admin."""
    teams: set[str] = field(default_factory=set)
    rules: list[Rule] = field(default_factory=list)
    verified: set[str] = field(default_factory=set)
    """Commits that GitHub signed."""
    checks: dict[str, str] = field(default_factory=dict)
    """The state of all checks of a commit: SUCCESS, FAILURE, PENDING."""
    actions_may_open_pulls: bool = True
    default_workflow_permissions: str = "read"
    actions_enabled: bool = True
    auto_merge_allowed: bool = True
    mergeability_known: bool = True
    """GitHub works it out after it was first asked; until then it says that it doesn't know."""
    delete_branch_on_merge: bool = False
    sarifs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def branch(self, name: str) -> str | None:
        return self.store.ref(f"refs/heads/{name}")

    def rules_for(self, branch: str) -> Iterator[Rule]:
        for rule in self.rules:
            on = rule.branches
            if (
                on == "~ALL"
                or (on == "~DEFAULT_BRANCH" and branch == self.default_branch)
                or fnmatch.fnmatchcase(branch, on)
            ):
                yield rule


@dataclass
class World:
    """Everything there is."""

    clock: Clock = field(default_factory=Clock)
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By full name in lower case."""
    moved: dict[str, Repository] = field(default_factory=dict)
    """Repositories by a name they had before."""
    lacking: set[str] = field(default_factory=set)
    """Fields of GraphQL that an older server doesn't have: `Ref.rules`, `Mutation.updateRefs`."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def account(self, login: str, kind: AccountKind | None = None) -> Account:
        """The account of that name, made when first asked for."""
        if login not in self.accounts:
            guess = AccountKind.BOT if login.endswith("[bot]") else AccountKind.USER
            number = 41898282 if login == "github-actions[bot]" else next(self.numbers)
            self.accounts[login] = Account(login, kind or guess, number)
        return self.accounts[login]

    def number(self) -> int:
        return next(self.numbers)

    def event(self, pull: Pull, kind: str, actor: Account, **more: Any) -> Event:
        """Add a line to a timeline."""
        at = self.clock.tick()
        event = Event(self.number(), kind, actor, at, more)
        pull.events.append(event)
        pull.updated_at = at
        return event
