"""Operations on YAML become edits that touch nothing else.

`render` works on text, `yaml_structure.expected` on trees: neither knows the other, so that each
checks the other. Longer than other modules because block and flow collections each have their own
ways to insert and to remove, and both are needed to see that one operation leaves the others' text
alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from hardhull.documents.source import newline_at
from hardhull.documents.yaml import opaque
from hardhull.documents.yaml_nodes import Kind, Node, Style, is_merge, key_text, merged_pairs
from hardhull.documents.yaml_render import (
    Flow,
    Layout,
    content_lines,
    flow_pair,
    flow_text,
    is_empty,
    item_lines,
    leaf_text,
    pair_lines,
    spell,
)
from hardhull.documents.yaml_scalars import has_placeholder, resolve
from hardhull.model import (
    Address,
    AppendItem,
    Edit,
    Items,
    Pairs,
    RemoveNode,
    Scalar,
    SetValue,
    Unrenderable,
    Value,
    YamlOperation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.documents.yaml import YamlFile

# ---------------------------------------------------------------- what is wanted where


@dataclass(slots=True, eq=False)
class _Spot:
    """A node on the way to a change, and all that is wanted of it."""

    node: Node
    parent: _Spot | None
    index: int
    """Which pair or item of the parent this is."""
    depth: int
    order: list[int | str] = field(default_factory=list)
    """Mappings: the old pairs (by index) and the new keys, in the order of the result."""
    new: dict[str, Value] = field(default_factory=dict)
    appended: list[Value] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    become: Value | None = None
    """What stands here instead."""
    grown: bool = False
    """True if `become` was put together of operations below a node that held nothing."""

    @property
    def touched(self) -> bool:
        return bool(self.new or self.appended or self.removed)

    @property
    def in_flow(self) -> bool:
        return self.parent is not None and self.parent.node.flow


class _Piece(NamedTuple):
    """An edit with the depth of its node: at one offset, inner insertions come first."""

    start: int
    end: int
    depth: int
    text: str


_ODD_BREAK = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_SPACE = re.compile(r"(?:\s|#[^\n]*)*")
_COLON = re.compile(r"[ \t]*:")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?:\n|$)")
_COMMA = re.compile(r"\s*,")
_DECORATION = re.compile(r"(?:!<[^>]*>|[&!][^\s,\[\]{}]*)")


def render(file: YamlFile, operations: Sequence[YamlOperation]) -> tuple[Edit, ...]:
    """Return the edits that carry out `operations` together; they do not overlap.

    All addresses mean the text before. Raises Unrenderable if more than the named nodes would
    change, or if the text can't take the change.
    """
    text = file.text
    odd = _ODD_BREAK.search(text)
    if odd:
        _refuse(file, "the file has unusual line breaks", odd.start(), odd.end())
    plan = _Plan(file)
    for operation in dict.fromkeys(operations):
        plan.add(operation)
    writer = _Writer(file, plan)
    for spot in plan.spots.values():
        writer.write(spot)
    return _edits(file, writer.pieces)


def _edits(file: YamlFile, pieces: list[_Piece]) -> tuple[Edit, ...]:
    text = file.text
    ordered = sorted(pieces, key=lambda piece: (piece.start, piece.end, -piece.depth))
    edits: list[Edit] = []
    for start, end, _, new in ordered:
        last = edits[-1] if edits else None
        if last is not None and start < last.end:
            _refuse(file, "two of the changes overlap", start, end)
        line_is_free = last is not None and last.start < last.end == len(text) and not last.text
        if start == end == len(text) and line_is_free and text[last.start - 1 :][:1] == "\n":  # type: ignore[union-attr]  # line_is_free says so
            new = new.removeprefix("\r").removeprefix("\n")  # noqa: PLW2901
        if new or start < end:
            edits.append(Edit(start, end, new))
    return tuple(edits)


def _refuse(file: YamlFile, reason: str, start: int, end: int) -> NoReturn:
    raise Unrenderable(reason, file.source.path, file.span(start, end))


_PLACEHOLDER_TEXT = re.compile(
    r"\$\{[^{}]*\}|\$\([^()]*\)|\{\{.*?\}\}|#\{[^{}]*\}#?|__\w+?__", re.DOTALL
)


def _keeps_placeholders(node: Node, operation: YamlOperation) -> bool:
    """Whether only literal text beside placeholders changes: `${PORT}:80` to `${PORT}:8080`."""
    if not isinstance(operation, SetValue) or not isinstance(operation.value, Scalar):
        return False
    old = _PLACEHOLDER_TEXT.findall(node.value)
    rest = _PLACEHOLDER_TEXT.sub("", node.value)
    whole = bool(old) and bool(rest) and not has_placeholder(rest)
    return whole and old == _PLACEHOLDER_TEXT.findall(operation.value.text)


class _Plan:
    """Operations sorted by the node that they change."""

    def __init__(self, file: YamlFile) -> None:
        self.file = file
        self.spots: dict[int, _Spot] = {}
        self.places: dict[int, dict[str | None, list[int]]] = {}

    def add(self, operation: YamlOperation) -> None:
        """Find the deepest node that exists on the way, and note there what is wanted."""
        spot, rest = self._walk(operation)
        if isinstance(operation, RemoveNode):
            self._remove(spot, rest)
        elif isinstance(operation, SetValue):
            self._put(spot, rest, operation.value, operation)
        elif rest:
            self._put(spot, rest, Items((operation.value,)), operation)
        else:
            self._append(spot, operation.value)

    def _walk(self, operation: YamlOperation) -> tuple[_Spot, Address]:
        document, *keys = operation.at
        documents = self.file.documents
        if not isinstance(document, int) or not 0 <= document < len(documents):
            _refuse(self.file, f"there is no document {document}", 0, 0)
        root = documents[int(document)].root
        if root is None or not keys:
            reason = "the document is empty" if root is None else "the whole document"
            _refuse(self.file, reason, documents[int(document)].start, documents[int(document)].end)
        spot = self._spot(root, None, 0)
        for position, key in enumerate(keys):
            self._check_way(spot)
            index = self._find(spot.node, key)
            if index is None:
                return spot, tuple(keys[position:])
            node = spot.node
            child = node.pairs[index][1] if node.kind is Kind.MAPPING else node.items[index]
            spot = self._spot(child, spot, index)
        if opaque(self.file, spot.node) and not _keeps_placeholders(spot.node, operation):
            self._refuse_at(spot.node, "a placeholder stands here, its value is not known")
        return spot, ()

    def _spot(self, node: Node, parent: _Spot | None, index: int) -> _Spot:
        known = self.spots.get(id(node))
        if known is None:
            depth = parent.depth + 1 if parent is not None else 0
            known = _Spot(node, parent, index, depth, list(range(len(node.pairs))))
            self.spots[id(node)] = known
        return known

    def _refuse_at(self, node: Node, reason: str) -> NoReturn:
        _refuse(self.file, reason, node.outer_start, node.end)

    def _check_way(self, spot: _Spot) -> None:
        """Refuse where a change below `spot` would change something else."""
        node = spot.node
        if node.kind is Kind.ALIAS:
            self._refuse_at(node, f"the way goes through the alias *{node.value}")
        if opaque(self.file, node):
            self._refuse_at(node, "a placeholder stands here, its value is not known")
        self._check_not_shared(node)

    def _check_not_shared(self, node: Node) -> None:
        alias = self.file.alias_of(node) if node.anchor is not None else None
        if alias is not None:
            line = self.file.line_of(alias.start)
            reason = f"&{node.anchor} is used again by the alias in line {line}"
            self._refuse_at(node, reason)

    def _find(self, node: Node, key: str | int) -> int | None:
        """Return the index of the pair or item; None if there is none."""
        if node.kind is Kind.SEQUENCE:
            if not isinstance(key, int) or not 0 <= key < len(node.items):
                self._refuse_at(node, f"the sequence has no item {key!r}")
            return int(key)
        if node.kind is Kind.SCALAR:
            if resolve(node)[0] != "null":
                self._refuse_at(node, f"{key!r} is wanted below a scalar")
            return None
        found = self._places(node).get(str(key), [])
        if len(found) > 1:
            second = node.pairs[found[1]][0]
            self._refuse_at(second, f"the key {key!r} is there twice")
        return found[0] if found else None

    def _places(self, node: Node) -> dict[str | None, list[int]]:
        """The indexes of a mapping's pairs by key: many operations go through one mapping."""
        known = self.places.get(id(node))
        if known is None:
            known = self.places[id(node)] = {}
            for index, (name, _) in enumerate(node.pairs):
                known.setdefault(key_text(name), []).append(index)
        return known

    # ---- what is wanted

    def _remove(self, spot: _Spot, rest: Address) -> None:
        if rest or spot.parent is None:
            self._refuse_at(spot.node, "there is nothing to remove")
        self._check_free(spot)
        spot.parent.removed.add(spot.index)

    def _check_free(self, spot: _Spot) -> None:
        """Nothing else may be wanted below a node that goes, and nobody may need its anchors."""
        above: _Spot | None = spot
        while above is not None and above.parent is not None:
            if above.become is not None or above.index in above.parent.removed:
                self._refuse_at(spot.node, "two operations change the same node")
            above = above.parent
        inner = {id(node) for node in _all_nodes(spot.node)}
        for known in self.spots.values():
            below = id(known.node) in inner and known is not spot
            if (below or known is spot) and (known.touched or (known.become and below)):
                self._refuse_at(spot.node, "two operations change the same node")
        for alias in self.file.aliases:
            if id(alias.target) in inner and id(alias) not in inner:
                line = self.file.line_of(alias.start)
                self._refuse_at(spot.node, f"its anchor is used by the alias in line {line}")

    def _put(
        self, spot: _Spot, rest: Address, value: Value, operation: SetValue | AppendItem
    ) -> None:
        if not rest:
            self._check_free(spot)
            spot.become = value
            return
        if any(not isinstance(key, str) for key in rest[1:]):
            self._refuse_at(spot.node, "an item of a sequence that does not exist")
        for key in reversed(rest[1:]):
            value = Pairs(((str(key), value),))
        key, after = str(rest[0]), operation.after
        way = _Way(len(rest) - 1, isinstance(operation, AppendItem))
        if spot.node.kind is Kind.MAPPING and spot.node.pairs:
            self._check_not_merged(spot.node, key, value)
            self._check_above(spot)
            _insert(spot, key, after)
            known = spot.new.get(key)
            spot.new[key] = value if known is None else self._merge(spot, known, value, way)
            return
        self._check_above(spot, own=not spot.grown)
        grown = Pairs(((key, value),))
        way = _Way(len(rest), way.appends)
        spot.become = grown if spot.become is None else self._merge(spot, spot.become, grown, way)
        spot.grown = True

    def _check_above(self, spot: _Spot, own: bool = True) -> None:
        """No node on the way may go or be replaced by another operation."""
        above: _Spot | None = spot
        while above is not None:
            gone = above.parent is not None and above.index in above.parent.removed
            if gone or (above.become is not None and (own or above is not spot)):
                self._refuse_at(spot.node, "two operations change the same node")
            above = above.parent

    def _check_not_merged(self, node: Node, key: str, value: Value) -> None:
        merged = next((pair for pair in merged_pairs(node) if key_text(pair[0]) == key), None)
        if merged is not None and not isinstance(value, Scalar):
            place = next(pair[1] for pair in node.pairs if is_merge(pair[0]))
            self._refuse_at(place, f"{key!r} comes from the merge key <<")

    def _append(self, spot: _Spot, value: Value) -> None:
        node = spot.node
        self._check_way(spot)
        if node.kind is Kind.SEQUENCE and node.items:
            self._check_above(spot)
            spot.appended.append(value)
        elif node.kind is Kind.SEQUENCE or resolve(node)[0] == "null":
            self._check_above(spot, own=not spot.grown)
            items = Items((value,))
            known = spot.become
            way = _Way(0, appends=True)
            spot.become = items if known is None else self._merge(spot, known, items, way)
            spot.grown = True
        else:
            self._refuse_at(node, "an item is wanted where there is no sequence")

    def _merge(self, spot: _Spot, one: Value, other: Value, way: _Way) -> Value:
        """Put together what two operations want of one node that is not there yet."""
        if way.depth == 0 and way.appends and isinstance(one, Items) and isinstance(other, Items):
            return Items(one.items + other.items)
        if one == other:
            return one
        if way.depth == 0 or not isinstance(one, Pairs) or not isinstance(other, Pairs):
            self._refuse_at(spot.node, "two operations want different values")
        pairs = dict(one.pairs)
        for key, value in other.pairs:
            known = pairs.get(key)
            deeper = _Way(way.depth - 1, way.appends)
            pairs[key] = value if known is None else self._merge(spot, known, value, deeper)
        return Pairs(tuple(pairs.items()))


