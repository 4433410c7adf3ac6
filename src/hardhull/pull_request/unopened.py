"""What to do about a branch without an open pull request: create, reopen, tidy up, or keep off."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.pull_request.drafts import draft_of, rewrite
from hardhull.pull_request.memory import closed_by_us
from hardhull.pull_request.options import Operation
from hardhull.pull_request.seen import Standing, chain_of
from hardhull.pull_request.state import block_in, noticed
from hardhull.pull_request.steps import (
    FAREWELL,
    Comment,
    Decision,
    Delete,
    Open,
    Reopen,
    Rewrite,
    SetUp,
    blocked,
    leave,
)

if TYPE_CHECKING:
    from hardhull.pull_request.seen import SeenPull
    from hardhull.pull_request.steps import Step
    from hardhull.pull_request.view import View, Wanted

REOPEN_WITHIN = datetime.timedelta(days=7)


def without_pull(view: View, wanted: Wanted | None) -> Decision:
    """The steps for a branch that no open pull request stands on."""
    last = view.pulls[0] if view.pulls else None
    if wanted is None:
        return _tidy(view, last)
    silent = view.memory.silent_until
    if silent is not None:
        return leave(f"a bot closed our pull request: quiet until {silent.isoformat()}")
    if not _may_take(view, last):
        return blocked(
            f"branch {view.branch} holds commits that are not ours; nothing was overwritten: "
            "delete or rename it, or give another branch name"
        )
    if last is not None and _may_reopen(view, last, wanted):
        return _reopen(view, last, wanted)
    draft = draft_of(view, wanted, None, wanted.text.title)
    open_it = Open(view.branch, view.base.name, wanted.text.title, draft, wanted.plan.content)
    setting_up = (SetUp(None),) if view.set_up else ()
    if view.at is not None and _is_there(view, wanted):
        steps: tuple[Step, ...] = (replace(open_it, head=view.at.head), *setting_up)
    else:
        expected = view.at.head if view.at is not None else None
        steps = (Rewrite(view.branch, expected, wanted.plan), open_it, *setting_up)
    return Decision(Operation.CREATED, steps)


def _may_take(view: View, last: SeenPull | None) -> bool:
    """Whether a branch may be overwritten: it is not there, all of it is ours, or merged."""
    if view.at is None or chain_of(view.at.history, view.viewer) is not None:
        return True
    return last is not None and last.ours and last.head == view.at.head and _is_left_over(last)


def _is_left_over(last: SeenPull) -> bool:
    block = block_in(last.body)
    ours = block is not None and last.head in block.state.heads
    return last.standing is Standing.MERGED or ours


def _is_there(view: View, wanted: Wanted) -> bool:
    chain = chain_of(view.at.history, view.viewer) if view.at is not None else None
    return (
        chain is not None
        and chain.content == wanted.plan.content
        and chain.parent == wanted.plan.parent
    )


def _tidy(view: View, last: SeenPull | None) -> Decision:
    """Nothing to change, nothing open: a branch that is ours goes, any other stays."""
    if view.at is None:
        return leave()
    if not _may_take(view, last):
        return leave(f"branch {view.branch} holds commits that are not ours; it was left alone")
    steps: list[Step] = [Delete(view.branch, view.at.head)]
    if last is not None and closed_by_us(last) and not last.farewell:
        steps.insert(0, farewell(view, last))
    return Decision(Operation.NONE, tuple(steps))


def _may_reopen(view: View, last: SeenPull, wanted: Wanted) -> bool:
    block = block_in(last.body)
    if last.standing is not Standing.CLOSED or not closed_by_us(last) or block is None:
        return False
    recent = last.closed is not None and view.today - last.closed <= REOPEN_WITHIN
    in_place = view.at is None or view.at.head == last.head
    return recent and in_place and bool(set(block.state.fixes) & set(wanted.plan.fixes))


def _reopen(view: View, last: SeenPull, wanted: Wanted) -> Decision:
    block = block_in(last.body)
    if block is None:
        raise ValueError("only what we closed is reopened")
    body = noticed(block, "", "", replace(block.state, closing=""))
    restore = last.head if view.at is None else None
    # GitHub may refuse to open it again; then there will be a new one.
    new = draft_of(view, wanted, None, wanted.text.title)
    otherwise = Open(view.branch, view.base.name, wanted.text.title, new, wanted.plan.content)
    again = Reopen(last.number, view.branch, restore, body, otherwise)
    return Decision(Operation.REOPENED, (again, rewrite(view, last, block, wanted)))


def farewell(view: View, pull: SeenPull) -> Comment:
    """What is said when we close: why, and what would bring it back."""
    return Comment(
        pull.number,
        f"{FAREWELL}\nAs of {view.base.head} nothing of this is left to change on "
        f"`{view.base.name}`, so this is closed. If the same comes back within "
        f"{REOPEN_WITHIN.days} days, this pull request is opened again.",
    )
