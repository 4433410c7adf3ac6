"""What a path may mean that scripts and pipelines fill in when they run: `env/$STAGE.yaml`.

Matched part by part, in time that grows with the length of a name and no faster.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILLED_IN = re.compile(
    r"\$\{\{.*?\}\}|\$\([^)]*\)|\$\{[^}]*\}|\{\{.*?\}\}|\$\w+(?:\.\w+)*|%\w+%|#\{.*?\}#|__\w+__"
)
"""Variables of shells, of PowerShell and of pipelines, placeholders of templates."""
_ANY: Final = "\0"
"""Stands for what is filled in later."""

Paths: TypeAlias = Mapping[str, tuple[str, ...]]
"""Paths with the parts of each, in order."""


def by_parts(paths: Iterable[str]) -> Paths:
    """Sort paths and take them apart, for `meant`."""
    return {path: tuple(path.split("/")) if path else () for path in sorted(paths)}


def meant(name: str, folders: Sequence[str], known: Paths, *, any_of: bool) -> list[str]:
    """The paths that a name may mean, seen from the first of these folders that has one.

    `any_of` says whether a name that is filled in as a whole means every one, or none: every one
    below the last folder, where there are such.
    """
    plain = FILLED_IN.sub(_ANY, posixpath.normpath(name.strip().replace("\\", "/")))
    if _ANY in plain and not plain.strip(f"{_ANY}/."):
        below = [path for path in known if path.startswith(f"{folders[-1]}/")]
        return (below or list(known)) if any_of else []
    for folder in dict.fromkeys(folders):
        path = posixpath.normpath(posixpath.join(folder, plain))
        if _ANY not in path and path in known:
            return [path]
        wanted = [] if path == "." else path.split("/")
        found = [path for path, parts in known.items() if _fits(parts, wanted)]
        if found:
            return found
    # From a folder that a script went to, or that is filled in.
    tail = [part for part in plain.split("/") if part != ".."]
    tail = tail[1:] if tail[0] == _ANY else tail
    found = [p for p, parts in known.items() if tail and _fits(parts[-len(tail) :], tail)]
    return found if _ANY in plain or len(found) == 1 else []


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    return len(parts) == len(wanted) and all(map(_may_be, parts, wanted))


def _may_be(part: str, wanted: str) -> bool:
    """Whether a part of a path may be this one, in which `_ANY` is filled in later."""
    first, *between = wanted.split(_ANY)
    if not between:
        return part == wanted
    *between, last = between
    at = len(first)
    if not part.startswith(first):
        return False
    for word in between:
        found = part.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return part.endswith(last) and at + len(last) <= len(part)
