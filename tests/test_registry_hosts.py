"""Which hosts and addresses the registry client goes to, and what it takes there."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from fake_registry import (
    FakeRegistry,
    Reply,
    image,
)
from hardhull.facts.hosts import ALLOWED, Hosts, Place, is_public
from hardhull.facts.trouble import RegistryError
from registry_client import Client, docker_config, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("mcr.microsoft.com", True),
        ("docker.io", True),
        ("eu.gcr.io", True),
        ("europe-docker.pkg.dev", True),
        ("shop.azurecr.io", True),
        ("azurecr.io", False),
        ("evilgcr.io", False),
        ("gcr.io.evil.example", False),
        ("mcr.microsoft.com:8443", False),
        ("mcr.microsoft.com:443", True),
        ("localhost", False),
        ("169.254.169.254", False),
        ("[::1]:5000", False),
        ("registry.example", False),
    ],
)
def test_which_registries_are_allowed(host: str, *, allowed: bool) -> None:
    if allowed:
        assert Hosts().endpoint(host).base.startswith("https://")
        return
    with pytest.raises(RegistryError) as caught:
        Hosts().endpoint(host)
    assert caught.value.reason == f"{host} is not among the allowed registries"
    line = f'registries: {{allow: ["{host}"]}}'
    assert caught.value.advice == f"add to .github/hardhull.yml: {line}"


def test_what_the_configuration_names_is_allowed() -> None:
    hosts = Hosts(
        ("registry.example:5000", "*.corp.example"),
        ("localhost:5000",),
        {"docker.io": "mirror.example/hub"},
    )

    assert hosts.endpoint("registry.example:5000").base == "https://registry.example:5000/v2/"
    assert hosts.endpoint("a.corp.example").base == "https://a.corp.example/v2/"
    assert hosts.endpoint("localhost:5000").base == "http://localhost:5000/v2/"
    mirror = hosts.endpoint("docker.io")
    assert (mirror.base, mirror.prefix, mirror.login) == (
        "https://mirror.example/v2/",
        "hub/",
        "mirror.example",
    )
    for refused in ("registry.example", "corp.example", "localhost"):
        with pytest.raises(RegistryError):
            hosts.endpoint(refused)
    assert not hosts.is_named(Place("a.corp.example", 443))


def test_the_list_holds_no_surprise() -> None:
    assert all(name == name.lower() and not name.startswith(".") for name in ALLOWED)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::6810:1", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  an address to refuse
        ("224.0.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:a9fe:a9fe", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("not an address", False),
    ],
)
def test_public_addresses(address: str, *, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "10.0.0.8"])
def test_a_name_at_an_inner_address_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asked: list[str] = []

    def resolved(host: str, port: int, **_: object) -> Sequence[object]:
        asked.append(host)
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    client = Client()
    error = client.failure("shop.azurecr.io/a/b:1")

    assert error.reason == f"shop.azurecr.io is at {address}, which is not a public address"
    assert 'registries: {allow: ["shop.azurecr.io"]}' in error.advice
    assert asked == ["shop.azurecr.io"]
    client.failure("shop.azurecr.io/a/c:1")
    assert asked == ["shop.azurecr.io"]


def test_the_realm_must_belong_to_the_registry(start: Callable[..., FakeRegistry]) -> None:
    other = start()
    registry = start(tokens=True, user="ann", realm="http://169.254.169.254/latest/meta-data")
    auths = {"auths": {registry.host: {"auth": encoded("ann", registry.password)}}}
    environment = {"DOCKER_AUTH_CONFIG": json.dumps(auths)}
    contacted: set[str] = set()

    def why() -> str:
        client = Client(registry, environment=environment)
        reason = client.failure(f"{registry.host}/a/b:1").reason
        contacted.update(client.transport.contacted)
        return reason

    assert "is not encrypted" in why()
    registry.realm = "https://tokens.evil.example/t"
    assert why() == (
        f"{registry.host} sends logins to tokens.evil.example, which is another's host"
    )
    registry.realm = "https://user:pass@quay.io/t"
    assert "only https addresses" in why()
    registry.realm = f"{other.url}/t"
    assert "is not encrypted" in why()
    assert other.seen == []
    assert contacted == {registry.host}


@pytest.mark.parametrize(
    ("registry", "realm", "fits"),
    [
        ("registry-1.docker.io", "https://auth.docker.io/token", True),
        ("registry.gitlab.example", "https://gitlab.example/jwt/auth", True),
        ("shop.azurecr.io", "https://shop.azurecr.io/oauth2/token", True),
        ("harbor.example", "https://auth.harbor.example/t", True),
        ("harbor.example", "https://evil-harbor.example/t", False),
        ("harbor.example", "https://example/t", False),
        ("harbor.example", "https://harbor.example:8443/t", False),
        ("harbor.example", "http://harbor.example/t", False),
        ("harbor.example", "file:///etc/passwd", False),
        ("harbor.example", "", False),
        ("harbor.example", "https://", False),
    ],
)
def test_realms(registry: str, realm: str, *, fits: bool) -> None:
    try:
        Hosts().check_realm(realm, Place(registry, 443))
    except RegistryError:
        assert not fits
    else:
        assert fits


def test_a_login_does_not_follow_a_redirect(
    start: Callable[..., FakeRegistry], tmp_path: Path
) -> None:
    storage = start()
    registry = start(user="ann", blobs_at=storage.url)
    made = image()
    registry.push("team/app", "1", made)
    storage.push("team/app", "1", made)
    environment = docker_config(
        tmp_path, {"auths": {registry.host: {"auth": encoded("ann", registry.password)}}}
    )
    client = Client(registry, storage, environment=environment)
    found = client.look_up(f"{registry.host}/team/app:1", config=True)

    assert found.config is not None
    assert [one.authorization for one in storage.seen] == [None]
    assert client.transport.contacted == tuple(sorted((registry.host, storage.host)))


def test_a_login_stays_on_a_redirect_within_the_host(start: Callable[..., FakeRegistry]) -> None:
    registry = start(user="ann")
    registry.push("team/app", "1", image())
    auths = {"auths": {registry.host: {"auth": encoded("ann", registry.password)}}}
    registry.script = lambda seen: (
        Reply(302, {"Location": "/v2/team/app/manifests/1"}) if "moved" in seen.path else None
    )
    environment = {"DOCKER_AUTH_CONFIG": json.dumps(auths)}

    assert Client(registry, environment=environment).look_up(f"{registry.host}/team/moved:1").digest
    assert all(one.authorization for one in registry.seen[2:])


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/meta-data", "http://169.254.169.254 is not encrypted"),
        ("https://127.0.0.1/x", "127.0.0.1 is at 127.0.0.1, which is not a public address"),
        ("https://127.0.0.1:1/x", "127.0.0.1:1 has a port of its own"),
        ("https://ann:x@quay.io/x", "only https addresses of a host are"),
        ("file:///etc/passwd", "only https addresses of a host are"),
        ("https://[::1/x", "it can't be read"),
    ],
)
def test_where_a_redirect_may_not_lead(registry: FakeRegistry, location: str, why: str) -> None:
    registry.script = lambda _: Reply(307, {"Location": location})
    error = Client(registry).failure(f"{registry.host}/team/app:1")

    assert why in error.reason
    assert len(registry.seen) == 1


def test_redirects_have_an_end(registry: FakeRegistry) -> None:
    registry.script = lambda seen: Reply(307, {"Location": seen.path})
    error = Client(registry).failure(f"{registry.host}/team/app:1")

    assert error.reason == f"{registry.host} redirects in circles"
    assert len(registry.seen) == 6


def test_a_mirror_is_asked_instead(registry: FakeRegistry) -> None:
    made = registry.push("hub/library/redis", "7.2", image())
    hosts = Hosts(plain_http=(registry.host,), mirrors={"docker.io": f"{registry.host}/hub"})
    environment = {
        "DOCKER_AUTH_CONFIG": json.dumps(
            {"auths": {"https://index.docker.io/v1/": {"auth": encoded("ann", "HUB-SECRET")}}}
        )
    }
    client = Client(hosts=hosts, environment=environment)

    assert client.look_up("redis:7.2").digest == made.digest
    registry.user = "someone"
    assert "wants a login" in Client(hosts=hosts, environment=environment).failure("redis:7").reason
    assert all(one.authorization is None for one in registry.seen)


def test_a_proxy_of_the_environment_is_used(start: Callable[..., FakeRegistry]) -> None:
    proxy = start()
    made = proxy.push("a/b", "1", image())
    proxy.script = lambda seen: (
        Reply(200, {"Docker-Content-Digest": made.digest})
        if seen.path == "/v2/a/b/manifests/1"
        else None
    )
    hosts = Hosts(plain_http=("registry.example",))
    environment = {"http_proxy": proxy.url, "no_proxy": "other.example"}

    found = Client(hosts=hosts, environment=environment).look_up("registry.example/a/b:1")

    assert found.digest == made.digest


def test_an_inner_address_is_not_asked_of_a_proxy(start: Callable[..., FakeRegistry]) -> None:
    proxy = start()
    registry = start()
    registry.script = lambda _: Reply(307, {"Location": "https://169.254.169.254/latest"})
    client = Client(registry, environment={"https_proxy": proxy.url})
    error = client.failure(f"{registry.host}/a/b:1")

    assert "which is not a public address" in error.reason
    assert proxy.seen == []
