"""privilege-escalation: a setuid program could give the process more rights than it started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind
from hardhull.project.container import Platform, capability
from hardhull.rules.finding import in_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "privilege-escalation"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers in which a process may gain rights, Windows left out."""
    if container.windows or container.escalation_forbidden is not False:
        return
    ours = bool(context.project.stages_of(container))
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
    """Forbid it, unless the container is allowed so much that Kubernetes rejects the pair."""
    container: Container = finding.subject
    if container.privileged is not None:
        return Refusal(
            "privileged: true allows escalation by itself; privileged-container comes first",
            container.path,
            container.privileged.span,
        )
    for item in container.added_capabilities:
        if capability(item) in ("SYS_ADMIN", "ALL"):
            return Refusal(
                f"it adds {item.text}, which allows escalation", container.path, item.span
            )
    for stage in context.project.stages_of(container):
        for instruction in stage.instructions:
            if instruction.keyword in ("ENTRYPOINT", "CMD") and "sudo" in instruction.text.split():
                return Refusal("its image starts with sudo", stage.path, instruction.span)
    kubernetes = container.platform is Platform.KUBERNETES
    text = "allowPrivilegeEscalation: false" if kubernetes else "no-new-privileges:true"
    return Fix(container.forbid_escalation(), text)


_POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels: {app: api}
  template:
    metadata:
      labels: {app: api}
    spec:
      containers:
        - name: api
          image: acme.example/api:1
"""
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled
COPY out /app
ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
_COMPOSE = """\
services:
  api:
    build: api
"""

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
    review_when="the image is not built here: whether it relies on setuid programs is not known",
    refused_when="the container is privileged, adds SYS_ADMIN, or its image starts with sudo",
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
    ),
    examples=(
        Example(
            "a Deployment",
            {"api/Dockerfile": _DOCKERFILE, "k8s/api.yaml": _POD},
            {
                "k8s/api.yaml": _POD
                + "          securityContext:\n            allowPrivilegeEscalation: false\n"
            },
        ),
        Example(
            "a Compose service",
            {"api/Dockerfile": _DOCKERFILE, "compose.yaml": _COMPOSE},
            {"compose.yaml": _COMPOSE + "    security_opt:\n      - no-new-privileges:true\n"},
        ),
        Example(
            "a privileged container",
            {
                "api/Dockerfile": _DOCKERFILE,
                "k8s/api.yaml": _POD + "          securityContext:\n            privileged: true\n",
            },
            refused="privileged-container comes first",
        ),
        Example(
            "forbidden already",
            {
                "api/Dockerfile": _DOCKERFILE,
                "k8s/api.yaml": _POD
                + "          securityContext: {allowPrivilegeEscalation: false}\n",
            },
            silent=True,
        ),
    ),
)
