"""What a check asks of GitHub: a few reads, and one comment. Counts its requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import urllib3

from hardhull import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_GONE_FOR_NOW = (429, 500, 502, 503, 504)
_LONGEST_WAIT = 30
_LARGEST = 64 * 1024 * 1024


class Refused(Exception):
    """GitHub did not do what was asked: the status, and its own words for it."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(f"{what}: {message} ({status})" if status else f"{what}: {message}")
        self.status = status


class Hub(Protocol):
    """The part of GitHub's API that a check needs."""

    requests: int

    def get(self, path: str) -> Any:
        """Read `path`, below the API's address."""

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Write."""

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Ask; returns the `data` of the answer."""


class Api:
    """GitHub over https; the token goes to this server alone and is never printed."""

    def __init__(self, token: str, environment: Mapping[str, str]) -> None:
        self._base = environment.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        self._graphql = environment.get("GITHUB_GRAPHQL_URL", f"{self._base}/graphql")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": f"hardhull/{__version__}",
        }
        self._pool = urllib3.PoolManager(headers=self._headers)
        self.requests = 0

    @property
    def host(self) -> str:
        """The host that was contacted."""
        return urllib3.util.parse_url(self._base).host or self._base

    def get(self, path: str) -> Any:
        """Read; tried again where the server says that it may pass."""
        return self._ask("GET", self._base + path, None, tries=3)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Write, once: whether a request that was lost was done can't be known."""
        return self._ask(method, self._base + path, body, tries=0)

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Ask a query, which changes nothing and so may be tried again."""
        body = {"query": query, "variables": variables}
        answer = self._ask("POST", self._graphql, body, tries=3)
        errors = answer.get("errors") if isinstance(answer, dict) else [{}]
        if errors:
            first = errors[0] if isinstance(errors[0], dict) else {}
            limited = first.get("type") in ("FORBIDDEN", "INSUFFICIENT_SCOPES")
            raise Refused("GraphQL", 403 if limited else 400, str(first.get("message", "failed")))
        return answer["data"]

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None, tries: int) -> Any:
        self.requests += 1
        what = f"{method} {url.removeprefix(self._base).partition('?')[0]}"
        retries = urllib3.Retry(
            tries,
            redirect=3,
            allowed_methods=None,
            status_forcelist=_GONE_FOR_NOW if tries else (),
            backoff_factor=1,
            backoff_max=_LONGEST_WAIT,
            raise_on_status=False,
        )
        try:
            answer = self._pool.request(
                method,
                url,
                body=json.dumps(body) if body is not None else None,
                retries=retries,
                timeout=_TIMEOUT,
                preload_content=False,
            )
            data = answer.read(_LARGEST + 1, decode_content=True)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Refused(what, 0, type(error).__name__) from None
        if len(data) > _LARGEST:
            raise Refused(what, 0, "the answer is too large")
        try:
            parsed = json.loads(data) if data else None
        except (ValueError, RecursionError):
            parsed = None
        if answer.status >= 300:  # noqa: PLR2004  what is no success
            message = parsed.get("message") if isinstance(parsed, dict) else None
            raise Refused(what, answer.status, str(message or "refused"))
        if parsed is None:
            raise Refused(what, answer.status, "the answer is not JSON")
        return parsed
