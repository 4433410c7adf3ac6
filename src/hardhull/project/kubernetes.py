"""Kubernetes meaning of YAML: workloads, services and other objects, and where their pods are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.project.container import Role
from hardhull.project.kubernetes_container import KubernetesContainer, is_windows_pod

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


def is_of_openshift(cursor: Cursor) -> bool:
    """Whether an object is one that only OpenShift knows: by its API, or by its kind of old."""
    api, kind = cursor.get("apiVersion"), cursor.get("kind")
    if ".openshift.io/" in ((api.text if api is not None else None) or ""):
        return True
    return (kind.text if kind is not None else None) in ("DeploymentConfig", "ImageStream")


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
