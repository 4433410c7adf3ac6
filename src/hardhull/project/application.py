"""Applications: one .NET program with the stages that build it and the containers that run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.project.compose import ComposeService
from hardhull.project.stages import effective, environment, parent_chain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.documents.dockerfile import Dockerfile, Instruction
    from hardhull.facts.catalogue import ImageFacts
    from hardhull.facts.described import ImageConfig
    from hardhull.facts.gather import Facts
    from hardhull.images import Reference
    from hardhull.project.compose import Build
    from hardhull.project.container import Container
    from hardhull.project.dotnet import DotnetProject, Evidence, Programs
    from hardhull.project.kubernetes import KubernetesService, Workload
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.project.published_image import PublishedImage
    from hardhull.project.stages import EnvValue, Stage


@dataclass(frozen=True)
class AppStage:
    """A stage that is built as an image and runs a .NET program.

    `base` is the normalised name of the image its chain of stages begins with, None if unknown;
    `config` is that image's own config, None if nobody asked its registry.
    """

    dockerfile: Dockerfile
    stages: tuple[Stage, ...]
    stage: Stage
    base: str | None
    facts: ImageFacts | None
    chosen_by: str
    config: ImageConfig | None = None

    @property
    def path(self) -> str:
        """The Dockerfile's path."""
        return self.dockerfile.source.path

    @property
    def where(self) -> str:
        """Symbolic place: `stage final`; its number where it has no name."""
        return f"stage {self.stage.name or self.stage.index}"

    @cached_property
    def chain(self) -> tuple[Stage, ...]:
        """This stage and those it is made from, this one last."""
        chain = parent_chain(self.stages, self.stage.index)
        return tuple(sorted(chain, key=lambda stage: stage.index))

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions of the chain in the order they run."""
        return tuple(instruction for stage in self.chain for instruction in stage.instructions)

    def effective(self, keyword: str) -> Instruction | None:
        """The last instruction of this keyword in the chain, ENTRYPOINT resetting CMD."""
        return effective(self.stages, self.stage.index, keyword)

    @cached_property
    def environment(self) -> Mapping[str, EnvValue]:
        """ENV and ARG at the end of the stage, the base's variables included."""
        return environment(self.stages, self.stage.index, self.base_environment)

    @property
    def base_environment(self) -> Mapping[str, str]:
        """The variables that the base image is known to set."""
        if self.config is not None and self.config.environment is not None:
            return self.config.environment
        return self.facts.variables if self.facts is not None else {}

    @property
    def starts_program(self) -> bool:
        """Whether it has an ENTRYPOINT or CMD of its own; a stage without is a base image."""
        return self.effective("ENTRYPOINT") is not None or self.effective("CMD") is not None

    @property
    def windows(self) -> bool:
        """True if the base image is a Windows image."""
        known = self.facts if self.facts is not None else self.config
        return known is not None and known.os == "windows"

    @property
    def inherited_start(self) -> tuple[str, ...]:
        """The words of the base image's own ENTRYPOINT, if it is known and still in force."""
        if self.config is None or self.effective("ENTRYPOINT") is not None:
            return ()
        return self.config.entrypoint


@dataclass(frozen=True)
class Application:
    """One program. `evidence` says, link by link, why its parts belong together."""

    name: str
    project: DotnetProject | None
    stages: tuple[AppStage, ...]
    containers: tuple[Container, ...]
    workloads: tuple[Workload, ...]
    services: tuple[KubernetesService, ...]
    evidence: tuple[str, ...]
    directory: str | None
    programs: Programs = field(repr=False, compare=False)
    known: Facts = field(repr=False, compare=False)
    patches: tuple[KubernetesContainer, ...] = ()
    """What kustomizations lay over its containers."""
    image: PublishedImage | None = None
    """The image that the SDK publishes of its project; it has no stages then."""

    @property
    def where(self) -> str:
        """Symbolic place: `application api`."""
        return f"application {self.name}"

    def stages_of(self, container: Container) -> tuple[AppStage, ...]:
        """The stages whose image a container may run: those it builds, all if it builds none.

        What it builds may not be here: then nothing is known of it.
        """
        builds = container.builds if isinstance(container, ComposeService) else ()
        if not builds:
            return self.stages
        if not any(_is_built(stage, builds[0]) for stage in self.stages):
            return ()
        return tuple(
            stage for stage in self.stages if any(_is_built(stage, build) for build in builds)
        )

    def image_of(self, container: Container) -> PublishedImage | None:
        """The image that the SDK publishes, if that is what a container runs."""
        builds = container.builds if isinstance(container, ComposeService) else ()
        return self.image if not builds else None

    def makes(self, container: Container) -> bool:
        """Whether the image that a container runs is made here, and what of is known."""
        return bool(self.stages_of(container)) or self.image_of(container) is not None

    def published(self, container: Container) -> ImageConfig | None:
        """The config of the image that a container runs and nothing here builds, if known."""
        reference = _reference(container)
        if reference is None or self.makes(container):
            return None
        return self.known.own_config(reference.exact)

    def published_kind(self, container: Container) -> str:
        """What kind of .NET image that is: `aspnet`, `runtime` …; empty if it is not known."""
        reference = _reference(container)
        facts = self.known.image(reference.exact) if reference is not None else None
        return facts.kind if facts is not None else ""

    @cached_property
    def program(self) -> Evidence | None:
        """What its code does, read when first asked; None if its code is not known.

        Images run as Production unless a variable says otherwise.
        """
        if self.directory is None:
            return None
        found = self.programs.evidence(self.directory)
        return found if self._may_be_in_development else found.outside_development()

    @property
    def _may_be_in_development(self) -> bool:
        values: list[str | None] = []
        for name in ("ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"):
            values += [s.environment[name].value for s in self.stages if name in s.environment]
            values += [c.environment[name].value for c in self.containers if name in c.environment]
            if self.image is not None and name in self.image.variables:
                values.append(self.image.variables[name][0])
        complete = all(getattr(c, "environment_is_complete", True) for c in self.containers)
        return not complete or any(v is None or v.lower() == "development" for v in values)

    @property
    def pods(self) -> tuple[KubernetesContainer, ...]:
        """Its containers that run in Kubernetes."""
        return tuple(c for c in self.containers if c.platform.value == "kubernetes")  # type: ignore[misc]

    @property
    def compose(self) -> tuple[ComposeService, ...]:
        """Its containers that are Compose services."""
        return tuple(c for c in self.containers if c.platform.value == "compose")  # type: ignore[misc]


def _reference(container: Container) -> Reference | None:
    text = container.image.text if container.image is not None else None
    return parse_reference(text) if text else None


def _is_built(stage: AppStage, build: Build) -> bool:
    own = (stage.stage.name or str(stage.stage.index)).lower()
    last = stage.stage.index == len(stage.stages) - 1
    wanted = own == build.target.lower() if build.target else last
    return stage.path == build.dockerfile and wanted
