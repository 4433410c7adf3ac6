"""GraphQL's view of repositories, accounts and settings; where queries begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import pulls
from standin.connections import Connection, connect
from standin.nodes_git import GitThing, RefNode, by_expression
from standin.nodes_pulls import MergeQueueNode, PullNode
from standin.state import AccountKind, Refused, node_id, parse_node_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.state import Account, Label, Pull, Repository, Rule, Token, World


@dataclass(frozen=True)
class View:
    """The state as one token sees it."""

    world: World
    token: Token
    web: str

    def actor(self, account: Account) -> AccountNode:
        """As an author: a bot's login is without `[bot]` here."""
        return AccountNode(self, account, account.login.removesuffix("[bot]"), account.kind.value)

    def user(self, account: Account) -> AccountNode:
        """As a `User`: of commits, and the viewer, bots too."""
        return AccountNode(self, account, account.login, "User")

    def repository_node(self, repository: Repository) -> RepositoryNode:
        return RepositoryNode(self, repository)

    def pull_node(self, home: Repository, pull: Pull) -> PullNode:
        return PullNode(self, home, pull)

    def commits_of(self, home: Repository, pull: Pull) -> list[str]:
        return pulls.commits_of(home, pull)

    def protection(self, home: Repository, branch: str) -> ProtectionNode | None:
        rules = [one for one in home.rules_for(branch) if one.classic]
        return ProtectionNode(home, rules[0].branches, tuple(rules)) if rules else None


@dataclass(frozen=True)
class AccountNode:
    view: View
    account: Account
    login: str
    typename: str

    @property
    def id(self) -> str:
        return node_id("BOT" if self.account.kind is AccountKind.BOT else "U", self.account.id)

    @property
    def database_id(self) -> int:
        return self.account.id

    @property
    def name(self) -> str:
        return self.account.login

    @property
    def email(self) -> str:
        return ""

    @property
    def url(self) -> str:
        return f"{self.view.web}/{self.account.login}"


@dataclass(frozen=True)
class LabelNode:
    view: View
    label: Label
    typename = "Label"

    @property
    def id(self) -> str:
        return node_id("LA", self.label.id)

    @property
    def name(self) -> str:
        return self.label.name

    @property
    def color(self) -> str:
        return self.label.color

    @property
    def description(self) -> str | None:
        return self.label.description


@dataclass(frozen=True)
class ProtectionNode:
    home: Repository
    pattern: str
    rules: tuple[Rule, ...]
    typename = "BranchProtectionRule"

    def _has(self, kind: str) -> Rule | None:
        return next((one for one in self.rules if one.kind == kind), None)

    @property
    def id(self) -> str:
        return node_id("BPR", f"{self.home.id}:{self.pattern}")

    @property
    def requires_status_checks(self) -> bool:
        return self._has("required_status_checks") is not None

    @property
    def requires_strict_status_checks(self) -> bool:
        rule = self._has("required_status_checks")
        return bool(rule and rule.parameters.get("strict_required_status_checks_policy"))

    @property
    def required_status_check_contexts(self) -> list[str]:
        rule = self._has("required_status_checks")
        checks = rule.parameters.get("required_status_checks", ()) if rule else ()
        return [one["context"] for one in checks]

    @property
    def requires_commit_signatures(self) -> bool:
        return self._has("required_signatures") is not None

    @property
    def requires_linear_history(self) -> bool:
        return self._has("required_linear_history") is not None

    @property
    def requires_approving_reviews(self) -> bool:
        return bool(self.required_approving_review_count)

    @property
    def required_approving_review_count(self) -> int:
        rule = self._has("pull_request")
        return int(rule.parameters.get("required_approving_review_count", 0)) if rule else 0

    @property
    def allows_force_pushes(self) -> bool:
        return self._has("non_fast_forward") is None

    @property
    def allows_deletions(self) -> bool:
        return self._has("deletion") is None


@dataclass(frozen=True)
class RefNames:
    include: list[str]
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conditions:
    ref_name: RefNames


@dataclass(frozen=True)
class CheckNode:
    context: str
    integration_id: None = None


