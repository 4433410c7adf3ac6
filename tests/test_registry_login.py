"""How the registry client is let in: challenges, tokens, and where logins are kept."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_registry import (
    FakeRegistry,
    Reply,
    Seen,
    image,
)
from hardhull.facts.credentials import Keyring
from hardhull.facts.login import read_challenge
from registry_client import Client, docker_config, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


# ---------------------------------------------------------------- logins


def test_a_password(start: Callable[..., FakeRegistry], tmp_path: Path) -> None:
    registry = start(user="ann")
    made = registry.push("team/app", "1", image())
    for tag in "23":
        registry.push("team/app", tag, image())
    environment = docker_config(
        tmp_path, {"auths": {registry.host: {"auth": encoded("ann", registry.password)}}}
    )
    client = Client(registry, environment=environment)

    assert client.look_up(f"{registry.host}/team/app:1").digest == made.digest
    client.look_up(f"{registry.host}/team/app:2")
    client.look_up(f"{registry.host}/team/app:3")
    assert registry.count("HEAD") == 4  # the first was refused once, for all


@pytest.mark.parametrize("access", ["token", "access_token"])
def test_anonymous_tokens(start: Callable[..., FakeRegistry], access: str) -> None:
    registry = start(tokens=True, access=access)
    for name in ("team/app", "team/web"):
        registry.push(name, "1", image())
    client = Client(registry)
    for name in ("team/app", "team/web", "team/app"):
        client.look_up(f"{registry.host}/{name}:1")

    assert registry.count("GET", "/token") == 2
    assert registry.count("HEAD") == 4
    asked = [one.query for one in registry.seen if one.path == "/token"]
    assert [one["scope"] for one in asked] == [
        ["repository:team/app:pull"],
        ["repository:team/web:pull"],
    ]
    assert asked[0]["service"] == ['a, "b"']


def test_a_scope_of_its_own_is_sent_back_to_the_letter(
    start: Callable[..., FakeRegistry],
) -> None:
    registry = start(tokens=True, scope="aws")
    for name in ("team/app", "team/web"):
        registry.push(name, "1", image())
    client = Client(registry)
    client.look_up(f"{registry.host}/team/app:1")
    client.look_up(f"{registry.host}/team/web:1")

    assert registry.count("GET", "/token") == 1
    assert registry.count("HEAD") == 3


def test_tokens_for_a_login(start: Callable[..., FakeRegistry]) -> None:
    registry = start(tokens=True, user="ann")
    registry.push("team/app", "1", image())
    auths = {"auths": {registry.host: {"username": "ann", "password": registry.password}}}

    Client(registry, environment={"DOCKER_AUTH_CONFIG": json.dumps(auths)}).look_up(
        f"{registry.host}/team/app:1"
    )
    error = Client(registry).failure(f"{registry.host}/team/app:1")

    assert error.reason == f"{registry.host} wants a login for team/app"
    assert f"`docker login {registry.host}`" in error.advice


def test_an_identity_token_is_exchanged(start: Callable[..., FakeRegistry]) -> None:
    registry = start(tokens=True, user="nobody")
    registry.push("team/app", "1", image())
    auths = {"auths": {f"http://{registry.host}/v2/": {"identitytoken": registry.password}}}
    environment = {"DOCKER_AUTH_CONFIG": json.dumps(auths)}

    Client(registry, environment=environment).look_up(f"{registry.host}/team/app:1")

    assert registry.count("POST", "/token") == 1
    assert registry.count("GET", "/token") == 0


def test_a_login_that_is_too_old_does_not_hide_what_is_public(
    start: Callable[..., FakeRegistry],
) -> None:
    registry = start(tokens=True)
    registry.push("team/app", "1", image())
    registry.script = lambda seen: (
        Reply(401) if seen.path == "/token" and seen.authorization else None
    )
    auths = {"auths": {registry.host: {"auth": encoded("ann", "old")}}}
    environment = {"DOCKER_AUTH_CONFIG": json.dumps(auths)}

    assert Client(registry, environment=environment).look_up(f"{registry.host}/team/app:1").digest


def test_a_token_that_was_taken_back_is_asked_for_again(
    start: Callable[..., FakeRegistry],
) -> None:
    registry = start(tokens=True)
    registry.push("team/app", "1", image())
    client = Client(registry)
    client.look_up(f"{registry.host}/team/app:1")
    refused: list[Seen] = []

    def once(seen: Seen) -> Reply | None:
        if refused or seen.path == "/token":
            return None
        refused.append(seen)
        said = f'Bearer realm="{registry.url}/token",scope="repository:team/app:pull"'
        return Reply(401, {"WWW-Authenticate": said})

    registry.script = once
    client.look_up(f"{registry.host}/team/app:1")

    assert registry.count("GET", "/token") == 2


def test_a_wrong_password_is_not_tried_twice(
    start: Callable[..., FakeRegistry], tmp_path: Path
) -> None:
    registry = start(user="ann")
    auths = {"auths": {registry.host: {"auth": encoded("ann", "WRONG-SECRET")}}}
    environment = docker_config(tmp_path, auths)

    error = Client(registry, environment=environment).failure(f"{registry.host}/team/app:1")

    assert error.reason == f"{registry.host} refuses the login for team/app"
    assert registry.count("HEAD") == 2
    assert "SECRET" not in error.reason + error.advice + repr(error)


@pytest.mark.parametrize("said", ["", "Negotiate", 'Bearer realm=""', "Bearer", "=,=,", ", ,"])
def test_a_challenge_that_can_not_be_met(registry: FakeRegistry, said: str) -> None:
    registry.script = lambda _: Reply(401, {"WWW-Authenticate": said})

    assert "wants a login" in Client(registry).failure(f"{registry.host}/team/app:1").reason


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 5}', b'{"token": "a\\r\\nX: y"}'])
def test_a_token_that_can_not_be_read(start: Callable[..., FakeRegistry], body: bytes) -> None:
    registry = start(tokens=True)
    registry.script = lambda seen: Reply(body=body) if seen.path == "/token" else None

    assert "no token that can be read" in Client(registry).failure(f"{registry.host}/a/b:1").reason


def test_bearer_comes_before_basic() -> None:
    found = read_challenge('Basic realm="a", Bearer realm="https://b/t",SERVICE=c, scope="d"', "x")

    assert found is not None
    assert (found.scheme, found.realm, found.service, found.scope) == (
        "bearer",
        "https://b/t",
        "c",
        "d",
    )


@given(st.text(max_size=200))
def test_any_challenge_is_read_or_not(header: str) -> None:
    read_challenge(header, "x")
    read_challenge(f"Bearer {header}", "x")


# ---------------------------------------------------------------- where logins are kept


def test_the_order_of_sources(tmp_path: Path) -> None:
    def auths(user: str) -> dict[str, Any]:
        return {"auths": {"registry.example": {"auth": encoded(user, "x")}}}

    home = tmp_path / "home"
    docker_config(home / ".docker", auths("home"))
    podman = home / ".config" / "containers"
    podman.mkdir(parents=True)
    (podman / "auth.json").write_text(json.dumps(auths("podman")))
    own = docker_config(tmp_path / "own", auths("own"))
    run = tmp_path / "run" / "containers"
    run.mkdir(parents=True)
    (run / "auth.json").write_text(json.dumps(auths("run")))
    named = tmp_path / "named.json"
    named.write_text(json.dumps(auths("named")))
    everything = {
        "DOCKER_AUTH_CONFIG": json.dumps(auths("variable")),
        **own,
        "HOME": str(home),
        "REGISTRY_AUTH_FILE": str(named),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
    }

    def user(environment: Mapping[str, str]) -> str | None:
        found = Keyring(environment).find("registry.example", "a/b")
        return found.username if found is not None else None

    def without(*names: str) -> dict[str, str]:
        return {name: value for name, value in everything.items() if name not in names}

    assert user(everything) == "variable"
    assert user(without("DOCKER_AUTH_CONFIG")) == "own"
    assert user(without("DOCKER_AUTH_CONFIG", "DOCKER_CONFIG")) == "home"
    (home / ".docker" / "config.json").unlink()
    assert user(without("DOCKER_AUTH_CONFIG", "DOCKER_CONFIG")) == "named"
    assert user(without("DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE")) == "run"
    assert user({"HOME": str(home)}) == "podman"
    assert user({}) is None


@pytest.mark.parametrize(
    ("key", "host", "repository", "found"),
    [
        ("https://index.docker.io/v1/", "docker.io", "library/redis", True),
        ("docker.io", "docker.io", "library/redis", True),
        ("registry.example/team", "registry.example", "team/app", True),
        ("registry.example/team", "registry.example", "teams/app", False),
        ("registry.example/team/app", "registry.example", "team/app", True),
        ("https://registry.example/v2/", "registry.example", "a", True),
        ("Registry.Example", "registry.example", "a", True),
        ("registry.example:5000", "registry.example", "a", False),
        ("evil.registry.example", "registry.example", "a", False),
    ],
)
def test_which_entry_is_meant(key: str, host: str, repository: str, *, found: bool) -> None:
    text = json.dumps({"auths": {key: {"auth": encoded("ann", "x")}}})

    assert (Keyring({"DOCKER_AUTH_CONFIG": text}).find(host, repository) is not None) is found


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"auths": []}', '{"auths": {"r.example": {"auth": "%%"}}}',
     '{"auths": {"r.example": {}}}', '{"auths": {"r.example": 5}, "credHelpers": 5}'],
)  # fmt: skip
def test_a_configuration_that_says_nothing(text: str) -> None:
    keyring = Keyring({"DOCKER_AUTH_CONFIG": text})

    assert keyring.find("r.example", "a") is None
    assert all("SECRET" not in note for note in keyring.notes)


def test_the_token_of_an_action_is_for_ghcr_alone() -> None:
    keyring = Keyring({"GITHUB_TOKEN": "ghs_SECRET", "GITHUB_ACTOR": "ann"})
    found = keyring.find("ghcr.io", "ann/app")

    assert found is not None
    assert (found.username, found.secret) == ("ann", "ghs_SECRET")
    assert "SECRET" not in repr(found)
    assert keyring.find("evil-ghcr.io", "ann/app") is None
    assert keyring.find("docker.io", "ann/app") is None


def helper(folder: Path, name: str, script: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="the helpers are shell scripts")


@needs_sh
def test_a_helper_is_asked_once(start: Callable[..., FakeRegistry], tmp_path: Path) -> None:
    registry = start(user="ann")
    registry.push("team/app", "1", image())
    answer = json.dumps({"Username": "ann", "Secret": registry.password})
    script = f"cat >> {tmp_path}/asked; echo >> {tmp_path}/asked; echo '{answer}'"
    environment = helper(tmp_path / "bin", "mine", script) | docker_config(
        tmp_path / "docker",
        {
            "credHelpers": {registry.host: "mine"},
            "credsStore": "other",
            "auths": {registry.host: {"auth": encoded("ann", "wrong")}},
        },
    )
    client = Client(registry, environment=environment)
    client.look_up(f"{registry.host}/team/app:1", config=True)

    assert (tmp_path / "asked").read_text() == f"{registry.host}\n"
    assert client.keyring.notes == ()


@needs_sh
def test_a_store_that_knows_nothing_leaves_it_to_the_file(tmp_path: Path) -> None:
    script = 'echo "credentials not found in native keychain"; exit 1'
    environment = helper(tmp_path / "bin", "store", script) | docker_config(
        tmp_path / "docker",
        {"credsStore": "store", "auths": {"r.example": {"auth": encoded("ann", "x")}}},
    )
    keyring = Keyring(environment)
    found = keyring.find("r.example", "a")

    assert found is not None
    assert found.username == "ann"
    assert keyring.notes == ()


@needs_sh
def test_a_store_knows_docker_hub_by_its_old_name(tmp_path: Path) -> None:
    script = f'cat > {tmp_path}/asked; echo \'{{"Username": "<token>", "Secret": "id"}}\''
    environment = helper(tmp_path / "bin", "store", script) | docker_config(
        tmp_path / "docker", {"credsStore": "store"}
    )
    found = Keyring(environment).find("docker.io", "library/redis")

    assert found is not None
    assert (found.identity_token, found.secret) == ("id", "")
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


@needs_sh
@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("echo TOP-SECRET; exit 3", "docker-credential-bad: failed for r.example (exit 3)"),
        ("echo TOP-SECRET", "docker-credential-bad: its answer about r.example can't be read"),
        ("sleep 60", "docker-credential-bad: does not answer about r.example"),
    ],
)
def test_a_helper_that_fails_is_noted_without_its_words(
    tmp_path: Path, script: str, note: str
) -> None:
    environment = helper(tmp_path / "bin", "bad", f"exec 2>/dev/null; {script}") | docker_config(
        tmp_path / "docker", {"credHelpers": {"r.example": "bad"}}
    )
    keyring = Keyring(environment, helper_seconds=0.2 if "sleep" in script else 10)

    assert keyring.find("r.example", "a") is None
    assert keyring.notes == (note,)


@pytest.mark.parametrize("name", ["../../evil", "missing-helper", "a b; rm"])
def test_a_helper_that_is_not_there(tmp_path: Path, name: str) -> None:
    environment = docker_config(tmp_path, {"credsStore": name})
    keyring = Keyring(environment)

    assert keyring.find("r.example", "a") is None
    assert "is not on the PATH" in keyring.notes[0]
