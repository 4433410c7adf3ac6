"""CODEOWNERS as GitHub reads it: the last line that matches a file names its owners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.globs import matcher
from hardhull.writing import git

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable
    from pathlib import Path

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_LARGEST = 3 * 1024 * 1024
_UNSUPPORTED = frozenset("![]")


@dataclass(frozen=True, slots=True)
class _Line:
    pattern: re.Pattern[str]
    owners: tuple[str, ...]
    below: re.Pattern[str] | None


@dataclass(frozen=True)
class CodeOwners:
    """The lines of a CODEOWNERS file, in their order."""

    lines: tuple[_Line, ...] = ()

    @classmethod
    def parse(cls, text: str) -> CodeOwners:
        """Read the file's text; lines that GitHub skips are skipped."""
        lines = []
        for line in text.splitlines():
            words = line.partition(" #")[0].split()
            if not words or words[0].startswith("#") or _UNSUPPORTED & set(words[0]):
                continue
            pattern = matcher([words[0]])
            # `docs/*` means what is directly in docs; everywhere else a folder means all below.
            direct = words[0].endswith("/*")
            below = matcher([f"{words[0]}/**"]) if direct else None
            if pattern is not None:
                lines.append(_Line(pattern, tuple(words[1:]), below))
        return cls(tuple(lines))

    @classmethod
    def committed(cls, root: Path) -> CodeOwners:
        """Read the file that the checked-out commit holds; none means that nobody owns anything."""
        for place in PLACES:
            data = git(root, "cat-file", "blob", f"HEAD:{place}")
            if data is not None and len(data) <= _LARGEST:
                return cls.parse(data.decode("utf-8", "replace"))
        return cls()

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file."""
        for line in reversed(self.lines):
            if line.pattern.match(path) and not (line.below and line.below.match(path)):
                return line.owners
        return ()

    def of_all(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The owners of any of these files, sorted."""
        return tuple(sorted({owner for path in paths for owner in self.of(path)}))
