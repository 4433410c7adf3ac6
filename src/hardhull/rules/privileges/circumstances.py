"""What a container is there for, and where else it runs: reasons to leave it, or to look first."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.project.compose import ComposeService
from hardhull.project.starting import start_of
from hardhull.rules.privileges.scope import of_unknown_use
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

_DEBUGGER = re.compile(r"\b(?:vsdbg|remote_debugger|netcoredbg)\b")
_USUAL_FILES = ("compose", "docker-compose", "compose.override", "docker-compose.override")


def to_take(
    container: Container,
    context: Context,
    needing: Iterable[tuple[re.Pattern[str], str]],
    why: str,
) -> Refusal | tuple[str, ...]:
    """Why a container keeps what somebody gave it on purpose; else what was not checked.

    `needing` are patterns of commands that would miss it, each with what such a line does; `why`
    is what only its author knows.
    """
    alone = left_alone(container, context)
    if alone is not None:
        return alone
    start = start_of(container, context.project)
    for pattern, does in needing:
        line = start.first(pattern)
        if line is not None:
            return Refusal(f"{line.place} {does}: {line.text[:60]}", line.path)
    unknown = of_unknown_use(container, context)
    if isinstance(unknown, Refusal):
        return unknown
    return (
        f"not checked: {why}; git blame on the line may say",
        *(f"not checked: what {name} does when it starts" for name in start.unread),
        *((unknown,) if unknown is not None else ()),
        *at_roll_out(container, context),
    )


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
    index = context.project.index
    for services in index.windows_overlays_near(container):
        both = {services.path, container.path}
        if len(both) > 1 and any(
            both <= {path for path, _ in service.layers}
            for service in index.services_near(container)
        ):
            return services
    return None
