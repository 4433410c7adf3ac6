"""What the scalars of YAML mean: to Kubernetes and Compose, and where others fill something in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.documents.yaml_nodes import Kind, Style

if TYPE_CHECKING:
    from hardhull.documents.yaml_nodes import Node

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

MARKS = ("{{", "#{", "$(", "${", "__", "\\")
"""A file without any of these has no placeholder; an escape may spell one of them."""


def has_placeholder(text: str) -> bool:
    """Tell whether something fills in a part of `text` before the program sees it."""
    return ("{" in text or "$(" in text or "__" in text) and bool(_PLACEHOLDER.search(text))
