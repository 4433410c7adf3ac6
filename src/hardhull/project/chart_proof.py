"""Whether charts render after a change what they rendered before, but for what was wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.documents import yaml_edits
from hardhull.model import Skipped, Unrenderable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.yaml import YamlFile
    from hardhull.model import Operation, YamlOperation
    from hardhull.project.chart_values import Layer
    from hardhull.project.charts import Chart, Charts


def differs(before: Charts, after: Charts, wanted: Mapping[str, Sequence[Operation]]) -> str | None:
    """Where what is rendered differs in more than the operations on it, given by template.

    Compared are the objects of every template, with the chart's own values and with each other
    values file of it laid over them. None if all is as wanted.
    """
    old = {chart.folder: chart for chart in before.charts}
    for chart in after.charts:
        known = old.get(chart.folder)
        if known is None or known is chart:
            continue
        for over in ((), *((layer,) for layer in chart.overlays)):
            reason = _chart(known, chart, over, wanted)
            if reason is not None:
                return reason
    return None


def _chart(
    before: Chart,
    after: Chart,
    over: tuple[Layer, ...],
    wanted: Mapping[str, Sequence[Operation]],
) -> str | None:
    names = {layer.path for layer in over}
    older = tuple(layer for layer in before.overlays if layer.path in names)
    told = f", with {over[0].path}" if over else ""
    for path in before.templates:
        one, other = before.rendered(path, older), after.rendered(path, over)
        if isinstance(one, Skipped):
            continue
        if isinstance(other, Skipped):
            return f"{path} would not be rendered any more{told} (line {other.line})"
        operations = list(wanted.get(path, ()))
        if over and operations:
            operations = list(_readdressed(before, path, one.file, operations))
        try:
            expected = yaml_edits.expected(one.file, operations)  # type: ignore[arg-type]  # rendered YAML
        except (Unrenderable, IndexError, TypeError, ValueError):
            return f"{path} would not change as wanted{told}"
        found = yaml_edits.structure(other.file)
        if [_plain(tree) for tree in expected] != [_plain(tree) for tree in found]:
            return f"{path} would render otherwise in more than the intended places{told}"
    return None


def _plain(tree: Any) -> Any:
    """A tree without what makes no difference: spelling, anchors, the order of keys."""
    if tree is None:
        return None
    match tree[0]:
        case "scalar":
            null = tree[1] == "null"
            return ("scalar", tree[1], None if null else tree[3])
        case "map":
            pairs = [(_plain(key), _plain(value)) for key, value in tree[2]]
            return ("map", sorted(pairs, key=repr))
        case "seq":
            return ("seq", [_plain(item) for item in tree[2]])
    return tree


def _readdressed(
    chart: Chart, path: str, file: YamlFile, operations: Sequence[Operation]
) -> Iterator[YamlOperation]:
    """The same operations on the same objects, where other values render them elsewhere."""
    from dataclasses import replace  # noqa: PLC0415  for this alone

    plain = chart.rendered(path)
    if isinstance(plain, Skipped):
        return
    names = {_identity(file, index): index for index in range(len(file.documents))}
    for operation in operations:
        at = operation.at  # type: ignore[union-attr]  # rendered YAML
        index = names.get(_identity(plain.file, int(at[0])))
        if index is not None:
            yield replace(operation, at=(index, *at[1:]))  # type: ignore[arg-type,misc]  # as above


def _identity(file: YamlFile, index: int) -> tuple[str | None, ...]:
    cursor = file.cursor(index)
    if cursor is None:
        return (str(index),)
    found = (cursor.get("kind"), cursor.get("metadata", "name"))
    return tuple(one.node.value if one is not None else None for one in found)
