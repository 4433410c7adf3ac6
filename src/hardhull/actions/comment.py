"""The one comment on a pull request of somebody's: what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.report.neutral import code, markdown
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.actions.regression import Lost
    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

MARKER = "<!-- hardhull:report v1 -->"
ROWS = 3
_CLEAN = "hardhull: nothing new here any more."
_SHORT_SHA = 7


@dataclass(frozen=True, slots=True)
class New:
    """What is new in a pull request, worst first, and how much there was before.

    `lost` has, by fingerprint, the line of the base whose loss brought a finding about.
    """

    outcome: Outcome
    entries: tuple[Entry, ...]
    older: int
    base: str
    lost: Mapping[str, Lost] = field(default_factory=dict)


def body_of(new: New, root: Root, gone: Mapping[str, str]) -> str | None:
    """The comment; None if there is nothing to say. The same findings give the same text.

    `gone` has the commits in which lost lines went, by fingerprint, as far as they are known.
    """
    if not new.entries:
        return None
    count = len(new.entries)
    parts = [f"{MARKER}\n**hardhull: {_number(count, 'new problem')} here**{_older(new)}"]
    parts.append("\n".join(_row(new, entry, root, gone) for entry in new.entries[:ROWS]))
    if count > ROWS:
        parts.append(f"And {count - ROWS} more: the check's job summary has all of them.")
    if any(entry.fix is not None for entry in new.entries):
        folder = "" if root.label == "." else f" {root.label}"
        fix = code(f"hardhull fix{folder}", table=False)
        fixed = all(entry.fix is not None for entry in new.entries)
        parts.append(f"{fix} makes {_these(count) if fixed else 'the fixes that are named'}.")
    rule = new.entries[0].finding.rule
    parts.append(
        f"Meant it? `# hardhull: ignore[{rule}] until=YYYY-MM-DD owner=… reason` on the line above."
    )
    return "\n\n".join(parts) + "\n"


def _older(new: New) -> str:
    if not new.older:
        return ""
    return f" ({_number(new.older, 'older one')} on {code(new.base, table=False)} not shown)"


def _row(new: New, entry: Entry, root: Root, gone: Mapping[str, str]) -> str:
    finding = entry.finding
    place = root.shown(finding.path)
    if finding.path:
        place += f":{place_of(new.outcome, finding).line}"
    told = [
        f"- {code(place[-_LONGEST:], table=False)}: {_short(finding.message)} (`{finding.rule}`)"
    ]
    if (lost := new.lost.get(finding.fingerprint)) is not None:
        told.append(_before(new, lost, gone.get(finding.fingerprint)))
    if entry.fix is not None:
        told.append(f"Fix: {code(entry.fix.summary[:_LONGEST], table=False)}")
    elif entry.reason:
        told.append(_short(entry.reason))
    return ". ".join(told)


def _before(new: New, lost: Lost, commit: str | None) -> str:
    """What the base has in this place, and when it went."""
    there = f"On {code(new.base, table=False)}: {code(lost.text[:_LONGEST], table=False)}"
    return f"{there}, gone in {commit[:_SHORT_SHA]}" if commit is not None else there


_LONGEST = 160


def _short(text: str) -> str:
    return markdown(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _these(count: int) -> str:
    return "this fix" if count == 1 else "these fixes"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def clean_body() -> str:
    """What the comment becomes when its problems are gone: one line."""
    return f"{MARKER}\n{_CLEAN}\n"
