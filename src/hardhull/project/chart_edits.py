"""Changes wanted of what a chart renders, carried to where it comes from: values or templates.

A rule speaks of the rendered objects. Each operation goes to the values file that holds the value,
where one does, else into the template's own text, or it is refused with the place that is in the
way. Whether the result renders as wanted is for `chart_proof` to see: nothing here is taken on
trust, and what follows only has to find the right place, not to be sure of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from hardhull.documents.chart_text import Origin, Piece
from hardhull.documents.yaml_nodes import Kind, Node, key_text
from hardhull.documents.yaml_scalars import resolve
from hardhull.model import (
    AppendItem,
    Edit,
    Operation,
    RemoveNode,
    Scalar,
    SetValue,
    Unrenderable,
    YamlOperation,
)
from hardhull.project.chart_levels import Level, below_nothing, levels_of
from hardhull.project.chart_literals import literal_edits
from hardhull.project.chart_settings import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hardhull.documents.chart_text import Path
    from hardhull.model import Address
    from hardhull.project.charts import Charts, View


_DIGEST = re.compile(r"digest|sha256|^sha$", re.IGNORECASE)


@dataclass
class Carried:
    """What becomes of operations: those on plain files and values, and edits of templates."""

    operations: dict[str, list[Operation]] = field(default_factory=dict)
    edits: dict[str, list[Edit]] = field(default_factory=dict)

    def add(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            listed = self.operations.setdefault(operation.path, [])
            if operation not in listed:
                listed.append(operation)


def carried(charts: Charts, wanted: Mapping[str, Sequence[Operation]]) -> Carried:
    """Carry operations, given by path, to the files they concern. Raises Unrenderable."""
    result = Carried()
    for path, operations in wanted.items():
        view = charts.views.get(path)
        if view is None:
            result.add(operations)
            continue
        literal: list[YamlOperation] = []
        for operation in operations:
            assert isinstance(operation, (SetValue, AppendItem, RemoveNode))  # noqa: S101  rendered YAML
            found = _Way(view, operation).carried()
            if isinstance(found, tuple):
                result.add(found)
            else:
                literal.append(found)
        for file, edits in literal_edits(view, literal).items() if literal else ():
            listed = result.edits.setdefault(file, [])
            listed += [edit for edit in edits if edit not in listed]
    return result


class _Way:
    """The way to the node that one operation is about."""

    def __init__(self, view: View, operation: YamlOperation) -> None:
        self.view, self.operation = view, operation
        self.pieces, self.starts = view.rendering.pieces, view.rendering.starts
        document, *keys = operation.at
        root = view.file.documents[int(document)].root
        if root is None:
            self.refuse("the document is empty")
        self.chain: list[tuple[Node, Node | None]] = [(root, None)]
        self.rest: Address = ()
        for position, key in enumerate(keys):
            inner = _child(self.chain[-1][0], key)
            if inner is None:
                self.rest = tuple(keys[position:])
                break
            self.chain.append(inner)

    @property
    def node(self) -> Node:
        return self.chain[-1][0]

    def refuse(self, reason: str, at: Node | None = None) -> NoReturn:
        span = self.view.file.span(at.start, at.end) if at is not None else None
        raise Unrenderable(reason, self.view.path, span)

    def carried(self) -> tuple[Operation, ...] | YamlOperation:
        """Operations on values, or the operation to be made in the template's own text."""
        if self.rest:
            return self._missing()
        operation = self.operation
        if isinstance(operation, RemoveNode):
            return self._removed(operation)
        if isinstance(operation, AppendItem):
            return self._appended(operation)
        if isinstance(operation.value, Scalar) and self.node.kind is Kind.SCALAR:
            return self._scalar(operation, operation.value)
        owner = self._value_of(self.node)
        if owner is not None:
            return settings_for(self.view, owner, replace(operation, at=()))
        return operation

    # ---- what the text was made from

    def _at(self, offset: int) -> Piece:
        index = bisect_right(self.starts, offset) - 1
        while not self.pieces[index].text and index:
            index -= 1
        return self.pieces[index]

    def _between(self, start: int, end: int) -> list[tuple[int, Piece]]:
        """The pieces that make up a part of the text, with where each begins."""
        index = max(bisect_right(self.starts, start) - 1, 0)
        found = []
        while index < len(self.pieces) and self.starts[index] < end:
            piece, begin = self.pieces[index], self.starts[index]
            if piece.text and begin + len(piece.text) > start:
                found.append((begin, piece))
            index += 1
        return found

    def _value_of(self, node: Node) -> Path | None:
        """The value that was rendered to give this whole node, if one was."""
        if node.kind is Kind.MAPPING and node.pairs:
            return self._parent_path([key for key, _ in node.pairs])
        if node.kind is Kind.SEQUENCE and node.items:
            return self._items_path(node)
        made = [p for _, p in self._between(node.start, node.end) if p.text.strip(" \n\"'")]
        whole = len(made) == 1 and made[0].origin in (Origin.VALUE, Origin.FALLBACK)
        return made[0].path if whole else None

    def _parent_path(self, keys: Sequence[Node]) -> Path | None:
        """The map of values whose keys these are, if they all are one's."""
        found = {self._key_path(key) for key in keys}
        return found.pop() if len(found) == 1 else None

    def _key_path(self, key: Node) -> Path | None:
        piece = self._at(key.start)
        own = piece.origin is Origin.VALUE and piece.path and str(piece.path[-1]) == key_text(key)
        return piece.path[:-1] if own and piece.path else None

    def _items_path(self, node: Node) -> Path | None:
        found = set()
        for item in node.items:
            dash = self.view.file.text.rfind("-", 0, item.start + 1)
            piece = self._at(dash)
            own = piece.origin is Origin.VALUE and piece.path and isinstance(piece.path[-1], int)
            found.add(piece.path[:-1] if own and piece.path else None)
        return found.pop() if len(found) == 1 else None

    # ---- a key that is missing

    def _missing(self) -> tuple[Operation, ...] | YamlOperation:
        operation, node = self.operation, self.node
        if isinstance(operation, RemoveNode):
            self.refuse("there is nothing to remove", node)
        owner = self._value_of(node)
        if owner is not None:
            return settings_for(self.view, owner, replace(operation, at=self.rest))
        if node.kind is Kind.SCALAR and resolve(node)[0] != "null":
            self.refuse(f"{self.rest[0]!r} is wanted below a scalar", node)
        if node.kind is Kind.MAPPING and node.pairs:
            return self._beside(operation)
        if self._is_made(node):
            self.refuse("what stands here is put together by the template", node)
        below = below_nothing(self.view, node)
        if below is None:
            return operation
        if below.path is not None:
            return settings_for(self.view, below.path, replace(operation, at=self.rest))
        raise Unrenderable(below.reason, below.file, below.span)

    def _is_made(self, node: Node) -> bool:
        pieces = (piece for _, piece in self._between(node.start, node.end))
        return any(piece.origin is not Origin.LITERAL for piece in pieces)

    def _beside(self, operation: SetValue | AppendItem) -> tuple[Operation, ...] | YamlOperation:
        """A new key beside others, which the template's own text holds, or a value of some."""
        node, key = self.node, str(self.rest[0])
        owners = {path for name, _ in node.pairs if (path := self._key_path(name)) is not None}
        if len(owners) > 1:
            self.refuse("its keys come from several values", node)
        if owners:
            return settings_for(self.view, owners.pop(), replace(operation, at=self.rest))
        found = levels_of(self.view, node, key)
        if isinstance(found, Level):
            if found.path is not None:
                return settings_for(self.view, found.path, replace(operation, at=self.rest[1:]))
            raise Unrenderable(found.reason, found.file, found.span)
        if not found:
            self.refuse("the template has no place for a key outside of its branches", node)
        wished = next((name for name in operation.after if name in found), found[-1])
        return replace(operation, after=(wished,))

    # ---- what is there

    def _removed(self, operation: RemoveNode) -> tuple[Operation, ...] | YamlOperation:
        node, key = self.chain[-1]
        start = key.start if key is not None else node.start
        pieces = [piece for _, piece in self._between(start, node.end) if piece.text.strip()]
        if all(piece.origin is Origin.LITERAL for piece in pieces):
            return operation
        first = self._at(start)
        if first.origin is Origin.VALUE and first.path is not None and key is not None:
            return settings_for(self.view, first.path, replace(operation, at=()))
        owner = self._items_path(self.chain[-2][0]) if key is None else None
        if owner is not None:
            return settings_for(
                self.view, (*owner, int(operation.at[-1])), replace(operation, at=())
            )
        return self.refuse("an action of the template would go with it", node)

    def _appended(self, operation: AppendItem) -> tuple[Operation, ...] | YamlOperation:
        node = self.node
        owner = self._value_of(node)
        if owner is not None:
            return settings_for(self.view, owner, replace(operation, at=()))
        starts = [item.start for item in node.items] or [node.start]
        if any(self._at(start).origin is not Origin.LITERAL for start in starts):
            self.refuse("its items come from several places", node)
        return operation

    def _scalar(self, operation: SetValue, value: Scalar) -> tuple[Operation, ...] | YamlOperation:
        node, text = self.node, self.view.file.text
        if not self._is_made(node):
            return operation
        owner = self._value_of(node)
        if owner is not None:
            return settings_for(self.view, owner, replace(operation, at=()))
        quoted = text[node.start] in "\"'"
        begin = node.start + quoted
        if text[begin : node.end - quoted] != node.value:
            self.refuse("what stands here is put together by the template", node)
        low, high, new = _difference(node.value, value.text)
        digest = self._digest(begin + low, new) if low == high == len(node.value) else None
        return digest or self._in_part(operation, begin + low, begin + high, new)

    def _in_part(
        self, operation: SetValue, low: int, high: int, new: str
    ) -> tuple[Operation, ...] | YamlOperation:
        """A change of one part of a scalar that several values, or text and values, make up."""
        node = self.node
        for start, piece in self._between(node.start, node.end):
            end = start + len(piece.text)
            # What is added belongs to what it follows.
            follows = low == high == start and node.start < start
            if follows or not (start <= low and high <= end):
                continue
            if piece.origin is Origin.VALUE and piece.path is not None:
                cut = piece.text[: low - start] + new + piece.text[high - start :]
                wanted = SetValue(operation.path, (), Scalar(cut, string=True))
                return settings_for(self.view, piece.path, wanted)
            if piece.origin is Origin.LITERAL:
                return operation
            if piece.origin is Origin.FALLBACK:
                self.refuse("that part stands in for a value that is empty", node)
        return self.refuse("what stands here is put together by the template", node)

    def _digest(self, offset: int, new: str) -> tuple[Operation, ...] | None:
        """A value of its own for the digest, where the template has one that is empty."""
        if not new.startswith("@sha256:"):
            return None
        for piece, start in zip(self.pieces, self.starts, strict=True):
            skipped = piece.skipped
            if start != offset or skipped is None or not piece.path:
                continue
            source = self.view.chart.parts[piece.file].source.text
            if _DIGEST.search(str(piece.path[-1])):
                whole = "@sha256:" in source[skipped.start : skipped.end]
                text = new.removeprefix("@sha256:" if whole else "@")
                wanted = SetValue(self.operation.path, (), Scalar(text, string=True))
                return settings_for(self.view, piece.path, wanted)
        return None


def _child(node: Node, key: str | int) -> tuple[Node, Node | None] | None:
    if node.kind is Kind.ALIAS:
        return None
    if isinstance(key, int) and node.kind is Kind.SEQUENCE:
        return (node.items[key], None) if 0 <= key < len(node.items) else None
    for name, value in reversed(node.pairs):
        if key_text(name) == str(key):
            return value, name
    return None


def _difference(old: str, new: str) -> tuple[int, int, str]:
    """Which part of the old text becomes what."""
    low = 0
    while low < min(len(old), len(new)) and old[low] == new[low]:
        low += 1
    tail = 0
    most = min(len(old), len(new)) - low
    while tail < most and old[len(old) - 1 - tail] == new[len(new) - 1 - tail]:
        tail += 1
    return low, len(old) - tail, new[low : len(new) - tail]
