"""What GitHub refuses, in one line each: what is wrong, and the setting to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.report.neutral import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 300


class Refused(Exception):
    """GitHub did not let us. `reason` is one line for the user; `said` is what GitHub answered."""

    def __init__(self, reason: str, status: int = 0, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.said = said


_KNOWN = (
    (
        "not permitted to create or approve pull requests",
        (
            "GitHub Actions may not open pull requests here: tick “Allow GitHub Actions to create "
            "and approve pull requests” in Settings → Actions → General → Workflow permissions "
            "(an organisation can lock it), or use a GitHub App's token. The branch is pushed"
        ),
    ),
    (
        "without `workflows` permission",
        (
            "the token may not change workflow files: give the GitHub App the permission "
            "Workflows: write (GITHUB_TOKEN can't have it)"
        ),
    ),
    (
        "without `workflow` scope",
        "the token may not change workflow files: give it the scope `workflow`",
    ),
    (
        "resource not accessible by integration",
        (
            "the token lacks a permission: give the job `permissions: contents: write` and "
            "`pull-requests: write` (a workflow of a fork gets neither)"
        ),
    ),
    (
        "resource not accessible by personal access token",
        (
            "the token lacks a permission: give it Contents: write and Pull requests: write "
            "for this repository"
        ),
    ),
    (
        "verified signatures",
        (
            "a rule asks for signed commits on this branch: use commit-mode api with GITHUB_TOKEN "
            "or a GitHub App's token, whose commits GitHub signs"
        ),
    ),
    (
        "must not contain merge commits",
        "a rule forbids merge commits on this branch: exempt it from that rule",
    ),
    (
        "through a pull request",
        (
            "a rule protects our branch itself (“must be made through a pull request”): exempt "
            "the branch from that rule in Settings → Rules"
        ),
    ),
    (
        "creations being restricted",
        "a rule forbids to create this branch: exempt it in Settings → Rules",
    ),
    (
        "force-push",
        "a rule forbids force-pushes to our branch: exempt it in Settings → Rules",
    ),
    (
        "protected branch",
        "our branch is protected: exempt it in Settings → Branches",
    ),
    ("protected ref", "a rule protects our branch: exempt it in Settings → Rules"),
    ("repository rule violations", "a rule forbids this: exempt our branch in Settings → Rules"),
    ("cannot delete this", "a rule forbids to delete our branch: exempt it in Settings → Rules"),
    ("status check", "a rule asks for checks before our branch may change: exempt it"),
    ("merge queue", "the pull request is in the merge queue; it is left alone until it is out"),
    (
        "fork collab",
        "a fork's branch can't be opened to maintainers: set maintainer_can_modify to false",
    ),
    ("was archived", "the repository is archived: unarchive it first"),
    ("read-only", "the repository is read-only now; try again later"),
    ("saml", "the organisation asks for single sign-on: authorise the token for it"),
    (
        "bad credentials",
        "the token is not valid (any more): give another in GITHUB_TOKEN",
    ),
)


def advice(status: int, data: Any, path: str = "") -> Refused:
    """A refusal as one line that names the setting to change."""
    said = " ".join(_texts(data))
    lowered = said.lower()
    for part, reason in _KNOWN:
        if part in lowered:
            return Refused(reason, status, said)
    match status:
        case 401:
            reason = "the token is not valid (any more): give another in GITHUB_TOKEN"
        case 404:
            reason = (
                "GitHub does not show this to the token (404): is the repository's name right, and "
                "may the token write Contents and Pull requests?"
            )
        case _:
            reason = f"GitHub refused ({status}): {plain(said)[:_LONGEST] or 'without a word'}"
    return Refused(reason, status, f"{path} {said}")


def _texts(data: Any) -> Iterator[str]:
    """All messages of an answer, in REST's form or in GraphQL's."""
    if isinstance(data, str):
        yield data
    if not isinstance(data, dict):
        return
    if isinstance(data.get("message"), str):
        yield data["message"]
    errors = data.get("errors")
    for error in errors if isinstance(errors, list) else [errors]:
        if isinstance(error, dict):
            yield from (error[k] for k in ("message", "type") if isinstance(error.get(k), str))
        elif isinstance(error, str):
            yield error
