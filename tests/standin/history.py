"""Who came before whom, and how two lines of commits merge."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from standin.gitstore import Entry

if TYPE_CHECKING:
    from standin.gitstore import GitStore


def ancestors(store: GitStore, oid: str) -> set[str]:
    """The commit and all before it."""
    seen: set[str] = set()
    queue = [oid]
    while queue:
        one = queue.pop()
        if one not in seen:
            seen.add(one)
            queue.extend(store.commit_object(one).parents)
    return seen


def is_ancestor(store: GitStore, old: str, new: str) -> bool:
    return old in ancestors(store, new)


def merge_base(store: GitStore, one: str, other: str) -> str | None:
    """The best common ancestor; of several equal ones, any, but always the same."""
    common = ancestors(store, one) & ancestors(store, other)
    best = [
        oid
        for oid in common
        if not any(oid != more and oid in ancestors(store, more) for more in common)
    ]
    return min(best, default=None)


def between(store: GitStore, base: str, head: str) -> list[str]:
    """Commits of `head` that `base` has not, oldest first."""
    left = ancestors(store, head) - ancestors(store, base)
    return [oid for oid in reversed(back(store, head)) if oid in left]


def back(store: GitStore, oid: str) -> list[str]:
    """Commits from `oid` back, each before all of its parents."""
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(one: str) -> None:
        if one not in seen:
            seen.add(one)
            for parent in reversed(store.commit_object(one).parents):
                visit(parent)
            ordered.append(one)

    visit(oid)
    return ordered[::-1]


def changed_paths(store: GitStore, oid: str) -> set[str]:
    """Paths that a commit changes against its first parent."""
    commit = store.commit_object(oid)
    after = store.flat(commit.tree)
    before = store.flat(store.commit_object(commit.parents[0]).tree) if commit.parents else {}
    return {path for path in {*before, *after} if before.get(path) != after.get(path)}


def merged_tree(store: GitStore, one: str, other: str) -> str | None:
    """The tree of a merge of two commits; None where they conflict."""
    base = merge_base(store, one, other)
    was = store.flat(store.commit_object(base).tree) if base else {}
    ours = store.flat(store.commit_object(one).tree)
    theirs = store.flat(store.commit_object(other).tree)
    result: dict[str, Entry] = {}
    for path in {*was, *ours, *theirs}:
        before, mine, yours = was.get(path), ours.get(path), theirs.get(path)
        if yours in (mine, before):
            chosen = mine
        elif mine == before:
            chosen = yours
        else:
            chosen = _merged_file(store, before, mine, yours)
            if chosen is None:
                return None
        if chosen is not None:
            result[path] = chosen
    return store.tree(result)


def _merged_file(
    store: GitStore, before: Entry | None, mine: Entry | None, yours: Entry | None
) -> Entry | None:
    if not (before and mine and yours):
        return None
    names = []
    for label, entry in (("mine", mine), ("before", before), ("yours", yours)):
        place = store.path / f"merging-{label}"
        place.write_bytes(store.read(entry.oid, "blob"))
        names.append(place.name)
    merged = subprocess.run(
        ["git", "merge-file", "-p", *names], cwd=store.path, capture_output=True, check=False
    )
    if merged.returncode != 0:
        return None
    return Entry(yours.mode if mine.mode == before.mode else mine.mode, store.blob(merged.stdout))
