"""The Helm charts of a repository: what each template renders with its chart's own values."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardhull.documents.chart import ChartTemplate, read_rendered
from hardhull.documents.chart_calls import RenderError
from hardhull.documents.chart_rendering import Library, Rendering, library, render
from hardhull.documents.source import FileKind
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile
from hardhull.model import Skipped
from hardhull.project.chart_values import Layer, as_python, given_layer, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hardhull.documents.chart_text import Path
    from hardhull.documents.document import Document
    from hardhull.documents.source import Source
    from hardhull.documents.yaml import Cursor
    from hardhull.project.chart_users import Given

_RENDERED = (".yaml", ".yml", ".tpl")
_BASE = ("values.yaml", "values.yml")
_OVERLAY = re.compile(r"values[._-].+\.ya?ml|.+[._-]values\.ya?ml")
_KIND = re.compile(r"^[ \t]*kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
_MAKES_OBJECTS = ("kind", "include", "template", "toYaml")
"""Words without one of which a template renders no object."""


@dataclass(frozen=True)
class View:
    """A template as it is rendered with one set of values."""

    path: str
    chart: Chart
    rendering: Rendering
    file: YamlFile

    @property
    def objects(self) -> int:
        """How many objects it holds."""
        return sum(cursor.get("kind") is not None for cursor in self.file.cursors)


@dataclass(frozen=True)
class Untaken:
    """The body of a branch that a chart's own values do not take."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The body as it is written."""
        return self.source.text[self.start : self.end]

    @property
    def kind(self) -> str:
        """The kind of the object it belongs to, as far as the text above says; else nothing."""
        inside = _KIND.search(self.text)
        above = _KIND.findall(self.source.text[: self.start])
        return inside[1] if inside is not None else (above[-1] if above else "")

    def line_of(self, offset: int) -> int:
        """The line of an offset in its text."""
        return self.source.line_of(self.start + offset)


@dataclass(frozen=True)
class Chart:
    """One chart. `layers` are its values, the weakest first; `overlays` may be laid over them."""

    folder: str
    parts: Mapping[str, Document]
    """Every document that what it renders depends on: its own, its parents', its libraries'."""
    about: Mapping[str, Any]
    templates: tuple[str, ...]
    layers: tuple[Layer, ...]
    overlays: tuple[Layer, ...] = ()
    schema: YamlFile | None = None
    nested: tuple[str, ...] = ()
    """Names of the charts below it: its values hold theirs."""
    commands: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values that commands set (`--set`), for this chart or another: the `path:line` of each."""
    known: dict[tuple[str, ...], View | Skipped] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """What Chart.yaml calls it."""
        return str(self.about.get("Name") or posixpath.basename(self.folder))

    @cached_property
    def untaken(self) -> tuple[Untaken, ...]:
        """The bodies of branches that its own values do not take."""
        found: dict[tuple[str, int], Untaken] = {}
        for path in self.templates:
            view = self.rendered(path)
            for piece in view.rendering.pieces if isinstance(view, View) else ():
                if piece.skipped is not None and piece.skipped.start < piece.skipped.end:
                    source = self.parts[piece.file].source
                    start, end = piece.skipped.start, piece.skipped.end
                    found[piece.file, start] = Untaken(source, start, end)
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def library(self) -> Library:
        """All templates that its own may call, its own last."""
        texts = {
            path: (document.source.text, document.template)
            for path, document in self.parts.items()
            if isinstance(document, ChartTemplate)
        }
        return library(texts)

    def rendered(self, path: str, over: tuple[Layer, ...] = ()) -> View | Skipped:
        """Render one template with its values, or with others laid over them; each once."""
        key = (path, *(layer.key for layer in over))
        if key not in self.known:
            plain = not over and not self.library.writes
            values = self.values if plain else merged((*self.layers, *over))
            self.known[key] = self.rendered_with(path, values)
        return self.known[key]

    def shown(self, path: str) -> View | Skipped:
        """One template as rules see it: with its values, or else with the first that make objects.

        What a chart installs only with other values is looked at as these values render it.
        """
        usual = self.rendered(path)
        if isinstance(usual, View) and not usual.objects:
            for layer in self.overlays:
                other = self.rendered(path, (layer,))
                if isinstance(other, View) and other.objects:
                    return other
        return usual

    def rendered_if(self, path: str, asked: Mapping[Path, Any]) -> View | Skipped:
        """Render one template with its values but for these; each once."""
        key = (path, "if", repr(asked))
        if key not in self.known:
            values = merged(self.layers) if self.library.writes else self.values
            for at, value in asked.items():
                values = _with_value(values, at, value)
            self.known[key] = self.rendered_with(path, values)
        return self.known[key]

    @cached_property
    def values(self) -> dict[str, Any]:
        """Its own values; not to be changed."""
        return merged(self.layers)

    def rendered_with(self, path: str, values: dict[str, Any]) -> View | Skipped:
        """Render one template with these values."""
        source = self.parts[path].source
        try:
            rendering = render(self.library, path, self.about, values)
        except RenderError as error:
            document = self.parts.get(error.file)
            line = document.source.line_of(error.offset) if document is not None else 0
            return Skipped(error.file, line, f"chart template: {error.reason}")
        except RecursionError:
            return Skipped(path, 0, "chart template: nested too deep")
        file = read_rendered(source, rendering)
        if isinstance(file, Unreadable):
            return Skipped(path, file.line, f"chart template: renders what is {file.reason}")
        if "$(template." in rendering.text and not any(c.get("kind") for c in file.cursors):
            return Skipped(path, 1, "chart template: calls a template of a chart that is not here")
        return View(path, self, rendering, file)


def _with_value(values: dict[Any, Any], at: Path, value: Any) -> dict[Any, Any]:
    """A copy of these values, as deep as it must be, with one set; a scalar in its way stays."""
    key, *rest = at
    if not rest:
        return {**values, key: value}
    below = values.get(key, {})
    if not isinstance(below, dict):
        return values
    return {**values, key: _with_value(below, tuple(rest), value)}


def values_behind(view: View, cursor: Cursor) -> tuple[Path, ...]:
    """The values that parts of a rendered scalar were made from."""
    start, end = cursor.written.start, cursor.written.end
    starts = view.rendering.starts
    found: list[Path] = []
    for index in range(max(bisect_right(starts, start) - 1, 0), bisect_right(starts, end)):
        piece = view.rendering.pieces[index]
        if piece.path is not None and starts[index] + len(piece.text) >= start:
            found.append(piece.path)
    return tuple(found)


@dataclass(frozen=True)
class Charts:
    """All charts, what their templates render, and what can't be rendered."""

    charts: tuple[Chart, ...] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


