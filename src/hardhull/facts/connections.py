"""Connections to registries: whom they trust, and to which addresses they go.

The address of a host is checked where the connection is made, so that no second look at the name
service can give another one.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Final

import certifi
import urllib3
from urllib3 import exceptions as errors
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import make_headers, parse_url

from hardhull.facts.hosts import Hosts, Place
from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS: Final = 20
PROXY: Final = "HTTPS_PROXY holds its address, such as http://proxy.example:3128"


def new_pool(hosts: Hosts, proxy: str, scheme: str) -> urllib3.PoolManager:
    """Make connections of a scheme, through a proxy if its address is not empty."""
    trusted = None
    if scheme == "https" or proxy.startswith("https:"):
        # The system's authorities (or SSL_CERT_FILE's), and those of a slim image that has none
        # of its own.
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(certifi.where())
    if not proxy:
        pool = urllib3.PoolManager(num_pools=32, maxsize=THREADS, ssl_context=trusted)
        pool.pool_classes_by_scheme = _guarded(hosts)
        return pool
    try:
        parsed = parse_url(proxy if "://" in proxy else f"http://{proxy}")
        return urllib3.ProxyManager(
            parsed._replace(auth=None).url,
            num_pools=32,
            maxsize=THREADS,
            proxy_headers=make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None,
            ssl_context=trusted,
        )
    except (errors.HTTPError, ValueError):
        raise RegistryError("the proxy of the environment can't be used", PROXY) from None


def _guarded(hosts: Hosts) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Kinds of connection that look a name up once, and connect to what was checked."""

    def connect(connection: HTTPConnection, made: Callable[[], socket.socket]) -> socket.socket:
        place = Place(connection.host.lower(), connection.port)
        try:
            found = socket.getaddrinfo(connection.host, place.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError):
            unknown = socket.gaierror(socket.EAI_NONAME, "unknown")
            raise errors.NameResolutionError(connection.host, connection, unknown) from None
        for entry in found:
            hosts.check_address(place, str(entry[4][0]))
        return _first(connection, [str(entry[4][0]) for entry in found], made)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self, super()._new_conn)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self, super()._new_conn)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _first(
    connection: HTTPConnection, addresses: list[str], made: Callable[[], socket.socket]
) -> socket.socket:
    """Connect to the first address that answers; the name stays for TLS and for `Host`."""
    name = connection.host
    trouble: errors.HTTPError = errors.NewConnectionError(connection, "no address")
    for address in dict.fromkeys(addresses):
        connection.host = address
        try:
            return made()
        except errors.HTTPError as error:
            trouble = error
        finally:
            connection.host = name
    raise trouble
