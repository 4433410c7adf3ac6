"""The stand-in itself: a GitHub in a thread, for the length of a test."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

from standin import smart_http
from standin.faults import Faults
from standin.gitstore import GitStore
from standin.people import RepositoryHandle
from standin.requests_seen import Seen
from standin.server import Handler, Server, describe
from standin.state import (
    AccountKind,
    Clock,
    Repository,
    Token,
    TokenKind,
    World,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from standin.people import Files

# What a workflow gets with `permissions: contents: write, pull-requests: write`.
WORKFLOW = {"contents": "write", "pull_requests": "write", "metadata": "read"}


class StandIn:
    """A GitHub on loopback.

    `with StandIn.start(tmp_path) as hub:` fails at its end if a request or an answer did not
    follow GitHub's published descriptions, or asked for something the stand-in doesn't model.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hub"
        self.folder.mkdir(parents=True)
        self.world = World()
        self.faults = Faults()
        self.requests: list[Seen] = []
        self.violations: list[str] = []
        self.lock = threading.RLock()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.hub = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.005,), daemon=True
        )
        self._thread.start()

    @classmethod
    def start(cls, folder: Path) -> Self:
        return cls(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None and self.violations:
            raise AssertionError("GitHub's contract:\n" + "\n".join(self.violations))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- where it is

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """As an Enterprise Server has it; github.com's form is `server_url`."""
        return f"{self.server_url}/api/v3"

    @property
    def graphql_url(self) -> str:
        return f"{self.server_url}/api/graphql"

    def environment(self, token: str) -> dict[str, str]:
        """What a runner sets."""
        return {
            "GITHUB_TOKEN": token,
            "GITHUB_API_URL": self.api_url,
            "GITHUB_GRAPHQL_URL": self.graphql_url,
            "GITHUB_SERVER_URL": self.server_url,
        }

    @property
    def clock(self) -> Clock:
        return self.world.clock

    # -- what is there

    def repository(
        self,
        full_name: str,
        files: Files | None = None,
        *,
        default_branch: str = "main",
        organization: bool = True,
        people: Mapping[str, str] | None = None,
    ) -> RepositoryHandle:
        """Make a repository; without `files` it is empty. `ann` may write to it."""
        login, _, name = full_name.partition("/")
        kind = AccountKind.ORGANIZATION if organization else AccountKind.USER
        owner = self.world.account(login, kind)
        store = GitStore.create(self.folder / login / f"{name}.git", default_branch)
        number = self.world.number()
        made = Repository(number, owner, name, store, self.clock.stamp, default_branch)
        made.people = dict(people if people is not None else {"ann": "write"})
        for one in made.people:
            self.world.account(one)
        self.world.repositories[full_name.lower()] = made
        smart_http.install_hook(self, made)
        handle = RepositoryHandle(self, made)
        if files is not None:
            handle.person_commits(default_branch, files, message="start", new=True)
        return handle

    def fork(self, of: RepositoryHandle, owner: str) -> RepositoryHandle:
        """A fork with all branches."""
        handle = self.repository(f"{owner}/{of.it.name}", organization=False, people={})
        handle.it.parent = of.it
        handle.it.default_branch = of.it.default_branch
        for ref, oid in of.it.store.refs("refs/heads/").items():
            handle.take(of.it, oid)
            handle.it.store.set_ref(ref, oid)
        return handle

    def token(
        self,
        value: str,
        *,
        actor: str = "github-actions[bot]",
        kind: TokenKind | None = None,
        permissions: Mapping[str, str] | None = None,
    ) -> str:
        """Issue a token. By default that of a workflow that may open pull requests."""
        account = self.world.account(actor)
        if kind is None:
            bot = account.kind is AccountKind.BOT
            actions = actor == "github-actions[bot]"
            kind = (
                TokenKind.ACTIONS if actions else TokenKind.APP if bot else TokenKind.FINE_GRAINED
            )
        given = {"metadata": "read", **(WORKFLOW if permissions is None else permissions)}
        self.world.tokens[value] = Token(value, account, kind, given)
        return value

    def rename(self, repository: RepositoryHandle, full_name: str) -> None:
        """Rename or move a repository; its old name answers with a redirect."""
        it, (login, name) = repository.it, full_name.split("/")
        self.world.moved[it.full_name.lower()] = self.world.repositories.pop(it.full_name.lower())
        place = self.folder / login / f"{name}.git"
        place.parent.mkdir(exist_ok=True)
        it.store.path.rename(place)
        it.store.path = place
        it.owner, it.name = self.world.account(login, it.owner.kind), name
        self.world.repositories[full_name.lower()] = it
        smart_http.install_hook(self, it)

    # -- what came in

    def note(
        self, method: str, path: str, body: Any, token: str, *, said: str | None = None
    ) -> Seen:
        """Write a request down."""
        with self.lock:
            name, writes = (said, ()) if said else describe(method, path, body)
            seen = Seen(len(self.requests), method, path, body, name or "", tuple(writes), token)
            self.requests.append(seen)
            return seen

    @property
    def writes(self) -> list[str]:
        """What was written, in order; with the status where it was refused or got lost."""
        return [
            line if seen.status in range(200, 300) else f"{line} → {seen.status or 'lost'}"
            for seen in self.requests
            for line in seen.writes
        ]

    def forget(self) -> None:
        """Start `requests` and `writes` anew: for the second run of a scenario."""
        self.requests.clear()
        self.faults.clear()

    def clone(self, repository: RepositoryHandle, place: Path, branch: str | None = None) -> Path:
        """A checkout as `actions/checkout` leaves it, without credentials."""
        source = str(repository.it.store.path)
        name = branch or repository.it.default_branch
        plain = ["-c", "core.autocrlf=false"]
        command = ["git", *plain, "clone", "-q", *plain, "--branch", name, source, str(place)]
        subprocess.run(command, check=True, capture_output=True)
        url = smart_http.remote_url(self, repository.it)
        subprocess.run(["git", "remote", "set-url", "origin", url], cwd=place, check=True)
        return place
