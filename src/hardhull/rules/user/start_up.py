"""Start-ups that need root: the commands of ENTRYPOINT and CMD, and the scripts they run."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.project.names import STARTED
from hardhull.project.ports import start_instructions
from hardhull.project.users import steps_down
from hardhull.rules.user.obstacle import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.source import Source
    from hardhull.project.application import Application, AppStage
    from hardhull.project.context import Context

_SCRIPT = re.compile(r"[\w./-]+\.sh\b|(?:^|[\s/])(?:docker-)?entrypoint[\w.-]*")
_ROOT_COMMAND = re.compile(
    r"(?<![\w.=-])(?:(?:chown|chmod|chgrp|apt|apt-get|tdnf|dnf|yum|adduser|addgroup|useradd"
    r"|groupadd|usermod|passwd|update-ca-certificates|mount|sysctl|iptables|setcap|cron|crond"
    r"|nginx|supervisord|sshd)(?![\w.=-])|apk (?:add|del|upgrade)\b|service \w+ start\b"
    r"|ln -s\w* \S+ /etc\b)|>>?\s*/etc/"
)
_STARTS_SDK = re.compile(
    r"\bdotnet[\"', ]+(?:run|watch|test|build|ef|tool|restore|publish)(?![\w.-])"
)
_REDIRECTED = re.compile(r"(?<![<&\d-])[12]?>>?\s*(?P<target>[^\s;&|>()]+)")
_WRITES = re.compile(
    r"(?:^|[;&|(]|\b(?:then|do|else)\b|\bsudo\b|\s-\w*c\s)\s*[\"']?"
    r"(?P<command>mkdir|touch|cp|mv|rm|ln|tee|install|sed(?=\s+(?:-\w+\s+)*(?:-\w*i|--in-place)))"
    r"\s+(?P<rest>[^;&|<>]*)"
)
_OPEN_TARGET = re.compile(r"[\"']?(?:/tmp\b|/var/tmp\b|/dev/|\$\{?TMPDIR|&)")
_SAYS = re.compile(
    r"(?:echo|printf)\s(?:\"(?:[^\"`$\\]|\$(?!\()|\\.)*\"|'[^']*'|[^\"'`$|;&<>\\]|\$(?!\())*"
    r"(?:1?>&2\s*)?"
)
"""A command that only says something: what it speaks of is not done."""
_PASSES_ON = frozenset({
    "ash", "bash", "catchsegv", "dash", "docker-init", "dotnet", "dumb-init", "env", "exec",
    "nice", "sh", "stdbuf", "tini",
})  # fmt: skip


def start_up(stage: AppStage, app: Application, context: Context) -> Iterator[Refusal | Doubt]:
    """Start-up that changes the user, or does what only root can."""
    if stage.inherited_start:
        yield from _inherited(stage)
    for instruction in start_instructions(stage):
        words = [word.value for word in instruction.words]
        text = " ".join(words)
        # Shell form has its quotes and marks in the text, exec form its words.
        reason = _needs_root(text) or (None if instruction.json else _needs_root(instruction.text))
        if reason is not None:
            yield Refusal(reason, stage.path, instruction.span)
        script = _SCRIPT.search(text)
        if script is not None:
            yield from _script(stage, script[0].strip(), context)
        elif instruction.keyword == "ENTRYPOINT":
            yield from _program(stage, app, words)


def _inherited(stage: AppStage) -> Iterator[Refusal | Doubt]:
    """The entrypoint of the base image, which nothing here replaces."""
    text = " ".join(stage.inherited_start)
    reason = _needs_root(text)
    if reason is not None:
        why = f"{reason}: {stage.base} brings it along"
        yield Refusal(why, stage.path, stage.chain[0].from_.span)
    name = posixpath.basename(stage.inherited_start[0])
    if _SCRIPT.search(text) or name not in _PASSES_ON:
        yield Doubt(f"not checked: what {name} of {stage.base} does when the container starts")


def started_by(stage: AppStage, context: Context) -> str | None:
    """Which container's command starts a program that an image without a command only holds."""
    if not any(item.keyword in ("COPY", "ADD") for item in stage.instructions):
        return None
    app = context.project.application_of(stage)
    names = {app.project.name, app.project.assembly_name} if app.project is not None else set()
    for container in app.containers:
        text = " ".join(cursor.text or "" for cursor in container.command)
        words = {posixpath.basename(word) for word in text.split()}
        if (STARTED.search(text) or words & names) and stage in app.stages_of(container):
            return f"{container.command[0].path}:{container.command[0].line}"
    return None


