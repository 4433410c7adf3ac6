"""Linking images to projects that the SDK publishes: by name, and only where one project fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.project.places import Draft
from hardhull.project.published_image import published_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.images import Reference
    from hardhull.project.link import Project
    from hardhull.project.publications import Publication, PublishedName


class PublishedDrafts:
    """The published projects of a project that has no applications yet, by the names of images.

    `built` are the applications by project that a Dockerfile builds: of these it is not seen which
    of both makes an image.
    """

    def __init__(self, bare: Project, built: Mapping[str, Draft]) -> None:
        self._bare = bare
        self._built = built
        self._drafts: dict[str, Draft] = {}
        self._by_last: dict[str, list[tuple[PublishedName, Publication]]] = {}
        for one in bare.publications:
            for name in one.names:
                self._by_last.setdefault(name.last, []).append((name, one))

    def of(self, reference: Reference | None, last: str) -> tuple[Draft | None, str]:
        """The one project whose image this is, and why.

        `last` is the last part of a name whose other parts are filled in later, for use without a
        reference. No draft but a reason: it is made here, and it is not certain of what.
        """
        if reference is not None:
            last = reference.repository.rpartition("/")[2]
        fitting = [
            (name, one)
            for name, one in self._by_last.get(last, ())
            if reference is None or name.fits(reference)
        ]
        written = [found for found in fitting if found[0].written]
        fitting = written or fitting
        projects = {one.project.path for _, one in fitting}
        if not fitting:
            return None, ""
        name, one = fitting[0]
        doubt = next((one.doubt for one, _ in fitting if one.doubt), "")
        if doubt:
            return None, f"{name.evidence}: {doubt}"
        if len(projects) > 1:
            return None, f"{name.evidence}, and another project has the same name"
        if one.project.path in self._built:
            # The Dockerfile counts where nobody says otherwise.
            named = f"{name.evidence}, and a Dockerfile builds the project too"
            return None, named if name.written else ""
        draft = self._draft(one)
        return (draft, name.evidence) if draft is not None else (None, "")

    def _draft(self, one: Publication) -> Draft | None:
        known = self._drafts.get(one.project.path)
        if known is not None:
            return known
        space = self._bare.workspace
        image = published_image(one.project, one.settings, one.frameworks, space.facts, space.texts)
        if image.facts is not None and image.facts.os != "linux":
            return None
        draft = Draft(one.project.name, one.project, image=image)
        draft.evidence.append(f"{one.project.path}: {image.where}, published by the SDK")
        self._drafts[one.project.path] = draft
        return draft
