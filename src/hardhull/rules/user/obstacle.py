"""What a precondition answers with beside a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from hardhull.model import Level


@dataclass(frozen=True, slots=True)
class Doubt:
    """A precondition that could not be checked, and how to look."""

    text: str
    level: Level = Level.REVIEW
