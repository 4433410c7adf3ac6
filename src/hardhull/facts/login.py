"""How a registry lets one in: anonymously, with a password, or with tokens of a token server.

The first request to a registry is sent bare. What it answers is learnt once for the host; every
repository then gets its token without being refused first.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hardhull.facts.credentials import Credential, Keyring
    from hardhull.facts.hosts import Endpoint, Hosts
    from hardhull.facts.transport import Answer, Transport

_REFUSED: Final = frozenset({401, 403})
_NOT_HERE: Final = frozenset({404, 405})
_OK: Final = 200
_UNKNOWN: Final = 401
_LARGEST_TOKEN: Final = 256 * 1024
_LIFETIME: Final = 60
"""Seconds a token holds if its server does not say."""
_EARLY: Final = 5
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_PART: Final = re.compile(
    rf'\s*,?\s*(?:(?P<key>{_WORD})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))'
    rf"|(?P<scheme>{_WORD}))"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry wants; `repository` is the one that was asked for then."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""
    repository: str = ""

    def scope_of(self, repository: str) -> str:
        """The scope for a repository: what the registry said, to the letter, its name apart."""
        if not self.scope:
            return f"repository:{repository}:pull"
        return self.scope.replace(f":{self.repository}:", f":{repository}:")


def read_challenge(header: str, repository: str) -> Challenge | None:
    """The challenge of a WWW-Authenticate header that can be met; Bearer before Basic."""
    found: list[tuple[str, dict[str, str]]] = []
    at = 0
    while (match := _PART.match(header, at)) is not None and match.end() > at:
        at = match.end()
        if match["scheme"] is not None:
            found.append((match["scheme"].lower(), {}))
        elif found:
            quoted = match["quoted"]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["bare"]
            found[-1][1].setdefault(match["key"].lower(), value)
    for scheme, given in found:
        if scheme == "bearer" and given.get("realm"):
            service, scope = given.get("service", ""), given.get("scope", "")
            return Challenge(scheme, given["realm"], service, scope, repository)
    return Challenge("basic") if any(scheme == "basic" for scheme, _ in found) else None


@dataclass(slots=True)
class _Token:
    text: str = field(repr=False)
    until: float


class Door:
    """The way into one registry; may be used by several threads."""

    def __init__(
        self, endpoint: Endpoint, hosts: Hosts, transport: Transport, keyring: Keyring
    ) -> None:
        self._endpoint = endpoint
        self._hosts = hosts
        self._transport = transport
        self._keyring = keyring
        self._first = threading.Lock()
        self._known = False
        self._challenge: Challenge | None = None
        self._locks: dict[str, threading.Lock] = {}
        self._tokens: dict[str, _Token] = {}

    def send(self, repository: str, ask: Callable[[Mapping[str, str]], Answer]) -> Answer:
        """Send what `ask` sends with the headers it is given, logged in if that is needed."""
        if not self._known:
            # One request finds out for all: the others wait for its answer.
            with self._first:
                if not self._known:
                    answer = ask({})
                    self._learn(answer, repository)
                    self._known = True
                    if answer.status != _UNKNOWN:
                        return answer
        seen = self._challenge
        answer = ask(self._headers(seen, repository))
        if answer.status != _UNKNOWN:
            return answer
        # This repository is not like the others, or its token has been taken back.
        now = self._learn(answer, repository)
        if now is None or (now.scheme == "basic" and seen is not None and seen.scheme == "basic"):
            raise self._needs_login(repository)
        self._tokens.pop(now.scope_of(repository), None)
        return ask(self._headers(now, repository))

    def _learn(self, answer: Answer, repository: str) -> Challenge | None:
        if answer.status != _UNKNOWN:
            return None
        self._challenge = read_challenge(answer.header("www-authenticate"), repository)
        if self._challenge is None:
            raise self._needs_login(repository)
        return self._challenge

    def _needs_login(self, repository: str) -> RegistryError:
        login = self._endpoint.login
        if self._keyring.find(login, repository) is not None:
            return RegistryError(f"{login} refuses the login for {repository}", _advice(login))
        return RegistryError(f"{login} wants a login for {repository}", _advice(login))

    def _headers(self, challenge: Challenge | None, repository: str) -> dict[str, str]:
        if challenge is None:
            return {}
        credential = self._keyring.find(self._endpoint.login, repository)
        if challenge.scheme == "basic":
            if credential is None or not credential.secret:
                raise self._needs_login(repository)
            return {"Authorization": credential.basic}
        if credential is not None and credential.registry_token:
            return {"Authorization": f"Bearer {credential.registry_token}"}
        scope = challenge.scope_of(repository)
        with self._locks.setdefault(scope, threading.Lock()):
            token = self._tokens.get(scope)
            if token is None or token.until < time.monotonic():
                token = self._new_token(challenge, scope, credential, repository)
                self._tokens[scope] = token
        return {"Authorization": f"Bearer {token.text}"}

    # -- the token server

    def _new_token(
        self, challenge: Challenge, scope: str, credential: Credential | None, repository: str
    ) -> _Token:
        realm = self._hosts.check_realm(challenge.realm, self._endpoint.place)
        query = {"service": challenge.service, "scope": scope}
        query = {name: value for name, value in query.items() if value}
        answer = None
        if credential is not None and credential.identity_token:
            answer = self._exchange(realm.url, query, credential.identity_token)
        if answer is None:
            joined = "&" if realm.query else "?"
            url = realm._replace(fragment=None).url + joined + urlencode(query)
            headers = {"Authorization": credential.basic} if credential is not None else {}
            answer = self._transport.send("GET", url, headers, most=_LARGEST_TOKEN)
            if answer.status in _REFUSED and headers:
                # A login that is too old must not stand in the way of what everyone may read.
                answer = self._transport.send("GET", url, {}, most=_LARGEST_TOKEN)
        if answer.status in _REFUSED:
            raise self._needs_login(repository)
        if answer.status != _OK:
            raise RegistryError(
                f"{self._endpoint.login} gives out no token (status {answer.status})",
                "try again later",
            )
        return self._read_token(answer)

    def _exchange(self, realm: str, query: Mapping[str, str], identity: str) -> Answer | None:
        """Exchange an identity token; None if the server knows no such thing."""
        given = {
            "grant_type": "refresh_token",
            "refresh_token": identity,
            "client_id": "hardhull",
            **query,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._transport.send(
            "POST", realm, headers, most=_LARGEST_TOKEN, body=urlencode(given).encode()
        )
        return None if answer.status in _NOT_HERE else answer

    def _read_token(self, answer: Answer) -> _Token:
        data: Any = None
        try:
            data = json.loads(answer.body)
        except (ValueError, RecursionError):
            data = None
        given = data if isinstance(data, dict) else {}
        text = given.get("token") or given.get("access_token")
        if not isinstance(text, str) or _TOKEN.fullmatch(text) is None:
            raise RegistryError(f"{self._endpoint.login} gives out no token that can be read")
        seconds = given.get("expires_in")
        lifetime = seconds if isinstance(seconds, int) and seconds > 0 else _LIFETIME
        return _Token(text, time.monotonic() + max(lifetime - _EARLY, 1))


_HELPERS: Final = (
    (".azurecr.io", "acr-env"),
    (".amazonaws.com", "ecr-login"),
    ("public.ecr.aws", "ecr-login"),
    (".pkg.dev", "gcloud"),
    ("gcr.io", "gcloud"),
)


def _advice(login: str) -> str:
    """What to do where a login is missing, without naming a secret."""
    if login == "ghcr.io":
        return "set GITHUB_TOKEN to a token with packages: read, or `docker login ghcr.io`"
    helper = next((name for suffix, name in _HELPERS if login.endswith(suffix)), None)
    more = f", or name docker-credential-{helper} under credHelpers" if helper else ""
    return f"`docker login {login}`{more}; some registries answer so for a name they don't have"
