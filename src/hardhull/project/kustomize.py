"""Kustomizations: what each builds, which patches it lays over that, and which images it names.

Read as kustomize reads it (`api/internal/target` and `api/types` of kubernetes-sigs/kustomize),
as far as files of this repository go. Nothing is fetched and nothing is run: what a remote base,
a generator plugin or a chart would bring is not known, and is said to be skipped.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hardhull.documents.yaml_nodes import Style
from hardhull.model import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor
    from hardhull.model import Skipped

_DEEPEST: Final = 100
"""So many kustomizations may be laid over each other, each over the one before."""
_MOST_NAMES: Final = 64
"""So many names of one object are told apart: nobody nests more prefixes, but for harm."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which objects a patch is for; None is any. `sure` is False where a selector may say less."""

    kinds: frozenset[str] | None
    names: frozenset[str] | None
    sure: bool = True

    def fits(self, kind: str, names: frozenset[str]) -> bool:
        """Whether an object of this kind, which goes by these names, is meant or may be."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        return self.names is None or bool(self.names & names)


@dataclass(frozen=True)
class Patch:
    """What a kustomization lays over its objects: a part of an object, or a list of JSON patches.

    `inline` is the text of the kustomization that holds it, if it has no file of its own.
    """

    holder: str
    cursor: Cursor
    target: Target
    inline: Cursor | None = None
    shared: bool = False
    """Whether a component holds it, which may be laid over more than is seen here."""

    unread: bool = False
    """Whether its text can't be read: `cursor` is where it is named, then."""

    @property
    def left_alone(self) -> str:
        """Why it is not edited; empty if it is."""
        if self.unread:
            return "a patch that can't be read"
        if self.inline is not None:
            return "a patch written inside a kustomization"
        return "a patch of a component (others may use it)" if self.shared else ""

    @property
    def path(self) -> str:
        """The file whose text it is."""
        return self.cursor.path

    @property
    def is_json(self) -> bool:
        """Whether it is a list of operations (JSON6902)."""
        return self.cursor.is_sequence and not self.unread

    def span_of(self, at: Cursor) -> Span:
        """The span of a place in it, in its file; of text inside a kustomization the line."""
        if self.inline is None or self.unread:
            return at.span
        source = self.inline.file.source
        block = self.inline.node.style in (Style.LITERAL, Style.FOLDED)
        line = source.line_of(self.inline.span.start) + at.line - (not block)
        last = source.line_of(self.inline.span.end)
        start = source.offset_of_line(min(line, last))
        return Span(start, start + 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of `images`: the image `name` of the objects below becomes another."""

    path: str
    cursor: Cursor
    name: str

    def text(self, key: str) -> str | None:
        """What it says under a key; None if nothing, or a placeholder."""
        found = self.cursor.get(key)
        return found.text or None if found is not None else None


@dataclass(frozen=True)
class Kustomization:
    """One kustomization file: its own files, the kustomizations it is laid over, its names."""

    path: str
    root: Cursor
    files: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    components: tuple[str, ...] = ()

    def affix(self, key: str) -> str:
        """Its namePrefix or nameSuffix."""
        found = self.root.get(key)
        return (found.text if found is not None else None) or ""


_Names = frozenset[tuple[str, str]]
"""What may stand before and behind the name of an object."""


@dataclass(frozen=True)
class Kustomize:
    """All kustomizations of a repository."""

    nodes: Mapping[str, Kustomization] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    read: Mapping[str, Document] = field(default_factory=dict)
    """The documents it was read from."""

    @cached_property
    def built(self) -> Mapping[str, Mapping[str, _Names]]:
        """The files that each kustomization builds or, for a component, is laid over."""
        found: dict[str, dict[str, _Names]] = {}
        for path in self.nodes:
            self._built(path, found, ())
        for _ in self.nodes:  # components of components: until nothing is new
            before = sum(len(files) for files in found.values())
            for path, node in self.nodes.items():
                for component in node.components:
                    for file, names in found[path].items():
                        found.setdefault(component, {}).setdefault(file, names)
            if before == sum(len(files) for files in found.values()):
                break
        return found

    def _built(
        self, path: str, found: dict[str, dict[str, _Names]], above: tuple[str, ...]
    ) -> dict[str, _Names]:
        if path in found or path in above or len(above) > _DEEPEST:
            return found.get(path, {})
        node = self.nodes[path]
        files: dict[str, _Names] = dict.fromkeys(node.files, frozenset({("", "")}))
        for child in (*node.below, *node.components):
            one = self.nodes.get(child)
            if one is None:
                continue  # it can't be read
            before, behind = one.affix("namePrefix"), one.affix("nameSuffix")
            for file, names in self._built(child, found, (*above, path)).items():
                longer = {(before + a, b + behind) for a, b in names}
                joined = files.get(file, frozenset()) | names | longer
                files[file] = joined if len(joined) <= _MOST_NAMES else names
        found[path] = files
        return files

    def patches_of(self, path: str, kind: str, name: str) -> tuple[Patch, ...]:
        """The patches that are, or may be, laid over an object of a file."""
        found = []
        for patch in self._by_file.get(path, ()):
            names = frozenset(
                f"{before}{name}{behind}" for before, behind in self.built[patch.holder][path]
            )
            if patch.target.fits(kind, names):
                found.append(patch)
        return tuple(found)

    @cached_property
    def _by_file(self) -> Mapping[str, tuple[Patch, ...]]:
        found: defaultdict[str, list[Patch]] = defaultdict(list)
        for patch in self.patches:
            for path in self.built[patch.holder]:
                found[path].append(patch)
        return {path: tuple(patches) for path, patches in found.items()}

    @cached_property
    def patch_files(self) -> frozenset[str]:
        """Files that hold parts of objects and nothing that is built by itself."""
        whole = {file for node in self.nodes.values() for file in node.files}
        return frozenset(p.path for p in self.patches if p.inline is None) - whole

    @cached_property
    def left_alone(self) -> Mapping[str, str]:
        """Files of patches that are not edited, with the reason."""
        return {p.path: p.left_alone for p in self.patches if p.inline is None and p.shared}

    def builds(self, path: str, files: Collection[str]) -> bool:
        """Whether a kustomization is laid over any of these files."""
        return any(file in files for file in self.built.get(path, ()))

    def together(self, one: str, other: str) -> bool:
        """Whether two files are built by one kustomization."""
        return not self._holders.get(one, frozenset()).isdisjoint(self._holders.get(other, ()))

    @cached_property
    def _holders(self) -> Mapping[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for holder, files in self.built.items():
            for file in files:
                found[file].add(holder)
        return {file: frozenset(holders) for file, holders in found.items()}

    def generators_of(self, path: str, kind: str, name: str) -> Iterator[Cursor]:
        """What kustomizations that build a file make a ConfigMap or Secret of this name from."""
        key = "configMapGenerator" if kind == "ConfigMap" else "secretGenerator"
        for node in self.nodes.values():
            if path in self.built[node.path]:
                for item in items_of(node.root, key):
                    called = item.get("name")
                    if called is not None and called.text == name:
                        yield item

    def renamed(self, path: str, name: str) -> Iterator[str]:
        """What kustomizations call an image of a file instead."""
        for entry in self.entries:
            new = entry.text("newName") if entry.name == name else None
            if new is not None and path in self.built[entry.path]:
                yield new

    def above(self, path: str) -> Iterator[str]:
        """The kustomizations that are laid over one, however far, each once."""
        seen, pending = {path}, [path]
        while pending:
            low = pending.pop()
            for node in self.nodes.values():
                if node.path not in seen and low in (*node.below, *node.components):
                    seen.add(node.path)
                    pending.append(node.path)
                    yield node.path


def items_of(root: Cursor, key: str) -> list[Cursor]:
    """The items of one of the lists of a kustomization."""
    found = root.get(key)
    return found.items() if found is not None else []
