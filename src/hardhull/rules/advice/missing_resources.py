"""missing-resources: nothing says how much memory and CPU a container needs or may take."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    Level,
    Operation,
    Refusal,
    Rule,
    SetValue,
    Severity,
    SubjectKind,
    value_of,
)
from hardhull.project.container import Role
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.rules.advice.examples import MISSING_RESOURCES
from hardhull.rules.finding import in_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "missing-resources"
_AFTER = ("imagePullPolicy", "image", "name")
_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>m|[kMGTPE]i?|Ki)?")
_UNITS = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(1000)} | {
    f"{letter}{i}": Decimal(1024 if i else 1000) ** power
    for power, letter in enumerate("KMGTPE", 1)
    for i in ("", "i")
}


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Kubernetes containers without the amounts that are configured; without any, if none are."""
    if not isinstance(container, KubernetesContainer) or container.windows:
        return
    if container.role is not Role.MAIN or _is_hidden(container):
        return
    configured = _configured(context)
    wanted = configured or dict.fromkeys((("requests", "memory"), ("limits", "memory")), "")
    missing = [key for key in wanted if container.cursor.get("resources", *key) is None]
    if not missing:
        return
    listed = ", ".join(".".join(key) for key in missing)
    yield in_container(
        ID,
        Severity.LOW,
        container,
        f"nothing says how much it needs or may take: {listed}",
        level=Level.REVIEW if configured else Level.MANUAL,
        evidence=() if configured else ("no numbers are configured under resources",),
        plan={key: configured[key] for key in missing} if configured else {},
    )


def _is_hidden(container: KubernetesContainer) -> bool:
    found = container.cursor.get("resources")
    return found is not None and (found.is_opaque or found.shared)


def _configured(context: Context) -> dict[tuple[str, str], str]:
    resources = context.settings.resources
    amounts = {
        ("requests", "cpu"): resources.requests.cpu,
        ("requests", "memory"): resources.requests.memory,
        ("limits", "cpu"): resources.limits.cpu,
        ("limits", "memory"): resources.limits.memory,
    }
    return {key: amount for key, amount in amounts.items() if amount is not None}


def fix(finding: Finding, context: Context) -> Fix | Refusal:  # noqa: ARG001  a rule's shape
    """Write the configured amounts that are missing."""
    container: KubernetesContainer = finding.subject
    new: dict[tuple[str, str], str] = finding.plan
    for (kind, what), amount in new.items():
        other = "limits" if kind == "requests" else "requests"
        found = container.cursor.get("resources", other, what)
        if found is None:
            continue
        request, limit = (amount, found.text) if kind == "requests" else (found.text, amount)
        if not _fits(request, limit):
            return Refusal(
                f"{other}.{what} is {found.raw}: a request may not be above its limit",
                found.path,
                found.span,
            )
    listed = ", ".join(f"{kind}.{what}: {amount}" for (kind, what), amount in new.items())
    return Fix(
        tuple(_operations(container, new)),
        listed,
        Level.REVIEW,
        "OOMKilled, or slower answers where a CPU limit throttles",
        ("not checked: whether the configured numbers fit this program",),
    )


def _fits(request: str | None, limit: str | None) -> bool:
    small, large = _amount(request), _amount(limit)
    return small is not None and large is not None and small <= large


def _amount(text: str | None) -> Decimal | None:
    match = _QUANTITY.fullmatch(text or "")
    return Decimal(match["number"]) * _UNITS[match["unit"] or ""] if match is not None else None


def _operations(
    container: KubernetesContainer, new: dict[tuple[str, str], str]
) -> Iterator[Operation]:
    """Set what is missing at the deepest mapping that is there."""
    path, at = container.path, (*container.cursor.address, "resources")
    blocks: dict[str, dict[str, str]] = {}
    for (kind, what), amount in new.items():
        blocks.setdefault(kind, {})[what] = amount
    present = container.cursor.get("resources")
    if present is None or present.is_null or not present.pairs():
        yield SetValue(path, at, value_of(blocks), _AFTER)
        return
    for kind, amounts in blocks.items():
        block = container.cursor.get("resources", kind)
        if block is None or block.is_null or not block.pairs():
            yield SetValue(path, (*at, kind), value_of(amounts))
            continue
        for what, amount in amounts.items():
            yield SetValue(path, (*at, kind, what), value_of(amount))


RULE = Rule(
    id=ID,
    title="The container has no requests or limits",
    concern="advice",
    subject=SubjectKind.CONTAINER,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Without requests the scheduler puts pods where there is no room, and without a memory "
        "limit one leaking program takes its whole node down."
    ),
    fix_note=(
        "Writes only the numbers that are configured under `resources`; nothing is invented. "
        "Amounts that are there stay."
    ),
    routine_when="never: whether the numbers fit is not known",
    review_when="numbers are configured",
    refused_when="a configured request would be above a limit that is there, or the other way",
    references=("https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",),
    equivalents=(
        "checkov:CKV_K8S_10",
        "checkov:CKV_K8S_11",
        "checkov:CKV_K8S_12",
        "checkov:CKV_K8S_13",
        "trivy:KSV-0011",
        "trivy:KSV-0015",
        "trivy:KSV-0016",
        "trivy:KSV-0018",
        "polaris:cpuRequestsMissing",
        "polaris:cpuLimitsMissing",
        "polaris:memoryRequestsMissing",
        "polaris:memoryLimitsMissing",
        "kubescape:C-0268",
        "kubescape:C-0269",
        "kubescape:C-0270",
        "kubescape:C-0271",
        "kics:ca469dd4-c736-448f-8ac1-30a642705e0a",
        "kics:4ac0e2b7-d2d2-4af7-8799-e8de6721ccda",
        "kics:229588ef-8fde-40c8-8756-f4f2b5825ded",
        "kics:b14d1bc4-a208-45db-92f0-e21f8e2588e9",
        "kube-linter:unset-cpu-requirements",
        "kube-linter:unset-memory-requirements",
        "kubescape:C-0050",
        "kubescape:C-0004",
        "kubescape:C-0009",
        "kubesec:RequestsCPU",
        "kubesec:RequestsMemory",
        "kubesec:LimitsCPU",
        "kubesec:LimitsMemory",
    ),
    examples=MISSING_RESOURCES,
    default=False,
)
