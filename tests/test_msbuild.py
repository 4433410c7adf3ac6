"""MSBuild files: read as expat reads them, and edited so that every other byte stays."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardhull.documents.document import Document, comment_spans, named_spans, read, render
from hardhull.documents.msbuild import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    Element,
    MsbuildFile,
    Text,
    is_msbuild,
    read_msbuild,
)
from hardhull.documents.source import FileKind, Source, apply_edits, undo_edits
from hardhull.documents.unreadable import Unreadable
from hardhull.model import (
    Edit,
    InsertElement,
    Operation,
    RemoveElement,
    SetAttribute,
    SetElementText,
    Unrenderable,
)
from hardhull.proof import prove

CORPUS = Path(os.environ.get("HARDHULL_CORPUS", "/nonexistent"))
PROJECT = """\
<?xml version="1.0" encoding="utf-8"?>
<!-- the shop -->
<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup Condition=" '$(Configuration)' == 'Release' and 1 &lt; 2 ">
    <TargetFramework>net8.0</TargetFramework> <!-- long-term -->
    <ContainerUser>root</ContainerUser>
    <Description><![CDATA[a < b]]> &amp; c&#x21;</Description>
  </PropertyGroup>

  <ItemGroup>
    <ContainerPort Include='80' Type="tcp"/>
  </ItemGroup>
