"""REST routes: which function answers which operation of the published description."""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standin import policy
from standin.state import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from standin.render import Renderer
    from standin.state import Repository, Token, World

# Parts of a path that may hold slashes.
GREEDY = frozenset({"ref", "path", "basehead", "branch"})


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request, with everything a handler needs to answer it."""

    world: World
    token: Token
    render: Renderer
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    path: str
    """Without the query; for links to further pages."""

    @property
    def repository(self) -> Repository:
        """The repository of the path; one that moved answers 301 before this is asked."""
        return self.world.repositories[self.full_name.lower()]

    @property
    def full_name(self) -> str:
        return f"{self.params['owner']}/{self.params['repo']}"

    def require(self, permission: str, level: str = "write") -> Repository:
        policy.require(self.token, self.repository, permission, level)
        return self.repository

    def require_either(self, *permissions: str) -> Repository:
        """What GitHub lets two permissions do: labels and comments of pull requests."""
        if any(self.token.may(one, "write") for one in permissions):
            policy.writable(self.repository)
            return self.repository
        return self.require(permissions[0])

    def page(self, items: Sequence[Any]) -> Answer:
        """The page that was asked for, with links to the others."""
        size = min(int(self.query.get("per_page", "30")), 100)
        number = int(self.query.get("page", "1"))
        shown = items[(number - 1) * size : number * size]
        links = []
        last = max(1, -(-len(items) // size))
        for name, to in (("next", number + 1), ("last", last)):
            if number < last and to <= last:
                query = "&".join(
                    f"{key}={value}" for key, value in {**self.query, "page": to}.items()
                )
                links.append(f'<{self.render.api}{self.path}?{query}>; rel="{name}"')
        return Answer(200, list(shown), {"Link": ", ".join(links)} if links else {})


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    handler: Callable[[Call], Answer]
    pattern: re.Pattern[str]


_ROUTES: list[Route] = []


def route(method: str, path: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Register a handler for an operation."""

    def register(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        spelled = re.sub(
            r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] in GREEDY else '[^/]+'})", path
        )
        _ROUTES.append(Route(method, path, handler, re.compile(spelled)))
        return handler

    return register


@functools.cache
def all_routes() -> list[Route]:
    """All routes, in the order in which they are tried: fixed parts win over greedy ones."""
    for module in ("rest_git", "rest_commits", "rest_pulls", "rest_issues", "rest_repositories"):
        importlib.import_module(f"standin.{module}")
    return sorted(
        _ROUTES,
        key=lambda one: (any(f"{{{name}}}" in one.path for name in GREEDY), -len(one.path)),
    )


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for one in all_routes():
        if one.method == method and (found := one.pattern.fullmatch(path)):
            return one, found.groupdict()
    return None


def commit_of(repository: Repository, name: str) -> str | None:
    """The commit that a branch, a tag, a full ref or a SHA names."""
    store = repository.store
    for ref in (name, f"refs/{name}", f"refs/heads/{name}", f"refs/tags/{name}"):
        if ref.startswith("refs/") and (found := store.ref(ref)):
            return found
    if name == "HEAD":
        return repository.branch(repository.default_branch)
    return name if store.kind(name) == "commit" else None


def commit_or_404(repository: Repository, name: str, *, status: int = 404) -> str:
    found = commit_of(repository, name)
    if found is None:
        raise Refused(status, "Not Found" if status == 404 else f"No commit found for SHA: {name}")
    return found
