"""What a container writes to its own file system, as far as its files say: named checks."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.documents.expansion import Origin, expand
from hardhull.model import Refusal
from hardhull.project.container import Platform
from hardhull.project.starting import start_of
from hardhull.rules.filesystem.mounted import TEMPORARY, absolute, mounted_files, writable
from hardhull.rules.privileges.scope import unread_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.dotnet import Evidence
    from hardhull.project.published_image import PublishedImage


_BUILDS = re.compile(r"\bdotnet[\"', ]+(?:run|watch|test|build|ef|tool|restore|publish)\b")
_WRITES = re.compile(
    r"\b(?:apt-get|apt|apk|tdnf|dnf|yum|npm|update-ca-certificates|chown|chmod|mkdir|touch|cp|mv|ln"
    r"|rm|tee|useradd|adduser|groupadd|unzip|tar|dpkg|ldconfig|git|sed\s+-[a-zA-Z]*i)\s"
    r"|>>?\s*(?!/dev/|&|\s)"
)
_UNPACKS = re.compile(r"Include(?:NativeLibraries|AllContent)ForSelfExtract\W+true", re.IGNORECASE)
_DATABASE = re.compile(
    r"(?:Data ?Source|Filename)\s*=\s*([^;\"]+\.(?:db3?|sqlite3?|litedb))\b", re.IGNORECASE
)
_KEY_FILE = re.compile(r"\bAddDeveloperSigningCredential\s*\((?!\s*(?:persistKey\s*:\s*)?false\b)")
_ASSEMBLY = re.compile(r"([\w.-]+)\.dll\b")
_MOST_PROJECTS = 40
_DIRECTORY_VARIABLES = ("TMPDIR", "ASPNETCORE_TEMP", "DOTNET_BUNDLE_EXTRACT_BASE_DIR")


def writes(container: Container, context: Context) -> Iterator[Refusal | str]:
    """What a read-only root would break: the first refusal ends the matter, texts are for people."""
    stages = context.project.stages_of(container)
    app = context.project.owner_of(container)
    image = context.project.image_of(container)
    yield from _start(container, context)
    yield from _hooks(container)
    for stage in stages:
        yield from _image(container, stage)
    yield from _environment(container, stages, image)
    if image is not None:
        yield from _published(container, image)
    yield from mounted_files(container, stages, context)
    unread = unread_build(container, context)
    if unread is not None:
        yield unread
    known = app is not None and app.program is not None and app.program.files > 0
    if not stages and image is None and not known:
        yield Refusal(
            "its image is not built here and its code is not here: what it writes is not known",
            container.path,
            container.span,
        )
    if app is not None and known:
        yield from _code(container, stages, app, context)
    else:
        yield from _code_nearby(container, stages, app, context)
        yield "not checked: where its code, which is not here, writes"
    yield (
        "not checked: what packages and native code write; look for `Read-only file system` in "
        "its log, also after an upload and a scheduled job"
    )


def temporary_mount(container: Container) -> bool:
    """Whether the directory for temporary files is a mount that it may write to."""
    return any(mount.covers(TEMPORARY) and mount.writable for mount in container.mounts)


def hidden_by_mount(container: Container, context: Context) -> Refusal | None:
    """Something the image keeps in /tmp, which an empty mount there would hide."""
    for stage in context.project.stages_of(container):
        for instruction in stage.instructions:
            words = [word.value for word in instruction.words]
            target = words[-1:] if instruction.keyword in ("COPY", "ADD") else words
            if instruction.keyword not in ("COPY", "ADD", "WORKDIR", "ENTRYPOINT", "CMD"):
                continue
            if any(word == TEMPORARY or word.startswith(f"{TEMPORARY}/") for word in target):
                reason = f"its image keeps files in {TEMPORARY}, which a mount there would hide"
                return Refusal(reason, stage.path, instruction.span)
    image = context.project.image_of(container)
    if image is not None and f"{image.folder}/".startswith(f"{TEMPORARY}/"):
        reason = f"its image keeps files in {TEMPORARY}, which a mount there would hide"
        return Refusal(reason, image.path)
    return None


def _start(container: Container, context: Context) -> Iterator[Refusal | str]:
    start = start_of(container, context.project)
    building = start.first(_BUILDS)
    if building is not None:
        yield Refusal(f"{building.place} builds when it starts, beside its code", building.path)
    for line in start.lines:
        if not _WRITES.search(f"{line.text} "):
            continue
        shown = " ".join(line.text.split())[:60]
        if TEMPORARY not in line.text:
            yield Refusal(f"{line.place} writes at start-up: {shown}", line.path)
        else:
            yield f"not checked: whether {line.place} writes only to {TEMPORARY}: {shown}"
    for name in start.unread:
        yield f"not checked: what {name} writes when it starts"


def _hooks(container: Container) -> Iterator[Refusal]:
    hooks = container.cursor.get("lifecycle")
    if hooks is not None and _WRITES.search(hooks.raw):
        yield Refusal("its lifecycle hook writes files", hooks.path, hooks.span)


def _image(container: Container, stage: AppStage) -> Iterator[Refusal]:
    if stage.facts is not None and stage.facts.kind == "sdk":
        yield Refusal(
            f"it runs in {stage.base}, whose tools write below their home directory",
            stage.path,
            stage.stage.from_.span,
        )
    known = {name: Origin(found.value) for name, found in stage.environment.items()}
    for instruction in stage.instructions:
        if instruction.keyword != "VOLUME" or container.platform is Platform.COMPOSE:
            continue  # Docker mounts a volume of its own there; not every Kubernetes runtime does
        for word in instruction.words:
            path = expand(word.value, known).text
            if not writable(container, path):
                yield Refusal(
                    f"its image says that it writes to {path}; mount a volume there first",
                    stage.path,
                    instruction.span,
                )
    for instruction in stage.dockerfile.instructions:
        if instruction.keyword == "RUN" and _UNPACKS.search(instruction.text):
            reason = "the program unpacks itself below its home directory when it starts"
            yield Refusal(reason, stage.path, instruction.span)


def _published(container: Container, image: PublishedImage) -> Iterator[Refusal | str]:
    """What a project says of its image that shows where it writes."""
    if image.facts is not None and image.facts.kind == "sdk":
        reason = f"it runs in {image.base}, whose tools write below their home directory"
        yield Refusal(reason, image.path)
    if image.settings.unseen:
        yield f"not checked: {image.settings.unseen}"
    for name, (value, setting) in image.variables.items():
        path = _file_of(name, value, (), image)
        if setting is None or name in container.environment or path is None:
            continue
        if not writable(container, path):
            reason = f"{name} makes it write to {path}; mount a volume there first"
            yield Refusal(reason, setting.path, setting.span)


def _environment(
    container: Container, stages: tuple[AppStage, ...], image: PublishedImage | None
) -> Iterator[Refusal]:
    """Variables that move temporary files or name a database file."""
    for name, setting in container.environment.items():
        path = _file_of(name, setting.value, stages, image)
        if path is not None and not writable(container, path):
            reason = f"{name} makes it write to {path}; mount a volume there first"
            yield Refusal(reason, setting.cursor.path, setting.cursor.span)
    for stage in stages:
        for name, known in stage.environment.items():
            path = _file_of(name, known.value, (stage,))
            if path is None or name in container.environment or writable(container, path):
                continue
            reason = f"{name} makes it write to {path}; mount a volume there first"
            yield Refusal(reason, stage.path)


def _file_of(
    name: str,
    value: str | None,
    stages: tuple[AppStage, ...],
    image: PublishedImage | None = None,
) -> str | None:
    if not value:
        return None
    if name in _DIRECTORY_VARIABLES:
        return value
    database = _DATABASE.search(value)
    return absolute(database[1].strip(), stages, image) if database else None


def _code(
    container: Container, stages: tuple[AppStage, ...], app: Application, context: Context
) -> Iterator[Refusal | str]:
    program = app.program
    if program is None:
        return
    yield from _written(container, stages, program, app.image_of(container))
    if app.directory is not None:
        yield from _keys(app.directory, context)
    project = app.project
    source = context.project.workspace.texts.source(project.path) if project is not None else None
    if source is not None and _UNPACKS.search(source.text):
        reason = "the program unpacks itself below its home directory when it starts"
        yield Refusal(reason, source.path)
    if program.data_protection:
        seen = program.data_protection[0]
        yield (
            f"{seen.path}:{seen.line} uses DataProtection: without a volume for its keys people "
            "sign in again after each restart, as they do now after each new container"
        )
    if not program.complete:
        yield "not checked: all of its code; does it write elsewhere than to /tmp?"


def _written(
    container: Container,
    stages: tuple[AppStage, ...],
    program: Evidence,
    image: PublishedImage | None = None,
) -> Iterator[Refusal | str]:
    mounted = any(mount.writable and mount.target for mount in container.mounts)
    for write in program.file_writes:
        place = f"{write.path}:{write.line}"
        if write.literal is None and mounted:
            yield f"not checked: where {place} writes ({write.how})"
            continue
        literal = write.literal
        target = absolute(literal, stages, image) if literal is not None else None
        if target is None or not writable(container, target):
            yield Refusal(f"{place} writes {write.literal or 'files'} ({write.how})", write.path)


def _keys(folder: str, context: Context) -> Iterator[Refusal]:
    """IdentityServer's key for development: a file beside the program, written when it starts."""
    for source in context.project.workspace.texts.below(folder, ".cs"):
        found = _KEY_FILE.search(source.text) if "DeveloperSigning" in source.text else None
        if found is not None:
            place = f"{source.path}:{source.line_of(found.start())}"
            reason = f"{place} keeps its signing key in a file beside the program when it starts"
            yield Refusal(reason, source.path)


def _code_nearby(
    container: Container, stages: tuple[AppStage, ...], app: Application | None, context: Context
) -> Iterator[Refusal | str]:
    """The projects whose program a script starts, else those below the Dockerfile's folder."""
    if app is None:
        return
    lines = " ".join(line.text for line in start_of(container, context.project).lines)
    started = set(_ASSEMBLY.findall(lines))
    near = [
        project
        for project in app.programs.projects()
        if not project.is_test and any(_is_below(project.directory, stage) for stage in stages)
    ]
    named = [project for project in near if project.assembly_name in started]
    for project in (named or near)[:_MOST_PROJECTS]:
        yield from _written(container, stages, app.programs.evidence(project.directory))


def _is_below(folder: str, stage: AppStage) -> bool:
    home = posixpath.dirname(stage.path)
    return not home or f"{folder}/".startswith(f"{home}/")
