"""The places of a port in texts that are never edited: scripts, proxies, patches, branches."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Refusal
from hardhull.project.sighting import without_comments
from hardhull.rules.ports.in_compose import hosts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.project.application import Application
    from hardhull.project.context import Context

_TELLING = 3
"""Names shorter than this are found everywhere."""
_LONGEST = 80


def in_texts(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Everything that is only read."""
    yield from _charts(app, context)
    yield from _branches(app, context, moves)
    yield from _callers(app, context, moves)
    yield from _scripts(app, context, moves)
    yield from _platforms(app, context, moves)
    yield from _kustomizations(app, context, moves)
    yield from _unread(app, context, moves)


def _olds(moves: Mapping[int, int]) -> str:
    return "|".join(str(old) for old in moves)


def _callers(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Proxies' settings, appsettings and scripts that call a Compose service by its name."""
    hosts = {host for service in app.compose for host in hosts_of(service)}
    if not hosts:
        return
    texts = context.project.workspace.texts
    # Calls inside a cluster go through a Service; see `_charts`.
    folders = _chart_folders(context)
    naming = [s for s in texts.holding(hosts, code=True) if not s.path.startswith(folders)]
    if not naming:
        return
    names = "|".join(re.escape(host) for host in sorted(hosts))
    olds = _olds(moves)
    schemes = "|".join({80: "http", 443: "https"}[old] for old in moves if old in (80, 443))
    pattern = re.compile(
        rf"(?:{schemes or 'http'})://(?:{names})(?=[/\"'\s;,?]|$)"
        rf"|(?:(?<![\w./-])|://)(?:{names}):(?:{olds})(?!\d)"
        rf"|\"Host\"\s*:\s*\"(?:{names})\"|\bserver\s+(?:{names})\s*(?:;|\s\w)"
        rf"|\b(?:reverse_proxy|php_fastcgi)\s[^\n{{]*?\b(?:{names})(?=\s|$)"
        rf"|\baddress:\s*[\"']?(?:{names})[\"']?\s*(?:[,}}]|$)",
        re.MULTILINE,
    )
    for source in naming:
        for match in pattern.finditer(source.text):
            line = source.line_of(match.start())
            told = source.line_text(line).strip()[:_LONGEST]
            yield Refusal(f"{source.path}:{line} calls it on the old port: {told}")


def _images(app: Application, context: Context) -> set[str]:
    """Last parts of the names its image goes by."""
    names = {
        container.image.text
        for container in app.containers
        if container.image is not None and container.image.text
    }
    built = context.project.workspace.builds.by_dockerfile
    own = {stage.path for stage in app.stages}
    names |= {image.name for path in own for image in built.get(path, ()) if image.name}
    found = {parse_reference(name) for name in names}
    return {one.repository.rpartition("/")[2] for one in found if one is not None}


def _scripts(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Commands that publish the old port of the image, forward to it, or tell it the port."""
    images = _images(app, context)
    names = images | {workload.name for workload in app.workloads if workload.name}
    if not names:
        return
    olds = _olds(moves)
    uses = (
        (rf"(?:-p|--publish)[ =]\S*?\d+:(?:{olds})(?:/tcp)?(?![\w:.])", "publishes the old port"),
        (
            rf"port-forward\b(?![^\n]*\b(?:svc|services?)/)[^\n]*?[ :](?:{olds})(?![\w:.])",
            "forwards to the old port",
        ),
        (rf"--target-port[= ](?:{olds})(?!\d)", "names the old port"),
        (rf"(?:_URLS|_PORTS)=[^\n]*?(?<!\d)(?:{olds})(?!\d)", "tells it to listen on the old port"),
    )
    found = context.project.workspace.texts.commands(uses, _USED)
    if not found:
        return
    named = "|".join(re.escape(name) for name in sorted(names))
    word = re.compile(rf"(?<![\w-])(?:{named})(?![\w-])")
    for source, command, use, what in found:
        if word.search(command):
            line = source.line_of(max(source.text.find(use.split()[-1]), 0))
            yield Refusal(f"{source.path}:{line} {what}: {command[:_LONGEST]}")


_USED = ("-p", "port-forward", "--target-port", "_URLS=", "_PORTS=")
"""One of these stands in every command that `_scripts` looks for."""


_PLATFORM_PORTS = (
    r"\bWEBSITES_PORT\b\W{1,12}(?:value\W{1,8})?(?:%s)\b",
    r"\b(?:container|target|internal|http|host)_?[pP]ort[\"']?\s*[:=]\s*[\"']?(?:%s)\b",
    r"\bWith(?:PortBinding|ExposedPort)\s*\((?:[^()\n]*,)?\s*(?:%s)\b",
    r"\btargetPort\s*:\s*(?:%s)\b",
    r"<ContainerPort\b[^>]*\bInclude=\"(?:%s)\"",
    r"\bgcloud run deploy\b[^\n]*--port[= ](?:%s)\b",
)
"""How platforms are told the container's port; `%%s` stands for the numbers."""


def _platforms(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Infrastructure as code, tests and project files that name the container's port."""
    pattern = re.compile("|".join(part % _olds(moves) for part in _PLATFORM_PORTS))
    texts = context.project.workspace.texts
    names = {name.lower() for name in _images(app, context) | {app.name} if len(name) >= _TELLING}
    alone = len(context.project.applications) == 1
    found = texts.first_matches(pattern, ("Port", "PORT", "_port", "gcloud"))
    folders = _chart_folders(context)
    for source, first in found:
        path, text, match = source.path, source.text, first
        inside = app.project is not None and path == app.project.path
        if app.image is not None and path in {one.path for one in app.image.ports}:
            continue  # it moves with the rest
        of_project = path.lower().endswith(("proj", ".props", ".targets"))
        if path.startswith(folders) or (of_project and not inside):
            continue
        if of_project:
            text = without_comments(text, "xml")
            again = pattern.search(text)
            if again is None:
                continue
            match = again
        if text[: match.start()].rpartition("\n")[2].lstrip().startswith("#"):
            continue
        if inside or alone or any(name in text.lower() for name in names):
            line = source.line_of(match.start())
            told = source.line_text(line).strip()[:_LONGEST]
            yield Refusal(f"{path}:{line} names the container's port: {told}")


_PATCHED = (
    r"(?:op|path)\b[^\n]*\n?[^\n]*?/(?:containerPort|targetPort|port)[\"']?\s*[,\n]"
    r"[^\n]*?value[\"']?\s*:\s*[\"']?(?:%s)(?!\d)"
)
_NUMBERED = r"(?:[pP]ort)[\"']?\s*:\s*[\"']?(?:%s)(?!\d)"
_LITERAL = r"(?:_URLS|_PORTS)\b[^\n]*?(?<!\d)(?:%s)(?!\d)"


def _kustomizations(
    app: Application, context: Context, moves: Mapping[int, int]
) -> Iterator[Refusal]:
    """Generators of kustomizations, and JSON patches that no kustomization here names."""
    texts = context.project.workspace.texts
    mine = {workload.name for workload in app.workloads} | {one.name for one in app.services}
    names = "|".join(re.escape(name) for name in sorted(mine) if name)
    if not names:
        return
    parts = [part % _olds(moves) for part in (_PATCHED, _NUMBERED, _LITERAL)]
    pattern = re.compile("|".join(parts))
    ends = (".yaml", ".yml", ".json", "kustomization")
    found = texts.first_matches(pattern, ("ort", "value", "_URLS", "_PORTS"), ends)
    if not found:
        return
    word = re.compile(rf"(?<![\w-])(?:{names})(?![\w-])")
    known = context.project.kustomize
    generated = re.compile(parts[-1])
    read = {
        patch.path
        for patch in known.patches
        if patch.inline is None and known.builds(patch.holder, context.project.manifests)
    }
    for source, first in found:
        path, match = source.path, first
        own = posixpath.basename(path).lower().startswith("kustomization")
        if not (own or re.search(r"\bop[\"']?\s*:", source.text)) or path in read:
            continue
        if known.builds(path, context.project.manifests):
            literal = generated.search(source.text)
            if literal is None:
                continue
            line, match = source.line_of(literal.start()), literal
            yield Refusal(f"{path}:{line} makes a ConfigMap or Secret of the old port", path)
            continue
        holders = [source.text] if own else _users_of(path, context)
        if any(word.search(text) for text in holders or [source.text]):
            line = source.line_of(match.end() - 1)
            yield Refusal(f"{path}:{line} patches in the old port", path)


def _users_of(path: str, context: Context) -> list[str]:
    """The kustomizations that name a patch file."""
    name = posixpath.basename(path)
    texts = (source.text for source in context.project.workspace.texts.kustomizations)
    return [text for text in texts if name in text]


def _chart_folders(context: Context) -> tuple[str, ...]:
    """What paths of charts begin with, those that are read and those that are not."""
    read = (f"{chart.folder}/" for chart in context.project.charts.charts if chart.folder)
    return (*context.project.workspace.texts.charts, *read)


def _charts(app: Application, context: Context) -> Iterator[Refusal]:
    """A chart that may not be edited is not read: if it names the application, it may deploy it."""
    texts = context.project.workspace.texts
    names = {name for name in _names(app) if len(name) >= _TELLING}
    naming = [source for source, bare in texts.of_charts if any(name in bare for name in names)]
    if not naming:
        return
    pattern = re.compile(
        "|".join(
            rf"(?<![a-z0-9]){'[-_.]?'.join(map(re.escape, name))}(?![a-z0-9])"
            for name in sorted(names)
        ),
        re.IGNORECASE,
    )
    for source in naming:
        match = pattern.search(source.text)
        if match is not None:
            place = f"{source.path}:{source.line_of(match.start())}"
            yield Refusal(f"{place}: a chart that is left out may deploy it", source.path)


_SERVICE_SIDE = ("Ingress", "HTTPRoute", "VirtualService", "Gateway")


def _branches(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Branches of its charts that are not taken now, and would name the old port when they are."""
    olds = _olds(moves)
    number = re.compile(rf"(?:[pP]ort|PORTS?|URLS?)\b[^\n]*?(?<![\w.])(?:{olds})(?![\w.])")
    target = re.compile(rf"targetPort[\"']?\s*:\s*[\"']?(?:{olds})(?![\w.])")
    views = context.project.charts.views
    charts = {views[w.path].chart.folder: views[w.path].chart for w in app.workloads
              if w.path in views}  # fmt: skip
    for chart in charts.values():
        for body in chart.untaken:
            if body.kind in _SERVICE_SIDE:
                continue
            match = (target if body.kind == "Service" else number).search(body.text)
            if match is not None:
                line = body.line_of(match.start())
                reason = "a branch that the chart's values do not take names the port"
                yield Refusal(f"{body.source.path}:{line}: {reason}", body.source.path)


def _names(app: Application) -> set[str]:
    """Names that images and services of the application go by, letters and digits only."""
    found = {app.name} | {container.name for container in app.compose}
    for container in app.containers:
        text = container.image.node.value if container.image is not None else None
        if text:
            found.add(text.partition("@")[0].rpartition("/")[2].partition(":")[0])
    return {re.sub(r"[^a-z0-9]", "", name.lower()) for name in found}


def _unread(app: Application, context: Context, moves: Mapping[int, int]) -> Iterator[Refusal]:
    """Files that could not be read count if their raw text names the application and the port."""
    names = {c.name for c in app.containers} | {w.name for w in app.workloads} - {""}
    names |= {service.name for service in app.services}
    olds = re.compile(rf"(?<!\d)(?:{_olds(moves)})(?!\d)")
    unread = dict(context.project.workspace.unread)
    for skipped in context.project.charts.skipped:
        if skipped.path in context.documents:
            unread[skipped.path] = context.documents[skipped.path].source.text
    for path, text in sorted(unread.items()):
        named = [name for name in names if len(name) > 1 and name in text]
        if named and olds.search(text):
            yield Refusal(f"{path} can't be read and names {min(named)}", path)
