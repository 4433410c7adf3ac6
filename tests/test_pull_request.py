"""The life of the pull request on the stand-in GitHub: what is written, to the last request."""

from __future__ import annotations

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
    brought = scene.bring()
    print(brought)
    print("\n".join(scene.hub.writes))
    print(scene.pull.title); print(scene.pull.body)
    print(scene.repository.log("hardhull"))
    assert brought.operation is Operation.CREATED
    second, writes = scene.again()
    assert writes == []
    assert second.operation is Operation.NONE
