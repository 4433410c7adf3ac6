"""Who builds images and who rewrites references: read from workflows, scripts and build files."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.project.built_names import Names
from hardhull.project.contexts import in_texts
from hardhull.project.publish_commands import (
    PublishCommand,
    publish_commands,
    skaffold_command,
)
from hardhull.project.writers import Writer, commands, kustomizations, place_of, repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hardhull.documents.source import Source
    from hardhull.documents.yaml import Cursor

_BUILDERS = ("docker", "podman", "nerdctl", "buildah")
_BUILD = re.compile(
    rf"\b(?:{'|'.join(_BUILDERS)}|az[ \t]+acr)\b[^\n]*?\b(?:build|bud)\b(?P<rest>[^\n]*)"
)
_ARGUMENT = re.compile(r"--build-arg[= ]+[\"']?(\w+)")
_CONTINUED = re.compile(r"[\\`^][ \t]*\r?\n[ \t]*")
_SET_VALUE = re.compile(r"--set(?:-string|-literal|-file)?[= ]+[\"']?(?P<pairs>[\w.-]+=[^\n]*)")
_VALUE_KEY = re.compile(r"(?:^|,)([\w.-]+)=")
_WORKSPACE = re.compile(r"^\$\{\{\s*github\.workspace\s*\}\}/?")
_WITH_VALUE = frozenset(
    [
        "-t",
        "--tag",
        "--image",
        "-r",
        "--registry",
        "-g",
        "--resource-group",
        "-f",
        "--file",
        "--target",
        "--build-arg",
        "--platform",
        "--label",
        "--cache-from",
        "--cache-to",
        "--output",
        "-o",
        "--secret",
        "--ssh",
        "--network",
        "--progress",
        "--iidfile",
        "--add-host",
        "--build-context",
        "--builder",
        "--memory",
        "-m",
        "--cpuset-cpus",
        "--isolation",
        "--shm-size",
        "--ulimit",
        "--format",
    ]
)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """A build that a file describes; what it does not say is None. `evidence` is `path:line`."""

    evidence: str
    name: str | None = None
    dockerfile: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Builds:
    """What build files, workflows and scripts say about images."""

    images: tuple[BuiltImage, ...] = ()
    arguments: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    """Dockerfile (None: not known) and build argument that something sets: the `path:line`."""
    writers: tuple[Writer, ...] = ()
    action_dockerfiles: frozenset[str] = frozenset()
    contexts: Mapping[str, str] = field(default_factory=dict)
    """Named build contexts, in lower case, with the `path:line` that names each."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Values of charts that commands set (`--set image.tag=…`): the `path:line` of each."""
    publishes: tuple[PublishCommand, ...] = ()
    """Commands that let the SDK publish a project as an image."""

    @cached_property
    def by_dockerfile(self) -> Mapping[str | None, list[BuiltImage]]:
        """The images by the Dockerfile they are built from."""
        found: dict[str | None, list[BuiltImage]] = {}
        for image in self.images:
            found.setdefault(image.dockerfile, []).append(image)
        return found


def read_builds(sources: Iterable[Source], dockerfiles: Iterable[str]) -> Builds:
    """Read all evidence files once; `dockerfiles` are the known paths, to resolve names."""
    known = tuple(sorted(dockerfiles))
    images: list[BuiltImage] = []
    arguments: dict[tuple[str | None, str], str] = {}
    writers: list[Writer] = []
    actions: set[str] = set()
    kustomized: list[tuple[Source, list[Cursor]]] = []
    contexts: dict[str, str] = {}
    values: dict[str, str] = {}
    publishes: list[PublishCommand] = []
    for source in sources:
        contexts |= dict(in_texts(source))
        for match in _SET_VALUE.finditer(source.text):
            for key in _VALUE_KEY.findall(match["pairs"]):
                values.setdefault(key, f"{source.path}:{source.line_of(match.start())}")
        name = posixpath.basename(source.path).lower()
        if name in ("action.yml", "action.yaml"):
            actions |= _action(source)
        elif name.startswith("skaffold"):
            images += _skaffold(source, known)
            publishes += _published_by_skaffold(source)
        elif name.startswith("tye"):
            images += _tye(source, known)
        elif name.startswith("kustomization"):
            kustomized.append((source, _roots(source)))
        elif name.endswith(".hcl"):
            images += _bake(source, known, arguments)
        else:
            _text(source, known, images, arguments, writers, publishes)
    writers += kustomizations(kustomized)
    return Builds(
        tuple(images),
        arguments,
        tuple(writers),
        frozenset(actions),
        contexts,
        values,
        tuple(publishes),
    )


