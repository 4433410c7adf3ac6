"""`hardhull pr` as a user starts it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bringing import ESCALATION, FIXED, Scene
from hardhull.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from standin import StandIn

TOKEN = "ghs_OnlyInTheEnvironment"  # noqa: S105  a test's


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    for name in ("GITHUB_REPOSITORY", "GH_TOKEN", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    hub.token(TOKEN)
    for name, value in hub.environment(TOKEN).items():
        monkeypatch.setenv(name, value)
    return Scene.make(hub, tmp_path)


def pr(scene: Scene, *arguments: str) -> int:
    return main(["pr", str(scene.root), "--select", ESCALATION, "--offline", *arguments])


def test_it_opens_and_says_where(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert pr(scene, "--label", "security") == 0
    told = capsys.readouterr()

    assert told.out.startswith("Opened.\n  #1 http")
    assert scene.pull.labels == ["security"]
    assert TOKEN not in told.out + told.err
    assert pr(scene) == 0
    assert capsys.readouterr().out.startswith("Nothing to do.\n  #1 http")
    assert scene.repository.files("hardhull")["deploy/api.yaml"].decode() == FIXED


def test_a_dry_run_shows_the_text(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert pr(scene, "--dry-run", "--branch", "harden", "--title", "Mine") == 0
    told = capsys.readouterr().out

    assert "open a pull request from harden to main: Mine" in told
    assert "1 change in 1 file" in told
    assert scene.hub.writes == []


def test_what_github_refuses_is_exit_code_4(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.repository.it.actions_may_open_pulls = False

    assert pr(scene) == 4
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "Workflow permissions" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--repository", "acme"], "owner/name"),
        (["--branch", "a..b"], "not a name"),
        (["--max-open-pull-requests", "0"], "from 1"),
    ],
)
def test_wrong_use_is_exit_code_2(
    scene: Scene, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert pr(scene, *arguments) == 2
    assert said in capsys.readouterr().err
    assert scene.hub.requests == []


def test_two_folders(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pr", str(scene.root), str(scene.root / "src"), "--offline"]) == 2
    assert "one PATH" in capsys.readouterr().err


def test_without_a_token(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")

    assert pr(scene) == 2
    assert "GITHUB_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("git@evil.example:acme/shop.git", "origin is at evil.example"),
        ("https://evil.example/acme/shop", "origin is at evil.example"),
        ("/some/where", "--repository"),
    ],
)
def test_a_token_goes_where_the_environment_says(
    scene: Scene, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    subprocess.run(["git", "remote", "set-url", "origin", url], cwd=scene.root, check=True)

    assert pr(scene) == 2
    assert said in capsys.readouterr().err
    assert scene.hub.requests == []


def test_a_folder_that_is_no_clone(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    scene.root = bare

    assert pr(scene, "--repository", "acme/shop") == 2
    assert "run this in a clone" in capsys.readouterr().err
