"""workload-may-run-as-root: nothing keeps Kubernetes from starting a container as root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import (
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
from hardhull.project.users import container_user, image_user_of
from hardhull.rules.finding import in_container, place
from hardhull.rules.privileges.scope import root_first, set_by_openshift
from hardhull.rules.rollout import at_roll_out
from hardhull.rules.user.pod_default import WHAT, corrected, overridden
from hardhull.rules.user.roll_out import joins, roll_out, unchecked_volumes
from hardhull.rules.user.workload_examples import WORKLOAD_MAY_RUN_AS_ROOT
from hardhull.rules.user.workload_published_examples import PUBLISHED_WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload
    from hardhull.project.users import User

ID = "workload-may-run-as-root"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Kubernetes containers without runAsNonRoot: true, their own or their pod's."""
    if not isinstance(container, KubernetesContainer) or container.windows:
        return
    required = container.non_root_required
    if required is not None and required.is_opaque:
        return
    user = container_user(container, context.project)
    contradicted = container.user is not None and user.root is True
    if _is_required(container) and not contradicted:
        yield from overridden(ID, container, context.project.workload_of(container))
        return
    if required is None and container.user is None and set_by_openshift(container, context):
        return
    if container.patched is not None and not _says_no(container) and not contradicted:
        return  # a patch leaves the rest as it is
    message = "it may run as root: nothing requires another user"
    evidence = [user.evidence]
    if _is_required(container):
        message = "it does not start: runAsNonRoot is true, and runAsUser is 0"
    elif required is not None and not required.is_null:
        message = "it may run as root: runAsNonRoot is false"
        evidence.append(f"{place(required)} says runAsNonRoot: {required.raw}")
    yield in_container(
        ID, Severity.HIGH if user.root else Severity.MEDIUM, container, message,
        at=container.user.cursor if user.root and container.user is not None else None,
        evidence=tuple(evidence),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Change:
    """What makes one container fit, before runAsNonRoot is set."""

    operations: tuple[Operation, ...] = ()
    level: Level = Level.ROUTINE
    notes: tuple[str, ...] = ()
    summary: str = ""
    fitting: tuple[KubernetesContainer, ...] = ()
    """Other containers that fit because of the same change."""


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Require a user that is not root, at the pod if all its containers have one."""
    container: KubernetesContainer = finding.subject
    workload = context.project.workload_of(container)
    if workload is None:
        return Refusal("the workload it stands in is not known", container.path, container.span)
    if finding.what == WHAT:
        return corrected(finding, workload)
    change = _root_below(container, context) or _fitting(container, workload, context)
    if isinstance(change, Refusal):
        return change
    whole_pod = workload.injected is None and all(
        other is container or other in change.fitting or joins(other, context)
        for other in workload.containers
    )
    notes, level = list(change.notes), change.level
    if workload.injected is not None:
        notes.append(f"at the container, because {workload.injected} adds others to the pod")
    if _says_no(container):
        level = Level.REVIEW
        notes.append("runAsNonRoot: false was written down: why is not known here")
    doubts = list(at_roll_out(container, context))
    for affected in workload.containers if whole_pod else (container,):
        own = roll_out(affected, context)
        if isinstance(own, Refusal):
            return own
        notes += own.notes
        doubts += own.doubts
    notes += doubts
    level = Level.REVIEW if doubts else level
    required = _required(container, whole_pod=whole_pod)
    return Fix(
        (*change.operations, *required),
        f"runAsNonRoot: true{change.summary}",
        level,
        "CreateContainerConfigError: the container does not start",
        tuple(dict.fromkeys(notes)),
    )


def _root_below(container: KubernetesContainer, context: Context) -> Refusal | None:
    """A patch over a container that is to run as root can't forbid it."""
    below = container.patched
    if below is None or below.user is None or not container_user(below, context.project).root:
        return None
    reason = "what it is laid over runs as root: that comes first"
    return Refusal(reason, below.path, below.user.cursor.span)


def _required(container: KubernetesContainer, *, whole_pod: bool) -> tuple[Operation, ...]:
    """RunAsNonRoot where it is missing; in a patch where that says otherwise, and nowhere else."""
    if container.patched is not None:
        whole_pod = container.cursor.get("securityContext", "runAsNonRoot") is None
        return container.require_non_root(whole_pod=whole_pod) if _says_no(container) else ()
    return () if _is_required(container) else container.require_non_root(whole_pod=whole_pod)


def _is_required(container: KubernetesContainer) -> bool:
    required = container.non_root_required
    return required is not None and required.as_bool() is True


def _says_no(container: KubernetesContainer) -> bool:
    required = container.non_root_required
    return required is not None and required.as_bool() is False


def _fitting(
    container: KubernetesContainer, workload: Workload, context: Context
) -> _Change | Refusal:
    """Nothing to do, a number to write, or `runAsUser: 0` to take away; else what comes first."""
    user = container_user(container, context.project)
    setting = container.user
    if setting is not None:
        if user.root:
            return _without_zero(container, workload, context)
        if user.numeric:
            return _Change()
        return Refusal(user.evidence, container.path, setting.cursor.span)
    return _by_image(container, user, context)


def _by_image(container: KubernetesContainer, user: User, context: Context) -> _Change | Refusal:
    ours = bool(context.project.stages_of(container))
    image = context.project.image_of(container)
    if user.root is None and image is not None and image.user_doubt:
        return Refusal(user.evidence, container.path, container.span)
    if user.root is None:
        return Refusal(
            f"{user.evidence}; say what it is like under base-images in .github/hardhull.yml",
            container.path,
            container.span,
        )
    if user.root:
        first = root_first(container, context)
        return Refusal(f"{user.evidence}: {first}", container.path, container.span)
    if user.numeric:
        return _Change()
    if ours:
        first = "a name, which Kubernetes can't check; image-user-by-name comes first"
        return Refusal(f"{user.evidence}: {first}", container.path, container.span)
    if not user.uid:
        return Refusal(f"{user.evidence}: the number is not known", container.path, container.span)
    if context.project.for_openshift:
        return Refusal(
            f"{user.evidence}: OpenShift gives numbers itself, so runAsUser is not written",
            container.path,
            container.span,
        )
    return _Change(container.run_as(user.uid), summary=f", runAsUser: {user.uid}")


def _without_zero(
    container: KubernetesContainer, workload: Workload, context: Context
) -> _Change | Refusal:
    """Take `runAsUser: 0` away if the image has a user of its own for everyone it held for."""
    setting = container.user
    if setting is None:
        raise ValueError("asked only where runAsUser is set")
    at = setting.cursor
    own = container.cursor.get("securityContext", "runAsUser")
    heirs = (container,) if own is not None else tuple(
        other for other in workload.containers
        if other.cursor.get("securityContext", "runAsUser") is None
    )  # fmt: skip
    for heir in heirs:
        user = image_user_of(heir, context.project)
        if user.root is not False or not user.numeric:
            reason = f"{place(at)} sets runAsUser: {at.raw}, and {user.evidence}"
            return Refusal(reason, at.path, at.span)
    holder = container.cursor if own is not None else workload.pod
    block = holder.get("securityContext")
    alone = own is not None and block is not None and len(block.pairs()) == 1
    notes = [f"{place(at)} asked for runAsUser: {at.raw}: why is not known here"]
    for heir in heirs:
        notes += unchecked_volumes(heir)
    removed = RemoveNode(
        at.path,
        at.address[:-1] if alone and _pod_takes(container, workload, context) else at.address,
    )
    return _Change((removed,), Level.REVIEW, tuple(notes), ", runAsUser: 0 removed", heirs)


def _pod_takes(container: KubernetesContainer, workload: Workload, context: Context) -> bool:
    """Whether runAsNonRoot will stand at the pod, so that nothing is left at the container."""
    others = all(other is container or joins(other, context) for other in workload.containers)
    return workload.injected is None and others


RULE = Rule(
    id=ID,
    title="Nothing keeps the workload from running as root",
    concern="user",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Without runAsNonRoot an image that starts as root, today or after its next change, just "
        "runs. With it Kubernetes refuses to start the container."
    ),
    fix_note=(
        "Sets `runAsNonRoot: true`: at the pod when every container in it is known to run as a "
        "number other than 0, else at the application's own containers. `runAsUser` is written "
        "only for images made elsewhere whose user is a name with a known number, and never for "
        "OpenShift. `runAsUser: 0` is removed where the image has a user of its own."
    ),
    routine_when="the image's user is a number other than 0, now and in the image of today",
    review_when=(
        "runAsUser: 0 or runAsNonRoot: false was written down, or today's image still runs as "
        "root, so that image and manifest must be rolled out in order; or it is a Pod or a Job, "
        "which can't be changed once it exists, or Knative's"
    ),
    refused_when=(
        "the image runs as root, its user is not known, or is a name: that comes first; or today's "
        "image under the tag is so by its own config, where the registry was asked; or its "
        "number can't be written because the repository is made for OpenShift"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    ),
    equivalents=(
        "checkov:CKV_K8S_23",
        "trivy:KSV-0012",
        "polaris:runAsRootAllowed",
        "kubescape:C-0013",
        "kube-linter:run-as-non-root",
        "kics:cf34805e-3872-4c08-bf92-6ff7bb0cfadb",
        "trivy:KSV-0105",
        "kubesec:RunAsNonRoot",
        "cis:5.2.7",
        "nsa:1.0",
        "nsa:1.6",
        "pss:runAsNonRoot",
        "pss:runAsUser",
    ),
    examples=WORKLOAD_MAY_RUN_AS_ROOT + PUBLISHED_WORKLOADS,
    patches=True,
)
