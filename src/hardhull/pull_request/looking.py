"""Looking at GitHub: one query, a smaller one where a server is older, one more where it must."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull.pull_request import snapshot
from hardhull.pull_request.refusals import Refused, advice
from hardhull.pull_request.seen import Standing
from hardhull.pull_request.state import block_in
from hardhull.pull_request.whose import may_be_merged_only

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.options import PullRequestOptions
    from hardhull.pull_request.seen import Seen, SeenPull

_AT_ONCE = 20


def look(github: GitHub, options: PullRequestOptions, branches: Sequence[str]) -> Seen:
    """A snapshot of these branches and their pull requests. Raises Refused."""
    seen: Seen | None = None
    for start in range(0, len(branches), _AT_ONCE):
        more = _look(github, options, branches[start : start + _AT_ONCE])
        seen = more if seen is None else joined(seen, more)
    if seen is None:
        raise ValueError("no branch to look for")
    return seen


def joined(one: Seen, more: Seen) -> Seen:
    """Two snapshots as one; what both say of the repository is taken from the second."""
    pulls = {pull.number: pull for pull in (*one.pulls, *more.pulls)}
    return replace(
        more,
        branches={**one.branches, **more.branches},
        pulls=tuple(pulls[number] for number in sorted(pulls, reverse=True)),
        names=tuple(sorted({*one.names, *more.names})),
    )


def _look(github: GitHub, options: PullRequestOptions, branches: Sequence[str]) -> Seen:
    owner, _, name = options.repository.partition("/")
    for full in (True, False):
        text, variables = snapshot.query(branches, base=options.base, full=full)
        answer = github.query(text, {**variables, "owner": owner, "name": name})
        if full and _unknown_field(answer):
            continue
        return _read(answer, options, branches)
    raise ValueError("the smaller query was answered above")


def _unknown_field(answer: dict[str, Any]) -> bool:
    errors = answer.get("errors") or ()
    codes = {(error.get("extensions") or {}).get("code") for error in errors}
    return answer.get("data") is None and (
        "undefinedField" in codes or any("doesn't exist" in str(e.get("message")) for e in errors)
    )


def _read(answer: dict[str, Any], options: PullRequestOptions, branches: Sequence[str]) -> Seen:
    home = (answer.get("data") or {}).get("repository")
    if home is None or not answer["data"].get("viewer"):
        if any(error.get("type") == "NOT_FOUND" for error in answer.get("errors") or ()):
            raise Refused(
                f"{options.repository}: GitHub does not show such a repository to the token"
            )
        raise advice(200, answer)
    # A field that came back empty with an error must not look as if there were nothing.
    broken = [
        error
        for error in answer.get("errors") or ()
        if error.get("type") != "FORBIDDEN" and (error.get("path") or [""])[-1] not in _MAY_LACK
    ]
    if broken:
        raise advice(200, {"errors": broken})
    return snapshot.read(answer["data"], branches)


_MAY_LACK = ("branchProtectionRule", "refUpdateRule", "rules", "databaseId")


def merged_only(
    github: GitHub, options: PullRequestOptions, seen: Seen, paths: Iterable[str]
) -> frozenset[int]:
    """Open pull requests that were only brought up to date by a button, our files untouched."""
    wanted = sorted(set(paths))
    return frozenset(
        pull.number
        for pull in seen.pulls
        if pull.standing is Standing.OPEN
        and pull.ours
        and _untouched(github, options, pull, wanted)
    )


def _untouched(
    github: GitHub, options: PullRequestOptions, pull: SeenPull, paths: Sequence[str]
) -> bool:
    known = may_be_merged_only(pull, block_in(pull.body))
    if not known:
        return False
    owner, _, name = options.repository.partition("/")
    for start in range(0, len(paths), 100):
        some = paths[start : start + 100]
        text, variables = snapshot.blobs_query((known, pull.head), some)
        answer = github.query(text, {**variables, "owner": owner, "name": name})
        home = (answer.get("data") or {}).get("repository") or {}
        for index in range(len(some)):
            ours, now = home.get(f"c0_{index}"), home.get(f"c1_{index}")
            if ours is None or ours != now:
                return False
    return True
