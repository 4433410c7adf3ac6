"""Sections of a body, cut down to what fits: the longest lists first, saying how much is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERFLOW = "There is more than fits here: the job summary and `hardhull fix --diff` have all of it."


@dataclass(frozen=True, slots=True)
class Section:
    """A head with lines below it; with `folded` they stand in a part that opens on demand.

    A section with a head alone is never cut, one that had lines and has none is left out.
    `least` lines stay; `more` says how many were dropped. `tight` joins head and lines as one.
    """

    head: str
    lines: tuple[str, ...] | None = None
    folded: str = ""
    least: int = 0
    more: str = "- and {} more"
    tight: bool = False
    dropped: int = 0

    @property
    def text(self) -> str:
        """The section as Markdown; empty if there is nothing to say."""
        if self.lines is None:
            return self.head
        if not self.lines and not self.dropped:
            return ""
        rest = (self.more.format(self.dropped),) if self.dropped else ()
        lines = "\n".join((*self.lines, *rest))
        if self.folded:
            count = len(self.lines) + self.dropped
            summary = f"<summary>{self.folded} ({count})</summary>"
            return f"<details>{summary}\n\n{lines}\n\n</details>"
        if not self.head:
            return lines
        return f"{self.head}\n{lines}" if self.tight else f"{self.head}\n\n{lines}"

    @property
    def shorter(self) -> Section:
        """With a quarter of the lines less."""
        lines = self.lines or ()
        kept = max(self.least, len(lines) * 3 // 4)
        return replace(self, lines=lines[:kept], dropped=self.dropped + len(lines) - kept)

    @property
    def spare(self) -> int:
        """How many characters could go."""
        return sum(len(line) for line in (self.lines or ())[self.least :])


def fitted(sections: Sequence[Section], room: int) -> str:
    """All sections as one text of at most `room` characters; cut where most can be spared."""
    kept = list(sections)
    text = _joined(kept)
    while len(text) > room and any(section.spare for section in kept):
        longest = max(range(len(kept)), key=lambda index: kept[index].spare)
        kept[longest] = kept[longest].shorter
        text = _joined([*kept, Section(OVERFLOW)])
    if len(text) <= room:
        return text
    return text[: text.rfind("\n", 0, room - len(OVERFLOW) - 2)] + f"\n\n{OVERFLOW}"


def _joined(sections: Sequence[Section]) -> str:
    return "\n\n".join(text for section in sections if (text := section.text))
