"""What linking works with: indexes of where things are, and applications that are being found."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.project.names import folders_above, plain

if TYPE_CHECKING:
    from hardhull.project.application import AppStage
    from hardhull.project.compose import Build
    from hardhull.project.container import Container
    from hardhull.project.dotnet import DotnetProject
    from hardhull.project.kubernetes import Workload
    from hardhull.project.link import Project
    from hardhull.project.published_image import PublishedImage


class Places:
    """Where things are, so that nothing has to be looked for among all of them."""

    def __init__(self, bare: Project) -> None:
        self.assemblies: dict[str, list[DotnetProject]] = {}
        self.projects_in: dict[str, list[DotnetProject]] = {}
        for project in bare.workspace.programs.projects():
            self.assemblies.setdefault(project.assembly_name.lower(), []).append(project)
            self.projects_in.setdefault(project.directory, []).append(project)
        self.composed: dict[str | None, list[Build]] = {}
        for service in bare.compose:
            for build in service.builds:
                self.composed.setdefault(build.dockerfile, []).append(build)
        self.built = bare.workspace.builds.by_dockerfile
        self.dockerfiles_below = Counter(
            folder for path in bare.dockerfiles for folder in folders_above(path)
        )


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
    image: PublishedImage | None = None


def image_names(stage: AppStage, project: DotnetProject | None) -> set[str]:
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
