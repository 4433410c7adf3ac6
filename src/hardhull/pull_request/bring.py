"""The story of the pull request: look at GitHub, run, decide, write; and look again if in doubt."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.pull_request.carry_out import Carrier
from hardhull.pull_request.checkout import Checkout
from hardhull.pull_request.commands import commands_in
from hardhull.pull_request.decide import decide
from hardhull.pull_request.github import Moved, Uncertain
from hardhull.pull_request.looking import joined, look, merged_only
from hardhull.pull_request.memory import Memory, remember
from hardhull.pull_request.options import (
    Brought,
    CommitMode,
    Operation,
    SplitBy,
)
from hardhull.pull_request.refusals import Refused
from hardhull.pull_request.seen import Standing
from hardhull.pull_request.state import block_in
from hardhull.pull_request.steps import told
from hardhull.pull_request.telling import notes_of, open_ones, summary
from hardhull.pull_request.view import View
from hardhull.pull_request.wanting import Wants, parts, wants

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hardhull.outcome import Outcome
    from hardhull.project.updaters import OpenUpdate
    from hardhull.pull_request.carry_out import Branches
    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.options import PullRequestOptions
    from hardhull.pull_request.seen import Seen
    from hardhull.pull_request.steps import Decision

    Produce = Callable[[frozenset[str], tuple[OpenUpdate, ...]], Outcome]

_ATTEMPTS = 3


@dataclass
class _Run:
    """One run: what it is given, what it may ask again, and what it has found out."""

    root: Path
    produce: Produce
    github: GitHub
    options: PullRequestOptions
    today: datetime.date
    checkout: Checkout
    holding: Callable[[frozenset[str]], object] | None = None
    known: dict[frozenset[str], Outcome] = field(default_factory=dict)
    updates: tuple[OpenUpdate, ...] = ()
    notes: list[str] = field(default_factory=list)
    anew: dict[int, int] = field(default_factory=dict)
    retried: frozenset[int] = frozenset()

    def outcome(self, rejected: frozenset[str]) -> Outcome:
        """Run hardhull without these fixes; the same question is asked once."""
        if rejected not in self.known:
            self.known[rejected] = self.produce(rejected, self.updates)
        return self.known[rejected]


def bring(
    root: Path,
    produce: Produce,
    github: GitHub,
    options: PullRequestOptions,
    *,
    today: datetime.date | None = None,
    holding: Callable[[frozenset[str]], object] | None = None,
) -> Brought:
    """Bring what a run finds to GitHub, keep it current, and step on nobody's toes.

    `produce` runs hardhull on `root` without fixing the findings it is given, and without what the
    open pull requests of update tools do. GitHub's state is read first, since people may have
    refused some. `holding`, if given, is told before that what
    our open pull requests hold. Raises UsageError if there is no checkout.
    """
    now = today or datetime.datetime.now(tz=datetime.UTC).date()
    run = _Run(root, produce, github, options, now, Checkout.read(root), holding)
    try:
        brought = _attempts(run)
    except Refused as refused:
        brought = Brought(Operation.BLOCKED, refused.reason, refused=True, notes=tuple(run.notes))
    return replace(brought, requests=github.requests, writes=github.writes)


def _attempts(run: _Run) -> Brought:
    """Try; if something moved or an answer got lost, look at everything again."""
    for attempt in range(_ATTEMPTS):
        try:
            return _attempt(run)
        except Moved as moved:
            if attempt > 0:  # twice: others are at work, and a newer run will come
                return _nothing(run, f"{moved} is being changed by someone else; left to them")
        except Uncertain as error:
            if attempt == _ATTEMPTS - 1:
                raise Refused(
                    f"GitHub did not answer ({error}); run this again, nothing is lost"
                ) from None
            run.github.pause(5.0 * (attempt + 1))
    raise ValueError("the last attempt returned or raised")


def _held(seen: Seen) -> frozenset[str]:
    """The fingerprints of what our open pull requests hold, as far as they remember."""
    blocks = (
        block_in(pull.body) for pull in seen.pulls if pull.ours and pull.standing is Standing.OPEN
    )
    return frozenset(fix for block in blocks if block is not None for fix in block.state.fixes)


def _nothing(run: _Run, *notes: str) -> Brought:
    return Brought(notes=(*run.notes, *notes))


def _attempt(run: _Run) -> Brought:
    run.notes.clear()
    seen = look(run.github, run.options, _branches(run))
    if seen.unusable:
        return _nothing(run, seen.unusable)
    if seen.base is None:
        raise Refused(f"branch {run.options.base} is not there; give the base's name")
    if seen.base.head != run.checkout.commit:
        return _nothing(
            run,
            f"{seen.base.name} is at {seen.base.head[:7]} and the checkout at "
            f"{run.checkout.commit[:7]}: left to the run of that commit",
        )
    seen = _with_orphans(run, seen)
    updates = tuple(run.checkout.below(update) for update in seen.updates)
    if run.holding is not None or updates != run.updates:
        run.known.clear()  # what was asked before, only for its names, did not know it
    run.updates = updates
    if run.holding is not None:
        run.holding(_held(seen))
    run.anew, run.retried = {}, frozenset()
    if run.options.comment_commands:
        run.anew, run.retried = commands_in(run.github, seen)
    memory = remember(seen.pulls, run.today, run.retried)
    wanted = wants(run.options, run.checkout, run.outcome, run.root, seen, memory)
    run.notes += wanted.notes
    decisions = _decided(run, seen, memory, wanted)
    if run.options.dry_run:
        return _dry(run, seen, wanted, decisions)
    return _carried_out(run, seen, wanted, decisions)


def _branches(run: _Run) -> list[str]:
    """The names that our branches may have; some are only known after a run."""
    options = run.options
    names = [options.branch, f"{options.branch}-fix"]
    match options.split_by:
        case SplitBy.NONE:
            pass
        case SplitBy.LEVEL:
            names += [f"{options.branch}-routine", f"{options.branch}-review"]
        case SplitBy.APPLICATION | SplitBy.CODEOWNERS:
            found = parts(options, run.checkout, run.outcome(frozenset()), run.root)
            names += [options.branch + part.suffix for part in found]
    return list(dict.fromkeys(names))


def _with_orphans(run: _Run, seen: Seen) -> Seen:
    """Also look at branches of parts that are none any more: their pull requests are closed."""
    prefix = f"{run.options.branch}-"
    known = {pull.branch for pull in seen.pulls} | set(seen.branches) | set(_branches(run))
    more = [name for name in seen.names if name.startswith(prefix) and name not in known]
    if not more:
        return seen
    return joined(seen, look(run.github, run.options, more))


def _decided(run: _Run, seen: Seen, memory: Memory, wanted: Wants) -> list[tuple[str, Decision]]:
    """A decision for each branch that is wanted, then for each that is not."""
    if seen.base is None:
        raise ValueError("looked at above")
    paths = {f.path for one in wanted.parts.values() for c in one.plan.commits for f in c.files}
    updated = merged_only(run.github, run.options, seen, paths)
    orphans = [name for name in _ours(run, seen) if name not in wanted.parts]
    room = run.options.max_open
    decisions = []
    for branch in (*wanted.parts, *orphans):
        pulls = seen.of_branch(branch)
        is_open = any(pull.standing is Standing.OPEN for pull in pulls)
        if branch in wanted.parts and room <= 0 and not is_open:
            run.notes.append(f"{branch}: waits until fewer pull requests are open")
            continue
        silent = remember(pulls, run.today).silent_until
        view = View(
            key=run.options.branch,
            branch=branch,
            base=seen.base,
            viewer=seen.viewer,
            today=run.today,
            at=seen.branches.get(branch),
            pulls=pulls,
            memory=Memory(memory.refused, memory.reverted, silent),
            merged_only=updated,
            set_up=_sets_up(run.options),
            unknown=wanted.unknown,
            failed=wanted.failed,
            commands=run.anew,
        )
        decision = decide(view, wanted.parts.get(branch))
        room -= branch in wanted.parts and (is_open or bool(decision.steps))
        decisions.append((branch, decision))
    return decisions


def _sets_up(options: PullRequestOptions) -> bool:
    return bool(options.labels or options.reviewers or options.team_reviewers)


def _ours(run: _Run, seen: Seen) -> list[str]:
    """Branches that this configuration made: another one in the same repository has its own key."""
    names = dict.fromkeys([run.options.branch, f"{run.options.branch}-fix"])
    for pull in seen.pulls:
        block = block_in(pull.body) if pull.ours else None
        if block is not None and block.state.key == run.options.branch:
            names[pull.branch] = None
    return [name for name in names if name in seen.branches or seen.of_branch(name)]


# ---------------------------------------------------------------- doing it


def _branches_of(run: _Run, seen: Seen) -> Branches:
    if run.options.commit_mode is CommitMode.GIT:
        from hardhull.pull_request.git_branches import GitBranches  # noqa: PLC0415  only then

        return GitBranches(run.github, seen, run.root)
    from hardhull.pull_request.api_branches import ApiBranches  # noqa: PLC0415  only then

    return ApiBranches(run.github, seen)


def _carried_out(
    run: _Run, seen: Seen, wanted: Wants, decisions: Sequence[tuple[str, Decision]]
) -> Brought:
    branches = _branches_of(run, seen)
    carrier = Carrier(run.github, seen.name, branches, run.options)
    try:
        for _, decision in decisions:
            carrier.carry_out(decision)
    finally:
        closing = getattr(branches, "close", None)
        if closing is not None:
            closing()
    return replace(
        summary(seen, wanted, decisions),
        pull_requests=open_ones(seen, carrier, decisions),
        commits_verified=branches.verified,
        notes=(*run.notes, *notes_of(decisions), *carrier.notes),
    )


def _dry(
    run: _Run, seen: Seen, wanted: Wants, decisions: Sequence[tuple[str, Decision]]
) -> Brought:
    """What would be done, and the texts that would be written; nothing is."""
    steps = [told(step) for _, decision in decisions for step in decision.steps]
    bodies = [one.text.text for one in wanted.parts.values()]
    return replace(
        summary(seen, wanted, decisions),
        plan=tuple(steps),
        bodies=tuple(bodies),
        decisions=tuple(decisions),
        notes=(*run.notes, *notes_of(decisions)),
    )
