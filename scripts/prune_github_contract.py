"""Cut GitHub's published API descriptions down to what the stand-in GitHub of the tests answers.

    python scripts/prune_github_contract.py [FOLDER]

Fetches three MIT-licensed npm packages with `npm pack` into FOLDER (a temporary one by default)
and writes `tests/standin/contract/`: the OpenAPI description, cut down to the stand-in's routes;
the GraphQL schema, cut down to the types below; and one example event for each kind the action
listens to. Run it after adding a route to the stand-in or a type to `TYPES`.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import parse, print_ast
from graphql.language import ast

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent.parent
CONTRACT = HERE / "tests" / "standin" / "contract"
PACKAGES = {
    "@octokit/openapi": "23.0.2",
    "@octokit/graphql-schema": "15.26.1",
    "@octokit/webhooks-examples": "7.6.1",
}
# Prose and pointers to pages: nothing is checked by them.
PROSE = frozenset(
    {"description", "summary", "example", "examples", "externalDocs", "tags", "title", "headers"}
)
# The object types, interfaces and unions that the stand-in models. Connections and edges of
# these come along, as do the enums, scalars and inputs that are left; fields of other types go.
MODELLED = """
    Query Mutation RateLimit PageInfo Node Repository Ref GitObject Commit Tree TreeEntry Blob Tag
    GitActor GitSignature GpgSignature Actor User Bot Organization RepositoryOwner
    PullRequest Label IssueComment Comment PullRequestReview PullRequestCommit UserContentEdit
    PullRequestChangedFile AutoMergeRequest MergeQueue MergeQueueEntry StatusCheckRollup
    BranchProtectionRule RepositoryRuleset RepositoryRule RuleParameters
    RequiredStatusChecksParameters StatusCheckConfiguration PullRequestParameters
    MergeQueueParameters RepositoryRuleConditions RefNameConditionTarget
    PullRequestTimelineItems ClosedEvent ReopenedEvent MergedEvent HeadRefDeletedEvent
    HeadRefForcePushedEvent RenamedTitleEvent LabeledEvent UnlabeledEvent BaseRefChangedEvent
    ConvertToDraftEvent ReadyForReviewEvent AddedToMergeQueueEvent RemovedFromMergeQueueEvent
    AutoMergeEnabledEvent AutoMergeDisabledEvent AssignedEvent ReviewRequestedEvent RefUpdateRule
    UpdateRefsPayload CreateRefPayload UpdateRefPayload DeleteRefPayload
    ConvertPullRequestToDraftPayload MarkPullRequestReadyForReviewPayload
    ClosePullRequestPayload ReopenPullRequestPayload MinimizeCommentPayload
    DisablePullRequestAutoMergePayload
"""
TYPES = frozenset(MODELLED.split())
# Events by file name: the event and its action. There is no published example of `schedule`.
EVENTS = {
    "push": ("push", None),
    "pull_request.opened": ("pull_request", "opened"),
    "pull_request.synchronize": ("pull_request", "synchronize"),
    "pull_request.closed": ("pull_request", "closed"),
    "workflow_dispatch": ("workflow_dispatch", None),
}


def main() -> None:
    """Fetch, prune and write."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        packed = {name: unpack(folder, name, version) for name, version in PACKAGES.items()}
        generated = packed["@octokit/openapi"] / "generated" / "api.github.com.json"
        write("openapi.json.gz", as_bytes(prune_openapi(json.loads(generated.read_bytes()))))
        text = (packed["@octokit/graphql-schema"] / "schema.graphql").read_text("utf-8")
        write("schema.graphql.gz", prune_schema(text).encode())
        examples = packed["@octokit/webhooks-examples"] / "api.github.com" / "index.json"
        for name, payload in events(json.loads(examples.read_bytes())):
            write(f"events/{name}.json", as_bytes(payload))


