"""What functions of templates make of values that know where they come from.

Those that are plain computations are in `chart_functions`; these keep the way back to the value, or
run a template. Longer than a module should be: many small functions of one shape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from hardhull.documents.chart_functions import LONGEST, PLAIN, empty, shown
from hardhull.documents.chart_text import (
    Origin,
    Path,
    Piece,
    Pieces,
    Val,
    bare,
    indented,
    plain,
    trimmed,
    yaml_of,
)
from hardhull.documents.go_template import TemplateError, parse
from hardhull.documents.yaml_render import spell
from hardhull.model import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hardhull.documents.go_template import Part

MAX_TEXT = 1024 * 1024
MAX_CALLS = 40


class RenderError(Exception):
    """A template that can't be rendered: file, offset and reason."""

    def __init__(self, file: str, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.file, self.offset, self.reason = file, offset, reason


class Unknown(NamedTuple):
    """A value that can't be known from the files; `name` is what stands for it."""

    name: str


class Versions:
    """What a cluster without extensions serves; only `Has` is asked of it."""


class Frame(NamedTuple):
    """The template whose parts run: its file, its text, and its variables, innermost last."""

    file: str
    text: str
    scopes: list[dict[str, Val]]
    depth: int = 0


class Runner(Protocol):
    """The rendering that a function is called in."""

    def included(self, name: str, given: Val, frame: Frame, made: Piece) -> list[Piece]: ...
    def execute(
        self,
        parts: Sequence[Part],
        dot: Val,
        frame: Frame,
        out: list[Piece],
        marks: list[tuple[int, int, int, bool]] | None,
    ) -> None: ...


NOTHING = Val(None)
_UNSAFE = re.compile(r"[^\w.-]+")


def items_of(found: Val) -> Iterator[tuple[Any, Val]]:
    """Keys and values of a map in order, or indexes and items of a list; a number counts up."""
    value = found.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = list(range(min(value, LONGEST // 100)))
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = sorted(value.items(), key=lambda entry: str(entry[0]))
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for key, item in entries:
        yield key, item if isinstance(item, Val) else Val(item, _below(found.path, key))


def _below(path: Path | None, key: str | int) -> Path | None:
    return None if path is None else (*path, key)


def walk(found: Val, keys: tuple[str, ...]) -> Val:
    """Follow keys. A key below nothing is an error to Helm; here nobody knows what it is."""
    for key in keys:
        value, path = found.value, found.path
        if isinstance(value, Unknown):
            return Val(Unknown(f"{value.name}.{key}"))
        if isinstance(value, Versions) and key == "Has":
            return found
        if isinstance(value, dict):
            inner = value.get(key)
            if isinstance(inner, Val):
                found = inner
            elif path is None and key == "Values" and "Release" in value:
                found = Val(inner, ())
            else:
                found = Val(inner, _below(path, key))
        elif value is None and path is not None:
            found = Val(Unknown(".".join(map(str, ("Values", *path, key)))), _below(path, key))
        else:
            return Val(Unknown(key))
    return found


def printed(found: Val, made: Piece) -> Pieces:
    """What a value is in text; a placeholder for what nobody knows."""
    if found.pieces is not None:
        return found.pieces
    if isinstance(found.value, Unknown):
        text = f"$({_UNSAFE.sub('-', found.value.name)[:80]})"
        return (made._replace(text=text, path=found.path),)
    return (_piece(found, shown(bare(found.value)), made),)


def _piece(found: Val, text: str, made: Piece) -> Piece:
    if found.path is None:
        return made._replace(text=text)
    origin = Origin.FALLBACK if found.fallback else Origin.VALUE
    return made._replace(text=text, origin=origin, path=found.path)


# ---------------------------------------------------------------- functions

_FAITHFUL = frozenset([
    "trim", "trunc", "trimSuffix", "trimPrefix", "trimAll", "replace", "lower", "upper", "toString",
    "int", "int64", "float64", "atoi", "nospace", "kebabcase", "abbrev",
])  # fmt: skip
"""What gives back what it was given, as long as that has the wanted form already."""


def plainly(name: str, arguments: list[Val]) -> Val:
    """Call one of the plain functions. Raises what it raises for values it has no use for."""
    for argument in arguments:
        if isinstance(argument.value, Unknown):
            return argument
    values = [bare(argument.value) for argument in arguments]
    found = PLAIN[name](*values)
    last = arguments[-1] if arguments else NOTHING
    if name in _FAITHFUL and shown(found) == shown(values[-1] if values else None):
        return last._replace(value=found)
    if name in _TRIMMING and last.pieces is not None and isinstance(found, str):
        return _cut(last, found)
    if isinstance(found, str) and len(found) > LONGEST:
        raise ValueError("too long")
    return Val(found)


_TRIMMING = frozenset(["trim", "trimSuffix", "trimPrefix", "trimAll", "trunc"])


def _cut(found: Val, left: str) -> Val:
    whole = plain(found.pieces or ())
    start = whole.find(left) if left else 0
    if start < 0:
        return Val(left)
    return Val(left, None, tuple(trimmed(found.pieces or (), start, start + len(left))))


def _text(found: Val, made: Piece) -> Val:
    """A value as text in pieces."""
    pieces = printed(found, made)
    return Val(plain(pieces), found.path, pieces)


def _default(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    otherwise, found = (*arguments, NOTHING)[:2]
    if not empty(found.value) and not isinstance(found.value, Unknown):
        return found
    if found.path is None:
        return otherwise
    return Val(otherwise.value, found.path, None, fallback=True)


def _include(run: Runner, arguments: list[Val], frame: Frame, made: Piece) -> Val:
    name = arguments[0].value
    given = arguments[1] if len(arguments) > 1 else NOTHING
    if isinstance(name, Unknown):
        return Val(name)
    pieces = tuple(run.included(shown(name), given, frame, made))
    return Val(plain(pieces), None, pieces)


_PADDED = 200


def _indent(_: Runner, arguments: list[Val], __: Frame, made: Piece) -> Val:
    width, found = min(max(int(arguments[0].value), 0), _PADDED), arguments[-1]
    text = _text(found, made)
    if width * text.value.count("\n") > MAX_TEXT:
        raise ValueError("too long")
    pieces = tuple(indented(text.pieces or (), " " * width, made))
    return Val(plain(pieces), found.path, pieces)


def _nindent(run: Runner, arguments: list[Val], frame: Frame, made: Piece) -> Val:
    found = _indent(run, arguments, frame, made)
    pieces = (made._replace(text="\n"), *(found.pieces or ()))
    return Val(plain(pieces), found.path, pieces)


def _to_yaml(_: Runner, arguments: list[Val], __: Frame, made: Piece) -> Val:
    found = arguments[-1]
    if isinstance(found.value, Unknown):
        return found
    pieces = yaml_of(found.value, found.path, made)
    return Val(plain(pieces), found.path, pieces)


def _quote(_: Runner, arguments: list[Val], __: Frame, made: Piece) -> Val:
    found = arguments[-1]
    if len(arguments) != 1:
        return Val(" ".join(f'"{shown(one.value)}"' for one in arguments if one.value is not None))
    return _quoted(found, made, '"')


def _quoted(found: Val, made: Piece, mark: str) -> Val:
    if found.value is None and found.pieces is None:
        empty_text = _piece(found, "", made)
        return Val("", found.path, (empty_text,))
    text = _text(found, made)
    body = plain(text.pieces or ())
    if mark == '"' and re.search(r'["\\\n\r\t]', body):
        whole = spell(Scalar(body, string=True))
        whole = whole if whole.startswith('"') else f'"{whole}"'
        return Val(whole, None, (_piece(found, whole, made),))
    around = made._replace(text=mark)
    pieces = (around, *(text.pieces or ()), around)
    return Val(plain(pieces), found.path, pieces)


def _squote(_: Runner, arguments: list[Val], __: Frame, made: Piece) -> Val:
    return _quoted(arguments[-1], made, "'")


_VERB = re.compile(r"%(?P<flags>[-+# 0]{0,4}\d{0,3}(?:\.\d{1,3})?)(?P<verb>[vsdqtf%])")


def _printf(_: Runner, arguments: list[Val], __: Frame, made: Piece) -> Val:
    form, rest = shown(arguments[0].value), list(arguments[1:])
    pieces: list[Piece] = []
    done = 0
    for match in _VERB.finditer(form):
        pieces.append(made._replace(text=form[done : match.start()]))
        done = match.end()
        if match["verb"] == "%":
            pieces.append(made._replace(text="%"))
            continue
        if not rest:
            raise ValueError("too few arguments")
        pieces += _formatted(rest.pop(0), match["flags"], match["verb"], made)
    pieces.append(made._replace(text=form[done:]))
    return Val(plain(pieces), None, tuple(piece for piece in pieces if piece.text))


def _formatted(found: Val, flags: str, verb: str, made: Piece) -> Pieces:
    if verb == "q":
        return _quoted(found, made, '"').pieces or ()
    if verb == "f" or (flags and verb != "s"):
        number = float(shown(found.value) or 0)
        text = f"%{flags}{'f' if verb == 'f' else 'd'}" % (number if verb == "f" else int(number))
        return (_piece(found, text[:LONGEST], made),)
    return printed(found, made)


def _required(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    found = arguments[-1]
    if found.value is None or found.value == "":
        name = ".".join(map(str, ("Values", *found.path))) if found.path is not None else "required"
        return Val(Unknown(name), found.path)
    return found


def _fail(_: Runner, __: list[Val], frame: Frame, made: Piece) -> Val:
    raise RenderError(frame.file, made.start, "the chart refuses its own default values")


def _ternary(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return arguments[0] if arguments[2].value is True else arguments[1]


def _coalesce(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return next((one for one in arguments if not empty(one.value)), NOTHING)


def _not(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    value = arguments[0].value
    return Val(empty(value) or isinstance(value, Unknown))


def _dict(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    pairs = zip(arguments[::2], arguments[1::2], strict=False)
    return Val({shown(key.value): item for key, item in pairs})


def _list(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return Val(list(arguments))


def _get(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    found, key = arguments
    walked = walk(found, (shown(key.value),))
    return walked if walked.value is not None else walked._replace(value="")


def _set(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    found, key, item = arguments
    found.value[shown(key.value)] = item
    return found


def _unset(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    arguments[0].value.pop(shown(arguments[1].value), None)
    return arguments[0]


def _index(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    found = arguments[0]
    for key in arguments[1:]:
        if isinstance(found.value, list):
            number = int(key.value)
            inner = found.value[number]
            found = inner if isinstance(inner, Val) else Val(inner, _below(found.path, number))
        else:
            found = walk(found, (shown(key.value),))
    return found


def _picked(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    names = {shown(one.value) for one in arguments[1:]}
    kept = {key: item for key, item in arguments[0].value.items() if key in names}
    return arguments[0]._replace(value=kept, pieces=None)


def _omitted(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    names = {shown(one.value) for one in arguments[1:]}
    kept = {key: item for key, item in arguments[0].value.items() if key not in names}
    return arguments[0]._replace(value=kept, pieces=None)


def _merged(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    """The first wins; each key keeps where it came from."""
    found: dict[str, Any] = {}
    budget = [LONGEST // 10]
    for one in arguments:
        _merge_into(found, one, budget)
    if isinstance(arguments[0].value, dict):
        arguments[0].value.update(found)
    return Val(found, arguments[0].path)


def _overwritten(run: Runner, arguments: list[Val], frame: Frame, made: Piece) -> Val:
    return _merged(run, arguments[::-1], frame, made)


def _merge_into(found: dict[str, Any], other: Val, budget: list[int]) -> None:
    for key, item in items_of(other):
        budget[0] -= 1
        if budget[0] < 0:
            raise ValueError("too large")
        known = found.get(key)
        if known is None:
            found[key] = item
        elif isinstance(known.value, dict) and isinstance(item.value, dict):
            inner: dict[str, Any] = {}
            _merge_into(inner, known, budget)
            _merge_into(inner, item, budget)
            found[key] = Val(inner, known.path)


def _copied(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    value = arguments[-1].value
    return arguments[-1]._replace(value=dict(value) if isinstance(value, dict) else value)


def _first(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return next((item for _, item in items_of(arguments[-1])), NOTHING)


def _last(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    items = [item for _, item in items_of(arguments[-1])]
    return items[-1] if items else NOTHING


def _rest(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return Val([item for _, item in items_of(arguments[-1])][1:])


def _initial(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return Val([item for _, item in items_of(arguments[-1])][:-1])


def _tpl(run: Runner, arguments: list[Val], frame: Frame, made: Piece) -> Val:
    """Text that is a template of its own; without actions it is what it was."""
    found = arguments[0]
    text = shown(found.value)
    if frame.depth >= MAX_CALLS:
        raise RenderError(made.file, made.start, f"templates that call {MAX_CALLS} others")
    if "{{" not in text:
        return found if found.pieces is not None else _text(found, made)
    try:
        template = parse(text)
    except TemplateError as error:
        raise ValueError("not a template") from error
    dot = arguments[1] if len(arguments) > 1 else NOTHING
    inner = Frame(frame.file, text, [{"": dot}], frame.depth + 1)
    out: list[Piece] = []
    run.execute(template.parts, dot, inner, out, None)
    whole = made._replace(text=plain(out))
    return Val(whole.text, None, (whole,))


def _from_yaml(_: Runner, arguments: list[Val], __: Frame, ___: Piece) -> Val:
    return Val(Unknown("fromYaml"), arguments[-1].path)


def _lookup(_: Runner, __: list[Val], ___: Frame, ____: Piece) -> Val:
    return Val({})


FUNCTIONS: dict[str, Callable[[Runner, list[Val], Frame, Piece], Val]] = {
    "default": _default,
    "include": _include,
    "indent": _indent,
    "nindent": _nindent,
    "toYaml": _to_yaml,
    "quote": _quote,
    "squote": _squote,
    "printf": _printf,
    "required": _required,
    "fail": _fail,
    "ternary": _ternary,
    "coalesce": _coalesce,
    "not": _not,
    "dict": _dict,
    "list": _list,
    "tuple": _list,
    "get": _get,
    "set": _set,
    "unset": _unset,
    "index": _index,
    "pick": _picked,
    "omit": _omitted,
    "merge": _merged,
    "mustMerge": _merged,
    "mergeOverwrite": _overwritten,
    "mustMergeOverwrite": _overwritten,
    "deepCopy": _copied,
    "mustDeepCopy": _copied,
    "first": _first,
    "last": _last,
    "rest": _rest,
    "initial": _initial,
    "tpl": _tpl,
    "fromYaml": _from_yaml,
    "lookup": _lookup,
}
