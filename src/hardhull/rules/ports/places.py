"""All places that hold an application's old port: each moves, is known to stay, or refuses."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Operation, Refusal, ReplaceWord, SetValue, value_of
from hardhull.project.compose import ComposeService, settings_of, with_port, with_variable
from hardhull.project.ports import (
    decides_port,
    moved,
    moved_urls,
    ports_in,
    start_instructions,
    urls_argument,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.dockerfile import Instruction
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application, AppStage
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesContainer, KubernetesService, Workload

_EXPOSED = re.compile(r"^(?P<port>\d+)(?P<protocol>/tcp)?$", re.IGNORECASE)
_LOCAL = re.compile(r"localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|\+|\*")
_TELLING = 3
"""Names shorter than this are found everywhere."""
_MOVING_ANNOTATIONS = ("dapr.io/app-port", "prometheus.io/port")
_SERVICE_SIDE = frozenset(
    [
        "Ingress",
        "HTTPRoute",
        "GRPCRoute",
        "TCPRoute",
        "Gateway",
        "VirtualService",
        "DestinationRule",
        "Route",
        "ServiceMonitor",
        "ConfigMap",
        "Secret",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "ServiceAccount",
        "Namespace",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "PersistentVolumeClaim",
        "Certificate",
        "CustomResourceDefinition",
        "Issuer",
        "ClusterIssuer",
        "Kustomization",
        "ScaledObject",
        "IngressRoute",
    ]
)


@dataclass(frozen=True, slots=True)
class Moved:
    """Operations that move the port at one place. `numeric` says it was a Service's number."""

    operations: tuple[Operation, ...]
    numeric: bool = False


# ---------------------------------------------------------------- Dockerfiles


