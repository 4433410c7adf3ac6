"""`hardhull pr`: bring what `fix` would do to GitHub, as a pull request that is kept current."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hardhull.commands.output import Output, tell
from hardhull.commands.roots import asking_of, desk_of, recorded_of, roots_of, settings_of
from hardhull.commands.trouble import crash_block
from hardhull.model import UsageError
from hardhull.pull_request.bring import bring
from hardhull.pull_request.github import GitHub
from hardhull.pull_request.options import (
    CommitMode,
    Operation,
    PullRequestOptions,
    SplitBy,
)
from hardhull.report.neutral import plain
from hardhull.run import run
from hardhull.writing import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hardhull.model import Crash
    from hardhull.outcome import Outcome
    from hardhull.project.updaters import OpenUpdate
    from hardhull.pull_request.options import Brought

REFUSED = 4
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?(?P<host>[^/:]+)(?::\d+)?/|(?:[^/@:]+@)?(?P<scp>[^/:]+):)"
    r"(?P<name>[^/]+/[^/]+?)(?:\.git)?/?"
)
_DONE = {
    Operation.NONE: "Nothing to do.",
    Operation.CREATED: "Opened.",
    Operation.UPDATED: "Brought up to date.",
    Operation.REOPENED: "Opened again.",
    Operation.CLOSED: "Closed: nothing is left to change.",
    Operation.BLOCKED: "Not done.",
}


def pr(arguments: argparse.Namespace) -> int:
    """Open, update or close the pull request; return the exit code."""
    output = Output(argparse.Namespace(output=None, color="never"))
    roots = roots_of(arguments)
    if len(roots) > 1:
        raise UsageError("pr takes one PATH: a pull request belongs to one repository")
    root, options = roots[0], options_of(roots[0], arguments)
    settings, recorded = settings_of(root, arguments), recorded_of(arguments)
    github = GitHub.of_environment(os.environ)
    ask = asking_of(desk_of(arguments), settings, arguments)
    crashes: list[Crash] = []
    contacted: list[str] = []

    def produce(rejected: frozenset[str], updates: tuple[OpenUpdate, ...]) -> Outcome:
        outcome = run(
            root,
            settings,
            recorded=recorded,
            fixing=True,
            rejected=rejected,
            updates=updates,
            ask=ask,
        )
        crashes[:] = outcome.crashes
        contacted[:] = sorted({*contacted, *outcome.contacted})
        return outcome

    brought = bring(root, produce, github, options)
    output.write("".join(f"{line}\n" for line in _lines(brought, options)))
    if contacted:
        output.write(f"Contacted: {plain(', '.join(contacted))}.\n")
    if brought.blocked_reason:
        tell(f"hardhull: {plain(brought.blocked_reason)}")
    if crashes:
        tell(crash_block(crashes))
        return 3
    return REFUSED if brought.refused else 0


def options_of(root: Path, arguments: argparse.Namespace) -> PullRequestOptions:
    """The choices of the command line. Raises UsageError."""
    return PullRequestOptions(
        repository=arguments.repository or _repository(root),
        base=arguments.base,
        branch=arguments.branch,
        title=arguments.title,
        labels=tuple(arguments.label),
        reviewers=tuple(arguments.reviewer),
        draft=arguments.draft,
        split_by=SplitBy(arguments.split_by),
        max_open=arguments.max_open_pull_requests,
        commit_mode=CommitMode(arguments.commit_mode),
        dry_run=arguments.dry_run,
    )


def _repository(root: Path) -> str:
    """The repository that the environment names, or the one that the clone came from."""
    named = os.environ.get("GITHUB_REPOSITORY")
    if named:
        return named
    found = git(root, "config", "--get", "remote.origin.url")
    url = os.fsdecode(found or b"").strip()
    remote = _REMOTE.fullmatch(url)
    if remote is None:
        raise UsageError("which repository on GitHub? Give --repository OWNER/NAME")
    server = urlsplit(os.environ.get("GITHUB_SERVER_URL") or "https://github.com").hostname
    host = (remote["host"] or remote["scp"]).lower()
    if host != server:
        # A token is sent where the environment says, not where a clone came from.
        raise UsageError(
            f"origin is at {host}: set GITHUB_SERVER_URL and GITHUB_API_URL for that server, "
            "or give --repository OWNER/NAME"
        )
    return remote["name"]


def _lines(brought: Brought, options: PullRequestOptions) -> Iterator[str]:
    if options.dry_run:
        yield "Would do:" if brought.plan else "Would do nothing."
        yield from (f"  {plain(line)}" for line in brought.plan)
        for body in brought.bodies:
            yield ""
            yield body
    else:
        yield _DONE[brought.operation]
        for pull in brought.pull_requests:
            yield f"  #{pull.number} {plain(pull.url)} ({plain(pull.branch)})"
    if brought.commits_verified is False:
        yield "note: GitHub does not sign these commits; a GitHub App's token would get that"
    for note in brought.notes:
        yield f"note: {plain(note)}"
