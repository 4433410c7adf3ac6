"""Which files of a folder matter, and as what; touches disk only to list and to read.

Longer than a module should be: listing, kinds and reading share one pass over the paths, which is
what makes it fast.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.documents.msbuild import is_msbuild
from hardhull.documents.source import FileKind, Source, oversized
from hardhull.globs import matcher
from hardhull.model import Skipped, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Replaced = Mapping[str, Callable[[], bytes] | None]
    """By path, what brings the bytes that stand there instead; None where nothing does."""

MAX_EVIDENCE_LINE = 16 * 1024
SIZE_CAP = 4 * 1024 * 1024
_KEEP_EVIDENCE = 64 * 1024
_BOM = b"\xef\xbb\xbf"

_NOT_WALKED = frozenset({"bin", "obj", "node_modules", ".git"})
_CONTAINERFILE = re.compile(r"(?:.+[.-])?(?:dockerfile|containerfile)(?:[._-].*)?")
_NOT_CONTAINERFILE = re.compile(
    r"\.(?:md|png|jpe?g|gif|svg|cs|fs|vb|ts|tsx|js|mjs|py|go|java|kt|rb|rs|php|json|jsonc|txt|html?"
    r"|css|xml|ya?ml|toml|sh|ps1|cmd|bat|props|targets|csproj|log|orig|rej|swp|(?:docker)?ignore)$"
)
_TEMPLATE = re.compile(r"\.(?:j2|jinja2?|tpl|tmpl|template|gotmpl|erb|mustache|hbs|liquid)$")
_EVIDENCE_SUFFIX = re.compile(
    r"\.(?:cs|fs|vb|(?:cs|fs|vb|dc)proj|props|targets|pubxml|sh|psm?1|cmd|bat|groovy|hcl|bicep|tf|conf|config"
    r"|env|mk|dockerignore)$"
)
_EVIDENCE_NAME = re.compile(
    r"(?:appsettings.*|launchsettings|ocelot.*|yarp.*|nlog.*|serilog.*|hosting|local\.settings|global"
    r"|.*deploy.*|taskdef.*|task-definition.*|dockerrun\.aws|docker-bake.*)\.json"
    r"|renovate.*\.json[5c]?|\.renovaterc.*|(?:gnu)?makefile|justfile|tiltfile|earthfile|caddyfile"
    r"|jenkinsfile.*|kustomization|haproxy\.cfg|\.env(?:\..*)?"
)
_OF_AN_IMAGE = re.compile(rb"<container[a-z]+", re.IGNORECASE)
"""What an MSBuild file must hold to say something of the image that the SDK publishes."""
_TOOL_YAML = re.compile(
    r"(?:azure-pipelines.*|.*\.gitlab-ci|skaffold.*|tye.*|devspace|azds|azure|render|cloudbuild.*"
    r"|kustomization|values.*|.*[.-]values|chart|taskfile.*|\.travis|appveyor|\.drone|buildspec.*"
    r"|bitbucket-pipelines|action|garden|okteto|werf|\.pre-commit-config)\.ya?ml"
)
_CHART_VALUES = re.compile(
    r"(?:chart|requirements|values(?:[._-].*)?|.*[._-]values)\.ya?ml|values\.schema\.json"
)
_TOOL_FOLDER = re.compile(r"(?:^|/)\.(?:github|gitlab|circleci|azure-pipelines|azuredevops)/")
_COMPOSE_NAME = re.compile(r"(?:.*[.-])?(?:docker-)?compose(?:[._-].*)?\.ya?ml")
_JSON_FOLDER = re.compile(
    r"(?:^|/)(?:k8s|kube|kubernetes|manifests?|deploy(?:ment)?s?|openshift)/", re.IGNORECASE
)
_API_VERSION = re.compile(rb"(?:^[ \t-]*|[{,]\s*)[\"']?apiVersion[\"']?\s*:", re.MULTILINE)
_JSON_PATCH = re.compile(rb"\s*\[\s*\{[^}]*\"op\"")
_KIND = re.compile(rb"(?:^[ \t-]*|[{,]\s*)[\"']?kind[\"']?\s*:", re.MULTILINE)
_SERVICES = re.compile(rb"^[\"']?services[\"']?\s*:", re.MULTILINE)
_LISTED_SERVICES = re.compile(
    rb"^services\s*:[^\n]*\n(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t]*-", re.MULTILINE
)
_SERVICE_KEY = re.compile(rb"[\s{,\"'](?:image|build|extends)[\"']?\s*:")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that matters: `path` is POSIX and relative to the root."""

    path: str
    kind: FileKind
    location: str = field(repr=False)
    data: bytes | None = field(default=None, repr=False, compare=False)
    """Its bytes where finding out the kind took reading them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds, sorted by path. `links` maps symlinked files to their targets.

    What no rule may edit but may have to be searched (excluded files, say) is among the files
    as evidence.
    """

    root: Path
    files: dict[str, FileEntry]
    skipped: tuple[Skipped, ...] = ()
    links: dict[str, str] = field(default_factory=dict)

    def of_kind(self, kind: FileKind) -> tuple[FileEntry, ...]:
        """Return the entries of one kind, by path."""
        return tuple(entry for entry in self.files.values() if entry.kind is kind)

    def source(self, path: str) -> Source:
        """Read one of the files; raises UsageError when it went away."""
        return read(self.files[path])


