""".NET projects and what their programs do: ports bound, files written, endpoints answered.

Read lazily and once, from the project's folder and those of its project references.
"""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from hardhull.model import UsageError
from hardhull.project.program import RAW_SOCKETS, says_nothing, seen_in_code
from hardhull.project.project_file import (
    ITEM,
    OWN_PROPERTY,
    PROPERTY,
    SDK,
    DotnetProject,
    container_settings,
    expand,
    frameworks_of,
    is_test,
    linked_folders,
    resolve,
)
from hardhull.project.settings_files import seen_in_log_configuration, seen_in_settings
from hardhull.project.sighting import Evidence, Sighting, without_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hardhull.documents.source import Source

__all__ = ["DotnetProject", "Evidence", "Files", "Programs"]

MOST_BYTES = 8 * 1024 * 1024
MOST_FILES = 2000

_PROJECT_FILE = re.compile(r"\.(?:cs|fs|vb)proj$", re.IGNORECASE)
_SETTINGS_FILE = re.compile(
    r"(?:^|/)(?:appsettings[^/]*|hosting|launchsettings|nlog[^/]*|serilog[^/]*)\.json$",
    re.IGNORECASE,
)
_LOG_FILE = re.compile(r"(?:^|/)(?:nlog|log4net|app|web)[^/]*\.config$", re.IGNORECASE)
_BUILD_OUTPUT = re.compile(r"(?:^|/)(?:bin|obj)/", re.IGNORECASE)
_ENTRY_FILE = re.compile(r"(?:^|/)(?:Program|Startup)\.\w+$")
_PROFILER_PACKAGE = re.compile(
    r"datadog\.trace\.bundle|newrelic\.agent|elastic\.apm\.profiler.*|pyroscope.*|.*\.snapshotcollector"
    r"|opentelemetry\.autoinstrumentation.*|.*applicationinsights\.profiler.*",
    re.IGNORECASE,
)


class Files(Protocol):
    """Where the files come from: those of a root by path, and the source of one of them."""

    @property
    def files(self) -> Mapping[str, object]:
        """The files that matter, by path."""
        ...

    def source(self, path: str) -> Source:
        """Read a file; raises UsageError when it can't be read."""
        ...


