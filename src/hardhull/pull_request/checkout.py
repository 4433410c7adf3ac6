"""The checkout that a run looked at: its commit, and what git has stored of its files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.model import UsageError
from hardhull.writing import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hardhull.documents.source import Source
    from hardhull.project.updaters import OpenUpdate

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
        told = git(root, "rev-parse", "HEAD^{commit}", "HEAD^{tree}", "--show-prefix")
        if told is None:
            raise UsageError(
                f"{root.as_posix()}: no commit of a git repository is checked out here; "
                "run this in a clone"
            )
        commit, tree, prefix = os.fsdecode(told).split("\n", 2)
        listed = git(root, "ls-tree", "-r", "-z", "--full-tree", "HEAD") or b""
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

    def below(self, update: OpenUpdate) -> OpenUpdate:
        """An open pull request with its files as the root names them; others are not ours."""
        if update.paths is None:
            return update
        inside = (path for path in update.paths if path.startswith(self.prefix))
        return replace(update, paths=frozenset(path[len(self.prefix) :] for path in inside))

    def blob_id(self, data: bytes) -> str:
        """The id that git gives to these bytes, by the hash that this repository uses."""
        kind = hashlib.sha256 if len(self.commit) == 64 else hashlib.sha1  # noqa: PLR2004  hex digits
        return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def unwritable(self, files: Iterable[Source]) -> dict[str, str]:
        """Which of these files, as they were read, we leave as they are, and why."""
        reasons = {file.path: self._reason(file) for file in files}
        return {path: reason for path, reason in reasons.items() if reason}

    def mode_of(self, path: str) -> str:
        """The mode of a file of the repository; that of an ordinary one if it is new."""
        stored = self.stored.get(path)
        return stored.mode if stored is not None else _FILE_MODES[0]

    def _reason(self, file: Source) -> str:
        path = self.in_repository(file.path)
        stored = self.stored.get(path)
        if path.startswith(".github/") and path not in _WRITABLE_IN_GITHUB:
            return "files under .github are never written"
        if not path.isprintable() or "\\" in path:
            return "its name has characters that can't be shown"
        if file.absent and stored is None:
            return ""
        if stored is None:
            return "it is not committed, or lies in a submodule"
        if stored.mode not in _FILE_MODES:
            return "it is a symbolic link"
        if stored.oid != self.blob_id(file.to_bytes()) or file.absent:
            return "on disk it is not what is committed (changed, or converted by a git filter)"
        return ""
