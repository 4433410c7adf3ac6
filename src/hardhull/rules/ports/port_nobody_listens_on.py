"""port-nobody-listens-on: a manifest or EXPOSE names a port that the program does not listen on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import (
    Finding,
    Fix,
    Level,
    Operation,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
    worst,
)
from hardhull.project.container import Role
from hardhull.project.ports import Decider, run_stages
from hardhull.rules.ports.claims import (
    Claim,
    Heard,
    declared_ports,
    for_tests,
    heard_by,
    is_alone,
    leads_to,
    wrong_claims,
)
from hardhull.rules.ports.doubts import remade
from hardhull.rules.ports.in_compose import in_callers, in_compose
from hardhull.rules.ports.in_images import in_stage
from hardhull.rules.ports.in_objects import in_other_objects, in_service, place_of
from hardhull.rules.ports.in_patches import in_patches
from hardhull.rules.ports.in_pods import in_pod, in_probes
from hardhull.rules.ports.in_published import in_published
from hardhull.rules.ports.in_texts import in_texts
from hardhull.rules.ports.nobody_examples import PORT_NOBODY_LISTENS_ON
from hardhull.rules.ports.published_examples import PUBLISHED_NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.rules.ports.moving import Moved

ID = "port-nobody-listens-on"


def find(app: Application, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Applications whose one HTTP port is known, and that are said to have another."""
    heard = heard_by(app)
    if heard is None:
        return
    wrong = tuple(wrong_claims(app, heard))
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


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Move all places to the port that is listened on, or say what is not certain."""
    app: Application = finding.subject
    heard: Heard
    wrong: tuple[Claim, ...]
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
    notes = [f"{note}refuse connections until replaced"] if numeric else []
    notes += remade(app, operations)
    return Fix(
        tuple(operations),
        f"port {wrong[0].port} → {heard.http}",
        worst(finding.level, Level.REVIEW if notes else Level.ROUTINE),
        "refused connections",
        tuple(notes),
    )


def _doubt(
    app: Application, context: Context, heard: Heard, wrong: tuple[Claim, ...]
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
        if path.lower().endswith("launchsettings.json") and not path.startswith(
            app.directory or ""
        ):
            continue
        return Refusal(f"{path}:{line} may tell it to listen on {ports[0]}")
    return None if app.containers else _perhaps_run(context, ports[0])


def _perhaps_run(context: Context, port: int) -> Refusal | None:
    """A pod with this port whose image can't be read: it may run this program."""
    for workload in context.project.all_workloads:
        for container in workload.containers:
            text = container.image.text if container.image is not None else None
            if port in declared_ports(container) and (
                text is None or parse_reference(text) is None
            ):
                reason = f"{workload.where} may run it, and its image can't be read"
                return Refusal(reason, container.path, container.span)
    return None


def _everywhere(
    app: Application, context: Context, moves: Mapping[int, int], heard: Heard
) -> Iterator[Moved | Refusal]:
    for stage in run_stages(app):
        yield from in_stage(stage, moves)
    if app.image is not None:
        yield from in_published(app.image, context, moves)
    old = next(iter(moves))
    names: dict[str, dict[int, str]] = {}
    ours: set[str] = set()
    for workload in (one for one in app.workloads if not for_tests(one.path)):
        owners = [c for c in app.pods if c in workload.containers and c.role is Role.MAIN]
        yield from _in_workload(workload, owners, moves, heard)
        names[place_of(workload)] = _names(owners, old, heard)
        if is_alone(workload) or any(old in declared_ports(owner) for owner in owners):
            ours.add(place_of(workload))
    yield from in_patches(app, context, moves)
    for service in app.services:
        aimed = any(leads_to(service, one) for one in app.workloads)
        selected = context.project.selected_by(service)
        if aimed and not for_tests(service.path) and {place_of(one) for one in selected} <= ours:
            yield from in_service(service, app, context, moves, names)
    yield from in_other_objects(app, context, moves)
    for composed in (one for one in app.compose if not for_tests(one.path)):
        if heard.http not in declared_ports(composed):
            yield from in_compose(composed, context, moves)
        yield from in_callers(composed, context, moves)
    yield from in_texts(app, context, moves)


def _in_workload(
    workload: Workload,
    owners: Sequence[KubernetesContainer],
    moves: Mapping[int, int],
    heard: Heard,
) -> Iterator[Moved | Refusal]:
    """Where the right port is declared already, only probes may still be wrong."""
    for container in owners:
        if heard.http in declared_ports(container):
            yield from in_probes(container, moves)
        else:
            yield from in_pod(container, workload, moves)


def _names(owners: Sequence[KubernetesContainer], old: int, heard: Heard) -> dict[int, str]:
    """The name that a Service may use for what it calls `old` now."""
    found: dict[int, str] = {}
    for container in owners:
        named = {use.number: use.name for use in container.ports}
        name = named.get(heard.http if heard.http in declared_ports(container) else old)
        if name is not None:
            found[old] = name
    return found


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
    review_when=(
        "a Service names the port by number, or a Pod or a Job names it, which can't be changed "
        "once it exists"
    ),
    refused_when=(
        "several wrong ports are named, the code is not here or builds an older host, a script "
        "sets the port, or a place that holds the old port can't be moved"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port",
    ),
    equivalents=(),
    examples=PORT_NOBODY_LISTENS_ON + PUBLISHED_NOBODY,
)
