"""host-namespaces: the container shares network, processes or memory with its host."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    Refusal,
    RemoveNode,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.container import Role
from hardhull.project.starting import start_of
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.examples import COMPOSE, POD, SERVICE, in_compose, in_pod
from hardhull.rules.privileges.scope import (
    NEEDS_HOST,
    asked_for,
    at,
    of_unknown_use,
    on_windows,
    workload_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "host-namespaces"
_SHARED = {
    "hostNetwork": "network",
    "network_mode": "network",
    "hostPID": "processes",
    "pid": "processes",
    "hostIPC": "memory",
    "ipc": "memory",
}
_LOCAL = re.compile(r"\b(?:localhost|127\.0\.0\.1)\b|\[::1\]")


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Pods (once, whatever their number of containers) and services that share with the host."""
    if on_windows(container, context) and not context.settings.pod_security.asked:
        return
    workload = workload_of(container, context)
    for key, shared in container.host_namespaces:
        found = in_container(
            ID,
            Severity.HIGH,
            container,
            f"it shares the host's {_SHARED[key]}",
            at=shared,
            level=Level.REVIEW,
            what=key,
            plan=shared,
        )
        yield found if workload is None else replace(found, where=workload.where)


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Remove the key, unless something here is seen to need the host."""
    container: Container = finding.subject
    workload = workload_of(container, context)
    if finding.what == "network_mode":
        return Refusal(
            "without it other ports are published and other names reach its neighbours: say "
            "`ports` and the names of services yourself",
            finding.path,
            finding.span,
        )
    together = workload.containers if workload is not None else (container,)
    for one in together:
        needing = start_of(one, context.project).first(NEEDS_HOST)
        if needing is not None:
            return Refusal(f"{needing.place} works on the host: {needing.text[:60]}", needing.path)
    notes = [f"not checked: why it shares the host's {_SHARED[finding.what]}; git blame may say"]
    for one in together:
        unknown = of_unknown_use(one, context) if one.role is Role.MAIN else None
        if isinstance(unknown, Refusal):
            return unknown
        notes += [unknown] if unknown is not None else []
    if finding.what == "hostNetwork" and workload is not None:
        asked = asked_for(container, context)
        reached = _host_process(workload) or _reached_through_host(workload, context, asked=asked)
        if isinstance(reached, Refusal):
            return reached
        notes += [reached] if reached is not None else []
    return Fix(
        (RemoveNode(finding.path, finding.plan.address),),
        f"{finding.what} removed",
        Level.REVIEW,
        "connections to or from the host's own address fail"
        if finding.what == "hostNetwork"
        else "it no longer sees what it shared with the host",
        tuple(dict.fromkeys(notes)),
    )


def _host_process(workload: Workload) -> Refusal | None:
    """A Windows container that is a process of its host is admitted with the host's network only."""
    for place in (workload.pod, *(one.cursor for one in workload.containers)):
        found = place.get("securityContext", "windowsOptions", "hostProcess")
        if found is not None and found.as_bool():
            reason = "it is a process of its host (hostProcess), which needs the host's network"
            return Refusal(reason, found.path, found.span)
    return None


def _reached_through_host(
    workload: Workload, context: Context, *, asked: bool
) -> Refusal | str | None:
    """Something that finds the program, or that it finds, by the host's address.

    Where Pod Security was asked for, its clients are for somebody to look at.
    """
    for one in workload.containers:
        for port in () if asked else one.host_ports:
            reason = f"{at(port)} has a hostPort: clients reach it by the host's address"
            return Refusal(reason, port.path, port.span)
        for name, setting in one.environment.items():
            if _LOCAL.search(setting.value or ""):
                place = setting.cursor
                return Refusal(
                    f"{name} speaks of localhost, which is the host", place.path, place.span
                )
        for key in ("livenessProbe", "readinessProbe", "startupProbe"):
            host = one.cursor.get(key, "httpGet", "host")
            if host is not None:
                return Refusal(f"its {key} asks the host's address", host.path, host.span)
    if not any(service.selects(workload) for service in context.project.all_services):
        ports = [port for one in workload.containers for port in one.ports]
        if ports and asked:
            return f"not checked: who reaches {workload.where} by the host's address"
        if ports:
            place = ports[0].cursor
            return Refusal(
                "no Service here leads to it: clients reach its port by the host's address",
                place.path,
                place.span,
            )
    return None


