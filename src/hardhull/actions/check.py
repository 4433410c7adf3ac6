"""What is new in a pull request: the same scan of its base and of what is checked out.

Both with the base's configuration, so that a pull request can't decide how it is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.actions.base import base_commit, differences, head_of, replaced_by
from hardhull.actions.comment import ROWS, New
from hardhull.actions.regression import lost_lines
from hardhull.configuration.reading import load
from hardhull.model import UsageError
from hardhull.rules import BY_ID
from hardhull.run import conclude
from hardhull.settings import CONFIG_PATH, Settings
from hardhull.survey import survey

if TYPE_CHECKING:
    from hardhull.actions.event import Pull
    from hardhull.actions.job import Job
    from hardhull.discover import Replaced
    from hardhull.outcome import Outcome
    from hardhull.pull_request.github import GitHub


@dataclass(frozen=True, slots=True)
class Checked:
    """The head as it was scanned, what of it is new, and what else should be said."""

    outcome: Outcome
    new: New
    notes: tuple[str, ...]
    different: int
    """The number of files that differ from the base."""


def check(job: Job, pull: Pull, github: GitHub) -> Checked:
    """Scan twice and compare. Raises Refused if GitHub does not give the base, and UsageError."""
    root, repository = job.root, job.event.repository
    head = head_of(root)
    commit = base_commit(github, repository, pull, head)
    different = differences(github, repository, commit, head)
    before = replaced_by(github, repository, different, head.folder)
    top = root.parents[head.folder.count("/") - 1] if head.folder else root
    settings, notes = _settings(job, top, replaced_by(github, repository, different, ""))
    old = _scan(job, settings, before)
    now = _scan(job, settings, None)
    known = {entry.finding.fingerprint for entry in old.entries if entry.left}
    left = [entry for entry in now.entries if entry.left]
    new = [entry for entry in left if entry.finding.fingerprint not in known]
    new.sort(key=lambda entry: -entry.finding.severity.rank)
    lost = lost_lines(old, now, new[:ROWS], partial(_scan, job, settings))
    told = New(now, tuple(new), len(left) - len(new), pull.base_ref, lost)
    return Checked(now, told, notes, len(different))


def _scan(job: Job, settings: Settings, replaced: Replaced | None) -> Outcome:
    context = survey(job.root, settings, recorded=job.recorded, replaced=replaced)
    return conclude(job.root, context, fixing=False)


def only_new(checked: Checked) -> Outcome:
    """The outcome as if nothing else had been found: what annotations are made from."""
    return replace(checked.outcome, entries=checked.new.entries)


# ---------------------------------------------------------------- the base's configuration


def _settings(job: Job, top: Path, before: Replaced) -> tuple[Settings, tuple[str, ...]]:
    """The base's settings; the head's are only looked at to say what they would be."""
    place = job.root / CONFIG_PATH if job.config is None else Path(job.config)
    path = place.relative_to(top).as_posix() if place.is_relative_to(top) else ""
    if path not in before:
        return job.inputs.settings(job.configured()), ()
    bring = before[path]
    text = bring().decode("utf-8-sig", "surrogateescape") if bring is not None else ""
    settings = load(f"{path} on the base branch", text, BY_ID) if text else Settings()
    notes = [f"{path} is changed here: it counts once merged, this check goes by the base branch"]
    try:
        job.configured()
    except UsageError as error:
        notes.append(f"once merged, it would be refused: {error}")
    return job.inputs.settings(settings), tuple(notes)
