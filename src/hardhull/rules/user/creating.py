"""Creating a user the way a distribution can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from hardhull.facts.catalogue import UserTool
from hardhull.model import Refusal
from hardhull.project.users import environment_before

if TYPE_CHECKING:
    from hardhull.documents.dockerfile import Instruction
    from hardhull.facts.catalogue import BaseFamily, ImageFacts
    from hardhull.project.accounts import Account
    from hardhull.project.application import AppStage
    from hardhull.project.context import Context


_POSIX_SHELL = re.compile(r"(?:^|/)(?:ba|da|a|z|k)?sh$")
_STRIPS_TOOLS = re.compile(r"\b(?:harden(?:ing)?|post-?install)[\w.-]*\.sh\b")


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to switch to: how USER spells it, and the instructions that make it, if any."""

    spelling: str
    uid: int
    home: str
    creation: tuple[str, ...] = ()
    name: str = ""


def app_uid_spelling(stage: AppStage, number: int, at: Instruction | None = None) -> str:
    """`$APP_UID` where the variable has its value when USER reads it, else the number."""
    seen = stage.environment if at is None else environment_before(stage, at)
    known = seen.get("APP_UID")
    return "$APP_UID" if known is not None and known.value == str(number) else str(number)


def certain_number(stage: AppStage, account: Account) -> str | Refusal:
    """The number that RUN gives a user, if it gives one whatever happens."""
    place = (stage.path, account.instruction.span)
    if not account.certain:
        return Refusal(
            f"{account.name} is created on a condition: its number is not certain", *place
        )
    if account.variable is not None:
        return Refusal(
            f"the number of {account.name} comes from {_given_by(stage, account)}; "
            "write it as digits there and in USER",
            *place,
        )
    if account.uid is None:
        return Refusal(
            f"{account.name} is created without a number; add --uid and name that number in USER",
            *place,
        )
    if account.uid == 0:
        return Refusal(f"{account.name} has the number of root", *place)
    return str(account.uid)


def _given_by(stage: AppStage, account: Account) -> str:
    """The variable that the number comes from, with its place and value where it has them."""
    name = account.variable or ""
    given = environment_before(stage, account.instruction).get(name)
    if given is None:
        return f"{name}, which this Dockerfile does not set"
    if given.instruction < 0:
        return f"the variable {name} of the base image"
    setter = stage.dockerfile.instructions[given.instruction]
    place = f"{stage.path}:{setter.first_line}"
    if setter.keyword != "ARG":
        return f"the variable {name} ({place})"
    if given.value:
        return f"the argument {name} ({place}: {given.value} unless the build sets another)"
    return f"the argument {name} ({place}), which the build has to set"


def create_user(stage: AppStage, context: Context) -> NewUser | Refusal:
    """Make the configured user in the final stage, or copy it from a stage that has a shell."""
    settings = context.settings.user
    name, uid, gid = settings.name, settings.uid, settings.gid
    base: ImageFacts | BaseFamily | None = stage.facts
    if base is None:
        base = context.facts.family(stage.base) if stage.base is not None else None
    if base is None or base.create_user is None:
        return Refusal(
            f"the base image {stage.base or stage.stage.base.text} is not known; say what it is "
            "like under base-images in .github/hardhull.yml",
            stage.path,
            stage.stage.base.span,
        )
    if context.project.for_openshift:
        gid = 0  # whoever runs there is in this group, whatever number the namespace gives
    if uid in base.taken_uids or (gid and gid in base.taken_uids):
        return Refusal(f"the number {uid} is taken in {stage.base}; configure user.uid", stage.path)
    shell = stage.effective("SHELL")
    if shell is not None and shell.words and not _POSIX_SHELL.search(shell.words[0].value):
        return Refusal("SHELL is not one that makes users", stage.path, shell.span)
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
    return NewUser(str(uid), uid, f"/home/{name}", (_command(tool, name, uid, gid),), name)


_SHARED = " && chmod g=u /home/{}"


def _command(tool: UserTool, name: str, uid: int, gid: int) -> str:
    # Group 0 is there already; it gets what the user may do at home.
    group, shared = (f"groupadd --gid {gid} {name} && ", "") if gid else ("", _SHARED.format(name))
    made = f"{group}useradd --no-log-init --uid {uid} --gid {gid} --create-home {name}{shared}"
    match tool:
        case UserTool.USERADD:
            return f"RUN {made}"
        case UserTool.BUSYBOX:
            if not gid:
                return f"RUN adduser -D -u {uid} -G root {name}{shared}"
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
