"""What must hold before an image may stop running as root: named checks, in order."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.project.container import Platform, Role
from hardhull.project.patch_conflicts import starts_otherwise
from hardhull.project.ports import PRIVILEGED, listening, start_instructions
from hardhull.rules.user.derived import derived
from hardhull.rules.user.obstacle import Doubt
from hardhull.rules.user.open_places import foreign_gifts, image_volumes, writes
from hardhull.rules.user.start_up import needs_root, start_up, starts_as_root
from hardhull.rules.user.surroundings import (
    certificates,
    devices,
    keys_of_the_host,
    pings,
    windows_too,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction, Word
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container, Mount
    from hardhull.project.context import Context
    from hardhull.rules.user.creating import NewUser

_NOT_FOR_OTHERS = re.compile(
    r"\bchmod\s+(?:-\S+\s+)*(?:[0-7]?[0-7][0-7][0-3]\b|(?:[ugo]*[oa]|[ugo]*)-\w*[rx]\w*"
    r"|\S*\bo=(?![rwX]*[rx])|\S*\bgo=(?![rwX]*[rx]))|--chmod=0?[0-7]?[0-7][0-7][0-3]\b"
    r"|\bumask\s+0?[0-7][0-7]?[4-7]\b|\bumask\s+0?77\b"
)
_ONLY_OWNER_STARTS = re.compile(
    r"\b(?:chmod\s+(?:-\S+\s+)*|--chmod=)(?:u\+\w*x\w*|0?[0-7][0-7][46])(?P<rest>[^;&|\n]*)"
)


def obstacles(stage: AppStage, user: NewUser, context: Context) -> Iterator[Refusal | Doubt]:
    """Everything that speaks against it; the first refusal ends the matter."""
    app = context.project.application_of(stage)
    containers = _containers_of(stage, app, context)
    yield from _ports(stage, app)
    yield from start_up(stage, app, context)
    yield from derived(stage, app, context)
    yield from windows_too(stage, user, containers, context)
    yield from _triggers(stage)
    yield from _closed_files(stage)
    yield from pings(stage, app)
    yield from writes(stage, app, user)
    yield from foreign_gifts(stage, user)
    yield from image_volumes(stage, user)
    yield from _volumes(containers, app)
    yield from _unread_builds(stage, context)
    yield from devices(containers)
    yield from keys_of_the_host(containers)
    yield from certificates(containers, context)
    yield from _containers(containers)
    yield from _patches(app, context)
    yield from _init_containers(app, context)


def _patches(app: Application, context: Context) -> Iterator[Refusal]:
    """An overlay may start something else, for which the image's user was never looked at."""
    for workload in app.workloads:
        for patch in context.project.kustomize.patches_of(
            workload.path, workload.kind, workload.name
        ):
            for what, at in starts_otherwise(patch):
                yield Refusal(f"a patch of {workload.where} {what}", patch.path, patch.span_of(at))


def _containers_of(stage: AppStage, app: Application, context: Context) -> list[Container]:
    """The containers that run this stage's image."""
    return [c for c in (*app.containers, *app.patches) if stage in context.project.stages_of(c)]


def _ports(stage: AppStage, app: Application) -> Iterator[Refusal | Doubt]:
    """A port below 1024 needs root on containerd 1.x and CRI-O."""
    for container in (*app.containers, *app.patches) or (None,):
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
                if number.isdecimal() and int(number) < PRIVILEGED:
                    return word
    return None


def _triggers(stage: AppStage) -> Iterator[Refusal]:
    """ONBUILD instructions run when others build on this image, as its user."""
    for instruction in stage.instructions:
        if instruction.keyword == "ONBUILD":
            yield Refusal(
                "images made from it run its ONBUILD instructions as its user",
                stage.path,
                instruction.span,
            )


def _closed_files(stage: AppStage) -> Iterator[Refusal | Doubt]:
    """Files that others than their owner may not read, or may not start."""
    started = " ".join(instruction.text for instruction in start_instructions(stage))
    for instruction in stage.instructions:
        if instruction.keyword not in ("RUN", "COPY", "ADD"):
            continue
        text = _all_text(instruction)
        if _NOT_FOR_OTHERS.search(text):
            yield Refusal(
                "it takes the right to read from others than root", stage.path, instruction.span
            )
        for hit in _ONLY_OWNER_STARTS.finditer(text):
            words = [word.rpartition("/")[2] for word in hit["rest"].split()]
            if any(word and word in started for word in words):
                yield Refusal(
                    "it lets only root start what the image starts", stage.path, instruction.span
                )


