from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

import pytest

from hardhull.documents.source import FileKind, Source, apply_edits, undo_edits
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_edits import render
from hardhull.documents.yaml_reading import read_yaml
from hardhull.documents.yaml_structure import expected, same, structure
from hardhull.model import (
    AppendItem,
    RemoveNode,
    Scalar,
    SetValue,
    Unrenderable,
    YamlOperation,
    value_of,
)

PATH = "deploy.yaml"


def read(text: str) -> YamlFile:
    file = read_yaml(Source(PATH, FileKind.YAML, text))
    assert isinstance(file, YamlFile), file
    return file


def put(at: str, value: object, *after: str) -> SetValue:
    return SetValue(PATH, address(at), value_of(value), after)


def add(at: str, value: object, *after: str) -> AppendItem:
    return AppendItem(PATH, address(at), value_of(value), after)


def drop(at: str) -> RemoveNode:
    return RemoveNode(PATH, address(at))


def address(at: str) -> tuple[str | int, ...]:
    document, _, keys = at.rpartition("!")
    steps = (int(step) if step.isdigit() else step for step in keys.split("/"))
    return (int(document or 0), *steps)


def edited(before: str, operations: tuple[YamlOperation, ...]) -> str:
    """The text after the operations, once everything that is promised of it was checked."""
    file = read(before)
    edits = render(file, operations)
    text = apply_edits(before, edits)
    after = read(text)
    assert same(structure(after), expected(file, operations)), text
    assert apply_edits(text, undo_edits(edits, before)) == before
    return text


@dataclass(frozen=True)
class Case:
    """`diff` has the lines as they are, `-` before those that go and `+` before those that come."""

    name: str
    operations: tuple[YamlOperation, ...]
    diff: str

    @property
    def before(self) -> str:
        return self._side("+")

    @property
    def after(self) -> str:
        return self._side("-")

    def _side(self, other: str) -> str:
        lines = dedent(self.diff).lstrip("\n").splitlines(keepends=True)
        return "".join(line[1:] for line in lines if line[:1] != other)


