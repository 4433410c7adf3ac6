"""The Dockerfile reader: spans, words, flags, JSON, heredocs, directives, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.documents.dockerfile import Dockerfile, Unreadable, read_dockerfile
from hardhull.documents.source import FileKind, Source


def source_of(data: str | bytes) -> Source:
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return Source.from_bytes("Dockerfile", FileKind.DOCKERFILE, raw)


def read(data: str | bytes) -> Dockerfile:
    file = read_dockerfile(source_of(data))
    assert isinstance(file, Dockerfile), file
    return file


def test_lines_and_spans() -> None:
    file = read("# x\nFROM a AS b\n\nRUN c \\\n  # d\n\n  && e  \nUSER f")
    text = file.source.text
    assert [(i.keyword, i.first_line, i.last_line) for i in file.instructions] == [
        ("FROM", 2, 2),
        ("RUN", 4, 7),
        ("USER", 8, 8),
    ]
    spans = [text[slice(*i.span)] for i in file.instructions]
    assert spans == ["FROM a AS b", "RUN c \\\n  # d\n\n  && e  ", "USER f"]
    run = file.instructions[1]
    assert run.text == "c   && e"
    assert text[slice(*run.arguments)] == "c \\\n  # d\n\n  && e"
    assert [text[slice(*span)] for span in file.comments] == ["# x", "# d"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM img AS n", ["img", "AS", "n"]),
        ('FROM a\nENV A="x y" B=2', ['A="x y"', "B=2"]),
        ("FROM a\nENV A x  y", ["A", "x  y"]),
        ("FROM a\nENV A='it \"is' B=\\ x", ["A='it \"is'", "B=\\ x"]),
        ("FROM a\nARG A B=1 C='d e'", ["A", "B=1", "C='d e'"]),
        ("FROM a\nHEALTHCHECK CMD curl http://x:80/", ["CMD", "curl", "http://x:80/"]),
        ('FROM a\nHEALTHCHECK CMD ["curl", "x"]', ["CMD", "curl", "x"]),
        ('FROM a\nCMD [ "a" ,"b\\u0041\\"" ]', ["a", 'bA"']),
        ("FROM a\nCMD ['a']", ["['a']"]),
        ("FROM a\nCMD []", []),
        ('FROM a\nCOPY "a b" c', ['"a', 'b"', "c"]),
        ("FROM a\nEXPOSE 80\t443/tcp", ["80", "443/tcp"]),
        ("FROM a\nENTRYPOINT dotnet app.dll", ["dotnet", "app.dll"]),
        ("FROM a\nRUN b\\\n  c", ["b", "c"]),
        ("FROM a\nENV A=b\\\\\\", ["A=b\\\\"]),
        ("FROM a\nONBUILD COPY --from=x a b", ["COPY", "--from=x", "a", "b"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    instruction = read(text).instructions[-1]
    assert [word.value for word in instruction.words] == words
    for word in instruction.words:
        assert text[slice(*word.span)] == word.text


def test_a_word_over_two_lines_has_one_value() -> None:
    (_, user) = read("FROM a\nUSER ap\\\n# c\np\n").instructions
    assert user.words[0].text == "ap\\\n# c\np"
    assert user.words[0].value == "app"
    assert user.text == "app"


def test_json_words_are_exact_over_lines() -> None:
    text = 'FROM a\nCMD ["a", \\\n  "b\\n"\\\n ]\n'
    cmd = read(text).instructions[1]
    assert cmd.json
    assert [(text[slice(*word.span)], word.value) for word in cmd.words] == [
        ('"a"', "a"),
        ('"b\\n"', "b\n"),
    ]


def test_flags() -> None:
    text = 'FROM --platform=$P a\nRUN --network=none --x="a b" -- --y z\n'
    first, second = read(text).instructions
    assert [flag.value for flag in first.flags] == ["--platform=$P"]
    assert [flag.value for flag in second.flags] == ["--network=none", "--x=a b"]
    assert second.flags[1].text == '--x="a b"'
    assert second.text == "--y z"


def test_onbuild_has_its_trigger() -> None:
    item = read("FROM a\nonbuild copy --from=b c d\n").instructions[1]
    assert (item.keyword, item.flags) == ("ONBUILD", ())
    assert item.trigger is not None
    assert item.trigger.keyword == "COPY"
    assert [flag.value for flag in item.trigger.flags] == ["--from=b"]


@pytest.mark.parametrize(
    ("opening", "name", "expand", "chomp", "disputed"),
    [
        ("<<EOF", "EOF", True, False, False),
        ("<<-EOF", "EOF", True, True, False),
        ("<<'EOF'", "EOF", False, False, False),
        ('<<"E F"', "E F", False, False, False),
        ("<< EOF", "EOF", True, False, True),
        ("<<\tEOF", "EOF", True, False, True),
        ("3<<EOF", "EOF", True, False, False),
        ("${A%.*} <<EOF", "EOF", True, False, True),
        ("${A:-#} <<EOF", "EOF", True, False, False),
    ],
)
def test_heredoc(opening: str, name: str, expand: bool, chomp: bool, disputed: bool) -> None:
    text = f"FROM a\nRUN cat {opening} && x\nUSER b\n{name}\nUSER c\n"
    _, run, user = read(text).instructions
    (heredoc,) = run.heredocs
    found = (heredoc.name, heredoc.expand, heredoc.chomp, heredoc.disputed)
    assert found == (name, expand, chomp, disputed)
    assert heredoc.body == "USER b\n" == text[slice(*heredoc.span)]
    assert (run.last_line, user.first_line) == (4, 5)
    assert text[slice(*run.span)].endswith(f"\n{name}")


@pytest.mark.parametrize(
    "line",
    ['RUN ["a", "<<EOF"]', "RUN a <<<EOF", 'RUN "<<EOF"', "RUN a<<EOF", "CMD <<EOF", "RUN <<- EOF"],
)
def test_no_heredoc(line: str) -> None:
    _, item, user = read(f"FROM a\n{line}\nUSER b\n").instructions
    assert (item.heredocs, user.keyword) == ((), "USER")


def test_several_heredocs() -> None:
    _, copy, _ = read(
        "FROM a\r\nCOPY <<x <<-y /d\r\n1\r\nx\r\n\t2\r\n\ty\r\nUSER b\r\n"
    ).instructions
    assert [(doc.name, doc.body) for doc in copy.heredocs] == [("x", "1\r\n"), ("y", "\t2\r\n")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a\n", {"syntax": "docker/dockerfile:1"}),
        ("#syntax = a b \nFROM a\n", {"syntax": "a"}),
        ("#!/bin/x\n# syntax=a\nFROM a\n", {"syntax": "a"}),
        ("# check=skip=all\r\n# SYNTAX=a\r\nFROM a\r\n", {"check": "skip=all", "syntax": "a"}),
        ("# escape=`\n# syntax=a\nFROM a\n", {"escape": "`", "syntax": "a"}),
        ("# hello\n# syntax=a\nFROM a\n", {}),
        ("\n# syntax=a\nFROM a\n", {}),
        (" # syntax=a\nFROM a\n", {}),
        ("# unknown=x\n# syntax=a\nFROM a\n", {}),
    ],
)
def test_directives(text: str, found: dict[str, str]) -> None:
    file = read(text)
    assert {name: word.value for name, word in file.directives.items()} == found
    for word in file.directives.values():
        assert text[slice(*word.span)] == word.text == word.value


def test_escape_directive() -> None:
    file = read("# escape=`\nFROM a\nRUN b `\n  c\nWORKDIR c:\\\nUSER d\n")
    assert file.escape == "`"
    assert [i.first_line for i in file.instructions] == [2, 3, 5, 6]
    assert not file.comments


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "no FROM"),
        ("# a\n", 1, "no FROM"),
        ("ARG A\n", 1, "no FROM"),
        ("USER a\nFROM b\n", 1, "before the first FROM"),
        ("FROM a\n{{ x }}\n", 2, "unknown instruction {{: a template?"),
        ("FROM a\nFOO b\n", 2, "unknown instruction FOO"),
        ("FROM {{ a }}\n", 1, "a template?"),
        ("FROM\n", 1, "FROM needs"),
        ("FROM a b\n", 1, "FROM needs"),
        ("FROM a AS 1x\n", 1, "no name for a build stage"),
        ("FROM a # b\n", 1, "FROM needs"),
        ("FROM a\nENV A\n", 2, "has no value"),
        ("FROM a\nENV\n", 2, "ENV needs"),
        ("FROM a\nENV A=1 B\n", 2, "no ="),
        ("FROM a\nENV =1\n", 2, "names can't be empty"),
        ("FROM a\nLABEL\n", 2, "LABEL needs"),
        ("FROM a\nCOPY b\n", 2, "COPY needs"),
        ("FROM a\nUSER\n", 2, "USER needs"),
        ("FROM a\nSHELL sh -c\n", 2, "SHELL needs"),
        ("FROM a\nVOLUME []\n", 2, "VOLUME needs"),
        ("FROM a\nHEALTHCHECK curl\n", 2, "HEALTHCHECK needs"),
        ("FROM a\nHEALTHCHECK CMD\n", 2, "needs a command"),
        ("FROM a\nHEALTHCHECK NONE x\n", 2, "takes no arguments"),
        ("FROM a\nONBUILD\n", 2, "ONBUILD needs"),
        ("FROM a\nONBUILD ONBUILD RUN x\n", 2, "behind ONBUILD"),
        ("FROM a\nONBUILD FROM x\n", 2, "behind ONBUILD"),
        ('FROM a\nCMD ["a", 1]\n', 2, "strings only"),
        ('FROM a\nCMD ["a"] b\n', 2, "behind a JSON array"),
        ("FROM a\nCMD " + "[" * 20_000 + "\n", 2, "nested too deeply"),
        ("FROM a\nRUN <<EOF\nx\n", 2, "has no end"),
        ("FROM a\nRUN " + "${A:-" * 99 + "}" * 99 + "<<E\nE\n", 2, "nested too deeply"),
        ("FROM a\nRUN a <<${A:-b}\nb\n", 2, "builders read differently"),
        ("FROM a\nRUN --x=é b\n", 2, "outside ASCII"),
        ("FROM a\rUSER b\r", 1, "carriage return"),
        ("# escape=x\nFROM a\n", 1, "escape character"),
        ("# escape=`\n# escape=`\nFROM a\n", 2, "only one escape"),
        ("FROM a\nRUN " + "x" * 70_000 + "\n", 2, "longer than"),
        ("// syntax=x/y\nFROM a\n", 1, "another frontend"),
        ('{"syntax": "x/y"}\n', 1, "another frontend"),
    ],
)
def test_unreadable(text: str, line: int, reason: str) -> None:
    found = read_dockerfile(source_of(text))
    assert isinstance(found, Unreadable)
    assert (found.line, reason in found.reason) == (line, True), found


def test_odd_but_readable() -> None:
    file = read("\ufeff\tfrom a\r\nRUN\r\n\\\r\n  User \t b \\\r\n")
    assert [i.keyword for i in file.instructions] == ["FROM", "RUN", "USER"]
    assert (file.instructions[2].first_line, file.instructions[2].open) == (3, True)
    assert file.source.text[slice(*file.instructions[2].keyword_span)] == "User"


def test_bytes_that_are_no_text_stay() -> None:
    data = b'FROM a\nLABEL x="\xe9\xa0" y=1\nUSER b\n'
    file = read(data)
    assert file.source.to_bytes() == data
    assert [word.text for word in file.instructions[1].words] == ['x="\udce9\udca0"', "y=1"]


@given(st.text(alphabet=st.sampled_from(list("FROMRUNENVab \t\n\r\\`\"'#<=[],-{}é\u00a0\udce9"))))
def test_never_raises(text: str) -> None:
    found = read_dockerfile(source_of("FROM a\n" + text))
    for item in found.instructions if isinstance(found, Dockerfile) else ():
        for word in (*item.words, *item.flags):
            assert item.span.start < word.span.start < word.span.end <= item.span.end


@given(st.binary())
def test_never_raises_on_bytes(data: bytes) -> None:
    read_dockerfile(source_of(data))
