"""missing-fs-group: a program that is not root may not be able to write to its volume."""

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
    SubjectKind,
    value_of,
)
from hardhull.project.starting import start_of
from hardhull.project.users import container_user
from hardhull.rules.finding import in_workload
from hardhull.rules.privileges.examples import AS_ROOT, POD, in_pod
from hardhull.rules.rollout import made_anew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Mount
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload
    from hardhull.project.kubernetes_container import KubernetesContainer

ID = "missing-fs-group"
_CHANGES_OWNER = re.compile(r"\b(?:chown|chgrp)\b")


def find(workload: Workload, context: Context) -> Iterator[Finding]:
    """Pods whose user is a number other than 0, with a claim to write to and no group for it."""
    group = workload.pod.get("securityContext", "fsGroup")
    if (group is not None and not group.is_null) or workload.windows:
        return
    for container in workload.containers:
        mount = _claimed(container, workload)
        number = _group_of(container, context) if mount is not None else None
        if mount is None or number is None:
            continue
        yield in_workload(
            ID,
            Severity.LOW,
            workload,
            f"its user is not root, and nothing gives its group the volume {mount.volume}",
            at=mount.cursor,
            level=Level.REVIEW,
            evidence=(container_user(container, context.project).evidence,),
            plan=(mount.volume, number),
        )
        return


def _claimed(container: KubernetesContainer, workload: Workload) -> Mount | None:
    """The first mount that is a claim and may be written to; host paths keep their own owners."""
    claims = set(_claims(workload))
    return next((m for m in container.mounts if m.writable and m.volume in claims), None)


def _claims(workload: Workload) -> Iterator[str]:
    """The names of the pod's volumes that are claims: its own, and those of claim templates."""
    for volume in _items(workload.pod.get("volumes")):
        name = volume.get("name")
        kinds = (volume.get("persistentVolumeClaim"), volume.get("ephemeral"))
        if name is not None and name.text and any(kind is not None for kind in kinds):
            yield name.text
    for template in _items(workload.root.get("spec", "volumeClaimTemplates")):
        name = template.get("metadata", "name")
        if name is not None and name.text:
            yield name.text


def _items(listed: Cursor | None) -> list[Cursor]:
    return listed.items() if listed is not None else []


def _group_of(container: KubernetesContainer, context: Context) -> int | None:
    """The number of its group, else of its user: the kubelet gives every process that group too."""
    user = container_user(container, context.project)
    if user.root is not False or not user.uid:
        return None
    for place in (container.cursor, container.pod):
        group = place.get("securityContext", "runAsGroup")
        if group is not None and not group.is_null:
            return group.as_int() or None
    return user.uid


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Give the volume to the group, once: files that have it already are left as they are."""
    workload: Workload = finding.subject
    volume, number = finding.plan
    if context.project.for_openshift:
        return Refusal(
            "OpenShift gives the group itself, and refuses others", finding.path, finding.span
        )
    for container in workload.containers:
        owner = start_of(container, context.project).first(_CHANGES_OWNER)
        if owner is not None:
            return Refusal(f"{owner.place} changes the owner itself: {owner.text[:60]}", owner.path)
    shared = _shared(workload, volume, context)
    if shared is not None:
        reason = f"{shared.where} uses the same claim, and its files would change their group"
        return Refusal(reason, shared.path, None)
    at = (*workload.pod.address, "securityContext")
    present = workload.pod.get("securityContext")
    pairs = {"fsGroup": number, "fsGroupChangePolicy": "OnRootMismatch"}
    whole = (SetValue(workload.path, at, value_of(pairs)),)
    apart = tuple(
        SetValue(workload.path, (*at, key), value_of(value)) for key, value in pairs.items()
    )
    empty = present is None or present.is_null or not present.pairs()
    return Fix(
        whole if empty else apart,
        f"fsGroup: {number}",
        Level.REVIEW,
        '"Permission denied" on the volume for others who use it, or a slow first start',
        (
            f"the first start gives every file of {volume} to group {number}; large ones take time",
            "not checked: whether the storage takes a group; NFS servers and some drivers don't",
            *made_anew(workload),
        ),
    )


def _shared(workload: Workload, volume: str, context: Context) -> Workload | None:
    """Another workload of the namespace that uses the same claim."""
    name = _claim_name(workload, volume)
    for other in context.project.all_workloads if name is not None else ():
        if other.where == workload.where or other.namespace != workload.namespace:
            continue
        for own in _items(other.pod.get("volumes")):
            found = own.get("persistentVolumeClaim", "claimName")
            if found is not None and found.text == name:
                return other
    return None


def _claim_name(workload: Workload, volume: str) -> str | None:
    for own in _items(workload.pod.get("volumes")):
        name, claim = own.get("name"), own.get("persistentVolumeClaim", "claimName")
        if name is not None and name.text == volume and claim is not None:
            return claim.text
    return None


_VOLUME = """\
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          {}
"""
_CLAIM = POD + _VOLUME.format("persistentVolumeClaim: {claimName: data}")
_OTHER = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: backup
spec:
  template:
    spec:
      containers:
        - name: backup
          image: acme.example/backup:1
      volumes:
        - {name: data, persistentVolumeClaim: {claimName: data}}
"""
_INIT = """\
      initContainers:
        - name: own
          image: busybox:1
          command: [chown, -R, "1654", /data]
"""
_GROUP = """\
      securityContext:
        fsGroup: 1654
        fsGroupChangePolicy: OnRootMismatch
"""

RULE = Rule(
    id=ID,
    title="Nothing gives the volume to a program that is not root",
    concern="filesystem",
    subject=SubjectKind.WORKLOAD,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "A new volume belongs to root, and one that a program wrote to as root still does. A "
        "program that runs as another user can then not write to it. `fsGroup` gives the volume "
        "to a group that the program is in."
    ),
    fix_note=(
        "Sets `fsGroup` at the pod to the number of the program's group, with "
        "`fsGroupChangePolicy: OnRootMismatch`, so that it is done once. Only for claims: never "
        "because of a host path or an emptyDir, and never on OpenShift."
    ),
    routine_when="never: which storage the claim gets is not known",
    review_when="the user is a known number other than 0, and the volume is a claim",
    refused_when=(
        "another workload uses the same claim, something changes the owner at start-up, or the "
        "manifests are for OpenShift"
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods",
    ),
    equivalents=("trivy:KSV-0116", "kubescape:C-0211", "cis:5.7.3"),
    examples=(
        Example("a claim", in_pod(_CLAIM), {"k8s/api.yaml": _CLAIM + _GROUP}, level=Level.REVIEW),
        Example(
            "another workload uses the claim",
            {**in_pod(_CLAIM), "k8s/backup.yaml": _OTHER},
            refused="uses the same claim",
        ),
        Example(
            "an init container sees to it",
            in_pod(_CLAIM + _INIT),
            refused="changes the owner itself",
        ),
        Example(
            "OpenShift gives the group itself",
            in_pod(
                _CLAIM
                + "---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata:\n  name: api\n"
            ),
            refused="OpenShift gives the group itself",
        ),
        Example("a program that is root", in_pod(_CLAIM, AS_ROOT), silent=True),
        Example(
            "a directory of the host",
            in_pod(POD + _VOLUME.format("hostPath: {path: /srv/data}")),
            silent=True,
        ),
        Example(
            "a group is given",
            in_pod(_CLAIM + "      securityContext: {fsGroup: 10}\n"),
            silent=True,
        ),
    ),
)
