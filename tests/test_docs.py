"""What is generated is fresh, and what is written by hand points at things that exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from hardhull.rules import BY_ID, RULES

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def made() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    documents: dict[str, str] = module.documents()
    return documents


def test_generated_files_are_fresh() -> None:
    stale = [
        path
        for path, text in made().items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]

    assert stale == [], "run make docs"


def test_every_page_has_its_rule() -> None:
    names = {path.stem for path in (ROOT / "docs" / "rules").glob("*.md")}
    names -= {"README", "equivalents"}

    assert names == set(BY_ID)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_all_there_is_to_say(rule: object) -> None:
    for name in ("title", "why", "fix_note"):
        assert getattr(rule, name).strip()
    assert not getattr(rule, "title").endswith(".")  # noqa: B009  any rule


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "docs/rules/README.md",
        "docs/action.md",
        "docs/trust.md",
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    file = ROOT / name
    targets = _LINK.findall(file.read_text(encoding="utf-8"))

    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_the_architecture_names_rooms_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    named = [name for room in rooms for name in re.findall(r"`([^`]+)`", room)]

    assert named
    assert [name for name in named if not (ROOT / "src" / "hardhull" / name).exists()] == []
