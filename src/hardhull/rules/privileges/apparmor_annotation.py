"""apparmor-annotation: an AppArmor profile is set in the way that Kubernetes gives up."""

from __future__ import annotations

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
from hardhull.project.kubernetes_container import APPARMOR_ANNOTATION, KubernetesContainer
from hardhull.project.pod_security import minor_of
from hardhull.rules.finding import in_container, place
from hardhull.rules.privileges.examples import POD, in_pod
from hardhull.rules.privileges.scope import on_windows
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "apparmor-annotation"
_FIELD_SINCE = 30
"""The minor version of Kubernetes that brought the field."""
_LOCAL = "localhost/"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Profiles that are named by an annotation, where the version in question has the field."""
    if not isinstance(container, KubernetesContainer) or on_windows(container, context):
        return
    noted = container.apparmor_annotation
    if noted is None or minor_of(context.settings.pod_security.version) < _FIELD_SINCE:
        return
    if noted.text != "runtime/default" and not (noted.text or "").startswith(_LOCAL):
        return  # nothing, a placeholder, or `unconfined`, which has its own rule
    yield in_container(
        ID,
        Severity.LOW,
        container,
        "its AppArmor profile is an annotation, which later versions of Kubernetes ignore",
        at=noted,
        level=Level.REVIEW,
        plan=noted,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Name the same profile in the field."""
    container: KubernetesContainer = finding.subject
    text = finding.plan.text or ""
    profile = {"type": "RuntimeDefault"}
    if text.startswith(_LOCAL):
        profile = {"type": "Localhost", "localhostProfile": text.removeprefix(_LOCAL)}
    own = container.cursor.get("securityContext", "appArmorProfile")
    if own is not None:
        reason = f"{place(own)} names a profile as well"
        return Refusal(reason, own.path, own.span)
    at = (*container.cursor.address, "securityContext", "appArmorProfile")
    return Fix(
        (
            SetValue(container.path, at, value_of(profile), ("image", "name")),
            *container.remove_annotation(f"{APPARMOR_ANNOTATION}{container.name}"),
        ),
        f"appArmorProfile: {profile['type']} instead of an annotation",
        Level.REVIEW,
        "on nodes of Kubernetes before 1.30 the runtime's profile, and not this one",
        (
            "not checked: whether all nodes have Kubernetes 1.30, which brought the field",
            *at_roll_out(container, context),
        ),
    )


_NOTED = POD.replace(
    "    spec:\n      cont",
    "      annotations:\n"
    "        container.apparmor.security.beta.kubernetes.io/api: localhost/api\n"
    "    spec:\n      cont",
)
_FIELD = (
    "          securityContext:\n            appArmorProfile:\n"
    "              type: Localhost\n              localhostProfile: api\n"
)

RULE = Rule(
    id=ID,
    title="An AppArmor profile is set by annotation",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Since Kubernetes 1.30 a field names the AppArmor profile. The annotation is deprecated; "
        "a cluster that no longer reads it runs the container without the profile it asks for."
    ),
    fix_note="Names the same profile in `appArmorProfile`, and removes the annotation.",
    routine_when="never: which version of Kubernetes the nodes have is not known",
    review_when="the annotation names the runtime's profile or one of the node",
    refused_when="the field names a profile as well",
    references=("https://kubernetes.io/docs/tutorials/security/apparmor/",),
    equivalents=(),
    examples=(
        Example(
            "a profile of the node",
            in_pod(_NOTED),
            {"k8s/api.yaml": POD + _FIELD},
            level=Level.REVIEW,
        ),
        Example(
            "the field is there as well",
            in_pod(_NOTED + _FIELD),
            refused="names a profile as well",
        ),
        Example(
            "Kubernetes before 1.30",
            in_pod(_NOTED),
            silent=True,
            settings="pod-security: {version: v1.29}\n",
        ),
        Example("the field", in_pod(POD + _FIELD), silent=True),
    ),
)
