"""What started the job, and what is to be done about it. Pure: the event's file is read before."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from hardhull.actions.inputs import Mode
from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.actions.inputs import Inputs

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_HEADS = "refs/heads/"
_CHECKED_ACTIONS = ("opened", "synchronize", "reopened", "ready_for_review", "edited", "labeled")


class Doing(enum.Enum):
    """What a job does."""

    FIX = "fix"
    """Harden, and bring it as a pull request."""
    CHECK = "check"
    """Tell what is new in somebody's pull request."""
    BRING = "bring"
    """Do what an earlier job planned."""
    SCAN = "scan"
    """Tell what there is, and write nothing."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Pull:
    """The pull request that started the job."""

    number: int
    base_ref: str
    base_sha: str
    head_sha: str
    from_fork: bool


@dataclass(frozen=True, slots=True)
class Event:
    """What the runner says of the job; texts of others in it are never trusted as names."""

    name: str
    repository: str
    ref: str = ""
    sha: str = ""
    default_branch: str = ""
    action: str = ""
    deleted: bool = False
    pull: Pull | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done, the sentence that says so, and whether stale digests are refreshed.

    `refreshing` is None where that hangs on the pull request that is open already.
    """

    doing: Doing
    sentence: str
    base: str | None = None
    refreshing: bool | None = False


def read_event(environment: Mapping[str, str], payload: object) -> Event:
    """Read the runner's variables and the event's payload. Raises UsageError if they don't fit."""
    name = environment.get("GITHUB_EVENT_NAME", "")
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not name or not _REPOSITORY.fullmatch(repository):
        raise UsageError(
            "GITHUB_EVENT_NAME and GITHUB_REPOSITORY are not set: the action runs in a job of "
            "GitHub Actions; elsewhere use `hardhull scan`, `fix` or `pr`"
        )
    data = payload if isinstance(payload, dict) else {}
    ref = environment.get("GITHUB_REF", "")
    branch = _text(_part(data, "repository"), "default_branch")
    if not branch and name == "schedule":  # schedules only ever run on the default branch
        branch = ref.removeprefix(_HEADS)
    return Event(
        name,
        repository,
        ref,
        _sha(environment.get("GITHUB_SHA", "")),
        branch,
        _text(data, "action"),
        data.get("deleted") is True,
        _pull(data, repository) if name.startswith("pull_request") else None,
    )


def _pull(data: dict[str, Any], repository: str) -> Pull | None:
    pull = _part(data, "pull_request")
    base, head = _part(pull, "base"), _part(pull, "head")
    number = pull.get("number")
    if not isinstance(number, int) or not _sha(_text(head, "sha")):
        return None
    return Pull(
        number,
        _text(base, "ref"),
        _sha(_text(base, "sha")),
        _sha(_text(head, "sha")),
        _text(_part(head, "repo"), "full_name").lower() != repository.lower(),
    )


def _part(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _sha(text: str) -> str:
    return text if _SHA.fullmatch(text) else ""


# ---------------------------------------------------------------- what is done


def plan_for(event: Event, inputs: Inputs) -> Plan:
    """Decide. Raises UsageError where the workflow asks for what is never done."""
    if inputs.mode is Mode.BRING:
        return _bringing(event, inputs)
    match event.name:
        case "pull_request":
            return _for_pull_request(event, inputs.mode)
        case "pull_request_target" | "workflow_run":
            return _untrusted(event, inputs.mode)
        case "merge_group":
            return Plan(
                Doing.NOTHING,
                "A merge queue: each of its pull requests was checked by itself, nothing to do.",
            )
        case _ if inputs.mode is Mode.CHECK:
            return Plan(Doing.SCAN, "Checked only, as `mode: check` asks; nothing is written.")
        case "push":
            return _for_push(event, inputs)
        case "schedule" | "workflow_dispatch" | "repository_dispatch":
            return _on_branch(event, inputs, refreshing=True)
        case "issue_comment" if inputs.comment_commands:
            return _on_branch(event, inputs, refreshing=None)
        case _ if inputs.mode is Mode.FIX:
            return _on_branch(event, inputs, refreshing=None)
        case _:
            return Plan(
                Doing.NOTHING,
                f"Nothing is done on `{event.name}`: run on push, schedule, workflow_dispatch or "
                "pull_request, or give `mode: fix`.",
            )


def _bringing(event: Event, inputs: Inputs) -> Plan:
    """A plan is brought where one could have been made: never for pull requests of others."""
    if inputs.plan_file is None:
        raise UsageError("mode: bring needs `plan-file`, what the first job wrote")
    fixing = plan_for(event, replace(inputs, mode=Mode.AUTO))
    if fixing.doing is not Doing.FIX:
        return Plan(Doing.NOTHING, f"No plan to bring here. {fixing.sentence}")
    return replace(fixing, doing=Doing.BRING, sentence="Bringing what an earlier job planned.")


def _for_pull_request(event: Event, mode: Mode) -> Plan:
    match mode:
        case Mode.FIX:
            raise UsageError(
                "mode: fix on a pull_request event: hardhull never writes code to a pull request "
                "of others. Leave `mode` out, or run on push and schedule"
            )
        case Mode.AUTO | Mode.CHECK | Mode.BRING:
            pass
        case _:
            assert_never(mode)
    if event.action not in ("", *_CHECKED_ACTIONS):
        return Plan(Doing.NOTHING, f"A pull request was {event.action}: there is nothing to check.")
    return Plan(
        Doing.CHECK,
        "Checking what is new in this pull request; no code is written.",
    )


def _untrusted(event: Event, mode: Mode) -> Plan:
    why = (
        f"`{event.name}` runs with a token that may write, beside code that anyone may have "
        "written, so hardhull writes nothing here"
    )
    match mode:
        case Mode.CHECK:
            return Plan(Doing.SCAN, f"{why}; what is checked out is only reported.")
        case Mode.AUTO | Mode.FIX | Mode.BRING:
            raise UsageError(f"{why}. Run on `pull_request` to check, on push or schedule to fix")
        case _:
            assert_never(mode)


def _for_push(event: Event, inputs: Inputs) -> Plan:
    if event.deleted:
        return Plan(Doing.NOTHING, "A branch was deleted: nothing to do.")
    if event.ref == _HEADS + inputs.branch:
        return Plan(Doing.NOTHING, "A push to hardhull's own branch: nothing to do.")
    return _on_branch(event, inputs, refreshing=None)


def _on_branch(event: Event, inputs: Inputs, *, refreshing: bool | None) -> Plan:
    """Fix if this is the branch that is hardened; say so if it is another one."""
    base = inputs.base or event.default_branch
    if not base:
        raise UsageError(f"`{event.name}` does not say what the default branch is; give `base`")
    on = event.ref.removeprefix(_HEADS)
    # A comment's or release's own ref is no branch: what is checked out is the default branch.
    if event.ref.startswith(_HEADS) or event.name == "push":
        if on != base:
            return Plan(
                Doing.SCAN,
                f"`{on}` is not `{base}`: checked only. To harden it too, give `base: {on}`.",
            )
    elif inputs.base not in (None, event.default_branch):
        raise UsageError(f"`{event.name}` runs on the default branch, and `base` is another one")
    return Plan(Doing.FIX, f"Hardening `{base}`.", base, refreshing)
