"""Many images looked up at once: one failing image never fails the others."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardhull.facts.connections import THREADS
from hardhull.facts.registry import Image
from hardhull.facts.trouble import RegistryError
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hardhull.facts.registry import Registries


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to look up: `repository:tag`, with `@digest` if it is that one and no other.

    `pins` are digests that are written for it. If it has another one now, the configs of both
    are read, so that what changed can be told. What is `optional` need not be in its registry:
    that it is not is no failure. `end_of_life` asks for the date that its registry says it ended.
    """

    name: str
    config: bool
    pins: tuple[str, ...] = ()
    optional: bool = False
    end_of_life: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image could not be looked up; `trace` if that is our bug.

    `gone` says that the registry knows nothing of this name, or hides it from strangers.
    """

    reason: str
    advice: str
    trace: str = ""
    gone: bool = False


def look_up_all(
    registries: Registries,
    wanted: Iterable[Wanted],
    advance: Callable[[str], object] = lambda _: None,
) -> dict[str, Image | Failure]:
    """Look images up, each once; the answers are sorted by name. `advance` hears of each name."""
    asked: dict[str, Wanted] = {}
    for one in wanted:
        known = asked.get(one.name, one)
        pins = tuple(sorted({*known.pins, *one.pins}))
        asked[one.name] = Wanted(
            one.name,
            known.config or one.config,
            pins,
            known.optional and one.optional,
            known.end_of_life or one.end_of_life,
        )
    names = sorted(asked)
    executor = ThreadPoolExecutor(THREADS)
    try:
        futures = [executor.submit(_followed, registries, asked[name]) for name in names]
        found: dict[str, Image | Failure] = {}
        for name, future in zip(names, futures, strict=True):
            advance(name)
            # What was learnt of a digest beside its tag counts: it comes first, and says more.
            found = {**future.result(), **found}
    finally:
        executor.shutdown(cancel_futures=True)
    return dict(sorted(found.items()))


def _followed(registries: Registries, wanted: Wanted) -> dict[str, Image | Failure]:
    """Look an image up, and where its digest is not the written one, that one too."""
    answer = _look_up(registries, wanted.name, config=wanted.config)
    if isinstance(answer, Failure):
        return {} if wanted.optional and not answer.trace else {wanted.name: answer}
    reference = parse_reference(wanted.name)
    if wanted.end_of_life and reference is not None:
        end = registries.end_of_life(reference, answer.digest)
        answer = replace(answer, end_of_life=end)
    found: dict[str, Image | Failure] = {wanted.name: answer}
    moved = [pin for pin in wanted.pins if pin != answer.digest]
    for pin in moved:
        old = _look_up(registries, f"{wanted.name}@{pin}", config=True)
        # The registry has shown us the tag: what it does not know beside it is gone, not hidden.
        gone = isinstance(old, Failure) and old.gone
        found[f"{wanted.name}@{pin}"] = Image(pin, gone=True) if gone else old
    if moved and answer.config is None:
        # By its digest: between two requests the tag may move again.
        new = _look_up(registries, f"{wanted.name}@{answer.digest}", config=True)
        if isinstance(new, Image):
            found[wanted.name] = replace(new, end_of_life=answer.end_of_life)
    return found


def _look_up(registries: Registries, name: str, *, config: bool) -> Image | Failure:
    reference = parse_reference(name)
    if reference is None:
        return Failure("it is not the name of an image", "correct it where it is written")
    try:
        return registries.look_up(reference, config=config)
    except RegistryError as error:
        return Failure(error.reason, error.advice, gone=error.gone)
    except Exception as error:  # noqa: BLE001  one image never fails the run
        return Failure(
            "hardhull failed",
            "please report it with the block below",
            "".join(traceback.format_exception(error, limit=-8)),
        )
