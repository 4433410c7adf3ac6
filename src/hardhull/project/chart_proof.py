"""Whether charts render after a change what they rendered before, but for what was wanted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull.documents.chart import ChartTemplate
from hardhull.documents.chart_functions import empty
from hardhull.documents.yaml_structure import expected, same, structure
from hardhull.model import AppendItem, RemoveNode, SetValue, Skipped, Unrenderable
from hardhull.project.charts import View, values_behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hardhull.documents.chart_text import Path
    from hardhull.documents.yaml import YamlFile
    from hardhull.model import Address, Operation, YamlOperation
    from hardhull.project.chart_values import Layer
    from hardhull.project.charts import Chart, Charts

    Flips = dict[Path, Any]

_NAMED = re.compile(r"\.Values\.([\w.]+\w)")

MOST_FLIPS = 500
"""How many values are asked for in a template; `chart_limits` tells of one that has more."""


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
        reason = _branches(known, chart, wanted)
        if reason is not None:
            return reason
    for chart in after.charts:
        known = old.get(chart.folder)
        if known is not None and known is not chart:
            # What it rendered hangs together in circles: memory for all of a run's charts.
            known.known.clear()
    return None


def _chart(
    before: Chart,
    after: Chart,
    over: tuple[Layer, ...],
    wanted: Mapping[str, Sequence[Operation]],
) -> str | None:
    names = {layer.key for layer in over}
    older = tuple(layer for layer in before.overlays if layer.key in names)
    told = f", with {over[0].path}" if over else ""
    for path in before.templates:
        one, other = before.rendered(path, older), after.rendered(path, over)
        if isinstance(one, View):
            reason = _view(before, one, other, wanted.get(path, ()), told)
            if reason is not None:
                return reason
    return None


def _view(
    chart: Chart, one: View, other: View | Skipped, wanted: Sequence[Operation], told: str
) -> str | None:
    if isinstance(other, Skipped):
        return f"{one.path} would not be rendered any more{told}"
    if not wanted and one.file.text == other.file.text:
        return None
    operations = list(_readdressed(chart, one, wanted)) if wanted else []
    try:
        wished = expected(one.file, operations)
    except (Unrenderable, AttributeError, LookupError, TypeError, ValueError):
        return f"{one.path} would not change as wanted{told}"
    if same(structure(other.file), wished):
        return None
    found = [_plain(tree) for tree in structure(other.file)]
    place = _difference([_plain(tree) for tree in wished], found)
    if place is None:
        return None
    old = _found([_plain(tree) for tree in structure(one.file)], place)
    verb = (
        "would stay as it is"
        if _found(found, place) == old
        else f"would change too{_shared(one, place)}"
    )
    return f"what {one.path} renders as {_shown(one.file, place)} {verb}{told}"


def _shared(view: View, place: tuple[Any, ...]) -> str:
    """Which value a place is rendered from, if it is one: what else it makes can't change alone."""
    index, *keys = place or (0,)
    root = view.file.cursor(index) if index < len(view.file.documents) else None
    found = root.get(*keys) if root is not None and keys else None
    behind = set(values_behind(view, found)) if found is not None and found.text else set()
    return f", as it has the same value {'.'.join(map(str, *behind))}" if len(behind) == 1 else ""


# ---------------------------------------------------------------- branches that are not taken


def _branches(before: Chart, after: Chart, wanted: Mapping[str, Sequence[Operation]]) -> str | None:
    """Templates whose text changed, with each branch taken that these values do not take.

    A line that stands well as long as a branch beside it is not taken may not do so when it is.
    """
    changed = {
        path
        for path, part in before.parts.items()
        if isinstance(part, ChartTemplate) and after.parts.get(path) is not part
    }
    for path in before.templates if changed else ():
        view = before.rendered(path)
        if not isinstance(view, View) or all(p.file not in changed for p in view.rendering.pieces):
            continue
        # What the change itself sets is seen without this.
        found = [
            (asked, probe)
            for asked, probe in flips(before, view)
            if _at(before.values, asked) == _at(after.values, asked)
        ]
        for group in _together(found):
            reason = _flipped(before, after, path, group, wanted.get(path, ()))
            if reason is not None:
                return reason
    return None


def _flipped(
    before: Chart, after: Chart, path: str, asked: Flips, wanted: Sequence[Operation]
) -> str | None:
    """What differs with all these values set; each half by itself where all at once can't be."""
    one = before.rendered_if(path, asked)
    reason: str | None = None
    if isinstance(one, View):
        named = " and ".join(".".join(map(str, ("Values", *key))) for key in asked)
        other = after.rendered_if(path, asked)
        reason = _view(before, one, other, wanted, f", if {named} were set")
        if reason is None:
            return None
    listed = list(asked.items())
    middle = len(listed) // 2
    for half in (listed[:middle], listed[middle:]) if middle else ():
        told = _flipped(before, after, path, dict(half), wanted)
        if told is not None:
            return told
    return reason


