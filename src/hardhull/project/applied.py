"""Which image a manifest's text comes to when it is applied: what writes or replaces it counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hardhull.documents.yaml import Cursor
    from hardhull.images import Reference
    from hardhull.model import Address
    from hardhull.project.kustomize import Kustomize
    from hardhull.project.references import ImageUse


@dataclass(frozen=True)
class Applied:
    """The references of a repository, by where they stand and by what kustomizations replace."""

    references: Sequence[ImageUse]
    kustomize: Kustomize

    def image(self, written: Cursor) -> Reference | None:
        """The image that is pulled for what is written here, with `images` of kustomizations.

        None where that is not sure: a placeholder, a tag that something else writes, or
        kustomizations that make several images of it.
        """
        reference = parse_reference(written.text or "")
        if reference is None:
            return None
        entries = self._over(written.path, reference)
        if not entries:  # those are writers, too
            rewritten = (written.path, written.address) in self._rewritten
            return None if rewritten else reference
        made = {use.reference if use.writer is None else None for use in entries}
        only = made.pop() if len(made) == 1 else None
        if only is None:
            return None
        again = self._over(written.path, only)  # under its new name another entry may be for it
        return only if all(use in entries for use in again) else None

    def _over(self, path: str, reference: Reference) -> list[ImageUse]:
        return [
            use
            for use in self._entries.get(reference.spelled, ())
            if use.entry is not None and path in self.kustomize.built.get(use.entry.path, ())
        ]

    @cached_property
    def _entries(self) -> Mapping[str, list[ImageUse]]:
        found: defaultdict[str, list[ImageUse]] = defaultdict(list)
        for use in self.references:
            if use.entry is not None:
                found[use.entry.name].append(use)
        return found

    @cached_property
    def _rewritten(self) -> frozenset[tuple[str, Address]]:
        return frozenset(
            (use.path, use.cursor.address)
            for use in self.references
            if use.writer is not None and use.cursor is not None and use.entry is None
        )
