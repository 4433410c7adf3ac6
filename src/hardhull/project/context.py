"""What a rule may look at: the linked project, the facts of this run and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from hardhull.documents.document import read
from hardhull.documents.lines import TextFile, absent
from hardhull.documents.unreadable import Unreadable
from hardhull.model import SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.document import Document
    from hardhull.facts.gather import Facts
    from hardhull.project.link import Project
    from hardhull.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Read-only; a new one is made after every change.

    `first` is the project before any change: what today's published images were built from.
    """

    project: Project
    facts: Facts
    settings: Settings
    first: Project

    @property
    def documents(self) -> Mapping[str, Document]:
        """The current documents by path."""
        return self.project.documents

    def document(self, path: str) -> Document:
        """The current document at a path; evidence is opened, and what is not there is absent."""
        return self.project.documents.get(path) or self._opened(path)

    def _opened(self, path: str) -> Document:
        source = self.project.workspace.texts.source(path)
        if source is None:
            return absent(path)
        document = read(source)
        return TextFile(source) if isinstance(document, Unreadable) else document

    def subjects(self, kind: SubjectKind) -> Sequence[Any]:
        """All subjects of a kind, in the order of paths."""
        match kind:
            case SubjectKind.STAGE:
                return self.project.stages
            case SubjectKind.CONTAINER:
                return self.project.containers
            case SubjectKind.WORKLOAD:
                return self.project.workloads
            case SubjectKind.APPLICATION:
                return self.project.applications
            case SubjectKind.REFERENCE:
                return self.project.references
            case SubjectKind.REPOSITORY:
                return (self.project,)
        assert_never(kind)
