"""Which workloads a Service sends requests to."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hardhull.project.names import distance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hardhull.project.kubernetes import KubernetesService, Workload


class Selection:
    """The workloads of a repository, found by their labels."""

    def __init__(
        self,
        workloads: Iterable[Workload],
        services: Iterable[KubernetesService],
        together: Callable[[str, str], bool] = lambda one, other: one == other,
    ) -> None:
        self._together = together
        self._by_label: dict[tuple[str, str], list[Workload]] = {}
        self._by_name: dict[str, list[KubernetesService]] = {}
        for workload in workloads:
            for label in workload.labels.items():
                self._by_label.setdefault(label, []).append(workload)
        for service in services:
            self._by_name.setdefault(service.name, []).append(service)

    def of(self, service: KubernetesService) -> tuple[Workload, ...]:
        """The workloads that a Service selects: of folders that use the same labels, the nearest.

        A repository of several deployments has the same names again and again, and its namespaces
        are often given only when it is applied. A Service of another tree, such as test data, does
        not count where the pods have a Service of that name nearer by. Nothing is nearer than what
        one kustomization builds together.
        """
        labelled = [self._by_label.get(label, []) for label in service.selector.items()]
        fewest = min(labelled, key=len, default=[])
        matching = [workload for workload in fewest if service.selects(workload)]
        folder = posixpath.dirname(service.path)
        steps = [
            0
            if self._together(service.path, workload.path)
            else distance(folder, posixpath.dirname(workload.path))
            for workload in matching
        ]
        nearest = min(steps, default=0)
        return tuple(
            workload
            for workload, far in zip(matching, steps, strict=True)
            if far == nearest and not self._is_served_nearer(workload, service, far)
        )

    def _is_served_nearer(self, workload: Workload, service: KubernetesService, far: int) -> bool:
        folder = posixpath.dirname(workload.path)
        if service.path.partition("/")[0] == workload.path.partition("/")[0] or not folder:
            return False
        return any(
            distance(folder, posixpath.dirname(other.path)) < far and other.selects(workload)
            for other in self._by_name.get(service.name, ())
        )
