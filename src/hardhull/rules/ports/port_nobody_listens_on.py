"""port-nobody-listens-on: a manifest or EXPOSE names a port that the program does not listen on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    Level,
    Operation,
    Refusal,
    Rule,
    Severity,
    Span,
    SubjectKind,
    worst,
)
from hardhull.project.compose import ComposeService
from hardhull.project.container import Role
from hardhull.project.kubernetes import KubernetesContainer
from hardhull.project.ports import Decider, Listener, listening, ways_to_run
from hardhull.rules.ports import places
from hardhull.rules.ports.nobody_examples import PORT_NOBODY_LISTENS_ON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesService, Workload

ID = "port-nobody-listens-on"
_USUAL_HTTP = 80
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class _Heard:
    """What every way to run the program listens on: its one HTTP port, and all ports."""

    http: int
    ports: frozenset[int]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A place that says the program listens on `port`."""

    port: int
    path: str
    span: Span
    text: str


# ---------------------------------------------------------------- finding


def find(app: Application, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Applications whose one HTTP port is known, and that are said to have another."""
    heard = _heard(app)
    if heard is None:
        return
    wrong = tuple(_wrong_claims(app, heard))
    if not wrong:
        return
    ports = " and ".join(str(port) for port in sorted({claim.port for claim in wrong}))
    evidence = dict.fromkeys(
        [listener.evidence for listener in heard.listeners]
        + [f"{claim.path}: {claim.text} {claim.port}" for claim in wrong]
    )
    yield Finding(
        ID,
        wrong[0].path,
        app.where,
        wrong[0].span,
        f"nobody listens on port {ports}: the program listens on {heard.http}",
        Severity.MEDIUM,
        Level.ROUTINE,
        ports,
        tuple(evidence),
        app,
        (heard, wrong),
    )


def _heard(app: Application) -> _Heard | None:
    """What it listens on, if nothing about it is in doubt and no port is privileged."""
    found: list[Listener] = []
    http: set[int] = set()
    for stage, container in ways_to_run(app):
        if container is not None and container.role is Role.INIT:
            continue
        if stage is None or _starts_otherwise(stage, container):
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
    return _Heard(http.pop(), ports, tuple(dict.fromkeys(found)))


def _starts_otherwise(stage: AppStage, container: Container | None) -> bool:
    """Whether something else than the image's own program and variables may be in force."""
    if stage.facts is None or stage.facts.kind == "sdk":
        return True  # `dotnet run` reads launchSettings.json, which beats the image's variables
    match container:
        case KubernetesContainer():
            return not container.environment_is_complete or _not_our_program(container, "command")
        case ComposeService():
            incomplete = not container.environment_is_complete
            return incomplete or _not_our_program(container, "entrypoint")
    return False


def _not_our_program(container: KubernetesContainer | ComposeService, key: str) -> bool:
    command = container.cursor.get(key)
    return command is not None and ".dll" not in command.raw


def _wrong_claims(app: Application, heard: _Heard) -> Iterator[_Claim]:
    for workload in app.workloads:
        if workload.kind == "Service" or workload.windows:
            continue  # Knative tells its programs the port itself
        for container in app.pods:
            if container in workload.containers and container.role is Role.MAIN:
                yield from _of_pod(container, workload, app, heard)
    for composed in app.compose:
        if not composed.windows:
            yield from _declared(composed, heard)
    for stage in app.stages:
        yield from _exposed(stage, heard)


def _numbers(container: Container) -> set[int]:
    """The TCP ports that a container declares."""
    uses = [use for use in container.ports if use.protocol.upper() == "TCP"]
    return {use.number for use in uses if use.number is not None}


def _declared(container: Container, heard: _Heard) -> Iterator[_Claim]:
    if heard.http in _numbers(container):
        return  # the right one is there; others may be anything's
    for use in container.ports:
        if use.number in _numbers(container) - heard.ports and use.number is not None:
            text = "containerPort" if isinstance(container, KubernetesContainer) else "container port"
            yield _Claim(use.number, use.cursor.file.source.path, use.cursor.span, text)


def _of_pod(
    container: KubernetesContainer, workload: Workload, app: Application, heard: _Heard
) -> Iterator[_Claim]:
    yield from _declared(container, heard)
    numbers = _numbers(container)
    for at, port, text in _aims(container, workload, app):
        own = port in numbers and heard.http not in numbers
        if port not in heard.ports and (own or (port not in numbers and _alone(workload))):
            yield _Claim(port, at.file.source.path, at.span, text)


def _alone(workload: Workload) -> bool:
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
        if service.selects(workload):
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


def _exposed(stage: AppStage, heard: _Heard) -> Iterator[_Claim]:
    """EXPOSE 80 of an image that listens elsewhere; other numbers may be for other uses."""
    words = [w for i in stage.instructions if i.keyword == "EXPOSE" for w in i.words]
    numbers = {word.text.partition("/")[0]: word for word in words}
    usual = numbers.get(str(_USUAL_HTTP))
    if usual is not None and str(heard.http) not in numbers and _USUAL_HTTP not in heard.ports:
        yield _Claim(_USUAL_HTTP, stage.path, usual.span, "EXPOSE")


# ---------------------------------------------------------------- fixing


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Move all places to the port that is listened on, or say what is not certain."""
    app: Application = finding.subject
    heard: _Heard
    wrong: tuple[_Claim, ...]
    heard, wrong = finding.plan
    doubt = _doubt(app, context, heard, wrong)
    if doubt is not None:
        return doubt
    moves = {wrong[0].port: heard.http}
    operations: list[Operation] = []
    numeric = False
    for found in _everywhere(app, context, moves, heard):
        if isinstance(found, Refusal):
            return found
        operations += [op for op in found.operations if op not in operations]
        numeric = numeric or found.numeric
    note = "the Service names the port by number: pods whose image still listens on the old one "
    notes = (f"{note}refuse connections until replaced",) if numeric else ()
    return Fix(
        tuple(operations),
        f"port {wrong[0].port} → {heard.http}",
        worst(finding.level, Level.REVIEW if numeric else Level.ROUTINE),
        "refused connections",
        notes,
    )


def _doubt(
    app: Application, context: Context, heard: _Heard, wrong: tuple[_Claim, ...]
) -> Refusal | None:
    """What keeps it from being certain that the place is wrong, or which port is meant."""
    ports = sorted({claim.port for claim in wrong})
    if len(ports) > 1:
        listed = ", ".join(str(port) for port in ports)
        reason = f"several ports are named ({listed}): which one is the HTTP port is not clear"
        return Refusal(reason, wrong[0].path, wrong[0].span)
    program = app.program
    if program is None or not program.files:
        return Refusal("the program's code is not here: it may bind the port itself")
    if not program.complete:
        return Refusal("not all of the program's code was read: it may bind the port itself")
    by_urls = all(
        one.variable.endswith("URLS") or one.decider is Decider.ARGUMENT for one in heard.listeners
    )
    if program.legacy_host and not by_urls:
        seen = program.legacy_host[0]
        return Refusal(f"{seen.path}:{seen.line} builds an older host, which may bind otherwise")
    told = re.compile(rf"(?:_URLS|_PORTS)\b[^\n]*?(?<!\d){ports[0]}(?!\d)")
    for path, line, _ in context.project.workspace.texts.search(told, ("_URLS", "_PORTS")):
        if path.lower().endswith("launchsettings.json") and not path.startswith(app.directory or ""):
            continue
        return Refusal(f"{path}:{line} may tell it to listen on {ports[0]}")
    return None


def _everywhere(
    app: Application, context: Context, moves: Mapping[int, int], heard: _Heard
) -> Iterator[places.Moved | Refusal]:
    old = next(iter(moves))
    for stage in app.stages:
        yield from places.in_stage(stage, moves)
    for workload in app.workloads:
        names: dict[int, str] = {}
        owners = [c for c in app.pods if c in workload.containers and c.role is Role.MAIN]
        for container in owners:
            right = heard.http in _numbers(container)
            if right:
                yield from places.in_probes(container, moves)
            else:
                yield from places.in_pod(container, workload, moves)
            named = {use.number: use.name for use in container.ports}
            name = named.get(heard.http if right else old)
            if name is not None:
                names[old] = name
        if _alone(workload) or any(old in _numbers(container) for container in owners):
            for service in app.services:
                if service.selects(workload):
                    yield from places.in_service(service, names, moves)
    yield from places.in_other_objects(app, context, moves)
    for composed in app.compose:
        if heard.http not in _numbers(composed):
            yield from places.in_compose(composed, moves)
        yield from places.in_callers(composed, context, moves)
    yield from places.in_scripts(app, context, moves)
    yield from places.in_charts(app, context)
    yield from places.in_unread(app, context, moves)


RULE = Rule(
    id=ID,
    title="A port is named that nobody listens on",
    concern="ports",
    subject=SubjectKind.APPLICATION,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "From .NET 8 on the images listen on 8080. A manifest that still says 80 sends requests "
        "and probes to a port that refuses them, and it hides which port the program has."
    ),
    fix_note=(
        "Moves containerPort, probes, Services' targetPort, the container side of Compose ports, "
        "callers inside Compose and EXPOSE 80 to the port that is listened on, in one fix. What "
        "clients see (Service `port`, nodePort, Ingress, published ports) stays."
    ),
    routine_when=(
        "every way to run the program listens on one HTTP port, its code was read and binds none, "
        "and exactly one other port is named"
    ),
    review_when="a Service names the port by number",
    refused_when=(
        "several wrong ports are named, the code is not here or builds an older host, a script "
        "sets the port, or a place that holds the old port can't be moved"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port",
    ),
    equivalents=(),
    examples=PORT_NOBODY_LISTENS_ON,
)
