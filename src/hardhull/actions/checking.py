"""Two of the things that a job does: tell what is new in a pull request, or what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.actions.check import check, only_new
from hardhull.actions.comment import body_of
from hardhull.actions.conversation import gone_in, keep, look
from hardhull.actions.ending import Result, left_in
from hardhull.model import UsageError
from hardhull.pull_request.github import Uncertain
from hardhull.pull_request.refusals import Refused
from hardhull.run import run

if TYPE_CHECKING:
    from hardhull.actions.check import Checked
    from hardhull.actions.event import Pull
    from hardhull.actions.job import Job
    from hardhull.pull_request.github import GitHub

_MAY_NOT = (401, 403, 404)
_MOST_REQUESTS = 4
"""So many for a check, and one for each file that differs."""


def scan(job: Job, notes: tuple[str, ...] = ()) -> Result:
    """Tell what there is; write nothing, contact nobody."""
    settings = job.inputs.settings(job.configured())
    outcome = run(job.root, settings, recorded=job.recorded, fixing=False)
    return Result(
        job.headline(job.plan.sentence),
        outcome,
        outcome,
        annotated=True,
        notes=notes,
        failing=left_in(outcome, job.inputs.fail_on),
    )


def check_pull_request(job: Job) -> Result:
    """Tell what is new in a pull request: beside the code, in the summary, in one comment."""
    pull = job.event.pull
    if pull is None:
        raise UsageError("the event's file holds no pull request; is GITHUB_EVENT_PATH right?")
    github = job.github()
    try:
        checked = check(job, pull, github)
    except (Refused, Uncertain) as error:
        return _without_base(job, pull, error)
    for note in checked.notes:
        job.log.say(note)
    notes = (*checked.notes, *_comment(job, pull, github, checked))
    count, older = len(checked.new.entries), checked.new.older
    told = f"pull request #{pull.number}: {count or 'nothing'} new"
    if older:
        told += f", {older} older on {pull.base_ref} not shown"
    job.log.say(f"{told}; requests to {job.api_host}: {github.requests}")
    shown = only_new(checked)
    return Result(
        job.headline(told),
        checked.outcome,
        shown,
        annotated=True,
        quiet=not (count or shown.skipped or shown.crashes or shown.notes),
        notes=notes,
        contacted=(job.api_host,),
        failing=left_in(shown, job.inputs.fail_on),
    )


def _comment(job: Job, pull: Pull, github: GitHub, checked: Checked) -> tuple[str, ...]:
    """Keep the comment as it should be; returns what the summary says if that failed."""
    try:
        job.log.say(_keep_comment(job, pull, github, checked))
    except (Refused, Uncertain) as error:
        why = _why_none(pull, error)
        job.log.say(why)
        return (why,)
    return ()


def _why_none(pull: Pull, error: Refused | Uncertain) -> str:
    if isinstance(error, Uncertain) or error.status not in _MAY_NOT:
        return f"no comment, GitHub failed: {error}"
    if pull.from_fork:
        return "no comment: the token of a fork's pull request can only read"
    return "no comment: this token may not write one; give the job `pull-requests: write`"


def _keep_comment(job: Job, pull: Pull, github: GitHub, checked: Checked) -> str:
    if job.inputs.comment == "never":
        return "no comment, as asked"
    if job.inputs.dry_run:
        return "no comment in a dry run"
    new, repository = checked.new, job.event.repository
    lost = {key: (job.shown.shown(line.path), line) for key, line in new.lost.items()}
    seen = look(github, repository, pull.number, sorted({path for path, _ in lost.values()}))
    # One more request for the texts of commits, and one for the comment, must fit.
    affordable = github.requests + 2 <= _MOST_REQUESTS + checked.different
    gone = gone_in(github, repository, seen, lost, affordable=affordable)
    body = body_of(new, job.shown, gone)
    wanted = job.log.clean(body) if body is not None else None
    return keep(github, repository, pull.number, seen, wanted)


def _without_base(job: Job, pull: Pull, error: Exception) -> Result:
    """The base can't be read, so what is new is not known: say so, and judge nothing by it."""
    why = str(error)
    if isinstance(error, Refused) and error.status in _MAY_NOT:
        why = "this token may not; give the job `contents: read`"
    reason = f"the base of pull request #{pull.number} can't be read: {why}"
    if job.inputs.fail_on is not None:
        raise Refused(f"{reason}; what is new can't be told, and `fail-on` asks for it")
    job.log.command("warning", f"{reason}. All findings are shown.", {"title": "hardhull"})
    try:
        result = scan(job, (f"{reason}; all findings are shown",))
    except UsageError as wrong:  # a pull request's own configuration decides nothing
        return Result(job.headline(reason), notes=(str(wrong),), contacted=(job.api_host,))
    return result
