"""The proof of an edit: the new text holds exactly what was intended, and nothing else changed."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from hardhull.documents.chart import ChartTemplate
from hardhull.documents.dockerfile import Dockerfile
from hardhull.documents.document import as_expected, comment_spans, named_spans, read
from hardhull.documents.lines import TextFile
from hardhull.documents.unreadable import Unreadable
from hardhull.model import RemoveElement, RemoveInstruction, RemoveNode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.document import Document
    from hardhull.model import Edit, Operation


def prove(
    before: Document, operations: Sequence[Operation], edits: Sequence[Edit]
) -> Document | str:
    """Return the edited document if the proof holds, else the reason why it does not.

    Checked: no edit reaches beyond what its operation names; it reads again; its structure is the
    old one with the operations applied; every comment is kept, in order; `dockerfile-parse`, where
    it agreed with us before, still does. That the finding is gone is for the engine to see, which
    knows the rules.
    """
    if isinstance(before, ChartTemplate):
        return _template(before, edits)
    if not _edits_are_local(before, operations, edits):
        return "an edit would reach beyond what it names"
    source = before.source.edited(edits)
    after = read(source)
    if isinstance(after, Unreadable):
        return f"the edited file would not be readable (line {after.line}: {after.reason})"
    if not as_expected(before, operations, after):
        return "the edited file would differ in more than the intended places"
    if isinstance(before, TextFile):
        return after  # it was not there: all of it is what was intended
    if not _comments_kept(before, operations, after):
        return "a comment would be lost"
    if isinstance(before, Dockerfile) and isinstance(after, Dockerfile):
        agreed = _second_reader_agrees(before, after)
        return after if agreed else "dockerfile-parse would read the edited file otherwise"
    return after


def _template(before: ChartTemplate, edits: Sequence[Edit]) -> Document | str:
    """A template keeps its actions and its comments; what it renders is judged by `chart_proof`."""
    actions = before.template.actions
    if any(start < edit.end and edit.start < end for edit in edits for start, end in actions):
        return "an edit would touch an action of the template"
    text = before.source.text
    try:
        after = read(before.source.edited(edits))
    except ValueError:
        return "two of the changes overlap"
    if not isinstance(after, ChartTemplate):
        return "the edited file would not be a template any more"
    new = after.source.text
    if [text[a:b] for a, b in actions] != [new[a:b] for a, b in after.template.actions]:
        return "the template's actions would differ"
    gone = [text[edit.start : edit.end] for edit in edits]
    kept = [text[a:b] for a, b in before.comments]
    if kept != [new[a:b] for a, b in after.comments] and not any("#" in part for part in gone):
        return "a comment would be lost"
    return after


def _edits_are_local(
    before: Document, operations: Sequence[Operation], edits: Sequence[Edit]
) -> bool:
    """Every edit is an insertion, or lies within the lines of what the operations name."""
    named = named_spans(before, operations)
    return all(
        edit.start == edit.end
        or any(span.start <= edit.start and edit.end <= span.end for span in named)
        for edit in edits
    )


def _comments_kept(before: Document, operations: Sequence[Operation], after: Document) -> bool:
    """All comments are there in their order; only what stood in a removed node may be gone."""
    removing = (RemoveNode, RemoveInstruction, RemoveElement)
    removals = [operation for operation in operations if isinstance(operation, removing)]
    removed = named_spans(before, removals)
    left = [after.source.text[start:end] for start, end in comment_spans(after)]
    stay = [
        before.source.text[start:end]
        for start, end in comment_spans(before)
        if not any(span.start <= start < span.end for span in removed)
    ]
    if left == stay:
        return True
    at = 0
    for start, end in comment_spans(before):
        if at < len(left) and left[at] == before.source.text[start:end]:
            at += 1
        elif not any(span.start <= start < span.end for span in removed):
            return False
    return at == len(left)


def _second_reader_agrees(before: Dockerfile, after: Dockerfile) -> bool:
    """Let dockerfile-parse veto; where its reading differed from ours before, it has no vote."""
    if _second_reading(before) != _own_reading(before):
        return True
    return _second_reading(after) == _own_reading(after)


def _own_reading(file: Dockerfile) -> list[tuple[str, int, int]]:
    return [(item.keyword, item.first_line, item.last_line) for item in file.instructions]


def _second_reading(file: Dockerfile) -> list[tuple[str, int, int]] | None:
    from dockerfile_parse import DockerfileParser  # noqa: PLC0415  only where a file changed

    try:
        parser: Any = DockerfileParser(fileobj=BytesIO(file.source.text.encode("utf-8")))
        return [
            (item["instruction"], item["startline"] + 1, item["endline"] + 1)
            for item in parser.structure
            if item["instruction"] != "COMMENT"
        ]
    except Exception:  # noqa: BLE001  a reader that fails has no vote
        return None
