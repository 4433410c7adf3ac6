"""Renovate's settings, as far as they say whether it keeps the digest of a reference fresh."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.globs import fits
from hardhull.project.references import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.project.references import ImageUse

CONFIGS: Final = (
    "renovate.json",
    "renovate.jsonc",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.jsonc",
    ".github/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.jsonc",
    ".renovaterc.json5",
    "package.json",
)
"""Where its settings are, in the order in which it looks."""

_MANAGERS: Final[Mapping[Place, str]] = {
    Place.FROM: "dockerfile",
    Place.COPY: "dockerfile",
    Place.MOUNT: "dockerfile",
    Place.SYNTAX: "dockerfile",
    Place.COMPOSE: "docker-compose",
    Place.KUBERNETES: "kubernetes",
    Place.PROJECT: "nuget",
    Place.KUSTOMIZATION: "kustomize",
}
_FILES: Final[Mapping[str, re.Pattern[str]]] = {
    "dockerfile": re.compile(
        r"(?:.*[/.])?(?:[Dd]ocker|[Cc]ontainer)file|(?:.*/)?(?:[Dd]ocker|[Cc]ontainer)file[^/]*"
    ),
    "docker-compose": re.compile(r"(?:.*/)?(?:docker-)?compose[^/]*\.ya?ml"),
    "nuget": re.compile(r".*\.(?:(?:cs|fs|vb)proj|props|targets)"),
    "kustomize": re.compile(r"(?:.*/)?kustomization\.ya?ml"),
}
"""Which files each manager reads by itself; the one for manifests reads none unless it is told."""
_IGNORED: Final = (
    "**/node_modules/**",
    "**/bower_components/**",
    "**/vendor/**",
    "**/examples/**",
    "**/__tests__/**",
    "**/test/**",
    "**/tests/**",
    "**/__fixtures__/**",
)
_IGNORING: Final = frozenset(
    {
        "config:recommended",
        "config:base",
        "config:best-practices",
        "config:js-app",
        "config:js-lib",
        ":ignoreModulesAndTests",
    }
)
_PINNING: Final = frozenset({"config:best-practices", "docker:pinDigests"})
_OFF: Final = frozenset({":disableRenovate", "docker:disable", ":disableDigestUpdates"})
_RULE_KEYS: Final = frozenset(
    {
        "description",
        "enabled",
        "matchDatasources",
        "matchManagers",
        "matchUpdateTypes",
        "matchFileNames",
        "matchPaths",
    }
)
# Whatever begins ends here too, at the latest with its line: tried again and again at each next
# quote, text that never ends would take forever.
_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*(?:"|(?=\n)|\\?\Z)|'(?:\\.|[^'\\\n])*(?:'|(?=\n)|\\?\Z))"""
    r"|//[^\n]*|/\*.*?(?:\*/|\Z)",
    re.DOTALL,
)
_PLAIN_PATTERN = re.compile(
    r"\^?(?:\(\^\|/\)|\(\?:\^\|/\))?(?P<body>(?:[\w/-]|\\[./-]|\.[*+]|ya\?ml|\[\^/\][*+])*)\$?"
)
_MOST = 500
"""So many entries of a list are read: nobody writes more, but for harm."""
_MOST_FREE = 2
_LONGEST_PATH = 120
"""Beyond these a pattern is not tried: whoever writes both could make that last forever."""


@dataclass(frozen=True)
class Renovate:
    """What the settings at `path` say. `files` are patterns of further files, by manager."""

    path: str
    managers: frozenset[str] | None = None
    """Those that are switched on; None is all that are not in `off`."""
    off: frozenset[str] = frozenset()
    ignored: tuple[tuple[str, str], ...] = ()
    """Patterns of files that are left out, with the manager it is for; empty is all."""
    included: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    without: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = ()
    """Rules that switch it off: for these managers (none is all), in these files (none is all)."""
    pins: bool = False

    def covers(self, use: ImageUse) -> bool:
        """Whether it reads this file, and refreshes digests there."""
        manager = _MANAGERS[use.place]
        if use.entry is not None and None not in map(use.entry.text, ("newTag", "digest")):
            return False  # it leaves alone what says both
        if manager in self.off or (self.managers is not None and manager not in self.managers):
            return False
        if self.included and not _fits(use.path, self.included):
            return False
        ignored = (glob for only, glob in self.ignored if only in ("", manager))
        if _fits(use.path, ignored) or not self._reads(manager, use.path):
            return False
        return not any(
            (not managers or manager in managers) and (not globs or _fits(use.path, globs))
            for managers, globs in self.without
        )

    def _reads(self, manager: str, path: str) -> bool:
        known = _FILES.get(manager)
        if known is not None and known.fullmatch(path):
            return True
        return any(_may_match(pattern, path) for name, pattern in self.files if name == manager)


