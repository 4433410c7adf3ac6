"""What tests share: running rules over files that exist only for the test."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from hardhull import run as story
from hardhull.configuration.reading import load
from hardhull.facts.gather import Recorded, read_digests
from hardhull.rules import BY_ID

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
    digests: Mapping[str, str | Mapping[str, Any]] | None = None,
    fixing: bool = True,
    only: bool = True,
    refreshing: bool = True,
) -> Outcome:
    """Run hardhull over `root`, with all rules or with these alone."""
    chosen = load(".github/hardhull.yml", settings, BY_ID)
    if rules:
        chosen = chosen.choosing(BY_ID, select=rules if only else (), enable=rules)
    return story.run(
        root,
        chosen,
        recorded=recorded_of(digests or {}),
        fixing=fixing,
        today=TODAY,
        refreshing=refreshing,
    )


def recorded_of(digests: Mapping[str, str | Mapping[str, Any]]) -> dict[str, Recorded]:
    """What a digests file with these entries records."""
    entries = {
        name: {"digest": entry} if isinstance(entry, str) else entry
        for name, entry in digests.items()
    }
    return read_digests("digests.json", json.dumps({"version": 1, "images": entries}))


def run_example(root: Path, rule: Rule, example: Example, *, fixing: bool = True) -> Outcome:
    """Run one rule over one of its examples."""
    write(root, example.before)
    return outcome(root, rule.id, settings=example.settings, digests=example.digests, fixing=fixing)


def texts(result: Outcome) -> dict[str, str]:
    """The files that changed, with their new text."""
    return {path: result.after[path].text for path in result.changed}
