"""What each check of the Pod Security Standards wants of a pod, one function a check.

Longer than a module should be: the table and its 19 judges belong side by side, in the words and
the order of https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from hardhull.model import PodSecurityLevel
from hardhull.project.kubernetes_container import (
    APPARMOR_ANNOTATION,
    SECCOMP_ANNOTATION,
    SECCOMP_CONTAINER_ANNOTATION,
)

if TYPE_CHECKING:
    from hardhull.documents.yaml import Cursor
    from hardhull.project.kubernetes import Workload

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = (("lifecycle", "postStart"), ("lifecycle", "preStop"))
HANDLERS = ("httpGet", "tcpSocket")
FILTERING = ("RuntimeDefault", "Localhost")
"""Kinds of seccomp and AppArmor profiles that filter."""
DEFAULT_CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
"""What the baseline level lets a container add."""
RESTRICTED_CAPABILITIES = frozenset({"NET_BIND_SERVICE"})
"""What the restricted level lets a container add, since 1.22."""
VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret",
)  # fmt: skip
"""The kinds of volumes that the restricted level allows."""
_SYSCTLS = {
    0: (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: (
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    37: ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
}  # fmt: skip
"""Kernel parameters that are safe, by the minor version that added them."""
_SELINUX = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
_SELINUX_ENGINE = 31
"""The minor version since which `container_engine_t` is allowed as well."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What a check says of one place. `where` is the container's symbolic place, or the pod's."""

    check: str
    message: str
    at: Cursor
    where: str


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod as the checks look at it: containers of all three kinds, with their places."""

    where: str
    pod: Cursor
    metadata: Cursor | None
    containers: tuple[tuple[str, Cursor], ...]

    @classmethod
    def of(cls, workload: Workload) -> PodView:
        """The pods that a workload makes."""
        found = []
        for key in ("initContainers", "containers", "ephemeralContainers"):
            listed = workload.pod.get(key)
            for index, item in enumerate(listed.items() if listed is not None else ()):
                found.append((f"{workload.where}.{key}[{_name(item) or index}]", item))
        return cls(workload.where, workload.pod, workload.metadata, tuple(found))

    @property
    def places(self) -> tuple[tuple[str, Cursor], ...]:
        """What may have a security context: the pod, then each container."""
        return ((self.where, self.pod), *self.containers)

    @property
    def windows(self) -> bool:
        """Whether the pod says, in the one way that counts here, that it is for Windows."""
        system = given(self.pod, "os", "name")
        return system is not None and system.text == "windows"

    @property
    def own_user_namespace(self) -> bool:
        """Whether root in the pod is nobody on the host (`hostUsers: false`)."""
        found = given(self.pod, "hostUsers")
        return found is not None and found.as_bool() is False

    def annotations(self, prefix: str) -> Iterator[tuple[str, Cursor]]:
        """The annotations whose key begins with `prefix`."""
        notes = given(self.metadata, "annotations") if self.metadata is not None else None
        for key, note in notes.pairs() if notes is not None else ():
            if key.startswith(prefix) and not note.is_null:
                yield key, note


Judged: TypeAlias = Iterator[tuple[str, "Cursor", str]]
"""What is wrong, at which node, and the symbolic place."""
Judge: TypeAlias = Callable[[PodView], Judged]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its level, and what it wants since which minor versions, oldest first."""

    id: str
    level: PodSecurityLevel
    versions: tuple[tuple[int, Judge], ...]
    overrides: tuple[str, ...] = ()
    """Baseline checks that it makes needless where it is in force."""

    def judge_of(self, minor: int) -> Judge | None:
        """What it wants at a version; None if it came later."""
        return next((judge for since, judge in reversed(self.versions) if since <= minor), None)


def given(cursor: Cursor, *keys: str) -> Cursor | None:
    """What stands there; None for nothing and null, which are one to Kubernetes."""
    found = cursor.get(*keys)
    return None if found is None or found.is_null else found


def _name(container: Cursor) -> str | None:
    called = container.get("name")
    return called.text if called is not None else None


def _security(cursor: Cursor, *keys: str) -> Cursor | None:
    return given(cursor, "securityContext", *keys)


def _items(cursor: Cursor, *keys: str) -> list[Cursor]:
    found = given(cursor, *keys)
    return found.items() if found is not None else []


def _not_false(found: Cursor) -> bool:
    return found.as_bool() is not False


# ---------------------------------------------------------------- baseline


def _host_process(view: PodView) -> Judged:
    for where, place in view.places:
        found = _security(place, "windowsOptions", "hostProcess")
        if found is not None and _not_false(found):
            yield "hostProcess is true", found, where


