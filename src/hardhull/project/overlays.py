"""What kustomizations lay over the workloads of a project: which patch is part of which object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.project.kubernetes import Manifest, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.project.kustomize import Kustomize


@dataclass(frozen=True)
class Overlays:
    """Patches of one project, by what they are laid over."""

    kustomize: Kustomize
    manifests: Mapping[str, Manifest]

    @cached_property
    def laid_over(self) -> tuple[tuple[Workload, Workload], ...]:
        """Patches that are parts of workloads, each with a workload that it is laid over."""
        found: list[tuple[Workload, Workload]] = []
        for own in (one for manifest in self.manifests.values() for one in manifest.workloads):
            patches = self.kustomize.patches_of(own.path, own.kind, own.name)
            places = {(one.path, one.cursor.address) for one in patches}
            for path in sorted({path for path, _ in places}):
                parts = self.manifests.get(path, Manifest()).patches
                found += [(p, own) for p in parts if (path, p.root.address) in places]
        return tuple(found)

    @cached_property
    def patched_by(self) -> Mapping[Cursor, int]:
        """How many objects each patch is laid over, by the root of its text."""
        found: dict[Cursor, set[tuple[str, str, str]]] = {}
        for path, manifest in self.manifests.items():
            services = [("Service", one.name) for one in manifest.services]
            named = [(one.kind, one.name) for one in manifest.workloads]
            named += [(one.kind, one.name) for one in manifest.others]
            for kind, name in (*named, *services):
                for patch in self.kustomize.patches_of(path, kind, name):
                    found.setdefault(patch.cursor, set()).add((path, kind, name))
        return {cursor: len(objects) for cursor, objects in found.items()}

    def over(self, containers: Iterable[Container]) -> tuple[KubernetesContainer, ...]:
        """Containers of patches that are laid over some of these, each with the one below it."""
        ours = {(c.path, c.where) for c in containers} if self.laid_over else set()
        found: dict[tuple[str, str], KubernetesContainer] = {}
        for part, own in self.laid_over:
            for container in part.containers:
                below = next((one for one in own.containers if _is_same(one, container)), None)
                if below is not None and (below.path, below.where) in ours:
                    laid = replace(container, patched=below)
                    found.setdefault((container.path, container.where), laid)
        return tuple(found[key] for key in sorted(found))

    def part_of(self, patch: KubernetesContainer) -> Workload | None:
        """The patch that a container of `over` stands in."""
        parts = self.manifests.get(patch.path, Manifest()).patches
        return next((p for p in parts if patch.cursor in [c.cursor for c in p.containers]), None)


def _is_same(one: KubernetesContainer, other: KubernetesContainer) -> bool:
    return (one.name, one.role) == (other.name, other.role)
