"""Carrying steps out, in their order; whatever is in doubt is looked at again, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, assert_never

from hardhull.pull_request.github import Moved
from hardhull.pull_request.options import PullRequest
from hardhull.pull_request.refusals import Refused
from hardhull.pull_request.steps import (
    Comment,
    Delete,
    Edit,
    Open,
    Reopen,
    Rewrite,
    SetUp,
)

if TYPE_CHECKING:
    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.options import PullRequestOptions
    from hardhull.pull_request.steps import Decision, Step

_UNPROCESSABLE = 422


class Branches(Protocol):
    """How commits are made and branches moved."""

    verified: bool | None

    def commit(self, plan: Plan) -> str:
        """Make all commits of a plan; return the last one's id."""

    def move(self, branch: str, expected: str | None, to: str) -> None:
        """Let a branch be at `to`. Raises Moved if it is not at `expected` any more."""

    def delete(self, branch: str, expected: str) -> None:
        """Delete a branch. Raises Moved if it is not at `expected` any more."""


class Carrier:
    """What has been done so far: the heads that branches got, the pull requests that were opened.

    Raises Refused, Uncertain or Moved; a second look and a second decision make good for each.
    """

    def __init__(
        self, github: GitHub, home: str, branches: Branches, options: PullRequestOptions
    ) -> None:
        self._github = github
        self._home = f"/repos/{home}"
        self._branches = branches
        self._options = options
        self._heads: dict[str, str] = {}
        self._instead: dict[int, Open] = {}
        self._newest: int | None = None
        self.opened: dict[str, PullRequest] = {}
        self.notes: list[str] = []

    def head_of(self, branch: str) -> str | None:
        """The commit that a branch was given."""
        return self._heads.get(branch)

    def carry_out(self, decision: Decision) -> None:
        """Do all steps of a decision."""
        for step in decision.steps:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Rewrite():
                self._rewrite(step)
            case Open():
                self._open(step)
            case Reopen():
                self._reopen(step)
            case Edit(number, title, body, close):
                self._edit(number, title, body, "closed" if close else None)
            case SetUp(number):
                self._set_up(number if number is not None else self._newest)
            case Comment(number, text):
                self._comment(number, text)
            case Delete(branch, expected):
                self._delete(branch, expected)
            case _:
                assert_never(step)

    def _rewrite(self, step: Rewrite) -> None:
        head = self._branches.commit(step.plan)
        instead = self._instead.pop(step.number, None) if step.number is not None else None
        if step.draft is not None and step.number is not None and instead is None:
            # Said before it is done: if only one of both happens, the next run knows it was us.
            heads = {head: step.plan.content}
            if step.expected is not None and step.replaces:
                heads[step.expected] = step.replaces
            self._edit(step.number, step.title, step.draft.filled(heads), None)
        self._branches.move(step.branch, step.expected, head)
        self._heads[step.branch] = head
        if instead is not None:
            self._open(instead)

    def _open(self, step: Open) -> None:
        head = step.head or self._heads[step.branch]
        body: dict[str, Any] = {
            "title": step.title,
            "head": step.branch,
            "base": step.base,
            "body": step.draft.filled({head: step.content}),
            "draft": self._options.draft,
        }
        try:
            made = self._github.write("POST", f"{self._home}/pulls", body).data
        except Refused as refused:
            said = refused.said.lower()
            if "already exists" in said:
                raise Moved(step.branch) from None
            if "no commits between" in said:
                self.notes.append(f"{step.branch}: nothing differs from {step.base} any more")
                return
            if "draft" in said and self._options.draft:
                self.notes.append("draft pull requests are not available here; opened as ordinary")
                made = self._github.write(
                    "POST", f"{self._home}/pulls", {**body, "draft": False}
                ).data
            else:
                raise
        self._newest = made["number"]
        self.opened[step.branch] = PullRequest(made["number"], made["html_url"], head, step.branch)

    def _reopen(self, step: Reopen) -> None:
        if step.restore is not None:
            self._branches.move(step.branch, None, step.restore)
        try:
            self._edit(step.number, None, step.body, "open")
        except Refused as refused:
            if refused.status != _UNPROCESSABLE:
                raise
            self.notes.append(f"#{step.number} could not be opened again; a new one is opened")
            self._instead[step.number] = step.otherwise

    def _edit(self, number: int, title: str | None, body: str | None, state: str | None) -> None:
        given = {"title": title, "body": body, "state": state}
        change = {name: value for name, value in given.items() if value is not None}
        self._github.write("PATCH", f"{self._home}/pulls/{number}", change, again=True)

    def _set_up(self, number: int | None) -> None:
        """Labels and reviewers; a pull request without them is still one."""
        options = self._options
        wanted: list[tuple[str, dict[str, Any]]] = []
        if options.labels:
            wanted.append((f"issues/{number}/labels", {"labels": list(options.labels)}))
        if options.reviewers or options.team_reviewers:
            people = {
                "reviewers": list(options.reviewers),
                "team_reviewers": list(options.team_reviewers),
            }
            wanted.append((f"pulls/{number}/requested_reviewers", people))
        for path, body in wanted if number is not None else ():
            try:
                self._github.write("POST", f"{self._home}/{path}", body, again=True)
            except Refused as refused:
                what = path.rpartition("/")[2].replace("_", " ")
                self.notes.append(f"#{number}: {what} could not be set: {refused.reason}")

    def _comment(self, number: int, text: str) -> None:
        path = f"{self._home}/issues/{number}/comments"
        try:
            self._github.write("POST", path, {"body": text})
        except Refused as refused:
            if "locked" not in refused.said.lower():
                raise
            self.notes.append(f"#{number}: its conversation is locked, nothing was said there")

    def _delete(self, branch: str, expected: str) -> None:
        try:
            self._branches.delete(branch, expected)
        except Refused as refused:
            self.notes.append(f"branch {branch} could not be deleted: {refused.reason}")