def _host_namespaces(view: PodView) -> Judged:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        found = given(view.pod, key)
        if found is not None and _not_false(found):
            yield f"{key} is true", found, view.where


def _privileged(view: PodView) -> Judged:
    for where, container in view.containers:
        found = _security(container, "privileged")
        if found is not None and _not_false(found):
            yield "privileged is true", found, where


def _added(view: PodView, allowed: frozenset[str]) -> Judged:
    for where, container in view.containers:
        for item in _items(container, "securityContext", "capabilities", "add"):
            if item.text not in allowed:
                yield f"adds the capability {item.raw}", item, where


def _host_path(view: PodView) -> Judged:
    for volume in _items(view.pod, "volumes"):
        found = given(volume, "hostPath")
        if found is not None:
            yield f"volume {_name(volume) or ''} is a hostPath", found, view.where


def _host_ports(view: PodView) -> Judged:
    for where, container in view.containers:
        for port in _items(container, "ports"):
            found = given(port, "hostPort")
            if found is not None and found.as_int() != 0:
                yield f"takes port {found.raw} of the host", found, where


def _probe_hosts(view: PodView) -> Judged:
    for where, container in view.containers:
        for found in hosts_asked(container):
            yield f"asks the host {found.raw}", found, where


def hosts_asked(container: Cursor) -> Iterator[Cursor]:
    """Every `host` of a container's probes and lifecycle handlers."""
    for path in (*((probe,) for probe in PROBES), *HOOKS):
        for handler in HANDLERS:
            found = given(container, *path, handler, "host")
            if found is not None and found.text != "":
                yield found


def _app_armor(view: PodView) -> Judged:
    for where, place in view.places:
        profile = _security(place, "appArmorProfile")
        kind = given(profile, "type") if profile is not None else None
        if profile is not None and (kind is None or kind.text not in FILTERING):
            yield "its AppArmor profile is not a filter", kind or profile, where
    for key, note in view.annotations(APPARMOR_ANNOTATION):
        text = note.text
        if text is None or not (text in ("", "runtime/default") or text.startswith("localhost/")):
            name = key.removeprefix(APPARMOR_ANNOTATION)
            where = next((at for at, one in view.containers if _name(one) == name), view.where)
            yield f"an annotation sets its AppArmor profile to {note.raw}", note, where


def _selinux(view: PodView, types: frozenset[str]) -> Judged:
    for where, place in view.places:
        for key in ("type", "user", "role"):
            found = _security(place, "seLinuxOptions", key)
            allowed = types if key == "type" else ("",)
            if found is not None and found.text not in allowed:
                yield f"seLinuxOptions.{key} is {found.raw}", found, where


def _proc_mount(view: PodView) -> Judged:
    for where, container in view.containers:
        found = _security(container, "procMount")
        if found is not None and found.text != "Default":
            yield f"procMount is {found.raw}", found, where


def _proc_mount_of_host(view: PodView) -> Judged:
    return iter(()) if view.own_user_namespace else _proc_mount(view)


def _seccomp_annotations(view: PodView) -> Judged:
    names = {_name(one): where for where, one in view.containers}
    for key, note in view.annotations(""):
        own = key.removeprefix(SECCOMP_CONTAINER_ANNOTATION)
        if key != SECCOMP_ANNOTATION and (own == key or own not in names):
            continue
        text = note.text or ""
        if text not in ("runtime/default", "docker/default") and not text.startswith("localhost/"):
            where = names.get(own, view.where)
            yield f"an annotation sets its seccomp profile to {note.raw}", note, where


def _seccomp(view: PodView) -> Judged:
    for where, place in view.places:
        profile = _security(place, "seccompProfile")
        kind = given(profile, "type") if profile is not None else None
        if profile is not None and (kind is None or kind.text not in FILTERING):
            yield "its seccomp profile is not a filter", kind or profile, where


def safe_sysctls(minor: int) -> frozenset[str]:
    """The kernel parameters that are safe at a minor version of Kubernetes."""
    return frozenset(name for since, names in _SYSCTLS.items() if since <= minor for name in names)


def _sysctls(view: PodView, safe: frozenset[str]) -> Judged:
    for item in _items(view.pod, "securityContext", "sysctls"):
        name = given(item, "name")
        if name is None or name.text not in safe:
            called = name.raw if name is not None else "without a name"
            yield f"sets the kernel parameter {called}", name or item, view.where


# ---------------------------------------------------------------- restricted


def _restricted_volumes(view: PodView) -> Judged:
    for volume in _items(view.pod, "volumes"):
        kinds = [key for key, value in volume.pairs() if key != "name" and not value.is_null]
        if kinds and not any(key in VOLUMES for key in kinds):  # one of no kind is an emptyDir
            yield f"volume {_name(volume) or ''} is {kinds[0]}", volume, view.where


