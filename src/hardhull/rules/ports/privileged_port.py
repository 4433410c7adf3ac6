"""privileged-port: an application listens on a port that needs root on many clusters."""

from __future__ import annotations

from dataclasses import replace
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
from hardhull.project.ports import (
    Decider,
    Listener,
    idle_stages,
    listening,
    run_stages,
)
from hardhull.rules.ports.doubts import blocked_by, low_listeners, notes_on, remade
from hardhull.rules.ports.examples import PRIVILEGED_PORT
from hardhull.rules.ports.in_compose import in_callers, in_compose
from hardhull.rules.ports.in_images import in_stage
from hardhull.rules.ports.in_objects import in_other_objects, in_service, names_in, place_of
from hardhull.rules.ports.in_patches import in_patches
from hardhull.rules.ports.in_pods import beside, in_pod
from hardhull.rules.ports.in_published import announced, in_published
from hardhull.rules.ports.in_texts import in_texts
from hardhull.rules.ports.naming import is_by_number, is_waiting, named
from hardhull.rules.ports.published_examples import PUBLISHED_PORTS
from hardhull.rules.rollout import in_two_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.project.application import Application, AppStage
    from hardhull.project.context import Context
    from hardhull.rules.ports.moving import Moved

ID = "privileged-port"
OLD_HTTP_PORT, HTTP_PORT = 80, 8080
HTTPS_PORTS = (8443, 8081)


def find(app: Application, context: Context) -> Iterator[Finding]:
    """Applications that listen below 1024, with what decides it."""
    for stage in idle_stages(app):
        idle = listening(app, stage, None).privileged
        if idle:
            yield _finding(app, stage, idle, f"{app.where}, {stage.path}")
    heard = low_listeners(app, context)
    if heard and (app.stages or app.image is not None):
        found = _finding(app, next(iter(run_stages(app)), None), heard, app.where)
        # A port that gets its name in a first step is another problem than one that has it.
        unnamed = in_two_steps(context) and is_by_number(app, context, _numbers(heard))
        yield replace(found, what=f"{found.what} by number") if unnamed else found


def _numbers(heard: tuple[Listener, ...]) -> frozenset[int]:
    return frozenset(listener.port for listener in heard)


def _finding(
    app: Application, stage: AppStage | None, heard: tuple[Listener, ...], where: str
) -> Finding:
    path, span = _published(app, heard) if stage is None else (stage.path, Span(0, 0))
    ports = sorted({listener.port for listener in heard})
    evidence = tuple(dict.fromkeys(listener.evidence for listener in heard))
    listed = " and ".join(str(port) for port in ports)
    return Finding(
        ID,
        path,
        where,
        _span(stage, ports) if stage is not None else span,
        f"it listens on port {listed}, which needs root on many clusters",
        Severity.MEDIUM,
        Level.ROUTINE,
        listed,
        evidence,
        app,
        heard,
    )


def _published(app: Application, heard: tuple[Listener, ...]) -> tuple[str, Span]:
    """What decides the port of a published image, else its first setting, else who runs it."""
    container = app.containers[0]
    found = container.path, container.span
    if app.image is not None:
        found = app.image.place or found
        places = {(one.path, one.line) for one in heard}
        deciding = (one for one in app.image.ports if (one.path, one.line) in places)
        found = next(((one.path, one.span) for one in deciding), found)
    return found


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
    if finding.where != app.where:
        return Refusal("no manifest or Compose file here runs it: callers can't be seen")
    moves = {port: _new_port(port, context) for port in _numbers(heard)}
    operations: list[Operation] = []
    notes: list[str] = []
    # What a shared stage says of the port moves for all its programs: all of them move or none.
    members = context.project.index.made_together(app)
    for member in members:
        answer = _moved(member, context, moves)
        if isinstance(answer, Refusal):
            return answer if member is app else _because_of(member, app, answer)
        operations += [op for op in answer.operations if op not in operations]
        notes += [note for note in answer.notes if note not in notes]
    if in_two_steps(context):
        if any(is_by_number(member, context, moves) for member in members):
            # All that could refuse the move was asked above: no name is given in vain.
            return named(app, context, moves)
        waiting = (is_waiting(member, context, moves) for member in members)
        first = next((refusal for refusal in waiting if refusal is not None), None)
        if first is not None:
            return first
    listed = ", ".join(f"{old} → {new}" for old, new in sorted(moves.items()))
    level = Level.REVIEW if notes else Level.ROUTINE
    return Fix(
        tuple(operations),
        f"port {listed}",
        worst(finding.level, level),
        "refused connections",
        tuple(notes),
    )


