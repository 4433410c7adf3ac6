"""One door to both kinds of documents: read, render operations, and what the result must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from hardhull.documents import dockerfile_edits, yaml_edits
from hardhull.documents.dockerfile import Dockerfile, read_dockerfile
from hardhull.documents.source import FileKind
from hardhull.documents.yaml import YamlFile, comments, read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.source import Source
    from hardhull.documents.unreadable import Unreadable
    from hardhull.model import Edit, Operation, Span

Document: TypeAlias = Dockerfile | YamlFile


def read(source: Source) -> Document | Unreadable:
    """Read a source by its kind; evidence is never read as a document."""
    if source.kind is FileKind.DOCKERFILE:
        return read_dockerfile(source)
    return read_yaml(source)


def render(document: Document, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations on this document into edits. Raises Unrenderable."""
    if isinstance(document, Dockerfile):
        return dockerfile_edits.render(document, operations)  # type: ignore[arg-type]  # by file
    if isinstance(document, YamlFile):
        return yaml_edits.render(document, operations)  # type: ignore[arg-type]  # by file
    assert_never(document)


def as_expected(before: Document, operations: Sequence[Operation], after: Document) -> bool:
    """Whether `after` is `before` with exactly these operations applied."""
    if isinstance(before, Dockerfile) and isinstance(after, Dockerfile):
        wanted = dockerfile_edits.expected(before, operations)  # type: ignore[arg-type]  # by file
        return dockerfile_edits.structure(after) == wanted
    if isinstance(before, YamlFile) and isinstance(after, YamlFile):
        return yaml_edits.same(
            yaml_edits.structure(after),
            yaml_edits.expected(before, operations),  # type: ignore[arg-type]  # by file
        )
    return False


def comment_spans(document: Document) -> tuple[Span, ...]:
    """Return the spans of all comments, in order."""
    if isinstance(document, Dockerfile):
        return document.comments
    return tuple(comments(document))
