"""Linking: which stages, containers and services are one program, and the evidence for it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.documents.chart import ChartTemplate
from hardhull.documents.dockerfile import Dockerfile
from hardhull.documents.lines import TextFile
from hardhull.documents.msbuild import MsbuildFile
from hardhull.documents.source import FileKind
from hardhull.images import parse_reference
from hardhull.project.applied import Applied
from hardhull.project.chart_limits import unseen
from hardhull.project.chart_users import Installs
from hardhull.project.chart_writers import in_chart
from hardhull.project.charts import Charts, read_charts, values_behind
from hardhull.project.compose_reading import read_compose
from hardhull.project.index import Index
from hardhull.project.kubernetes import (
    KubernetesObject,
    KubernetesService,
    Manifest,
    Workload,
    apart,
    is_of_openshift,
    read_manifest,
)
from hardhull.project.kustomize import Kustomize
from hardhull.project.kustomize_images import kustomization_references
from hardhull.project.kustomize_reading import read_kustomize
from hardhull.project.linking import Linker
from hardhull.project.overlays import Overlays
from hardhull.project.own_names import named_here
from hardhull.project.publications import publications
from hardhull.project.published import published_references
from hardhull.project.references import (
    ImageUse,
    compose_references,
    dockerfile_references,
    kubernetes_references,
    set_by_compose,
    settled,
)
from hardhull.project.selecting import Selection
from hardhull.project.stages import Stage, stages
from hardhull.project.updaters import Updaters
from hardhull.settings import Pins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor, YamlFile
    from hardhull.facts.gather import Facts
    from hardhull.model import Skipped
    from hardhull.project.application import Application, AppStage
    from hardhull.project.builds import Builds
    from hardhull.project.compose import ComposeService
    from hardhull.project.container import Container
    from hardhull.project.dotnet import Programs
    from hardhull.project.evidence import EvidenceTexts
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.project.publications import Publication
    from hardhull.project.published_image import PublishedImage
    from hardhull.project.updaters import OpenUpdate, Updater
    from hardhull.settings import Settings


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
    updaters: Updaters = field(default_factory=Updaters)
    installs: Installs = field(default_factory=Installs)
    """What is laid over charts where they are installed."""
    refreshing: bool = True
    """Whether digests of tags that moved are looked after in this run."""

    def updater_of(self, use: ImageUse) -> Updater | None:
        """The update tool that keeps the digest of a reference fresh, and that we leave it to."""
        return None if self.settings.pins is Pins.REFRESH else self.updaters.of(use)

    def update_of(self, use: ImageUse) -> OpenUpdate | None:
        """The open pull request of an update tool that we leave this reference to."""
        return None if self.settings.pins is Pins.REFRESH else self.updaters.bringing(use)


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
    charts: Charts = field(default_factory=Charts)
    kustomize: Kustomize = field(default_factory=Kustomize)
    publications: tuple[Publication, ...] = ()
    """The projects that the SDK publishes as images."""
    where: str = "repository"

    @cached_property
    def stages(self) -> tuple[AppStage, ...]:
        """All application stages."""
        return tuple(stage for app in self.applications for stage in app.stages)

    @cached_property
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

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Workloads that run an application; each once."""
        found = {(w.path, w.where): w for app in self.applications for w in app.workloads}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def all_workloads(self) -> tuple[Workload, ...]:
        """Every workload of the repository."""
        return tuple(w for manifest in self.manifests.values() for w in manifest.workloads)

    @cached_property
    def all_services(self) -> tuple[KubernetesService, ...]:
        """Every Service of the repository."""
        return tuple(s for manifest in self.manifests.values() for s in manifest.services)

    @cached_property
    def others(self) -> tuple[KubernetesObject, ...]:
        """Every other Kubernetes object of the repository."""
        return tuple(o for manifest in self.manifests.values() for o in manifest.others)

    @cached_property
    def overlays(self) -> Overlays:
        """What kustomizations lay over its workloads."""
        return Overlays(self.kustomize, self.manifests)

    @cached_property
    def patches(self) -> tuple[KubernetesContainer, ...]:
        """Containers of patches, by the containers of applications that they are laid over."""
        return self.overlays.over(self.containers)

    def is_value(self, cursor: Cursor) -> bool:
        """Whether a chart renders this from a value, so that the value is what would change."""
        view = self.charts.views.get(cursor.path)
        return view is not None and bool(values_behind(view, cursor))

    def selected_by(self, service: KubernetesService) -> tuple[Workload, ...]:
        """The workloads whose pods a Service sends requests to."""
        return self._selection.of(service)

    @cached_property
    def _selection(self) -> Selection:
        return Selection(self.all_workloads, self.all_services, self.kustomize.together)

    @cached_property
    def for_openshift(self) -> bool:
        """Whether the manifests are for OpenShift, as the configuration says or objects show."""
        said = self.workspace.settings.openshift
        if said is not None:
            return said
        roots = [one.root for one in self.all_workloads] + [one.cursor for one in self.others]
        return any(map(is_of_openshift, roots))

    @cached_property
    def index(self) -> Index:
        """Its parts by name, folder and owner."""
        return Index(self.applications, self.compose, self.others, self.documents)

    @cached_property
    def _by_stage(self) -> Mapping[tuple[str, int], Application]:
        return {(s.path, s.stage.index): app for app in self.applications for s in app.stages}

    def application_of(self, stage: AppStage) -> Application:
        """The application a stage belongs to."""
        return self._by_stage[stage.path, stage.stage.index]

    @cached_property
    def _owners(self) -> Mapping[tuple[str, str], Application]:
        return {(c.path, c.where): app for app in self.applications for c in app.containers}

    def owner_of(self, container: Container) -> Application | None:
        """The application a container runs; None for others, such as most init containers."""
        below = getattr(container, "patched", None)
        if below is not None:
            return self.owner_of(below)
        found = self._owners.get((container.path, container.where))
        return found if found is not None else self._same_image(container)

    def _same_image(self, container: Container) -> Application | None:
        wanted = _repository_of(container.image)
        return self._by_image.get(wanted) if wanted is not None else None

    @cached_property
    def applied(self) -> Applied:
        """The images that are applied where manifests name others."""
        return Applied(self.references, self.kustomize)

    @cached_property
    def _by_image(self) -> Mapping[str | None, Application]:
        found: dict[str | None, Application] = {}
        for app in self.applications:
            for container in app.containers:
                found.setdefault(_repository_of(container.image), app)
        return found

    def stages_of(self, container: Container) -> tuple[AppStage, ...]:
        """The stages whose image a container may run: the built one, or all of its application."""
        app = self.owner_of(container)
        if app is None:
            return ()
        return app.stages_of(container)

    def image_of(self, container: Container) -> PublishedImage | None:
        """The image that the SDK publishes of a project, if that is what a container runs."""
        app = self.owner_of(container)
        return app.image_of(container) if app is not None else None

    def makes(self, container: Container) -> bool:
        """Whether the image that a container runs is made here, and what of is known."""
        app = self.owner_of(container)
        return app is not None and app.makes(container)

    def workload_of(self, container: Container) -> Workload | None:
        """The workload a Kubernetes container stands in, or is laid over."""
        below = getattr(container, "patched", None)
        if below is not None:
            return self.workload_of(below)
        for workload in self.manifests.get(container.path, Manifest()).workloads:
            if any(container is own for own in workload.containers):
                return workload
        return None


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
        if isinstance(document, MsbuildFile | TextFile):
            continue  # read where a program is looked at, or opened by a rule about it
        if document.source.kind is FileKind.EVIDENCE:
            continue  # opened by a rule about it: no part of an application
        if isinstance(document, Dockerfile):
            known = previous.dockerfiles.get(path) if previous is not None and same else None
            dockerfiles[path] = known if known is not None else stages(document)
        elif isinstance(document, ChartTemplate) or document.source.kind is FileKind.VALUES:
            continue  # what templates render counts, see below
        elif _is_compose(document):
            folders.setdefault(posixpath.dirname(path), []).append(document)
        else:
            read = previous.manifests.get(path) if previous is not None and same else None
            manifests[path] = read if read is not None else read_manifest(document)
    charts, kustomize = _built(documents, workspace, previous, manifests)
    services = tuple(service for files in folders.values() for service in read_compose(files))
    published = _publications(documents, workspace, previous)
    bare = Project(
        documents, workspace, dockerfiles, manifests, services, (), (), charts, kustomize, published
    )
    linker = Linker(bare)
    applications = linker.applications()
    references = named_here(settled(_references(bare), workspace.builds, linker.built_names))
    project = replace(bare, applications=applications, references=references)
    return project if not project.patches else _with_patches(project)


