"""The laws that hold for every example of every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.documents.source import apply_edits, undo_edits
from hardhull.model import Level, worst
from hardhull.outcome import Status
from hardhull.rules import RULES
from support import outcome, run_example, texts, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.model import Change, Example, Rule
    from hardhull.outcome import Outcome

CASES = [
    pytest.param(rule, example, id=f"{rule.id}: {example.title}")
    for rule in RULES
    for example in rule.examples
]
cases = pytest.mark.parametrize(("rule", "example"), CASES)


@cases
def test_before_becomes_exactly_after(tmp_path: Path, rule: Rule, example: Example) -> None:
    result = run_example(tmp_path, rule, example)

    assert result.crashes == ()
    assert texts(result) == dict(example.after)
    if example.after:
        assert worst(*(change.fix.level for change in result.changes)) is example.level


@cases
def test_a_refusal_says_why(tmp_path: Path, rule: Rule, example: Example) -> None:
    result = run_example(tmp_path, rule, example)
    own = [entry for entry in result.entries if entry.finding.rule == rule.id]

    if example.silent:
        assert own == []
    elif example.refused:
        assert any(
            example.refused in entry.reason for entry in own if entry.status is Status.WITHHELD
        ), [entry.reason for entry in own]
    elif example.reported:
        assert own
        assert all(entry.finding.level is Level.MANUAL or rule.fix is None for entry in own)
    else:
        assert example.after


@cases
def test_a_second_run_changes_nothing(tmp_path: Path, rule: Rule, example: Example) -> None:
    write(tmp_path, {**example.before, **example.after})
    result = outcome(tmp_path, rule.id, settings=example.settings, digests=example.digests)

    assert texts(result) == {}


@cases
def test_the_crlf_and_bom_twin_becomes_the_twin(
    tmp_path: Path, rule: Rule, example: Example
) -> None:
    def twin(text: str) -> bytes:
        return b"\xef\xbb\xbf" + text.replace("\r\n", "\n").replace("\n", "\r\n").encode()

    write(tmp_path, {path: twin(text) for path, text in example.before.items()})
    result = outcome(tmp_path, rule.id, settings=example.settings, digests=example.digests)
    changed = {path: result.after[path].to_bytes() for path in result.changed}

    # A file that comes to be has no line ends to keep.
    assert changed == {
        path: twin(text) if path in example.before else text.encode()
        for path, text in example.after.items()
    }


@cases
def test_undoing_the_edits_gives_the_original(tmp_path: Path, rule: Rule, example: Example) -> None:
    result = run_example(tmp_path, rule, example)
    now = {path: source.text for path, source in result.after.items()}
    for change in reversed(result.changes):
        for path, edits in reversed(change.edits):
            # What the edits were made on is what undoing them must give: found by undoing.
            before = _text_before(result, path, change)
            now[path] = apply_edits(now[path], undo_edits(edits, before))

    assert now == {path: source.text for path, source in result.before.items()}


def _text_before(result: Outcome, path: str, last: Change) -> str:
    text = result.before[path].text
    for change in result.changes:
        if change is last:
            return text
        for changed, edits in change.edits:
            if changed == path:
                text = apply_edits(text, edits)
    return text


@cases
def test_a_file_cut_off_anywhere_never_raises(tmp_path: Path, rule: Rule, example: Example) -> None:
    for path, text in example.before.items():
        for part in range(1, 8):
            cut = text[: len(text) * part // 8]
            write(tmp_path, {**example.before, path: cut})
            result = outcome(tmp_path, rule.id, settings=example.settings)
            assert result.crashes == ()


@cases
def test_all_rules_together_settle(tmp_path: Path, rule: Rule, example: Example) -> None:
    assert example in rule.examples
    write(tmp_path, example.before)
    first = outcome(tmp_path, settings=example.settings, digests=example.digests)
    write(tmp_path, {path: first.after[path].to_bytes() for path in first.changed})
    second = outcome(tmp_path, settings=example.settings, digests=example.digests)

    assert first.crashes == second.crashes == ()
    assert texts(second) == {}


@cases
def test_the_routine_changes_are_those_of_a_routine_run(
    tmp_path: Path, rule: Rule, example: Example
) -> None:
    assert example in rule.examples
    write(tmp_path, example.before)
    both = outcome(tmp_path, settings=example.settings, digests=example.digests)
    alone = (
        outcome(tmp_path, settings=f"{example.settings}\nlevel: routine\n", digests=example.digests)
        if "level:" not in example.settings
        else both
    )
    levels = [change.fix.level for change in both.changes]
    first = [c.finding.key for c in both.changes if c.fix.level is Level.ROUTINE]

    assert levels == sorted(levels, key=lambda level: level.rank)
    assert first == [c.finding.key for c in alone.changes if c.fix.level is Level.ROUTINE]
