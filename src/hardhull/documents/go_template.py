"""Go templates as charts use them: text, actions and branches, with exact spans.

Read, not run: `chart_rendering` evaluates what is read here. The grammar is that of Go's
text/template (https://pkg.go.dev/text/template), trimming included: a text node's span leaves out
the blanks that a `{{-` or `-}}` beside it takes away. Longer than a module should be: one grammar.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 60
MAX_ACTIONS = 20_000


class TemplateError(Exception):
    """Text that Go's parser would not accept, or more of it than we read; offset and reason."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


# ---------------------------------------------------------------- what is read


class Constant(NamedTuple):
    """A number, string, boolean or nil that stands in the template."""

    value: object


class Field(NamedTuple):
    """`.a.b`: keys below dot; none of them is dot itself."""

    keys: tuple[str, ...]


class Variable(NamedTuple):
    """`$name.a.b`; the name is empty for `$`."""

    name: str
    keys: tuple[str, ...]


class Nested(NamedTuple):
    """`(pipeline).a.b`."""

    pipeline: Pipeline
    keys: tuple[str, ...]


class Function(NamedTuple):
    """The name of a function."""

    name: str


Operand: TypeAlias = Constant | Field | Variable | Nested | Function
Command: TypeAlias = tuple[Operand, ...]


class Pipeline(NamedTuple):
    """Commands, each given the value of the one before; `names` are the variables it sets."""

    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    declares: bool = False


class Text(NamedTuple):
    """Literal text, as far as it is not trimmed."""

    start: int
    end: int


class Action(NamedTuple):
    """`{{ pipeline }}`."""

    pipeline: Pipeline
    start: int
    end: int


class Call(NamedTuple):
    """`{{ template "name" pipeline }}`."""

    name: str
    pipeline: Pipeline | None
    start: int
    end: int


class BranchKind(enum.Enum):
    """What decides which body of a branch counts."""

    IF = "if"
    WITH = "with"
    RANGE = "range"


class Branch(NamedTuple):
    """`{{ if }}…{{ else }}…{{ end }}`; bodies span from behind one action to the next."""

    kind: BranchKind
    pipeline: Pipeline
    start: int
    end: int
    body: tuple[Part, ...]
    body_end: int
    other: tuple[Part, ...]
    stop: int
    """Where its end action begins."""
    close: int
    """Where its end action ends."""


class Jump(NamedTuple):
    """`{{ break }}` or `{{ continue }}`."""

    breaks: bool


Part: TypeAlias = Text | Action | Call | Branch | Jump


class Template(NamedTuple):
    """One file: what it renders itself, and what it defines for others; the spans of actions."""

    parts: tuple[Part, ...]
    defines: dict[str, tuple[Part, ...]]
    actions: tuple[tuple[int, int], ...]
    blocks: tuple[tuple[int, int, int], ...]
    """Bodies of branches and definitions: start, end, and which action opened them."""


# ---------------------------------------------------------------- actions

