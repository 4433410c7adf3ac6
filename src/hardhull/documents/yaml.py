"""YAML as it is written: nodes with exact spans, and cursors that rules walk with.

Built from libyaml's event stream, because composers lose what a byte-exact editor needs: where
an alias stands, how a scalar is spelled, which keys are doubled. Longer than other modules:
reading and the meaning of what was read (`resolve`, `opaque`, `Cursor`) must not drift apart.
"""

from __future__ import annotations

import enum
import gc
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from hardhull.documents.unreadable import Unreadable
from hardhull.model import Address, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hardhull.documents.source import Source

try:
    from _ruamel_yaml import CParser
except ImportError:  # plain ruamel.yaml brings no C parser; ours depends on ruamel.yaml.clib
    CParser = None

USES_C_PARSER = CParser is not None
"""False when the pure-Python parser stands in: same results, about seven times slower."""

MAX_DEPTH = 100
MAX_NODES = 500_000
MAX_ALIASES = 10_000
MAX_BYTES = 8 * 1024 * 1024

# ---------------------------------------------------------------- nodes


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
        self.filled_in = any(mark in self.text for mark in _MARKS)
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


# ---------------------------------------------------------------- reading

_STYLES = {
    None: Style.PLAIN, "": Style.PLAIN, "'": Style.SINGLE, '"': Style.DOUBLE,
    "|": Style.LITERAL, ">": Style.FOLDED,
}  # fmt: skip
_PROPERTY = re.compile(r"(?:!<[^>]*>|[&!][^\s,\[\]{}]*)(?:\s+|#[^\r\n]*)*")
_COLON = re.compile(r"[ \t]*:")
_TEMPLATE_LINE = re.compile(r"^[ \t]*(?:- *)?\{\{|^[ \t]*\{%|(?<!\$)\{\{-", re.MULTILINE)
_TEMPLATE_PART = re.compile(r"(?<!\$)\{\{|\{%")


class _BudgetError(Exception):
    """A budget is used up, or an alias leads nowhere; `args` are offset and reason."""


def read_yaml(source: Source) -> YamlFile | Unreadable:
    """Read a file. Whatever stands in the way is returned, never raised."""
    text = source.text
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        return Unreadable(source.line_of(error.start), "not UTF-8")
    if size > MAX_BYTES:
        return Unreadable(1, f"larger than {MAX_BYTES // (1024 * 1024)} MiB")
    collecting = gc.isenabled()
    gc.disable()  # nodes live as long as the run: looking for dead ones trebles the time
    try:
        documents, aliases = _read_text(text)
    except _BudgetError as stop:
        return Unreadable(source.line_of(stop.args[0]), stop.args[1])
    except (YAMLError, ValueError, RecursionError) as error:
        return _explain(source, error)
    finally:
        if collecting:
            gc.enable()
    return YamlFile(source, tuple(documents), tuple(aliases))


def _read_text(text: str) -> tuple[list[YamlDocument], list[Node]]:
    try:
        return _read_events(text, _event_source(text))
    except YAMLError as error:
        # The C parser is a libyaml that refuses `[nginx:1.25]`, which newer ones and Go's accept.
        if CParser is None or "unexpected ':'" not in (getattr(error, "problem", None) or ""):
            raise
    return _read_events(text, _event_source(text, pure=True))


def _event_source(text: str, *, pure: bool = False) -> Callable[[], Any]:
    if CParser is not None and not pure:
        return CParser(text).get_event  # type: ignore[no-any-return]
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    return reader.get_constructor_parser(text)[1].get_event  # type: ignore[no-any-return]


def _explain(source: Source, error: Exception) -> Unreadable:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    offset = min(mark.index, len(source.text)) if mark is not None else 0
    line = source.line_of(offset)
    near = "\n".join(source.line_text(number) for number in range(max(line - 1, 1), line + 1))
    if _TEMPLATE_LINE.search(source.text) or _TEMPLATE_PART.search(near):
        return Unreadable(line, "a template, not plain YAML")
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return Unreadable(line, f"not valid YAML: {problem}")


