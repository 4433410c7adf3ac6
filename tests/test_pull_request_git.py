"""Commits made by git and pushed with a lease; and servers that are older than `updateRefs`."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from bringing import CREATE, ESCALATION, FIXED, SECCOMP, Scene
from hardhull.pull_request.options import CommitMode, Operation

if TYPE_CHECKING:
    from pathlib import Path

    from standin import StandIn

YAML = "deploy/api.yaml"
GIT = CommitMode.GIT


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path) -> Scene:
    return Scene.make(hub, tmp_path)


def test_it_is_pushed(scene: Scene) -> None:
    brought = scene.bring(commit_mode=GIT)

    assert (brought.operation, brought.blocked_reason) == (Operation.CREATED, "")
    assert scene.hub.writes == ["push create hardhull", "POST pulls"]
    assert scene.repository.files("hardhull")[YAML].decode() == FIXED
    assert brought.commits_verified is False
    assert scene.again(commit_mode=GIT)[1] == []


def test_it_is_rewritten_with_a_lease(scene: Scene) -> None:
    scene.bring(commit_mode=GIT)
    scene.select = (ESCALATION, SECCOMP)
    brought, writes = scene.again(commit_mode=GIT)

    assert brought.operation is Operation.UPDATED
    assert writes == ["PATCH pulls/1 body", "push move hardhull force"]
    assert len(scene.repository.log("hardhull")) == 2
    assert scene.again(commit_mode=GIT)[1] == []


def test_a_person_who_is_faster_keeps_the_commit(scene: Scene) -> None:
    scene.bring(commit_mode=GIT)
    scene.select = (ESCALATION, SECCOMP)
    scene.hub.forget()

    def commit() -> None:
        scene.repository.person_commits("hardhull", {"mine": "1\n"})

    scene.hub.faults.before("PATCH", commit)
    brought = scene.bring(commit_mode=GIT)

    assert not brought.refused
    assert "mine" in scene.repository.files("hardhull")
    assert "Paused" in scene.pull.body


def test_solved_elsewhere(scene: Scene) -> None:
    scene.bring(commit_mode=GIT)
    scene.repository.person_commits("main", {YAML: FIXED})
    brought, _ = scene.again(commit_mode=GIT)

    assert brought.operation is Operation.CLOSED
    assert scene.repository.branches() == ["main"]


def test_a_mode_is_kept(scene: Scene) -> None:
    scene.repository.person_commits("main", {YAML: ("100755", scene.repository.files()[YAML])})
    for mode in CommitMode:
        scene.bring(commit_mode=mode, branch=f"by-{mode}")
        assert scene.repository.modes(f"by-{mode}")[YAML] == "100755"


def test_a_shallow_clone(hub: StandIn, scene: Scene, tmp_path: Path) -> None:
    scene.repository.person_commits("main", {"other": "1\n"})
    place = tmp_path / "shallow"
    source = f"file://{scene.repository.it.store.path}"
    subprocess.run(["git", "clone", "-q", "--depth=1", source, str(place)], check=True)
    shallow = Scene(hub, scene.repository, place)
    brought = shallow.bring_stale(commit_mode=GIT)

    assert (brought.operation, brought.blocked_reason) == (Operation.CREATED, "")
    assert scene.repository.files("hardhull")[YAML].decode() == FIXED


def test_nothing_of_the_clone_is_started_and_the_token_is_nowhere(
    scene: Scene, tmp_path: Path
) -> None:
    scene.update()  # what tests do with git themselves starts what it is told to
    evil, mark = tmp_path / "evil", tmp_path / "started"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    evil.chmod(0o755)
    hooks = scene.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("pre-push", "reference-transaction", "pre-commit"):
        (hooks / hook).write_bytes(evil.read_bytes())
        (hooks / hook).chmod(0o755)
    for name, value in (
        ("core.fsmonitor", str(evil)),
        ("core.sshCommand", str(evil)),
        ("credential.helper", str(evil)),
        ("filter.x.clean", str(evil)),
        (f"url.ext::{evil}.insteadOf", scene.hub.server_url),
        (f"http.{scene.hub.server_url}/.extraheader", "AUTHORIZATION: basic d3Jvbmc="),
    ):
        subprocess.run(["git", "config", name, value], cwd=scene.root, check=True)
    scene.hub.token("ghs_secret")
    brought = scene.bring_stale(token="ghs_secret", commit_mode=GIT)  # noqa: S106  a test's

    assert (brought.operation, brought.blocked_reason) == (Operation.CREATED, "")
    assert not mark.exists()
    for file in scene.root.rglob("*"):
        assert not file.is_file() or b"ghs_secret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ({"contents": "read", "pull_requests": "write"}, "contents: write"),
        ({"contents": "write", "pull_requests": "read"}, "pull-requests: write"),
    ],
)
def test_a_permission_that_is_missing(scene: Scene, permissions: dict[str, str], said: str) -> None:
    scene.hub.token("ghs_weak", permissions=permissions)
    brought = scene.bring(token="ghs_weak", commit_mode=GIT)  # noqa: S106  a test's

    assert (brought.operation, brought.refused) == (Operation.BLOCKED, True)
    assert said in brought.blocked_reason.lower()
    assert "ghs_weak" not in f"{brought}"


def test_a_rule_that_wants_signatures(scene: Scene) -> None:
    scene.repository.rule("required_signatures", "hardhull*")
    brought = scene.bring(commit_mode=GIT)

    assert brought.refused
    assert "commit-mode api" in brought.blocked_reason
    assert scene.bring(commit_mode=CommitMode.API).operation is Operation.CREATED


def test_nothing_is_left_on_the_disk(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(own))
    scene.bring(commit_mode=GIT)

    assert list(own.iterdir()) == []
    assert CREATE


# ---------------------------------------------------------------- older servers

OLD = {"Mutation.updateRefs", "Ref.rules", "PullRequest.isInMergeQueue", "Ref.refUpdateRule"}


@pytest.fixture
def old(scene: Scene) -> Scene:
    scene.hub.world.lacking |= OLD
    return scene


def test_an_older_server_is_written_to_by_rest(old: Scene) -> None:
    brought = old.bring()
    assert brought.operation is Operation.CREATED
    assert old.hub.writes[-2:] == ["POST git/refs hardhull", "POST pulls"]
    assert old.again()[1] == []
    old.select = (ESCALATION, SECCOMP)
    assert old.again()[1][-1] == "PATCH git/refs/heads/hardhull force"
    old.repository.person_commits("main", {YAML: FIXED})
    old.select = (ESCALATION,)
    assert old.again()[1][-1] == "DELETE git/refs/heads/hardhull"
    assert old.repository.branches() == ["main"]


def test_an_older_server_and_someone_faster(old: Scene) -> None:
    old.bring()
    old.select = (ESCALATION, SECCOMP)
    old.hub.forget()

    def commit() -> None:
        old.repository.person_commits("hardhull", {"mine": "1\n"})

    old.hub.faults.before("GET .*/git/ref/", commit)
    brought = old.bring()

    assert not brought.refused
    assert "mine" in old.repository.files("hardhull")
