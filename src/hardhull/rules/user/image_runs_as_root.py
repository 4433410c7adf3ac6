"""image-runs-as-root: the program of an image runs as root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Operation,
    Refusal,
    ReplaceWord,
    Rule,
    Severity,
    SubjectKind,
    worst,
)
from hardhull.project.users import created_users, image_user
from hardhull.rules.finding import in_stage
from hardhull.rules.user.creating import (
    NewUser,
    app_uid_spelling,
    certain_number,
    create_user,
)
from hardhull.rules.user.examples import IMAGE_RUNS_AS_ROOT
from hardhull.rules.user.homes import moved_homes
from hardhull.rules.user.more_examples import MORE
from hardhull.rules.user.precondition_examples import PRECONDITIONS
from hardhull.rules.user.preconditions import obstacles
from hardhull.rules.user.start_up import started_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Instruction
    from hardhull.project.application import AppStage
    from hardhull.project.context import Context
    from hardhull.rules.user.obstacle import Doubt

ID = "image-runs-as-root"


def find(stage: AppStage, context: Context) -> Iterator[Finding]:
    """Application stages whose user is root, or not known to be anything else."""
    user = image_user(stage)
    root = user.root
    if root is False:
        return
    starter = None if stage.starts_program else started_by(stage, context)
    if not stage.starts_program and starter is None:
        return
    if root is None and user.instruction is None and stage.base is not None:
        # The configuration may say what it is like; official distributions start as root.
        root = True if context.facts.family(stage.base) is not None else None
    span = user.instruction.span if user.instruction is not None else stage.stage.from_.span
    message = "the image runs as root" if root else "the image may run as root"
    level = Level.ROUTINE
    if starter is not None:
        message += (
            f"; it has no ENTRYPOINT or CMD of its own, {starter} says what it starts: write USER "
            "by hand, behind its last COPY, if nothing that starts it needs root"
        )
    if root is None or starter is not None:
        level = Level.MANUAL
    elif user.instruction is not None:
        level = Level.REVIEW  # somebody wrote it down: overriding a decision needs a look
    yield in_stage(ID, Severity.HIGH, stage, span, message, level=level, evidence=(user.evidence,))


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Give the image a user that is not root, if nothing is seen to need root."""
    stage: AppStage = finding.subject
    chosen = choose_user(stage, context)
    doubts: list[Doubt] = []
    # Where no user can be chosen, what else stands in the way is still worth saying first.
    user = chosen if isinstance(chosen, NewUser) else NewUser("", 0, "/home")
    for obstacle in obstacles(stage, user, context):
        if isinstance(obstacle, Refusal):
            return obstacle
        doubts.append(obstacle)
    if isinstance(chosen, Refusal):
        return chosen
    homes = moved_homes(stage, chosen.home, context)
    if isinstance(homes, Refusal):
        return homes
    if homes and "$" in chosen.home:
        reason = f"paths below /root would move to {chosen.home}, which a variable names"
        return Refusal(reason, stage.path)
    level = worst(finding.level, *(doubt.level for doubt in doubts))
    return Fix(
        (*_switch(stage, chosen), *homes),
        f"USER {chosen.spelling}" + (f" ({chosen.uid})" if chosen.spelling.startswith("$") else ""),
        level,
        f'"Permission denied" at a path that only root may write, such as {_work_dir(stage)}',
        tuple(dict.fromkeys(doubt.text for doubt in doubts)),
    )


def choose_user(stage: AppStage, context: Context) -> NewUser | Refusal:
    """The user that the Dockerfile made, else the base's own where it has one, else a new one."""
    made = tuple(created_users(stage).values())
    if len(made) > 1:
        names = ", ".join(account.name for account in made)
        return Refusal(f"it creates the users {names}: which one should run it?", stage.path)
    for account in made:
        number = certain_number(stage, account)
        if isinstance(number, Refusal):
            return number
        return NewUser(number, int(number), account.home, name=account.name)
    facts = stage.facts
    if facts is not None and facts.app_uid is not None:
        at = _replaced(stage)
        return NewUser(
            app_uid_spelling(stage, facts.app_uid, at), facts.app_uid, "/home/app", name="app"
        )
    return create_user(stage, context)