def _read_events(text: str, get: Callable[[], Any]) -> tuple[list[YamlDocument], list[Node]]:  # noqa: C901, PLR0912, PLR0915
    # One flat loop over local names: this runs for each event of each file, and calls per event
    # would double its time.
    scalar_kind, mapping_kind, sequence_kind = Kind.SCALAR, Kind.MAPPING, Kind.SEQUENCE
    plain, styles, skip = Style.PLAIN, _STYLES, _skip_properties
    documents: list[YamlDocument] = []
    aliases: list[Node] = []
    anchors: dict[str, Node] = {}
    children: list[Node] = []
    stack: list[tuple[Node, list[Node]]] = []
    count = 0
    while True:
        event = get()
        cls = event.__class__
        if cls is ScalarEvent:
            count += 1
            start, end = event.start_mark.index, event.end_mark.index
            anchor, tag, style = event.anchor, event.ctag, styles[event.style]
            inner = start
            if anchor is not None or tag is not None:
                inner = skip(text, start, end, (anchor is not None) + (tag is not None))
                tag = event.tag
            if style is not plain:
                if style is Style.LITERAL or style is Style.FOLDED:
                    end = _block_scalar_end(text, inner, end)
            elif inner == end and children:
                start, inner, end = _place_of_nothing(text, start, end, children, stack)
            node = Node(scalar_kind, start, inner, end, anchor, tag, style, event.value)
            children.append(node)
            if anchor is not None:
                anchors[anchor] = node
        elif cls is MappingStartEvent or cls is SequenceStartEvent:
            count += 1
            start, anchor, tag = event.start_mark.index, event.anchor, event.ctag
            inner = start
            if anchor is not None or tag is not None:
                inner = skip(text, start, len(text), (anchor is not None) + (tag is not None))
                tag = event.tag
            kind = mapping_kind if cls is MappingStartEvent else sequence_kind
            node = Node(kind, start, inner, inner, anchor, tag, plain, "", event.flow_style)
            children.append(node)
            if anchor is not None:
                anchors[anchor] = node
            if len(stack) >= MAX_DEPTH or count > MAX_NODES:
                limit = "nested deeper than" if len(stack) >= MAX_DEPTH else "more nodes than"
                number = MAX_DEPTH if len(stack) >= MAX_DEPTH else MAX_NODES
                raise _BudgetError(start, f"{limit} {number}")
            stack.append((node, children))
            children = []
        elif cls is MappingEndEvent or cls is SequenceEndEvent:
            node, outer = stack.pop()
            end = event.end_mark.index
            if node.flow and end > event.start_mark.index:
                node.end = end
            elif children:
                node.end = children[-1].end
            if cls is MappingEndEvent:
                node.pairs = list(zip(children[::2], children[1::2], strict=True))
            else:
                node.items = children
            children = outer
        elif cls is AliasEvent:
            start = event.start_mark.index
            node = Node(Kind.ALIAS, start, start, event.end_mark.index, None, None)
            node.value = event.anchor
            node.target = _alias_target(event.anchor, anchors, stack, start)
            aliases.append(node)
            children.append(node)
            if len(aliases) > MAX_ALIASES:
                raise _BudgetError(start, f"more aliases than {MAX_ALIASES}")
        elif cls is DocumentStartEvent:
            begins = event.start_mark.index
            if documents:
                documents[-1].end = begins
            documents.append(YamlDocument(None, begins if documents else 0, len(text)))
            anchors, children = {}, []
        elif cls is DocumentEndEvent:
            root = children[0]
            if root.kind is not scalar_kind or root.outer_start < root.end:
                documents[-1].root = root
            if count > MAX_NODES:
                raise _BudgetError(root.start, f"more nodes than {MAX_NODES}")
        elif cls is StreamEndEvent:
            return documents, aliases


def _skip_properties(text: str, start: int, end: int, count: int) -> int:
    """Return where the content begins behind `count` anchors and tags."""
    for _ in range(count):
        match = _PROPERTY.match(text, start, end)
        if match is not None:
            start = match.end()
    return start


