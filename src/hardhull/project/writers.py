"""Who rewrites image references: commands in workflows and scripts, and kustomizations."""

from __future__ import annotations

import fnmatch
import posixpath
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hardhull.documents.source import Source
    from hardhull.documents.yaml import Cursor
    from hardhull.project.references import ImageUse

_SET_IMAGE = re.compile(
    r"(?P<tool>kustomize edit set image|kubectl (?:\S+ )*?set image)\b(?P<rest>[^\n;&|]*)"
)
# Tools that only fill in placeholders (envsubst) can't change a reference that has none.
_EDITORS = ("sed", "perl", "yq", "jq")
_EDITOR = re.compile(rf"(?<![\w./$-])(?:{'|'.join(_EDITORS)})(?=\s)")
_READS_JSON = re.compile(r"(?<![\w./$-])[yj]q\s")
_PRINTS = re.compile(r"(?<![\w./$-])sed\s+(?:-\w+\s+)*-\w*n\w*\s")
"""`sed -n` prints what it is asked for."""
_WRITES = re.compile(r"\s-\w*i\b|--in-?place|>|\bapply\b|\btee\b|\bsponge\b")
_FILE = re.compile(r"[\w./*${}-]*(?:[\w*}-]+\.ya?ml\b|\b[Dd]ockerfile(?![\w-]*/)[\w.*-]*)(?![\w/])")
_FIND = re.compile(r"\bfind\s+(?P<folder>[^\s-][^\s]*)\s.*?-name\s+[\"']?(?P<name>[\w.*-]+)")
_LOOP = re.compile(r"\bfor\s+(?P<name>\w+)\s+in\s+(?P<files>[^;\n]*)")
_SUBSTITUTION = re.compile(
    r"(?<![\w])s(?P<mark>[/|#@,~!])(?P<old>(?:\\.|(?!(?P=mark)).)*)(?P=mark)"
)
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_CLASS = re.compile(rf"\[:(?P<name>{'|'.join(_CLASSES)}):\]")
"""A character class of POSIX, inside brackets."""
_VARIABLE = re.compile(r"\$(?:\{\{.*?\}\}|\{[^}]*\}|\([^)]*\)|\w+)")
_MOVES = re.compile(r"\b(?:cd|pushd|working-?directory|Set-Location)\b", re.IGNORECASE)
_INCLUDES = ("resources", "bases", "components", "patchesStrategicMerge")


@dataclass(frozen=True, slots=True)
class Writer:
    """Something that rewrites image references.

    What it says of them must all hold: in `files`, of the repository `image`, in the container
    of a workload (`container`, as `name[container]`), on lines that one of `lines` fits.
    """

    evidence: str
    file: str | None = None
    """As a command names it, with wildcards; `folder` is where the command stands."""
    folder: str | None = None
    image: str | None = None
    container: str | None = None
    lines: tuple[str, ...] = ()
    files: frozenset[str] | None = None


def commands(source: Source, joined: str) -> Iterator[Writer]:
    """Commands that set an image, and editors that are let loose on a manifest or Dockerfile."""
    for match in _SET_IMAGE.finditer(joined) if "set image" in joined else ():
        place = place_of(source, match["rest"])
        words = [word.strip("\"'") for word in match["rest"].split()]
        words = [word for word in words if word and not word.startswith("-")]
        yield from (_kubectl if match["tool"].startswith("kubectl") else _kustomize)(place, words)
    if not any(name in joined for name in _EDITORS) or _EDITOR.search(joined) is None:
        return
    # A command that changes the folder first may mean any file of that name.
    folder = None if _MOVES.search(joined) else posixpath.dirname(source.path)
    loops = {match["name"]: match["files"] for match in _LOOP.finditer(joined)}
    for line in joined.splitlines():
        if _EDITOR.search(line) and _can_write(line):
            lines = _changed_lines(line)
            for file in _files(line, loops):
                yield Writer(place_of(source, line), file, folder, lines=lines)


def _kustomize(place: str, words: Sequence[str]) -> Iterator[Writer]:
    for word in words:
        yield Writer(place, image=repository(word.partition("=")[0]))


def _kubectl(place: str, words: Sequence[str]) -> Iterator[Writer]:
    resource = next((word for word in words if "=" not in word), "")
    if "/" not in resource:
        resource = "/".join(word for word in words[:2] if "=" not in word)
    for word in words:
        container, equals, image = word.partition("=")
        if equals:
            yield Writer(place, container=f"{resource.rpartition('/')[2]}[{container}]")
            yield Writer(place, image=repository(image))


def _can_write(line: str) -> bool:
    """A query that changes nothing, or nothing about images, writes no reference."""
    if _PRINTS.search(line) and not re.search(r"\bperl\s", line) and not _WRITES.search(line):
        return False
    if not _READS_JSON.search(line) or re.search(r"\b(?:sed|perl)\s", line):
        return True
    about = "image" in line.lower() or "$" in line
    return about and _WRITES.search(line) is not None


_LONGEST_COMMAND = 4096
"""A longer command line is no person's: it is not searched."""


