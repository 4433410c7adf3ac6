"""unenforced-pod-security: the namespace would admit pods below the level its workloads keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    PodSecurityLevel,
    Refusal,
    Rule,
    SetValue,
    Severity,
    Span,
    SubjectKind,
    value_of,
)
from hardhull.project.pod_security import version_of, violations
from hardhull.rules.finding import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesObject, Workload
    from hardhull.project.link import Project

ID = "unenforced-pod-security"
ENFORCE = "pod-security.kubernetes.io/enforce"
VERSION = "pod-security.kubernetes.io/enforce-version"
_MESHES = (
    "istio-injection",
    "istio.io/rev",
    "linkerd.io/inject",
    "consul.hashicorp.com/connect-inject",
)
"""Labels and annotations by which a namespace has containers added to its pods."""


def find(project: Project, context: Context) -> Iterator[Finding]:
    """Namespaces of the repository that enforce less than the wanted level."""
    wanted = context.settings.pod_security.level
    for namespace in project.others:
        if namespace.kind != "Namespace" or not namespace.name:
            continue
        label = namespace.cursor.get("metadata", "labels", ENFORCE)
        if label is not None and (label.is_opaque or _rank(label.text) >= wanted.rank):
            continue
        at = label.span if label is not None else namespace.cursor.span
        yield Finding(
            ID,
            namespace.path,
            f"Namespace/{namespace.name}",
            at if label is not None else Span(at.start, at.start + 1),
            f"it admits pods below the {wanted} level",
            Severity.LOW,
            Level.REVIEW,
            subject=namespace,
        )


_JUDGED = re.compile(r"ecurityContext|\bhost\w|\bvolumes\b|[cC]ontainers/\d+$|/spec$")
"""What a patch holds that touches Pod Security, near enough to look at it."""


def _rank(text: str | None) -> int:
    return PodSecurityLevel(text).rank if text in set(PodSecurityLevel) else 0


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Enforce the level, once every workload that may run there keeps it."""
    namespace: KubernetesObject = finding.subject
    wanted = context.settings.pod_security
    there = [w for w in context.project.all_workloads if w.namespace in ("", namespace.name)]
    if not there:
        return Refusal("no workload here runs in it", finding.path, finding.span)
    refusal = _adds_containers(namespace, there)
    if refusal is not None:
        return refusal
    for workload in there:
        for broken in violations(workload, wanted.level, wanted.version):
            reason = f"{workload.where} is not {wanted.level}: {broken.message} ({broken.check})"
            return Refusal(f"{reason} at {place(broken.at)}", broken.at.path, broken.at.span)
    patched = _patched(there, context)
    if patched is not None:
        return patched
    version = version_of(wanted.version)
    at = (*namespace.cursor.address, "metadata", "labels")
    labels = {ENFORCE: str(wanted.level), VERSION: version}
    present = namespace.cursor.get("metadata", "labels")
    whole = (SetValue(namespace.path, at, value_of(labels), ("name",)),)
    apart = tuple(
        SetValue(namespace.path, (*at, key), value_of(text)) for key, text in labels.items()
    )
    empty = present is None or present.is_null or not present.pairs()
    return Fix(
        whole if empty else apart,
        f"{ENFORCE}: {wanted.level}",
        Level.REVIEW,
        f'"violates PodSecurity" when a pod below {wanted.level} is made',
        tuple(_notes(namespace, there)),
    )


def _patched(there: list[Workload], context: Context) -> Refusal | None:
    """A kustomization may lay over a pod what the level does not admit."""
    for workload in there:
        for patch in context.project.kustomize.patches_of(
            workload.path, workload.kind, workload.name
        ):
            if patch.unread or _JUDGED.search(patch.cursor.raw):
                reason = f"a patch changes what is judged of {workload.where}"
                return Refusal(reason, patch.path, patch.span_of(patch.cursor))
    return None


def _notes(namespace: KubernetesObject, there: list[Workload]) -> Iterator[str]:
    yield f"not checked: pods in {namespace.name} that are not in this repository"
    unnamed = [workload.where for workload in there if not workload.namespace]
    if unnamed:
        yield f"{', '.join(unnamed[:3])} name no namespace, and count as if they ran in it"


