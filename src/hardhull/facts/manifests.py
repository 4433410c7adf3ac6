"""What registries store: indexes, manifests and image configs, read from verified bodies."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
KEPT: Final = ("Cmd", "Entrypoint", "Env", "ExposedPorts", "User", "WorkingDir")
"""What is recorded of an image's config; beside it `os` and `created`."""
LIFECYCLE: Final = "application/vnd.microsoft.artifact.lifecycle"
"""What Microsoft attaches to the digests of images and indexes that are out of support.

https://github.com/dotnet/dotnet-docker/blob/main/documentation/vulnerability-reporting.md
"""
_END_OF_LIFE: Final = "vnd.microsoft.artifact.lifecycle.end-of-life.date"
_ATTESTATION: Final = "vnd.docker.reference.type"
_ODD: Final = "its registry serves something that is no image"


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        version = f"({self.os_version})" if self.os_version else ""
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}{version}/{self.architecture}{variant}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of an index."""

    digest: str
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class Index:
    """Images for several platforms under one name; attestations are left out."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image, by the digest of its config; `size` is that of its layers as they are sent."""

    config: str
    size: int | None = None


def read_manifest(body: bytes) -> Index | Manifest:
    """Read an index or a manifest; which it is, its content says, for `mediaType` is optional."""
    data = _object(body)
    media = data.get("mediaType")
    if data.get("schemaVersion") != 2 or (media is not None and media not in MEDIA_TYPES):  # noqa: PLR2004  the format's version
        raise RegistryError(_ODD)
    several, config = data.get("manifests"), data.get("config")
    if isinstance(several, list) == isinstance(config, dict):
        raise RegistryError(_ODD)
    if isinstance(several, list):
        entries = tuple(entry for item in several if (entry := _entry(item)) is not None)
        return Index(entries)
    digest = config.get("digest") if isinstance(config, dict) else None
    if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
        raise RegistryError(_ODD)
    return Manifest(digest, _size(data.get("layers")))


def _size(layers: object) -> int | None:
    """The sum of what the layers say of themselves; None if one says nothing."""
    if not isinstance(layers, list):
        return None
    sizes = [layer.get("size") if isinstance(layer, dict) else None for layer in layers]
    known = [size for size in sizes if isinstance(size, int) and size >= 0]
    return sum(known) if len(known) == len(sizes) else None


def _entry(item: object) -> Entry | None:
    if not isinstance(item, dict):
        return None
    digest, annotations = item.get("digest"), item.get("annotations")
    if isinstance(annotations, dict) and _ATTESTATION in annotations:
        return None
    if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
        return None
    platform = read_platform(item.get("platform"))
    if platform is not None and (platform.os, platform.architecture) == ("unknown", "unknown"):
        return None
    return Entry(digest, platform)


def read_end_of_life(body: bytes) -> str | None:
    """The date in a list of referrers; the first of several, for ended images are marked again."""
    listed = _object(body).get("manifests")
    dates = []
    for item in listed if isinstance(listed, list) else ():
        # Registries may leave it to the reader to pick the kind out.
        if not isinstance(item, dict) or item.get("artifactType") != LIFECYCLE:
            continue
        notes = item.get("annotations")
        date = notes.get(_END_OF_LIFE) if isinstance(notes, dict) else None
        if is_date(date):
            dates.append(date)
    return min(dates, default=None)


def is_date(value: object) -> TypeGuard[str]:
    """Whether it is a day such as 2026-11-22."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def read_platform(given: object) -> Platform | None:
    """A platform as an index entry or an image config says it; None if it says too little."""
    if not isinstance(given, dict):
        return None
    names = ("os", "architecture", "variant", "os.version")
    parts = [given.get(name, "") for name in names]
    if not all(isinstance(part, str) and part.isprintable() for part in parts):
        return None
    return Platform(*parts) if parts[0] and parts[1] else None


def chosen(entries: Sequence[Entry]) -> Entry | None:
    """The image whose config stands for the others: linux/amd64, any linux, the first."""
    for os, architecture in (("linux", "amd64"), ("linux", None), (None, None)):
        for entry in entries:
            platform = entry.platform or Platform("", "")
            if os in (None, platform.os) and architecture in (None, platform.architecture):
                return entry
    return None


def read_config(body: bytes) -> tuple[dict[str, Any], Platform | None]:
    """What rules ask of an image config, and the platform it is for."""
    data = _object(body)
    inner = data.get("config")
    given = inner if isinstance(inner, dict) else {}
    kept = {name: given[name] for name in KEPT if is_fit(name, given.get(name))}
    if "ExposedPorts" in kept:
        kept["ExposedPorts"] = {port: {} for port in sorted(kept["ExposedPorts"])}
    for name in ("os", "created"):
        if isinstance(data.get(name), str):
            kept[name] = data[name]
    return kept, read_platform(data)


def variables(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment of an image config by name."""
    pairs = (text.partition("=") for text in config.get("Env") or () if isinstance(text, str))
    return {name: value for name, _, value in pairs}


def is_fit(name: str, value: object) -> bool:
    """Whether a kept key of an image config holds what it is for."""
    if name in ("User", "WorkingDir"):
        return isinstance(value, str)
    if name == "ExposedPorts":
        return isinstance(value, dict)
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise RegistryError(_ODD)
    return data
