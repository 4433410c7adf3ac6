"""What fixes ask a maintainer to know: each sentence once, however many of them say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.model import Change, Fix

NOT_CHECKED = "not checked: "
"""So begin notes and evidence that name a precondition which nobody looked at."""
_ORDER = "order of roll-out: "


def notes_of(fixes: Iterable[Fix]) -> tuple[str, ...]:
    """The notes of several fixes. One order of roll-out is told once, with all its reasons.

    Rules don't know of each other: each gives the order in its own words and adds its own reason.
    """
    notes = dict.fromkeys(note for fix in fixes for note in fix.notes)
    orders: dict[bool, dict[str, None]] = {}
    reasons: dict[bool, dict[str, None]] = {}
    for note in notes:
        for part in note.split("; ") if _ORDER in note else ():
            said = orders if part.startswith(_ORDER) else reasons
            said.setdefault(_applied(note), {})[part] = None
    found: dict[str, None] = {}
    for note in notes:
        if _ORDER not in note:
            found[note] = None
            continue
        why = "; ".join(reasons.get(_applied(note), ()))
        # The longest wording, so that which one is told does not hang on which rule came first.
        order = max(orders[_applied(note)], key=lambda words: (len(words), words))
        found[f"{order} ({why})" if why else order] = None
    return tuple(found)


def unchecked_in(changes: Iterable[Change]) -> tuple[str, ...]:
    """The preconditions that nobody looked at, a sentence each, as notes and evidence name them."""
    said = dict.fromkeys(
        _sentence(line.removeprefix(NOT_CHECKED))
        for change in changes
        for line in (*change.fix.notes, *change.finding.evidence)
        if line.startswith(NOT_CHECKED)
    )
    return tuple(said)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('?', '.')) else '.'}"


def _applied(note: str) -> bool:
    """Whether manifests are applied last; services of Compose are started anew instead."""
    return any(part.endswith("apply") for part in note.split("; ") if part.startswith(_ORDER))
