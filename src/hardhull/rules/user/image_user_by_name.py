"""image-user-by-name: Kubernetes can't see from a name that an image's user is not root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    InsertInstruction,
    Refusal,
    ReplaceWord,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.users import created_users, image_user
from hardhull.rules.finding import in_stage
from hardhull.rules.user.creating import app_uid_spelling, certain_number
from hardhull.rules.user.examples import IMAGE_USER_BY_NAME
from hardhull.rules.user.image_runs_as_root import insertion_point
from hardhull.rules.user.more_examples import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import AppStage
    from hardhull.project.context import Context
    from hardhull.project.users import User

ID = "image-user-by-name"


def find(stage: AppStage, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Application stages whose user is not root, but known by name only."""
    user = image_user(stage)
    if user.root is not False or user.numeric or user.name is None or not stage.starts_program:
        return
    span = user.instruction.span if user.instruction is not None else stage.stage.from_.span
    message = f"the image's user is a name, {user.name}: Kubernetes can't see that it is not root"
    yield in_stage(
        ID, Severity.LOW, stage, span, message, what=user.name, evidence=(user.evidence,), plan=user
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:  # noqa: ARG001  a rule's shape
    """Write the number that the name stands for."""
    stage: AppStage = finding.subject
    user: User = finding.plan
    number = _number(stage, user)
    if isinstance(number, Refusal):
        return number
    _, colon, group = (user.name or "").partition(":")
    spelling = f"{number}{colon}{group}"
    written = user.instruction
    if written is None:
        text = f"USER {spelling}"
        return Fix((InsertInstruction(stage.path, insertion_point(stage), text),), text)
    operation = ReplaceWord(stage.path, written.index, 0, spelling)
    return Fix((operation,), f"USER {written.text.strip()} → {spelling}")


def _number(stage: AppStage, user: User) -> str | Refusal:
    """How USER spells the number of `user`: the base's variable, or digits."""
    name = (user.name or "").split(":")[0]
    where = user.instruction.span if user.instruction is not None else stage.stage.from_.span
    account = created_users(stage).get(name)
    if account is not None and account.variable is not None:
        return certain_number(stage, account)
    if user.instruction is not None and "$" in user.instruction.text:
        return Refusal("a variable names the user; write its number there", stage.path, where)
    facts = stage.facts
    if account is not None:
        return certain_number(stage, account)
    known = facts.uid_of(name) if facts is not None else None
    if facts is not None and known and name == "app" and known == facts.app_uid:
        return app_uid_spelling(stage, known, user.instruction)
    if known:
        return str(known)
    return Refusal(
        f"the number of {name} is not written in this Dockerfile; create it with --uid and "
        "name that number in USER",
        stage.path,
        where,
    )


RULE = Rule(
    id=ID,
    title="The image's user is a name, not a number",
    concern="user",
    subject=SubjectKind.STAGE,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "With runAsNonRoot: true Kubernetes starts only images whose user it can see not to be "
        "root. A name could be anyone in the image's /etc/passwd, so such an image does not start."
    ),
    fix_note=(
        "USER names the number that the name stands for: `$APP_UID` for the `app` user of .NET "
        "images, else the number that the Dockerfile gives it when it creates the user. A group "
        "stays as it is written."
    ),
    routine_when="the number is that of the base image's own user, or the Dockerfile writes it",
    review_when="never: the user stays the same",
    refused_when=(
        "the user is created without a number or on a condition, comes from elsewhere, or a "
        "variable names it"
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        "https://github.com/dotnet/dotnet-docker/blob/main/samples/kubernetes/non-root/README.md",
    ),
    equivalents=("hadolint:DL3066",),
    examples=(*IMAGE_USER_BY_NAME, *BY_NAME),
)
