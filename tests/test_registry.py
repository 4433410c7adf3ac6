"""The registry client against registries that answer well, badly and with malice."""

from __future__ import annotations

import base64
import json
import socket
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_registry import (
    ATTESTATION,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    FakeRegistry,
    Reply,
    Seen,
    body_of,
    image,
    index,
    platform,
    sha256,
)
from hardhull.facts import transport as transport_module
from hardhull.facts.cache import Cache, cache_folder
from hardhull.facts.credentials import Keyring
from hardhull.facts.hosts import ALLOWED, Hosts, Place, is_public
from hardhull.facts.login import read_challenge
from hardhull.facts.lookups import Failure, Wanted, look_up_all
from hardhull.facts.manifests import read_manifest
from hardhull.facts.registry import Image, Registries
from hardhull.facts.transport import Limits, Transport
from hardhull.facts.trouble import RegistryError
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

QUICK = Limits(connect=2, read=2, whole=5)


class Client:
    """A client whose pauses are noted instead of made."""

    def __init__(
        self,
        *registries: FakeRegistry,
        environment: Mapping[str, str] | None = None,
        limits: Limits = QUICK,
        cache: Cache | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        plain = tuple(one.host for one in registries)
        self.hosts = hosts or Hosts(plain_http=plain)
        self.pauses: list[float] = []
        self.transport = Transport(self.hosts, environment or {}, limits, self.pauses.append)
        self.keyring = Keyring(environment or {}, helper_seconds=5)
        self.registries = Registries(self.hosts, self.transport, self.keyring, cache)

    def look_up(self, name: str, *, config: bool = False) -> Image:
        reference = parse_reference(name)
        assert reference is not None
        return self.registries.look_up(reference, config=config)

    def failure(self, name: str, *, config: bool = False) -> RegistryError:
        with pytest.raises(RegistryError) as caught:
            self.look_up(name, config=config)
        return caught.value


@pytest.fixture
def start() -> Iterator[Callable[..., FakeRegistry]]:
    started: list[FakeRegistry] = []

    def one(**given: Any) -> FakeRegistry:
        started.append(FakeRegistry(**given).start())
        return started[-1]

    yield one
    for registry in started:
        registry.stop()


@pytest.fixture
def registry(start: Callable[..., FakeRegistry]) -> FakeRegistry:
    return start()


def docker_config(folder: Path, data: object) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")
    return {"DOCKER_CONFIG": str(folder)}


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


# ---------------------------------------------------------------- digests


def test_a_tag_costs_one_head(registry: FakeRegistry) -> None:
    made = registry.push("team/app", "1", image())
    client = Client(registry)

    assert client.look_up(f"{registry.host}/team/app:1") == Image(made.digest)
    assert [(one.method, one.path) for one in registry.seen] == [
        ("HEAD", "/v2/team/app/manifests/1")
    ]
    assert registry.seen[0].accept.count(",") == 3
    assert client.transport.contacted == (registry.host,)


def test_no_tag_means_latest(registry: FakeRegistry) -> None:
    made = registry.push("team/app", "latest", image())

    assert Client(registry).look_up(f"{registry.host}/team/app").digest == made.digest


@pytest.mark.parametrize("header", [None, "", "md5:1234", "sha256:short"])
def test_a_missing_digest_is_computed_from_the_body(
    registry: FakeRegistry, header: str | None
) -> None:
    made = registry.push("team/app", "1", image())
    registry.headers = {"Docker-Content-Digest": header} if header is not None else {}
    registry.hidden = frozenset({"Docker-Content-Digest"} if header is None else ())

    assert Client(registry).look_up(f"{registry.host}/team/app:1").digest == made.digest
    assert [one.method for one in registry.seen] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [400, 405, 501])
def test_a_registry_without_head_is_asked_with_get(registry: FakeRegistry, status: int) -> None:
    made = registry.push("team/app", "1", image())
    registry.script = lambda seen: Reply(status) if seen.method == "HEAD" else None

    assert Client(registry).look_up(f"{registry.host}/team/app:1").digest == made.digest


def test_the_first_format_of_docker_has_no_digest(registry: FakeRegistry) -> None:
    registry.script = lambda _: Reply(
        200, {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}
    )

    assert "first format" in Client(registry).failure(f"{registry.host}/team/app:1").reason


def test_a_tag_that_is_not_there(registry: FakeRegistry) -> None:
    error = Client(registry).failure(f"{registry.host}/team/app:2")

    assert error.reason == f"{registry.host} has no tag 2 of {registry.host}/team/app (status 404)"
    assert "docker login" in error.advice
    assert registry.count("HEAD") == 1


# ---------------------------------------------------------------- configs


def test_the_config_behind_an_index(registry: FakeRegistry) -> None:
    config: dict[str, Any] = {
        "User": "1654",
        "Env": ["A=b"],
        "ExposedPorts": {"8080/tcp": {}, "443/tcp": {}},
        "Entrypoint": ["dotnet"],
        "Cmd": None,
        "Labels": {"not": "kept"},
    }
    arm = image({"User": "other"}, architecture="arm64")
    amd = image(config)
    windows = [image(os="windows", version=v) for v in ("10.0.17763.1", "10.0.20348.2")]
    made = registry.push(
        "team/app",
        "1",
        index(
            (arm, platform("linux", "arm64")),
            (amd, platform("linux", "amd64")),
            *(
                (one, platform("windows", "amd64", version))
                for one, version in zip(windows, ("10.0.17763.1", "10.0.20348.2"), strict=True)
            ),
            (image({"User": "x"}), ATTESTATION),
        ),
    )

    found = Client(registry).look_up(f"{registry.host}/team/app:1", config=True)

    assert found.digest == made.digest
    assert found.config == {
        "User": "1654",
        "Env": ["A=b"],
        "ExposedPorts": {"443/tcp": {}, "8080/tcp": {}},
        "Entrypoint": ["dotnet"],
        "os": "linux",
        "created": "2026-11-10T01:02:03Z",
    }
    assert found.platforms == (
        "linux/arm64",
        "linux/amd64",
        "windows(10.0.17763.1)/amd64",
        "windows(10.0.20348.2)/amd64",
    )
    assert [one.method for one in registry.seen] == ["HEAD", "GET", "GET", "GET"]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("media", [DOCKER_LIST, "application/vnd.oci.image.index.v1+json"])
