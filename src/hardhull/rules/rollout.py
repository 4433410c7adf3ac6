"""What to know while a change rolls out: the order of steps, and what can't be changed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.project.container import Platform
from hardhull.settings import Rollout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

_ORDERS = {
    Platform.KUBERNETES: (
        "order of roll-out: build and push the image, set its tag in the manifest, then apply"
    ),
    Platform.COMPOSE: (
        "order of roll-out: build and push the image before the services are started anew"
    ),
}
_FIXED_PODS = ("Pod", "Job")
_RECREATING = ("argocd.argoproj.io/hook", "helm.sh/hook")


def image_first(platform: Platform, why: str) -> str:
    """The order of roll-out where today's published image does not fit the changed file."""
    return f"{_ORDERS[platform]}; {why}"


def in_two_steps(context: Context) -> bool:
    """Whether what old and new disagree about waits for a later run."""
    return context.settings.rollout is Rollout.TWO_STEP


def waits_for_image(container: Container, context: Context, doubts: Iterable[str]) -> str:
    """In two steps: why a manifest waits for its image; empty if it need not.

    `doubts` are those of the change: an order of roll-out among them means that today's image does
    not fit. An image whose Dockerfile is not committed was never built from it.
    """
    if not in_two_steps(context) or not context.project.makes(container):
        return ""
    ordered = any(doubt.startswith(_ORDERS[container.platform]) for doubt in doubts)
    if not ordered and context.first.makes(container):
        return ""
    made_from = "project" if context.project.image_of(container) is not None else "Dockerfile"
    return (
        f"second of two steps: it waits until the change of its {made_from} is committed and the "
        "image rolled out"
    )


def at_roll_out(container: Container, context: Context) -> tuple[str, ...]:
    """What to know when a manifest with another securityContext is applied over the running one."""
    if container.platform is not Platform.KUBERNETES:
        return ()
    workload = context.project.workload_of(container)
    if workload is None:
        return ()
    if workload.kind == "Service":
        return ("not checked: the version of Knative; older ones reject some of these fields",)
    return made_anew(workload)


def made_anew(workload: Workload) -> tuple[str, ...]:
    """What to know of pods and jobs: their containers can't be changed once they exist."""
    metadata = workload.root.get("metadata")
    named = metadata is not None and metadata.get("name") is not None
    recreated = any(workload.annotations.get(key) for key in _RECREATING)
    if workload.kind not in _FIXED_PODS or not named or recreated:
        return ()
    note = (
        f"not checked: whether {workload.where} exists already; kubectl apply can't change a "
        f"{workload.kind} that does: delete it first, or use kubectl replace --force"
    )
    return (note,)
