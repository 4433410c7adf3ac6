"""What the pull request costs, how it is split, and what hostile repositories can't make it do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from bringing import (
    DIGEST,
    DOCKERFILE,
    ESCALATION,
    FILES,
    FIXED,
    MANIFEST,
    NAMES,
    SECCOMP,
    USER,
    Scene,
)
from hardhull.model import UsageError
from hardhull.pull_request.github import GitHub
from hardhull.pull_request.options import CommitMode, Operation, PullRequestOptions, SplitBy
from hardhull.pull_request.state import block_in
from standin import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from standin import StandIn

YAML = "deploy/api.yaml"
SECRET = "ghs_T0kenThatMustNotBeSeen"  # noqa: S105  a test's
MANY = {
    f"apps/{name}/{path}".replace("Api", name): re.sub(r"\bapi\b", name, text)
    for name in ("one", "two", "three")
    for path, text in FILES.items()
}


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path) -> Scene:
    return Scene.make(hub, tmp_path)


# ---------------------------------------------------------------- costs


@pytest.mark.parametrize(
    "select",
    [(ESCALATION,), (ESCALATION, SECCOMP), (ESCALATION, SECCOMP, USER, "writable-root-filesystem")],
)
def test_what_it_costs(scene: Scene, select: tuple[str, ...]) -> None:
    for chosen in (select, (*select, "unpinned-image")):
        scene.select = chosen
        scene.digests = dict.fromkeys(NAMES, DIGEST)
        scene.hub.forget()
        brought = scene.bring(labels=("security",), reviewers=("ann",))
        blobs = len({str(one.body) for one in scene.hub.requests if "blobs" in one.path})
        commits = len(scene.repository.log("hardhull"))

        assert brought.operation in (Operation.CREATED, Operation.UPDATED)
        assert brought.requests == len(scene.hub.requests)
        assert brought.requests <= 6 + blobs + 2 * commits
        assert brought.writes == len(scene.hub.writes)
        assert scene.bring(labels=("security",), reviewers=("ann",)).requests <= 5
    scene.select = ("docker-socket",)
    scene.hub.token("app", actor="hardhull[bot]")
    assert scene.bring(token="app", branch="other").requests <= 3  # noqa: S106  a test's


def test_waits_are_those_that_github_asks_for(scene: Scene) -> None:
    waits: list[float] = []
    scene.hub.faults.retry_after = 7
    scene.hub.faults.on(r"POST .*/git/blobs", Fault.SECONDARY_LIMIT)
    scene.hub.faults.on(r"POST .*/pulls$", Fault.TOO_QUICKLY)
    scene.bring(github=scene.github(wait=waits.append))

    assert waits == [7.0, 60.0]


def test_a_limit_that_lasts_is_told_and_not_waited_for(scene: Scene) -> None:
    scene.hub.faults.retry_after = 3000
    scene.hub.faults.on(r"POST .*/git/blobs", Fault.SECONDARY_LIMIT)
    brought = scene.bring()

    assert brought.refused
    assert "50 minutes" in brought.blocked_reason


# ---------------------------------------------------------------- splitting


def split(hub: StandIn, folder: Path, **more: str) -> Scene:
    scene = Scene.make(hub, folder, {**MANY, **more})
    scene.select = (ESCALATION, "writable-root-filesystem")
    return scene


def heads(scene: Scene) -> dict[str, set[str]]:
    """The files that each open pull request changes, by its branch."""
    base = scene.repository.files()
    return {
        pull.it.head_ref: {
            path
            for path, data in scene.repository.files(pull.it.head_ref).items()
            if base[path] != data
        }
        for pull in scene.repository.pulls.values()
        if pull.state == "open"
    }


def test_by_level(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    scene.bring(split_by=SplitBy.LEVEL)

    assert sorted(heads(scene)) == ["hardhull-review", "hardhull-routine"]
    routine = scene.repository.files("hardhull-routine")["apps/one/deploy/api.yaml"]
    assert b"readOnlyRootFilesystem" not in routine
    assert "changes in pull requests of their own" in scene.repository.pulls[1].body
    assert scene.again(split_by=SplitBy.LEVEL)[1] == []
    scene.repository.pulls[1].merge()
    scene.again(split_by=SplitBy.LEVEL)
    assert sorted(heads(scene)) == ["hardhull-review"]


def test_by_application(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    scene.bring(split_by=SplitBy.APPLICATION)
    found = heads(scene)

    assert len(found) == 3
    assert {len({path.split("/")[1] for path in paths}) for paths in found.values()} == {1}
    assert all(branch.startswith("hardhull-") for branch in found)
    assert scene.again(split_by=SplitBy.APPLICATION)[1] == []


def test_by_owners(hub: StandIn, tmp_path: Path) -> None:
    owners = "apps/one/ @acme/one\n/apps/t* @acme/ts\n"
    scene = split(hub, tmp_path, **{".github/CODEOWNERS": owners})
    scene.bring(split_by=SplitBy.CODEOWNERS)
    found = heads(scene)

    assert sorted(len(paths) for paths in found.values()) == [1, 2]
    assert all(re.fullmatch(r"hardhull-acme-(one|ts)-[0-9a-f]{6}", branch) for branch in found)
    assert scene.again(split_by=SplitBy.CODEOWNERS)[1] == []


def test_no_more_than_wanted(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    brought = scene.bring(split_by=SplitBy.APPLICATION, max_open=2)
    assert len(heads(scene)) == 2
    assert any("waits until fewer" in note for note in brought.notes)
    scene.repository.pulls[1].merge()
    scene.again(split_by=SplitBy.APPLICATION, max_open=2)
    assert len(heads(scene)) == 2


def test_parts_that_are_none_any_more_are_closed(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    scene.bring(split_by=SplitBy.LEVEL)
    scene.again()
    assert sorted(heads(scene)) == ["hardhull"]
    scene.again(split_by=SplitBy.APPLICATION)
    assert len(heads(scene)) == 3


def test_another_configuration_in_the_same_repository_is_left_alone(scene: Scene) -> None:
    scene.bring(branch="hardhull-two")
    scene.bring()

    assert sorted(heads(scene)) == ["hardhull", "hardhull-two"]
    assert scene.again()[1] == []


def test_a_refused_part_stays_refused(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    scene.bring(split_by=SplitBy.APPLICATION)
    scene.repository.pulls[2].close()
    writes = scene.again(split_by=SplitBy.APPLICATION)[1]

    assert all("POST pulls" not in line for line in writes)
    assert len(heads(scene)) == 2


# ---------------------------------------------------------------- where we work


def test_a_folder_of_the_repository(hub: StandIn, tmp_path: Path) -> None:
    scene = split(hub, tmp_path)
    scene.update()
    scene.root = scene.root / "apps" / "two"
    scene.bring_stale()

    assert heads(scene) == {"hardhull": {"apps/two/deploy/api.yaml"}}
    assert "`apps/two/deploy/api.yaml:" in scene.pull.body


def test_a_file_that_is_not_what_is_committed_is_left(scene: Scene) -> None:
    scene.select = (ESCALATION, USER)
    scene.update()
    (scene.root / YAML).write_text(f"# mine\n{MANIFEST}", encoding="utf-8")
    brought = scene.bring_stale()

    assert heads(scene) == {"hardhull": {"src/Api/Dockerfile"}}
    assert f"{YAML}: left as it is, on disk it is not what is committed" in brought.notes[0]


def test_a_file_under_github_is_left(hub: StandIn, tmp_path: Path) -> None:
    scene = Scene.make(hub, tmp_path, {**FILES, ".github/deploy/api.yaml": MANIFEST})
    scene.settings = "applications: all\n"
    scene.bring()

    assert heads(scene) == {"hardhull": {YAML}}


# ---------------------------------------------------------------- hostile text


def test_hostile_names_stay_text(hub: StandIn, tmp_path: Path) -> None:
    folder = "a##[add-mask]x|`@ann` #1 [skip ci] <!-- hardhull:end -->"
    files = {f"{folder}/{path}": text for path, text in FILES.items()}
    scene = Scene.make(hub, tmp_path, files)
    scene.hub.token(SECRET)
    brought = scene.bring(token=SECRET)
    body, head = scene.pull.body, scene.repository.head("hardhull") or ""
    message = scene.repository.it.store.commit_object(head).message

    assert brought.operation is Operation.CREATED
    assert block_in(body) is not None
    assert body.count("<!-- hardhull:end -->") == 1
    assert "##[add-mask]" not in body + message
    assert "[skip ci]" not in message
    assert not re.search(r"(?<!\w)@ann", message)
    assert scene.again(token=SECRET)[1] == []


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.BAD_GATEWAY, Fault.CONFLICT])
@pytest.mark.parametrize("mode", list(CommitMode))
def test_the_token_is_in_no_error(scene: Scene, fault: Fault, mode: CommitMode) -> None:
    scene.hub.token(SECRET)
    for pattern in ("query", "POST .*blobs", "push", "updateRefs", "POST .*/pulls$"):
        scene.hub.faults.on(pattern, fault, times=9)
        brought = scene.bring(token=SECRET, commit_mode=mode)
        scene.hub.forget()
        assert SECRET not in f"{brought}"
        assert "\n" not in brought.blocked_reason


def test_a_state_that_someone_forged_is_not_believed(scene: Scene) -> None:
    scene.repository.person_commits("hardhull", {"mine": "1\n"}, new=True)
    scene.hub.token("other", actor="hardhull[bot]")
    scene.bring(token="other", branch="elsewhere")  # noqa: S106  a test's
    forged = scene.pull.body
    scene.repository.person_opens("hardhull", body=forged)
    brought = scene.bring()

    assert brought.operation is Operation.BLOCKED
    assert "another account" in brought.blocked_reason


# ---------------------------------------------------------------- wrong use


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"repository": "acme"}, "owner/name"),
        ({"repository": "acme/shop/x"}, "owner/name"),
        ({"branch": "a..b"}, "not a name"),
        ({"branch": "-x"}, "not a name"),
        ({"base": "main", "branch": "main"}, "base itself"),
        ({"max_open": 0}, "from 1"),
    ],
)
def test_choices_that_can_not_be(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PullRequestOptions(**{"repository": "acme/shop", **given})


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "no token"),
        ({"GITHUB_TOKEN": " "}, "no token"),
        ({"GITHUB_TOKEN": "a\nb"}, "characters"),
        ({"GITHUB_TOKEN": "t", "GITHUB_API_URL": "ftp://x"}, "GITHUB_API_URL"),
    ],
)
def test_an_environment_that_can_not_be(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        GitHub.of_environment(environment)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"repository": "acme/none"}, "does not show"),
        ({"base": "none"}, "branch none is not there"),
        ({"github": None}, ""),
    ],
)
def test_what_is_not_there(scene: Scene, given: dict[str, Any], said: str) -> None:
    brought = scene.bring(**given)

    assert said in brought.blocked_reason
    assert brought.refused is bool(said)


def test_a_token_that_is_not_valid(scene: Scene) -> None:
    github = scene.github("ghs_gone")
    scene.hub.world.tokens.clear()
    brought = scene.bring(github=github)

    assert brought.refused
    assert "not valid" in brought.blocked_reason


def test_what_is_remembered_fits(scene: Scene) -> None:
    scene.bring()
    block = block_in(scene.pull.body)
    assert block is not None
    assert len(scene.pull.body) < 4000
    assert json.dumps(sorted(block.state.heads)) == json.dumps([scene.repository.head("hardhull")])
    assert FIXED != DOCKERFILE


def test_a_new_file_is_added(scene: Scene) -> None:
    scene.select = ("no-update-automation",)
    brought = scene.bring()
    new = set(scene.repository.files("hardhull")) - set(scene.repository.files())

    assert (brought.operation, brought.blocked_reason) == (Operation.CREATED, "")
    assert new == {".github/dependabot.yml"}
    assert scene.repository.modes("hardhull")[".github/dependabot.yml"] == "100644"
    assert scene.again()[1] == []