def _replaced(stage: AppStage) -> Instruction | None:
    """The stage's own last USER, if no instruction behind it may need root."""
    existing = stage.effective("USER")
    own = stage.stage.instructions
    if existing is None or existing not in own:
        return None
    later = [i for i in own if i.index > existing.index]
    return None if any(i.keyword in ("RUN", "COPY", "ADD") for i in later) else existing


def _switch(stage: AppStage, user: NewUser) -> tuple[Operation, ...]:
    """Replace a final USER root, or insert USER before the program starts."""
    existing = _replaced(stage)
    others = [i for i in stage.instructions if i.keyword == "USER" and i is not existing]
    # What makes the user must run as root: behind `USER root` if somebody else was set before.
    if existing is not None and not (user.creation and others):
        before = tuple(
            InsertInstruction(stage.path, existing.index, text) for text in user.creation
        )
        return (*before, ReplaceWord(stage.path, existing.index, 0, user.spelling))
    at = insertion_point(stage)
    texts = (*user.creation, f"USER {user.spelling}")
    return tuple(InsertInstruction(stage.path, at, text) for text in texts)


def insertion_point(stage: AppStage) -> int:
    """Before ENTRYPOINT or CMD, unless something that may need root comes after them."""
    own = stage.stage.instructions
    last = own[-1].index + 1 if own else stage.stage.from_.index + 1
    needs_root = [i.index for i in own if i.keyword in ("RUN", "COPY", "ADD", "WORKDIR", "VOLUME")]
    floor = max(needs_root, default=stage.stage.from_.index)
    for instruction in own:
        if instruction.index > floor and instruction.keyword in ("ENTRYPOINT", "CMD"):
            return instruction.index
    return last


def _work_dir(stage: AppStage) -> str:
    found = stage.effective("WORKDIR")
    return found.text.strip() if found is not None else "/app"


RULE = Rule(
    id=ID,
    title="The image's program runs as root",
    concern="user",
    subject=SubjectKind.STAGE,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        "A program that runs as root owns every file of its container, and a break-out starts "
        "with root's rights on the host. A web application needs none of that."
    ),
    fix_note=(
        "Writes `USER $APP_UID` where the base image has that variable (.NET 8 and later); "
        "elsewhere creates the user `nonroot` (10001) the way the distribution can and writes its "
        "number, since Kubernetes can't verify a name. `USER` stands after the last instruction "
        "that may need root, before `ENTRYPOINT`. Mounts and paths below `/root` move to the "
        "user's home in the same fix."
    ),
    routine_when=(
        "the base image is known, every port is 1024 or above, and the program was read and is "
        "not seen to write outside /tmp and what the Dockerfile gives its user"
    ),
    review_when=(
        "the program's code is not here or could not be read to the end, a volume is mounted or "
        "declared, directories belong to another user, the start script could not be read, a "
        "certificate to trust is mounted, keys or secrets are files of the host, only the "
        "contents of a directory were given to the user, a placeholder names the Dockerfile that "
        "a Compose file builds, or an explicit `USER root` is overridden"
    ),
    refused_when=(
        "a port below 1024 is listened on, the start-up changes the user itself or needs root, "
        "the program writes below a directory that root owns or opens raw sockets (`ping`), "
        "it is given a device of the host, only root "
        "may read or start it, Windows builds the same Dockerfile and a user has to be made, "
        "the image is a base that others run commands on, or the base image is not known"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/app-user",
        "https://docs.docker.com/reference/dockerfile/#user",
    ),
    equivalents=(
        "checkov:CKV_DOCKER_3",
        "checkov:CKV_DOCKER_8",
        "trivy:DS-0002",
        "hadolint:DL3002",
    ),
    examples=(*IMAGE_RUNS_AS_ROOT, *PRECONDITIONS, *MORE),
)