def discover(
    root: Path,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    replaced: Replaced | None = None,
) -> Found:
    """List the files under `root` that matter.

    `include` and `exclude` are globs that say what may be edited; the rest is evidence.
    `replaced` makes it another state of the folder: these files are not read from disk, and are
    only asked for if their name matters.
    """
    if not root.is_dir():
        raise UsageError(f"{root.as_posix()}: not a folder; give the folder of a repository")
    look = _Look(root.resolve(), matcher(include), matcher(exclude), replaced or {})
    for path in look.listing:
        look.at(path)
    return Found(
        look.root,
        dict(sorted(look.files.items())),
        tuple(sorted(look.skipped, key=lambda skip: skip.path)),
        dict(sorted(look.links.items())),
    )


def read(entry: FileEntry) -> Source:
    """Read a file. Raises UsageError when it went away or closed since it was found."""
    data = _read_bytes(entry.location) if entry.data is None else entry.data
    if not isinstance(data, bytes):
        raise UsageError(f"{entry.path}: {data or 'went away'} while hardhull was reading it")
    source = Source.from_bytes(entry.path, entry.kind, data)
    if entry.kind is FileKind.EVIDENCE:
        line, reason = oversized(source.text, MAX_EVIDENCE_LINE)
        if line:
            raise UsageError(f"{entry.path}:{line}: {reason}, so it is not read")
    return source


