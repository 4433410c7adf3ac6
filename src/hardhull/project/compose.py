"""Compose meaning of YAML: services over their files, what they build, and verbs to change them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.model import AppendItem, Operation, RemoveNode, SetValue, Span, value_of
from hardhull.project.container import (
    Mount,
    Platform,
    PortUse,
    Role,
    Seccomp,
    Setting,
    is_windows_image,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.yaml import Cursor, YamlFile

_PORT = re.compile(r"^(?P<before>.*?)(?P<port>\d+)(?P<after>(?:/(?:tcp|udp))?)$", re.DOTALL)
_AFTER = ("build", "image", "container_name")


@dataclass(frozen=True, slots=True)
class Build:
    """What a service builds; paths are POSIX and relative to the repository's root."""

    context: str | None
    dockerfile: str | None
    target: str | None
    arguments: Mapping[str, Setting]
    cursor: Cursor


@dataclass(frozen=True)
class ComposeService:
    """One service. `cursor` is the definition that is edited, `layers` are all, weakest first."""

    path: str
    where: str
    name: str
    cursor: Cursor
    layers: tuple[tuple[str, Cursor], ...]
    platform: Platform = Platform.COMPOSE
    role: Role = Role.MAIN

    @property
    def span(self) -> Span:
        """The service's key, which is where findings about it point."""
        return self.cursor.key_span or self.cursor.span

    def _last(self, *keys: str) -> Cursor | None:
        """The strongest layer's value of a key."""
        for _, layer in reversed(self.layers):
            found = layer.get(*keys)
            if found is not None and not found.is_null:
                return found
        return None

    def _all(self, key: str) -> tuple[Cursor, ...]:
        """The items of a list over all layers."""
        found: list[Cursor] = []
        for _, layer in self.layers:
            listed = layer.get(key)
            found += listed.items() if listed is not None else []
        return tuple(found)

    @property
    def image(self) -> Cursor | None:
        return self._last("image")

    @property
    def user(self) -> Setting | None:
        found = self._last("user")
        return None if found is None else Setting(found.text, found)

    @property
    def privileged(self) -> Cursor | None:
        found = self._last("privileged")
        return found if found is not None and found.as_bool() else None

    def _security_option(self, name: str) -> Cursor | None:
        for item in self._all("security_opt"):
            if (item.text or "").replace("=", ":", 1).lower().startswith(name):
                return item
        return None

    @property
    def escalation_forbidden(self) -> bool | None:
        found = self._security_option("no-new-privileges")
        return found is not None and (found.text or "").lower().replace("=", ":") in (
            "no-new-privileges",
            "no-new-privileges:true",
        )

    @property
    def dropped_capabilities(self) -> tuple[Cursor, ...]:
        return self._all("cap_drop")

    @property
    def added_capabilities(self) -> tuple[Cursor, ...]:
        return self._all("cap_add")

    @property
    def seccomp(self) -> Seccomp:
        found = self._security_option("seccomp")
        if found is not None and (found.text or "").lower().endswith("unconfined"):
            return Seccomp.UNCONFINED
        return Seccomp.FILTERED

    @property
    def read_only_root(self) -> bool | None:
        found = self._last("read_only")
        if found is not None and found.is_opaque:
            return None
        return found is not None and found.as_bool() is True

    @cached_property
    def mounts(self) -> tuple[Mount, ...]:
        found = [_mount(item) for item in self._all("volumes")]
        listed = self._last("tmpfs")
        if listed is not None:
            for item in listed.items() or [listed]:
                target = item.text.split(":")[0] if item.text else None
                found.append(Mount(target, "tmpfs", "", item))
        return tuple(found)

    @cached_property
    def ports(self) -> tuple[PortUse, ...]:
        """Container sides of published ports, and exposed ports."""
        found = [_port(item) for item in self._all("ports")]
        found += [_port(item) for item in self._all("expose")]
        return tuple(found)

    @cached_property
    def environment(self) -> Mapping[str, Setting]:
        found: dict[str, Setting] = {}
        for _, layer in self.layers:
            found |= settings_of(layer.get("environment"))
        return found

    @property
    def environments(self) -> tuple[Mapping[str, Setting], ...]:
        """The variables of each layer by itself: each may be what decides."""
        return tuple(settings_of(layer.get("environment")) for _, layer in self.layers)

    @property
    def environment_is_complete(self) -> bool:
        """False if variables come from a file."""
        return self._last("env_file") is None

    @cached_property
    def command(self) -> tuple[Cursor, ...]:
        found: list[Cursor] = []
        for key in ("entrypoint", "command"):
            listed = self._last(key)
            if listed is not None:
                found += listed.items() or [listed]
        return tuple(found)

    @property
    def windows(self) -> bool:
        found = self._last("platform")
        if found is not None and (found.text or "").startswith("windows"):
            return True
        return is_windows_image(self.image)

    @property
    def host_namespaces(self) -> tuple[tuple[str, Cursor], ...]:
        """What it shares with the host: key and place."""
        found = ((key, self._last(key)) for key in ("network_mode", "pid", "ipc"))
        return tuple((key, at) for key, at in found if at is not None and at.text == "host")

    @cached_property
    def build(self) -> Build | None:
        """What it builds, with paths made relative to the root."""
        for path, layer in reversed(self.layers):
            found = layer.get("build")
            if found is not None and not found.is_null:
                return _build(path, found)
        return None

    def option(self, *keys: str) -> Cursor | None:
        """Any other key of the service, strongest layer first."""
        return self._last(*keys)

    # -- verbs

    def _set(self, key: str, value: object) -> SetValue:
        existing = self._last(key)
        owner = existing.file.source.path if existing is not None else self.path
        at = existing.address if existing is not None else (*self.cursor.address, key)
        return SetValue(owner, at, value_of(value), _AFTER)

    def _append(self, key: str, value: str) -> AppendItem:
        for path, layer in reversed(self.layers):
            listed = layer.get(key)
            if listed is not None:
                return AppendItem(path, listed.address, value_of(value))
        return AppendItem(self.path, (*self.cursor.address, key), value_of(value), _AFTER)

    def forbid_escalation(self) -> tuple[Operation, ...]:
        found = self._security_option("no-new-privileges")
        if found is not None:
            path = found.file.source.path
            return (SetValue(path, found.address, value_of("no-new-privileges:true")),)
        return (self._append("security_opt", "no-new-privileges:true"),)

    def take_privileges(self) -> tuple[Operation, ...]:
        return (self._set("privileged", value=False),)

    def drop_all_capabilities(self) -> tuple[Operation, ...]:
        for item in self.dropped_capabilities:
            if (item.text or "").upper() == "ALL":
                return (SetValue(item.file.source.path, item.address, value_of("ALL")),)
        return (self._append("cap_drop", "ALL"),)

    def remove_capabilities(self, names: tuple[Cursor, ...]) -> tuple[Operation, ...]:
        everything = len(names) == len(self.added_capabilities)
        owners = {name.address[:-1] for name in names}
        if everything and len(owners) == 1:
            return (RemoveNode(names[0].file.source.path, owners.pop()),)
        return tuple(RemoveNode(name.file.source.path, name.address) for name in names)

    def filter_system_calls(self, *, whole_pod: bool) -> tuple[Operation, ...]:  # noqa: ARG002  the protocol's
        found = self._security_option("seccomp")
        if found is None:
            return ()
        path, owner = found.file.source.path, found.address[:-1]
        alone = sum(item.address[:-1] == owner for item in self._all("security_opt")) == 1
        return (RemoveNode(path, owner if alone else found.address),)

    def make_root_read_only(self) -> tuple[Operation, ...]:
        return (self._set("read_only", value=True),)

    def mount_temporary(self) -> tuple[Operation, ...]:
        if any(mount.target and mount.target.rstrip("/") == "/tmp" for mount in self.mounts):  # noqa: S108  the container's, not ours
            return ()
        listed = self._last("tmpfs")
        if listed is not None and not listed.items():
            both = [listed.text or "", "/tmp"]  # noqa: S108  as above
            return (SetValue(listed.file.source.path, listed.address, value_of(both)),)
        return (self._append("tmpfs", "/tmp"),)  # noqa: S108  as above


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
    match = _PORT.match(use.cursor.node.value or "")
    text = f"{match['before']}{number}{match['after']}" if match else str(number)
    plain_number = text.isdecimal() and use.cursor.as_int() is not None
    return SetValue(path, use.cursor.address, value_of(number if plain_number else text))


