"""The stages of a Dockerfile as BuildKit connects them: bases, variables, what is in effect.

Names of stages are case-insensitive; a FROM that names a later stage names an image. Only ARG
before the first FROM counts in FROM; in a stage, ENV beats ARG.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.documents.expansion import Expansion, Origin, expand
from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.documents.dockerfile import Dockerfile, Instruction, Word

__all__ = [
    "BaseRef",
    "EnvValue",
    "Origin",
    "Stage",
    "copied_stage",
    "effective",
    "environment",
    "global_arguments",
    "parent_chain",
    "stages",
]

PLATFORM_ARGUMENTS = frozenset(
    f"{side}{what}"
    for side in ("BUILD", "TARGET")
    for what in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
) | {"TARGETSTAGE"}
"""Names that BuildKit itself gives values to: known, but not before the build."""


_MENTIONED = re.compile(r"\$\{?(\w+)")


@dataclass(frozen=True, slots=True)
class BaseRef:
    """What a stage is made from.

    `resolved` is the text after expansion, None where a variable has no known value. `origins`
    are the ARGs that give values or could, those written in FROM first, then those that their
    values are made of. `stage` is the index of the earlier stage it names, if it does.
    """

    text: str
    span: Span
    resolved: str | None
    origins: tuple[Origin, ...] = ()
    stage: int | None = None
    is_scratch: bool = False


_PLATFORM = {name: Origin(None, name, late=True) for name in PLATFORM_ARGUMENTS}


@dataclass(frozen=True)
class Stage:
    """One build stage; `instructions` are those behind its FROM (`from_`)."""

    file: Dockerfile = field(repr=False)
    index: int
    name: str | None
    from_: Instruction
    instructions: tuple[Instruction, ...] = field(repr=False)
    base: BaseRef


@dataclass(frozen=True, slots=True)
class EnvValue:
    """The value of a variable and where it was set; -1 stands for the base image.

    `value` is None where it can't be known from the file.
    """

    value: str | None
    instruction: int = -1
    stage: int = -1


def stages(file: Dockerfile) -> tuple[Stage, ...]:
    """Return the stages in order."""
    starts = [item.index for item in file.instructions if item.keyword == "FROM"]
    arguments, inner = _arguments(file)
    names: dict[str, int] = {}
    found: list[Stage] = []
    for index, (start, end) in enumerate(
        zip(starts, [*starts[1:], len(file.instructions)], strict=True)
    ):
        first = file.instructions[start]
        words = first.words
        name = words[-1].value if len(words) > 1 else None
        base = _base(words[0], arguments, names, file.escape)
        base = replace(base, origins=_with_inner(base.origins, inner))
        inside = file.instructions[start + 1 : end]
        found.append(Stage(file, index, name, first, inside, base))
        if name is not None:
            names[name.lower()] = index
    return tuple(found)


def global_arguments(file: Dockerfile) -> dict[str, Origin]:
    """Return the values that ARG gives before the first FROM, and the platform's names.

    A name that is declared without a value is there, with None: the build may give one.
    """
    return _arguments(file)[0]


def _arguments(file: Dockerfile) -> tuple[dict[str, Origin], dict[Origin, tuple[Origin, ...]]]:
    """The global arguments, and for each the ones that its value is made of."""
    known = dict(_PLATFORM)
    inner: dict[Origin, tuple[Origin, ...]] = {}
    for instruction in file.instructions:
        if instruction.keyword == "FROM":
            break
        for index, word in enumerate(instruction.words):
            name, equals, default = word.value.partition("=")
            if not equals:
                # An earlier value, or the platform's, stays.
                known.setdefault(name, Origin(None, name, instruction.index, index))
                continue
            result = expand(default, known, file.escape)
            value = _global_value(result, known)
            span = Span(word.span.start + word.text.find("=") + 1, word.span.end)
            origin = Origin(value, name, instruction.index, index, span, late=value is None)
            inner[origin] = _givers(default, result, known)
            known[name] = origin
    return known, inner


def _givers(text: str, result: Expansion, known: Mapping[str, Origin]) -> tuple[Origin, ...]:
    """The arguments that gave values, then those that could: the build may set them."""
    named = (known.get(name) for name in _MENTIONED.findall(text))
    unset = (origin for origin in named if origin is not None and origin.value is None)
    found = [origin for _, origin in result.sources]
    return tuple(dict.fromkeys([*found, *(o for o in unset if o.instruction >= 0)]))


def _with_inner(
    origins: tuple[Origin, ...], inner: Mapping[Origin, tuple[Origin, ...]]
) -> tuple[Origin, ...]:
    found = list(origins)
    for origin in found:  # grows while it is read, until nothing new is reached
        found += [other for other in inner.get(origin, ()) if other not in found]
    return tuple(found)


def _global_value(result: Expansion, known: Mapping[str, Origin]) -> str | None:
    """The text, None if it waits for the build; what no ARG declares is empty in every build."""
    if result.error or any(name in known for name in result.unresolved):
        return None
    return result.text


def _value(result: Expansion) -> str | None:
    return None if result.error or result.unresolved else result.text


def _base(
    word: Word, arguments: Mapping[str, Origin], names: Mapping[str, int], escape: str
) -> BaseRef:
    result = expand(word.value, arguments, escape)
    resolved = _global_value(result, arguments) or None
    origins = _givers(word.value, result, arguments)
    stage = names.get(resolved.lower()) if resolved is not None else None
    scratch = stage is None and resolved == "scratch"
    return BaseRef(word.text, word.span, resolved, origins, stage, scratch)


def parent_chain(all_stages: Sequence[Stage], index: int) -> tuple[Stage, ...]:
    """Return a stage and those it is made from, the stage itself first."""
    chain = [all_stages[index]]
    while (parent := chain[-1].base.stage) is not None:
        chain.append(all_stages[parent])
    return tuple(chain)


def copied_stage(all_stages: Sequence[Stage], value: str) -> int | None:
    """Return the stage that `COPY --from=value` names, by number or name; None is an image."""
    if value.isascii() and value.isdecimal():
        return int(value) if int(value) < len(all_stages) else None
    named = {stage.name.lower(): stage.index for stage in all_stages if stage.name}
    return named.get(value.lower())


def effective(all_stages: Sequence[Stage], index: int, keyword: str) -> Instruction | None:
    """Return the instruction of this keyword that is in effect at the end of a stage.

    An ENTRYPOINT takes back a CMD of the base, but not one above it in its own stage.
    """
    found: Instruction | None = None
    for stage in reversed(parent_chain(all_stages, index)):
        own = False
        for instruction in stage.instructions:
            if instruction.keyword == keyword:
                found = instruction
                own = True
            elif keyword == "CMD" and instruction.keyword == "ENTRYPOINT" and not own:
                found = None
    return found


def environment(
    all_stages: Sequence[Stage], index: int, base_env: Mapping[str, str]
) -> dict[str, EnvValue]:
    """Return the variables at the end of a stage, as its chain of bases, ENV and ARG give them.

    `base_env` is what the image under the first stage of the chain sets.
    """
    fixed = {name: EnvValue(value) for name, value in base_env.items()}
    passing: dict[str, EnvValue] = {}
    for stage in reversed(parent_chain(all_stages, index)):
        outside = global_arguments(stage.file)
        for instruction in stage.instructions:
            if instruction.keyword == "ENV":
                seen = _lookup(passing | fixed)
                for name, text in _pairs(instruction):
                    value = _value(expand(text, seen, stage.file.escape))
                    fixed[expand(name, seen, stage.file.escape).text] = EnvValue(
                        value, instruction.index, stage.index
                    )
            elif instruction.keyword == "ARG":
                for word in instruction.words:
                    name, value = _argument(word, outside, passing | fixed, stage.file.escape)
                    if value is not None or "=" in word.value or name not in passing:
                        passing[name] = EnvValue(value, instruction.index, stage.index)
    return passing | fixed


def _argument(
    word: Word, outside: Mapping[str, Origin], seen: Mapping[str, EnvValue], escape: str
) -> tuple[str, str | None]:
    name, equals, default = word.value.partition("=")
    if equals:
        return name, _value(expand(default, _lookup(seen), escape))
    origin = outside.get(name)
    return name, origin.value if origin else None


def _lookup(values: Mapping[str, EnvValue]) -> dict[str, Origin]:
    """Make values known to the expansion; one that is set to something unknown is late."""
    return {
        name: Origin(known.value, name, known.instruction, late=known.value is None)
        for name, known in values.items()
    }


def _pairs(instruction: Instruction) -> Iterator[tuple[str, str]]:
    words = [word.value for word in instruction.words]
    if words and "=" not in words[0]:
        yield words[0], words[1]
        return
    for word in words:
        name, _, value = word.partition("=")
        yield name, value
