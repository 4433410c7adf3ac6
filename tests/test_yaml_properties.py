"""Laws of editing, over documents of every style that a seed can dream of."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardhull.documents.source import FileKind, Source, undo_edits
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile, comments
from hardhull.documents.yaml_edits import render
from hardhull.documents.yaml_nodes import Kind, Node
from hardhull.documents.yaml_reading import read_yaml
from hardhull.documents.yaml_structure import expected, same, structure
from hardhull.model import (
    AppendItem,
    Edit,
    RemoveNode,
    Scalar,
    SetValue,
    Unrenderable,
    YamlOperation,
    value_of,
)

PATH = "random.yaml"
KEYS = ["a", "b", "c", "name", "image", "spec", "x-y", "8080", "'q'", '"d"', "é😀", "/p"]
SCALARS = [
    "1", "0x1f", "007", "true", "no", "x", "a b", "'it''s'", '"q\\n#"', "é😀", "nginx:1.2", "~",
    "null",
    "", "'# no comment'", "[]", "{}", "${X}", "#{X}#", "{{ x }}", "!!str 5", "-x", "2020-01-01",
]  # fmt: skip
NEW_VALUES = [
    True, 5, "x", "yes", "80:80", "", "# x", "a\nb", "😀", [], {}, ["x", "y z"],
    {"k": 1, "m": {"n": ["o"]}},
    [{"k": "v", "l": [1]}, 2], Scalar("ALL"), Scalar("~"),
]  # fmt: skip


class Writer:
    """Writes a random document; `random` decides about everything."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.step = random.choice([2, 2, 2, 4, 3])
        self.offset = random.choice([0, 0, self.step])
        self.count = 0
        self.anchors: list[str] = []

    def often(self, chance: float) -> bool:
        return self.random.random() < chance

    def comment(self) -> str:
        if self.often(0.15):
            self.count += 1
            return self.random.choice([" # c", "  #c", " # 'c\" "]) + str(self.count)
        return ""

    def noise(self, indent: int) -> list[str]:
        """Lines between others: blank, or a comment at any indentation."""
        if self.often(0.08):
            return [""]
        if self.often(0.12):
            self.count += 1
            return [" " * self.random.choice([0, indent, indent + 2]) + f"# line {self.count}"]
        return []

    def anchor(self) -> str:
        if self.often(0.05):
            self.anchors.append(f"A{len(self.anchors)}")
            return f"&{self.anchors[-1]} "
        return ""

    def leaf(self) -> str:
        if self.anchors and self.often(0.05):
            return "*" + self.random.choice(self.anchors)
        return (self.anchor() + self.random.choice(SCALARS)).rstrip()

    def flow(self, depth: int) -> str:
        if depth <= 0 or self.often(0.4):
            leaf = self.random.choice(["1", "x", "'a, b'", '"q"', "true", "[]", "{}", "~"])
            return self.anchor() + leaf
        gap, pad = self.random.choice([", ", ",", " , "]), self.random.choice(["", " "])
        end = self.random.choice(["", "", ","])
        if self.often(0.5):
            items = [self.flow(depth - 1) for _ in range(self.random.randint(1, 3))]
            return f"[{pad}{gap.join(items)}{end}{pad}]"
        keys = self.random.sample(["a", "b", '"c"', "d"], self.random.randint(1, 3))
        pairs = [f"{key}: {self.flow(depth - 1)}" for key in keys]
        return "{" + pad + gap.join(pairs) + end + pad + "}"

    def wide_flow(self, indent: int) -> list[str]:
        """A flow mapping over several lines; the first belongs behind a colon or a dash."""
        inner, lines = " " * (indent + self.step), ["{" + self.comment()]
        keys = self.random.sample(['"a"', '"b"', '"c"'], self.random.randint(1, 3))
        for index, key in enumerate(keys):
            comma = "," if index < len(keys) - 1 or self.often(0.3) else ""
            lines.append(f"{inner}{key}: {self.flow(1)}{comma}{self.comment()}")
        return [*lines, " " * (indent + 1) + "}" + self.comment()]

    def block_scalar(self, indent: int) -> list[str]:
        head = self.random.choice(["|", ">", "|-", ">-", "|+"]) + self.comment()
        inner = " " * (indent + self.step)
        lines = [head, inner + "text # no comment", inner + " more"]
        return lines + [""] * self.random.randint(0, 2)

    def value(self, indent: int, depth: int, in_mapping: bool) -> tuple[str, list[str]]:
        """The text behind a colon or dash, and the lines below."""
        choice = self.random.random()
        if depth <= 0 or choice < 0.3:
            return self.leaf() + self.comment(), []
        if choice < 0.4:
            return self.flow(2) + self.comment(), []
        if choice < 0.45:
            first, *rest = self.wide_flow(indent)
            return first, rest
        if choice < 0.5:
            first, *rest = self.block_scalar(indent)
            return first, rest
        head = (self.anchor() + self.comment()).rstrip() if in_mapping else ""
        if choice < 0.8 or not in_mapping:
            return head, self.mapping(indent + self.step, depth - 1)
        return head, self.sequence(indent + self.offset, depth - 1)

    def mapping(self, indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        for key in self.random.sample(KEYS, self.random.randint(1, 4)):
            lines += self.noise(indent)
            head, below = self.value(indent, depth, in_mapping=True)
            lines += [f"{' ' * indent}{key}: {head}".rstrip(), *below]
        if self.anchors and self.often(0.05):
            lines.append(f"{' ' * indent}<<: *{self.random.choice(self.anchors)}")
        return lines

    def sequence(self, indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            lines += self.noise(indent)
            head, below = self.value(indent, depth, in_mapping=False)
            if not head and below and self.often(0.8):  # the first key on the line of the dash
                first = next(i for i, line in enumerate(below) if line.strip()[:1] not in ("", "#"))
                width = len(below[first]) - len(below[first].lstrip(" "))
                dash = " " * indent + "-" + " " * (width - indent - 1)
                below = [dash + below[first].lstrip(" "), *below[first + 1 :]]
                lines += below
            else:
                lines += [f"{' ' * indent}- {head}".rstrip(), *below]
        return lines

    def text(self) -> str:
        lines: list[str] = []
        for index in range(self.random.choice([1, 1, 1, 2, 3])):
            self.anchors = []
            if index or self.often(0.3):
                lines.append("---" + self.comment())
            lines += self.noise(0)
            lines += self.mapping(0, 4) if self.often(0.9) else self.sequence(0, 4)
            lines += self.noise(0)
            lines += ["..."] if self.often(0.05) else []
        newline = self.random.choice(["\n", "\n", "\r\n"])
        return newline.join(lines) + (newline if self.often(0.8) else "")


def addresses(node: Node, at: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], Node]]:
    found: list[tuple[tuple[str | int, ...], Node]] = [(at, node)]
    for key, value in node.pairs:
        found += addresses(value, (*at, key.value))
    for index, item in enumerate(node.items):
        found += addresses(item, (*at, index))
    return found


