"""Kustomizations: what each builds, which patches it lays over that, and which images it names.

Read as kustomize reads it (`api/internal/target` and `api/types` of kubernetes-sigs/kustomize),
as far as files of this repository go. Nothing is fetched and nothing is run: what a remote base,
a generator plugin or a chart would bring is not known, and is said to be skipped.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hardhull.documents.document import read
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import Style, YamlFile, read_yaml
from hardhull.model import Skipped, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor
    from hardhull.project.evidence import EvidenceTexts

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize looks for in a folder, in this order."""
_MOST_NAMES: Final = 64
"""So many names of one object are told apart: nobody nests more prefixes, but for harm."""
_LITERAL = re.compile(r"[\w.-]+(?:\|[\w.-]+)*")
_REMOTE = re.compile(r"://|^git@|\?ref=|\.git(?:$|[/?])|^(?:github|gitlab|bitbucket)\.\w+/")
_OPAQUE: Final = {
    "helmCharts": "a chart that kustomize renders",
    "helmChartInflationGenerator": "a chart that kustomize renders",
    "generators": "what generators make",
    "transformers": "what transformers change",
}


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

    @property
    def left_alone(self) -> str:
        """Why it is not edited; empty if it is."""
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
        return self.cursor.is_sequence

    def span_of(self, at: Cursor) -> Span:
        """The span of a place in it, in its file; of text inside a kustomization the line."""
        if self.inline is None:
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
        if path in found or path in above:
            return found.get(path, {})
        node = self.nodes[path]
        files: dict[str, _Names] = dict.fromkeys(node.files, frozenset({("", "")}))
        for child in (*node.below, *node.components):
            one = self.nodes[child]
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
                for item in _items(node.root, key):
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


# ---------------------------------------------------------------- reading


def opened(texts: EvidenceTexts, documents: Mapping[str, Document]) -> dict[str, Document]:
    """Open the kustomizations of a repository, and the patches that they name."""
    found: dict[str, Document] = {}
    for path in texts.paths():
        if posixpath.basename(path) in NAMES:
            found |= _opened(path, texts)
    for path, document in list(found.items()):
        for root in document.cursors if isinstance(document, YamlFile) else ():
            for item in _patch_items(root):
                name = _file_of(item)
                place = _beside(path, name) if name is not None else None
                if place is not None and place not in documents:
                    found |= _opened(place, texts)
    return found


def _opened(path: str, texts: EvidenceTexts) -> dict[str, Document]:
    source = texts.source(path)
    document = read(source) if source is not None else None
    return {path: document} if isinstance(document, YamlFile) else {}


def read_kustomize(
    documents: Mapping[str, Document], previous: Kustomize | None = None
) -> Kustomize:
    """Read the kustomizations among documents; those of `previous` if nothing of it changed."""
    if previous is not None and all(documents.get(p) is d for p, d in previous.read.items()):
        return previous
    reader = _Reader(documents)
    for path in sorted(documents):
        document = documents[path]
        if posixpath.basename(path) in NAMES and isinstance(document, YamlFile):
            reader.take(path, document)
    return reader.result()


