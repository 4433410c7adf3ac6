"""Texts and rewrites of a pull request: what of its title and body is ours to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.pull_request.commits import short_hash
from hardhull.pull_request.state import State
from hardhull.pull_request.steps import Draft, Edit, Rewrite

if TYPE_CHECKING:
    from hardhull.pull_request.seen import SeenPull
    from hardhull.pull_request.state import Block
    from hardhull.pull_request.view import View, Wanted


def rewrite(view: View, pull: SeenPull, block: Block | None, wanted: Wanted) -> Rewrite:
    """New commits for a pull request, and the text that goes with them if its body has our part."""
    if block is None:
        return Rewrite(view.branch, pull.head, wanted.plan)
    title = _new_title(pull, block, wanted)
    draft = draft_of(view, wanted, block, title or "")
    replaces = block.state.heads.get(pull.head, "")
    return Rewrite(view.branch, pull.head, wanted.plan, pull.number, title, draft, replaces)


def edited(view: View, pull: SeenPull, block: Block, wanted: Wanted, held: str) -> Edit:
    """A new text for commits that stay."""
    title = _new_title(pull, block, wanted)
    draft = draft_of(view, wanted, block, title or "")
    heads = {**block.state.heads} if pull.head in block.state.heads else {pull.head: held}
    return Edit(pull.number, title, draft.filled(heads))


def _new_title(pull: SeenPull, block: Block, wanted: Wanted) -> str | None:
    """A title, unless a person gave it another or it is the same."""
    ours = short_hash(pull.title) == block.state.title
    return wanted.text.title if ours and pull.title != wanted.text.title else None


def draft_of(view: View, wanted: Wanted, block: Block | None, title: str) -> Draft:
    """Our part of the body; what people wrote around it stays. `title` is ours, or empty."""
    known = block.state.title if block is not None else ""
    answered = block.state.answered if block is not None else 0
    state = State(
        view.key,
        fixes=wanted.plan.fixes,
        refused=view.refused,
        facts=wanted.text.facts,
        title=short_hash(title) if title else known,
        answered=max(answered, *view.commands.values()) if view.commands else answered,
    )
    before, after = (block.before, block.after) if block is not None else ("", "\n")
    return Draft(before, wanted.text.text, after, state)
