"""unsafe-sysctls: the pod changes kernel parameters that reach beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.pod_security import minor_of, version_of
from hardhull.project.pod_security_checks import safe_sysctls
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "unsafe-sysctls"


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """Kernel parameters that are not among those that are safe at the version in question."""
    version = context.settings.pod_security.version
    safe = safe_sysctls(minor_of(version))
    listed = workload.pod.get("securityContext", "sysctls")
    for item in listed.items() if listed is not None else ():
        name = item.get("name")
        if name is None or name.is_opaque or name.text in safe:
            continue
        yield in_workload(
            ID,
            Severity.MEDIUM,
            workload,
            f"it sets {name.raw}, which is not among the safe ones of Kubernetes {version_of(version)}",
            at=item,
            level=Level.MANUAL,
            what=name.text or "",
        )


_SYSCTLS = """\
      securityContext:
        sysctls:
          - name: {}
            value: "1024"
"""

RULE = Rule(
    id=ID,
    title="The pod changes kernel parameters that are not safe",
    concern="privileges",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "Some kernel parameters are not kept apart between pods, or take memory from all of them. "
        "Kubernetes lets a node refuse every pod that sets one, and most nodes do."
    ),
    fix_note=(
        "Reported only. Remove the parameter, set it on the nodes, or name it in the kubelet's "
        "`--allowed-unsafe-sysctls` if the pod really needs it."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: what the program does without the parameter can't be seen here",
    references=(
        "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "trivy:KSV-0026",
        "kubescape:C-0211",
        "kube-linter:unsafe-sysctls",
        "kics:9127f0d9-2310-42e7-866f-5fd9d20dcbad",
        "pss:sysctls",
    ),
    examples=(
        Example(
            "one of the kernel's", in_pod(POD + _SYSCTLS.format("kernel.msgmax")), reported=True
        ),
        Example(
            "one that is safe only since 1.37",
            in_pod(POD + _SYSCTLS.format("net.ipv4.tcp_notsent_lowat")),
            reported=True,
            settings="pod-security: {version: v1.36}\n",
        ),
        Example(
            "a safe one", in_pod(POD + _SYSCTLS.format("net.ipv4.tcp_fin_timeout")), silent=True
        ),
    ),
)
