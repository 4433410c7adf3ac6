"""The registry client against distribution itself (`docker-registry`), and over TLS."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from certificates import make_certificate
from fake_registry import (
    ATTESTATION,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    FakeRegistry,
    image,
    index,
    platform,
    sha256,
)
from hardhull import cli
from hardhull.facts.credentials import Keyring
from hardhull.facts.hosts import Hosts
from hardhull.facts.registry import Image, Registries
from hardhull.facts.transport import Limits, Transport
from hardhull.facts.trouble import RegistryError
from hardhull.images import parse_reference
from support import write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fake_registry import Made

PASSWORD = "s3cret-pass"  # noqa: S105  a test's
# `s3cret-pass` as bcrypt writes it, for distribution's htpasswd file.
HTPASSWD = "ann:$2b$05$AQa0pSYdRQshP4AMLLaD..IDWlFJYbLSLCodCQr/KtXdmfFOXNhbm\n"
LOGIN = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()


def look_up(
    name: str, hosts: Hosts, environment: Mapping[str, str] | None = None, *, config: bool = True
) -> Image:
    reference = parse_reference(name)
    assert reference is not None
    limits = Limits(connect=5, read=10, tries=2)
    transport = Transport(hosts, environment or {}, limits, lambda _: None)
    client = Registries(hosts, transport, Keyring(environment or {}))
    return client.look_up(reference, config=config)


# ---------------------------------------------------------------- distribution

needs_registry = pytest.mark.skipif(
    shutil.which("docker-registry") is None, reason="docker-registry is not on the PATH"
)


class Distribution:
    """A started docker-registry, and pushing to it."""

    def __init__(self, host: str, login: str | None) -> None:
        self.host = host
        self._login = login

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> str:
        url = path if "://" in path else f"http://{self.host}{path}"
        headers = {"Content-Type": kind or "application/octet-stream"}
        if self._login is not None:
            headers["Authorization"] = f"Basic {self._login}"
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310  loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  as above
            return answer.headers.get("Location") or ""

    def push(self, repository: str, tag: str, made: Made) -> Made:
        for child in made.children:
            self.push(repository, child.digest, child)
        for blob in made.blobs:
            at = self.request("POST", f"/v2/{repository}/blobs/uploads/", b"")
            joined = "&" if "?" in at else "?"
            self.request("PUT", f"{at}{joined}digest={sha256(blob)}", blob)
        self.request("PUT", f"/v2/{repository}/manifests/{tag}", made.body, made.media)
        return made


@pytest.fixture(params=[False, True], ids=["open", "htpasswd"])
def distribution(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Distribution]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "storage")}},
        "http": {"addr": host},
    }
    if request.param:
        (tmp_path / "htpasswd").write_text(HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "x", "path": str(tmp_path / "htpasswd")}}
    (tmp_path / "config.yml").write_text(json.dumps(config))
    process = subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = Distribution(host, LOGIN if request.param else None)
    try:
        for _ in range(200):
            try:
                started.request("GET", "/v2/")
                break
            except OSError:
                time.sleep(0.05)
        yield started
    finally:
        process.terminate()
        process.wait(10)


def environment_of(distribution: Distribution) -> dict[str, str]:
    auths = {"auths": {distribution.host: {"auth": LOGIN}}}
    return {"DOCKER_AUTH_CONFIG": json.dumps(auths)}


@needs_registry
def test_what_distribution_stores_is_read(distribution: Distribution) -> None:
    hosts, environment = Hosts(plain_http=(distribution.host,)), environment_of(distribution)
    single = distribution.push("team/single", "1", image())
    docker = image({"User": "app"}, media=DOCKER_MANIFEST)
    listed = distribution.push(
        "team/list",
        "1",
        index(
            (docker, platform("linux", "amd64")),
            (
                image(media=DOCKER_MANIFEST, os="windows", version="10.0.20348.2"),
                platform("windows", "amd64", "10.0.20348.2"),
            ),
            media=DOCKER_LIST,
        ),
    )
    oci = distribution.push("team/oci", "1", index((image(), platform("linux", "arm64"))))

    found = look_up(f"{distribution.host}/team/single:1", hosts, environment)
    assert (found.digest, found.platforms) == (single.digest, ("linux/amd64",))
    found = look_up(f"{distribution.host}/team/list:1", hosts, environment)
    assert found.digest == listed.digest
    assert found.config is not None
    assert found.config["User"] == "app"
    assert found.platforms == ("linux/amd64", "windows(10.0.20348.2)/amd64")
    assert look_up(f"{distribution.host}/team/oci:1", hosts, environment).digest == oci.digest
    with pytest.raises(RegistryError, match="has no tag 2"):
        look_up(f"{distribution.host}/team/oci:2", hosts, environment)


@needs_registry
def test_a_login_is_needed_where_it_is(distribution: Distribution) -> None:
    made = distribution.push("team/app", "1", image())
    hosts = Hosts(plain_http=(distribution.host,))
    name = f"{distribution.host}/team/app:1"
    if distribution._login is None:
        assert look_up(name, hosts).digest == made.digest
        return
    with pytest.raises(RegistryError, match="wants a login"):
        look_up(name, hosts)
    assert look_up(name, hosts, environment_of(distribution)).digest == made.digest


def all_shapes() -> dict[str, Made]:
    """What registries hold: single images, indexes that say what they are and such that don't."""
    linux, arm = platform("linux", "amd64"), platform("linux", "arm64")
    both = ((image(), linux), (image({"User": "arm"}, architecture="arm64"), arm))
    old, new = (
        (
            image(media=DOCKER_MANIFEST, os="windows", version=version),
            platform("windows", "amd64", version),
        )
        for version in ("10.0.17763.5329", "10.0.20348.2227")
    )
    docker = ((image(media=DOCKER_MANIFEST), linux), old, new)
    return {
        "single": image(),
        "docker-single": image(media=DOCKER_MANIFEST),
        "index": index(*both),
        "index-unnamed": index(*both, named=False),
        "docker-list": index(*docker, media=DOCKER_LIST),
        "attested": index(*both, (image({"Cmd": ["attestation"]}), ATTESTATION)),
    }


