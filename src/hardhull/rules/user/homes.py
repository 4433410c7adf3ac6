"""Paths below /root that an image's new user could not reach: they move to its home, all or none."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import Operation, Refusal, ReplaceWord, SetValue, value_of
from hardhull.project.compose import ComposeService, with_variable

if TYPE_CHECKING:
    from hardhull.documents.dockerfile import Instruction
    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context

_ROOT = re.compile(r"(?<![\w.-])/root(?=/|$|[\"':,;\s])")

_INSTALLED = re.compile(
    r"(?:^|\s)(?:\w*PATH|DOTNET_ROOT|DOTNET_INSTALL_DIR)[= ]\S*?/root(?=/|$|[\"':,;\s])"
)
_DEBUG_FILE = re.compile(r"(?:^|[._-])(?:vs|debug)(?:[._-]|$)", re.IGNORECASE)
_INSTALLS = re.compile(r"\bdotnet-install\b(?!.*--?(?:install-dir|InstallDir|i)\b)", re.DOTALL)


def moved_homes(stage: AppStage, home: str, context: Context) -> tuple[Operation, ...] | Refusal:
    """Operations that move every `/root` of this image and its containers to `home`."""
    operations: list[Operation] = []
    for instruction in stage.instructions:
        found = _in_instruction(stage, instruction, home)
        if isinstance(found, Refusal):
            return found
        operations += found
    app = context.project.application_of(stage)
    for whole in app.containers:
        container = _as_released(whole, stage)
        if container is None or stage not in app.stages_of(container):
            continue
        own = container.user
        if own is None or (own.value or "").split(":")[0] not in ("root", "0"):
            operations += _in_container(container, home)
    return tuple(operations)


def _as_released(container: Container, stage: AppStage) -> Container | None:
    """The container without the files for debugging, which run another stage, and as root.

    Visual Studio starts the stage `base`, with its own tools mounted below /root.
    """
    if not isinstance(container, ComposeService):
        return container
    kept = tuple(
        (path, layer)
        for path, layer in container.layers
        if not _is_for_debugging(path) and not _builds_another(layer, stage)
    )
    return replace(container, layers=kept) if kept else None


def _is_for_debugging(path: str) -> bool:
    return _DEBUG_FILE.search(posixpath.basename(path).rpartition(".")[0]) is not None


def _builds_another(layer: Cursor, stage: AppStage) -> bool:
    """Whether a file says itself that it builds another stage of the Dockerfile."""
    target = layer.get("build", "target")
    if target is None or target.text is None:
        return False
    wanted = target.text.lower()
    names = {(one.name or "").lower() for one in stage.stages} | {
        str(one.index) for one in stage.stages
    }
    own = {(stage.stage.name or "").lower(), str(stage.stage.index)}
    return wanted in names - own


def _in_instruction(
    stage: AppStage, instruction: Instruction, home: str
) -> list[Operation] | Refusal:
    if instruction.keyword == "RUN" and _INSTALLS.search(instruction.text):
        return Refusal(
            "dotnet-install puts .NET below /root, which only root can enter",
            stage.path,
            instruction.span,
        )
    if not _ROOT.search(instruction.text):
        return []
    if instruction.keyword not in ("ENV", "VOLUME"):
        return Refusal(
            f"{instruction.keyword} uses a path below /root, which only root can enter",
            stage.path,
            instruction.span,
        )
    if instruction.keyword == "ENV" and _INSTALLED.search(instruction.text):
        return Refusal(
            "ENV looks for programs below /root, which only root can enter",
            stage.path,
            instruction.span,
        )
    return [
        ReplaceWord(
            stage.path,
            instruction.index,
            index,
            _ROOT.sub(home, word.value if instruction.json else word.text),
        )
        for index, word in enumerate(instruction.words)
        if _ROOT.search(word.text)
    ]


def _for_debugger(container: Container) -> str:
    """The labels in which Visual Studio's debugger names paths, which have to stay the same."""
    labels = container.option("labels") if isinstance(container, ComposeService) else None
    return labels.raw if labels is not None and "visualstudio.debuggee" in labels.raw else ""


def _in_container(container: Container, home: str) -> list[Operation]:
    operations: list[Operation] = []
    kept = _for_debugger(container)
    for mount in container.mounts:
        if mount.target is None or not _ROOT.match(mount.target) or mount.target in kept:
            continue
        target = mount.cursor.get("target") or mount.cursor.get("mountPath") or mount.cursor
        path = target.file.source.path
        text = target.node.value or ""
        if target is mount.cursor:
            source, colon, rest = text.rpartition(mount.target)
            new = f"{source}{_ROOT.sub(home, mount.target)}{rest}" if colon else text
        else:
            new = _ROOT.sub(home, text)
        operations.append(SetValue(path, target.address, value_of(new)))
    for name, setting in container.environment.items():
        if setting.value is not None and _ROOT.search(setting.value):
            new = _ROOT.sub(home, setting.value)
            if isinstance(container, ComposeService):
                operations.append(with_variable(setting, name, new))
            else:
                path = setting.cursor.file.source.path
                operations.append(SetValue(path, setting.cursor.address, value_of(new)))
    return operations
