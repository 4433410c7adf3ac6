"""docker-socket: the container can start any other container on its host, as root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.examples import COMPOSE, POD, in_compose, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container, Mount
    from hardhull.project.context import Context

ID = "docker-socket"
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock", "docker_engine")


def is_socket(mount: Mount) -> bool:
    """Whether it is the socket of a container engine."""
    return (mount.host or "").replace("\\", "/").rstrip("/").endswith(_SOCKETS)


def find(container: Container, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Mounts of an engine's socket."""
    for mount in container.mounts:
        if is_socket(mount):
            yield in_container(
                ID,
                Severity.HIGH,
                container,
                f"whoever takes it over has the host: it is given {mount.host}",
                at=mount.cursor,
                level=Level.MANUAL,
                what=mount.host or "",
            )


_VOLUME = """\
          volumeMounts:
            - name: engine
              mountPath: /var/run/docker.sock
      volumes:
        - name: engine
          hostPath:
            path: /var/run/{}
"""

RULE = Rule(
    id=ID,
    title="The container is given the engine's socket",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.HIGH,
    find=find,
    fix=None,
    why=(
        "Whoever can speak to the engine can start a privileged container with the host's disk "
        "in it: the socket is the host's root. Mounting it read-only changes nothing."
    ),
    fix_note=(
        "Reported only. Put a proxy in between that allows the few calls it needs, or use an API "
        "made for the purpose (Kubernetes, a registry)."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: what the program uses the socket for is a question of design",
    references=(
        "https://docs.docker.com/engine/security/protect-access/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    ),
    equivalents=(
        "checkov:CKV_K8S_27",
        "trivy:KSV-0006",
        "kubescape:C-0074",
        "kube-linter:docker-sock",
        "kubesec:DockerSock",
        "cis:5.2.12",
        "pss:hostPathVolumes",
        "pss:restrictedVolumes",
    ),
    examples=(
        Example("a pod", in_pod(POD + _VOLUME.format("docker.sock")), reported=True),
        Example(
            "a Compose service",
            in_compose(
                COMPOSE + "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock:ro\n"
            ),
            reported=True,
        ),
        Example("another socket", in_pod(POD + _VOLUME.format("agent.sock")), silent=True),
    ),
)
