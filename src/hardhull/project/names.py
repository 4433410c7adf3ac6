"""How the names of images, folders, projects and assemblies are compared."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.images import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardhull.images import Reference
    from hardhull.project.application import AppStage

_NOT_LETTERS = re.compile(r"[^a-z0-9]")
_NAMED_FILE = re.compile(
    r"(?:(?P<before>[\w-]+)[.-])?(?:dockerfile|containerfile)(?(before)|[.-](?P<after>[\w-]+))",
    re.IGNORECASE,
)
STARTED = re.compile(r"([\w.+-]+)\.dll\b", re.IGNORECASE)
"""The assembly that a command starts."""
RUN_BY_DOTNET = re.compile(r"\bdotnet\s+[^\s;&|]*?([\w.+-]+)\.dll\b", re.IGNORECASE)
"""The assembly that a line of a script gives to `dotnet`, wherever it lies."""


def named_like_a_file(
    references: Iterable[Reference], dockerfiles: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Bases without a registry that end like the name of a Dockerfile here, with that file.

    `shop-sdk-base` is what `sdk-base.dockerfile` makes, on the machine of whoever builds: below
    Docker Hub's bare names are official images alone. One word is too little: there is a `redis`.
    """
    files: dict[str, str] = {}
    for path in dockerfiles:
        match = _NAMED_FILE.fullmatch(posixpath.basename(path))
        if match is not None:
            files.setdefault((match["before"] or match["after"]).lower(), path)
    for reference in references if files else ():
        folder, _, name = reference.repository.rpartition("/")
        parts = name.split("-")
        ends = ("-".join(parts[at:]) for at in range(len(parts) - 1))
        path = next((files[end] for end in ends if end in files), "")
        if path and folder == "library" and reference.host == DEFAULT_HOST:
            yield reference.repository_name, path


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