@dataclass(frozen=True)
class ParametersNode:
    rule: Rule

    @property
    def typename(self) -> str:
        return {
            "required_status_checks": "RequiredStatusChecksParameters",
            "pull_request": "PullRequestParameters",
            "merge_queue": "MergeQueueParameters",
        }[self.rule.kind]

    @property
    def strict_required_status_checks_policy(self) -> bool:
        return bool(self.rule.parameters.get("strict_required_status_checks_policy"))

    @property
    def required_status_checks(self) -> list[CheckNode]:
        checks = self.rule.parameters.get("required_status_checks", ())
        return [CheckNode(one["context"]) for one in checks]

    @property
    def required_approving_review_count(self) -> int:
        return int(self.rule.parameters.get("required_approving_review_count", 0))


@dataclass(frozen=True)
class RuleNode:
    rule: Rule
    typename = "RepositoryRule"

    @property
    def type(self) -> str:
        return self.rule.kind.upper()

    @property
    def parameters(self) -> ParametersNode | None:
        return ParametersNode(self.rule) if self.rule.parameters else None


@dataclass(frozen=True)
class RulesetNode:
    home: Repository
    branches: str
    enforcement = "ACTIVE"
    target = "BRANCH"
    typename = "RepositoryRuleset"

    @property
    def id(self) -> str:
        return node_id("RRS", f"{self.home.id}:{self.branches}")

    @property
    def name(self) -> str:
        return f"rules of {self.branches}"

    @property
    def conditions(self) -> Conditions:
        return Conditions(RefNames([self.branches]))

    def rules(self, type: str | None = None, **page: Any) -> Connection:  # noqa: A002  the schema's
        found = [
            RuleNode(one)
            for one in self.home.rules
            if one.branches == self.branches and not one.classic and type in {None, one.kind.upper()}
        ]
        return connect(found, "rules", **page)


