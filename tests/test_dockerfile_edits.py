"""Edits of Dockerfiles: exactly the bytes that were meant, proven by structure and undone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardhull.documents.dockerfile import Dockerfile, read_dockerfile
from hardhull.documents.dockerfile_edits import expected, render, structure
from hardhull.documents.source import FileKind, Source, apply_edits, undo_edits
from hardhull.model import (
    DockerfileOperation,
    InsertInstruction,
    RemoveInstruction,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    Unrenderable,
)

D = "Dockerfile"


def read(text: str) -> Dockerfile:
    file = read_dockerfile(Source(D, FileKind.DOCKERFILE, text))
    assert isinstance(file, Dockerfile), file
    return file


def edited(text: str, *operations: DockerfileOperation) -> str:
    """Render, check the proof, and check that undoing gives the text back."""
    file = read(text)
    edits = render(file, operations)
    result = apply_edits(text, edits)
    assert structure(read(result)) == expected(file, operations)
    assert apply_edits(result, undo_edits(edits, text)) == text
    return result


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ("FROM  a:1\tAS b \r\n", ReplaceWord(D, 0, 0, "a:2"), "FROM  a:2\tAS b \r\n"),
        (
            "FROM a\nENV A=1 \\\n # c\n B=2\n",
            ReplaceWord(D, 1, 1, "B=3"),
            "FROM a\nENV A=1 \\\n # c\n B=3\n",
        ),
        ("FROM a\nENV A x y\n", ReplaceWord(D, 1, 1, "z w"), "FROM a\nENV A z w\n"),
        ("FROM a\nUSER b", ReplaceWord(D, 1, 0, "$APP_UID"), "FROM a\nUSER $APP_UID"),
        (
            'FROM a\nCMD [ "x" ,"--urls","http://+:80"]\n',
            ReplaceWord(D, 1, 2, 'http://+:8080"\\é'),
            'FROM a\nCMD [ "x" ,"--urls","http://+:8080\\"\\\\é"]\n',
        ),
        (
            'FROM a\nHEALTHCHECK CMD ["curl", "x"]\n',
            ReplaceWord(D, 1, 2, "y"),
            'FROM a\nHEALTHCHECK CMD ["curl", "y"]\n',
        ),
        (
            "FROM a\nCOPY --chown=x  --from=b:1 c d\n",
            ReplaceFlag(D, 1, 1, "--from=b:1@sha256:0"),
            "FROM a\nCOPY --chown=x  --from=b:1@sha256:0 c d\n",
        ),
        (
            "FROM a\nONBUILD COPY --from=b c d\n",
            ReplaceFlag(D, 1, 0, "--from=e"),
            "FROM a\nONBUILD COPY --from=e c d\n",
        ),
        (
            "FROM a\nONBUILD COPY --from=b c d\n",
            ReplaceWord(D, 1, 2, "e"),
            "FROM a\nONBUILD COPY --from=b e d\n",
        ),
        ("FROM a\nUSER b\nRUN c\n", RemoveInstruction(D, 1), "FROM a\nRUN c\n"),
        ("FROM a\r\n# x\r\nUSER \\\r\n b\r\n", RemoveInstruction(D, 1), "FROM a\r\n# x\r\n"),
        ("FROM a\r\nUSER b", RemoveInstruction(D, 1), "FROM a"),
        (
            "# syntax=a:1 \nFROM b\n",
            ReplaceDirective(D, "syntax", "a:1@sha256:0"),
            "# syntax=a:1@sha256:0 \nFROM b\n",
        ),
    ],
)
def test_small_edits(before: str, operation: DockerfileOperation, after: str) -> None:
    assert edited(before, operation) == after


@pytest.mark.parametrize(
    ("before", "at", "after"),
    [
        ("FROM a\nCMD b\n", 1, "FROM a\nUSER x\nCMD b\n"),
        ("FROM a\r\nCMD b\r\n", 1, "FROM a\r\nUSER x\r\nCMD b\r\n"),
        ("FROM a\r\nCMD b\n", 1, "FROM a\r\nUSER x\nCMD b\n"),
        ("FROM a\r\nCMD b", 1, "FROM a\r\nUSER x\r\nCMD b"),
        ("FROM a\n\n# c\n  # d\nCMD b\n", 1, "FROM a\n\nUSER x\n# c\n  # d\nCMD b\n"),
        ("FROM a\n# c\n\nCMD b\n", 1, "FROM a\n# c\n\nUSER x\nCMD b\n"),
        ("FROM a\n\t CMD b\n", 1, "FROM a\n\t USER x\n\t CMD b\n"),
        (
            "FROM a\nRUN b \\\n# c\n d\n# e\nCMD f\n",
            2,
            "FROM a\nRUN b \\\n# c\n d\nUSER x\n# e\nCMD f\n",
        ),
        ("FROM a\nRUN <<E\n# c\nE\nCMD f\n", 2, "FROM a\nRUN <<E\n# c\nE\nUSER x\nCMD f\n"),
        ("FROM a\nCMD b", 2, "FROM a\nCMD b\nUSER x"),
        ("FROM a\r\nCMD b", 2, "FROM a\r\nCMD b\r\nUSER x"),
        ("FROM a\nCMD b\n", 2, "FROM a\nCMD b\nUSER x\n"),
        ("FROM a\nCMD b\n\n\n", 2, "FROM a\nCMD b\nUSER x\n\n\n"),
        ("FROM a\nCMD b\n# c\n\n", 2, "FROM a\nCMD b\n# c\nUSER x\n\n"),
        ("FROM a\nCMD b\n# c", 2, "FROM a\nCMD b\n# c\nUSER x"),
        ("FROM a\r\nRUN b\r\n\r\n", 2, "FROM a\r\nRUN b\r\nUSER x\r\n\r\n"),
    ],
)
def test_insertion(before: str, at: int, after: str) -> None:
    assert edited(before, InsertInstruction(D, at, "USER x")) == after


def test_insertion_stays_behind_directives_and_shebang() -> None:
    argument = InsertInstruction(D, 0, "ARG A=1")
    assert edited("# syntax=x\nFROM a\n", argument) == "# syntax=x\nARG A=1\nFROM a\n"
    assert edited("#!/bin/x\nFROM a\n", argument) == "#!/bin/x\nARG A=1\nFROM a\n"


def test_several_insertions_keep_their_order() -> None:
    new = [InsertInstruction(D, 2, f"ENV A={n}") for n in range(3)]
    assert edited("FROM a\nCMD b", *new) == "FROM a\nCMD b\nENV A=0\nENV A=1\nENV A=2"
    new = [InsertInstruction(D, 1, f"ENV A={n}") for n in range(3)]
    assert edited("FROM a\nCMD b", *new) == "FROM a\nENV A=0\nENV A=1\nENV A=2\nCMD b"


def test_several_lines() -> None:
    new = InsertInstruction(D, 1, "RUN a \\\n    && b")
    assert edited("FROM x\r\nCMD b\r\n", new) == "FROM x\r\nRUN a \\\r\n    && b\r\nCMD b\r\n"


def test_together() -> None:
    before = "FROM a\nUSER b\nEXPOSE 80\nCMD c"
    operations: list[DockerfileOperation] = [
        RemoveInstruction(D, 3),
        InsertInstruction(D, 4, "CMD d"),
        ReplaceWord(D, 2, 0, "8080"),
        InsertInstruction(D, 1, "ENV A=1"),
        RemoveInstruction(D, 1),
        ReplaceWord(D, 2, 0, "8080"),
        ReplaceWord("other", 2, 0, "9"),
    ]
    assert edited(before, *operations) == "FROM a\nENV A=1\nEXPOSE 8080\nCMD d"


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("FROM a\n", ReplaceWord(D, 1, 0, "b")),
        ("FROM a\n", ReplaceWord(D, 0, 1, "b")),
        ("FROM a\n", ReplaceWord(D, 0, 0, "b c")),
        ("FROM a\n", ReplaceWord(D, 0, 0, "")),
        ("FROM a\n", ReplaceWord(D, 0, 0, "b\nUSER c")),
        ("FROM a\n", ReplaceWord(D, 0, 0, "b\\")),
        ("FROM a\nUSER b\n", ReplaceWord(D, 1, 0, "#b")),
        ("FROM a\nENV A=1 B=2\n", ReplaceWord(D, 1, 0, "A=1 C=2")),
        ("FROM a\nUSER b\\\n# c\nd\n", ReplaceWord(D, 1, 0, "x")),
        ("FROM a\nONBUILD USER b\n", ReplaceWord(D, 1, 0, "RUN")),
        ("FROM --platform=x a\n", ReplaceFlag(D, 0, 0, "--platform=a b")),
        ("FROM --platform=x a\n", ReplaceFlag(D, 0, 0, "x")),
        ("FROM --platform=x a\n", ReplaceFlag(D, 0, 1, "--x")),
        ("FROM a\n", RemoveInstruction(D, 1)),
        ("FROM a\n", InsertInstruction(D, 2, "USER b")),
        ("FROM a\n", InsertInstruction(D, 1, "USER")),
        ("FROM a\n", InsertInstruction(D, 1, "# only a comment")),
        ("FROM a\n", InsertInstruction(D, 1, "RUN a \\")),
        ("FROM a\nRUN b \\\n", InsertInstruction(D, 2, "USER c")),
        ("FROM a\nRUN b \\\n# x\n", InsertInstruction(D, 2, "USER c")),
        ("FROM a\n", ReplaceDirective(D, "syntax", "x")),
        ("# escape=`\nFROM a\n", ReplaceDirective(D, "escape", "\\")),
        ("# syntax=x\nFROM a\n", ReplaceDirective(D, "syntax", "x y")),
        ("FROM a\nRUN ${A#b} <<E\nE\nUSER b\n", ReplaceWord(D, 2, 0, "c")),
        ("FROM a\nRUN << E\nE\nUSER b\n", ReplaceWord(D, 2, 0, "c")),
    ],
)
def test_what_cannot_be_rendered(text: str, operation: DockerfileOperation) -> None:
    with pytest.raises(Unrenderable):
        render(read(text), [operation])


def test_two_wishes_for_one_place() -> None:
    file = read("FROM a\nUSER b\n")
    with pytest.raises(Unrenderable):
        render(file, [ReplaceWord(D, 1, 0, "c"), ReplaceWord(D, 1, 0, "d")])
    with pytest.raises(Unrenderable):
        render(file, [ReplaceWord(D, 1, 0, "c"), RemoveInstruction(D, 1)])


LINES = [
    "USER app",
    "ENV A=1 \\\n  # c\n  B='x y'",
    "ENV C d e",
    'CMD [ "a" , "b" ]',
    "RUN a && \\\n\n   b",
    "RUN <<EOF\n# x\nUSER y\nEOF",
    "COPY --from=x --chown=y c  d",
    "EXPOSE 80\t443",
    "# comment",
    "",
    "  WORKDIR /x",
    "ONBUILD COPY --from=b c d",
    "HEALTHCHECK --interval=3s CMD curl x",
    "FROM b AS c",
]
WORDS = ["x", "a:1@sha256:0", "A=2", "$V", "é"]


@st.composite
def files(draw: st.DrawFn) -> str:
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    head = draw(st.sampled_from(["", "# syntax=x\n", "# escape=`\n", "# hello\n"]))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=8))
    end = draw(st.sampled_from(["", "\n", "\n\n"]))
    mark = "`" if "escape" in head else "\\"
    text = head + "\n".join(["FROM a", *lines]) + end
    return text.replace("\\\n", mark + "\n").replace("\n", newline)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Dockerfile, list[DockerfileOperation]]:
    file = read(draw(files()))
    count = len(file.instructions)
    at = st.integers(0, count - 1)
    operation = st.one_of(
        st.builds(ReplaceWord, st.just(D), at, st.integers(0, 3), st.sampled_from(WORDS)),
        st.builds(ReplaceFlag, st.just(D), at, st.integers(0, 1), st.just("--from=z")),
        st.builds(RemoveInstruction, st.just(D), st.integers(1, max(1, count - 1))),
        st.builds(
            InsertInstruction,
            st.just(D),
            st.integers(1, count),
            st.sampled_from(["USER z", "RUN a \\\n  && b", "ENV Q=1"]),
        ),
        st.just(ReplaceDirective(D, "syntax", "y")),
    )
    return file, draw(st.lists(operation, min_size=1, max_size=4))


@settings(max_examples=400)
@given(wishes())
def test_rendered_is_expected_and_can_be_undone(
    wish: tuple[Dockerfile, list[DockerfileOperation]],
) -> None:
    file, operations = wish
    text = file.source.text
    try:
        edits = render(file, operations)
    except Unrenderable:
        return
    source = file.source.edited(edits)
    assert apply_edits(source.text, undo_edits(edits, text)) == text
    after = read_dockerfile(source)
    if isinstance(after, Dockerfile):  # `ENV x` is no ENV any more: the proof says so
        assert structure(after) == expected(file, operations)