def is_build_evidence(path: str) -> bool:
    """Whether a file of this name can say who builds or rewrites images."""
    name = posixpath.basename(path).lower()
    return name.endswith(
        (".yml", ".yaml", ".sh", ".ps1", ".cmd", ".bat", ".hcl", ".groovy")
    ) or name.startswith(("makefile", "taskfile", "justfile", "jenkinsfile"))


def _text(
    source: Source,
    known: tuple[str, ...],
    images: list[BuiltImage],
    arguments: dict[tuple[str | None, str], str],
    writers: list[Writer],
    publishes: list[PublishCommand],
) -> None:
    text = source.text
    interesting = ("build", "publish", "set image", "sed ", "yq ", "jq ", "perl ", "file:")
    if not any(word in text for word in interesting):
        return
    joined = _CONTINUED.sub(" ", text)
    builders = any(name in joined for name in (*_BUILDERS, "acr"))
    for match in _BUILD.finditer(joined) if builders else ():
        place = place_of(source, match["rest"])
        built = list(_command(place, match["rest"], posixpath.dirname(source.path), known))
        images += built
        for argument in _ARGUMENT.findall(match["rest"]):
            arguments.setdefault((built[0].dockerfile, argument), place)
    writers += commands(source, joined)
    publishes += publish_commands(source, joined)
    _build_action(source, known, images, arguments)


def _command(place: str, rest: str, folder: str, known: tuple[str, ...]) -> Iterator[BuiltImage]:
    """Read the words of a `docker build` line."""
    try:
        words = shlex.split(rest[:4096].split("&&", maxsplit=1)[0].split(" | ", maxsplit=1)[0])
    except ValueError:
        words = rest.split()
    tags, file, target, context = [], None, None, None
    index = 0
    while index < len(words):
        name, equals, value = words[index].partition("=")
        if name in _WITH_VALUE and not equals:
            index += 1
            value = words[index] if index < len(words) else ""
        if name in ("-t", "--tag", "--image"):
            tags.append(repository(value))
        elif name in ("-f", "--file"):
            file = value
        elif name == "--target":
            target = value
        elif not name.startswith("-") and context is None:
            context = words[index]
        index += 1
    dockerfile = _resolve(file, context, folder, known)
    named: list[str | None] = [*tags] or [None]
    for tag in named:
        yield BuiltImage(place, tag, dockerfile, target)


def _resolve(
    file: str | None, context: str | None, folder: str, known: tuple[str, ...]
) -> str | None:
    """Find the Dockerfile that a command names; relative to the root or to its own folder."""
    names = []
    if file is not None:
        names = [file, posixpath.join(folder, file)]
    elif context is not None:
        inner = posixpath.join(context, "Dockerfile")
        names = [inner, posixpath.join(folder, inner)]
    for name in names:
        path = posixpath.normpath(name.replace("\\", "/"))
        if path in known:
            return path
    tail = posixpath.normpath((file or "").replace("\\", "/")).lstrip("./")
    matching = [path for path in known if tail and f"/{path}".endswith(f"/{tail}")]
    return matching[0] if len(matching) == 1 else None


def _build_action(
    source: Source,
    known: tuple[str, ...],
    images: list[BuiltImage],
    arguments: dict[tuple[str | None, str], str],
) -> None:
    """Read `docker/build-push-action`, `Docker@2` and their kin: file, context, tags, target."""
    words = ("build-push", "buildAndPush", "Docker@", "meta-images")
    if not any(word in source.text for word in words):
        return
    file = read_yaml(source)
    root = None if isinstance(file, Unreadable) else file.cursor(0)
    every = tuple(_all_mappings(root)) if root is not None else ()
    names = Names(every)
    for step in every:
        block = step.get("with") or step.get("inputs")
        if block is None:
            continue
        place = f"{source.path}:{step.line}"
        # Not `text`: an expression (`${{ … }}`) in it would hide all of it.
        texts = {key: value.node.value for key, value in block.pairs() if value.node.value}
        wanted = texts.get("file") or texts.get("dockerfile") or texts.get("Dockerfile")
        context = texts.get("context")
        uses = step.get("uses")
        if wanted is None and context is None:
            found = names.of(step, texts) if "meta-images" in texts else ()
            images += [BuiltImage(place, name) for name in found]
            if uses is None or "/build-push-action@" not in (uses.text or ""):
                continue
            context = "."  # what the action builds where nothing else is said
        wanted, context = (_in_workspace(one) for one in (wanted, context))
        dockerfile = _resolve((wanted or "").replace("**/", "") or None, context, "", known)
        stage = block.get("target")
        target = stage.text if stage is not None else None
        pushed: Iterable[str | None] = names.of(step, texts) or (None,)
        images += [BuiltImage(place, name, dockerfile, target) for name in pushed]
        for line in (texts.get("build-args") or "").splitlines():
            arguments.setdefault((dockerfile, line.partition("=")[0].strip()), place)


