"""Which changes get a pull request of their own. A fix is never torn apart.

Each part is a run of its own in which the fixes of the other parts were refused beforehand: what
needs one of those waits for it, as it would for anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from hardhull.pull_request.commits import short_hash
from hardhull.pull_request.options import SplitBy
from hardhull.report.grouping import Owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardhull.model import Change
    from hardhull.outcome import Outcome
    from hardhull.pull_request.codeowners import CodeOwners

_SLUG = re.compile(r"[^a-z0-9]+")
_LONGEST, _MARK = 40, 6


@dataclass(frozen=True, slots=True)
class Part:
    """Fixes that go together: the end of their branch's name, whose they are, which they are."""

    suffix: str
    name: str
    fixes: frozenset[str]


def parts_of(
    outcome: Outcome, split_by: SplitBy, owners: CodeOwners, prefix: str
) -> tuple[Part, ...]:
    """The parts of an outcome, in the order of its changes; none if it has none."""
    name_of = _naming(outcome, split_by, owners, prefix)
    found: dict[str, set[str]] = {}
    for change in outcome.changes:
        found.setdefault(name_of(change), set()).add(change.finding.fingerprint)
    return tuple(Part(_suffix(name), name, frozenset(fixes)) for name, fixes in found.items())


def _naming(
    outcome: Outcome, split_by: SplitBy, owners: CodeOwners, prefix: str
) -> Callable[[Change], str]:
    match split_by:
        case SplitBy.NONE:
            return lambda _: ""
        case SplitBy.LEVEL:
            return lambda change: change.fix.level.value
        case SplitBy.APPLICATION:
            applications = outcome.project.applications
            places = Owners(outcome.project)

            def application(change: Change) -> str:
                index = places.of(change.finding)
                return applications[index].name if index >= 0 else "rest"

            return application
        case SplitBy.CODEOWNERS:

            def owned(change: Change) -> str:
                return " ".join(owners.of_all(prefix + path for path in change.files)) or "rest"

            return owned
    assert_never(split_by)


def _suffix(name: str) -> str:
    """A name as the end of a branch's; two names never give the same one."""
    if not name:
        return ""
    slug = _SLUG.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-")
    return f"-{slug}" if slug == name else f"-{slug}-{short_hash(name)[:_MARK]}".replace("--", "-")
