"""Whole cases: a folder of files before, the files that change after, and what is reported.

Each folder below `tests/cases` with a `case.json` is a case: `before/` and `after/` hold files,
`case.json` may hold `digests` (name to digest), `settings` (lines of the configuration), and
`reported` (rules that must have an unfixed finding), `silent` (rules that must have none).
With HARDHULL_ACCEPT=1 the files after are written anew, to be read before they are committed.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from hardhull.outcome import Status
from support import outcome, texts

CASES = sorted(path.parent for path in Path(__file__).parent.joinpath("cases").rglob("case.json"))


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("folder", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_case(tmp_path: Path, folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    root = tmp_path / "root"
    shutil.copytree(folder / "before", root)
    result = outcome(
        root,
        *case.get("enable", ()),
        settings="\n".join(case.get("settings", ())),
        digests=case.get("digests"),
        only=False,
    )
    if os.environ.get("HARDHULL_ACCEPT"):
        for path, text in texts(result).items():
            place = folder / "after" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())

    assert result.crashes == ()
    assert texts(result) == files_of(folder / "after")
    unfixed = {e.finding.rule for e in result.entries if e.status is not Status.FIXED}
    found = {e.finding.rule for e in result.entries}
    assert set(case.get("reported", ())) <= unfixed
    assert not set(case.get("silent", ())) & found
