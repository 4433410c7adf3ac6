"""What the advice about Dockerfiles shares: which stages it is for, and which shell runs RUN."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.project.stages import Stage, parent_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.context import Context
    from hardhull.project.link import Project


class Shell(enum.Enum):
    """A shell that knows pipefail, by how it is called."""

    BASH = '["/bin/bash", "-o", "pipefail", "-c"]'
    ASH = '["/bin/ash", "-eo", "pipefail", "-c"]'


_BASH_FAMILIES = frozenset({"debian", "ubuntu", "azurelinux", "mariner"})


def stages_of_applications(project: Project) -> Iterator[tuple[str, tuple[Stage, ...], Stage]]:
    """Every stage of the Dockerfiles that make an application's image."""
    paths = {stage.path for stage in project.stages}
    for path, stages in project.dockerfiles.items():
        if path in paths:
            for stage in stages:
                yield path, stages, stage


def known_shell(stages: tuple[Stage, ...], stage: Stage, context: Context) -> Shell | None:
    """The shell with pipefail that is certain to be in a stage's image."""
    first = parent_chain(stages, stage.index)[-1]
    reference = parse_reference(first.base.resolved) if first.base.resolved else None
    if reference is None:
        return None
    facts = context.facts.image(reference.name)
    if facts is not None:
        family, shell = facts.family, facts.shell and facts.os == "linux"
    else:
        base = context.facts.family(reference.name)
        family, shell = (base.family, base.shell) if base is not None else ("", False)
    if not shell:
        return None
    if family == "alpine":
        return Shell.ASH
    return Shell.BASH if family in _BASH_FAMILIES else None


def shell_before(stages: tuple[Stage, ...], stage: Stage, index: int) -> tuple[str, ...]:
    """The words of the SHELL that is in force before an instruction; empty for the default."""
    words: tuple[str, ...] = ()
    for one in reversed(parent_chain(stages, stage.index)):
        for instruction in one.instructions:
            if instruction.keyword == "SHELL" and instruction.index < index:
                words = tuple(word.value for word in instruction.words)
    return words


def shell_words(shell: Shell) -> tuple[str, ...]:
    """How SHELL reads when it calls this shell."""
    return tuple(json.loads(shell.value))


def heirs(stages: tuple[Stage, ...], stage: Stage) -> tuple[Stage, ...]:
    """The stages that are made from a stage, however far away."""
    return tuple(
        other
        for other in stages
        if other is not stage and stage in parent_chain(stages, other.index)
    )


def in_shell_form(instruction: Instruction) -> bool:
    """Whether a shell runs what an instruction says."""
    if instruction.keyword == "HEALTHCHECK":
        words = instruction.text.split(maxsplit=1)
        return len(words) > 1 and words[0].upper() == "CMD" and not words[1].startswith("[")
    return not instruction.json
