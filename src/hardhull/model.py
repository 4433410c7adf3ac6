"""The nouns of hardhull: frozen values that every room speaks of. Imports nothing of ours."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# ---------------------------------------------------------------- places and edits


class Span(NamedTuple):
    """A half-open range of code points in the text of one source (`text[start:end]`)."""

    start: int
    end: int


class Edit(NamedTuple):
    """Replace `text[start:end]` by `text`; an insertion when `start == end`."""

    start: int
    end: int
    text: str


Address: TypeAlias = tuple[str | int, ...]
"""Where a YAML node stands: document index, then mapping keys and sequence indexes."""


class UsageError(Exception):
    """A mistake of the user's: the message names the place, what was expected and what to do."""


class Unrenderable(Exception):
    """An operation that this text can't take without touching more than it names.

    Raised by documents while rendering; the engine turns it into a withheld change.
    """

    def __init__(self, reason: str, path: str, span: Span | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.span = span


# ---------------------------------------------------------------- values to be written


@dataclass(frozen=True, slots=True)
class Scalar:
    """A YAML scalar to be written.

    `string` says that it must read as a string (quoted where a plain spelling would not);
    otherwise `text` is written plain (`true`, `8080`, `ALL`).
    """

    text: str
    string: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """A YAML mapping to be written, in this order."""

    pairs: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """A YAML sequence to be written."""

    items: tuple[Value, ...] = ()


Value: TypeAlias = "Scalar | Pairs | Items"


def value_of(thing: object) -> Value:
    """Make a `Value` of plain Python data (dict, list, str, bool, int)."""
    match thing:
        case Scalar() | Pairs() | Items():
            return thing
        case bool():
            return Scalar("true" if thing else "false")
        case int():
            return Scalar(str(thing))
        case str():
            return Scalar(thing, string=True)
        case dict():
            return Pairs(tuple((str(key), value_of(value)) for key, value in thing.items()))
        case list() | tuple():
            return Items(tuple(value_of(item) for item in thing))
        case _:
            raise TypeError(f"no YAML value for {type(thing).__name__}")


# ---------------------------------------------------------------- operations


@dataclass(frozen=True, slots=True)
class SetValue:
    """YAML: the node at `at` becomes `value`.

    An existing scalar keeps its quotes where they fit. Missing mappings on the way are created.
    `after` names sibling keys a new key is best placed behind, best first.
    """

    path: str
    at: Address
    value: Value
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppendItem:
    """YAML: `value` becomes the last item of the sequence at `at`, created if missing."""

    path: str
    at: Address
    value: Value
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """YAML: the key (with its value) or the sequence item at `at` goes."""

    path: str
    at: Address


@dataclass(frozen=True, slots=True)
class ReplaceWord:
    """Dockerfile: word `word` of instruction `instruction` is spelled `text`.

    In JSON form `text` is the element's value; elsewhere it is the word as written.
    """

    path: str
    instruction: int
    word: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplaceFlag:
    """Dockerfile: flag `flag` of instruction `instruction` is spelled `text` (`--from=…`)."""

    path: str
    instruction: int
    flag: int
    text: str


@dataclass(frozen=True, slots=True)
class InsertInstruction:
    r"""Dockerfile: a new instruction `text` stands before the one with index `before`.

    `before` equal to the number of instructions means the end of the file. `text` may have
    several lines, written with `\n`; the file's own line ends are used. With `follows` it stands
    directly behind the instruction before it, ahead of blank lines and comments in between.
    """

    path: str
    before: int
    text: str
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RemoveInstruction:
    """Dockerfile: the instruction and its line end go; comments before it stay."""

    path: str
    instruction: int


@dataclass(frozen=True, slots=True)
class ReplaceDirective:
    """Dockerfile: the value of the parser directive `name` (`syntax`) becomes `text`."""

    path: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SetElementText:
    """MSBuild: the element with index `element` says `text` and nothing else."""

    path: str
    element: int
    text: str


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """MSBuild: the attribute `name` of the element with index `element` becomes `value`."""

    path: str
    element: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoveElement:
    """MSBuild: the element with index `element` goes, with its line where it stands alone."""

    path: str
    element: int


@dataclass(frozen=True, slots=True)
class InsertElement:
    """MSBuild: a new last element stands in the one with index `parent`.

    With `text` it is a property, without it an item of the given attributes.
    """

    path: str
    parent: int
    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CreateFile:
    """A file that is not there yet comes to be: with this text, or as YAML with this value."""

    path: str
    content: str | Pairs


YamlOperation: TypeAlias = SetValue | AppendItem | RemoveNode
DockerfileOperation: TypeAlias = (
    ReplaceWord | ReplaceFlag | InsertInstruction | RemoveInstruction | ReplaceDirective
)
MsbuildOperation: TypeAlias = SetElementText | SetAttribute | RemoveElement | InsertElement
Operation: TypeAlias = YamlOperation | DockerfileOperation | MsbuildOperation | CreateFile


# ---------------------------------------------------------------- findings and fixes


class Severity(enum.Enum):
    """How bad the problem is; ordered by `rank`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low to 2 for high."""
        return ("low", "medium", "high").index(self.value)


class Level(enum.Enum):
    """How far a change can be trusted.

    ROUTINE: every precondition was checked and held. REVIEW: a named one could not be checked.
    MANUAL: told, never done.
    """

    ROUTINE = "routine"
    REVIEW = "review"
    MANUAL = "manual"

    @property
    def rank(self) -> int:
        """0 for routine to 2 for manual: the higher, the more a person must look."""
        return ("routine", "review", "manual").index(self.value)


class PodSecurityLevel(enum.StrEnum):
    """The levels of the Pod Security Standards, from none to the strictest."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """0 for privileged to 2 for restricted: the higher, the stricter."""
        return ("privileged", "baseline", "restricted").index(self.value)


def worst(*levels: Level) -> Level:
    """The level that asks for the most care."""
    return max(levels, key=lambda level: level.rank, default=Level.ROUTINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem at one place. `where` is symbolic and survives line moves."""

    rule: str
    path: str
    where: str
    span: Span
    message: str
    severity: Severity
    level: Level
    what: str = ""
    evidence: tuple[str, ...] = ()
    subject: Any = field(default=None, compare=False, repr=False)
    plan: Any = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes this the same problem in another text: rule, path, where, what is wrong."""
        return (self.rule, self.path, self.where, self.what)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stay the same while the problem does."""
        return hashlib.sha256("\0".join(self.key).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Fix:
    """All operations that solve a finding, over one or more files: all of them or none."""

    operations: tuple[Operation, ...]
    summary: str
    level: Level = Level.ROUTINE
    if_wrong: str = "nothing known"
    notes: tuple[str, ...] = ()
    """What a maintainer should know: preconditions not checked, order of roll-out."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files this fix edits, sorted, each once."""
        return tuple(sorted({operation.path for operation in self.operations}))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a finding is not fixed, and the place that stands in the way."""

    reason: str
    path: str = ""
    span: Span | None = None


# ---------------------------------------------------------------- rules


class SubjectKind(enum.Enum):
    """What a rule looks at."""

    STAGE = "stage"
    CONTAINER = "container"
    WORKLOAD = "workload"
    APPLICATION = "application"
    REFERENCE = "reference"
    REPOSITORY = "repository"


class Phase(enum.Enum):
    """HARDEN runs to a fixed point; PIN runs last, on final references."""

    HARDEN = "harden"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Example:
    """A case of a rule that is its test and its documentation: files before and after.

    `after` holds only the files that change; empty means that nothing does. `refused` is a part
    of the reason that must be given; `silent` says that no finding of this rule is expected.
    `settings` is configuration text; `digests` maps image names to digests, or to whole entries
    of a digests file.
    """

    title: str
    before: Mapping[str, str]
    after: Mapping[str, str] = field(default_factory=dict)
    level: Level = Level.ROUTINE
    refused: str = ""
    reported: bool = False
    silent: bool = False
    settings: str = ""
    digests: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """Data plus two functions. `fix` is None for rules that only report."""

    id: str
    title: str
    concern: str
    subject: SubjectKind
    severity: Severity
    find: Callable[[Any, Any], Iterator[Finding]]
    fix: Callable[[Finding, Any], Fix | Refusal] | None
    why: str
    fix_note: str
    routine_when: str
    review_when: str
    refused_when: str
    references: tuple[str, ...] = ()
    equivalents: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    phase: Phase = Phase.HARDEN
    default: bool = True
    patches: bool = False
    """Whether containers of patches are subjects too: of rules about what a manifest says."""

    @property
    def pod_security(self) -> tuple[str, ...]:
        """The checks of the Pod Security Standards that it is about, by Kubernetes' own ids."""
        named = (name.partition(":") for name in self.equivalents)
        return tuple(check for standard, _, check in named if standard == "pss")


# ---------------------------------------------------------------- what happened


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file, or a part of one, that could not be read, and why; `line` is 1-based, 0 if none."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that a person decided to live with: by which tool's mark, and why."""

    finding: Finding
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A fix that was applied and verified. `edits` are those of each file at that moment."""

    finding: Finding
    fix: Fix
    edits: tuple[tuple[str, tuple[Edit, ...]], ...]
    files: tuple[str, ...] = ()
    """The files that it edits, sorted: of a chart these may be values, not the fix's template."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A finding whose fix was refused, or not verified."""

    finding: Finding
    reason: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule raised: our bug. `trace` is what to paste into an issue."""

    rule: str
    where: str
    trace: str
