"""Rules about the repository: what they write is what its readers take."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hardhull.rules.repository.no_update_automation import RULE
from support import outcome, run_example, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.model import Example

PATH = ".github/dependabot.yml"
CHECK = ("-m", "check_jsonschema", "-q", "--builtin-schema", "vendor.dependabot")


@pytest.mark.parametrize(
    "example", [e for e in RULE.examples if e.after], ids=lambda example: example.title
)
def test_dependabot_takes_what_is_written(tmp_path: Path, example: Example) -> None:
    result = run_example(tmp_path / "shop", RULE, example)
    written = tmp_path / "dependabot.yml"
    written.write_bytes(result.after[PATH].to_bytes())

    done = subprocess.run([sys.executable, *CHECK, written], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_many_folders_are_named_by_a_glob(tmp_path: Path) -> None:
    files = {f"s{number}/Dockerfile": "FROM alpine:3.20\n" for number in range(21)}
    result = outcome(write(tmp_path, files), RULE.id)

    assert '      - "**/*"\n' in result.after[PATH].text


def test_files_that_are_covered_by_a_glob_are_left(tmp_path: Path) -> None:
    settings = "version: 2\nupdates:\n  - package-ecosystem: docker\n    directories: ['**/*']\n"
    write(tmp_path, {"a/b/Dockerfile": "FROM alpine:3.20\n", PATH: settings})

    assert outcome(tmp_path, RULE.id).entries == ()
