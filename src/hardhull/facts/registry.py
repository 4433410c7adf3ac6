"""A read-only client of OCI registries: the digest of a tag, and the config behind a digest.

A tag costs one HEAD; its config up to three GETs more. What is fetched by digest is verified
against it, and what can't be verified is not used.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hardhull.facts.cache import Cache, Recent, digest_of
from hardhull.facts.login import Door
from hardhull.facts.manifests import (
    DIGEST,
    LIFECYCLE,
    MEDIA_TYPES,
    Manifest,
    chosen,
    is_date,
    read_config,
    read_end_of_life,
    read_manifest,
)
from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.facts.credentials import Keyring
    from hardhull.facts.hosts import Endpoint, Hosts
    from hardhull.facts.manifests import Platform
    from hardhull.facts.transport import Answer, Transport
    from hardhull.images import Reference

_ACCEPT: Final = {"Accept": ", ".join(MEDIA_TYPES)}
_OK: Final = 200
_LARGEST_MANIFEST: Final = 4 * 1024 * 1024
_LARGEST_CONFIG: Final = 8 * 1024 * 1024
_NO_HEAD: Final = frozenset({400, 405, 501})
_OLD: Final = "application/vnd.docker.distribution.manifest.v1+"
_REMAINING: Final = re.compile(r"\s*(\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Image:
    """What a registry says of an image; all but the digest only if it was asked for.

    `size` is that of the image whose config this is, as it is sent. `single` says whether the
    digest names one image, and not an index of several. `gone`: there is none of this digest.
    """

    digest: str
    config: Mapping[str, Any] | None = None
    platforms: tuple[str, ...] = ()
    size: int | None = None
    single: bool | None = None
    gone: bool = False
    end_of_life: str | None = None
    """The date since which its registry says that it gets no fixes, if that was asked."""


class Registries:
    """Looks images up, whatever registry they are in; may be used by several threads."""

    def __init__(
        self,
        hosts: Hosts,
        transport: Transport,
        keyring: Keyring,
        cache: Cache | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._hosts = hosts
        self._transport = transport
        self._keyring = keyring
        self._cache = cache if cache is not None else Cache(None)
        self._recent = recent if recent is not None else Recent(None)
        self._lock = threading.Lock()
        self._doors: dict[Endpoint, Door] = {}
        self._allowances: dict[Endpoint, _Allowance] = {}

    def look_up(self, reference: Reference, *, config: bool) -> Image:
        """Look an image up by its digest if it has one, else by its tag.

        Raises RegistryError. If only the config could not be had, because of a limit on
        requests, the image comes without it: `spared` names the registry then.
        """
        asked = _Asked(self._hosts.endpoint(reference.host), reference)
        digest = reference.digest or self._digest(asked)
        if DIGEST.fullmatch(digest) is None:
            raise RegistryError("its digest is not a sha256 digest, and no other can be verified")
        if not config:
            return Image(digest)
        if reference.digest is not None and self._cache.get(digest, _LARGEST_MANIFEST):
            self._must_exist(asked, digest)
        try:
            return self._described(asked, digest)
        except _SparedError:
            return Image(digest)

    def end_of_life(self, reference: Reference, digest: str) -> str | None:
        """The date since which the registry says that an image gets no fixes; None if it does not.

        Asked of the referrers of the OCI distribution specification 1.1, by one request. What
        fails is as good as nothing said.
        """
        asked = _Asked(self._hosts.endpoint(reference.host), reference)
        path = f"referrers/{digest}?artifactType={quote(LIFECYCLE, safe='')}"
        kept = self._recent.get(asked.url(path))
        if kept is not None:
            return kept if is_date(kept) else None
        try:
            answer = self._send("GET", asked, path, most=_LARGEST_MANIFEST)
            end = read_end_of_life(answer.body) if answer.status == _OK else None
        except RegistryError:
            return None
        if answer.status == _OK:
            self._recent.put(asked.url(path), end or "")
        return end

    @property
    def spared(self) -> tuple[str, ...]:
        """Registries that were not asked for configs any more, to leave requests for others."""
        with self._lock:
            kept = [(end.login, one) for end, one in self._allowances.items() if one.spared]
        return tuple(sorted(login for login, _ in kept))

    # -- steps

    def _digest(self, asked: _Asked) -> str:
        path = f"manifests/{asked.reference.tag or 'latest'}"
        kept = self._recent.get(asked.url(path))
        if kept is not None and DIGEST.fullmatch(kept) is not None:
            return kept
        digest = self._digest_now(asked, path)
        # What a tag means is there: it need not be asked for by its digest for a while.
        for one in (path, f"manifests/{digest}"):
            self._recent.put(asked.url(one), digest)
        return digest

    def _digest_now(self, asked: _Asked, path: str) -> str:
        answer = self._send("HEAD", asked, path, most=0)
        if answer.status == _OK:
            if answer.header("content-type").startswith(_OLD):
                raise RegistryError("it is stored in docker's first format, which has no digest")
            digest = answer.header("docker-content-digest").strip()
            if DIGEST.fullmatch(digest) is not None:
                return digest
        elif answer.status not in _NO_HEAD:
            raise _refused(answer, asked)
        # Some registries and proxies know no HEAD, or leave the digest out.
        answer = self._send("GET", asked, path, most=_LARGEST_MANIFEST)
        if answer.status != _OK:
            raise _refused(answer, asked)
        read_manifest(answer.body)
        return digest_of(answer.body)

    def _must_exist(self, asked: _Asked, digest: str) -> None:
        """What is known of an image must not hide that its registry has it no more."""
        path = f"manifests/{digest}"
        if self._recent.get(asked.url(path)) == digest:
            return
        answer = self._send("HEAD", asked, path, most=0)
        if answer.status != _OK and answer.status not in _NO_HEAD:
            raise _refused(answer, asked)
        self._recent.put(asked.url(path), digest)

    def _described(self, asked: _Asked, digest: str) -> Image:
        found = read_manifest(self._body(asked, "manifests", digest, _LARGEST_MANIFEST))
        platforms: tuple[Platform, ...] = ()
        single = isinstance(found, Manifest)
        if not isinstance(found, Manifest):
            platforms = tuple(entry.platform for entry in found.entries if entry.platform)
            one = chosen(found.entries)
            if one is None:
                raise RegistryError("its index holds no image")
            found = read_manifest(self._body(asked, "manifests", one.digest, _LARGEST_MANIFEST))
        if not isinstance(found, Manifest):
            raise RegistryError("its index holds another index, which is not followed")
        config, platform = read_config(self._body(asked, "blobs", found.config, _LARGEST_CONFIG))
        given = platforms or ((platform,) if platform is not None else ())
        return Image(digest, config, tuple(map(str, given)), found.size, single)

    def _body(self, asked: _Asked, kind: str, digest: str, most: int) -> bytes:
        body = self._cache.get(digest, most)
        if body is not None:
            return body
        if kind == "manifests" and not self._allowance(asked).take():
            raise _SparedError
        answer = self._send("GET", asked, f"{kind}/{digest}", most=most)
        if answer.status != _OK:
            raise _refused(answer, asked)
        if digest_of(answer.body) != digest:
            raise RegistryError(
                f"{asked.endpoint.place} sends something else than {digest[:19]}… names",
                "nothing of it is used; look at what stands between you and the registry",
            )
        self._cache.put(digest, answer.body)
        return answer.body

    def _send(self, method: str, asked: _Asked, path: str, *, most: int) -> Answer:
        url = asked.url(path)
        headers = {} if path.startswith("blobs/") else _ACCEPT

        def ask(login: Mapping[str, str]) -> Answer:
            return self._transport.send(method, url, {**headers, **login}, most=most)

        answer = self._door(asked.endpoint).send(asked.repository, ask)
        self._allowance(asked).learn(answer.header("ratelimit-remaining"))
        return answer

    def _door(self, endpoint: Endpoint) -> Door:
        with self._lock:
            if endpoint not in self._doors:
                self._doors[endpoint] = Door(endpoint, self._hosts, self._transport, self._keyring)
            return self._doors[endpoint]

    def _allowance(self, asked: _Asked) -> _Allowance:
        with self._lock:
            return self._allowances.setdefault(asked.endpoint, _Allowance())


class _SparedError(Exception):
    """A manifest was not asked for, to leave requests for others."""


class _Asked:
    """An image, and where it is asked for."""

    def __init__(self, endpoint: Endpoint, reference: Reference) -> None:
        self.endpoint = endpoint
        self.reference = reference
        self.repository = endpoint.prefix + reference.repository

    def url(self, path: str) -> str:
        """The address of something below the repository."""
        return f"{self.endpoint.base}{self.repository}/{path}"


class _Allowance:
    """How many manifests a registry still gives; half of them are left for the builds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: int | None = None
        self._kept = 0
        self.spared = False

    def learn(self, header: str) -> None:
        """Take note of what the registry says is left."""
        match = _REMAINING.match(header)
        if match is None:
            return
        said = int(match[1])
        with self._lock:
            if self._left is None:
                self._left, self._kept = said, said // 2
            self._left = min(self._left, said)

    def take(self) -> bool:
        """Whether one more manifest may be asked for."""
        with self._lock:
            if self._left is None:
                return True
            if self._left - 1 < self._kept:
                self.spared = True
                return False
            self._left -= 1
            return True


def _refused(answer: Answer, asked: _Asked) -> RegistryError:
    """A status as people need to hear it; what the server wrote is not repeated."""
    place, name = asked.endpoint.place, f"{asked.endpoint.login}/{asked.repository}"
    login = f"`docker login {asked.endpoint.login}` if it is private"
    match answer.status:
        case 404:
            what = asked.reference.digest or f"tag {asked.reference.tag or 'latest'}"
            return RegistryError(
                f"{place} has no {what} of {name} (status 404)",
                f"check the name; {login}",
                gone=True,
            )
        case 401 | 403:
            return RegistryError(
                f"{place} does not let {name} be read (status {answer.status})",
                f"check the name; {login}",
            )
        case 429:
            wait = answer.header("retry-after")
            shown = f" and wants {wait} seconds of rest" if wait[:6].isdigit() else ""
            return RegistryError(
                f"{place} had too many requests (status 429){shown}", "try again later"
            )
        case status:
            return RegistryError(f"{place} answers with status {status}", "try again later")
