"""What tells a program its port from outside its image and manifest: files, ConfigMaps, scripts."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.project.compose import ComposeService
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.ports import PRIVILEGED, decides_port, ports_in
from hardhull.project.starting import start_of, start_of_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context

_TOLD = re.compile(r"(?:\b\w*(?:_URLS|_PORTS|Kestrel__Endpoints__\w+)\s*=|--urls)", re.IGNORECASE)
_SETTING = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>\w+)[ \t]*=(?P<value>[^\r\n]*)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Given:
    """A variable that decides a port, and the `path:line` that gives it.

    `variable` is empty where the place could not be read; `ports` are those it names.
    """

    place: str
    variable: str = ""
    ports: tuple[int, ...] = ()

    @property
    def high(self) -> bool:
        """Whether all its ports are such that need no root."""
        return bool(self.ports) and min(self.ports) >= PRIVILEGED


def given_to(
    stage: AppStage | None, container: Container | None, context: Context
) -> Iterator[Given]:
    """What else decides the port of one way to run a program."""
    match container:
        case KubernetesContainer():
            yield from _config_maps(container, context)
        case ComposeService():
            yield from _env_files(container, context)
    lines = start_of(container, context.project).lines if container is not None else ()
    if container is None and stage is not None:
        lines = tuple(start_of_stage(stage, context.project)[0])
    for line in lines:
        # Dockerfiles and manifests are read with care elsewhere; here it is about scripts.
        if line.path not in context.documents and _TOLD.search(line.text):
            yield Given(line.place, "its start script", _ports_of("URLS", line.text))


def _ports_of(variable: str, value: str) -> tuple[int, ...]:
    return tuple(port for _, port in ports_in(variable, value))


def _config_maps(container: KubernetesContainer, context: Context) -> Iterator[Given]:
    for source in container.environment_sources:
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            named = source.get(key, "name")
            if named is None:
                continue
            index = context.project.index
            objects = index.objects(kind, named.text) if named.text is not None else ()
            kustomize, name = context.project.kustomize, named.text or ""
            made = list(kustomize.generators_of(container.path, kind, name))
            if not objects and not made:
                yield Given(f"{named.path}:{named.line}")
            prefix = source.get("prefix")
            before = (prefix.text if prefix is not None else None) or ""
            for generator in made:
                yield from _generated(generator, before)
            for item in objects:
                for block in ("data", "stringData"):
                    yield from _variables(item.cursor.get(block), before)


def _variables(block: Cursor | None, before: str) -> Iterator[Given]:
    for name, value in block.pairs() if block is not None else ():
        if decides_port(before + name):
            ports = _ports_of(before + name, value.text or "")
            yield Given(f"{value.path}:{value.line}", before + name, ports)


def _generated(item: Cursor, before: str) -> Iterator[Given]:
    """What a kustomization makes a ConfigMap or Secret from."""
    for key in ("envs", "env"):
        if (listed := item.get(key)) is not None:
            yield Given(f"{listed.path}:{listed.line}")
    literals = item.get("literals")
    for literal in literals.items() if literals is not None else ():
        name, equals, value = (literal.text or "").partition("=")
        if equals and decides_port(before + name):
            ports = _ports_of(before + name, value.strip("\"'"))
            yield Given(f"{literal.path}:{literal.line}", before + name, ports)


def _env_files(service: ComposeService, context: Context) -> Iterator[Given]:
    texts = context.project.workspace.texts
    for path, layer in service.layers:
        listed = layer.get("env_file")
        for item in (listed.items() or [listed]) if listed is not None else ():
            named = item.get("path") or item
            joined = posixpath.join(posixpath.dirname(path), named.text or "")
            source = texts.source(posixpath.normpath(joined)) if named.text else None
            if source is None:
                yield Given(f"{path}:{named.line}")
                continue
            for match in _SETTING.finditer(source.text):
                if decides_port(match["name"]):
                    line = source.line_of(match.start("name"))
                    ports = _ports_of(match["name"], match["value"])
                    yield Given(f"{source.path}:{line}", match["name"], ports)
