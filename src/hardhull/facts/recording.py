"""The digests file: what look-ups found, written so that it changes only where images did."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardhull.facts.gather import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.facts.registry import Image


def merged(
    before: Mapping[str, Recorded], found: Mapping[str, Image], now: str
) -> dict[str, Recorded]:
    """Recorded images with what was found; what was not looked up stays.

    An unchanged digest keeps the time it was first recorded, and what was known of it; a changed
    one keeps the digest that was there before.
    """
    result = dict(before)
    for name, image in found.items():
        old = before.get(name)
        new = Recorded(
            image.digest, image.config, now, image.platforms, image.size, image.single, None,
            now if image.gone else None, image.end_of_life,
        )  # fmt: skip
        if old is not None and old.digest == image.digest:
            new = _with_known(new, old)
        elif old is not None:
            new = replace(new, before=old.digest)
        result[name] = new
    return dict(sorted(result.items()))


def _with_known(new: Recorded, old: Recorded) -> Recorded:
    """What was found of a digest, with what was known of it where that was not asked again."""
    described = new if new.config is not None else old
    return replace(
        new,
        config=described.config,
        recorded=old.recorded or new.recorded,
        platforms=new.platforms or old.platforms,
        size=described.size,
        single=described.single,
        before=old.before,
        gone=new.gone and (old.gone or new.gone),
        end_of_life=new.end_of_life or old.end_of_life,
    )


def written(images: Mapping[str, Recorded]) -> str:
    """The text of a digests file; equal recordings give equal texts."""
    entries = {name: _entry(images[name]) for name in sorted(images)}
    return json.dumps({"version": 1, "images": entries}, indent=2, sort_keys=True) + "\n"


def _entry(image: Recorded) -> dict[str, Any]:
    entry: dict[str, Any] = {"digest": image.digest}
    if image.config is not None:
        entry["config"] = dict(image.config)
    if image.recorded is not None:
        entry["recorded"] = image.recorded
    if image.platforms:
        entry["platforms"] = sorted(image.platforms)
    for key in ("size", "single", "before", "gone", "end_of_life"):
        if (value := getattr(image, key)) is not None:
            entry[key] = value
    return entry
