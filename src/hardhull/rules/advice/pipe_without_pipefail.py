"""pipe-without-pipefail: a RUN goes on although the first command of a pipe has failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.stages import parent_chain
from hardhull.rules.advice.dockerfiles import (
    Shell,
    heirs,
    in_shell_form,
    known_shell,
    shell_before,
    shell_words,
    stages_of_applications,
)
from hardhull.rules.advice.examples import PIPE_WITHOUT_PIPEFAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.stages import Stage

ID = "pipe-without-pipefail"
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)
_PIPE = re.compile(r"(?<![|>])\|(?!\|)")
_SET = re.compile(r"\bset\s+(?:-\w+\s+)*-\w*o\s+pipefail\b")
_OWN_SHELL = re.compile(
    r"^\s*(?:/bin/|/usr/bin/)?(?:ba|a|da|z)?sh\s+-\w*c\b|^\s*(?:pwsh|powershell)\b"
)
_ECHO_ESCAPE = re.compile(r"\becho\s+(?:-\w+\s+)?[^|;&\n]*\\[ntrb0\\]")


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """The first RUN of a stage that pipes without pipefail."""
    told: set[tuple[str, int]] = set()
    for path, stages, stage in stages_of_applications(project):
        if any((path, one.index) in told for one in parent_chain(stages, stage.index)):
            continue  # it inherits the shell of the stage that was told
        for instruction in stage.instructions:
            if not _pipes(instruction) or not _default_shell(stages, stage, instruction):
                continue
            told.add((path, stage.index))
            yield Finding(
                ID,
                path,
                f"stage {stage.name or stage.index}",
                instruction.keyword_span,
                "a command before a pipe may fail, and the build goes on",
                Severity.LOW,
                Level.REVIEW,
                subject=project,
                plan=(stages, stage, instruction),
            )
            break


def _pipes(instruction: Instruction) -> bool:
    if instruction.keyword != "RUN" or instruction.json or instruction.heredocs:
        return False
    text = _QUOTED.sub("", instruction.text)
    if _SET.search(text) or _OWN_SHELL.search(instruction.text):
        return False
    return _PIPE.search(text) is not None


def _default_shell(stages: tuple[Stage, ...], stage: Stage, instruction: Instruction) -> bool:
    """Whether RUN is given to a shell without pipefail; others than sh are not our concern."""
    words = shell_before(stages, stage, instruction.index)
    if not words:
        return True
    shell = words[0].rpartition("/")[2]
    return shell in ("sh", "bash", "ash") and not any("pipefail" in word for word in words)


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Name a shell with pipefail before the RUN, if that changes nothing else."""
    stages: tuple[Stage, ...]
    stages, stage, instruction = finding.plan
    shell = known_shell(stages, stage, context)
    if shell is None:
        return Refusal(
            "which shell its image has is not known; dash, for one, has no pipefail",
            finding.path,
            stage.base.span,
        )
    handed_on = _handed_on(finding.path, stage, context)
    if handed_on is not None:
        return handed_on
    changed = _changes(stages, stage, instruction, shell)
    if changed is not None:
        other, reason = changed
        return Refusal(reason, finding.path, other.span)
    text = f"SHELL {shell.value}"
    return Fix(
        (InsertInstruction(finding.path, instruction.index, text),),
        text,
        Level.REVIEW,
        "a build that stops at a pipe whose first command always failed",
        ("not checked: whether a pipe of this image fails on purpose, as `… | head -1` does",),
    )


def _handed_on(path: str, stage: Stage, context: Context) -> Refusal | None:
    """Where the finished image keeps the shell, and something else than RUN would use it."""
    for target in context.project.stages:
        if target.path != path or stage not in target.chain:
            continue
        if not target.starts_program:
            return Refusal("images that are made from this one would inherit the shell", path)
        for service in context.project.application_of(target).compose:
            test = service.option("healthcheck", "test")
            if test is None:
                continue
            first = next(iter(test.items()), None)
            if first is None or first.text == "CMD-SHELL":
                reason = "its health check in Compose would run in another shell"
                return Refusal(reason, test.file.source.path, test.span)
    return None


def _changes(
    stages: tuple[Stage, ...], stage: Stage, run: Instruction, shell: Shell
) -> tuple[Instruction, str] | None:
    """The first instruction behind SHELL that would mean something else."""
    if shell_before(stages, stage, run.index) == shell_words(shell):
        return None
    later = [item for item in stage.instructions if item.index > run.index]
    own_checks = [item for item in stage.instructions if item.keyword == "HEALTHCHECK"]
    for instruction in (run, *own_checks, *later, *_inherited(stages, stage)):
        if instruction.keyword == "SHELL":
            return None  # from here on another shell was chosen anyway
        if instruction.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK") and in_shell_form(
            instruction
        ):
            return instruction, f"{instruction.keyword} in shell form would run in another shell"
        echoes = instruction.keyword == "RUN" and _ECHO_ESCAPE.search(instruction.text)
        if echoes and shell is Shell.BASH:
            return instruction, "echo with a backslash means something else in bash"
    return None


def _inherited(stages: tuple[Stage, ...], stage: Stage) -> Iterator[Instruction]:
    for heir in heirs(stages, stage):
        yield from heir.instructions


RULE = Rule(
    id=ID,
    title="A pipe hides that its first command failed",
    concern="advice",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "A shell returns what the last command of a pipe returns: when a download before it fails, "
        "the build goes on with half a file, and the image is made."
    ),
    fix_note=(
        "Names bash (Debian, Ubuntu, Azure Linux) or ash (Alpine) with pipefail before the first "
        "RUN that pipes. dash has no pipefail, so a shell that is not known is left alone."
    ),
    routine_when="never: a pipe may fail on purpose",
    review_when="the shell is known, and no CMD, ENTRYPOINT or HEALTHCHECK would run in another",
    refused_when=(
        "the image's shell is not known, a CMD, ENTRYPOINT or HEALTHCHECK in shell form comes "
        "after it, or an echo relies on dash"
    ),
    references=("https://docs.docker.com/build/building/best-practices/#using-pipes",),
    equivalents=("hadolint:DL4006",),
    examples=PIPE_WITHOUT_PIPEFAIL,
    default=False,
)
