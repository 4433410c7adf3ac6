"""Rendering a chart's templates as Helm does, each piece of the result knowing its cause.

Nothing of the chart is executed but this small language, within a budget of steps and text. What
can't be known (a function that is not known, a key below a value that is not there) becomes an
`Unknown`, is rendered as a placeholder, and counts as false where a branch asks. Longer than a
module should be: running a language is one thing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hardhull.documents.chart_calls import (
    FUNCTIONS,
    MAX_CALLS,
    MAX_TEXT,
    NOTHING,
    Frame,
    RenderError,
    Unknown,
    Versions,
    items_of,
    plainly,
    printed,
    walk,
)
from hardhull.documents.chart_functions import KUBERNETES, LONGEST, empty, shown
from hardhull.documents.chart_text import Origin, Piece, Pieces, Skipped, Val, plain
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
    Text,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.go_template import Command, Operand, Part

MAX_STEPS = 50_000
RELEASE = "release-name"
"""What `helm template` calls a release without a name."""


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
    writes: bool
    """Whether something in them may change the maps it is given."""


_WRITES = re.compile(r"\b(?:set|unset|merge\w*|mustMerge\w*)\b")


def library(files: Mapping[str, tuple[str, Template]]) -> Library:
    """Collect definitions; of several with one name the last file's counts."""
    defines: dict[str, tuple[str, tuple[Part, ...]]] = {}
    for path, (_, template) in files.items():
        for name, parts in template.defines.items():
            defines[name] = (path, parts)
    writes = any(_WRITES.search(text) for text, _ in files.values())
    return Library(files, defines, writes)


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
                "APIVersions": Versions(),
                "HelmVersion": {"Version": "v3.19.0"},
            },
            "Template": {"Name": path, "BasePath": path.rpartition("/")[0]},
            "Files": Unknown("Files"),
        }
    )  # fmt: skip
    run = _Run(lib, root.value)
    frame = Frame(path, lib.files[path][0], [{"": root}])
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


class _Jumped(Exception):
    """No error: `break` and `continue`."""

    def __init__(self, *, breaks: bool) -> None:
        super().__init__()
        self.breaks = breaks


_API_GROUPS = re.compile(
    r"v1|(?:apps|batch|autoscaling|policy|(?:networking|rbac\.authorization|storage|apiextensions"
    r"|admissionregistration|coordination|discovery|events|scheduling|node)\.k8s\.io)/v[12]"
    r"(?:/\w+)?"
)


