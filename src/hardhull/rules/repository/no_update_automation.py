"""no-update-automation: nothing brings new versions and new digests of images."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from hardhull.model import (
    AppendItem,
    CreateFile,
    Finding,
    Fix,
    Level,
    Pairs,
    Refusal,
    Rule,
    Severity,
    Span,
    SubjectKind,
    value_of,
)
from hardhull.project.references import Place
from hardhull.project.updaters import DEPENDABOT_CONFIGS, Updaters, watches_of
from hardhull.rules.images.pinning import is_made_elsewhere
from hardhull.rules.repository.update_examples import NO_UPDATE_AUTOMATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.context import Context
    from hardhull.project.link import Project

ID = "no-update-automation"
_ECOSYSTEMS: Final = {
    Place.FROM: "docker",
    Place.KUBERNETES: "docker",
    Place.COMPOSE: "docker-compose",
}
_NEVER_MAJOR: Final = {
    "dependency-name": "dotnet/*",
    "update-types": ["version-update:semver-major"],
}
"""A newer .NET is a decision about code, SDK and images together. The name has no host."""
_MOST_FOLDERS: Final = 20
"""With more folders than these an entry names all of them by a glob."""


def find(project: Project, context: Context) -> Iterator[Finding]:
    """Folders with images, or with .NET projects, that no update tool looks at."""
    if project.workspace.updaters.renovate is not None:
        return
    missing = _missing(project, context)
    if missing:
        said = "; ".join(f"{name}: {', '.join(where)}" for name, where in missing.items())
        yield Finding(
            ID,
            _path(context),
            "updates",
            Span(0, 0),
            f"no update tool looks at {said}",
            Severity.LOW,
            Level.ROUTINE,
            subject=project,
            plan=missing,
        )


def _path(context: Context) -> str:
    """Where Dependabot's settings are, or belong."""
    there = (path for path in DEPENDABOT_CONFIGS if not context.document(path).source.absent)
    return next(there, DEPENDABOT_CONFIGS[0])


def _missing(project: Project, context: Context) -> dict[str, list[str]]:
    """The folders by ecosystem that no entry covers; none of an ecosystem that was decided on."""
    found: dict[str, set[str]] = {}
    # What the settings say now, which this rule may have written itself.
    updaters = Updaters(None, tuple(watches_of(context.document(_path(context)).source)))
    for use in project.references:
        ecosystem = _ECOSYSTEMS.get(use.place)
        if ecosystem is None or use.writer is not None or "$" in use.text:
            continue
        if is_made_elsewhere(use, project.workspace) and updaters.of(use) is None:
            found.setdefault(ecosystem, set()).add(_folder(use.path))
    projects = {_folder(app.project.path) for app in project.applications if app.project}
    if projects:
        found["nuget"] = projects
    entries = list(_entries(context))
    for ecosystem in ("nuget", *found):
        known = [entry for entry in entries if _said(entry, "package-ecosystem") == ecosystem]
        folders = {folder for entry in known for folder in _folders(entry)}
        if ecosystem == "nuget" and known:
            found.pop(ecosystem, None)
        elif known and found.get(ecosystem, set()) <= folders:
            found.pop(ecosystem, None)  # looked at, and switched off: somebody decided that
    order = ("docker", "docker-compose", "nuget")
    return {name: sorted(found[name]) for name in order if found.get(name)}


def _folder(path: str) -> str:
    return "/" + posixpath.dirname(path)


def _entries(context: Context) -> Iterator[Cursor]:
    document: Any = context.document(_path(context))
    roots = getattr(document, "cursors", ())
    listed = roots[0].get("updates") if roots else None
    yield from listed.items() if listed is not None else ()


def _said(entry: Cursor, key: str) -> str:
    value = entry.get(key)
    return (value.text or "") if value is not None else ""


def _folders(entry: Cursor) -> Iterator[str]:
    listed = entry.get("directories")
    if _said(entry, "directory"):
        yield _said(entry, "directory").rstrip("/") or "/"
    for item in listed.items() if listed is not None else ():
        yield (item.text or "").rstrip("/") or "/"


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Write Dependabot's settings, or add the entries that are missing."""
    missing: dict[str, list[str]] = finding.plan
    path = finding.path
    entries = [_entry(name, folders) for name, folders in missing.items()]
    summary = ", ".join(missing)
    note = "merging this lets Dependabot open pull requests: at most five at a time, weekly"
    document: Any = context.document(path)
    if document.source.absent:
        content = value_of({"version": 2, "updates": entries})
        if not isinstance(content, Pairs):
            raise AssertionError("a mapping is written as pairs")
        return Fix((CreateFile(path, content),), f"{path}: {summary}", notes=(note,))
    roots = document.cursors if hasattr(document, "cursors") else []
    if len(roots) != 1 or roots[0].get("updates") is None:
        return Refusal("its `updates:` can't be read", path)
    return Fix(
        tuple(AppendItem(path, (0, "updates"), value_of(entry)) for entry in entries),
        f"{path}: {summary}",
        notes=(note,),
    )


def _entry(ecosystem: str, folders: list[str]) -> dict[str, Any]:
    where: dict[str, Any] = {"directory": folders[0]}
    if len(folders) > 1:
        where = {"directories": folders if len(folders) <= _MOST_FOLDERS else ["**/*"]}
    entry = {"package-ecosystem": ecosystem, **where, "schedule": {"interval": "weekly"}}
    return entry if ecosystem == "nuget" else {**entry, "ignore": [_NEVER_MAJOR]}


RULE = Rule(
    id=ID,
    title="Nothing brings updates of images and packages",
    concern="repository",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "A pinned image stays as it is, with the holes that are found in it later, until somebody "
        "moves the pin. Dependabot does that by itself, if it is told where to look."
    ),
    fix_note=(
        "Creates or extends .github/dependabot.yml: `docker` and `docker-compose` for the folders "
        "with images, `nuget` for those with applications; a new major version of .NET is left to "
        "people."
    ),
    routine_when="Renovate is not used here",
    review_when="never: what it changes is who opens pull requests",
    refused_when="the settings that are there can't be read",
    references=(
        "https://docs.github.com/en/code-security/reference/supply-chain-security/dependabot-options-reference",
    ),
    examples=NO_UPDATE_AUTOMATION,
    default=False,
)
