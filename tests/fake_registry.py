"""A small OCI registry on loopback that can be told to misbehave, and images to fill it with."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = b"a layer, as far as anyone looks"


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def body_of(data: object) -> bytes:
    return json.dumps(data).encode()


@dataclass(frozen=True)
class Made:
    """A manifest or index, with everything that has to be there for it."""

    media: str
    body: bytes
    blobs: tuple[bytes, ...] = ()
    children: tuple[Made, ...] = ()

    @property
    def digest(self) -> str:
        return sha256(self.body)


def image(
    config: Mapping[str, Any] | None = None,
    *,
    os: str = "linux",
    architecture: str = "amd64",
    media: str = OCI_MANIFEST,
    version: str = "",
) -> Made:
    whole = {
        "architecture": architecture,
        "os": os,
        "created": "2026-11-10T01:02:03Z",
        "config": config if config is not None else {"User": "1654", "Env": ["APP_UID=1654"]},
        "rootfs": {"type": "layers", "diff_ids": [sha256(LAYER)]},
    } | ({"os.version": version} if version else {})
    oci = media == OCI_MANIFEST
    base = "application/vnd.oci.image" if oci else "application/vnd.docker"
    kinds = (
        (f"{base}.config.v1+json", f"{base}.layer.v1.tar+gzip")
        if oci
        else (f"{base}.container.image.v1+json", f"{base}.image.rootfs.diff.tar.gzip")
    )
    blob = body_of(whole)
    manifest = {
        "schemaVersion": 2,
        "mediaType": media,
        "config": {"mediaType": kinds[0], "digest": sha256(blob), "size": len(blob)},
        "layers": [{"mediaType": kinds[1], "digest": sha256(LAYER), "size": len(LAYER)}],
    }
    return Made(media, body_of(manifest), (blob, LAYER))


def index(
    *children: tuple[Made, Mapping[str, Any]], media: str = OCI_INDEX, named: bool = True
) -> Made:
    """An index; each child comes with what its entry says beside digest and size."""
    entries = [
        {"mediaType": c.media, "digest": c.digest, "size": len(c.body), **more}
        for c, more in children
    ]
    data: dict[str, Any] = {"schemaVersion": 2, "manifests": entries}
    if named:
        data["mediaType"] = media
    return Made(media, body_of(data), (), tuple(child for child, _ in children))


def platform(os: str, architecture: str, version: str = "") -> dict[str, Any]:
    given = {"os": os, "architecture": architecture}
    return {"platform": given | ({"os.version": version} if version else {})}


ATTESTATION = {
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


@dataclass
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False
    """Break the connection off in the middle of the body."""


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    authorization: str | None
    accept: str
    body: bytes = b""
    host: str = ""


@dataclass
class FakeRegistry:
    """`script` sees every request first and may answer it; None leaves it to the registry."""

    script: Callable[[Seen], Reply | None] = lambda _: None
    user: str | None = None
    password: str = "s3cret-pass"  # noqa: S105  a test's
    tokens: bool = False
    realm: str | None = None
    scope: str | None = None
    access: str = "token"
    headers: dict[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    """Headers that are never sent."""
    blobs_at: str | None = None
    seen: list[Seen] = field(default_factory=list)
    _stored: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None
    scheme: str = "http"

    @property
    def host(self) -> str:
        assert self._server is not None
        name = "127.0.0.1" if self.scheme == "http" else "localhost"
        return f"{name}:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}"

    def start(self, certificate: ssl.SSLContext | None = None) -> FakeRegistry:
        fake = self

        class Handler(_Handler):
            registry = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            self.scheme = "https"
            self._server.socket = certificate.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def push(self, repository: str, tag: str, made: Made) -> Made:
        for child in made.children:
            self.push(repository, child.digest, child)
        for blob in made.blobs:
            self._stored[f"{repository}/blobs/{sha256(blob)}"] = ("application/octet-stream", blob)
        for name in (tag, made.digest):
            self._stored[f"{repository}/manifests/{name}"] = (made.media, made.body)
        return made

    def count(self, method: str, part: str = "/v2/") -> int:
        return sum(one.method == method and part in one.path for one in self.seen)

    # -- answers

    def answer(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        scripted = self.script(seen)
        if scripted is not None:
            return scripted
        if seen.path == "/token":
            return self._token(seen)
        if (refused := self._refused(seen)) is not None:
            return refused
        key = seen.path.removeprefix("/v2/")
        if key not in self._stored:
            return Reply(404, body=body_of({"errors": [{"code": "MANIFEST_UNKNOWN"}]}))
        if "/blobs/" in key and self.blobs_at is not None:
            return Reply(307, {"Location": f"{self.blobs_at}{seen.path}?sig=SIGNED-SECRET"})
        media, body = self._stored[key]
        headers = {"Content-Type": media, "Docker-Content-Digest": sha256(body), **self.headers}
        return Reply(200, {k: v for k, v in headers.items() if k not in self.hidden}, body)

    def _login(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _refused(self, seen: Seen) -> Reply | None:
        repository = seen.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
        if self.tokens:
            scope = self.scope or f"repository:{repository}:pull"
            if seen.authorization == f"Bearer token-for-{scope}":
                return None
            realm = self.realm or f"{self.url}/token"
            said = f'Bearer realm="{realm}",service="a, \\"b\\"",scope="{scope}"'
            return Reply(401, {"WWW-Authenticate": said})
        if self.user is not None and seen.authorization != self._login():
            return Reply(401, {"WWW-Authenticate": 'Basic realm="x"'})
        return None

    def _token(self, seen: Seen) -> Reply:
        if seen.method == "POST":
            given = parse_qs(seen.body.decode())
            if given.get("refresh_token") != [self.password]:
                return Reply(401)
            return self._given(given["scope"][0])
        if self.user is not None and seen.authorization != self._login():
            return Reply(401)
        return self._given(seen.query["scope"][0])

    def _given(self, scope: str) -> Reply:
        return Reply(200, body=body_of({self.access: f"token-for-{scope}", "expires_in": 300}))


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """More than ask at once: where the queue is full, a connection waits for a second."""
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that break off are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(
            self.command,
            parts.path,
            parse_qs(parts.query),
            self.headers.get("Authorization"),
            self.headers.get("Accept", ""),
            self.rfile.read(length),
            self.headers.get("Host", ""),
        )
        reply = self.registry.answer(seen)
        with contextlib.suppress(OSError):
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
                self.wfile.write(body)
        if reply.cut:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = _do  # noqa: N815  names that http.server gives

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Say nothing."""
