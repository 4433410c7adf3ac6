"""The registry client: digests, indexes, manifests, configs, and the cache of them."""

from __future__ import annotations

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
    body_of,
    image,
    index,
    platform,
    sha256,
)
from hardhull.facts.cache import Cache, cache_folder
from hardhull.facts.manifests import read_manifest
from hardhull.facts.registry import Image
from hardhull.facts.trouble import RegistryError
from registry_client import Client

if TYPE_CHECKING:
    from pathlib import Path


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
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(sha256(path.read_bytes()) == f"sha256:{path.name}" for path in kept)


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


def test_a_cached_image_costs_one_head(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("team/app", "1", index((image(), platform("linux", "amd64"))))
    name = f"{registry.host}/team/app:1"
    first = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)
    second = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)

    assert first == second
    assert (registry.count("HEAD"), registry.count("GET")) == (2, 3)


def test_a_cached_body_that_was_changed_is_fetched(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("team/app", "1", image())
    name = f"{registry.host}/team/app:1"
    first = Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)
    for entry in [path for path in tmp_path.rglob("*") if path.is_file()]:
        entry.write_bytes(entry.read_bytes() + b" ")

    assert Client(registry, cache=Cache(tmp_path)).look_up(name, config=True) == first
    assert registry.count("GET") == 4


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


def test_what_is_cached_hides_no_image_that_is_gone(registry: FakeRegistry, tmp_path: Path) -> None:
    made = registry.push("team/app", "1", image())
    name = f"{registry.host}/team/app:1@{made.digest}"
    Client(registry, cache=Cache(tmp_path)).look_up(name, config=True)
    registry.script = lambda seen: Reply(404) if made.digest in seen.path else None

    assert Client(registry, cache=Cache(tmp_path)).failure(name, config=True).gone
