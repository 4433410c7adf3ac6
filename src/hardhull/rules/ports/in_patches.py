"""The places of a port in patches: parts of the same object, and lists of JSON patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Refusal, SetValue, value_of
from hardhull.project.kubernetes import POD_AT, Workload
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.patch_json import counted_by_others, steps_of
from hardhull.project.ports import decides_port, moved
from hardhull.rules.ports.in_pods import in_pod
from hardhull.rules.ports.moving import Moved, names_number, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesService
    from hardhull.project.kustomize import Patch

    Steps = tuple[str | int, ...]

_HANDLERS = ("httpGet", "tcpSocket", "grpc")
_SERVICES_OWN = ("port", "nodePort", "hostPort")
"""Keys whose numbers are not the program's port."""


def in_patches(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """What is laid over the workloads and Services of an application."""
    yield from _twins(app, context, moves)
    kustomize = context.project.kustomize
    for workload in app.workloads:
        patches = kustomize.patches_of(workload.path, workload.kind, workload.name)
        for patch in patches:
            found = _in_part(patch, workload, app, moves)
            if patch.is_json:
                found = _in_json(patch, workload.root, patches, moves)
            yield from _told(patch, found)
    for service in app.services:
        patches = kustomize.patches_of(service.path, "Service", service.name)
        for patch in patches:
            found = _in_service(patch, service, moves)
            if patch.is_json:
                found = _in_json(patch, service.cursor, patches, moves)
            yield from _told(patch, found)


def _told(patch: Patch, found: Iterator[Moved | Refusal]) -> Iterator[Moved | Refusal]:
    """What a patch that is left alone holds of the port refuses."""
    if patch.unread:
        yield Refusal(patch.left_alone, patch.path, patch.cursor.span)
    for place in found:
        if not patch.left_alone:
            yield place
        elif isinstance(place, Refusal):
            span = place.span if patch.inline is None else patch.inline.span
            yield Refusal(f"{patch.left_alone}: {place.reason}", patch.path, span)
        else:
            at = next(iter(place.operations))
            known = patch.cursor.get(*at.at[1:]) if isinstance(at, SetValue) else None
            span = patch.span_of(known if known is not None else patch.cursor)
            yield Refusal(f"{patch.left_alone} names the old port", patch.path, span)


def _in_part(
    patch: Patch, own: Workload, app: Application, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """A strategic-merge patch: the pod again, with containers that lack what they don't change."""
    at = POD_AT[own.kind]
    top = patch.cursor.get(*at) if at else patch.cursor
    pod = top.get("spec") if top is not None else None
    listed = pod.get("containers") if pod is not None else None
    if top is None or pod is None:
        return
    names = {one.name for one in own.containers if one in app.pods}
    metadata, found = top.get("metadata"), []
    for item in listed.items() if listed is not None else ():
        called = item.get("name")
        below = next((c for c in own.containers if called and c.name == called.text), None)
        if below is not None and below.name in names:
            found.append(
                KubernetesContainer(
                    patch.path, below.where, below.name, below.role, item, pod, metadata
                )
            )
    part = Workload(
        patch.path, own.kind, own.name, own.namespace, patch.cursor, pod, metadata, tuple(found)
    )
    for container in found:
        yield from in_pod(container, part, moves)


def _in_service(
    patch: Patch, service: KubernetesService, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    listed = patch.cursor.get("spec", "ports")
    for port in listed.items() if listed is not None else ():
        target, number = port.get("targetPort"), port.get("port")
        if target is not None and (old := number_of(target)) in moves and old is not None:
            operation = SetValue(patch.path, target.address, value_of(moves[old]))
            yield Moved((operation,), numeric=True)
        elif target is None and number is not None and number_of(number) in moves:
            same = any(
                (there := one.get("port")) is not None and there.text == number.text
                for one in service.ports
            )
            if not same:
                reason = f"a patch of {service.where} adds the port, without a targetPort"
                yield Refusal(reason, patch.path, port.span)


# ---------------------------------------------------------------- JSON patches


def _in_json(
    patch: Patch, own: Cursor, patches: Sequence[Patch], moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    others = tuple(other for other in patches if other is not patch)
    for item in patch.cursor.items():
        path, value = item.get("path"), item.get("value")
        if path is None or not path.text or value is None:
            continue
        steps = steps_of(path.text)
        counted = counted_by_others(steps, own, others)
        for place in _in_value(value, steps, own, moves):
            if counted:
                reason = "a JSON patch counts the items of a list that another patch adds to"
                yield Refusal(reason, path.path, path.span)
            else:
                yield place


def _in_value(
    value: Cursor, steps: Steps, own: Cursor, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """What an operation puts at a path: the port where ports stand, and nowhere else."""
    service = _kind(own) == "Service"
    port = value.get("port") if service and value.get("targetPort") is None else None
    if port is not None and number_of(port) in moves:
        reason = "a patch of a Service names the port, without a targetPort"
        yield Refusal(reason, value.path, port.span)
    inner: list[tuple[str | int, Cursor]] = [*value.pairs(), *enumerate(value.items())]
    if inner and value.shared:
        yield Refusal("an alias stands in a patch", value.path, value.span)
        return
    for key, part in inner:
        yield from _in_value(part, (*steps, key), own, moves)
    if not inner and value.text is not None:
        yield from _in_scalar(value, value.text, steps, own, moves)


def _in_scalar(
    value: Cursor, text: str, steps: Steps, own: Cursor, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    key, holder = _last(steps, 1), _last(steps, 2)
    number = number_of(value)
    name = _variable(value, steps, own)
    if key in ("containerPort", "targetPort") or (key == "port" and holder in _HANDLERS):
        if number is not None and number in moves:
            operation = SetValue(value.path, value.address, value_of(moves[number]))
            yield Moved((operation,), numeric=key == "targetPort")
    elif _kind(own) == "Service" or key in _SERVICES_OWN:
        return
    elif name is not None and decides_port(name):
        new = moved(name, text, moves)
        if new != text:
            yield Moved((SetValue(value.path, value.address, value_of(new)),))
    elif names_number(text, moves):
        yield Refusal("a JSON patch names the old port", value.path, value.span)


def _kind(own: Cursor) -> str | None:
    kind = own.get("kind")
    return kind.text if kind is not None else None


def _last(steps: Steps, back: int) -> str | int:
    return steps[-back] if len(steps) >= back else ""


def _variable(value: Cursor, steps: Steps, own: Cursor) -> str | None:
    """The environment variable whose value this is."""
    if _last(steps, 1) != "value":
        return None
    named = own.get(*steps[:-1], "name")
    index = value.address[0]
    beside = value.file.cursor(index) if isinstance(index, int) else None
    given = beside.get(*value.address[1:-1], "name") if beside is not None else None
    found = given if given is not None else named
    return found.text if found is not None else None


# ---------------------------------------------------------------- objects that are named again


def _twins(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """The same kind and name again, which no kustomization explains."""
    own = {(workload.path, workload.where) for workload in app.workloads}
    ours = {(workload.kind, workload.name) for workload in app.workloads if workload.name}
    containers = {container.name for container in app.pods}
    images = {_repository(container) for container in app.pods} - {None}
    for twin in context.project.all_workloads:
        if (twin.kind, twin.name) not in ours or (twin.path, twin.where) in own:
            continue
        for container in twin.containers:
            fits = container.image is None or _repository(container) in images
            if container.name in containers and fits:
                yield from in_pod(container, twin, moves)
    names = {service.name for service in app.services}
    for service in context.project.all_services:
        if service.name not in names or service.selector:
            continue  # a patch says nothing of pods; one with a selector stands for itself
        for port in service.ports:
            target = port.get("targetPort")
            if target is not None and number_of(target) in moves:
                reason = f"a patch of {service.where} names the port"
                yield Refusal(reason, service.path, target.span)


def _repository(container: KubernetesContainer) -> str | None:
    text = container.image.text if container.image is not None else None
    reference = parse_reference(text) if text else None
    return reference.repository_name if reference is not None else None