def _because_of(member: Application, app: Application, answer: Refusal) -> Refusal:
    reason = f"{member.name} is made from the same stage as {app.name}: {answer.reason}"
    return Refusal(reason, answer.path, answer.span)


def _moved(app: Application, context: Context, moves: Mapping[int, int]) -> Fix | Refusal:
    """All operations for one application."""
    heard = low_listeners(app, context)
    blocked = blocked_by(app, heard, context, moves)
    if blocked is not None:
        return blocked
    operations: list[Operation] = []
    numeric = False
    notes: list[str] = []
    for place in _everywhere(app, context, moves):
        if isinstance(place, Refusal):
            return place
        operations += [op for op in place.operations if op not in operations]
        numeric = numeric or place.numeric
        notes += [place.note] if place.note and place.note not in notes else []
    operations += _announced(app, moves)
    notes = [*notes_on(app, context, moves, numeric=numeric), *notes, *remade(app, operations)]
    return Fix(tuple(operations), "", notes=tuple(notes))


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
) -> Iterator[Moved | Refusal]:
    for stage in run_stages(app):
        yield from in_stage(stage, moves)
    if app.image is not None:
        yield from in_published(app.image, context, moves)
        yield from announced(app, moves)
    names: dict[str, dict[int, str]] = {}
    for workload in app.workloads:
        for container in app.pods:
            if container in workload.containers:
                yield from in_pod(container, workload, moves)
        yield from beside(app, workload, context, moves)
        names[place_of(workload)] = names_in(workload, app)
    yield from in_patches(app, context, moves)
    for service in app.services:
        yield from in_service(service, app, context, moves, names)
    yield from in_other_objects(app, context, moves)
    for composed in app.compose:
        yield from in_compose(composed, context, moves)
        yield from in_callers(composed, context, moves)
    yield from in_texts(app, context, moves)


def _announced(app: Application, moves: Mapping[int, int]) -> list[Operation]:
    """Below .NET 8 the base image says 80: the Dockerfile must say otherwise, once a stage."""
    operations: list[Operation] = []
    for stage in run_stages(app):
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
        "Dockerfile or project, variables, probes, Services' targetPort, patches, network policies and Compose "
        "callers, in one fix. What clients see (Service `port`, nodePort, Ingress, published "
        "ports) stays. ASPNETCORE_URLS is added only below .NET 8, whose images say 80 themselves."
    ),
    routine_when=(
        "only Compose builds and runs it, or the manifest itself decides the port, and every "
        "place that holds the port is seen and moves"
    ),
    review_when=(
        "a Service or a network policy names the port by number, a published image decides the "
        "port (old and new meet during the roll-out), a Pod or a Job holds it, which can't be "
        "changed once it exists, or variables come from a file that is not here"
    ),
    refused_when=(
        "code, appsettings, an envFrom or a start script bind the port, nothing here runs the "
        "image, the new port may be taken in the pod, a Service is headless or selects other "
        "programs too, an image made from the same stage can't move, or a file that can't be "
        "moved holds the old port"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port",
        "https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints",
    ),
    equivalents=(),
    examples=PRIVILEGED_PORT + PUBLISHED_PORTS,
)
