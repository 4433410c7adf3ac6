"""MSBuild files (projects, `Directory.Build.props`, publish profiles) as elements with exact spans.

A reader of our own, because no XML parser says where an attribute's value begins. It reads the
well-formed XML that MSBuild reads, but for document types: those define entities, which can grow
without bounds or name files. Tests let Python's expat judge that both see the same structure.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeAlias

from hardhull.documents.unreadable import Unreadable
from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source

MAX_DEPTH = 100
MAX_ELEMENTS = 50_000
SUFFIXES = (".csproj", ".fsproj", ".vbproj", ".props", ".targets", ".pubxml")
"""How the names of files end that are read as MSBuild's, in small letters."""

# Most names are ASCII; what else a name may hold is a table that is slow to compile.
_NAME = r"[^\x00-9;-@\[-^`{-\x7f][^\x00-,/;-@\[-^`{-\x7f]*+"
_BLANK = r"[ \t\r\n]"
_ATTRIBUTE = re.compile(
    rf"{_BLANK}++(?P<name>{_NAME}){_BLANK}*+={_BLANK}*+(?P<quoted>\"[^<\"]*+\"|'[^<']*+')"
)
_OPENING = re.compile(rf"<(?P<name>{_NAME})")
_OPENED = re.compile(rf"{_BLANK}*+(?P<closed>/?)>")
_CLOSING = re.compile(rf"</(?P<name>{_NAME}){_BLANK}*+>")
_INSTRUCTION = re.compile(rf"<\?(?P<name>{_NAME})(?=\?>|{_BLANK})")
_DECLARATION = re.compile(
    rf"<\?xml{_BLANK}+version{_BLANK}*={_BLANK}*(?:\"1\.0\"|'1\.0')"
    rf"(?:{_BLANK}+encoding{_BLANK}*={_BLANK}*"
    r"(?P<quote>[\"'])(?P<encoding>[A-Za-z][\w.-]*)(?P=quote))?"
    rf"(?:{_BLANK}+standalone{_BLANK}*={_BLANK}*(?:\"(?:yes|no)\"|'(?:yes|no)'))?{_BLANK}*\?>",
    re.ASCII,
)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:#(?P<number>[0-9]{1,7})|#x(?P<hex>[0-9a-fA-F]{1,6})|(?P<name>\w+));")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name="value"`. `span` covers what stands between the quotes."""

    name: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text. `kind` is `text`, `cdata`, `comment` or `instruction`; `value` is decoded."""

    kind: str
    value: str
    span: Span


@dataclass(frozen=True)
class Element:
    """An element; `index` is its place among all elements of the file, in the order they begin."""

    index: int
    name: str
    parent: int | None
    attributes: tuple[Attribute, ...]
    opening: Span
    """The tag that begins it, which is all of it if there is no other."""
    closing: Span
    content: tuple[Content, ...]

    @property
    def span(self) -> Span:
        """All of it, tags included."""
        return Span(self.opening.start, self.closing.end)

    @property
    def children(self) -> tuple[Element, ...]:
        """The elements directly inside."""
        return tuple(piece for piece in self.content if isinstance(piece, Element))

    @cached_property
    def text(self) -> str:
        """What it says, comments left out."""
        return "".join(
            piece.value
            for piece in self.content
            if isinstance(piece, Text) and piece.kind in ("text", "cdata")
        )

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of this name; MSBuild heeds the case of some and not of others."""
        wanted = name.lower()
        return next((one for one in self.attributes if one.name.lower() == wanted), None)


Content: TypeAlias = "Element | Text"


@dataclass(frozen=True)
class MsbuildFile:
    """A file of MSBuild's. `elements` are in the order they begin, the root first."""

    source: Source
    elements: tuple[Element, ...]
    outside: tuple[Text, ...] = ()
    """What stands before and behind the root."""
    comments: tuple[Span, ...] = field(default=(), repr=False)

    @property
    def root(self) -> Element:
        """The outermost element, `Project` in files that MSBuild takes."""
        return self.elements[0]

    def parents(self, element: Element) -> Iterator[Element]:
        """The elements around one, the nearest first."""
        while element.parent is not None:
            element = self.elements[element.parent]
            yield element

    def line_of(self, element: Element) -> int:
        """The 1-based line on which an element begins."""
        return self.source.line_of(element.opening.start)


