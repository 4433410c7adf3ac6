"""HTTP: from the wire to a handler and back, with faults and records on the way."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from standin import contract, graph, smart_http
from standin.nodes import View
from standin.render import Renderer
from standin.requests_seen import Seen, graphql_write, rest_write
from standin.routing import Answer, Call, find_route
from standin.state import Refused

if TYPE_CHECKING:
    from standin.faults import Fault
    from standin.hub import StandIn
    from standin.state import Token

GRAPHQL = frozenset({"/graphql", "/api/graphql"})
DOCS = "https://docs.github.com/rest"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that break off are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    # Each answer closes its connection: nothing is left open when a test ends.
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        hub, parts = self.server.hub, urlsplit(self.path)
        raw, path = self._read_body(), unquote(parts.path)
        if path.startswith(smart_http.HOOK):
            self._send(Answer(200, smart_http.verdict(hub, self.path, raw)))
            return
        if (git := smart_http.GIT_PATH.fullmatch(path)) is not None:
            smart_http.serve(hub, self, git, parts.query, raw)
            return
        prefix = "/api/v3" if path.startswith("/api/v3") else ""
        body = _json(raw)
        seen = hub.note(self.command, path.removeprefix(prefix), body, self._token_value())
        fault = hub.faults.strike(seen.index, seen.said)
        answer = self._answer(seen, fault, prefix, parts.query)
        seen.status = 0 if fault and fault.lost else answer.status
        if fault and fault.lost:
            self._hang_up()
        else:
            self._send(answer)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _do  # noqa: N815  http.server's

    def _answer(self, seen: Seen, fault: Fault | None, prefix: str, query: str) -> Answer:
        hub = self.server.hub
        if fault is not None and not fault.acts:
            return hub.faults.answer(fault, hub.clock.seconds) or Answer(502)
        with hub.lock:
            try:
                answer = _act(hub, seen, prefix, dict(parse_qsl(query, True)), fault)
            except Exception as error:  # noqa: BLE001  whatever broke, the test must hear of it
                hub.violations.append(f"{seen.said}: the stand-in broke: {error!r}")
                answer = Answer(500, {"message": "the stand-in broke"})
            seen.acted = True
        if fault is not None:
            return hub.faults.answer(fault, hub.clock.seconds) or answer
        return answer

    def _token_value(self) -> str:
        given = self.headers.get("Authorization") or ""
        kind, _, value = given.partition(" ")
        if kind.lower() == "basic":
            with contextlib.suppress(ValueError):
                return base64.b64decode(value).decode().partition(":")[2]
        return value.strip()

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _send(self, answer: Answer) -> None:
        text = b"" if answer.body is None else json.dumps(answer.body).encode()
        tag = f'W/"{hashlib.sha256(text).hexdigest()[:40]}"'
        status = answer.status
        if status == 200 and self.command == "GET" and self.headers.get("If-None-Match") == tag:
            status, text = 304, b""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4999",
            "X-RateLimit-Reset": str(self.server.hub.clock.seconds + 3600),
            "X-RateLimit-Used": "1",
            "X-RateLimit-Resource": "core",
            **({"ETag": tag} if self.command == "GET" else {}),
            **answer.headers,
        }
        self.reply(status, headers, text)

    def reply(self, status: int, headers: dict[str, str], text: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            self.wfile.write(text)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        """Say nothing."""


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")


def describe(method: str, path: str, body: Any) -> tuple[str, tuple[str, ...]]:
    """What a request is called, and what it writes."""
    if path in GRAPHQL:
        given = body if isinstance(body, dict) else {}
        found = graph.mutations_in(given.get("query", ""), given.get("variables") or {})
        names = ",".join(name for name, _ in found) or "query"
        lines = [line for name, one in found for line in graphql_write(name, one)]
        return f"POST /graphql {names}", tuple(lines)
    if method in {"GET", "HEAD"}:
        return f"{method} {path}", ()
    return f"{method} {path}", (rest_write(method, path, body),)


def _act(
    hub: StandIn, seen: Seen, prefix: str, query: dict[str, str], fault: Fault | None
) -> Answer:
    token = hub.world.tokens.get(seen.token)
    if token is None:
        said = "Bad credentials" if seen.token else "Requires authentication"
        return _refusal(Refused(401, said))
    if seen.path in GRAPHQL:
        view = View(hub.world, token, hub.server_url)
        given = seen.body if isinstance(seen.body, dict) else {}
        partial = fault is not None and fault.name == "GRAPHQL_PARTIAL"
        answer, wrong = graph.answer(view, given, partial=partial)
        hub.violations += [f"{seen.said}: {one}" for one in wrong]
        return answer
    return _rest(hub, seen, prefix, query, token)


def _rest(hub: StandIn, seen: Seen, prefix: str, query: dict[str, str], token: Token) -> Answer:
    path = _by_id(hub, seen.path)
    api = f"{hub.server_url}{prefix}"
    found = find_route(seen.method, path)
    if found is None:
        hub.violations.append(f"{seen.said}: the stand-in has no such route")
        return _refusal(Refused(404, "Not Found"))
    route, params = found
    hub.violations += [
        f"{seen.said}: {one}"
        for one in contract.request_violations(route, params, query, seen.body)
    ]
    if "repo" in params and (other := _elsewhere(hub, seen.method, path, params, api)):
        return other
    renderer = Renderer(hub.world, api, hub.server_url, token)
    try:
        call = Call(hub.world, token, renderer, params, query, seen.body, path)
        answer = route.handler(call)
    except Refused as refused:
        answer = _refusal(refused)
    hub.violations += [
        f"{seen.said} → {answer.status}: {one}"
        for one in contract.answer_violations(route, answer.status, answer.body)
    ]
    return answer


def _by_id(hub: StandIn, path: str) -> str:
    """Links of moved repositories go by number."""
    found = re.fullmatch(r"/repositories/(\d+)(/.*)?", path)
    for home in hub.world.repositories.values():
        if found and str(home.id) == found[1]:
            return f"/repos/{home.full_name}{found[2] or ''}"
    return path


def _elsewhere(
    hub: StandIn, method: str, path: str, params: dict[str, str], api: str
) -> Answer | None:
    """The answer for a repository that is not there, or no longer."""
    full = f"{params['owner']}/{params['repo']}".lower()
    if full in hub.world.repositories:
        return None
    moved = hub.world.moved.get(full)
    if moved is None:
        return _refusal(Refused(404, "Not Found"))
    rest = "/".join(path.split("/")[4:])
    url = f"{api}/repositories/{moved.id}" + (f"/{rest}" if rest else "")
    body = {"message": "Moved Permanently", "url": url, "documentation_url": DOCS}
    return Answer(301 if method == "GET" else 307, body, {"Location": url})


def _refusal(refused: Refused) -> Answer:
    body: dict[str, Any] = {
        "message": refused.message,
        "documentation_url": DOCS,
        "status": str(refused.status),
    }
    if refused.errors is not None:
        body["errors"] = refused.errors
    return Answer(refused.status, body, refused.headers)
