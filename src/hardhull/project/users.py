"""Which user a program runs as: of an image, and of a container that may say otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hardhull.documents.expansion import Origin, expand
from hardhull.facts.catalogue import base_family
from hardhull.facts.kinds import BY_CONFIG
from hardhull.project.accounts import Account, accounts
from hardhull.project.container import Platform
from hardhull.project.stages import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.documents.dockerfile import Instruction
    from hardhull.facts.catalogue import ImageFacts
    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.link import Project
    from hardhull.project.published_image import PublishedImage
    from hardhull.project.stages import EnvValue

_STEP_DOWN = re.compile(r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|sudo)\b|\bsu\s+-")


@dataclass(frozen=True, slots=True)
class User:
    """Who runs. `root` is None if that is not known; `uid` is None for a name that is not known."""

    name: str | None
    root: bool | None
    uid: int | None
    evidence: str
    instruction: Instruction | None = None

    @property
    def numeric(self) -> bool:
        """Whether Kubernetes can see that the user is not root."""
        return self.name is not None and self.name.split(":")[0].isdecimal()


def image_user(stage: AppStage) -> User:
    """The user that the image of a stage starts with."""
    instruction = stage.effective("USER")
    if instruction is None:
        return _user_of_base(stage)
    place = f"{stage.path}:{instruction.first_line}"
    before = environment_before(stage, instruction)
    known = {name: Origin(found.value) for name, found in before.items()}
    expanded = expand(instruction.text.strip(), known)
    for name in expanded.unresolved:
        # A name that nobody declares is empty, unless an unknown base sets it. A build argument
        # without a default is whatever the build passes.
        if name in known or (stage.facts is None and stage.config is None):
            return User(None, None, None, f"{place} takes the user from {name}", instruction)
    name = expanded.text.strip().strip("\"'")
    evidence = f"{place} says USER {instruction.text.strip()}"
    if not name and expanded.unresolved:
        evidence += f"; {expanded.unresolved[0]} is not set there, which leaves root"
    return _named(name, stage, evidence, instruction)


def _user_of_base(stage: AppStage) -> User:
    if stage.facts is not None:
        return _named(stage.facts.user, stage, _starts_as(stage.base or "", stage.facts), None)
    if stage.config is not None:
        user = stage.config.user or "root"
        return _named(user, stage, f"{stage.base} starts as {user}{BY_CONFIG}", None)
    family = base_family(stage.base) if stage.base is not None else None
    if family is not None:
        return _named(family.user, stage, f"{stage.base} starts as {family.user}", None)
    return User(None, None, None, f"the user of {stage.base or 'the base image'} is not known")


def _starts_as(name: str, facts: ImageFacts) -> str:
    return f"{name} starts as {facts.user}{facts.source}"


def environment_before(stage: AppStage, instruction: Instruction) -> Mapping[str, EnvValue]:
    """The variables that an instruction of the chain sees: those set above it."""
    stages = list(stage.stages)
    for own in stage.chain:
        if instruction in own.instructions:
            above = tuple(item for item in own.instructions if item.index < instruction.index)
            stages[own.index] = replace(own, instructions=above)
            return environment(stages, own.index, stage.base_environment)
    return stage.environment


def _named(name: str, stage: AppStage, evidence: str, instruction: Instruction | None) -> User:
    user = name.split(":", maxsplit=1)[0]
    if user in ("", "root") or (user.isdecimal() and int(user) == 0):
        return User(name or "root", True, 0, evidence, instruction)
    if user.isdecimal():
        return User(name, False, int(user), evidence, instruction)
    account = created_users(stage).get(user)
    uid = account.uid if account is not None else None
    if account is None and stage.facts is not None:
        uid = stage.facts.uid_of(user)
    return User(name, uid == 0, uid, evidence, instruction)


def created_users(stage: AppStage) -> dict[str, Account]:
    """Users that the chain's RUN instructions create, by name; a later one counts."""
    found: dict[str, Account] = {}
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            for account in accounts(instruction):
                named = _expanded(account, stage)
                found[named.name] = named
    return found


