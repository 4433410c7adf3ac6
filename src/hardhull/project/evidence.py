"""Texts that are read to learn from (scripts, workflows, proxies' settings), never edited."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from hardhull.documents.source import Source

    Command: TypeAlias = tuple[Source, str, str, str]

_CODE = (".cs", ".fs", ".vb", ".csproj", ".fsproj", ".vbproj", ".props", ".targets")
_SIGNS = str.maketrans("", "", "-_.")
_CONTINUED = re.compile(r"[\\`^][ \t]*\r?\n[ \t]*")


class EvidenceTexts:
    """The evidence files of a root; each is read at most once, when first asked for."""

    def __init__(self, files: Mapping[str, Any], read: Callable[[Any], Source]) -> None:
        self._files = files
        self._read = read
        self._texts: dict[str, Source | None] = {}
        self._paths = tuple(sorted(files))
        self._firsts: dict[str, tuple[tuple[Source, re.Match[str]], ...]] = {}
        self._commands: dict[object, tuple[Command, ...]] = {}

    def paths(self) -> tuple[str, ...]:
        """All paths, sorted."""
        return self._paths

    def named(self, name: str) -> tuple[str, ...]:
        """The paths of all files of this name, sorted."""
        return tuple(self._by_name.get(name, ()))

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._paths:
            found.setdefault(posixpath.basename(path), []).append(path)
        return found

    @cached_property
    def charts(self) -> tuple[str, ...]:
        """What paths of Helm charts begin with; of a chart at the root only its templates."""
        charts = (path for path in self._paths if path.endswith("Chart.yaml"))
        return tuple(path.removesuffix("Chart.yaml") or "templates/" for path in charts)

    @cached_property
    def of_charts(self) -> tuple[tuple[Source, str], ...]:
        """The files of charts, each with its text in lower case and without `-`, `_` and `.`."""
        paths = (path for path in self._paths if path.startswith(self.charts))
        sources = (self.source(path) for path in paths)
        return tuple((s, s.text.casefold().translate(_SIGNS)) for s in sources if s is not None)

    @cached_property
    def kustomizations(self) -> tuple[Source, ...]:
        """The kustomizations that can be read, by path."""
        names = (name for name in self._by_name if name.startswith("kustomization"))
        paths = sorted(path for name in names for path in self._by_name[name])
        sources = (self.source(path) for path in paths)
        return tuple(source for source in sources if source is not None)

    def commands(
        self, uses: tuple[tuple[str, str], ...], words: Collection[str]
    ) -> tuple[Command, ...]:
        """The command lines that a pattern of `uses` fits, with what matched and what it means.

        Lines that are continued are one. Every match holds one of `words`. Kept by `uses`.
        """
        known = self._commands.get(uses)
        if known is None:
            held = self.holding(words, code=True)
            known = tuple(one for source in held for one in _commands(source, uses))
            self._commands[uses] = known
        return known

    def first_matches(
        self, pattern: re.Pattern[str], words: Collection[str], ends: tuple[str, ...] = ("",)
    ) -> tuple[tuple[Source, re.Match[str]], ...]:
        """The first match in each file with one of these ends that holds one of `words`.

        Kept by pattern: many applications ask the same.
        """
        known = self._firsts.get(pattern.pattern)
        if known is None:
            sources = (self.source(path) for path in self._paths if path.endswith(ends))
            held = (s for s in sources if s is not None and any(w in s.text for w in words))
            found = ((source, pattern.search(source.text)) for source in held)
            known = tuple((source, match) for source, match in found if match is not None)
            self._firsts[pattern.pattern] = known
        return known

    def source(self, path: str) -> Source | None:
        """The file at `path`; None if there is none or it can't be read."""
        if path not in self._texts:
            try:
                self._texts[path] = self._read(self._files[path])
            except (KeyError, UsageError):
                self._texts[path] = None
        return self._texts[path]

    def search(
        self, pattern: re.Pattern[str], words: Collection[str], *, code: bool = False
    ) -> Iterator[tuple[str, int, str]]:
        """Yield path, 1-based line and text of every line that matches; code files if wanted.

        Only files that hold one of `words` are searched: that test is cheap, the pattern is not.
        """
        for source in self.holding(words, code=code):
            for match in pattern.finditer(source.text):
                line = source.line_of(match.start())
                yield source.path, line, source.line_text(line)

    def holding(self, words: Collection[str], *, code: bool = False) -> Iterator[Source]:
        """Yield the files that hold one of these words, by path; code files if wanted."""
        for source in self._sources if code else self._without_code:
            if any(word in source.text for word in words):
                yield source

    @cached_property
    def _sources(self) -> tuple[Source, ...]:
        return tuple(s for s in map(self.source, self._paths) if s is not None)

    @cached_property
    def _without_code(self) -> tuple[Source, ...]:
        paths = (path for path in self._paths if not path.lower().endswith(_CODE))
        return tuple(source for source in map(self.source, paths) if source is not None)

    def below(self, folder: str, end: str) -> Iterator[Source]:
        """Yield the files below a folder whose paths end so, by path."""
        start = f"{folder}/" if folder else ""
        for at in range(bisect_left(self._paths, start), len(self._paths)):
            path = self._paths[at]
            if not path.startswith(start):
                break
            source = self.source(path) if path.endswith(end) else None
            if source is not None:
                yield source


def _commands(source: Source, uses: tuple[tuple[str, str], ...]) -> Iterator[Command]:
    joined = _CONTINUED.sub(" ", source.text)
    for pattern, what in uses:
        for match in re.finditer(pattern, joined):
            start = joined.rfind("\n", 0, match.start()) + 1
            end = joined.find("\n", match.end())
            command = joined[start : end if end >= 0 else len(joined)].strip()
            yield source, command, match[0], what
