"""Which containers the rules about privileges speak of, and what may stand in their way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Refusal
from hardhull.project.compose import ComposeService

if TYPE_CHECKING:
    from hardhull.documents.yaml import Cursor
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.kubernetes import Workload

UNKNOWN_IMAGE = "not checked: what its image, which is not built here, does when it starts"

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
    """Whether the image it runs is built in this repository, from a Dockerfile that was read."""
    return bool(context.project.stages_of(container)) and not unread_build(container, context)


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
    return reference is not None and context.facts.image(reference.name) is not None


def of_unknown_use(container: Container, context: Context) -> Refusal | None:
    """Refuse to take from a program of which nothing is known what it was given on purpose."""
    if runs_dotnet(container, context):
        return None
    reason = "its image is not built here: what it uses this for is not known"
    return Refusal(reason, container.path, container.span)


def workload_of(container: Container, context: Context) -> Workload | None:
    """The Kubernetes workload it stands in; None for a Compose service."""
    if isinstance(container, ComposeService):
        return None
    return context.project.workload_of(container)


def openshift(context: Context, workload: Workload | None) -> bool:
    """Whether these manifests are for OpenShift, which checks pods against its own ranges."""
    if workload is not None and workload.kind == "DeploymentConfig":
        return True
    kinds = {"Route", "SecurityContextConstraints", "ImageStream", "BuildConfig"}
    return not kinds.isdisjoint(context.project.index.kinds)


def at(cursor: Cursor) -> str:
    """`path:line` of a node."""
    return f"{cursor.path}:{cursor.line}"