def read_charts(
    documents: Mapping[str, Document],
    previous: Charts | None = None,
    commands: Mapping[str, str] | None = None,
    given: Mapping[str, tuple[Given, ...]] | None = None,
) -> Charts:
    """Find the charts and render their templates; what `previous` knows is used again.

    `commands` are the values that commands set, with the place of each; `given` what is laid over
    charts from elsewhere, by the folder of each.
    """
    known = {chart.folder: chart for chart in previous.charts} if previous is not None else {}
    charts: list[Chart] = []
    views: dict[str, View] = {}
    skipped: dict[tuple[str, int], Skipped] = {}
    for found in _Finder(documents, given or {}).charts():
        chart = replace(found, commands=commands or {})
        same = known.get(chart.folder)
        if same is not None and previous is not None and _unchanged(same, chart):
            charts.append(same)
            views |= {p: previous.views[p] for p in same.templates if p in previous.views}
            skipped |= {(s.path, s.line): s for s in previous.skipped if s.path in same.parts}
            continue
        charts.append(chart)
        if same is not None:
            chart.known.update(_still_known(same, chart))
        for path in chart.templates:
            view = chart.shown(path)
            if isinstance(view, Skipped):
                skipped[view.path, view.line] = view
            else:
                views[path] = view
    return Charts(tuple(charts), views, tuple(skipped[key] for key in sorted(skipped)))


def _unchanged(one: Chart, other: Chart) -> bool:
    return one.parts.keys() == other.parts.keys() and all(
        other.parts[path] is document for path, document in one.parts.items()
    )


def _still_known(one: Chart, other: Chart) -> Iterator[tuple[tuple[str, ...], View | Skipped]]:
    """What a chart rendered that its next version renders too: templates that did not change.

    Only if nothing but templates changed, and none of those defines anything for others.
    """
    if one.parts.keys() != other.parts.keys():
        return
    pairs = ((one.parts[path], other.parts[path]) for path in one.parts)
    changed = [pair for pair in pairs if pair[0] is not pair[1]]
    if any(
        not isinstance(d, ChartTemplate) or d.template.defines for pair in changed for d in pair
    ):
        return
    anew = {document.source.path for document, _ in changed}
    for key, view in one.known.items():
        if key[0] not in anew:
            yield key, replace(view, chart=other) if isinstance(view, View) else view


