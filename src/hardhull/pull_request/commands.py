"""Commands in comments, where they are wanted: only of people who may write to the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from hardhull.pull_request.refusals import Refused
from hardhull.pull_request.seen import Standing
from hardhull.pull_request.state import block_in

if TYPE_CHECKING:
    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.seen import Seen

_MAY_WRITE = ("admin", "maintain", "write")


def commands_in(github: GitHub, seen: Seen) -> tuple[dict[int, int], frozenset[int]]:
    """Pull requests to make anew, with the comment that says so; and those whose no is taken back.

    An author is asked about once; comments that were followed already cost nothing.
    """
    known: dict[str, bool] = {}

    def may(author: str) -> bool:
        if author not in known:
            known[author] = _may_write(github, seen, author)
        return known[author]

    anew: dict[int, int] = {}
    retried: set[int] = set()
    for pull in seen.pulls:
        block = block_in(pull.body) if pull.ours else None
        if block is None:
            continue
        for command in pull.commands:
            is_open = pull.standing is Standing.OPEN and command.at > block.state.answered
            if command.word == "regenerate" and is_open and may(command.author):
                anew[pull.number] = max(command.at, anew.get(pull.number, 0))
            closed = pull.standing is Standing.CLOSED
            if command.word == "retry" and closed and may(command.author):
                retried.add(pull.number)
    return anew, frozenset(retried)


def _may_write(github: GitHub, seen: Seen, author: str) -> bool:
    path = f"/repos/{seen.name}/collaborators/{quote(author, safe='')}/permission"
    try:
        return github.read(path).data.get("permission") in _MAY_WRITE
    except Refused:
        return False  # who can't be looked up is not followed