def random_operation(random: Random, file: YamlFile) -> YamlOperation | None:
    documents = [(i, d.root) for i, d in enumerate(file.documents) if d.root is not None]
    if not documents:
        return None
    index, root = random.choice(documents)
    places = addresses(root, (index,))
    at, _ = random.choice(places)
    value = value_of(random.choice(NEW_VALUES))
    after = tuple(random.sample(["a", "name", "new0", "q"], 2))
    choice = random.random()
    if choice < 0.25:
        return RemoveNode(PATH, at)
    if choice < 0.45:
        sequences = [place for place in places if place[1].kind is Kind.SEQUENCE]
        at, _ = random.choice(sequences or places)
        return AppendItem(PATH, at, value)
    if choice < 0.6:
        return SetValue(PATH, at, value, after)
    new = [f"new{random.randint(0, 2)}" for _ in range(random.randint(1, 3))]
    if random.random() < 0.9:
        roomy = [p for p in places if p[1].kind is Kind.MAPPING or not p[1].value]
        at, _ = random.choice(roomy or places)
    if choice < 0.7:
        return AppendItem(PATH, (*at, *new), value, after)
    return SetValue(PATH, (*at, *new), value, after)


def check_laws(file: YamlFile, operations: list[YamlOperation], edits: tuple[Edit, ...]) -> None:
    before = file.source
    after_source = before.edited(edits)
    after = read_yaml(after_source)
    assert isinstance(after, YamlFile), after
    assert same(structure(after), expected(file, operations))
    assert after_source.bom == before.bom
    assert after_source.edited(undo_edits(edits, before.text)).to_bytes() == before.to_bytes()
    assert "\n" not in after_source.text.replace("\r\n", "") or "\r\n" not in before.text
    removed = [(edit.start, edit.end) for edit in edits if edit.start < edit.end]
    kept = [
        before.text[start:end]
        for start, end in comments(file)
        if not any(begin <= start < stop for begin, stop in removed)
    ]
    assert kept == [after_source.text[start:end] for start, end in comments(after)]
    if not any(isinstance(operation, RemoveNode) for operation in operations):
        assert len(kept) == len(comments(file))


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), bom=st.booleans())
def test_operations_on_random_documents(seed: int, bom: bool) -> None:
    check_random(Random(seed), bom=bom)  # noqa: S311  # dice, not secrets


def check_random(random: Random, *, bom: bool) -> str:
    text = Writer(random).text()
    source = Source.from_bytes(PATH, FileKind.YAML, (b"\xef\xbb\xbf" * bom) + text.encode())
    file = read_yaml(source)
    if isinstance(file, Unreadable):
        return file.reason
    operations = [random_operation(random, file) for _ in range(random.choice([1, 1, 2, 3, 5]))]
    wanted = [operation for operation in operations if operation is not None]
    try:
        edits = render(file, wanted)
    except Unrenderable as refusal:
        return refusal.reason
    try:
        check_laws(file, wanted, edits)
    except AssertionError as failed:
        edited = source.edited(edits).text
        pytest.fail(f"{failed}\n--- {wanted}\n--- before\n{text}\n--- after\n{edited}")
    return "ok"
