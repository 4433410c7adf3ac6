"""Which containers the rules about privileges speak of, and what may stand in their way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import PodSecurityLevel, Refusal
from hardhull.project.compose import ComposeService
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.pod_security import violations

if TYPE_CHECKING:
    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

UNKNOWN_IMAGE = "not checked: what its image, which is not built here, does when it starts"

_NEVER_FIXED = ("hostPathVolumes", "seLinuxOptions", "sysctls", "windowsHostProcess")
"""Checks of the baseline level that rules only report."""

NEEDS_HOST = re.compile(
    r"\b(?:sysctl|modprobe|insmod|losetup|mount|umount|nsenter|unshare|chroot|iptables|ip6tables"
    r"|nft|dockerd|containerd|swapon|swapoff|fuse\w*|tc qdisc|ip (?:link|route|addr))\b"
)
"""Commands that an ordinary container can't run."""


def on_windows(container: Container, context: Context) -> bool:
    """Whether it runs on Windows, where most of these settings make the pod be rejected."""
    if container.windows:
        return True
    return any(stage.windows for stage in context.project.stages_of(container))


def built_here(container: Container, context: Context) -> bool:
    """Whether the image it runs is made in this repository, from what was read."""
    return context.project.makes(container) and not unread_build(container, context)


def root_first(container: Container, context: Context) -> str:
    """What comes first where the image starts as root."""
    image = context.project.image_of(container)
    if image is not None:
        return "published-as-root comes first" if image.user else "it has no user for programs"
    made = bool(context.project.stages_of(container))
    return "image-runs-as-root comes first" if made else "it needs root, or another image"


def unread_build(container: Container, context: Context) -> Refusal | None:
    """A Compose service may be built from another Dockerfile than its image's name suggests."""
    build = container.build if isinstance(container, ComposeService) else None
    if build is None or build.cursor.path != container.path:
        return None  # another file, of which nobody says when it is used, builds something else
    if build.dockerfile in context.project.dockerfiles:
        return None
    name = build.dockerfile or "a Dockerfile that a placeholder names"
    reason = f"it is built from {name}, which is not here to be read"
    return Refusal(reason, build.cursor.path, build.cursor.span)


def runs_dotnet(container: Container, context: Context) -> bool:
    """Whether it runs a .NET program: built here, or by what is known of its image."""
    if built_here(container, context):
        return True
    text = container.image.text if container.image is not None else None
    reference = parse_reference(text) if text else None
    return reference is not None and context.facts.image(reference.exact) is not None


def of_unknown_use(container: Container, context: Context) -> Refusal | str | None:
    """Refuse to take from a program of which nothing is known what it was given on purpose.

    Where Pod Security was asked for, a note says that somebody must look.
    """
    if runs_dotnet(container, context):
        return None
    if asked_for(container, context):
        return f"not checked: what {container.name}, whose image is not built here, uses this for"
    reason = "its image is not built here: what it uses this for is not known"
    return Refusal(reason, container.path, container.span)


def asked_for(container: Container, context: Context) -> bool:
    """Whether Pod Security was asked for, and the pod can come to pass it.

    A pod below the level is not admitted at all: what it must lose for that can be taken. A pod
    that will not pass anyway, and one that looks after its node, would lose it for nothing.
    """
    workload = workload_of(container, context)
    wanted = context.settings.pod_security
    if not wanted.asked or workload is None:
        return False
    if workload.kind == "DaemonSet" or workload.namespace == "kube-system":
        return False
    broken = violations(workload, PodSecurityLevel.BASELINE, wanted.version)
    return not any(one.check in _NEVER_FIXED for one in broken)


def workload_of(container: Container, context: Context) -> Workload | None:
    """The Kubernetes workload it stands in; None for a Compose service."""
    if isinstance(container, ComposeService):
        return None
    return context.project.workload_of(container)


def set_by_openshift(container: Container, context: Context) -> bool:
    """Whether OpenShift sets what a manifest leaves out.

    Its restricted-v2 drops all capabilities, forbids escalation, filters system calls and gives
    every namespace users of its own: https://docs.openshift.com/container-platform/4.18/
    authentication/managing-security-context-constraints.html
    """
    if isinstance(container, ComposeService) or context.settings.pod_security.asked:
        return False
    return context.project.for_openshift


def below(container: Container) -> KubernetesContainer | None:
    """The container that a patch is laid over; None for any other."""
    return container.patched if isinstance(container, KubernetesContainer) else None


def at(cursor: Cursor) -> str:
    """`path:line` of a node."""
    return f"{cursor.path}:{cursor.line}"
