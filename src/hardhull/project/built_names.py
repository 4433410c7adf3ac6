"""The names under which a workflow's steps push what they build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.writers import repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.documents.yaml import Cursor

_EXPRESSION = re.compile(r"\$\{\{\s*(?P<what>[^{}]*?)\s*\}\}")
_VARIABLE = re.compile(r"env\.(?P<name>\w+)")
_OF_METADATA = re.compile(r"steps\.(?P<step>[\w-]+)\.outputs\.(?:tags|json)")
_OUTPUT = re.compile(r"\bname=(?P<name>[^\s,\"']+)")
_UNKNOWN = "\0"
"""Stands for an expression of which nothing is known: no name that holds it is one."""


class Names:
    """The variables of a workflow, and the names that `docker/metadata-action` makes tags of."""

    def __init__(self, steps: Iterable[Cursor]) -> None:
        self._values: dict[str, str] = {}
        self._of_steps: dict[str, list[str]] = {}
        steps = tuple(steps)
        for step in steps:
            variables = step.get("env")
            for name, value in variables.pairs() if variables is not None else ():
                said = value.node.value or _UNKNOWN
                if self._values.setdefault(name, said) != said:
                    self._values[name] = _UNKNOWN  # jobs that don't agree
        for step in steps:
            uses, made, images = step.get("uses"), step.get("id"), step.get("with", "images")
            if uses is not None and "/metadata-action@" in (uses.text or "") and made is not None:
                found = self._of_steps.setdefault(made.text or "", [])
                found += self._written(images.node.value or "") if images is not None else ()

    def __call__(self, inputs: Mapping[str, str]) -> tuple[str, ...]:
        """The repositories that a step with these inputs pushes to, as far as they are known.

        Azure Pipelines name the repository apart from its tags.
        """
        named = inputs.get("repository") or inputs.get("tags") or ""
        written = self._written(named)
        for hit in _OF_METADATA.finditer(named):
            written += self._of_steps.get(hit["step"], ())
        outputs = self._expanded(inputs.get("outputs") or "")
        written += [hit["name"] for hit in _OUTPUT.finditer(outputs)]
        found = (repository(one) for one in written)
        return tuple(dict.fromkeys(one for one in found if one and _UNKNOWN not in one))

    def _written(self, text: str) -> list[str]:
        return re.split(r"[\s,]+", self._expanded(text).strip())

    def _expanded(self, text: str) -> str:
        return _EXPRESSION.sub(lambda hit: self._value(hit["what"]), text)

    def _value(self, what: str) -> str:
        variable = _VARIABLE.fullmatch(what)
        return _UNKNOWN if variable is None else self._values.get(variable["name"], _UNKNOWN)
