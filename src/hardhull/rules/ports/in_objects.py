"""The places of a port in Services, network policies and other Kubernetes objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal, SetValue, value_of
from hardhull.rules.ports.in_pods import in_annotations
from hardhull.rules.ports.moving import Moved, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesObject, KubernetesService, Workload

_SERVICE_SIDE = frozenset([
    "Ingress", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "Gateway", "VirtualService",
    "DestinationRule", "ConfigMap", "Secret", "HorizontalPodAutoscaler", "PodDisruptionBudget",
    "ServiceAccount", "Namespace", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "PersistentVolumeClaim", "Certificate", "CustomResourceDefinition", "Issuer",
    "ClusterIssuer", "Kustomization", "ScaledObject", "IngressRoute", "Endpoints",
    "EndpointSlice",
])  # fmt: skip
"""Kinds whose ports, if they have any, are those of Services."""
_POD_SIDE = frozenset([
    "AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "Sidecar", "Server",
    "PodMonitor", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy", "BackendConfig", "HealthCheckPolicy",
])  # fmt: skip
"""Kinds whose ports are those of pods, and which may hold for all pods of a namespace."""


def in_service(
    service: KubernetesService,
    app: Application,
    context: Context,
    moves: Mapping[int, int],
    names: Mapping[str, Mapping[int, str]],
) -> Iterator[Moved | Refusal]:
    """TargetPort moves, or is added; where the container port has a name, the name is used.

    `names` gives the names of ports by the place of the workload.
    """
    yield from in_annotations(service.path, service.cursor.get("metadata"), moves)
    selected = context.project.selected_by(service)
    for port in service.ports:
        target = port.get("targetPort")
        if (port.get("protocol") or port).text == "UDP":
            continue
        if target is not None and target.is_opaque:
            yield Refusal("the Service's targetPort is a placeholder", service.path, target.span)
            continue
        aimed = aimed_at(port)
        if aimed is None and service.headless and target is not None:
            yield from _headless(service, target, selected, moves)
        if aimed not in moves or aimed is None:
            continue
        if service.headless:
            yield Refusal(
                "clients of a headless Service reach the pod's own port", service.path, port.span
            )
            continue
        yield from _strangers(service, selected, app, port)
        known = {names.get(_place(workload), {}).get(aimed) for workload in selected}
        name = known.pop() if len(known) == 1 else None
        if target is not None and context.project.is_value(target):
            name = None  # a chart's value is a number wherever else it is used
        value = value_of(name if name is not None else moves[aimed])
        place = (*port.address, "targetPort")
        yield Moved((SetValue(service.path, place, value, ("port",)),), numeric=name is None)


def aimed_at(port: Cursor) -> int | None:
    """The number that an entry of a Service leads to: an absent targetPort is its port."""
    if (port.get("protocol") or port).text == "UDP":
        return None
    at = port.get("targetPort") or port.get("port")
    return number_of(at) if at is not None and not at.is_opaque else None


def _place(workload: Workload) -> str:
    return f"{workload.path} {workload.where}"


def _headless(
    service: KubernetesService,
    target: Cursor,
    selected: Sequence[Workload],
    moves: Mapping[int, int],
) -> Iterator[Refusal]:
    """A name does not help where clients connect to the address of a pod."""
    for workload in selected:
        for container in workload.containers:
            for use in container.ports:
                if use.name == target.text and use.number in moves:
                    reason = "clients of a headless Service reach the pod's own port"
                    yield Refusal(reason, service.path, target.span)


def _strangers(
    service: KubernetesService, selected: Sequence[Workload], app: Application, port: Cursor
) -> Iterator[Refusal]:
    """Pods of others behind the same number would lose it."""
    own = {_place(workload) for workload in app.workloads}
    for workload in selected:
        if _place(workload) not in own:
            reason = f"{service.where} also selects {workload.where} of {workload.path}"
            yield Refusal(reason, service.path, port.span)


def names_in(workload: Workload, app: Application) -> dict[int, str]:
    """The names of the ports of an application's containers in one workload."""
    return {
        use.number: use.name
        for container in app.pods
        if container in workload.containers
        for use in container.ports
        if use.number is not None and use.name is not None
    }


def place_of(workload: Workload) -> str:
    """The key of `names` in `in_service`."""
    return _place(workload)


# ---------------------------------------------------------------- policies and the rest


