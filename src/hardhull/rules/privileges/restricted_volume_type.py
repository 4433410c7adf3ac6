"""restricted-volume-type: the pod itself names the storage it uses, past claims and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.pod_security_checks import VOLUMES
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import POD, in_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

ID = "restricted-volume-type"


def find(workload: Workload, context: Context) -> Iterator[Finding]:  # noqa: ARG001  a rule's shape
    """Volumes of the kinds that the restricted level refuses; host paths have their own rule."""
    listed = workload.pod.get("volumes")
    for volume in listed.items() if listed is not None else ():
        kinds = [key for key, value in volume.pairs() if key != "name" and not value.is_null]
        if not kinds or "hostPath" in kinds or any(key in VOLUMES for key in kinds):
            continue
        called = volume.get("name")
        name = (called.text if called is not None else None) or "without a name"
        yield in_workload(
            ID,
            Severity.LOW,
            workload,
            f"its volume {name} is {kinds[0]}, named in the pod itself",
            at=volume,
            level=Level.MANUAL,
            what=f"{kinds[0]} {name}",
        )


_VOLUME = """\
      volumes:
        - name: data
          {}
"""

RULE = Rule(
    id=ID,
    title="A volume is of a kind that the restricted level refuses",
    concern="privileges",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.LOW,
    find=find,
    fix=None,
    why=(
        "A pod that names a disk or a server itself goes past the claims and classes by which a "
        "cluster decides who may use which storage. Most of these kinds are deprecated."
    ),
    fix_note=(
        "Reported only. Make a PersistentVolume of it, and let the pod use a "
        "PersistentVolumeClaim; or use the kind's CSI driver."
    ),
    routine_when="never: it is reported only",
    review_when="never: it is reported only",
    refused_when="always: it needs a PersistentVolume in the cluster",
    references=(
        "https://kubernetes.io/docs/concepts/storage/volumes/#volume-types",
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
    ),
    equivalents=("trivy:KSV-0028", "pss:restrictedVolumes"),
    examples=(
        Example(
            "a directory of a file server",
            in_pod(POD + _VOLUME.format("nfs: {server: files.acme.example, path: /data}")),
            reported=True,
        ),
        Example(
            "a claim",
            in_pod(POD + _VOLUME.format("persistentVolumeClaim: {claimName: data}")),
            silent=True,
        ),
        Example(
            "a host path, of which host-path speaks",
            in_pod(POD + _VOLUME.format("hostPath: {path: /data}")),
            silent=True,
        ),
    ),
)