def _together(found: Iterable[tuple[Path, Any]]) -> list[Flips]:
    """Sort what can be set at once into few groups; what is unset stands alone.

    What a branch does to the line before it shows, unless another branch of its group that is
    taken comes between the two.
    """
    groups: list[Flips] = []
    alone: list[Flips] = []
    for asked, probe in found:
        if probe is None:
            alone.append({asked: probe})
            continue
        for group in groups:
            if not any(_meet(asked, other) for other in group):
                group[asked] = probe
                break
        else:
            groups.append({asked: probe})
    return groups + alone


def _meet(one: Path, other: Path) -> bool:
    """Whether a value is the other, or within it."""
    return all(a == b for a, b in zip(one, other, strict=False))


def flips(chart: Chart, view: View, most: int = MOST_FLIPS) -> Iterator[tuple[Path, Any]]:
    """Values that make a template take its other branches, one at a time: a path, what to set."""
    seen: set[Path] = set()
    values = chart.values
    for piece in view.rendering.pieces:
        if piece.skipped is None or len(seen) >= most:
            continue
        source = chart.parts[piece.file].source.text
        action = source[piece.start : piece.end]
        body = source[piece.skipped.start : piece.skipped.end]
        named: list[Path] = [tuple(m.split(".")) for m in _NAMED.findall(action)]
        for asked in (*((piece.path,) if piece.path else ()), *named):
            if asked in seen:
                continue
            seen.add(asked)
            if not empty(_at(values, asked)):
                yield asked, None
            elif "toYaml" in body or "range" in action:
                yield from ((asked, probe) for probe in ({"probe": "x"}, [{"name": "probe"}]))
            else:
                yield asked, True


def _at(values: dict[str, Any], path: Path) -> Any:
    found: Any = values
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _difference(one: Any, other: Any) -> tuple[Any, ...] | None:
    """Where two plain trees differ first; None if they don't."""
    if one == other:
        return None
    lists = isinstance(one, list) and isinstance(other, list)
    for index in range(max(len(one), len(other))) if lists else ():
        if index >= min(len(one), len(other)):
            return (index,)
        inner = _difference(one[index], other[index])
        if inner is not None:
            return (index, *inner)
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *(key for key in other if key not in one)):
            if key not in one or key not in other:
                return (key,)
            inner = _difference(one[key], other[key])
            if inner is not None:
                return (key, *inner)
    return ()


def _found(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        if isinstance(tree, list):
            tree = tree[key] if key < len(tree) else None
        else:
            tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _shown(file: YamlFile, place: tuple[Any, ...]) -> str:
    """`Service/web spec.ports[0].port`."""
    if not place:
        return "a whole"
    index, *keys = place
    kind, name = (*_identity(file, index), None)[:2] if index < len(file.documents) else ("", "")
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return f"{kind or 'document'}/{name or index} {text.lstrip('.')}".rstrip()


def _plain(tree: Any) -> Any:
    """A tree without what makes no difference: spelling, anchors, the order of keys."""
    if tree is None:
        return None
    match tree[0]:
        case "scalar":
            return (tree[1], None if tree[1] == "null" else tree[3])
        case "map":
            pairs: dict[str, Any] = {}
            for key, value in tree[2]:
                name = _key(key)
                pairs[f"{name} (again)" if name in pairs else name] = _plain(value)
            return pairs
        case "seq":
            return [_plain(item) for item in tree[2]]
    return tree


def _key(tree: Any) -> str:
    return str(tree[3]) if tree[0] == "scalar" else repr(tree)


def _readdressed(
    chart: Chart, view: View, operations: Sequence[Operation]
) -> Iterator[YamlOperation]:
    """The same operations on the same objects, where other values render them elsewhere.

    What these values do not render at all needs no change.
    """
    usual = chart.shown(view.path)
    if isinstance(usual, Skipped):
        return
    file, places = view.file, _places(usual.file, view.file)
    for operation in operations:
        if not isinstance(operation, (SetValue, AppendItem, RemoveNode)):
            continue
        index = places.get(int(operation.at[0]))
        moved = replace(operation, at=(index, *operation.at[1:])) if index is not None else None
        if moved is not None and _reach(file, moved.at) >= _reach(usual.file, operation.at):
            yield moved


def _places(usual: YamlFile, other: YamlFile) -> dict[int, int]:
    """Which document is which: by place where all kinds agree, else by kind and name."""
    one = [_identity(usual, index) for index in range(len(usual.documents))]
    two = [_identity(other, index) for index in range(len(other.documents))]
    if [kind for kind, *_ in one] == [kind for kind, *_ in two]:
        return {index: index for index in range(len(one))}
    return {index: two.index(name) for index, name in enumerate(one) if name in two}


def _reach(file: YamlFile, at: Address) -> int:
    """How far along its way an address meets nodes."""
    cursor = file.cursor(int(at[0]))
    for length, key in enumerate(at[1:]):
        cursor = cursor.get(key) if cursor is not None else None
        if cursor is None:
            return length
    return len(at)


def _identity(file: YamlFile, index: int) -> tuple[str | None, ...]:
    cursor = file.cursor(index)
    if cursor is None:
        return (str(index),)
    found = (cursor.get("kind"), cursor.get("metadata", "name"))
    return tuple(one.node.value if one is not None else None for one in found)
