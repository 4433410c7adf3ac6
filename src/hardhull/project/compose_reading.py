"""Which services the Compose files of a folder describe, and which files always count for them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.project.compose import ComposeService

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.documents.yaml import Cursor, YamlFile

_WINDOWS_FILE = re.compile(r"compose.*windows|windows.*compose", re.IGNORECASE)
_WINDOWS_CONTAINERS = re.compile(r"nanoserver|windowsservercore|-windows\b", re.IGNORECASE)
_BASES = ("compose", "docker-compose")
_OVERRIDES = ("compose.override", "docker-compose.override")


def windows_overlays(files: Iterable[YamlFile]) -> Iterator[Cursor]:
    """The `services` of Compose files for Windows containers that are laid over other files.

    A file whose services are all complete stands by itself.
    """
    for file in files:
        name = posixpath.basename(file.source.path)
        if "windows" not in name.lower() or not _WINDOWS_FILE.search(name):
            continue
        for root in file.cursors:
            services = root.get("services")
            if services is None or not _WINDOWS_CONTAINERS.search(services.raw):
                continue
            if _is_laid_over(services):
                yield services


def _is_laid_over(services: Cursor) -> bool:
    for _, service in services.pairs():
        build = service.get("build")
        context = service.get("build", "context")
        whole = build is not None and (build.text is not None or context is not None)
        if not whole and service.get("image") is None:
            return True
    return False


def read_compose(files: Sequence[YamlFile]) -> tuple[ComposeService, ...]:
    """Find the services of the Compose files of one folder, in their usual order of strength."""
    ordered = sorted(files, key=_strength)
    layers: dict[str, dict[str, list[Cursor]]] = {}
    for file in ordered:
        root = file.cursor(0)
        services = root.get("services") if root is not None else None
        for name, service in services.pairs() if services is not None else ():
            found = [*_extended(service, ordered), service]
            layers.setdefault(name, {})[file.source.path] = found
    return tuple(_service(name, by_file) for name, by_file in layers.items())


def _stem(path: str) -> str:
    return posixpath.basename(path).rpartition(".")[0]


def _strength(file: YamlFile) -> tuple[bool, bool, int, str]:
    """The base file first, its override behind it, then the others, longer names later."""
    stem = _stem(file.source.path)
    return stem not in _BASES, stem not in _OVERRIDES, stem.count("."), file.source.path


def _service(name: str, by_file: dict[str, list[Cursor]]) -> ComposeService:
    """A service, edited where its build or image is; files that are only chosen come last."""
    every = [layer for found in by_file.values() for layer in found]
    cursor = next(
        (layer for key in ("build", "image") for layer in every if layer.get(key) is not None),
        every[0],
    )
    usual = [
        layer
        for path, found in by_file.items()
        if _stem(path) in (*_BASES, *_OVERRIDES) or any(layer is cursor for layer in found)
        for layer in found
    ]
    ordered: dict[tuple[str, object], Cursor] = {}
    for layer in (*usual, *every):
        ordered.setdefault((layer.path, layer.address), layer)
    sure = len({(layer.path, layer.address) for layer in usual})
    layers = tuple((layer.path, layer) for layer in ordered.values())
    return ComposeService(cursor.path, f"services.{name}", name, cursor, layers, sure)


def _extended(service: Cursor, files: Sequence[YamlFile]) -> list[Cursor]:
    """The service that this one extends, if it is at hand."""
    base = service.get("extends")
    if base is None:
        return []
    named, file_name = base.get("service"), base.get("file")
    wanted = base.text or (named.text if named is not None else None)
    for file in files:
        here = posixpath.basename(file.source.path)
        if file_name is not None and here != posixpath.basename(file_name.text or ""):
            continue
        root = file.cursor(0)
        found = root.get("services", wanted or "") if root is not None else None
        if found is not None:
            return [found]
    return []
