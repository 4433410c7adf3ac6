"""The life of the pull request on the stand-in GitHub: what is written, to the last request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bringing import Scene
from hardhull.pull_request.options import Operation

if TYPE_CHECKING:
    from pathlib import Path

    from standin import StandIn


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path) -> Scene:
    return Scene.make(hub, tmp_path)


def test_first(scene: Scene) -> None:
    t = time.time()
    brought = scene.bring()
    print(time.time() - t)
    print("\n".join(scene.hub.writes))
    assert brought.operation is Operation.CREATED
    for _ in range(3):
        t = time.time()
        second, writes = scene.again()
        print(time.time() - t)
    assert writes == []
    print(scene.repository.files("hardhull")["deploy/api.yaml"].decode())
    assert second.operation is Operation.NONE
    t = time.time()
    scene.produce(frozenset())
    print("p", time.time() - t)
