"""GraphQL's global ids: a kind and a number, packed so that nobody takes them apart."""

from __future__ import annotations

import base64


def node_id(kind: str, number: int | str) -> str:
    """An opaque global id, in the newer form; `parse_node_id` reads it."""
    packed = base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")
    return f"{kind}_{packed}"


def parse_node_id(text: str) -> tuple[str, str] | None:
    """Kind and number of a global id; None for what is none."""
    kind, mark, packed = text.rpartition("_")
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        return None
    return (kind, raw) if mark else None
