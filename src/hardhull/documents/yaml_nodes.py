"""The nodes of YAML as they are written: kinds, spans, and what a mapping's keys lead to."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(enum.Enum):
    """What a node is."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    SEQUENCE = "sequence"
    ALIAS = "alias"


class Style(enum.Enum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"
    LITERAL = "literal"
    FOLDED = "folded"


class Node:
    """A node as written. Never changed once the file is read.

    `start` and `end` hold the content without `&anchor` and `!!tag`; `outer_start` is where those
    begin. A block collection ends with its last leaf, a block scalar before its last line end.
    """

    __slots__ = (
        "anchor", "end", "flow", "found", "items", "kind", "outer_start", "pairs", "start", "style",
        "tag", "target", "value",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917  # one call per node of a file: keywords cost time
        self,
        kind: Kind,
        outer_start: int,
        start: int,
        end: int,
        anchor: str | None,
        tag: str | None,
        style: Style = Style.PLAIN,
        value: str = "",
        flow: bool = False,
    ) -> None:
        self.kind = kind
        self.outer_start = outer_start
        self.start = start
        self.end = end
        self.anchor = anchor
        self.tag = tag
        self.style = style
        self.value = value
        self.flow = flow
        self.pairs: list[tuple[Node, Node]] = _NO_PAIRS
        self.items: list[Node] = _NO_ITEMS
        self.target: Node | None = None
        self.found: dict[str, tuple[Node, Node, bool]] | None = None

    def __repr__(self) -> str:
        """Kind and span, for people who debug."""
        return f"<{self.kind.value} {self.start}:{self.end}>"

    @property
    def children(self) -> Iterator[Node]:
        """Keys and values, or items, in the order of the text."""
        for key, value in self.pairs:
            yield key
            yield value
        yield from self.items

    @property
    def by_key(self) -> dict[str, tuple[Node, Node, bool]]:
        """Key, value and whether a merge key brought them, by the text of the key.

        The last of doubled keys counts. Made when first asked for: rules ask many times.
        """
        if self.found is None:
            self.found = _by_key(self)
        return self.found


_NO_PAIRS: list[tuple[Node, Node]] = []
_NO_ITEMS: list[Node] = []


def _by_key(node: Node) -> dict[str, tuple[Node, Node, bool]]:
    found: dict[str, tuple[Node, Node, bool]] = {}
    merges = False
    for name, value in node.pairs:
        text = name.value if name.kind is Kind.SCALAR else key_text(name)
        if text == "<<" and is_merge(name):
            merges = True
        elif text is not None:
            found[text] = (name, value, False)
    for name, value in merged_pairs(node) if merges else ():
        text = key_text(name)
        if text is not None and text not in found:
            found[text] = (name, value, True)
    return found


def key_text(key: Node) -> str | None:
    """Return the string of a mapping key; None if the key is a collection."""
    if key.kind is Kind.ALIAS and key.target is not None:
        key = key.target
    return key.value if key.kind is Kind.SCALAR else None


def is_merge(key: Node) -> bool:
    """Tell whether this is the unquoted key `<<`."""
    return key.value == "<<" and key.style is Style.PLAIN and key.kind is Kind.SCALAR


def merged_pairs(node: Node, seen: set[int] | None = None) -> list[tuple[Node, Node]]:
    """Return the pairs that merge keys bring into a mapping, those that win first.

    `seen` are the mappings merged already: what they bring has won, and a file that merges one
    mapping a million times costs no more than it is long.
    """
    seen = {id(node)} if seen is None else seen
    found: list[tuple[Node, Node]] = []
    for key, value in node.pairs:
        if is_merge(key):
            sources = value.items if value.kind is Kind.SEQUENCE else [value]
            for source in sources:
                mapping = source.target or source
                if id(mapping) in seen:
                    continue
                seen.add(id(mapping))
                found += [pair for pair in mapping.pairs if not is_merge(pair[0])]
                found += merged_pairs(mapping, seen)
    return found