def _built(
    documents: Mapping[str, Document],
    workspace: Workspace,
    previous: Project | None,
    manifests: dict[str, Manifest],
) -> tuple[Charts, Kustomize]:
    """Charts and kustomizations, and among the manifests what they make of theirs."""
    known = previous.charts if previous is not None else None
    installs = workspace.installs
    sets = {**workspace.builds.values, **installs.sets}
    charts = read_charts(documents, known, sets, installs.given)
    charts = replace(charts, skipped=(*charts.skipped, *_unseen(charts, known)))
    for path, view in charts.views.items():
        older = previous.charts.views.get(path) if previous is not None else None
        same = older is not None and older.file is view.file
        manifests[path] = (
            previous.manifests[path] if same and previous is not None else read_manifest(view.file)
        )
    kustomize = read_kustomize(documents, previous.kustomize if previous is not None else None)
    for path in kustomize.patch_files & manifests.keys():
        if manifests[path].workloads or manifests[path].services:
            manifests[path] = apart(manifests[path])
    return charts, kustomize


def _of_msbuild(documents: Mapping[str, Document]) -> dict[str, Document]:
    return {path: one for path, one in documents.items() if isinstance(one, MsbuildFile)}


def _publications(
    documents: Mapping[str, Document], workspace: Workspace, previous: Project | None
) -> tuple[Publication, ...]:
    """What the SDK publishes; as before where no file about it has changed."""
    about = _of_msbuild(documents)
    before = _of_msbuild(previous.documents) if previous is not None else {}
    same = all(before.get(path) is one for path, one in about.items())
    if previous is not None and same and len(about) == len(before):
        return previous.publications
    space = workspace
    return tuple(publications(about, space.programs, space.builds, space.texts))


