"""default-namespace: a workload runs where everything runs that nobody gave a place."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.names import folders_above
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "default-namespace"
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_NAMESPACE = re.compile(r"^namespace:", re.MULTILINE)


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """Workloads in `default`, and those that nothing here gives another namespace."""
    named = workload.root.get("metadata", "namespace")
    if named is not None and (named.is_opaque or workload.namespace not in ("", "default")):
        return
    if workload.namespace == "" and _set_elsewhere(workload, context):
        return
    yield in_workload(
        ID,
        Severity.LOW,
        workload,
        "it runs in the namespace default" if workload.namespace else "it is given no namespace",
        at=named,
        level=Level.MANUAL,
        evidence=()
        if workload.namespace
        else ("not checked: whether it is applied with kubectl -n or by a tool that gives one",),
    )


def _set_elsewhere(workload: Workload, context: Context) -> bool:
    """Whether a kustomization above the file, or beside it, gives a namespace."""
    for folder in folders_above(workload.path):
        for name in _KUSTOMIZATIONS:
            source = context.project.workspace.texts.source(posixpath.join(folder, name))
            if source is not None and _NAMESPACE.search(source.text):
                return True
    return False


_NAMED = POD.replace("  name: api\nspec", "  name: api\n  namespace: <name>\nspec", 1)
_KUSTOMIZATION = "resources: [api.yaml]\nnamespace: shop\n"

RULE = Rule(
    id=ID,
    title="The workload runs in the default namespace",
    concern="advice",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.LOW,
    find=find,
    fix=None,
    why=(
        "Rights, network policies, quotas and Pod Security levels are given by namespace. What "
        "shares `default` shares all of them."
    ),
    fix_note=(
        "Reported only: to move a workload moves its addresses, secrets and volumes. Give new "
        "ones a namespace of their own."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: a workload in another namespace has other addresses and secrets",
    references=("https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",),
    equivalents=(
        "checkov:CKV_K8S_21",
        "trivy:KSV-0110",
        "kubescape:C-0061",
        "kubescape:C-0212",
        "kube-linter:use-namespace",
        "kics:611ab018-c4aa-4ba2-b0f6-a448337509a6",
        "cis:5.7.4",
    ),
    examples=(
        Example(
            "default, written down", in_pod(_NAMED.replace("<name>", "default")), reported=True
        ),
        Example("no namespace", in_pod(POD), reported=True),
        Example(
            "a kustomization gives one",
            {**in_pod(POD), "k8s/kustomization.yaml": _KUSTOMIZATION},
            silent=True,
        ),
        Example("a namespace of its own", in_pod(_NAMED.replace("<name>", "shop")), silent=True),
    ),
    default=False,
)
