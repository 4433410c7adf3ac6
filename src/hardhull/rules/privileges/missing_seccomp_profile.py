"""missing-seccomp-profile: nothing filters the system calls of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind, worst
from hardhull.project.container import Platform, Seccomp
from hardhull.project.kubernetes import KubernetesContainer
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import at_roll_out, left_alone
from hardhull.rules.privileges.examples import COMPOSE, DOCKERFILE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import (
    UNKNOWN_IMAGE,
    at,
    built_here,
    on_windows,
    openshift,
    workload_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "missing-seccomp-profile"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers without a filter; in Compose only where Docker's own was switched off."""
    if container.seccomp is Seccomp.FILTERED or on_windows(container, context):
        return
    off = container.seccomp is Seccomp.UNCONFINED
    yield in_container(
        ID,
        Severity.MEDIUM,
        container,
        "its system-call filter is switched off" if off else "nothing filters its system calls",
        level=Level.REVIEW if off else Level.ROUTINE,
        what="Unconfined" if off else "",
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Ask for the runtime's own filter, once for the pod where all its containers are ours."""
    container: Container = finding.subject
    alone = left_alone(container, context)
    if alone is not None:
        return alone
    notes = list(at_roll_out(container, context))
    if container.seccomp is Seccomp.UNCONFINED:
        notes.append("not checked: why the filter was switched off; git blame may say")
    workload = workload_of(container, context)
    whole_pod = workload is not None and _is_ours(workload, context)
    if workload is not None:
        for obstacle in _in_pod(container, workload, context, whole_pod=whole_pod):
            if isinstance(obstacle, Refusal):
                return obstacle
            notes.append(obstacle)
    reached = workload.containers if workload is not None and whole_pod else (container,)
    foreign = [one.name for one in reached if not built_here(one, context)]
    if foreign:
        notes.append(f"{UNKNOWN_IMAGE} ({', '.join(foreign)})")
    careful = any(note.startswith("not checked") for note in notes)
    if container.platform is Platform.COMPOSE:
        summary = "Docker's system-call filter is on again"
    else:
        summary = "seccompProfile: RuntimeDefault" + (" for the pod" if whole_pod else "")
    return Fix(
        container.filter_system_calls(whole_pod=whole_pod),
        summary,
        worst(Level.REVIEW if careful else Level.ROUTINE, finding.level),
        '"Operation not permitted" from a system call that programs rarely make',
        tuple(notes),
    )


def _in_pod(
    container: Container, workload: Workload, context: Context, *, whole_pod: bool
) -> Iterator[Refusal | str]:
    noted = container.seccomp_annotation if isinstance(container, KubernetesContainer) else None
    if noted is not None:
        reason = f"{at(noted)} says {noted.raw}; the API wants annotation and field to agree"
        yield Refusal(reason, noted.path, noted.span)
    if workload.injected is not None and not whole_pod:
        yield f"set at the container: {workload.injected} adds others to the pod"
    if openshift(context, workload):
        yield "not checked: OpenShift before 4.11 rejects pods that name a profile"


def _is_ours(workload: Workload, context: Context) -> bool:
    """Whether every container of the pod is an application's, or prepares for one."""
    if workload.injected is not None or workload.kind == "Service":
        return False  # Knative lets pods have no security context of their own
    mains = [one for one in workload.containers if one.role.value == "main"]
    return all(context.project.owner_of(one) is not None for one in mains)


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
        "containers are applications or their init containers, else at the container. In Compose "
        "it removes `seccomp:unconfined`."
    ),
    routine_when="no profile is set, and every image that the setting reaches is built here",
    review_when=(
        "a profile `Unconfined` is replaced, an image is not built here, the manifests are for "
        "OpenShift or Knative, or the workload is a Pod or a Job, which can't be changed in place"
    ),
    refused_when=(
        "an annotation of the older kind says something else, or the container is there for a "
        "debugger"
    ),
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
    ),
    examples=(
        Example(
            "the pod runs nothing but an application",
            in_pod(POD),
            {
                "k8s/api.yaml": POD
                + "      securityContext:\n        seccompProfile:\n          type: RuntimeDefault\n"
            },
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
            "an annotation says otherwise",
            in_pod(_ANNOTATED.replace("<filter>", "unconfined")),
            refused="the API wants annotation and field to agree",
        ),
        Example(
            "an annotation of the older kind",
            in_pod(_ANNOTATED.replace("<filter>", "runtime/default")),
            silent=True,
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
