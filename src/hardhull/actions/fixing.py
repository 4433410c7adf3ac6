"""The main thing that a job does: harden what is checked out, and bring it as a pull request."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hardhull.actions.ending import Result, left_in
from hardhull.actions.files import read_inside, write_inside
from hardhull.actions.inputs import Mode
from hardhull.pull_request.bring import bring
from hardhull.pull_request.bring_plan import bring_plan
from hardhull.pull_request.checkout import Checkout
from hardhull.pull_request.handover import LARGEST, Handover, read_plan, written
from hardhull.pull_request.options import Operation
from hardhull.rules.images.stale_digest import ID as STALE_DIGEST
from hardhull.run import run

if TYPE_CHECKING:
    from hardhull.actions.job import Job
    from hardhull.outcome import Outcome
    from hardhull.project.updaters import OpenUpdate
    from hardhull.pull_request.options import Brought


class _Producer:
    """Runs hardhull, as often as it is asked to, and keeps the last outcome."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._settings = job.inputs.settings(job.configured())
        self._held: frozenset[str] = frozenset()
        self._desk = job.desk()
        self.outcome: Outcome | None = None

    def hold(self, fixes: frozenset[str]) -> None:
        """Learn what our open pull requests hold."""
        self._held = fixes

    def produce(self, rejected: frozenset[str], updates: tuple[OpenUpdate, ...]) -> Outcome:
        """One run. A push refreshes stale digests only if that was begun: it would undo it else."""
        refreshing = self._job.plan.refreshing
        outcome = self._run(rejected, updates, refreshing=refreshing is not False)
        if refreshing is None and not self._held & _refreshed(outcome):
            outcome = self._run(rejected, updates, refreshing=False)
        self.outcome = outcome
        return outcome

    def _run(
        self, rejected: frozenset[str], updates: tuple[OpenUpdate, ...], *, refreshing: bool
    ) -> Outcome:
        ask = None
        if self._desk is not None:
            ask = partial(self._desk.ask, self._settings.registries)
        return run(
            self._job.root,
            self._settings,
            recorded=self._job.recorded,
            fixing=True,
            rejected=rejected,
            refreshing=refreshing,
            updates=updates,
            ask=ask,
        )


def _refreshed(outcome: Outcome) -> frozenset[str]:
    found = (change.finding for change in outcome.changes if change.finding.rule == STALE_DIGEST)
    return frozenset(finding.fingerprint for finding in found)


def fix(job: Job) -> Result:
    """Harden and bring. What GitHub refuses is told at the end, after all else."""
    producer = _Producer(job)
    options = job.inputs.options(job.event.repository)
    if job.inputs.plan_file is not None:
        options = replace(options, dry_run=True)
    brought = bring(job.root, producer.produce, job.github(), options, holding=producer.hold)
    if job.inputs.plan_file is not None:
        _hand_over(job, job.inputs.plan_file, brought)
    return _result(job, brought, producer.outcome)


def _hand_over(job: Job, file: str, brought: Brought) -> None:
    """Write the plan for the job that may write to GitHub."""
    commit = Checkout.read(job.root).commit
    decisions = () if brought.refused else brought.decisions
    base = job.plan.base or ""
    plan = Handover(job.event.repository, base, commit, brought.checks, decisions)
    write_inside(job.workspace, file, "plan-file", job.log.clean(written(plan)))


def bring_planned(job: Job) -> Result:
    """Do what an earlier job planned."""
    plan = read_plan(read_inside(job.workspace, job.inputs.plan_file or "", "plan-file", LARGEST))
    options = job.inputs.options(job.event.repository)
    return _result(job, bring_plan(plan, job.github(), options), None)


def _result(job: Job, brought: Brought, outcome: Outcome | None) -> Result:
    planned = job.inputs.plan_file is not None and job.inputs.mode is not Mode.BRING
    told = _told(brought, "planned for the next job" if planned else _dry(job))
    more = outcome.notes if outcome is not None else ()
    for line in (told, *brought.plan, *brought.notes, *more):
        job.log.say(line)
    job.log.say(f"requests to {job.api_host}: {brought.requests}, of them writes: {brought.writes}")
    return Result(
        job.headline(told),
        outcome,
        outcome,
        notes=(*brought.plan, *brought.notes),
        contacted=(job.api_host, *(outcome.contacted if outcome is not None else ())),
        failing=outcome is not None and left_in(outcome, job.inputs.fail_on),
        outputs=_outputs(brought),
        refused=brought.blocked_reason if brought.refused else "",
    )


def _dry(job: Job) -> str:
    return "dry run, nothing is written" if job.inputs.dry_run else ""


def _told(brought: Brought, instead: str) -> str:
    """What became of the pull request, and whether its checks start."""
    numbers = ", ".join(f"#{pull.number}" for pull in brought.pull_requests)
    one = (
        f"pull request {numbers}" if len(brought.pull_requests) <= 1 else f"pull requests {numbers}"
    )
    match brought.operation:
        case Operation.NONE if numbers:
            said = f"{one} is current"
        case Operation.NONE:
            said = "nothing to do" if instead else "no pull request needed"
        case Operation.BLOCKED:
            said = f"blocked: {brought.blocked_reason}"
        case done:
            said = f"{one.strip()} {done.value}"
    if instead:
        said = f"{instead}: {said}"
    match brought.checks if brought.operation is not Operation.NONE else None:
        case "waiting":
            return f"{said}; its checks wait until somebody approves them"
        case "start":
            return f"{said}; its checks start by themselves"
        case _:
            return said


def _outputs(brought: Brought) -> dict[str, str]:
    pulls = brought.pull_requests
    verified = brought.commits_verified
    listed = [
        {"number": p.number, "url": p.url, "head_sha": p.head_sha, "branch": p.branch}
        for p in pulls
    ]
    return {
        "pull-request-operation": brought.operation.value,
        "blocked-reason": brought.blocked_reason,
        "pull-request-number": str(pulls[0].number) if pulls else "",
        "pull-request-url": pulls[0].url if pulls else "",
        "pull-request-head-sha": pulls[0].head_sha if pulls else "",
        "pull-request-branch": pulls[0].branch if pulls else "",
        "pull-requests": json.dumps(listed),
        "pull-request-commits-verified": "" if verified is None else str(verified).lower(),
        "checks": brought.checks or "",
    }