def is_msbuild(path: str) -> bool:
    """Whether a file of this name is MSBuild's."""
    return path.lower().endswith(SUFFIXES)


def read_msbuild(source: Source) -> MsbuildFile | Unreadable:
    """Read a file; what is not well-formed, too deep or too large says where and why."""
    try:
        return _Reader(source).read()
    except _Malformed as error:
        return Unreadable(source.line_of(min(error.offset, len(source.text))), error.reason)


class _Malformed(Exception):
    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


@dataclass(slots=True)
class _Open:
    """An element that has begun."""

    index: int
    name: str
    attributes: tuple[Attribute, ...]
    opening: Span
    content: list[Content]


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.stack: list[_Open] = []
        self.elements: list[Element | None] = []
        self.outside: list[Text] = []
        self.comments: list[Span] = []

    def read(self) -> MsbuildFile:
        strange = _NOT_XML.search(self.text)
        if strange is not None:
            raise _Malformed(strange.start(), "a character that XML does not allow")
        self._declaration()
        while self.at < len(self.text):
            self._next()
        if self.stack:
            last = self.stack[-1]
            raise _Malformed(last.opening.start, f"<{last.name}> is not closed")
        if not self.elements:
            raise _Malformed(self.at, "there is no element")
        elements = tuple(one for one in self.elements if one is not None)
        return MsbuildFile(self.source, elements, tuple(self.outside), tuple(self.comments))

    def _declaration(self) -> None:
        if not self.text.startswith("<?xml") or not re.match(_BLANK, self.text[5:6]):
            return
        match = _DECLARATION.match(self.text)
        if match is None:
            raise _Malformed(0, "an XML declaration that is not understood")
        encoding = (match["encoding"] or "utf-8").lower()
        others = not self.text.isascii() or encoding.startswith("utf") or not _is_known(encoding)
        if encoding != "utf-8" and others:
            raise _Malformed(0, f"it says that it is written in {encoding}, and it is not")
        self._keep("instruction", match[0], match.end())

    def _next(self) -> None:
        text, at = self.text, self.at
        if text[at] != "<":
            end = text.find("<", at)
            self._text(at, end if end >= 0 else len(text))
        elif text.startswith("<!--", at):
            end = self._end_of("--", at + 4, "a comment")
            if text[end : end + 3] != "-->":
                raise _Malformed(end, "`--` within a comment")
            self.comments.append(Span(at, end + 3))
            self._keep("comment", text[at + 4 : end], end + 3)
        elif text.startswith("<![CDATA[", at) and self.stack:
            end = self._end_of("]]>", at + 9, "CDATA")
            self._keep("cdata", _lines(text[at + 9 : end]), end + 3)
        elif text.startswith("<?", at):
            match = _INSTRUCTION.match(text, at)
            if match is None or _name(match).lower() == "xml":
                raise _Malformed(at, "a processing instruction without a name")
            end = self._end_of("?>", match.end(), "a processing instruction")
            self._keep("instruction", text[at : end + 2], end + 2)
        elif text.startswith("</", at):
            self._close()
        elif text.startswith("<!DOCTYPE", at):
            raise _Malformed(at, "a document type, which is not read")
        else:
            self._begin()

    def _end_of(self, mark: str, start: int, what: str) -> int:
        end = self.text.find(mark, start)
        if end < 0:
            raise _Malformed(self.at, f"{what} that is not closed")
        return end

    def _keep(self, kind: str, value: str, end: int) -> None:
        piece = Text(kind, value, Span(self.at, end))
        (self.stack[-1].content if self.stack else self.outside).append(piece)
        self.at = end

    def _text(self, start: int, end: int) -> None:
        raw = self.text[start:end]
        if not self.stack:
            if raw.strip(" \t\r\n"):
                raise _Malformed(start, "text outside of the root element")
            self.at = end
            return
        wrong = raw.find("]]>")
        if wrong >= 0:
            raise _Malformed(start + wrong, "`]]>` outside of CDATA")
        self._keep("text", _decoded(_lines(raw), start), end)

    def _begin(self) -> None:
        match = _OPENING.match(self.text, self.at)
        if match is None:
            raise _Malformed(self.at, "`<` that begins no element")
        if not self.stack and self.elements:
            raise _Malformed(self.at, "a second root element")
        if len(self.stack) >= MAX_DEPTH:
            raise _Malformed(self.at, f"elements nested more than {MAX_DEPTH} deep")
        if len(self.elements) >= MAX_ELEMENTS:
            raise _Malformed(self.at, f"more than {MAX_ELEMENTS} elements")
        start, attributes, name = self.at, [], _name(match)
        end = match.end()
        while (found := _ATTRIBUTE.match(self.text, end)) is not None:
            inner = Span(found.start("quoted") + 1, found.end("quoted") - 1)
            raw = re.sub(r"[\t\n]", " ", _lines(self.text[inner.start : inner.end]))
            value = _decoded(raw, inner.start)
            attributes.append(Attribute(_name(found), value, inner))
            end = found.end()
        opened = _OPENED.match(self.text, end)
        if opened is None:
            raise _Malformed(start, f"<{name} has no end, or a part that is no attribute")
        if len({one.name for one in attributes}) < len(attributes):
            raise _Malformed(start, f"<{name}> has an attribute twice")
        self.at = opened.end()
        opening = Span(start, self.at)
        self.stack.append(_Open(len(self.elements), name, tuple(attributes), opening, []))
        self.elements.append(None)
        if opened["closed"]:
            self._finish(Span(self.at, self.at))

    def _close(self) -> None:
        match = _CLOSING.match(self.text, self.at)
        if match is None or not self.stack or match["name"] != self.stack[-1].name:
            wanted = f"</{self.stack[-1].name}>" if self.stack else "no end tag"
            raise _Malformed(self.at, f"expected {wanted}")
        closing = Span(self.at, match.end())
        self.at = match.end()
        self._finish(closing)

    def _finish(self, closing: Span) -> None:
        own = self.stack.pop()
        parent = self.stack[-1].index if self.stack else None
        element = Element(
            own.index, own.name, parent, own.attributes, own.opening, closing, tuple(own.content)
        )
        self.elements[own.index] = element
        if self.stack:
            self.stack[-1].content.append(element)


