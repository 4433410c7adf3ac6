"""Which update tool keeps the digests of a file fresh: Renovate or Dependabot, by their settings.

Which files each looks at is written down here as their own sources and documentation have it.
What a preset of somebody else's or an odd pattern says is not known: then the tool counts.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.globs import fits
from hardhull.project.references import ImageUse, Place
from hardhull.project.renovate import CONFIGS as RENOVATE_CONFIGS
from hardhull.project.renovate import Renovate, read_renovate, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.documents.source import Source
    from hardhull.documents.yaml import Cursor
    from hardhull.project.evidence import EvidenceTexts

DEPENDABOT_CONFIGS: Final = (".github/dependabot.yml", ".github/dependabot.yaml")
_DOCKERFILE = re.compile(r"dockerfile|containerfile", re.IGNORECASE)
_COMPOSE = re.compile(r"(?:docker-)?compose(?:-\w+)?(?:\.[\w-]+)?\.ya?ml", re.IGNORECASE)
_YAML = re.compile(r"[^.].*\.ya?ml", re.IGNORECASE)
_OURSELVES = re.compile(r"hardhull")
_ABOUT_ONE = re.compile(r"\bdocker (?:tag|digest)\b|\bfrom \S+ to \S+", re.IGNORECASE)
"""How Renovate's and Dependabot's own titles speak of one image."""
_SCHEDULE = re.compile(r"^[ \t]*[\"']?schedule[\"']?\s*:", re.MULTILINE)
_MOST_FOLDERS: Final = 1000
"""So many folders are compared with: nobody writes more, but for harm."""
_GLOB = re.compile(r"[*?\[{]")


@dataclass(frozen=True, slots=True)
class Updater:
    """An update tool that keeps digests fresh, and by which setting."""

    tool: str
    setting: str
    pins: bool = False
    """Whether it adds digests too."""

    def __str__(self) -> str:
        return f"{self.tool} ({self.setting}{', which adds pins too' if self.pins else ''})"


@dataclass(frozen=True, slots=True)
class OpenUpdate:
    """An open pull request of an update tool, and which files it changes; None: not known."""

    tool: str
    number: int
    title: str
    branch: str
    paths: frozenset[str] | None = None

    def __str__(self) -> str:
        return f"{self.tool}'s pull request {self.number}"

    def covers(self, use: ImageUse) -> bool:
        """Whether it changes this file, and may be about this image.

        Where its title says that it is about one image, that image counts. Of a group, or in a
        team's own words, it can't be told: then it may be about any image of the file.
        """
        if use.reference is None or (self.paths is not None and use.path not in self.paths):
            return False
        if _ABOUT_ONE.search(self.title) is None:
            return True
        name = re.escape(posixpath.basename(use.reference.repository).lower())
        said = f"{self.title} {self.branch}".lower()
        return re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", said) is not None


@dataclass(frozen=True)
class Updaters:
    """The update tools of a repository, as its settings for them say."""

    renovate: Renovate | None = None
    dependabot: tuple[Watch, ...] = ()
    open: tuple[OpenUpdate, ...] = ()

    def bringing(self, use: ImageUse) -> OpenUpdate | None:
        """The open pull request that updates a reference; None if none is known."""
        return next((one for one in self.open if one.covers(use)), None)

    def of(self, use: ImageUse) -> Updater | None:
        """Who refreshes the digest of a reference; None if nobody is known."""
        if self.renovate is not None and self.renovate.covers(use):
            return Updater("Renovate", self.renovate.path, self.renovate.pins)
        for watch in self.dependabot:
            if watch.covers(use):
                return Updater("Dependabot", watch.setting)
        return None


@dataclass(frozen=True, slots=True)
class Watch:
    """One entry of Dependabot's settings that is about images."""

    path: str
    ecosystem: str
    folders: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    @property
    def setting(self) -> str:
        """Where it stands, as people find it."""
        return f"{self.path}: {self.ecosystem}, {', '.join(self.folders)}"

    def covers(self, use: ImageUse) -> bool:
        """Whether it reads this file and finds this reference in it."""
        folder, name = posixpath.split(use.path)
        if not any(_is_folder(folder, listed) for listed in self.folders):
            return False
        return not fits(use.path, self.excluded) and self._reads(name, use)

    def _reads(self, name: str, use: ImageUse) -> bool:
        match use.place:
            case Place.FROM:
                # It reads neither variables nor the images that files are copied from.
                return (
                    self.ecosystem == "docker"
                    and _DOCKERFILE.search(name) is not None
                    and "$" not in use.text
                )
            case Place.COMPOSE:
                return self.ecosystem == "docker-compose" and _COMPOSE.search(name) is not None
            case Place.KUBERNETES:
                return self.ecosystem == "docker" and _YAML.fullmatch(name) is not None
            case Place.COPY | Place.MOUNT | Place.SYNTAX | Place.KUSTOMIZATION | Place.PROJECT:
                return False