def _changed_lines(line: str) -> tuple[str, ...]:
    """What lines must hold to be changed, as patterns; none if that can't be told."""
    found = []
    for match in _SUBSTITUTION.finditer(line):
        old = re.sub(r"\\([/|#@,~!:-])", r"\1", match["old"])
        pattern = "\0".join(_VARIABLE.split(old))
        if re.search(r"[(){}+?|]", pattern):
            return ()  # means different things in basic and extended syntax
        pattern = _CLASS.sub(lambda hit: _CLASSES[hit["name"]], pattern.replace("\0", ".*"))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what Python may come to read otherwise
                re.compile(pattern)
        except (re.error, Warning):
            return ()
        found.append(pattern)
    return tuple(found)


def _files(line: str, loops: Mapping[str, str]) -> Iterator[str]:
    found = _FIND.search(line[:_LONGEST_COMMAND])
    if found is not None:
        folder = found["folder"].strip("\"'")
        yield _plain(f"{folder}/{found['name']}")
        return
    if len(line) > _LONGEST_COMMAND:
        return
    texts = [line, *(text for name, text in loops.items() if re.search(rf"\$\{{?{name}\b", line))]
    for text in texts:
        for file in _FILE.findall(_SUBSTITUTION.sub(" ", text)):
            yield _plain(file)


def _plain(file: str) -> str:
    """The part of a path behind the last variable; a variable in the name is a wildcard."""
    head, _, name = file.rpartition("/")
    parts = head.split("/") if head else []
    unknown = max((at for at, part in enumerate(parts) if set(part) & set("${}")), default=-1)
    name = re.sub(r"[${}]+", "*", _VARIABLE.sub("*", name))
    return "/".join([*parts[unknown + 1 :], name])


def place_of(source: Source, line: str) -> str:
    """`path:line` of text that may have been joined: its first words decide."""
    words = line.strip()[:24]
    offset = source.text.find(words) if words else -1
    return f"{source.path}:{source.line_of(offset)}" if offset >= 0 else source.path


def repository(text: str) -> str:
    """An image's name without tag and digest."""
    name = text.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def kustomizations(found: Sequence[tuple[Source, Sequence[Cursor]]]) -> Iterator[Writer]:
    """The images that kustomizations set, each in the files that are built together with it."""
    together = _groups(found)
    for source, roots in found:
        files = frozenset(together[posixpath.dirname(source.path) or "."])
        for root in roots:
            listed = root.get("images")
            for item in listed.items() if listed is not None else ():
                name = item.get("name")
                if name is not None and name.text:
                    place = f"{source.path}:{item.line}"
                    yield Writer(place, image=repository(name.text), files=files)


def _groups(found: Sequence[tuple[Source, Sequence[Cursor]]]) -> dict[str, set[str]]:
    """All paths that are connected with each kustomization's folder, in both directions."""
    groups: dict[str, set[str]] = {}
    for source, roots in found:
        folder = posixpath.dirname(source.path) or "."
        joined = {folder}
        for root in roots:
            for key in _INCLUDES:
                listed = root.get(key)
                for item in listed.items() if listed is not None else ():
                    if item.text and "://" not in item.text:
                        joined.add(posixpath.normpath(posixpath.join(folder, item.text)))
        for path in tuple(joined):
            joined |= groups.get(path, set())
        for path in joined:
            groups[path] = joined
    return groups


def chosen_files(writer: Writer, paths: Collection[str]) -> frozenset[str] | None:
    """The files of `paths` that a writer can write; None is all of them."""
    if writer.file is None:
        return writer.files
    if writer.folder is not None:
        named = {
            posixpath.normpath(posixpath.join(base, writer.file)) for base in (writer.folder, "")
        }
        exact = {path for path in paths if any(fnmatch.fnmatchcase(path, name) for name in named)}
        if exact:
            return frozenset(exact)
    tail = "/" + "/".join(part for part in writer.file.split("/") if part not in ("", ".", ".."))
    return frozenset(path for path in paths if fnmatch.fnmatchcase(f"/{path}", f"*{tail}"))


def writes(writer: Writer, use: ImageUse) -> bool:
    """Whether all holds that a writer says of what it writes; its files are known to fit."""
    if writer.image is not None or writer.container is not None:
        if use.cursor is None:
            return False  # these commands are about manifests
        return _names_image(writer.image, use) or _names_container(writer.container, use)
    if not writer.lines:
        return True
    return any(re.search(old, line) for old in writer.lines for line in _lines(use))


def _names_image(image: str | None, use: ImageUse) -> bool:
    other = parse_reference(image) if image else None
    if other is None or use.reference is None:
        return False
    if use.entry is not None and parse_reference(use.entry.name) == other:
        return True
    return other.repository_name == use.reference.repository_name


def _names_container(container: str | None, use: ImageUse) -> bool:
    if container is None:
        return False
    workload, _, name = container[:-1].partition("[")
    kind_and_name, _, rest = use.used_by.partition(".")
    return kind_and_name.endswith(f"/{workload}") and name in ("*", rest.partition("[")[2][:-1])


def _lines(use: ImageUse) -> Iterator[str]:
    """The lines that give a reference, near enough for the pattern of an editor."""
    if use.cursor is not None:
        source = use.cursor.file.source
        yield source.line_text(source.line_of(use.span.start))
        return
    if use.element is not None:
        yield f"<{use.element.name}>{use.text}</{use.element.name}>"
    yield f"{use.place.value}{' ' if use.place.value == 'FROM' else '='}{use.text}"
    for origin in use.origins:
        yield f"ARG {origin.name}={origin.value or ''}"
