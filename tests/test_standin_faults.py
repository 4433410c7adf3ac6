"""Faults of the stand-in GitHub, and the contract it holds everyone to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from github import GithubException

from standin import Fault, StandIn, contract
from standin.client import ask, connect
from standin.node_ids import node_id, parse_node_id
from standin.routing import all_routes, find_route
from test_standin_graphql import update_refs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from github.Repository import Repository

    from standin import RepositoryHandle


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    made = hub.repository("acme/shop", {"Dockerfile": "FROM a\n"})
    made.person_commits("hardhull", {"Dockerfile": "FROM b\n"}, new=True)
    return made


@pytest.fixture
def api(hub: StandIn, shop: RepositoryHandle) -> Repository:
    return connect(hub).get_repo(shop.name)


def opens(api: Repository) -> Callable[[], Any]:
    return lambda: api.create_pull("main", "hardhull", title="T", body="B")


@pytest.mark.parametrize(("fault", "acted"), [(Fault.LOST_BEFORE, 0), (Fault.LOST_AFTER, 1)])
def test_a_connection_is_lost(
    hub: StandIn, shop: RepositoryHandle, api: Repository, fault: Fault, acted: int
) -> None:
    hub.faults.on("POST .*/pulls$", fault)
    with pytest.raises(requests.exceptions.ConnectionError):
        opens(api)()
    assert len(shop.pulls) == acted
    assert hub.writes == ["POST pulls → lost"]


@pytest.mark.parametrize(
    ("fault", "status", "acted"),
    [
        (Fault.BAD_GATEWAY, 502, 0),
        (Fault.BAD_GATEWAY_AFTER, 502, 1),
        (Fault.SECONDARY_LIMIT, 403, 0),
        (Fault.PRIMARY_LIMIT, 403, 0),
        (Fault.TOO_MANY, 429, 0),
        (Fault.TOO_MANY_BARE, 429, 0),
        (Fault.TOO_QUICKLY, 422, 0),
        (Fault.UNRESOLVED, 422, 0),
        (Fault.TREE_MISSING, 422, 0),
        (Fault.CONFLICT, 409, 0),
    ],
)
def test_an_answer_that_is_a_fault(
    hub: StandIn, shop: RepositoryHandle, api: Repository, fault: Fault, status: int, acted: int
) -> None:
    hub.faults.at(len(hub.requests), fault)
    with pytest.raises(GithubException) as caught:
        opens(api)()
    assert caught.value.status == status
    assert ("retry-after" in (caught.value.headers or {})) == (
        fault in {Fault.SECONDARY_LIMIT, Fault.TOO_MANY}
    )
    assert len(shop.pulls) == acted
    assert hub.writes == [f"POST pulls → {status}"]
    if not acted:
        assert opens(api)().number == 1


def test_graphql_data_may_be_partial_or_limited(hub: StandIn, shop: RepositoryHandle) -> None:
    query = (
        f'query {{ repository(owner: "acme", name: "{shop.it.name}") {{ id }} viewer {{ login }} }}'
    )
    client = connect(hub)
    hub.faults.on("graphql", Fault.GRAPHQL_PARTIAL)
    with pytest.raises(GithubException) as caught:
        ask(client, query)
    assert caught.value.data["data"] == {
        "repository": None, "viewer": {"login": "github-actions[bot]"},
    }  # fmt: skip
    hub.faults.on("graphql", Fault.GRAPHQL_LIMIT)
    with pytest.raises(GithubException) as caught:
        ask(client, query)
    assert caught.value.data["errors"][0]["type"] == "RATE_LIMITED"
    hub.faults.on("graphql", Fault.GRAPHQL_TIMEOUT)
    with pytest.raises(GithubException) as caught:
        ask(client, query)
    assert caught.value.status == 502
    assert ask(client, query)["viewer"]


def test_something_happens_just_before(hub: StandIn, shop: RepositoryHandle) -> None:
    head = shop.head("hardhull")
    hub.faults.before("updateRefs", lambda: shop.person_commits("hardhull", {"a": "a"}))
    update = {"name": "refs/heads/hardhull", "beforeOid": head, "afterOid": shop.head()}
    with pytest.raises(GithubException):
        update_refs(hub, {**update, "force": True})
    assert shop.log("hardhull")[-1] == "a person's change"


def test_writes_are_told_in_words(hub: StandIn, shop: RepositoryHandle, api: Repository) -> None:
    pull = opens(api)()
    pull.edit(body="C", state="closed")
    api.get_git_ref("heads/hardhull").edit(shop.head() or "", force=True)
    assert hub.writes == [
        "POST pulls",
        "PATCH pulls/1 body state=closed",
        "PATCH git/refs/heads/hardhull force",
    ]
    assert [str(one) for one in hub.requests][:2] == [
        "GET /repos/acme/shop",
        "POST /repos/acme/shop/pulls",
    ]
    hub.forget()
    assert hub.requests == []


def test_the_contract_is_held_against_requests(hub: StandIn, api: Repository) -> None:
    def send(method: str, path: str, body: Any) -> None:
        with pytest.raises(GithubException):
            api.requester.requestJsonAndCheck(method, f"{api.url}{path}", input=body)

    tree = [{"path": "a", "mode": "100600", "type": "blob", "content": "a"}]
    api.requester.requestJsonAndCheck("POST", f"{api.url}/git/trees", input={"tree": tree})
    send("POST", "/pulls", {"base": "main", "head": "none", "title": 1})
    assert requests.get(
        f"{api.url}/pulls?state=merged&nothing=1", headers={"Authorization": "token t"}, timeout=9
    ).ok
    send("GET", "/nowhere", None)
    text = "\n".join(hub.violations)
    hub.violations.clear()
    assert "POST /repos/acme/shop/git/trees: body.tree[0].mode: '100600' is not one of" in text
    assert "POST /repos/acme/shop/pulls: body.title: 1 is not of type 'string'" in text
    assert "GET /repos/acme/shop/pulls: state: 'merged' is not one of" in text
    assert "GET /repos/acme/shop/pulls: unknown query parameter nothing" in text
    assert "GET /repos/acme/shop/nowhere: the stand-in has no such route" in text


def test_the_contract_is_held_against_answers() -> None:
    route, _ = find_route("GET", "/repos/acme/shop/pulls/1") or (None, None)
    assert route is not None
    found = list(contract.answer_violations(route, 200, {"number": "1"}))
    assert "answer.number: '1' is not of type 'integer'" in found
    assert "answer: 'title' is a required property" in found
    assert list(contract.answer_violations(route, 201, {})) == [
        "an answer 201 that is not described"
    ]
    assert list(contract.answer_violations(route, 403, {"message": "no"})) == []


def test_a_test_that_breaks_the_contract_fails(tmp_path: Path) -> None:
    def run() -> None:
        with StandIn.start(tmp_path) as hub:
            hub.violations.append("GET /x: wrong")

    with pytest.raises(AssertionError, match="GET /x: wrong"):
        run()


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    described = {
        (method.upper(), path)
        for path, methods in contract.openapi()["paths"].items()
        for method in methods
    }
    assert {(one.method, one.path) for one in all_routes()} == described


def test_global_ids_are_read_back() -> None:
    assert parse_node_id(node_id("PR", 17)) == ("PR", "17")
    assert parse_node_id(node_id("REF", "3:refs/heads/ä_b")) == ("REF", "3:refs/heads/ä_b")
    assert parse_node_id("nonsense") is None
