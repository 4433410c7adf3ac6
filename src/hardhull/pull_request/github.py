"""GitHub's API: requests counted, waits where it asks for them, no token in any text.

PyGithub brings authentication, connections and Enterprise's addresses. Its own repetition is
switched off: it repeats requests that may have been carried out, and would write comments twice.
Here only what can be repeated without harm is; of all else one must look what became of it.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hardhull.model import UsageError
from hardhull.pull_request.refusals import Refused, advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMES, _LONGEST_WAIT, _FREE_WRITES = 3, 120.0, 30
_SERVER_ERROR, _OK = 500, 300
_TOO_QUICK = "was submitted too quickly"
_LIMITED = ("rate limit", "abuse detection", _TOO_QUICK)
_NOT_YET = ("could not resolve to a node", "tree sha does not exist")


class Uncertain(Exception):
    """A write may have been carried out or not: look before it is repeated."""


class Moved(Exception):
    """Something is not as it was when it was looked at: someone else was faster."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of a request that was understood."""

    status: int
    data: Any


class GitHub:
    """One account on one server.

    `wait` is how time passes; tests give one that does not. Raises Refused, Uncertain or Moved.
    """

    def __init__(
        self,
        token: str,
        api_url: str = "https://api.github.com",
        *,
        server_url: str = "https://github.com",
        graphql_url: str | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        import github  # noqa: PLC0415  takes 170 ms

        github.set_log_level(logging.CRITICAL)
        self._github = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_url.rstrip("/"),
            timeout=30,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            user_agent="hardhull",
            lazy=True,
            api_version="2022-11-28",
        )
        self._token = token
        self._graphql = graphql_url or self._github.requester.graphql_url
        self.server_url = server_url.rstrip("/")
        self._wait = wait
        self.requests = 0
        self.writes = 0

    @classmethod
    def of_environment(
        cls, environment: Mapping[str, str], wait: Callable[[float], None] = time.sleep
    ) -> GitHub:
        """The account that the environment's token belongs to. Raises UsageError without one."""
        token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
        if not token or not token.strip():
            raise UsageError("no token: set GITHUB_TOKEN (or GH_TOKEN) in the environment")
        if not token.strip().isascii() or not token.strip().isprintable():
            raise UsageError("GITHUB_TOKEN: holds characters that no token has")
        urls = {
            name: environment.get(f"GITHUB_{name}_URL") or default
            for name, default in (
                ("API", "https://api.github.com"),
                ("SERVER", "https://github.com"),
            )
        }
        for name, url in urls.items():
            if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).hostname:
                raise UsageError(f"GITHUB_{name}_URL: expected an address such as https://…")
        return cls(
            token.strip(),
            urls["API"],
            server_url=urls["SERVER"],
            graphql_url=environment.get("GITHUB_GRAPHQL_URL") or None,
            wait=wait,
        )

    @property
    def token(self) -> str:
        """For git alone; it is never part of a text."""
        return self._token

    def query(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Read by GraphQL; `data` and `errors` as they came, repeated if something got lost."""
        for attempt in range(_TIMES):
            answer = self._send("POST", self._graphql, _graphql(text, variables), again=True)
            kinds = {error.get("type") for error in answer.data.get("errors") or ()}
            if "RATE_LIMITED" not in kinds and (answer.data.get("data") or kinds):
                break
            self.pause(60.0 if kinds else 2.0**attempt)
        return dict(answer.data)

    def mutate(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Write by GraphQL, once."""
        self._count_write()
        return dict(self._send("POST", self._graphql, _graphql(text, variables), again=False).data)

    def read(self, path: str) -> Answer:
        """Read by REST."""
        return self._send("GET", path, None, again=True)

    def write(self, verb: str, path: str, body: Any, *, again: bool = False) -> Answer:
        """Write by REST; `again` says that it may be repeated without harm."""
        self._count_write()
        return self._send(verb, path, body, again=again)

    # -- one request and what may come of it

    def _send(self, verb: str, path: str, body: Any, *, again: bool) -> Answer:
        for attempt in range(_TIMES):
            last = attempt == _TIMES - 1
            try:
                status, headers, text = self._request(verb, path, body)
            except Uncertain:
                if not again or last:
                    raise
                self.pause(2.0**attempt)
                continue
            if status >= _SERVER_ERROR:
                if not again or last:
                    raise Uncertain(f"{verb} {path}: status {status}")
                self.pause(2.0**attempt)
                continue
            data = _parsed(text)
            if status < _OK:
                return Answer(status, data)
            pause = _pause_asked(status, headers, data)
            if pause is None or last:
                raise advice(status, data, path)
            if pause > _LONGEST_WAIT:
                raise Refused(
                    f"GitHub's rate limit is used up for {pause / 60:.0f} minutes; "
                    "run this again later"
                )
            self.pause(pause)
        raise Uncertain(f"{verb} {path}")

    def _request(self, verb: str, path: str, body: Any) -> tuple[int, Mapping[str, Any], str]:
        self.requests += 1
        try:
            status, headers, text = self._github.requester.requestJson(verb, path, input=body)
        except OSError as error:  # what requests raises is one
            raise Uncertain(f"{verb} {path}: {type(error).__name__}") from None
        except RuntimeError:  # PyGithub follows no redirect to another host
            raise Refused("GitHub redirects to another server; correct GITHUB_API_URL") from None
        return status, headers, text

    def count_push(self) -> None:
        """Count what git writes beside the API."""
        self._count_write()

    def _count_write(self) -> None:
        self.writes += 1
        if self.writes > _FREE_WRITES:
            self.pause(1.0)  # GitHub takes 80 writes a minute

    def pause(self, seconds: float) -> None:
        """Let time pass before something is tried again."""
        self._wait(seconds)


def _graphql(text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    return {"query": text, "variables": dict(variables)}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {"message": "an answer that is not JSON"}


def _pause_asked(status: int, headers: Mapping[str, Any], data: Any) -> float | None:
    """How long to wait before the request is made again; None if that would change nothing."""
    said = json.dumps(data).lower() if isinstance(data, dict) else ""
    if any(text in said for text in _NOT_YET):
        return 2.0
    if status != 429 and not any(text in said for text in _LIMITED):  # noqa: PLR2004  too many
        return None
    if _TOO_QUICK in said:
        return 60.0
    try:
        if "retry-after" in headers:
            return float(headers["retry-after"])
        if headers.get("x-ratelimit-remaining") == "0":
            return max(1.0, float(headers.get("x-ratelimit-reset", 0)) - time.time())
    except ValueError:
        pass
    return 60.0
