"""What to do about one branch and its pull request: from what was seen to the steps, and no more.

People come first. Their commits, titles, labels, drafts and texts stay; what they closed stays
closed; what they are about to merge is left alone. The same content is never written twice.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.pull_request.drafts import edited, rewrite
from hardhull.pull_request.options import Operation
from hardhull.pull_request.seen import Standing
from hardhull.pull_request.state import block_in, notice_in, noticed
from hardhull.pull_request.steps import Decision, Delete, Edit, SetUp, blocked, leave
from hardhull.pull_request.unopened import farewell, without_pull
from hardhull.pull_request.whose import Others, whose

if TYPE_CHECKING:
    from hardhull.pull_request.seen import SeenPull
    from hardhull.pull_request.state import Block
    from hardhull.pull_request.steps import Step
    from hardhull.pull_request.view import View, Wanted

QUIET, VERY_QUIET = datetime.timedelta(days=30), datetime.timedelta(days=90)


def decide(view: View, wanted: Wanted | None) -> Decision:
    """The steps for one branch; `wanted` None means that nothing is left to change."""
    pull = next((one for one in view.pulls if one.standing is Standing.OPEN), None)
    if pull is None:
        return without_pull(view, wanted)
    if not pull.ours:
        return blocked(
            f"branch {view.branch} has pull request #{pull.number}, which another account opened; "
            "close it, or give another branch name"
        )
    if pull.in_queue:
        return leave(f"#{pull.number} is in the merge queue")
    return _with_pull(view, pull, block_in(pull.body), wanted)


def _with_pull(view: View, pull: SeenPull, block: Block | None, wanted: Wanted | None) -> Decision:
    held = whose(pull, block, view)
    if isinstance(held, Others) or pull.base != view.base.name:
        return _not_ours_alone(view, pull, block, wanted, held)
    if block is not None and _would_lose(view, block, wanted):
        return leave(
            f"#{pull.number}: not everything it holds could be judged this time, such as a digest "
            "that was not to be had; it is left as it is"
        )
    if wanted is None:
        return _close(view, pull, block)
    quiet = view.today - pull.last_sign
    if quiet >= VERY_QUIET:
        return _notice(
            pull,
            block,
            "quiet",
            "**Not kept current any more:** nobody reacted for 90 days. A comment wakes it.",
        )
    if _must_rewrite(view, pull, held, wanted, quiet) or _is_regenerated(view, pull, block):
        return _updated(view, pull, rewrite(view, pull, block, wanted))
    if block is None:
        return leave(f"#{pull.number}: our part of its text is gone, it is not edited any more")
    if pull.approved or pull.auto_merge:
        waits = held != wanted.plan.content
        return leave(*([f"#{pull.number} is approved: what is new waits"] if waits else []))
    if block.state.facts != wanted.text.facts or _asked(view, pull, block):
        return _updated(view, pull, edited(view, pull, block, wanted, held))
    if notice_in(block.text):
        body = noticed(block, "", "", replace(block.state, closing=""))
        return _updated(view, pull, Edit(pull.number, body=body))
    return _updated(view, pull)


def _would_lose(view: View, block: Block, wanted: Wanted | None) -> bool:
    """Whether fixes would go only because this run did not know enough to make them."""
    held = set(block.state.fixes)
    missing = held - set(wanted.plan.fixes if wanted is not None else ())
    return bool(held & view.unknown) or (view.failed and bool(missing))


def _must_rewrite(
    view: View, pull: SeenPull, held: str, wanted: Wanted, quiet: datetime.timedelta
) -> bool:
    """Whether the branch needs new commits. A base that moved on alone is no reason."""
    same = held == wanted.plan.content
    if pull.approved or pull.auto_merge:
        return pull.conflicting
    if quiet >= QUIET:
        return not same
    behind = view.base.strict and _parent_of(pull) not in ("", view.base.head)
    return not same or pull.conflicting or behind


def _is_regenerated(view: View, pull: SeenPull, block: Block | None) -> bool:
    """Whether someone ticked the box, and making it anew would change something."""
    return _asked(view, pull, block) and _parent_of(pull) != view.base.head


def _asked(view: View, pull: SeenPull, block: Block | None) -> bool:
    """Whether someone ticked the box, or said so in a comment, since it was last made anew."""
    if block is None:
        return False
    return block.regenerate or view.commands.get(pull.number, 0) > block.state.answered


def _parent_of(pull: SeenPull) -> str:
    """The commit that the pull request stands on, if it was seen."""
    known = pull.commits and len(pull.commits) == pull.commit_count
    return pull.commits[0].parents[0] if known and pull.commits[0].parents else ""


def _not_ours_alone(
    view: View, pull: SeenPull, block: Block | None, wanted: Wanted | None, held: str | Others
) -> Decision:
    """Someone works here too: nothing but a notice, until the box is ticked."""
    quiet = view.today - pull.last_sign >= VERY_QUIET
    asked = _asked(view, pull, block) and not quiet
    if wanted is not None and asked and pull.base == view.base.name:
        return _updated(view, pull, rewrite(view, pull, block, wanted))
    if pull.base != view.base.name:
        return _notice(
            pull,
            block,
            "base",
            "**Paused:** this goes to another branch than the one it was made for.",
        )
    count = held.commits if isinstance(held, Others) else 0
    if wanted is None:
        return _notice(
            pull,
            block,
            "done",
            f"**Nothing is left to change** on {view.base.name}. This stays open because of "
            "the commits by others.",
        )
    what = "1 commit" if count == 1 else f"{count} commits"
    return _notice(
        pull,
        block,
        f"commits {count}",
        f"**Paused:** {what} by others. Tick the last box to make this anew; it discards them.",
    )


def _notice(pull: SeenPull, block: Block | None, code: str, words: str) -> Decision:
    note = words.replace("**", "")
    if block is None or notice_in(block.text) == code:
        return leave(f"#{pull.number}: {note}")
    body = noticed(block, code, words, replace(block.state, closing=""))
    edit = Edit(pull.number, body=body)
    return Decision(Operation.UPDATED, (edit,), notes=(f"#{pull.number}: {note}",))


def _close(view: View, pull: SeenPull, block: Block | None) -> Decision:
    if block is None:
        return leave(
            f"#{pull.number}: nothing is left to change, but our part of its text is gone; "
            "close it yourself"
        )
    state = replace(block.state, closing=pull.head)
    words = f"**Closed:** nothing is left to change on {view.base.name}."
    steps = (
        Edit(pull.number, body=noticed(block, "closed", words, state), close=True),
        farewell(view, pull),
        Delete(view.branch, pull.head),
    )
    return Decision(Operation.CLOSED, steps)


def _updated(view: View, pull: SeenPull, *steps: Step) -> Decision:
    """These steps; and what was to be set up at creation, if that was cut short."""
    setting_up = (SetUp(pull.number),) if view.set_up and not pull.set_up else ()
    operation = Operation.UPDATED if steps or setting_up else Operation.NONE
    return Decision(operation, (*steps, *setting_up))
