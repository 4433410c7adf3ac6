"""What is true of a pull request at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin import history
from standin.state import AccountKind

if TYPE_CHECKING:
    from standin.state import Account, Pull, Repository


def commits_of(home: Repository, pull: Pull) -> list[str]:
    """The pull request's commits, oldest first; of a closed one those it had."""
    store = home.store
    if not pull.is_open and pull.merge_base_at_close:
        return history.between(store, pull.merge_base_at_close, pull.head_sha)
    base = home.branch(pull.base_ref)
    return history.between(store, base, pull.head_sha) if base else []


def mergeable(home: Repository, pull: Pull) -> bool | None:
    """Whether it merges without a conflict; None for a closed one."""
    base = home.branch(pull.base_ref)
    if not pull.is_open or base is None or not home.mergeability_known:
        return None
    return history.merged_tree(home.store, base, pull.head_sha) is not None


def review_decision(home: Repository, pull: Pull) -> str | None:
    """Approved, changes requested or still wanted, where reviews are required or were given."""
    last = {one.author.login: one.state for one in pull.reviews if one.state != "COMMENTED"}
    required = any(
        rule.kind == "pull_request" and rule.parameters.get("required_approving_review_count", 0)
        for rule in home.rules_for(pull.base_ref)
    )
    if "CHANGES_REQUESTED" in last.values():
        return "CHANGES_REQUESTED"
    if "APPROVED" in last.values():
        return "APPROVED"
    return "REVIEW_REQUIRED" if required else None


def association(home: Repository, account: Account) -> str:
    if account.login == home.owner.login:
        return "OWNER"
    if account.login in home.people:
        return "COLLABORATOR"
    bot = account.kind is AccountKind.BOT
    return "CONTRIBUTOR" if bot else "NONE"
