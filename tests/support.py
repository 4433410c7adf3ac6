"""What tests share: running rules over files that exist only for the test."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from hardhull import run as story
from hardhull.facts.gather import Recorded
from hardhull.rules import BY_ID
from hardhull.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hardhull.model import Example, Rule
    from hardhull.outcome import Outcome

TODAY = datetime.date(2026, 11, 22)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`, byte for byte."""
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def outcome(
    root: Path,
    *rules: str,
    settings: str = "",
    digests: Mapping[str, str] | None = None,
    fixing: bool = True,
    only: bool = True,
) -> Outcome:
    """Run hardhull over `root`, with all rules or with these alone."""
    chosen = load(".github/hardhull.yml", settings, BY_ID)
    if rules:
        chosen = chosen.choosing(BY_ID, select=rules if only else (), enable=rules)
    recorded = {name: Recorded(digest) for name, digest in (digests or {}).items()}
    return story.run(root, chosen, recorded=recorded, fixing=fixing, today=TODAY)


def run_example(root: Path, rule: Rule, example: Example, *, fixing: bool = True) -> Outcome:
    """Run one rule over one of its examples."""
    write(root, example.before)
    return outcome(root, rule.id, settings=example.settings, digests=example.digests, fixing=fixing)


def texts(result: Outcome) -> dict[str, str]:
    """The files that changed, with their new text."""
    return {path: result.after[path].text for path in result.changed}