def unpack(folder: Path, name: str, version: str) -> Path:
    """Fetch a package with npm, unless it is there, and open it."""
    archive = folder / f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not archive.exists():
        command = ["npm", "pack", "--silent", f"{name}@{version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    place = folder / archive.stem / "package"
    if not place.exists():
        with tarfile.open(archive) as tar:
            tar.extractall(folder / archive.stem, filter="data")
    return place


def write(name: str, content: bytes) -> None:
    """Write one file of the contract; packed without a time, so that equal means equal."""
    place = CONTRACT / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(gzip.compress(content, mtime=0) if place.suffix == ".gz" else content)
    print(f"{place.relative_to(HERE).as_posix()}: {place.stat().st_size:,} bytes")


def as_bytes(data: object) -> bytes:
    """JSON without blanks, in an order that does not change."""
    return json.dumps(data, separators=(",", ":"), sort_keys=True).encode() + b"\n"


# -- OpenAPI


def routes() -> set[tuple[str, str]]:
    """What the stand-in answers: method and path, as the description spells them."""
    sys.path.insert(0, str(HERE / "tests"))
    from standin.routing import all_routes  # noqa: PLC0415  the tests are no package of ours

    return {(route.method, route.path) for route in all_routes()}


def prune_openapi(whole: dict[str, Any]) -> dict[str, Any]:
    """Keep the operations in use and the components they reach."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path in sorted(routes()):
        operation = whole["paths"][path][method.lower()]
        paths.setdefault(path, {})[method.lower()] = slim(operation)
    kept: dict[str, dict[str, Any]] = {}
    queue = list(references(paths))
    while queue:
        _, _, kind, name = queue.pop().split("/")
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = slim(whole["components"][kind][name])
            queue.extend(references(kept[kind][name]))
    info = {key: whole["info"][key] for key in ("title", "version", "license")}
    return {"openapi": whole["openapi"], "info": info, "paths": paths, "components": kept}


def slim(node: Any, *, named: bool = False) -> Any:
    """Without prose. Below `properties`, keys are names of fields and all stay."""
    if isinstance(node, list):
        return [slim(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: slim(value, named=key in {"properties", "patternProperties"} and not named)
        for key, value in node.items()
        if named or not (key in PROSE or key.startswith("x-"))
    }


def references(node: Any) -> Iterator[str]:
    """All `$ref` below a node."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)


# -- GraphQL


def prune_schema(text: str) -> str:
    """Keep the modelled types, and of their fields those whose types are kept."""
    document = parse(text, no_location=True)
    known: dict[str, Any] = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, ast.TypeDefinitionNode)
    }
    kept = kept_types(known)
    types = [thin(known[name], kept, known) for name in sorted(kept)]
    reached = closure(types, known)
    rest = [bare(known[name]) for name in sorted(reached - kept) if name in known]
    return "\n\n".join(print_ast(one) for one in [*types, *rest]) + "\n"


def named(node: ast.TypeNode) -> str:
    """The type's name, out of its lists and its exclamation marks."""
    while not isinstance(node, ast.NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]  # lists and non-nulls have one
    return node.name.value


def kept_types(known: dict[str, ast.TypeDefinitionNode]) -> set[str]:
    """The modelled types, and the connections and edges that lead to them."""
    kept = {name for name in TYPES if name in known}
    for name, definition in known.items():
        if name.endswith(("Connection", "Edge")):
            to = next((f for f in fields(definition) if f.name.value in {"nodes", "node"}), None)
            if to is not None and named(to.type) in TYPES:
                kept.add(name)
    return kept


def fields(definition: ast.TypeDefinitionNode) -> tuple[Any, ...]:
    """The fields of an object, an interface or an input; none of others."""
    return tuple(getattr(definition, "fields", None) or ())


def thin(definition: Any, kept: set[str], known: dict[str, Any]) -> Any:
    """Without the fields, interfaces and union members that lead to types that go."""

    def stays(name: str) -> bool:
        return name in kept or not isinstance(
            known.get(name),
            ast.ObjectTypeDefinitionNode
            | ast.InterfaceTypeDefinitionNode
            | ast.UnionTypeDefinitionNode,
        )

    if isinstance(definition, ast.UnionTypeDefinitionNode):
        members = tuple(one for one in definition.types or () if one.name.value in kept)
        return bare(replace(definition, types=members))
    once: dict[str, Any] = {}
    for field in fields(definition):
        # The published text names some fields twice, for previews.
        if stays(named(field.type)):
            once.setdefault(field.name.value, field)
    if definition.name.value == "Mutation":
        once = {name: field for name, field in once.items() if named(field.type) in kept}
    interfaces = tuple(one for one in definition.interfaces or () if one.name.value in kept)
    return bare(replace(definition, fields=tuple(once.values()), interfaces=interfaces))


def bare(node: Any) -> Any:
    """Without descriptions and directives, all the way down."""
    change: dict[str, Any] = {
        part: tuple(bare(child) for child in getattr(node, part) or ())
        for part in ("fields", "arguments", "values")
        if hasattr(node, part)
    }
    return replace(node, description=None, directives=(), **change)


def closure(types: list[Any], known: dict[str, Any]) -> set[str]:
    """All names of types that these reach."""
    reached: set[str] = set()
    queue = list(types)
    while queue:
        for field in fields(queue.pop()):
            for part in (field, *(getattr(field, "arguments", None) or ())):
                name = named(part.type)
                if name in known and name not in reached:
                    reached.add(name)
                    if isinstance(known[name], ast.InputObjectTypeDefinitionNode):
                        queue.append(known[name])
    return reached


# -- events


def events(examples: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """One example of each kind of event, the first that is about a branch."""
    for name, (event, action) in EVENTS.items():
        found = next(one for one in examples if one["name"] == event)["examples"]
        yield (
            name,
            next(
                one
                for one in found
                if one.get("action") == action and "refs/tags/" not in one.get("ref", "")
            ),
        )


if __name__ == "__main__":
    main()