def needs_root(command: str) -> bool:
    """Whether a command line changes its user by itself or does what only root can."""
    return steps_down(command) or _ROOT_COMMAND.search(command) is not None


def starts_as_root(command: str) -> bool:
    """Whether a container's command needs root, or makes files where root owns."""
    return needs_root(command) or _writes_where_root_owns(command)


def _needs_root(text: str) -> str | None:
    if steps_down(text):
        return "its entrypoint changes the user by itself"
    if _STARTS_SDK.search(text):
        return "it builds when it starts, which writes where root owns"
    if _ROOT_COMMAND.search(text):
        return "its start command does what only root can"
    if _writes_where_root_owns(text):
        return "its start command writes where only root may"
    return None


def _program(stage: AppStage, app: Application, words: list[str]) -> Iterator[Doubt]:
    """An entrypoint that is neither dotnet, the program itself, nor a helper that passes it on."""
    first = posixpath.basename(words[0]) if words else ""
    own = {app.project.name, app.project.assembly_name} if app.project is not None else set()
    beside = bool(words) and (words[0].startswith("./") or "/" not in words[0])
    if first and first not in _PASSES_ON and first not in own and not (beside and not own):
        yield Doubt(f"not checked: what {words[0]} does when the container starts ({stage.path})")


def _script(stage: AppStage, name: str, context: Context) -> Iterator[Refusal | Doubt]:
    base = posixpath.basename(name)
    texts = context.project.workspace.texts
    candidates = texts.named(base)
    folder = posixpath.dirname(stage.path)
    near = [path for path in candidates if path.startswith(f"{folder}/")] or candidates
    source = texts.source(near[0]) if near else None
    if source is None:
        yield from _written_script(stage, base)
    else:
        yield from _lines(source)


def _lines(source: Source) -> Iterator[Refusal]:
    for number, line in enumerate(source.text.splitlines(), 1):
        code = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if _SAYS.fullmatch(code):
            continue
        if needs_root(code) or _STARTS_SDK.search(code) or _writes_where_root_owns(code):
            yield Refusal(
                f"{source.path}:{number} does what only root can: {code[:60]}", source.path
            )


def _writes_where_root_owns(code: str) -> bool:
    """Whether a line of a script makes or changes files anywhere but in /tmp."""
    if any(not _OPEN_TARGET.match(hit["target"]) for hit in _REDIRECTED.finditer(code)):
        return True
    for hit in _WRITES.finditer(code):
        words = hit["rest"].split()
        # `2` is what the cut at `2>/dev/null` leaves.
        places = [word for word in words if not word.startswith("-") and not word.isdecimal()]
        if hit["command"] in ("cp", "mv", "ln", "install"):
            places = places[-1:]
        if any(not _OPEN_TARGET.match(place) for place in places[-1:] or [""]):
            return True
    return False


def _written_script(stage: AppStage, base: str) -> Iterator[Refusal | Doubt]:
    """A script that is not in the repository; a RUN instruction may write it."""
    for instruction in stage.instructions:
        text = instruction.text + "".join(heredoc.body for heredoc in instruction.heredocs)
        writes = instruction.keyword in ("RUN", "COPY") and base in text
        if writes and (needs_root(text) or _STARTS_SDK.search(text)):
            yield Refusal(
                f"{base}, which it starts, does what only root can", stage.path, instruction.span
            )
    yield Doubt(f"not checked: what {base} does when the container starts")
