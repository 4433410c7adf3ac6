"""Expansion: BuildKit's meaning of `${…}`, and where the values came from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.documents.expansion import Mode, Origin, expand, expand_words

KNOWN = {
    "V": Origin("8.0.1", "V", 0, 0),
    "P": Origin("a/b/a.c", "P", 1, 0),
    "E": Origin("", "E"),
    "N": Origin(None, "N"),
    "ARCH": Origin(None, "ARCH", late=True),
    "_x1": Origin("é", "_x1"),
    "L": Origin("a" * 5_000, "L"),
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$V", "8.0.1"),
        ("${V}", "8.0.1"),
        ("a$V-b", "a8.0.1-b"),
        ("$Vx", ""),
        ("${V}x", "8.0.1x"),
        ("$_x1", "é"),
        ("$", "$"),
        ("$.", "$."),
        ("$1x", "x"),
        ("$$", ""),
        ("\\$V", "$V"),
        ("\\\\$V", "\\8.0.1"),
        ("'$V'", "$V"),
        ('"$V"', "8.0.1"),
        ('"\\$V"', "$V"),
        ('"a\\b"', "a\\b"),
        ("a\\b", "ab"),
        ("a\\", "a"),
        ("${E:-x}", "x"),
        ("${E-x}", ""),
        ("${N:-x}", "x"),
        ("${N-x}", "x"),
        ("${V:-x}", "8.0.1"),
        ("${V:+x}", "x"),
        ("${E:+x}", ""),
        ("${E+x}", "x"),
        ("${N+x}", ""),
        ("${V:?no}", "8.0.1"),
        ("${E?no}", ""),
        ("${N:-${V}}", "8.0.1"),
        ('${N:-"a b"}', "a b"),
        ("${V%.*}", "8.0"),
        ("${V%%.*}", "8"),
        ("${V#*.}", "0.1"),
        ("${V##*.}", "1"),
        ("${V%?}", "8.0."),
        ("${V%x}", "8.0.1"),
        ("${V/0/9}", "8.9.1"),
        ("${P/a/x}", "x/b/a.c"),
        ("${P//a/x}", "x/b/x.c"),
        ("${P/\\//-}", "a-b/a.c"),
        ("${P//\\//-}", "a-b-a.c"),
        ("${P/a*c/x}", "x"),
        ("${V//*/x}", "x"),
        ("${V/./-}", "8-0.1"),
        ("${N%.*}", ""),
    ],
)
def test_expansion(text: str, result: str) -> None:
    found = expand(text, KNOWN)
    assert (found.text, found.error) == (result, "")


@pytest.mark.parametrize(
    "text",
    [
        *("${", "${}", "${:}", "${{x}}", "${V", "${V:}", "${V:x}", "${V:-x", "${N?}", "${N:?why}"),
        *("${E:?}", "${V:%x}", "${V/a", "${V/a/b", "'a", '"a', "${V%\\x}", "${V,,}"),
        "${V:-" * 500 + "}" * 500,
        "${L%*a*a*a*a*b}",
    ],
)
def test_errors(text: str) -> None:
    assert expand(text, KNOWN).error


def test_sources_and_unresolved() -> None:
    found = expand("${V%.*}-${N:-$P}-${Q}-$N", KNOWN)
    assert found.sources == (("V", KNOWN["V"]), ("P", KNOWN["P"]))
    assert found.unresolved == ("Q", "N")


def test_a_default_that_is_not_used_gave_nothing() -> None:
    assert expand("${V:-$P}", KNOWN).sources == (("V", KNOWN["V"]),)
    assert expand("${E:+$P}", KNOWN).unresolved == ()


def test_what_only_the_build_knows_is_unresolved_even_with_a_default() -> None:
    assert expand("${ARCH:-amd64}", KNOWN).unresolved == ("ARCH",)
    assert expand("$ARCH", KNOWN).unresolved == ("ARCH",)


def test_backtick_as_escape() -> None:
    assert expand("c:\\`$V\\$V", KNOWN, "`").text == "c:\\$V\\8.0.1"


def test_words() -> None:
    assert expand_words('a "b c" d\\ e $V', KNOWN) == ("a", "b c", "d e", "8.0.1")
    assert expand_words("a '", KNOWN) != ("a",)
    kept = expand_words('"a" $Q ${Q:-x}', KNOWN, Mode(raw_quotes=True, keep_unset=True))
    assert kept == ('"a"', "$Q", "${Q:-x}")
    assert expand_words("a << EOF b", KNOWN) == ("a", "<< EOF", "b")


@given(st.text(alphabet=st.sampled_from(list("${}VNE:-+?%#/*\\'\" a<"))))
def test_never_raises(text: str) -> None:
    expand(text, KNOWN)
    expand_words(text, KNOWN, Mode("`", raw_quotes=True, raw_escapes=True, keep_unset=True))


def _oracle(name: str) -> list[str]:
    folder = os.environ.get("HARDHULL_ORACLE")
    if not folder or not (Path(folder) / name).is_file():
        pytest.skip(f"HARDHULL_ORACLE names no folder with BuildKit's table {name}")
    lines = (Path(folder) / name).read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.judge
def test_buildkits_table_of_variables() -> None:
    known = {"PWD": "/home", "SHELL": "bash", "KOREAN": "한국어", "NULL": ""}
    lookup = {name: Origin(value, name) for name, value in known.items()}
    wrong: list[str] = []
    for line in _oracle("envVarTest"):
        system, text, result = (part.strip() for part in line.split("|"))
        if system == "W":
            continue
        found = expand(text, lookup)
        if ("error" if found.error else found.text) != result:
            wrong.append(line)
    assert not wrong


@pytest.mark.judge
def test_buildkits_table_of_words() -> None:
    lookup: dict[str, Origin] = {}
    wrong: list[str] = []
    for line in _oracle("wordsTest"):
        if line.startswith("ENV "):
            name, _, value = line[4:].lstrip(" ").partition("=")
            lookup[name] = Origin(value, name)
            continue
        text, result = line.split("|")
        found = expand_words(text.strip(), lookup)
        if (["error"] if isinstance(found, str) else list(found)) != result.lstrip(" ").split(","):
            wrong.append(line)
    assert not wrong
