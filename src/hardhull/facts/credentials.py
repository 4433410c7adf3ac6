"""Logins, where container tools keep them: docker's and podman's files, helpers, environment.

Each source is asked in turn and the first that knows the registry wins:

1. `DOCKER_AUTH_CONFIG`, the text of such a file;
2. `$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`;
3. `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`,
   `~/.config/containers/auth.json`;
4. for ghcr.io, `GITHUB_TOKEN` as `GITHUB_ACTOR`;
5. for Azure's registries, the identity of the job (`azure.py`).

In a file `credHelpers` come before `credsStore`, and that before `auths`. A secret never leaves
this value but in the header of a request: it is not shown, not even by `repr`.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from hardhull.images import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HUB_KEY: Final = "https://index.docker.io/v1/"
_HUB_NAMES: Final = frozenset({DEFAULT_HOST, "index.docker.io", "registry-1.docker.io"})
_IDENTITY: Final = "<token>"
_HELPER_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_LARGEST: Final = 1024 * 1024
_HELPER_SECONDS: Final = 30.0
_NONE_STORED: Final = "credentials not found"
_GITHUB: Final = "ghcr.io"


@dataclass(frozen=True, slots=True)
class Credential:
    """One login: a password, or a token that is exchanged for others or used as it is."""

    username: str
    secret: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        text = f"{self.username}:{self.secret or self.identity_token}"
        return "Basic " + base64.b64encode(text.encode()).decode("ascii")


class Job(Protocol):
    """Who can log in as the job that runs."""

    @property
    def notes(self) -> tuple[str, ...]: ...
    def find(self, host: str) -> Credential | None: ...


class Keyring:
    """Finds logins; may be used by several threads. `notes` says what could not be read."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        job: Job | None = None,
        helper_seconds: float = _HELPER_SECONDS,
    ) -> None:
        self._environment = environment
        self._job = job
        self._seconds = helper_seconds
        self._lock = threading.Lock()
        self._files: list[tuple[str, dict[str, Any]]] | None = None
        self._answers: dict[tuple[str, str], Credential | None] = {}
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read, once each."""
        with self._lock:
            return (*self._notes, *(self._job.notes if self._job is not None else ()))

    def find(self, host: str, repository: str) -> Credential | None:
        """Return the login for a repository of a registry, or None."""
        with self._lock:
            for shown, config in self._configs():
                found = self._in_config(shown, config, host, repository)
                if found is not None:
                    return found
        token = self._environment.get("GITHUB_TOKEN")
        if host == _GITHUB and token:
            return Credential(self._environment.get("GITHUB_ACTOR") or "x-access-token", token)
        return self._job.find(host) if self._job is not None else None

    # -- files

    def _configs(self) -> list[tuple[str, dict[str, Any]]]:
        if self._files is None:
            self._files = list(self._read_all())
        return self._files

    def _read_all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        text = self._environment.get("DOCKER_AUTH_CONFIG")
        if text:
            yield from self._parsed("DOCKER_AUTH_CONFIG", text)
        for place in self._places():
            try:
                with place.open("rb") as file:
                    data = file.read(_LARGEST)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self._notes[f"{place.as_posix()}: can't be read: {error.strerror}"] = None
                continue
            yield from self._parsed(place.as_posix(), data.decode("utf-8-sig", "replace"))

    def _places(self) -> Iterator[Path]:
        env = self._environment
        home = env.get("HOME") or env.get("USERPROFILE")
        if env.get("DOCKER_CONFIG"):
            yield Path(env["DOCKER_CONFIG"]) / "config.json"
        elif home:
            yield Path(home) / ".docker" / "config.json"
        if env.get("REGISTRY_AUTH_FILE"):
            yield Path(env["REGISTRY_AUTH_FILE"])
        if env.get("XDG_RUNTIME_DIR"):
            yield Path(env["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
        folder = env.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
        if folder:
            yield Path(folder) / "containers" / "auth.json"

    def _parsed(self, shown: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            yield shown, data
        else:
            # Never with the text: it holds secrets.
            self._notes[f"{shown}: not a JSON object; its logins are not used"] = None

    # -- one file

    def _in_config(
        self, shown: str, config: dict[str, Any], host: str, repository: str
    ) -> Credential | None:
        helpers, store = config.get("credHelpers"), config.get("credsStore")
        helper = _named(helpers, host) if isinstance(helpers, dict) else None
        for name in (helper, store):
            if isinstance(name, str) and name:
                key = _HUB_KEY if host in _HUB_NAMES else host
                found = self._from_helper(shown, name, key)
                if found is not None:
                    return found
        auths = config.get("auths")
        if not isinstance(auths, dict):
            return None
        by_name = {_plain(key): entry for key, entry in auths.items()}
        for key in _keys(host, repository):
            found = _from_entry(by_name.get(key))
            if found is not None:
                return found
        return None

    def _from_helper(self, shown: str, name: str, server: str) -> Credential | None:
        if (name, server) not in self._answers:
            self._answers[name, server] = self._asked(shown, name, server)
        return self._answers[name, server]

    def _asked(self, shown: str, name: str, server: str) -> Credential | None:
        program = f"docker-credential-{name}"
        found = None
        if _HELPER_NAME.fullmatch(name):
            found = shutil.which(program, path=self._environment.get("PATH"))
        if found is None:
            self._notes[f"{shown}: {program} is not on the PATH"] = None
            return None
        try:
            done = subprocess.run(  # noqa: S603  the user's own configuration names it
                [found, "get"],
                input=server.encode(),
                capture_output=True,
                env=dict(self._environment),
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self._notes[f"{program}: does not answer about {server}"] = None
            return None
        except OSError as error:
            self._notes[f"{program}: can't be started: {error.strerror}"] = None
            return None
        if done.returncode != 0:
            if _NONE_STORED not in done.stdout[:_LARGEST].decode("utf-8", "replace"):
                self._notes[f"{program}: failed for {server} (exit {done.returncode})"] = None
            return None
        return self._from_answer(program, server, done.stdout)

    def _from_answer(self, program: str, server: str, answer: bytes) -> Credential | None:
        try:
            data = json.loads(answer[:_LARGEST])
            username, secret = data["Username"], data["Secret"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._notes[f"{program}: its answer about {server} can't be read"] = None
            return None
        if not isinstance(username, str) or not isinstance(secret, str) or not secret:
            return None
        if username == _IDENTITY:
            return Credential(username, identity_token=secret)
        return Credential(username, secret)


def _from_entry(entry: object) -> Credential | None:
    """Read what `auths` says of a registry; an empty entry only marks that a store has it."""
    if not isinstance(entry, dict):
        return None
    fields = {name: entry[name] for name in entry if isinstance(entry[name], str)}
    username, secret = fields.get("username", ""), fields.get("password", "")
    if fields.get("auth"):
        try:
            text = base64.b64decode(fields["auth"], validate=False).decode()
        except ValueError:
            text = ""
        username, _, secret = text.rstrip("\0").partition(":")
    identity, registry = fields.get("identitytoken", ""), fields.get("registrytoken", "")
    if username == _IDENTITY and not identity:
        identity, secret = secret, ""
    if not (secret or identity or registry):
        return None
    return Credential(username, secret, identity, registry)


def _named(table: Mapping[str, Any], host: str) -> Any:
    return next((value for key, value in table.items() if _plain(key) in _names(host)), None)


def _names(host: str) -> frozenset[str]:
    return _HUB_NAMES if host in _HUB_NAMES else frozenset({host})


def _plain(key: str) -> str:
    """A key as a host, perhaps with a path: docker's begin with https:// and end with /v1/."""
    key = key.partition("://")[2] or key
    host, slash, path = key.rstrip("/").partition("/")
    if path in ("v1", "v2"):
        slash = path = ""
    return host.lower() + slash + path


def _keys(host: str, repository: str) -> Iterator[str]:
    """Keys that may hold the login, the most particular first."""
    for name in sorted(_names(host)):
        parts = repository.split("/")
        for end in range(len(parts), 0, -1):
            yield f"{name}/{'/'.join(parts[:end])}"
    yield from sorted(_names(host))
