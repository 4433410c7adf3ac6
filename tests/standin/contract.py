"""GitHub's published descriptions, cut down, and whether a request or an answer follows them."""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import DocumentNode, GraphQLSchema, build_schema, parse, validate
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, SchemaRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from standin.routing import Route

HERE = Path(__file__).parent / "contract"
ROOT = "urn:github"
# What GitHub does and the description doesn't say.
BARE_LABELS = "GitHub takes a bare list of labels too"


@functools.cache
def openapi() -> dict[str, Any]:
    """The description, its schemas in JSON Schema's words."""
    found: dict[str, Any] = json.loads(gzip.decompress((HERE / "openapi.json.gz").read_bytes()))
    _say_null(found)
    return found


def _say_null(node: Any) -> None:
    """`nullable: true` is OpenAPI 3.0's own: JSON Schema has `null` among the types."""
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            _say_null(child)
    if isinstance(node, dict) and node.get("nullable") is True:
        whole = {key: value for key, value in node.items() if key != "nullable"}
        node.clear()
        node["anyOf"] = [whole, {"type": "null"}]


@functools.cache
def schema() -> GraphQLSchema:
    text = gzip.decompress((HERE / "schema.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True, no_location=True)


@functools.cache
def _registry() -> SchemaRegistry:
    whole: Resource[Any] = DRAFT4.create_resource(openapi())
    registry: SchemaRegistry = Registry().with_resource(ROOT, whole)
    return registry


@functools.cache
def _validator(pointer: str) -> Draft4Validator:
    """The validator of the schema at a JSON pointer of the description."""
    return Draft4Validator({"$ref": f"{ROOT}#{pointer}"}, registry=_registry())


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _resolved(node: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str]:
    """Follow a `$ref` of a parameter or an answer."""
    if "$ref" not in node:
        return node, pointer
    found: Any = openapi()
    pointer = node["$ref"].removeprefix("#")
    for part in pointer.split("/")[1:]:
        found = found[part]
    return found, pointer


def _operation(route: Route) -> tuple[dict[str, Any], str]:
    method = route.method.lower()
    return openapi()["paths"][route.path][method], f"/paths/{_escaped(route.path)}/{method}"


def request_violations(
    route: Route, params: Mapping[str, str], query: Mapping[str, str], body: Any
) -> Iterator[str]:
    """What a request has that the description does not allow."""
    operation, place = _operation(route)
    known = set()
    for index, given in enumerate(operation.get("parameters", ())):
        parameter, pointer = _resolved(given, f"{place}/parameters/{index}")
        values = params if parameter["in"] == "path" else query
        known.add(parameter["name"])
        if parameter["in"] in {"path", "query"} and parameter["name"] in values:
            value = _typed(values[parameter["name"]], parameter["schema"])
            yield from _broken(f"{pointer}/schema", value, parameter["name"])
        elif parameter.get("required") and parameter["in"] != "header":
            yield f"{parameter['name']} is missing"
    yield from (f"unknown query parameter {name}" for name in query if name not in known)
    if body is None:
        if operation.get("requestBody", {}).get("required"):
            yield "the body is missing"
    elif "requestBody" not in operation:
        yield "a body where none is known"
    elif not (route.path.endswith("/labels") and isinstance(body, list)):  # BARE_LABELS
        pointer = f"{place}/requestBody/content/{_escaped('application/json')}/schema"
        yield from _broken(pointer, body, "body")


def _typed(value: str, schema: Mapping[str, Any]) -> Any:
    kind = _resolved(dict(schema), "")[0].get("type")
    if kind == "integer" and value.isdigit():
        return int(value)
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    return value


def answer_violations(route: Route, status: int, body: Any) -> Iterator[str]:
    """What an answer has that the description does not allow."""
    operation, place = _operation(route)
    responses = operation["responses"]
    if str(status) not in responses:
        # Refusals that every operation can meet are not written down for each.
        if status < 400 or not isinstance(body, dict) or "message" not in body:
            yield f"an answer {status} that is not described"
        return
    response, pointer = _resolved(responses[str(status)], f"{place}/responses/{status}")
    content = response.get("content", {})
    if "application/json" in content:
        pointer = f"{pointer}/content/{_escaped('application/json')}/schema"
        yield from _broken(pointer, body, "answer")
    elif body is not None and not content and status < 400:
        yield "an answer with a body where none is described"


def _broken(pointer: str, value: Any, name: str) -> Iterator[str]:
    for error in _validator(pointer).iter_errors(value):
        for one in (error, *(error.context or ())):
            yield f"{name}{one.json_path[1:]}: {one.message[:300]}"


@functools.lru_cache(maxsize=256)
def read_document(text: str) -> tuple[DocumentNode | None, list[str]]:
    """A GraphQL document, and what the schema has against it."""
    try:
        document = parse(text)
    except Exception as error:  # noqa: BLE001  a syntax error, or a document that nests too deep
        return None, [str(error)]
    return document, [one.message for one in validate(schema(), document)]
