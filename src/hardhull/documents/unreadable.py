"""What stands in place of a file's structure when it can't be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The 1-based line at which reading failed (0 if none), and why."""

    line: int
    reason: str
