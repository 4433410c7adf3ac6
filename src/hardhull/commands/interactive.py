"""`hardhull fix --interactive`: ask before each change.

A refused change is taken out before the rules run again, so that nothing is kept that needs it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull.commands.output import tell
from hardhull.outcome import Status
from hardhull.report.diff import change_diffs, coloured
from hardhull.report.neutral import plain
from hardhull.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hardhull.model import Change
    from hardhull.outcome import Outcome
    from hardhull.run import Ask
    from hardhull.settings import Settings

_HELP = "y: make it · n: leave it · a: make this and all others · q: leave this and all others"


class _Answers:
    """What was answered so far, by fingerprint."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self.refused: set[str] = set()
        self.rest: bool | None = None

    def take(self, change: Change, diff: str) -> None:
        """Ask about a change, unless that is settled."""
        mark = change.finding.fingerprint
        if mark in self.wanted | self.refused:
            return
        answer = self.rest if self.rest is not None else self._ask(change, diff)
        (self.wanted if answer else self.refused).add(mark)

    def _ask(self, change: Change, diff: str) -> bool:
        finding, fix = change.finding, change.fix
        tell(f"\n{plain(finding.path)}  {plain(finding.where)}: {plain(finding.message)}")
        tell(f"{fix.level.value}: {plain(fix.summary)}   [{finding.rule}]")
        for note in (*fix.notes, *finding.evidence):
            tell(f"  {plain(note)}")
        if diff:
            tell(coloured(diff, colour=sys.stderr.isatty()).rstrip("\n"))
        while True:
            tell("Make this change? [y/n/a/q] ")
            line = sys.stdin.readline()
            word = line.strip().lower()[:1] if line else "q"
            if word in ("y", "n"):
                return word == "y"
            if word in ("a", "q"):
                self.rest = word == "a"
                return self.rest
            tell(_HELP)


def asked(
    root: Path, settings: Settings, recorded: Mapping[str, Any], ask: Ask | None = None
) -> Outcome:
    """Run, ask, and run again without what was refused, until nothing new is to be asked."""
    answers = _Answers()
    while True:
        refused = frozenset(answers.refused)
        outcome = run(root, settings, recorded=recorded, fixing=True, rejected=refused, ask=ask)
        diffs = change_diffs(outcome)
        for change in outcome.changes:
            answers.take(change, diffs.get(change.finding.key, ""))
        if answers.refused == refused:
            return _with_refusals(outcome, refused)


def _with_refusals(outcome: Outcome, refused: frozenset[str]) -> Outcome:
    """Say of what was refused that it was: otherwise it would look as if it had no fix."""
    entries = tuple(
        replace(entry, status=Status.WITHHELD, reason="you left it as it is")
        if entry.finding.fingerprint in refused
        else entry
        for entry in outcome.entries
    )
    return replace(outcome, entries=entries)
