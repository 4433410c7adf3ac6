"""Who installs the charts of a repository, and with which values: what is laid over a chart.

Read are `helm install -f …` in scripts and workflows, the HelmDeploy task of Azure Pipelines,
helmfile, Skaffold, Applications of Argo CD and HelmReleases of Flux. A name that is filled in later
(`env/$ENVIRONMENT.yaml`) is every file that it may become; a chart that is, every chart.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from hardhull.documents.document import read
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Skipped
from hardhull.project.filled_in import FILLED_IN, by_parts, meant
from hardhull.project.writers import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.document import Document
    from hardhull.documents.source import Source
    from hardhull.documents.yaml import Cursor
    from hardhull.model import Address
    from hardhull.project.evidence import EvidenceTexts

_CONTINUED = re.compile(r"[\\`^][ \t]*\r?\n[ \t]*")
_COMMAND = re.compile(
    r"\bhelm(?:3|\.exe)?[ \t][^\n;|&]{0,300}?\b(?:upgrade|install|template)[ \t]+(?P<rest>[^\n]*)"
)
_END = re.compile(r"\s(?:&&|\|\|?)\s|;(?:\s|$)")
_ALONE: Final = re.compile(
    r"-[ig]|--(?:install|wait(?:-for-jobs)?|atomic|debug|create-namespace|force(?:-conflicts)?"
    r"|re(?:use|set)-values|reset-then-reuse-values|dependency-update|replace|cleanup-on-fail"
    r"|no-hooks|verify|skip-\w+|include-crds|generate-name|dry-run|disable-openapi-validation|devel"
    r"|render-subchart-notes|take-ownership|rollback-on-failure|insecure-skip-tls-verify"
    r"|plain-http|validate|is-upgrade)"
)
"""Options of helm that no value follows."""
_FILES: Final = ("valueFiles", "valuesFiles", "valueFile", "values")
_INLINE: Final = ("valuesObject", "values")
_SETS: Final = ("set", "setValues", "setValueTemplates", "parameters", "setString", "forceString")
_SIGNS: Final = (
    "valueFile",
    "valuesFile",
    "valuesObject",
    "HelmRelease",
    "releases:",
    "helm:",
    "chartPath",
)
_MOST: Final = 40
"""So many values files of one chart are looked at."""
_TOO_MANY: Final = f"laid over this chart elsewhere: {_MOST} of them are looked at"
_ABOUT: Final = "Chart.yaml"


class Given(NamedTuple):
    """Values laid over a chart: a whole file, or the place in a file where they stand."""

    path: str
    at: Address = ()


@dataclass(frozen=True)
class Installs:
    """What is laid over each chart, by its folder; and the values that are set one by one."""

    given: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    """Keys of values that something sets, each with the `path:line`."""

    skipped: tuple[Skipped, ...] = ()


@dataclass
class _Use:
    """One place where a chart is installed; names are as they are written there."""

    place: str
    chart: str
    near: tuple[str, ...]
    files: list[str] = field(default_factory=list)
    inline: list[Cursor] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)


def read_installs(
    texts: EvidenceTexts, documents: Mapping[str, Document]
) -> tuple[Installs, dict[str, Document]]:
    """Find who lays what over the charts; with the documents, not yet read, that values are in."""
    charts = by_parts(posixpath.dirname(p) for p in documents if posixpath.basename(p) == _ABOUT)
    if not charts:
        return Installs(), {}
    files = by_parts(p for p in {*texts.paths(), *documents} if p.endswith((".yaml", ".yml")))
    given: dict[str, dict[Given, None]] = {}
    sets: dict[str, str] = {}
    for use in _uses(texts, documents):
        for key in use.sets:
            sets.setdefault(key, use.place)
        for chart in meant(use.chart, ("", *use.near), charts, any_of=True):
            found = given.setdefault(chart, {})
            for name in use.files:
                for path in meant(name, ("", *use.near, chart), files, any_of=False):
                    if posixpath.dirname(path) != chart:  # those beside it are known anyway
                        found[Given(path)] = None
            for cursor in use.inline:
                found[Given(cursor.path, cursor.address)] = None
    ordered = {chart: sorted(found, key=repr) for chart, found in given.items() if found}
    skipped = tuple(
        Skipped(posixpath.join(chart, _ABOUT), 1, f"{len(found)} values files are {_TOO_MANY}")
        for chart, found in ordered.items()
        if len(found) > _MOST
    )
    fewer = {chart: tuple(found[:_MOST]) for chart, found in ordered.items()}
    more = _opened(fewer, texts, documents)
    known = {*more, *documents}
    read_ones = {c: tuple(g for g in found if g.path in known) for c, found in fewer.items()}
    return Installs(read_ones, sets, skipped), more


def _opened(
    given: Mapping[str, tuple[Given, ...]],
    texts: EvidenceTexts,
    documents: Mapping[str, Document],
) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for path in {one.path for listed in given.values() for one in listed}:
        source = texts.source(path) if path not in documents else None
        document = read(source) if source is not None else None
        if isinstance(document, YamlFile):
            found[path] = document
    return found


# ---------------------------------------------------------------- who installs


def _uses(texts: EvidenceTexts, documents: Mapping[str, Document]) -> Iterator[_Use]:
    for source in texts.holding(("helm", *_SIGNS)):
        yield from _commands(source)
        if source.path.endswith((".yaml", ".yml")) and any(s in source.text for s in _SIGNS):
            file = read_yaml(source)
            if not isinstance(file, Unreadable):
                yield from _structures(file)
    for document in documents.values():
        if isinstance(document, YamlFile) and any(s in document.text for s in _SIGNS):
            yield from _structures(document)


def _commands(source: Source) -> Iterator[_Use]:
    if "helm" not in source.text:
        return
    folder = posixpath.dirname(source.path)
    for match in _COMMAND.finditer(_CONTINUED.sub(" ", source.text)):
        rest = _END.split(match["rest"][:4096])[0].replace("\\", "/")
        rest = FILLED_IN.sub(lambda filled: "".join(filled[0].split()), rest)
        try:
            words = shlex.split(rest)
        except ValueError:  # the end of a quote that a pipeline's own language began
            words = [word.strip("\"'") for word in rest.split()]
        use = _Use(place_of(source, match[0]), "", (folder,))
        positional: list[str] = []
        index = 0
        while index < len(words):
            name, equals, value = words[index].partition("=")
            if name.startswith("-") and not equals and not _ALONE.fullmatch(name):
                index += 1
                value = words[index] if index < len(words) else ""
            if name in ("-f", "--values"):
                use.files += value.split(",")
            elif not name.startswith("-"):
                positional.append(words[index])
            index += 1
        if positional and use.files:
            use.chart = positional[-1]
            yield use


def _structures(file: YamlFile) -> Iterator[_Use]:
    """Every mapping that names a chart, and values for it."""
    pending, seen = list(file.cursors), set[int]()
    while pending:
        here = pending.pop()
        if here.shared and id(here.node) in seen:
            continue  # aliases of aliases would never end
        seen.add(id(here.node))
        pending += [value for _, value in here.pairs()] + here.items()
        use = _structure(here) if here.is_mapping else None
        if use is not None and (use.files or use.inline or use.sets):
            yield use


def _structure(here: Cursor) -> _Use | None:
    folder = posixpath.dirname(here.path)
    path, helm = here.get("path"), here.get("helm")
    release = here.get("chart", "spec")
    if path is not None and helm is not None:  # the source of an Application
        return _use(here, path, (), helm)
    if release is not None and release.is_mapping:  # the spec of a HelmRelease
        return _use(here, release.get("chart"), (folder,), release, here)
    # A release of helmfile or Skaffold, or the inputs of a HelmDeploy task.
    return _use(here, here.get("chartPath") or here.get("chart"), (folder,), here)


def _use(here: Cursor, chart: Cursor | None, near: tuple[str, ...], *said: Cursor) -> _Use | None:
    if chart is None or not chart.text:
        return None
    use = _Use(f"{here.path}:{here.line}", chart.text, near)
    for block in said:
        for key in _FILES:
            use.files += _names(block.get(key), alone=key != "values")
        for key in _INLINE:
            found = block.get(key)
            listed = found.items() if found is not None else []
            use.inline += [one for one in listed if one.is_mapping]
            if found is not None and (found.is_mapping or "\n" in (found.text or "")):
                use.inline.append(found)
        for key in _SETS:
            use.sets += _keys(block.get(key))
        overriding = block.get("overrideValues")
        text = (overriding.text or "") if overriding is not None else ""
        use.sets += [pair.partition("=")[0].strip() for pair in re.split(r"[,\n]", text) if pair]
    return use


def _names(found: Cursor | None, *, alone: bool) -> list[str]:
    """Names of files, in a list or alone; `$values/…` is taken to be this repository's root."""
    if found is None or found.is_mapping:
        return []
    texts = [item.text for item in found.items()]
    if alone and not texts:
        texts += re.split(r"[,\n]", found.text or "")
    named = (text.strip() for text in texts if text)
    return [re.sub(r"^\$\w+/", "", name) for name in named if name.endswith((".yaml", ".yml"))]


def _keys(found: Cursor | None) -> list[str]:
    if found is None:
        return []
    named = [item.get("name") for item in found.items()]
    return [key for key, _ in found.pairs()] + [one.text for one in named if one and one.text]
