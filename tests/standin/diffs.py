"""Which files differ between two commits, as GitHub lists them (without renames)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standin.gitstore import Entry, GitStore


@dataclass(frozen=True)
class ChangedFile:
    path: str
    status: str
    oid: str
    additions: int
    deletions: int
    patch: str


def changed_files(store: GitStore, old: str | None, new: str) -> list[ChangedFile]:
    before = store.flat(store.commit_object(old).tree) if old else {}
    after = store.flat(store.commit_object(new).tree)
    return [
        _changed(store, path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def _changed(store: GitStore, path: str, was: Entry | None, now: Entry | None) -> ChangedFile:
    status = "added" if was is None else "removed" if now is None else "modified"
    one = now or was
    assert one is not None
    lines = list(difflib.unified_diff(_lines(store, was), _lines(store, now), n=3, lineterm=""))[2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return ChangedFile(path, status, one.oid, added, removed, "\n".join(lines))


def _lines(store: GitStore, entry: Entry | None) -> list[str]:
    if entry is None or entry.kind != "blob":
        return []
    data = store.read(entry.oid, "blob")
    return [] if b"\0" in data else data.decode("utf-8", "replace").splitlines()
