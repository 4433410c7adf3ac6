"""One door to all kinds of documents: read, render operations, and what the result must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from hardhull.documents import dockerfile_edits, lines, msbuild_edits, yaml_edits, yaml_structure
from hardhull.documents.chart import ChartTemplate, read_template
from hardhull.documents.dockerfile import Dockerfile, read_dockerfile
from hardhull.documents.lines import TextFile
from hardhull.documents.msbuild import MsbuildFile, is_msbuild, read_msbuild
from hardhull.documents.source import FileKind, oversized
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile, comments
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import (
    AppendItem,
    RemoveInstruction,
    RemoveNode,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    SetValue,
    Span,
    Unrenderable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.source import Source
    from hardhull.model import Edit, Operation

MAX_DOCKERFILE_LINE = 64 * 1024
MAX_YAML_LINE = 256 * 1024
_YAML_NAMES = (".yml", ".yaml", ".json", "/Kustomization")

Document: TypeAlias = Dockerfile | YamlFile | ChartTemplate | MsbuildFile | TextFile


def read(source: Source) -> Document | Unreadable:
    """Read a source by its kind; evidence by its name: MSBuild's, YAML, else its plain lines."""
    limit = MAX_DOCKERFILE_LINE if source.kind is FileKind.DOCKERFILE else MAX_YAML_LINE
    line, reason = oversized(source.text, limit)
    if line:
        return Unreadable(line, reason)
    if source.kind is FileKind.DOCKERFILE:
        return read_dockerfile(source)
    if source.kind is FileKind.CHART:
        return read_template(source)
    if source.kind is FileKind.MSBUILD or (
        source.kind is FileKind.EVIDENCE and is_msbuild(source.path)
    ):
        return read_msbuild(source)
    if source.kind is FileKind.EVIDENCE and not source.path.endswith(_YAML_NAMES):
        return TextFile(source)
    return read_yaml(source)


def render(document: Document, operations: Sequence[Operation]) -> tuple[Edit, ...]:
    """Turn operations on this document into edits. Raises Unrenderable."""
    if isinstance(document, Dockerfile):
        return dockerfile_edits.render(document, operations)  # type: ignore[arg-type]  # by file
    if isinstance(document, YamlFile):
        return yaml_edits.render(document, operations)  # type: ignore[arg-type]  # by file
    if isinstance(document, ChartTemplate):
        raise Unrenderable("a template is edited through what it renders", document.source.path)
    if isinstance(document, MsbuildFile):
        return msbuild_edits.render(document, operations)  # type: ignore[arg-type]  # by file
    if isinstance(document, TextFile):
        return lines.render(document, operations)
    assert_never(document)


def as_expected(before: Document, operations: Sequence[Operation], after: Document) -> bool:
    """Whether `after` is `before` with exactly these operations applied."""
    if isinstance(before, Dockerfile) and isinstance(after, Dockerfile):
        wanted = dockerfile_edits.expected(before, operations)  # type: ignore[arg-type]  # by file
        return dockerfile_edits.structure(after) == wanted
    if isinstance(before, YamlFile) and isinstance(after, YamlFile):
        return yaml_structure.same(
            yaml_structure.structure(after),
            yaml_structure.expected(before, operations),  # type: ignore[arg-type]  # by file
        )
    if isinstance(before, MsbuildFile) and isinstance(after, MsbuildFile):
        wanted_elements = msbuild_edits.expected(before, operations)  # type: ignore[arg-type]  # by file
        return msbuild_edits.structure(after) == wanted_elements
    if isinstance(before, TextFile):
        return [edit.text for edit in lines.render(before, operations)] == [after.source.text]
    return False


def comment_spans(document: Document) -> tuple[Span, ...]:
    """Return the spans of all comments, in order."""
    if isinstance(document, YamlFile):
        return tuple(comments(document))
    return () if isinstance(document, TextFile) else document.comments


def named_spans(document: Document, operations: Sequence[Operation]) -> tuple[Span, ...]:
    """Return the whole lines of what the operations name, as far as it is there already.

    In MSBuild files no lines, but exactly what they name: blanks between elements are no part of
    the structure, so that nothing else would keep them.
    """
    if isinstance(document, MsbuildFile):
        return msbuild_edits.named_spans(document, operations)
    if isinstance(document, Dockerfile):
        spans = [_named_in_dockerfile(document, operation) for operation in operations]
    elif isinstance(document, YamlFile):
        spans = [_named_in_yaml(document, operation) for operation in operations]
    else:
        return ()  # a new file has no lines yet; a template is judged by what it renders
    text = document.source.text
    return tuple(_whole_lines(text, span) for span in spans if span is not None)


def _named_in_dockerfile(file: Dockerfile, operation: Operation) -> Span | None:
    match operation:
        case ReplaceWord() | ReplaceFlag() | RemoveInstruction():
            return file.instructions[operation.instruction].span
        case ReplaceDirective():
            return file.directives[operation.name].span
        case _:
            return None


def _named_in_yaml(file: YamlFile, operation: Operation) -> Span | None:
    if not isinstance(operation, (SetValue, AppendItem, RemoveNode)):
        return None
    document, *keys = operation.at
    cursor = file.cursor(document) if isinstance(document, int) else None
    for key in keys:
        inner = cursor.get(key) if cursor is not None else None
        if cursor is None or inner is None or inner.shared:
            break
        cursor = inner
    if cursor is None:
        return None
    start = cursor.key_span.start if cursor.key_span is not None else cursor.span.start
    return Span(min(start, cursor.span.start), max(cursor.span.end, start))


def _whole_lines(text: str, span: Span) -> Span:
    """Widen to line starts, and over the blanks that follow."""
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    while end < len(text) and text[end] in " \r\n":
        end += 1
    return Span(start, end)
