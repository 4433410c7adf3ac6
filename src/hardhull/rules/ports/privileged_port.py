"""privileged-port: an application listens on a port that needs root on many clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Operation,
    Refusal,
    Rule,
    Severity,
    Span,
    SubjectKind,
    worst,
)
from hardhull.project.container import Role
from hardhull.project.ports import LAUNCH_SETTINGS, Decider, Listener, listening, ways_to_run
from hardhull.rules.ports import places
from hardhull.rules.ports.examples import PRIVILEGED_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.project.application import Application, AppStage
    from hardhull.project.context import Context

ID = "privileged-port"
OLD_HTTP_PORT, HTTP_PORT = 80, 8080
HTTPS_PORTS = (8443, 8081)


def find(app: Application, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Applications that listen below 1024, with what decides it."""
    heard = _privileged(app)
    if not heard or not app.stages:
        return
    ports = sorted({listener.port for listener in heard})
    stage = app.stages[0]
    evidence = tuple(dict.fromkeys(listener.evidence for listener in heard))
    listed = " and ".join(str(port) for port in ports)
    yield Finding(
        ID,
        stage.path,
        app.where,
        _span(stage, ports),
        f"it listens on port {listed}, which needs root on many clusters",
        Severity.MEDIUM,
        Level.ROUTINE,
        listed,
        evidence,
        app,
        heard,
    )


def _privileged(app: Application) -> tuple[Listener, ...]:
    found: list[Listener] = []
    for stage, container in ways_to_run(app):
        if container is None or container.role is Role.MAIN:
            found += listening(app, stage, container).privileged
    return tuple(dict.fromkeys(found))


