"""Globs as in .gitignore, as one pattern that takes linear time whatever glob is written.

The repository may be hostile, and so may its configuration: `**/**/**/x` must not backtrack.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_END = r"(?=/|\Z)"


def matcher(globs: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for globs: `*`, `?`, `**`; a folder means all below it. None for no globs."""
    alternatives = [_pattern(glob) for glob in globs]
    return re.compile("|".join(alternatives), re.DOTALL) if alternatives else None


_kept = lru_cache(maxsize=4096)(matcher)


def fits(path: str, globs: tuple[str, ...]) -> bool:
    """Whether one of the globs fits a path; their pattern is made once."""
    pattern = _kept(globs)
    return pattern is not None and pattern.match(path) is not None


def _pattern(glob: str) -> str:
    glob = glob.replace("\\", "/").removeprefix("./")
    segments = [segment for segment in glob.split("/") if segment]
    if "/" not in glob.rstrip("/"):
        segments.insert(0, "**")
    # Segments between two `**` have a fixed length: the first place where they fit is as good as
    # any later one, so each group is atomic and never tried again.
    groups = [(any_, list(some)) for any_, some in groupby(segments, lambda one: one == "**")]
    pattern, floating = "", False
    for any_depth, some in groups:
        if any_depth:
            floating = True
            continue
        run = "/".join(map(_segment, some)) + _END
        pattern += "/" if pattern else ""
        pattern += f"(?>(?:[^/]+/)*?{run})" if floating else run
        floating = False
    rest = "/.+" if floating and pattern else "(?:/.*)?" if pattern else ".*"
    return rf"(?:{pattern}{rest}\Z)"


def _segment(segment: str) -> str:
    """One segment; what follows each star but the last is found at its first place."""
    first, *others = ["".join(map(_fixed, part)) for part in re.split(r"\*+", segment)]
    if not others:
        return first
    middle = "".join(f"(?>[^/]*?{part})" for part in others[:-1] if part)
    return f"{first}{middle}(?>[^/]*(?<={others[-1]}))" if others[-1] else f"{first}{middle}[^/]*"


def _fixed(char: str) -> str:
    return "[^/]" if char == "?" else re.escape(char)
