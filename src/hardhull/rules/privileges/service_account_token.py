"""service-account-token: the pod holds a key to the Kubernetes API that it does not use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    SetValue,
    Severity,
    Span,
    SubjectKind,
    value_of,
)
from hardhull.project.starting import start_of
from hardhull.rules.finding import place
from hardhull.rules.privileges.examples import DOCKERFILE, POD, in_pod
from hardhull.rules.privileges.scope import built_here
from hardhull.rules.rollout import made_anew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesObject, Workload

ID = "service-account-token"
_CLIENT = re.compile(
    r"\bkubectl\b|\bhelm\b|/var/run/secrets/kubernetes\.io|KUBERNETES_SERVICE_HOST"
    r"|\bkubernetes\.default\b"
)


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """Pods that are given a token though nothing here is seen to use it."""
    mounted = workload.pod.get("automountServiceAccountToken")
    if mounted is not None and (mounted.as_bool() is False or mounted.is_opaque):
        return
    if _has_a_use(workload, context):
        return
    account = _account(workload)
    accounts = context.project.index.objects("ServiceAccount", account)
    if any(_says_no(other, workload) for other in accounts):
        return
    programs = [app.program for app in context.project.index.running(workload)]
    unseen = [program for program in programs if program is None or not program.complete]
    evidence = ("not checked: all of the code; does it speak to the Kubernetes API?",)
    start = workload.pod.span.start
    span = mounted.span if mounted is not None else Span(start, start + 1)
    yield Finding(
        ID,
        workload.path,
        workload.where,
        span,
        "it is given a token for the Kubernetes API that nothing here is seen to use",
        Severity.LOW,
        Level.REVIEW,
        evidence=evidence if unseen else (),
        subject=workload,
        plan=mounted,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Leave the token out, where all that could use it is here and was read."""
    workload: Workload = finding.subject
    mounted: Cursor | None = finding.plan
    if mounted is not None and not mounted.is_null:
        reason = f"{place(mounted)} asks for the token"
        return Refusal(reason, mounted.path, mounted.span)
    for container in workload.containers:
        if not built_here(container, context):
            reason = f"the image of {container.name} is not built here: it may use the token"
            return Refusal(reason, container.path, container.span)
        for name in start_of(container, context.project).unread:
            return Refusal(f"{name}, which it starts with, is not here to be read", container.path)
        for stage in context.project.stages_of(container):
            for instruction in stage.instructions:
                if _CLIENT.search(instruction.text):
                    reason = f"its image has a client of the API: {instruction.text[:60]}"
                    return Refusal(reason, stage.path, instruction.span)
    for app in context.project.applications:
        if workload in app.workloads and (app.program is None or not app.program.complete):
            reason = f"not all code of {app.name} could be read: it may use the token"
            return Refusal(reason, workload.path, finding.span)
    at = (*workload.pod.address, "automountServiceAccountToken")
    return Fix(
        (SetValue(workload.path, at, value_of(thing=False)),),
        "automountServiceAccountToken: false",
        Level.REVIEW,
        "a library that speaks to the Kubernetes API finds no token",
        (
            "not checked: libraries that use the token without a trace in the code",
            *made_anew(workload),
        ),
    )


def _account(workload: Workload) -> str:
    for key in ("serviceAccountName", "serviceAccount"):
        found = workload.pod.get(key)
        if found is not None and not found.is_null:
            return found.text or "?"
    return "default"


def _has_a_use(workload: Workload, context: Context) -> bool:
    """A chosen account, a right that was granted, a mesh, or code that speaks to the API."""
    if _account(workload) != "default" or workload.injected is not None or workload.windows:
        return True
    marks = {**workload.labels, **workload.annotations}
    if any(key.startswith("azure.workload.identity/") for key in marks):
        return True
    if _is_granted_rights(workload, context.project.index.trusted_spaces):
        return True
    for container in workload.containers:
        start = start_of(container, context.project)
        if start.first(_CLIENT) is not None or _CLIENT.search(container.cursor.raw):
            return True
    return any(
        app.program is not None and app.program.kubernetes_client
        for app in context.project.index.running(workload)
    )


def _is_granted_rights(workload: Workload, spaces: frozenset[str]) -> bool:
    """Whether a binding gives the default account of the workload's namespace something."""
    if not workload.namespace or "" in spaces:
        return bool(spaces)
    return workload.namespace in spaces


def _says_no(other: KubernetesObject, workload: Workload) -> bool:
    """Whether the account itself says that its token is not to be mounted."""
    if other.namespace and workload.namespace and other.namespace != workload.namespace:
        return False
    found = other.cursor.get("automountServiceAccountToken")
    return found is not None and found.as_bool() is False


_SPEC = "    spec:\n"
_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
  - kind: ServiceAccount
    name: default
    namespace: default
"""

RULE = Rule(
    id=ID,
    title="The pod holds a token for the Kubernetes API",
    concern="privileges",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Kubernetes puts a key to its API into every pod. A program that never speaks to that "
        "API only keeps the key ready for whoever takes it over."
    ),
    fix_note=(
        "Sets `automountServiceAccountToken: false` in the pod's spec. Silent where a service "
        "account was chosen, rights were granted, a mesh or a workload identity is at work, or the "
        "program has a client of the Kubernetes API."
    ),
    routine_when="never: libraries may use the token without a trace in the code",
    review_when="every image of the pod is built here, and all of its code was read",
    refused_when=(
        "an image is not built here or not all of its code can be read, the image has kubectl or "
        "helm, or the manifest asks for the token"
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    ),
    equivalents=(
        "checkov:CKV_K8S_38",
        "trivy:KSV-0036",
        "polaris:automountServiceAccountToken",
        "kubescape:C-0034",
        "kubescape:C-0261",
        "kics:48471392-d4d0-47c0-b135-cdec95eb3eef",
        "kubesec:AutomountServiceAccountToken",
        "cis:5.1.6",
        "nsa:1.11",
    ),
    examples=(
        Example(
            "nothing uses it",
            in_pod(POD),
            {"k8s/api.yaml": POD + "      automountServiceAccountToken: false\n"},
            level=Level.REVIEW,
        ),
        Example(
            "an image that is not built here",
            in_pod(POD + "        - name: log\n          image: acme.example/log-shipper:2\n"),
            refused="it may use the token",
        ),
        Example(
            "the image has kubectl",
            in_pod(POD, DOCKERFILE.replace("COPY", "RUN install-tools kubectl\nCOPY")),
            refused="has a client of the API",
        ),
        Example(
            "the manifest asks for it",
            in_pod(POD + "      automountServiceAccountToken: true\n"),
            refused="asks for the token",
        ),
        Example(
            "not mounted",
            in_pod(POD.replace(_SPEC, _SPEC + "      automountServiceAccountToken: false\n")),
            silent=True,
        ),
        Example(
            "an account was chosen",
            in_pod(POD.replace(_SPEC, _SPEC + "      serviceAccountName: reader\n")),
            silent=True,
        ),
        Example(
            "the default account was given rights",
            {**in_pod(POD), "k8s/rbac.yaml": _BINDING},
            silent=True,
        ),
        Example(
            "the program speaks to the API",
            {
                **in_pod(POD),
                "api/Program.cs": "var config = KubernetesClientConfiguration.InClusterConfig();\n",
            },
            silent=True,
        ),
    ),
)
