"""What a YAML file says as trees that can be compared, and the trees that operations lead to.

Found without the text that operations are written as: each checks the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hardhull.documents.yaml_nodes import Kind
from hardhull.documents.yaml_render import scalar_tag
from hardhull.documents.yaml_scalars import resolve
from hardhull.model import Items, Pairs, RemoveNode, Scalar, SetValue, Unrenderable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.yaml import YamlFile
    from hardhull.documents.yaml_nodes import Node
    from hardhull.model import AppendItem, Value, YamlOperation

Tree: TypeAlias = tuple[Any, ...]
"""(`scalar`, tag, spelling, cooked, anchor) · (`map` or `seq`, tag, children, anchor) ·
(`alias`, name). Children of a map are (key, value). A spelling of None is any spelling."""


def tree_of(node: Node, text: str, tag: str) -> Tree:
    """Return the tree of a leaf."""
    if node.kind is Kind.ALIAS:
        return ("alias", node.value)
    return ("scalar", tag, text[node.start : node.end], node.value, node.anchor)


def tree_of_value(value: Value) -> Tree:
    """Return the tree that a written value must read as."""
    match value:
        case Scalar():
            tag = scalar_tag(value)
            empty = tag == "null" and not value.text
            return ("scalar", tag, None, "null" if empty else value.text, None)
        case Pairs():
            pairs = tuple((tree_of_key(key), tree_of_value(member)) for key, member in value.pairs)
            return ("map", "map", pairs, None)
        case Items():
            return ("seq", "seq", tuple(tree_of_value(item) for item in value.items), None)


def tree_of_key(key: str) -> Tree:
    """Return the tree of a new mapping key."""
    return ("scalar", "str", None, key, None)


def structure(file: YamlFile) -> tuple[Tree | None, ...]:
    """Return the trees of all documents: see `Tree`; aliases stay aliases, doubled keys pairs."""
    if file.trees is None:
        text, roots = file.text, (document.root for document in file.documents)
        file.trees = tuple(None if root is None else _tree(root, text) for root in roots)
    return file.trees


def _tree(node: Node, text: str) -> Tree:
    if node.kind is Kind.MAPPING:
        pairs = tuple((_tree(key, text), _tree(value, text)) for key, value in node.pairs)
        return ("map", resolve(node)[0], pairs, node.anchor)
    if node.kind is Kind.SEQUENCE:
        items = tuple(_tree(item, text) for item in node.items)
        return ("seq", resolve(node)[0], items, node.anchor)
    return tree_of(node, text, resolve(node)[0])


def expected(file: YamlFile, operations: Sequence[YamlOperation]) -> tuple[Tree | None, ...]:
    """Return the structure that the file must have after `operations`, found without its text."""
    trees = list(structure(file))
    unique = list(dict.fromkeys(operations))
    removals = [operation for operation in unique if isinstance(operation, RemoveNode)]
    for operation in unique:
        if not isinstance(operation, RemoveNode):
            index, *keys = operation.at
            tree = trees[int(index)]
            if tree is None:
                raise Unrenderable("the document is empty", file.source.path)
            trees[int(index)] = _with(tree, keys, operation)
    for operation in sorted(removals, key=_last_first, reverse=True):
        index, *keys = operation.at
        trees[int(index)] = _without(trees[int(index)] or (), keys)
    return tuple(trees)


def _last_first(operation: RemoveNode) -> tuple[tuple[bool, int, str], ...]:
    return tuple(
        (isinstance(key, str), key if isinstance(key, int) else 0, str(key)) for key in operation.at
    )


def _with(tree: Tree, keys: list[str | int], operation: SetValue | AppendItem) -> Tree:
    """Return `tree` with the operation carried out at `keys`."""
    if not keys:
        if isinstance(operation, SetValue):
            fresh = tree_of_value(operation.value)
            return (*fresh[:-1], tree[-1] if tree[0] != "alias" else None)
        items = tree[2] if tree[0] == "seq" else ()
        return ("seq", "seq", (*items, tree_of_value(operation.value)), tree[-1])
    key, *rest = keys
    if tree[0] == "seq":
        items = list(tree[2])
        items[int(key)] = _with(items[int(key)], rest, operation)
        return (*tree[:2], tuple(items), tree[3])
    pairs = list(tree[2]) if tree[0] == "map" else list[Any]()
    for index, (name, value) in enumerate(pairs):
        if name[0] == "scalar" and name[3] == str(key):
            pairs[index] = (name, _with(value, rest, operation))
            break
    else:
        _insert_pair(pairs, str(key), rest, operation)
    return ("map", tree[1] if tree[0] == "map" else "map", tuple(pairs), tree[-1])


_NOTHING: Tree = ("scalar", "null", "", "", None)


def _insert_pair(
    pairs: list[Tree], key: str, rest: list[str | int], operation: SetValue | AppendItem
) -> None:
    names = [str(pair[0][3]) if pair[0][0] == "scalar" else "" for pair in pairs]
    place = next((names.index(name) + 1 for name in operation.after if name in names), len(names))
    while place < len(pairs) and pairs[place][0][2] is None:
        place += 1
    pairs.insert(place, (tree_of_key(key), _with(_NOTHING, rest, operation)))


def _without(tree: Tree, keys: list[str | int]) -> Tree:
    """Return `tree` without the node at `keys`."""
    key, *rest = keys
    children = list(tree[2])
    for index, child in enumerate(children):
        if tree[0] == "seq":
            found = index == key
        else:
            found = child[0][0] == "scalar" and child[0][3] == str(key)
        if found and not rest:
            del children[index]
            break
        if found:
            new = _without(child if tree[0] == "seq" else child[1], rest)
            children[index] = new if tree[0] == "seq" else (child[0], new)
            break
    return (*tree[:2], tuple(children), tree[3])


def same(actual: Any, wanted: Any) -> bool:
    """Compare structures: new scalars may be spelled in any way that reads as wanted."""
    if actual == wanted:
        return True
    if not (isinstance(actual, tuple) and isinstance(wanted, tuple)) or len(actual) != len(wanted):
        return False
    if wanted[:1] == ("scalar",) and wanted[2] is None:
        return actual[:2] == wanted[:2] and actual[3:] == wanted[3:]
    return all(same(one, other) for one, other in zip(actual, wanted, strict=True))