def _expanded(account: Account, stage: AppStage) -> Account:
    """The account with the variables in its name and home put in, where their values are known."""
    if "$" not in account.name + account.home:
        return account
    before = environment_before(stage, account.instruction)
    known = {name: Origin(found.value) for name, found in before.items()}
    name, home = expand(account.name, known), expand(account.home, known)
    if name.unresolved or name.error or home.unresolved or home.error:
        return account
    return replace(account, name=name.text, home=home.text)


def steps_down(text: str) -> bool:
    """Whether a start command changes its user by itself."""
    return _STEP_DOWN.search(text) is not None


def container_user(container: Container, project: Project) -> User:
    """The user a container runs as: its own setting, else that of the image."""
    setting = container.user
    if setting is not None:
        place = f"{setting.cursor.file.source.path}:{setting.cursor.line}"
        if setting.value is None:
            return User(None, None, None, f"{place} takes the user from a placeholder")
        name = setting.value.split(":")[0]
        number = setting.cursor.as_int() if container.platform is Platform.KUBERNETES else None
        uid = number if number is not None else (int(name) if name.isdecimal() else None)
        root = name == "root" or uid == 0
        return User(
            setting.value, root, 0 if root else uid, f"{place} sets the user {setting.value}"
        )
    laid_over = getattr(container, "patched", None)
    if laid_over is not None:
        return container_user(laid_over, project)
    return image_user_of(container, project)


def built_users(container: Container, project: Project) -> list[User]:
    """The users of the images made here that a container may run; none if it runs another one."""
    image = project.image_of(container)
    if image is not None:
        return [published_user(image)]
    return [image_user(stage) for stage in project.stages_of(container)]


def published_user(image: PublishedImage) -> User:
    """The user that the SDK gives to an image: as is set, else by APP_UID, else the base's."""
    if image.user_doubt:
        return User(None, None, None, image.user_doubt)
    facts, setting = image.facts, image.user
    if setting is not None and setting.text:
        return _by_name(
            setting.text, facts, f"{setting.place} sets {setting.name} to {setting.text}"
        )
    given = image.variables.get("APP_UID", ("", None))[1]
    if given is not None:
        said = f"{given.place} sets APP_UID: whether the SDK heeds that is not known"
        return User(None, None, None, said)
    if facts is None:
        return User(None, None, None, f"the user of {image.base or 'its base image'} is not known")
    if facts.app_uid is not None:
        evidence = f"{image.path} is published on {image.base}, as its APP_UID {facts.app_uid}"
        return User(str(facts.app_uid), False, facts.app_uid, f"{evidence}{facts.source}")
    evidence = f"{image.path} is published on {image.base}, which starts as {facts.user}"
    return _by_name(facts.user, facts, f"{evidence}{facts.source}")


def _by_name(user: str, facts: ImageFacts | None, evidence: str) -> User:
    name = user.partition(":")[0]
    if name in ("", "root") or (name.isdecimal() and int(name) == 0):
        return User(user, True, 0, evidence)
    if name.isdecimal():
        return User(user, False, int(name), evidence)
    uid = facts.uid_of(name) if facts is not None else None
    return User(user, uid == 0, uid, evidence)


def image_user_of(container: Container, project: Project) -> User:
    """The user that a container's image starts with, whatever the container itself says."""
    users = built_users(container, project)
    if not users:
        return _published(container, project)
    for user in users:
        if user.root is not False:
            return user
    by_name = [user for user in users if not user.numeric]
    return by_name[0] if by_name else users[0]


def _published(container: Container, project: Project) -> User:
    from hardhull.images import parse_reference  # noqa: PLC0415  only for images not built here

    image = container.image
    reference = parse_reference(image.text) if image is not None and image.text else None
    if reference is None:
        return User(None, None, None, "the user of its image is not known")
    facts = project.workspace.facts.image(reference.exact)
    config = project.workspace.facts.own_config(reference.exact)
    if facts is not None:
        user, number, said = facts.user, facts.user_uid, _starts_as(reference.name, facts)
    elif config is not None:
        user, number = config.user or "root", None
        said = f"{reference.name} starts as {user}{BY_CONFIG}"
    else:
        return User(None, None, None, f"the user of {reference.name} is not known")
    name = user.partition(":")[0]
    if name.isdecimal():
        number = int(name)
    root = name in ("", "root") or number == 0
    return User(user, root, 0 if root else number, said)
