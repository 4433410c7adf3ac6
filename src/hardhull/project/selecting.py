"""Which workloads a Service sends requests to."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hardhull.project.names import distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.project.kubernetes import KubernetesService, Workload


def selected(
    service: KubernetesService,
    workloads: Sequence[Workload],
    services: Sequence[KubernetesService],
) -> tuple[Workload, ...]:
    """The workloads that a Service selects: of folders that use the same labels, the nearest.

    A repository of several deployments has the same names again and again, and its namespaces
    are often given only when it is applied. A Service of another tree, such as test data, does
    not count where the pods have a Service of that name nearer by.
    """
    matching = [workload for workload in workloads if service.selects(workload)]
    folder = posixpath.dirname(service.path)
    steps = [distance(folder, posixpath.dirname(workload.path)) for workload in matching]
    nearest = min(steps, default=0)
    return tuple(
        workload
        for workload, far in zip(matching, steps, strict=True)
        if far == nearest and not _is_served_nearer(workload, service, far, services)
    )


def _is_served_nearer(
    workload: Workload,
    service: KubernetesService,
    far: int,
    services: Sequence[KubernetesService],
) -> bool:
    folder = posixpath.dirname(workload.path)
    if service.path.partition("/")[0] == workload.path.partition("/")[0] or not folder:
        return False
    return any(
        other.name == service.name
        and distance(folder, posixpath.dirname(other.path)) < far
        and other.selects(workload)
        for other in services
    )
