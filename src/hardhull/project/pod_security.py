"""The Pod Security level that a workload's pods reach, check by check, as Kubernetes judges it.

What each check wants, and since which version of Kubernetes, is in `pod_security_checks`. The
versions, which restricted check stands in for which baseline one, and the ids are those of
https://github.com/kubernetes/pod-security-admission (policy/, as of Kubernetes 1.37), whose test
data this agrees with in full (`benchmarks/pod_security.py`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from hardhull.model import PodSecurityLevel
from hardhull.project.pod_security_checks import CHECKS, PodView, Violation

if TYPE_CHECKING:
    from hardhull.project.kubernetes import Workload
    from hardhull.project.pod_security_checks import Check, Judge

__all__ = ["NEWEST", "Violation", "level_of", "minor_of", "version_of", "violations"]

NEWEST = 37
"""The newest minor version of Kubernetes whose checks are known here."""


def minor_of(version: str) -> int:
    """The minor version that `latest` or `v1.N` is judged by: a newer one as the newest known."""
    number = re.fullmatch(r"v1\.(\d+)", version)
    return min(int(number[1]), NEWEST) if number is not None else NEWEST


def version_of(version: str) -> str:
    """`latest` or `v1.N` as the version whose checks are really used: `v1.37`."""
    return f"v1.{minor_of(version)}"


def violations(workload: Workload, level: PodSecurityLevel, version: str) -> tuple[Violation, ...]:
    """All that keeps a workload's pods from a level, with places, in the order of the checks.

    A value that is filled in later (a placeholder) is not known to pass, so it does not.
    """
    if level is PodSecurityLevel.PRIVILEGED:
        return ()
    minor = minor_of(version)
    known = workload.judged.get((level, minor))
    if known is None:
        # Levels and versions have most checks in common.
        checked = workload.checked
        view = PodView.of(workload)
        found: list[Violation] = []
        for check, judge in _in_force(level, minor):
            if (check, judge) not in checked:
                told = judge(view)
                checked[check, judge] = tuple(Violation(check, *one) for one in told)
            found += checked[check, judge]
        known = workload.judged[level, minor] = tuple(found)
    return known


def level_of(workload: Workload, version: str) -> PodSecurityLevel:
    """The best level that a workload's pods pass."""
    for level in (PodSecurityLevel.RESTRICTED, PodSecurityLevel.BASELINE):
        if not violations(workload, level, version):
            return level
    return PodSecurityLevel.PRIVILEGED


@lru_cache
def _in_force(level: PodSecurityLevel, minor: int) -> tuple[tuple[str, Judge], ...]:
    """The checks of a level at a version; a restricted check may stand in for a baseline one."""
    overridden: set[str] = set()
    known: list[tuple[Check, Judge]] = []
    for check in CHECKS:
        judge = check.judge_of(minor)
        if judge is None or (
            check.level is PodSecurityLevel.RESTRICTED and level is not PodSecurityLevel.RESTRICTED
        ):
            continue
        known.append((check, judge))
        overridden |= set(check.overrides)
    return tuple((check.id, judge) for check, judge in known if check.id not in overridden)
