"""GraphQL's view of pull requests and of what is said and done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import pulls
from standin.connections import Connection, connect
from standin.diffs import changed_files
from standin.nodes_git import GitThing, RefNode
from standin.state import node_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.nodes import View
    from standin.state import Account, AutoMerge, Comment, Edit, Event, Pull, Repository, Review


def _item_type(kind: str) -> str:
    """`ClosedEvent` as the enum of timeline items has it: `CLOSED_EVENT`."""
    return "".join(f"_{one}" if one.isupper() and at else one for at, one in enumerate(kind)).upper()


@dataclass(frozen=True)
class AutoMergeNode:
    view: View
    auto: AutoMerge

    @property
    def enabled_at(self) -> str:
        return self.auto.at

    @property
    def enabled_by(self) -> Any:
        return self.view.actor(self.auto.by)

    @property
    def merge_method(self) -> str:
        return self.auto.method.upper()


@dataclass(frozen=True)
class EditNode:
    view: View
    edit: Edit
    deleted_at: None = None
    deleted_by: None = None
    typename = "UserContentEdit"

    @property
    def id(self) -> str:
        return node_id("UCE", self.edit.id)

    @property
    def editor(self) -> Any:
        return self.view.actor(self.edit.editor)

    @property
    def edited_at(self) -> str:
        return self.edit.at

    created_at = updated_at = edited_at

    @property
    def diff(self) -> str:
        """The whole text after the edit, whatever the name says."""
        return self.edit.text


def edits(view: View, found: Sequence[Edit], page: dict[str, Any]) -> Connection:
    return connect([EditNode(view, one) for one in reversed(found)], "userContentEdits", **page)


@dataclass(frozen=True)
class CommentNode:
    view: View
    home: Repository
    pull: Pull
    comment: Comment
    typename = "IssueComment"

    @property
    def id(self) -> str:
        return node_id("IC", self.comment.id)

    @property
    def database_id(self) -> int:
        return self.comment.id

    @property
    def author(self) -> Any:
        return self.view.actor(self.comment.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.home, self.comment.author)

    @property
    def body(self) -> str:
        return self.comment.body

    @property
    def created_at(self) -> str:
        return self.comment.created_at

    @property
    def updated_at(self) -> str:
        return self.comment.updated_at

    @property
    def url(self) -> str:
        page = f"{self.view.web}/{self.home.full_name}/pull/{self.pull.number}"
        return f"{page}#issuecomment-{self.comment.id}"

    @property
    def viewer_did_author(self) -> bool:
        return self.comment.author == self.view.token.account

    @property
    def is_minimized(self) -> bool:
        return self.comment.minimized is not None

    @property
    def minimized_reason(self) -> str | None:
        return self.comment.minimized

    @property
    def editor(self) -> Any:
        return self.view.actor(self.comment.edits[-1].editor) if self.comment.edits else None

    def user_content_edits(self, **page: Any) -> Connection:
        return edits(self.view, self.comment.edits, page)


@dataclass(frozen=True)
class ReviewNode:
    view: View
    home: Repository
    review: Review
    typename = "PullRequestReview"

    def __getattr__(self, name: str) -> Any:
        if name in {"state", "body"}:
            return getattr(self.review, name)
        if name in {"created_at", "submitted_at", "updated_at"}:
            return self.review.at
        raise AttributeError(name)

    @property
    def id(self) -> str:
        return node_id("PRR", self.review.id)

    @property
    def author(self) -> Any:
        return self.view.actor(self.review.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.home, self.review.author)

    @property
    def commit(self) -> GitThing:
        return GitThing(self.view, self.home, self.review.commit)


@dataclass(frozen=True)
class EventNode:
    view: View
    home: Repository
    pull: Pull
    event: Event

    @property
    def typename(self) -> str:
        return self.event.kind

    @property
    def id(self) -> str:
        return node_id("EV", self.event.id)

    @property
    def actor(self) -> Any:
        return self.view.actor(self.event.actor)

    @property
    def created_at(self) -> str:
        return self.event.at

    @property
    def pull_request(self) -> PullNode:
        return PullNode(self.view, self.home, self.pull)

    @property
    def label(self) -> Any:
        from standin.nodes import LabelNode  # noqa: PLC0415  they show each other

        return LabelNode(self.view, self.event.more["label"])

    def __getattr__(self, name: str) -> Any:
        more = self.event.more
        if name in {"before_commit", "after_commit", "commit"} and name in more:
            return GitThing(self.view, self.home, more[name])
        if name in more:
            return more[name]
        raise AttributeError(name)


@dataclass(frozen=True)
class PullCommitNode:
    view: View
    home: Repository
    pull: Pull
    oid: str
    typename = "PullRequestCommit"

    @property
    def id(self) -> str:
        return node_id("PRC", f"{self.pull.id}:{self.oid}")

    @property
    def commit(self) -> GitThing:
        return GitThing(self.view, self.home, self.oid)


@dataclass(frozen=True)
class QueueEntryNode:
    view: View
    home: Repository
    pull: Pull
    position: int
    state = "QUEUED"
    typename = "MergeQueueEntry"

    @property
    def id(self) -> str:
        return node_id("MQE", self.pull.id)

    @property
    def enqueued_at(self) -> str | None:
        return self.pull.queued_at

    @property
    def pull_request(self) -> PullNode:
        return PullNode(self.view, self.home, self.pull)


@dataclass(frozen=True)
class MergeQueueNode:
    view: View
    home: Repository
    branch: str
    typename = "MergeQueue"

    @property
    def id(self) -> str:
        return node_id("MQ", f"{self.home.id}:{self.branch}")

    @property
    def url(self) -> str:
        return f"{self.view.web}/{self.home.full_name}/queue/{self.branch}"

    def entries(self, **page: Any) -> Connection:
        queued = [
            pull
            for pull in self.home.pulls.values()
            if pull.queued_at and pull.base_ref == self.branch
        ]
        queued.sort(key=lambda pull: pull.queued_at or "")
        found = [
            QueueEntryNode(self.view, self.home, pull, at) for at, pull in enumerate(queued, 1)
        ]
        return connect(found, "entries", **page)


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
            pulls.mergeable(self.home, self.pull)
        ]

    @property
    def author(self) -> Any:
        return self._account(self.pull.author)

    @property
    def author_association(self) -> str:
        return pulls.association(self.home, self.pull.author)

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
        return self.head_repository.ref(f"refs/heads/{self.pull.head_ref}")

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
    def merge_queue_entry(self) -> QueueEntryNode | None:
        return QueueEntryNode(self.view, self.home, self.pull, 1) if self.pull.queued_at else None

    @property
    def review_decision(self) -> str | None:
        return pulls.review_decision(self.home, self.pull)

    @property
    def auto_merge_request(self) -> AutoMergeNode | None:
        return AutoMergeNode(self.view, self.pull.auto_merge) if self.pull.auto_merge else None

    @property
    def status_check_rollup(self) -> Any:
        return GitThing(self.view, self.home, self.pull.head_sha).status_check_rollup

    # -- what belongs to it

    @property
    def changed_files(self) -> int:
        commits = pulls.commits_of(self.home, self.pull)
        base = self.home.store.commit_object(commits[0]).parents[0] if commits else None
        return len(changed_files(self.home.store, base, self.pull.head_sha)) if commits else 0

    def labels(self, order_by: Any = None, **page: Any) -> Connection:
        from standin.nodes import LabelNode  # noqa: PLC0415  they show each other

        del order_by
        found = [LabelNode(self.view, self.home.labels[name]) for name in self.pull.labels]
        return connect(found, "labels", **page)

    def commits(self, **page: Any) -> Connection:
        found = [
            PullCommitNode(self.view, self.home, self.pull, oid)
            for oid in pulls.commits_of(self.home, self.pull)
        ]
        return connect(found, "commits", **page)

    def comments(self, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [CommentNode(self.view, self.home, self.pull, one) for one in self.pull.comments]
        return connect(found, "comments", **page)

    def reviews(
        self, author: str | None = None, states: Sequence[str] | None = None, **page: Any
    ) -> Connection:
        found = [
            ReviewNode(self.view, self.home, one)
            for one in self.pull.reviews
            if author in {None, one.author.login} and (states is None or one.state in states)
        ]
        return connect(found, "reviews", **page)

    def latest_reviews(self, **page: Any) -> Connection:
        last = {one.author.login: ReviewNode(self.view, self.home, one) for one in self.pull.reviews}
        return connect(list(last.values()), "latestReviews", **page)

    def latest_opinionated_reviews(self, writers_only: bool = False, **page: Any) -> Connection:
        del writers_only
        last = {
            one.author.login: ReviewNode(self.view, self.home, one)
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
            EventNode(self.view, self.home, self.pull, one)
            for one in self.pull.events
            if (item_types is None or _item_type(one.kind) in item_types)
            and (since is None or one.at >= since)
        ]
        return connect(found[skip or 0 :], "timelineItems", **page)