class _Reader:
    """One reading of all kustomizations; lives for one call."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self.documents = documents
        self.folders: dict[str, str] = {}
        for name in reversed(NAMES):
            for path in documents:
                if posixpath.basename(path) == name:
                    self.folders[posixpath.dirname(path)] = path
        self.nodes: dict[str, Kustomization] = {}
        self.patches: list[Patch] = []
        self.entries: list[Entry] = []
        self.skipped: list[Skipped] = []
        self.read: dict[str, Document] = {}

    def result(self) -> Kustomize:
        for node in self.nodes.values():
            if node.path in _descendants(node.path, self.nodes):
                self._skip(node.root, "it includes itself, and kustomize builds nothing of it")
        skipped = tuple(dict.fromkeys(self.skipped))
        return Kustomize(self.nodes, tuple(self.patches), tuple(self.entries), skipped, self.read)

    def take(self, path: str, document: YamlFile) -> None:
        self.read[path] = document
        root = next(iter(document.cursors), None)
        if root is None or not root.is_mapping:
            return
        files: list[str] = []
        below: dict[str, list[str]] = {"resources": [], "bases": [], "components": []}
        for key, nodes in below.items():
            for item in _items(root, key):
                place = self._place(item)
                if place in self.folders:
                    nodes.append(self.folders[place])
                elif place is not None:
                    files.append(place)
        bases = (*below["resources"], *below["bases"])
        self.nodes[path] = Kustomization(
            path, root, tuple(files), bases, tuple(below["components"])
        )
        for item in _patch_items(root):
            self._patch(path, root, item)
        for item in _items(root, "images"):
            name = item.get("name")
            if name is not None and name.text:
                self.entries.append(Entry(path, item, name.text))
        for key, what in _OPAQUE.items():
            if (found := root.get(key)) is not None:
                self._skip(found, f"{what} is not looked at")

    def _skip(self, at: Cursor, reason: str) -> None:
        self.skipped.append(Skipped(at.path, at.line, reason))

    def _place(self, item: Cursor) -> str | None:
        """The path that an entry names; None where that is not here."""
        if not item.text:
            return None
        if _REMOTE.search(item.text):
            self._skip(item, "it is built over files of another place, which are not fetched")
            return None
        place = _beside(item.path, item.text)
        if place is None:
            self._skip(item, "it leads out of the repository, and is not followed")
        return place

    def _patch(self, holder: str, root: Cursor, item: Cursor) -> None:
        named = _file_of(item)
        inline: Cursor | None = None
        if named is None:
            inline = item.get("patch") if item.is_mapping else item
            file = _inner(inline) if inline is not None else None
        else:
            place = self._place(item.get("path") or item)
            file = self.documents.get(place) if place is not None else None
        if not isinstance(file, YamlFile):
            if named is None or _beside(holder, named) is not None:
                self._skip(item, "a patch that can't be read: what it changes is not known")
            return
        if inline is None:
            self.read[file.source.path] = file
        target = item.get("target") if item.is_mapping else None
        kind = root.get("kind")
        shared = kind is not None and kind.text == "Component"
        for one in file.cursors:
            if one.is_sequence and target is None:
                continue
            if one.is_mapping or one.is_sequence:
                self.patches.append(Patch(holder, one, _target(target, one), inline, shared))


def _items(root: Cursor, key: str) -> list[Cursor]:
    found = root.get(key)
    return found.items() if found is not None else []


def _patch_items(root: Cursor) -> Iterator[Cursor]:
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        yield from _items(root, key)


def _file_of(item: Cursor) -> str | None:
    """The file that an item of patches names; None where its text stands in the item."""
    if not item.is_mapping:
        return item.text if item.text and "\n" not in item.text else None
    named = item.get("path")
    return named.text or None if named is not None else None


def _beside(path: str, name: str) -> str | None:
    """The path of what a kustomization names; None outside of the repository."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    if place.startswith(("../", "/")) or place == "..":
        return None
    return "" if place == "." else place


def _inner(text: Cursor) -> YamlFile | None:
    """A patch that is written as text inside a kustomization."""
    if text.text is None:
        return None
    file = read_yaml(Source(text.path, FileKind.EVIDENCE, text.text))
    return None if isinstance(file, Unreadable) else file


def _target(target: Cursor | None, patch: Cursor) -> Target:
    if target is None:
        kind, name = patch.get("kind"), patch.get("metadata", "name")
        kinds = frozenset({kind.text}) if kind is not None and kind.text else None
        names = frozenset({name.text}) if name is not None and name.text else None
        return Target(kinds, names)
    kinds, sure = _alternatives(target.get("kind"))
    names, exact = _alternatives(target.get("name"))
    selected = any(target.get(key) for key in ("labelSelector", "annotationSelector"))
    return Target(kinds, names, sure and exact and not selected)


def _alternatives(cursor: Cursor | None) -> tuple[frozenset[str] | None, bool]:
    """The words that a pattern of kustomize's means, if it is a plain one; and whether it is."""
    text = cursor.text if cursor is not None else None
    if cursor is None or text in ("", ".*"):
        return None, True
    if text is None or _LITERAL.fullmatch(text) is None:
        return None, False
    return frozenset(text.split("|")), True


def _descendants(path: str, nodes: Mapping[str, Kustomization]) -> set[str]:
    found: set[str] = set()
    pending = [path]
    while pending:
        node = nodes.get(pending.pop())
        for child in (*node.below, *node.components) if node is not None else ():
            if child not in found:
                found.add(child)
                pending.append(child)
    return found


__all__ = ["Entry", "Kustomization", "Kustomize", "Patch", "Target", "opened", "read_kustomize"]
