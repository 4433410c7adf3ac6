"""REST: blobs, trees, commits and refs."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from standin import refs
from standin.gitstore import ZERO, Entry, Person
from standin.pulls import SIGNATURE, github_identity, identity
from standin.routing import Answer, Call, commit_or_404, route
from standin.state import Refused, Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

GIT = "/repos/{owner}/{repo}/git"


def started(repository: Repository) -> Repository:
    if repository.branch(repository.default_branch) is None:
        raise Refused(409, "Git Repository is empty.")
    return repository


@route("POST", f"{GIT}/blobs")
def create_blob(call: Call) -> Answer:
    repository = started(call.require("contents"))
    content = call.body["content"]
    data = content.encode()
    if call.body.get("encoding", "utf-8") == "base64":
        try:
            data = base64.b64decode(content, validate=False)
        except binascii.Error:
            raise Refused(422, "Invalid request.\n\ncontent is not valid Base64.") from None
    oid = repository.store.blob(data)
    url = call.render.blob(repository, oid)["url"]
    return Answer(201, {"sha": oid, "url": url}, {"Location": url})


@route("GET", f"{GIT}/blobs/{{file_sha}}")
def get_blob(call: Call) -> Answer:
    repository = call.require("contents", "read")
    if repository.store.kind(call.params["file_sha"]) != "blob":
        raise Refused(404, "Not Found")
    return Answer(200, call.render.blob(repository, call.params["file_sha"]))


@route("POST", f"{GIT}/trees")
def create_tree(call: Call) -> Answer:
    repository = started(call.require("contents"))
    store = repository.store
    files: dict[str, Entry] = {}
    if base := call.body.get("base_tree"):
        kind = store.kind(base)
        if kind not in {"tree", "commit"}:
            raise Refused(404, "Not Found")
        files = store.flat(base if kind == "tree" else store.commit_object(base).tree)
    for item in call.body["tree"]:
        _put(repository, files, item)
    oid = store.tree(files)
    return Answer(201, _tree(call, repository, oid, recursive=False))


def _put(repository: Repository, files: dict[str, Entry], item: Mapping[str, Any]) -> None:
    """Apply one entry of a new tree."""
    store, path = repository.store, item["path"]
    if not all(part not in {"", ".", "..", ".git"} for part in path.split("/")):
        raise Refused(422, "tree.path contains a malformed path component")
    if "sha" in item and "content" in item:
        raise Refused(422, "Must supply either tree.sha or tree.content, but not both")
    below = [one for one in files if one.startswith(f"{path}/")]
    if "sha" in item and item["sha"] is None:
        if path not in files and not below:
            raise Refused(422, "GitRPC::BadObjectState")
        for one in (path, *below):
            files.pop(one, None)
        return
    oid = item["sha"] if "sha" in item else store.blob(item["content"])
    kind = item.get("type") or "blob"
    if kind != "commit" and store.kind(oid) != kind:
        raise Refused(422, f"tree.sha {oid} is not a valid {kind}")
    for one in (path, *below):
        files.pop(one, None)
    if kind == "tree":
        files.update({f"{path}/{name}": entry for name, entry in store.flat(oid).items()})
    else:
        files[path] = Entry(item["mode"], oid)


@route("GET", f"{GIT}/trees/{{tree_sha}}")
def get_tree(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    name = call.params["tree_sha"]
    if repository.store.kind(name) != "tree":
        name = repository.store.commit_object(commit_or_404(repository, name)).tree
    return Answer(200, _tree(call, repository, name, recursive="recursive" in call.query))


def _tree(call: Call, repository: Repository, oid: str, *, recursive: bool) -> dict[str, Any]:
    url = f"{call.render.api}/repos/{repository.full_name}/git"

    def listed(tree: str, prefix: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for name, entry in repository.store.entries(tree).items():
            shown: dict[str, Any] = {
                "path": prefix + name,
                "mode": entry.mode,
                "type": entry.kind,
                "sha": entry.oid,
            }
            if entry.kind != "commit":
                shown["url"] = f"{url}/{entry.kind}s/{entry.oid}"
            if entry.kind == "blob":
                shown["size"] = len(repository.store.read(entry.oid, "blob"))
            found.append(shown)
            if recursive and entry.kind == "tree":
                found += listed(entry.oid, f"{prefix}{name}/")
        return found

    return {"sha": oid, "url": f"{url}/trees/{oid}", "tree": listed(oid, ""), "truncated": False}


@route("POST", f"{GIT}/commits")
def create_commit(call: Call) -> Answer:
    repository = started(call.require("contents"))
    store, body = repository.store, call.body
    if store.kind(body["tree"]) != "tree":
        raise Refused(422, "Tree SHA does not exist")
    for parent in body.get("parents", []):
        if store.kind(parent) != "commit":
            raise Refused(422, "Parent SHA does not exist or is not a commit object")
    call.world.clock.tick()
    plain = not any(key in body for key in ("author", "committer", "signature"))
    # GitHub signs what an App leaves to it, and nothing else.
    signs = plain and call.token.is_app
    author = _given(call, body.get("author"))
    committer = _given(call, body.get("committer") or body.get("author"))
    oid = store.commit(
        body["tree"],
        body.get("parents", []),
        author,
        github_identity(call.world) if signs else committer,
        body["message"],
        signature=SIGNATURE if signs else body.get("signature", ""),
    )
    if signs:
        repository.verified.add(oid)
    answer = call.render.git_commit(repository, oid)
    return Answer(201, answer, {"Location": answer["url"]})


def _given(call: Call, who: Mapping[str, str] | None) -> Person:
    if who is None:
        return identity(call.world, call.token.account)
    return Person(who["name"], who["email"], call.world.clock.seconds)


@route("GET", f"{GIT}/commits/{{commit_sha}}")
def get_git_commit(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    if repository.store.kind(call.params["commit_sha"]) != "commit":
        raise Refused(404, "Not Found")
    return Answer(200, call.render.git_commit(repository, call.params["commit_sha"]))


# -- refs


@route("GET", f"{GIT}/ref/{{ref}}")
def get_ref(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    name = f"refs/{call.params['ref']}"
    oid = repository.store.ref(name)
    if oid is None:
        raise Refused(404, "Not Found")
    return Answer(200, call.render.git_ref(repository, name, oid))


@route("GET", f"{GIT}/matching-refs/{{ref}}")
def matching_refs(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    found = repository.store.refs(f"refs/{call.params['ref']}")
    return call.page([call.render.git_ref(repository, *one) for one in found.items()])


@route("POST", f"{GIT}/refs")
def create_ref(call: Call) -> Answer:
    repository = started(call.require("contents"))
    name, new = call.body["ref"], call.body["sha"]
    if repository.store.ref(name) is not None:
        raise Refused(422, "Reference already exists")
    refs.move_refs(call.world, repository, call.token, [refs.Wanted(name, new, ZERO)])
    answer = call.render.git_ref(repository, name, new)
    return Answer(201, answer, {"Location": answer["url"]})


@route("PATCH", f"{GIT}/refs/{{ref}}")
def update_ref(call: Call) -> Answer:
    repository = call.require("contents")
    name, new = f"refs/{call.params['ref']}", call.body["sha"]
    if repository.store.ref(name) is None:
        raise Refused(422, "Reference does not exist")
    wanted = refs.Wanted(name, new, force=bool(call.body.get("force")))
    refs.move_refs(call.world, repository, call.token, [wanted])
    return Answer(200, call.render.git_ref(repository, name, new))


@route("DELETE", f"{GIT}/refs/{{ref}}")
def delete_ref(call: Call) -> Answer:
    repository = call.require("contents")
    wanted = refs.Wanted(f"refs/{call.params['ref']}", ZERO)
    refs.move_refs(call.world, repository, call.token, [wanted])
    return Answer(204)
