"""The front door of the GitHub Action: an event and inputs in, a pull request or a check out.

Reads the runner's variables once, does what fits the event, and ends the job with an exit code:
0, 1 findings at or above `fail-on`, 2 wrong use, 3 a bug of ours, 4 GitHub refused.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, assert_never, cast

from hardhull.actions.event import Doing
from hardhull.actions.log import Log, Redacted, real_stdout, take_secrets
from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from hardhull.actions.ending import Result
    from hardhull.actions.job import Job

FOUND, WRONG_USE, OUR_BUG, REFUSED = 1, 2, 3, 4
_TITLE = {"title": "hardhull"}


def main(environment: MutableMapping[str, str] | None = None) -> int:
    """Run one job; return its exit code. Takes the tokens out of `environment`."""
    own = os.environ if environment is None else environment
    known = dict(own)
    log = Log(real_stdout(), take_secrets(own))
    with _redacted(log):
        log.mask()
        try:
            from hardhull.actions.job import Job  # noqa: PLC0415  what fails is told as ours

            return _end(Job.read(known, log))
        except UsageError as error:
            # Files are named as their owner knows them, not by where the runner has put them.
            workspace = known.get("GITHUB_WORKSPACE")
            told = str(error).replace(f"{workspace}/", "") if workspace else str(error)
            log.command("error", told, _TITLE)
            return WRONG_USE
        except Exception as error:  # noqa: BLE001  the last place before a bare traceback
            return _failed(log, error)


@contextlib.contextmanager
def _redacted(log: Log) -> Iterator[None]:
    """Let nobody else print a secret or a command either: libraries, warnings, Python."""
    streams = Redacted(log.stream, log), Redacted(log.stream, log)
    with (
        contextlib.redirect_stdout(cast("IO[str]", streams[0])),
        contextlib.redirect_stderr(cast("IO[str]", streams[1])),
    ):
        try:
            yield
        finally:
            for stream in streams:
                stream.close()


def _failed(log: Log, error: Exception) -> int:
    from hardhull.commands.trouble import issue_block  # noqa: PLC0415  only needed here
    from hardhull.pull_request.github import Uncertain  # noqa: PLC0415  only needed here
    from hardhull.pull_request.refusals import Refused  # noqa: PLC0415  only needed here

    if isinstance(error, (Refused, Uncertain)):
        what = "refused" if isinstance(error, Refused) else "did not answer"
        log.command("error", f"GitHub {what}: {error}", _TITLE)
        return REFUSED
    log.command("error", "hardhull failed; the log says how", _TITLE)
    log.say(issue_block("hardhull failed", error))
    return OUR_BUG


def _end(job: Job) -> int:
    """Do what the job is about, tell everybody, and find the exit code."""
    from hardhull.actions.ending import tell  # noqa: PLC0415  imports the reports
    from hardhull.commands.trouble import crash_block  # noqa: PLC0415  only needed here

    job.log.say(job.plan.sentence)
    result = _done(job)
    tell(job, result)
    if result.refused:
        job.log.command("error", f"GitHub refused: {result.refused}", _TITLE)
    if result.outcome is not None and result.outcome.crashes:
        job.log.say(crash_block(result.outcome.crashes))
        return OUR_BUG
    if result.refused:
        return REFUSED
    return FOUND if result.failing else 0


def _done(job: Job) -> Result:
    """What fits the event; each is imported only where it is needed."""
    match job.plan.doing:
        case Doing.NOTHING:
            from hardhull.actions.ending import Result  # noqa: PLC0415

            return Result(job.headline(job.plan.sentence))
        case Doing.SCAN:
            from hardhull.actions.checking import scan  # noqa: PLC0415

            return scan(job)
        case Doing.CHECK:
            from hardhull.actions.checking import check_pull_request  # noqa: PLC0415

            return check_pull_request(job)
        case Doing.FIX:
            from hardhull.actions.fixing import fix  # noqa: PLC0415

            return fix(job)
        case Doing.BRING:
            from hardhull.actions.fixing import bring_planned  # noqa: PLC0415

            return bring_planned(job)
        case _:
            assert_never(job.plan.doing)
