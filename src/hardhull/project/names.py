"""How the names of images, folders, projects and assemblies are compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import AppStage

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
STARTED = re.compile(r"([\w.+-]+)\.dll\b", re.IGNORECASE)
"""The assembly that a command starts."""
RUN_BY_DOTNET = re.compile(r"\bdotnet\s+[^\s;&|]*?([\w.+-]+)\.dll\b", re.IGNORECASE)
"""The assembly that a line of a script gives to `dotnet`, wherever it lies."""


def text_of(stage: AppStage, keyword: str) -> str:
    """The text of the instruction of this keyword that is in force."""
    found = stage.effective(keyword)
    return found.text if found is not None else ""


def plain(name: str) -> str:
    """A name in small letters and digits only."""
    return _NOT_LETTERS.sub("", name.lower())


def distance(one: str, other: str) -> int:
    """How many steps lie between two folders."""
    left, right = one.split("/") if one else [], other.split("/") if other else []
    common = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        common += 1
    return len(left) + len(right) - 2 * common


def folders_above(path: str) -> Iterator[str]:
    """The folder a file is in and all that hold it, the root (empty) last."""
    while path:
        path = path.rpartition("/")[0]
        yield path
