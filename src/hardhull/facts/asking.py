"""One door to the registries for everything that asks them: `record`, `fix`, `pr`, the action."""

from __future__ import annotations

import datetime
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from hardhull.facts.azure import AzureJob
from hardhull.facts.cache import Cache, Recent, cache_folder
from hardhull.facts.credentials import Keyring
from hardhull.facts.hosts import Hosts
from hardhull.facts.lookups import Failure, look_up_all
from hardhull.facts.recording import merged
from hardhull.facts.registry import Registries
from hardhull.facts.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from hardhull.facts.gather import Recorded
    from hardhull.facts.lookups import Wanted
    from hardhull.facts.registry import Image

    Watch: TypeAlias = Callable[[int], AbstractContextManager[Callable[[str], object]]]


class Places(Protocol):
    """Which registries may be asked, as the configuration says."""

    @property
    def allow(self) -> tuple[str, ...]: ...
    @property
    def plain_http(self) -> tuple[str, ...]: ...
    @property
    def mirrors(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Answers:
    """What registries said of images, by name; `contacted` are the hosts that were asked."""

    images: Mapping[str, Image] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    contacted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def recorded(self, now: str) -> Mapping[str, Recorded]:
        """The images as a recording has them that was made at this time."""
        return merged({}, self.images, now)


def _unwatched(_: int) -> AbstractContextManager[Callable[[str], object]]:
    return nullcontext(lambda _: None)


class Desk:
    """Where registries are asked: one client for all roots that may ask the same ones.

    Answers are kept, so that a run that is repeated asks nothing again. `environment` holds
    logins, proxies and the folder of the cache. `watch` is told how many images are looked up,
    and gives what hears of each name.
    """

    def __init__(self, environment: Mapping[str, str], watch: Watch = _unwatched) -> None:
        self._environment = environment
        self._watch = watch
        self._lines: list[tuple[Places, datetime.timedelta, _Line]] = []

    def ask(
        self,
        places: Places,
        wanted: Iterable[Wanted],
        kept_for: datetime.timedelta = datetime.timedelta(),
    ) -> Answers:
        """Look images up, many at once; one that fails fails alone.

        What another run was told within `kept_for` is not asked again.
        """
        return self._line(places, kept_for).ask(wanted, self._watch)

    def _line(self, places: Places, kept_for: datetime.timedelta) -> _Line:
        for known, life, line in self._lines:
            if known == places and life == kept_for:
                return line
        line = _Line(places, self._environment, kept_for)
        self._lines.append((places, kept_for, line))
        return line


class _Line:
    """The client for one list of registries, and what it has found out."""

    def __init__(
        self, places: Places, environment: Mapping[str, str], kept_for: datetime.timedelta
    ) -> None:
        hosts = Hosts(places.allow, places.plain_http, places.mirrors)
        self._transport = Transport(hosts, environment)
        self._keyring = Keyring(environment, job=AzureJob(environment, self._transport))
        folder = cache_folder(environment)
        cache, recent = Cache(folder), Recent(folder, kept_for)
        self._client = Registries(hosts, self._transport, self._keyring, cache, recent)
        self._asked: dict[Wanted, None] = {}
        self._found: dict[str, Image | Failure] = {}

    def ask(self, wanted: Iterable[Wanted], watch: Watch) -> Answers:
        new = [one for one in wanted if one not in self._asked]
        self._asked |= dict.fromkeys(new)
        if new:
            with watch(len(new)) as advance:
                self._found |= look_up_all(self._client, new, advance)
        spared = (
            f"{registry}: half of the requests it still allows are left to you; the configs of "
            "some images were not read. Log in for more, or ask again later"
            for registry in self._client.spared
        )
        return Answers(
            {name: one for name, one in self._found.items() if not isinstance(one, Failure)},
            {name: one for name, one in self._found.items() if isinstance(one, Failure)},
            self._transport.contacted,
            (*self._keyring.notes, *spared),
        )
