"""The spelling of new YAML: scalars, block lines and flow text, in the style of the neighbours."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hardhull.documents.yaml_nodes import Style
from hardhull.documents.yaml_scalars import resolve_plain
from hardhull.model import Items, Pairs, Scalar, Value

# ---------------------------------------------------------------- scalars

_BAD_START = re.compile(r"[\s?:,\[\]{}#&*!|>'\"%@`=]|-(?:[\s,\[\]{}]|$)|---|\.\.\.")
_BAD_INSIDE = re.compile(r":(?:\s|$)|\s#|\s$")
_FLOW_INDICATOR = re.compile(r"[,\[\]{}?]")
_NUMBER_TO_OTHERS = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\d{4}-\d\d?-\d\d?.*"
)
"""Base 60 and dates: strings to Kubernetes, something else to other readers."""


def reads_plain(text: str, flow: bool = False) -> bool:
    """Tell whether `text` can stand without quotes and stays one scalar."""
    if not text or not text.isprintable() or _BAD_START.match(text) or _BAD_INSIDE.search(text):
        return False
    return not (flow and _FLOW_INDICATOR.search(text))


def scalar_tag(scalar: Scalar) -> str:
    """Return the tag with which a written scalar reads."""
    if scalar.string or (scalar.text and not reads_plain(scalar.text)):
        return "str"
    return resolve_plain(scalar.text)[0]


def spell(scalar: Scalar, flow: bool = False, style: Style = Style.PLAIN) -> str:
    """Return the text of a scalar, in quotes of `style` if it reads as a string."""
    text = scalar.text
    if scalar_tag(scalar) != "str":
        return text or "null"
    if style is Style.PLAIN:
        as_string = resolve_plain(text)[0] == "str" and not _NUMBER_TO_OTHERS.fullmatch(text)
        if reads_plain(text, flow) and (as_string or not scalar.string):
            return text
    if style is Style.SINGLE and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escape(character) for character in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\U{code:08x}" if code >> 16 else f"\\u{code:04x}"


# ---------------------------------------------------------------- block style


@dataclass(frozen=True, slots=True)
class Layout:
    """How a document lays out its blocks."""

    step: int = 2
    """How much deeper a mapping in a mapping stands."""
    item_offset: int = 0
    """How much deeper the dashes of a sequence stand than its key."""
    dash: str = "- "
    style: Style = Style.PLAIN
    """How strings are quoted here."""


def pair_lines(key: str, value: Value, indent: int, layout: Layout) -> list[str]:
    """Return the lines of `key: value` in a block mapping at `indent`."""
    spelled = spell(Scalar(key, string=True))
    head = " " * indent + spelled + ":"
    if isinstance(value, Scalar) or is_empty(value):
        return [f"{head} {leaf_text(value, layout.style)}"]
    deeper = layout.step if isinstance(value, Pairs) else layout.item_offset
    return [head, *content_lines(value, indent + deeper, layout)]


def is_empty(value: Value) -> bool:
    """Tell whether this is a collection without content."""
    return (isinstance(value, Pairs) and not value.pairs) or (
        isinstance(value, Items) and not value.items
    )


def leaf_text(value: Value, style: Style = Style.PLAIN) -> str:
    """Return the text of a scalar or an empty collection in block style."""
    if isinstance(value, Scalar):
        return spell(value, style=style)
    return "{}" if isinstance(value, Pairs) else "[]"


def content_lines(value: Value, indent: int, layout: Layout) -> list[str]:
    """Return the lines of a collection that is not empty, at `indent`."""
    lines: list[str] = []
    if isinstance(value, Pairs):
        for key, member in value.pairs:
            lines += pair_lines(key, member, indent, layout)
    if isinstance(value, Items):
        for item in value.items:
            lines += item_lines(item, indent, layout)
    return lines


def item_lines(value: Value, indent: int, layout: Layout) -> list[str]:
    """Return the lines of `- value` in a block sequence whose dashes stand at `indent`."""
    head = " " * indent + layout.dash
    if isinstance(value, Scalar) or is_empty(value):
        return [head + leaf_text(value, layout.style)]
    lines = content_lines(value, indent + len(layout.dash), replace(layout, dash="- "))
    return [head + lines[0].lstrip(" "), *lines[1:]]


# ---------------------------------------------------------------- flow style


@dataclass(frozen=True, slots=True)
class Flow:
    """How a flow collection is laid out. `indent` is None for one line."""

    json: bool = False
    colon: str = ": "
    comma: str = ", "
    pad: str = ""
    style: Style = Style.PLAIN
    indent: str | None = None
    step: str = "  "
    newline: str = "\n"


def flow_pair(key: str, value: Value, flow: Flow) -> str:
    """Return `key: value` for a flow mapping."""
    style = Style.DOUBLE if flow.json else Style.PLAIN
    return spell(Scalar(key, string=True), True, style) + flow.colon + flow_text(value, flow)


def flow_text(value: Value, flow: Flow) -> str:
    """Return the text of a value in flow style."""
    if isinstance(value, Scalar):
        return spell(value, True, Style.DOUBLE if flow.json else flow.style)
    inner = flow if flow.indent is None else replace(flow, indent=flow.indent + flow.step)
    if isinstance(value, Pairs):
        brackets = "{}"
        parts = [flow_pair(key, member, inner) for key, member in value.pairs]
    else:
        brackets = "[]"
        parts = [flow_text(item, inner) for item in value.items]
    if not parts:
        return brackets
    if inner.indent is None or flow.indent is None:
        pad = flow.pad if brackets == "{}" else ""
        return brackets[0] + pad + flow.comma.join(parts) + pad + brackets[1]
    between = flow.newline + inner.indent
    body = between + ("," + between).join(parts)
    return brackets[0] + body + flow.newline + flow.indent + brackets[1]
