"""missing-network-policy: every pod of the cluster can reach these pods, and these all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import KubernetesObject, Workload

ID = "missing-network-policy"
_OF_OTHERS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy")
"""Kinds that network plug-ins bring, and whose selectors are not read here."""


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """Workloads whose pods no NetworkPolicy of the repository selects."""
    for other in context.project.others:
        if other.kind in _OF_OTHERS or _selects(other, workload):
            return
    yield in_workload(
        ID,
        Severity.LOW,
        workload,
        "no NetworkPolicy here says who may reach its pods, and whom they may reach",
        level=Level.MANUAL,
        evidence=("not checked: policies that the cluster has and this repository does not",),
    )


def _selects(policy: KubernetesObject, workload: Workload) -> bool:
    if policy.kind != "NetworkPolicy":
        return False
    if policy.namespace and workload.namespace and policy.namespace != workload.namespace:
        return False
    selector = policy.cursor.get("spec", "podSelector")
    if selector is None:
        return True  # one of a plug-in, which selects in its own way
    wanted = selector.get("matchLabels")
    for key, value in wanted.pairs() if wanted is not None else ():
        if not value.is_opaque and workload.labels.get(key) != value.text:
            return False
    listed = selector.get("matchExpressions")
    return all(_holds(one, workload.labels) for one in (listed.items() if listed else ()))


def _holds(expression: Cursor, labels: Mapping[str, str]) -> bool:
    key, operator, values = (expression.get(name) for name in ("key", "operator", "values"))
    if key is None or operator is None:
        return True
    own = labels.get(key.text or "")
    listed = [value.text for value in values.items()] if values is not None else []
    match operator.text:
        case "In":
            return own in listed
        case "NotIn":
            return own not in listed
        case "Exists":
            return own is not None
        case "DoesNotExist":
            return own is None
        case _:
            return True


_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api
spec:
  podSelector: {}
  policyTypes: [Ingress]
"""

RULE = Rule(
    id=ID,
    title="No network policy selects the pods",
    concern="advice",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.LOW,
    find=find,
    fix=None,
    why=(
        "Without a NetworkPolicy every pod of the cluster can reach this one, and whoever takes "
        "this one over can reach all others."
    ),
    fix_note=(
        "Reported only. Begin with a policy that denies everything in the namespace, and allow "
        "what the program is known to need."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: who speaks to whom can't be seen in the manifests alone",
    references=("https://kubernetes.io/docs/concepts/services-networking/network-policies/",),
    equivalents=(
        "checkov:CKV2_K8S_6",
        "trivy:KSV-0038",
        "polaris:missingNetworkPolicy",
        "kubescape:C-0260",
        "kubescape:C-0030",
        "kube-linter:non-isolated-pod",
        "kics:0401f71b-9c1e-4821-ab15-a955caa621be",
        "cis:5.3.2",
        "nsa:2.0",
    ),
    examples=(
        Example("no policy", in_pod(POD), reported=True),
        Example(
            "a policy for other pods",
            {**in_pod(POD), "k8s/policy.yaml": _POLICY.replace("{}", "{matchLabels: {app: web}}")},
            reported=True,
        ),
        Example(
            "a policy for every pod of the namespace",
            {**in_pod(POD), "k8s/policy.yaml": _POLICY},
            silent=True,
        ),
        Example(
            "a policy that selects by an expression",
            {
                **in_pod(POD),
                "k8s/policy.yaml": _POLICY.replace(
                    "{}", "{matchExpressions: [{key: app, operator: In, values: [api, web]}]}"
                ),
            },
            silent=True,
        ),
    ),
    default=False,
)
