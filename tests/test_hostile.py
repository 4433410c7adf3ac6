"""Wrong use and hostile input at the command line: told in a sentence, no traceback, no hang."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hardhull import cli
from hardhull.model import Fix, Level
from hardhull.report.annotations import Note, join
from hardhull.report.notes import notes_of
from hardhull.suppression import SuppressionError, normal_id, parse_suppression
from support import write

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out .\nENTRYPOINT ["dotnet", "a.dll"]\n'
)
posix = pytest.mark.skipif(os.name != "posix", reason="devices and closed streams are POSIX here")


@pytest.fixture
def api(tmp_path: Path) -> Path:
    return write(tmp_path / "api", {"Dockerfile": DOCKERFILE})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scna",), "there is no command `scna`; did you mean `scan`?"),
        (("scan", ""), "an empty PATH was given"),
        (("scan", "--select", ""), "an empty RULE was given"),
        (("scan", "--ignore", ","), "an empty RULE was given"),
        (("scan", "--output", ""), "an empty name was given"),
        (("fix", "--output", "."), "--output .: is a folder"),
        (("scan", "--digests", "deep.json"), "nested too deeply"),
        (("config", "--config", "large.yml"), "too large"),
    ],
)
def test_wrong_use_changes_nothing(
    api: Path,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(api, {"deep.json": "[" * 200_000, "large.yml": "#\n" * 1_000_000})
    monkeypatch.chdir(api)
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)

    assert code == 2
    assert said in capsys.readouterr().err
    assert (api / "Dockerfile").read_text() == DOCKERFILE


@posix
def test_a_configuration_that_is_no_file_is_told(api: Path) -> None:
    (api / ".github").mkdir()
    (api / ".github" / "hardhull.yml").symlink_to("nothing")

    assert cli.main(["scan", str(api)]) == 2


@posix
def test_a_device_is_not_read_to_its_end(api: Path) -> None:
    assert cli.main(["scan", str(api), "--config", "/dev/zero"]) == 2


def test_a_summary_that_cannot_be_written_is_told_before_files_change(
    api: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(api))

    assert cli.main(["fix", "--offline", str(api), "--format", "github"]) == 2
    assert (api / "Dockerfile").read_text() == DOCKERFILE


@posix
@pytest.mark.parametrize(
    ("command", "code"),
    [("scan >&-", 1), ("fix --interactive <&-", 0), ("scan 2>&-", 1), ("scan >/dev/full", 2)],
)
def test_closed_and_full_streams_are_no_bug(api: Path, command: str, code: int) -> None:
    if "/dev/full" in command and not os.path.exists("/dev/full"):  # noqa: PTH110  a device
        pytest.skip("this system has no /dev/full")
    line = f"'{sys.executable}' -m hardhull {command}"
    done = subprocess.run(line, shell=True, cwd=api, capture_output=True, check=False)  # noqa: S602

    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_work_in_a_clone_below_the_folder_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api = write(tmp_path / "all" / "api", {"Dockerfile": DOCKERFILE})
    subprocess.run(["git", "init", "-q"], cwd=api, check=True)

    assert cli.main(["fix", "--offline", str(tmp_path / "all")]) == 2
    assert "api/Dockerfile: not committed" in capsys.readouterr().err
    assert (api / "Dockerfile").read_text() == DOCKERFILE


def test_a_change_without_git_says_that_nothing_undoes_it(
    api: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["fix", "--offline", str(api)])

    assert "nothing can undo this" in capsys.readouterr().out


def test_the_way_back_names_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write(tmp_path / "my shop", {"a/Dockerfile": DOCKERFILE})
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
    monkeypatch.chdir(tmp_path)
    cli.main(["fix", "--offline", "my shop"])
    undo = capsys.readouterr().out.partition("Undo: ")[2].splitlines()[0]

    assert (root / "a/Dockerfile").read_text() != DOCKERFILE
    subprocess.run(undo, shell=True, cwd=tmp_path, check=True)  # noqa: S602  as a user pastes it
    assert (root / "a/Dockerfile").read_text() == DOCKERFILE


def test_no_comment_takes_long() -> None:
    start = time.perf_counter()
    for filling in (" " * 300_000 + "x", "#" * 300_000, "ignore[" * 50_000, "\t\n" * 100_000):
        read = parse_suppression(f"# hardhull: a{filling}", "Dockerfile", 1, ())
        assert isinstance(read, SuppressionError)
    normal_id("trivy", "AVD-KSV-" + "0" * 300_000 + "x")

    assert time.perf_counter() - start < 2
    assert normal_id("trivy", "AVD-KSV-0012") == normal_id("trivy", "KSV012") == "ksv-0012"


def test_the_job_summary_is_named_only_if_there_is_one() -> None:
    notes = [Note(0, "error", "::error::x")] * 12

    assert join(notes).endswith("2 more are in the job summary\n")
    assert "not shown" in join(notes, summarised=False)


def test_one_order_of_roll_out_is_told_once() -> None:
    def fix(*notes: str) -> Fix:
        return Fix(summary="", operations=(), level=Level.REVIEW, notes=notes, if_wrong="")

    order = "order of roll-out: build and push the image, set its tag in the manifest, then apply"
    shown = notes_of(
        [
            fix("one; order of roll-out: build the image, push it, name its tag here, apply"),
            fix("else", f"{order}; two"),
            fix("else", f"{order}; one"),
            fix("order of roll-out: build and push before the services are started anew; three"),
        ]
    )

    assert shown == (
        f"{order} (one; two)",
        "else",
        "order of roll-out: build and push before the services are started anew (three)",
    )


def test_a_report_of_hostile_bytes_is_ascii(api: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(api, {"x/Dockerfile": DOCKERFILE.encode().replace(b"COPY", b"# \xff\xe2\x80\xae\nCOPY")})
    cli.main(["scan", str(api), "--format", "json"])
    shown = capsys.readouterr().out

    assert shown.isascii()
    assert json.loads(shown)["schema"] == 1
