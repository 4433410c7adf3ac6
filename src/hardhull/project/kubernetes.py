"""Kubernetes meaning of YAML: workloads, their containers, services, and verbs to change them."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    from collections.abc import Iterable, Iterator, Mapping

    from hardhull.documents.yaml import Cursor, YamlFile
    from hardhull.model import PodSecurityLevel
    from hardhull.project.pod_security_checks import Judge, Violation

POD_AT: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
    "Rollout": ("spec", "template"),
    "DeploymentConfig": ("spec", "template"),
    "Service": ("spec", "template"),
}
"""Where the pod (metadata and spec) stands in each workload kind; `Service` is Knative's."""

_GROUPS = {
    "Rollout": ("argoproj.io/",),
    "DeploymentConfig": ("apps.openshift.io/", "v1"),
    "Service": ("serving.knative.dev/",),
}
_CORE = {
    "Pod": ("v1",),
    "PodTemplate": ("v1",),
    "ReplicationController": ("v1",),
    "Deployment": ("apps/", "extensions/"),
    "StatefulSet": ("apps/",),
    "DaemonSet": ("apps/", "extensions/"),
    "ReplicaSet": ("apps/", "extensions/"),
    "Job": ("batch/",),
    "CronJob": ("batch/",),
}
_INJECTORS = (
    "sidecar.istio.io/inject",
    "linkerd.io/inject",
    "consul.hashicorp.com/connect-inject",
    "openservicemesh.io/sidecar-injection",
    "dapr.io/enabled",
    "vault.hashicorp.com/agent-inject",
    "kuma.io/sidecar-injection",
)
_CONTEXT_BEFORE = ("image", "imagePullPolicy", "name")
"""Keys of a container behind whose last a new securityContext stands."""


_LONGEST_NAME = 63

SECCOMP_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
"""The last part of such a key is the container's name."""
DEFAULT_PROFILE: Mapping[str, str] = {"type": "RuntimeDefault"}
"""The profile, seccomp or AppArmor, that the container runtime brings."""


def is_of_openshift(cursor: Cursor) -> bool:
    """Whether an object is one that only OpenShift knows: by its API, or by its kind of old."""
    api, kind = cursor.get("apiVersion"), cursor.get("kind")
    if ".openshift.io/" in ((api.text if api is not None else None) or ""):
        return True
    return (kind.text if kind is not None else None) in ("DeploymentConfig", "ImageStream")


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

    def set_environment(self, name: str, value: str) -> tuple[Operation, ...]:
        """Give an existing variable another value."""
        setting = self.environment[name]
        return (SetValue(self.path, setting.cursor.address, value_of(value)),)


