"""capabilities-not-dropped: the program keeps pieces of root that it does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind, worst
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.dropping import EXAMPLES, obstacles
from hardhull.rules.privileges.scope import below, on_windows, set_by_openshift
from hardhull.rules.rollout import waits_for_image
from hardhull.rules.todays_image import todays_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "capabilities-not-dropped"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers that do not drop exactly `ALL`, which is what Pod Security looks for."""
    dropped = [item.text for item in container.dropped_capabilities]
    if "ALL" in dropped or on_windows(container, context):
        return
    if not dropped and (set_by_openshift(container, context) or below(container) is not None):
        return  # a patch without a list leaves that of its base
    misspelled = any((text or "").upper() == "ALL" for text in dropped)
    yield in_container(
        ID,
        Severity.LOW if misspelled else Severity.MEDIUM,
        container,
        "Pod Security reads only `ALL`, in capitals" if misspelled else "it keeps capabilities",
        what="spelling" if misspelled else "",
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Drop all, if the program is known to run without them."""
    container: Container = finding.subject
    if finding.what == "spelling":  # runtimes read both spellings alike: nothing changes for them
        return Fix(container.drop_all_capabilities(), "drop: ALL, in capitals")
    notes: list[str] = []
    for obstacle in obstacles(container, context):
        if isinstance(obstacle, Refusal):
            return obstacle
        notes.append(obstacle)
    if waiting := waits_for_image(container, context, notes):
        return Refusal(waiting, container.path, container.span)
    today = todays_image(container, context)
    return Fix(
        container.drop_all_capabilities(),
        "drop ALL capabilities",
        worst(finding.level, Level.REVIEW if notes else Level.ROUTINE),
        '"Operation not permitted", for example from a ping',
        (*notes, today.starts) if today is not None else tuple(notes),
    )


RULE = Rule(
    id=ID,
    title="Capabilities are not dropped",
    concern="privileges",
    subject=SubjectKind.CONTAINER,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "Container engines leave a dozen capabilities, pieces of root, to every container. A "
        "program that runs as an ordinary user and listens above port 1024 uses none of them; "
        "an attacker would."
    ),
    fix_note=(
        "Adds `ALL` to `capabilities.drop` (Kubernetes) or `cap_drop` (Compose) and spells `all` "
        "as `ALL`. Capabilities that are added stay: dangerous-capabilities looks at them."
    ),
    routine_when=(
        "the image is built here, its user is not root, every port is 1024 or above, nothing "
        "changes the user at start-up, and today's image was so already"
    ),
    review_when=(
        "the image is not built here, a script of the start-up is not here to be read, today's "
        "image still ran as root while the manifest names it by a tag, or the workload is a Pod or "
        "a Job, which can't be changed in place"
    ),
    refused_when=(
        "the program runs as root or as a user that is not known, listens below 1024, changes its "
        "user at start-up (gosu, su-exec, sudo), or its image uses setcap; the container is there "
        "for a debugger; or a Compose file for Windows is laid over this one; or today's image "
        "under the tag runs as root or listens below 1024 by its own config, where the registry "
        "was asked"
    ),
    references=(
        "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
        "https://man7.org/linux/man-pages/man7/capabilities.7.html",
    ),
    equivalents=(
        "checkov:CKV_K8S_37",
        "checkov:CKV_K8S_28",
        "trivy:KSV-0003",
        "trivy:KSV-0004",
        "trivy:KSV-0106",
        "polaris:insecureCapabilities",
        "kube-linter:drop-net-raw-capability",
        "kics:2f1a0619-b12b-48a0-825f-993bb6f01d58",
        "kics:dbbc6705-d541-43b0-b166-dd4be8208b54",
        "kubescape:C-0211",
        "kubesec:CapDropAll",
        "kubesec:CapDropAny",
        "cis:5.2.8",
        "cis:5.2.10",
        "pss:capabilities_restricted",
    ),
    patches=True,
    examples=EXAMPLES,
)
