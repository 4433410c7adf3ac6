"""dangerous-capabilities: the container is given rights that reach the host or other containers."""

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
    SubjectKind,
    value_of,
)
from hardhull.project.container import capability
from hardhull.project.pod_security import minor_of
from hardhull.project.pod_security_checks import DEFAULT_CAPABILITIES, RESTRICTED_CAPABILITIES
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import to_take
from hardhull.rules.privileges.examples import COMPOSE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "dangerous-capabilities"
_RESTRICTED_SINCE = 22
"""The minor version since which the restricted level looks at added capabilities."""

_USERS = {
    "NET_ADMIN": r"\b(?:ip6?tables|nft|tc|ip (?:link|route|addr|rule)|wg(?:-quick)?|openvpn)\b",
    "NET_RAW": r"\b(?:ping6?|tcpdump|arping|traceroute)\b",
    "SYS_ADMIN": r"\b(?:u?mount|nsenter|unshare|losetup|fuse\w*|chrome|chromium)\b",
    "SYS_PTRACE": r"\b(?:strace|gdb|lldb|vsdbg|createdump|dotnet-(?:dump|gcdump|trace|monitor))\b",
    "SYS_TIME": r"\b(?:ntpd|chronyd|hwclock|date -s)\b",
    "SYS_MODULE": r"\b(?:modprobe|insmod|rmmod)\b",
    "SYS_NICE": r"\b(?:nice|renice|chrt|ionice)\b",
    "IPC_LOCK": r"\b(?:mlock|vault)\b",
}
"""Commands that show what a capability is for."""


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers that add a capability outside the baseline; placeholders are left out."""
    wanted = context.settings.pod_security
    allowed = _allowed(context)
    listed = tuple(
        item
        for item in container.added_capabilities
        if item.text is not None
        and (item.text if wanted.asked else capability(item)) not in allowed
    )
    if not listed or on_windows(container, context):
        return
    names = ", ".join(
        item.raw if capability(item) in allowed else capability(item) for item in listed
    )
    yield in_container(
        ID,
        Severity.HIGH,
        container,
        f"it is given {names}",
        at=listed[0],
        level=Level.REVIEW,
        what=names,
        plan=listed,
    )


def _allowed(context: Context) -> frozenset[str]:
    """What Pod Security lets a container add: at the baseline level, or at the one asked for."""
    wanted = context.settings.pod_security
    strict = wanted.asked and wanted.level is PodSecurityLevel.RESTRICTED
    if strict and minor_of(wanted.version) >= _RESTRICTED_SINCE:
        return RESTRICTED_CAPABILITIES
    return DEFAULT_CAPABILITIES


def _uses(name: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """The commands that use a capability; any of them uses all."""
    patterns = _USERS.values() if name == "ALL" else [_USERS[name]] if name in _USERS else []
    yield from ((re.compile(pattern), f"uses {name}") for pattern in patterns)


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Remove these capabilities and no others, unless something here is seen to use one."""
    container: Container = finding.subject
    listed: tuple[Cursor, ...] = finding.plan
    misspelled = tuple(item for item in listed if capability(item) in _allowed(context))
    dangerous = tuple(item for item in listed if item not in misspelled)
    needing = tuple(pair for item in dangerous for pair in _uses(capability(item)))
    notes = to_take(container, context, needing, f"what {finding.what} was added for")
    if isinstance(notes, Refusal):
        return notes
    spelled = tuple(
        SetValue(item.path, item.address, value_of(capability(item))) for item in misspelled
    )
    removed = container.remove_capabilities(dangerous) if dangerous else ()
    return Fix(
        (*spelled, *removed),
        f"{finding.what} no longer added" if dangerous else f"{finding.what} spelled as it is read",
        Level.REVIEW,
        '"Operation not permitted" from whatever needed it',
        notes,
    )


_CONTEXT = "          securityContext:\n            capabilities:\n"
_ADDED = POD + _CONTEXT + "              add: [NET_BIND_SERVICE, SYS_ADMIN]\n"
_ADDED_AND_DROPPED = (
    POD
    + _CONTEXT
    + """\
              drop: [ALL]
              add:
                - NET_ADMIN
"""
)
_COMPOSE = COMPOSE + "    cap_add:\n      - CHOWN\n      - SYS_PTRACE\n"

RULE = Rule(
    id=ID,
    title="The container is given dangerous capabilities",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        "Capabilities are pieces of root. Those outside the baseline of the Pod Security "
        "Standards reach beyond the container: SYS_ADMIN mounts file systems, NET_ADMIN changes "
        "the network, SYS_PTRACE reads other processes."
    ),
    fix_note=(
        "Removes the capabilities outside the baseline from `capabilities.add` (Kubernetes) or "
        "`cap_add` (Compose); the others stay."
    ),
    routine_when="never: somebody asked for them, and the reason may be outside this repository",
    review_when="the image is built here, and nothing that starts is seen to use them",
    refused_when=(
        "the container starts with a command that needs one, such as iptables or strace, or its "
        "image is not built here"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        "https://man7.org/linux/man-pages/man7/capabilities.7.html",
    ),
    equivalents=(
        "checkov:CKV_K8S_25",
        "checkov:CKV_K8S_39",
        "trivy:KSV-0005",
        "trivy:KSV-0022",
        "trivy:KSV-0119",
        "trivy:KSV-0120",
        "polaris:dangerousCapabilities",
        "kubescape:C-0046",
        "kics:19ebaa28-fc86-4a58-bcfa-015c9e22fe40",
        "kics:235236ee-ad78-4065-bd29-61b061f28ce0",
        "trivy:KSV-0106",
        "kube-linter:drop-net-raw-capability",
        "kubesec:CapSysAdmin",
        "cis:5.2.9",
        "pss:capabilities_baseline",
        "pss:capabilities_restricted",
    ),
    patches=True,
    examples=(
        Example(
            "only the dangerous one goes",
            in_pod(_ADDED),
            {"k8s/api.yaml": _ADDED.replace(", SYS_ADMIN", "")},
            level=Level.REVIEW,
        ),
        Example(
            "the list goes with its last item",
            in_pod(_ADDED_AND_DROPPED),
            {
                "k8s/api.yaml": _ADDED_AND_DROPPED.replace(
                    "              add:\n                - NET_ADMIN\n", ""
                )
            },
            level=Level.REVIEW,
        ),
        Example(
            "a Compose service",
            in_compose(_COMPOSE),
            {"compose.yaml": _COMPOSE.replace("      - SYS_PTRACE\n", "")},
            level=Level.REVIEW,
        ),
        Example(
            "the container uses it",
            in_compose(COMPOSE + "    cap_add: [NET_ADMIN]\n    command: iptables -L\n"),
            refused="uses NET_ADMIN",
        ),
        Example(
            "only what the baseline allows",
            in_pod(POD + _CONTEXT + "              add: [NET_BIND_SERVICE]\n"),
            silent=True,
        ),
    ),
)
