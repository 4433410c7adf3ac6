"""unsafe-selinux-options: the container asks SELinux for another user, role or type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, PodSecurityLevel, Rule, Severity, SubjectKind
from hardhull.project.pod_security import violations
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "unsafe-selinux-options"
_CHECK = "seLinuxOptions"


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """What the check of the baseline level says, at the version in question."""
    version = context.settings.pod_security.version
    for refused in violations(workload, PodSecurityLevel.BASELINE, version):
        if refused.check == _CHECK and not refused.at.is_opaque:
            yield in_workload(
                ID,
                Severity.MEDIUM,
                workload,
                f"{refused.message}, which is not one of SELinux' kinds for containers",
                at=refused.at,
                level=Level.MANUAL,
                what=refused.message,
            )


_OPTIONS = "          securityContext:\n            seLinuxOptions: {{{}}}\n"

RULE = Rule(
    id=ID,
    title="The container asks SELinux for more than containers get",
    concern="privileges",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "On nodes with SELinux its type decides what a process may touch on the host. "
        "`spc_t` means everything; another user or role can mean as much."
    ),
    fix_note=(
        "Reported only. Remove the option where the program does without: containers then get "
        "`container_t`. A `level` may stay."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: the policy of the nodes, which says what it is for, is not here",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#assign-selinux-labels-to-a-container",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "trivy:KSV-0025",
        "polaris:linuxHardening",
        "kubescape:C-0211",
        "cis:5.7.3",
        "nsa:1.8",
        "pss:seLinuxOptions",
    ),
    examples=(
        Example(
            "the type that may do everything",
            in_pod(POD + _OPTIONS.format("type: spc_t")),
            reported=True,
        ),
        Example(
            "the type of containers, and a level",
            in_pod(POD + _OPTIONS.format('type: container_t, level: "s0:c123,c456"')),
            silent=True,
        ),
    ),
)
