"""The places of a port in Compose files: the service itself, its neighbours and its callers."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal, SetValue, value_of
from hardhull.project.compose import settings_of, with_port, with_variable
from hardhull.project.ports import decides_port, moved, moved_arguments
from hardhull.project.published_ports import ports_of
from hardhull.rules.ports.in_pods import in_command
from hardhull.rules.ports.moving import Moved, called, local_urls, names_number, number_of, scalars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Address
    from hardhull.project.compose import ComposeService
    from hardhull.project.container import Setting
    from hardhull.project.context import Context

_RANGE = re.compile(r"(?P<first>\d+)-(?P<last>\d+)(?:/\w+)?$")
_LABELLED = re.compile(r"(?P<name>.*?(?:server\.port|traefik\.port))=(?P<port>\d+)$")
_OWN_PORTS = ("VIRTUAL_PORT",)
"""Variables by which a reverse proxy beside it learns the container's port."""
_APP_PORT = re.compile(r"--?app-port(?:=(?P<port>\d+))?$")


def in_compose(
    service: ComposeService, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Container sides of ports, variables, health checks, labels and arguments of a service."""
    mode = service.network_mode
    if mode is not None and (mode.text or "").startswith(("host", "service:", "container:")):
        yield Refusal("it shares its network with something else", mode.path, mode.span)
    for found in _own(service, moves):
        yield found if isinstance(found, Refusal) else _only_here(found, service, context)
    yield from _behind_proxy(service, context)
    for other in context.project.index.services_near(service):
        mode = other.network_mode
        if mode is not None and mode.text == f"service:{service.name}":
            yield from _sharing(other, service, moves)


def _behind_proxy(service: ComposeService, context: Context) -> Iterator[Refusal]:
    """The proxy that VIRTUAL_HOST is for takes the only exposed port, or 80 if there are more."""
    setting = service.environment.get("VIRTUAL_HOST")
    if setting is None or "VIRTUAL_PORT" in service.environment:
        return
    exposed = {str(use.number) for use in service.ports}
    for stage in context.project.stages_of(service):
        words = [w for i in stage.instructions if i.keyword == "EXPOSE" for w in i.words]
        exposed |= {word.text.partition("/")[0] for word in words}
    image = context.project.image_of(service)
    exposed |= {str(port) for one in image.ports for port in ports_of(one)} if image else set()
    if len(exposed) != 1:
        reason = "the proxy that VIRTUAL_HOST is for takes port 80 where several are exposed"
        yield Refusal(reason, setting.cursor.path, setting.cursor.span)


def _own(service: ComposeService, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    yield from _ports(service, moves)
    for settings in service.environments:
        for name, setting in settings.items():
            yield from _variable(name, setting, moves)
    for path, layer in service.layers:
        yield from in_command(layer.get("healthcheck", "test"), path, moves)
        yield from _labels(path, layer.get("labels"), moves)
        for key in ("command", "entrypoint"):
            yield from _arguments(path, layer.get(key), moves)


def _only_here(found: Moved, service: ComposeService, context: Context) -> Moved | Refusal:
    """What a service takes from another one by `extends` is that one's too."""
    for operation in found.operations:
        at: Address = getattr(operation, "at", ())[:3]
        base = str(at[2]) if len(at) > 2 else service.name  # noqa: PLR2004  services, its name
        if base == service.name:
            continue
        for other in context.project.compose:
            template = other.name == base and other.image is None and other.build is None
            takes = any(
                path == operation.path and layer.address == at for path, layer in other.layers
            )
            if takes and other.name != service.name and not template:
                layer = next(one for _, one in service.layers if one.address == at)
                reason = f"it takes the port from {base}, which {other.name} has too"
                return Refusal(reason, operation.path, layer.key_span or layer.span)
    return found


def _ports(service: ComposeService, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    for use in service.ports:
        path = use.cursor.path
        if use.number in moves.values() and use.protocol.lower() == "tcp":
            yield Refusal(f"port {use.number} is in use in the service", path, use.cursor.span)
        if use.number is not None and use.number in moves and use.protocol.lower() == "tcp":
            yield Moved((with_port(use, moves[use.number]),))
        elif use.number is None:
            yield from _unclear(use.cursor, moves)


def _unclear(cursor: Cursor, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """A range of ports, or a placeholder."""
    match = _RANGE.search(cursor.node.value or "")
    if match is None:
        yield Refusal("a container port is a placeholder", cursor.path, cursor.span)
    elif any(
        int(match["first"]) <= port <= int(match["last"]) for pair in moves.items() for port in pair
    ):
        yield Refusal("a range of ports holds the old or the new one", cursor.path, cursor.span)


def _variable(name: str, setting: Setting, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    value, at = setting.value, setting.cursor
    if value is None:
        return
    if decides_port(name):
        new = moved(name, value, moves)
    elif name in _OWN_PORTS and value.isdecimal():
        new = str(moves.get(int(value), value))
    else:
        new = value
        if local_urls(value, moves) != value:
            reason = f"{name} may call the program itself on the old port"
            yield Refusal(reason, at.path, at.span)
    if new != value:
        yield Moved((with_variable(setting, name, new),))


def _labels(path: str, block: Cursor | None, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    """Traefik's `loadbalancer.server.port`, written as `name=80` or as a key."""
    for cursor in scalars(block):
        text = cursor.text or ""
        key = str(cursor.address[-1])
        match = _LABELLED.match(text)
        if match is not None and int(match["port"]) in moves:
            new = f"{match['name']}={moves[int(match['port'])]}"
            yield Moved((SetValue(path, cursor.address, value_of(new)),))
        elif key.endswith(("server.port", "traefik.port")) and number_of(cursor) in moves:
            new = str(moves[int(text)])
            number = cursor.as_int() is not None
            yield Moved((SetValue(path, cursor.address, value_of(int(new) if number else new)),))
        elif names_number(text.partition("=")[2] or text, moves):
            yield Refusal("a label names the port", path, cursor.span)


def _arguments(
    path: str, block: Cursor | None, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """`--urls` of a start command, in one text or in words."""
    words = (block.items() or [block]) if block is not None else []
    previous = ""
    for word in words:
        text = word.text or ""
        new = moved_arguments(text, moves) if "--urls" in (text + previous) else text
        if new != text:
            yield Moved((SetValue(path, word.address, value_of(new)),))
        elif local_urls(text, moves) != text:
            yield Refusal("its start command names the old port", path, word.span)
        previous = text if text == "--urls" else ""


def _near(one: ComposeService, other: ComposeService) -> bool:
    return posixpath.dirname(one.path) == posixpath.dirname(other.path)


def _sharing(
    other: ComposeService, service: ComposeService, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """A service in the same network, such as Dapr's sidecar: its `-app-port` moves."""
    for path, layer in other.layers:
        previous = ""
        for cursor in _in_order(layer):
            text = cursor.text or ""
            match = _APP_PORT.match(text)
            if match is not None and match["port"] and int(match["port"]) in moves:
                new = text.replace(match["port"], str(moves[int(match["port"])]))
                yield Moved((SetValue(path, cursor.address, value_of(new)),))
            elif _APP_PORT.match(previous) and number_of(cursor) in moves:
                new = str(moves[number_of(cursor) or 0])
                value = value_of(int(new) if cursor.as_int() is not None else new)
                yield Moved((SetValue(path, cursor.address, value),))
            elif names_number(text, (*moves, *moves.values())) or local_urls(text, moves) != text:
                reason = f"{other.name} shares the network of {service.name} and names a port"
                yield Refusal(reason, path, cursor.span)
            previous = text


def _in_order(layer: Cursor) -> Iterator[Cursor]:
    return iter(sorted(scalars(layer), key=lambda cursor: cursor.span.start))


# ---------------------------------------------------------------- callers


def hosts_of(service: ComposeService) -> set[str]:
    """The names by which other services reach this one."""
    hosts = {service.name}
    for key in ("container_name", "hostname"):
        found = service.option(key)
        if found is not None and found.text:
            hosts.add(found.text)
    networks = service.option("networks")
    for _, network in networks.pairs() if networks is not None else ():
        aliases = network.get("aliases")
        hosts |= {
            item.text for item in (aliases.items() if aliases is not None else ()) if item.text
        }
    return hosts


def in_callers(
    service: ComposeService, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """URLs of services to this one: Compose does not translate ports between services."""
    hosts = hosts_of(service)
    index = context.project.index
    for other in context.project.compose:
        linked = hosts | _links(other, service.name)
        if other.raw is not None and not any(host in other.raw for host in linked):
            continue
        if _near(other, service):
            for _, layer in other.layers:
                yield from _calls(layer, linked, moves)
            continue
        if any(service.name == one.name for one in index.services_near(other)):
            continue  # another project that has a service of this name itself
        for path, layer in other.layers:
            for cursor in scalars(layer):
                text = cursor.text or cursor.raw
                if called(text, hosts, moves) != text:
                    reason = f"{other.name}, of another folder, may call it on the old port"
                    yield Refusal(reason, path, cursor.span)


def _links(other: ComposeService, name: str) -> set[str]:
    """Other names that `links: [name:alias]` gives it."""
    return {text.partition(":")[2] for text in other.links if text.startswith(f"{name}:")}


def _calls(layer: Cursor, hosts: set[str], moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    path, raw = layer.path, layer.raw
    elsewhere = "*" in raw or "<<" in raw  # aliases and merge keys: what counts stands elsewhere
    if not elsewhere and not any(host in raw for host in hosts):
        return
    for name, setting in settings_of(layer.get("environment")).items():
        value, written = setting.value, setting.cursor.raw
        new = called(value or "", hosts, moves)
        if value is not None and new != value:
            yield Moved((with_variable(setting, name, new),))
        elif value is None and called(written, hosts, moves) != written:
            yield Refusal("a placeholder stands in a URL to it", path, setting.cursor.span)
    for key in ("command", "entrypoint", "healthcheck", "labels"):
        for cursor in scalars(layer.get(key)):
            text = cursor.text or ""
            new = called(text, hosts, moves)
            if new != text:
                yield Moved((SetValue(path, cursor.address, value_of(new)),))
    for cursor in scalars(layer.get("build", "args")):
        text = cursor.text or ""
        if called(text, hosts, moves) != text:
            yield Refusal("a build argument calls it on the old port", path, cursor.span)
