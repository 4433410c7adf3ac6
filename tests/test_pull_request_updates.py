"""Open pull requests of update tools: what they bring is left to them, and said; at no cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bringing import Scene
from hardhull.facts.gather import Recorded
from hardhull.project.updaters import OpenUpdate
from hardhull.pull_request.options import Operation
from hardhull.settings import Settings
from hardhull.survey import survey
from support import write

if TYPE_CHECKING:
    from pathlib import Path

    from standin import PullHandle, StandIn

OLD, NEW = "sha256:" + "0a" * 32, "sha256:" + "0b" * 32
FILES = {
    "a/Dockerfile": f"FROM redis:7@{OLD}\n",
    "b/Dockerfile": f"FROM redis:7@{OLD}\nCOPY --from=nginx:1@{OLD} / /\n",
}
NAMES = ("docker.io/library/redis:7", "docker.io/library/nginx:1")
RENOVATE = {"by": "renovate[bot]", "title": "Update redis Docker digest to 0b0b0b0"}


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path) -> Scene:
    one = Scene.make(hub, tmp_path, FILES)
    one.select = ("stale-digest",)
    one.recorded = {name: Recorded(NEW, recorded="2020-01-01T00:00:00+00:00") for name in NAMES}
    return one


def opened(scene: Scene, branch: str, path: str, *, by: str, title: str) -> PullHandle:
    text = FILES[path].replace(OLD, NEW, 1)
    scene.repository.person_commits(branch, {path: text}, by=by, new=True)
    return scene.repository.person_opens(branch, by=by, title=title)


def changed(scene: Scene) -> dict[str, list[bool]]:
    """Of each pin of our branch, whether it is refreshed."""
    files = scene.repository.files("hardhull")
    return {path: [NEW in one for one in files[path].decode().splitlines()] for path in FILES}


def test_what_renovate_has_opened_is_left_to_it(scene: Scene) -> None:
    opened(scene, "renovate/redis-7", "a/Dockerfile", **RENOVATE)
    number = max(scene.repository.pulls)
    brought = scene.bring()

    assert brought.operation is Operation.CREATED
    assert changed(scene) == {"a/Dockerfile": [False], "b/Dockerfile": [True, True]}
    said = f"Pins are left to: Renovate's pull request {number} \\[a/Dockerfile\\]"
    assert said in scene.pull.body
    assert brought.requests <= 6 + 1 + 2
    again, written = scene.again()
    assert (again.operation, written) == (Operation.NONE, [])
    assert again.requests <= 5


def test_what_is_closed_is_ours_again(scene: Scene) -> None:
    theirs = opened(scene, "renovate/redis-7", "a/Dockerfile", **RENOVATE)
    scene.bring()
    theirs.close(by="renovate[bot]")
    brought = scene.bring()

    assert brought.operation is Operation.UPDATED
    assert changed(scene) == {"a/Dockerfile": [True], "b/Dockerfile": [True, True]}
    assert "left to" not in scene.pull.body


def test_what_we_had_begun_is_left_to_it_too(scene: Scene) -> None:
    scene.bring()
    assert changed(scene)["a/Dockerfile"] == [True]
    opened(scene, "renovate/redis-7", "a/Dockerfile", **RENOVATE)
    brought = scene.bring()

    assert brought.operation is Operation.UPDATED
    assert changed(scene) == {"a/Dockerfile": [False], "b/Dockerfile": [True, True]}


def test_nothing_else_to_do_costs_what_it_did(scene: Scene) -> None:
    for path in FILES:
        title = "Bump the docker group across 1 directory with 2 updates"
        opened(scene, f"dependabot/docker/{path[0]}/x", path, by="dependabot[bot]", title=title)
    brought = scene.bring()

    assert (brought.operation, brought.writes) == (Operation.NONE, 0)
    assert brought.requests <= 3


@pytest.mark.parametrize(
    ("branch", "given"),
    [
        ("renovate/redis-7", {"by": "ann", "title": RENOVATE["title"]}),
        ("feature/redis", RENOVATE),
        ("renovate/redis-7", {"by": "renovate[bot]", "title": "Update nginx Docker digest to 0b"}),
    ],
    ids=["a person's", "another branch", "another image"],
)
def test_what_is_no_update_of_that_image(scene: Scene, branch: str, given: dict[str, Any]) -> None:
    branch = branch if "nginx" not in given["title"] else "renovate/nginx-1"
    opened(scene, branch, "a/Dockerfile", **given)
    scene.bring()

    assert changed(scene)["a/Dockerfile"] == [True]


def test_a_folder_of_the_repository(hub: StandIn, tmp_path: Path) -> None:
    scene = Scene.make(hub, tmp_path, FILES)
    scene.select = ("stale-digest",)
    scene.recorded = {name: Recorded(NEW, recorded="2020-01-01T00:00:00+00:00") for name in NAMES}
    opened(scene, "renovate/redis-7", "a/Dockerfile", **RENOVATE)
    scene.root /= "a"

    assert scene.bring().operation is Operation.NONE


@pytest.mark.parametrize(
    ("title", "branch", "found"),
    [
        ("Update redis Docker digest to abc", "renovate/redis-7", {"redis", "team/redis"}),
        ("chore(deps): update docker.io/redis docker tag to v8", "renovate/x",
         {"redis", "team/redis"}),
        ("Bump dotnet/aspnet from 8.0 to 9.0 in /b", "dependabot/docker/b/dotnet/aspnet-9.0",
         {"mcr.microsoft.com/dotnet/aspnet"}),
        ("Bump the docker group with 2 updates", "dependabot/docker/docker-1",
         {"redis", "team/redis", "mcr.microsoft.com/dotnet/aspnet"}),
        ("Update dependency x from 1 to 2", "renovate/x", set()),
    ],
)  # fmt: skip
def test_which_image_a_title_means(
    tmp_path: Path, title: str, branch: str, found: set[str]
) -> None:
    images = ("redis", "team/redis", "mcr.microsoft.com/dotnet/aspnet")
    write(tmp_path, {"Dockerfile": "".join(f"FROM {name}:1\n" for name in images)})
    uses = survey(tmp_path, Settings()).project.references
    update = OpenUpdate("Renovate", 7, title, branch, frozenset({"Dockerfile"}))

    assert {use.text.partition(":")[0] for use in uses if update.covers(use)} == found
    assert not any(replace(update, paths=frozenset({"x"})).covers(use) for use in uses)
    unknown = replace(update, paths=None)
    assert {use.text.partition(":")[0] for use in uses if unknown.covers(use)} == found
