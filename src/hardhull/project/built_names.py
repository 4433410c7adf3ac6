"""The names under which a workflow's steps push what they build.

A name may hold expressions (`${{ … }}`) of which nothing is known: they stay in it, without blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.writers import repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hardhull.documents.yaml import Cursor

_EXPRESSION = re.compile(r"\$\{\{\s*(?P<what>[^{}]*?)\s*\}\}")
_VARIABLE = re.compile(r"env\.(?P<name>\w+)")
_OF_METADATA = re.compile(r"\$\{\{steps\.(?P<step>[\w-]+)\.outputs\.(?:tags|json)\}\}")
_BLANK = re.compile(r"\s")
_OUTPUT = re.compile(r"\bname=(?P<name>[^\s,\"']+)")


class Names:
    """The variables of a workflow, and the names that `docker/metadata-action` makes tags of."""

    def __init__(self, steps: Iterable[Cursor]) -> None:
        self._values: dict[str, str | None] = {}
        self._made: list[tuple[int, str, list[str]]] = []
        steps = tuple(steps)
        for step in steps:
            variables = step.get("env")
            for name, value in variables.pairs() if variables is not None else ():
                said = value.node.value or None
                if self._values.setdefault(name, said) != said:
                    self._values[name] = None  # jobs that don't agree
        for step in steps:
            uses, own, images = step.get("uses"), step.get("id"), step.get("with", "images")
            if uses is None or own is None or images is None or not own.text:
                continue
            if "/metadata-action@" in (uses.text or ""):
                found = [one.removeprefix("name=") for one in self._written(images.node.value)]
                self._made.append((step.line, own.text, found))

    def of(self, step: Cursor, inputs: Mapping[str, str]) -> tuple[str, ...]:
        """The repositories that a step with these inputs pushes to.

        Azure Pipelines name the repository apart from its tags.
        """
        named = inputs.get("repository") or inputs.get("meta-images") or inputs.get("tags") or ""
        found = [name for tag in self._written(named) for name in self._meant(tag, step)]
        outputs = self._expanded(inputs.get("outputs") or "")
        found += [hit["name"] for hit in _OUTPUT.finditer(outputs)]
        return tuple(dict.fromkeys(name for one in found if (name := repository(one))))

    def _meant(self, tag: str, step: Cursor) -> Iterable[str]:
        """What a tag stands for: the names that the last step of that id before this one made."""
        match = _OF_METADATA.fullmatch(tag)
        if match is None:
            return (tag,)
        before = [one for one in self._made if one[1] == match["step"] and one[0] < step.line]
        return max(before)[2] if before else ()

    def _written(self, text: str) -> Iterator[str]:
        return (name for name in re.split(r"[\s,]+", self._expanded(text)) if name)

    def _expanded(self, text: str) -> str:
        return _EXPRESSION.sub(lambda hit: self._value(hit["what"]), text)

    def _value(self, what: str) -> str:
        variable = _VARIABLE.fullmatch(what)
        value = self._values.get(variable["name"]) if variable is not None else None
        return value or f"${{{{{_BLANK.sub('', what)}}}}}"