class _Finder:
    """Sorts documents into charts; lives for one call of `read_charts`."""

    def __init__(
        self, documents: Mapping[str, Document], given: Mapping[str, tuple[Given, ...]]
    ) -> None:
        self.documents = documents
        self.given = given
        self.values: dict[str, dict[str, YamlFile]] = {}
        self.templates: dict[str, list[str]] = {}
        for path, document in documents.items():
            if document.source.kind is FileKind.VALUES and isinstance(document, YamlFile):
                folder, name = posixpath.split(path)
                self.values.setdefault(folder, {})[name.lower()] = document
        self.folders = sorted(f for f, names in self.values.items() if "chart.yaml" in names)
        holders = set(self.folders)
        for path, document in documents.items():
            if document.source.kind is FileKind.CHART:
                holder = _holder(path, holders)
                if holder is not None:
                    self.templates.setdefault(holder, []).append(path)
        self.parents = {f: p for f in self.folders if (p := self._parent(f)) is not None}

    def charts(self) -> Iterable[Chart]:
        return [self._chart(folder) for folder in self.folders]

    def _parent(self, folder: str) -> str | None:
        above, _ = posixpath.split(folder)
        holder, name = posixpath.split(above)
        return holder if name == "charts" and holder in self.values else None

    def _about(self, folder: str) -> dict[str, Any]:
        cursor = self.values[folder]["chart.yaml"].cursors
        found = as_python(cursor[0]) if cursor else {}
        pairs = found.items() if isinstance(found, dict) else ()
        about = {f"{key[:1].upper()}{key[1:]}": value for key, value in pairs}
        about.setdefault("AppVersion", "")
        return about

    def _layers(self, folder: str) -> tuple[Layer, ...]:
        """Its own values, and over them what the charts above say of it."""
        own = [Layer(self.values[folder][name]) for name in _BASE if name in self.values[folder]]
        return (*own, *self._from_above(folder, self._layers))

    def _from_above(self, folder: str, layers: Callable[[str], Iterable[Layer]]) -> Iterator[Layer]:
        """What the layers of the chart above say of this one."""
        above = self.parents.get(folder)
        if above is not None:
            name = str(self._about(folder).get("Name") or posixpath.basename(folder))
            for layer in layers(above):
                yield from layer.below(name)

    def _overlays(self, folder: str) -> Iterator[Layer]:
        """What may be laid over its values: files beside them, and what installers name."""
        for name, file in sorted(self.values[folder].items()):
            if _OVERLAY.fullmatch(name):
                yield Layer(file)
        for path, at in self.given.get(folder, ()):
            document = self.documents.get(path)
            layer = given_layer(document, at) if isinstance(document, YamlFile) else None
            if layer is not None:
                yield layer
        yield from self._from_above(folder, self._overlays)

    def _chart(self, folder: str) -> Chart:
        own = self.values[folder]
        layers = self._layers(folder)
        overlays = tuple(self._overlays(folder))
        templates = self.templates.get(folder, [])
        # What a chart above defines counts before what one below does.
        used = sorted(
            [*self._libraries(folder), folder], key=lambda f: (folder.startswith(f), -len(f))
        )
        paths = [path for used_folder in used for path in self.templates.get(used_folder, ())]
        parts = {path: self.documents[path] for path in paths}
        parts |= {layer.path: self.documents[layer.path] for layer in (*layers, *overlays)}
        parts |= {
            file.source.path: file for name, file in own.items() if not _OVERLAY.fullmatch(name)
        }
        return Chart(
            folder,
            parts,
            self._about(folder),
            tuple(path for path in sorted(templates) if self._is_rendered(path)),
            layers,
            overlays,
            own.get("values.schema.json"),
            tuple(posixpath.basename(f) for f, parent in self.parents.items() if parent == folder),
        )

    def _is_rendered(self, path: str) -> bool:
        name = posixpath.basename(path)
        text = self.documents[path].source.text
        return (
            not name.startswith("_")
            and name.endswith(_RENDERED)
            and any(word in text for word in _MAKES_OBJECTS)
        )

    def _libraries(self, folder: str) -> list[str]:
        """The charts whose templates it may call: above it, below it, and those it names."""
        found: list[str] = []
        pending = [folder]
        while pending:
            here = pending.pop()
            near = [f for f, parent in self.parents.items() if parent == here]
            near += [self.parents[here]] if here in self.parents else []
            near += self._named(here)
            fresh = [other for other in near if other not in found and other != folder]
            found += fresh
            pending += fresh
        return found

    def _named(self, folder: str) -> list[str]:
        own = self.values.get(folder, {})
        found = []
        for name in ("chart.yaml", "requirements.yaml"):
            root = own[name].cursors[:1] if name in own else []
            listed = root[0].get("dependencies") if root else None
            for item in listed.items() if listed is not None else ():
                at = item.get("repository")
                if at is not None and (at.text or "").startswith("file://"):
                    near = posixpath.normpath(posixpath.join(folder, (at.text or "")[7:]))
                    found += [near] if near in self.values else []
        return found


def _holder(path: str, folders: set[str]) -> str | None:
    """The folder of the chart whose template this is."""
    chart, templates, _ = f"/{path}".rpartition("/templates/")
    while templates:
        if chart.lstrip("/") in folders:
            return chart.lstrip("/")
        chart, templates, _ = chart.rpartition("/templates/")
    return None
