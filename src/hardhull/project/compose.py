"""Compose meaning of YAML: services over their files, what they build, and verbs to change them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.model import AppendItem, Operation, RemoveNode, SetValue, Span, value_of
from hardhull.project.compose_parts import (
    Build,
    at_times,
    build_of,
    mount_of,
    port_of,
    settings_of,
    with_port,
    with_variable,
)
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
    from collections.abc import Mapping

    from hardhull.documents.yaml import Cursor

__all__ = ["Build", "ComposeService", "settings_of", "with_port", "with_variable"]

_AFTER = ("build", "image", "container_name")
"""Keys of a service behind whose last a new key stands."""


@dataclass(frozen=True)
class ComposeService:
    """One service. `cursor` is the definition that is edited, `layers` are all, weakest first.

    The first `sure` layers always count. The others are alternatives, such as a file for debugging
    or for production: what they say may hold too, and where they contradict, nothing is certain.
    """

    path: str
    where: str
    name: str
    cursor: Cursor
    layers: tuple[tuple[str, Cursor], ...]
    sure: int
    platform: Platform = Platform.COMPOSE
    role: Role = Role.MAIN

    @property
    def span(self) -> Span:
        """The service's key, which is where findings about it point."""
        return self.cursor.key_span or self.cursor.span

    def _said(self, *keys: str) -> tuple[Cursor, ...]:
        """What layers say of a key: the one that is in force, then what alternatives say."""
        found = [layer.get(*keys) for _, layer in self.layers]
        sure = [one for one in found[: self.sure] if one is not None and not one.is_null]
        others = [one for one in found[self.sure :] if one is not None and not one.is_null]
        return (*sure[-1:], *reversed(others))

    def _last(self, *keys: str) -> Cursor | None:
        """The value of a key that is in force, else the strongest alternative's."""
        return next(iter(self._said(*keys)), None)

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
        found = self._said("user")
        if not found:
            return None
        agreed = all(one.text == found[0].text for one in found)
        return Setting(found[0].text, found[0]) if agreed else Setting(None, found[-1])

    @property
    def privileged(self) -> Cursor | None:
        return next((one for one in self._said("privileged") if one.as_bool()), None)

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
        found: list[Mount] = []
        for index, (_, layer) in enumerate(self.layers):
            listed, temporary = layer.get("volumes"), layer.get("tmpfs")
            here = [mount_of(item) for item in (listed.items() if listed is not None else ())]
            for item in (temporary.items() or [temporary]) if temporary is not None else ():
                target = item.text.split(":")[0] if item.text else None
                here.append(Mount(target, "tmpfs", "", item))
            found += here if index < self.sure else map(at_times, here)
        return tuple(found)

    @cached_property
    def ports(self) -> tuple[PortUse, ...]:
        """Container sides of published ports, and exposed ports."""
        found = [port_of(item) for item in self._all("ports")]
        found += [port_of(item) for item in self._all("expose")]
        return tuple(found)

    @cached_property
    def environment(self) -> Mapping[str, Setting]:
        """Its variables; the value of one that alternatives give other values is not known."""
        found: dict[str, Setting] = {}
        for index, settings in enumerate(self.environments):
            for name, setting in settings.items():
                known = found.get(name)
                if index >= self.sure and known is not None and known.value != setting.value:
                    found[name] = Setting(None, setting.cursor)
                else:
                    found[name] = setting
        return found

    @property
    def sometimes(self) -> frozenset[str]:
        """The variables that only alternatives set."""
        always = {name for settings in self.environments[: self.sure] for name in settings}
        return frozenset(self.environment) - always

    @cached_property
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
            for listed in self._said(key):
                found += listed.items() or [listed]
        return tuple(found)

    @property
    def windows(self) -> bool:
        if any((one.text or "").startswith("windows") for one in self._said("platform")):
            return True
        return any(is_windows_image(image) for image in self._said("image"))

    @property
    def host_namespaces(self) -> tuple[tuple[str, Cursor], ...]:
        """What it shares with the host: key and place."""
        found = ((key, self._last(key)) for key in ("network_mode", "pid", "ipc"))
        return tuple((key, at) for key, at in found if at is not None and at.text == "host")

    @cached_property
    def build(self) -> Build | None:
        """What it builds, with paths made relative to the root."""
        return build_of(self.layers, sure=self.sure)

    @cached_property
    def builds(self) -> tuple[Build, ...]:
        """What it builds, then what it builds with each alternative that says otherwise."""
        found = [self.build]
        for index, layer in enumerate(self.layers[self.sure :], self.sure):
            both = (*self.layers[: self.sure], self.layers[index])
            if layer[1].get("build") is not None:
                found.append(build_of(both, sure=len(both)))
        by_image = {(one.dockerfile, one.target): one for one in reversed(found) if one is not None}
        return tuple(reversed(by_image.values()))

    @cached_property
    def network_mode(self) -> Cursor | None:
        """Whose network it is in, where that is not one of Compose's own."""
        return self._last("network_mode")

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Its entries of `links`, such as `db:database`."""
        listed = self._last("links")
        return tuple(item.text or "" for item in (listed.items() if listed is not None else ()))

    @cached_property
    def raw(self) -> str | None:
        """The text of all its layers; None if an alias or a merge key takes some from elsewhere."""
        text = "\n".join(layer.raw for _, layer in self.layers)
        return None if "*" in text or "<<" in text else text

    @cached_property
    def devices(self) -> tuple[Cursor, ...]:
        """Where layers give it devices of the host, by path, by rule or as what a driver has."""
        keys = (
            ("devices",),
            ("device_cgroup_rules",),
            ("gpus",),
            ("deploy", "resources", "reservations", "devices"),
        )
        found = (layer.get(*key) for _, layer in self.layers for key in keys)
        return tuple(one for one in found if one is not None and not one.is_null)

    @cached_property
    def secret_files(self) -> tuple[Cursor, ...]:
        """Its secrets that are files of the host: mounted as they are, whoever owns them."""
        found: list[Cursor] = []
        for item in self._all("secrets"):
            source = item.get("source")
            name = source.text if source is not None else item.text
            root = item.file.cursor(0)
            said = root.get("secrets", name or "", "file") if root is not None else None
            found += [item] if said is not None else []
        return tuple(found)

    def option(self, *keys: str) -> Cursor | None:
        """Any other key of the service, strongest layer first."""
        return self._last(*keys)

    # -- verbs

    @property
    def _after(self) -> tuple[str, ...]:
        """The last of the keys that name the image, as the service has them in order."""
        known = [key for key in self.cursor.keys() if key in _AFTER]  # noqa: SIM118  no dict
        return tuple(reversed(known))

    def _own(self, key: str) -> Cursor | None:
        """The value of a key that is in force; what alternatives say is left to them."""
        found = [layer.get(key) for _, layer in self.layers[: self.sure]]
        return next((one for one in reversed(found) if one is not None and not one.is_null), None)

    def _set(self, key: str, value: object) -> SetValue:
        existing = self._own(key)
        if existing is not None:
            return SetValue(existing.path, existing.address, value_of(value))
        return SetValue(self.path, (*self.cursor.address, key), value_of(value), self._after)

    def _append(self, key: str, value: str) -> AppendItem:
        for path, layer in reversed(self.layers[: self.sure]):
            listed = layer.get(key)
            if listed is not None:
                return AppendItem(path, listed.address, value_of(value))
        return AppendItem(self.path, (*self.cursor.address, key), value_of(value), self._after)

    def forbid_escalation(self) -> tuple[Operation, ...]:
        found = self._security_option("no-new-privileges")
        if found is not None:
            path = found.file.source.path
            return (SetValue(path, found.address, value_of("no-new-privileges:true")),)
        return (self._append("security_opt", "no-new-privileges:true"),)

    def take_privileges(self) -> tuple[Operation, ...]:
        found = self.privileged
        if found is None:
            return ()
        return (SetValue(found.path, found.address, value_of(thing=False)),)

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
        if any(mount.covers("/tmp") for mount in self.mounts):  # noqa: S108  the container's, not ours
            return ()
        listed = self._own("tmpfs")
        if listed is not None and not listed.items():
            both = [listed.text or "", "/tmp"]  # noqa: S108  as above
            return (SetValue(listed.path, listed.address, value_of(both)),)
        return (self._append("tmpfs", "/tmp"),)  # noqa: S108  as above
