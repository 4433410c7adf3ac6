"""What all reports say of the Pod Security level of workloads: only where there is something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardhull.outcome import Outcome, Standing


@dataclass(frozen=True, slots=True)
class Told:
    """Workloads of which the same is to be said."""

    standings: tuple[Standing, ...]
    change: str
    """`privileged → baseline`, or one level where nothing changed."""
    missing: tuple[str, ...]
    """The checks that keep them from the wanted level."""


def told(outcome: Outcome) -> tuple[Told, ...]:
    """What is to be said of the workloads that are hardened; those alike are taken together."""
    groups: dict[tuple[str, tuple[str, ...]], list[Standing]] = {}
    for standing in outcome.pod_security:
        if standing.hardened and not standing.quiet:
            missing = tuple(dict.fromkeys(broken.check for broken in standing.missing))
            groups.setdefault((_change(standing), missing), []).append(standing)
    return tuple(Told(tuple(group), change, missing) for (change, missing), group in groups.items())


def _change(standing: Standing) -> str:
    if standing.before is standing.after:
        return str(standing.after)
    return f"{standing.before} → {standing.after}"


def wanted(outcome: Outcome) -> str:
    """The level and version that are judged by: `restricted v1.37`."""
    return next((f"{one.wanted} {one.version}" for one in outcome.pod_security), "")