def _all_text(instruction: Instruction) -> str:
    flags = " ".join(flag.text for flag in instruction.flags)
    bodies = "".join(f"\n{heredoc.body}" for heredoc in instruction.heredocs)
    return f"{flags} {instruction.text}{bodies}"


def _volumes(containers: list[Container], app: Application) -> Iterator[Refusal | Doubt]:
    """Mounts whose files belong to root or to somebody on the host."""
    program = app.program
    reads_only = program is not None and program.complete and not program.file_writes
    for container in containers:
        for mount in container.mounts:
            place = f"{mount.cursor.file.source.path}:{mount.cursor.line}"
            if "docker.sock" in mount.volume or "docker.sock" in (mount.host or ""):
                yield Refusal(
                    "it is given the Docker socket, which only root may open",
                    mount.cursor.file.source.path,
                    mount.cursor.span,
                )
            elif mount.kind in ("named", "claim"):
                yield Doubt(f"not checked: who owns the files of the volume at {place}")
            elif mount.kind == "bind" and mount.writable and not (reads_only and _is_file(mount)):
                yield Doubt(f"not checked: who may write the host's files mounted at {place}")
            elif mount.kind == "config" and _closed_mode(container, mount):
                yield Refusal(
                    "it is given files that only root may read (defaultMode)",
                    mount.cursor.file.source.path,
                    mount.cursor.span,
                )


def _unread_builds(stage: AppStage, context: Context) -> Iterator[Doubt]:
    """Compose services whose Dockerfile somebody names later: they may run this image."""
    for service in context.project.compose:
        build = service.build
        if build is None or not build.filled_in:
            continue
        home = posixpath.dirname(build.cursor.path) if build.context is None else build.context
        if not home or stage.path.startswith(f"{home}/"):
            yield Doubt(
                f"not checked: whether {build.cursor.path}:{build.cursor.line} builds it, where a "
                "placeholder names the Dockerfile: then its ports and volumes count too"
            )


def _is_file(mount: Mount) -> bool:
    """Whether a single file is mounted, as its name says; a folder is there to be written."""
    return "." in (mount.target or "").rpartition("/")[2]


def _closed_mode(container: Container, mount: Mount) -> bool:
    """Whether a Secret or ConfigMap gives its files a mode without rights for others."""
    if container.platform is not Platform.KUBERNETES:
        return False
    pod: Cursor = container.pod  # type: ignore[attr-defined]  # only Kubernetes has one
    if pod.get("securityContext", "fsGroup") is not None:
        return False  # the group is given the files
    listed = pod.get("volumes")
    for volume in listed.items() if listed is not None else ():
        called = volume.get("name")
        for kind in ("secret", "configMap", "projected"):
            mode = volume.get(kind, "defaultMode")
            if called is not None and called.text == mount.volume and mode is not None:
                number = mode.as_int()
                return number is not None and not number & 0o004
    return False


def _containers(containers: list[Container]) -> Iterator[Refusal | Doubt]:
    """Capabilities and commands that only root can use."""
    for container in containers:
        for added in container.added_capabilities:
            if (added.text or "").upper().removeprefix("CAP_") != "NET_BIND_SERVICE":
                yield Refusal(
                    f"it is given the capability {added.text}, which root uses",
                    added.file.source.path,
                    added.span,
                )
        if container.privileged is not None:
            yield Doubt("not checked: why the container is privileged")
        if starts_as_root(" ".join(cursor.text or "" for cursor in container.command)):
            yield Refusal("its command does what only root can", container.path, container.span)


def _init_containers(app: Application, context: Context) -> Iterator[Refusal]:
    """Init containers of the same image that rely on its user being root."""
    for workload in app.workloads:
        for init in workload.containers:
            command = " ".join(cursor.text or "" for cursor in init.command)
            same = init.role is Role.INIT and context.project.owner_of(init) is app
            if same and init.user is None and needs_root(command):
                yield Refusal(
                    "an init container of the same image needs root", init.path, init.span
                )
