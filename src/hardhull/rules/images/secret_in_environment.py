"""secret-in-environment: a password or token stands in an image or a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Finding, Level, Rule, Severity, Span, SubjectKind
from hardhull.project.published import VARIABLE, projects_of, settings_in, used_by
from hardhull.rules.images.more_examples import SECRET_IN_ENVIRONMENT
from hardhull.rules.images.published_examples import SECRET_IN_PROJECT
from hardhull.rules.images.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.published import ImageSetting

ID = "secret-in-environment"


def find(project: Project, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Variables of applications' images and containers; values are never shown."""
    for stage in project.stages:
        yield from _in_image(stage)
    for container in project.containers:
        if not container.windows:
            yield from _in_container(container)
    for setting in settings_in(project.documents):
        if setting.name == VARIABLE and holds_secret(setting.item, setting.text):
            yield _in_project(setting, project)


def _in_image(stage: AppStage) -> Iterator[Finding]:
    for instruction in stage.instructions:
        if instruction.keyword != "ENV":
            continue
        words = instruction.words
        single = bool(words) and "=" not in words[0].text
        pairs = (
            [(words[0].value, words[1].value, words[0])]
            if single and len(words) > 1
            else [(*word.value.partition("=")[::2], word) for word in words if not single]
        )
        for name, value, word in pairs:
            if holds_secret(name, value):
                message = f"{name} holds a secret, which everyone who can pull the image can read"
                yield Finding(
                    ID, stage.path, f"{stage.where} ENV {name}", _name_only(word.span, name), message,
                    Severity.HIGH, Level.MANUAL, name,
                )  # fmt: skip


def _name_only(span: Span, name: str) -> Span:
    """A span that leaves the value out: what reports show of it must not be the secret."""
    return Span(span.start, min(span.end, span.start + len(name)))


def _in_container(container: Container) -> Iterator[Finding]:
    for name, setting in container.environment.items():
        if holds_secret(name, setting.value):
            yield Finding(
                ID, setting.cursor.file.source.path, f"{container.where}.env[{name}]",
                _name_only(setting.cursor.key_span or setting.cursor.span, name), f"{name} holds a secret, which is in the history of this file",
                Severity.MEDIUM, Level.MANUAL, name,
            )  # fmt: skip


def _in_project(setting: ImageSetting, project: Project) -> Finding:
    whose = used_by(setting.path, projects_of(setting.path, project.workspace.programs))
    name = setting.element.attribute("Include") or setting.element.attribute("Update")
    span = name.span if name is not None else setting.element.opening
    return Finding(
        ID, setting.path, f"{whose} {VARIABLE} {setting.item}", _name_only(span, setting.item),
        f"{setting.item} holds a secret, which everyone who can pull the image can read",
        Severity.HIGH, Level.MANUAL, setting.item,
    )  # fmt: skip


RULE = Rule(
    id=ID,
    title="A secret is written in the environment",
    concern="images",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.HIGH,
    find=find,
    fix=None,
    why=(
        "A value in ENV is part of the image, and one in a manifest is part of the repository's "
        "history: everyone who can read these has the secret, for good."
    ),
    fix_note=(
        "Reported only, and the value is never shown. Change the secret, since it is known; then "
        "take it from a Secret (`valueFrom.secretKeyRef`), a Compose secret or a file."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=(
        "https://kubernetes.io/docs/concepts/configuration/secret/",
        "https://docs.docker.com/compose/how-tos/use-secrets/",
    ),
    equivalents=(
        "polaris:sensitiveContainerEnvVar",
        "kubescape:C-0012",
        "kube-linter:env-var-secret",
        "kubesec:SecretsAsEnvironmentVariables",
        "cis:5.4.1",
    ),
    examples=(*SECRET_IN_ENVIRONMENT, *SECRET_IN_PROJECT),
)
