"""GraphQL's pages, with GitHub's insistence on `first` or `last`."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

if TYPE_CHECKING:
    from collections.abc import Sequence


# A node with nothing to work out: its fields by their GraphQL names.
Leaf = dict[str, Any]


@dataclass(frozen=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True)
class Edge:
    node: Any
    cursor: str


@dataclass(frozen=True)
class Connection:
    nodes: Sequence[Any]
    edges: Sequence[Edge]
    page_info: PageInfo
    total_count: int


def connect(
    items: Sequence[Any],
    name: str,
    *,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
) -> Connection:
    """The asked part of `items`; `name` is the field's, for GitHub's complaint."""
    if first is None and last is None:
        said = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."  # noqa: E501
        raise GraphQLError(said, extensions={"type": "MISSING_PAGINATION_BOUNDARIES"})
    asked = first if first is not None else last
    if asked is not None and not 0 <= asked <= 100:
        said = f"Requesting {asked} records on the `{name}` connection exceeds the `first` limit of 100 records."  # noqa: E501
        raise GraphQLError(said, extensions={"type": "EXCESSIVE_PAGINATION"})
    start = _position(after) + 1 if after else 0
    end = _position(before) if before else len(items)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    edges = [Edge(item, _cursor(start + at)) for at, item in enumerate(items[start:end])]
    ends = (edges[0].cursor, edges[-1].cursor) if edges else (None, None)
    page = PageInfo(end < len(items), start > 0, *ends)
    return Connection([edge.node for edge in edges], edges, page, len(items))


def _cursor(position: int) -> str:
    return base64.b64encode(f"cursor:{position}".encode()).decode()


def _position(cursor: str) -> int:
    return int(base64.b64decode(cursor).decode().removeprefix("cursor:"))
