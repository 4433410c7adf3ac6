"""Rendering a chart's templates as Helm does, each piece of the result knowing its cause.

Nothing of the chart is executed but this small language, within a budget of steps and text. What
can't be known (a function that is not known, a key below a value that is not there) becomes an
`Unknown`, is rendered as a placeholder, and counts as false where a branch asks. Longer than a
module should be: the evaluation of a language is one thing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.documents.chart_functions import KUBERNETES, LONGEST, PLAIN, empty, shown
from hardhull.documents.chart_text import (
    Origin,
    Path,
    Piece,
    Pieces,
    Skipped,
    Val,
    bare,
    indented,
    plain,
    trimmed,
    yaml_of,
)
from hardhull.documents.go_template import (
    Action,
    Branch,
    BranchKind,
    Call,
    Constant,
    Field,
    Function,
    Jump,
    Nested,
    Pipeline,
    Template,
    TemplateError,
    Text,
    Variable,
    parse,
)
from hardhull.documents.yaml_render import spell
from hardhull.model import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hardhull.documents.go_template import Command, Operand, Part

MAX_STEPS = 50_000
MAX_TEXT = 1024 * 1024
MAX_CALLS = 40
RELEASE = "release-name"
"""What `helm template` calls a release without a name."""


class RenderError(Exception):
    """A template that can't be rendered: file, offset and reason."""

    def __init__(self, file: str, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.file, self.offset, self.reason = file, offset, reason


class Unknown(NamedTuple):
    """A value that can't be known from the files; `name` is what stands for it."""

    name: str


class Place(NamedTuple):
    """A stretch of rendered text and the span of the template it stands for."""

    start: int
    end: int
    source_start: int
    source_end: int
    literal: bool


class Rendering(NamedTuple):
    """The result: its text, what each piece was made from, and where it is in its own template."""

    text: str
    pieces: Pieces
    starts: tuple[int, ...]
    places: tuple[Place, ...]


class Library(NamedTuple):
    """The templates of a chart, by path, and all that they define: by name, path and parts."""

    files: Mapping[str, tuple[str, Template]]
    defines: Mapping[str, tuple[str, tuple[Part, ...]]]


def library(files: Mapping[str, tuple[str, Template]]) -> Library:
    """Collect definitions; of several with one name the last file's counts."""
    defines: dict[str, tuple[str, tuple[Part, ...]]] = {}
    for path, (_, template) in files.items():
        for name, parts in template.defines.items():
            defines[name] = (path, parts)
    return Library(files, defines)


def render(lib: Library, path: str, chart: Mapping[str, Any], values: dict[str, Any]) -> Rendering:
    """Render one template. `chart` holds what Chart.yaml says. Raises RenderError."""
    root = Val(
        {
            "Values": values,
            "Chart": chart,
            "Release": {
                "Name": RELEASE, "Namespace": "default", "Service": "Helm", "Revision": 1,
                "IsInstall": True, "IsUpgrade": False,
            },
            "Capabilities": {
                "KubeVersion": {
                    "Version": KUBERNETES, "GitVersion": KUBERNETES, "Major": "1", "Minor": "34",
                },
                "APIVersions": _Versions(),
                "HelmVersion": {"Version": "v3.19.0"},
            },
            "Template": {"Name": path, "BasePath": path.rpartition("/")[0]},
            "Files": Unknown("Files"),
        }
    )  # fmt: skip
    run = _Run(lib)
    frame = _Frame(path, lib.files[path][0], [{"": root}])
    out: list[Piece] = []
    marks: list[tuple[int, int, int, bool]] = []
    try:
        run.execute(lib.files[path][1].parts, root, frame, out, marks)
    except _Jumped:
        pass  # `break` outside of a range: what follows is not rendered
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # A value of a kind that nobody expects there; Helm would fail too, with words of its own.
        raise RenderError(
            path, out[-1].start if out else 0, "a value that is no use here"
        ) from error
    return _finished(out, marks)


def _finished(out: list[Piece], marks: list[tuple[int, int, int, bool]]) -> Rendering:
    starts: list[int] = []
    position = 0
    for piece in out:
        starts.append(position)
        position += len(piece.text)
    ends = [*starts, position]
    places = []
    for index, (first, start, end, literal) in enumerate(marks):
        last = marks[index + 1][0] if index + 1 < len(marks) else len(out)
        if ends[first] < ends[last]:
            places.append(Place(ends[first], ends[last], start, end, literal))
    return Rendering(plain(out), tuple(out), tuple(starts), tuple(places))


_API_GROUPS = re.compile(
    r"v1|(?:apps|batch|autoscaling|policy|(?:networking|rbac\.authorization|storage|apiextensions"
    r"|admissionregistration|coordination|discovery|events|scheduling|node)\.k8s\.io)/v[12]"
    r"(?:/\w+)?"
)


class _Versions:
    """What a cluster without extensions serves; only `Has` is asked of it."""


class _Frame(NamedTuple):
    """The template whose parts run: its file, its text, and its variables, innermost last."""

    file: str
    text: str
    scopes: list[dict[str, Val]]
    depth: int = 0


class _Jumped(Exception):
    """No error: `break` and `continue`."""

    def __init__(self, *, breaks: bool) -> None:
        super().__init__()
        self.breaks = breaks


_NOTHING = Val(None)
_UNSAFE = re.compile(r"[^\w.-]+")


class _Run:
    """One rendering: what is left of the budget, and the functions that need more than values."""

    def __init__(self, lib: Library) -> None:
        self.lib = lib
        self.steps = MAX_STEPS
        self.length = 0

    # ---- parts

    def execute(  # noqa: C901  one case for each kind of part
        self,
        parts: Sequence[Part],
        dot: Val,
        frame: _Frame,
        out: list[Piece],
        marks: list[tuple[int, int, int, bool]] | None,
    ) -> None:
        for part in parts:
            self.steps -= 1
            if self.steps < 0:
                raise RenderError(frame.file, _start(part), f"more steps than {MAX_STEPS}")
            match part:
                case Text(start, end):
                    if marks is not None:
                        marks.append((len(out), start, end, True))
                    text = frame.text[start:end]
                    out.append(Piece(text, frame.file, start, end, Origin.LITERAL))
                    self._count(end - start, frame, start)
                case Action(pipeline, start, end):
                    if marks is not None:
                        marks.append((len(out), start, end, False))
                    made = Piece("", frame.file, start, end, Origin.MADE)
                    found = self.pipeline(pipeline, dot, frame, made)
                    if not pipeline.names:
                        printed = _printed(found, made)
                        out += printed
                        self._count(sum(len(piece.text) for piece in printed), frame, start)
                case Call(name, pipeline, start, end):
                    if marks is not None:
                        marks.append((len(out), start, end, False))
                    made = Piece("", frame.file, start, end, Origin.MADE)
                    given = self.pipeline(pipeline, dot, frame, made) if pipeline else _NOTHING
                    out += self.included(name, given, frame, made)
                case Branch():
                    self._branch(part, dot, frame, out, marks)
                case Jump(breaks):
                    raise _Jumped(breaks=breaks)

    def _count(self, length: int, frame: _Frame, offset: int) -> None:
        self.length += length
        if self.length > MAX_TEXT:
            raise RenderError(frame.file, offset, f"renders more than {MAX_TEXT // 1024} KiB")

    def _branch(
        self,
        part: Branch,
        dot: Val,
        frame: _Frame,
        out: list[Piece],
        marks: list[tuple[int, int, int, bool]] | None,
    ) -> None:
        made = Piece("", frame.file, part.start, part.end, Origin.MADE)
        frame.scopes.append({})
        found = self.pipeline(part.pipeline, dot, frame, made)
        taken = not empty(found.value) and not isinstance(found.value, Unknown)
        inner = found if part.kind is BranchKind.WITH else dot
        if marks is not None:
            marks.append((len(out), part.start, part.end, False))
        if not taken or part.other:
            start, end = (part.end, part.body_end) if not taken else (part.body_end, part.stop)
            seen = (found if part.kind is not BranchKind.IF else dot) if not taken else dot
            skipped = Skipped(start, end, seen.path, frame.scopes[0][""].path)
            out.append(made._replace(origin=Origin.SKIPPED, path=found.path, skipped=skipped))
        if taken and part.kind is BranchKind.RANGE:
            self._range(part, found, frame, out, marks)
        else:
            body = part.body if taken else part.other
            self.execute(body, inner if taken else dot, frame, out, marks)
        frame.scopes.pop()

    def _range(
        self,
        part: Branch,
        found: Val,
        frame: _Frame,
        out: list[Piece],
        marks: list[tuple[int, int, int, bool]] | None,
    ) -> None:
        names = part.pipeline.names
        for key, item in _items(found):
            frame.scopes.append({})
            if names:
                frame.scopes[-1][names[-1]] = item
                if len(names) > 1:
                    frame.scopes[-1][names[0]] = Val(key)
            try:
                self.execute(part.body, item, frame, out, marks)
            except _Jumped as jump:
                if jump.breaks:
                    break
            finally:
                frame.scopes.pop()

    def included(self, name: str, given: Val, frame: _Frame, made: Piece) -> list[Piece]:
        """The pieces of a definition, run with a dot of its own."""
        known = self.lib.defines.get(name)
        if known is None:
            return list(_printed(Val(Unknown(f"template.{name}")), made))
        file, parts = known
        if frame.depth >= MAX_CALLS:
            raise RenderError(made.file, made.start, f"templates that call {MAX_CALLS} others")
        inner = _Frame(file, self.lib.files[file][0], [{"": given}], frame.depth + 1)
        out: list[Piece] = []
        try:
            self.execute(parts, given, inner, out, None)
        except RecursionError as error:
            raise RenderError(made.file, made.start, "nested too deep") from error
        return out

    # ---- values

    def pipeline(self, pipeline: Pipeline, dot: Val, frame: _Frame, made: Piece) -> Val:
        found: Val | None = None
        for command in pipeline.commands:
            found = self._command(command, found, dot, frame, made)
        found = found or _NOTHING
        if pipeline.names and pipeline.declares:
            frame.scopes[-1][pipeline.names[-1]] = found
        elif pipeline.names:
            for scope in reversed(frame.scopes):
                if pipeline.names[-1] in scope:
                    scope[pipeline.names[-1]] = found
                    break
        return found

    def _command(
        self, command: Command, given: Val | None, dot: Val, frame: _Frame, made: Piece
    ) -> Val:
        first = command[0]
        if isinstance(first, Function):
            return self._function(first.name, command[1:], given, dot, frame, made)
        found = self._operand(first, dot, frame, made)
        if len(command) > 1 or given is not None:
            return self._method(found, command[1:], dot, frame, made)
        return found

    def _method(
        self, found: Val, operands: Sequence[Operand], dot: Val, frame: _Frame, made: Piece
    ) -> Val:
        """`.Capabilities.APIVersions.Has "x"` is the one method that charts call often."""
        if not isinstance(found.value, _Versions) or len(operands) != 1:
            return Val(Unknown("method"))
        wanted = shown(self._operand(operands[0], dot, frame, made).value)
        return Val(_API_GROUPS.fullmatch(wanted) is not None)

    def _operand(self, operand: Operand, dot: Val, frame: _Frame, made: Piece) -> Val:
        match operand:
            case Constant(value):
                return Val(value)
            case Field(keys):
                return _walk(dot, keys)
            case Variable(name, keys):
                for scope in reversed(frame.scopes):
                    if name in scope:
                        return _walk(scope[name], keys)
                raise RenderError(frame.file, made.start, f"the variable ${name} is not set")
            case Nested(pipeline, keys):
                return _walk(self.pipeline(pipeline, dot, frame, made), keys)
            case Function(name):
                return self._function(name, (), None, dot, frame, made)

    def _function(
        self,
        name: str,
        operands: Sequence[Operand],
        given: Val | None,
        dot: Val,
        frame: _Frame,
        made: Piece,
    ) -> Val:
        self.steps -= 1
        if name in ("and", "or"):
            return self._logic(name, operands, given, dot, frame, made)
        arguments = [self._operand(operand, dot, frame, made) for operand in operands]
        if given is not None:
            arguments.append(given)
        own = _FUNCTIONS.get(name)
        try:
            found = (
                own(self, arguments, frame, made) if own is not None else _plainly(name, arguments)
            )
            self._weigh(found, made)
            return found
        except (
            ArithmeticError, AttributeError, IndexError, KeyError, LookupError, TypeError, ValueError
        ):  # fmt: skip
            return Val(Unknown(name))

    def _weigh(self, found: Val, made: Piece) -> None:
        """Charge what a function made: values that double with every call end soon."""
        self.steps -= len(found.pieces or ()) // 50
        value = found.value
        if isinstance(value, (str, list, dict)) and len(value) > LONGEST * 5:
            raise RenderError(made.file, made.start, "a value that is too large")
        if self.steps < 0:
            raise RenderError(made.file, made.start, f"more steps than {MAX_STEPS}")

    def _logic(
        self,
        name: str,
        operands: Sequence[Operand],
        given: Val | None,
        dot: Val,
        frame: _Frame,
        made: Piece,
    ) -> Val:
        """`and` and `or` look no further than they need."""
        found = _NOTHING
        rest: list[Operand | Val] = [*operands, *([given] if given is not None else [])]
        for operand in rest:
            if isinstance(operand, Val):
                found = operand
            else:
                found = self._operand(operand, dot, frame, made)
            holds = not empty(found.value) and not isinstance(found.value, Unknown)
            if holds is (name == "or"):
                break
        return found


def _start(part: Part) -> int:
    return part.start if not isinstance(part, Jump) else 0


def _items(found: Val) -> Iterator[tuple[Any, Val]]:
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


def _walk(found: Val, keys: tuple[str, ...]) -> Val:
    """Follow keys. A key below nothing is an error to Helm; here nobody knows what it is."""
    for key in keys:
        value, path = found.value, found.path
        if isinstance(value, Unknown):
            return Val(Unknown(f"{value.name}.{key}"))
        if isinstance(value, _Versions) and key == "Has":
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


def _printed(found: Val, made: Piece) -> Pieces:
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

_FAITHFUL = frozenset(
    ["trim", "trunc", "trimSuffix", "trimPrefix", "trimAll", "replace", "lower", "upper", "toString",
     "int", "int64", "float64", "atoi", "nospace", "kebabcase", "abbrev"]
)  # fmt: skip
"""What gives back what it was given, as long as that has the wanted form already."""


def _plainly(name: str, arguments: list[Val]) -> Val:
    for argument in arguments:
        if isinstance(argument.value, Unknown):
            return argument
    values = [bare(argument.value) for argument in arguments]
    found = PLAIN[name](*values)
    last = arguments[-1] if arguments else _NOTHING
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
    pieces = _printed(found, made)
    return Val(plain(pieces), found.path, pieces)


def _default(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    otherwise, found = (
        (arguments[0], arguments[1]) if len(arguments) > 1 else (arguments[0], _NOTHING)
    )
    if not empty(found.value) and not isinstance(found.value, Unknown):
        return found
    if found.path is None:
        return otherwise
    return Val(otherwise.value, found.path, None, fallback=True)


def _include(run: _Run, arguments: list[Val], frame: _Frame, made: Piece) -> Val:
    name = arguments[0].value
    given = arguments[1] if len(arguments) > 1 else _NOTHING
    if isinstance(name, Unknown):
        return Val(name)
    pieces = tuple(run.included(shown(name), given, frame, made))
    return Val(plain(pieces), None, pieces)


_PADDED = 200


def _indent(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
    width, found = min(max(int(arguments[0].value), 0), _PADDED), arguments[-1]
    text = _text(found, made)
    if width * text.value.count("\n") > MAX_TEXT:
        raise ValueError("too long")
    pieces = tuple(indented(text.pieces or (), " " * width, made))
    return Val(plain(pieces), found.path, pieces)


def _nindent(run: _Run, arguments: list[Val], frame: _Frame, made: Piece) -> Val:
    found = _indent(run, arguments, frame, made)
    pieces = (made._replace(text="\n"), *(found.pieces or ()))
    return Val(plain(pieces), found.path, pieces)


def _to_yaml(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
    found = arguments[-1]
    if isinstance(found.value, Unknown):
        return found
    pieces = yaml_of(found.value, found.path, made)
    return Val(plain(pieces), found.path, pieces)


def _quote(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
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


def _squote(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
    return _quoted(arguments[-1], made, "'")


_VERB = re.compile(r"%(?P<flags>[-+# 0]{0,4}\d{0,3}(?:\.\d{1,3})?)(?P<verb>[vsdqtf%])")


def _printf(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
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
    return _printed(found, made)


def _required(_: _Run, arguments: list[Val], __: _Frame, made: Piece) -> Val:
    found = arguments[-1]
    if found.value is None or found.value == "":
        name = ".".join(map(str, ("Values", *found.path))) if found.path is not None else "required"
        return Val(Unknown(name), found.path)
    return found


def _fail(_: _Run, __: list[Val], frame: _Frame, made: Piece) -> Val:
    raise RenderError(frame.file, made.start, "the chart refuses its own default values")


def _ternary(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return arguments[0] if arguments[2].value is True else arguments[1]


def _coalesce(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return next((one for one in arguments if not empty(one.value)), _NOTHING)


def _not(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    value = arguments[0].value
    return Val(empty(value) or isinstance(value, Unknown))


def _dict(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    pairs = zip(arguments[::2], arguments[1::2], strict=False)
    return Val({shown(key.value): item for key, item in pairs})


def _list(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return Val(list(arguments))


def _get(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    found, key = arguments
    walked = _walk(found, (shown(key.value),))
    return walked if walked.value is not None else walked._replace(value="")


def _set(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    found, key, item = arguments
    found.value[shown(key.value)] = item
    return found


def _unset(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    arguments[0].value.pop(shown(arguments[1].value), None)
    return arguments[0]


def _index(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    found = arguments[0]
    for key in arguments[1:]:
        if isinstance(found.value, list):
            number = int(key.value)
            inner = found.value[number]
            found = inner if isinstance(inner, Val) else Val(inner, _below(found.path, number))
        else:
            found = _walk(found, (shown(key.value),))
    return found


def _picked(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    names = {shown(one.value) for one in arguments[1:]}
    kept = {key: item for key, item in arguments[0].value.items() if key in names}
    return arguments[0]._replace(value=kept, pieces=None)


def _omitted(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    names = {shown(one.value) for one in arguments[1:]}
    kept = {key: item for key, item in arguments[0].value.items() if key not in names}
    return arguments[0]._replace(value=kept, pieces=None)


def _merged(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    """The first wins; each key keeps where it came from."""
    found: dict[str, Any] = {}
    budget = [LONGEST // 10]
    for one in arguments:
        _merge_into(found, one, budget)
    if isinstance(arguments[0].value, dict):
        arguments[0].value.update(found)
    return Val(found, arguments[0].path)


def _overwritten(run: _Run, arguments: list[Val], frame: _Frame, made: Piece) -> Val:
    return _merged(run, arguments[::-1], frame, made)


def _merge_into(found: dict[str, Any], other: Val, budget: list[int]) -> None:
    for key, item in _items(other):
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


def _copied(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    value = arguments[-1].value
    return arguments[-1]._replace(value=dict(value) if isinstance(value, dict) else value)


def _first(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return next((item for _, item in _items(arguments[-1])), _NOTHING)


def _last(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    items = [item for _, item in _items(arguments[-1])]
    return items[-1] if items else _NOTHING


def _rest(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return Val([item for _, item in _items(arguments[-1])][1:])


def _initial(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return Val([item for _, item in _items(arguments[-1])][:-1])


def _tpl(run: _Run, arguments: list[Val], frame: _Frame, made: Piece) -> Val:
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
    dot = arguments[1] if len(arguments) > 1 else _NOTHING
    inner = _Frame(frame.file, text, [{"": dot}], frame.depth + 1)
    out: list[Piece] = []
    run.execute(template.parts, dot, inner, out, None)
    whole = made._replace(text=plain(out))
    return Val(whole.text, None, (whole,))


def _from_yaml(_: _Run, arguments: list[Val], __: _Frame, ___: Piece) -> Val:
    return Val(Unknown("fromYaml"), arguments[-1].path)


def _lookup(_: _Run, __: list[Val], ___: _Frame, ____: Piece) -> Val:
    return Val({})


_FUNCTIONS: dict[str, Callable[[_Run, list[Val], _Frame, Piece], Val]] = {
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