CASES = [
    Case(
        "a new key goes last, behind a comment in the same line",
        (put("c", 3),),
        """
         a: 1
         b: 2  # two
        +c: 3
         # the end
        """,
    ),
    Case(
        "a new key goes behind the whole value of the sibling named first",
        (put("c", 3, "x", "a", "b"),),
        """
         a:
           - x  # y
        +c: 3
         # about b
         b: 2
        """,
    ),
    Case(
        "keys below one new mapping come together",
        (put("a/b/c", 1), put("a/b/d", True), put("a/e", "x")),
        """
         z: 0
        +a:
        +  b:
        +    c: 1
        +    d: true
        +  e: x
        """,
    ),
    Case(
        "a sequence item that begins on the line of its dash",
        (put("containers/0/securityContext/allowPrivilegeEscalation", False, "image"),),
        """
         containers:
           - name: api
             image: x
        +    securityContext:
        +      allowPrivilegeEscalation: false
             ports:
               - containerPort: 80
        """,
    ),
    Case(
        "the last item of sequences in sequences",
        (put("a/0/0/b", 1), put("a/0/1/b", 2)),
        """
         a:
         - - c: 1
        +    b: 1
           - c: 2
        +    b: 2
        """,
    ),
    Case(
        "inner additions stand before outer ones at the same line",
        (put("b", 1), put("a/v", 1), put("a/x/0/z", 1)),
        """
         a:
           x:
           - k: 1
        +    z: 1
        +  v: 1
        +b: 1
        """,
    ),
    Case(
        "four blanks a step, indented sequences",
        (put("spec/b", {"c": {"d": ["x", {"v": 1, "z": 2}]}}),),
        """
         spec:
             a:
                 - q
        +    b:
        +        c:
        +            d:
        +                - x
        +                - v: 1
        +                  z: 2
        """,
    ),
    Case(
        "sequences are indented unless others stand under their key",
        (put("a", ["x", []]),),
        """
         b: {}
        +a:
        +  - x
        +  - []
        """,
    ),
    Case(
        "nothing becomes a block",
        (put("a/b", 1),),
        """
         a:  # why
        +  b: 1
           # more
         c: 1
        """,
    ),
    Case(
        "an empty mapping becomes a block",
        (put("a/b/c", 1), put("d/e", 1), put("f/g", 1)),
        """
        -a: {}  # why
        -d: ~
        -f: null # x
        +a:  # why
        +  b:
        +    c: 1
        +d:
        +  e: 1
        +f: # x
        +  g: 1
        """,
    ),
    Case(
        "nothing at the end of a nested mapping",
        (put("a/b/c", 1), put("a/d", 1)),
        """
         a:
           b:
        +    c: 1
        +  d: 1
         e: 1
        """,
    ),
    Case(
        "an anchor on nothing stays",
        (put("a/b", 1),),
        """
        -a: &x {}
        +a: &x
        +  b: 1
         c: 1
        """,
    ),
    Case(
        "an anchored mapping that nobody else uses",
        (put("a/c", 1),),
        """
         a: &x
           b: 1
        +  c: 1
        """,
    ),
    Case(
        "nothing in a sequence",
        (put("a/0/b", 1), put("a/1/b", {"c": 1}), put("a/2/b", 1)),
        """
         a:
        --
        -- ~
        +- b: 1
        +- b:
        +    c: 1
         - # why
        +  b: 1
        """,
    ),
    Case(
        "flow mappings on one line",
        (put("a/v", 2), put("b/v", {"z": [1]}), put("c/v", True, "x"), put("d/0/v", 1)),
        """
        -a: {x: 1}
        -b: { x: 1 }  # why
        -c: {x: 1, z: 2}
        -d: [{}, 2]
        +a: {x: 1, v: 2}
        +b: { x: 1, v: { z: [1] } }  # why
        +c: {x: 1, v: true, z: 2}
        +d: [{v: 1}, 2]
        """,
    ),
    Case(
        "a trailing comma",
        (put("a/v", 2), add("b", 3)),
        """
        -a: {x: 1,}
        -b: [1, 2 , ]
        +a: {x: 1, v: 2,}
        +b: [1, 2, 3 , ]
        """,
    ),
    Case(
        "flow mappings over several lines",
        (put("a/z", 2), put("b/z", 2, "x")),
        """
         a: {
           x: 1,
        -  y: 2  # why
        +  y: 2,  # why
        +  z: 2
         }
         b: {
           x: 1, # one
        +  z: 2,
           y: 2,
         }
        """,
    ),
    Case(
        "nothing inside flow",
        (put("a/x/v", 2), put("b/x/v", 3)),
        """
        -a: {x: , z: 1}
        -b: {x: null}
        +a: {x: {v: 2}, z: 1}
        +b: {x: {v: 3}}
        """,
    ),
    Case(
        "JSON",
        (
            put("spec/securityContext", {"drop": ["ALL"], "n": 1}, "image"),
            put("spec/x", "y"),
        ),
        """
         {
           "spec": {
             "image": "x",
        +    "securityContext": {
        +      "drop": [
        +        "ALL"
        +      ],
        +      "n": 1
        +    },
        -    "ports": [80]
        +    "ports": [80],
        +    "x": "y"
           }
         }
        """,
    ),
    Case(
        "JSON without blanks",
        (put("a/d", "x"), add("a/e", 2)),
        """
        -{"a":{"b":1,"c":2}}
        +{"a":{"b":1,"c":2,"d":"x","e":[2]}}
        """,
    ),
    Case(
        "a scalar keeps its quotes",
        (put("a", "x"), put("b", "it's"), put("c", "y: z"), put("d", False), put("e", "1")),
        """
        -a: 'q'  # why
        -b: 'q'
        -c: q
        -d: "true"
        -e: q
        +a: 'x'  # why
        +b: 'it''s'
        +c: "y: z"
        +d: false
        +e: "1"
        """,
    ),
    Case(
        "a plain scalar in quotes keeps them where it reads as a string",
        (SetValue(PATH, (0, "a", 0), Scalar("ALL")), SetValue(PATH, (0, "b"), Scalar("8080"))),
        """
        -a: ["all"]
        -b: "80"
        +a: ["ALL"]
        +b: 8080
        """,
    ),
    Case(
        "nothing becomes a scalar",
        (put("a", 1), put("b/0", "x"), put("c", 1)),
        """
        -a: # why
        +a: 1 # why
         b:
        --
        +- x
        -c: &x
        +c: &x 1
        """,
    ),
    Case(
        "a block scalar becomes a plain one",
        (put("a", "x"),),
        """
        -a: |
        -  q
        +a: x
         b: 1
        """,
    ),
    Case(
        "collections become others",
        (put("a", 1), put("b", ["x"]), put("c", {"x": 1}), put("d", [])),
        """
        -a:
        -  b: 1
        -b:
        -  c: 1
        -c: [1, 2]
        -d:
        -- x
        +a: 1
        +b:
        +- x
        +c: {x: 1}
        +d: []
         e: 1
        """,
    ),
    Case(
        "items are appended as the others stand",
        (add("a", "x"), add("b", {"x": 1, "v": 2}), add("c", "x"), add("d", "x")),
        """
         a:
         - q  # why
        +- x
         b:
             -   x: 1
        +    -   x: 1
        +        v: 2
         c:
           - 'q'
           - 'r'
        +  - 'x'
        -d: [ "q" ]
        +d: [ "q", "x" ]
        """,
    ),
    Case(
        "items where there are none",
        (add("a", "x"), add("b", "x"), add("c/d", "x"), add("c/d", "v"), add("e", {"x": 1})),
        """
        -a: []  # why
        +a: [x]  # why
         b: # why
        +  - x
        -e: []
        +e:
        +  - x: 1
        +c:
        +  d:
        +    - x
        +    - v
        """,
    ),
    Case(
        "a key is removed with its value and its comment, not with the comment above",
        (drop("b"),),
        """
         a: 1
         # about
        -b:  # why
        -  - 1 # one

         # about c
         c: 1
        """.replace("\n\n", "\n \n"),
    ),
    Case(
        "the key on the line of the dash is removed",
        (drop("a/0/b"), drop("a/1/b"), drop("a/1/c")),
        """
         a:
        -- b: 1  # why
        -  c: 2
        -- b: 1
        -  c: 2
        -  d: 3
        +- c: 2
        +- d: 3
        """,
    ),
    Case(
        "the key on the line of the dash is removed, the next has a comment",
        (drop("a/0/b"),),
        """
         a:
        -- b: 1
        -  # about
        +- # about
           c: 2
        """,
    ),
    Case(
        "the only key or item",
        (drop("a/b"), drop("c/0"), drop("d/0/e"), drop("f/g"), drop("h/0")),
        """
        -a: # why
        -  b: 1
        -c:
        -- 1
        +a: {} # why
        +c: []
         d:
        -- e: 1  # one
        -f: {g: 1}
        -h: [1]
        +- {}
        +f: {}
        +h: []
        """,
    ),
    Case(
        "all keys",
        (drop("a/b"), drop("a/c"), drop("d/0/e"), drop("d/0/f")),
        """
        -a:
        -  b: 1
        +a: {}
           # about
        -  c: 1
         d:
        -- e: 1
        -  f: 1
        +- {}
        """,
    ),
    Case(
        "removal from flow",
        (drop("a/0"), drop("b/2"), drop("c/1"), drop("d/x"), drop("d/z")),
        """
        -a: [1, 2, 3]
        -b: [1, 2, 3]
        -c: [1, 2, 3,]
        -d: {x: 1, y: 2, z: 3}
        +a: [2, 3]
        +b: [1, 2]
        +c: [1, 3,]
        +d: {y: 2}
        """,
    ),
    Case(
        "removal of the end of flow",
        (drop("a/1"), drop("a/2"), drop("b/y")),
        """
        -a: [1, 2, 3]
        +a: [1]
         b: {
        -  x: 1,
        -  y: 2
        +  x: 1
         }
        """,
    ),
    Case(
        "one goes, another comes",
        (drop("a/b"), put("a/c", 1), drop("d/0/e"), put("d/0/f", 1)),
        """
         a:
        -  b: 1
        +  c: 1
         d:
        -- e: 1
        +-
        +  f: 1
         g: 1
        """,
    ),
    Case(
        "an override of what is merged",
        (put("b/x", 2),),
        """
         a: &a {x: 1}
         b:
           <<: *a
        +  x: 2
        """,
    ),
    Case(
        "a second document, directives and ends",
        (put("1!b", 2), put("2!d", 1)),
        """
         ---
         a: 1
         ...
         %YAML 1.1
         ---
         a: 1
        +b: 2
         ...
         # between
         --- # third
         c: 1
        +d: 1
        """,
    ),
    Case(
        "blank lines and block scalars",
        (put("a/v", 1), put("b/v", 1), put("c/v", 1)),
        """
         a:
           x: |
             text
        +  v: 1

         b:
           x: |+
             text

        +  v: 1
         c:
           x: >-
             text
        +  v: 1
        """.replace("\n\n", "\n \n"),
    ),
    Case(
        "an alias itself is replaced",
        (put("b", 2),),
        """
         a: &a 1
        -b: *a
        +b: 2
        """,
    ),
    Case(
        "strings that others read as something else",
        (add("a", "80:30"), add("a", "yes"), add("a", "2020-01-01"), add("a", "x:1"), add("a", "")),
        """
         a:
         - x
        +- "80:30"
        +- "yes"
        +- "2020-01-01"
        +- x:1
        +- ""
        """,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_operations_change_only_their_lines(case: Case) -> None:
    assert edited(case.before, case.operations) == case.after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_line_ends_are_kept(case: Case) -> None:
    before, after = case.before.replace("\n", "\r\n"), case.after.replace("\n", "\r\n")
    assert edited(before, case.operations) == after


@pytest.mark.parametrize(
    ("before", "operation", "after"),
    [
        ("a: 1", put("b", 2), "a: 1\nb: 2"),
        ("a: 1\r\nb: 1", put("c", 2), "a: 1\r\nb: 1\r\nc: 2"),
        ("a:", put("a/b", 2), "a:\n  b: 2"),
        ("a: {}", put("a/b/c", 2), "a:\n  b:\n    c: 2"),
        ("a:\n- 1", add("a", 2), "a:\n- 1\n- 2"),
        ("a: 1\nb: 2", drop("b"), "a: 1\n"),
        ("a:\n  b: 2", drop("a/b"), "a: {}\n"),
        ("a: |-\n  x", put("b", 1), "a: |-\n  x\nb: 1"),
        ("{}", put("b", 1), "{b: 1}"),
    ],
)
def test_files_without_a_last_line_end(before: str, operation: YamlOperation, after: str) -> None:
    assert edited(before, (operation,)) == after


def test_a_line_comes_where_the_last_one_goes() -> None:
    assert edited("a: 1\nb: 2", (drop("b"), put("c", 3))) == "a: 1\nc: 3"


REFUSED = [
    ("a: &a {x: 1}\nb: *a\n", put("b/v", 1), "through the alias *a", "*a"),
    ("a: &a {x: 1}\nb: *a\n", put("a/v", 1), "alias in line 2", "&a {x: 1}"),
    ("a: &a {x: 1}\nb: *a\n", drop("a"), "alias in line 2", "&a {x: 1}"),
    ("a: {x: &a 1}\nb: *a\n", put("a", 1), "alias in line 2", "{x: &a 1}"),
    ("a: &a {x: {y: 1}}\nb:\n  <<: *a\n", put("b/x/z", 1), "merge key", "*a"),
    ("a: &a {x: [1]}\nb:\n  <<: *a\n", add("b/x", 1), "merge key", "*a"),
    ("a: {{ x }}\n", put("a/v", 1), "placeholder", "{{ x }}"),
    ("a: ${X}\n", put("a", 1), "placeholder", "${X}"),
    ("a: #{X}#\n", put("a/b", 1), "placeholder", ""),
    ("a: |\n  x", put("b", 1), "block scalar", "|\n  x"),
    ("a:\n  b: >+\n    x", put("c", 1), "block scalar", ">+\n    x"),
    ("a: 1\na: 2\n", put("a", 3), "twice", "a"),
    ("a: {b: 1}\na: {c: 1}\n", put("a/c", 3), "twice", "a"),
    ("a: x\n  y\n", put("a", 3), "several lines", "x\n  y"),
    ("a: 1\n", put("a/b", 3), "below a scalar", "1"),
    ("a: 1\n", drop("b"), "nothing to remove", "a: 1"),
    ("a: 1\n", put("1!b", 3), "no document 1", ""),
    ("a: [1]\n", put("a/1", 3), "no item 1", "[1]"),
    ("a: 1\n", add("a", 3), "no sequence", "1"),
    ("? a\n: 1\n", drop("a"), "question mark", "? "),
    ("a: !x 1\n", put("a", 3), "tag !x", "!x 1"),
    ("a:\n  # about\n  b: 1\n", put("a", 3), "comment", None),
    ("a: 1\x85b: 2\n", put("a", 3), "line breaks", "\x85"),
    ("# nothing\n---\n", put("b", 3), "empty", None),
    ("a: [b: 1]\n", put("a/0/c", 3), "without braces", None),
]


@pytest.mark.parametrize(("text", "operation", "reason", "place"), REFUSED)
def test_refused(text: str, operation: YamlOperation, reason: str, place: str | None) -> None:
    with pytest.raises(Unrenderable) as refused:
        render(read(text), (operation,))
    assert reason in refused.value.reason
    assert refused.value.path == PATH
    assert refused.value.span is not None
    if place is not None:
        assert text[refused.value.span.start : refused.value.span.end] == place


@pytest.mark.parametrize(
    "operations",
    [
        (put("a/b", 1), drop("a")),
        (drop("a"), put("a/b", 1)),
        (put("a", 1), put("a/b/c", 1)),
        (put("a/b/c", 1), put("a", 1)),
        (put("a", 1), put("a", 2)),
        (put("n/x", 1), put("n/x", 2)),
        (put("n/x", 1), put("n/x/v", 2)),
        (put("n", 1), add("n", 2)),
        (drop("a"), drop("a/b")),
    ],
)
def test_operations_that_contradict_each_other(operations: tuple[YamlOperation, ...]) -> None:
    with pytest.raises(Unrenderable):
        render(read("a:\n  b: 1\n"), operations)


def test_equal_operations_are_one() -> None:
    assert edited("a: 1\n", (put("b/c", 1), put("b/c", 1))) == "a: 1\nb:\n  c: 1\n"


def test_structure_is_no_python_value() -> None:
    def tree(text: str) -> object:
        return structure(read(text))

    assert not same(tree("a: 1\n"), tree("a: true\n"))
    assert not same(tree("a: 'x'\n"), tree('a: "x"\n'))
    assert not same(tree("a: 0x10\n"), tree("a: 16\n"))
    assert not same(tree("a: &a 1\nb: *a\n"), tree("a: &a 1\nb: 1\n"))
    assert not same(tree("a: 1\na: 1\n"), tree("a: 1\n"))
    assert not same(tree("a: 1\nb: 2\n"), tree("b: 2\na: 1\n"))
    assert same(tree("a: {b: 1}\n"), tree("a:\n  b: 1\n"))
