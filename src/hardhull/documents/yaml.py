"""A YAML file that was read, and cursors that rules walk through it."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from hardhull.documents.yaml_nodes import Kind, Style, key_text
from hardhull.documents.yaml_scalars import MARKS, has_placeholder, resolve
from hardhull.model import Address, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hardhull.documents.source import Source
    from hardhull.documents.yaml_nodes import Node


class YamlDocument:
    """One document of a stream. The spans of all documents cover the whole text."""

    __slots__ = ("end", "root", "start")

    def __init__(self, root: Node | None, start: int, end: int) -> None:
        self.root = root
        self.start = start
        self.end = end


class YamlFile:
    """A YAML file that was read: its documents, aliases and comments.

    `text` is what was read and what all nodes speak of. It is the source's, but for a template:
    there it is what the template renders, and `place` says where that stands in the source.
    """

    __slots__ = (
        "_comments", "_referrers", "aliases", "documents", "filled_in", "place", "source", "text",
        "trees",
    )  # fmt: skip

    def __init__(
        self,
        source: Source,
        documents: tuple[YamlDocument, ...],
        aliases: tuple[Node, ...],
        text: str | None = None,
        place: Callable[[int, int], Span] | None = None,
    ) -> None:
        self.source = source
        self.documents = documents
        self.aliases = aliases
        self.text = source.text if text is None else text
        self.place = place
        self.filled_in = any(mark in self.text for mark in MARKS)
        """Whether anything in it may be a placeholder: most files have none."""
        self.trees: tuple[Any, ...] | None = None
        """What `yaml_structure.structure` found."""
        self._comments: list[Span] | None = None
        self._referrers: dict[int, Node] | None = None

    def span(self, start: int, end: int) -> Span:
        """Return where a part of `text` stands in the source."""
        return Span(start, end) if self.place is None else self.place(start, end)

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of the source for an offset in `text`."""
        return self.source.line_of(self.span(offset, offset).start)

    def cursor(self, document_index: int) -> Cursor | None:
        """Return a cursor at the root of a document; None if the document is empty."""
        root = self.documents[document_index].root
        return None if root is None else Cursor(self, (document_index,), root)

    @property
    def cursors(self) -> list[Cursor]:
        """The roots of all documents that are not empty."""
        found = (self.cursor(index) for index in range(len(self.documents)))
        return [cursor for cursor in found if cursor is not None]

    @property
    def comments(self) -> list[Span]:
        """The spans of all comments, from `#` to the end of its line, in order."""
        if self._comments is None:
            self._comments = list(_find_comments(self))
        return self._comments

    def alias_of(self, node: Node) -> Node | None:
        """Return the first alias that refers to `node`, if there is one."""
        if self._referrers is None:
            self._referrers = {id(alias.target): alias for alias in reversed(self.aliases)}
        return self._referrers.get(id(node))


_PLACEHOLDER_COMMENT = re.compile(r"[ \t]*#\{")
_PLACEHOLDER_BELOW = re.compile(r"\s*#\{")


def opaque(file: YamlFile, node: Node) -> bool:
    """Tell whether the value of `node` is known only after placeholders are filled in."""
    if not file.filled_in:
        return False
    text = file.text
    if node.kind is Kind.ALIAS:
        return node.target is not None and opaque(file, node.target)
    if node.kind is not Kind.SCALAR:
        return node.flow and text.startswith("{{", node.start)
    if has_placeholder(node.value):
        return True
    if node.style is not Style.PLAIN:
        return False
    follows = _PLACEHOLDER_COMMENT if node.value else _PLACEHOLDER_BELOW
    return bool(follows.match(text, node.end))


# ---------------------------------------------------------------- comments


def _find_comments(file: YamlFile) -> Iterator[Span]:
    """Between leaves there are only indicators, properties and comments: each `#` begins one."""
    text = file.text
    done = 0
    for document in file.documents:
        for leaf in _leaves(document.root):
            if text.find("#", done, leaf.start) >= 0:
                yield from _comments_between(text, done, leaf.start)
            done = leaf.end
            if leaf.style is Style.LITERAL or leaf.style is Style.FOLDED:
                header_end = _line_end(text, leaf.start, leaf.end)
                yield from _comments_between(text, leaf.start, header_end)
    yield from _comments_between(text, done, len(text))


def _comments_between(text: str, start: int, end: int) -> Iterator[Span]:
    position = text.find("#", start, end)
    while position >= 0:
        stop = _line_end(text, position, end)
        yield Span(position, stop)
        position = text.find("#", stop, end)


_BREAK = re.compile("[\r\n\x85\u2028\u2029]")


def _line_end(text: str, start: int, end: int) -> int:
    match = _BREAK.search(text, start, end)
    return match.start() if match else end


def _leaves(root: Node | None) -> Iterator[Node]:
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if node.pairs or node.items:
            waiting += reversed(list(node.children))
        elif node.kind is Kind.SCALAR or node.kind is Kind.ALIAS:
            yield node


# ---------------------------------------------------------------- cursors


