"""Files as exact text: bytes to text to bytes without loss, and edits that keep all other bytes."""

from __future__ import annotations

import enum
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from hardhull.model import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable

_BOM = "\ufeff"


class FileKind(enum.Enum):
    """What a file is to hardhull."""

    DOCKERFILE = "dockerfile"
    YAML = "yaml"
    """A manifest or Compose file (JSON manifests are read as YAML too)."""
    CHART = "chart template"
    """A file below `templates/` of a Helm chart."""
    VALUES = "chart values"
    """Chart.yaml, values files and their schema: YAML that says what templates render."""
    MSBUILD = "msbuild"
    """A project, `Directory.Build.props` or publish profile that says something of its image."""
    EVIDENCE = "evidence"
    """Read to learn from (code, settings, scripts, workflows); edited only by a rule about it."""


@dataclass(frozen=True)
class Source:
    """One file of the repository.

    `path` is POSIX and relative to the root. `text` has no byte order mark and keeps its line
    ends; undecodable bytes are surrogate escapes. A file that is not there is `absent`.
    """

    path: str
    kind: FileKind
    text: str
    bom: bool = False
    absent: bool = False

    @classmethod
    def from_bytes(cls, path: str, kind: FileKind, data: bytes) -> Source:
        """Read `data` as UTF-8; the byte order mark is set apart."""
        text = data.decode("utf-8", "surrogateescape")
        bom = text.startswith(_BOM)
        return cls(path, kind, text[1:] if bom else text, bom)

    def to_bytes(self) -> bytes:
        """Return the exact bytes of the file."""
        return ((_BOM if self.bom else "") + self.text).encode("utf-8", "surrogateescape")

    @property
    def undecodable(self) -> bool:
        """True if some bytes of the file are not UTF-8."""
        try:
            self.text.encode("utf-8")
        except UnicodeEncodeError:
            return True
        return False

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = [len(line) + 1 for line in self.text.split("\n")]
        return list(accumulate(lengths[:-1], initial=0))

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column (code points) of an offset."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return bisect_right(self._line_starts, offset)

    def offset_of_line(self, line: int) -> int:
        """Return the offset at which a 1-based line starts."""
        return self._line_starts[line - 1]

    def line_text(self, line: int) -> str:
        """Return a 1-based line without its line end."""
        start = self._line_starts[line - 1]
        end = self.text.find("\n", start)
        return (self.text[start:] if end < 0 else self.text[start:end]).rstrip("\r")

    def edited(self, edits: Iterable[Edit]) -> Source:
        """Return this file with `edits` applied."""
        return Source(self.path, self.kind, apply_edits(self.text, edits), self.bom)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply non-overlapping edits, given in terms of `text`.

    Insertions at one offset keep their order. Raises ValueError for edits that overlap.
    """
    pieces: list[str] = []
    done = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if start < done or end < start:
            raise ValueError(f"edits overlap at offset {start}")
        pieces += (text[done:start], new)
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def undo_edits(edits: Iterable[Edit], before: str) -> tuple[Edit, ...]:
    """Return the edits that bring the edited text back to `before`."""
    back: list[Edit] = []
    shift = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        back.append(Edit(start + shift, start + shift + len(new), before[start:end]))
        shift += len(new) - (end - start)
    return tuple(back)


def newline_at(text: str, offset: int) -> str:
    """Return the line end in use around `offset`: that of its own line, else the line before."""
    end = text.find("\n", offset)
    if end < 0:
        end = text.rfind("\n", 0, offset)
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


_LONG_NUMBER = 1000
_MANY_DIGITS = re.compile(rf"[0-9]{{{_LONG_NUMBER}}}")


def oversized(text: str, limit: int) -> tuple[int, str]:
    """Return the 1-based line that no person wrote, and why; (0, "") if there is none.

    That is a line of more than `limit` code points, or a number of a thousand digits: patterns
    could take hours on the one, and Python refuses to read the other.
    """
    if len(text) > limit:
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > limit:
                return number, f"a line of more than {limit // 1024} KiB"
    # A run of a thousand digits covers one of every thousand places: only there one may begin.
    for at in range(_LONG_NUMBER - 1, len(text), _LONG_NUMBER):
        if text[at].isdecimal():
            digits = _MANY_DIGITS.search(text, at - _LONG_NUMBER + 1, at + _LONG_NUMBER)
            if digits is not None:
                return text.count("\n", 0, digits.start()) + 1, "a number of a thousand digits"
    return 0, ""


_GENERATED = re.compile(
    r"\bauto-?generated\b|\bcode generated\b|\b(?:is|was) generated (?:by|via|from|with)\b"
    r"|\bgenerated\b.*\bnot\b.*\b(?:edit|modify|change)|\bnot\b.*\b(?:edit|modify)\b.*\bgenerated\b",
    re.IGNORECASE,
)
_HEADER_LINES = 30


def is_generated(source: Source) -> bool:
    """Whether the comments a file begins with say that a program writes it."""
    header: list[str] = []
    for line in source.text.split("\n", _HEADER_LINES)[:_HEADER_LINES]:
        bare = line.strip()
        if bare and not bare.startswith(("#", "---", "%", "<!--", "<?xml")):
            break
        header.append(bare)
    return _GENERATED.search(" ".join(header)) is not None
