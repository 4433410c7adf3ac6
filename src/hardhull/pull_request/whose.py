"""Whose work a branch holds: ours alone, or someone else's too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.pull_request.seen import GITHUB_ITSELF, chain_of

if TYPE_CHECKING:
    from hardhull.pull_request.seen import SeenCommit, SeenPull
    from hardhull.pull_request.state import Block
    from hardhull.pull_request.view import View

_MERGE = 2


@dataclass(frozen=True, slots=True)
class Others:
    """Commits by others stand on the branch, or ours were changed; how many, at least."""

    commits: int


def whose(pull: SeenPull, block: Block | None, view: View) -> str | Others:
    """What our commits change, if they are all there is; otherwise the others.

    The head is compared with the commits that we recorded: that also catches an amended commit,
    an accepted suggestion and a rebase. Authors are not asked, anyone can write any name.
    """
    if block is None:
        chain = chain_of(tuple(reversed(pull.commits)), view.viewer)
        return chain.content if chain is not None else Others(pull.commit_count or 1)
    heads = block.state.heads
    if pull.head in heads:
        return heads[pull.head]
    known, since = since_ours(pull, block)
    if known and pull.number in view.merged_only:
        return heads[known]
    return Others(len(since) or 1)


def since_ours(pull: SeenPull, block: Block) -> tuple[str, tuple[SeenCommit, ...]]:
    """The last commit of ours on the branch, and what was put on it since; "" if none is there."""
    for index in range(len(pull.commits) - 1, -1, -1):
        if pull.commits[index].oid in block.state.heads:
            return pull.commits[index].oid, pull.commits[index + 1 :]
    return "", tuple(c for c in pull.commits if "Hardhull-Fixes:" not in c.message)


def may_be_merged_only(pull: SeenPull, block: Block | None) -> str:
    """Our head, if all that was put on it are merges made by a button; else ""."""
    if block is None or pull.head in block.state.heads:
        return ""
    known, since = since_ours(pull, block)
    merges = all(len(c.parents) == _MERGE and c.committer == GITHUB_ITSELF for c in since)
    return known if known and since and merges else ""
