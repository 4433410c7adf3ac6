"""Go templates: actions, trimming and branches, with spans that are true for any text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardhull.documents.chart import ChartTemplate, read_template
from hardhull.documents.go_template import (
    Action,
    Branch,
    BranchKind,
    Call,
    Constant,
    Field,
    Function,
    Nested,
    Pipeline,
    TemplateError,
    Text,
    Variable,
    parse,
)
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable


def texts(text: str) -> list[str]:
    return [text[part.start : part.end] for part in parse(text).parts if isinstance(part, Text)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a {{ .x }} b", ["a ", " b"]),
        ("a {{- .x -}} b", ["a", "b"]),
        ("a\n  {{- .x }}\n", ["a", "\n"]),
        ("a {{-.x}} b", None),
        ("a {{/* {{ not an action }} */}} b", ["a ", " b"]),
        ("a {{- /* gone */ -}} b", ["a", "b"]),
        ('{{ "}}" }}b', ["b"]),
        ("{{ `}}\n` }}b", ["b"]),
        ("a {{ -1 }} b", ["a ", " b"]),
        ("plain", ["plain"]),
        ("", []),
        ("a\r\n  {{- .x }}\r\n", ["a", "\r\n"]),
    ],
)
def test_trimming(text: str, left: list[str] | None) -> None:
    if left is None:
        with pytest.raises(TemplateError):
            parse(text)
    else:
        assert texts(text) == left


@pytest.mark.parametrize(
    ("action", "pipeline"),
    [
        (".", Pipeline(((Field(()),),))),
        (".a.b", Pipeline(((Field(("a", "b")),),))),
        ("$", Pipeline(((Variable("", ()),),))),
        ("$x.y | quote", Pipeline(((Variable("x", ("y",)),), (Function("quote"),)))),
        ('default "a" .b', Pipeline(((Function("default"), Constant("a"), Field(("b",))),))),
        ("$x := 1", Pipeline(((Constant(1),),), ("x",), declares=True)),
        ("$x = nil", Pipeline(((Constant(None),),), ("x",))),
        ("(.a).b", Pipeline(((Nested(Pipeline(((Field(("a",)),),)), ("b",)),),))),
        ("f .a .b", Pipeline(((Function("f"), Field(("a",)), Field(("b",))),))),
        ('"\\u00e9\\n"', Pipeline(((Constant("é\n"),),))),
        ("'a'", Pipeline(((Constant(97),),))),
        ("0x1F", Pipeline(((Constant(31),),))),
        ("true", Pipeline(((Constant(True),),))),
    ],
)
def test_pipelines(action: str, pipeline: Pipeline) -> None:
    (part,) = parse("{{ " + action + " }}").parts

    assert isinstance(part, Action)
    assert part.pipeline == pipeline


def test_branches_keep_their_bodies() -> None:
    text = "{{ if .a }}1{{ else if .b }}2{{ else }}3{{ end }}{{ range $k, $v := .c }}4{{ end }}"
    first, second = parse(text).parts

    assert isinstance(first, Branch)
    (inner,) = first.other
    assert isinstance(inner, Branch)
    assert (first.kind, inner.kind) == (BranchKind.IF, BranchKind.IF)
    assert [text[part.start] for part in (*first.body, *inner.body, *inner.other)] == [*"123"]  # type: ignore[union-attr]  # text
    assert text[first.start : first.close].endswith("3{{ end }}")
    assert isinstance(second, Branch)
    assert second.pipeline.names == ("k", "v")


def test_definitions_stand_apart() -> None:
    template = parse('{{ define "a" }}x{{ end }}{{ block "b" . }}y{{ end }}{{ template "a" . }}')

    assert sorted(template.defines) == ["a", "b"]
    assert [part.name for part in template.parts if isinstance(part, Call)] == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n{{ .x", 2),
        ("{{ if .x }}", 1),
        ("\n\n{{ end }}", 3),
        ("{{ else }}", 1),
        ("{{ }}", 1),
        ("{{ .x | }}", 1),
        ("{{ (.x }}", 1),
        ('{{ "a\n" }}', 1),
        ("{{ ? }}", 1),
        ("{{ define x }}{{ end }}", 1),
        ("{{ template }}", 1),
        ("{{ if .a }}{{ else }}{{ else }}{{ end }}", 1),
    ],
)
def test_what_go_does_not_accept_is_told_with_its_line(text: str, line: int) -> None:
    found = read_template(Source("t.yaml", FileKind.CHART, text))

    assert isinstance(found, Unreadable)
    assert found.line == line
    assert "template" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 500_000,
        "{" * 1_000_000,
        "{{ if .x }}" * 10_000,
        "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
        "{{ if .a }}" + "{{ else if .b }}" * 10_000 + "{{ end }}",
        "{{ .a }}" * 100_000,
        '{{ "' + "\\" * 100_001 + " }}",
    ],
    ids=["open", "braces", "branches", "parentheses", "else-if", "actions", "backslashes"],
)
def test_no_text_takes_long(text: str) -> None:
    assert isinstance(
        read_template(Source("t.yaml", FileKind.CHART, text)), (Unreadable, ChartTemplate)
    )


PARTS = st.sampled_from(
    ["a", "k: v\n", "  ", "\r\n", "# no\n", "é", "{", "}", "{{ .a }}", "{{- .b.c -}}",
     "{{/* c */}}", "{{- if .a }}", "{{ else }}", "{{- end }}", '{{ "}}" | quote }}',
     "{{ range .x }}", '{{ define "d" }}', '{{ include "d" . | nindent 2 }}', "{{ $x := 1 }}",
     "{{ with .y -}}"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, max_size=25).map("".join))
def test_spans_are_true(text: str) -> None:
    """Actions begin and end with their braces; literal text lies between them, in order."""
    found = read_template(Source("t.yaml", FileKind.CHART, text))
    if isinstance(found, Unreadable):
        assert 0 < found.line <= text.count("\n") + 1
        return
    template = found.template
    for start, end in template.actions:
        assert text.startswith("{{", start)
        assert text.endswith("}}", start, end)
    covered = sorted([*template.actions, *_texts(template.parts)])
    for body in template.defines.values():
        covered = sorted([*covered, *_texts(body)])
    for (_, end), (start, _) in pairwise(covered):
        assert not text[end:start].strip(" \t\r\n")


def _texts(parts: tuple[object, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for part in parts:
        if isinstance(part, Text):
            found.append((part.start, part.end))
        elif isinstance(part, Branch):
            found += _texts(part.body) + _texts(part.other)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(PARTS, max_size=12).map("".join), st.integers(0, 200))
def test_a_text_cut_off_anywhere_is_read_or_refused(text: str, length: int) -> None:
    assert read_template(Source("t.yaml", FileKind.CHART, text[:length])) is not None
