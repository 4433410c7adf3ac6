"""missing-seccomp-profile: nothing filters the system calls of the container."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    SetValue,
    Severity,
    SubjectKind,
    value_of,
    worst,
)
from hardhull.project.container import Platform, Seccomp
from hardhull.project.kubernetes_container import (
    DEFAULT_PROFILE,
    SECCOMP_ANNOTATION,
    KubernetesContainer,
)
from hardhull.project.pod_security import minor_of
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import left_alone
from hardhull.rules.privileges.examples import COMPOSE, DOCKERFILE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import (
    UNKNOWN_IMAGE,
    built_here,
    on_windows,
    set_by_openshift,
    workload_of,
)
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Address, Operation
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "missing-seccomp-profile"
_FIELD_SINCE = 19
"""The minor version of Kubernetes that brought the field, and with it the end of annotations."""


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers without a filter; in Compose only where Docker's own was switched off."""
    if on_windows(container, context):
        return
    if container.seccomp is Seccomp.FILTERED:
        yield from _overridden(container, context)
        return
    noted = container.seccomp_annotation if isinstance(container, KubernetesContainer) else None
    if noted is not None and noted.is_opaque:
        return
    if noted is not None and _reads_annotations(context) and _by_annotation(noted) is not None:
        return
    off = container.seccomp is Seccomp.UNCONFINED
    if not off and noted is None and set_by_openshift(container, context):
        return
    off = off or (noted is not None and _by_annotation(noted) is None)
    message = (
        "its system-call filter is switched off" if off else "nothing filters its system calls"
    )
    if noted is not None and not off:
        message = "its system-call filter is an annotation, which Kubernetes ignores since 1.27"
    yield in_container(
        ID,
        Severity.MEDIUM,
        container,
        message,
        level=Level.REVIEW if off else Level.ROUTINE,
        what="Unconfined" if off else "",
        plan=noted,
    )


def _overridden(container: Container, context: Context) -> Iterator[Finding]:
    """The pod's own profile, which counts for containers that are added to it."""
    if not isinstance(container, KubernetesContainer):
        return
    workload = workload_of(container, context)
    kind = container.pod.get("securityContext", "seccompProfile", "type")
    if kind is None or kind.text != "Unconfined" or workload is None:
        return
    found = in_container(
        ID,
        Severity.MEDIUM,
        container,
        "the pod's system-call filter is switched off, though its containers have their own",
        at=kind,
        level=Level.REVIEW,
        what="pod",
    )
    yield replace(found, where=workload.where)


def _reads_annotations(context: Context) -> bool:
    """Whether the version that the manifests are for has no field for it yet."""
    return minor_of(context.settings.pod_security.version) < _FIELD_SINCE


def _by_annotation(noted: Cursor) -> dict[str, str] | None:
    """The profile that an annotation of the older kind names; None if it switches the filter off."""
    if noted.text in ("runtime/default", "docker/default"):
        return dict(DEFAULT_PROFILE)
    kind, _, profile = (noted.text or "").partition("/")
    return {"type": "Localhost", "localhostProfile": profile} if kind == "localhost" else None


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Ask for the runtime's own filter, once for the pod where all its containers are ours."""
    container: Container = finding.subject
    alone = left_alone(container, context)
    if alone is not None:
        return alone
    noted: Cursor | None = finding.plan
    workload = workload_of(container, context)
    whole_pod = workload is not None and _is_ours(workload, context)
    operations: tuple[Operation, ...]
    summary = "seccompProfile: RuntimeDefault"
    if finding.what == "pod":
        operations = (
            SetValue(finding.path, _profile_of_pod(container), value_of("RuntimeDefault")),
        )
    elif noted is not None and _reads_annotations(context):
        operations = (SetValue(noted.path, noted.address, value_of("runtime/default")),)
        summary = "seccomp annotation: runtime/default"
    elif noted is not None and isinstance(container, KubernetesContainer):
        key = str(noted.address[-1])
        whole_pod = key == SECCOMP_ANNOTATION
        profile = _by_annotation(noted) or DEFAULT_PROFILE
        operations = (
            *container.filter_system_calls(whole_pod=whole_pod, profile=profile),
            *container.remove_annotation(key),
        )
        summary = f"seccompProfile: {profile['type']} instead of an annotation"
    else:
        operations = container.filter_system_calls(whole_pod=whole_pod)
        summary += " for the pod" if whole_pod else ""
    if container.platform is Platform.COMPOSE:
        summary = "Docker's system-call filter is on again"
    notes = [*_notes(finding, workload, context, whole_pod=whole_pod)]
    careful = any(note.startswith("not checked") for note in notes)
    return Fix(
        operations,
        summary,
        worst(Level.REVIEW if careful else Level.ROUTINE, finding.level),
        '"Operation not permitted" from a system call that programs rarely make',
        tuple(notes),
    )


def _profile_of_pod(container: Container) -> Address:
    if not isinstance(container, KubernetesContainer):
        raise TypeError("asked only of pods")
    return (*container.pod.address, "securityContext", "seccompProfile", "type")