def _in_workspace(path: str | None) -> str | None:
    """A path of a step, from the folder that workflows check out into."""
    return _WORKSPACE.sub("./", path) if path is not None else None


def _all_mappings(cursor: Cursor) -> Iterator[Cursor]:
    pending = [cursor]
    while pending:
        item = pending.pop()
        pairs = item.pairs()
        if pairs:
            yield item
        pending += [value for _, value in pairs] + item.items()


def _skaffold(source: Source, known: tuple[str, ...]) -> Iterator[BuiltImage]:
    for root in _roots(source):
        artifacts = root.get("build", "artifacts")
        for artifact in artifacts.items() if artifacts is not None else ():
            image = artifact.get("image")
            context, named = artifact.get("context"), artifact.get("docker", "dockerfile")
            target = artifact.get("docker", "target")
            folder = posixpath.join(
                posixpath.dirname(source.path), (context.text if context else None) or "."
            )
            dockerfile = posixpath.normpath(
                posixpath.join(folder, (named.text if named else None) or "Dockerfile")
            )
            if image is not None and image.text:
                yield BuiltImage(
                    f"{source.path}:{artifact.line}",
                    repository(image.text),
                    dockerfile if dockerfile in known else None,
                    target.text if target is not None else None,
                )


def _published_by_skaffold(source: Source) -> Iterator[PublishCommand]:
    for root in _roots(source) if "dotnet" in source.text else ():
        artifacts = root.get("build", "artifacts")
        for artifact in artifacts.items() if artifacts is not None else ():
            image, context = artifact.get("image"), artifact.get("context")
            command = artifact.get("custom", "buildCommand")
            if image is None or not image.text or command is None or not command.text:
                continue
            folder = posixpath.dirname(source.path)
            folder = posixpath.join(folder, (context.text if context else None) or ".")
            place = f"{source.path}:{artifact.line}"
            yield from skaffold_command(command.text, place, folder, repository(image.text))


def _tye(source: Source, known: tuple[str, ...]) -> Iterator[BuiltImage]:
    """Services with a Dockerfile: their image has the service's name, below the registry's."""
    folder = posixpath.dirname(source.path)
    for root in _roots(source):
        registry, services = root.get("registry"), root.get("services")
        prefix = f"{registry.text}/" if registry is not None and registry.text else ""
        for service in services.items() if services is not None else ():
            name, file = service.get("name"), service.get("dockerFile")
            if name is not None and name.text and file is not None and file.text:
                yield BuiltImage(
                    f"{source.path}:{service.line}",
                    repository(f"{prefix}{name.text.lower()}"),
                    _resolve(file.text, None, folder, known),
                )


_BAKE_KEY = re.compile(r'^\s*(dockerfile|context|target)\s*=\s*"([^"]*)"', re.MULTILINE)
_BAKE_TAGS = re.compile(r"tags\s*=\s*\[([^\]]*)\]")
_BAKE_ARGS = re.compile(r"args\s*=\s*\{([^}]*)\}")


def _bake(
    source: Source, known: tuple[str, ...], arguments: dict[tuple[str | None, str], str]
) -> Iterator[BuiltImage]:
    for block in re.split(r"\btarget\s+\"", source.text)[1:]:
        keys = dict(_BAKE_KEY.findall(block))
        folder = posixpath.dirname(source.path)
        context = posixpath.join(keys.get("context", "."))
        named = posixpath.join(context, keys.get("dockerfile", "Dockerfile"))
        dockerfile = _resolve(named, None, folder, known)
        place = place_of(source, block)
        for line in "".join(_BAKE_ARGS.findall(block)).splitlines():
            name = line.partition("=")[0].strip().strip('"')
            if name:
                arguments.setdefault((dockerfile, name), place)
        tags = re.findall(r'"([^"]+)"', "".join(_BAKE_TAGS.findall(block)))
        for tag in tags or [""]:
            image = repository(tag) if tag else None
            yield BuiltImage(place, image, dockerfile, keys.get("target"))


def _action(source: Source) -> set[str]:
    """The Dockerfile that a container action of GitHub is built from: never hardened."""
    images = [root.get("runs", "image") for root in _roots(source)]
    folder = posixpath.dirname(source.path)
    return {
        posixpath.normpath(posixpath.join(folder, image.text))
        for image in images
        if image is not None and image.text and "://" not in image.text
    }


def _roots(source: Source) -> list[Cursor]:
    file = read_yaml(source)
    return [] if isinstance(file, Unreadable) else file.cursors


def is_hidden(path: str) -> bool:
    """Whether a Dockerfile stands where images for development stand."""
    return ".devcontainer" in path.split("/")
