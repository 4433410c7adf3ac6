"""unsafe-proc-mount: the container sees the parts of /proc that are hidden from containers."""

from __future__ import annotations

import re
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
)
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import to_take
from hardhull.rules.privileges.examples import POD, in_pod
from hardhull.rules.privileges.scope import on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "unsafe-proc-mount"
_NESTS = re.compile(r"\b(?:buildah|podman|buildkitd|dockerd|containerd|runc|crun|unshare|bwrap)\b")
"""Commands that start containers inside the container, which is what the mount is for."""


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers whose /proc is not masked; root that is nobody on the host may have it so."""
    if not isinstance(container, KubernetesContainer) or on_windows(container, context):
        return
    found = container.cursor.get("securityContext", "procMount")
    if found is None or found.text is None or found.is_null or found.text == "Default":
        return
    apart = container.pod.get("hostUsers")
    own_users = apart is not None and apart.as_bool() is False
    if own_users and not context.settings.pod_security.asked:
        return
    yield in_container(
        ID,
        Severity.MEDIUM,
        container,
        "parts of /proc that are hidden from containers are shown to it",
        at=found,
        level=Level.REVIEW,
        plan=found,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Mask it as usual, unless containers are started inside."""
    container: KubernetesContainer = finding.subject
    needing = ((_NESTS, "starts containers inside"),)
    notes = to_take(container, context, needing, "why /proc is not masked")
    if isinstance(notes, Refusal):
        return notes
    return Fix(
        (SetValue(finding.path, finding.plan.address, value_of("Default")),),
        "procMount: Default",
        Level.REVIEW,
        "containers that are started inside it can't mount /proc",
        notes,
    )


_UNMASKED = POD + "          securityContext:\n            procMount: Unmasked\n"

RULE = Rule(
    id=ID,
    title="The container's /proc is not masked",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Container engines hide or write-protect files below /proc through which a process can "
        "change its host. `procMount: Unmasked` shows them; only programs that start containers "
        "inside a container need that."
    ),
    fix_note="Sets `procMount: Default`.",
    routine_when="never: somebody asked for it, and the reason may be outside this repository",
    review_when="its image is built here, and nothing that starts is seen to need it",
    refused_when="it starts containers inside, such as with buildah; its image is not built here",
    references=("https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",),
    equivalents=(
        "trivy:KSV-0027",
        "polaris:procMount",
        "kubescape:C-0211",
        "kube-linter:unsafe-proc-mount",
        "kics:f922827f-aab6-447c-832a-e1ff63312bd3",
        "cis:5.7.3",
        "pss:procMount",
        "pss:procMount_restricted",
    ),
    examples=(
        Example(
            "a Deployment",
            in_pod(_UNMASKED),
            {"k8s/api.yaml": _UNMASKED.replace("Unmasked", "Default")},
            level=Level.REVIEW,
        ),
        Example(
            "it starts containers inside",
            in_pod(_UNMASKED + "          command: [buildah, bud, .]\n"),
            refused="starts containers inside",
        ),
        Example(
            "root in the pod is nobody on the host",
            in_pod(_UNMASKED + "      hostUsers: false\n"),
            silent=True,
        ),
        Example("masked", in_pod(_UNMASKED.replace("Unmasked", "Default")), silent=True),
    ),
)