def scheduled_run(texts: EvidenceTexts) -> str | None:
    """The workflow that runs hardhull by the clock, if there is one."""
    for source, _ in texts.first_matches(_OURSELVES, ("hardhull",), (".yml", ".yaml")):
        if source.path.startswith(".github/workflows/") and _SCHEDULE.search(source.text):
            return source.path
    return None


def read_updaters(texts: EvidenceTexts) -> Updaters:
    """Read the settings of update tools, where there are any."""
    renovate = None
    for path in RENOVATE_CONFIGS:  # the first one counts
        source = texts.source(path)
        if source is not None:
            renovate = read_renovate(source)
        elif path in texts.paths():
            renovate = unreadable(path)
        if renovate is not None:
            break
    watches: list[Watch] = []
    for path in DEPENDABOT_CONFIGS:
        source = texts.source(path)
        if source is not None:
            watches += watches_of(source)
            break
    return Updaters(renovate, tuple(watches))


def watches_of(source: Source) -> Iterable[Watch]:
    """The entries of Dependabot's settings that are about images, but for those switched off."""
    file = read_yaml(source)
    root = next(iter([] if isinstance(file, Unreadable) else file.cursors), None)
    listed = root.get("updates") if root is not None else None
    left = _MOST_FOLDERS
    for entry in listed.items() if listed is not None else ():
        ecosystem = _text(entry.get("package-ecosystem"))
        folders = [*_texts(entry.get("directories")), *_texts(entry.get("directory"))]
        if ecosystem not in ("docker", "docker-compose") or not folders or _is_off(entry):
            continue
        excluded = tuple(_texts(entry.get("exclude-paths"))[:_MOST_FOLDERS])
        yield Watch(source.path, ecosystem, tuple(folders[:left]), excluded)
        left -= len(folders)
        if left <= 0:
            break


def _is_off(entry: Cursor) -> bool:
    """Whether it opens no pull requests, or none for any image."""
    limit = entry.get("open-pull-requests-limit")
    if limit is not None and limit.as_int() == 0:
        return True
    ignored = entry.get("ignore")
    return any(
        _text(item.get("dependency-name")) == "*"
        and item.get("versions") is None
        and item.get("update-types") is None
        for item in (ignored.items() if ignored is not None else ())
    )


def _is_folder(folder: str, listed: str) -> bool:
    """Whether an entry's folder is this one; below it nothing is looked at."""
    wanted = listed.strip("/").removeprefix("./")
    if not _GLOB.search(wanted):
        return folder == ("" if wanted == "." else wanted.rstrip("/"))
    if wanted in ("**", "**/*"):
        return True
    # A glob here names folders: what lies deeper is named by `**` alone.
    depth_free = "**" in wanted
    same_depth = folder.count("/") == wanted.count("/")
    return bool(folder) and (depth_free or same_depth) and fits(folder, (f"/{wanted}",))


def _text(cursor: Cursor | None) -> str:
    return (cursor.text or "") if cursor is not None else ""


def _texts(cursor: Cursor | None) -> list[str]:
    """The strings of a list, or the one string."""
    if cursor is None:
        return []
    return [text for one in cursor.items() or [cursor] if (text := one.text)]