def in_stage(stage: AppStage, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    """EXPOSE, variables, --urls and HEALTHCHECK of the stage's chain."""
    for instruction in stage.instructions:
        match instruction.keyword:
            case "EXPOSE":
                yield from _expose(stage, instruction, moves)
            case "ENV":
                yield from _env(stage, instruction, moves)
            case "HEALTHCHECK":
                yield from _words(stage, instruction, moves)
    for instruction in start_instructions(stage):
        found = urls_argument(tuple(word.value for word in instruction.words))
        if found is not None and any(port in moves for _, port in ports_in("URLS", found[1])):
            word = instruction.words[found[0]]
            text = word.value if instruction.json else word.text
            new = moved_urls(text, moves)
            yield Moved((ReplaceWord(stage.path, instruction.index, found[0], new),))


def _expose(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    for index, word in enumerate(instruction.words):
        match = _EXPOSED.match(word.text)
        if match is not None and int(match["port"]) in moves:
            text = f"{moves[int(match['port'])]}{match['protocol'] or ''}"
            yield Moved((ReplaceWord(stage.path, instruction.index, index, text),))
        elif "$" in word.text:
            yield Refusal(f"EXPOSE takes a port from {word.text}", stage.path, word.span)


def _env(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    words = instruction.words
    single = bool(words) and "=" not in words[0].text
    for index, word in enumerate(words):
        name = words[0].text if single else word.text.partition("=")[0]
        value = word.text if single else word.text.partition("=")[2]
        if not decides_port(name) or (single and index == 0):
            continue
        if "$" in value:
            yield Refusal(f"{name} takes its value from another variable", stage.path, word.span)
        elif any(port in moves for _, port in ports_in(name, value)):
            new = moved(name, value, moves)
            text = new if single else f"{name}={new}"
            yield Moved((ReplaceWord(stage.path, instruction.index, index, text),))


def _words(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """URLs of this container itself in a health check."""
    for index, word in enumerate(instruction.words):
        text = word.value if instruction.json else word.text
        new = local_urls(text, moves)
        if new != text:
            yield Moved((ReplaceWord(stage.path, instruction.index, index, new),))


def local_urls(text: str, moves: Mapping[int, int]) -> str:
    """Move the ports of URLs that point at the container itself."""
    for host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0"):  # noqa: S104  read, never bound
        text = moved_urls(text, moves, host)
    for old, new in moves.items():
        text = re.sub(rf"(?<![\w.])(localhost|127\.0\.0\.1):{old}(?!\d)", rf"\g<1>:{new}", text)
    return text


# ---------------------------------------------------------------- Kubernetes


def in_pod(
    container: KubernetesContainer, workload: Workload, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Container ports, probes, hooks, variables and arguments of one container, and its pod."""
    path = container.path
    for use in container.ports:
        if use.number is not None and use.number in moves:
            if workload.pod.get("hostNetwork") is not None:
                yield Refusal(
                    "with hostNetwork the container's port is the host's", path, use.cursor.span
                )
            yield Moved((SetValue(path, use.cursor.address, value_of(moves[use.number])),))
    yield from _free(container, workload, moves)
    yield from in_probes(container, moves)
    for name, setting in container.environment.items():
        if decides_port(name) and setting.value is not None:
            new = moved(name, setting.value, moves)
            if new != setting.value:
                yield Moved((SetValue(path, setting.cursor.address, value_of(new)),))
    words = tuple(cursor.text or "" for cursor in container.command)
    found = urls_argument(words)
    if found is not None and moved_urls(words[found[0]], moves) != words[found[0]]:
        at = container.command[found[0]].address
        yield Moved((SetValue(path, at, value_of(moved_urls(words[found[0]], moves))),))
    yield from _annotations(workload, moves)


def in_probes(
    container: KubernetesContainer, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Probes and hooks of one container."""
    path = container.path
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield from _handler(container.cursor.get(key), path, moves)
    for key in ("postStart", "preStop"):
        yield from _handler(container.cursor.get("lifecycle", key), path, moves)


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


def _handler(
    probe: Cursor | None, path: str, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    if probe is None:
        return
    for kind in ("httpGet", "tcpSocket", "grpc"):
        port = probe.get(kind, "port")
        number = port.as_int() if port is not None else None
        if port is not None and number is not None and number in moves:
            yield Moved((SetValue(path, port.address, value_of(moves[number])),))
    command = probe.get("exec", "command")
    for word in command.items() if command is not None else ():
        new = local_urls(word.text or "", moves)
        if word.text is not None and new != word.text:
            yield Moved((SetValue(path, word.address, value_of(new)),))


def _annotations(workload: Workload, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    for holder in (workload.metadata, workload.root.get("metadata")):
        notes = holder.get("annotations") if holder is not None else None
        for key, note in notes.pairs() if notes is not None else ():
            numbers = {int(part) for part in re.findall(r"(?<![\w.])\d+(?![\w.])", note.text or "")}
            if not numbers & moves.keys():
                continue
            if key in _MOVING_ANNOTATIONS and (note.text or "").isdigit():
                new = str(moves[int(note.text or "0")])
                yield Moved((SetValue(workload.path, note.address, value_of(new)),))
            elif "port" in key.lower():
                yield Refusal(f"the annotation {key} names the port", workload.path, note.span)


def in_service(
    service: KubernetesService, names: Mapping[int, str], moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """TargetPort moves, or is added; where the container port has a name, the name is used."""
    for port in service.ports:
        number, target = port.get("port"), port.get("targetPort")
        own = number.as_int() if number is not None else None
        if target is not None and target.is_opaque:
            yield Refusal("the Service's targetPort is a placeholder", service.path, target.span)
            continue
        aimed = target.as_int() if target is not None else own
        if target is not None and target.as_int() is None and (target.text or "").isdigit():
            aimed = int(target.text or "0")
        if aimed not in moves or aimed is None:
            continue
        if service.headless:
            yield Refusal(
                "clients of a headless Service reach the pod's own port", service.path, port.span
            )
            continue
        name = names.get(aimed)
        at = (*port.address, "targetPort")
        value = value_of(name if name is not None else moves[aimed])
        yield Moved((SetValue(service.path, at, value, ("port",)),), numeric=name is None)


def in_other_objects(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Network policies move; what else names the application and the old port refuses."""
    own = {(workload.path, workload.where) for workload in app.workloads}
    names = {workload.name for workload in app.workloads if workload.name}
    for twin in context.project.all_workloads:
        if twin.name in names and (twin.path, twin.where) not in own:
            yield from _patch(twin.path, twin.root, twin.where, moves)
    for item in context.project.others:
        if item.kind in _SERVICE_SIDE:
            continue
        if item.kind == "NetworkPolicy":
            yield from _network_policy(item.path, item.cursor, app, moves)
            continue
        raw = item.cursor.raw
        if any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", raw) for name in names):
            yield from _patch(item.path, item.cursor, f"{item.kind}/{item.name}", moves)


def _patch(path: str, cursor: Cursor, where: str, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Any key about ports with the old number, in an object we don't move."""
    pending = [cursor]
    while pending:
        item = pending.pop()
        for key, value in item.pairs():
            if "port" in key.lower() and value.as_int() in moves:
                yield Refusal(f"{where} names port {value.as_int()} too", path, value.span)
            pending.append(value)
        pending += item.items()


def _network_policy(
    path: str, policy: Cursor, app: Application, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    labels = policy.get("spec", "podSelector", "matchLabels")
    wanted = {key: value.text for key, value in labels.pairs()} if labels is not None else {}
    if not any(wanted.items() <= workload.labels.items() for workload in app.workloads):
        return
    rules = policy.get("spec", "ingress")
    for rule in rules.items() if rules is not None else ():
        listed = rule.get("ports")
        for port in listed.items() if listed is not None else ():
            number = port.get("port")
            value = number.as_int() if number is not None else None
            if number is None or value not in moves or value is None:
                continue
            if not wanted:
                yield Refusal("a policy for all pods names the port", path, number.span)
            else:
                yield Moved((SetValue(path, number.address, value_of(moves[value])),))


# ---------------------------------------------------------------- Compose


def in_compose(service: ComposeService, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    """Container sides of ports, variables, health checks, labels and arguments of a service."""
    mode = service.option("network_mode")
    if mode is not None and (mode.text or "").startswith(("host", "service:", "container:")):
        yield Refusal("it shares its network with something else", service.path, mode.span)
    yield from _composed_ports(service, moves)
    for settings in service.environments:
        for name, setting in settings.items():
            if decides_port(name) and setting.value is not None:
                new = moved(name, setting.value, moves)
                if new != setting.value:
                    yield Moved((with_variable(setting, name, new),))
    for path, layer in service.layers:
        for key in ("healthcheck", "labels", "command", "entrypoint"):
            yield from _own_texts(path, layer.get(key), key, moves)


def _composed_ports(service: ComposeService, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    for use in service.ports:
        if use.number in moves.values():
            reason = f"port {use.number} is in use in the service"
            yield Refusal(reason, service.path, use.cursor.span)
        if use.number is not None and use.number in moves:
            yield Moved((with_port(use, moves[use.number]),))
        elif use.number is None:
            yield Refusal("a published port is a placeholder", service.path, use.cursor.span)


def _own_texts(
    path: str, block: Cursor | None, key: str, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    for cursor in _scalars(block):
        text = cursor.text
        if text is None:
            continue
        new = local_urls(text, moves)
        if key in ("command", "entrypoint") and "--urls" in text:
            new = moved_urls(text, moves)
        if key == "labels":
            new = _labelled(cursor, text, moves)
        if new != text:
            yield Moved((SetValue(path, cursor.address, value_of(new)),))


def _labelled(cursor: Cursor, text: str, moves: Mapping[int, int]) -> str:
    """Traefik's `loadbalancer.server.port`, written as `name=80` or as a key."""
    match = re.match(r"(.*server\.port=)(\d+)$", text)
    if match is not None and int(match[2]) in moves:
        return f"{match[1]}{moves[int(match[2])]}"
    key = str(cursor.address[-1])
    if key.endswith("server.port") and text.isdigit() and int(text) in moves:
        return str(moves[int(text)])
    return text


def _scalars(cursor: Cursor | None) -> Iterator[Cursor]:
    pending = [cursor] if cursor is not None else []
    while pending:
        item = pending.pop()
        inner = [value for _, value in item.pairs()] + item.items()
        if inner:
            pending += inner
        elif not item.is_null:
            yield item


def in_callers(
    service: ComposeService, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """URLs of other services to this one: Compose does not translate ports between services."""
    hosts = {service.name}
    for key in ("container_name", "hostname"):
        found = service.option(key)
        if found is not None and found.text:
            hosts.add(found.text)
    folder = posixpath.dirname(service.path)
    for other in context.project.compose:
        if other.name == service.name or posixpath.dirname(other.path) != folder:
            continue
        for _, layer in other.layers:
            yield from _calls(layer, hosts, moves)
    yield from _elsewhere(hosts, service, context, moves)


def _calls(layer: Cursor, hosts: set[str], moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    path = layer.file.source.path
    for name, setting in settings_of(layer.get("environment")).items():
        new = _called(setting.value or "", hosts, moves)
        if setting.value is not None and new != setting.value:
            yield Moved((with_variable(setting, name, new),))
        elif (
            setting.value is None
            and _called(setting.cursor.raw, hosts, moves) != setting.cursor.raw
        ):
            yield Refusal("a placeholder stands in a URL to it", path, setting.cursor.span)
    for key in ("command", "entrypoint", "healthcheck"):
        for cursor in _scalars(layer.get(key)):
            text = cursor.text or ""
            new = _called(text, hosts, moves)
            if new != text:
                yield Moved((SetValue(path, cursor.address, value_of(new)),))


def _called(text: str, hosts: set[str], moves: Mapping[int, int]) -> str:
    for host in hosts:
        if host not in text:
            continue
        text = moved_urls(text, moves, host)
        for old, new in moves.items():
            pattern = rf"(?<![\w.-])({re.escape(host)}):{old}(?!\d)"
            text = re.sub(pattern, rf"\g<1>:{new}", text)
    return text


def _elsewhere(
    hosts: set[str], service: ComposeService, context: Context, moves: Mapping[int, int]
) -> Iterator[Refusal]:
    """Proxies' settings, appsettings and scripts that call the service, or publish its image."""
    names = "|".join(re.escape(host) for host in sorted(hosts))
    olds = "|".join(str(old) for old in moves)
    schemes = "|".join({80: "http", 443: "https"}[old] for old in moves if old in (80, 443))
    pattern = re.compile(
        rf"(?:{schemes or 'http'})://(?:{names})(?=[/\"'\s;,]|$)|(?<![\w./-])(?:{names}):(?:{olds})(?!\d)"
        rf"|\"Host\"\s*:\s*\"(?:{names})\"|\bserver\s+(?:{names})\s*;|address:\s*(?:{names})\s*$",
        re.MULTILINE,
    )
    texts = context.project.workspace.texts
    charts = [posixpath.dirname(p) for p in texts.paths() if posixpath.basename(p) == "Chart.yaml"]
    for path, line, text in texts.search(pattern, hosts, code=True):
        if any(path.startswith(f"{chart}/") for chart in charts):
            continue  # calls inside a cluster go through a Service; see `in_charts`
        yield Refusal(f"{path}:{line} calls it on the old port: {text.strip()[:80]}", service.path)


# ---------------------------------------------------------------- scripts and the rest


def in_scripts(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Commands that publish the old port of this image."""
    images = set()
    for container in app.containers:
        text = container.image.text if container.image is not None else None
        reference = parse_reference(text) if text else None
        if reference is not None:
            images.add(reference.repository.rpartition("/")[2])
    if not images:
        return
    olds = "|".join(str(old) for old in moves)
    pattern = re.compile(rf"(?:-p|--publish)[ =]\S*?\d+:(?:{olds})(?:/tcp)?\b[^\n]*")
    for path, line, text in context.project.workspace.texts.search(pattern, images):
        if any(image in text for image in images):
            yield Refusal(f"{path}:{line} publishes the old port: {text.strip()[:80]}")


def in_charts(app: Application, context: Context) -> Iterator[Refusal]:
    """Charts are not read yet: one that names the application may deploy it on the old port."""
    texts = context.project.workspace.texts
    charts = [posixpath.dirname(p) for p in texts.paths() if posixpath.basename(p) == "Chart.yaml"]
    names = {name for name in _names(app) if len(name) >= _TELLING}
    if not charts or not names:
        return
    pattern = re.compile(
        "|".join(
            rf"(?<![a-z0-9]){'[-_.]?'.join(map(re.escape, name))}(?![a-z0-9])"
            for name in sorted(names)
        ),
        re.IGNORECASE,
    )
    for path in texts.paths():
        if any(path.startswith(f"{chart}/") for chart in charts):
            source = texts.source(path)
            match = pattern.search(source.text) if source is not None else None
            if source is not None and match is not None:
                line = source.line_of(match.start())
                yield Refusal(
                    f"{path}:{line}: a chart may deploy it, and charts are not read", path
                )


def _names(app: Application) -> set[str]:
    """Names that images and services of the application go by, letters and digits only."""
    found = {app.name} | {container.name for container in app.compose}
    for container in app.containers:
        text = container.image.node.value if container.image is not None else None
        if text:
            found.add(text.partition("@")[0].rpartition("/")[2].partition(":")[0])
    return {re.sub(r"[^a-z0-9]", "", name.lower()) for name in found}


def in_unread(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Files that could not be read count if their raw text names the application and the port."""
    names = {c.name for c in app.containers} | {w.name for w in app.workloads} - {""}
    names |= {service.name for service in app.services}
    olds = re.compile(rf"(?<!\d)(?:{'|'.join(str(old) for old in moves)})(?!\d)")
    for path, text in sorted(context.project.workspace.unread.items()):
        named = [name for name in names if len(name) > 1 and name in text]
        if named and olds.search(text):
            yield Refusal(f"{path} can't be read and names {min(named)}", path)
