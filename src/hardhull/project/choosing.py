"""Choosing the stages of a Dockerfile that are built as images and run a .NET program."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.project.application import AppStage
from hardhull.project.names import STARTED, text_of
from hardhull.project.stages import parent_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.dockerfile import Dockerfile
    from hardhull.facts.gather import Facts
    from hardhull.project.builds import BuiltImage
    from hardhull.project.compose import Build
    from hardhull.project.stages import Stage

_TEST_WORDS = re.compile(
    r"(^|[-_.])((?:unit|functional|integration|acceptance|component|system|api)?tests?|specs?|e2e|debug|dev(?:elop(?:ment)?)?|local|ci|tools?|bench(?:mark)?s?)"
    r"($|[-_.])"
)
_EXECUTABLE = re.compile(r"(?<![\w.])\.?(?:/[\w.-]+)*/(?P<name>[\w.-]+)(?![\w./-])")
_PROJECT = re.compile(r"(?P<name>[\w.-]+)\.(?:cs|fs|vb)proj\b")


def targets(
    all_stages: Sequence[Stage], composed: Sequence[Build], built: Sequence[BuiltImage]
) -> dict[int, str]:
    """The stages that are built as images: the last one and every target that is named.

    `composed` and `built` are the builds of this Dockerfile, by Compose and by other files.
    """
    chosen = {len(all_stages) - 1: "the last stage"}
    named = [(one.target, f"{one.cursor.path}:{one.cursor.line} builds it") for one in composed]
    named += [(image.target, f"{image.evidence} builds it") for image in built]
    for target, evidence in named:
        wanted = target.lower() if target else None
        for stage in all_stages:
            if (stage.name or str(stage.index)).lower() == wanted:
                chosen.setdefault(stage.index, evidence)
    return chosen


def app_stage(
    document: Dockerfile, all_stages: tuple[Stage, ...], index: int, chosen_by: str, facts: Facts
) -> AppStage | None:
    """The stage as an application's, if it is one: .NET by its base, or by what it starts."""
    chain = parent_chain(all_stages, index)
    first = min(chain, key=lambda stage: stage.index)
    reference = parse_reference(first.base.resolved) if first.base.resolved else None
    base = reference.name if reference is not None else None
    known = facts.image(reference.exact) if reference is not None else None
    config = facts.own_config(reference.exact) if reference is not None else None
    stage = AppStage(document, all_stages, all_stages[index], base, known, chosen_by, config)
    if stage.windows or _is_for_tests(stage):
        return None
    return stage if known is not None or _starts_dotnet(stage) else None


def _is_for_tests(stage: AppStage) -> bool:
    """Test and tool images: by the stage's name, the file's name, or what they start."""
    if stage.stage.name and _TEST_WORDS.search(stage.stage.name.lower()):
        return True
    suffix = posixpath.basename(stage.path).lower().replace("dockerfile", "").strip(".-_")
    if suffix and _TEST_WORDS.search(suffix):
        return True
    started = text_of(stage, "ENTRYPOINT") + " " + text_of(stage, "CMD")
    return bool(re.search(r"\bdotnet[\"', ]+(?:test|vstest)\b", started))


def _starts_dotnet(stage: AppStage) -> bool:
    """Whether it starts an assembly, or the executable of a project that the file publishes."""
    started = text_of(stage, "ENTRYPOINT") + " " + text_of(stage, "CMD")
    if re.search(r"\bdotnet\b", started) and STARTED.search(started):
        return True
    names = set(_EXECUTABLE.findall(started))
    return bool(names) and any(
        names & set(_PROJECT.findall(instruction.text))
        for other in stage.stages
        for instruction in other.instructions
        if instruction.keyword == "RUN" and "dotnet publish" in instruction.text
    )
