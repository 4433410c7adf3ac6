"""Moving refs: compare-and-swap, rules, and what follows for pull requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from standin import history, policy, pulls
from standin.gitstore import ZERO, RefClash
from standin.moves import Move
from standin.state import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.state import Account, Repository, Token, World

VALID_REF = re.compile(
    r"refs/(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))[^/\x00-\x20~^:?*\[\\]+(?:/[^/\x00-\x20~^:?*\[\\]+)+"
)


@dataclass(frozen=True)
class Wanted:
    """One ref to move. `before` is what it has to be; None leaves that open."""

    ref: str
    new: str
    before: str | None = None
    force: bool = False


def move_refs(
    world: World, repository: Repository, token: Token, wanted: Sequence[Wanted]
) -> list[Move]:
    """Move all refs or none, with every check GitHub makes."""
    policy.require(token, repository, "contents")
    names = [f"{one.ref}/" for one in wanted]
    if any(one.startswith(other) and one != other for one in names for other in names):
        raise Refused(422, "Reference update failed")
    moves = [_checked(repository, token, one) for one in wanted]
    for move in moves:
        apply(world, repository, move, token.account)
    return moves


def _checked(repository: Repository, token: Token, wanted: Wanted) -> Move:
    store = repository.store
    if not VALID_REF.fullmatch(wanted.ref):
        raise Refused(422, f"{wanted.ref} is not a valid ref name.")
    old = store.ref(wanted.ref) or ZERO
    if wanted.before is not None and wanted.before != old:
        raise Refused(422, "Reference cannot be updated")
    if wanted.new == ZERO and old == ZERO:
        raise Refused(422, "Reference does not exist")
    if wanted.new != ZERO and store.kind(wanted.new) != "commit":
        kind = store.kind(wanted.new)
        raise Refused(422, "Object does not exist" if kind is None else "Object is not a commit")
    if old == ZERO and store.clashes(wanted.ref):
        raise Refused(422, "Reference update failed")
    move = moving(repository, wanted.ref, old, wanted.new)
    if move.forced and not wanted.force:
        raise Refused(422, "Update is not a fast forward")
    if wanted.new == ZERO and wanted.ref == f"refs/heads/{repository.default_branch}":
        raise Refused(422, "Cannot delete the default branch")
    if policy.workflow_refusal(token, move):
        raise Refused(403, "Resource not accessible by integration")
    if broken := policy.violations(repository, token.account.login, move):
        raise policy.in_answer(broken)
    return move


def moving(repository: Repository, ref: str, old: str, new: str) -> Move:
    """What a move of this ref would bring."""
    store = repository.store
    if new == ZERO:
        return Move(ref, old, new, (), forced=False, files=frozenset())
    known: set[str] = set()
    for oid in set(store.refs("refs/heads/").values()):
        known |= history.ancestors(store, oid)
    fresh = [oid for oid in history.back(store, new) if oid not in known][::-1]
    files = {path for oid in fresh for path in history.changed_paths(store, oid)}
    forced = old != ZERO and not history.is_ancestor(store, old, new)
    return Move(ref, old, new, tuple(fresh), forced, frozenset(files))


def apply(world: World, repository: Repository, move: Move, actor: Account) -> None:
    """Move a ref, without asking, and let pull requests follow."""
    if move.new == ZERO:
        repository.store.delete_ref(move.ref)
    else:
        try:
            repository.store.set_ref(move.ref, move.new)
        except RefClash:
            raise Refused(422, "Reference update failed") from None
    pulls.follow(world, repository, move, actor)
