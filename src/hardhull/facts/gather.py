"""Facts about images as one value: configuration first, recorded configs, then the catalogue."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hardhull.facts.catalogue import BaseFamily, ImageFacts, base_family, lookup
from hardhull.images import parse_reference
from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a digests file says of one image; `config` is its OCI image config, if recorded.

    `recorded` is the time since when the name has had this digest, as far as is known.
    """

    digest: str
    config: Mapping[str, Any] | None = None
    recorded: str | None = None
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of images in this run. `today` decides what is out of support."""

    today: datetime.date
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)

    def digest(self, name: str) -> str | None:
        """Return the index digest recorded for a normalised image name."""
        found = self.recorded.get(name)
        return found.digest if found is not None else None

    def config(self, name: str) -> Mapping[str, Any] | None:
        """Return the recorded image config (the `config` object: User, Env, ExposedPorts …)."""
        found = self.recorded.get(name)
        return found.config if found is not None else None

    def image(self, name: str) -> ImageFacts | None:
        """Return what is known of a .NET image by its normalised name; None if nothing is."""
        known = self._known_as(name)
        return lookup(known) if known is not None else None

    def family(self, name: str) -> BaseFamily | None:
        """Return the distribution family of a well-known base that is not .NET, or None."""
        known = self._known_as(name)
        return base_family(known) if known is not None else None

    def _known_as(self, name: str) -> str | None:
        """The name itself, or that of the image which the configuration says it is like."""
        reference = parse_reference(name)
        for candidate in [name] if reference is None else [name, reference.repository_name]:
            alias = self.like.get(candidate)
            if alias is not None:
                known = parse_reference(alias)
                return known.name if known is not None else None
        return name


def read_digests(path: str, text: str) -> dict[str, Recorded]:
    """Read a digests file: `{"version": 1, "images": {name: {"digest": …, "config": …}}}`.

    An entry may also hold `recorded`, a time, and `platforms`, a list. Raises UsageError that
    names the entry if the file is not of this form.
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
    found: dict[str, Recorded] = {}
    for name, entry in data["images"].items():
        digest = entry.get("digest") if isinstance(entry, dict) else None
        if not isinstance(digest, str) or not _DIGEST.match(digest):
            raise UsageError(f"{path}: {name}: expected a digest `sha256:` and 64 hex digits")
        config, recorded = entry.get("config"), entry.get("recorded")
        if recorded is not None and not _is_time(recorded):
            raise UsageError(f"{path}: {name}: `recorded` is not a time such as {_A_TIME}")
        platforms = entry.get("platforms", [])
        if not isinstance(platforms, list) or not all(isinstance(one, str) for one in platforms):
            raise UsageError(f"{path}: {name}: `platforms` is not a list such as [linux/amd64]")
        found[name] = Recorded(
            digest, config if isinstance(config, dict) else None, recorded, tuple(platforms)
        )
    return found


_A_TIME = "2026-11-22T08:00:00+00:00"


def _is_time(value: object) -> bool:
    try:
        return datetime.datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False