def _adds_containers(namespace: KubernetesObject, there: list[Workload]) -> Refusal | None:
    """A mesh adds containers that are not here, and most of theirs need rights at the start."""
    metadata = namespace.cursor.get("metadata")
    for key in ("labels", "annotations"):
        listed = metadata.get(key) if metadata is not None else None
        for name, value in listed.pairs() if listed is not None else ():
            if name in _MESHES and value.text not in ("disabled", "false"):
                reason = f"{name} adds containers to its pods that are not here to be judged"
                return Refusal(reason, value.path, value.span)
    for workload in there:
        if workload.injected is not None:
            reason = f"{workload.injected} adds containers to {workload.where} that are not here"
            return Refusal(reason, workload.path, workload.pod.span)
    return None


_NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
"""
_LABELS = (
    "  labels:\n"
    "    pod-security.kubernetes.io/enforce: restricted\n"
    "    pod-security.kubernetes.io/enforce-version: v1.37\n"
)
_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
  namespace: shop
spec:
  securityContext:
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: api
      image: acme.example/api:1
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
"""
_BASELINE = "pod-security: {level: baseline, version: v1.30}\n"

RULE = Rule(
    id=ID,
    title="The namespace does not enforce the level that its workloads keep",
    concern="repository",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "A manifest keeps a Pod Security level only until somebody changes it. With the label the "
        "API server refuses pods below the level, whoever makes them."
    ),
    fix_note=(
        "Puts `pod-security.kubernetes.io/enforce` on a Namespace of the repository, with the "
        "level and version of `pod-security`, once every workload here that may run in it keeps "
        "that level. `latest` becomes the newest version that was checked, so that an upgrade of "
        "the cluster refuses nothing by surprise."
    ),
    routine_when="never: what else runs in the namespace is not known",
    review_when="every workload of the repository that may run in it passes",
    refused_when="one does not, none is here, or a mesh adds containers to the pods",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-namespace-labels/",
    ),
    equivalents=(),
    examples=(
        Example(
            "all its workloads are restricted",
            {"k8s/namespace.yaml": _NAMESPACE, "k8s/api.yaml": _POD},
            {"k8s/namespace.yaml": _NAMESPACE + _LABELS},
            level=Level.REVIEW,
        ),
        Example(
            "baseline, at a version of Kubernetes",
            {
                "k8s/namespace.yaml": _NAMESPACE,
                "k8s/api.yaml": _POD.replace("runAsNonRoot: true", "runAsUser: 0"),
            },
            {
                "k8s/namespace.yaml": _NAMESPACE
                + _LABELS.replace("restricted", "baseline").replace("v1.37", "v1.30")
            },
            level=Level.REVIEW,
            settings=_BASELINE,
        ),
        Example(
            "a label that enforces less",
            {
                "k8s/namespace.yaml": _NAMESPACE + _LABELS.replace("restricted", "privileged"),
                "k8s/api.yaml": _POD,
            },
            {"k8s/namespace.yaml": _NAMESPACE + _LABELS},
            level=Level.REVIEW,
        ),
        Example(
            "a workload that does not keep the level",
            {
                "k8s/namespace.yaml": _NAMESPACE,
                "k8s/api.yaml": _POD.replace("runAsNonRoot: true", "runAsUser: 0"),
            },
            refused="is not restricted",
        ),
        Example(
            "a mesh adds containers",
            {
                "k8s/namespace.yaml": _NAMESPACE + "  labels: {istio-injection: enabled}\n",
                "k8s/api.yaml": _POD,
            },
            refused="adds containers",
        ),
        Example("a namespace of others", {"k8s/namespace.yaml": _NAMESPACE}, refused="no workload"),
        Example(
            "enforced already",
            {"k8s/namespace.yaml": _NAMESPACE + _LABELS, "k8s/api.yaml": _POD},
            silent=True,
        ),
    ),
    default=False,
)
