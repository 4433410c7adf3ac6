"""Creating a user the way a distribution can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from hardhull.facts.catalogue import UserTool
from hardhull.model import Refusal

if TYPE_CHECKING:
    from hardhull.project.application import AppStage
    from hardhull.project.context import Context


_STRIPS_TOOLS = re.compile(r"\b(?:harden(?:ing)?|post-?install)[\w.-]*\.sh\b")


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to switch to: how USER spells it, and the instructions that make it, if any."""

    spelling: str
    uid: int
    home: str
    creation: tuple[str, ...] = ()


def create_user(stage: AppStage, context: Context) -> NewUser | Refusal:
    """Make the configured user in the final stage, or copy it from a stage that has a shell."""
    settings = context.settings.user
    name, uid, gid = settings.name, settings.uid, settings.gid
    base = stage.facts
    if base is None:
        base = context.facts.family(stage.base) if stage.base is not None else None
    if base is None or base.create_user is None:
        return Refusal(
            f"the base image {stage.base or stage.stage.base.text} is not known; say what it is "
            "like under base-images in .github/hardhull.yml",
            stage.path,
            stage.stage.base.span,
        )
    if uid in base.taken_uids or gid in base.taken_uids:
        return Refusal(f"the number {uid} is taken in {stage.base}; configure user.uid", stage.path)
    for instruction in stage.instructions:
        if instruction.keyword == "RUN" and _STRIPS_TOOLS.search(instruction.text):
            return Refusal(
                "a script before it takes the tools away that make users",
                stage.path,
                instruction.span,
            )
    tool: UserTool = base.create_user
    if tool is UserTool.COPIED_PASSWD:
        return _copied(stage, context)
    return NewUser(str(uid), uid, f"/home/{name}", (_command(tool, name, uid, gid),))


def _command(tool: UserTool, name: str, uid: int, gid: int) -> str:
    made = (
        f"groupadd --gid {gid} {name} && "
        f"useradd --no-log-init --uid {uid} --gid {gid} --create-home {name}"
    )
    match tool:
        case UserTool.USERADD:
            return f"RUN {made}"
        case UserTool.BUSYBOX:
            return f"RUN addgroup -g {gid} {name} && adduser -D -u {uid} -G {name} {name}"
        case UserTool.TDNF:
            return f"RUN tdnf install -y shadow-utils && {made} && tdnf clean all"
        case UserTool.DNF:
            return f"RUN dnf install -y shadow-utils && {made} && dnf clean all"
        case UserTool.COPIED_PASSWD:
            raise AssertionError("copied, not created")
    assert_never(tool)


def _copied(stage: AppStage, context: Context) -> NewUser | Refusal:
    """A distroless image has no tool: a numeric user needs none, only a home is missing."""
    uid = context.settings.user.uid
    if stage.facts is not None and stage.facts.user_uid:
        return NewUser(str(stage.facts.user_uid), stage.facts.user_uid, "/home/app")
    return Refusal(
        f"{stage.base} has no tool to make a user with; make it in another stage, copy "
        f"/etc/passwd and /etc/group from there and add USER {uid}",
        stage.path,
        stage.stage.base.span,
    )
