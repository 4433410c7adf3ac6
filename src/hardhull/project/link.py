"""Linking: which stages, containers and services are one program, and the evidence for it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.documents.dockerfile import Dockerfile
from hardhull.images import parse_reference
from hardhull.project.application import Application, AppStage
from hardhull.project.builds import Builds, is_hidden
from hardhull.project.compose import ComposeService, read_compose
from hardhull.project.kubernetes import (
    KubernetesObject,
    KubernetesService,
    Manifest,
    Workload,
    read_manifest,
)
from hardhull.project.references import (
    ImageUse,
    compose_references,
    dockerfile_references,
    kubernetes_references,
    set_by_compose,
    settled,
)
from hardhull.project.stages import Stage, parent_chain, stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor, YamlFile
    from hardhull.facts.gather import Facts
    from hardhull.model import Skipped
    from hardhull.project.compose import Build
    from hardhull.project.container import Container
    from hardhull.project.dotnet import DotnetProject, Programs
    from hardhull.project.evidence import EvidenceTexts
    from hardhull.settings import Settings

_TEST_WORDS = re.compile(
    r"(^|[-_.])((?:unit|functional|integration|acceptance|component|system|api)?tests?|specs?|e2e|debug|dev(?:elop(?:ment)?)?|local|ci|tools?|bench(?:mark)?s?)"
    r"($|[-_.])"
)
_PUBLISHED = ("docker.io/library/", "mcr.microsoft.com/", "registry.k8s.io/", "quay.io/")
"""Where images come from that nobody builds in the repository that uses them."""
_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_STARTED = re.compile(r"([\w.+-]+)\.dll\b", re.IGNORECASE)


@dataclass(frozen=True)
class Workspace:
    """What stays the same over a run: settings, facts, evidence files and what they say."""

    settings: Settings
    facts: Facts
    builds: Builds
    programs: Programs
    texts: EvidenceTexts
    skipped: tuple[Skipped, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    """Raw text of files that could not be read as documents, by path."""


@dataclass(frozen=True)
class Project:
    """The repository as rules see it."""

    documents: Mapping[str, Document]
    workspace: Workspace
    dockerfiles: Mapping[str, tuple[Stage, ...]]
    manifests: Mapping[str, Manifest]
    compose: tuple[ComposeService, ...]
    applications: tuple[Application, ...]
    references: tuple[ImageUse, ...]
    where: str = "repository"

    @property
    def stages(self) -> tuple[AppStage, ...]:
        """All application stages."""
        return tuple(stage for app in self.applications for stage in app.stages)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Containers that run applications, and the init containers of their pods; each once."""
        found: dict[tuple[str, str], Container] = {}
        for app in self.applications:
            for container in app.containers:
                found[container.path, container.where] = container
            for workload in app.workloads:
                for init in workload.containers:
                    if init.role.value == "init":
                        found.setdefault((init.path, init.where), init)
        return tuple(found[key] for key in sorted(found))

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Workloads that run an application; each once."""
        found = {(w.path, w.where): w for app in self.applications for w in app.workloads}
        return tuple(found[key] for key in sorted(found))

    @property
    def all_workloads(self) -> tuple[Workload, ...]:
        """Every workload of the repository."""
        return tuple(w for manifest in self.manifests.values() for w in manifest.workloads)

    @property
    def all_services(self) -> tuple[KubernetesService, ...]:
        """Every Service of the repository."""
        return tuple(s for manifest in self.manifests.values() for s in manifest.services)

    @property
    def others(self) -> tuple[KubernetesObject, ...]:
        """Every other Kubernetes object of the repository."""
        return tuple(o for manifest in self.manifests.values() for o in manifest.others)

    def selected_by(self, service: KubernetesService) -> tuple[Workload, ...]:
        """The workloads whose pods a Service sends requests to."""
        return selected(service, self.all_workloads)

    def application_of(self, stage: AppStage) -> Application:
        """The application a stage belongs to."""
        return next(app for app in self.applications if stage in app.stages)

    @cached_property
    def _owners(self) -> Mapping[tuple[str, str], Application]:
        return {(c.path, c.where): app for app in self.applications for c in app.containers}

    def owner_of(self, container: Container) -> Application | None:
        """The application a container runs; None for others, such as most init containers."""
        found = self._owners.get((container.path, container.where))
        return found if found is not None else self._same_image(container)

    def _same_image(self, container: Container) -> Application | None:
        wanted = _repository_of(container.image)
        if wanted is None:
            return None
        for app in self.applications:
            if any(_repository_of(own.image) == wanted for own in app.containers):
                return app
        return None

    def stages_of(self, container: Container) -> tuple[AppStage, ...]:
        """The stages whose image a container may run: the built one, or all of its application."""
        app = self.owner_of(container)
        if app is None:
            return ()
        build = container.build if isinstance(container, ComposeService) else None
        if build is None:
            return app.stages
        chosen = [stage for stage in app.stages if _is_built(stage, build)]
        return tuple(chosen) or app.stages

    def workload_of(self, container: Container) -> Workload | None:
        """The workload a Kubernetes container stands in."""
        for workload in self.manifests.get(container.path, Manifest()).workloads:
            if any(container is own for own in workload.containers):
                return workload
        return None


def selected(service: KubernetesService, workloads: Sequence[Workload]) -> tuple[Workload, ...]:
    """The workloads that a Service selects: of folders that use the same labels, the nearest.

    A repository of several deployments has the same names again and again, and its namespaces
    are often given only when it is applied.
    """
    matching = [workload for workload in workloads if service.selects(workload)]
    folder = posixpath.dirname(service.path)
    steps = [_distance(folder, posixpath.dirname(workload.path)) for workload in matching]
    nearest = min(steps, default=0)
    return tuple(workload for workload, far in zip(matching, steps, strict=True) if far == nearest)


def link(
    documents: Mapping[str, Document], workspace: Workspace, previous: Project | None = None
) -> Project:
    """Link documents into a project; what `previous` knows of unchanged ones is used again."""
    dockerfiles: dict[str, tuple[Stage, ...]] = {}
    manifests: dict[str, Manifest] = {}
    folders: dict[str, list[YamlFile]] = {}
    for path in sorted(documents):
        document = documents[path]
        same = previous is not None and previous.documents.get(path) is document
        if isinstance(document, Dockerfile):
            known = previous.dockerfiles.get(path) if previous is not None and same else None
            dockerfiles[path] = known if known is not None else stages(document)
        elif _is_compose(document):
            folders.setdefault(posixpath.dirname(path), []).append(document)
        else:
            read = previous.manifests.get(path) if previous is not None and same else None
            manifests[path] = read if read is not None else read_manifest(document)
    services = tuple(service for files in folders.values() for service in read_compose(files))
    linker = _Linker(workspace, documents, dockerfiles, manifests, services)
    applications = linker.applications()
    references = settled(_references(documents, linker), workspace.builds, linker.built_names)
    return Project(documents, workspace, dockerfiles, manifests, services, applications, references)


def _repository_of(image: Cursor | None) -> str | None:
    reference = parse_reference(image.text) if image is not None and image.text else None
    return reference.repository_name if reference is not None else None


def _is_built(stage: AppStage, build: Build) -> bool:
    own = (stage.stage.name or str(stage.stage.index)).lower()
    last = stage.stage.index == len(stage.stages) - 1
    wanted = own == build.target.lower() if build.target else last
    return stage.path == build.dockerfile and wanted


def _is_compose(document: YamlFile) -> bool:
    if not document.documents:
        return False
    root = document.cursor(0)
    if root is None:
        return False
    return root.get("services") is not None and root.get("apiVersion") is None


def _references(documents: Mapping[str, Document], linker: _Linker) -> list[ImageUse]:
    found: list[ImageUse] = []
    for path, file_stages in linker.dockerfiles.items():
        document = documents[path]
        if isinstance(document, Dockerfile):
            uses = dockerfile_references(document, file_stages)
            found += set_by_compose(uses, linker.services)
    for manifest in linker.manifests.values():
        found += kubernetes_references(manifest.workloads)
    found += compose_references(linker.services)
    return sorted(found, key=lambda use: (use.path, use.span))


@dataclass
class _Draft:
    """An application while its parts are being found."""

    name: str
    project: DotnetProject | None
    stages: list[AppStage] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Linker:
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
        self.images: dict[str, tuple[_Draft, str]] = {}
        self.drafts: list[_Draft] = []
        self.selections: list[tuple[KubernetesService, tuple[Workload, ...]]] = []

    def applications(self) -> tuple[Application, ...]:
        """Find stages first, then Compose services, then Kubernetes containers."""
        for path in self.dockerfiles:
            self._stages_of(path)
        self._compose()
        self._named_images()
        self._workloads()
        workloads = [w for m in self.manifests.values() for w in m.workloads]
        self.selections = [
            (service, selected(service, workloads))
            for manifest in self.manifests.values()
            for service in manifest.services
        ]
        return tuple(self._finished(draft) for draft in self.drafts)

    # -- stages

    def _stages_of(self, path: str) -> None:
        actions = self.workspace.builds.action_dockerfiles
        all_stages = self.dockerfiles[path]
        if not all_stages or is_hidden(path) or path in actions:
            return
        for index, chosen_by in self._targets(path, all_stages).items():
            stage = self._app_stage(path, all_stages, index, chosen_by)
            if stage is not None:
                self._add_stage(stage)

    def _targets(self, path: str, all_stages: Sequence[Stage]) -> dict[int, str]:
        """The stages that are built as images: the last one and every target that is named."""
        chosen = {len(all_stages) - 1: "the last stage"}
        named = [
            (service.build.target, f"{service.path}:{service.build.cursor.line} builds it")
            for service in self.services
            if service.build is not None
            and service.build.dockerfile == path
            and service.build.target
        ]
        for image in self.workspace.builds.images:
            if image.target and image.dockerfile == path:
                named.append((image.target, f"{image.evidence} builds it"))
        for target, evidence in named:
            for stage in all_stages:
                if (stage.name or str(stage.index)).lower() == target.lower():
                    chosen.setdefault(stage.index, evidence)
        return chosen

    def _app_stage(
        self, path: str, all_stages: tuple[Stage, ...], index: int, chosen_by: str
    ) -> AppStage | None:
        chain = parent_chain(all_stages, index)
        first = min(chain, key=lambda stage: stage.index)
        reference = parse_reference(first.base.resolved) if first.base.resolved else None
        base = reference.name if reference is not None else None
        facts = self.workspace.facts.image(base) if base is not None else None
        document = self.documents[path]
        if not isinstance(document, Dockerfile):
            return None
        stage = AppStage(document, all_stages, all_stages[index], base, facts, chosen_by)
        if stage.windows or self._is_for_tests(path, stage):
            return None
        return stage if facts is not None or self._starts_dotnet(stage) else None

    def _is_for_tests(self, path: str, stage: AppStage) -> bool:
        """Test and tool images: by the stage's name, the file's name, or what they start."""
        if stage.stage.name and _TEST_WORDS.search(stage.stage.name.lower()):
            return True
        suffix = posixpath.basename(path).lower().replace("dockerfile", "").strip(".-_")
        if suffix and _TEST_WORDS.search(suffix):
            return True
        started = _text_of(stage, "ENTRYPOINT") + " " + _text_of(stage, "CMD")
        return bool(re.search(r"\bdotnet[\"', ]+(?:test|vstest)\b", started))

    def _starts_dotnet(self, stage: AppStage) -> bool:
        started = _text_of(stage, "ENTRYPOINT") + " " + _text_of(stage, "CMD")
        return bool(re.search(r"\bdotnet\b", started) and _STARTED.search(started))

    def _add_stage(self, stage: AppStage) -> None:
        project, why = self._project_of(stage)
        for draft in self.drafts:
            if project is not None and draft.project is project:
                draft.stages.append(stage)
                draft.names |= self._names(stage, project)
                return
        folder = posixpath.dirname(stage.path)
        name = project.name if project is not None else posixpath.basename(folder) or stage.where
        draft = _Draft(name, project, [stage], names=self._names(stage, project))
        draft.evidence.append(f"{stage.path}: {stage.where}, {stage.chosen_by}")
        if why:
            draft.evidence.append(why)
        self.drafts.append(draft)

    def _project_of(self, stage: AppStage) -> tuple[DotnetProject | None, str]:
        """The project whose program a stage starts: by assembly, else the one beside it."""
        projects = self.workspace.programs.projects()
        folder = posixpath.dirname(stage.path)
        started = _text_of(stage, "ENTRYPOINT") + " " + _text_of(stage, "CMD")
        names = [name.lower() for name in _STARTED.findall(started)]
        names += [name.lower() for name in re.findall(r"\./([\w.-]+)", started)]
        matching = [p for p in projects if p.assembly_name.lower() in names]
        if matching:
            best = min(matching, key=lambda p: (_distance(folder, p.directory), p.path))
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
        return {plain for name in names if (plain := _plain(name)) and len(plain) > 1}

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

    def _draft_of_build(self, dockerfile: str | None, target: str | None) -> _Draft | None:
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
            drafts: list[_Draft] = []
            for container in workload.containers:
                if container.role.value == "init":
                    continue
                draft, evidence = self._draft_of_image(container.image, workload.path)
                if draft is None:
                    draft = pairs.get((workload.path, container.where))
                    evidence = "the only workload near the only Dockerfile"
                if draft is None and (everything or self._is_dotnet(container.image)):
                    draft = _Draft(workload.name or container.name, None)
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

    def _only_pairs(self, workloads: Sequence[Workload]) -> dict[tuple[str, str], _Draft]:
        """The only container that may run the only Dockerfile of a folder, by path and place.

        Images that others publish, and those that other Dockerfiles explain, don't count.
        """
        found: dict[tuple[str, str], _Draft] = {}
        for draft in self.drafts:
            folder = posixpath.dirname(draft.stages[0].path) if draft.stages else None
            if (
                folder is None
                or draft.containers
                and draft.containers[0].platform.value != "compose"
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

    def _draft_of_image(self, image: object, path: str) -> tuple[_Draft | None, str]:
        text = getattr(image, "text", None)
        reference = parse_reference(text) if text else None
        if reference is None:
            return None, ""
        known = self.images.get(reference.repository_name)
        if known is not None:
            self.built_names.setdefault(reference.repository_name, known[1])
            return known
        return self._draft_by_name(reference.repository_name, path)

    def _draft_by_name(self, repository: str, path: str) -> tuple[_Draft | None, str]:
        last = _plain(repository.rpartition("/")[2])
        matching = [draft for draft in self.drafts if last in draft.names]
        if not matching:
            return None, ""
        folder = posixpath.dirname(path)
        ranked = sorted(
            matching,
            key=lambda d: min(_distance(folder, posixpath.dirname(s.path)) for s in d.stages),
        )
        self.built_names.setdefault(repository, f"{ranked[0].stages[0].path}: same name")
        return ranked[0], f"same name as {ranked[0].stages[0].path}"

    # -- the end

    def _finished(self, draft: _Draft) -> Application:
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


def _text_of(stage: AppStage, keyword: str) -> str:
    found = stage.effective(keyword)
    return found.text if found is not None else ""


def _plain(name: str) -> str:
    return _NOT_LETTERS.sub("", name.lower())


def _distance(one: str, other: str) -> int:
    """How many steps lie between two folders."""
    left, right = one.split("/") if one else [], other.split("/") if other else []
    common = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        common += 1
    return len(left) + len(right) - 2 * common


def names_of(parts: Iterable[str]) -> frozenset[str]:
    """Names without punctuation and case, as images and folders are compared."""
    return frozenset(_plain(part) for part in parts)
