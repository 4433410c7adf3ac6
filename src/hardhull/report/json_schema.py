"""JSON Schemas from types: what `shapes.py` says is what the schema says."""

from __future__ import annotations

import inspect
import types
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from hardhull.report import shapes

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    Any: {},
}


def report_schema() -> dict[str, Any]:
    """The schema of what `--format json` prints."""
    definitions: dict[str, Any] = {}
    forms = [_schema(shape, definitions) for shape in (shapes.Report, shapes.Reports)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hardhull report",
        "description": "Lines and columns count from 1, columns in code points; ends exclusive.",
        "oneOf": forms,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if is_typeddict(kind):
        name = kind.__name__.removesuffix("Shape").lower()
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return {**_schema(inner[0], definitions), "description": inner[1]}
    if origin is Literal:
        if len(inner) == 1:
            return {"const": inner[0]}
        return {"type": "string", "enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": _schema(inner[0], definitions)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, definitions) for one in inner]}
    raise TypeError(f"no JSON Schema for {kind!r}")


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    required = sorted({"operation", "path"} & set(hints)) if not kind.__total__ else list(hints)
    return {
        "type": "object",
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "properties": {name: _schema(hint, definitions) for name, hint in hints.items()},
        "required": required,
        "additionalProperties": False,
    }