def test_an_index_need_not_say_what_it_is(
    registry: FakeRegistry, media: str, *, named: bool
) -> None:
    one = image(media=DOCKER_MANIFEST)
    made = index((one, platform("linux", "amd64")), media=media, named=named)
    registry.push("team/app", "1", made)

    found = Client(registry).look_up(f"{registry.host}/team/app:1", config=True)

    assert found.digest == made.digest
    assert found.config is not None
    assert found.config["User"] == "1654"


def test_a_single_manifest_has_the_platform_of_its_config(registry: FakeRegistry) -> None:
    registry.push("team/app", "1", image(os="windows", version="10.0.20348.2"))

    found = Client(registry).look_up(f"{registry.host}/team/app:1", config=True)

    assert found.platforms == ("windows(10.0.20348.2)/amd64",)
    assert registry.count("GET") == 2


def test_a_pinned_image_is_looked_up_by_its_digest(registry: FakeRegistry) -> None:
    old = registry.push("team/app", "1", image({"User": "old"}))
    registry.push("team/app", "1", image({"User": "new"}))

    found = Client(registry).look_up(f"{registry.host}/team/app:1@{old.digest}", config=True)

    assert found.digest == old.digest
    assert found.config is not None
    assert found.config["User"] == "old"
    assert registry.count("HEAD") == 0


@pytest.mark.parametrize("kind", ["/manifests/sha256:", "/blobs/"])
def test_a_body_that_its_digest_does_not_name_is_not_used(
    registry: FakeRegistry, kind: str, tmp_path: Path
) -> None:
    made = registry.push("team/app", "1", image())
    forged = made.body if kind == "/blobs/" else image({"User": "root"}).body
    registry.script = lambda seen: Reply(body=forged) if kind in seen.path else None
    client = Client(registry, cache=Cache(tmp_path))

    error = client.failure(f"{registry.host}/team/app:1", config=True)

    assert f"{registry.host} sends something else than sha256:" in error.reason
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"[" * 100_000,
        b'{"schemaVersion": 1}',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "manifests": [], "config": {}}',
        b'{"schemaVersion": 2, "config": {"digest": "../../x"}}',
        b'{"schemaVersion": 2, "mediaType": "text/plain", "manifests": []}',
    ],
)
def test_what_is_no_image_is_no_image(registry: FakeRegistry, body: bytes) -> None:
    digest = sha256(body)
    registry.script = lambda _: Reply(200, {"Docker-Content-Digest": digest}, body)

    error = Client(registry).failure(f"{registry.host}/team/app:1", config=True)

    assert "no image" in error.reason


def test_an_index_of_nothing_has_no_config(registry: FakeRegistry) -> None:
    registry.push("team/app", "1", index((image(), ATTESTATION)))

    error = Client(registry).failure(f"{registry.host}/team/app:1", config=True)

    assert error.reason == "its index holds no image"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["schemaVersion", "mediaType", "manifests", "config", "digest", "platform"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(data: object) -> None:
    for given_ in (data, {"schemaVersion": 2, "manifests": data}, {"manifests": [data]}):
        try:
            read_manifest(body_of(given_))
        except RegistryError:
            continue


# ---------------------------------------------------------------- the cache


def test_a_cached_config_is_not_fetched_again(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("team/app", "1", image())
    name = f"{registry.host}/team/app:1"
    first = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)
    second = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)

    assert first == second
    assert registry.count("GET", "/blobs/") == 1


def test_a_cached_config_that_was_changed_is_fetched(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.push("team/app", "1", image())
    name = f"{registry.host}/team/app:1"
    first = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)
    (entry,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    entry.write_bytes(entry.read_bytes().replace(b"1654", b"0000"))

    assert Client(registry, cache=Cache(tmp_path)).look_up(name, config=True) == first
    assert registry.count("GET", "/blobs/") == 2


def test_a_cache_that_can_not_be_written_is_no_trouble(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.push("team/app", "1", image())
    (tmp_path / "file").write_text("in the way")

    found = Client(registry, cache=Cache(tmp_path / "file")).look_up(
        f"{registry.host}/team/app:1", config=True
    )

    assert found.config is not None


def test_where_caches_are() -> None:
    home = {"HOME": "/home/ann"}
    folder = {name: cache_folder(home, name) for name in ("linux", "darwin", "win32")}

    assert folder["linux"] is not None
    assert folder["linux"].as_posix() == "/home/ann/.cache/hardhull"
    assert folder["darwin"] is not None
    assert folder["darwin"].as_posix() == "/home/ann/Library/Caches/hardhull"
    assert folder["win32"] is None
    assert cache_folder({}, "linux") is None


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


# ---------------------------------------------------------------- trouble on the way


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


# ---------------------------------------------------------------- hostile names


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
