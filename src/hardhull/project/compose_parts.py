"""The parts of a Compose service: variables, ports, volumes and builds, in all their spellings."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import SetValue, value_of
from hardhull.project.container import Mount, PortUse, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.yaml import Cursor

_LONGEST = 2048
_PORT = re.compile(r"^(?P<before>.*?)(?P<port>\d{1,9})(?P<after>(?:/(?:tcp|udp))?)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Build:
    """What a service builds; paths are POSIX and relative to the repository's root."""

    context: str | None
    dockerfile: str | None
    target: str | None
    arguments: Mapping[str, Setting]
    cursor: Cursor
    """Where it is said: the weakest layer, or the first that names additional contexts."""
    filled_in: bool = False
    """Whether a placeholder stands in the context's or the Dockerfile's name."""


@dataclass(frozen=True, slots=True)
class OccasionalMount(Mount):
    """A mount that only an alternative file adds: no place to rely on."""

    def covers(self, path: str) -> bool:  # noqa: ARG002  the question's shape
        """No path for certain."""
        return False


def at_times(mount: Mount) -> Mount:
    """The same mount, not relied on."""
    return OccasionalMount(mount.target, mount.kind, mount.volume, mount.cursor, mount.host)


def settings_of(block: Cursor | None) -> dict[str, Setting]:
    """Read variables written as a mapping or as a list of `NAME=value`."""
    if block is None:
        return {}
    found: dict[str, Setting] = {}
    for name, value in block.pairs():
        found[name] = Setting(None if value.is_null else value.text, value)
    for item in block.items():
        name, equals, text = (item.node.value or "").partition("=")
        if name:
            hidden = item.is_opaque and "$" in text
            found[name] = Setting(None if hidden or not equals else text, item)
    return found


def with_variable(setting: Setting, name: str, value: str) -> SetValue:
    """Give a variable another value, in the form it is written in."""
    listed = isinstance(setting.cursor.address[-1], int)
    text = f"{name}={value}" if listed else value
    plain_number = text.isdecimal() and setting.cursor.as_int() is not None
    return SetValue(
        setting.cursor.path, setting.cursor.address, value_of(int(text) if plain_number else text)
    )


def with_port(use: PortUse, number: int) -> SetValue:
    """Move a container port, keeping the published side."""
    path = use.cursor.file.source.path
    target = use.cursor.get("target")
    if target is not None:
        return SetValue(path, target.address, value_of(number))
    match = _PORT.match(_short(use.cursor))
    text = f"{match['before']}{number}{match['after']}" if match else str(number)
    plain_number = text.isdecimal() and use.cursor.as_int() is not None
    return SetValue(path, use.cursor.address, value_of(number if plain_number else text))


def port_of(item: Cursor) -> PortUse:
    """The container's side of a published or exposed port."""
    target = item.get("target")
    if target is not None:
        protocol = item.get("protocol")
        return PortUse(target.as_int(), None, item, (protocol and protocol.text) or "tcp")
    match = _PORT.match(_short(item))
    if match is None or match["before"].endswith(("-", "$", "}")):
        return PortUse(None, None, item)
    return PortUse(int(match["port"]), None, item, match["after"].lstrip("/") or "tcp")


def _short(item: Cursor) -> str:
    """The text of a port or a volume; no person writes a longer one, and patterns take time."""
    text = item.node.value or ""
    return text if len(text) <= _LONGEST else ""


def mount_of(item: Cursor) -> Mount:
    """A volume, in its short or its long form."""
    target = item.get("target")
    if target is not None:
        kind, source = item.get("type"), item.get("source")
        named = {"volume": "named", "bind": "bind", "tmpfs": "tmpfs"}
        text = (kind.text if kind is not None else None) or "volume"
        name = (source.text if source is not None else None) or ""
        host = name if text == "bind" else None
        return Mount(target.text, named.get(text, "unknown"), name, item, host)
    parts = re.split(r":(?![\\/]{2})(?![^{}]*\})", _short(item))
    if len(parts) == 1:
        return Mount(parts[0] or None, "named", "", item)
    volume, place, *rest = parts
    if len(volume) == 1 and place.startswith("\\"):  # a Windows drive letter
        volume, place = f"{volume}:{place}", rest[0] if rest else ""
    bound = volume.startswith((".", "/", "~", "$")) or "/" in volume or "\\" in volume
    host = volume if bound else None
    return Mount(place or None, "bind" if bound else "named", volume, item, host)


def build_of(layers: Sequence[tuple[str, Cursor]], *, sure: int) -> Build | None:
    """What the first `sure` layers build, merged as Compose does; all layers may set arguments."""
    found = [
        (path, build)
        for path, layer in layers[:sure]
        if (build := layer.get("build")) is not None and not build.is_null
    ]
    if not found:
        return None
    arguments: dict[str, Setting] = {}
    for _, layer in layers:
        arguments |= settings_of(layer.get("build", "args"))
    context, dockerfile, target = _merged(found)
    builds = [build for _, build in found]
    cursor = next((one for one in builds if one.get("additional_contexts") is not None), builds[0])
    filled_in = dockerfile is None and _filled_in(builds)
    return Build(context, dockerfile, target, arguments, cursor, filled_in)


def _merged(found: Sequence[tuple[str, Cursor]]) -> tuple[str | None, str | None, str | None]:
    """Context, Dockerfile and target over the layers, weakest first."""
    context = _join(posixpath.dirname(found[0][0]), ".")
    name: str | None = "Dockerfile"
    target: str | None = None
    inline = False
    for path, build in found:
        short = build.text is not None or not build.pairs()
        where = build if short else build.get("context")
        if where is not None:
            context = _join(posixpath.dirname(path), where.text)
        file, stage = build.get("dockerfile"), build.get("target")
        name = name if file is None else file.text
        target = target if stage is None else stage.text
        inline = inline or build.get("dockerfile_inline") is not None
    return context, None if inline else _join(context, name), target


def _filled_in(builds: Sequence[Cursor]) -> bool:
    """Whether the Dockerfile of a build is one that somebody names when it is built."""
    if any(build.get("dockerfile_inline") is not None for build in builds):
        return False
    named = [(build, build.get("context"), build.get("dockerfile")) for build in builds]
    return any(one is not None and one.is_opaque for names in named for one in names)


def _join(folder: str | None, name: str | None) -> str | None:
    if folder is None or name is None or "://" in name or name.startswith(("git@", "/")):
        return None
    joined = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
    return None if joined.startswith("..") else ("" if joined == "." else joined)
