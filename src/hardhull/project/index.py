"""Where things of a linked repository are, so that no rule has to look through all of them.

Rules ask once for each container or application: looking at everything each time would make a
repository of a thousand services cost a million looks.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.documents.yaml import YamlFile
from hardhull.project.compose_reading import windows_overlays
from hardhull.project.kubernetes import spaces_of_trusted_default_accounts
from hardhull.project.ports import run_stages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application
    from hardhull.project.compose import ComposeService
    from hardhull.project.kubernetes import KubernetesObject, Workload
    from hardhull.project.starting import Start


@dataclass(frozen=True)
class Index:
    """Parts of one project by name, folder and owner; each list in the project's own order.

    Holds the parts and not the project: a ring of references would keep every earlier project of
    a run in memory.
    """

    applications: tuple[Application, ...]
    compose: tuple[ComposeService, ...]
    others: tuple[KubernetesObject, ...]
    documents: Mapping[str, Document]
    starts: dict[object, Start] = field(default_factory=dict, repr=False, compare=False)
    """What `starting.start_of` has read, by container: several rules ask."""

    def objects(self, kind: str, name: str) -> tuple[KubernetesObject, ...]:
        """The other Kubernetes objects of one kind and name."""
        return tuple(self._objects.get((kind, name), ()))

    @cached_property
    def _objects(self) -> Mapping[tuple[str, str], list[KubernetesObject]]:
        found: dict[tuple[str, str], list[KubernetesObject]] = {}
        for item in self.others:
            found.setdefault((item.kind, item.name), []).append(item)
        return found

    @cached_property
    def trusted_spaces(self) -> frozenset[str]:
        """The namespaces whose default account is granted rights; "" where none is named."""
        return spaces_of_trusted_default_accounts(self.others)

    def running(self, workload: Workload) -> tuple[Application, ...]:
        """The applications that a workload runs."""
        return tuple(self._running.get(id(workload), ()))

    @cached_property
    def _running(self) -> Mapping[int, list[Application]]:
        found: dict[int, list[Application]] = {}
        for app in self.applications:
            for workload in app.workloads:
                found.setdefault(id(workload), []).append(app)
        return found

    def services_near(self, service: ComposeService) -> tuple[ComposeService, ...]:
        """The Compose services of the same folder, this one among them."""
        return tuple(self._services.get(posixpath.dirname(service.path), ()))

    @cached_property
    def _services(self) -> Mapping[str, list[ComposeService]]:
        found: dict[str, list[ComposeService]] = {}
        for service in self.compose:
            found.setdefault(posixpath.dirname(service.path), []).append(service)
        return found

    def windows_overlays_near(self, service: ComposeService) -> tuple[Cursor, ...]:
        """The `services` of overlays for Windows that stand in the same folder."""
        return tuple(self._windows_overlays.get(posixpath.dirname(service.path), ()))

    @cached_property
    def _windows_overlays(self) -> Mapping[str, list[Cursor]]:
        files = (one for one in self.documents.values() if isinstance(one, YamlFile))
        found: dict[str, list[Cursor]] = {}
        for services in windows_overlays(files):
            found.setdefault(posixpath.dirname(services.path), []).append(services)
        return found

    def made_together(self, app: Application) -> tuple[Application, ...]:
        """The application, and those made from a stage that one of them is made from too."""
        found = [app]
        for one in found:
            users = {at for part in _parts(one) for at in self._by_part.get(part, ())}
            for at in sorted(users):
                other = self.applications[at]
                if not any(other is known for known in found):
                    found.append(other)
        return tuple(found)

    @cached_property
    def _by_part(self) -> Mapping[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = {}
        for at, app in enumerate(self.applications):
            for part in _parts(app):
                found.setdefault(part, []).append(at)
        return found


def _parts(app: Application) -> set[tuple[str, int]]:
    """The stages that its images are made from, by Dockerfile and number."""
    return {(stage.path, one.index) for stage in run_stages(app) for one in stage.chain}