class Cursor:
    """A place in a file, as all rules see it. `node` is what is meant, `written` what is there.

    The two differ when an alias stands at the place. `shared` says that the way here went through
    an alias or a merge key, so that a change would change other places too.
    """

    __slots__ = ("address", "file", "key", "node", "shared", "written")

    def __init__(
        self,
        file: YamlFile,
        address: Address,
        node: Node,
        shared: bool = False,
        key: Node | None = None,
    ) -> None:
        self.file = file
        self.address = address
        self.written = node
        self.key = key
        target = node.target
        self.node = node if target is None else target
        self.shared = shared or target is not None

    def __repr__(self) -> str:
        """Path and address, for people who debug."""
        return f"<Cursor {self.file.source.path} {self.address}>"

    def __eq__(self, other: object) -> bool:
        """Cursors are equal when they stand at the same place of the same file."""
        if not isinstance(other, Cursor):
            return NotImplemented
        return self.file is other.file and self.address == other.address

    def __hash__(self) -> int:
        """Fit for sets: place and file."""
        return hash((id(self.file), self.address))

    # ---- where it stands

    @property
    def path(self) -> str:
        """The path of the file."""
        return self.file.source.path

    @property
    def span(self) -> Span:
        """The span of what is written here, without anchor and tag."""
        return self.file.span(self.written.start, self.written.end)

    @property
    def key_span(self) -> Span | None:
        """The span of the mapping key that leads here."""
        return None if self.key is None else self.file.span(self.key.start, self.key.end)

    @property
    def line(self) -> int:
        """The 1-based line of the key that leads here, else of the value."""
        place = self.written if self.key is None else self.key
        return self.file.line_of(place.start)

    @property
    def raw(self) -> str:
        """The text as written, quotes and all; `*name` for an alias."""
        return self.file.text[self.written.start : self.written.end]

    # ---- what it is

    @property
    def kind(self) -> Kind:
        """SCALAR, MAPPING or SEQUENCE: aliases are followed."""
        return self.node.kind

    @property
    def is_mapping(self) -> bool:
        """True for a mapping whose content is known."""
        return self.node.kind is Kind.MAPPING and not self.is_opaque

    @property
    def is_sequence(self) -> bool:
        """True for a sequence."""
        return self.node.kind is Kind.SEQUENCE

    @property
    def is_opaque(self) -> bool:
        """True if the value is known only after placeholders are filled in."""
        return opaque(self.file, self.node)

    @property
    def is_null(self) -> bool:
        """True for nothing, `~` and `null`; never for a placeholder."""
        return resolve(self.node)[0] == "null" and not self.is_opaque

    @property
    def text(self) -> str | None:
        """The cooked string of a scalar; None for collections and placeholders."""
        return None if self.node.kind is not Kind.SCALAR or self.is_opaque else self.node.value

    def as_bool(self) -> bool | None:
        """Return the boolean that Kubernetes and Compose read here, if it is one."""
        tag, value = resolve(self.node)
        return value if tag == "bool" and isinstance(value, bool) else None

    def as_int(self) -> int | None:
        """Return the integer that Kubernetes and Compose read here, if it is one."""
        tag, value = resolve(self.node)
        known = tag == "int" and isinstance(value, int) and not self.is_opaque
        return value if known and isinstance(value, int) else None

    # ---- where it leads

    def get(self, *keys: str | int) -> Cursor | None:
        """Follow mapping keys and sequence indexes, through aliases and merge keys."""
        # Asked for more often than anything else: only the last step makes a cursor.
        node, shared, name = self.written, self.shared, self.key
        for key in keys:
            if node.target is not None:
                node, shared = node.target, True
            if node.kind is Kind.MAPPING:
                known = node.found if node.found is not None else node.by_key
                found = known.get(key if isinstance(key, str) else str(key))
                if found is None:
                    return None
                name, node, merged = found
                shared = shared or merged
            elif node.kind is Kind.SEQUENCE:
                if not isinstance(key, int) or not 0 <= key < len(node.items):
                    return None
                name, node = None, node.items[key]
            else:
                return None
        return Cursor(self.file, (*self.address, *keys), node, shared, name)

    def items(self) -> list[Cursor]:
        """Return the items of a sequence; nothing for anything else."""
        file, address, shared = self.file, self.address, self.shared
        return [
            Cursor(file, (*address, index), item, shared)
            for index, item in enumerate(self.node.items)
        ]

    def pairs(self) -> list[tuple[str, Cursor]]:
        """Return keys and values of a mapping, merged ones that are not overridden last."""
        file, address, shared = self.file, self.address, self.shared
        return [
            (text, Cursor(file, (*address, text), value, shared or merged, name))
            for text, (name, value, merged) in self.node.by_key.items()
        ]

    def keys(self) -> list[str]:
        """Return the keys of a mapping, merged ones included."""
        return [key for key, _ in self.pairs()]

    @property
    def duplicates(self) -> tuple[str, ...]:
        """Keys that are written more than once in this mapping."""
        names = [key_text(name) for name, _ in self.node.pairs]
        return tuple(
            dict.fromkeys(name for name in names if name is not None and names.count(name) > 1)
        )


def comments(file: YamlFile) -> list[Span]:
    """Return the spans of all comments of a file, in order."""
    return file.comments


def comments_near(cursor: Cursor) -> list[Span]:
    """Return the comments inside the lines of a place, and those directly above it."""
    source, spans = cursor.file.source, cursor.file.comments
    begin = cursor.written if cursor.key is None else cursor.key
    first = source.line_of(begin.outer_start)
    last = source.line_of(cursor.written.end)
    above = {source.line_of(span.start): span for span in comments_before(cursor.file, begin)}
    while first - 1 in above and source.line_text(first - 1).lstrip().startswith("#"):
        first -= 1
    low = bisect_left(spans, (source.offset_of_line(first), 0))
    near = []
    for span in spans[low:]:
        if source.line_of(span.start) > last:
            break
        near.append(span)
    return near


def comments_before(file: YamlFile, node: Node) -> list[Span]:
    """Return the comments above a node, the nearest last; at most a hundred."""
    stop = bisect_left(file.comments, (node.outer_start, 0))
    return file.comments[max(0, stop - 100) : stop]