def _notes(
    finding: Finding, workload: Workload | None, context: Context, *, whole_pod: bool
) -> Iterator[str]:
    container: Container = finding.subject
    yield from at_roll_out(container, context)
    if finding.level is Level.REVIEW:
        yield "not checked: why the filter was switched off; git blame may say"
    local = _by_annotation(finding.plan) if finding.plan is not None else None
    if local is not None and "localhostProfile" in local and not _reads_annotations(context):
        yield f"not checked: whether every node has the profile {local['localhostProfile']}"
    if workload is not None:
        if workload.injected is not None and not whole_pod:
            yield f"set at the container: {workload.injected} adds others to the pod"
        if context.project.for_openshift:
            yield "not checked: OpenShift before 4.11 rejects pods that name a profile"
    reached = workload.containers if workload is not None and whole_pod else (container,)
    foreign = [one.name for one in reached if not built_here(one, context)]
    if foreign:
        yield f"{UNKNOWN_IMAGE} ({', '.join(foreign)})"


def _is_ours(workload: Workload, context: Context) -> bool:
    """Whether every container of the pod is an application's, or prepares for one."""
    if workload.injected is not None or workload.kind == "Service":
        return False  # Knative lets pods have no security context of their own
    mains = [one for one in workload.containers if one.role.value == "main"]
    return all(context.project.owner_of(one) is not None for one in mains)


_PROFILE = "      securityContext:\n        seccompProfile:\n          type: RuntimeDefault\n"
_SIDECAR = POD + "        - name: log\n          image: acme.example/log-shipper:2\n"
_OFF = COMPOSE + "    security_opt:\n      - seccomp:unconfined\n      - label:disable\n"
_UNCONFINED = POD + "          securityContext:\n            seccompProfile: {type: Unconfined}\n"
_ANNOTATED = POD.replace(
    "    spec:\n      cont",
    "      annotations:\n"
    "        seccomp.security.alpha.kubernetes.io/pod: <filter>\n"
    "    spec:\n      cont",
)

RULE = Rule(
    id=ID,
    title="System calls are not filtered",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Kubernetes starts containers without a system-call filter unless a manifest asks for "
        "one. The runtime's default filter, which Docker has used for years, keeps a program "
        "from rarely used parts of the kernel, where most break-outs begin."
    ),
    fix_note=(
        "Sets `seccompProfile: {type: RuntimeDefault}`, once at the pod where all of its "
        "containers are applications or their init containers, else at the container. An annotation "
        "of the older kind, which Kubernetes no longer reads, becomes the field. In Compose it "
        "removes `seccomp:unconfined`."
    ),
    routine_when="no profile is set, and every image that the setting reaches is built here",
    review_when=(
        "a profile `Unconfined` is replaced, an image is not built here, the manifests are for "
        "OpenShift or Knative, or the workload is a Pod or a Job, which can't be changed in place"
    ),
    refused_when="the container is there for a debugger",
    references=(
        "https://kubernetes.io/docs/tutorials/security/seccomp/",
        "https://docs.docker.com/engine/security/seccomp/",
    ),
    equivalents=(
        "checkov:CKV_K8S_31",
        "trivy:KSV-0030",
        "trivy:KSV-0104",
        "kubescape:C-0055",
        "kubescape:C-0210",
        "kics:f377b83e-bd07-4f48-a591-60c82b14a78b",
        "polaris:linuxHardening",
        "kubesec:SeccompAny",
        "kubesec:SeccompUnconfined",
        "cis:5.7.2",
        "nsa:1.10",
        "pss:seccompProfile_baseline",
        "pss:seccompProfile_restricted",
    ),
    examples=(
        Example(
            "the pod runs nothing but an application",
            in_pod(POD),
            {"k8s/api.yaml": POD + _PROFILE},
        ),
        Example(
            "beside a container of others it is set at the container",
            in_pod(_SIDECAR),
            {
                "k8s/api.yaml": _SIDECAR.replace(
                    "api:1\n",
                    "api:1\n          securityContext:\n            seccompProfile:\n"
                    "              type: RuntimeDefault\n",
                )
            },
        ),
        Example(
            "a profile that filters nothing is replaced",
            in_pod(_UNCONFINED),
            {"k8s/api.yaml": _UNCONFINED.replace("Unconfined", "RuntimeDefault")},
            level=Level.REVIEW,
        ),
        Example(
            "Compose: Docker's filter was switched off",
            in_compose(_OFF),
            {"compose.yaml": _OFF.replace("      - seccomp:unconfined\n", "")},
            level=Level.REVIEW,
        ),
        Example(
            "an annotation of the older kind becomes the field",
            in_pod(_ANNOTATED.replace("<filter>", "runtime/default")),
            {"k8s/api.yaml": POD + _PROFILE},
        ),
        Example(
            "an annotation that switches the filter off",
            in_pod(_ANNOTATED.replace("<filter>", "unconfined")),
            {"k8s/api.yaml": POD + _PROFILE},
            level=Level.REVIEW,
        ),
        Example(
            "a profile of the node that an annotation names",
            in_pod(_ANNOTATED.replace("<filter>", "localhost/audit.json")),
            {
                "k8s/api.yaml": POD
                + _PROFILE.replace("RuntimeDefault", "Localhost")
                + "          localhostProfile: audit.json\n"
            },
            level=Level.REVIEW,
        ),
        Example(
            "Kubernetes before 1.19, which reads annotations",
            in_pod(_ANNOTATED.replace("<filter>", "runtime/default")),
            silent=True,
            settings="pod-security: {version: v1.18}\n",
        ),
        Example("Compose without a word about it", in_compose(COMPOSE), silent=True),
        Example(
            "a Windows image",
            in_pod(
                POD,
                DOCKERFILE.replace("8.0-noble-chiseled", "8.0-nanoserver-ltsc2022"),
            ),
            silent=True,
        ),
    ),
)
