"""What is made from the table of keys: the JSON Schema, and the rows of the documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hardhull.configuration.keys import (
    KEYS,
    LARGEST_ID,
    Choice,
    Flag,
    Number,
    Record,
    Several,
    Table,
    Text,
    expected,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hardhull.configuration.keys import Key, Shape


def schema(known_rules: Collection[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of the configuration file."""
    made = _schema(KEYS, known_rules)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "hardhull configuration",
        **made,
    }


def _schema(shape: Shape, known_rules: Collection[str]) -> dict[str, Any]:
    match shape:
        case Choice(words):
            return {"type": "string", "enum": list(words)}
        case Text(pattern, expected):
            written = any(re.fullmatch(pattern, number) for number in ("0", "1"))
            kinds = ["string", "number"] if written else "string"
            return {"type": kinds, "pattern": f"^(?:{pattern})$", "title": expected}
        case Number(refused):
            return {
                "type": "integer",
                "minimum": 1,
                "maximum": LARGEST_ID,
                "not": {"enum": list(refused)},
            }
        case Flag():
            return {"type": "boolean"}
        case Several(item):
            return {"type": "array", "items": _schema(item, known_rules)}
        case Table(value, _, rules):
            inner = _schema(value, known_rules)
            if rules and known_rules:
                named = dict.fromkeys(sorted(known_rules), inner)
                return {"type": "object", "properties": named, "additionalProperties": False}
            return {"type": "object", "additionalProperties": inner}
        case Record(keys):
            return _record_schema(keys, known_rules)


def _record_schema(keys: tuple[Key, ...], known_rules: Collection[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key in keys:
        properties[key.name] = {"description": key.doc, **_schema(key.shape, known_rules)}
        if key.default is not None:
            properties[key.name]["default"] = key.default
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return made | ({"required": required} if required else {})


def describe() -> tuple[tuple[str, str, str, str], ...]:
    """Return a row for each key: dotted name, what it takes, its default and its sentence."""
    return tuple(_rows("", KEYS))


def _rows(prefix: str, record: Record) -> Iterable[tuple[str, str, str, str]]:
    for key in record.keys:
        name = prefix + key.name
        inner = key.shape
        if isinstance(inner, Table) and isinstance(inner.value, Record):
            name, inner = f"{name}.<{inner.name}>", inner.value
        if isinstance(inner, Record):
            yield (name, "mapping", "", key.doc)
            yield from _rows(name + ".", inner)
        else:
            yield (name, expected(inner), _spelled(key.default), key.doc)


def _spelled(default: object) -> str:
    match default:
        case None | {} | []:
            return "none" if default is None else "empty"
        case bool():
            return "true" if default else "false"
        case list():
            return ", ".join(str(word) for word in default)
        case _:
            return str(default)
