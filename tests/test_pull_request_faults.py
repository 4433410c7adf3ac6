"""What goes wrong on the way, at every request: a second run finds or makes the right end.

Nothing is there twice, and no commit of a person is lost.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from bringing import ESCALATION, SECCOMP, Scene
from hardhull.pull_request.options import Operation
from standin import Fault
from standin.history import ancestors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from standin import StandIn

YAML = "deploy/api.yaml"
LABELS = ("security",)


def create(hub: StandIn, folder: Path, name: str) -> Scene:
    """About to open a pull request: seven requests."""
    return Scene.make(hub, folder, name=name)


def update(hub: StandIn, folder: Path, name: str) -> Scene:
    """About to rewrite one: six requests."""
    scene = Scene.make(hub, folder, name=name)
    scene.select = (SECCOMP,)
    scene.bring(labels=LABELS)
    scene.select = (ESCALATION,)
    return scene


FLOWS = [pytest.param(create, 7, id="create"), pytest.param(update, 6, id="update")]
flows = pytest.mark.parametrize(("flow", "count"), FLOWS)
FAULTS = [fault for fault in Fault if not fault.name.startswith("GRAPHQL")]
GRAPHQL_FAULTS = [fault for fault in Fault if fault.name.startswith("GRAPHQL")]


def is_right(scene: Scene) -> None:
    """One pull request, with exactly what it should have; and a further run writes nothing."""
    pulls = scene.repository.pulls
    assert [pull.state for pull in pulls.values()] == ["open"]
    assert pulls[1].labels == list(LABELS)
    assert scene.repository.branches() == ["hardhull", "main"]
    assert scene.repository.head("hardhull") == pulls[1].head
    text = scene.repository.files("hardhull")[YAML].decode()
    assert ("allowPrivilegeEscalation" in text, "seccompProfile" in text) == (True, False)
    assert len(scene.repository.log("hardhull")) == 1
    assert pulls[1].body.count("allowPrivilegeEscalation") == 1
    brought, writes = scene.again(labels=LABELS)
    assert (brought.operation, writes) == (Operation.NONE, [])


@flows
def test_the_flows_are_as_long_as_they_say(
    hub: StandIn, tmp_path: Path, flow: Callable[..., Scene], count: int
) -> None:
    scene = flow(hub, tmp_path, "shop")
    hub.forget()
    scene.bring(labels=LABELS)

    assert len(hub.requests) == count
    is_right(scene)


@flows
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_at_every_request(
    hub: StandIn, tmp_path: Path, flow: Callable[..., Scene], count: int, fault: Fault
) -> None:
    for index in range(count):
        scene = flow(hub, tmp_path, f"shop{index}")
        hub.forget()
        hub.faults.at(index, fault)
        first = scene.bring(labels=LABELS)
        assert "\n" not in first.blocked_reason
        hub.forget()
        second = scene.bring(labels=LABELS)
        assert not second.refused
        is_right(scene)


@flows
@pytest.mark.parametrize("fault", GRAPHQL_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_of_graphql(
    hub: StandIn, tmp_path: Path, flow: Callable[..., Scene], count: int, fault: Fault
) -> None:
    for pattern in ("query", "updateRefs"):
        scene = flow(hub, tmp_path, pattern.lower())
        hub.forget()
        hub.faults.on(pattern, fault)
        scene.bring(labels=LABELS)
        hub.forget()
        second = scene.bring(labels=LABELS)
        assert count
        assert not second.refused
        is_right(scene)


class Killed(BaseException):
    """As a runner that is switched off."""


@flows
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_request(
    hub: StandIn, tmp_path: Path, flow: Callable[..., Scene], count: int, *, after: bool
) -> None:
    for index in range(count):
        scene = flow(hub, tmp_path, f"shop{index}")
        github = scene.github()
        send = github._request

        def request(*given: Any, index: int = index, send: Any = send, github: Any = github) -> Any:
            if github.requests == index and not after:
                raise Killed
            answer = send(*given)
            if github.requests == index + 1 and after:
                raise Killed
            return answer

        github._request = request  # type: ignore[method-assign, assignment]
        with pytest.raises(Killed):
            scene.bring(labels=LABELS, github=github)
        second = scene.bring(labels=LABELS)
        assert not second.refused
        is_right(scene)


@flows
def test_two_runs_at_once(
    hub: StandIn, tmp_path: Path, flow: Callable[..., Scene], count: int
) -> None:
    for index in range(count):
        scene = flow(hub, tmp_path, f"shop{index}")
        hub.forget()
        hub.faults.before(index, partial(scene.bring_stale, labels=LABELS))
        first = scene.bring(labels=LABELS)
        assert not first.refused
        hub.forget()
        scene.bring(labels=LABELS)
        is_right(scene)


def test_a_person_commits_at_every_request(hub: StandIn, tmp_path: Path) -> None:
    for index in range(6):
        scene = update(hub, tmp_path, f"shop{index}")
        hub.forget()
        made: list[str] = []

        def commit(scene: Scene = scene, made: list[str] = made) -> None:
            made.append(scene.repository.person_commits("hardhull", {"mine": "1\n"}))

        hub.faults.before(index, commit)
        scene.bring(labels=LABELS)
        for _ in range(2):
            hub.forget()
            scene.bring(labels=LABELS)

        head = scene.repository.head("hardhull") or ""
        assert made[0] in ancestors(scene.repository.it.store, head), index
        assert scene.again(labels=LABELS)[1] == []