def read_renovate(source: Source) -> Renovate | None:
    """Read settings; None where there are none (a package.json without a `renovate`)."""
    text = _COMMENT.sub(lambda match: match[1] or " ", source.text)
    # Without comments JSON5 is YAML, as far as these files use it: bare keys, single quotes.
    file = read_yaml(Source(source.path, FileKind.EVIDENCE, text))
    root = next(iter([] if isinstance(file, Unreadable) else file.cursors), None)
    if source.path == "package.json":
        root = root.get("renovate") if root is not None else None
        if root is None:
            return None
    return _settings(source.path, root) if root is not None else unreadable(source.path)


def unreadable(path: str) -> Renovate:
    """Settings that are there and can't be read: Renovate counts, with what it does by itself."""
    return Renovate(f"{path}, which can't be read")


def _settings(path: str, root: Cursor) -> Renovate:
    extended = frozenset(_texts(root.get("extends"))) - {*_texts(root.get("ignorePresets"))}
    off = {name for name in set(_MANAGERS.values()) if _is_false(root.get(name, "enabled"))}
    whole_off = (
        _is_false(root.get("enabled"))
        or _is_false(root.get("digest", "enabled"))
        or _is_false(root.get("docker", "enabled"))
        or bool(extended & _OFF)
    )
    ignored = root.get("ignorePaths")
    everywhere = _texts(ignored) if ignored is not None else _IGNORED * bool(extended & _IGNORING)
    enabled = root.get("enabledManagers")
    rules = root.get("packageRules")
    items = rules.items()[:_MOST] if rules is not None else []
    return Renovate(
        path,
        frozenset(_texts(enabled)) if enabled is not None else None,
        frozenset(_MANAGERS.values()) if whole_off else frozenset(off),
        (*(("", glob) for glob in everywhere), *_of_managers(root, "ignorePaths")),
        tuple(_texts(root.get("includePaths"))),
        tuple(_files(root)),
        tuple(rule for item in items if (rule := _switched_off(item)) is not None),
        bool(extended & _PINNING) or _is_true(root.get("pinDigests")) or any(
            _is_true(item.get("pinDigests")) and _is_about_images(item) for item in items
        ),
    )  # fmt: skip


def _files(root: Cursor) -> Iterable[tuple[str, str]]:
    yield from _of_managers(root, "managerFilePatterns")
    for manager, pattern in _of_managers(root, "fileMatch"):  # its name until 2025
        yield manager, f"/{pattern}/"


def _of_managers(root: Cursor, key: str) -> Iterable[tuple[str, str]]:
    """The strings that managers have under a key, with the manager's name."""
    for manager in sorted(set(_MANAGERS.values())):
        for text in _texts(root.get(manager, key)):
            yield manager, text


def _switched_off(rule: Cursor) -> tuple[frozenset[str], tuple[str, ...]] | None:
    """A rule that stops updates of digests; None if it is about some images, or something else."""
    if not _is_false(rule.get("enabled")) or not {name for name, _ in rule.pairs()} <= _RULE_KEYS:
        return None
    kinds = {*_texts(rule.get("matchUpdateTypes"))}
    if not _is_about_images(rule) or (kinds and "digest" not in kinds):
        return None
    globs = (*_texts(rule.get("matchFileNames")), *_texts(rule.get("matchPaths")))
    return frozenset(_texts(rule.get("matchManagers"))), globs


def _is_about_images(rule: Cursor) -> bool:
    sources, managers = ({*_texts(rule.get(key))} for key in ("matchDatasources", "matchManagers"))
    return (not sources or "docker" in sources) and (
        not managers or bool(managers & {*_MANAGERS.values()})
    )


def _may_match(pattern: str, path: str) -> bool:
    """Whether a pattern fits a path; one that is too free to be tried does."""
    if not (pattern.startswith("/") and pattern.rstrip("i").endswith("/")):
        return _fits(path, (pattern,))
    expression = pattern[1:].rstrip("i").removesuffix("/")
    plain = _PLAIN_PATTERN.fullmatch(expression)
    free = len(re.findall(r"[*+]", plain["body"])) if plain is not None else _MOST_FREE + 1
    if free > _MOST_FREE or len(path) > _LONGEST_PATH:
        return True
    return re.search(expression, path) is not None


def _fits(path: str, globs: Iterable[str]) -> bool:
    """Whether one of these globs, or parts of paths, fits."""
    globs = tuple(globs)
    return fits(path, globs) or any(glob in path for glob in globs if glob)


def _is_false(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.as_bool() is False


def _is_true(cursor: Cursor | None) -> bool:
    return cursor is not None and cursor.as_bool() is True


def _texts(cursor: Cursor | None) -> list[str]:
    """The strings of a list, or the one string."""
    if cursor is None:
        return []
    return [text for one in cursor.items()[:_MOST] or [cursor] if (text := one.text)]
