"""The registry client when something goes wrong on the way."""

from __future__ import annotations

import socket
import threading

import pytest

from fake_registry import (
    FakeRegistry,
    Reply,
    Seen,
    image,
    sha256,
)
from hardhull.facts import transport as transport_module
from hardhull.facts.hosts import Hosts
from hardhull.facts.lookups import Failure, Wanted, look_up_all
from hardhull.facts.registry import Image, Registries
from hardhull.facts.transport import Limits
from registry_client import QUICK, Client


def test_too_many_requests_are_waited_out(registry: FakeRegistry) -> None:
    registry.push("team/app", "1", image())
    replies = [Reply(429, {"Retry-After": "7"}), Reply(503), Reply(408)]
    registry.script = lambda _: replies.pop(0) if replies else None
    client = Client(registry)

    assert client.look_up(f"{registry.host}/team/app:1").digest
    assert client.pauses == [7.0, 1.0, 2.0]


def test_nobody_waits_for_an_hour(registry: FakeRegistry) -> None:
    registry.script = lambda _: Reply(429, {"Retry-After": "3600"})
    client = Client(registry)
    error = client.failure(f"{registry.host}/team/app:1")

    assert "status 429) and wants 3600 seconds of rest" in error.reason
    assert client.pauses == []
    assert registry.count("HEAD") == 1


def test_a_date_to_wait_for(registry: FakeRegistry) -> None:
    registry.push("team/app", "1", image())
    past = "Sun, 06 Nov 1994 08:49:37 GMT"
    replies = [Reply(429, {"Retry-After": value}) for value in (past, "?")]
    registry.script = lambda _: replies.pop(0) if replies else None
    client = Client(registry)
    client.look_up(f"{registry.host}/team/app:1")

    assert client.pauses == [0.5, 1.0]


def test_pauses_for_one_host_have_an_end(registry: FakeRegistry) -> None:
    registry.script = lambda _: Reply(429, {"Retry-After": "25"})
    client = Client(registry)
    for number in range(4):
        client.failure(f"{registry.host}/team/app:{number}")

    assert sum(client.pauses) <= QUICK.pauses_per_host
    assert len(client.pauses) == 4


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_keeps_failing(registry: FakeRegistry, status: int) -> None:
    registry.script = lambda _: Reply(status)
    error = Client(registry).failure(f"{registry.host}/team/app:1")

    assert error.reason == f"{registry.host} answers with status {status}"
    assert registry.count("HEAD") == QUICK.tries


def test_only_microsofts_registry_refuses_without_meaning_it(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.push("team/app", "1", image())
    replies = [Reply(403)]
    registry.script = lambda _: replies.pop(0) if replies else None
    error = Client(registry).failure(f"{registry.host}/team/app:1")
    assert "does not let" in error.reason

    replies[:] = [Reply(403), Reply(403)]
    monkeypatch.setattr(transport_module, "_MICROSOFT", "127.0.0.1")
    assert Client(registry).look_up(f"{registry.host}/team/app:1").digest


def test_a_body_that_breaks_off_is_fetched_again(registry: FakeRegistry) -> None:
    made = registry.push("team/app", "1", image())
    cuts = [Reply(200, body=made.body, cut=True)]
    registry.script = lambda seen: cuts.pop() if cuts and seen.method == "GET" else None

    assert Client(registry).look_up(f"{registry.host}/team/app:1", config=True).config
    assert not cuts


def test_a_body_without_end_is_not_read(registry: FakeRegistry) -> None:
    digest = sha256(b"")
    registry.script = lambda _: Reply(
        200, {"Docker-Content-Digest": digest}, b" " * (5 * 1024 * 1024)
    )
    error = Client(registry).failure(f"{registry.host}/team/app:1", config=True)

    assert "sends more than" in error.reason


def test_a_silent_registry_is_given_up_and_not_asked_again(registry: FakeRegistry) -> None:
    held = threading.Event()

    def silent(_: Seen) -> Reply | None:
        held.wait(30)
        return None

    registry.script = silent
    client = Client(registry, limits=Limits(connect=1, read=0.1, whole=1, tries=2))
    error = client.failure(f"{registry.host}/team/app:1")
    asked = len(registry.seen)
    again = client.failure(f"{registry.host}/team/other:1")
    held.set()

    assert error.reason == again.reason == f"{registry.host} does not answer in time"
    assert "--digests" in error.advice
    assert asked == len(registry.seen) == 2


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    error = Client(hosts=Hosts(plain_http=(host,))).failure(f"{host}/a/b:1")

    assert error.reason == f"{host} can't be reached"


def test_a_name_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = Client().failure("quay.io/a/b:1")

    assert error.reason == "quay.io is not known to the name service"


def test_one_failing_image_does_not_fail_the_others(registry: FakeRegistry) -> None:
    for number in range(20):
        registry.push("team/app", str(number), image())
    names = [f"{registry.host}/team/app:{number}" for number in range(20)]
    registry.script = lambda seen: Reply(404) if seen.path.endswith("/7") else None
    heard: list[str] = []
    found = look_up_all(
        Client(registry).registries,
        [
            *(Wanted(name, config=False) for name in reversed(names)),
            Wanted(names[0], config=True),
            Wanted("not/An/image", config=False),
            Wanted("unlisted.example/a:1", config=False),
        ],
        heard.append,
    )

    assert list(found) == sorted(found) == heard
    failed = {name for name, answer in found.items() if isinstance(answer, Failure)}
    assert failed == {names[7], "not/An/image", "unlisted.example/a:1"}
    assert registry.count("HEAD") == 20


def test_a_bug_of_ours_fails_one_image(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(registry)

    def broken(*_: object, **__: object) -> Image:
        raise KeyError("oops")

    monkeypatch.setattr(Registries, "look_up", broken)
    found = look_up_all(client.registries, [Wanted("quay.io/a:1", config=False)])
    failure = found["quay.io/a:1"]

    assert isinstance(failure, Failure)
    assert "KeyError" in failure.trace


def test_configs_are_not_asked_for_when_half_of_the_requests_are_gone(
    registry: FakeRegistry,
) -> None:
    names = []
    for number in range(10):
        registry.push(f"team/app{number}", "1", image({"User": str(number)}))
        names.append(f"{registry.host}/team/app{number}:1")
    left = [12]

    def counting(seen: Seen) -> Reply | None:
        if seen.method == "GET" and "/manifests/" in seen.path:
            left[0] -= 1
        registry.headers = {"RateLimit-Remaining": f"{left[0]};w=21600"}
        return None

    registry.script = counting
    client = Client(registry)
    found = [client.look_up(name, config=True) for name in names]

    assert left[0] >= 6
    assert 0 < sum(image.config is not None for image in found) < 10
    assert all(image.digest for image in found)
    assert client.registries.spared == (registry.host,)
