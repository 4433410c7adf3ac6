"""Many images looked up at once: one failing image never fails the others."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.facts.connections import THREADS
from hardhull.facts.trouble import RegistryError
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hardhull.facts.registry import Image, Registries


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to look up: `repository:tag`, with `@digest` if it is that one and no other."""

    name: str
    config: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image could not be looked up; `trace` if that is our bug."""

    reason: str
    advice: str
    trace: str = ""


def look_up_all(
    registries: Registries,
    wanted: Iterable[Wanted],
    advance: Callable[[str], object] = lambda _: None,
) -> dict[str, Image | Failure]:
    """Look images up, each once; the answers are sorted by name. `advance` hears of each name."""
    asked: dict[str, bool] = {}
    for one in wanted:
        asked[one.name] = asked.get(one.name, False) or one.config
    names = sorted(asked)
    executor = ThreadPoolExecutor(THREADS)
    try:
        futures = [executor.submit(_look_up, registries, name, asked[name]) for name in names]
        found: dict[str, Image | Failure] = {}
        for name, future in zip(names, futures, strict=True):
            advance(name)
            found[name] = future.result()
    finally:
        executor.shutdown(cancel_futures=True)
    return found


def _look_up(registries: Registries, name: str, config: bool) -> Image | Failure:
    reference = parse_reference(name)
    if reference is None:
        return Failure("it is not the name of an image", "correct it where it is written")
    try:
        return registries.look_up(reference, config=config)
    except RegistryError as error:
        return Failure(error.reason, error.advice)
    except Exception as error:  # noqa: BLE001  one image never fails the run
        return Failure(
            "hardhull failed",
            "please report it with the block below",
            "".join(traceback.format_exception(error, limit=-8)),
        )
