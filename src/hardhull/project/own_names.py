"""Images that are taken to be built here by their names, though nothing here says so.

They go by the name of a folder with a Dockerfile, or have no owner at all and are not Docker's.
Programs in other languages than .NET are not linked to their manifests, and not every release is:
what it builds and tags is nothing to pin, for a pin keeps the next release from being rolled out.
What lies in the account of an image that is built here may be released beside it, and is told.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.facts.official import LIBRARY, OFFICIAL, others_publish
from hardhull.images import DEFAULT_HOST, parse_reference
from hardhull.project.names import plain
from hardhull.project.references import NEVER_PULLED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hardhull.project.builds import Builds
    from hardhull.project.references import ImageUse

_VARIABLE = re.compile(r"\$(?:\{\{.*?\}\}|\{[^}]*\}|\([^)]*\)|\w+)|%\w+%")


def named_here(uses: Sequence[ImageUse], builds: Builds) -> tuple[ImageUse, ...]:
    """The same uses, those of manifests and Compose files with what their names say."""
    named, accounts, made = _by_folder(uses), _accounts(uses, builds), list(_unfinished(builds))
    bases = {use.reference.repository_name for use in uses if use.instruction and use.reference}
    return tuple(_made(_named(use, named, accounts), made, bases) for use in uses)


def _accounts(uses: Sequence[ImageUse], builds: Builds) -> Mapping[str, str]:
    """The accounts of registries that images which are built here lie in, each with one image."""
    made = [use.reference for use in uses if use.built_here not in (None, NEVER_PULLED)]
    made += [parse_reference(image.name) for image in builds.images if image.name]
    names = sorted({reference.repository_name for reference in made if reference is not None})
    ours = [name for name in names if not name.startswith(LIBRARY) and not others_publish(name)]
    return {name.rpartition("/")[0]: name for name in ours}


def _unfinished(builds: Builds) -> Iterator[tuple[list[str], str]]:
    """What builds name their images, cut at variables; the last part of the name is written."""
    for image in builds.images:
        parts = _VARIABLE.split(image.name or "")
        if len(parts) > 1 and "/" in parts[-1]:
            yield parts, f"{image.evidence} builds {image.name}"


def _fits(name: str, parts: Sequence[str]) -> bool:
    """Whether a name is made of these parts, with something for each variable at their seams.

    No regular expression: in a hostile repository that could take for ever.
    """
    first, *middle, last = parts
    text = name if name.startswith(first) else name.removeprefix(f"{DEFAULT_HOST}/")
    if not (text.startswith(first) and text.endswith(last)):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return at < len(text) - len(last)


def _made(use: ImageUse, made: Sequence[tuple[Sequence[str], str]], bases: set[str]) -> ImageUse:
    """Not an image that others publish, nor one that anything here is built from."""
    if use.built_here is not None or use.instruction is not None or use.reference is None:
        return use
    name = use.reference.repository_name
    if others_publish(name) or name in bases:
        return use
    found = next((evidence for parts, evidence in made if _fits(name, parts)), None)
    return replace(use, built_here=found) if found is not None else use


def _by_folder(uses: Sequence[ImageUse]) -> Mapping[str, dict[str, set[str]]]:
    """The Dockerfiles by the names of their folders, each with the images it is built from."""
    found: dict[str, dict[str, set[str]]] = {}
    for use in uses:
        folder = plain(posixpath.basename(posixpath.dirname(use.path)))
        if use.instruction is not None and folder:
            bases = found.setdefault(folder, {}).setdefault(use.path, set())
            if use.reference is not None:
                bases.add(use.reference.repository_name)
    return found


def _named(
    use: ImageUse, named: Mapping[str, dict[str, set[str]]], accounts: Mapping[str, str]
) -> ImageUse:
    """Not an image that others publish, nor one that the Dockerfile itself is built from."""
    if use.built_here is not None or use.instruction is not None or use.reference is None:
        return use
    name = use.reference.repository_name
    if others_publish(name):
        return use
    if name.startswith(LIBRARY):
        return replace(use, built_here="without an owner only Docker's own images can be pulled")
    account, _, last = name.rpartition("/")
    for path, bases in sorted(named.get(plain(last), {}).items()):
        if name not in bases:
            return replace(use, built_here=f"{path} has its name")
    if account in accounts and last not in OFFICIAL and use.writer is None:
        # Private registries hold copies of official ones. What else is there is most likely
        # released by the same people: a digest would keep their next release from being rolled out.
        likely = f"perhaps a release like that of {accounts[account]}, which is built here,"
        return replace(use, writer=likely)
    return use
