"""GraphQL's view of repositories, accounts and settings; where queries begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import standing
from standin.connections import Connection, Leaf, connect
from standin.node_ids import node_id, parse_node_id
from standin.nodes_git import GitThing, RefNode, by_expression
from standin.nodes_pulls import PullNode, merge_queue
from standin.nodes_rules import protection, rule_node, ruleset
from standin.state import AccountKind, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.state import Account, Label, Pull, Repository, Token, World


@dataclass(frozen=True)
class View:
    """The state as one token sees it."""

    world: World
    token: Token
    web: str
    nodes: int = 0
    """What the query asks for at most, and what it costs."""
    cost: int = 1

    def actor(self, account: Account) -> Leaf:
        """As an author: a bot's login is without `[bot]` here."""
        return self._account(account, account.login.removesuffix("[bot]"), account.kind.value)

    def user(self, account: Account) -> Leaf:
        """As a `User`: of commits, and the viewer, bots too."""
        return self._account(account, account.login, "User")

    def _account(self, account: Account, login: str, typename: str) -> Leaf:
        bot = account.kind is AccountKind.BOT
        return {
            "__typename": typename,
            "id": node_id("BOT" if bot else "U", account.id),
            "databaseId": account.id,
            "login": login,
            "name": account.login,
            "email": "",
            "url": f"{self.web}/{account.login}",
        }

    def label(self, label: Label) -> Leaf:
        return {
            "__typename": "Label",
            "id": node_id("LA", label.id),
            "name": label.name,
            "color": label.color,
            "description": label.description,
        }

    def repository_node(self, repository: Repository) -> RepositoryNode:
        return RepositoryNode(self, repository)

    def pull_node(self, home: Repository, pull: Pull) -> PullNode:
        return PullNode(self, home, pull)

    def commits_of(self, home: Repository, pull: Pull) -> list[str]:
        return standing.commits_of(home, pull)

    def protection(self, home: Repository, branch: str) -> Leaf | None:
        """For administrators: Apps get an error, people nothing."""
        found = next((one for one in home.rules_for(branch) if one.classic), None)
        if found is None:
            return None
        if not self.token.may("administration", "read"):
            if self.token.is_app:
                raise Refused(403, "Resource not accessible by integration")
            return None
        return protection(home, found.branches)

    def update_rule(self, home: Repository, branch: str) -> Leaf | None:
        """The part of a branch protection that people without its settings may see."""
        found = next((one for one in home.rules_for(branch) if one.classic), None)
        whole = protection(home, found.branches) if found else None
        names = ("requiredStatusCheckContexts", "requiresLinearHistory", "pattern")
        return {"__typename": "RefUpdateRule", **{n: whole[n] for n in names}} if whole else None

    def rules(self, home: Repository, branch: str) -> list[Leaf]:
        """The rules of all rulesets that reach a branch."""
        return [rule_node(one) for one in home.rules_for(branch) if not one.classic]


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
    def owner(self) -> Leaf:
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

    def label(self, name: str) -> Leaf | None:
        return self.view.label(self.home.labels[name]) if name in self.home.labels else None

    def labels(self, query: str | None = None, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [
            self.view.label(one)
            for one in self.home.labels.values()
            if query is None or query in one.name
        ]
        return connect(found, "labels", **page)

    # -- rules

    def merge_queue(self, branch: str | None = None) -> Leaf | None:
        name = branch or self.home.default_branch
        queued = any(one.kind == "merge_queue" for one in self.home.rules_for(name))
        return merge_queue(self.view, self.home, name) if queued else None

    def branch_protection_rules(self, **page: Any) -> Connection:
        if self.view.token.is_app and not self.view.token.may("administration", "read"):
            raise Refused(403, "Resource not accessible by integration")
        patterns = dict.fromkeys(one.branches for one in self.home.rules if one.classic)
        found = [protection(self.home, pattern) for pattern in patterns]
        return connect(found, "branchProtectionRules", **page)

    def rulesets(
        self, include_parents: bool = True, targets: Any = None, **page: Any
    ) -> Connection:
        del include_parents, targets
        patterns = dict.fromkeys(one.branches for one in self.home.rules if not one.classic)
        return connect([ruleset(self.home, one) for one in patterns], "rulesets", **page)


class Query:
    """The roots of queries."""

    def __init__(self, view: View) -> None:
        self.view = view

    @property
    def viewer(self) -> Leaf:
        return self.view.user(self.view.token.account)

    def rate_limit(self, dry_run: bool = False) -> Leaf:
        del dry_run
        return {
            "limit": 5000,
            "cost": self.view.cost,
            "remaining": 5000 - self.view.cost,
            "used": self.view.cost,
            "nodeCount": self.view.nodes,
            "resetAt": self.view.world.clock.stamp,
        }

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