def _escalation(view: PodView) -> Judged:
    for where, container in view.containers:
        found = _security(container, "allowPrivilegeEscalation")
        if found is None or _not_false(found):
            yield "allowPrivilegeEscalation is not false", found or container, where


def _non_root(view: PodView) -> Judged:
    at_pod = _security(view.pod, "runAsNonRoot")
    required = at_pod is not None and at_pod.as_bool() is True
    if at_pod is not None and not required:
        yield "runAsNonRoot is false", at_pod, view.where
    for where, container in view.containers:
        found = _security(container, "runAsNonRoot")
        if found is not None and found.as_bool() is not True:
            yield "runAsNonRoot is false", found, where
        elif found is None and not required:
            yield "runAsNonRoot is not true", container, where


def _not_user_zero(view: PodView) -> Judged:
    for where, place in view.places:
        found = _security(place, "runAsUser")
        if found is not None and (found.as_int() == 0 or found.is_opaque):
            yield f"runAsUser is {found.raw}", found, where


def _filtered(view: PodView) -> Judged:
    yield from _seccomp(view)
    if _security(view.pod, "seccompProfile") is not None:
        return
    for where, container in view.containers:
        if _security(container, "seccompProfile") is None:
            yield "it has no seccomp profile", container, where


def _restricted_capabilities(view: PodView) -> Judged:
    for where, container in view.containers:
        dropped = _items(container, "securityContext", "capabilities", "drop")
        if not any(item.text == "ALL" for item in dropped):
            yield "does not drop ALL capabilities", container, where
    yield from _added(view, RESTRICTED_CAPABILITIES)


def _but_on_windows(judge: Judge) -> Judge:
    """Since 1.25 pods that say they are for Windows need not have what only Linux knows."""
    return lambda view: iter(()) if view.windows else judge(view)


def _but_in_user_namespace(judge: Judge) -> Judge:
    """Since 1.35 pods whose root is nobody on the host may run as root."""
    return lambda view: iter(()) if view.own_user_namespace else judge(view)


# ---------------------------------------------------------------- the table

_BASELINE, _RESTRICTED = PodSecurityLevel.BASELINE, PodSecurityLevel.RESTRICTED

CHECKS = (
    Check("appArmorProfile", _BASELINE, ((0, _app_armor),)),
    Check(
        "capabilities_baseline", _BASELINE, ((0, partial(_added, allowed=DEFAULT_CAPABILITIES)),),
    ),
    Check("hostNamespaces", _BASELINE, ((0, _host_namespaces),)),
    Check("hostPathVolumes", _BASELINE, ((0, _host_path),)),
    Check("hostPorts", _BASELINE, ((0, _host_ports),)),
    Check("hostProbesAndHostLifecycle", _BASELINE, ((34, _probe_hosts),)),
    Check("privileged", _BASELINE, ((0, _privileged),)),
    Check("procMount", _BASELINE, ((0, _proc_mount), (35, _proc_mount_of_host))),
    Check("seLinuxOptions", _BASELINE, (
        (0, partial(_selinux, types=_SELINUX)),
        (_SELINUX_ENGINE, partial(_selinux, types=_SELINUX | {"container_engine_t"})),
    )),
    Check("seccompProfile_baseline", _BASELINE, ((0, _seccomp_annotations), (19, _seccomp))),
    Check("sysctls", _BASELINE, tuple(
        (since, partial(_sysctls, safe=safe_sysctls(since))) for since in _SYSCTLS
    )),
    Check("windowsHostProcess", _BASELINE, ((0, _host_process),)),
    Check("allowPrivilegeEscalation", _RESTRICTED, (
        (8, _escalation), (25, _but_on_windows(_escalation)),
    )),
    Check(
        "capabilities_restricted", _RESTRICTED,
        ((22, _restricted_capabilities), (25, _but_on_windows(_restricted_capabilities))),
        ("capabilities_baseline",),
    ),
    Check("procMount_restricted", _RESTRICTED, ((35, _proc_mount),), ("procMount",)),
    Check("restrictedVolumes", _RESTRICTED, ((0, _restricted_volumes),), ("hostPathVolumes",)),
    Check("runAsNonRoot", _RESTRICTED, ((0, _non_root), (35, _but_in_user_namespace(_non_root)))),
    Check("runAsUser", _RESTRICTED, (
        (23, _not_user_zero), (35, _but_in_user_namespace(_not_user_zero)),
    )),
    Check(
        "seccompProfile_restricted", _RESTRICTED,
        ((19, _filtered), (25, _but_on_windows(_filtered))),
        ("seccompProfile_baseline",),
    ),
)  # fmt: skip