_ACTION = re.compile(
    r"\{\{(?P<left>-(?=[ \t\r\n]))?[ \t\r\n]*+"
    r"(?:(?P<comment>/\*(?:(?!\*/).)*+\*/)[ \t\r\n]*+-?"
    r"|(?P<body>(?>\"(?:\\.|[^\"\\\n])*+\"|`[^`]*+`|'(?:\\.|[^'\\\n])*+'"
    r"|[^\"`'}]|\}(?!\}))*+))"
    r"\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"[ \t\r\n]*(?:"
    r"(?P<string>\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])*')"
    r"|(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?))"
    r"|(?P<variable>\$\w*)|(?P<field>\.\w+)|(?P<dot>\.)|(?P<word>\w+)"
    r"|(?P<mark>:=|[=|(),]))"
)
_FIELD = re.compile(r"(?:\.\w+)+")
_BLANKS = " \t\r\n"


class _Raw(NamedTuple):
    """An action before it is understood."""

    start: int
    end: int
    text: str
    begin: int
    """Where its text stands."""
    trims_left: bool
    trims_right: bool
    comment: bool


def _raw_actions(text: str) -> Iterator[_Raw]:
    position = text.find("{{")
    count = 0
    while position >= 0:
        match = _ACTION.match(text, position)
        count += 1
        if match is None or count > MAX_ACTIONS:
            raise TemplateError(position, "an action that does not end" if match is None
                                else f"more actions than {MAX_ACTIONS}")  # fmt: skip
        comment = match["comment"] is not None
        body = "" if comment else match["body"]
        right = body.endswith((" -", "\t-", "\n-", "\r-")) or (body == "-" and bool(match["left"]))
        if comment:
            tail = text[match.end("comment") : match.end() - 2]
            right = tail.endswith("-")
            if tail.strip(_BLANKS) not in ("", "-"):
                raise TemplateError(position, "a comment that does not end its action")
        if right and not comment:
            body = body[:-1]
        left = match["left"] is not None
        begin = match.start("body") if not comment else 0
        yield _Raw(position, match.end(), body, begin, left, right, comment)
        position = text.find("{{", match.end())


class _Tokens:
    """The words of one action, read one after the other."""

    def __init__(self, raw: _Raw) -> None:
        self.raw = raw
        self.found: list[tuple[str, str, bool]] = []
        position, end = 0, len(raw.text.rstrip(_BLANKS))
        while position < end:
            match = _TOKEN.match(raw.text, position, end)
            if match is None:
                raise TemplateError(raw.begin + position, "a word that Go templates do not have")
            kind = match.lastgroup or ""
            self.found.append((kind, match[kind], match.start(kind) > position))
            position = match.end()
        self.at = 0

    def peek(self) -> tuple[str, str, bool]:
        return self.found[self.at] if self.at < len(self.found) else ("", "", False)

    def take(self) -> tuple[str, str, bool]:
        token = self.peek()
        self.at += 1
        return token

    def fail(self) -> TemplateError:
        return TemplateError(self.raw.start, "an action that is not complete")


def _pipeline(tokens: _Tokens, depth: int = 0) -> Pipeline:
    if depth > MAX_DEPTH:
        raise TemplateError(tokens.raw.start, f"nested deeper than {MAX_DEPTH}")
    names, declares = _declared(tokens)
    commands: list[Command] = []
    operands: list[Operand] = []
    while True:
        kind, text, _ = tokens.peek()
        if kind in ("", "mark") and text != "(":
            if not operands:
                raise tokens.fail()
            commands.append(tuple(operands))
            if text != "|":
                return Pipeline(tuple(commands), names, declares)
            operands = []
            tokens.take()
            continue
        operands.append(_operand(tokens, depth))


@lru_cache(maxsize=4096)
def _plain_pipeline(text: str) -> Pipeline | None:
    """The pipeline of an action that is nothing else; None for others, and for what is wrong.

    Charts say `{{ include "web.fullname" . }}` again and again, and a pipeline names no place.
    """
    try:
        tokens = _Tokens(_Raw(0, 0, text, 0, False, False, False))
        kind, word, _ = tokens.peek()
        if kind == "word" and word in _KEYWORDS:
            return None
        pipeline = _pipeline(tokens)
    except TemplateError:
        return None
    return None if tokens.peek()[0] else pipeline


_KEYWORDS = frozenset({
    "if", "with", "range", "define", "block", "else", "end", "break", "continue", "template",
})  # fmt: skip


def _declared(tokens: _Tokens) -> tuple[tuple[str, ...], bool]:
    """`$x :=`, `$x =` or `$k, $v :=` at the start of a pipeline."""
    names: list[str] = []
    at = tokens.at
    while tokens.peek()[0] == "variable":
        names.append(tokens.take()[1][1:])
        mark = tokens.take()[1]
        if mark in (":=", "="):
            return tuple(names), mark == ":="
        if mark != ",":
            break
    tokens.at = at
    return (), False


_WORDS: dict[str, object] = {"true": True, "false": False, "nil": None}


def _operand(tokens: _Tokens, depth: int) -> Operand:
    kind, text, _ = tokens.take()
    match kind:
        case "string":
            return Constant(_unquoted(text))
        case "number":
            return Constant(_number(text))
        case "variable":
            return Variable(text[1:], _keys(tokens))
        case "field":
            return Field((text[1:], *_keys(tokens)))
        case "dot":
            return Field(())
        case "word":
            return Constant(_WORDS[text]) if text in _WORDS else Function(text)
        case _ if text == "(":
            inner = _pipeline(tokens, depth + 1)
            if tokens.take()[1] != ")":
                raise tokens.fail()
            return Nested(inner, _keys(tokens))
    raise tokens.fail()


def _keys(tokens: _Tokens) -> tuple[str, ...]:
    """The `.a.b` that follows without a blank."""
    keys: list[str] = []
    while True:
        kind, text, spaced = tokens.peek()
        if kind != "field" or spaced:
            return tuple(keys)
        keys.append(text[1:])
        tokens.take()


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _unquoted(text: str) -> object:
    if text[0] == "`":
        return text[1:-1]
    if "\\" not in text:
        return text[1:-1] if text[0] == '"' else ord(text[1]) if len(text) == 3 else text[1:-1]  # noqa: PLR2004  one character in quotes
    return _ESCAPE.sub(_escaped, text[1:-1])


def _escaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return _ESCAPED.get(match[4], match[4])
    return chr(min(int(digits, 16), 0x10FFFF))


def _number(text: str) -> object:
    plain = text.replace("_", "")[:300]
    try:
        return int(plain, 0) if "x" in plain.lower() else int(plain)
    except ValueError:
        return float(plain)


# ---------------------------------------------------------------- parts


class _Open:
    """A branch or a definition whose end has not been read yet."""

    def __init__(self, raw: _Raw | None, word: str, pipeline: Pipeline | None, name: str) -> None:
        self.raw, self.word, self.pipeline, self.name = raw, word, pipeline, name
        self.parts: list[Part] = []
        self.body: tuple[Part, ...] | None = None
        self.body_end = 0
        self.chained = False
        """Opened by `else if`: the `end` of the branch it stands in is its own too."""


def parse(text: str) -> Template:
    """Read a template. Raises TemplateError with the offset of what can't be read."""
    return _Parser(text).run()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.stack = [_Open(None, "", None, "")]
        self.defines: dict[str, tuple[Part, ...]] = {}
        self.blocks: list[tuple[int, int, int]] = []
        self.actions: list[tuple[int, int]] = []

    def run(self) -> Template:
        done, trimmed = 0, False
        for raw in _raw_actions(self.text):
            self._literal(done, raw.start, trimmed, raw.trims_left)
            done, trimmed = raw.end, raw.trims_right
            self.actions.append((raw.start, raw.end))
            if not raw.comment:
                self._action(raw)
        self._literal(done, len(self.text), trimmed, False)
        if len(self.stack) > 1:
            opened = self.stack[-1].raw
            raise TemplateError(opened.start if opened else 0, "a branch without an end")
        parts = tuple(self.stack[0].parts)
        return Template(parts, self.defines, tuple(self.actions), tuple(self.blocks))

    def _literal(self, start: int, end: int, left: bool, right: bool) -> None:
        text = self.text
        if left:
            while start < end and text[start] in _BLANKS:
                start += 1
        if right:
            while end > start and text[end - 1] in _BLANKS:
                end -= 1
        if start < end:
            self.stack[-1].parts.append(Text(start, end))

    def _action(self, raw: _Raw) -> None:
        word = raw.text.strip(_BLANKS)
        if word == "end":
            self._end(raw)
            return
        if _FIELD.fullmatch(word):  # the commonest by far
            pipeline = Pipeline(((Field(tuple(word[1:].split("."))),),))
            self.stack[-1].parts.append(Action(pipeline, raw.start, raw.end))
            return
        known = _plain_pipeline(word)
        if known is not None:
            self.stack[-1].parts.append(Action(known, raw.start, raw.end))
            return
        tokens = _Tokens(raw)
        kind, word, _ = tokens.peek()
        if kind == "word" and word in ("if", "with", "range", "define", "block"):
            self._open(raw, word, tokens)
        elif kind == "word" and word == "else":
            self._else(raw, tokens)
        elif kind == "word" and word in ("break", "continue"):
            self.stack[-1].parts.append(Jump(word == "break"))
        elif kind == "word" and word == "template":
            tokens.take()
            name = self._name(tokens)
            given = _pipeline(tokens) if tokens.peek()[0] else None
            self.stack[-1].parts.append(Call(name, given, raw.start, raw.end))
        else:
            pipeline = _pipeline(tokens)
            if tokens.peek()[0]:
                raise tokens.fail()
            self.stack[-1].parts.append(Action(pipeline, raw.start, raw.end))

    def _name(self, tokens: _Tokens) -> str:
        kind, text, _ = tokens.take()
        if kind != "string":
            raise tokens.fail()
        return str(_unquoted(text))

    def _open(self, raw: _Raw, word: str, tokens: _Tokens) -> None:
        tokens.take()
        name = self._name(tokens) if word in ("define", "block") else ""
        pipeline = _pipeline(tokens) if word != "define" else None
        if len(self.stack) > MAX_DEPTH:
            raise TemplateError(raw.start, f"nested deeper than {MAX_DEPTH}")
        self.stack.append(_Open(raw, word, pipeline, name))

    def _else(self, raw: _Raw, tokens: _Tokens) -> None:
        opened = self.stack[-1]
        if opened.word not in ("if", "with", "range") or opened.body is not None:
            raise TemplateError(raw.start, "an else without its if")
        opened.body, opened.parts = tuple(opened.parts), []
        opened.body_end = raw.start
        tokens.take()
        word = tokens.peek()[1]
        if word in ("if", "with"):
            self._open(raw, word, tokens)
            self.stack[-1].chained = True

    def _end(self, raw: _Raw) -> None:
        while True:
            if len(self.stack) == 1:
                raise TemplateError(raw.start, "an end without a beginning")
            opened = self.stack.pop()
            self._close(opened, raw)
            if not opened.chained:
                return

    def _close(self, opened: _Open, raw: _Raw) -> None:
        start = opened.raw
        assert start is not None  # noqa: S101  only the outermost has none, and it is not closed
        body = tuple(opened.parts) if opened.body is None else opened.body
        other = () if opened.body is None else tuple(opened.parts)
        body_end = raw.start if opened.body is None else opened.body_end
        self.blocks.append((start.end, body_end, start.start))
        if opened.body is not None:
            self.blocks.append((body_end, raw.start, start.start))
        if opened.word in ("define", "block"):
            self.defines[opened.name] = body
            if opened.word == "block":
                call = Call(opened.name, opened.pipeline, start.start, start.end)
                self.stack[-1].parts.append(call)
            return
        assert opened.pipeline is not None  # noqa: S101  all but definitions have one
        kind = BranchKind(opened.word)
        ends = (raw.start, raw.end)
        self.stack[-1].parts.append(
            Branch(kind, opened.pipeline, start.start, start.end, body, body_end, other, *ends)
        )
