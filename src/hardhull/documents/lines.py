"""Files of plain lines, such as `.dockerignore`: nothing in them can be misread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.documents.source import FileKind, Source
from hardhull.documents.yaml_render import Layout, content_lines
from hardhull.model import CreateFile, Edit, Unrenderable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Operation


@dataclass(frozen=True)
class TextFile:
    """A file without a structure of its own, or one that is not there yet."""

    source: Source


def absent(path: str) -> TextFile:
    """The document of a file that does not exist."""
    return TextFile(Source(path, FileKind.EVIDENCE, "", absent=True))


def render(file: TextFile, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """The edit that gives a new file its text. Raises Unrenderable for anything else."""
    match operations:
        case [CreateFile(content=content)] if file.source.absent:
            if isinstance(content, str):
                return (Edit(0, 0, content),)
            lines = content_lines(content, 0, Layout(item_offset=2))
            return (Edit(0, 0, "".join(f"{line}\n" for line in lines)),)
        case [CreateFile(), *_]:
            raise Unrenderable("the file is there already", file.source.path)
        case _:
            raise Unrenderable("a plain text file can only be created", file.source.path)
