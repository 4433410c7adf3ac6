"""Event files are GitHub's examples, and about the test's own repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from standin import events

if TYPE_CHECKING:
    from pathlib import Path

    from standin import RepositoryHandle, StandIn


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    return hub.repository("acme/shop", {"Dockerfile": "FROM a\n"})


def test_pushes_and_runs_by_hand_or_clock(shop: RepositoryHandle, tmp_path: Path) -> None:
    before = shop.head() or ""
    after = shop.person_commits("main", {"a": "a"})
    pushed = events.push(shop, before=before)
    assert (pushed["ref"], pushed["before"], pushed["after"]) == ("refs/heads/main", before, after)
    assert pushed["repository"]["full_name"] == "acme/shop"
    started = events.workflow_dispatch(shop, inputs={"mode": "fix"})
    assert (started["inputs"], started["ref"]) == ({"mode": "fix"}, "refs/heads/main")
    assert events.schedule(shop)["schedule"] == "17 4 * * 1"
    place = events.write(tmp_path / "event.json", pushed)
    assert json.loads(place.read_bytes()) == pushed


@pytest.mark.parametrize("action", ["opened", "synchronize", "closed"])
@pytest.mark.parametrize("forked", [False, True])
def test_pull_requests_from_here_and_from_forks(
    hub: StandIn, shop: RepositoryHandle, action: str, forked: bool
) -> None:
    source = hub.fork(shop, "cem") if forked else shop
    head = source.person_commits("fix", {"a": "a"}, by="cem", new=True)
    pull = shop.person_opens("fix", by="cem", source=source)
    if action == "closed":
        pull.close()
    event = events.pull_request(pull, action)
    shown = event["pull_request"]
    assert (event["action"], event["number"], shown["head"]["sha"]) == (action, 1, head)
    assert shown["base"]["repo"]["full_name"] == event["repository"]["full_name"] == "acme/shop"
    assert shown["head"]["repo"]["fork"] is forked
    assert shown["state"] == ("closed" if action == "closed" else "open")
