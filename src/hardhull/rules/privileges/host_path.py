"""host-path: the container is given files of its host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.container import Platform
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.docker_socket import is_socket
from hardhull.rules.privileges.examples import COMPOSE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import workload_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container, Mount
    from hardhull.project.context import Context

ID = "host-path"
_SYSTEM = (
    "/", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var/run",
    "/var/lib/docker", "/var/lib/kubelet",
)  # fmt: skip
_HARMLESS = ("/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/pki", "/usr/share/zoneinfo")


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Host paths in pods; in Compose, where bind mounts are ordinary, those of the system."""
    for mount in container.mounts:
        if mount.kind != "bind" or not mount.host or is_socket(mount):
            continue
        if container.platform is Platform.COMPOSE and not _of_the_system(mount):
            continue
        writing = "may write" if mount.writable else "may read"
        yield in_container(
            ID,
            Severity.MEDIUM,
            container,
            f"it {writing} {mount.host} of its host",
            at=mount.cursor,
            level=Level.MANUAL,
            what=mount.host,
        )
    yield from _not_mounted(container, context)


def _not_mounted(container: Container, context: Context) -> Iterator[Finding]:
    """Host paths of the pod that no container mounts; told once for the workload."""
    workload = workload_of(container, context)
    if workload is None:
        return
    mounted = {mount.volume for one in workload.containers for mount in one.mounts}
    listed = workload.pod.get("volumes")
    for volume in listed.items() if listed is not None else ():
        host, name = volume.get("hostPath"), volume.get("name")
        if host is None or host.is_null or name is None or name.text in mounted:
            continue
        found = in_container(
            ID,
            Severity.LOW,
            container,
            f"its pod has a volume {name.raw} of its host, which no container mounts",
            at=host,
            level=Level.MANUAL,
            what=f"volume {name.raw}",
        )
        yield replace(found, where=workload.where)


def _of_the_system(mount: Mount) -> bool:
    host = (mount.host or "").rstrip("/") or "/"
    if any(host == path or host.startswith(f"{path}/") for path in _HARMLESS):
        return False
    return any(host == path or (path != "/" and host.startswith(f"{path}/")) for path in _SYSTEM)


_VOLUME = """\
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          {}
"""

RULE = Rule(
    id=ID,
    title="The container is given files of its host",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "A host path ties a pod to one machine and lets whoever takes the program over read, and "
        "often change, that machine's files."
    ),
    fix_note=(
        "Reported only. Use a PersistentVolumeClaim, a ConfigMap or a Secret; where the host's "
        "file is meant, mount that one file with `readOnly: true`."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: where the data should live instead is a question of design",
    references=(
        "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
    ),
    equivalents=(
        "trivy:KSV-0023",
        "trivy:KSV-0121",
        "polaris:hostPathSet",
        "kubescape:C-0045",
        "kubescape:C-0048",
        "kube-linter:sensitive-host-mounts",
        "kube-linter:writable-host-mount",
        "kics:aa8f7a35-9923-4cad-bd61-a19b7f6aac91",
        "kics:5308a7a8-06f8-45ac-bf10-791fe21de46e",
        "kubesec:ProcMount",
        "cis:5.2.12",
        "pss:hostPathVolumes",
        "pss:restrictedVolumes",
    ),
    examples=(
        Example(
            "a pod", in_pod(POD + _VOLUME.format("hostPath: {path: /srv/data}")), reported=True
        ),
        Example(
            "a volume that no container mounts",
            in_pod(POD + "      volumes:\n        - {name: data, hostPath: {path: /srv/data}}\n"),
            reported=True,
        ),
        Example(
            "a Compose service with files of the system",
            in_compose(COMPOSE + "    volumes:\n      - /etc/ssh:/keys:ro\n"),
            reported=True,
        ),
        Example(
            "a directory of the pod's own",
            in_pod(POD + _VOLUME.format("emptyDir: {}")),
            silent=True,
        ),
        Example(
            "Compose with a folder of the project",
            in_compose(COMPOSE + "    volumes:\n      - ./data:/data\n"),
            silent=True,
        ),
    ),
)
