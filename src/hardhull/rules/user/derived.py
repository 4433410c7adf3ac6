"""What goes on from an image: later stages, and other Dockerfiles, which run commands as its user."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.model import Span
    from hardhull.project.application import Application, AppStage
    from hardhull.project.builds import BuiltImage
    from hardhull.project.context import Context
    from hardhull.project.link import Project


def derived(stage: AppStage, app: Application, context: Context) -> Iterator[Refusal]:
    """Other stages or Dockerfiles that go on from this image and run commands as its user."""
    for other in stage.stages:
        if other.base.stage == stage.stage.index and other is not stage.stage:
            for instruction in other.instructions:
                if instruction.keyword in ("RUN", "COPY", "ADD"):
                    yield Refusal(
                        f"stage {other.name or other.index} goes on from it and runs commands",
                        stage.path,
                        instruction.span,
                    )
    uses = _uses(context.project)
    for repository in sorted(_own_images(stage, app, uses)):
        for path, span in uses.bases.get(repository, ()):
            if path != stage.path:
                yield Refusal("it is the base image of another Dockerfile", path, span)


@dataclass(frozen=True)
class _Uses:
    """Which Dockerfiles begin with a repository's images, and what is built of a Dockerfile."""

    bases: dict[str, list[tuple[str, Span]]] = field(default_factory=dict)
    built: dict[str, list[BuiltImage]] = field(default_factory=dict)


_last: list[tuple[weakref.ref[Project], _Uses]] = []
"""The project that was asked about last: every stage of it asks the same."""


def _uses(project: Project) -> _Uses:
    """Gathered once for a project: asking all Dockerfiles for every stage takes the square."""
    if _last and _last[0][0]() is project:
        return _last[0][1]
    found = _Uses()
    for path, stages in project.dockerfiles.items():
        for stage in stages:
            reference = parse_reference(stage.base.resolved) if stage.base.resolved else None
            if reference is not None:
                place = (path, stage.base.span)
                found.bases.setdefault(reference.repository_name, []).append(place)
    for image in project.workspace.builds.images:
        if image.dockerfile is not None and image.name:
            found.built.setdefault(image.dockerfile, []).append(image)
    _last[:] = [(weakref.ref(project), found)]
    return found


def _own_images(stage: AppStage, app: Application, uses: _Uses) -> set[str]:
    """The repositories that this stage's image is pushed to, as builds and containers say."""
    last = stage.stage.index == len(stage.stages) - 1
    own = {(stage.stage.name or str(stage.stage.index)).lower()} | ({None} if last else set())
    names = [
        image.name
        for image in uses.built.get(stage.path, ())
        if (image.target.lower() if image.target else None) in own
    ]
    names += [c.image.text for c in app.containers if c.image is not None]
    references = (parse_reference(name) for name in names if name)
    return {reference.repository_name for reference in references if reference is not None}
