"""What a pod says of its user though each of its containers says otherwise: for those added later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import Fix, Level, Refusal, RemoveNode, SetValue, Severity, value_of
from hardhull.rules.finding import in_container
from hardhull.rules.rollout import made_anew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Finding
    from hardhull.project.kubernetes import Workload
    from hardhull.project.kubernetes_container import KubernetesContainer

WHAT = "pod"
"""`what` of such a finding, which stands at the workload."""


def overridden(
    rule: str, container: KubernetesContainer, workload: Workload | None
) -> Iterator[Finding]:
    """The pod's `runAsNonRoot: false` or `runAsUser: 0`, where every container has its own."""
    for key in ("runAsNonRoot", "runAsUser") if workload is not None else ():
        said = container.pod.get("securityContext", key)
        if workload is None or said is None or not _allows_root(said):
            continue
        if any(one.cursor.get("securityContext", key) is None for one in workload.containers):
            continue  # a finding of that container
        found = in_container(
            rule,
            Severity.LOW,
            container,
            f"the pod says {key}: {said.raw}, though its containers say otherwise",
            at=said,
            level=Level.REVIEW,
            what=WHAT,
            plan=said,
        )
        yield replace(found, where=workload.where)


def _allows_root(said: Cursor) -> bool:
    return said.as_bool() is False or said.as_int() == 0


def corrected(finding: Finding, workload: Workload) -> Fix | Refusal:
    """Say the same of the pod as of its containers; injected ones may need what it says now."""
    said: Cursor = finding.plan
    if workload.injected is not None:
        reason = f"{workload.injected} adds containers, which may need what the pod says"
        return Refusal(reason, said.path, said.span)
    key = str(said.address[-1])
    operation = (
        SetValue(said.path, said.address, value_of(thing=True))
        if key == "runAsNonRoot"
        else RemoveNode(said.path, said.address)
    )
    return Fix(
        (operation,),
        "runAsNonRoot: true for the pod" if key == "runAsNonRoot" else "runAsUser: 0 removed",
        Level.REVIEW,
        "a container that is added to the pod later does not start as root",
        tuple(made_anew(workload)),
    )
