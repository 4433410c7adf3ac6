"""Facts about images as one value: configuration first, recorded configs, then the catalogue."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hardhull.facts.catalogue import BaseFamily, ImageFacts, base_family, lookup
from hardhull.facts.described import ImageConfig, described, read_image_config
from hardhull.facts.manifests import KEPT, is_date, is_fit
from hardhull.facts.mirrors import original
from hardhull.images import parse_reference
from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a digests file says of one image; `config` is its OCI image config, if recorded.

    `recorded` is the time since when the name has had this digest, as far as is known; `before`
    the digest that an earlier recording saw. `size` is that of the image whose config this is, as
    it is sent. `single` says whether the digest names one image and no index. `gone` is the time
    when the registry had nothing of this digest any more. `end_of_life` is the day since which
    the registry says that the image gets no fixes.
    """

    digest: str
    config: Mapping[str, Any] | None = None
    recorded: str | None = None
    platforms: tuple[str, ...] = ()
    size: int | None = None
    single: bool | None = None
    before: str | None = None
    gone: str | None = None
    end_of_life: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of images in this run. `today` decides what is out of support."""

    today: datetime.date
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    now: datetime.datetime | None = None
    """The time of this run; the beginning of `today` if it is not given."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """Why the registries said nothing of an image, by name, where they were asked."""

    def failure(self, name: str) -> str | None:
        """Why nothing is known of an image that was looked up."""
        return self.failures.get(self.origin(name))

    def record(self, name: str) -> Recorded | None:
        """What is recorded of a normalised name, which may be that on a mirror.

        With a digest it means the image that has, or had, this digest, and no other.
        """
        origin = self.origin(name)
        tagged, _, digest = origin.partition("@")
        found = self.recorded.get(origin)
        if found is None and digest:
            found = self.recorded.get(tagged)
        return found if found is None or digest in ("", found.digest) else None

    def origin(self, name: str) -> str:
        """The name of an image in the registry that it comes from."""
        return original(name, self.mirrors) if self.mirrors else name

    def digest(self, name: str) -> str | None:
        """Return the index digest recorded for a normalised image name."""
        found = self.record(name)
        return found.digest if found is not None else None

    def config(self, name: str) -> Mapping[str, Any] | None:
        """Return the recorded image config (the `config` object: User, Env, ExposedPorts …).

        For a reference with a digest ask by its `exact` name: its tag may have moved.
        """
        found = self.record(name)
        return found.config if found is not None else None

    def seasoned(self, image: Recorded, cooldown: datetime.timedelta) -> bool | None:
        """Whether a name has had its digest for so long; None if that is not known.

        The recordings say since when it is seen. Where they saw no other digest before, that is
        only the latest it can be from: the time the image was made counts then.
        """
        now = self.now or datetime.datetime.combine(self.today, datetime.time(), datetime.UTC)
        seen = time_of(image.recorded)
        if not cooldown or (seen is not None and now - seen >= cooldown):
            return True
        if seen is not None and image.before is not None:
            return False
        made = time_of(image.config.get("created") if image.config is not None else None)
        return None if made is None or made > now else now - made >= cooldown

    def image(self, name: str) -> ImageFacts | None:
        """Return what is known of a .NET image by its normalised name; None if nothing is.

        The configuration's word counts most, then the image's own config, then the catalogue.
        """
        known_as = self._known_as(name)
        known = lookup(known_as) if known_as is not None else None
        config = self.own_config(name)
        return described(self.origin(name), config, known) if config is not None else known

    def own_config(self, name: str) -> ImageConfig | None:
        """Return what the image's own config says; None where the configuration speaks for it."""
        given = self.config(name) if not self.is_likened(name) else None
        return read_image_config(given) if given is not None else None

    def is_likened(self, name: str) -> bool:
        """Whether the configuration says what this image is like."""
        return self._alias(name) is not None

    def family(self, name: str) -> BaseFamily | None:
        """Return the distribution family of a well-known base that is not .NET, or None."""
        known = self._known_as(name)
        return base_family(known) if known is not None else None

    def _known_as(self, name: str) -> str | None:
        """The name itself, or that of the image which the configuration says it is like."""
        alias = self._alias(name)
        if alias is None:
            return self.origin(name)
        known = parse_reference(alias)
        return known.name if known is not None else None

    def _alias(self, name: str) -> str | None:
        if not self.like:
            return None
        reference = parse_reference(name)
        names = [name]
        if reference is not None:
            names += [reference.name, reference.repository_name]
        return next((self.like[one] for one in names if one in self.like), None)


def read_digests(path: str, text: str) -> dict[str, Recorded]:
    """Read a digests file: `{"version": 1, "images": {name: {"digest": …, "config": …}}}`.

    What else an entry may hold is said at `Recorded`. Raises UsageError that names the entry if
    the file is not of this form.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"{path}: not JSON ({error}); expected the output of a recording"
        ) from None
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, bool) or version != 1 or not isinstance(data.get("images"), dict):
        raise UsageError(f'{path}: expected an object with "version": 1 and "images"')
    return {name: _recorded(f"{path}: {name}", entry) for name, entry in data["images"].items()}


def _recorded(place: str, entry: Any) -> Recorded:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    if digest is None or not _is_digest(digest):
        raise UsageError(f"{place}: expected a digest `sha256:` and 64 hex digits")
    config, platforms = entry.get("config"), entry.get("platforms", [])
    for key in ("recorded", "gone"):
        if entry.get(key) is not None and time_of(entry[key]) is None:
            raise UsageError(f"{place}: `{key}` is not a time such as {_A_TIME}")
    if not isinstance(platforms, list) or not all(isinstance(one, str) for one in platforms):
        raise UsageError(f"{place}: `platforms` is not a list such as [linux/amd64]")
    size, single, before = entry.get("size"), entry.get("single"), entry.get("before")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise UsageError(f"{place}: `size` is not a number of bytes")
    if single is not None and not isinstance(single, bool):
        raise UsageError(f"{place}: `single` is not true or false")
    if before is not None and not _is_digest(before):
        raise UsageError(f"{place}: `before` is not a digest `sha256:` and 64 hex digits")
    if entry.get("end_of_life") is not None and not is_date(entry["end_of_life"]):
        raise UsageError(f"{place}: `end_of_life` is not a day such as 2026-11-22")
    return Recorded(
        digest,
        _fit(config) if isinstance(config, dict) else None,
        entry.get("recorded"),
        tuple(platforms),
        size,
        single,
        before,
        entry.get("gone"),
        entry.get("end_of_life"),
    )


def _fit(config: dict[str, Any]) -> dict[str, Any]:
    """A config without what is of another form than rules read."""
    return {
        name: value for name, value in config.items() if name not in KEPT or is_fit(name, value)
    }


_A_TIME = "2026-11-22T08:00:00+00:00"


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.match(value) is not None


def time_of(value: object) -> datetime.datetime | None:
    """A time as registries and recordings write it; None if it is not one, or has no zone."""
    # Some write nanoseconds, which are more digits than a time here has.
    text = re.sub(r"(\.\d{6})\d+", r"\1", value) if isinstance(value, str) else ""
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
