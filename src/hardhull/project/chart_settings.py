"""A change of one value of a chart: in the values file that holds it, and in those laid over it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.documents.yaml_nodes import Kind
from hardhull.model import (
    AppendItem,
    Items,
    Operation,
    Pairs,
    RemoveNode,
    Scalar,
    SetValue,
    Span,
    Unrenderable,
    YamlOperation,
)
from hardhull.project.chart_schema import forbids
from hardhull.project.chart_values import as_python, defined_in

if TYPE_CHECKING:
    from hardhull.documents.chart_text import Path
    from hardhull.documents.yaml import Cursor
    from hardhull.project.chart_values import Layer
    from hardhull.project.charts import Chart, View


def settings_for(view: View, path: Path, operation: YamlOperation) -> tuple[Operation, ...]:
    """Operations on values files that do to `path` and `operation.at` below it what is wanted.

    Raises Unrenderable with the values file, or the schema, that is in the way.
    """
    chart, whole = view.chart, (*path, *operation.at)
    if not chart.layers:
        raise Unrenderable("the chart has no values file to say it in", view.path)
    if isinstance(operation, RemoveNode):
        return tuple(_removals(chart, whole, operation))
    said = chart.commands.get(".".join(map(str, whole)))
    if said is not None:
        raise Unrenderable(f"{said} sets this value too", view.path)
    if chart.schema is not None:
        against = forbids(chart.schema, whole, operation)
        if against is not None:
            raise against
    layer = _layer_for(chart, whole)
    made = [_placed(operation, layer, whole)]
    if isinstance(operation, SetValue) and isinstance(operation.value, Scalar):
        _check_branches(chart, whole)
    before = next((as_python(cursor) for _, cursor in defined_in(chart.layers, whole)), None)
    for overlay in chart.overlays:
        made += _laid_over(overlay, whole, operation, before)
    return tuple(made)


_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout")


def _check_branches(chart: Chart, path: Path) -> None:
    """A value that exists may be rendered elsewhere too, in a branch that is not taken now."""
    if not any(True for _ in defined_in(chart.layers, path)):
        return
    named = re.compile(rf"\.Values\.{re.escape('.'.join(map(str, path)))}(?![\w.])")
    for body in chart.untaken:
        match = named.search(body.text) if body.kind not in _PODS else None
        if match is not None:
            start = body.start + match.start()
            reason = "a branch that these values do not take renders the same value"
            raise Unrenderable(reason, body.source.path, Span(start, body.start + match.end()))


def _placed(operation: YamlOperation, layer: Layer, path: Path) -> YamlOperation:
    placed = replace(operation, path=layer.path, at=(layer.document, *layer.at, *path))
    return placed if isinstance(placed, RemoveNode) else replace(placed, after=())


def _layer_for(chart: Chart, path: Path) -> Layer:
    """The layer that counts for a value; for a new one the nearest that has what it belongs to."""
    for layer, _ in defined_in(chart.layers, path):
        return layer
    for length in range(len(path) - 1, 0, -1):
        for layer in chart.layers:
            if layer.cursor(path[:length]) is not None:
                return layer
    return chart.layers[0]


def _laid_over(
    overlay: Layer, path: Path, operation: SetValue | AppendItem, before: object
) -> list[YamlOperation]:
    """What another values file, laid over the chart's own, needs so that it says the same."""
    for length in range(1, len(path)):
        above = overlay.cursor(path[:length])
        if above is not None and above.kind is Kind.SCALAR:
            raise _otherwise(overlay, above)
    found = overlay.cursor(path)
    if found is None:
        return []
    if isinstance(operation, AppendItem):
        if found.kind is not Kind.SEQUENCE or overlay.held is not None:
            raise _otherwise(overlay, found)
        return [_placed(operation, overlay, path)]
    said = as_python(found)
    if isinstance(operation.value, (Pairs, Items)):
        raise _otherwise(overlay, found)
    if found.text == operation.value.text:
        return []
    if _same(said, before) and overlay.held is None:
        return [_placed(operation, overlay, path)]
    raise _otherwise(overlay, found)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _otherwise(overlay: Layer, at: Cursor) -> Unrenderable:
    return Unrenderable(
        "these values, laid over the chart's own, say otherwise", overlay.path, overlay.span(at)
    )


def _removals(chart: Chart, path: Path, operation: RemoveNode) -> list[Operation]:
    listed = isinstance(path[-1], int)
    made: list[Operation] = []
    for layer, _ in defined_in(chart.layers, path):
        made.append(_placed(operation, layer, path))
        if listed:
            break  # a list replaces those below it
    for overlay in chart.overlays:
        found = overlay.cursor(path[:-1] if listed else path)
        if found is not None and listed:
            raise _otherwise(overlay, found)
        if found is not None and overlay.held is not None:
            raise _otherwise(overlay, found)
        if found is not None:
            made.append(_placed(operation, overlay, path))
    return made
