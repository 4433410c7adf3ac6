"""GraphQL's view of pull requests and of what is said and done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import standing
from standin.connections import Connection, Leaf, connect
from standin.diffs import ChangedFile, changed_files
from standin.node_ids import node_id
from standin.nodes_git import GitThing, RefNode
from standin.nodes_said import auto_merge, comment, edits, review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.nodes import View
    from standin.state import Account, Event, Pull, Repository


def _item_type(kind: str) -> str:
    """`ClosedEvent` as the enum of timeline items has it: `CLOSED_EVENT`."""
    return "".join(
        f"_{one}" if one.isupper() and at else one for at, one in enumerate(kind)
    ).upper()


def event(view: View, home: Repository, pull: Pull, one: Event) -> Leaf:
    """A line of the timeline; what is particular to its kind comes from its `more`."""
    more: dict[str, Any] = dict(one.more)
    for name in ("beforeCommit", "afterCommit", "commit"):
        if name in more:
            more[name] = GitThing(view, home, more[name])
    if "label" in more:
        more["label"] = view.label(more["label"])
    return {
        "__typename": one.kind,
        "id": node_id("EV", one.id),
        "actor": view.actor(one.actor),
        "createdAt": one.at,
        "pullRequest": PullNode(view, home, pull),
        **more,
    }


def queue_entry(view: View, home: Repository, pull: Pull, position: int) -> Leaf:
    return {
        "__typename": "MergeQueueEntry",
        "id": node_id("MQE", pull.id),
        "position": position,
        "state": "QUEUED",
        "enqueuedAt": pull.queued_at,
        "pullRequest": PullNode(view, home, pull),
    }


def merge_queue(view: View, home: Repository, branch: str) -> Leaf:
    queued = [one for one in home.pulls.values() if one.queued_at and one.base_ref == branch]
    queued.sort(key=lambda pull: pull.queued_at or "")
    found = [queue_entry(view, home, pull, at) for at, pull in enumerate(queued, 1)]
    return {
        "__typename": "MergeQueue",
        "id": node_id("MQ", f"{home.id}:{branch}"),
        "url": f"{view.web}/{home.full_name}/queue/{branch}",
        "entries": lambda **page: connect(found, "entries", **page),
    }


@dataclass(frozen=True)
class PullNode:
    view: View
    home: Repository
    pull: Pull
    typename = "PullRequest"

    def __getattr__(self, name: str) -> Any:
        same = {
            "number": "number", "title": "title", "is_draft": "draft", "locked": "locked",
            "head_ref_name": "head_ref", "head_ref_oid": "head_sha", "base_ref_name": "base_ref",
            "base_ref_oid": "base_sha", "created_at": "created_at", "updated_at": "updated_at",
            "closed_at": "closed_at", "merged_at": "merged_at", "database_id": "id",
            "maintainer_can_modify": "maintainer_can_modify",
        }  # fmt: skip
        if name in same:
            return getattr(self.pull, same[name])
        raise AttributeError(name)

    def _account(self, account: Account | None) -> Any:
        return self.view.actor(account) if account else None

    @property
    def id(self) -> str:
        return node_id("PR", self.pull.id)

    @property
    def body(self) -> str:
        return self.pull.body or ""

    @property
    def url(self) -> str:
        return f"{self.view.web}/{self.home.full_name}/pull/{self.pull.number}"

    permalink = url

    @property
    def state(self) -> str:
        return "MERGED" if self.pull.merged_at else self.pull.state.upper()

    @property
    def closed(self) -> bool:
        return not self.pull.is_open

    @property
    def merged(self) -> bool:
        return self.pull.merged_at is not None

    @property
    def merged_by(self) -> Any:
        return self._account(self.pull.merged_by)

    @property
    def merge_commit(self) -> GitThing | None:
        oid = self.pull.merge_commit
        return GitThing(self.view, self.home, oid) if oid else None

    @property
    def mergeable(self) -> str:
        return {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}[
            standing.mergeable(self.home, self.pull)
        ]

    @property
    def author(self) -> Any:
        return self._account(self.pull.author)

    @property
    def author_association(self) -> str:
        return standing.association(self.home, self.pull.author)

    @property
    def viewer_did_author(self) -> bool:
        return self.pull.author == self.view.token.account

    @property
    def editor(self) -> Any:
        return self._account(self.pull.edits[-1].editor if self.pull.edits else None)

    @property
    def last_edited_at(self) -> str | None:
        return self.pull.edits[-1].at if self.pull.edits else None

    def user_content_edits(self, **page: Any) -> Connection:
        return edits(self.view, self.pull.edits, page)

    # -- its branches

    @property
    def repository(self) -> Any:
        return self.view.repository_node(self.home)

    base_repository = repository

    @property
    def head_repository(self) -> Any:
        return self.view.repository_node(self.pull.head_repository)

    @property
    def head_repository_owner(self) -> Any:
        return self.view.actor(self.pull.head_repository.owner)

    @property
    def is_cross_repository(self) -> bool:
        return self.pull.head_repository is not self.home

    @property
    def head_ref(self) -> RefNode | None:
        home = self.view.repository_node(self.pull.head_repository)
        return home.ref(f"refs/heads/{self.pull.head_ref}")

    @property
    def base_ref(self) -> RefNode | None:
        return self.view.repository_node(self.home).ref(f"refs/heads/{self.pull.base_ref}")

    # -- merging

    @property
    def is_in_merge_queue(self) -> bool:
        return self.pull.queued_at is not None

    @property
    def is_merge_queue_enabled(self) -> bool:
        return self.merge_queue is not None

    @property
    def merge_queue(self) -> Any:
        return self.repository.merge_queue(self.pull.base_ref)

    @property
    def merge_queue_entry(self) -> Leaf | None:
        return queue_entry(self.view, self.home, self.pull, 1) if self.pull.queued_at else None

    @property
    def review_decision(self) -> str | None:
        return standing.review_decision(self.home, self.pull)

    @property
    def auto_merge_request(self) -> Leaf | None:
        return auto_merge(self.view, self.pull.auto_merge) if self.pull.auto_merge else None

    @property
    def status_check_rollup(self) -> Any:
        return GitThing(self.view, self.home, self.pull.head_sha).status_check_rollup

    # -- what belongs to it

    def _files(self) -> list[ChangedFile]:
        commits = standing.commits_of(self.home, self.pull)
        if not commits:
            return []
        base = self.home.store.commit_object(commits[0]).parents[0]
        return changed_files(self.home.store, base, self.pull.head_sha)

    @property
    def changed_files(self) -> int:
        return len(self._files())

    def files(self, **page: Any) -> Connection:
        found: list[Leaf] = [
            {
                "__typename": "PullRequestChangedFile",
                "path": one.path,
                "additions": one.additions,
                "deletions": one.deletions,
                "changeType": one.status.upper(),
            }
            for one in self._files()
        ]
        return connect(found, "files", **page)

    def labels(self, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [self.view.label(self.home.labels[name]) for name in self.pull.labels]
        return connect(found, "labels", **page)

    def commits(self, **page: Any) -> Connection:
        found: list[Leaf] = [
            {
                "__typename": "PullRequestCommit",
                "id": node_id("PRC", f"{self.pull.id}:{oid}"),
                "commit": GitThing(self.view, self.home, oid),
                "pullRequest": self,
            }
            for oid in standing.commits_of(self.home, self.pull)
        ]
        return connect(found, "commits", **page)

    def comments(self, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [comment(self.view, self.home, self.pull, one) for one in self.pull.comments]
        return connect(found, "comments", **page)

    def reviews(
        self, author: str | None = None, states: Sequence[str] | None = None, **page: Any
    ) -> Connection:
        found = [
            review(self.view, self.home, one)
            for one in self.pull.reviews
            if author in {None, one.author.login} and (states is None or one.state in states)
        ]
        return connect(found, "reviews", **page)

    def latest_reviews(self, **page: Any) -> Connection:
        last = {one.author.login: review(self.view, self.home, one) for one in self.pull.reviews}
        return connect(list(last.values()), "latestReviews", **page)

    def latest_opinionated_reviews(self, writers_only: bool = False, **page: Any) -> Connection:
        del writers_only
        last = {
            one.author.login: review(self.view, self.home, one)
            for one in self.pull.reviews
            if one.state != "COMMENTED"
        }
        return connect(list(last.values()), "latestOpinionatedReviews", **page)

    def timeline_items(
        self,
        item_types: Sequence[str] | None = None,
        since: str | None = None,
        skip: int | None = None,
        **page: Any,
    ) -> Connection:
        found = [
            event(self.view, self.home, self.pull, one)
            for one in self.pull.events
            if (item_types is None or _item_type(one.kind) in item_types)
            and (since is None or one.at >= since)
        ]
        return connect(found[skip or 0 :], "timelineItems", **page)
