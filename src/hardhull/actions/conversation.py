"""The conversation of somebody's pull request: our one comment in it, and what its commits did.

Both come with one query. Which commit took a line away is known from the files' blob ids if only
one commit touched the file; otherwise their texts are asked for, if another request is affordable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.actions.comment import MARKER, clean_body
from hardhull.pull_request.refusals import Refused, advice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.actions.regression import Lost
    from hardhull.pull_request.github import GitHub

_PAGES = 20
"""Comments are looked through up to so many hundreds; ours is among the first."""
_FORBIDDEN = 403
_NUMBER = re.compile(r"#issuecomment-(\d+)$", re.ASCII)
_MOST_TEXTS = 40
_QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String%(paths)s) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      locked
      comments(first: 100, after: $after) {
        nodes { url body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }%(commits)s
    }
  }
}
"""
_COMMITS = """
      commits(last: 50) {
        nodes { commit { oid %(files)s parents(first: 2) { nodes { %(files)s } } } }
        pageInfo { hasPreviousPage }
      }"""


class Touched(NamedTuple):
    """A commit that gave a file other bytes than all its parents have; ids of blobs."""

    commit: str
    after: str | None
    before: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was seen: our comment, and by path of the repository the commits that touched it."""

    url: str | None
    body: str
    locked: bool
    touched: Mapping[str, tuple[Touched, ...]]
    whole: bool
    """Whether all commits were seen."""


def look(github: GitHub, repository: str, number: int, paths: Sequence[str]) -> Conversation:
    """Look for our comment, and at the commits for what they did to `paths`. Raises Refused.

    Ours is a comment written by whoever the token speaks for, with our mark at its start: the
    mark alone could be anyone's, and the author alone is shared by all workflows.
    """
    owner, _, name = repository.partition("/")
    variables: dict[str, Any] = {"owner": owner, "name": name, "number": number, "after": None}
    first: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    for _ in range(_PAGES):
        pull, answer = _asked(github, variables, paths if not first else ())
        if pull is None and paths and not first:  # what it costs, or a field, is beyond the server
            pull, answer = _asked(github, variables, ())
        if pull is None:
            raise advice(_FORBIDDEN, answer)
        first = first or pull
        found = (one for one in pull["comments"]["nodes"] if _is_ours(one))
        ours = next(found, {})
        page = pull["comments"]["pageInfo"]
        if ours or not page["hasNextPage"]:
            break
        variables["after"] = page["endCursor"]
    commits = first.get("commits") or {}
    return Conversation(
        ours.get("url"),
        ours.get("body", ""),
        first["locked"] is True,
        {path: _touched(commits, f"p{n}") for n, path in enumerate(paths)},
        whole=not (commits.get("pageInfo") or {}).get("hasPreviousPage", True),
    )


def _asked(
    github: GitHub, variables: Mapping[str, Any], paths: Sequence[str]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    given = {f"p{n}": path for n, path in enumerate(paths)}
    answer = github.query(_query(len(paths)), {**variables, **given})
    home = (answer.get("data") or {}).get("repository") or {}
    return home.get("pullRequest"), answer


def _query(paths: int) -> str:
    files = " ".join(f"p{n}: file(path: $p{n}) {{ oid }}" for n in range(paths))
    return _QUERY % {
        "paths": "".join(f", $p{n}: String!" for n in range(paths)),
        "commits": _COMMITS % {"files": files} if paths else "",
    }


def _is_ours(comment: Mapping[str, Any]) -> bool:
    return bool(comment["viewerDidAuthor"]) and comment["body"].startswith(MARKER)


def _touched(commits: Mapping[str, Any], alias: str) -> tuple[Touched, ...]:
    found = []
    for commit in (node["commit"] for node in commits.get("nodes") or () if node):
        parents = [one for one in commit["parents"]["nodes"] or () if one]
        after = (commit[alias] or {}).get("oid")
        before = tuple((one[alias] or {}).get("oid") for one in parents)
        if after not in before:
            found.append(Touched(commit["oid"], after, before))
    return tuple(found)


def gone_in(
    github: GitHub,
    repository: str,
    seen: Conversation,
    lost: Mapping[str, tuple[str, Lost]],
    *,
    affordable: bool,
) -> Mapping[str, str]:
    """By the keys of `lost`, the commit in which a line went. Raises Refused.

    Each line comes with its file's path in the repository. `affordable` allows one more request.
    """
    found: dict[str, str] = {}
    unclear: dict[str, tuple[tuple[Touched, ...], str]] = {}
    for key, (path, line) in lost.items():
        match seen.touched.get(path, ()):
            case (only,) if seen.whole:
                found[key] = only.commit
            case ():
                continue
            case several:
                unclear[key] = several, line.text
    wanted = {
        oid
        for several, _ in unclear.values()
        for one in several
        for oid in (one.after, *one.before)
        if oid is not None
    }
    if not affordable or not 0 < len(wanted) <= _MOST_TEXTS:
        return found
    texts = _texts(github, repository, sorted(wanted))
    for key, (several, text) in unclear.items():
        for one in several:
            counts = [_count(texts, oid, text) for oid in (one.after, *one.before)]
            if len(counts) > 1 and counts[0] < min(counts[1:]):
                found[key] = one.commit  # a later one counts: it may have come back meanwhile
    return found


def _count(texts: Mapping[str, str], oid: str | None, line: str) -> int:
    """How often a file has a line; a file that is not there, or not shown, has none."""
    text = texts.get(oid, "") if oid is not None else ""
    return sum(one.strip() == line for one in text.split("\n"))


def _texts(github: GitHub, repository: str, oids: Sequence[str]) -> dict[str, str]:
    owner, _, name = repository.partition("/")
    given = "".join(f", $o{n}: GitObjectID!" for n in range(len(oids)))
    blobs = " ".join(
        f"o{n}: object(oid: $o{n}) {{ ... on Blob {{ text }} }}" for n in range(len(oids))
    )
    text = (
        f"query($owner: String!, $name: String!{given}) "
        f"{{ repository(owner: $owner, name: $name) {{ {blobs} }} }}"
    )
    variables = {"owner": owner, "name": name, **{f"o{n}": oid for n, oid in enumerate(oids)}}
    home = (github.query(text, variables).get("data") or {}).get("repository") or {}
    return {oid: (home.get(f"o{n}") or {}).get("text") or "" for n, oid in enumerate(oids)}


def keep(
    github: GitHub, repository: str, number: int, seen: Conversation, wanted: str | None
) -> str:
    """Make the comment, edit it or leave it; says in a few words what was done. Raises Refused."""
    if seen.url is None:
        if wanted is None:
            return "no comment needed"
        if seen.locked:
            return "the conversation is locked: no comment"
        github.write("POST", f"/repos/{repository}/issues/{number}/comments", {"body": wanted})
        return "comment made"
    text = wanted if wanted is not None else clean_body()
    if _same(seen.body, text):
        return "comment unchanged"
    # The number in its address: GraphQL's own has 32 bits, which are used up, and the wider one
    # is missing on older servers.
    found = _NUMBER.search(seen.url)
    if found is None:
        raise Refused("a comment of ours has no number")
    where = f"/repos/{repository}/issues/comments/{found[1]}"
    github.write("PATCH", where, {"body": text}, again=True)
    return "comment edited"


def _same(one: str, other: str) -> bool:
    """Whether two bodies are equal; GitHub keeps line ends as they came, or makes them CRLF."""
    return one.replace("\r\n", "\n").strip() == other.strip()