def _port(item: Cursor) -> PortUse:
    target = item.get("target")
    if target is not None:
        protocol = item.get("protocol")
        return PortUse(target.as_int(), None, item, (protocol and protocol.text) or "tcp")
    match = _PORT.match(item.node.value or "")
    if match is None or match["before"].endswith(("-", "$", "}")):
        return PortUse(None, None, item)
    return PortUse(int(match["port"]), None, item, match["after"].lstrip("/") or "tcp")


def _mount(item: Cursor) -> Mount:
    target = item.get("target")
    if target is not None:
        kind, source = item.get("type"), item.get("source")
        named = {"volume": "named", "bind": "bind", "tmpfs": "tmpfs"}
        text = (kind.text if kind is not None else None) or "volume"
        name = (source.text if source is not None else None) or ""
        host = name if text == "bind" else None
        return Mount(target.text, named.get(text, "unknown"), name, item, host)
    parts = re.split(r":(?![\\/]{2})(?![^{}]*\})", item.node.value or "")
    if len(parts) == 1:
        return Mount(parts[0] or None, "named", "", item)
    volume, place, *rest = parts
    if len(volume) == 1 and place.startswith("\\"):  # a Windows drive letter
        volume, place = f"{volume}:{place}", rest[0] if rest else ""
    bound = volume.startswith((".", "/", "~", "$")) or "/" in volume or "\\" in volume
    host = volume if bound else None
    return Mount(place or None, "bind" if bound else "named", volume, item, host)


