"""The places of a port in pods: containers, probes, annotations, neighbours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal, SetValue, Span, value_of
from hardhull.project.ports import (
    decides_port,
    listening,
    moved,
    moved_arguments,
    ports_in,
    urls_argument,
)
from hardhull.rules.ports.moving import (
    Moved,
    checked,
    local_urls,
    names_number,
    number_of,
    scalars,
    still_asks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload
    from hardhull.project.kubernetes_container import KubernetesContainer

_MOVING_ANNOTATIONS = ("dapr.io/app-port", "prometheus.io/port")


def in_pod(
    container: KubernetesContainer, workload: Workload, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Container ports, probes, hooks, variables and arguments of one container, and its pod."""
    path = container.path
    shared = workload.pod.get("hostNetwork")
    for use in container.ports:
        if use.number is not None and use.number in moves:
            if shared is not None and shared.as_bool() is not False:
                yield Refusal(
                    "with hostNetwork the container's port is the host's", path, use.cursor.span
                )
            yield Moved((SetValue(path, use.cursor.address, value_of(moves[use.number])),))
    yield from _free(container, workload, moves)
    yield from in_probes(container, moves)
    yield from _variables(container, moves)
    words = tuple(cursor.text or "" for cursor in container.command)
    found = urls_argument(words)
    if found is not None and any(port in moves for _, port in ports_in("URLS", found[1])):
        at = container.command[found[0]].address
        yield Moved((SetValue(path, at, value_of(moved_arguments(words[found[0]], moves))),))
    yield from in_annotations(path, workload.metadata, moves)
    yield from in_annotations(path, workload.root.get("metadata"), moves)


def _variables(
    container: KubernetesContainer, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """What decides the port moves; a URL that may or may not be the container's own refuses."""
    path = container.path
    for name, setting in container.environment.items():
        if setting.value is None:
            continue
        if decides_port(name):
            new = moved(name, setting.value, moves)
            if new != setting.value:
                yield Moved((SetValue(path, setting.cursor.address, value_of(new)),))
        elif local_urls(setting.value, moves) != setting.value:
            reason = f"{name} may call the program itself on the old port"
            yield Refusal(reason, path, setting.cursor.span)


def in_probes(
    container: KubernetesContainer, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Probes and hooks of one container."""
    path = container.path
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield from _handler(container.cursor.get(key), path, moves)
    for key in ("postStart", "preStop"):
        yield from _handler(container.cursor.get("lifecycle", key), path, moves)


def _handler(
    probe: Cursor | None, path: str, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    if probe is None:
        return
    for kind in ("httpGet", "tcpSocket", "grpc"):
        port = probe.get(kind, "port")
        number = number_of(port) if port is not None else None
        if port is not None and number is not None and number in moves:
            yield Moved((SetValue(path, port.address, value_of(moves[number])),))
    command = probe.get("exec", "command")
    yield from in_command(command, path, moves)


def in_command(
    command: Cursor | None, path: str, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """A command that asks the container itself, as one text or as a list of words."""
    if command is None:
        return
    listed = [word for word in command.items() or [command] if word.text is not None]
    whole = " ".join(word.text or "" for word in listed)
    changed = [checked(word.text or "", moves, whole) for word in listed]
    if still_asks(" ".join(changed), moves):
        reason = "a command names the port in a way that is not understood"
        yield Refusal(reason, path, command.span)
        return
    for word, new in zip(listed, changed, strict=True):
        if new != word.text:
            yield Moved((SetValue(path, word.address, value_of(new)),))


def in_annotations(
    path: str, metadata: Cursor | None, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Annotations that name the pod's port: some move, others refuse."""
    notes = metadata.get("annotations") if metadata is not None else None
    for key, note in notes.pairs() if notes is not None else ():
        text = note.text or ""
        numbers = {int(part) for part in re.findall(r"(?<![\w.])\d+(?![\w.])", text)}
        if not numbers & moves.keys():
            continue
        if key in _MOVING_ANNOTATIONS and text.isdecimal():
            yield Moved((SetValue(path, note.address, value_of(str(moves[int(text)]))),))
        elif "port" in key.lower() or re.search(r":\d|port", text, re.IGNORECASE):
            yield Refusal(f"the annotation {key} names the port", path, note.span)


# ---------------------------------------------------------------- neighbours in the pod


def _free(
    container: KubernetesContainer, workload: Workload, moves: Mapping[int, int]
) -> Iterator[Refusal]:
    """The new port must not be in use in the pod, whose containers share one network."""
    for other in workload.containers:
        for use in other.ports:
            if use.number in moves.values():
                own = "itself" if other == container else other.name
                yield Refusal(
                    f"port {use.number} is in use in the pod, by {own}", other.path, use.cursor.span
                )


def beside(
    app: Application, workload: Workload, context: Context, moves: Mapping[int, int]
) -> Iterator[Refusal]:
    """Other containers of the pod: they may call the program, or listen on the new port."""
    own = {(container.path, container.where) for container in app.containers}
    for other in workload.containers:
        if (other.path, other.where) in own:
            continue
        yield from _neighbour(other, context, moves)
    yield from _mounted(workload, context, moves)


def _neighbour(
    other: KubernetesContainer, context: Context, moves: Mapping[int, int]
) -> Iterator[Refusal]:
    for cursor in scalars(other.cursor):
        text = cursor.text or ""
        if local_urls(text, moves) != text:
            reason = f"{other.name} calls it on the old port, in the same pod"
            yield Refusal(reason, other.path, cursor.span)
        elif other.role.value == "main" and names_number(text, moves.values()):
            reason = f"{other.name}, in the same pod, names the new port: it may be in use"
            yield Refusal(reason, other.path, cursor.span)
    owner = context.project.owner_of(other)
    for stage in (owner.stages or (None,)) if owner and other.role.value == "main" else ():
        for listener in listening(owner, stage, other).listeners if owner is not None else ():
            if listener.port in moves.values():
                reason = f"{other.name}, in the same pod, listens on port {listener.port}"
                yield Refusal(reason, other.path, other.span)


def _mounted(workload: Workload, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """ConfigMaps that the pod mounts: a neighbour's or the program's own settings."""
    mounted = {
        found.text
        for volume in (workload.pod.get("volumes") or workload.pod).items()
        for keys in (("configMap", "name"), ("secret", "secretName"))
        if (found := volume.get(*keys)) is not None
    }
    olds = "|".join(map(str, moves))
    settings = re.compile(
        rf"\"(?:Urls|Url|server\.urls)\"\s*:\s*\"[^\"]*(?::(?:{olds})(?!\d)|://[^:\"]+\")",
        re.IGNORECASE,
    )
    for item in context.project.others:
        if item.kind not in ("ConfigMap", "Secret") or item.name not in mounted:
            continue
        raw = item.cursor.raw
        new = local_urls(raw, moves)
        match = settings.search(raw)
        if new != raw or match is not None:
            at = _first_change(item.cursor, new)
            if match is not None:
                start = item.cursor.span.start + match.start()
                at = Span(start, start + 1)
            reason = f"{item.kind}/{item.name}, which the pod mounts, names the old port"
            yield Refusal(reason, item.path, at)


def _first_change(cursor: Cursor, new: str) -> Span:
    """Where the text of a place differs from another one."""
    raw = cursor.raw
    same = next(
        (index for index, (a, b) in enumerate(zip(raw, new, strict=False)) if a != b), len(raw) - 1
    )
    start = cursor.span.start + same
    return Span(start, start + 1)
