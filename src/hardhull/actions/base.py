"""The base of a pull request, read over the API: which files differ, and what they held.

A default checkout has one commit and no other. Its tree is compared with the base's by blob id,
so only files that differ are fetched, and of those only the ones whose name matters.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.discover import SIZE_CAP
from hardhull.model import UsageError
from hardhull.pull_request.refusals import Refused
from hardhull.writing import git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hardhull.actions.event import Pull
    from hardhull.discover import Replaced
    from hardhull.pull_request.github import GitHub

_PLAIN = ("100644", "100755")
_NOT_FOUND = 404
_MERGED = 2
"""So many parents has the commit that GitHub makes of a pull request."""


class Leaf(NamedTuple):
    """A file, link or submodule in a tree."""

    mode: str
    id: str
    size: int = 0


class Head(NamedTuple):
    """What is checked out; paths are those of the whole repository."""

    sha: str
    parents: tuple[str, ...]
    folder: str
    """Where the root lies in it: empty, or with a slash at its end."""
    leaves: Mapping[str, Leaf]
    folders: Mapping[str, str]


def head_of(root: Path) -> Head:
    """What git has checked out. Raises UsageError if there is no repository."""
    commit = git(root, "cat-file", "commit", "HEAD")
    named = git(root, "rev-parse", "HEAD", "--show-prefix")
    listed = git(root, "ls-tree", "-r", "-t", "-z", "--full-tree", "HEAD")
    if commit is None or named is None or listed is None:
        raise UsageError(
            "no git repository is checked out here; add a step with actions/checkout before this "
            "one (with git on the runner: without it, an archive is downloaded instead)"
        )
    sha, _, folder = named.decode("utf-8", "surrogateescape").partition("\n")
    leaves, folders = {}, {}
    for entry in listed.split(b"\0"):
        about, _, name = entry.partition(b"\t")
        if name:
            mode, kind, number = about.decode("ascii").split()
            path = name.decode("utf-8", "surrogateescape")
            if kind == "tree":
                folders[path] = number
            else:
                leaves[path] = Leaf(mode, number)
    lines = commit.partition(b"\n\n")[0].split(b"\n")
    parents = tuple(line[7:].decode("ascii") for line in lines if line.startswith(b"parent "))
    return Head(sha, parents, folder.rstrip("\n"), leaves, folders)


def base_commit(github: GitHub, repository: str, pull: Pull, head: Head) -> str:
    """The commit that a pull request is compared with. Raises Refused.

    GitHub checks out a merge of both sides: its first parent is the right one, and at hand. If
    something else is checked out, the newest common ancestor is asked for.
    """
    if len(head.parents) == _MERGED and head.parents[1] == pull.head_sha:
        return head.parents[0]
    try:
        between = f"{pull.base_sha}...{head.sha}"
        found = github.read(f"/repos/{repository}/compare/{between}?per_page=1").data
        return str(found["merge_base_commit"]["sha"])
    except Refused as error:
        if error.status == _NOT_FOUND:  # what is checked out was made in this job
            return pull.base_sha
        raise


def differences(github: GitHub, repository: str, commit: str, head: Head) -> dict[str, Leaf | None]:
    """What the base has at every path that differs; None if it has nothing. Raises Refused.

    One request; in a repository too large for that, one for each folder that differs.
    """
    tree = github.read(f"/repos/{repository}/git/trees/{commit}?recursive=1").data
    same: set[str] = set()
    if not tree.get("truncated"):
        leaves = {path: leaf for path, leaf, kind in _entries(tree, "") if kind != "tree"}
    else:
        leaves = {}
        waiting = [("", commit)]
        while waiting:
            below, number = waiting.pop()
            part = github.read(f"/repos/{repository}/git/trees/{number}").data
            for path, leaf, kind in _entries(part, below):
                if kind != "tree":
                    leaves[path] = leaf
                elif head.folders.get(path) == leaf.id:
                    same.add(path)
                else:
                    waiting.append((f"{path}/", leaf.id))
    found: dict[str, Leaf | None] = {
        path: leaf for path, leaf in leaves.items() if not _equal(leaf, head.leaves.get(path))
    }
    for path in head.leaves:
        if path not in leaves and not any(folder in same for folder in _folders(path)):
            found[path] = None
    return dict(sorted(found.items()))


def _equal(one: Leaf, other: Leaf | None) -> bool:
    return other is not None and (one.mode, one.id) == (other.mode, other.id)


def _folders(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _entries(tree: Any, below: str) -> Iterator[tuple[str, Leaf, str]]:
    for entry in tree["tree"]:
        leaf = Leaf(str(entry["mode"]), str(entry["sha"]), int(entry.get("size") or 0))
        yield below + str(entry["path"]), leaf, str(entry["type"])


def replaced_by(
    github: GitHub, repository: str, different: Mapping[str, Leaf | None], folder: str
) -> Replaced:
    """The files below `folder` as they are in the base, fetched when asked for."""
    return {
        path.removeprefix(folder): (
            partial(blob, github, repository, leaf.id)
            if leaf is not None and leaf.mode in _PLAIN and leaf.size <= SIZE_CAP
            else None
        )
        for path, leaf in different.items()
        if path.startswith(folder)
    }


def blob(github: GitHub, repository: str, number: str) -> bytes:
    """The bytes of a file by its id, which they are checked against. Raises Refused."""
    where = f"/repos/{repository}/git/blobs/{number}"
    answer = github.read(where).data
    try:
        data = base64.b64decode(answer["content"])
    except (KeyError, TypeError, binascii.Error):
        raise Refused(f"{where}: the answer holds no file") from None
    algorithm = hashlib.sha1 if len(number) == 40 else hashlib.sha256  # noqa: PLR2004  git's ids
    if algorithm(b"blob %d\0" % len(data) + data).hexdigest() != number:
        raise Refused(f"{where}: the bytes are not those of this id")
    return data
