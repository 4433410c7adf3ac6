"""Which ports a program is said to listen on, and which of them it does not."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.project.compose import ComposeService
from hardhull.project.container import Role
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.ports import (
    Decider,
    Listener,
    decides_port,
    listening,
    run_stages,
    ways_to_run,
)
from hardhull.project.published import PORT
from hardhull.project.published_ports import ports_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Span
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container
    from hardhull.project.kubernetes import KubernetesService, Workload
    from hardhull.project.published_image import PublishedImage

_USUAL_HTTP = 80
_TEST_FOLDER = re.compile(r"(?:tests?|testassets?|fixtures|.*\.tests?)", re.IGNORECASE)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class Heard:
    """What every way to run the program listens on: its one HTTP port, and all ports."""

    http: int
    ports: frozenset[int]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A place that says the program listens on `port`."""

    port: int
    path: str
    span: Span
    text: str


def heard_by(app: Application) -> Heard | None:
    """What it listens on, if nothing about it is in doubt and no port is privileged."""
    found: list[Listener] = []
    http: set[int] = set()
    for stage, container in ways_to_run(app):
        if container is not None and container.role is Role.INIT:
            continue
        image = app.image_of(container) if container is not None else None
        made = stage if stage is not None else image
        if made is None or _starts_otherwise(made, container):
            return None
        heard = listening(app, stage, container)
        own = {listener.port for listener in heard.listeners if listener.scheme == "http"}
        decided_in_code = any(one.decider is Decider.CODE for one in heard.listeners)
        if heard.unknown or heard.privileged or decided_in_code or len(own) != 1:
            return None
        http |= own
        found += heard.listeners
    if len(http) != 1:
        return None
    ports = frozenset(listener.port for listener in found)
    return Heard(http.pop(), ports, tuple(dict.fromkeys(found)))


def _starts_otherwise(made: AppStage | PublishedImage, container: Container | None) -> bool:
    """Whether something else than the image's own program and variables may be in force."""
    if made.facts is None or made.facts.kind == "sdk":
        return True  # `dotnet run` reads launchSettings.json, which beats the image's variables
    match container:
        case KubernetesContainer():
            return not container.environment_is_complete or _not_our_program(container, "command")
        case ComposeService():
            sometimes = any(decides_port(name) for name in container.sometimes)
            incomplete = sometimes or not container.environment_is_complete
            return incomplete or _not_our_program(container, "entrypoint")
    return False


def _not_our_program(container: KubernetesContainer | ComposeService, key: str) -> bool:
    command = container.cursor.get(key)
    return command is not None and ".dll" not in command.raw


def wrong_claims(app: Application, heard: Heard) -> Iterator[Claim]:
    """Places of an application that name a port it does not listen on."""
    for workload in app.workloads:
        if workload.kind == "Service" or workload.windows or for_tests(workload.path):
            continue  # Knative tells its programs the port itself
        for container in app.pods:
            if container in workload.containers and container.role is Role.MAIN:
                yield from _of_pod(container, workload, app, heard)
    for composed in app.compose:
        if not composed.windows and not for_tests(composed.path):
            yield from _declared(composed, heard)
    for stage in run_stages(app):
        yield from _exposed(stage, heard)
    if app.image is not None:
        yield from _announced(app.image, heard)


def for_tests(path: str) -> bool:
    """Whether a manifest stands below a folder of tests, where things may be wrong on purpose."""
    return any(_TEST_FOLDER.fullmatch(part) for part in path.split("/")[:-1])


def leads_to(service: KubernetesService, workload: Workload) -> bool:
    """Whether more than labels says that a Service is for these pods: its name, or its folder.

    Labels such as `app: web` are used again and again by programs that know nothing of each other.
    """
    if service.name == workload.name or (service.namespace == workload.namespace != ""):
        return True
    one, other = (f"{posixpath.dirname(path)}/" for path in (service.path, workload.path))
    beside = posixpath.dirname(one[:-1]) == posixpath.dirname(other[:-1])
    return beside or one.startswith(other) or other.startswith(one)


def declared_ports(container: Container) -> set[int]:
    """The TCP ports that a container declares."""
    uses = [use for use in container.ports if use.protocol.upper() == "TCP"]
    return {use.number for use in uses if use.number is not None}


def _declared(container: Container, heard: Heard) -> Iterator[Claim]:
    if heard.http in declared_ports(container):
        return  # the right one is there; others may be anything's
    for use in container.ports:
        if use.number in declared_ports(container) - heard.ports and use.number is not None:
            text = (
                "containerPort" if isinstance(container, KubernetesContainer) else "container port"
            )
            yield Claim(use.number, use.cursor.file.source.path, use.cursor.span, text)


def _of_pod(
    container: KubernetesContainer, workload: Workload, app: Application, heard: Heard
) -> Iterator[Claim]:
    yield from _declared(container, heard)
    numbers = declared_ports(container)
    for at, port, text in _aims(container, workload, app):
        own = port in numbers and heard.http not in numbers
        if port not in heard.ports and (own or (port not in numbers and is_alone(workload))):
            yield Claim(port, at.file.source.path, at.span, text)


def is_alone(workload: Workload) -> bool:
    """Whether a port of the pod can only be one of this container's."""
    mains = [one for one in workload.containers if one.role is Role.MAIN]
    return len(mains) == 1 and workload.injected is None


def _aims(
    container: KubernetesContainer, workload: Workload, app: Application
) -> Iterator[tuple[Cursor, int, str]]:
    """Numbers in probes and Services that reach into the pod."""
    for key in _PROBES:
        for kind in ("httpGet", "tcpSocket", "grpc"):
            port = container.cursor.get(key, kind, "port")
            number = port.as_int() if port is not None else None
            if port is not None and number is not None:
                yield port, number, f"{key} port"
    for service in app.services:
        if for_tests(service.path):
            continue
        if service.selects(workload) and leads_to(service, workload):
            for aimed, number in _targets(service):
                yield aimed, number, f"{service.where} targetPort"


def _targets(service: KubernetesService) -> Iterator[tuple[Cursor, int]]:
    for port in service.ports:
        protocol = port.get("protocol")
        if protocol is not None and protocol.text != "TCP":
            continue
        at = port.get("targetPort") or port.get("port")
        number = at.as_int() if at is not None and not at.is_opaque else None
        if at is not None and number is not None:
            yield at, number


def _announced(image: PublishedImage, heard: Heard) -> Iterator[Claim]:
    """ContainerPort 80 of an image that listens elsewhere."""
    declared = {port: one for one in image.ports if one.name == PORT for port in ports_of(one)}
    usual = declared.get(_USUAL_HTTP)
    if usual is not None and heard.http not in declared and _USUAL_HTTP not in heard.ports:
        yield Claim(_USUAL_HTTP, usual.path, usual.span, PORT)


def _exposed(stage: AppStage, heard: Heard) -> Iterator[Claim]:
    """EXPOSE 80 of an image that listens elsewhere; other numbers may be for other uses."""
    words = [w for i in stage.instructions if i.keyword == "EXPOSE" for w in i.words]
    numbers = {word.text.partition("/")[0]: word for word in words}
    usual = numbers.get(str(_USUAL_HTTP))
    if usual is not None and str(heard.http) not in numbers and _USUAL_HTTP not in heard.ports:
        yield Claim(_USUAL_HTTP, stage.path, usual.span, "EXPOSE")
