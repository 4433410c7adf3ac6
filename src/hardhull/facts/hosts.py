"""Which hosts may be contacted, and by which addresses.

Names of registries come from files that anyone may have written. A host is contacted only if it
is on the list, over https, and at a public address; what a maintainer names in the configuration
is exempt from exactly the rule it is named for.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from hardhull.facts.trouble import RegistryError
from hardhull.images import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED: Final = (
    "mcr.microsoft.com",
    "docker.io",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "*.gcr.io",
    "*.pkg.dev",
    "registry.k8s.io",
    "public.ecr.aws",
    "*.azurecr.io",
)
"""Registries that are contacted without being named."""

CONFIG: Final = ".github/hardhull.yml"
DOCKER_HUB: Final = "registry-1.docker.io"
_REALMS: Final = {DOCKER_HUB: "auth.docker.io"}
"""Who gives out a registry's tokens, where that is a host of another name."""
_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Place(NamedTuple):
    """A host and the port it is contacted at."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in _PORTS.values() else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the images of a registry are asked for: `base` begins every address."""

    base: str
    place: Place
    prefix: str
    login: str
    """The host as logins name it."""


@dataclass(frozen=True)
class Hosts:
    """The rules about hosts: the built-in list, and what the configuration names."""

    allow: tuple[str, ...] = ()
    plain_http: tuple[str, ...] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)

    def endpoint(self, host: str) -> Endpoint:
        """Where to ask for images of `host`. Raises RegistryError if it is not allowed."""
        mirror = self.mirrors.get(host)
        netloc, _, prefix = (mirror or host).partition("/")
        asked = DOCKER_HUB if netloc == DEFAULT_HOST else netloc
        plain = self._is_plain(_place(asked, 80))
        scheme = "http" if plain else "https"
        place = _place(asked, _PORTS[scheme])
        if mirror is None and not self._is_allowed(netloc, place):
            raise RegistryError(
                f"{netloc} is not among the allowed registries",
                f"add to {CONFIG}: {_line('allow', netloc)}",
            )
        return Endpoint(
            f"{scheme}://{asked}/v2/", place, f"{prefix}/" if prefix else "", netloc.lower()
        )

    def check_url(self, url: str, sender: Place, base: str = "") -> Url:
        """Check an address that a server sent: https, no login in it, no odd port.

        `base` is the address that a relative one begins from.
        """
        what = f"{sender} sends to an address that is not followed"
        try:
            parsed = parse_url(urljoin(base, url))
        except (LocationParseError, ValueError):
            raise RegistryError(f"{what}: it can't be read") from None
        if parsed.scheme not in _PORTS or parsed.auth is not None or not parsed.host:
            raise RegistryError(f"{what}: only https addresses of a host are")
        place = place_of(parsed)
        if parsed.scheme == "http" and not self._is_plain(place):
            raise RegistryError(
                f"{what}: http://{place} is not encrypted",
                f"if that is meant, add to {CONFIG}: {_line('plain-http', str(place))}",
            )
        if place.port != _PORTS[parsed.scheme] and place != sender and not self.is_named(place):
            raise RegistryError(
                f"{what}: {place} has a port of its own",
                f"if that is meant, add to {CONFIG}: {_line('allow', str(place))}",
            )
        return parsed

    def check_realm(self, url: str, registry: Place) -> Url:
        """Check who is to give a token: the login goes there, so it must belong together."""
        parsed = self.check_url(url, registry)
        place = place_of(parsed)
        if not _belongs(place.host, registry.host) and not self._is_allowed(str(place), place):
            raise RegistryError(
                f"{registry} sends logins to {place}, which is another's host",
                f"if that is meant, add to {CONFIG}: {_line('allow', str(place))}",
            )
        return parsed

    def check_address(self, place: Place, address: str) -> None:
        """Refuse an address that is not public, unless its host is named."""
        if not self.is_named(place) and not is_public(address):
            raise RegistryError(
                f"{place} is at {address}, which is not a public address",
                f"if that is meant, add to {CONFIG}: {_line('allow', str(place))}",
                down=True,
            )

    def is_named(self, place: Place) -> bool:
        """Whether the configuration names this very host; a pattern names none."""
        mirrors = (mirror.partition("/")[0] for mirror in self.mirrors.values())
        return self._is_plain(place) or any(
            place == _place(name, 443) for name in (*self.allow, *mirrors)
        )

    def _is_plain(self, place: Place) -> bool:
        return any(place == _place(name, 80) for name in self.plain_http)

    def _is_allowed(self, name: str, place: Place) -> bool:
        if self.is_named(place):
            return True
        # By the name it is written with: Docker Hub answers under another one.
        host = name.lower().removesuffix(":443")
        return place.port == _PORTS["https"] and any(
            host.endswith(pattern[1:]) if pattern[0] == "*" else host == pattern
            for pattern in (*ALLOWED, *(listed.lower() for listed in self.allow))
        )


def place_of(url: Url) -> Place:
    """The host and port of an address."""
    host = (url.host or "").strip("[]").rstrip(".").lower()
    return Place(host, url.port or _PORTS[url.scheme or "https"])


def is_public(address: str) -> bool:
    """Whether an IP address is reachable for everyone, looking into those that hold another."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def _place(name: str, default: int) -> Place:
    host, colon, port = name.lower().rpartition(":")
    if not colon or not port.isdigit() or host.endswith(":"):
        host, port = name.lower(), str(default)
    return Place(host.strip("[]"), int(port))


def _belongs(realm: str, registry: str) -> bool:
    """The same host, one below the other, or a pair that is known."""
    return (
        realm == registry
        or realm.endswith(f".{registry}")
        or ("." in realm and registry.endswith(f".{realm}"))
        or _REALMS.get(registry) == realm
    )


def _line(key: str, host: str) -> str:
    return f'registries: {{{key}: ["{host}"]}}'
