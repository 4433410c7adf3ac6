"""Where things are: positions of findings in the text before, and paths as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hardhull.documents.source import FileKind, Source

if TYPE_CHECKING:
    from hardhull.model import Finding
    from hardhull.outcome import Outcome


class Place(NamedTuple):
    """A range in a file: lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


def place_of(outcome: Outcome, finding: Finding) -> Place:
    """Where a finding is in the text before the run; clamped to the file, never refused."""
    source = source_of(outcome, finding.path)
    size = len(source.text)
    span = outcome.spans.get(finding.key, finding.span)
    start = max(0, min(span.start, size))
    end = max(start, min(span.end, size))
    return Place(*source.position(start), *source.position(end))


def source_of(outcome: Outcome, path: str) -> Source:
    """A file's text before the run; empty for a path that names no file."""
    known = outcome.before.get(path) or outcome.project.workspace.texts.source(path)
    return known if known is not None else Source(path, FileKind.EVIDENCE, "")


@dataclass(frozen=True, slots=True)
class Root:
    """A root as it was named, and how its files are called from where the user stands."""

    label: str
    prefix: str
    inside: bool
    """True if it is the current directory or lies below it."""

    @classmethod
    def of(cls, given: Path, here: Path | None = None) -> Root:
        """Describe the root `given`, seen from `here`."""
        here = (here or Path()).resolve()
        location = given.resolve()
        if location == here:
            return cls(".", "", inside=True)
        if location.is_relative_to(here):
            relative = location.relative_to(here).as_posix()
            return cls(relative, relative + "/", inside=True)
        return cls(given.as_posix(), "", inside=False)

    def shown(self, path: str) -> str:
        """A path of this root's as the user would type it; as it is for a root elsewhere."""
        return self.prefix + path if path else self.label
