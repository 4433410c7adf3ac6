"""The first of two steps: ports get names and Services use them, so that the number can move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import AppendItem, Fix, Level, Operation, Refusal, SetValue, value_of
from hardhull.rules.ports.in_objects import aimed_at, names_in, place_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesService, Workload
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.project.link import Project

_NAMES = {80: "http", 443: "https"}
_NEXT = (
    "first of two steps: apply the workloads and wait until their pods are replaced, then apply "
    "the Service; the number moves in a run that finds this committed"
)


def is_by_number(app: Application, context: Context, ports: Collection[int]) -> bool:
    """Whether a Service reaches one of these ports by its number."""
    return any(
        _common_name(service, app, context.project, aimed) is None
        for service, _, aimed in _aimed(app, ports)
    )


def named(app: Application, context: Context, ports: Collection[int]) -> Fix | Refusal:
    """Give the ports names in all pods of each Service, and make the Service use them."""
    operations: dict[Operation, None] = {}
    for service, port, aimed in _aimed(app, ports):
        if service.headless:
            reason = "clients of a headless Service reach the pod's own port"
            return Refusal(reason, service.path, port.span)
        name = _common_name(service, app, context.project, aimed)
        chosen = name or _new_name(service, context.project, aimed)
        if chosen is None:
            reason = f"the pods of {service.where} give port {aimed} different names"
            return Refusal(reason, service.path, port.span)
        for workload in context.project.selected_by(service):
            operations |= dict.fromkeys(_name(workload, app, aimed, chosen))
        target = port.get("targetPort")
        if target is None or target.text != chosen:
            at = (*port.address, "targetPort")
            operations[SetValue(service.path, at, value_of(chosen), ("port",))] = None
    listed = " and ".join(_NAMES.get(port, str(port)) for port in sorted(ports))
    return Fix(
        tuple(operations),
        f"the port is named {listed}, and Services use the name",
        Level.REVIEW,
        "a Service without endpoints until pods with the name are there",
        (_NEXT,),
    )


def is_waiting(app: Application, context: Context, ports: Collection[int]) -> Refusal | None:
    """Why the number may not move yet: the names are not committed, so no pod has them."""
    for service, port, aimed in _aimed(app, ports):
        name = _common_name(service, app, context.project, aimed)
        # A Service may change from a number to a name that its pods have already: no gap.
        rolled_out = all(
            _has_name(workload, context.first, aimed, name)
            for workload in context.project.selected_by(service)
        )
        if not rolled_out:
            return Refusal(
                "second of two steps: it waits until the names of its ports are committed and "
                "rolled out",
                service.path,
                port.span,
            )
    return None


def _aimed(
    app: Application, ports: Collection[int]
) -> Iterator[tuple[KubernetesService, Cursor, int]]:
    """Each port of a Service that leads to one of these ports, by number or by name."""
    numbers = {
        name: number
        for workload in app.workloads
        for number, name in names_in(workload, app).items()
        if number in ports
    }
    for service in app.services:
        for port in service.ports:
            target = port.get("targetPort")
            by_name = numbers.get(target.text or "") if target is not None else None
            number = by_name if by_name is not None else aimed_at(port)
            if number in ports and number is not None:
                yield service, port, number


def _common_name(
    service: KubernetesService, app: Application, project: Project, number: int
) -> str | None:
    """The name that all pods of a Service give a port, if the Service uses it or could."""
    selected = project.selected_by(service)
    found = {names_in(workload, app).get(number) for workload in selected}
    return found.pop() if len(found) == 1 else None


def _new_name(service: KubernetesService, project: Project, number: int) -> str | None:
    """A name that no other port of these pods has; None if some have one already."""
    wanted = _NAMES.get(number, f"port-{number}")
    names: set[str] = set()
    for workload in project.selected_by(service):
        for container in workload.containers:
            for use in container.ports:
                if use.number == number and use.name is not None:
                    return None
                names |= {use.name} if use.name is not None else set()
    return next((one for one in (wanted, f"web-{wanted}") if one not in names), None)


def _name(workload: Workload, app: Application, number: int, name: str) -> Iterator[Operation]:
    own: list[KubernetesContainer] = [c for c in app.pods if c in workload.containers]
    for container in own:
        listed = [use for use in container.ports if use.number == number]
        for use in listed:
            at = use.cursor.address[:-1]  # from containerPort to its entry
            if use.name is None:
                yield SetValue(container.path, (*at, "name"), value_of(name))
        if not listed and len(own) == 1:
            entry = value_of({"name": name, "containerPort": number})
            at = (*container.cursor.address, "ports")
            yield AppendItem(container.path, at, entry, ("image", "name"))


def _has_name(workload: Workload, project: Project, number: int, name: str | None) -> bool:
    places = {place_of(one): one for one in project.all_workloads}
    old = places.get(place_of(workload))
    return old is not None and any(
        use.number == number and use.name == name
        for container in old.containers
        for use in container.ports
    )
