"""unconfined-apparmor: the container is exempt from the profile that AppArmor puts on all others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind
from hardhull.project.kubernetes_container import APPARMOR_ANNOTATION, KubernetesContainer, without
from hardhull.project.pod_security_checks import FILTERING
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import to_take
from hardhull.rules.privileges.examples import POD, in_pod
from hardhull.rules.privileges.scope import NEEDS_HOST, on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "unconfined-apparmor"
_PROFILE = ("securityContext", "appArmorProfile")


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Profiles other than the runtime's and the node's: of the container, its pod, by annotation."""
    if not isinstance(container, KubernetesContainer) or on_windows(container, context):
        return
    noted = container.apparmor_annotation
    if noted is not None and noted.text is not None and not _confines(noted.text):
        yield _finding(container, noted)
    for place in (container.cursor, container.pod):
        kind = place.get(*_PROFILE, "type")
        if kind is None or kind.text is None or kind.text in FILTERING:
            continue
        found = _finding(container, kind)
        workload = context.project.workload_of(container)
        if place is container.pod and workload is not None:
            found = replace(found, where=workload.where)
        yield found


def _finding(container: KubernetesContainer, at: Cursor) -> Finding:
    return in_container(
        ID,
        Severity.MEDIUM,
        container,
        f"AppArmor does not confine it: {at.raw}",
        at=at,
        level=Level.REVIEW,
        what=at.text or "",
        plan=at,
    )


def _confines(annotation: str) -> bool:
    return annotation in ("", "runtime/default") or annotation.startswith("localhost/")


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Take the exemption away: what is not exempt has the runtime's profile."""
    container: KubernetesContainer = finding.subject
    at: Cursor = finding.plan
    needing = ((NEEDS_HOST, "may do what the profile forbids"),)
    notes = to_take(container, context, needing, "why AppArmor was switched off")
    if isinstance(notes, Refusal):
        return notes
    if at == container.apparmor_annotation:
        operations = container.remove_annotation(f"{APPARMOR_ANNOTATION}{container.name}")
    else:
        own = at == container.cursor.get(*_PROFILE, "type")
        operations = (without(container.cursor if own else container.pod, *_PROFILE),)
    return Fix(
        operations,
        "AppArmor: the runtime's profile again",
        Level.REVIEW,
        '"Permission denied" where the profile forbids it, such as mounting',
        notes,
    )


_FIELD = POD + (
    "          securityContext:\n"
    "            privileged: false\n"
    "            appArmorProfile:\n"
    "              type: Unconfined\n"
)
_NOTED = POD.replace(
    "    spec:\n      cont",
    "      annotations:\n"
    "        container.apparmor.security.beta.kubernetes.io/api: <profile>\n"
    "    spec:\n      cont",
)

RULE = Rule(
    id=ID,
    title="AppArmor does not confine the container",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "On nodes with AppArmor the runtime's profile keeps containers from mounting file systems "
        "and from writing to parts of /proc and /sys. `Unconfined` takes that away."
    ),
    fix_note=(
        "Removes the profile `Unconfined`, field or annotation: a container without a word about "
        "it has the runtime's profile. `RuntimeDefault` is not written, because nodes without "
        "AppArmor would refuse the pod."
    ),
    routine_when="never: somebody asked for it, and the reason may be outside this repository",
    review_when="its image is built here, and nothing that starts is seen to need it",
    refused_when="it starts with a command such as mount; its image is not built here",
    references=(
        "https://kubernetes.io/docs/tutorials/security/apparmor/",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "trivy:KSV-0002",
        "polaris:linuxHardening",
        "kubesec:ApparmorUnconfined",
        "nsa:1.9",
        "pss:appArmorProfile",
    ),
    examples=(
        Example(
            "the field",
            in_pod(_FIELD),
            {
                "k8s/api.yaml": _FIELD.replace(
                    "            appArmorProfile:\n              type: Unconfined\n", ""
                )
            },
            level=Level.REVIEW,
        ),
        Example(
            "the annotation of the older kind",
            in_pod(_NOTED.replace("<profile>", "unconfined")),
            {"k8s/api.yaml": POD},
            level=Level.REVIEW,
        ),
        Example(
            "it mounts something",
            in_pod(_FIELD + "          command: [mount, -a]\n"),
            refused="may do what the profile forbids",
        ),
        Example(
            "a profile of the node",
            in_pod(_NOTED.replace("<profile>", "localhost/api")),
            silent=True,
        ),
    ),
)