@needs_registry
@pytest.mark.judge
@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not on the PATH")
def test_skopeo_agrees(distribution: Distribution) -> None:
    hosts, environment = Hosts(plain_http=(distribution.host,)), environment_of(distribution)
    login = [] if distribution._login is None else ["--creds", f"ann:{PASSWORD}"]
    configs = {}
    for tag, made in all_shapes().items():
        distribution.push("team/app", tag, made)
        name = f"{distribution.host}/team/app:{tag}"
        done = subprocess.run(
            ["skopeo", "inspect", "--tls-verify=false", "--override-os=linux",
             "--override-arch=amd64", "--format", "{{.Digest}}", *login, f"docker://{name}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = look_up(name, hosts, environment)
        configs[tag] = found

        assert done.stdout.strip() == found.digest == made.digest, tag
    assert configs["docker-list"].platforms == (
        "linux/amd64",
        "windows(10.0.17763.5329)/amd64",
        "windows(10.0.20348.2227)/amd64",
    )
    assert configs["attested"].platforms == ("linux/amd64", "linux/arm64")
    assert all(found.config is not None for found in configs.values())
    assert {found.config["User"] for found in configs.values() if found.config} == {"1654"}


@needs_registry
@pytest.mark.judge
@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not on the PATH")
def test_what_skopeo_pushes_is_pinned(
    distribution: Distribution,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An image that goes in by skopeo, and the reference that `hardhull fix` writes for it."""
    for name, value in environment_of(distribution).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = image({"User": "1654", "Env": ["DOTNET_VERSION=8.0.11", "ASPNET_VERSION=8.0.11"]})
    layout = write(tmp_path / "layout", _layout(made))
    subprocess.run(
        ["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false",
            f"--digestfile={tmp_path / 'digest'}",
         *([] if distribution._login is None else ["--dest-creds", f"ann:{PASSWORD}"]),
         f"oci:{layout}", f"docker://{distribution.host}/acme/base:8"],
        capture_output=True, check=True,
    )  # fmt: skip
    settings = {"registries": {"plain-http": [distribution.host]}}
    text = f'FROM {distribution.host}/acme/base:8\nCOPY out .\nENTRYPOINT ["dotnet", "a.dll"]\n'
    files = {"Dockerfile": text, ".github/hardhull.yml": json.dumps(settings)}
    root = write(tmp_path / "repository", files)

    assert cli.main(["fix", str(root)]) == 0
    pinned = text.replace("base:8", f"base:8@{(tmp_path / 'digest').read_text()}")
    assert (root / "Dockerfile").read_text() == pinned  # its config says that it is not root

    for more, contacted in (([], []), (["--no-cache"], [distribution.host])):
        capsys.readouterr()
        assert cli.main(["fix", str(root), "--format", "json", *more]) == 0
        assert json.loads(capsys.readouterr().out)["contacted"] == contacted


def _layout(made: Made) -> dict[str, bytes]:
    """An OCI image layout with one image."""
    entry = {"mediaType": made.media, "digest": made.digest, "size": len(made.body)}
    blobs = {f"blobs/sha256/{sha256(blob)[7:]}": blob for blob in (made.body, *made.blobs)}
    return {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
        **blobs,
    }


@needs_registry
def test_a_moved_tag_is_followed_to_the_end(
    distribution: Distribution,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Record and pin, move the tag, record again and refresh, with what changed."""
    for name, value in environment_of(distribution).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = {
        "registries": {
            "plain-http": [distribution.host],
            "mirrors": {"docker.io": f"{distribution.host}/hub"},
        }
    }
    root = write(
        tmp_path / "repository",
        {"Dockerfile": "FROM redis:7.2\n", ".github/hardhull.yml": json.dumps(settings)},
    )
    file = tmp_path / "digests.json"

    def look_up_and_fix(*options: str) -> str:
        assert cli.main(["record", str(root), "--output", str(file)]) == 0
        capsys.readouterr()
        assert cli.main(["fix", str(root), "--digests", str(file), *options]) == 0
        return capsys.readouterr().out

    def pushed(version: str, *architectures: str) -> str:
        config = {"User": "redis", "Env": [f"REDIS_VERSION={version}"]}
        children = ((image(config, architecture=a), platform("linux", a)) for a in architectures)
        return distribution.push("hub/library/redis", "7.2", index(*children)).digest

    first = pushed("7.2.4", "amd64", "arm64")
    assert "nobody yet" in look_up_and_fix()
    assert (root / "Dockerfile").read_text() == f"FROM redis:7.2@{first}\n"
    assert "fixed" not in look_up_and_fix()

    second = pushed("7.2.5", "amd64", "arm64")
    assert "the tag moved less than 24h ago" in look_up_and_fix()
    write(root, {".github/hardhull.yml": json.dumps({**settings, "pin-cooldown": 0})})
    said = look_up_and_fix("--level", "routine")
    assert "the tag has moved: REDIS_VERSION 7.2.4 → 7.2.5" in said
    assert (root / "Dockerfile").read_text() == f"FROM redis:7.2@{second}\n"
    assert "fixed" not in look_up_and_fix()

    third = pushed("7.2.5", "amd64")
    assert "needs a look" in look_up_and_fix("--level", "routine")
    assert "platforms lost: linux/arm64" in look_up_and_fix()
    assert (root / "Dockerfile").read_text() == f"FROM redis:7.2@{third}\n"
    before = file.read_bytes()
    assert look_up_and_fix() == ""
    assert file.read_bytes() == before


# ---------------------------------------------------------------- TLS


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[FakeRegistry, Path]]:
    """A token-giving registry with a certificate of an authority that nobody knows."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    registry = FakeRegistry(tokens=True, user="ann").start(context)
    yield registry, certificate
    registry.stop()


def test_an_unknown_authority_is_not_trusted(secured: tuple[FakeRegistry, Path]) -> None:
    registry, _ = secured
    with pytest.raises(RegistryError, match="no certificate that is trusted") as caught:
        look_up(f"{registry.host}/team/app:1", Hosts(allow=(registry.host,)))

    assert "SSL_CERT_FILE" in caught.value.advice
    assert registry.seen == []


def test_tokens_over_tls(
    secured: tuple[FakeRegistry, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    made = registry.push("team/app", "1", index((image(), platform("linux", "amd64"))))
    auths = {"auths": {registry.host: {"auth": LOGIN}}}
    environment = {"DOCKER_AUTH_CONFIG": json.dumps(auths)}
    name = f"{registry.host}/team/app:1"

    found = look_up(name, Hosts(allow=(registry.host,)), environment)

    assert found.digest == made.digest
    assert found.config is not None
    assert registry.count("GET", "/token") == 1
    with pytest.raises(RegistryError, match="not among the allowed"):
        look_up(name, Hosts(), environment)


def test_a_name_on_a_pattern_is_not_let_in(
    secured: tuple[FakeRegistry, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern allows names, not addresses: what it covers must be public."""
    _, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    answered = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered)

    with pytest.raises(RegistryError, match=r"127\.0\.0\.1, which is not a public address"):
        look_up("app.corp.example/team/app:1", Hosts(allow=("*.corp.example",)))
