"""Finding the applications: stages first, then Compose services, then Kubernetes containers."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.documents.dockerfile import Dockerfile
from hardhull.facts.official import never_ours, others_publish
from hardhull.images import parse_reference
from hardhull.project.application import Application
from hardhull.project.builds import is_hidden
from hardhull.project.choosing import app_stage, targets
from hardhull.project.names import (
    RUN_BY_DOTNET,
    STARTED,
    distance,
    folders_above,
    plain,
    text_of,
)
from hardhull.project.places import Draft, Places, image_names
from hardhull.project.published_drafts import PublishedDrafts
from hardhull.project.references import with_defaults
from hardhull.project.starting import start_of_stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.images import Reference
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.dotnet import DotnetProject
    from hardhull.project.link import Project

_NAMED = re.compile(r"(?:^|/)(?P<name>[a-z0-9][a-z0-9._-]*[a-z0-9])(?:[:@][^/]*)?$")
"""The last part of a reference whose other parts are filled in later."""


class Linker:
    """Finds the applications of a project that has none yet; lives for one call of `link`."""

    def __init__(self, bare: Project) -> None:
        self.bare = bare
        self.workspace = bare.workspace
        self.built_names: dict[str, str] = {}
        self.images: dict[str, tuple[Draft, str]] = {}
        self.drafts: list[Draft] = []
        self.places = Places(bare)
        self.by_project: dict[str, Draft] = {}
        self.by_dockerfile: dict[str, list[tuple[AppStage, Draft]]] = {}
        self.by_name: dict[str, list[Draft]] = {}
        self.made_as: dict[str, list[tuple[Draft, str]]] = {}

    def applications(self) -> tuple[Application, ...]:
        """Find stages first, then Compose services, then Kubernetes containers."""
        for path in self.bare.dockerfiles:
            self._stages_of(path)
        for draft in self.drafts:
            for name in draft.names:
                self.by_name.setdefault(name, []).append(draft)
        self.published = PublishedDrafts(self.bare, self.by_project)
        self._compose()
        self._named_images()
        self._pulled()
        self._workloads()
        served: dict[tuple[str, str], list[int]] = {}
        for index, service in enumerate(self.bare.all_services):
            for workload in self.bare.selected_by(service):
                served.setdefault((workload.path, workload.where), []).append(index)
        return tuple(self._finished(draft, served) for draft in self.drafts)

    # -- stages

    def _stages_of(self, path: str) -> None:
        actions = self.workspace.builds.action_dockerfiles
        all_stages = self.bare.dockerfiles[path]
        if not all_stages or is_hidden(path) or path in actions:
            return
        document = self.bare.documents[path]
        composed, built = self.places.composed.get(path, ()), self.places.built.get(path, ())
        chosen = targets(all_stages, composed, built)
        if not isinstance(document, Dockerfile):
            return
        for index, chosen_by in chosen.items():
            stage = app_stage(document, all_stages, index, chosen_by, self.workspace.facts)
            if stage is not None:
                self._add_stage(stage)

    def _add_stage(self, stage: AppStage) -> None:
        project, why = self._project_of(stage)
        draft = self.by_project.get(project.path) if project is not None else None
        if draft is not None:
            draft.stages.append(stage)
            draft.names |= image_names(stage, project)
        else:
            folder = posixpath.dirname(stage.path)
            name = posixpath.basename(folder) or stage.where
            name = project.name if project is not None else name
            draft = Draft(name, project, [stage], names=image_names(stage, project))
            draft.evidence.append(f"{stage.path}: {stage.where}, {stage.chosen_by}")
            draft.evidence += [why] if why else []
            self.drafts.append(draft)
            if project is not None:
                self.by_project[project.path] = draft
        self.by_dockerfile.setdefault(stage.path, []).append((stage, draft))

    def _project_of(self, stage: AppStage) -> tuple[DotnetProject | None, str]:
        """The project whose program a stage starts: by assembly, else the one beside it."""
        folder = posixpath.dirname(stage.path)
        started = text_of(stage, "ENTRYPOINT") + " " + text_of(stage, "CMD")
        names = [*STARTED.findall(started), *re.findall(r"\./([\w.-]+)", started)]
        best = self._nearest(names, folder)
        if best is not None:
            return best, f"{best.path}: makes {best.assembly_name}, which {stage.path} starts"
        best, place = self._by_script(stage)
        if best is not None:
            return best, f"{best.path}: makes {best.assembly_name}, which {place} starts"
        beside = [p for p in self.places.projects_in.get(folder, ()) if not p.is_test]
        if len(beside) == 1 and folder:
            return beside[0], f"{beside[0].path}: beside {stage.path}"
        return None, ""

    def _nearest(self, assemblies: Iterable[str], folder: str) -> DotnetProject | None:
        """The project that makes one of these assemblies, the nearest of several."""
        names = {name.lower() for name in assemblies}
        matching = [p for name in names for p in self.places.assemblies.get(name, ())]
        return min(matching, key=lambda p: (distance(folder, p.directory), p.path), default=None)

    def _by_script(self, stage: AppStage) -> tuple[DotnetProject | None, str]:
        """The one program that a script of the repository starts, and the script's line."""
        folder = posixpath.dirname(stage.path)
        found: dict[str, tuple[DotnetProject, str]] = {}
        for line in start_of_stage(stage, self.bare)[0]:
            for assembly in RUN_BY_DOTNET.findall(line.text) if line.path != stage.path else ():
                best = self._nearest([assembly], folder)
                if best is not None:
                    found.setdefault(best.path, (best, line.place))
        return next(iter(found.values())) if len(found) == 1 else (None, "")

    # -- Compose

    def _compose(self) -> None:
        for service in self.bare.compose:
            build = service.build
            draft = self._draft_of_build(build.dockerfile, build.target) if build else None
            image = service.image
            reference = parse_reference(image.text) if image is not None and image.text else None
            evidence = f"{service.path}:{service.cursor.line} builds it"
            if draft is not None and image is not None:
                self._made(with_defaults(image.node.value or ""), draft, evidence)
            if build is not None and reference is not None:
                self.built_names.setdefault(reference.repository_name, evidence)
                if draft is not None:
                    self.images.setdefault(reference.repository_name, (draft, evidence))
            if draft is not None and build is not None:
                draft.containers.append(service)
                draft.evidence.append(
                    f"{service.path}:{build.cursor.line} builds {build.dockerfile}"
                )

    def _published(
        self, image: Cursor | None, reference: Reference | None
    ) -> tuple[Draft | None, str]:
        """The project that the SDK publishes under this name; it is an application from now on."""
        last = _NAMED.search((image.node.value or "") if image is not None else "")
        draft, evidence = self.published.of(reference, last["name"] if last is not None else "")
        if evidence and reference is not None:
            self.built_names.setdefault(reference.repository_name, evidence)
        if draft is not None and not any(draft is one for one in self.drafts):
            self.drafts.append(draft)
        return draft, evidence

    def _draft_of_build(self, dockerfile: str | None, target: str | None) -> Draft | None:
        for stage, draft in self.by_dockerfile.get(dockerfile or "", ()):
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
            evidence = f"{image.evidence} builds {image.name}"
            if draft is not None and reference is not None:
                self.images.setdefault(reference.repository_name, (draft, evidence))
            if draft is not None and image.name:
                self._made(image.name, draft, evidence)

    def _made(self, image: str, draft: Draft, evidence: str) -> None:
        """Remember what a build names its image, without registry and tag: those often vary."""
        match = _NAMED.search(image)
        if match is not None:
            self.made_as.setdefault(plain(match["name"]), []).append((draft, evidence))

    def _pulled(self) -> None:
        """Compose services that build nothing and name the image of a program of ours."""
        for service in self.bare.compose:
            image = service.image
            if service.builds or image is None:
                continue
            reference = parse_reference(image.text) if image.text else None
            if reference is not None and others_publish(reference.repository_name):
                continue
            draft, evidence = self._draft_of_image(image, service.path)
            if draft is not None:
                draft.containers.append(service)
                draft.evidence.append(f"{image.path}:{image.line} runs it ({evidence})")

    # -- Kubernetes

    def _workloads(self) -> None:
        everything = self.workspace.settings.applications == "all"
        pairs = self._only_pairs()
        for workload in self.bare.all_workloads:
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
                if not any(workload is known for known in draft.workloads):
                    draft.workloads.append(workload)

    def _only_pairs(self) -> dict[tuple[str, str], Draft]:
        """The only container that may run the only Dockerfile of a folder, by path and place.

        Images that others publish, and those that other Dockerfiles explain, don't count.
        """
        found: dict[tuple[str, str], Draft] = {}
        possible: dict[str, list[Container]] = {}
        for workload in self.bare.all_workloads:
            for container in workload.containers:
                if container.role.value == "main" and self._may_be_ours(container.image):
                    for folder in folders_above(workload.path):
                        possible.setdefault(folder, []).append(container)
        for draft in self.drafts:
            in_pods = draft.containers and draft.containers[0].platform.value != "compose"
            if in_pods or not draft.stages:
                continue  # without a stage the SDK publishes it
            home = posixpath.dirname(draft.stages[0].path)
            candidates = possible.get(home, [])
            if self.places.dockerfiles_below.get(home) != 1 or len(candidates) != 1:
                continue
            only = candidates[0]
            if self._draft_of_image(only.image, only.path) == (None, ""):
                found[only.path, only.where] = draft
                reference = parse_reference(only.image.text or "") if only.image else None
                if reference is not None:
                    evidence = f"{draft.stages[0].path}: the only Dockerfile near its only user"
                    self.built_names.setdefault(reference.repository_name, evidence)
        return found

    def _may_be_ours(self, image: Cursor | None) -> bool:
        reference = parse_reference(image.text) if image is not None and image.text else None
        return reference is not None and not (
            others_publish(reference.repository_name) or self._is_dotnet(image)
        )

    def _is_dotnet(self, image: object) -> bool:
        text = getattr(image, "text", None)
        reference = parse_reference(text) if text else None
        if reference is None:
            return False
        facts = self.workspace.facts.image(reference.exact)
        return facts is not None and facts.kind not in ("framework", "monitor")

    def _draft_of_image(self, image: Cursor | None, path: str) -> tuple[Draft | None, str]:
        text = image.text if image is not None else None
        reference = parse_reference(text) if text else None
        if reference is None:
            found = self._published(image, None)
            if found[1]:
                return found
            found = self._draft_of_placeholder(image, path)
            return found if found[0] is not None else self._draft_of_chart(path)
        known = self.images.get(reference.repository_name)
        if known is not None:
            self.built_names.setdefault(reference.repository_name, known[1])
            return known
        for new in self.bare.kustomize.renamed(path, reference.spelled):
            renamed = parse_reference(new)
            known = self.images.get(renamed.repository_name) if renamed is not None else None
            if known is not None:
                return known
        if never_ours(reference.repository_name):
            return None, ""
        draft, evidence = self._published(image, reference)
        if evidence:
            return draft, evidence
        draft, evidence = self._draft_by_name(reference.repository_name, path)
        if draft is not None:
            self.built_names.setdefault(reference.repository_name, evidence)
        return draft, evidence

    def _draft_of_placeholder(self, image: Cursor | None, path: str) -> tuple[Draft | None, str]:
        """`__REGISTRY__/shop:#{tag}#`: its last part is spelled out, and says enough."""
        match = _NAMED.search((image.node.value or "") if image is not None else "")
        return self._draft_by_name(match["name"], path) if match is not None else (None, "")

    def _draft_of_chart(self, path: str) -> tuple[Draft | None, str]:
        """The program a chart is named after, where its values don't say which image it runs."""
        view = self.bare.charts.views.get(path)
        draft, evidence = (
            self._draft_by_name(view.chart.name, path) if view is not None else (None, "")
        )
        return draft, f"its chart has the {evidence}" if draft is not None else ""

    def _draft_by_name(self, repository: str, path: str) -> tuple[Draft | None, str]:
        last = plain(repository.rpartition("/")[2])
        made = self.made_as.get(last, ())
        if made and all(draft is made[0][0] for draft, _ in made):
            return made[0]
        folder = posixpath.dirname(path)
        best = min(
            self.by_name.get(last, ()),
            key=lambda d: min(distance(folder, posixpath.dirname(s.path)) for s in d.stages),
            default=None,
        )
        return (best, f"same name as {best.stages[0].path}") if best is not None else (None, "")

    # -- the end

    def _finished(self, draft: Draft, served: Mapping[tuple[str, str], list[int]]) -> Application:
        indexes = {i for one in draft.workloads for i in served.get((one.path, one.where), ())}
        services = [self.bare.all_services[index] for index in sorted(indexes)]
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
            self.workspace.facts,
            image=draft.image,
        )
