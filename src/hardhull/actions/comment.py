"""The one comment on a pull request of somebody's: what it says, and whether it must change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardhull.pull_request.refusals import Refused, advice
from hardhull.report.neutral import code, markdown
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from hardhull.outcome import Entry, Outcome
    from hardhull.pull_request.github import GitHub
    from hardhull.report.places import Root

MARKER = "<!-- hardhull:report v1 -->"
_ROWS = 3
_PAGES = 20
_FORBIDDEN = 403
"""Comments are looked through up to so many hundreds; ours is among the first."""
_CLEAN = "hardhull: nothing new here any more."
_NUMBER = re.compile(r"#issuecomment-(\d+)$", re.ASCII)
_QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      locked
      comments(first: 100, after: $after) {
        nodes { url body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class New:
    """What is new in a pull request, worst first, and how much there was before."""

    outcome: Outcome
    entries: tuple[Entry, ...]
    older: int
    base: str


def body_of(new: New, root: Root) -> str | None:
    """The comment; None if there is nothing to say. The same findings give the same text."""
    if not new.entries:
        return None
    count = len(new.entries)
    parts = [f"{MARKER}\n**hardhull: {_number(count, 'new problem')} here**{_older(new)}"]
    parts.append("\n".join(_row(new.outcome, entry, root) for entry in new.entries[:_ROWS]))
    if count > _ROWS:
        parts.append(f"And {count - _ROWS} more: the check's job summary has all of them.")
    if any(entry.fix is not None for entry in new.entries):
        folder = "" if root.label == "." else f" {root.label}"
        fix = code(f"hardhull fix{folder}", table=False)
        parts.append(f"What has a fix is also fixed by {fix}.")
    rule = new.entries[0].finding.rule
    parts.append(
        f"Meant it? `# hardhull: ignore[{rule}] until=YYYY-MM-DD owner=… reason` on the line above."
    )
    return "\n\n".join(parts) + "\n"


def _older(new: New) -> str:
    if not new.older:
        return ""
    return f" ({_number(new.older, 'older one')} on {code(new.base, table=False)} not shown)"


def _row(outcome: Outcome, entry: Entry, root: Root) -> str:
    finding = entry.finding
    place = root.shown(finding.path)
    if finding.path:
        place += f":{place_of(outcome, finding).line}"
    text = f"- {code(place[-_LONGEST:], table=False)}: {_short(finding.message)} (`{finding.rule}`)"
    if entry.fix is not None:
        return f"{text}. Fix: {code(entry.fix.summary[:_LONGEST], table=False)}"
    return f"{text}. {_short(entry.reason)}" if entry.reason else text


_LONGEST = 160


def _short(text: str) -> str:
    return markdown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def clean_body() -> str:
    """What the comment becomes when its problems are gone: one line."""
    return f"{MARKER}\n{_CLEAN}\n"


# ---------------------------------------------------------------- on GitHub


def keep(github: GitHub, repository: str, number: int, wanted: str | None) -> str:
    """Make the comment, edit it or leave it; says in a few words what was done. Raises Refused."""
    ours, locked = _find(github, repository, number)
    if ours is None:
        if wanted is None:
            return "no comment needed"
        if locked:
            return "the conversation is locked: no comment"
        github.write("POST", f"/repos/{repository}/issues/{number}/comments", {"body": wanted})
        return "comment made"
    text = wanted if wanted is not None else clean_body()
    if _same(ours["body"], text):
        return "comment unchanged"
    # The number in its address: GraphQL's own has 32 bits, which are used up, and the wider one
    # is missing on older servers.
    found = _NUMBER.search(ours["url"])
    if found is None:
        raise Refused("a comment of ours has no number")
    where = f"/repos/{repository}/issues/comments/{found[1]}"
    github.write("PATCH", where, {"body": text}, again=True)
    return "comment edited"


def _find(github: GitHub, repository: str, number: int) -> tuple[dict[str, Any] | None, bool]:
    """Our comment: written by whoever the token speaks for, and with our mark at its start.

    The mark alone could be anyone's, and the author alone is shared by all workflows.
    """
    owner, _, name = repository.partition("/")
    variables: dict[str, Any] = {"owner": owner, "name": name, "number": number, "after": None}
    locked = False
    for _ in range(_PAGES):
        answer = github.query(_QUERY, variables)
        pull = ((answer.get("data") or {}).get("repository") or {}).get("pullRequest")
        if pull is None:
            raise advice(_FORBIDDEN, answer)
        locked = pull["locked"] is True
        for comment in pull["comments"]["nodes"]:
            if comment["viewerDidAuthor"] and comment["body"].startswith(MARKER):
                return comment, locked
        page = pull["comments"]["pageInfo"]
        if not page["hasNextPage"]:
            break
        variables["after"] = page["endCursor"]
    return None, locked


def _same(one: str, other: str) -> bool:
    """Whether two bodies are equal; GitHub keeps line ends as they came, or makes them CRLF."""
    return one.replace("\r\n", "\n").strip() == other.strip()
