"""privilege-escalation: a setuid program could give the process more rights than it started with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
    worst,
)
from hardhull.project.container import Platform, capability
from hardhull.project.starting import start_of
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import left_alone
from hardhull.rules.privileges.escalation_examples import EXAMPLES
from hardhull.rules.privileges.scope import below, built_here, on_windows, set_by_openshift
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "privilege-escalation"


_GAINING = re.compile(r"\b(?:sudo|doas)\b")
_SETUID = re.compile(r"\bsetcap\b|\bchmod\s+(?:-\S+\s+)*(?:[ug]*\+s\b|0?[2467][0-7]{3}\b)")
_INSTALLED = re.compile(
    r"\b(?:apt-get|apt|apk|tdnf|dnf|microdnf|yum)\b[^;&|]*?\b(?:install|add)\b[^;&|]*?"
    r"\b(sudo|doas|iputils-ping|iputils|fping|mtr|traceroute)\b"
)


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers in which a process may gain rights, Windows left out."""
    if on_windows(container, context) or container.escalation_forbidden is not False:
        return
    said = container.cursor.get("securityContext", "allowPrivilegeEscalation")
    if said is None and set_by_openshift(container, context):
        return
    ours = built_here(container, context)
    evidence = () if ours else ("not checked: whether its image relies on setuid programs",)
    yield in_container(
        ID,
        Severity.MEDIUM,
        container,
        "a setuid program could regain root",
        level=Level.ROUTINE if ours else Level.REVIEW,
        evidence=evidence,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Forbid it, unless something that starts is seen to need it."""
    container: Container = finding.subject
    notes: list[str] = []
    for obstacle in _obstacles(container, context):
        if isinstance(obstacle, Refusal):
            return obstacle
        notes.append(obstacle)
    kubernetes = container.platform is Platform.KUBERNETES
    return Fix(
        container.forbid_escalation(),
        "allowPrivilegeEscalation: false" if kubernetes else "no-new-privileges:true",
        worst(finding.level, Level.REVIEW if notes else Level.ROUTINE),
        '"Operation not permitted" from sudo, ping or another program that is given rights',
        tuple(notes),
    )


def _obstacles(container: Container, context: Context) -> Iterator[Refusal | str]:
    for one in filter(None, (container, below(container))):
        if one.privileged is not None:
            yield Refusal(
                "privileged: true allows escalation by itself; privileged-container comes first",
                one.path,
                one.privileged.span,
            )
        for item in one.added_capabilities:
            if capability(item) in ("SYS_ADMIN", "ALL"):
                reason = f"it adds {item.text}, which allows escalation"
                yield Refusal(reason, one.path, item.span)
    alone = left_alone(container, context)
    if alone is not None:
        yield alone
    start = start_of(container, context.project)
    gaining = start.first(_GAINING)
    if gaining is not None:
        yield Refusal(f"{gaining.place} uses sudo when it starts", gaining.path)
    for name in start.unread:
        yield f"not checked: whether {name}, which is not here, uses sudo"
    for stage in context.project.stages_of(container):
        yield from _image(stage)
    yield from at_roll_out(container, context)


def _image(stage: AppStage) -> Iterator[Refusal | str]:
    """Programs of the image that gain rights when they are started."""
    for instruction in stage.instructions:
        if instruction.keyword != "RUN":
            continue
        place = f"{stage.path}:{instruction.first_line}"
        given = _SETUID.search(instruction.text)
        if given is not None:
            reason = f"{place} gives a program rights of its own ({given[0]}), on purpose"
            yield Refusal(reason, stage.path, instruction.span)
        installed = _INSTALLED.search(instruction.text)
        if installed is not None:
            yield f"not checked: what {installed[1]}, installed in {place}, is for"


RULE = Rule(
    id=ID,
    title="A process may gain more rights than it started with",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Without no_new_privs a process that runs as an ordinary user can start a setuid program "
        "and become root inside the container. A .NET program needs none of these."
    ),
    fix_note=(
        "Sets `allowPrivilegeEscalation: false` in Kubernetes and adds "
        "`no-new-privileges:true` to `security_opt` in Compose."
    ),
    routine_when="the container runs an image that is built here, and it starts without sudo",
    review_when=(
        "the image is not built here, installs sudo or ping, or starts with a script that is not "
        "here; or the workload is a Pod or a Job, which can't be changed in place"
    ),
    refused_when=(
        "the container is privileged, adds SYS_ADMIN, starts with sudo or is there for a "
        "debugger; its image makes a program setuid or gives it capabilities; or a Compose file "
        "for Windows is laid over this one"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        "https://docs.kernel.org/userspace-api/no_new_privs.html",
    ),
    equivalents=(
        "checkov:CKV_K8S_20",
        "trivy:KSV-0001",
        "polaris:privilegeEscalationAllowed",
        "kubescape:C-0016",
        "kube-linter:privilege-escalation-container",
        "kics:5572cc5e-1e4c-4113-92a6-7a8a3bd25e6d",
        "compose-lint:CL-0003",
        "kubesec:AllowPrivilegeEscalation",
        "cis:5.2.6",
        "nsa:1.7",
        "pss:allowPrivilegeEscalation",
    ),
    patches=True,
    examples=EXAMPLES,
)
