"""Mirrors of registries: the name of an image there, and the name it has where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.images import Reference


def mirrored(reference: Reference, mirrors: Mapping[str, str]) -> str | None:
    """Host and repository of this image on its mirror: `mirror.example/mcr/dotnet/aspnet`.

    None if its registry has no mirror.
    """
    mirror = mirrors.get(reference.host)
    return f"{mirror}/{reference.repository}" if mirror is not None else None


def original(name: str, mirrors: Mapping[str, str]) -> str:
    """The normalised name that an image has at its origin, if this is its name on a mirror.

    A prefix that serves several registries says nothing of where an image comes from.
    """
    prefixes = list(mirrors.values())
    for host, mirror in sorted(mirrors.items(), key=lambda pair: -len(pair[1])):
        if name.startswith(f"{mirror}/") and prefixes.count(mirror) == 1:
            reference = parse_reference(f"{host}/{name[len(mirror) + 1 :]}")
            return name if reference is None else reference.exact
    return name
