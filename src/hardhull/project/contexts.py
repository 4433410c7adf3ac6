"""Named build contexts: what `COPY --from=name` can mean besides a stage and an image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardhull.documents.source import Source
    from hardhull.project.compose import ComposeService

_OPTION = re.compile(r"--build-context[= ]+[\"']?([\w.-]+)=")
_STEP = re.compile(
    r"^[ \t]*build-contexts:[ \t]*(?:[|>][+-]?)?[ \t]*\r?\n?((?:[ \t]*[\w.-]+=[^\n]*(?:\n|\Z))+)",
    re.MULTILINE,
)
_BAKE = re.compile(r"\bcontexts\s*=\s*\{([^{}]*)\}")
_NAME = re.compile(r"^[ \t]*\"?([\w.-]+)\"?[ \t]*=", re.MULTILINE)


def in_texts(source: Source) -> Iterator[tuple[str, str]]:
    """Yield name and `path:line` of each context that a script, workflow or bake file names."""
    text = source.text
    if "context" not in text:
        return
    found = [(match[1], match.start()) for match in _OPTION.finditer(text)]
    for block in (*_STEP.finditer(text), *_BAKE.finditer(text)):
        found += [(name[1], block.start()) for name in _NAME.finditer(block[1])]
    for name, offset in found:
        yield name.lower(), f"{source.path}:{source.line_of(offset)}"


def in_compose(services: Iterable[ComposeService]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (Dockerfile, name) and `path:line` of each `additional_contexts` entry."""
    for service in services:
        build = service.build
        block = build.cursor.get("additional_contexts") if build is not None else None
        if block is None or build is None or build.dockerfile is None:
            continue
        names = [(name, value.line) for name, value in block.pairs()]
        names += [((i.node.value or "").partition("=")[0], i.line) for i in block.items()]
        for name, line in names:
            path = block.file.source.path
            yield (build.dockerfile, name.lower()), f"{path}:{line}"
