"""Which application a finding belongs to, and how an application introduces itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hardhull.model import Finding
    from hardhull.outcome import Entry, Outcome
    from hardhull.project.application import Application
    from hardhull.project.link import Project

_REASON = re.compile(r"\(([^()]*)\)$")
_NUMBERED = re.compile(r" #\d+$")


def by_application(outcome: Outcome) -> list[tuple[Application | None, list[Entry]]]:
    """Entries by application in the order of the project; those of none last."""
    owners = Owners(outcome.project)
    groups: dict[int, list[Entry]] = {}
    for entry in outcome.entries:
        groups.setdefault(owners.of(entry.finding), []).append(entry)
    applications = outcome.project.applications
    found: list[tuple[Application | None, list[Entry]]] = [
        (app, groups[index]) for index, app in enumerate(applications) if index in groups
    ]
    return found + ([(None, groups[-1])] if -1 in groups else [])


def applications_changed(outcome: Outcome) -> tuple[str, ...]:
    """The names of the applications that a run changed files of."""
    changed = set(outcome.changed)
    names = dict.fromkeys(
        app.name
        for app in outcome.project.applications
        if changed & {one.path for one in (*_made(app), *app.containers)}
    )
    return tuple(names)


class _Placed(Protocol):
    """What has a symbolic place in a file."""

    @property
    def path(self) -> str: ...

    @property
    def where(self) -> str: ...


def _made(app: Application) -> list[_Placed]:
    """What its images are made from: stages, or the project that the SDK publishes."""
    return [*app.stages, *([app.image] if app.image is not None else [])]


class Owners:
    """Applications by index, found by path and symbolic place; -1 for none."""

    def __init__(self, project: Project) -> None:
        self._everything = project.where
        self._places: dict[tuple[str, str], int] = {}
        self._files: dict[str, int] = {}
        self._names: dict[str, int] = {}
        for index, app in enumerate(project.applications):
            self._names.setdefault(app.where, index)
            parts: list[_Placed] = [*_made(app), *app.containers, *app.workloads, *app.services]
            for part in parts:
                self._places.setdefault((part.path, part.where), index)
            for patch in project.patches:
                if project.owner_of(patch) is app:
                    self._places.setdefault((patch.path, patch.where), index)
            for made in _made(app):
                self._files.setdefault(made.path, index)

    def of(self, finding: Finding) -> int:
        """The index of the application that a finding is about; -1 if it is about none."""
        where = _NUMBERED.sub("", finding.where)
        if where == self._everything:
            return -1
        if where in self._names:
            return self._names[where]
        while where:
            if (finding.path, where) in self._places:
                return self._places[finding.path, where]
            where = where.rpartition(".")[0]
        return self._files.get(finding.path, -1)


def introduction(app: Application) -> str:
    """What was linked, and why: `src/Api/Dockerfile → deploy/api.yaml (same image name)`."""
    built = ", ".join(dict.fromkeys(made.path for made in _made(app)))
    paths = dict.fromkeys(container.path for container in app.containers)
    runs = ", ".join(path + _because(app, path) for path in paths)
    if not runs:
        return f"{built}: no manifest here names its image" if built else app.name
    services = "".join(f", Service {service.name}" for service in app.services)
    return f"{built} → {runs}{services}" if built else f"{runs}{services}"


def _because(app: Application, path: str) -> str:
    for line in app.evidence:
        reason = _REASON.search(line) if line.startswith(f"{path}:") else None
        if reason is not None:
            return f" ({reason[1]})"
    return ""