class _Way(NamedTuple):
    """How many keys down the wanted value of an operation stands, and how it is wanted."""

    depth: int
    appends: bool


def _insert(spot: _Spot, key: str, after: tuple[str, ...]) -> None:
    """Give a new key its place: behind the first sibling of `after`, else at the end."""
    if key in spot.new:
        return
    names = [
        entry if isinstance(entry, str) else key_text(spot.node.pairs[entry][0])
        for entry in spot.order
    ]
    place = len(names)
    for name in after:
        if name in names:
            place = len(names) - names[::-1].index(name)
            break
    while place < len(names) and isinstance(spot.order[place], str):
        place += 1
    spot.order.insert(place, key)


def _all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all_nodes(child)


# ---------------------------------------------------------------- from wishes to text


class _Entry(NamedTuple):
    """A pair or an item of a collection as it stands in the text, dash included."""

    start: int
    end: int
    leaf: Node


class _Writer:
    """Collects the pieces of text that change."""

    def __init__(self, file: YamlFile, plan: _Plan) -> None:
        self.file = file
        self.text = file.text
        self.plan = plan
        self.pieces: list[_Piece] = []
        self.steps: dict[int, tuple[int | None, int | None]] = {}

    def write(self, spot: _Spot) -> None:
        """Write all that is wanted of one node."""
        if spot.become is not None:
            self._replace(spot, spot.become)
            return
        if not spot.touched:
            return
        entries = self._entries(spot.node)
        if spot.node.flow:
            self._change_flow(spot, entries)
        else:
            self._change_block(spot, entries)

    def _add(self, start: int, end: int, spot: _Spot, new: str) -> None:
        self.pieces.append(_Piece(start, end, spot.depth, new))

    # ---- where things stand

    def _entries(self, node: Node) -> list[_Entry]:
        entries = []
        done = node.start + (1 if node.flow else 0)
        if node.kind is Kind.MAPPING:
            for key, value in node.pairs:
                start = key.outer_start
                if not node.flow and self._after_space(done) != start:
                    _refuse(self.file, "a key written with a question mark", done, start)
                done = max(key.end, value.end)
                entries.append(_Entry(start, done, value))
            return entries
        for item in node.items:
            start = item.outer_start if node.flow else self._after_space(done)
            done = item.end
            entries.append(_Entry(start, done, item))
        return entries

    def _after_space(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _line_start(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def _next_line(self, position: int) -> int:
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end + 1

    def _column(self, position: int) -> int:
        return position - self._line_start(position)

    def _own_line(self, position: int) -> bool:
        return not self.text[self._line_start(position) : position].strip(" ")

    def _ends_line(self, position: int) -> bool:
        return _REST_OF_LINE.match(self.text, position) is not None

    def _has_comment(self, start: int, end: int) -> bool:
        spans = self.file.comments
        first = bisect_left(spans, (start, 0))
        return first < len(spans) and spans[first].start < end

    def _head(self, spot: _Spot) -> int:
        """Return where the value of an entry begins: behind colon or dash, anchor and tag."""
        node, parent = spot.node, spot.parent
        if node.outer_start < node.start or (node.anchor or node.tag):
            end = node.outer_start
            for _ in range((node.anchor is not None) + (node.tag is not None)):
                match = _DECORATION.match(self.text, self._after_space(end))
                end = match.end() if match else end
            return end
        if parent is None:
            return node.start
        if parent.node.kind is Kind.MAPPING:
            key = parent.node.pairs[spot.index][0]
            colon = _COLON.match(self.text, key.end)
            if colon is None or colon.end() > max(node.start, key.end + 1):
                _refuse(self.file, "a key without a colon", key.start, key.end)
            return colon.end()
        if parent.node.flow:
            return node.start
        return self._entries(parent.node)[spot.index].start + 1

    # ---- style of the neighbours

    def _layout(self, spot: _Spot) -> Layout:
        above: list[Node] = []
        at: _Spot | None = spot
        while at is not None:
            above.append(at.node)
            at = at.parent
        step, offset = self._steps(above)
        if step is None or offset is None:
            elsewhere = self._steps_of_document(above[-1])
            step = elsewhere[0] if step is None else step
            offset = elsewhere[1] if offset is None else offset
        # Where a document shows no sequence at all, indented is what Compose files do.
        item_offset = max(offset, 0) if offset is not None else step or 2
        return Layout(step or 2, item_offset, style=self._quotes(spot.node))

    def _steps_of_document(self, root: Node) -> tuple[int | None, int | None]:
        """What `_steps` finds in a whole document, which is looked through once."""
        known = self.steps.get(id(root))
        if known is None:
            known = self.steps[id(root)] = self._steps(_all_nodes(root))
        return known

    def _steps(self, nodes: Iterable[Node]) -> tuple[int | None, int | None]:
        """How much deeper the first mapping and the first sequence below these nodes begin."""
        step: int | None = None
        offset: int | None = None
        for node in nodes:
            for key, value in node.pairs:
                deeper = self._column(value.start) - self._column(key.outer_start)
                if node.flow or value.flow or self.text.find("\n", key.end, value.start) < 0:
                    continue
                if value.kind is Kind.MAPPING and step is None:
                    step = deeper
                if value.kind is Kind.SEQUENCE and offset is None:
                    offset = deeper
            if step is not None and offset is not None:
                break
        return step, offset

    def _quotes(self, node: Node) -> Style:
        """Return the quotes that all strings of a sequence share."""
        styles = {item.style for item in node.items if item.kind is Kind.SCALAR}
        quoted = styles in ({Style.SINGLE}, {Style.DOUBLE})
        return styles.pop() if quoted else Style.PLAIN

    # ---- replacing a node

    def _replace(self, spot: _Spot, value: Value) -> None:
        node = spot.node
        if node.tag is not None:
            _refuse(self.file, f"the tag {node.tag} stands here", node.outer_start, node.end)
        if isinstance(value, Scalar) and node.kind is Kind.SCALAR and node.start < node.end:
            self._replace_scalar(spot, value)
        elif node.flow and node.end > node.start and self._stays_flow(spot, value):
            self._check_no_comment(node.start, node.end)
            self._add(node.start, node.end, spot, flow_text(value, self._flow(spot)))
        elif spot.in_flow or spot.parent is None:
            self._replace_in_flow(spot, value)
        elif isinstance(value, Scalar) or is_empty(value):
            self._replace_by_leaf(spot, value)
        else:
            self._replace_by_block(spot, value)

    def _replace_by_leaf(self, spot: _Spot, value: Value) -> None:
        node, head = spot.node, self._head(spot)
        if node.kind in (Kind.SCALAR, Kind.ALIAS) and node.start < node.end:
            self._check_no_comment(node.start, node.end)
            self._add(node.start, node.end, spot, leaf_text(value))
            return
        end = max(head, node.end)
        self._check_no_comment(head, end)
        self._add(head, end, spot, " " + leaf_text(value))

    def _stays_flow(self, spot: _Spot, value: Value) -> bool:
        if spot.in_flow or spot.parent is None or isinstance(value, Scalar):
            return True
        node = spot.node
        holder_is_mapping = spot.parent.node.kind is Kind.MAPPING
        if isinstance(value, Pairs):
            becomes_block = node.kind is Kind.MAPPING and not node.pairs
        else:
            objects = any(isinstance(item, Pairs) for item in value.items)
            becomes_block = objects and node.kind is Kind.SEQUENCE and not node.items
        return not (becomes_block and holder_is_mapping)

    def _check_no_comment(self, start: int, end: int) -> None:
        if self._has_comment(start, end):
            _refuse(self.file, "a comment stands inside what would be replaced", start, end)

    def _replace_scalar(self, spot: _Spot, value: Scalar) -> None:
        node = spot.node
        if node.style is Style.PLAIN and "\n" in self.text[node.start : node.end]:
            _refuse(self.file, "a value over several lines", node.start, node.end)
        self._check_no_comment(node.start, node.end)
        style = node.style if node.style in (Style.SINGLE, Style.DOUBLE) else Style.PLAIN
        flow = self._flow(spot.parent) if spot.in_flow else Flow()
        style = Style.DOUBLE if flow.json else style
        self._add(node.start, node.end, spot, spell(value, spot.in_flow, style))

    def _replace_in_flow(self, spot: _Spot, value: Value) -> None:
        node = spot.node
        if spot.parent is None:
            _refuse(self.file, "the whole document", node.start, node.end)
        head = self._head(spot)
        self._check_no_comment(head, node.end)
        text = flow_text(value, self._flow(spot.parent))
        if node.start == node.end:
            blank = self.text.startswith(" ", head)
            self._add(head + blank, head + blank, spot, text if blank else " " + text)
        else:
            self._add(node.start, node.end, spot, text)

    def _replace_by_block(self, spot: _Spot, value: Value) -> None:
        node, parent = spot.node, spot.parent
        assert parent is not None  # noqa: S101  # the root is replaced in flow or refused
        head = self._head(spot)
        end = max(node.end, head)
        self._check_no_comment(head, end)
        if not self._ends_line(end):
            _refuse(self.file, "something follows in the same line", head, end)
        layout = self._layout(parent)
        entry = self._entries(parent.node)[spot.index]
        indent = self._column(parent.node.start)
        if parent.node.kind is Kind.MAPPING:
            indent += layout.step if isinstance(value, Pairs) else layout.item_offset
        else:
            indent = self._column(entry.start) + 2
        lines = content_lines(value, indent, layout)
        in_line = parent.node.kind is Kind.SEQUENCE and node.anchor is None
        if in_line and not self._comment_follows(end):
            newline = newline_at(self.text, head)
            self._add(head, end, spot, " " + newline.join(lines).lstrip(" "))
            return
        if head < end:
            self._add(head, end, spot, "")
        self._insert_lines(spot, end, None, lines)

    def _comment_follows(self, position: int) -> bool:
        return "#" in self.text[position : self._next_line(position)]

    def _insert_lines(
        self, spot: _Spot, position: int, leaf: Node | None, lines: list[str]
    ) -> None:
        """Put whole lines behind the line of `position`."""
        if not self._ends_line(position):
            _refuse(self.file, "something follows in the same line", position, position)
        place, newline = self._next_line(position), newline_at(self.text, position)
        if self.text[place - 1 : place] == "\n":
            self._add(place, place, spot, "".join(line + newline for line in lines))
            return
        last = None if leaf is None else _last_leaf(leaf)
        if last is not None and last.style in (Style.LITERAL, Style.FOLDED):
            header = self.text[last.start : self._next_line(last.start)].partition("#")[0]
            if "-" not in header:
                reason = "a block scalar without line end at the end of the file"
                _refuse(self.file, reason, last.start, last.end)
        self._add(place, place, spot, "".join(newline + line for line in lines))

    # ---- block collections

    def _change_block(self, spot: _Spot, entries: list[_Entry]) -> None:
        node = spot.node
        indent = self._column(node.start)
        if "\t" in self.text[self._line_start(node.start) : node.start]:
            _refuse(self.file, "indented with a tab", node.start, node.start)
        layout = self._layout(spot)
        if spot.appended:
            dash = self._dash(entries, node)
            item_layout = Layout(layout.step, layout.item_offset, dash, layout.style)
            lines = [line for v in spot.appended for line in item_lines(v, indent, item_layout)]
            behind = self._past_own_comments(entries[-1].end, indent)
            self._insert_lines(spot, behind, entries[-1].leaf, lines)
        for index, keys in _groups(spot.order):
            parts = [pair_lines(key, spot.new[key], indent, layout) for key in keys]
            lines = [line for part in parts for line in part]
            behind = self._past_own_comments(entries[index].end, indent)
            self._insert_lines(spot, behind, entries[index].leaf, lines)
        if spot.removed:
            self._remove_block(spot, entries)

    def _past_own_comments(self, position: int, indent: int) -> int:
        """Go on behind comment lines that stand deeper than the entry: they belong to it."""
        below = self._next_line(position)
        while below < len(self.text):
            line = self.text[below : self._next_line(below)]
            bare = line.lstrip(" ")
            if not bare.startswith("#") or len(line) - len(bare) <= indent:
                break
            position = below + len(line.rstrip("\r\n"))
            below = self._next_line(below)
        return position

    def _dash(self, entries: list[_Entry], node: Node) -> str:
        """Return the dash with as many blanks as the last item that is a mapping has."""
        item, entry = node.items[-1], entries[-1]
        gap = self.text[entry.start + 1 : item.outer_start]
        fits = item.kind is Kind.MAPPING and not item.flow and gap and not gap.strip(" ")
        return "-" + gap if fits else "- "

    def _remove_block(self, spot: _Spot, entries: list[_Entry]) -> None:
        keeps = len(spot.removed) < len(entries) or spot.new or spot.appended
        free = 0
        if not keeps:
            free = self._leave_empty(spot, entries)
        elif not self._own_line(entries[0].start) and 0 in spot.removed:
            free = self._pull_up(spot, entries)
        for index in sorted(spot.removed):
            start, end = entries[index].start, entries[index].end
            if start < free:
                continue
            if not self._own_line(start) or not self._ends_line(end):
                _refuse(self.file, "something else stands in the same line", start, end)
            self._check_block_scalar_above(spot, entries, index)
            self._add(self._line_start(start), self._next_line(end), spot, "")

    def _check_block_scalar_above(self, spot: _Spot, entries: list[_Entry], index: int) -> None:
        """A block scalar would take up blank lines that are no longer held off by this entry."""
        above = [entry for i, entry in enumerate(entries[:index]) if i not in spot.removed]
        last = _last_leaf(above[-1].leaf) if above else None
        below = self._next_line(entries[index].end)
        if last is not None and last.style in (Style.LITERAL, Style.FOLDED):
            line = self.text[below : self._next_line(below)]
            if line and (not line.strip() or line.lstrip(" ")[:1] == "#" != line[:1]):
                reason = "the lines that follow would become part of the text above"
                _refuse(self.file, reason, entries[index].start, entries[index].end)

    def _leave_empty(self, spot: _Spot, entries: list[_Entry]) -> int:
        """Write `{}` or `[]` where all entries go; return up to where nothing is left to do."""
        empty = "{}" if spot.node.kind is Kind.MAPPING else "[]"
        first, parent = entries[0], spot.parent
        if parent is not None and parent.node.kind is Kind.MAPPING:
            head = self._head(spot)
            self._add(head, head, spot, " " + empty)
            return 0
        line_end = self._next_line(first.end)
        content_end = first.end + len(self.text[first.end : line_end].rstrip("\r\n"))
        if self.text[first.end : content_end].strip(" \t")[:1] not in ("", "#"):
            _refuse(self.file, "something else stands in the same line", first.start, first.end)
        self._add(first.start, content_end, spot, empty)
        return first.start + 1

    def _pull_up(self, spot: _Spot, entries: list[_Entry]) -> int:
        """Move what follows the first entry to the line of the dash that it shares."""
        place = self._next_line(entries[0].end)
        for index, entry in enumerate(entries[1:], start=1):
            begin = self._after_blank(place)
            if begin < entry.start or index not in spot.removed:
                self._add(entries[0].start, begin, spot, "")
                return begin
            place = self._next_line(entry.end)
        start = entries[0].start
        before = len(self.text[:start].rstrip(" "))
        end = self._next_line(entries[-1].end)
        line_end = end - len(self.text[:end]) + len(self.text[:end].rstrip("\r\n"))
        self._add(before, line_end, spot, "")
        return end

    def _after_blank(self, position: int) -> int:
        while position < len(self.text) and self.text[position] in " \r\n":
            position += 1
        return position

    # ---- flow collections

    def _flow(self, spot: _Spot | None) -> Flow:
        """Return the style of a flow collection, or of the nearest around it."""
        json, colon, comma, pad = False, ": ", ", ", ""
        above = spot
        while above is not None and above.node.flow:
            pairs = above.node.pairs
            if pairs:
                json = all(key.style is Style.DOUBLE for key, _ in pairs)
                key, value = pairs[-1]
                between = self.text[key.end : value.outer_start]
                if json and between.strip(" ") == ":":
                    colon = between
                pad = " " if self.text[above.node.start + 1 : above.node.start + 2] == " " else ""
                break
            above = above.parent
        style = self._quotes(spot.node) if spot is not None else Style.PLAIN
        if spot is not None and json and ":" in colon and colon.strip() == colon:
            comma = ","
        return Flow(json, colon, comma, pad, style, newline=newline_at(self.text, 0))

    def _change_flow(self, spot: _Spot, entries: list[_Entry]) -> None:
        node = spot.node
        if self.text[node.start : node.start + 1] not in ("{", "["):
            _refuse(self.file, "a pair without braces in a sequence", node.start, node.end)
        if spot.removed and (spot.new or spot.appended):
            _refuse(self.file, "adding and removing in one line", node.start, node.end)
        for index, keys in _groups(spot.order):
            self._insert_flow(spot, entries, index, [(key, spot.new[key]) for key in keys])
        if spot.appended:
            self._insert_flow(spot, entries, len(entries) - 1, [(None, v) for v in spot.appended])
        if spot.removed:
            self._remove_flow(spot, entries)

    def _insert_flow(
        self,
        spot: _Spot,
        entries: list[_Entry],
        index: int,
        added: Sequence[tuple[str | None, Value]],
    ) -> None:
        entry, text = entries[index], self.text
        before = entries[index - 1].end if index else spot.node.start + 1
        flow = self._flow(spot)
        own_line = "\n" in text[before : entry.start] and self._own_line(entry.start)
        indent = text[self._line_start(entry.start) : entry.start] if own_line else ""
        if own_line and flow.json:
            outer = self._line_indent(spot.node.start)
            step = indent[len(outer) :] if indent.startswith(outer) else "  "
            flow = Flow(flow.json, flow.colon, flow.comma, flow.pad, flow.style, indent,
                        step or "  ", newline_at(text, entry.start))  # fmt: skip
        parts = [flow_text(v, flow) if k is None else flow_pair(k, v, flow) for k, v in added]
        comma = _COMMA.match(text, entry.end)
        rest = comma.end() if comma else entry.end
        newline = newline_at(text, entry.start)
        if not own_line:
            separator = "," + self._flow_gap(entries, flow)
        elif self._ends_line(rest) and "\n" not in text[entry.end : rest]:
            place = self._next_line(rest)
            if comma is None:
                self._add(entry.end, entry.end, spot, ",")
            last = "," if comma else ""
            body = ("," + newline).join(indent + part for part in parts) + last + newline
            self._add(place, place, spot, body)
            return
        else:
            separator = "," + newline + indent
        self._add(entry.end, entry.end, spot, "".join(separator + part for part in parts))

    def _line_indent(self, position: int) -> str:
        line = self.text[self._line_start(position) : position]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _flow_gap(self, entries: list[_Entry], flow: Flow) -> str:
        """Return the blanks behind a comma of this collection."""
        for one, other in pairwise(entries):
            gap = self.text[one.end : other.start]
            if gap.startswith(",") and not gap[1:].strip(" "):
                return gap[1:] if flow.json or gap[1:] else " "
        return flow.comma[1:]

    def _remove_flow(self, spot: _Spot, entries: list[_Entry]) -> None:
        kept = [index for index in range(len(entries)) if index not in spot.removed]
        if not kept:
            self._check_no_comment(spot.node.start, spot.node.end)
            self._add(spot.node.start + 1, spot.node.end - 1, spot, "")
            return
        last = kept[-1]
        if last < len(entries) - 1:
            start, end = entries[last].end, entries[-1].end
            self._check_no_comment(start, end)
            self._add(start, end, spot, "")
        for index in sorted(spot.removed):
            if index < last:
                start, end = entries[index].start, entries[index + 1].start
                if self._has_comment(self._next_line(entries[index].end), end):
                    _refuse(self.file, "a comment stands between the items", start, end)
                self._add(start, end, spot, "")


def _last_leaf(node: Node) -> Node:
    while node.pairs or node.items:
        node = node.pairs[-1][1] if node.pairs else node.items[-1]
    return node


def _groups(order: list[int | str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the index of an old pair and the new keys that stand behind it."""
    index, keys = 0, list[str]()
    for entry in order:
        if isinstance(entry, str):
            keys.append(entry)
            continue
        if keys:
            yield index, keys
        index, keys = entry, []
    if keys:
        yield index, keys