class _Run:
    """One rendering: what is left of the budget, and the functions that need more than values."""

    def __init__(self, lib: Library, root: object) -> None:
        self.lib = lib
        self.root = root
        self.memory: dict[str, list[Piece]] = {}
        """What definitions gave for the root: names and labels are asked for again and again."""
        self.fixed = not lib.writes
        self.steps = MAX_STEPS
        self.length = 0

    # ---- parts

    def execute(  # noqa: C901  one case for each kind of part
        self,
        parts: Sequence[Part],
        dot: Val,
        frame: Frame,
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
                        shape = printed(found, made)
                        out += shape
                        self._count(sum(len(piece.text) for piece in shape), frame, start)
                case Call(name, pipeline, start, end):
                    if marks is not None:
                        marks.append((len(out), start, end, False))
                    made = Piece("", frame.file, start, end, Origin.MADE)
                    given = self.pipeline(pipeline, dot, frame, made) if pipeline else NOTHING
                    out += self.included(name, given, frame, made)
                case Branch():
                    self._branch(part, dot, frame, out, marks)
                case Jump(breaks):
                    raise _Jumped(breaks=breaks)

    def _count(self, length: int, frame: Frame, offset: int) -> None:
        self.length += length
        if self.length > MAX_TEXT:
            raise RenderError(frame.file, offset, f"renders more than {MAX_TEXT // 1024} KiB")

    def _branch(
        self,
        part: Branch,
        dot: Val,
        frame: Frame,
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
        frame: Frame,
        out: list[Piece],
        marks: list[tuple[int, int, int, bool]] | None,
    ) -> None:
        names = part.pipeline.names
        for key, item in items_of(found):
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

    def included(self, name: str, given: Val, frame: Frame, made: Piece) -> list[Piece]:
        """The pieces of a definition, run with a dot of its own."""
        known = self.lib.defines.get(name)
        if known is None:
            return list(printed(Val(Unknown(f"template.{name}")), made))
        file, parts = known
        if frame.depth >= MAX_CALLS:
            raise RenderError(made.file, made.start, f"templates that call {MAX_CALLS} others")
        same = given.value is self.root and self.fixed
        if same and name in self.memory:
            return self.memory[name]
        inner = Frame(file, self.lib.files[file][0], [{"": given}], frame.depth + 1)
        out: list[Piece] = []
        try:
            self.execute(parts, given, inner, out, None)
        except RecursionError as error:
            raise RenderError(made.file, made.start, "nested too deep") from error
        if same:
            self.memory[name] = out
        return out

    # ---- values

    def pipeline(self, pipeline: Pipeline, dot: Val, frame: Frame, made: Piece) -> Val:
        found: Val | None = None
        for command in pipeline.commands:
            found = self._command(command, found, dot, frame, made)
        found = found or NOTHING
        if pipeline.names and pipeline.declares:
            frame.scopes[-1][pipeline.names[-1]] = found
        elif pipeline.names:
            for scope in reversed(frame.scopes):
                if pipeline.names[-1] in scope:
                    scope[pipeline.names[-1]] = found
                    break
        return found

    def _command(
        self, command: Command, given: Val | None, dot: Val, frame: Frame, made: Piece
    ) -> Val:
        first = command[0]
        if isinstance(first, Function):
            return self._function(first.name, command[1:], given, dot, frame, made)
        found = self._operand(first, dot, frame, made)
        if len(command) > 1 or given is not None:
            return self._method(found, command[1:], dot, frame, made)
        return found

    def _method(
        self, found: Val, operands: Sequence[Operand], dot: Val, frame: Frame, made: Piece
    ) -> Val:
        """`.Capabilities.APIVersions.Has "x"` is the one method that charts call often."""
        if not isinstance(found.value, Versions) or len(operands) != 1:
            return Val(Unknown("method"))
        wanted = shown(self._operand(operands[0], dot, frame, made).value)
        return Val(_API_GROUPS.fullmatch(wanted) is not None)

    def _operand(self, operand: Operand, dot: Val, frame: Frame, made: Piece) -> Val:
        match operand:
            case Constant(value):
                return Val(value)
            case Field(keys):
                return walk(dot, keys)
            case Variable(name, keys):
                for scope in reversed(frame.scopes):
                    if name in scope:
                        return walk(scope[name], keys)
                raise RenderError(frame.file, made.start, f"the variable ${name} is not set")
            case Nested(pipeline, keys):
                return walk(self.pipeline(pipeline, dot, frame, made), keys)
            case Function(name):
                return self._function(name, (), None, dot, frame, made)

    def _function(
        self,
        name: str,
        operands: Sequence[Operand],
        given: Val | None,
        dot: Val,
        frame: Frame,
        made: Piece,
    ) -> Val:
        self.steps -= 1
        if name in ("and", "or"):
            return self._logic(name, operands, given, dot, frame, made)
        arguments = [self._operand(operand, dot, frame, made) for operand in operands]
        if given is not None:
            arguments.append(given)
        own = FUNCTIONS.get(name)
        try:
            if own is not None:
                found = own(self, arguments, frame, made)
            else:
                found = plainly(name, arguments)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return Val(Unknown(name))
        self._weigh(found, made)
        return found

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
        frame: Frame,
        made: Piece,
    ) -> Val:
        """`and` and `or` look no further than they need."""
        found = NOTHING
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