@dataclass(frozen=True)
class RepositoryNode:
    view: View
    home: Repository
    typename = "Repository"
    is_template = False
    is_security_policy_enabled = False
    rebase_merge_allowed = squash_merge_allowed = merge_commit_allowed = True

    def __getattr__(self, name: str) -> Any:
        same = {
            "is_archived": "archived", "is_disabled": "disabled", "is_locked": "locked",
            "is_mirror": "mirror", "is_private": "private", "name": "name",
            "name_with_owner": "full_name", "database_id": "id", "created_at": "created_at",
            "auto_merge_allowed": "auto_merge_allowed",
            "delete_branch_on_merge": "delete_branch_on_merge",
        }  # fmt: skip
        if name in same:
            return getattr(self.home, same[name])
        raise AttributeError(name)

    @property
    def id(self) -> str:
        return node_id("R", self.home.id)

    @property
    def owner(self) -> AccountNode:
        return self.view.actor(self.home.owner)

    @property
    def url(self) -> str:
        return f"{self.view.web}/{self.home.full_name}"

    @property
    def visibility(self) -> str:
        return "PRIVATE" if self.home.private else "PUBLIC"

    @property
    def is_fork(self) -> bool:
        return self.home.parent is not None

    @property
    def parent(self) -> RepositoryNode | None:
        return self.view.repository_node(self.home.parent) if self.home.parent else None

    @property
    def is_empty(self) -> bool:
        return not self.home.store.refs("refs/heads/")

    @property
    def lock_reason(self) -> str | None:
        return "MIGRATING" if self.home.locked else None

    @property
    def archived_at(self) -> str | None:
        return self.home.created_at if self.home.archived else None

    @property
    def viewer_permission(self) -> str:
        return "WRITE" if self.view.token.may("contents", "write") else "READ"

    @property
    def viewer_can_administer(self) -> bool:
        return self.view.token.may("administration", "write")

    # -- git

    @property
    def default_branch_ref(self) -> RefNode | None:
        return self.ref(self.home.default_branch)

    def ref(self, qualified_name: str) -> RefNode | None:
        for name in (qualified_name, f"refs/heads/{qualified_name}", f"refs/tags/{qualified_name}"):
            if name.startswith("refs/") and self.home.store.ref(name):
                return RefNode(self.view, self.home, name)
        return None

    def refs(
        self, ref_prefix: str, query: str | None = None, order_by: Any = None,
        direction: str | None = None, **page: Any,
    ) -> Connection:  # fmt: skip
        del order_by, direction
        found = [
            RefNode(self.view, self.home, name)
            for name in self.home.store.refs(ref_prefix)
            if query is None or query in name
        ]
        return connect(found, "refs", **page)

    def object(self, oid: str | None = None, expression: str | None = None) -> GitThing | None:
        return by_expression(self.view, self.home, oid or expression or "HEAD")

    # -- pull requests

    def pull_request(self, number: int) -> PullNode:
        if number not in self.home.pulls:
            said = f"Could not resolve to a PullRequest with the number of {number}."
            raise Refused(404, said)
        return self.view.pull_node(self.home, self.home.pulls[number])

    def pull_requests(
        self,
        head_ref_name: str | None = None,
        base_ref_name: str | None = None,
        states: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        order_by: dict[str, str] | None = None,
        **page: Any,
    ) -> Connection:
        order = order_by or {"field": "CREATED_AT", "direction": "ASC"}
        found = [
            self.view.pull_node(self.home, pull)
            for pull in self.home.pulls.values()
            if head_ref_name in {None, pull.head_ref} and base_ref_name in {None, pull.base_ref}
        ]
        found = [one for one in found if states is None or one.state in states]
        found = [one for one in found if labels is None or set(labels) & set(one.pull.labels)]
        key = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}[order["field"]]
        found.sort(
            key=lambda one: (getattr(one, key), one.number), reverse=order["direction"] == "DESC"
        )
        return connect(found, "pullRequests", **page)

    def label(self, name: str) -> LabelNode | None:
        return LabelNode(self.view, self.home.labels[name]) if name in self.home.labels else None

    def labels(self, query: str | None = None, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [
            LabelNode(self.view, one)
            for one in self.home.labels.values()
            if query is None or query in one.name
        ]
        return connect(found, "labels", **page)

    # -- rules

    def merge_queue(self, branch: str | None = None) -> MergeQueueNode | None:
        name = branch or self.home.default_branch
        queued = any(one.kind == "merge_queue" for one in self.home.rules_for(name))
        return MergeQueueNode(self.view, self.home, name) if queued else None

    def branch_protection_rules(self, **page: Any) -> Connection:
        patterns = dict.fromkeys(one.branches for one in self.home.rules if one.classic)
        found = [
            ProtectionNode(
                self.home,
                pattern,
                tuple(one for one in self.home.rules if one.classic and one.branches == pattern),
            )
            for pattern in patterns
        ]
        return connect(found, "branchProtectionRules", **page)

    def rulesets(
        self, include_parents: bool = True, targets: Any = None, **page: Any
    ) -> Connection:
        del include_parents, targets
        patterns = dict.fromkeys(one.branches for one in self.home.rules if not one.classic)
        return connect([RulesetNode(self.home, one) for one in patterns], "rulesets", **page)


@dataclass(frozen=True)
class RateLimitNode:
    view: View
    limit: int = 5000
    cost: int = 1
    remaining: int = 4999
    used: int = 1
    node_count: int = 0

    @property
    def reset_at(self) -> str:
        return self.view.world.clock.stamp


class Query:
    """The roots of queries."""

    def __init__(self, view: View) -> None:
        self.view = view

    @property
    def viewer(self) -> AccountNode:
        return self.view.user(self.view.token.account)

    def rate_limit(self, dry_run: bool = False) -> RateLimitNode:
        del dry_run
        return RateLimitNode(self.view)

    def repository(self, owner: str, name: str, follow_renames: bool = True) -> RepositoryNode:
        full = f"{owner}/{name}".lower()
        found = self.view.world.repositories.get(full)
        if found is None and follow_renames:
            found = self.view.world.moved.get(full)
        if found is None:
            said = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise Refused(404, said)
        return self.view.repository_node(found)

    def node(self, id: str) -> Any:  # noqa: A002  the schema's name
        found = self.find(id)
        if found is None:
            raise Refused(404, f"Could not resolve to a node with the global id of '{id}'")
        return found

    def nodes(self, ids: list[str]) -> list[Any]:
        return [self.node(one) for one in ids]

    def find(self, wanted: str) -> Any:
        kind, number = parse_node_id(wanted) or ("", "")
        for home in self.view.world.repositories.values():
            if kind == "R" and str(home.id) == number:
                return self.view.repository_node(home)
            for pull in home.pulls.values():
                if kind == "PR" and str(pull.id) == number:
                    return self.view.pull_node(home, pull)
        return None
