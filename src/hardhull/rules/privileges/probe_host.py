"""probe-host: Kubernetes is told to probe another address than the pod's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import (
    Example,
    Finding,
    Fix,
    Level,
    Refusal,
    RemoveNode,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.pod_security_checks import hosts_asked
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.examples import POD, in_pod
from hardhull.rules.privileges.scope import asked_for
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "probe-host"
_ITSELF = re.compile(r"localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[?::1?\]?")
"""What people write who mean the pod itself; the kubelet reads it as its own machine."""


def find(container: Container, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Probes and lifecycle handlers with a `host`."""
    if not isinstance(container, KubernetesContainer):
        return
    for host in hosts_asked(container.cursor):
        handler = str(host.address[len(container.cursor.address) :][-3])
        yield in_container(
            ID,
            Severity.LOW,
            container,
            f"its {handler} asks {host.raw}, seen from the node, and not the pod",
            at=host,
            level=Level.REVIEW,
            what=f"{handler} {host.raw}",
            plan=host,
        )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Ask the pod, where the host is only another name for it."""
    container: KubernetesContainer = finding.subject
    host: Cursor = finding.plan
    asked = asked_for(container, context)
    if host.is_opaque:
        return Refusal("a placeholder decides which host is asked", host.path, host.span)
    itself = _ITSELF.fullmatch(host.text or "") is not None
    if not itself and not asked:
        reason = f"{host.raw} is another address: whether it is meant can't be seen here"
        return Refusal(reason, host.path, host.span)
    shared = container.pod.get("hostNetwork")
    on_host = shared is not None and shared.as_bool() is True
    if on_host and not asked:
        reason = "the pod shares its host's network, where its program may listen on localhost only"
        return Refusal(reason, shared.path if shared is not None else "", host.span)
    notes = ["not checked: whether the program listens on the pod's address, not on localhost only"]
    if not itself:
        notes = [f"not checked: why {host.raw} is asked; for a virtual host name a header does"]
    return Fix(
        (RemoveNode(host.path, host.address),),
        f"{finding.what} removed: the pod itself is asked",
        Level.REVIEW,
        "the probe fails, and the container is restarted or gets no requests",
        (*notes, *at_roll_out(container, context)),
    )


_PROBE = """\
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
"""
_HOST = "              host: {}\n"

RULE = Rule(
    id=ID,
    title="A probe asks another host than the pod",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "The kubelet probes from the node: with `host: localhost` it asks the node and not the "
        "pod, and with any other host it can be made to send requests to where the author of the "
        "pod could not. Pod Security refuses it since Kubernetes 1.34."
    ),
    fix_note=(
        "Removes `host` from probes and lifecycle handlers where it is another word for the pod "
        "itself; the pod's address is what is asked without it."
    ),
    routine_when="never: whether the program listens on the pod's address is not known",
    review_when="the host is localhost or a loopback address",
    refused_when="it is another address, or the pod shares its host's network",
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#http-probes",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=("pss:hostProbesAndHostLifecycle",),
    examples=(
        Example(
            "localhost",
            in_pod(POD + _PROBE + _HOST.format("localhost")),
            {"k8s/api.yaml": POD + _PROBE},
            level=Level.REVIEW,
        ),
        Example(
            "another machine",
            in_pod(POD + _PROBE + _HOST.format("health.acme.example")),
            refused="is another address",
        ),
        Example(
            "the host's network",
            in_pod(POD + _PROBE + _HOST.format("127.0.0.1") + "      hostNetwork: true\n"),
            refused="shares its host's network",
        ),
        Example("the pod itself", in_pod(POD + _PROBE), silent=True),
    ),
)
