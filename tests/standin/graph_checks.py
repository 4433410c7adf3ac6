"""What GitHub looks at before it runs a query: fields it doesn't have, and how much is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import TypeInfo, TypeInfoVisitor, Visitor, visit
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    VariableNode,
)

from standin import contract

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from graphql import DocumentNode, SelectionSetNode

NODE_LIMIT = 500_000


def undefined_fields(document: DocumentNode, lacking: Collection[str]) -> list[dict[str, Any]]:
    """Errors for fields that an older server doesn't know, each named `Type.field`."""
    info, errors = TypeInfo(contract.schema()), []

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            kind, name = info.get_parent_type(), node.name.value
            if kind is not None and f"{kind.name}.{name}" in lacking:
                more = {"code": "undefinedField", "typeName": kind.name, "fieldName": name}
                said = f"Field '{name}' doesn't exist on type '{kind.name}'"
                errors.append({"path": [name], "extensions": more, "message": said})

    if lacking:
        visit(document, TypeInfoVisitor(info, Look()))
    return errors


def asked(document: DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """The nodes a query could return at most, and its cost in points, by GitHub's rules."""
    definitions = document.definitions
    fragments = {
        one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)
    }

    def count(within: SelectionSetNode | None, factor: int) -> tuple[int, int]:
        nodes = requests = 0
        for one in within.selections if within else ():
            if isinstance(one, FragmentSpreadNode):
                more = count(fragments[one.name.value].selection_set, factor)
            elif isinstance(one, FieldNode) and (size := _size(one, variables)) is not None:
                nodes, requests = nodes + factor * size, requests + factor
                more = count(one.selection_set, factor * size)
            else:
                more = count(getattr(one, "selection_set", None), factor)
            nodes, requests = nodes + more[0], requests + more[1]
        return nodes, requests

    nodes = requests = 0
    for one in definitions:
        if isinstance(one, OperationDefinitionNode):
            more = count(one.selection_set, 1)
            nodes, requests = nodes + more[0], requests + more[1]
    return nodes, max(1, round(requests / 100))


def _size(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """`first` or `last` of a connection."""
    for argument in field.arguments or ():
        if argument.name.value in {"first", "last"}:
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or 0)
    return None


def too_much(nodes: int) -> dict[str, Any] | None:
    """GitHub's answer to a query that asks for too many nodes."""
    if nodes <= NODE_LIMIT:
        return None
    said = (
        f"This query requests up to {nodes:,} possible nodes"
        f" which exceeds the maximum limit of {NODE_LIMIT:,}."
    )
    return {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": said}]}
