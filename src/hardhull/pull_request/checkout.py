"""The checkout that a run looked at: its commit, and what git has stored of its files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hardhull.model import UsageError
from hardhull.writing import ask_git

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_FILE_MODES = ("100644", "100755")
_PARTS = 4
_WRITABLE_IN_GITHUB = (".github/dependabot.yml", ".github/dependabot.yaml")


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry of the commit's tree."""

    mode: str
    oid: str


@dataclass(frozen=True)
class Checkout:
    """A commit and the entries of its tree; `prefix` is the root's own path in the repository."""

    commit: str
    tree: str
    prefix: str = ""
    stored: Mapping[str, Stored] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Checkout:
        """Ask git about the checkout that holds `root`. Raises UsageError if there is none."""
        told = ask_git(root, "rev-parse", "HEAD^{commit}", "HEAD^{tree}", "--show-prefix")
        if told is None:
            raise UsageError(
                f"{root.as_posix()}: no commit of a git repository is checked out here; "
                "run this in a clone"
            )
        commit, tree, prefix = os.fsdecode(told).split("\n", 2)
        listed = ask_git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD") or b""
        stored = {}
        for line in listed.split(b"\0"):
            about, _, path = line.partition(b"\t")
            parts = about.decode("ascii").split()
            if len(parts) == _PARTS - 1:
                stored[os.fsdecode(path)] = Stored(parts[0], parts[2])
        return cls(commit, tree, prefix.strip("\n"), stored)

    def in_repository(self, path: str) -> str:
        """A path of the root as the repository names it."""
        return self.prefix + path

    def blob_id(self, data: bytes) -> str:
        """The id that git gives to these bytes, by the hash that this repository uses."""
        kind = hashlib.sha256 if len(self.commit) == 64 else hashlib.sha1  # noqa: PLR2004  hex digits
        return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def unwritable(self, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """Which of these files (path in the root, bytes as they were read) we leave, and why."""
        found = {}
        for path, data in files:
            reason = self._reason(self.in_repository(path), data)
            if reason:
                found[path] = reason
        return found

    def _reason(self, path: str, data: bytes) -> str:
        stored = self.stored.get(path)
        if path.startswith(".github/") and path not in _WRITABLE_IN_GITHUB:
            return "files under .github are never written"
        if not path.isprintable() or "\\" in path:
            return "its name has characters that can't be shown"
        if stored is None:
            return "it is not committed, or lies in a submodule"
        if stored.mode not in _FILE_MODES:
            return "it is a symbolic link"
        if stored.oid != self.blob_id(data):
            return "on disk it is not what is committed (changed, or converted by a git filter)"
        return ""
