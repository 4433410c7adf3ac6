"""Where a container may write, and what the files that are mounted into it say about that."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import AppStage
    from hardhull.project.container import Container, Mount
    from hardhull.project.context import Context
    from hardhull.project.published_image import PublishedImage

TEMPORARY = "/tmp"  # noqa: S108  the container's, not ours
_OWN_PLACES = ("/tmp/", "/dev/shm/", "/dev/std", "/proc/")  # noqa: S108  as above

_TRUST = ("/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source")
_SETTINGS = (".json", ".config", ".xml")
_LOGS_TO_FILE = re.compile(
    r"\"Name\"\s*:\s*\"(?:Rolling)?File\"|\btype\s*=\s*\"File\"|\bRollingFileAppender\b"
)
_LOG_PATH = re.compile(r"(?:\"path(?:Format)?\"\s*:|\bfileName\s*=)\s*\"([^\"$]+)\"")


def writable(container: Container, path: str) -> bool:
    """Whether it may write to `path` of its own even if its root is read-only."""
    if path == TEMPORARY or path.startswith(_OWN_PLACES):
        return True
    return any(mount.covers(path) and mount.writable for mount in container.mounts)


def absolute(path: str, stages: tuple[AppStage, ...], image: PublishedImage | None = None) -> str:
    """Where a relative path leads: from the directory the program starts in."""
    folder = image.folder if image is not None else "/"
    for stage in stages:
        for instruction in stage.instructions:
            if instruction.keyword == "WORKDIR":
                folder = posixpath.join(folder, instruction.text.strip().strip("\"'"))
    return posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))


def mounted_files(
    container: Container, stages: tuple[AppStage, ...], context: Context
) -> Iterator[Refusal | str]:
    """Certificates that are to be installed, and settings that name a file to log to."""
    for mount in container.mounts:
        if (mount.target or "").startswith(_TRUST):
            reason = "a certificate is mounted for update-ca-certificates, which writes to /etc/ssl"
            yield Refusal(reason, mount.cursor.path, mount.cursor.span)
        if (mount.host or "").endswith(_SETTINGS):
            yield from _settings(mount, container, stages, context)


def _settings(
    mount: Mount, container: Container, stages: tuple[AppStage, ...], context: Context
) -> Iterator[Refusal | str]:
    host = (mount.host or "").replace("\\", "/")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(mount.cursor.path), host))
    source = context.project.workspace.texts.source(path)
    if source is None:
        yield f"not checked: where {path}, which is mounted, makes it write"
        return
    logging = _LOGS_TO_FILE.search(source.text)
    if logging is None:
        return
    named = _LOG_PATH.search(source.text)
    image = context.project.image_of(container)
    if named is None or not writable(container, absolute(named[1], stages, image)):
        place = f"{path}:{source.line_of(logging.start())}"
        yield Refusal(f"{place}, which is mounted, makes it log to a file", path)