def _unseen(charts: Charts, previous: Charts | None) -> Iterator[Skipped]:
    """What is not looked at of charts that are not as they were; the others' is kept."""
    told = {(one.path, one.line) for one in charts.skipped}
    same = {id(chart) for chart in previous.charts} if previous is not None else set()
    for chart in charts.charts:
        for one in unseen(chart) if id(chart) not in same else ():
            if (one.path, one.line) not in told:
                told.add((one.path, one.line))
                yield one


def _with_patches(project: Project) -> Project:
    owned: dict[int, list[KubernetesContainer]] = {}
    for patch in project.patches:
        owned.setdefault(id(project.owner_of(patch)), []).append(patch)
    applications = (
        replace(app, patches=tuple(owned.get(id(app), ()))) for app in project.applications
    )
    return replace(project, applications=tuple(applications))


def _repository_of(image: Cursor | None) -> str | None:
    reference = parse_reference(image.text) if image is not None and image.text else None
    return reference.repository_name if reference is not None else None


def _is_compose(document: YamlFile) -> bool:
    if not document.documents:
        return False
    root = document.cursor(0)
    if root is None:
        return False
    return root.get("services") is not None and root.get("apiVersion") is None


def _references(bare: Project) -> list[ImageUse]:
    in_dockerfiles: list[ImageUse] = []
    for path, file_stages in bare.dockerfiles.items():
        document = bare.documents[path]
        if isinstance(document, Dockerfile):
            in_dockerfiles += dockerfile_references(document, file_stages)
    found = list(set_by_compose(in_dockerfiles, bare.compose))
    for path, manifest in bare.manifests.items():
        uses = kubernetes_references((*manifest.workloads, *manifest.patches))
        view = bare.charts.views.get(path)
        found += uses if view is None else in_chart(uses, view, bare.workspace.builds)
    space = bare.workspace
    named = kustomization_references(bare.kustomize, bare.manifests)
    found += [use for use in named if space.settings.paths.allow(use.path)]
    found += compose_references(bare.compose)
    found += published_references(bare.documents, space.programs, space.texts)
    return sorted(found, key=lambda use: (use.path, use.span))