class _Look:
    """One look at one root: collects while it goes."""

    def __init__(
        self,
        root: Path,
        include: re.Pattern[str] | None,
        exclude: re.Pattern[str] | None,
        replaced: Replaced,
    ) -> None:
        self.root, self.replaced = root, replaced
        self.prefix = str(root).rstrip(os.sep) + os.sep
        self.include, self.exclude = include, exclude
        self.files: dict[str, FileEntry] = {}
        self.skipped: list[Skipped] = []
        self.links: dict[str, str] = {}
        self.real_folders: dict[str, bool] = {"": True}
        self.listing = self.list_paths()
        self.charts = {
            path.removesuffix("Chart.yaml")
            for path in self.listing
            if path == "Chart.yaml" or path.endswith("/Chart.yaml")
        }

        self.kustomized = {
            path.rpartition("/")[0]
            for path in self.listing
            if path.rpartition("/")[2].lower().startswith("kustomization")
        }

    def list_paths(self) -> dict[str, None]:
        listed = _git_listing(self.root)
        if listed is None and (self.root / ".git").exists():
            self.skip(".", "git could not list this folder, so it was walked; ignored files count")
        # Nothing listed: the folder is new, empty or ignored by a repository above it.
        paths = dict.fromkeys((*(listed or _walk(self.root)), *self.replaced))
        return {path: None for path in paths if self.replaced.get(path, path) is not None}

    def skip(self, path: str, reason: str) -> None:
        self.skipped.append(Skipped(path, 0, reason))

    def at(self, path: str) -> None:
        """Take the file at `path` in, if it matters."""
        name = path.rpartition("/")[2].lower()
        kind = self.kind_by_name(path, name)
        if path == "package.json":
            self.take_package(path)
        if kind is None or not self.in_real_folder(path.rpartition("/")[0]):
            return
        self.take(path, path, name, kind)

    def take(self, path: str, named: str, name: str, kind: FileKind) -> None:
        location = self.prefix + path
        if instead := self.replaced.get(path):
            self.take_instead(path, name, kind, instead())
            return
        if kind is FileKind.EVIDENCE and not name.endswith((".yaml", ".yml")):
            status = _status(location)
            if status == "":
                self.add(path, kind, None)
            else:
                self.odd(named, path, name, kind, status)
            return
        data = _read_bytes(location)
        if not isinstance(data, bytes):
            self.odd(named, path, name, kind, data)
        else:
            self.take_bytes(path, name, kind, data)

    def take_instead(self, path: str, name: str, kind: FileKind, data: bytes) -> None:
        if kind is FileKind.EVIDENCE and not name.endswith((".yaml", ".yml")):
            self.files[path] = FileEntry(path, kind, self.prefix + path, data)
            return
        self.take_bytes(path, name, kind, data)
        if path in self.files:  # however large: the disk holds something else
            self.files[path] = replace(self.files[path], data=data)

    def take_bytes(self, path: str, name: str, kind: FileKind, data: bytes) -> None:
        if b"\0" in data[:1024] and kind is FileKind.MSBUILD:
            kind = FileKind.EVIDENCE  # in another encoding: read no further than before
        elif b"\0" in data[:1024]:
            self.skip(path, "not a UTF-8 text file")
            return
        kind = self.kind_by_content(name, kind, data)
        named = name.endswith((".yaml", ".yml")) or is_msbuild(name)
        if kind is not FileKind.EVIDENCE or named or _JSON_PATCH.match(data):
            self.add(path, kind, data)

    def take_package(self, path: str) -> None:
        """A package.json is no evidence of anything but of Renovate's settings, if it has any."""
        data = _read_bytes(self.prefix + path)
        if isinstance(data, bytes) and b'"renovate"' in data:
            self.add(path, FileKind.EVIDENCE, data)

    def odd(self, named: str, path: str, name: str, kind: FileKind, what: str | None) -> None:
        """Follow a symlink, and skip what is no plain readable file (None: nothing is there)."""
        if what == "symlink" and named == path:
            self.follow(path, name, kind)
        elif what and what != "folder":
            self.skip(path, what)

    def follow(self, link: str, name: str, kind: FileKind) -> None:
        try:
            target = os.path.realpath(self.prefix + link, strict=True)
        except OSError:
            self.skip(link, "symlink to nothing")
            return
        if Path(target).is_dir():
            return
        path = target[len(self.prefix) :].replace(os.sep, "/")
        if not target.startswith(self.prefix):
            self.skip(link, "symlink to a file outside the root")
        elif path not in self.listing:
            self.skip(link, "symlink to a file that is not part of the repository")
        else:
            self.links[link] = path
            if self.kind_by_name(path, path.rpartition("/")[2].lower()) is None:
                self.take(path, link, name, kind)

    def add(self, path: str, kind: FileKind, data: bytes | None) -> None:
        if kind is not FileKind.EVIDENCE and not self.editable(path):
            kind = FileKind.EVIDENCE
        if data and kind is FileKind.EVIDENCE and len(data) > _KEEP_EVIDENCE:
            data = None
        self.files[path] = FileEntry(path, kind, self.prefix + path, data)

    def editable(self, path: str) -> bool:
        if self.include is not None and not self.include.match(path):
            return False
        return self.exclude is None or not self.exclude.match(path)

    def in_real_folder(self, folder: str) -> bool:
        """Say no below a symlinked folder: an index can name files there, though git made none."""
        known = self.real_folders.get(folder)
        if known is None:
            known = (
                self.in_real_folder(folder.rpartition("/")[0])
                and not os.path.islink(self.prefix + folder)  # noqa: PTH114  many folders
            )
            self.real_folders[folder] = known
        return known

    def kind_by_name(self, path: str, name: str) -> FileKind | None:
        """Return the kind a name promises; YAML means that the content decides."""
        if self.charts and (part := self.part_of_chart(path, name)) is not None:
            return part
        kind: FileKind | None = None
        suffix = name.rpartition(".")[2]
        if path.startswith("node_modules/") or "/node_modules/" in path:
            pass
        elif _CONTAINERFILE.fullmatch(name) and not _NOT_CONTAINERFILE.search(name):
            kind = FileKind.DOCKERFILE
            if _TEMPLATE.search(name):
                self.skip(path, "Dockerfile template")
                kind = FileKind.EVIDENCE
        elif _EVIDENCE_SUFFIX.search(name) or _EVIDENCE_NAME.fullmatch(name):
            kind = FileKind.MSBUILD if is_msbuild(name) else FileKind.EVIDENCE
        elif suffix in ("yaml", "yml"):
            kind = FileKind.EVIDENCE if _TOOL_YAML.fullmatch(name) else FileKind.YAML
        elif suffix == "json":
            beside = path.rpartition("/")[0] in self.kustomized
            kind = FileKind.YAML if beside or _JSON_FOLDER.search(path) else None
        elif _TEMPLATE.search(name):
            kind = FileKind.EVIDENCE
        in_tools = path[0] == "." or "/." in path
        if kind and kind is not FileKind.EVIDENCE and in_tools and _TOOL_FOLDER.search(path):
            kind = FileKind.EVIDENCE
        return kind

    def kind_by_content(self, name: str, kind: FileKind, data: bytes) -> FileKind:
        if kind is FileKind.MSBUILD:
            return kind if _OF_AN_IMAGE.search(data) else FileKind.EVIDENCE
        if kind is not FileKind.YAML:
            return kind
        data = data.removeprefix(_BOM)
        if _is_manifest(data) or (not name.endswith(".json") and _is_compose(name, data)):
            return FileKind.YAML
        return FileKind.EVIDENCE

    def part_of_chart(self, path: str, name: str) -> FileKind | None:
        """Return what a file is to the Helm chart that holds it, if it is more than evidence."""
        if not name.endswith((".yaml", ".yml", ".tpl", ".json")):
            return None
        if _CHART_VALUES.fullmatch(name):
            return FileKind.VALUES if path[: len(path) - len(name)] in self.charts else None
        chart, templates, _ = path.rpartition("templates/")
        while templates and not name.endswith(".json"):
            if chart in self.charts:
                return FileKind.CHART
            chart, templates, _ = chart.rpartition("templates/")
        return None


