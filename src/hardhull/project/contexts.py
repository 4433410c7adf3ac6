"""Build contexts: the folder that a Dockerfile is built in, and contexts that have a name."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardhull.documents.source import Source
    from hardhull.project.compose import ComposeService
    from hardhull.project.link import Project

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


def folders_of(path: str, project: Project) -> tuple[str, ...]:
    """The folders that a Dockerfile is built in: as Compose says, else where its sources are.

    Empty if its sources are in none of the folders on its way to the root, or in several.
    """
    named = {
        service.build.context.removeprefix("./")
        for service in project.compose
        if service.build is not None
        and service.build.dockerfile == path
        and service.build.context is not None
    }
    if named:
        return tuple(sorted("" if folder == "." else folder for folder in named))
    sources = [source for source in copied_sources(path, project) if source not in (".", "")]
    known = (*project.documents, *project.workspace.texts.paths())
    fitting, folder = [], posixpath.dirname(path)
    while True:
        if all("$" in source or _is_in(folder, source, known) for source in sources):
            fitting.append(folder)
        if not folder:
            break
        folder = posixpath.dirname(folder)
    if not sources:
        return (posixpath.dirname(path),) if not posixpath.dirname(path) else ()
    return tuple(fitting) if len(fitting) == 1 else ()


def copied_sources(path: str, project: Project) -> tuple[str, ...]:
    """What a Dockerfile copies out of its context, as paths in it; `""` is all of it."""
    return tuple(
        _in_context(word.value.strip("\"'"))
        for stage in project.dockerfiles.get(path, ())
        for instruction in stage.instructions
        if instruction.keyword in ("COPY", "ADD")
        and not any(flag.text.startswith("--from") for flag in instruction.flags)
        for word in instruction.words[:-1]
        if not word.text.startswith("<<") and "://" not in word.text
    )


def _in_context(source: str) -> str:
    return posixpath.normpath(source.replace("\\", "/").lstrip("/") or ".").removeprefix("./")


def _is_in(folder: str, source: str, known: tuple[str, ...]) -> bool:
    wanted = posixpath.normpath(posixpath.join(folder, source))
    if any(char in wanted for char in "*?["):
        return any(fnmatch.fnmatchcase(path, wanted) for path in known)
    return any(path == wanted or path.startswith(f"{wanted}/") for path in known)
