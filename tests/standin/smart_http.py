"""Fetches and pushes: `git http-backend` behind the same server, with GitHub's checks before it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from standin import history, policy, pulls, refs
from standin.gitstore import ZERO, GitStore
from standin.moves import Move

if TYPE_CHECKING:
    from standin.hub import StandIn
    from standin.server import Handler
    from standin.state import Repository, Token

HOOK = "/_hook/"
GIT_PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?"
    r"(?P<rest>/info/refs|/git-upload-pack|/git-receive-pack)"
)
# Asks the stand-in before any ref moves, while what was pushed is in quarantine.
PRE_RECEIVE = """\
#!{python} -SE
import os, socket, sys
given = os.environ.get("GIT_QUARANTINE_PATH", "").encode() + b"\\n" + sys.stdin.buffer.read()
path = "{hook}{name}?user=" + os.environ["REMOTE_USER"]
head = "POST %s HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n" % (path, len(given))
with socket.create_connection(("127.0.0.1", {port})) as link:
    link.sendall(head.encode() + given)
    answer = b"".join(iter(lambda: link.recv(65536), b""))
said = answer.partition(b"\\r\\n\\r\\n")[2].decode()
import json
lines = json.loads(said)
for line in lines:
    print(line, file=sys.stderr)
sys.exit(bool(lines))
"""


def install_hook(hub: StandIn, repository: Repository) -> None:
    place = repository.store.path / "hooks" / "pre-receive"
    port, name = hub.port, repository.full_name
    text = PRE_RECEIVE.format(python=sys.executable, hook=HOOK, port=port, name=name)
    place.write_text(text, "utf-8")
    place.chmod(0o755)


def serve(hub: StandIn, handler: Handler, git: re.Match[str], query: str, body: bytes) -> None:
    """Answer one request of git's."""
    pushes = "receive-pack" in (query if git["rest"] == "/info/refs" else git["rest"])
    name = f"{git['owner']}/{git['repo']}"
    said = f"{handler.command} /{name}.git{git['rest']}{f'?{query}' if query else ''}"
    seen = hub.note(handler.command, f"/{name}.git{git['rest']}", None, "", said=said)
    fault = hub.faults.strike(seen.index, seen.said)
    if fault is not None and not fault.acts:
        _refuse(handler, 502, "Server Error")
        return
    given = handler.headers.get_all("Authorization") or []
    if len(given) > 1:
        seen.status = 400
        _refuse(handler, 400, 'Duplicate header: "Authorization"')
        return
    token = hub.world.tokens.get(_password(given[0]) if given else "")
    refusal = _refusal(hub, name.lower(), token, pushes=pushes)
    if refusal is not None:
        seen.status = refusal[0]
        _refuse(handler, *refusal)
        return
    assert token is not None
    seen.token = token.value
    repository = hub.world.repositories[name.lower()]
    with hub.lock:
        before = repository.store.refs("refs/")
        answer = _backend(hub, handler, repository, git["rest"], query, body, token)
        after = repository.store.refs("refs/")
        seen.writes = tuple(_follow(hub, repository, before, after, token))
        seen.acted = True
    head, _, content = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    seen.status = int(headers.pop("Status", "200").split()[0])
    if fault is not None and fault.lost:
        seen.status, handler.close_connection = 0, True
        return
    handler.reply(seen.status, headers, content)


def _password(header: str) -> str:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except ValueError:
        return ""


def _refusal(
    hub: StandIn, name: str, token: Token | None, *, pushes: bool
) -> tuple[int, str] | None:
    repository = hub.world.repositories.get(name)
    if token is None:
        return 401, "Invalid username or token."
    if repository is None:
        return 404, "Repository not found."
    if not token.may("contents", "write" if pushes else "read"):
        login = token.account.login
        return 403, f"Permission to {repository.full_name}.git denied to {login}."
    if pushes and repository.archived:
        return 403, "This repository was archived so it is read-only."
    return None


def _refuse(handler: Handler, status: int, said: str) -> None:
    headers = {"Content-Type": "text/plain"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    handler.reply(status, headers, said.encode())


def _backend(
    hub: StandIn, handler: Handler, repository: Repository, rest: str, query: str, body: bytes,
    token: Token,
) -> bytes:  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": str(hub.folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.store.path.relative_to(hub.folder).as_posix()}{rest}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "HTTP_GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
        # Git may write this down: the token itself has no place there.
        "REMOTE_USER": str(list(hub.world.tokens).index(token.value)),
        "REMOTE_ADDR": "127.0.0.1",
        # The folder may be another user's where tests run as root.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
    )
    if done.returncode != 0:
        hub.violations.append(f"git http-backend: {done.stderr.decode(errors='replace')}")
        return b"Status: 500\r\n\r\n"
    return done.stdout


def verdict(hub: StandIn, path: str, given: bytes) -> list[str]:
    """What GitHub has against a push, as `git push` is to show it; nothing lets it through."""
    name, _, user = path.removeprefix(HOOK).partition("?user=")
    quarantine, *lines = given.decode().splitlines()
    home = hub.world.repositories[name.lower()]
    token = list(hub.world.tokens.values())[int(user)]
    looked_at = replace(home, store=GitStore(home.store.path, extra=quarantine))
    said: list[str] = []
    for line in lines:
        old, new, ref = line.split(" ", 2)
        move = refs.moving(looked_at, ref, old, new)
        if text := policy.workflow_refusal(token, move):
            said.append(text)
        if broken := policy.violations(looked_at, token.account.login, move):
            said += policy.in_push(home, move, broken, hub.server_url)
    return said


def _follow(
    hub: StandIn,
    repository: Repository,
    before: dict[str, str],
    after: dict[str, str],
    token: Token,
) -> list[str]:
    """Let pull requests follow a push; gives its lines for `hub.writes`."""
    lines = []
    for ref in sorted({*before, *after}):
        old, new = before.get(ref, ZERO), after.get(ref, ZERO)
        if old == new:
            continue
        store = repository.store
        forced = ZERO not in {old, new} and not history.is_ancestor(store, old, new)
        how = "delete" if new == ZERO else "create" if old == ZERO else "move"
        lines.append(f"push {how} {ref.removeprefix('refs/heads/')}{' force' * forced}")
        move = Move(ref, old, new, (), forced, frozenset())
        pulls.follow(hub.world, repository, move, token.account)
    return lines


def remote_url(hub: StandIn, repository: Repository) -> str:
    return f"{hub.server_url}/{repository.full_name}.git"