def in_other_objects(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Network policies move; what else names the application and the old port refuses."""
    names = {workload.name for workload in app.workloads} | {s.name for s in app.services}
    names |= {text for w in app.workloads for text in w.labels.values() if len(text) > 1}
    raws = [service.cursor.raw for service in app.services]
    spaces = {workload.namespace for workload in app.workloads}
    anywhere = not spaces or "" in spaces
    for item in context.project.others:
        if item.namespace and not anywhere and item.namespace not in spaces:
            continue
        if item.kind == "NetworkPolicy":
            yield from _network_policy(item, app, context, moves)
        elif item.kind in _SERVICE_SIDE:
            if item.kind == "Ingress" and any(_named(s.name, item) for s in app.services):
                yield from in_annotations(item.path, item.cursor.get("metadata"), moves)
        elif (
            item.kind in _POD_SIDE
            or any(_named(name, item) for name in names if name)
            or (item.name and any(item.name in raw for raw in raws))
        ):
            yield from _numbers(item, moves)


def _named(name: str, item: KubernetesObject) -> bool:
    raw = item.cursor.raw
    if name not in raw:
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", raw) is not None


def _numbers(item: KubernetesObject, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Any port with the old number, in an object we don't move: a value, an item or a key."""
    pending = [(item.cursor, False)]
    while pending:
        here, about_ports = pending.pop()
        number = number_of(here)
        if about_ports and number in moves:
            yield Refusal(f"{item.kind}/{item.name} names port {number} too", item.path, here.span)
        for key, value in here.pairs():
            if about_ports and key.isdecimal() and int(key) in moves:
                at = value.key_span or value.span
                yield Refusal(f"{item.kind}/{item.name} names port {key} too", item.path, at)
            inner = "port" in key.lower() or (about_ports and not value.is_mapping)
            pending.append((value, inner))
        pending += [(inner, about_ports) for inner in here.items()]


def _network_policy(
    policy: KubernetesObject, app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Ingress to our pods, and egress of others to them: both name pod ports."""
    aims = _aims(policy.cursor.get("spec", "podSelector"), app, context)
    rules = policy.cursor.get("spec", "ingress")
    if aims is not None:
        for rule in rules.items() if rules is not None else ():
            yield from _rule_ports(policy, rule, aims, moves)
    rules = policy.cursor.get("spec", "egress")
    for rule in rules.items() if rules is not None else ():
        peers = rule.get("to")
        if peers is None or not peers.items():
            yield from _rule_ports(policy, rule, "it holds for all destinations", moves)
            continue
        reasons = [_aims_of_peer(peer, app, context) for peer in peers.items()]
        if any(reason is not None for reason in reasons):
            both = len(reasons) > 1 and not all(reason == "" for reason in reasons)
            doubt = next((reason for reason in reasons if reason), "")
            doubt = doubt or ("it holds for other destinations too" if both else "")
            yield from _rule_ports(policy, rule, doubt, moves)


def _aims_of_peer(peer: Cursor, app: Application, context: Context) -> str | None:
    if peer.get("ipBlock") is not None:
        return None
    if peer.get("podSelector") is None:
        return "it holds for all pods of a namespace"
    return _aims(peer.get("podSelector"), app, context)


def _aims(selector: Cursor | None, app: Application, context: Context) -> str | None:
    """None if our pods are not selected, "" if only ours are, else why they are not alone."""
    labels = selector.get("matchLabels") if selector is not None else None
    wanted = {key: value.text for key, value in labels.pairs()} if labels is not None else {}
    if not any(wanted.items() <= workload.labels.items() for workload in app.workloads):
        return None
    if not wanted:
        return "it holds for all pods"
    own = {_place(workload) for workload in app.workloads}
    for workload in context.project.all_workloads:
        if wanted.items() <= workload.labels.items() and _place(workload) not in own:
            return f"it holds for {workload.where} of {workload.path} too"
    return ""


def _rule_ports(
    policy: KubernetesObject, rule: Cursor, doubt: str, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    listed = rule.get("ports")
    for port in listed.items() if listed is not None else ():
        number, last = port.get("port"), port.get("endPort")
        value = number.as_int() if number is not None else None
        if number is None or value is None or (port.get("protocol") or port).text == "UDP":
            continue
        end = last.as_int() if last is not None else None
        where = f"NetworkPolicy/{policy.name}"
        if end is not None and any(value <= old <= end for old in moves):
            yield Refusal(f"{where} names a range of ports", policy.path, port.span)
        elif value in moves and doubt:
            yield Refusal(f"{where} names the port, and {doubt}", policy.path, number.span)
        elif value in moves:
            operation = SetValue(policy.path, number.address, value_of(moves[value]))
            note = f"{where} admits only the new port: old pods can't be reached until replaced"
            yield Moved((operation,), note=note)
