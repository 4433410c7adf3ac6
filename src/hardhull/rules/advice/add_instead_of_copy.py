"""add-instead-of-copy: ADD, which also fetches and unpacks, where COPY says what is meant."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Refusal,
    RemoveInstruction,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.rules.advice.dockerfiles import stages_of_applications
from hardhull.rules.advice.examples import ADD_INSTEAD_OF_COPY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.context import Context
    from hardhull.project.link import Project

ID = "add-instead-of-copy"
_FETCHED = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@)|\.git(?:#|$)", re.IGNORECASE)
_ARCHIVE = re.compile(
    r"\.(?:tar(?:\.\w+)?|t[abgxlz]z2?|tbz2|txz|gz|bz2|xz|zst|lz\w*|zip)$", re.IGNORECASE
)
_TEXT = re.compile(
    r"\.(?:cs|fs|vb|\w+proj|sln|slnx|props|targets|json|ya?ml|xml|config|conf|sh|ps1|txt|md|ini|env)$",
    re.IGNORECASE,
)
_BOTH_KNOW = ("--chown", "--chmod", "--link", "--exclude")


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """ADD that fetches nothing and names no archive."""
    for path, _, stage in stages_of_applications(project):
        for instruction in stage.instructions:
            sources = [word.value.strip("\"'") for word in instruction.words[:-1]]
            if instruction.keyword != "ADD" or instruction.heredocs or not sources:
                continue
            if any(_FETCHED.search(source) or _ARCHIVE.search(source) for source in sources):
                continue
            yield Finding(
                ID,
                path,
                f"stage {stage.name or stage.index} ADD {' '.join(sources)}",
                instruction.keyword_span,
                "ADD may fetch and unpack; COPY says that files are copied as they are",
                Severity.LOW,
                Level.ROUTINE,
                subject=project,
                plan=(instruction, sources),
            )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Write COPY, if every source is here and is no archive."""
    instruction: Instruction
    sources: list[str]
    instruction, sources = finding.plan
    path = finding.path
    for flag in instruction.flags:
        if not flag.text.startswith(_BOTH_KNOW):
            return Refusal(f"COPY does not know {flag.text.partition('=')[0]}", path, flag.span)
    for source in sources:
        reason = _obstacle(source, path, context)
        if reason is not None:
            return Refusal(reason, path, instruction.span)
    text = context.documents[path].source.text
    written = text[instruction.keyword_span.start : instruction.span.end].replace("\r\n", "\n")
    keyword = "copy" if written[:3].islower() else "COPY"
    new = keyword + written[len("ADD") :].rstrip("\n")
    return Fix(
        (
            RemoveInstruction(path, instruction.index),
            InsertInstruction(path, instruction.index + 1, new, follows=True),
        ),
        f"{keyword} {' '.join(sources)}",
    )


def _obstacle(source: str, path: str, context: Context) -> str | None:
    """Why it is not certain that COPY does the same with a source."""
    if "$" in source:
        return f"a variable names {source}"
    if any(_is_here(source, folder, context) for folder in _contexts(path, context)):
        return None
    return f"{source} is not among the directories and text files that are seen here"


def _contexts(path: str, context: Context) -> tuple[str, ...]:
    """The folders that the Dockerfile is built in, as Compose says, else its own."""
    named = {
        service.build.context
        for service in context.project.compose
        if service.build is not None
        and service.build.dockerfile == path
        and service.build.context is not None
    }
    return tuple(sorted(named)) or (posixpath.dirname(path),)


def _is_here(source: str, folder: str, context: Context) -> bool:
    wanted = posixpath.normpath(posixpath.join(folder, source.lstrip("/")))
    paths = {*context.documents, *context.project.workspace.texts.paths()}
    if wanted in (".", folder):
        return True
    if any(path.startswith(f"{wanted}/") for path in paths):
        return True
    if re.search(r"[*?\[]", wanted):
        matching = [path for path in paths if fnmatch.fnmatchcase(path, wanted)]
        return bool(matching) and _TEXT.search(wanted) is not None
    return wanted in paths and (wanted in context.documents or _TEXT.search(wanted) is not None)


RULE = Rule(
    id=ID,
    title="ADD is used where COPY would do",
    concern="advice",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "ADD unpacks archives and fetches URLs: what it does depends on what the source happens "
        "to be. COPY only copies."
    ),
    fix_note="Replaces ADD with COPY, with the same flags, sources and target.",
    routine_when="every source is a directory or a text file of this repository",
    review_when="never: COPY does the same with these",
    refused_when="a source is not seen here, a variable names it, or COPY does not know a flag",
    references=("https://docs.docker.com/build/building/best-practices/#add-or-copy",),
    equivalents=(),
    examples=ADD_INSTEAD_OF_COPY,
    default=False,
)
