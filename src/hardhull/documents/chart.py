"""A chart's template as a document: read by its actions, rendered to YAML with values.

The design meant to mask actions and to read what is left. Rendering says more and guesses less:
see docs/decisions/0013-charts-are-rendered.md.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from hardhull.documents.go_template import Template, TemplateError, parse
from hardhull.documents.source import Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Span

if TYPE_CHECKING:
    from hardhull.documents.chart_rendering import Rendering

_parse = lru_cache(maxsize=4096)(parse)
"""Charts of one repository repeat each other's templates; what is read is never changed."""


class ChartTemplate:
    """One file below `templates/` of a chart."""

    def __init__(self, source: Source, template: Template) -> None:
        self.source = source
        self.template = template

    @cached_property
    def comments(self) -> tuple[Span, ...]:
        """YAML comments in literal text, and template comments, in order."""
        return tuple(_comments(self.source.text, self.template))

    def blocks_around(self, offset: int) -> tuple[int, ...]:
        """The branches and definitions that hold a place, by the offset of the opening action."""
        blocks = self.template.blocks
        return tuple(sorted(o for start, end, o in blocks if start <= offset <= end))


def read_template(source: Source) -> ChartTemplate | Unreadable:
    """Read a template. Whatever stands in the way is returned, never raised."""
    try:
        return ChartTemplate(source, _parse(source.text))
    except TemplateError as error:
        return Unreadable(source.line_of(error.offset), f"not a Go template: {error.reason}")


def _comments(text: str, template: Template) -> list[Span]:
    found: list[Span] = []
    done = 0
    for start, end in (*template.actions, (len(text), len(text))):
        position = done
        while (position := text.find("#", position, start)) >= 0:
            before = text[position - 1] if position else "\n"
            line_end = text.find("\n", position, start)
            stop = start if line_end < 0 else line_end
            if before in " \t\n" and (position == 0 or text[position - 1] != "{"):
                found.append(Span(position, len(text[:stop].rstrip("\r"))))
                position = stop
            else:
                position += 1
        if text.startswith(("{{/*", "{{- /*"), start):
            found.append(Span(start, end))
        done = end
    return found


def read_rendered(source: Source, rendering: Rendering) -> YamlFile | Unreadable:
    """Read what a template renders; its nodes speak of that text, its spans of the template."""
    read = read_yaml(Source(source.path, source.kind, rendering.text))
    places = rendering.places
    starts = [place.start for place in places]

    def place(start: int, end: int) -> Span:
        first = _offset(start, at_end=False)
        return Span(first, max(first, _offset(end, at_end=True)))

    def _offset(position: int, *, at_end: bool) -> int:
        """Of a position in literal text the same one; else the start or end of the action."""
        if not places:
            return 0
        index = bisect_right(starts, position - 1 if at_end else position) - 1
        found = places[max(index, 0)]
        if found.literal:
            return min(found.source_start + position - found.start, found.source_end)
        return found.source_end if at_end and position > found.start else found.source_start

    if isinstance(read, Unreadable):
        line_start = 0
        for _ in range(max(read.line - 1, 0)):
            line_start = rendering.text.find("\n", line_start) + 1
        return Unreadable(source.line_of(place(line_start, line_start).start), read.reason)
    return YamlFile(source, read.documents, read.aliases, rendering.text, place)
