"""REST: history, comparisons and contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import history
from standin.rest_git import started
from standin.routing import Answer, Call, commit_or_404, route
from standin.state import Refused

if TYPE_CHECKING:
    from standin.gitstore import Entry
    from standin.state import Repository


@route("GET", "/repos/{owner}/{repo}/commits")
def list_commits(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    start = commit_or_404(repository, call.query.get("sha", repository.default_branch))
    path = call.query.get("path")
    found = [
        oid
        for oid in history.back(repository.store, start)
        if path is None or _touches(repository, oid, path)
    ]
    return call.page([call.render.commit(repository, oid) for oid in found])


def _touches(repository: Repository, oid: str, path: str) -> bool:
    changed = history.changed_paths(repository.store, oid)
    return any(one == path or one.startswith(f"{path}/") for one in changed)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}")
def get_commit(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    oid = commit_or_404(repository, call.params["ref"], status=422)
    return Answer(200, call.render.commit(repository, oid, files=True))


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}")
def compare(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    names = call.params["basehead"].split("...")
    base, head = (commit_or_404(repository, name.rpartition(":")[2]) for name in names)
    store = repository.store
    ahead, behind = history.between(store, base, head), history.between(store, head, base)
    common = history.merge_base(store, base, head)
    if common is None:
        raise Refused(404, f"No common ancestor between {names[0]} and {names[1]}.")
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind"
    page = f"{call.render.web}/{repository.full_name}/compare/{call.params['basehead']}"
    return Answer(
        200,
        {
            "url": f"{call.render.api}{call.path}",
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": call.render.commit(repository, base),
            "merge_base_commit": call.render.commit(repository, common),
            "status": status if ahead or behind else "identical",
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [call.render.commit(repository, oid) for oid in ahead],
            "files": call.render.files(repository, common, head),
        },
    )


@route("GET", "/repos/{owner}/{repo}/contents/{path}")
def get_contents(call: Call) -> Answer:
    repository = started(call.require("contents", "read"))
    commit = commit_or_404(repository, call.query.get("ref", repository.default_branch))
    path = call.params["path"].strip("/")
    flat = repository.store.flat(repository.store.commit_object(commit).tree)
    if path in flat:
        return Answer(200, _file(call, repository, path, flat[path], commit, whole=True))
    inside = sorted(
        one for one in flat if one.startswith(f"{path}/") and "/" not in one[len(path) + 1 :]
    )
    if not inside:
        raise Refused(404, "Not Found")
    files = [_file(call, repository, one, flat[one], commit, whole=False) for one in inside]
    return Answer(200, files)


def _file(
    call: Call, repository: Repository, path: str, entry: Entry, commit: str, *, whole: bool
) -> dict[str, Any]:
    blob = call.render.blob(repository, entry.oid)
    url = f"{call.render.api}/repos/{repository.full_name}/contents/{path}?ref={commit}"
    page = f"{call.render.web}/{repository.full_name}/blob/{commit}/{path}"
    return {
        "type": "file",
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.oid,
        "size": blob["size"],
        "url": url,
        "html_url": page,
        "git_url": blob["url"],
        "download_url": page,
        "_links": {"self": url, "git": blob["url"], "html": page},
        **({key: blob[key] for key in ("content", "encoding")} if whole else {}),
    }
