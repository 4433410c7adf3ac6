"""host-process: a Windows container that is a process of its host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "host-process"


def find(workload: Workload, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Pods and containers with `windowsOptions.hostProcess: true`."""
    places = [("the pod", workload.pod)]
    places += [(one.name, one.cursor) for one in workload.containers]
    for name, place in places:
        found = place.get("securityContext", "windowsOptions", "hostProcess")
        if found is not None and found.as_bool():
            yield in_workload(
                ID,
                Severity.HIGH,
                workload,
                f"{name} runs as a process of its host, with the host's rights",
                at=found,
                level=Level.MANUAL,
            )


_WINDOWS = POD + (
    "      nodeSelector: {kubernetes.io/os: windows}\n"
    "      hostNetwork: true\n"
    "      securityContext:\n"
    "        windowsOptions: {hostProcess: <value>}\n"
)

RULE = Rule(
    id=ID,
    title="A Windows container is a process of its host",
    concern="privileges",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.HIGH,
    find=find,
    fix=None,
    why=(
        "A HostProcess container runs directly on the Windows node, with its network, its files "
        "and a user of its own choice up to SYSTEM. It is meant for what looks after the node."
    ),
    fix_note=(
        "Reported only. An ordinary program needs neither `hostProcess` nor the `hostNetwork` "
        "that goes with it; what looks after nodes belongs in a namespace of its own."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: such a container does nothing it could do otherwise",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "trivy:KSV-0103",
        "polaris:hostProcess",
        "kubescape:C-0202",
        "kubescape:C-0211",
        "cis:5.2.11",
        "pss:windowsHostProcess",
    ),
    examples=(
        Example(
            "a pod for Windows nodes",
            {"k8s/api.yaml": _WINDOWS.replace("<value>", "true")},
            reported=True,
            settings="applications: all\n",
        ),
        Example(
            "an ordinary Windows container",
            {"k8s/api.yaml": _WINDOWS.replace("<value>", "false")},
            silent=True,
            settings="applications: all\n",
        ),
    ),
)
