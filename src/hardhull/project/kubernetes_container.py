"""A container of a pod: what it says of itself, and the verbs to change it."""

from __future__ import annotations

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
    from collections.abc import Mapping

    from hardhull.documents.yaml import Cursor

_CONTEXT_BEFORE = ("image", "imagePullPolicy", "name")
"""Keys of a container behind whose last a new securityContext stands."""


_LONGEST_NAME = 63

SECCOMP_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
"""The last part of such a key is the container's name."""
DEFAULT_PROFILE: Mapping[str, str] = {"type": "RuntimeDefault"}
"""The profile, seccomp or AppArmor, that the container runtime brings."""


@dataclass(frozen=True)
class KubernetesContainer:
    """One container or init container of a workload."""

    path: str
    where: str
    name: str
    role: Role
    cursor: Cursor
    pod: Cursor
    metadata: Cursor | None
    platform: Platform = Platform.KUBERNETES
    patched: KubernetesContainer | None = None
    """The container that this one, a patch of a kustomization, is laid over."""

    @property
    def span(self) -> Span:
        """The container's first key, which is where findings about it point."""
        return Span(self.cursor.span.start, self.cursor.span.start + 1)

    @cached_property
    def image(self) -> Cursor | None:
        own = self.cursor.get("image")
        return self.patched.image if own is None and self.patched is not None else own

    def _context(self, key: str) -> Cursor | None:
        """A setting that a container has at itself or inherits from its pod."""
        own = self.cursor.get("securityContext", key)
        return own if own is not None else self.pod.get("securityContext", key)

    @property
    def user(self) -> Setting | None:
        found = self._context("runAsUser")
        return None if found is None or found.is_null else Setting(found.text, found)

    @property
    def non_root_required(self) -> Cursor | None:
        """The `runAsNonRoot` that is in force."""
        return self._context("runAsNonRoot")

    @property
    def privileged(self) -> Cursor | None:
        found = self.cursor.get("securityContext", "privileged")
        return found if found is not None and found.as_bool() else None

    @property
    def escalation_forbidden(self) -> bool | None:
        found = self.cursor.get("securityContext", "allowPrivilegeEscalation")
        if found is not None and found.is_opaque:
            return None
        if found is None and self.patched is not None:
            return None
        return found is not None and found.as_bool() is False

    def _capabilities(self, key: str) -> tuple[Cursor, ...]:
        found = self.cursor.get("securityContext", "capabilities", key)
        return () if found is None else tuple(found.items())

    @property
    def dropped_capabilities(self) -> tuple[Cursor, ...]:
        return self._capabilities("drop")

    @property
    def added_capabilities(self) -> tuple[Cursor, ...]:
        return self._capabilities("add")

    @property
    def seccomp(self) -> Seccomp:
        found = self._context("seccompProfile")
        kind = found.get("type") if found is not None else None
        if kind is None:
            return Seccomp.NOT_SET
        return Seccomp.UNCONFINED if kind.text == "Unconfined" else Seccomp.FILTERED

    @property
    def read_only_root(self) -> bool | None:
        found = self.cursor.get("securityContext", "readOnlyRootFilesystem")
        if found is not None and found.is_opaque:
            return None
        if found is None and self.patched is not None:
            return None
        return found is not None and found.as_bool() is True

    @cached_property
    def mounts(self) -> tuple[Mount, ...]:
        listed, mounted = self.pod.get("volumes"), self.cursor.get("volumeMounts")
        volumes: dict[str, Cursor] = {}
        for volume in listed.items() if listed is not None else ():
            called = volume.get("name")
            if called is not None and called.text:
                volumes[called.text] = volume
        found = []
        for mount in mounted.items() if mounted is not None else ():
            target, called = mount.get("mountPath"), mount.get("name")
            name = (called.text if called is not None else None) or ""
            own = volumes.get(name)
            # A volume that is not in the pod's list comes from a claim template.
            kind = volume_kind(own) if own is not None else "claim"
            shown = own.get("hostPath", "path") if own is not None else None
            host = shown.text if shown is not None else None
            found.append(
                Mount(target.text if target is not None else None, kind, name, mount, host)
            )
        return (*found, *(self.patched.mounts if self.patched is not None else ()))

    @cached_property
    def ports(self) -> tuple[PortUse, ...]:
        listed = self.cursor.get("ports")
        found = []
        for port in listed.items() if listed is not None else ():
            number, name = port.get("containerPort"), port.get("name")
            protocol = port.get("protocol")
            if number is not None:
                found.append(
                    PortUse(
                        number.as_int(),
                        name.text if name is not None else None,
                        number,
                        (protocol.text if protocol is not None else None) or "TCP",
                    )
                )
        return tuple(found)

    @cached_property
    def environment(self) -> Mapping[str, Setting]:
        listed = self.cursor.get("env")
        found = {}
        for variable in listed.items() if listed is not None else ():
            name, value = variable.get("name"), variable.get("value")
            if name is not None and name.text:
                found[name.text] = Setting(value.text if value is not None else None, value or name)
        return found if self.patched is None else {**self.patched.environment, **found}

    @property
    def environment_is_complete(self) -> bool:
        """False if variables come from somewhere else (`envFrom`)."""
        below = self.patched is None or self.patched.environment_is_complete
        return below and self.cursor.get("envFrom") is None

    @property
    def environment_sources(self) -> tuple[Cursor, ...]:
        """The entries of `envFrom`: whole ConfigMaps and Secrets."""
        listed = self.cursor.get("envFrom")
        return () if listed is None else tuple(listed.items())

    @cached_property
    def command(self) -> tuple[Cursor, ...]:
        found: list[Cursor] = []
        for key in ("command", "args"):
            listed = self.cursor.get(key)
            found += listed.items() if listed is not None else []
        return tuple(found) or (self.patched.command if self.patched is not None else ())

    @property
    def windows(self) -> bool:
        if self.patched is not None and self.patched.windows:
            return True
        return is_windows_pod(self.pod) or is_windows_image(self.image)

    @property
    def host_namespaces(self) -> tuple[tuple[str, Cursor], ...]:
        """What its pod shares with the host: key and place."""
        keys = ("hostNetwork", "hostPID", "hostIPC")
        found = ((key, self.pod.get(key)) for key in keys)
        return tuple((key, at) for key, at in found if at is not None and at.as_bool())

    @property
    def host_ports(self) -> tuple[Cursor, ...]:
        """Its port entries that also take a port of the host."""
        listed = self.cursor.get("ports")
        found = []
        for port in listed.items() if listed is not None else ():
            at = port.get("hostPort")
            if at is not None and not at.is_null and at.as_int() != 0:
                found.append(port)
        return tuple(found)

    @property
    def seccomp_annotation(self) -> Cursor | None:
        """The annotation by which filters were set before 1.19: its own, else its pod's."""
        return self.annotation(f"{SECCOMP_CONTAINER_ANNOTATION}{self.name}") or self.annotation(
            SECCOMP_ANNOTATION
        )

    @property
    def apparmor_annotation(self) -> Cursor | None:
        """The annotation by which AppArmor profiles were set before 1.30."""
        return self.annotation(f"{APPARMOR_ANNOTATION}{self.name}")

    def annotation(self, key: str) -> Cursor | None:
        """An annotation of its pod."""
        notes = self.metadata.get("annotations") if self.metadata is not None else None
        return notes.get(key) if notes is not None else None

    # -- verbs

    @property
    def _context_after(self) -> tuple[str, ...]:
        """The last of the keys that name the image, as the container has them in order."""
        known = [key for key in self.cursor.keys() if key in _CONTEXT_BEFORE]  # noqa: SIM118  no dict
        return tuple(reversed(known))

    def _security(self, key: str, value: object) -> SetValue:
        at = (*self.cursor.address, "securityContext", key)
        return SetValue(self.path, at, value_of(value), self._context_after)

    def forbid_escalation(self) -> tuple[Operation, ...]:
        return (self._security("allowPrivilegeEscalation", value=False),)

    def take_privileges(self) -> tuple[Operation, ...]:
        return (self._security("privileged", value=False),)

    def drop_all_capabilities(self) -> tuple[Operation, ...]:
        for item in self.dropped_capabilities:
            if (item.text or "").upper() == "ALL":
                return (SetValue(self.path, item.address, value_of("ALL")),)
        at = (*self.cursor.address, "securityContext", "capabilities", "drop")
        return (AppendItem(self.path, at, value_of("ALL"), self._context_after),)

    def remove_capabilities(self, names: tuple[Cursor, ...]) -> tuple[Operation, ...]:
        if len(names) == len(self.added_capabilities):
            at = (*self.cursor.address, "securityContext", "capabilities")
            block = self.cursor.get("securityContext", "capabilities")
            alone = block is not None and len(block.pairs()) == 1
            return (RemoveNode(self.path, at if alone else (*at, "add")),)
        return tuple(RemoveNode(self.path, name.address) for name in names)

    def remove_annotation(self, key: str) -> tuple[Operation, ...]:
        """Take an annotation away from its pod."""
        if self.metadata is None or self.annotation(key) is None:
            return ()
        return (without(self.metadata, "annotations", key),)

    def filter_system_calls(
        self, *, whole_pod: bool, profile: Mapping[str, str] = DEFAULT_PROFILE
    ) -> tuple[Operation, ...]:
        own = self.cursor.get("securityContext", "seccompProfile")
        whole_pod = whole_pod and own is None
        base = self.pod.address if whole_pod else self.cursor.address
        at = (*base, "securityContext", "seccompProfile")
        existing = own if own is not None else None
        if whole_pod:
            existing = self.pod.get("securityContext", "seccompProfile")
        if existing is not None and existing.get("type") is not None:
            return tuple(
                SetValue(self.path, (*at, key), value_of(value)) for key, value in profile.items()
            )
        return (SetValue(self.path, at, value_of(dict(profile)), self._context_after),)

    def make_root_read_only(self) -> tuple[Operation, ...]:
        return (self._security("readOnlyRootFilesystem", value=True),)

    def mount_temporary(self) -> tuple[Operation, ...]:
        if any(mount.target and mount.target.rstrip("/") == "/tmp" for mount in self.mounts):  # noqa: S108  the container's, not ours
            return ()
        volume = self._temporary_volume()
        mount = value_of({"name": volume, "mountPath": "/tmp"})  # noqa: S108  as above
        operations: list[Operation] = [
            AppendItem(
                self.path,
                (*self.cursor.address, "volumeMounts"),
                mount,
                ("securityContext", "resources", "env", "ports", "image"),
            )
        ]
        if self._volume(volume) is None:
            new = value_of({"name": volume, "emptyDir": {}})
            at = (*self.pod.address, "volumes")
            operations.append(AppendItem(self.path, at, new, ("containers",)))
        return tuple(operations)

    def _volume(self, name: str) -> Cursor | None:
        listed = self.pod.get("volumes")
        for volume in listed.items() if listed is not None else ():
            found = volume.get("name")
            if found is not None and found.text == name:
                return volume
        return None

    def _temporary_volume(self) -> str:
        """A volume name of its own for /tmp: an emptyDir is shared by containers that name it."""
        containers = self.pod.get("containers")
        single = containers is not None and len(containers.items()) == 1 and self.role is Role.MAIN
        own = f"tmp-{self.name}"[:_LONGEST_NAME].rstrip("-")
        for name in ("tmp", own) if single else (own,):
            if self._volume(name) is None:
                return name
        return f"{own[: _LONGEST_NAME - 5]}-root"

    def require_non_root(self, *, whole_pod: bool) -> tuple[Operation, ...]:
        """Set `runAsNonRoot`, at the pod or at this container."""
        own = self.cursor.get("securityContext", "runAsNonRoot")
        base = self.pod.address if whole_pod and own is None else self.cursor.address
        at = (*base, "securityContext", "runAsNonRoot")
        return (SetValue(self.path, at, value_of(thing=True), self._context_after),)

    def run_as(self, uid: int) -> tuple[Operation, ...]:
        """Set this container's numeric user."""
        return (self._security("runAsUser", uid),)