def _block_scalar_end(text: str, start: int, end: int) -> int:
    """Leave out line ends that are no content, so that blank lines belong to what follows."""
    header_end = text.find("\n", start, end)
    header = text[start : end if header_end < 0 else header_end].partition("#")[0]
    if "+" not in header:
        return start + len(text[start:end].rstrip("\r\n"))
    if text.endswith("\r\n", start, end):
        return end - 2
    return end - 1 if text.endswith("\n", start, end) else end


def _place_of_nothing(
    text: str, start: int, end: int, children: list[Node], stack: list[tuple[Node, list[Node]]]
) -> tuple[int, int, int]:
    """Put an empty value behind its colon: libyaml marks the next token when there is none."""
    if end > start:  # anchor or tag without content: they do not contain the blanks behind them
        stripped = start + len(text[start:end].rstrip())
        return start, stripped, stripped
    if stack and stack[-1][0].kind is Kind.MAPPING and len(children) % 2:
        key = children[-1]
        colon = _COLON.match(text, key.end)
        if colon is not None:
            return colon.end(), colon.end(), colon.end()
        if ":" not in text[key.end : start]:
            return key.end, key.end, key.end
    return start, start, start


def _alias_target(
    name: str, anchors: dict[str, Node], stack: list[tuple[Node, list[Node]]], offset: int
) -> Node:
    target = anchors.get(name)
    if target is None:
        raise _BudgetError(offset, f"not valid YAML: alias *{name} has no anchor before it")
    if any(node is target for node, _ in stack):
        raise _BudgetError(offset, f"not valid YAML: alias *{name} stands inside its own anchor")
    return target


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


# ---------------------------------------------------------------- what scalars mean

_BOOLEANS = {
    spelling: word in ("y", "yes", "true", "on")
    for word in ("y", "yes", "true", "on", "n", "no", "false", "off")
    for spelling in (word, word.capitalize(), word.upper())
}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(
    r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)", re.ASCII
)
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    re.ASCII,
)
_PREFIX = "tag:yaml.org,2002:"


def resolve(node: Node) -> tuple[str, object]:
    """Return the tag and the value of a node as Kubernetes and Compose read it.

    Tags are short (`str`, `int`, `bool`, `null`, `float`, `merge`, `map`, `seq`); others as given.
    """
    if node.kind is Kind.ALIAS:
        return resolve(node.target) if node.target is not None else ("null", None)
    tag = None if node.tag is None else str(node.tag).removeprefix(_PREFIX)
    if node.kind is not Kind.SCALAR:
        return tag or ("map" if node.kind is Kind.MAPPING else "seq"), None
    if tag == "!" or (tag is None and node.style is not Style.PLAIN):
        return "str", node.value
    if tag is None:
        return resolve_plain(node.value)
    implied, value = resolve_plain(node.value)
    return tag, value if implied == tag else node.value


def resolve_plain(text: str) -> tuple[str, object]:
    """Return the tag and the value of an unquoted scalar."""
    if text in _NULLS:
        return "null", None
    if text in _BOOLEANS:
        return "bool", _BOOLEANS[text]
    if text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return "int", _integer(text)
        if _FLOAT.fullmatch(text):
            return "float", text
    return ("merge", text) if text == "<<" else ("str", text)


def _integer(text: str) -> int | None:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    try:
        if digits[:2] in ("0b", "0o", "0x"):
            return sign * int(digits, 0)
        return sign * int(digits, 8 if digits.startswith("0") else 10)
    except ValueError:  # nothing but underscores, or more digits than Python reads
        return None


_PLACEHOLDER = re.compile(
    r"\{\{|#\{|(?<!\$)(?:\$\$)*\$[{(]"
    r"|(?<![A-Za-z0-9_])__[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?__(?![A-Za-z0-9_])",
    re.ASCII,
)
_PLACEHOLDER_COMMENT = re.compile(r"[ \t]*#\{")
_PLACEHOLDER_BELOW = re.compile(r"\s*#\{")


_MARKS = ("{{", "#{", "$(", "${", "__", "\\")
"""A file without any of these has no placeholder; an escape may spell one of them."""


def has_placeholder(text: str) -> bool:
    """Tell whether something fills in a part of `text` before the program sees it."""
    return ("{" in text or "$(" in text or "__" in text) and bool(_PLACEHOLDER.search(text))


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
