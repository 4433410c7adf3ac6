"""Decisions that people wrote beside the code: accepted findings, ours and other tools'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Accepted, Finding, Rule
    from hardhull.project.context import Context


@dataclass(frozen=True)
class Decisions:
    """What was decided in the files of this run."""

    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, context: Context, rules: Sequence[Rule]) -> Decisions:
        """Collect the decisions of all documents."""
        return cls()

    def accepted(self, finding: Finding) -> Accepted | None:
        """Whether a finding was accepted, by whom and why."""
        return None
