"""The engine over made-up rules: what it keeps, what it withholds, and that it ends."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull import run as story
from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Phase,
    Refusal,
    RemoveInstruction,
    ReplaceWord,
    Severity,
    SubjectKind,
)
from hardhull.outcome import Status
from hardhull.rules.images import unpinned_image
from support import outcome, texts, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from hardhull.model import Rule

FILE = "FROM alpine:3.20\nENV A=1\nENV B=1\nUSER 1\n"


def setter(name: str, old: str, new: str, level: Level = Level.ROUTINE) -> Rule:
    """A rule that finds `ENV X=old` and makes it `new`."""

    def find(project: Any, context: Any) -> Iterator[Finding]:  # noqa: ARG001
        for path, document in project.documents.items():
            for match in re.finditer(rf"ENV {old}$", document.source.text, re.MULTILINE):
                span = document.instructions[0].span
                where = f"line {document.source.line_of(match.start())}"
                yield Finding(name, path, where, span, name, Severity.LOW, level, subject=document)

    def fix(finding: Finding, context: Any) -> Fix | Refusal:  # noqa: ARG001
        line = int(finding.where.split()[1])
        index = next(i.index for i in finding.subject.instructions if i.first_line == line)
        return Fix((ReplaceWord(finding.path, index, 0, new),), f"{old} to {new}")

    return replace(
        unpinned_image.RULE,
        id=name,
        subject=SubjectKind.REPOSITORY,
        find=find,
        fix=fix,
        phase=setter_phase,
        examples=(),
    )


setter_phase = next(iter(type(unpinned_image.RULE.phase)))


def use(monkeypatch: pytest.MonkeyPatch, *rules: Rule) -> None:
    """Let a run know these rules only."""
    monkeypatch.setattr(story, "RULES", rules)


def test_rules_work_on_what_earlier_ones_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("one", "A=1", "A=2"), setter("two", "A=2", "A=3"))
    result = outcome(tmp_path)

    assert texts(result) == {"Dockerfile": FILE.replace("A=1", "A=3")}


def test_a_later_round_picks_up_what_an_earlier_rule_could_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("two", "A=2", "A=3"), setter("one", "A=1", "A=2"))
    result = outcome(tmp_path)

    assert texts(result) == {"Dockerfile": FILE.replace("A=1", "A=3")}


def test_rules_that_undo_each_other_end_and_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("there", "A=1", "A=2"), setter("back", "A=2", "A=1"))
    result = outcome(tmp_path)

    assert result.crashes == ()
    held = [entry for entry in result.entries if entry.status is Status.WITHHELD]
    assert [entry.finding.rule for entry in held] in (["back"], ["there"])


def test_a_fix_that_does_not_solve_the_problem_is_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("idle", "A=1", "A=1"))
    result = outcome(tmp_path)

    assert texts(result) == {}
    assert [(e.status, e.reason) for e in result.entries] == [
        (Status.WITHHELD, "the problem would still be there after the edit")
    ]


def test_one_bad_fix_does_not_take_the_good_ones_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE, "b/Dockerfile": FILE.replace("A=1", "A=9")})
    rule = setter("some", r"A=[19]", "A=9")
    use(monkeypatch, rule)
    result = outcome(tmp_path)

    # Both still match the rule afterwards, so neither is kept; but nothing crashes.
    assert texts(result) == {}
    use(monkeypatch, setter("good", "A=1", "A=2"), setter("bad", "A=9", "A=9"))
    result = outcome(tmp_path)

    assert texts(result) == {"Dockerfile": FILE.replace("A=1", "A=2")}


def test_a_rule_that_raises_is_noted_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[Finding]:
        raise ValueError("a bug")

    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, replace(setter("bug", "A", "B"), find=broken), setter("one", "A=1", "A=2"))
    result = outcome(tmp_path)

    assert [crash.rule for crash in result.crashes] == ["bug"]
    assert "a bug" in result.crashes[0].trace
    assert texts(result) == {"Dockerfile": FILE.replace("A=1", "A=2")}


def test_only_routine_changes_when_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("look", "A=1", "A=2", Level.REVIEW), setter("safe", "B=1", "B=2"))
    result = outcome(tmp_path, settings="level: routine\n")

    assert texts(result) == {"Dockerfile": FILE.replace("B=1", "B=2")}


def test_a_fix_that_causes_another_finding_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported = replace(setter("new-problem", "A=2", "A=2"), fix=None)
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("one", "A=1", "A=2"), setter("two", "B=1", "B=2"), reported)
    result = outcome(tmp_path)

    assert texts(result) == {"Dockerfile": FILE.replace("B=1", "B=2")}
    assert "another finding" in next(
        entry.reason for entry in result.entries if entry.finding.rule == "one"
    )


def test_an_edit_outside_its_place_is_never_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = setter("one", "A=1", "A=2")

    def lossy(finding: Finding, context: Any) -> Fix | Refusal:
        fix = honest.fix(finding, context) if honest.fix is not None else Refusal("")
        assert isinstance(fix, Fix)
        return replace(fix, operations=(*fix.operations, RemoveInstruction(finding.path, 99)))

    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, replace(honest, fix=lossy))
    result = outcome(tmp_path)

    assert texts(result) == {}
    assert result.crashes == ()


def test_rejected_findings_are_out_before_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE.replace("USER", "# hardhull: ignore[one] meant so\nUSER")})
    use(monkeypatch, setter("one", "A=1", "A=2"))
    result = outcome(tmp_path)

    # The mark stands above another instruction, so it does not reach the finding on FROM.
    assert texts(result) != {}
    write(tmp_path, {"Dockerfile": "# hardhull: ignore[one] meant so\n" + FILE})
    result = outcome(tmp_path)

    assert texts(result) == {}
    assert [(e.status, e.reason) for e in result.entries] == [
        (Status.ACCEPTED, "hardhull (Dockerfile:1): meant so")
    ]


def test_a_generated_file_is_left_to_its_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "# This file is autogenerated. Do not edit it by hand.\n"
    write(tmp_path, {"Dockerfile": header + FILE, "b/Dockerfile": FILE})
    use(monkeypatch, setter("one", "A=1", "A=2"))
    result = outcome(tmp_path)

    assert texts(result) == {"b/Dockerfile": FILE.replace("A=1", "A=2")}
    assert "a program writes it" in result.entries[0].reason


def test_fixes_that_can_not_be_verified_do_not_hold_back_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = setter("one", "A=1", "A=2")

    def picky(finding: Finding, context: Any) -> Fix | Refusal:
        fix = honest.fix(finding, context) if honest.fix is not None else Refusal("")
        assert isinstance(fix, Fix)
        if finding.path == "d/Dockerfile":
            return replace(fix, operations=(ReplaceWord(finding.path, 99, 0, "A=2"),))
        return fix

    write(tmp_path, {f"{name}/Dockerfile": FILE for name in "abcdef"})
    use(monkeypatch, replace(honest, fix=picky))
    result = outcome(tmp_path)

    assert sorted(texts(result)) == [f"{name}/Dockerfile" for name in "abcef"]
    assert [e.finding.path for e in result.entries if e.status is Status.WITHHELD] == [
        "d/Dockerfile"
    ]


def test_every_part_speaks_of_the_text_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two inserts in one file, of which the second alone can't be: places shift in between."""

    def find(project: Any, context: Any) -> Iterator[Finding]:  # noqa: ARG001
        for path, document in project.documents.items():
            for item in document.instructions:
                if item.keyword == "ENV" and f"LABEL for={item.text}" not in document.source.text:
                    yield Finding(
                        "label",
                        path,
                        item.text,
                        item.span,
                        "no label",
                        Severity.LOW,
                        Level.ROUTINE,
                        subject=item,
                    )

    def fix(finding: Finding, context: Any) -> Fix | Refusal:  # noqa: ARG001
        text = f"LABEL for={finding.where}" if finding.where != "C=1" else "LABEL for=C=1 \\"
        insert = InsertInstruction(finding.path, finding.subject.index, text)
        return Fix((insert,), "a label")

    rule = replace(setter("label", "x", "y"), find=find, fix=fix)
    write(tmp_path, {"Dockerfile": "FROM a:1\nENV A=1\nENV C=1\nENV B=1\n"})
    use(monkeypatch, rule)
    result = outcome(tmp_path)

    assert texts(result) == {
        "Dockerfile": ("FROM a:1\nLABEL for=A=1\nENV A=1\nENV C=1\nLABEL for=B=1\nENV B=1\n")
    }