def _is_known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _name(match: re.Match[str]) -> str:
    name = match["name"]
    if not name.isascii() and not _of_any_script().fullmatch(name):
        raise _Malformed(match.start("name"), "a name that XML does not allow")
    return name


@cache
def _of_any_script() -> re.Pattern[str]:
    """All names of XML 1.0, fifth edition."""
    start = (
        "A-Za-z_:\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
        "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd"
    )
    return re.compile(rf"[{start}][-.0-9\u00b7\u0300-\u036f\u203f\u2040{start}]*+")


def _lines(raw: str) -> str:
    """Line ends as XML reads them."""
    return raw.replace("\r\n", "\n").replace("\r", "\n") if "\r" in raw else raw


def _decoded(raw: str, offset: int) -> str:
    """A text with its character references put in; only XML's own five entities are known."""
    if "&" not in raw:
        return raw
    pieces: list[str] = []
    done = 0
    while (at := raw.find("&", done)) >= 0:
        match = _REFERENCE.match(raw, at)
        if match is None:
            raise _Malformed(offset, "`&` that begins no entity; write &amp;")
        pieces += (raw[done:at], _referenced(match, offset))
        done = match.end()
    return "".join((*pieces, raw[done:]))


def _referenced(match: re.Match[str], offset: int) -> str:
    if match["name"]:
        if match["name"] not in _ENTITIES:
            raise _Malformed(offset, f"the entity {match[0]}, which only a document type defines")
        return _ENTITIES[match["name"]]
    number = int(match["number"]) if match["number"] else int(match["hex"], 16)
    if number == 0 or number > 0x10FFFF or _NOT_XML.match(chr(number)):  # noqa: PLR2004  Unicode's last
        raise _Malformed(offset, f"{match[0]} is no character of XML")
    return chr(number)
