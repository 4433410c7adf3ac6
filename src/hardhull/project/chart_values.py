"""A chart's values: the files they are in, layer over layer, and where each of them is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.documents.chart_calls import Unknown
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_nodes import Kind, is_merge, key_text, merged_pairs
from hardhull.documents.yaml_reading import read_yaml
from hardhull.documents.yaml_scalars import has_placeholder, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.documents.chart_text import Path
    from hardhull.documents.yaml import Cursor, YamlFile
    from hardhull.documents.yaml_nodes import Node
    from hardhull.model import Span

GLOBAL = "global"
"""The key whose values Helm hands down to the charts below."""
_DEEPEST = 60
_MOST = 200_000


class Layer(NamedTuple):
    """A values file and the key of it below which this chart's values stand (`()` for its own).

    `held` is the text of another file that these values are written in, where they have no file;
    `only` the one key of it that counts here: what is `global` in a chart is so in those below it.
    """

    file: YamlFile
    at: Path = ()
    document: int = 0
    held: Cursor | None = None
    only: str = ""

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.file.source.path

    @property
    def key(self) -> str:
        """What tells it from others; the same after an edit."""
        held = self.held.address if self.held is not None else ()
        return f"{self.path} {self.document} {self.at} {held} {self.only}"

    def cursor(self, path: Path = ()) -> Cursor | None:
        """Where a value is written in this file."""
        if self.only and path and path[0] != self.only:
            return None
        known = self.document < len(self.file.documents)
        root = self.file.cursor(self.document) if known else None
        return None if root is None else root.get(*self.at, *path)

    def below(self, name: str) -> tuple[Layer, ...]:
        """What it says of the chart of this name below: under its name, and for all charts."""
        own = () if self.only else (self._replace(at=(*self.at, name)),)
        shared = self.cursor((GLOBAL,)) is not None
        return (*own, self._replace(only=GLOBAL)) if shared else own

    def span(self, at: Cursor) -> Span:
        """The span of a place in it, in its file."""
        return self.held.span if self.held is not None else at.span


def merged(layers: Iterable[Layer]) -> dict[str, Any]:
    """The values that a chart is rendered with: maps merge, all else replaces, null removes."""
    found: dict[str, Any] = {}
    for layer in layers:
        root = layer.cursor()
        value = as_python(root) if root is not None else None
        if isinstance(value, dict):
            kept = {key: value[key] for key in value if not layer.only or key == layer.only}
            found = _over(found, kept)
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


def given_layer(file: YamlFile, at: Path) -> Layer | None:
    """The values that stand at a place of a file; as text in it, where they are written so."""
    if not at:
        return Layer(file)
    document = int(at[0])
    root = file.cursor(document) if document < len(file.documents) else None
    found = root.get(*at[1:]) if root is not None else None
    if found is None or found.is_mapping:
        return Layer(file, tuple(at[1:]), document) if found is not None else None
    inner = read_yaml(Source(file.source.path, FileKind.EVIDENCE, found.text or ""))
    return None if isinstance(inner, Unreadable) else Layer(inner, held=found)
