"""What stands in the way of moving a program's port, and what a maintainer must know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.kinds import BY_CONFIG
from hardhull.model import Refusal
from hardhull.project.container import Platform, Role
from hardhull.project.ports import LAUNCH_SETTINGS, Decider, Listener, listening, ways_to_run
from hardhull.rules.ports.given import given_to
from hardhull.rules.rollout import image_first, made_anew
from hardhull.rules.todays_image import todays_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.model import Operation
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.rules.todays_image import TodaysImage

_OLD_IMAGE = "the image of today does not answer on the new port"


def ways(app: Application) -> Iterator[tuple[AppStage | None, Container | None]]:
    """The ways to run a program but for init containers, which serve nobody."""
    for stage, container in ways_to_run(app):
        if container is None or container.role is Role.MAIN:
            yield stage, container


def low_listeners(app: Application, context: Context) -> tuple[Listener, ...]:
    """What it listens on below 1024, variables from elsewhere considered."""
    found: list[Listener] = []
    for stage, container in ways(app):
        heard = listening(app, stage, container).privileged
        # Variables from elsewhere win over those of the image, but not over code.
        if heard and heard[0].decider is not Decider.CODE:
            given = [one for one in given_to(stage, container, context) if one.variable]
            if given and all(one.high for one in given):
                continue
        found += heard
    return tuple(dict.fromkeys(found))


def blocked_by(
    app: Application,
    heard: tuple[Listener, ...],
    context: Context,
    moves: Mapping[int, int],
) -> Refusal | None:
    """What keeps the port where it is, whatever the files that hold it say."""
    for listener in heard:
        if listener.decider is Decider.CODE:
            return Refusal(listener.evidence, listener.path)
        if listener.port not in (80, 443):
            return Refusal(f"there is no convention for where port {listener.port} moves to")
    for stage, container in ways(app):
        doubt = _doubt(app, stage, container, context, moves)
        if doubt is not None:
            return doubt
    if not app.containers:
        return Refusal("no manifest or Compose file here runs it: callers can't be seen")
    for seen in app.program.ports_in_code if app.program is not None else ():
        old = seen.port in {listener.port for listener in heard}
        if seen.how == LAUNCH_SETTINGS and old:
            return Refusal(f"{seen.path}:{seen.line} starts it in a container on port {seen.port}")
    if app.program is not None and app.program.legacy_host and not _urls_everywhere(heard):
        seen = app.program.legacy_host[0]
        return Refusal(f"{seen.path}:{seen.line} builds an older host, which may bind otherwise")
    return None


def _doubt(
    app: Application,
    stage: AppStage | None,
    container: Container | None,
    context: Context,
    moves: Mapping[int, int],
) -> Refusal | None:
    """What is not sure about one way to run it: an unread value, a script, a port in use."""
    heard = listening(app, stage, container)
    for unknown in heard.unknown:
        return Refusal(unknown)
    for given in given_to(stage, container, context):
        if given.variable:
            return Refusal(f"{given.place} decides the port too, by {given.variable}")
    for listener in heard.listeners:
        if listener.port in moves.values():
            return Refusal(f"it listens on port {listener.port} already: {listener.evidence}")
    return None


def _urls_everywhere(heard: tuple[Listener, ...]) -> bool:
    """An older host obeys ASPNETCORE_URLS, and the base images below .NET 8 set it."""
    return all(one.variable.endswith("URLS") or one.decider is Decider.ARGUMENT for one in heard)


def _waiting(app: Application) -> Iterator[Container]:
    """Containers whose published image decides the port: it must be built anew first.

    Where the manifest decides it by itself, today's image obeys.
    """
    for stage, container in ways(app):
        if container is None or (stage is None and app.image_of(container) is None):
            continue
        published = container.platform is Platform.KUBERNETES or container.image is not None
        heard = listening(app, stage, container).privileged
        if published and any(listener.cursor is None for listener in heard):
            yield container


def _answers(image: TodaysImage, moves: Mapping[int, int]) -> bool:
    """Whether today's image listens on all ports where others will look for it."""
    ports = {listener.port for listener in image.heard.listeners}
    return not image.heard.unknown and not image.low_ports and ports >= set(moves.values())


def notes_on(
    app: Application, context: Context, moves: Mapping[int, int], *, numeric: bool
) -> tuple[str, ...]:
    """What could not be checked, and the order in which image and manifest must go out."""
    notes = [
        f"not checked: what {given.place} brings in; does it set the port?"
        for stage, container in ways(app)
        for given in given_to(stage, container, context)
        if not given.variable
    ]
    if numeric:
        notes.append(
            "the Service names the port by number: old pods refuse connections until replaced"
        )
    waiting: set[Platform] = set()
    for container in _waiting(app):
        today = todays_image(container, context)
        if today is not None and _answers(today, moves):
            notes.append(f"today's {today.name} answers on the new port already{BY_CONFIG}")
        else:
            waiting.add(container.platform)
    if Platform.KUBERNETES in waiting:
        notes.append(image_first(Platform.KUBERNETES, _OLD_IMAGE))
    if Platform.COMPOSE in waiting:
        notes.append(image_first(Platform.COMPOSE, _OLD_IMAGE))
    program = app.program
    if program is None or not program.files:
        notes.append("not checked: the program's code is not here; does it bind a port itself?")
    elif not program.complete:
        notes.append("not checked: all of the program's code; does it bind a port itself?")
    return tuple(notes)


def remade(app: Application, operations: Sequence[Operation]) -> tuple[str, ...]:
    """What to know of its pods and jobs whose files are changed."""
    changed = {operation.path for operation in operations}
    notes = [n for one in app.workloads if one.path in changed for n in made_anew(one)]
    return tuple(dict.fromkeys(notes))