def _is_manifest(data: bytes) -> bool:
    return (
        b"apiVersion" in data
        and _KIND.search(data) is not None
        and _API_VERSION.search(data) is not None
    )


def _is_compose(name: str, data: bytes) -> bool:
    if _COMPOSE_NAME.fullmatch(name):
        return True
    return (
        b"services" in data
        and _SERVICES.search(data) is not None
        and _SERVICE_KEY.search(data) is not None
        and _LISTED_SERVICES.search(data) is None
    )


def _status(location: str) -> str | None:
    """Return what stands in the way of reading a file: "" for nothing, None if none is there."""
    try:
        return _trouble(os.lstat(location))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"can't be read: {error.strerror}"


def _trouble(status: os.stat_result) -> str:
    match stat.S_IFMT(status.st_mode):
        case stat.S_IFLNK:
            return "symlink"
        case stat.S_IFDIR:
            return "folder"
        case stat.S_IFREG:
            return "" if status.st_size <= SIZE_CAP else "larger than 4 MiB"
        case _:
            return "not a plain file"


# A symlink is never opened, and a named pipe must not hang the run.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def _read_bytes(location: str) -> bytes | str | None:
    """Return the bytes of a plain file; else what stands in the way, as `_status` says it."""
    if not hasattr(os, "O_NOFOLLOW") and (before := _status(location)) != "":
        return before
    try:
        handle = os.open(location, _FLAGS)
    except OSError as error:
        # `_status` tells a symlink and a file that is gone from one that is closed to us.
        now = _status(location)
        return f"can't be read: {error.strerror}" if now == "" else now
    try:
        status = os.fstat(handle)
        if trouble := _trouble(status):
            return trouble
        data = os.read(handle, status.st_size + 1)
        while len(data) != status.st_size and (piece := os.read(handle, 65536)):
            data += piece
    except OSError as error:
        return f"can't be read: {error.strerror}"
    else:
        return data
    finally:
        os.close(handle)


def _git_listing(root: Path) -> list[str] | None:
    """Tracked and untracked-not-ignored paths below `root`; None where git can't say."""
    program = shutil.which("git")
    if program is None or Path(program).resolve().is_relative_to(root):
        return None
    # The repository may be hostile: nothing that its configuration names is started.
    options = (
        f"core.hooksPath={os.devnull}",
        "core.fsmonitor=false",
        "core.untrackedCache=false",
        "safe.directory=*",
    )
    command = [program, "--no-pager", *(part for option in options for part in ("-c", option))]
    command += ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    environment |= {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603  # found on the PATH, with options of ours
            command,
            check=False,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except OSError:
        return None
    if done.returncode:
        return None
    return [
        path
        for path in os.fsdecode(done.stdout).split("\0")
        if path and path[-1] != "/" and ".." not in path.split("/") and path[0] != "/"
    ]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _NOT_WALKED)
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        yield from (prefix + name for name in sorted(names))
