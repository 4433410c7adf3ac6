"""Doing what another job decided, as far as it is something we would have decided.

A plan comes from a job that read a repository which may be hostile. It can't be known whether its
texts are ours; but only branches and pull requests of ours are touched, only files that hardhull
writes are changed, on the commit that the base is at, and branches move by compare-and-swap.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from hardhull.documents.msbuild import is_msbuild
from hardhull.model import UsageError
from hardhull.project.updaters import DEPENDABOT_CONFIGS
from hardhull.pull_request.api_branches import ApiBranches
from hardhull.pull_request.carry_out import Carrier
from hardhull.pull_request.commits import state_in
from hardhull.pull_request.github import Moved, Uncertain
from hardhull.pull_request.looking import look
from hardhull.pull_request.options import Brought, CommitMode, Operation
from hardhull.pull_request.refusals import Refused
from hardhull.pull_request.state import block_in
from hardhull.pull_request.steps import (
    Comment,
    Delete,
    Edit,
    Open,
    Reopen,
    Rewrite,
    SetUp,
    told,
)
from hardhull.pull_request.telling import as_one, open_ones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.handover import Handover
    from hardhull.pull_request.options import PullRequestOptions
    from hardhull.pull_request.seen import Seen, SeenPull
    from hardhull.pull_request.steps import Step

_BODY, _TITLE, _MESSAGE, _FILE = 65_536, 256, 20_000, 4 * 1024 * 1024
_MODES = ("100644", "100755")
_OURS = re.compile(
    r"(?:[^/]*(?:dockerfile|containerfile)[^/]*|[^/]+\.(?:ya?ml|tpl|json)|\.dockerignore)",
    re.IGNORECASE,
)
_NEVER = frozenset({".git", ".github", ".gitlab", ".circleci", ".azure-pipelines", "..", "."})
_HASH = re.compile(r"[0-9a-f]{16}")


class _Strange(Exception):
    """Something in a plan that we would not have decided."""


def bring_plan(handover: Handover, github: GitHub, options: PullRequestOptions) -> Brought:
    """Check a plan against what GitHub says now, and carry it out.

    If things moved on since it was made, nothing is done: a newer run will come. Raises UsageError
    if the plan is none of ours.
    """
    if options.commit_mode is not CommitMode.API:
        raise UsageError("a plan is brought by `commit-mode: api`: there is no clone to push from")
    if handover.repository.lower() != options.repository.lower():
        raise UsageError(f"the plan is for {handover.repository}, not for {options.repository}")
    try:
        brought = _brought(handover, github, options)
    except Refused as refused:
        brought = Brought(Operation.BLOCKED, refused.reason, refused=True)
    except Uncertain as error:
        reason = f"GitHub did not answer ({error}); run this again, nothing is lost"
        brought = Brought(Operation.BLOCKED, reason, refused=True)
    except Moved as moved:
        brought = Brought(notes=(f"{moved} is being changed by someone else; left to them",))
    except _Strange as strange:
        raise UsageError(f"the plan holds what hardhull never does: {strange}") from None
    return replace(brought, requests=github.requests, writes=github.writes)


def _brought(handover: Handover, github: GitHub, options: PullRequestOptions) -> Brought:
    names = [branch for branch, _ in handover.decisions]
    steps = [step for _, decision in handover.decisions for step in decision.steps]
    brought = as_one(handover.decisions, handover.checks)
    if not steps:
        return brought
    for name in names:
        _check_branch(name, options)
    seen = look(github, options, list(dict.fromkeys([options.branch, *names])))
    if seen.base is None or seen.base.head != handover.commit:
        return Brought(notes=("the base moved on since the plan was made: left to the next run",))
    _Check(handover, github, options, seen).all(steps)
    if options.dry_run:
        return replace(brought, plan=tuple(told(step) for step in steps))
    branches = ApiBranches(github, seen)
    carrier = Carrier(github, seen.name, branches, options)
    for _, decision in handover.decisions:
        carrier.carry_out(decision)
    return replace(
        brought,
        pull_requests=open_ones(seen, carrier, handover.decisions),
        commits_verified=branches.verified,
        notes=tuple(carrier.notes),
    )


def _check_branch(name: str, options: PullRequestOptions) -> None:
    """A branch of ours: the one of the options, or one whose name goes on from it."""
    rest = name.removeprefix(options.branch)
    if name == options.branch or (rest != name and re.fullmatch(r"-[A-Za-z0-9._-]+", rest)):
        return
    raise _Strange(f"branch `{name}`")


class _Check:
    """Each step against the snapshot."""

    def __init__(
        self, handover: Handover, github: GitHub, options: PullRequestOptions, seen: Seen
    ) -> None:
        self._handover, self._github, self._options, self._seen = handover, github, options, seen
        self._pulls = {pull.number: pull for pull in seen.pulls if pull.ours}
        self._tree: tuple[str, Mapping[str, str]] | None = None
        self._restored: dict[str, str] = {}
        """Heads of branches that an earlier step brings back."""

    def all(self, steps: list[Step]) -> None:
        """Raises _Strange at the first step that is not like ours."""
        for step in steps:
            self._step(step)

    def _step(self, step: Step) -> None:  # noqa: C901  one case for each kind of step
        match step:
            case Rewrite():
                self._rewrite(step)
            case Open():
                self._open(step)
            case Reopen():
                self._reopen(step)
            case Edit(number, title, body, _):
                self._pull(number)
                self._title(title)
                if body is not None:
                    self._body(number, body)
            case SetUp(number):
                if number is not None:
                    self._pull(number)
            case Comment(number, text):
                self._pull(number)
                if len(text) > _BODY:
                    raise _Strange("a comment without end")
            case Delete(branch, _):
                _check_branch(branch, self._options)
            case _:
                assert_never(step)

    def _pull(self, number: int) -> SeenPull:
        pull = self._pulls.get(number)
        if pull is None:
            raise _Strange(f"pull request #{number}, which is not ours")
        _check_branch(pull.branch, self._options)
        return pull

    def _branch_of(self, number: int, branch: str) -> None:
        if self._pull(number).branch != branch:
            raise _Strange(f"branch `{branch}` for #{number}")

    def _title(self, title: str | None) -> None:
        if title is not None and (len(title) > _TITLE or not title.isprintable()):
            raise _Strange("a title of another form")

    def _body(self, number: int, body: str) -> None:
        """Only our part of a body is ours to change."""
        old, new = block_in(self._pull(number).body), block_in(body)
        if len(body) > _BODY or new is None or old is None:
            raise _Strange(f"a body for #{number} without our part")
        if (old.before, old.after) != (new.before, new.after):
            raise _Strange(f"what people wrote in the body of #{number}")

    def _reopen(self, step: Reopen) -> None:
        self._branch_of(step.number, step.branch)
        self._body(step.number, step.body)
        if step.restore is not None:
            if step.restore != self._pull(step.number).head:
                raise _Strange(f"commit {step.restore} for #{step.number}")
            self._restored[step.branch] = step.restore
        self._open(step.otherwise)

    def _open(self, step: Open) -> None:
        _check_branch(step.branch, self._options)
        base = self._seen.base
        if base is None or step.base != base.name:
            raise _Strange(f"a pull request to `{step.base}`")
        self._title(step.title)
        draft = step.draft
        if len(draft.before) + len(draft.text) + len(draft.after) > _BODY:
            raise _Strange("a body without end")
        at = self._seen.branches.get(step.branch)
        if step.head is not None and (at is None or at.head != step.head):
            raise Moved(step.branch)

    def _rewrite(self, step: Rewrite) -> None:
        _check_branch(step.branch, self._options)
        at = self._seen.branches.get(step.branch)
        head = at.head if at is not None else self._restored.get(step.branch)
        if head != step.expected:
            raise Moved(step.branch)
        if step.expected is not None and not self._made_by_us(step):
            raise _Strange(f"commits of others on `{step.branch}`")
        if step.number is not None:
            self._branch_of(step.number, step.branch)
            self._title(step.title)
            if step.draft is not None:
                self._body(step.number, step.draft.filled({}))
        self._plan(step.plan)

    def _made_by_us(self, step: Rewrite) -> bool:
        """Whether the newest commit vouches for itself, or a person asked for it to go."""
        pull = self._pulls.get(step.number) if step.number is not None else None
        block = block_in(pull.body) if pull is not None else None
        if block is not None and (block.regenerate or step.expected in block.state.heads):
            return True
        at = self._seen.branches.get(step.branch)
        history = at.history if at is not None else ()
        state = state_in(history[0].message) if history else None
        return state is not None and state[0] == history[0].tree

    def _plan(self, plan: Plan) -> None:
        tree, modes = self._base_tree()
        if plan.parent != self._handover.commit or plan.tree != tree:
            raise _Strange("commits on something else than the base")
        if not _HASH.fullmatch(plan.content):
            raise _Strange("a plan without its content")
        for commit in plan.commits:
            if len(commit.message) > _MESSAGE or not all(map(_HASH.fullmatch, commit.fixes)):
                raise _Strange("a commit message of another form")
            for file in commit.files:
                self._file(file.path, file.mode, modes)
                if len(file.data) > _FILE or _blob_id(file.data, plan.parent) != file.oid:
                    raise _Strange(f"bytes of `{file.path}` that are not those of its id")

    def _file(self, path: str, mode: str, modes: Mapping[str, str]) -> None:
        *folders, name = path.split("/")
        allowed = path.isprintable() and "\\" not in path
        if path not in DEPENDABOT_CONFIGS:
            allowed &= not _NEVER & {folder.lower() for folder in folders}
            allowed &= _OURS.fullmatch(name) is not None or is_msbuild(name)
        created = path == DEPENDABOT_CONFIGS[0] or name == ".dockerignore"
        known = modes.get(path, _MODES[0] if created else None)
        if not allowed or mode not in _MODES or mode != known:
            raise _Strange(f"file `{path}` with mode {mode}")

    def _base_tree(self) -> tuple[str, Mapping[str, str]]:
        """The tree of the base's commit, and the mode of every file in it."""
        if self._tree is None:
            home = f"/repos/{self._seen.name}/git"
            commit = self._github.read(f"{home}/commits/{self._handover.commit}").data
            tree = str(commit["tree"]["sha"])
            listed = self._github.read(f"{home}/trees/{tree}?recursive=1").data
            if listed.get("truncated"):
                raise Refused("the repository is too large for two jobs; use one")
            modes = {str(one["path"]): str(one["mode"]) for one in listed["tree"]}
            self._tree = tree, modes
        return self._tree


def _blob_id(data: bytes, commit: str) -> str:
    """The id that git gives to these bytes, in a repository with such commits."""
    kind = hashlib.sha256 if len(commit) == 64 else hashlib.sha1  # noqa: PLR2004  hex digits
    return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
