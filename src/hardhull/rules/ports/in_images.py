"""The places of a port in Dockerfiles: each moves or refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal, ReplaceWord
from hardhull.project.ports import (
    decides_port,
    moved,
    moved_arguments,
    ports_in,
    start_instructions,
    urls_argument,
)
from hardhull.rules.ports.moving import Moved, checked, still_asks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.application import AppStage

_EXPOSED = re.compile(r"^(?P<port>\d+)(?P<protocol>/tcp)?$", re.IGNORECASE)
_RANGE = re.compile(r"^(?P<first>\d+)-(?P<last>\d+)(?:/tcp)?$", re.IGNORECASE)


def in_stage(stage: AppStage, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    """EXPOSE, variables, --urls and HEALTHCHECK of the stage's chain."""
    for instruction in stage.instructions:
        match instruction.keyword:
            case "EXPOSE":
                yield from _expose(stage, instruction, moves)
            case "ENV":
                yield from _env(stage, instruction, moves)
            case "HEALTHCHECK":
                yield from _check(stage, instruction, moves)
    for instruction in start_instructions(stage):
        found = urls_argument(tuple(word.value for word in instruction.words))
        if found is not None and any(port in moves for _, port in ports_in("URLS", found[1])):
            word = instruction.words[found[0]]
            text = word.value if instruction.json else word.text
            new = moved_arguments(text, moves)
            yield Moved((ReplaceWord(stage.path, instruction.index, found[0], new),))


def _expose(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    for index, word in enumerate(instruction.words):
        match, several = _EXPOSED.match(word.text), _RANGE.match(word.text)
        if match is not None and int(match["port"]) in moves:
            text = f"{moves[int(match['port'])]}{match['protocol'] or ''}"
            yield Moved((ReplaceWord(stage.path, instruction.index, index, text),))
        elif "$" in word.text:
            yield Refusal(f"EXPOSE takes a port from {word.text}", stage.path, word.span)
        elif several is not None:
            inside = range(int(several["first"]), int(several["last"]) + 1)
            if any(port in inside for port in moves):
                yield Refusal(f"EXPOSE {word.text} is a range of ports", stage.path, word.span)


def _env(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    words = instruction.words
    single = bool(words) and "=" not in words[0].text
    for index, word in enumerate(words):
        name = words[0].text if single else word.text.partition("=")[0]
        value = word.text if single else word.text.partition("=")[2]
        if not decides_port(name) or (single and index == 0):
            continue
        if "$" in value:
            yield Refusal(f"{name} takes its value from another variable", stage.path, word.span)
        elif any(port in moves for _, port in ports_in(name, value)):
            new = moved(name, value, moves)
            text = new if single else f"{name}={new}"
            yield Moved((ReplaceWord(stage.path, instruction.index, index, text),))


def _check(
    stage: AppStage, instruction: Instruction, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """What a health check asks this container itself."""
    words = [word.value if instruction.json else word.text for word in instruction.words]
    whole = " ".join(words)
    changed = [checked(word, moves, whole) for word in words]
    if still_asks(" ".join(changed), moves):
        reason = "HEALTHCHECK names the port in a way that is not understood"
        yield Refusal(reason, stage.path, instruction.span)
        return
    for index, (text, new) in enumerate(zip(words, changed, strict=True)):
        if new != text:
            yield Moved((ReplaceWord(stage.path, instruction.index, index, new),))
