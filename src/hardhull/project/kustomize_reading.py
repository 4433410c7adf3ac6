"""Reading kustomizations: the files and patches that each names, and what it can't be read for."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hardhull.documents.document import read
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Skipped
from hardhull.project.kustomize import Entry, Kustomization, Kustomize, Patch, Target, items_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.yaml import Cursor
    from hardhull.project.evidence import EvidenceTexts

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize looks for in a folder, in this order."""
_LITERAL = re.compile(r"[\w.-]+(?:\|[\w.-]+)*")
_REMOTE = re.compile(r"://|^git@|\?ref=|\.git(?:$|[/?])|^(?:github|gitlab|bitbucket)\.\w+/")
_OPAQUE: Final = {
    "helmCharts": "a chart that kustomize renders",
    "helmChartInflationGenerator": "a chart that kustomize renders",
    "generators": "what generators make",
    "transformers": "what transformers change",
    "replacements": "what replacements change",
    "vars": "what variables of a kustomization stand for",
}


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
        self.nodes = {path: self._with_known(node) for path, node in self.nodes.items()}
        for node in self.nodes.values():
            if node.path in _descendants(node.path, self.nodes):
                self._skip(node.root, "it includes itself, and kustomize builds nothing of it")
        skipped = tuple(dict.fromkeys(self.skipped))
        return Kustomize(self.nodes, tuple(self.patches), tuple(self.entries), skipped, self.read)

    def _with_known(self, node: Kustomization) -> Kustomization:
        """Without what is below it and says nothing: an empty file, or one that can't be read."""
        below = tuple(path for path in node.below if path in self.nodes)
        return replace(
            node,
            below=below,
            components=tuple(path for path in node.components if path in self.nodes),
        )

    def take(self, path: str, document: YamlFile) -> None:
        self.read[path] = document
        root = next(iter(document.cursors), None)
        if root is None or not root.is_mapping:
            return
        self.nodes[path] = self._node(path, root)
        for item in _patch_items(root):
            self._patch(path, root, item)
        for item in items_of(root, "images"):
            name = item.get("name")
            if name is not None and name.text:
                self.entries.append(Entry(path, item, name.text))
        for key, what in _OPAQUE.items():
            if (found := root.get(key)) is not None:
                self._skip(found, f"{what} is not looked at")

    def _node(self, path: str, root: Cursor) -> Kustomization:
        files: list[str] = []
        below: dict[str, list[str]] = {"resources": [], "bases": [], "components": []}
        for key, nodes in below.items():
            for item in items_of(root, key):
                place = self._place(item)
                if place in self.folders:
                    nodes.append(self.folders[place])
                elif place is not None:
                    files.append(place)
        bases = (*below["resources"], *below["bases"])
        return Kustomization(path, root, tuple(files), bases, tuple(below["components"]))

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
        file: Document | None
        if named is None:
            inline = item.get("patch") if item.is_mapping else item
            file = _inner(inline) if inline is not None else None
        else:
            place = self._place(item.get("path") or item)
            file = self.documents.get(place) if place is not None else None
        if not isinstance(file, YamlFile):
            if named is None or _beside(holder, named) is not None:
                self._skip(item, "a patch that can't be read: what it changes is not known")
                aimed = item.get("target") if item.is_mapping else None
                anything = _target(aimed, item) if aimed is not None else Target(None, None)
                self.patches.append(Patch(holder, item, anything, item, unread=True))
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


def _patch_items(root: Cursor) -> Iterator[Cursor]:
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        yield from items_of(root, key)


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
