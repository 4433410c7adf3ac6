from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.documents import yaml_reading
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import Cursor, YamlFile, comments, comments_near
from hardhull.documents.yaml_nodes import Kind, Style
from hardhull.documents.yaml_reading import USES_C_PARSER, read_yaml


def read(text: str) -> YamlFile:
    file = read_yaml(Source("a.yaml", FileKind.YAML, text))
    assert isinstance(file, YamlFile), file
    return file


def root(text: str) -> Cursor:
    cursor = read(text).cursor(0)
    assert cursor is not None
    return cursor


def at(text: str, *keys: str | int) -> Cursor:
    cursor = root(text).get(*keys)
    assert cursor is not None
    return cursor


def unreadable(text: str) -> Unreadable:
    found = read_yaml(Source("a.yaml", FileKind.YAML, text))
    assert isinstance(found, Unreadable)
    return found


def test_the_c_parser_is_there() -> None:
    assert USES_C_PARSER, "install ruamel.yaml.clib: without it reading is seven times slower"


# ---------------------------------------------------------------- spans


@pytest.mark.parametrize(
    ("text", "keys", "raw"),
    [
        ("a: b # c\n", ("a",), "b"),
        ("a: &x !!str b # c\n", ("a",), "b"),
        ("a: !!str # c\n  b\n", ("a",), "b"),
        ("a: !<tag:x,2:y> b\n", ("a",), "b"),
        ("😀: '😀'\r\nb: é # x\r\n", ("b",), "é"),
        ("a: 'it''s'\n", ("a",), "'it''s'"),
        ("a: x\n  y\nb: 1\n", ("a",), "x\n  y"),
        ("a: |\n  x\n\n\n# c\nb: 1\n", ("a",), "|\n  x"),
        ("a: |+\n  x\n\nb: 1\n", ("a",), "|+\n  x\n"),
        ("a: |2+ # -\r\n  x\r\n\r\nb: 1\n", ("a",), "|2+ # -\r\n  x\r\n"),
        ("a:\n  b: 1 # c\n\n# d\ne: 1\n", ("a",), "b: 1"),
        ("a: &x\n  b: 1\n", ("a",), "b: 1"),
        ("a: &x\n  &y b: 1\n", ("a",), "&y b: 1"),
        ("a:\n- 1\n- {x: 1} # c\n", ("a",), "- 1\n- {x: 1}"),
        ("a: &x\n- 1\n", ("a",), "- 1"),
        ("a: [1,\n 2 ] # c\n", ("a",), "[1,\n 2 ]"),
        ("a: &x {b: 1}\n", ("a",), "{b: 1}"),
        ("a: &x 1\nb: *x\n", ("b",), "*x"),
        ("a:   # c\nb: 1\n", ("a",), ""),
        ("a: !!null\nb: 1\n", ("a",), ""),
        ("a: '\x85 \u2028 x'\nb: c\n", ("b",), "c"),
        ("- - x\n  - y\n", (0, 1), "y"),
        ("[b: c, {d: }]", (0, "b"), "c"),
    ],
)
def test_spans(text: str, keys: tuple[str | int, ...], raw: str) -> None:
    cursor = at(text, *keys)
    assert cursor.raw == raw
    assert text[cursor.span.start : cursor.span.end] == raw


def test_empty_values_stand_behind_their_colon() -> None:
    for text in ("a:  # c\nb: 1\n", "{a: , b: 1}", "a:\n\n\nb: 1", "{\n  a:\n  , b: 1}"):
        assert text[: at(text, "a").span.start].endswith("a:"), text
    assert at("? a\n? b\n", "a").span == (3, 3)
    assert at("- \n- 1\n", 0).span == (1, 1)


def test_outer_start_is_where_anchor_and_tag_begin() -> None:
    node = at("a: &x !!str b\n", "a").node
    assert (node.outer_start, node.start, node.anchor, node.tag) == (
        3,
        12,
        "x",
        "tag:yaml.org,2002:str",
    )


def test_styles() -> None:
    items = root("- a\n- 'a'\n- \"a\"\n- |\n  a\n- >\n  a\n").items()
    assert [item.node.style for item in items] == list(Style)


