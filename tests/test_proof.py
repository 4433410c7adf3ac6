"""The proof by itself: every way in which an edit can be wrong is caught."""

from __future__ import annotations

from hardhull.documents.document import Document, read, render
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.model import (
    AppendItem,
    Edit,
    InsertInstruction,
    Operation,
    RemoveNode,
    ReplaceWord,
    SetValue,
    value_of,
)
from hardhull.proof import prove

DOCKERFILE = "FROM a:1\n# why\nEXPOSE 80 81\nUSER 1\n"
MANIFEST = "# top\na:\n  b: 1 # why\n  c: [x, y]\n# end\nd: true\n"


def document(text: str, kind: FileKind) -> Document:
    found = read(Source("file", kind, text))
    assert not isinstance(found, Unreadable)
    return found


def dockerfile(operations: list[Operation], edits: list[Edit]) -> Document | str:
    return prove(document(DOCKERFILE, FileKind.DOCKERFILE), operations, edits)


def manifest(operations: list[Operation], edits: list[Edit]) -> Document | str:
    return prove(document(MANIFEST, FileKind.YAML), operations, edits)


def at(text: str, part: str, new: str) -> Edit:
    start = text.index(part)
    return Edit(start, start + len(part), new)


MOVE: list[Operation] = [ReplaceWord("file", 1, 0, "8080")]
SET: list[Operation] = [SetValue("file", (0, "a", "b"), value_of(2))]


def test_what_was_rendered_holds() -> None:
    before = document(DOCKERFILE, FileKind.DOCKERFILE)
    after = prove(before, MOVE, render(before, MOVE))

    assert not isinstance(after, str)
    assert after.source.text == DOCKERFILE.replace("80 ", "8080 ")


def test_an_unannounced_word_is_caught() -> None:
    edits = [at(DOCKERFILE, "80 81", "8080 8081")]

    assert "more than the intended places" in str(dockerfile(MOVE, edits))


def test_an_edit_in_another_instruction_is_caught() -> None:
    edits = [at(DOCKERFILE, "80 ", "8080 "), at(DOCKERFILE, "USER 1", "USER  1")]

    assert "beyond what it names" in str(dockerfile(MOVE, edits))


def test_a_lost_comment_is_caught() -> None:
    edits = [at(DOCKERFILE, "80 ", "8080 "), at(DOCKERFILE, "# why\n", "")]

    assert isinstance(dockerfile(MOVE, edits), str)


def test_an_inserted_instruction_that_was_not_announced_is_caught() -> None:
    edits = [at(DOCKERFILE, "80 ", "8080 "), Edit(len(DOCKERFILE), len(DOCKERFILE), "RUN x\n")]

    assert "more than the intended places" in str(dockerfile(MOVE, edits))


def test_an_edit_that_breaks_the_file_is_caught() -> None:
    operations: list[Operation] = [InsertInstruction("file", 3, "USER 2")]
    edits = [Edit(len(DOCKERFILE), len(DOCKERFILE), "USER\n")]

    assert "not be readable" in str(dockerfile(operations, edits))


def test_a_value_of_another_type_is_caught() -> None:
    assert "more than the intended places" in str(manifest(SET, [at(MANIFEST, "1 #", '"2" #')]))


def test_a_true_is_no_one() -> None:
    operations: list[Operation] = [SetValue("file", (0, "d"), value_of(1))]

    assert isinstance(manifest(operations, [at(MANIFEST, "d: true", "d: true")]), str)


def test_another_key_is_caught() -> None:
    edits = [at(MANIFEST, "1 #", "2 #"), at(MANIFEST, "true", "false")]

    assert isinstance(manifest(SET, edits), str)


def test_a_comment_in_a_removed_node_may_go_but_no_other() -> None:
    operations: list[Operation] = [RemoveNode("file", (0, "a", "b"))]
    good = [at(MANIFEST, "  b: 1 # why\n", "")]

    assert not isinstance(manifest(operations, good), str)
    assert isinstance(manifest(operations, [*good, at(MANIFEST, "# end\n", "")]), str)


def test_an_appended_item_must_be_the_one() -> None:
    operations: list[Operation] = [AppendItem("file", (0, "a", "c"), value_of("z"))]

    assert not isinstance(manifest(operations, [at(MANIFEST, "y]", "y, z]")]), str)
    assert isinstance(manifest(operations, [at(MANIFEST, "y]", "z, y]")]), str)
