"""privileged-container: the container may do nearly everything that the host's root may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind
from hardhull.project.compose import ComposeService
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import to_take
from hardhull.rules.privileges.examples import COMPOSE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import NEEDS_HOST, on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "privileged-container"
_DEVICES = ("/dev", "/sys", "/lib/modules")


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers that are privileged, Windows left out."""
    if container.privileged is None or on_windows(container, context):
        return
    yield in_container(
        ID,
        Severity.HIGH,
        container,
        "it is privileged: its root is the host's root",
        at=container.privileged,
        level=Level.REVIEW,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Take the privileges, unless something here is seen to need them."""
    container: Container = finding.subject
    for mount in container.mounts:
        spread = mount.cursor.get("mountPropagation")
        if spread is not None and spread.text == "Bidirectional":
            reason = "mountPropagation: Bidirectional is allowed to privileged containers only"
            return Refusal(reason, spread.path, spread.span)
        host = (mount.host or "").rstrip("/")
        if any(host == device or host.startswith(f"{device}/") for device in _DEVICES):
            reason = f"it is given {host} of the host, which it can use only while privileged"
            return Refusal(reason, mount.cursor.path, mount.cursor.span)
    for given in container.devices if isinstance(container, ComposeService) else ():
        reason = "it is given devices of the host, which it may use only while privileged"
        return Refusal(reason, given.path, given.key_span or given.span)
    needing = ((NEEDS_HOST, "does what only a privileged container can"),)
    notes = to_take(container, context, needing, "why it was made privileged")
    if isinstance(notes, Refusal):
        return notes
    return Fix(
        container.take_privileges(),
        "privileged: false",
        Level.REVIEW,
        '"Operation not permitted" or "Permission denied" from whatever needed it',
        notes,
    )


_PRIVILEGED = POD + "          securityContext:\n            privileged: true\n"
_COMPOSE = COMPOSE + "    privileged: true\n"

RULE = Rule(
    id=ID,
    title="The container is privileged",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        "A privileged container has every capability, sees the host's devices and runs without a "
        "system-call filter: whoever takes the program over has the machine. A .NET service "
        "needs none of this."
    ),
    fix_note="Sets `privileged: false` where `privileged: true` stands.",
    routine_when="never: somebody asked for it, and the reason may be outside this repository",
    review_when="its image is built here, and nothing here is seen to need it",
    refused_when=(
        "it is given devices or kernel modules of the host, shares mounts in both directions, or "
        "starts with a command such as mount, sysctl or iptables; its image is not built here"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        "https://docs.docker.com/reference/compose-file/services/#privileged",
    ),
    equivalents=(
        "checkov:CKV_K8S_16",
        "trivy:KSV-0017",
        "polaris:runAsPrivileged",
        "kubescape:C-0057",
        "kube-linter:privileged-container",
        "kics:dd29336b-fe57-445b-a26e-e6aa867ae609",
        "kubesec:Privileged",
        "cis:5.2.2",
        "nsa:1.2",
        "pss:privileged",
    ),
    patches=True,
    examples=(
        Example(
            "a Deployment",
            in_pod(_PRIVILEGED),
            {"k8s/api.yaml": _PRIVILEGED.replace("true", "false")},
            level=Level.REVIEW,
        ),
        Example(
            "a Compose service",
            in_compose(_COMPOSE),
            {"compose.yaml": _COMPOSE.replace("true", "false")},
            level=Level.REVIEW,
        ),
        Example(
            "it uses a device of the host",
            in_compose(_COMPOSE + "    volumes:\n      - /dev/ttyUSB0:/dev/ttyUSB0\n"),
            refused="it is given /dev/ttyUSB0 of the host",
        ),
        Example(
            "it is given what a driver has",
            in_compose(
                _COMPOSE + "    deploy:\n      resources:\n        reservations:\n"
                "          devices:\n            - driver: nvidia\n"
                "              capabilities: [gpu]\n"
            ),
            refused="it is given devices of the host",
        ),
        Example(
            "an init container sets a kernel parameter",
            in_pod(
                POD + "      initContainers:\n"
                "        - name: tune\n"
                "          image: acme.example/tools:3\n"
                '          command: ["sysctl", "-w", "net.core.somaxconn=1024"]\n'
                "          securityContext: {privileged: true}\n"
            ),
            refused="does what only a privileged container can",
        ),
        Example("not privileged", in_pod(_PRIVILEGED.replace("true", "false")), silent=True),
    ),
)
