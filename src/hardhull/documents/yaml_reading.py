"""Reading YAML: libyaml's event stream becomes nodes with exact spans.

Composers lose what a byte-exact editor needs: where an alias stands, how a scalar is spelled,
which keys are doubled.
"""

from __future__ import annotations

import gc
import re
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
from hardhull.documents.yaml import YamlDocument, YamlFile
from hardhull.documents.yaml_nodes import Kind, Node, Style

if TYPE_CHECKING:
    from collections.abc import Callable

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
