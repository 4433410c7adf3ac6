"""Misfortunes: what goes wrong, at which request, and what other people do meanwhile."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standin.routing import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCS = "https://docs.github.com/rest"
LIMITS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
PRIMARY = "API rate limit exceeded for installation ID 1"
TIMEOUT = "Something went wrong while executing your query."
UNRESOLVED = "Could not resolve to a node with the global id of 'PR_kwDOAAA'."


class Fault(enum.Enum):
    LOST_BEFORE = "the connection is lost before the server acted"
    LOST_AFTER = "the connection is lost after the server acted"
    BAD_GATEWAY = "502, nothing was done"
    BAD_GATEWAY_AFTER = "502, but it was done"
    SECONDARY_LIMIT = "403, the secondary rate limit, with Retry-After"
    PRIMARY_LIMIT = "403, the primary rate limit is used up"
    TOO_MANY = "429 with Retry-After"
    TOO_MANY_BARE = "429 without Retry-After"
    TOO_QUICKLY = "422, was submitted too quickly"
    CONFLICT = "409"
    UNRESOLVED = "422, could not resolve to a node: what was just made is not everywhere yet"
    TREE_MISSING = "422, Tree SHA does not exist: likewise"
    GRAPHQL_LIMIT = "200 with an error of type RATE_LIMITED"
    GRAPHQL_PARTIAL = "200 with data and an error: what was asked first is null"
    GRAPHQL_TIMEOUT = "502 in GraphQL's form, nothing was done"

    @property
    def acts(self) -> bool:
        """Whether the server does what it was asked."""
        return self in {Fault.LOST_AFTER, Fault.BAD_GATEWAY_AFTER, Fault.GRAPHQL_PARTIAL}

    @property
    def lost(self) -> bool:
        return self in {Fault.LOST_BEFORE, Fault.LOST_AFTER}


@dataclass
class _Planned:
    index: int | None
    pattern: re.Pattern[str] | None
    fault: Fault | None
    meanwhile: Callable[[], object] | None
    times: int

    def hits(self, index: int, said: str) -> bool:
        if self.times == 0:
            return False
        if self.index is not None:
            return index == self.index
        return bool(self.pattern and self.pattern.search(said))


@dataclass
class Faults:
    retry_after: int = 0
    """What the limits ask to wait, in seconds."""
    _planned: list[_Planned] = field(default_factory=list)

    def at(self, index: int, fault: Fault) -> None:
        """Strike the request with this index, counted from 0 from the start."""
        self._planned.append(_Planned(index, None, fault, None, 1))

    def on(self, pattern: str, fault: Fault, *, times: int = 1) -> None:
        """Strike requests that `hub.requests` would show so: `POST .*/pulls$`, `updateRefs`."""
        self._planned.append(_Planned(None, re.compile(pattern), fault, None, times))

    def before(self, pattern: str | int, act: Callable[[], object]) -> None:
        """Let something happen just before such a request is looked at: another person, a race."""
        if isinstance(pattern, int):
            self._planned.append(_Planned(pattern, None, None, act, 1))
        else:
            self._planned.append(_Planned(None, re.compile(pattern), None, act, 1))

    def clear(self) -> None:
        self._planned.clear()

    def strike(self, index: int, said: str) -> Fault | None:
        """What strikes this request, after what others do meanwhile."""
        struck = None
        for one in self._planned:
            if one.hits(index, said):
                one.times -= 1
                if one.meanwhile is not None:
                    one.meanwhile()
                struck = struck or one.fault
        return struck

    def answer(self, fault: Fault, now: int) -> Answer | None:
        """What is answered instead; None where the true answer is what matters."""
        wait = {"Retry-After": str(self.retry_after)}
        spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(now + 1)}
        bad = Answer(502, {"message": "Server Error"})
        return {
            Fault.BAD_GATEWAY: bad,
            Fault.BAD_GATEWAY_AFTER: bad,
            Fault.GRAPHQL_TIMEOUT: Answer(502, {"data": None, "errors": [{"message": TIMEOUT}]}),
            Fault.SECONDARY_LIMIT: _refusal(
                403, SECONDARY, f"{LIMITS}#about-secondary-rate-limits", wait
            ),
            Fault.PRIMARY_LIMIT: _refusal(403, f"{PRIMARY}.", LIMITS, spent),
            Fault.TOO_MANY: _refusal(429, "Too many requests", LIMITS, wait),
            Fault.TOO_MANY_BARE: _refusal(429, "Too many requests", LIMITS),
            Fault.TOO_QUICKLY: _unprocessable("was submitted too quickly"),
            Fault.UNRESOLVED: _unprocessable(UNRESOLVED),
            Fault.TREE_MISSING: _refusal(422, "Tree SHA does not exist"),
            Fault.CONFLICT: _refusal(409, "Conflict"),
            Fault.GRAPHQL_LIMIT: Answer(
                200, {"errors": [{"type": "RATE_LIMITED", "message": f"{PRIMARY}."}]}
            ),
        }.get(fault)


def _refusal(
    status: int, said: str, about: str = DOCS, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(status, {"message": said, "documentation_url": about}, headers or {})


def _unprocessable(said: str) -> Answer:
    errors = [{"resource": "PullRequest", "code": "custom", "message": said}]
    body = {"message": "Validation Failed", "errors": errors, "documentation_url": DOCS}
    return Answer(422, body)