def _span(stage: AppStage, ports: list[int]) -> Span:
    for instruction in stage.instructions:
        if instruction.keyword == "EXPOSE":
            for word in instruction.words:
                if word.text.split("/")[0] in map(str, ports):
                    return word.span
    return stage.stage.from_.span


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Move the port everywhere at once, or say what stands in the way."""
    app: Application = finding.subject
    heard: tuple[Listener, ...] = finding.plan
    blocked = _blocked(app, heard)
    if blocked is not None:
        return blocked
    moves = {port: _new_port(port, context) for port in {listener.port for listener in heard}}
    operations: list[Operation] = []
    numeric = False
    for place in _everywhere(app, context, moves):
        if isinstance(place, Refusal):
            return place
        operations += [op for op in place.operations if op not in operations]
        numeric = numeric or place.numeric
    operations += _announced(app, moves)
    listed = ", ".join(f"{old} → {new}" for old, new in sorted(moves.items()))
    notes = _notes(app, numeric=numeric)
    level = Level.REVIEW if notes else Level.ROUTINE
    return Fix(
        tuple(operations),
        f"port {listed}",
        worst(finding.level, level),
        "refused connections",
        notes,
    )


def _blocked(app: Application, heard: tuple[Listener, ...]) -> Refusal | None:
    for listener in heard:
        if listener.decider is Decider.CODE:
            return Refusal(listener.evidence, listener.path)
        if listener.port not in (80, 443):
            return Refusal(f"there is no convention for where port {listener.port} moves to")
    for stage, container in ways_to_run(app):
        for unknown in listening(app, stage, container).unknown:
            return Refusal(unknown)
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


def _urls_everywhere(heard: tuple[Listener, ...]) -> bool:
    """An older host obeys ASPNETCORE_URLS, and the base images below .NET 8 set it."""
    return all(one.variable.endswith("URLS") or one.decider is Decider.ARGUMENT for one in heard)


def _new_port(old: int, context: Context) -> int:
    """8080 for HTTP; for HTTPS the port that the repository already uses, else 8443."""
    if old == OLD_HTTP_PORT:
        return HTTP_PORT
    for _, stages in sorted(context.project.dockerfiles.items()):
        for stage in stages:
            for instruction in stage.instructions:
                if instruction.keyword == "EXPOSE":
                    for port in HTTPS_PORTS:
                        if any(w.text.split("/")[0] == str(port) for w in instruction.words):
                            return port
    return HTTPS_PORTS[0]


def _everywhere(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[places.Moved | Refusal]:
    for stage in app.stages:
        yield from places.in_stage(stage, moves)
    names: dict[int, str] = {}
    for workload in app.workloads:
        for container in app.pods:
            if container in workload.containers:
                yield from places.in_pod(container, workload, moves)
                names |= {
                    use.number: use.name
                    for use in container.ports
                    if use.number is not None and use.name is not None
                }
    for service in app.services:
        yield from places.in_service(service, names, moves)
    yield from places.in_other_objects(app, context, moves)
    for composed in app.compose:
        yield from places.in_compose(composed, moves)
        yield from places.in_callers(composed, context, moves)
    yield from places.in_scripts(app, context, moves)
    yield from places.in_charts(app, context)
    yield from places.in_unread(app, context, moves)


def _announced(app: Application, moves: Mapping[int, int]) -> list[Operation]:
    """Below .NET 8 the base image says 80: the Dockerfile must say otherwise, once a stage."""
    operations: list[Operation] = []
    for stage in app.stages:
        if not any(one.decider is Decider.BASE for one in listening(app, stage, None).privileged):
            continue
        if OLD_HTTP_PORT not in moves:
            continue
        exposed = [i for i in stage.instructions if i.keyword == "EXPOSE"]
        at = exposed[-1].index + 1 if exposed else _before_start(stage)
        text = f"ENV ASPNETCORE_URLS=http://+:{moves[OLD_HTTP_PORT]}"
        operation = InsertInstruction(stage.path, at, text, follows=bool(exposed))
        if operation not in operations:
            operations.append(operation)
    return operations


def _before_start(stage: AppStage) -> int:
    own = stage.stage.instructions
    starts = [i.index for i in own if i.keyword in ("ENTRYPOINT", "CMD")]
    last = own[-1].index + 1 if own else stage.stage.from_.index + 1
    return min(starts, default=last)


def _notes(app: Application, *, numeric: bool) -> tuple[str, ...]:
    notes = []
    if numeric:
        notes.append(
            "the Service names the port by number: old pods refuse connections until replaced"
        )
    if app.pods and app.stages:
        notes.append(
            "order of roll-out: build and push the image, set its tag in the manifest, then apply; "
            "the image of today does not answer on the new port"
        )
    program = app.program
    if program is None or not program.files:
        notes.append("not checked: the program's code is not here; does it bind a port itself?")
    elif not program.complete:
        notes.append("not checked: all of the program's code; does it bind a port itself?")
    return tuple(notes)


RULE = Rule(
    id=ID,
    title="The application listens on a port below 1024",
    concern="ports",
    subject=SubjectKind.APPLICATION,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Ports below 1024 need root or a capability on containerd 1.x and CRI-O. As long as a "
        "program listens on 80 it can't run as another user everywhere."
    ),
    fix_note=(
        "Moves 80 to 8080 and 443 to the HTTPS port the repository uses (else 8443) in "
        "Dockerfile, variables, probes, Services' targetPort, network policies and Compose "
        "callers, in one fix. What clients see (Service `port`, nodePort, Ingress, published "
        "ports) stays. ASPNETCORE_URLS is added only below .NET 8, whose images say 80 themselves."
    ),
    routine_when="only Compose runs it, and every place that holds the port is seen and moves",
    review_when=(
        "a Service names the port by number, or a manifest names an image that is built "
        "separately: old and new meet during the roll-out"
    ),
    refused_when=(
        "code or appsettings bind the port, nothing here runs the image, the new port is taken, a "
        "Service is headless, or a file that can't be moved holds the old port"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port",
        "https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints",
    ),
    equivalents=(),
    examples=PRIVILEGED_PORT,
)
