"""Finding the applications: stages first, then Compose services, then Kubernetes containers."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.documents.dockerfile import Dockerfile
from hardhull.images import parse_reference
from hardhull.project.application import Application
from hardhull.project.builds import is_hidden
from hardhull.project.choosing import app_stage, targets
from hardhull.project.names import STARTED, distance, plain, text_of
from hardhull.project.selecting import selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import AppStage
    from hardhull.project.compose import ComposeService
    from hardhull.project.container import Container
    from hardhull.project.dotnet import DotnetProject
    from hardhull.project.kubernetes import KubernetesService, Manifest, Workload
    from hardhull.project.link import Workspace
    from hardhull.project.stages import Stage

_PUBLISHED = ("docker.io/library/", "mcr.microsoft.com/", "registry.k8s.io/", "quay.io/")
"""Where images come from that nobody builds in the repository that uses them."""
_NEVER_OURS = ("mcr.microsoft.com/dotnet/", "registry.k8s.io/")
_NAMED = re.compile(r"(?:^|/)(?P<name>[a-z0-9][a-z0-9._-]*[a-z0-9])(?:[:@][^/]*)?$")
"""The last part of a reference whose other parts are filled in later."""


@dataclass
class Draft:
    """An application while its parts are being found."""

    name: str
    project: DotnetProject | None
    stages: list[AppStage] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class Linker:
    """Finds the applications; lives for one call of `link`."""

    def __init__(
        self,
        workspace: Workspace,
        documents: Mapping[str, Document],
        dockerfiles: Mapping[str, tuple[Stage, ...]],
        manifests: Mapping[str, Manifest],
        services: tuple[ComposeService, ...],
    ) -> None:
        self.workspace = workspace
        self.documents = documents
        self.dockerfiles = dockerfiles
        self.manifests = manifests
        self.services = services
        self.built_names: dict[str, str] = {}
        self.images: dict[str, tuple[Draft, str]] = {}
        self.drafts: list[Draft] = []
        self.selections: list[tuple[KubernetesService, tuple[Workload, ...]]] = []

    def applications(self) -> tuple[Application, ...]:
        """Find stages first, then Compose services, then Kubernetes containers."""
        for path in self.dockerfiles:
            self._stages_of(path)
        self._compose()
        self._named_images()
        self._workloads()
        workloads = [w for m in self.manifests.values() for w in m.workloads]
        services = [s for m in self.manifests.values() for s in m.services]
        self.selections = [
            (service, selected(service, workloads, services)) for service in services
        ]
        return tuple(self._finished(draft) for draft in self.drafts)

    # -- stages

    def _stages_of(self, path: str) -> None:
        actions = self.workspace.builds.action_dockerfiles
        all_stages = self.dockerfiles[path]
        if not all_stages or is_hidden(path) or path in actions:
            return
        document = self.documents[path]
        built = self.workspace.builds.images
        chosen = targets(path, all_stages, self.services, built)
        if not isinstance(document, Dockerfile):
            return
        for index, chosen_by in chosen.items():
            stage = app_stage(document, all_stages, index, chosen_by, self.workspace.facts)
            if stage is not None:
                self._add_stage(stage)

    def _add_stage(self, stage: AppStage) -> None:
        project, why = self._project_of(stage)
        for draft in self.drafts:
            if project is not None and draft.project is project:
                draft.stages.append(stage)
                draft.names |= self._names(stage, project)
                return
        folder = posixpath.dirname(stage.path)
        name = project.name if project is not None else posixpath.basename(folder) or stage.where
        draft = Draft(name, project, [stage], names=self._names(stage, project))
        draft.evidence.append(f"{stage.path}: {stage.where}, {stage.chosen_by}")
        if why:
            draft.evidence.append(why)
        self.drafts.append(draft)

    def _project_of(self, stage: AppStage) -> tuple[DotnetProject | None, str]:
        """The project whose program a stage starts: by assembly, else the one beside it."""
        projects = self.workspace.programs.projects()
        folder = posixpath.dirname(stage.path)
        started = text_of(stage, "ENTRYPOINT") + " " + text_of(stage, "CMD")
        names = [name.lower() for name in STARTED.findall(started)]
        names += [name.lower() for name in re.findall(r"\./([\w.-]+)", started)]
        matching = [p for p in projects if p.assembly_name.lower() in names]
        if matching:
            best = min(matching, key=lambda p: (distance(folder, p.directory), p.path))
            return best, f"{best.path}: makes {best.assembly_name}, which {stage.path} starts"
        beside = [p for p in projects if p.directory == folder and not p.is_test]
        if len(beside) == 1 and folder:
            return beside[0], f"{beside[0].path}: beside {stage.path}"
        return None, ""

    def _names(self, stage: AppStage, project: DotnetProject | None) -> set[str]:
        """Names an image of this stage may go by, letters and digits only."""
        folder = posixpath.basename(posixpath.dirname(stage.path))
        file = posixpath.basename(stage.path)
        names = {folder, re.sub(r"(?i)[._-]?dockerfile[._-]?", "", file)}
        if project is not None:
            names |= {project.name, project.assembly_name, posixpath.basename(project.directory)}
        last = len(stage.stages) - 1
        if stage.stage.name and stage.stage.index != last:
            names = {stage.stage.name}
        return {short for name in names if len(short := plain(name)) > 1}

    # -- Compose

    def _compose(self) -> None:
        for service in self.services:
            build = service.build
            draft = self._draft_of_build(build.dockerfile, build.target) if build else None
            image = service.image
            reference = parse_reference(image.text) if image is not None and image.text else None
            if build is not None and reference is not None:
                evidence = f"{service.path}:{service.cursor.line} builds it"
                self.built_names.setdefault(reference.repository_name, evidence)
                if draft is not None:
                    self.images.setdefault(reference.repository_name, (draft, evidence))
            if draft is not None and build is not None:
                draft.containers.append(service)
                draft.evidence.append(
                    f"{service.path}:{build.cursor.line} builds {build.dockerfile}"
                )

    def _draft_of_build(self, dockerfile: str | None, target: str | None) -> Draft | None:
        for draft in self.drafts:
            for stage in draft.stages:
                if stage.path != dockerfile:
                    continue
                own = stage.stage.name or str(stage.stage.index)
                last = stage.stage.index == len(stage.stages) - 1
                if (target is None and last) or (target and own.lower() == target.lower()):
                    return draft
        return None

    def _named_images(self) -> None:
        """Images by configuration and by build commands."""
        for name, dockerfile in self.workspace.settings.images.items():
            draft, reference = self._draft_of_build(dockerfile, None), parse_reference(name)
            if draft is not None and reference is not None:
                self.images[reference.repository_name] = (draft, "images: in the configuration")
                self.built_names[reference.repository_name] = "images: in the configuration"
        for image in self.workspace.builds.images:
            reference = parse_reference(image.name) if image.name else None
            draft = self._draft_of_build(image.dockerfile, image.target)
            if draft is not None and reference is not None:
                found = (draft, f"{image.evidence} builds {image.name}")
                self.images.setdefault(reference.repository_name, found)

    # -- Kubernetes

    def _workloads(self) -> None:
        workloads = [w for m in self.manifests.values() for w in m.workloads]
        everything = self.workspace.settings.applications == "all"
        pairs = self._only_pairs(workloads)
        for workload in workloads:
            drafts: list[Draft] = []
            for container in workload.containers:
                if container.role.value == "init":
                    continue
                draft, evidence = self._draft_of_image(container.image, workload.path)
                if draft is None:
                    draft = pairs.get((workload.path, container.where))
                    evidence = "the only workload near the only Dockerfile"
                if draft is None and (everything or self._is_dotnet(container.image)):
                    draft = Draft(workload.name or container.name, None)
                    evidence = "applications: all" if everything else "a .NET image by its facts"
                    self.drafts.append(draft)
                if draft is not None:
                    draft.containers.append(container)
                    place = f"{workload.path}:{container.cursor.line}"
                    draft.evidence.append(f"{place} {workload.where} runs it ({evidence})")
                    drafts.append(draft)
            for draft in drafts:
                if workload not in draft.workloads:
                    draft.workloads.append(workload)

    def _only_pairs(self, workloads: Sequence[Workload]) -> dict[tuple[str, str], Draft]:
        """The only container that may run the only Dockerfile of a folder, by path and place.

        Images that others publish, and those that other Dockerfiles explain, don't count.
        """
        found: dict[tuple[str, str], Draft] = {}
        for draft in self.drafts:
            folder = posixpath.dirname(draft.stages[0].path) if draft.stages else None
            if folder is None or (
                draft.containers and draft.containers[0].platform.value != "compose"
            ):
                continue
            inside = f"{folder}/" if folder else ""
            dockerfiles = [path for path in self.dockerfiles if path.startswith(inside)]
            candidates = [
                container
                for workload in workloads
                if workload.path.startswith(inside)
                for container in workload.containers
                if container.role.value == "main" and self._may_be_ours(container.image)
            ]
            explained = [c for c in candidates if self._draft_of_image(c.image, c.path)[0]]
            if len(dockerfiles) == 1 and len(candidates) == 1 and not explained:
                only = candidates[0]
                found[only.path, only.where] = draft
                reference = parse_reference(only.image.text or "") if only.image else None
                if reference is not None:
                    evidence = f"{draft.stages[0].path}: the only Dockerfile near its only user"
                    self.built_names.setdefault(reference.repository_name, evidence)
        return found

    def _may_be_ours(self, image: Cursor | None) -> bool:
        reference = parse_reference(image.text) if image is not None and image.text else None
        return reference is not None and not (
            reference.repository_name.startswith(_PUBLISHED) or self._is_dotnet(image)
        )

    def _is_dotnet(self, image: object) -> bool:
        text = getattr(image, "text", None)
        reference = parse_reference(text) if text else None
        if reference is None:
            return False
        facts = self.workspace.facts.image(reference.name)
        return facts is not None and facts.kind not in ("framework", "monitor")

    def _draft_of_image(self, image: Cursor | None, path: str) -> tuple[Draft | None, str]:
        text = image.text if image is not None else None
        reference = parse_reference(text) if text else None
        if reference is None:
            return self._draft_of_placeholder(image, path)
        known = self.images.get(reference.repository_name)
        if known is not None:
            self.built_names.setdefault(reference.repository_name, known[1])
            return known
        if reference.repository_name.startswith(_NEVER_OURS):
            return None, ""
        draft, evidence = self._draft_by_name(reference.repository_name, path)
        if draft is not None:
            self.built_names.setdefault(reference.repository_name, evidence)
        return draft, evidence

    def _draft_of_placeholder(self, image: Cursor | None, path: str) -> tuple[Draft | None, str]:
        """`__REGISTRY__/shop:#{tag}#`: its last part is spelled out, and says enough."""
        match = _NAMED.search((image.node.value or "") if image is not None else "")
        return self._draft_by_name(match["name"], path) if match is not None else (None, "")

    def _draft_by_name(self, repository: str, path: str) -> tuple[Draft | None, str]:
        last = plain(repository.rpartition("/")[2])
        matching = [draft for draft in self.drafts if last in draft.names]
        if not matching:
            return None, ""
        folder = posixpath.dirname(path)
        ranked = sorted(
            matching,
            key=lambda d: min(distance(folder, posixpath.dirname(s.path)) for s in d.stages),
        )
        return ranked[0], f"same name as {ranked[0].stages[0].path}"

    # -- the end

    def _finished(self, draft: Draft) -> Application:
        own = {(workload.path, workload.where) for workload in draft.workloads}
        services = [
            service
            for service, workloads in self.selections
            if any((workload.path, workload.where) in own for workload in workloads)
        ]
        project = draft.project
        directory = project.directory if project is not None else None
        if directory is None and draft.stages:
            directory = posixpath.dirname(draft.stages[0].path) or None
        return Application(
            draft.name,
            project,
            tuple(draft.stages),
            tuple(draft.containers),
            tuple(draft.workloads),
            tuple(services),
            tuple(draft.evidence),
            directory,
            self.workspace.programs,
        )
