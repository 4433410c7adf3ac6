"""Requests to registries: guarded addresses, timeouts, sizes, retries and redirects.

The address of a host is checked where the connection is made, so that no second look at the name
service can give another one. Through a proxy (`HTTPSPROXY`) the proxy looks names up, and only
addresses that are written out can be checked.
"""

from __future__ import annotations

import email.utils
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3 import exceptions as errors
from urllib3.util import parse_url

from hardhull import __version__
from hardhull.facts.connections import PROXY, new_pool
from hardhull.facts.hosts import Hosts, Place, place_of
from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3.util import Url

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_FORBIDDEN: Final = 403
_MOST_REDIRECTS: Final = 5
_MICROSOFT: Final = "mcr.microsoft.com"
"""Answers 403 now and then to whom it answered a moment ago: not a verdict there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, tries and bytes."""

    connect: float = 5.0
    read: float = 15.0
    whole: float = 60.0
    tries: int = 4
    pause: float = 0.5
    longest_pause: float = 30.0
    pauses_per_host: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, redirects followed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header's value, empty if there is none."""
        return self.headers.get(name, "")


class Transport:
    """Sends requests; may be used by several threads. `contacted` lists the hosts in order."""

    def __init__(
        self,
        hosts: Hosts,
        environment: Mapping[str, str],
        limits: Limits = Limits(),
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._hosts = hosts
        self._environment = environment
        self._limits = limits
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], urllib3.PoolManager] = {}
        self._down: dict[Place, RegistryError] = {}
        self._paused: dict[Place, float] = {}
        self._seen: set[str] = set()

    @property
    def contacted(self) -> tuple[str, ...]:
        """The hosts that requests were sent to, sorted."""
        with self._lock:
            return tuple(sorted(self._seen))

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        most: int,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request, again where that helps, and follow where it leads.

        Raises RegistryError if there is no answer. Any status is an answer.
        """
        target = parse_url(url)
        given = {"User-Agent": f"hardhull/{__version__}", **headers}
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._persistently(method, target, given, most, body)
            where = answer.header("location")
            if answer.status not in _REDIRECTS or not where or body is not None:
                return answer
            before = target
            target = self._hosts.check_url(where, place_of(before), before.url)
            if (target.scheme, place_of(target)) != (before.scheme, place_of(before)):
                given.pop("Authorization", None)
        raise RegistryError(f"{place_of(target)} redirects in circles")

    # -- one address

    def _persistently(
        self, method: str, url: Url, headers: Mapping[str, str], most: int, body: bytes | None
    ) -> Answer:
        place = place_of(url)
        trouble: RegistryError | None = None
        for number in range(self._limits.tries):
            if place in self._down:
                raise self._down[place]
            answer: Answer | None = None
            try:
                answer = self._once(method, url, headers, most, body)
            except RegistryError as error:
                trouble = error
                if error.lasting:
                    break
            if answer is not None and not _is_passing(answer.status, place):
                return answer
            # Where nobody answers at all, one more try is enough to tell.
            down = answer is None and trouble is not None and trouble.down
            last = number + 1 == (min(2, self._limits.tries) if down else self._limits.tries)
            if last or not self._wait(place, number, answer):
                if answer is not None:
                    return answer
                break
        if trouble is None:
            raise AssertionError("at least one try is made")
        if trouble.down:
            with self._lock:
                self._down[place] = trouble
        raise trouble

    def _wait(self, place: Place, number: int, answer: Answer | None) -> bool:
        """Pause before the next try; False if that would take longer than anyone waits."""
        pause = self._limits.pause * 2**number
        if answer is not None:
            pause = max(pause, _retry_after(answer.header("retry-after")))
        with self._lock:
            total = self._paused.get(place, 0.0) + pause
            if pause > self._limits.longest_pause or total > self._limits.pauses_per_host:
                return False
            self._paused[place] = total
        self._sleep(pause)
        return True

    def _once(
        self, method: str, url: Url, headers: Mapping[str, str], most: int, body: bytes | None
    ) -> Answer:
        place = place_of(url)
        limits = self._limits
        pool = self._pool(url)
        with self._lock:
            self._seen.add(str(place))
        try:
            response = pool.urlopen(
                method,
                url.url,
                headers=dict(headers),
                body=body,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            )
            data = _read(response, place, most, time.monotonic() + limits.whole)
        except errors.HTTPError as error:
            raise _told(error, place) from None
        except (OSError, ValueError):
            raise RegistryError(f"{place} can't be reached", _NETWORK, lasting=False) from None
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, data)

    # -- connections

    def _pool(self, url: Url) -> urllib3.PoolManager:
        proxy = self._proxy(url)
        if proxy:
            # The proxy finds the host: what can be checked is an address that is written out.
            place = place_of(url)
            if place.host == "localhost" or _is_address(place.host):
                self._hosts.check_address(place, place.host)
        with self._lock:
            key = (proxy, url.scheme or "")
            if key not in self._pools:
                self._pools[key] = new_pool(self._hosts, *key)
            return self._pools[key]

    def _proxy(self, url: Url) -> str:
        names = (f"{url.scheme}_proxy", "all_proxy")
        found = (self._environment.get(n) or self._environment.get(n.upper()) for n in names)
        proxy = next(filter(None, found), "")
        spared = self._environment.get("no_proxy") or self._environment.get("NOPROXY") or ""
        if proxy and spared:
            bypassed = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
            if bypassed(url.netloc, {"no": spared}):
                return ""
        return proxy


_NETWORK = "check the name and the network; where there is none, give a recording with --digests"


def _is_passing(status: int, place: Place) -> bool:
    return status in _AGAIN or (status == _FORBIDDEN and place.host == _MICROSOFT)


def _retry_after(value: str) -> float:
    """Seconds to wait, from a number or a date; 0 if it says neither."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        then = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, then.timestamp() - time.time())


def _read(response: urllib3.BaseHTTPResponse, place: Place, most: int, deadline: float) -> bytes:
    """The body, up to `most` bytes; a connection whose body was not read is not used again."""
    parts: list[bytes] = []
    size = 0
    whole = False
    try:
        for part in response.stream(65_536, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > most:
                raise RegistryError(f"{place} sends more than {most:,} bytes where few belong")
            if time.monotonic() > deadline:
                raise RegistryError(f"{place} is too slow", "try again later", lasting=False)
        whole = True
    finally:
        if whole:
            response.release_conn()
        else:
            response.close()
    return b"".join(parts)


def _told(error: errors.HTTPError, place: Place) -> RegistryError:
    """An error without what the request carried."""
    match error:
        case errors.NameResolutionError():
            return RegistryError(
                f"{place} is not known to the name service", _NETWORK, lasting=False, down=True
            )
        case errors.ProxyError():
            return RegistryError(
                f"the proxy does not lead to {place}", PROXY, lasting=False, down=True
            )
        case errors.SSLError():
            advice = "name the file of your own authority in SSL_CERT_FILE"
            return RegistryError(f"{place} has no certificate that is trusted", advice, down=True)
        case errors.NewConnectionError():
            # A kind of TimeoutError to urllib3, for old times' sake.
            return RegistryError(f"{place} can't be reached", _NETWORK, lasting=False, down=True)
        case errors.TimeoutError():
            return RegistryError(
                f"{place} does not answer in time", _NETWORK, lasting=False, down=True
            )
        case _:
            return RegistryError(f"{place} breaks off", "try again later", lasting=False)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
