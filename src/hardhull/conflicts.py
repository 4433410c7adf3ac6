"""Fixes that can be made together: those that agree on every place they touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from hardhull.model import (
    AppendItem,
    CreateFile,
    InsertElement,
    InsertInstruction,
    RemoveElement,
    RemoveInstruction,
    RemoveNode,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    SetAttribute,
    SetElementText,
    SetValue,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.ledger import Candidate
    from hardhull.model import Operation


def without_conflicts(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Keep fixes that agree on every place they touch; the others wait for the next part."""
    chosen: list[Candidate] = []
    taken: dict[object, Operation] = {}
    for candidate in candidates:
        places = {_place(operation): operation for operation in candidate.fix.operations}
        if all(taken.get(place, operation) == operation for place, operation in places.items()):
            taken |= places
            chosen.append(candidate)
    return chosen


def _place(operation: Operation) -> object:
    """What an operation touches: two operations on one place must be equal to be one."""
    match operation:
        case SetValue(path, at, _) | RemoveNode(path, at):
            return (path, at)
        case ReplaceWord(path, instruction, part, _):
            return (path, instruction, "word", part)
        case ReplaceFlag(path, instruction, part, _):
            return (path, instruction, "flag", part)
        case ReplaceDirective(path, name, _):
            return (path, name)
        case SetElementText(path, element, _) | RemoveElement(path, element):
            return (path, element, "element")
        case SetAttribute(path, element, name, _):
            return (path, element, "attribute", name)
        case CreateFile(path, _):
            return (path, "create")
        case AppendItem() | InsertInstruction() | RemoveInstruction() | InsertElement():
            return operation  # several may stand side by side
    assert_never(operation)


def by_path(candidates: Iterable[Candidate]) -> dict[str, list[Operation]]:
    """The operations of these fixes by the file they name, each once."""
    operations: dict[str, list[Operation]] = {}
    for candidate in candidates:
        for operation in candidate.fix.operations:
            listed = operations.setdefault(operation.path, [])
            if operation not in listed:
                listed.append(operation)
    return operations
