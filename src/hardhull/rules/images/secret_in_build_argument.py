"""secret-in-build-argument: a token comes into the build where the image remembers it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Finding, Level, Rule, Severity, Span, SubjectKind
from hardhull.rules.images.more_examples import SECRET_IN_BUILD_ARGUMENT
from hardhull.rules.images.secrets import asks_for_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction, Word
    from hardhull.documents.source import Source
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.stages import Stage

ID = "secret-in-build-argument"
_CLEAR = re.compile(
    r"key\s*=\s*\"ClearTextPassword\"\s+value\s*=\s*\"(?P<value>[^\"]*)\"", re.IGNORECASE
)
_STAND_IN = re.compile(r"^$|%\w+%|\$|__|\{\{|#\{|<|&lt;")


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """ARGs that hold a secret and are used, and passwords in a NuGet.Config that is copied."""
    texts = project.workspace.texts
    configs = [path for path in texts.paths() if posixpath.basename(path).lower() == "nuget.config"]
    open_ones = [(source, line) for path in configs for source, line in _clear(texts.source(path))]
    for path, stages in project.dockerfiles.items():
        arguments = {
            word.value.partition("=")[0]
            for word in _global_words(stages)
            if asks_for_secret(word.value.partition("=")[0])
        }
        for stage in stages:
            yield from _arguments(path, stage, arguments)
            yield from _copied(path, stage, open_ones)


def _global_words(stages: tuple[Stage, ...]) -> Iterator[Word]:
    """The words of ARGs before the first FROM."""
    first = stages[0].from_.index if stages else 0
    for instruction in stages[0].file.instructions[:first] if stages else ():
        if instruction.keyword == "ARG":
            yield from instruction.words


def _arguments(path: str, stage: Stage, outside: set[str]) -> Iterator[Finding]:
    where = f"stage {stage.name or stage.index}"
    for instruction in stage.instructions:
        for word in instruction.words if instruction.keyword == "ARG" else ():
            name = word.value.partition("=")[0]
            if not (asks_for_secret(name) or name in outside):
                continue
            used = _use(stage, instruction, name)
            if used is None:
                continue
            key = name.lower().replace("_", "-")
            message = (
                f"{name} is remembered in the image's history; use RUN "
                f"--mount=type=secret,id={key},env={name} and docker build --secret "
                f"id={key},env={name}"
            )
            evidence = (f"{path}:{used.first_line} uses it in {used.keyword}",)
            yield Finding(
                ID, path, f"{where} ARG {name}",
                Span(word.span.start, word.span.start + len(name)), message, Severity.HIGH,
                Level.MANUAL, name, evidence,
            )  # fmt: skip


def _use(stage: Stage, argument: Instruction, name: str) -> Instruction | None:
    """The first RUN or ENV behind an ARG that uses it."""
    mention = re.compile(rf"\$(?:\{{)?{re.escape(name)}\b|%{re.escape(name)}%")
    for instruction in stage.instructions:
        if instruction.index > argument.index and instruction.keyword in ("RUN", "ENV"):
            bodies = " ".join(heredoc.body for heredoc in instruction.heredocs)
            if mention.search(instruction.text) or mention.search(bodies):
                return instruction
    return None


def _clear(source: Source | None) -> Iterator[tuple[Source, int]]:
    """The lines of a NuGet.Config that hold a password as it is."""
    for match in _CLEAR.finditer(source.text) if source is not None else ():
        if source is not None and not _STAND_IN.search(match["value"]):
            yield source, source.line_of(match.start())


def _copied(path: str, stage: Stage, configs: list[tuple[Source, int]]) -> Iterator[Finding]:
    """COPY of a NuGet.Config with a password: by its name, or with all that is there."""
    folder = posixpath.dirname(path)
    for source, line in configs:
        home = posixpath.dirname(source.path)
        near = (
            not home
            or home == folder
            or folder.startswith(f"{home}/")
            or home.startswith(f"{folder}/")
        )
        for instruction in stage.instructions if near or not folder else ():
            if instruction.keyword not in ("COPY", "ADD") or not _takes(instruction, source.path):
                continue
            message = (
                f"{source.path}:{line} holds a password, and is copied into the image; mount it: "
                "RUN --mount=type=secret,id=nuget,target=/root/.nuget/NuGet/NuGet.Config"
            )
            yield Finding(
                ID, path, f"stage {stage.name or stage.index} {source.path}", instruction.span,
                message, Severity.HIGH, Level.MANUAL, source.path,
            )  # fmt: skip
            break


def _takes(instruction: Instruction, config: str) -> bool:
    if any(flag.text.startswith("--from=") for flag in instruction.flags):
        return False
    for word in instruction.words[:-1]:
        source = word.value.strip("\"'").removeprefix("./").rstrip("/")
        named = posixpath.basename(source).lower().replace("*", "")
        if source in ("", ".") or named in ("nuget.config", "nuget.", ".config"):
            return True
        if config.startswith(f"{source}/"):
            return True
    return False


RULE = Rule(
    id=ID,
    title="A secret comes into the build as an argument or a copied file",
    concern="images",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.HIGH,
    find=find,
    fix=None,
    why=(
        "The value of an ARG that a RUN uses stands in the image's history, and a copied file "
        "stays in its layer even if a later step deletes it. In a build stage they stay in the "
        "build cache, which is often pushed."
    ),
    fix_note=(
        "Reported only, and the value is never shown: mount it for the one step that needs it, "
        "`RUN --mount=type=secret,id=nuget-token,env=NUGET_TOKEN dotnet restore`, and change it, "
        "since it is known."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=(
        "https://docs.docker.com/build/building/secrets/",
        "https://learn.microsoft.com/nuget/reference/nuget-config-file#packagesourcecredentials",
    ),
    equivalents=(),
    examples=SECRET_IN_BUILD_ARGUMENT,
)
