"""Images that go by the name of a folder with a Dockerfile: taken to be built from it.

Nothing else may say so: programs in other languages than .NET are not linked to their manifests,
and what a release builds and tags is nothing to pin.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.facts.official import others_publish
from hardhull.project.names import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.project.references import ImageUse


def named_here(uses: Sequence[ImageUse]) -> tuple[ImageUse, ...]:
    """The same uses, those of manifests and Compose files with the Dockerfile of their name."""
    named = _by_folder(uses)
    return tuple(_named(use, named) for use in uses)


def _by_folder(uses: Sequence[ImageUse]) -> Mapping[str, dict[str, set[str]]]:
    """The Dockerfiles by the names of their folders, each with the images it is built from."""
    found: dict[str, dict[str, set[str]]] = {}
    for use in uses:
        folder = plain(posixpath.basename(posixpath.dirname(use.path)))
        if use.instruction is not None and folder:
            bases = found.setdefault(folder, {}).setdefault(use.path, set())
            if use.reference is not None:
                bases.add(use.reference.repository_name)
    return found


def _named(use: ImageUse, named: Mapping[str, dict[str, set[str]]]) -> ImageUse:
    """Not an image that others publish, nor one that the Dockerfile itself is built from."""
    if use.built_here is not None or use.instruction is not None or use.reference is None:
        return use
    name = use.reference.repository_name
    if others_publish(name):
        return use
    for path, bases in sorted(named.get(plain(name.rpartition("/")[2]), {}).items()):
        if name not in bases:
            return replace(use, built_here=f"{path} has its name")
    return use