def test_documents_cover_the_text() -> None:
    text = "# one\n---\na: 1\n# x\n---\n...\n%YAML 1.1\n---\nc: 3"
    file = read(text)
    assert [d.root is None for d in file.documents] == [False, True, False]
    assert [d.start for d in file.documents][1:] == [d.end for d in file.documents][:-1]
    assert (file.documents[0].start, file.documents[-1].end) == (0, len(text))
    assert file.cursor(1) is None
    assert [cursor.address for cursor in file.cursors] == [(0,), (2,)]


# ---------------------------------------------------------------- what can't be read


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: [\n", 3, "not valid YAML"),
        ("a: 1\n b: 2\n", 2, "not valid YAML: mapping values are not allowed in this context"),
        ("a: \x01\n", 1, "control characters"),
        ("a: 1\nb: *x\n", 2, "alias *x has no anchor"),
        ("a: &x\n  b: *x\n", 2, "inside its own anchor"),
        ("a: 1\nb: \udc80\n", 2, "not UTF-8"),
        ("a: {{- x }}\n", 1, "a template, not plain YAML"),
        ("{{ if x }}\na: 1\n{{ end }}\n", 2, "a template, not plain YAML"),
        ("a: 1\n{% if x %}\n", 2, "a template, not plain YAML"),
        ("[" * 30_000, 1, "nested deeper than 100"),
        ("a: &x 1\nb: [" + "*x," * 10_001 + "]\n", 2, "more aliases than 10000"),
        ("[" + "1," * 500_001 + "]", 1, "more nodes than 500000"),
        ("a" * (8 * 1024 * 1024 + 1), 1, "larger than 8 MiB"),
    ],
)
def test_unreadable(text: str, line: int, reason: str) -> None:
    found = unreadable(text)
    assert reason in found.reason
    assert found.line == line


def test_a_broken_workflow_is_no_template() -> None:
    assert "not valid YAML" in unreadable("a: ${{ x }}\nb: [\n").reason


@given(st.text(alphabet="ab:-?[]{},#&*!|>'\"%@`~ \t\n\r\x00\x85\u2028😀<0.", max_size=40))
def test_reading_never_raises(text: str) -> None:
    file = read_yaml(Source("a.yaml", FileKind.YAML, text))
    if isinstance(file, YamlFile):
        spans = comments(file)
        assert all(text[start] == "#" and start < end for start, end in spans)
        for document in file.documents:
            assert 0 <= document.start <= document.end <= len(text)


# ---------------------------------------------------------------- meaning


@pytest.mark.parametrize(
    ("written", "boolean", "integer", "null"),
    [
        ("true", True, None, False),
        ("Yes", True, None, False),
        ("OFF", False, None, False),
        ("y", True, None, False),
        ("tRUE", None, None, False),
        ("'true'", None, None, False),
        ("!!str true", None, None, False),
        ("!!bool 'true'", True, None, False),
        ("8080", None, 8080, False),
        ("'8080'", None, None, False),
        ("0777", None, 511, False),
        ("0o777", None, 511, False),
        ("-0x1F", None, -31, False),
        ("0b11", None, 3, False),
        ("1_000", None, 1000, False),
        ("08", None, None, False),
        ("1e3", None, None, False),
        ("1:30", None, None, False),
        ("٣", None, None, False),
        ("", None, None, True),
        ("~", None, None, True),
        ("NULL", None, None, True),
        ("''", None, None, False),
        ("${PORT}", None, None, False),
        ("#{PORT}#", None, None, False),
        ("80 #{PORT}#", None, None, False),
    ],
)
def test_scalars_read_as_kubernetes_and_compose_read_them(
    written: str, boolean: bool | None, integer: int | None, null: bool
) -> None:
    cursor = at(f"a: {written}\n", "a")
    assert cursor.as_bool() is boolean
    assert cursor.as_int() == integer
    assert cursor.is_null is null