def test_what_needs_a_look_comes_last_and_what_it_made_possible_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"Dockerfile": FILE})
    use(
        monkeypatch,
        setter("look", "A=1", "A=2", Level.REVIEW),
        setter("after-it", "A=2", "A=3"),
        setter("safe", "B=1", "B=2"),
    )
    result = outcome(tmp_path)

    assert [(change.finding.rule, change.fix.level) for change in result.changes] == [
        ("safe", Level.ROUTINE),
        ("look", Level.REVIEW),
        ("after-it", Level.REVIEW),
    ]


def test_a_pin_waits_for_the_change_of_its_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "FROM alpine:3.20\nENV A=1\nFROM busybox:1\n"
    pin = replace(setter("pin", "A=[12]", "A=9"), phase=Phase.PIN)

    def find(project: Any, context: Any) -> Iterator[Finding]:
        for finding in setter("pin", "A=[12]", "A=9").find(project, context):
            text = finding.subject.source.text
            yield replace(finding, what=text[text.index("A=") :][:3])

    write(tmp_path, {"Dockerfile": file, "b/Dockerfile": file.replace("A=1", "A=2")})
    use(monkeypatch, setter("look", "A=1", "A=2", Level.REVIEW), replace(pin, find=find))
    result = outcome(tmp_path)

    assert [(c.finding.rule, c.finding.path, c.fix.level) for c in result.changes] == [
        ("pin", "b/Dockerfile", Level.ROUTINE),
        ("look", "Dockerfile", Level.REVIEW),
        ("pin", "Dockerfile", Level.REVIEW),
    ]


def test_what_a_routine_fix_brings_up_may_be_mended_by_one_that_needs_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mending = setter("new-problem", "A=2", "A=3", Level.REVIEW)
    write(tmp_path, {"Dockerfile": FILE})
    use(monkeypatch, setter("one", "A=1", "A=2"), mending)

    assert texts(outcome(tmp_path)) == {"Dockerfile": FILE.replace("A=1", "A=3")}
    routine = outcome(tmp_path, settings="level: routine\n")
    assert texts(routine) == {"Dockerfile": FILE.replace("A=1", "A=2")}
    assert [entry.reason for entry in routine.entries if entry.status is Status.WITHHELD] == [
        "needs a look (review); only routine is wanted"
    ]
