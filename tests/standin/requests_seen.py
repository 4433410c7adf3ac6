"""What came in, in a form to compare with: the words of `hub.requests` and `hub.writes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin.gitstore import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Seen:
    """One request. `status` is 0 where no answer was given."""

    index: int
    method: str
    path: str
    body: Any
    said: str
    """`GET /repos/acme/shop`, `POST /graphql query`, `POST /graphql updateRefs`."""
    writes: tuple[str, ...]
    token: str
    status: int = 0
    acted: bool = False

    def __str__(self) -> str:
        return self.said


def rest_write(method: str, path: str, body: Any) -> str:
    """One line for a write over REST, without the repository."""
    parts = path.split("/")
    short = "/".join(parts[4:]) if path.startswith("/repos/") else path
    line = f"{method} {short}".rstrip()
    if not isinstance(body, dict):
        return line
    if method == "PATCH" and "/pulls/" in path:
        shown = [f"state={body[key]}" if key == "state" else key for key in sorted(body)]
        return f"{line} {' '.join(shown)}"
    if method == "POST" and path.endswith("/git/refs"):
        return f"{line} {str(body.get('ref')).removeprefix('refs/heads/')}"
    if method == "PATCH" and "/git/refs/" in path and body.get("force"):
        return f"{line} force"
    return line


def graphql_write(name: str, given: Mapping[str, Any]) -> list[str]:
    """One line for each thing a mutation writes."""
    if name != "updateRefs":
        return [name]
    lines = []
    for one in given.get("refUpdates", ()):
        before, after = one.get("beforeOid"), one.get("afterOid")
        how = "delete" if after == ZERO else "create" if before == ZERO else "move"
        force = " force" if one.get("force") and how == "move" else ""
        lines.append(f"{name} {how} {str(one.get('name')).removeprefix('refs/heads/')}{force}")
    return lines
