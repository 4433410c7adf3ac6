"""A chart's values: the files they are in, layer over layer, and where each of them is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.documents.chart_calls import Unknown
from hardhull.documents.yaml import Kind, has_placeholder, is_merge, key_text, merged_pairs, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.documents.chart_text import Path
    from hardhull.documents.yaml import Cursor, Node, YamlFile

_DEEPEST = 60
_MOST = 200_000


class Layer(NamedTuple):
    """A values file and the key of it below which this chart's values stand (`()` for its own)."""

    file: YamlFile
    at: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.file.source.path

    def cursor(self, path: Path = ()) -> Cursor | None:
        """Where a value is written in this file."""
        root = self.file.cursor(0) if self.file.documents else None
        return None if root is None else root.get(*self.at, *path)


def merged(layers: Iterable[Layer]) -> dict[str, Any]:
    """The values that a chart is rendered with: maps merge, all else replaces, null removes."""
    found: dict[str, Any] = {}
    for layer in layers:
        root = layer.cursor()
        value = as_python(root) if root is not None else None
        if isinstance(value, dict):
            found = _over(found, value)
    return found


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        if value is None and key in result:
            del result[key]
        elif isinstance(known, dict) and isinstance(value, dict):
            result[key] = _over(known, value)
        else:
            result[key] = value
    return result


def as_python(cursor: Cursor) -> Any:
    """A value as a template sees it; placeholders that others fill in are unknown."""
    return _value(cursor.file, cursor.node, 0, [_MOST])


def _value(file: YamlFile, node: Node, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if depth > _DEEPEST or budget[0] < 0:
        return Unknown("values")  # aliases of aliases can mean more than memory holds
    node = node.target or node
    if node.kind is Kind.MAPPING:
        if file.text.startswith("{{", node.start):
            return Unknown("placeholder")
        pairs = dict[str, Any]()
        for key, value in (*merged_pairs(node)[::-1], *node.pairs):
            name = key_text(key)
            if name is not None and not is_merge(key):
                pairs[name] = _value(file, value, depth + 1, budget)
        return pairs
    if node.kind is Kind.SEQUENCE:
        return [_value(file, item, depth + 1, budget) for item in node.items]
    return _scalar(file, node)


def _scalar(file: YamlFile, node: Node) -> Any:
    tag, value = resolve(node)
    if tag == "null" and file.text.find("#{", node.end, node.end + 3) >= 0:
        return Unknown("placeholder")
    if has_placeholder(node.value):
        return node.value
    if tag == "float":
        try:
            return float(str(value).replace("_", ""))
        except ValueError:
            return node.value
    return value if value is not None or tag == "null" else node.value


def defined_in(layers: Sequence[Layer], path: Path) -> Iterator[tuple[Layer, Cursor]]:
    """The layers that say something of a value, the one that counts first."""
    for layer in reversed(layers):
        cursor = layer.cursor(path)
        if cursor is not None:
            yield layer, cursor