_SPEC = "    spec:\n"
_NETWORK = POD.replace(_SPEC, _SPEC + "      hostNetwork: true\n")
_PORT = "          ports:\n            - containerPort: 8080\n"
_PROCESSES = POD.replace(_SPEC, _SPEC + "      hostPID: true\n")
_PID = COMPOSE + "    pid: host\n"

RULE = Rule(
    id=ID,
    title="The container shares namespaces with its host",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        "With the host's network a program reaches everything that listens on the host's "
        "localhost; with its processes it sees and signals them; with its memory it reads what "
        "others share. A .NET service needs none of these."
    ),
    fix_note=(
        "Removes `hostNetwork`, `hostPID` and `hostIPC` (Kubernetes), `pid: host` and `ipc: host` "
        "(Compose)."
    ),
    routine_when="never: somebody asked for it, and the reason may be outside this repository",
    review_when="nothing here is seen to need it",
    refused_when=(
        "hostNetwork: clients or probes use the host's address (a hostPort, no Service), or the "
        "program speaks to localhost; `network_mode: host` in Compose; a command that works on "
        "the host, such as nsenter; a container of the pod whose image is not built here"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        "https://docs.docker.com/reference/compose-file/services/#pid",
    ),
    equivalents=(
        "checkov:CKV_K8S_17",
        "checkov:CKV_K8S_18",
        "checkov:CKV_K8S_19",
        "trivy:KSV-0008",
        "trivy:KSV-0009",
        "trivy:KSV-0010",
        "polaris:hostNetworkSet",
        "polaris:hostPIDSet",
        "polaris:hostIPCSet",
        "kubescape:C-0038",
        "kubescape:C-0041",
        "kubescape:C-0275",
        "kubescape:C-0276",
        "kube-linter:host-network",
        "kube-linter:host-pid",
        "kube-linter:host-ipc",
        "kics:6b6bdfb3-c3ae-44cb-88e4-7405c1ba2c8a",
        "kics:302736f4-b16c-41b8-befe-c0baffa0bd9d",
        "kics:cd290efd-6c82-4e9d-a698-be12ae31d536",
        "kubesec:HostNetwork",
        "kubesec:HostPID",
        "kubesec:HostIPC",
        "cis:5.2.3",
        "cis:5.2.4",
        "cis:5.2.5",
        "nsa:1.3",
        "nsa:1.4",
        "nsa:1.5",
        "pss:hostNamespaces",
    ),
    patches=True,
    examples=(
        Example(
            "the host's processes",
            in_pod(_PROCESSES),
            {"k8s/api.yaml": POD},
            level=Level.REVIEW,
        ),
        Example(
            "the host's network, and a Service that leads to the pods",
            {**in_pod(_NETWORK + _PORT), "k8s/service.yaml": SERVICE},
            {"k8s/api.yaml": POD + _PORT},
            level=Level.REVIEW,
        ),
        Example(
            "a Compose service",
            in_compose(_PID),
            {"compose.yaml": COMPOSE},
            level=Level.REVIEW,
        ),
        Example(
            "clients use the host's address",
            in_pod(_NETWORK + _PORT),
            refused="no Service here leads to it",
        ),
        Example(
            "Compose with the host's network",
            in_compose(COMPOSE + "    network_mode: host\n"),
            refused="say `ports`",
        ),
        Example("nothing shared", in_pod(_NETWORK.replace("true", "false")), silent=True),
    ),
)