@dataclass(frozen=True)
class Workload:
    """A Kubernetes object that makes pods."""

    path: str
    kind: str
    name: str
    namespace: str
    root: Cursor
    pod: Cursor
    metadata: Cursor | None
    containers: tuple[KubernetesContainer, ...]
    judged: dict[tuple[PodSecurityLevel, int], tuple[Violation, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """What `pod_security.violations` has found, by level and version: several rules ask."""
    checked: dict[tuple[str, Judge], tuple[Violation, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """The same by check, which several levels and versions share."""

    @property
    def where(self) -> str:
        """Symbolic place: `Deployment/web`."""
        return f"{self.kind}/{self.name}"

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The labels of its pods."""
        return _strings(self.metadata, "labels")

    @cached_property
    def annotations(self) -> Mapping[str, str]:
        """The annotations of its pods and of itself; the pods' win."""
        own = _strings(self.root.get("metadata"), "annotations")
        return {**own, **_strings(self.metadata, "annotations")}

    @property
    def injected(self) -> str | None:
        """The label or annotation that puts another container into its pods, if any."""
        marks = {**self.labels, **self.annotations}
        for key in _INJECTORS:
            if marks.get(key, "").lower() in ("true", "enabled", "auto", "yes"):
                return key
        return None

    @property
    def windows(self) -> bool:
        """True if its pods run on Windows nodes."""
        return any(container.windows for container in self.containers) or is_windows_pod(self.pod)


@dataclass(frozen=True)
class KubernetesService:
    """A Service: which pods it selects and which of their ports it names."""

    path: str
    name: str
    namespace: str
    cursor: Cursor

    @property
    def where(self) -> str:
        """Symbolic place: `Service/web`."""
        return f"Service/{self.name}"

    @cached_property
    def selector(self) -> Mapping[str, str]:
        """Labels a pod must have; empty if it selects none."""
        return _strings(self.cursor.get("spec"), "selector")

    @property
    def headless(self) -> bool:
        """True if clients reach pods directly, on the pods' own ports."""
        address = self.cursor.get("spec", "clusterIP")
        return address is not None and address.text == "None"

    @property
    def ports(self) -> tuple[Cursor, ...]:
        """Its port entries."""
        listed = self.cursor.get("spec", "ports")
        return () if listed is None else tuple(listed.items())

    def selects(self, workload: Workload) -> bool:
        """Whether its selector picks the pods of `workload`."""
        if self.namespace != workload.namespace and self.namespace and workload.namespace:
            return False
        return bool(self.selector) and self.selector.items() <= workload.labels.items()


@dataclass(frozen=True)
class KubernetesObject:
    """Any other object, kept for the ports and names it may hold."""

    path: str
    kind: str
    name: str
    namespace: str
    cursor: Cursor


@dataclass(frozen=True)
class Manifest:
    """What one YAML file holds of Kubernetes."""

    workloads: tuple[Workload, ...] = ()
    services: tuple[KubernetesService, ...] = ()
    others: tuple[KubernetesObject, ...] = ()
    patches: tuple[Workload, ...] = ()
    """Parts of workloads that kustomizations lay over others."""
    service_patches: tuple[KubernetesService, ...] = ()


def read_manifest(file: YamlFile) -> Manifest:
    """Find the workloads, services and other objects of a YAML file, lists unfolded."""
    workloads: list[Workload] = []
    services: list[KubernetesService] = []
    others: list[KubernetesObject] = []
    for kind, api, item in _objects(file):
        name, namespace = _name(item, "name"), _name(item, "namespace")
        if is_workload(kind, api):
            made = _workload(file.source.path, kind, name, namespace, item)
            if made is not None:
                workloads.append(made)
                continue
        if kind == "Service":
            services.append(KubernetesService(file.source.path, name, namespace, item))
        else:
            others.append(KubernetesObject(file.source.path, kind, name, namespace, item))
    return Manifest(tuple(workloads), tuple(services), tuple(others))


def apart(manifest: Manifest) -> Manifest:
    """A manifest whose workloads and Services are parts of others that it is laid over."""
    return Manifest(
        others=manifest.others,
        patches=manifest.workloads,
        service_patches=manifest.services,
    )


def is_workload(kind: str, api: str) -> bool:
    """Whether an object of this kind and API version makes pods in a way we know."""
    groups = _GROUPS.get(kind) or _CORE.get(kind)
    if groups is None:
        return False
    return any(api.startswith(group) if group.endswith("/") else api == group for group in groups)


def _objects(file: YamlFile) -> Iterator[tuple[str, str, Cursor]]:
    for root in file.cursors:
        pending = [root]
        while pending:
            item = pending.pop(0)
            kind, api = item.get("kind"), item.get("apiVersion")
            if kind is None or api is None or not kind.text or not api.text:
                continue
            if kind.text == "List" or kind.text.endswith("List"):
                listed = item.get("items")
                pending += listed.items() if listed is not None else []
                continue
            yield kind.text, api.text, item


def _workload(path: str, kind: str, name: str, space: str, root: Cursor) -> Workload | None:
    top = root.get(*POD_AT[kind]) if POD_AT[kind] else root
    pod = top.get("spec") if top is not None else None
    if top is None or pod is None:
        return None
    metadata = top.get("metadata")
    found = []
    for key, role in (("initContainers", Role.INIT), ("containers", Role.MAIN)):
        listed = pod.get(key)
        for index, item in enumerate(listed.items() if listed is not None else ()):
            called = item.get("name")
            label = (called.text if called is not None else None) or str(index)
            where = f"{kind}/{name}.{key}[{label}]"
            found.append(KubernetesContainer(path, where, label, role, item, pod, metadata))
    return Workload(path, kind, name, space, root, pod, metadata, tuple(found))


def _name(item: Cursor, key: str) -> str:
    found = item.get("metadata", key)
    return (found.text if found is not None else None) or ""


def _strings(cursor: Cursor | None, key: str) -> dict[str, str]:
    found = cursor.get(key) if cursor is not None else None
    if found is None:
        return {}
    return {name: value.text for name, value in found.pairs() if value.text is not None}


def without(holder: Cursor, *keys: str) -> RemoveNode:
    """Take a key away, together with the mappings below `holder` that hold nothing else."""
    kept = len(keys)
    while kept > 1:
        above = holder.get(*keys[: kept - 1])
        if above is None or len(above.pairs()) != 1:
            break
        kept -= 1
    return RemoveNode(holder.path, (*holder.address, *keys[:kept]))


_EVERYONE = ("system:serviceaccounts", "system:authenticated")
"""Groups that the default account of a namespace is in."""


def spaces_of_trusted_default_accounts(others: Iterable[KubernetesObject]) -> frozenset[str]:
    """The namespaces whose default account a binding gives something; "" where none is named."""
    spaces: set[str] = set()
    for other in others:
        subjects = other.cursor.get("subjects") if other.kind.endswith("RoleBinding") else None
        for subject in subjects.items() if subjects is not None else ():
            kind, name, space = subject.get("kind"), subject.get("name"), subject.get("namespace")
            account = kind is not None and kind.text == "ServiceAccount"
            if name is not None and (name.text or "").startswith(_EVERYONE):
                spaces.add("")
            elif account and name is not None and name.text == "default":
                spaces.add((space.text if space is not None else None) or "")
    return frozenset(spaces)


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
