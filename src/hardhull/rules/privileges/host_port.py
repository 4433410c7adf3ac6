"""host-port: the container takes a port of every host it runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    Operation,
    Refusal,
    RemoveNode,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.examples import POD, SERVICE, in_pod
from hardhull.rules.privileges.scope import asked_for, on_windows, workload_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "host-port"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Ports of Kubernetes containers that also take a port of the host."""
    if not isinstance(container, KubernetesContainer) or on_windows(container, context):
        return
    for port in container.host_ports:
        taken = port.get("hostPort")
        number = taken.raw if taken is not None else ""
        yield in_container(
            ID,
            Severity.MEDIUM,
            container,
            f"it takes port {number} of every host it runs on",
            at=taken,
            level=Level.REVIEW,
            what=number,
            plan=port,
        )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Remove the key where a Service leads to the pods as well."""
    port: Cursor = finding.plan
    container: Container = finding.subject
    for key, shared in container.host_namespaces:
        if key == "hostNetwork":
            reason = "with hostNetwork every port is the host's; host-namespaces comes first"
            return Refusal(reason, shared.path, shared.span)
    workload = workload_of(container, context)
    services = context.project.all_services
    served = workload is not None and any(service.selects(workload) for service in services)
    if not served and not asked_for(container, context):
        return Refusal(
            "no Service here leads to these pods: the host's port is the only way in",
            finding.path,
            finding.span,
        )
    operations: list[Operation] = [RemoveNode(finding.path, (*port.address, "hostPort"))]
    if port.get("hostIP") is not None:
        operations.append(RemoveNode(finding.path, (*port.address, "hostIP")))
    return Fix(
        tuple(operations),
        f"hostPort {finding.what} removed",
        Level.REVIEW,
        f"refused connections to port {finding.what} of the hosts",
        (
            f"not checked: whether clients use port {finding.what} of a host"
            + (" instead of the Service" if served else "; no Service here leads to these pods"),
        ),
    )


_TAKEN = POD + "          ports:\n            - containerPort: 8080\n              hostPort: 8080\n"
_LEFT = _TAKEN.replace("              hostPort: 8080\n", "")

RULE = Rule(
    id=ID,
    title="The container takes a port of its host",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "A hostPort opens the program to everything that reaches the host, past Services and "
        "most network policies, and lets only one such pod run on each host."
    ),
    fix_note="Removes `hostPort` (and `hostIP` beside it); `containerPort` stays.",
    routine_when="never: clients that use the host's port are seldom in the same repository",
    review_when="a Service leads to the same pods",
    refused_when="no Service here does, or the pod shares the host's network",
    references=(
        "https://kubernetes.io/docs/concepts/configuration/overview/#services",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "checkov:CKV_K8S_26",
        "trivy:KSV-0024",
        "polaris:hostPortSet",
        "kubescape:C-0044",
        "cis:5.2.13",
        "pss:hostPorts",
    ),
    patches=True,
    examples=(
        Example(
            "a Service leads to the pods",
            {**in_pod(_TAKEN), "k8s/service.yaml": SERVICE},
            {"k8s/api.yaml": _LEFT},
            level=Level.REVIEW,
        ),
        Example("the only way in", in_pod(_TAKEN), refused="the only way in"),
        Example("no port of the host", in_pod(_LEFT), silent=True),
    ),
)
