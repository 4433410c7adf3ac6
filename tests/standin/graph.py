"""GraphQL: any query valid for the published schema, over the same state as REST."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, execute_sync, value_from_ast_untyped
from graphql.language import FieldNode, OperationDefinitionNode

from standin import contract, graph_checks
from standin.mutations import Mutation
from standin.nodes import Query
from standin.routing import Answer
from standin.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo

    from standin.nodes import View

TYPES = {403: "FORBIDDEN", 404: "NOT_FOUND", 422: "UNPROCESSABLE"}


NOT_THERE = object()


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def answer(
    view: View, body: Mapping[str, Any], *, partial: bool = False
) -> tuple[Answer, list[str]]:
    """The answer to a request, and what is wrong with the request or with the stand-in."""
    text, variables = body.get("query", ""), dict(body.get("variables") or {})
    document, violations = contract.read_document(text)
    if document is None or violations:
        errors = [{"message": one} for one in violations]
        return Answer(200, {"errors": errors}), [f"GraphQL: {one}" for one in violations]
    if undefined := graph_checks.undefined_fields(document, view.world.lacking):
        return Answer(200, {"errors": undefined}), []
    nodes, cost = graph_checks.asked(document, variables)
    if refused := graph_checks.too_much(nodes):
        return Answer(200, refused), []
    wrong: list[str] = []
    result = execute_sync(
        contract.schema(),
        document,
        Roots(replace(view, nodes=nodes, cost=cost)),
        variable_values=variables,
        operation_name=body.get("operationName"),
        field_resolver=_resolver(wrong),
        type_resolver=lambda value, _info, _abstract: _typename(value),
    )
    shown, broken = _shown(result)
    if partial and shown.get("data"):
        _lose_first(shown)
    return Answer(200, shown), wrong + broken


def _resolver(wrong: list[str]) -> Callable[..., Any]:
    """How fields are looked up; what is not modelled is noted in `wrong`."""

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        try:
            found = _field(source, info.field_name)
            if callable(found):
                return found(**{snake(key): value for key, value in args.items()})
        except Refused as refused:
            raise GraphQLError(refused.message, extensions={"status": refused.status}) from None
        if found is NOT_THERE:
            wrong.append(f"not modelled: {info.parent_type.name}.{info.field_name}")
            raise GraphQLError(wrong[-1])
        return found

    return resolve


def _shown(result: ExecutionResult) -> tuple[dict[str, Any], list[str]]:
    """The result as GitHub sends it, and what is not GitHub's to say."""
    shown: dict[str, Any] = {} if result.data is None else {"data": result.data}
    errors = result.errors or []
    if errors:
        shown["errors"] = [_error(one) for one in errors]
    broken = [
        f"the stand-in broke at {one.path}: {one.original_error!r}"
        for one in errors
        if one.original_error and not isinstance(one.original_error, GraphQLError)
    ]
    if result.data is None:
        # Before anything ran: the variables were not what the document declares.
        broken += [f"GraphQL: {one.message}" for one in errors if one.path is None]
    return shown, broken


def _field(source: Any, name: str) -> Any:
    """What a node has under this name: nodes that have little to work out are dictionaries."""
    if isinstance(source, dict):
        return source.get(name, NOT_THERE)
    return getattr(source, snake(name), NOT_THERE)


def _typename(source: Any) -> str:
    return str(source["__typename"] if isinstance(source, dict) else source.typename)


class Roots:
    """What operations start from: queries and mutations side by side."""

    def __init__(self, view: View) -> None:
        self._query, self._mutation = Query(view), Mutation(view)

    def __getattr__(self, name: str) -> Any:
        for root in (self._query, self._mutation):
            if hasattr(root, name):
                return getattr(root, name)
        raise AttributeError(name)


def _error(error: GraphQLError) -> dict[str, Any]:
    shown = dict(error.formatted)
    more: dict[str, Any] = dict(error.extensions or {})
    shown.pop("extensions", None)
    status = more.pop("status", None)
    kind = more.pop("type", None) or TYPES.get(status or 0)
    return ({"type": kind} if kind else {}) | shown


def _lose_first(shown: dict[str, Any]) -> None:
    """Null for the first thing asked, and an error that says so."""
    first = next(iter(shown["data"]))
    shown["data"] = {**shown["data"], first: None}
    said = "Something went wrong while executing your query."
    shown["errors"] = [*shown.get("errors", ()), {"message": said, "path": [first]}]


def mutations_in(text: str, variables: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The mutations of a document, each with its input."""
    document: DocumentNode | None = contract.read_document(text)[0]
    return [
        (field.name.value, _input(field, variables))
        for one in (document.definitions if document else ())
        if isinstance(one, OperationDefinitionNode) and one.operation.value == "mutation"
        for field in one.selection_set.selections
        if isinstance(field, FieldNode)
    ]


def _input(field: FieldNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    given = next((one for one in field.arguments or () if one.name.value == "input"), None)
    value = value_from_ast_untyped(given.value, dict(variables)) if given else {}
    return value if isinstance(value, dict) else {}
