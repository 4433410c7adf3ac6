"""What is to be done on GitHub, as values: decided in one place, carried out in another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from hardhull.pull_request.options import Operation
from hardhull.pull_request.state import wrapped

if TYPE_CHECKING:
    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.state import State


@dataclass(frozen=True, slots=True)
class Draft:
    """A body that still lacks the id of the commit it belongs to."""

    before: str
    text: str
    after: str
    state: State

    def filled(self, heads: dict[str, str]) -> str:
        """The body, remembering these heads."""
        return self.before + wrapped(self.text, replace(self.state, heads=heads)) + self.after


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Put the planned commits on a branch that is still at `expected` (None: does not exist).

    Before it moves, the pull request's body is edited, so that both heads are known to be ours.
    `replaces` is what our commits at `expected` changed; empty if others stand there.
    """

    branch: str
    expected: str | None
    plan: Plan
    number: int | None = None
    title: str | None = None
    draft: Draft | None = None
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    """Open a pull request from a branch that has its commits; `head` None: those just made."""

    branch: str
    base: str
    title: str
    draft: Draft
    content: str
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open a pull request again that we closed, from the commit it had."""

    number: int
    branch: str
    restore: str | None
    body: str
    otherwise: Open


@dataclass(frozen=True, slots=True)
class Edit:
    """Change title, body or state of a pull request; what is None stays."""

    number: int
    title: str | None = None
    body: str | None = None
    close: bool = False


@dataclass(frozen=True, slots=True)
class SetUp:
    """Give an open pull request labels and reviewers, once."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Comment:
    """Say something on a pull request."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a branch that is still at `expected`."""

    branch: str
    expected: str


FAREWELL = "<!-- hardhull:closed -->"
"""What our comment about closing begins with."""

Step: TypeAlias = Rewrite | Open | Reopen | Edit | SetUp | Comment | Delete


@dataclass(frozen=True, slots=True)
class Decision:
    """The steps for one branch, what they amount to, and what is to be said about it."""

    operation: Operation
    steps: tuple[Step, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()


def blocked(reason: str) -> Decision:
    """Something stands in the way that a person has to move."""
    return Decision(Operation.BLOCKED, reason=reason)


def leave(*notes: str) -> Decision:
    """Nothing is to be done."""
    return Decision(Operation.NONE, notes=notes)


def told(step: Step) -> str:
    """A step in words, for a dry run."""
    match step:
        case Rewrite(branch, expected, plan):
            what = "create" if expected is None else "rewrite"
            return f"{what} branch {branch}: {len(plan.commits)} commit(s) on {plan.parent[:7]}"
        case Open(branch, base, title):
            return f"open a pull request from {branch} to {base}: {title}"
        case Reopen(number):
            return f"reopen pull request #{number}"
        case Edit(number, _, _, close):
            return f"{'close' if close else 'edit'} pull request #{number}"
        case SetUp(number):
            return "give it labels and reviewers" if number is None else f"label #{number}"
        case Comment(number):
            return f"comment on pull request #{number}"
        case Delete(branch):
            return f"delete branch {branch}"
