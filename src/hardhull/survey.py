"""The survey of a root: discover its files, read them, and link them into a project."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull import discover as disk
from hardhull.committed import committed
from hardhull.documents.document import read
from hardhull.documents.source import FileKind
from hardhull.documents.unreadable import Unreadable
from hardhull.facts.gather import Facts
from hardhull.model import Skipped, UsageError
from hardhull.project.builds import is_build_evidence, read_builds
from hardhull.project.chart_users import read_installs
from hardhull.project.context import Context
from hardhull.project.dotnet import Programs
from hardhull.project.evidence import EvidenceTexts
from hardhull.project.kustomize_reading import opened
from hardhull.project.link import Project, Workspace, link
from hardhull.project.updaters import read_updaters
from hardhull.settings import Rollout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hardhull.documents.document import Document
    from hardhull.documents.source import Source
    from hardhull.facts.asking import Answers
    from hardhull.facts.gather import Recorded
    from hardhull.project.updaters import OpenUpdate
    from hardhull.settings import Settings


def survey(
    root: Path,
    settings: Settings,
    *,
    recorded: Mapping[str, Recorded] | None = None,
    today: datetime.date | None = None,
    replaced: disk.Replaced | None = None,
    refreshing: bool = True,
    updates: tuple[OpenUpdate, ...] = (),
) -> Context:
    """Discover, read and link one root; with other texts for the files in `replaced`."""
    found = disk.discover(root, settings.paths.include, settings.paths.exclude, replaced)
    documents, skipped, unread = read_all(found)
    now = datetime.datetime.now(tz=datetime.UTC)
    facts = Facts(
        today or now.date(),
        recorded if recorded is not None else {},
        {name: image.like for name, image in settings.base_images.items()},
        settings.registries.mirrors,
        now if today is None else None,
    )
    builds = read_builds(_build_evidence(found), _of_kind(found, FileKind.DOCKERFILE))
    texts = EvidenceTexts(
        _of_kind(found, FileKind.EVIDENCE) | _of_kind(found, FileKind.MSBUILD), disk.read
    )
    documents |= opened(texts, documents)
    installs, values = read_installs(texts, documents)
    documents |= values
    workspace = Workspace(
        settings,
        facts,
        builds,
        Programs(found),
        texts,
        (*found.skipped, *skipped, *installs.skipped),
        unread,
        replace(read_updaters(texts), open=updates),
        installs,
        refreshing,
    )
    project = link(documents, workspace)
    return Context(project, facts, settings, _rolled_out(root, project))


def _rolled_out(root: Path, project: Project) -> Project:
    """What may be running: the files as they are, or in two steps as they are committed."""
    if project.workspace.settings.rollout is not Rollout.TWO_STEP:
        return project
    documents = committed(root, project.documents)
    return link(documents, project.workspace, project)


def read_all(
    found: disk.Found,
) -> tuple[dict[str, Document], list[Skipped], dict[str, str]]:
    """Read all Dockerfiles and manifests; what can't be read is skipped with line and reason."""
    documents: dict[str, Document] = {}
    skipped: list[Skipped] = []
    unread: dict[str, str] = {}
    for path, entry in found.files.items():
        if entry.kind is FileKind.EVIDENCE:
            continue
        try:
            source = disk.read(entry)
        except UsageError as error:
            skipped.append(Skipped(path, 0, str(error)))
            continue
        document = read(source)
        if isinstance(document, Unreadable):
            skipped.append(Skipped(path, document.line, document.reason))
            unread[path] = source.text
        else:
            documents[path] = document
    return documents, skipped, unread


def _of_kind(found: disk.Found, kind: FileKind) -> dict[str, disk.FileEntry]:
    return {path: entry for path, entry in found.files.items() if entry.kind is kind}


def _build_evidence(found: disk.Found) -> Iterable[Source]:
    for path, entry in found.files.items():
        if entry.kind is FileKind.EVIDENCE and is_build_evidence(path):
            try:
                yield disk.read(entry)
            except UsageError:
                continue  # went away since it was listed: nothing to learn from it


def informed(context: Context, answers: Answers) -> Context:
    """The same survey with what registries said; what was recorded before goes first."""
    facts = context.facts
    now = facts.now or datetime.datetime.combine(facts.today, datetime.time(), datetime.UTC)
    facts = replace(
        facts,
        recorded={**answers.recorded(now.isoformat(timespec="seconds")), **facts.recorded},
        failures={
            name: f"{failure.reason}; {failure.advice}" if failure.advice else failure.reason
            for name, failure in answers.failures.items()
        },
    )
    workspace = replace(context.project.workspace, facts=facts)
    project = link(context.documents, workspace)
    first = project
    if context.first is not context.project:
        first = link(context.first.documents, workspace)
    return Context(project, facts, context.settings, first)


def relink(documents: Mapping[str, Document], context: Context) -> Context:
    """Link documents that were edited; what did not change is used again."""
    project = link(documents, context.project.workspace, context.project)
    return Context(project, context.facts, context.settings, context.first)