def _build(path: str, found: Cursor) -> Build:
    folder = posixpath.dirname(path)
    if found.text is not None or not found.pairs():
        context = _join(folder, found.text)
        return Build(context, _join(context, "Dockerfile"), None, {}, found)
    named, file, target = found.get("context"), found.get("dockerfile"), found.get("target")
    context = _join(folder, (named.text if named is not None else "."))
    dockerfile = _join(context, file.text if file is not None else "Dockerfile")
    if found.get("dockerfile_inline") is not None:
        dockerfile = None
    stage = target.text if target is not None else None
    return Build(context, dockerfile, stage, settings_of(found.get("args")), found)


def _join(folder: str | None, name: str | None) -> str | None:
    if folder is None or name is None or "://" in name or name.startswith(("git@", "/")):
        return None
    joined = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
    return None if joined.startswith("..") else ("" if joined == "." else joined)


def read_compose(files: Sequence[YamlFile]) -> tuple[ComposeService, ...]:
    """Find the services of the Compose files of one folder, in their usual order of strength."""
    ordered = sorted(files, key=_strength)
    layers: dict[str, list[tuple[str, Cursor]]] = {}
    for file in ordered:
        root = file.cursor(0)
        services = root.get("services") if root is not None else None
        for name, service in services.pairs() if services is not None else ():
            extended = _extended(service, ordered)
            layers.setdefault(name, []).extend([*extended, (file.source.path, service)])
    return tuple(_service(name, tuple(found)) for name, found in layers.items())


def _strength(file: YamlFile) -> tuple[bool, int, str]:
    """The base file first, overrides behind it, longer names later."""
    name = posixpath.basename(file.source.path).rpartition(".")[0]
    return name not in ("compose", "docker-compose"), name.count("."), file.source.path


def _service(name: str, layers: tuple[tuple[str, Cursor], ...]) -> ComposeService:
    path, cursor = next(
        (
            (path, layer)
            for key in ("build", "image")
            for path, layer in layers
            if layer.get(key) is not None
        ),
        layers[0],
    )
    return ComposeService(path, f"services.{name}", name, cursor, layers)


def _extended(service: Cursor, files: Sequence[YamlFile]) -> list[tuple[str, Cursor]]:
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
            return [(file.source.path, found)]
    return []
