"""Texts that are read to learn from (scripts, workflows, proxies' settings), never edited."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from hardhull.model import UsageError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Iterator, Mapping

    from hardhull.documents.source import Source

_CODE = (".cs", ".fs", ".vb", ".csproj", ".fsproj", ".vbproj", ".props", ".targets")


class EvidenceTexts:
    """The evidence files of a root; each is read at most once, when first asked for."""

    def __init__(self, files: Mapping[str, Any], read: Callable[[Any], Source]) -> None:
        self._files = files
        self._read = read
        self._texts: dict[str, Source | None] = {}
        self._paths = tuple(sorted(files))
        self._firsts: dict[str, tuple[tuple[Source, re.Match[str]], ...]] = {}

    def paths(self) -> tuple[str, ...]:
        """All paths, sorted."""
        return self._paths

    @cached_property
    def charts(self) -> tuple[str, ...]:
        """What paths of Helm charts begin with; of a chart at the root only its templates."""
        charts = (path for path in self._paths if path.endswith("Chart.yaml"))
        return tuple(path.removesuffix("Chart.yaml") or "templates/" for path in charts)

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
        for path in self.paths():
            if path.lower().endswith(_CODE) and not code:
                continue
            source = self.source(path)
            if source is None or not any(word in source.text for word in words):
                continue
            for match in pattern.finditer(source.text):
                line = source.line_of(match.start())
                yield path, line, source.line_text(line)