class Programs:
    """The .NET projects of a root, with what is read of them kept.

    All is read when first asked for, and once: a scan that asks nothing of a program costs nothing.
    """

    def __init__(self, found: Files) -> None:
        self._files = found.files
        self._source = found.source
        self._inherited_by_folder: dict[str, dict[str, str]] = {}
        self._seen: dict[str, tuple[tuple[Sighting, ...], int] | None] = {}
        self._evidence: dict[str, Evidence] = {}
        self._raw_sockets: dict[str, tuple[Sighting, ...]] = {}

    def projects(self) -> tuple[DotnetProject, ...]:
        """Return every project, by path."""
        return self._projects

    def evidence(self, project_dir: str) -> Evidence:
        """Return what the program of the projects in `project_dir` was seen to do."""
        known = self._evidence.get(project_dir)
        if known is None:
            known = self._evidence[project_dir] = self._gather(project_dir)
        return known

    def raw_sockets(self, project_dir: str) -> tuple[Sighting, ...]:
        """Return where the program sends pings or opens raw sockets."""
        self.evidence(project_dir)
        return self._raw_sockets[project_dir]

    @cached_property
    def _projects(self) -> tuple[DotnetProject, ...]:
        paths = [path for path in self._files if _PROJECT_FILE.search(path)]
        return tuple(self._project(path) for path in sorted(paths))

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        """Program files by the nearest folder that holds a project."""
        homes = {posixpath.dirname(path) for path in self._files if _PROJECT_FILE.search(path)}
        home_of: dict[str, str | None] = {}

        def home(folder: str) -> str | None:
            if folder not in home_of:
                home_of[folder] = (
                    folder
                    if folder in homes
                    else None
                    if not folder
                    else home(posixpath.dirname(folder))
                )
            return home_of[folder]

        found: dict[str, list[str]] = {}
        for path in self._files:
            if _reader(path) and not _BUILD_OUTPUT.search(path):
                where = home(posixpath.dirname(path))
                found.setdefault("" if where is None else where, []).append(path)
        for paths in found.values():
            # Where the budget cuts, the files that say most have been read.
            paths.sort(key=lambda path: (not _ENTRY_FILE.search(path), path))
        return found

    # ------------------------------------------------------------ project files

    @cached_property
    def _lower(self) -> dict[str, str]:
        return {path.lower(): path for path in self._files if _PROJECT_FILE.search(path)}

    def _text(self, path: str) -> str | None:
        try:
            return without_comments(self._source(path).text, "xml")
        except UsageError:
            return None

    def _inherited(self, directory: str) -> dict[str, str]:
        """Return what the nearest Directory.Build.props says: MSBuild imports no other."""
        known = self._inherited_by_folder.get(directory)
        if known is None:
            path = posixpath.join(directory, "Directory.Build.props")
            if path in self._files:
                known = dict(PROPERTY.findall(self._text(path) or ""))
            else:
                known = self._inherited(posixpath.dirname(directory)) if directory else {}
            self._inherited_by_folder[directory] = known
        return known

    def _project(self, path: str) -> DotnetProject:
        directory, file_name = posixpath.split(path)
        name = file_name.rpartition(".")[0]
        written = self._text(path)
        text = written or ""
        # Properties that others are made of matter only where one is: most files have none.
        own = (PROPERTY if "$(" in text else OWN_PROPERTY).findall(text)
        properties = self._inherited(directory) | dict(own)
        sdk = next((hit[1] or hit[2] for hit in SDK.finditer(text)), "")
        items = [(hit[1], hit[2], hit.start()) for hit in ITEM.finditer(text)]
        packages = tuple(
            (include, text.count("\n", 0, offset) + 1)
            for item, include, offset in items
            if item == "PackageReference"
        )
        references, unresolved = self._references(directory, items)
        if written is None:
            unresolved = (file_name,)
        return DotnetProject(
            path=path,
            directory=directory,
            name=name,
            assembly_name=expand(properties.get("AssemblyName", ""), properties) or name,
            target_frameworks=frameworks_of(own, properties),
            sdk=sdk,
            is_web=sdk.startswith("Microsoft.NET.Sdk.Web")
            or ("FrameworkReference", "Microsoft.AspNetCore.App") in {item[:2] for item in items},
            is_test=is_test(name, sdk, properties, packages),
            container=container_settings(properties, items),
            packages=packages,
            references=references,
            unresolved=unresolved,
            linked=linked_folders(directory, items),
        )

    def _references(
        self, directory: str, items: list[tuple[str, str, int]]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        found: list[str] = []
        unresolved: list[str] = []
        includes = [include for item, include, _ in items if item == "ProjectReference"]
        for include in (part for whole in includes for part in whole.split(";") if part.strip()):
            target = resolve(directory, include)
            target = target if target in self._files else self._lower.get(target.lower(), "")
            if target:
                found.append(target)
            else:
                unresolved.append(include)
        return tuple(dict.fromkeys(found)), tuple(unresolved)

    # ------------------------------------------------------------ evidence

    def _gather(self, project_dir: str) -> Evidence:
        here = [one for one in self._projects if one.directory == project_dir]
        closure = self._closure(here)
        complete = not any(one.unresolved for one in closure)
        folders = dict.fromkeys([project_dir, *(one.directory for one in closure)])
        paths = [path for folder in folders for path in self._by_folder.get(folder, ())]
        linked = tuple(folder for one in closure for folder in one.linked)
        if linked:
            known = set(paths)
            paths += [
                path
                for path in self._files
                if path.startswith(linked) and _reader(path) and path not in known
            ]
        seen = [sighting for one in closure for sighting in self._packages(one)]
        left_bytes, files = MOST_BYTES, 0
        for path in paths:
            if files >= MOST_FILES or left_bytes <= 0:
                complete = False
                break
            read = self._read_once(path)
            if read is None:
                complete = False
                continue
            seen += read[0]
            left_bytes -= read[1]
            files += 1
        topics: dict[str, list[Sighting]] = {}
        for sighting in dict.fromkeys(seen):
            topics.setdefault(sighting.topic, []).append(sighting)
        self._raw_sockets[project_dir] = tuple(topics.pop(RAW_SOCKETS, ()))
        return Evidence(complete, files, **{topic: tuple(found) for topic, found in topics.items()})

    def _closure(self, projects: list[DotnetProject]) -> list[DotnetProject]:
        """Return the projects and all that they refer to, each once, nearest first."""
        by_path = {one.path: one for one in self._projects}
        found = {one.path: one for one in projects}
        queue = list(projects)
        for one in queue:
            new = [by_path[path] for path in one.references if path in by_path]
            queue += [other for other in new if other.path not in found]
            found |= {other.path: other for other in new}
        return list(found.values())

    def _packages(self, project: DotnetProject) -> Iterator[Sighting]:
        for package, line in project.packages:
            text = f'PackageReference Include="{package}"'
            # Build-time helpers of the editor do not run in the container.
            if "kube" in package.lower() and not package.endswith(".Tools.Targets"):
                yield Sighting("kubernetes_client", "package", project.path, line, text, package)
            if _PROFILER_PACKAGE.fullmatch(package):
                yield Sighting("profiler", "package", project.path, line, text, package)

    def _read_once(self, path: str) -> tuple[tuple[Sighting, ...], int] | None:
        """Return what the file shows, and its size; None if it can't be read."""
        if path not in self._seen:
            try:
                source = self._source(path)
            except UsageError:
                self._seen[path] = None
            else:
                reader = _reader(path)
                shown = reader(source) if reader else ()
                self._seen[path] = (shown, len(source.text))
        return self._seen[path]


def _reader(path: str) -> Callable[[Source], tuple[Sighting, ...]] | None:
    """Return the function that reads a file of a program; None for other files."""
    suffix = path.rpartition(".")[2].lower()
    if suffix in ("cs", "fs", "vb"):
        return lambda source: () if says_nothing(source.text) else seen_in_code(source, suffix)
    if suffix == "json" and _SETTINGS_FILE.search(path):
        return seen_in_settings
    if suffix == "config" and _LOG_FILE.search(path):
        return seen_in_log_configuration
    return None
