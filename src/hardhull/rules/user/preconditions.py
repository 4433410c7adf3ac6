"""What must hold before an image may stop running as root: named checks, in order."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Level, Refusal
from hardhull.project.container import Role
from hardhull.project.ports import PRIVILEGED, listening, start_instructions
from hardhull.project.users import steps_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Word
    from hardhull.project.application import Application, AppStage
    from hardhull.project.context import Context

_SCRIPT = re.compile(r"[\w./-]+\.sh\b|(?:^|/)(?:docker-)?entrypoint[\w.-]*")
_ROOT_COMMAND = re.compile(
    r"\b(?:chown|chmod|apt-get|apk add|tdnf|adduser|useradd|update-ca-certificates|mount|sysctl"
    r"|iptables|cron|service \w+ start|ln -s\w* \S+ /etc)\b|>>?\s*/etc/"
)
_CLOSED = re.compile(r"\bchmod\s+(?:-R\s+)?0?[0-7][0-7]?[0-3]\b|--chmod=0?[0-7][0-7][0-3]\b")
_STARTS_SDK = re.compile(r"\bdotnet[\"', ]+(?:run|watch|test|build|ef|tool|restore)\b")
_OWN_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  the container's, not ours


@dataclass(frozen=True, slots=True)
class Doubt:
    """A precondition that could not be checked, and how to look."""

    text: str
    level: Level = Level.REVIEW


def obstacles(stage: AppStage, context: Context) -> Iterator[Refusal | Doubt]:
    """Everything that speaks against it; the first refusal ends the matter."""
    app = context.project.application_of(stage)
    yield from _ports(stage, app)
    yield from _start(stage, context)
    yield from _derived(stage, context)
    yield from _closed_files(stage)
    yield from _writes(stage, app)
    yield from _volumes(app)
    yield from _containers(app, context)


def _ports(stage: AppStage, app: Application) -> Iterator[Refusal | Doubt]:
    """A port below 1024 needs root on containerd 1.x and CRI-O."""
    for container in app.containers or (None,):
        heard = listening(app, stage, container)
        for listener in heard.privileged:
            yield Refusal(
                f"{listener.evidence}: a user who is not root can't bind port {listener.port} "
                "everywhere; privileged-port comes first",
                listener.path,
            )
        exposed = _exposed_privileged(stage)
        if heard.unknown and exposed is not None:
            yield Refusal(
                f"{heard.unknown[0]}, and EXPOSE {exposed.text} suggests one that needs root",
                stage.path,
                exposed.span,
            )
        for unknown in heard.unknown:
            yield Doubt(f"not checked: {unknown}; a port below 1024 needs root")


def _exposed_privileged(stage: AppStage) -> Word | None:
    for instruction in stage.instructions:
        if instruction.keyword == "EXPOSE":
            for word in instruction.words:
                number = word.text.partition("/")[0]
                if number.isdigit() and int(number) < PRIVILEGED:
                    return word
    return None


def _start(stage: AppStage, context: Context) -> Iterator[Refusal | Doubt]:
    """Start-up that changes the user, or does what only root can."""
    for instruction in start_instructions(stage):
        text = instruction.text
        if steps_down(text):
            yield Refusal("its entrypoint changes the user by itself", stage.path, instruction.span)
        if _STARTS_SDK.search(text):
            yield Refusal(
                "it builds when it starts, which writes where root owns",
                stage.path,
                instruction.span,
            )
        if _ROOT_COMMAND.search(text):
            yield Refusal("its start command does what only root can", stage.path, instruction.span)
        script = _SCRIPT.search(" ".join(word.value for word in instruction.words))
        if script is not None:
            yield from _script(stage, script[0], context)


def _script(stage: AppStage, name: str, context: Context) -> Iterator[Refusal | Doubt]:
    base = posixpath.basename(name)
    texts = context.project.workspace.texts
    candidates = [path for path in texts.paths() if posixpath.basename(path) == base]
    folder = posixpath.dirname(stage.path)
    near = [path for path in candidates if path.startswith(f"{folder}/")] or candidates
    source = texts.source(near[0]) if near else None
    if source is None:
        yield from _written_script(stage, base)
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if steps_down(line) or _ROOT_COMMAND.search(line.partition("#")[0]):
            yield Refusal(
                f"{source.path}:{number} does what only root can: {line.strip()[:60]}", stage.path
            )


def _written_script(stage: AppStage, base: str) -> Iterator[Refusal | Doubt]:
    """A script that is not in the repository; a RUN instruction may write it."""
    for instruction in stage.instructions:
        text = instruction.text + "".join(heredoc.body for heredoc in instruction.heredocs)
        if instruction.keyword == "RUN" and base in text:
            needy = steps_down(text) or _ROOT_COMMAND.search(text) or _STARTS_SDK.search(text)
            if needy:
                yield Refusal(
                    f"{base}, which it starts, does what only root can",
                    stage.path,
                    instruction.span,
                )
    yield Doubt(f"not checked: what {base} does when the container starts")


def _derived(stage: AppStage, context: Context) -> Iterator[Refusal | Doubt]:
    """Other stages or Dockerfiles that go on from this image and run commands as its user."""
    for other in stage.stages:
        if other.base.stage == stage.stage.index and other is not stage.stage:
            for instruction in other.instructions:
                if instruction.keyword in ("RUN", "COPY", "ADD"):
                    yield Refusal(
                        f"stage {other.name or other.index} goes on from it and runs commands",
                        stage.path,
                        instruction.span,
                    )
    own = _own_images(stage, context)
    for path, stages in context.project.dockerfiles.items():
        for other in stages:
            reference = parse_reference(other.base.resolved) if other.base.resolved else None
            if path != stage.path and reference is not None and reference.repository_name in own:
                yield Refusal("it is the base image of another Dockerfile", path, other.base.span)


def _own_images(stage: AppStage, context: Context) -> set[str]:
    app = context.project.application_of(stage)
    found = set()
    for container in app.containers:
        text = container.image.text if container.image is not None else None
        reference = parse_reference(text) if text else None
        if reference is not None:
            found.add(reference.repository_name)
    return found


def _closed_files(stage: AppStage) -> Iterator[Refusal | Doubt]:
    """Files that others than their owner may not read."""
    for instruction in stage.instructions:
        text = instruction.text + " ".join(flag.text for flag in instruction.flags)
        if _CLOSED.search(text):
            yield Refusal(
                "it takes the right to read from others than root", stage.path, instruction.span
            )


def _writes(stage: AppStage, app: Application) -> Iterator[Refusal | Doubt]:
    """Files that the program writes where root owns."""
    program = app.program
    if program is None or not program.files:
        yield Doubt("not checked: the program's code is not here; does it write below its folder?")
        return
    open_paths = _given_away(stage) + [
        m.target for c in app.containers for m in c.mounts if m.target
    ]
    for write in program.file_writes:
        target = write.literal
        if target and target.startswith(_OWN_TEMPORARY):
            continue
        if target and target.startswith("/") and any(target.startswith(p) for p in open_paths):
            continue
        if target is None and open_paths:
            yield Doubt(f"not checked: where {write.path}:{write.line} writes ({write.how})")
            continue
        yield Refusal(
            f"{write.path}:{write.line} writes {target or 'files'}, where only root may write",
            stage.path,
        )
    if not program.complete:
        yield Doubt("not checked: all of the program's code; does it write below its folder?")


def _given_away(stage: AppStage) -> list[str]:
    """Directories that the Dockerfile gives to others than root."""
    found = []
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            found += re.findall(r"\bchown\s+(?:-R\s+)?\S+\s+(/\S+)", instruction.text)
            found += re.findall(
                r"\bchmod\s+(?:-R\s+)?(?:a\+w|o\+w|0?777|1777)\s+(/\S+)", instruction.text
            )
    return found


def _volumes(app: Application) -> Iterator[Refusal | Doubt]:
    """Volumes whose files belong to root from earlier runs."""
    for container in app.containers:
        for mount in container.mounts:
            place = f"{mount.cursor.file.source.path}:{mount.cursor.line}"
            if mount.volume.endswith("docker.sock"):
                yield Refusal(f"{place} mounts the Docker socket, which only root may open")
            elif mount.kind in ("named", "claim"):
                yield Doubt(f"not checked: who owns the files of the volume at {place}")


def _containers(app: Application, context: Context) -> Iterator[Refusal | Doubt]:
    """Other containers of the same image that need root, and capabilities that only root can use."""
    for container in app.containers:
        for added in container.added_capabilities:
            if (added.text or "").upper().removeprefix("CAP_") != "NET_BIND_SERVICE":
                yield Refusal(
                    f"it is given the capability {added.text}, which root uses",
                    added.file.source.path,
                    added.span,
                )
        if container.privileged is not None:
            yield Doubt("not checked: why the container is privileged")
        command = " ".join(cursor.text or "" for cursor in container.command)
        if steps_down(command) or _ROOT_COMMAND.search(command):
            yield Refusal("its command does what only root can", container.path, container.span)
    for workload in app.workloads:
        for init in workload.containers:
            command = " ".join(cursor.text or "" for cursor in init.command)
            same = context.project.owner_of(init) is app
            if (
                init.role is Role.INIT
                and same
                and init.user is None
                and _ROOT_COMMAND.search(command)
            ):
                yield Refusal(
                    "an init container of the same image needs root", init.path, init.span
                )