def without(holder: Cursor, *keys: str) -> RemoveNode:
    """Take a key away, together with the mappings below `holder` that hold nothing else."""
    kept = len(keys)
    while kept > 1:
        above = holder.get(*keys[: kept - 1])
        if above is None or len(above.pairs()) != 1:
            break
        kept -= 1
    return RemoveNode(holder.path, (*holder.address, *keys[:kept]))


def is_windows_pod(pod: Cursor) -> bool:
    """Whether a pod says that it runs on Windows nodes."""
    system = pod.get("os", "name")
    if system is not None and system.text == "windows":
        return True
    if pod.get("securityContext", "windowsOptions") is not None:
        return True
    selector = pod.get("nodeSelector")
    for key, value in selector.pairs() if selector is not None else ():
        if key.endswith("kubernetes.io/os") and value.text == "windows":
            return True
    return "windows" in _raw(pod.get("affinity")) or "windows" in _raw(pod.get("tolerations"))


def _raw(cursor: Cursor | None) -> str:
    return "" if cursor is None else cursor.raw.lower()


def volume_kind(volume: Cursor) -> str:
    """Name what backs a pod volume, in the words of `Mount.kind`."""
    for key, kind in (
        ("emptyDir", "empty"),
        ("hostPath", "bind"),
        ("configMap", "config"),
        ("secret", "config"),
        ("projected", "config"),
        ("downwardAPI", "config"),
    ):
        if volume.get(key) is not None:
            return kind
    return "claim"
