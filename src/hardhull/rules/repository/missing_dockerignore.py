"""missing-dockerignore: a build context is sent whole, with history, secrets and build output."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.globs import matcher
from hardhull.model import (
    CreateFile,
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    Severity,
    Span,
    SubjectKind,
)
from hardhull.project.contexts import copied_sources, folders_of
from hardhull.rules.repository.dockerignore_examples import MISSING_DOCKERIGNORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.link import Project

ID = "missing-dockerignore"
_IF_WRONG = "the build says that a file is not found: remove its line from .dockerignore"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A line of the new file; not written where one of `unless` is found in the repository."""

    line: str
    unless: re.Pattern[str] | None = None
    words: tuple[str, ...] = ()
    output: bool = False
    """Whether it hides what a build on the host makes."""


_VERSIONED = re.compile(r"Nerdbank\.GitVersioning|GitVersion|MinVer|SourceLink|\bgit (?:rev|desc)")
_PATTERNS = (
    _Pattern("**/.git", _VERSIONED, ("GitVersion", "MinVer", "SourceLink", "git ")),
    _Pattern("**/.vs"),
    _Pattern("**/.vscode"),
    _Pattern("**/.idea"),
    _Pattern("**/*.user"),
    _Pattern(
        "**/.env", re.compile(r"DotNetEnv|dotenv", re.IGNORECASE), ("otnetenv", "NetEnv", "otenv")
    ),
    _Pattern("**/*.pfx", re.compile(r"\.pfx\b"), (".pfx",)),
    _Pattern("**/bin", output=True),
    _Pattern("**/obj", output=True),
    _Pattern("**/node_modules", output=True),
)


def find(project: Project, context: Context) -> Iterator[Finding]:
    """Folders that images of applications are built in, without a list of what stays out."""
    built: dict[str, list[str]] = {}
    unknown: list[str] = []
    for path in dict.fromkeys(stage.path for stage in project.stages):
        folders = folders_of(path, project)
        for folder in folders:
            built.setdefault(folder, []).append(path)
        if not folders:
            unknown.append(path)
    for folder, dockerfiles in sorted(built.items()):
        place = posixpath.join(folder, ".dockerignore")
        lacking = [path for path in dockerfiles if not _is_there(f"{path}.dockerignore", context)]
        if not _is_there(place, context) and lacking:
            message = f"everything in {folder or 'the repository'} is sent to the build"
            yield _finding(lacking[0], f"context {folder or '.'}", message, (place, lacking))
    for path in unknown:
        if not _is_there(f"{path}.dockerignore", context):
            yield _finding(path, "context", "which folder it is built in is not seen here", None)


def _finding(path: str, where: str, message: str, plan: object) -> Finding:
    return Finding(
        ID, path, where, Span(0, 0), message, Severity.LOW, Level.REVIEW, where, (), plan=plan
    )


def _is_there(path: str, context: Context) -> bool:
    return path in context.documents or path in context.project.workspace.texts.paths()


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Write the list, without a line that could hide what one of the Dockerfiles copies."""
    if finding.plan is None:
        return Refusal("its COPY sources fit no folder, or several", finding.path)
    place: str
    dockerfiles: list[str]
    place, dockerfiles = finding.plan
    copied = [source for path in dockerfiles for source in copied_sources(path, context.project)]
    if any("$" in source for source in copied):
        return Refusal("a variable names what it copies", finding.path)
    builds = all(_builds_inside(path, context) for path in dockerfiles)
    lines = [p.line for p in _PATTERNS if (builds or not p.output) and _fits(p, copied, context)]
    text = "".join(f"{line}\n" for line in lines)
    return Fix(
        (CreateFile(place, text),),
        f"{place}: {', '.join(lines)}",
        Level.REVIEW,
        _IF_WRONG,
        ("not checked: whether a build step reads what stays out now",),
    )


def _builds_inside(path: str, context: Context) -> bool:
    """Whether the Dockerfile makes its program itself: else it copies what the host has built."""
    words = (i.text for s in context.project.dockerfiles[path] for i in s.instructions)
    return any(re.search(r"\bdotnet\s+(?:publish|build|msbuild)\b", text) for text in words)


def _fits(pattern: _Pattern, copied: list[str], context: Context) -> bool:
    """Nothing that is copied by name is hidden, and nothing here needs what would be."""
    hidden = matcher([pattern.line])
    if hidden is not None and any(hidden.match(source) for source in copied):
        return False
    if pattern.unless is None:
        return True
    texts = context.project.workspace.texts
    if any(True for _ in texts.search(pattern.unless, pattern.words, code=True)):
        return False
    documents = (document.source.text for document in context.documents.values())
    return not any(pattern.unless.search(text) for text in documents)


RULE = Rule(
    id=ID,
    title="Nothing is kept out of the build",
    concern="repository",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Without a .dockerignore, `COPY . .` takes along the history, settings with secrets and "
        "output of other builds: they end up in layers, and every commit empties the build cache."
    ),
    fix_note=(
        "Writes .dockerignore at the root of the build context, with lines for what no build needs."
    ),
    routine_when="never: what build steps read can't be seen",
    review_when="the folder of the build is known",
    refused_when="the folder of the build is not certain, or a variable names what is copied",
    references=("https://docs.docker.com/build/concepts/context/#dockerignore-files",),
    examples=MISSING_DOCKERIGNORE,
    default=False,
)
