"""A ref on its way from one commit to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """A ref that is about to change."""

    ref: str
    old: str
    new: str
    commits: tuple[str, ...]
    """What the move brings to the repository, oldest first."""
    forced: bool
    files: frozenset[str]
    """Paths that these commits change."""

    @property
    def branch(self) -> str:
        return self.ref.removeprefix("refs/heads/")
