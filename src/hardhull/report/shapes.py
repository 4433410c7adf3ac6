"""The form of the JSON reports. The JSON Schema is generated from these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

FORMAT = 1
"""`"schema"` of every JSON report; raised when a field changes its meaning or goes."""


class Position(TypedDict):
    """A place in a file, counted from 1, columns in code points."""

    line: Annotated[int, "from 1"]
    column: Annotated[int, "from 1, in code points"]


class FindingShape(TypedDict):
    """One problem at one place, and what became of it."""

    rule: str
    path: Annotated[str, "relative to the root, with forward slashes"]
    line: Annotated[int, "from 1, in the text before the run"]
    column: Annotated[int, "from 1, in code points"]
    end: Annotated[Position, "where it ends, exclusive"]
    where: Annotated[str, "the place by name: stays the same when lines move"]
    severity: Literal["low", "medium", "high"]
    level: Annotated[
        Literal["routine", "review", "manual"],
        "how far a fix can be trusted; manual: told, never done",
    ]
    message: str
    evidence: list[str]
    status: Literal["fixed", "unfixed", "withheld", "accepted"]
    reason: Annotated[str, "why it is not fixed, or by whom it was accepted; may be empty"]
    fixable: Annotated[bool, "true if it was fixed, or a fix is proposed"]
    fingerprint: Annotated[str, "the same while the problem is the same"]


class OperationShape(TypedDict, total=False):
    """What was wanted, in terms of meaning; which further fields there are depends on it."""

    operation: Literal[
        "set-value",
        "append-item",
        "remove-node",
        "replace-word",
        "replace-flag",
        "insert-instruction",
        "remove-instruction",
        "replace-directive",
    ]
    path: str
    at: Annotated[list[str | int], "YAML: document index, then keys and indexes"]
    value: Annotated[Any, "YAML: what is written there"]
    after: Annotated[list[str], "YAML: keys it is best placed behind"]
    instruction: Annotated[int, "Dockerfile: index of the instruction, from 0"]
    word: Annotated[int, "Dockerfile: index of the word, from 0"]
    flag: Annotated[int, "Dockerfile: index of the flag, from 0"]
    before: Annotated[int, "Dockerfile: index of the instruction that follows, from 0"]
    name: Annotated[str, "Dockerfile: name of the parser directive"]
    text: Annotated[str, "Dockerfile: what is written"]
    follows: Annotated[bool, "Dockerfile: directly behind the instruction before"]


class ChangeShape(TypedDict):
    """A fix that was made and verified (`changes`), or held back (`withheld`)."""

    rule: str
    where: str
    path: str
    files: Annotated[list[str], "all files it edits"]
    summary: str
    level: Literal["routine", "review", "manual"]
    reason: Annotated[str, "of a change: what was wrong; of a withheld one: why it was not made"]
    operations: list[OperationShape]
    notes: Annotated[list[str], "what a maintainer should know"]
    if_wrong: Annotated[str, "what one would see if the change is wrong; empty if withheld"]
    fingerprint: str


class SkippedShape(TypedDict):
    """A file, or a part of one, that was not read."""

    path: str
    line: Annotated[int | None, "null where no line is to blame"]
    reason: str


class ApplicationShape(TypedDict):
    """One program with all that builds and runs it."""

    name: str
    project: Annotated[str | None, "its project file"]
    stages: Annotated[list[str], "Dockerfile and stage"]
    containers: Annotated[list[str], "manifest or Compose file, and container"]
    services: Annotated[list[str], "manifest and Service"]
    evidence: Annotated[list[str], "why these belong together"]


class BrokenShape(TypedDict):
    """What keeps a workload's pods from the wanted Pod Security level, at one place."""

    check: Annotated[str, "the id that Kubernetes gives the check"]
    message: str
    where: Annotated[str, "the container, or the workload"]
    line: Annotated[int, "from 1, in the text after the run"]


class PodSecurityShape(TypedDict):
    """The Pod Security level of one workload's pods."""

    path: str
    where: str
    before: Literal["privileged", "baseline", "restricted"]
    after: Literal["privileged", "baseline", "restricted"]
    wanted: Literal["baseline", "restricted"]
    version: Annotated[str, "the version of Kubernetes whose checks were used"]
    hardened: Annotated[bool, "false if it runs no application that was found here"]
    missing: list[BrokenShape]


class RootShape(TypedDict):
    """The report of one root."""

    root: Annotated[str, "as it was given"]
    findings: list[FindingShape]
    changes: list[ChangeShape]
    withheld: list[ChangeShape]
    skipped: list[SkippedShape]
    applications: list[ApplicationShape]
    pod_security: list[PodSecurityShape]
    crashes: Annotated[list[str], "rules that failed here: bugs of ours"]
    notes: Annotated[list[str], "what is said once, such as who refreshes digests"]
    contacted: Annotated[list[str], "the hosts that were asked about images"]


class Report(RootShape):
    """The report of one root; several roots give an object with `schema` and `roots`."""

    schema: Literal[1]


class Reports(TypedDict):
    """The reports of several roots, in the order they were given."""

    schema: Literal[1]
    roots: list[RootShape]


class ImageShape(TypedDict):
    """One image reference."""

    path: str
    line: int
    column: int
    text: Annotated[str, "as written at `line`"]
    resolved_from: Annotated[str | None, "path:line of the ARG lines that gave parts of it"]
    name: Annotated[str | None, "full name with tag and without digest; null if unresolved"]
    built_here: bool
    pinned: bool
    used_by: str


class ImagesReport(TypedDict):
    """What `hardhull images --format json` prints; `root` is only there for several roots."""

    schema: Literal[1]
    images: list[ImageShape]
