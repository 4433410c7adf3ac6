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

    An unchanged digest keeps the time it was first recorded, and what was known of it.
    """
    result = dict(before)
    for name, image in found.items():
        new = Recorded(image.digest, image.config, now, image.platforms)
        old = before.get(name)
        if old is not None and old.digest == image.digest:
            new = replace(
                new,
                config=new.config if new.config is not None else old.config,
                recorded=old.recorded or now,
                platforms=new.platforms or old.platforms,
            )
        result[name] = new
    return dict(sorted(result.items()))


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
    return entry