@pytest.mark.parametrize(
    ("written", "is_opaque"),
    [
        ("{{ x }}", True),
        ("'{{ x }}'", True),
        ("a-${X}", True),
        ("$(X)", True),
        ("$$(X)", False),
        ("$X", False),
        ("x:__TAG__", True),
        ("ConnectionStrings__Default", False),
        ("a__b__c", False),
        ("#{x}#", True),
        ("v#{x}#", True),
        ("# {x}", False),
        ("{a: 1}", False),
        ("\n  #{x}#", True),
    ],
)
def test_placeholders_are_opaque(written: str, is_opaque: bool) -> None:
    cursor = at(f"a: {written}\n", "a")
    assert cursor.is_opaque is is_opaque
    if is_opaque:
        assert cursor.text is None
        assert not cursor.is_null


# ---------------------------------------------------------------- cursors

SHARED = """\
base: &base
  x: {y: 1}
  z: 2
one:
  <<: *base
  z: 3
two: *base
three:
  <<: [{x: 4}, *base]
"""


def test_ways_through_aliases_and_merges_are_shared() -> None:
    assert at(SHARED, "base", "x", "y").shared is False
    assert at(SHARED, "one", "z").shared is False
    assert at(SHARED, "one", "z").as_int() == 3
    assert at(SHARED, "one", "x", "y").shared is True
    assert at(SHARED, "two", "z").shared is True
    assert at(SHARED, "two").raw == "*base"
    assert at(SHARED, "two").kind is Kind.MAPPING
    assert at(SHARED, "three", "x").as_int() == 4
    assert at(SHARED, "one").keys() == ["z", "x"]
    assert [(key, cursor.shared) for key, cursor in at(SHARED, "one").pairs()] == [
        ("z", False),
        ("x", True),
    ]


def test_cursors_know_where_they_are() -> None:
    cursor = at("a:\n- b:\n    c: 1\n", "a", 0, "b", "c")
    assert cursor.address == (0, "a", 0, "b", "c")
    assert cursor.line == 3
    assert cursor.key_span == (12, 13)
    assert cursor.get("x") is None
    assert cursor.items() == []
    assert cursor.pairs() == []
    assert root("a: 1\n").get("a", "b", 0) is None
    assert root("a: [1]\n").get("a", 1) is None
    assert at("8080: x\n", 8080).text == "x"


def test_doubled_keys() -> None:
    cursor = root("a: 1\nb: 2\na: 3\n")
    assert cursor.duplicates == ("a",)
    assert at("a: 1\na: 3\n", "a").as_int() == 3


def test_comments() -> None:
    text = (
        "# one\na: '# no' # two\nb: | # three\n  # no\nc: [1, # four\n 2]#five\n--- # six\nx#y: 1\n"
    )
    file = read(text)
    assert [text[start:end] for start, end in comments(file)] == [
        "# one", "# two", "# three", "# four", "#five", "# six",
    ]  # fmt: skip


def test_comments_near() -> None:
    text = "# far\n\n# above 1\n# above 2\na: # on\n  b: 1 # in\n# below\nc: 1 # c\n"
    near = comments_near(at(text, "a"))
    assert [text[start:end] for start, end in near] == ["# above 1", "# above 2", "# on", "# in"]
    near = comments_near(at(text, "a", "b"))
    assert [text[start:end] for start, end in near] == ["# in"]


def test_the_slow_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        SHARED,
        "a: !!str b # c\r\nc: |\r\n  x\r\n\r\n\r\nd: &q {e: }\r\n",
        "- - '😀'\n  - |+\n   x\n",
    ]

    def shape(text: str) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        waiting = [document.root for document in read(text).documents]
        while waiting:
            node = waiting.pop()
            if node is not None:
                found.append((node.kind, node.outer_start, node.start, node.end, node.style))
                found.append((node.value, node.anchor, node.flow, str(node.tag)))
                waiting += node.children
        return found

    fast = [shape(text) for text in texts]
    monkeypatch.setattr(yaml_reading, "CParser", None)
    assert [shape(text) for text in texts] == fast


def test_a_colon_in_flow_style_is_read() -> None:
    file = read_yaml(Source("a.yaml", FileKind.YAML, "a: [nginx:1.25, data:/data]\nb: {c: d:1}\n"))

    assert not isinstance(file, Unreadable)
    root = file.cursor(0)
    assert root is not None
    listed, inner = root.get("a"), root.get("b", "c")
    assert listed is not None
    assert inner is not None
    assert [item.text for item in listed.items()] == ["nginx:1.25", "data:/data"]
    assert inner.text == "d:1"