</Project>
"""


def file_of(text: str) -> MsbuildFile:
    found = read(Source("app.csproj", FileKind.EVIDENCE, text))
    assert isinstance(found, MsbuildFile), found
    return found


def named(file: MsbuildFile, name: str) -> Element:
    return next(one for one in file.elements if one.name == name)


def proved(text: str, *operations: Operation) -> str:
    before = file_of(text)
    after = prove(before, operations, render(before, operations))
    assert not isinstance(after, str), after
    return after.source.text


# ---------------------------------------------------------------- reading


def test_elements_have_values_and_spans() -> None:
    file = file_of(PROJECT)
    port = named(file, "ContainerPort")
    group = named(file, "PropertyGroup")
    include = port.attribute("include")

    assert include is not None
    assert PROJECT[include.span.start : include.span.end] == include.value == "80"
    whole = PROJECT[port.span.start : port.span.end]
    assert whole == """<ContainerPort Include='80' Type="tcp"/>"""
    assert group.attributes[0].value == " '$(Configuration)' == 'Release' and 1 < 2 "
    assert named(file, "Description").text == "a < b & c!"
    assert [one.name for one in file.parents(port)] == ["ItemGroup", "Project"]
    assert [PROJECT[a:b] for a, b in file.comments] == ["<!-- the shop -->", "<!-- long-term -->"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "no element"),
        ("<a>\n<b>\n</a>", 3, "expected </b>"),
        ("<a>\n<b>", 2, "<b> is not closed"),
        ("<a/>\n<b/>", 2, "second root"),
        ("<a/>\nx", 1, "outside of the root"),
        ("<a b='1'\nb='2'/>", 1, "attribute twice"),
        ("<a b=1/>", 1, "no attribute"),
        ("<a b='1'c='2'/>", 1, "no attribute"),
        ("<a>&nbsp;</a>", 1, "only a document type"),
        ("<a>&</a>", 1, "write &amp;"),
        ("<a>&#0;</a>", 1, "no character"),
        ("<a>]]></a>", 1, "outside of CDATA"),
        ("<a><!-- -- --></a>", 1, "`--`"),
        ("<a><!-- ", 1, "a comment that is not closed"),
        ("<a>\x00</a>", 1, "does not allow"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", 1, "document type"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>", 1, "utf-16"),
        ("<?xml version='1.0' encoding='iso-8859-1'?><a>ä</a>", 1, "iso-8859-1"),
    ],
)
def test_what_is_not_well_formed_says_where(text: str, line: int, reason: str) -> None:
    found = read(Source("a.props", FileKind.EVIDENCE, text))

    assert isinstance(found, Unreadable)
    assert found.line == line
    assert reason in found.reason


@pytest.mark.parametrize("written", ["'utf-8\"", '"tf-8"', "'no-such-encoding'", '"utf-16"'])
def test_a_declaration_with_an_encoding_that_is_none(written: str) -> None:
    text = f'<?xml version="1.0" encoding={written}?><Project />'
    assert isinstance(read_msbuild(Source("a.props", FileKind.EVIDENCE, text)), Unreadable)


def test_budgets_end_the_reading() -> None:
    deep = "<a>" * (MAX_DEPTH + 1) + "</a>" * (MAX_DEPTH + 1)
    many = "<a>" + "<b/>" * MAX_ELEMENTS + "</a>"

    for text in (deep, many):
        assert isinstance(read_msbuild(Source("a.props", FileKind.EVIDENCE, text)), Unreadable)


# ---------------------------------------------------------------- expat as the judge


def by_expat(data: bytes) -> list[tuple[Any, ...]] | None:
    """The events of a file as expat tells them; None if it refuses the file."""
    events: list[tuple[Any, ...]] = []
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, found: events.append(
        ("start", name, tuple(zip(found[::2], found[1::2], strict=True)))
    )
    parser.EndElementHandler = lambda name: events.append(("end", name))
    parser.CharacterDataHandler = lambda text: events.append(("text", text))
    parser.CommentHandler = lambda text: events.append(("comment", text))
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError):  # the other is Python's, for an encoding nobody knows
        return None
    return _merged(events)


def by_us(file: MsbuildFile) -> list[tuple[Any, ...]]:
    events: list[tuple[Any, ...]] = []

    def visit(element: Element) -> None:
        attributes = tuple((one.name, one.value) for one in element.attributes)
        events.append(("start", element.name, attributes))
        for piece in element.content:
            if isinstance(piece, Element):
                visit(piece)
            else:
                told(piece)
        events.append(("end", element.name))

    def told(piece: Text) -> None:
        if piece.kind == "comment":
            events.append(("comment", piece.value.replace("\r\n", "\n").replace("\r", "\n")))
        elif piece.kind in ("text", "cdata"):
            events.append(("text", piece.value))

    before = [one for one in file.outside if one.span.start < file.root.span.start]
    for piece in before:
        told(piece)
    visit(file.root)
    for piece in file.outside[len(before) :]:
        told(piece)
    return _merged(events)


def _merged(events: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for event in events:
        if event[0] == "text" and found and found[-1][0] == "text":
            found[-1] = ("text", found[-1][1] + event[1])
        elif event != ("text", ""):
            found.append(event)
    return found


def agree(text: str) -> None:
    """Both read the same, or both refuse; some things only we refuse.

    A document type; a declaration with a version that is none (expat reads `version="-1.0"`) or
    with a name of an encoding that Python understands beside those of XML (`utf--8`).
    """
    source = Source("a.csproj", FileKind.EVIDENCE, text)
    mine = read_msbuild(source)
    theirs = by_expat(text.encode("utf-8", "surrogateescape"))
    if isinstance(mine, Unreadable):
        ours_alone = any(
            words in mine.reason
            for words in ("document type", "XML declaration", "says that it is written in")
        )
        assert theirs is None or ours_alone, (mine, text)
    else:
        assert by_us(mine) == theirs, text


_PIECES = [
    "<a>", "</a>", "<b x='1'>", "</b>", "<c/>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#10;",
    "&", "<", ">", "'", '"', "=", " ", "\r\n", "\n", "\r", "\t", "text", "ä", "<?pi x?>", "<?xml?>",
    "x='", 'y="&lt;"', "/", "-", "--", "]]", "&#x0;", "<1>", "</a >", "< a>", "<:a>", "<a.b-c/>",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=25))
def test_expat_agrees_on_random_pieces(pieces: list[str]) -> None:
    agree(f"<r>{''.join(pieces)}</r>")


@given(st.integers(0, len(PROJECT)), st.integers(0, 12), st.sampled_from(_PIECES))
def test_expat_agrees_on_random_splices(at: int, length: int, piece: str) -> None:
    agree(PROJECT[:at] + piece + PROJECT[at + length :])


@pytest.mark.skipif(not CORPUS.is_dir(), reason="HARDHULL_CORPUS names no folder of repositories")
def test_expat_agrees_on_real_files() -> None:
    chance = random.Random(5)  # noqa: S311  no secret
    for path in sorted(CORPUS.rglob("*")):
        if not path.is_file() or not is_msbuild(path.name):
            continue
        source = Source.from_bytes("a.csproj", FileKind.EVIDENCE, path.read_bytes())
        agree(source.text)
        for _ in range(5):
            at, length = chance.randrange(len(source.text) + 1), chance.randrange(20)
            agree(source.text[:at] + chance.choice(_PIECES) + source.text[at + length :])


# ---------------------------------------------------------------- edits


def test_a_property_is_set() -> None:
    at = named(file_of(PROJECT), "ContainerUser").index

    assert proved(PROJECT, SetElementText("app.csproj", at, "a<b&c")) == PROJECT.replace(
        ">root<", ">a&lt;b&amp;c<"
    )


def test_an_attribute_keeps_its_quotes() -> None:
    at = named(file_of(PROJECT), "ContainerPort").index

    assert proved(PROJECT, SetAttribute("app.csproj", at, "Include", "8'0")) == PROJECT.replace(
        "'80'", "'8&apos;0'"
    )


def test_an_element_goes_with_its_line() -> None:
    at = named(file_of(PROJECT), "ContainerUser").index

    assert proved(PROJECT, RemoveElement("app.csproj", at)) == PROJECT.replace(
        "    <ContainerUser>root</ContainerUser>\n", ""
    )


def test_an_element_that_shares_its_line_goes_alone() -> None:
    at = named(file_of(PROJECT), "TargetFramework").index

    assert proved(PROJECT, RemoveElement("app.csproj", at)) == PROJECT.replace(
        "<TargetFramework>net8.0</TargetFramework>", ""
    )


def test_a_property_and_an_item_are_inserted() -> None:
    file = file_of(PROJECT)
    group, items = named(file, "PropertyGroup").index, named(file, "ItemGroup").index
    inserted = proved(
        PROJECT,
        InsertElement("app.csproj", group, "ContainerFamily", (), "noble-chiseled"),
        InsertElement("app.csproj", items, "ContainerPort", (("Include", "8080"),)),
    )

    assert inserted == PROJECT.replace(
        "</Description>\n",
        "</Description>\n    <ContainerFamily>noble-chiseled</ContainerFamily>\n",
    ).replace('Type="tcp"/>\n', 'Type="tcp"/>\n    <ContainerPort Include="8080" />\n')


@pytest.mark.parametrize(
    ("text", "operation", "reason"),
    [
        ("<a><b/></a>", SetElementText("app.csproj", 1, "x"), "no text to replace"),
        ("<a><b>x<!-- y --></b></a>", SetElementText("app.csproj", 1, "x"), "more than a text"),
        ("<a><b>x</b></a>", SetAttribute("app.csproj", 1, "c", "x"), "no attribute c"),
        ("<a><b>x</b></a>", SetElementText("app.csproj", 1, "x\ny"), "several lines"),
        ("<a><b>x</b></a>", RemoveElement("app.csproj", 0), "root element"),
        ("<a></a>", InsertElement("app.csproj", 0, "b", (), "x"), "no element to stand beside"),
        ("<a><b/></a>", InsertElement("app.csproj", 0, "c", (), "x"), "shares its line"),
        ("<a/>", RemoveElement("app.csproj", 7), "no such element"),
    ],
)
def test_what_can_not_be_rendered_says_why(text: str, operation: Operation, reason: str) -> None:
    with pytest.raises(Unrenderable, match=reason):
        render(file_of(text), [operation])


def test_blanks_elsewhere_may_not_change() -> None:
    file = file_of(PROJECT)
    operations = [SetElementText("app.csproj", named(file, "ContainerUser").index, "app")]
    at = PROJECT.index("  <ItemGroup>")
    edits = (*render(file, operations), Edit(at, at + 2, "\t"))

    assert "beyond what it names" in str(prove(file, operations, edits))


def test_another_value_is_caught() -> None:
    file = file_of(PROJECT)
    user = named(file, "ContainerUser")
    operations = [SetElementText("app.csproj", user.index, "app")]
    edits = [Edit(user.opening.end, user.closing.start, "api")]

    assert "more than the intended" in str(prove(file, operations, edits))


_NAMES = st.sampled_from(["A", "B", "ContainerUser"])
_BLANKS = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", "<!-- c -->", "\n<!-- c\nd -->\n"])
_TEXTS = st.sampled_from(["", "x", "a &amp; b", " y ", "<![CDATA[<]]>", "80", "ä"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    def element(depth: int) -> str:
        name = draw(_NAMES)
        attributes = draw(st.sampled_from(["", ' c="1"', " c = '&lt;' d=\"2\""]))
        if draw(st.booleans()) and depth < 3:
            inside = "".join(
                draw(_BLANKS) + element(depth + 1) for _ in range(draw(st.integers(0, 3)))
            )
            return f"<{name}{attributes}>{inside}{draw(_BLANKS)}</{name}>"
        text = draw(_TEXTS)
        return f"<{name}{attributes}>{text}</{name}>" if text else f"<{name}{attributes}/>"

    return f"<!-- first -->\n{element(0)}{draw(st.sampled_from(['', chr(10)]))}"


def operations_on(file: MsbuildFile) -> st.SearchStrategy[Operation]:
    index = st.integers(0, len(file.elements) - 1)
    text = st.sampled_from(["", "8080", "a < b & \"c\" 'd'", "]]>", " ", "ö"])
    path = st.just("app.csproj")
    return st.one_of(
        st.builds(SetElementText, path, index, text),
        st.builds(SetAttribute, path, index, st.sampled_from(["c", "d"]), text),
        st.builds(RemoveElement, path, index),
        st.builds(InsertElement, path, index, st.just("New"), st.just((("x", "<"),)), text),
        st.builds(InsertElement, path, index, st.just("New"), st.just((("x", "'"),))),
    )


@settings(max_examples=300)
@given(st.data())
def test_random_operations_prove_and_keep_every_other_byte(data: st.DataObject) -> None:
    text = data.draw(documents())
    file = file_of(text)
    operations = data.draw(st.lists(operations_on(file), min_size=1, max_size=3))
    try:
        edits = render(file, operations)
    except Unrenderable:
        return
    after = prove(file, operations, edits)
    removed = {one.element for one in operations if isinstance(one, RemoveElement)}
    touched = {getattr(one, "element", getattr(one, "parent", -1)) for one in operations}
    inside_removed = any(
        parent.index in removed
        for index in touched
        for parent in file.parents(file.elements[index])
    )
    if isinstance(after, str):
        # The renderer does not look for what is changed twice or within what goes.
        assert inside_removed or len(operations) > 1, (after, text, operations)
        return
    _bytes_are_kept(file, after, operations, edits)


def _bytes_are_kept(
    file: MsbuildFile, after: Document, operations: list[Operation], edits: tuple[Edit, ...]
) -> None:
    text, new = file.source.text, after.source.text
    spans = named_spans(file, operations)
    outside = [
        character
        for offset, character in enumerate(text)
        if not any(start <= offset < end for start, end in spans)
    ]
    kept = iter(new)
    assert all(any(other == character for other in kept) for character in outside)
    assert apply_edits(new, undo_edits(edits, text)) == text
    removed = [
        file.elements[one.element].span for one in operations if isinstance(one, RemoveElement)
    ]
    comments = [
        text[start:end]
        for start, end in comment_spans(file)
        if not any(span.start <= start < span.end for span in removed)
    ]
    assert [new[start:end] for start, end in comment_spans(after)] == comments
