"""Workflows, the image, our own repository: pinned, few permissions, and nothing unexplained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardhull.actions.table import INPUTS
from hardhull.configuration.reading import load
from hardhull.documents.source import FileKind, Source
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.outcome import Status
from hardhull.rules import BY_ID
from hardhull.run import run
from hardhull.settings import CONFIG_PATH

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(
    [*(ROOT / ".github/workflows").glob("*.yml"), *(ROOT / "examples/workflows").glob("*.yml")]
)
_USES = re.compile(r"^\s*(?:- )?uses: (\S+)( # \S+)?", re.MULTILINE)
_INPUT = re.compile(r"^          INPUT_([A-Z_]+): ", re.MULTILINE)


def read(path: Path) -> YamlFile:
    file = read_yaml(Source(path.name, FileKind.YAML, path.read_text(encoding="utf-8")))
    assert isinstance(file, YamlFile)
    return file


def test_our_own_repository_has_nothing_unexplained() -> None:
    text = (ROOT / CONFIG_PATH).read_text(encoding="utf-8")
    outcome = run(ROOT, load(CONFIG_PATH, text, BY_ID), fixing=False)
    left = [f"{e.finding.path}: {e.finding.rule}" for e in outcome.entries]

    assert left == []
    assert "Dockerfile" in outcome.before
    assert not [one for one in outcome.entries if one.status is Status.ACCEPTED]


def test_the_image_is_pinned_and_its_last_stage_builds_nothing() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    last = text[text.rindex("\nFROM ") :]

    assert all(re.fullmatch(r"python:3\.13-slim@sha256:[0-9a-f]{64}", base) for base in bases)
    assert len(set(bases)) == 1
    assert not re.search(r"pip install|pip wheel|gcc|make\b", last)
    assert not re.search(r"^USER", text, re.MULTILINE), "the runner asks for root"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_actions_are_pinned_and_permissions_are_few(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = _USES.findall(text)

    for name, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name), name
        assert comment, f"{name} says which version it is"
    assert ("permissions: {}" in text) or ("workflow_call" in text)
    assert "write-all" not in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


@pytest.mark.parametrize(
    "path",
    [path for path in WORKFLOWS if path.parent.parent.name == "examples"],
    ids=lambda path: path.name,
)
def test_examples_use_inputs_that_exist(path: Path) -> None:
    (top,) = read(path).cursors
    jobs = top.get("jobs")
    assert jobs is not None
    known = {one.name for one in INPUTS}
    used: set[str] = set()
    for _, job in jobs.pairs():
        steps = job.get("steps")
        for step in steps.items() if steps is not None else [job]:
            uses, given = step.get("uses"), step.get("with")
            if uses is not None and "/hardhull" in (uses.text or "") and given is not None:
                used |= {name for name, _ in given.pairs()}

    assert used <= known
    assert top.get("concurrency") is not None


def test_the_reusable_workflow_passes_on_inputs_of_the_table() -> None:
    path = ROOT / ".github/workflows/hardhull.yml"
    text = path.read_text(encoding="utf-8")
    passed = {name.lower().replace("_", "-") for name in _INPUT.findall(text)}
    inputs = read(path).cursors[0].get("on", "workflow_call", "inputs")
    assert inputs is not None
    declared = {name for name, _ in inputs.pairs()} - {"runs-on"}

    assert passed == declared | {"token"}
    assert passed <= {one.name for one in INPUTS}
