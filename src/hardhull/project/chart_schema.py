"""Whether a chart's values.schema.json admits a change of its values.

Only what decides over a key or a scalar is read (https://json-schema.org/draft-07/schema): a part
of the schema that asks for more than that stands in the way, rather than be guessed at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.model import AppendItem, Items, Pairs, Scalar, Unrenderable
from hardhull.project.chart_values import as_python

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.chart_text import Path
    from hardhull.documents.yaml import YamlFile
    from hardhull.model import SetValue, Value

_COMBINING = ("allOf", "anyOf", "oneOf", "not", "if", "dependencies", "dependentSchemas")
_DEEPEST = 40


def forbids(file: YamlFile, path: Path, operation: SetValue | AppendItem) -> Unrenderable | None:
    """Why the schema does not admit the value, or can't be understood; None if it does."""
    roots = file.cursors
    whole = as_python(roots[0]) if roots else {}
    for reason in _reasons(whole, whole, path, operation.value, isinstance(operation, AppendItem)):
        name = ".".join(str(key) for key in path)
        return Unrenderable(f"values.schema.json {reason} (at {name})", file.source.path)
    return None


def _reasons(
    whole: Any, schema: Any, path: Path, value: Value, appended: bool, depth: int = 0
) -> Iterator[str]:
    schema = _followed(whole, schema)
    if schema is True or schema == {} or schema is None:
        return
    if not isinstance(schema, dict) or depth > _DEEPEST:
        yield "does not admit it"
        return
    if any(key in schema for key in _COMBINING):
        yield "combines conditions that are not followed"
        return
    if path:
        key, *rest = path
        inner = _of_key(schema, key)
        if inner is False:
            yield f"does not admit the key {key}"
        else:
            yield from _reasons(whole, inner, tuple(rest), value, appended, depth + 1)
    elif appended:
        yield from _reasons(whole, schema.get("items", True), (), value, False, depth + 1)
    else:
        yield from _of_value(whole, schema, value, depth)


def _of_key(schema: dict[str, Any], key: str | int) -> Any:
    if isinstance(key, int):
        return schema.get("items", True)
    own = schema.get("properties")
    if isinstance(own, dict) and key in own:
        return own[key]
    if schema.get("patternProperties"):
        return {"not": {}}  # not followed
    return schema.get("additionalProperties", True)


def _of_value(whole: Any, schema: dict[str, Any], value: Value, depth: int) -> Iterator[str]:
    match value:
        case Pairs(pairs):
            yield from _wrong_type(schema, "object")
            for key, inner in pairs:
                yield from _reasons(whole, schema, (key,), inner, False, depth + 1)
        case Items(items):
            yield from _wrong_type(schema, "array")
            for inner in items:
                yield from _reasons(whole, schema.get("items", True), (), inner, False, depth + 1)
        case Scalar():
            yield from _of_scalar(schema, value)


def _of_scalar(schema: dict[str, Any], value: Scalar) -> Iterator[str]:
    kind, thing = _as_json(value)
    yield from _wrong_type(schema, kind)
    if "enum" in schema and thing not in schema["enum"]:
        yield "lists the values it admits"
    if "const" in schema and thing != schema["const"]:
        yield "admits one value only"
    if any(key in schema for key in ("pattern", "format", "maxLength", "minLength")):
        yield "asks for a form that is not followed"
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(thing, int) and kind == "integer":
        below, above = low is not None and thing < low, high is not None and thing > high
        if below or above:
            yield "admits a range of numbers"


def _as_json(value: Scalar) -> tuple[str, str | int | bool]:
    if not value.string and value.text in ("true", "false"):
        return "boolean", value.text == "true"
    if not value.string and value.text.lstrip("-").isdecimal():
        return "integer", int(value.text)
    return "string", value.text


def _wrong_type(schema: dict[str, Any], kind: str) -> Iterator[str]:
    wanted = schema.get("type")
    listed = wanted if isinstance(wanted, list) else [wanted]
    if wanted is not None and kind not in listed and not (kind == "integer" and "number" in listed):
        yield f"wants another type than {kind}"


def _followed(whole: Any, schema: Any) -> Any:
    """The definition that a `$ref` inside the same file names; False if it leads elsewhere."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict) or "$ref" not in schema:
            return schema
        name = str(schema["$ref"])
        if not name.startswith("#/"):
            return False
        schema = whole
        for key in name[2:].split("/"):
            schema = schema.get(key) if isinstance(schema, dict) else None
    return False
