"""What a container is there for, and where else it runs: reasons to leave it, or to look first."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.documents.yaml import YamlFile
from hardhull.model import Refusal
from hardhull.project.compose import ComposeService
from hardhull.project.starting import start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

_DEBUGGER = re.compile(r"\b(?:vsdbg|remote_debugger|netcoredbg)\b")
_WINDOWS_FILE = re.compile(r"compose.*windows|windows.*compose", re.IGNORECASE)
_WINDOWS_CONTAINERS = re.compile(r"nanoserver|windowsservercore|-windows\b", re.IGNORECASE)
_USUAL_FILES = ("compose", "docker-compose", "compose.override", "docker-compose.override")


def left_alone(container: Container, context: Context) -> Refusal | None:
    """Why this container is not to be confined at all: it is debugged, or Windows runs it too."""
    for mount in container.mounts:
        if not _always_there(mount.cursor.path, container):
            continue  # a file for Visual Studio's debugger, say, which the others do without
        if _DEBUGGER.search(f"{mount.target or ''} {mount.host or ''}"):
            reason = "a debugger is mounted: the container is there to be worked in"
            return Refusal(reason, mount.cursor.path, mount.cursor.span)
    line = start_of(container, context.project).first(_DEBUGGER)
    if line is not None:
        return Refusal(
            f"{line.place} starts a debugger: the container is there to be worked in", line.path
        )
    beside = _on_windows_too(container, context)
    if beside is not None:
        reason = (
            f"this file is laid over {posixpath.basename(container.path)} for Windows containers, "
            "which Docker does not start with such settings"
        )
        return Refusal(reason, beside.path, beside.key_span or beside.span)
    return None


def _always_there(path: str, container: Container) -> bool:
    """Whether a file counts whenever this container is started: its own, or Compose's usual two."""
    stem = posixpath.basename(path).rpartition(".")[0]
    return path == container.path or stem in _USUAL_FILES


def _on_windows_too(container: Container, context: Context) -> Cursor | None:
    """The Compose file for Windows that is laid over the one this service stands in.

    A file whose services are all complete stands by itself; one that leaves out images is laid
    over another, and then everything in that other file runs on Windows.
    """
    if not isinstance(container, ComposeService):
        return None
    for path in context.project.index.documents_in(posixpath.dirname(container.path)):
        name, document = posixpath.basename(path), context.documents[path]
        if path == container.path or not isinstance(document, YamlFile):
            continue
        if "windows" not in name.lower() or not _WINDOWS_FILE.search(name):
            continue
        if not _share_a_service(path, container.path, context):
            continue
        for services in _services(document):
            if _WINDOWS_CONTAINERS.search(services.raw) and _is_laid_over(services):
                return services
    return None


def _share_a_service(one: str, other: str, context: Context) -> bool:
    for service in context.project.compose:
        if {one, other} <= {path for path, _ in service.layers}:
            return True
    return False


def _services(document: YamlFile) -> Iterator[Cursor]:
    for root in document.cursors:
        services = root.get("services")
        if services is not None:
            yield services


def _is_laid_over(services: Cursor) -> bool:
    for _, service in services.pairs():
        build = service.get("build")
        context = service.get("build", "context")
        whole = build is not None and (build.text is not None or context is not None)
        if not whole and service.get("image") is None:
            return True
    return False
