"""What must hold before a program may lose all capabilities: named checks, in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hardhull.images import parse_reference
from hardhull.model import Example, Level, Refusal
from hardhull.project.container import Platform
from hardhull.project.kubernetes_container import KubernetesContainer
from hardhull.project.ports import PRIVILEGED, listening
from hardhull.project.starting import start_of
from hardhull.project.users import built_users, container_user, steps_down
from hardhull.rules.privileges.circumstances import left_alone
from hardhull.rules.privileges.examples import (
    AS_ROOT,
    COMPOSE,
    DOCKERFILE,
    POD,
    in_compose,
    in_pod,
)
from hardhull.rules.privileges.scope import UNKNOWN_IMAGE, at, built_here, root_first, unread_build
from hardhull.rules.publishing_examples import NAMED, project, published
from hardhull.rules.rollout import at_roll_out, image_first, in_two_steps
from hardhull.rules.todays_image import todays_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.ports import Listening

_SETCAP = re.compile(r"\bsetcap\b")


def obstacles(container: Container, context: Context) -> Iterator[Refusal | str]:
    """What speaks against it: the first refusal ends the matter, texts say what to look at."""
    if container.privileged is not None:
        place = container.privileged
        yield Refusal("privileged-container comes first", place.path, place.span)
    reason = left_alone(container, context) or unread_build(container, context)
    if reason is not None:
        yield reason
    yield from _user(container, context)
    yield from _ports(container, context.project)
    yield from _start(container, context)
    if not built_here(container, context):
        yield UNKNOWN_IMAGE
    else:
        yield from _todays(container, context)
    yield from at_roll_out(container, context)


def _todays(container: Container, context: Context) -> Iterator[Refusal | str]:
    """What today's image needs: by its own config, else by the files before any change."""
    today = todays_image(container, context)
    by_files = today is None or in_two_steps(context)
    if by_files and _older_image_differs(container, context):
        why = f"today's image ran as root or listened below {PRIVILEGED}"
        yield image_first(container.platform, why)
    elif today is not None:
        waiting = today.capabilities_wait(own_user=container.user is not None)
        if waiting:
            yield Refusal(waiting, container.path, container.span)


def _user(container: Container, context: Context) -> Iterator[Refusal]:
    """Root uses capabilities for ordinary work, such as writing files of others."""
    user = container_user(container, context.project)
    required = container.non_root_required if isinstance(container, KubernetesContainer) else None
    if user.root is None and required is not None and required.as_bool():
        return  # the pod would not start as root
    if user.root is None:
        yield Refusal(f"{user.evidence}, and root may need capabilities", container.path)
    elif user.root:
        own = container.user
        path = own.cursor.path if own is not None else container.path
        first = "the manifest asks for root" if own is not None else root_first(container, context)
        yield Refusal(f"{user.evidence}, and root may need capabilities: {first}", path)


def _heard(container: Container, project: Project) -> Iterator[Listening]:
    app = project.owner_of(container)
    if app is None:
        return
    laid = [one for one in app.patches if one.patched == container]
    for stage in project.stages_of(container) or (None,):
        for one in (container, *laid):
            yield listening(app, stage, one)


def _ports(container: Container, project: Project) -> Iterator[Refusal | str]:
    """To bind a port below 1024 is a capability."""
    known = False
    for heard in _heard(container, project):
        for listener in heard.privileged:
            yield Refusal(
                f"{listener.evidence}: port {listener.port} may need NET_BIND_SERVICE; "
                "privileged-port comes first",
                listener.path,
            )
        known = known or bool(heard.listeners)
        for unknown in heard.unknown:
            yield f"not checked: {unknown}; a port below {PRIVILEGED} needs a capability"
    for port in () if known else container.ports:
        if port.number is not None and port.number < PRIVILEGED:
            place = port.cursor
            reason = f"{at(place)} declares port {port.number}, which may need NET_BIND_SERVICE"
            yield Refusal(reason, place.path, place.span)


def _start(container: Container, context: Context) -> Iterator[Refusal | str]:
    """To change the user, or to start a program with capabilities of its own, needs some."""
    start = start_of(container, context.project)
    for line in start.lines:
        if steps_down(line.text):
            yield Refusal(
                f"{line.place} changes the user at start-up, which needs SETUID", line.path
            )
    for stage in context.project.stages_of(container):
        for instruction in stage.instructions:
            if instruction.keyword == "RUN" and _SETCAP.search(instruction.text):
                reason = "it gives a program capabilities of its own, which could not start"
                yield Refusal(reason, stage.path, instruction.span)
    for name in start.unread:
        yield f"not checked: whether {name} changes the user or needs root"


def _older_image_differs(container: Container, context: Context) -> bool:
    """Whether the tag that the manifest names was built from something that needs capabilities."""
    text = container.image.text if container.image is not None else None
    reference = parse_reference(text) if text else None
    building = container.platform is Platform.COMPOSE and container.cursor.get("build") is not None
    if reference is None or building:
        return False
    first = context.first
    users = built_users(container, first)
    if container.user is None and any(user.root is not False for user in users):
        return True
    return any(heard.privileged for heard in _heard(container, first))


def _published(**config: object) -> dict[str, Mapping[str, Any]]:
    """A recording of what the registry has under the tag that the manifest names."""
    return {"acme.example/api:1": {"digest": f"sha256:{7:064x}", "config": config}}


_DROPPED = """\
          securityContext:
            capabilities:
              drop:
                - ALL
"""
_WITH_USER = POD + "          securityContext:\n            runAsUser: 10001\n"
_SPELLED = POD + "          securityContext: {capabilities: {drop: [all]}}\n"
_BINDING = POD + "          securityContext:\n            capabilities: {add: [NET_BIND_SERVICE]}\n"

EXAMPLES = (
    Example(
        "an image whose user is not root",
        in_pod(POD),
        {"k8s/api.yaml": POD + _DROPPED},
    ),
    Example(
        "the manifest sets the user",
        in_pod(_WITH_USER, AS_ROOT),
        {
            "k8s/api.yaml": _WITH_USER
            + "            capabilities:\n              drop:\n                - ALL\n"
        },
    ),
    Example(
        "a capability that is added stays",
        in_pod(_BINDING),
        {
            "k8s/api.yaml": _BINDING.replace(
                "add: [NET_BIND_SERVICE]", "add: [NET_BIND_SERVICE], drop: [ALL]"
            )
        },
    ),
    Example(
        "small letters",
        in_pod(_SPELLED, AS_ROOT),
        {"k8s/api.yaml": _SPELLED.replace("all", "ALL")},
    ),
    Example(
        "a Compose service",
        in_compose(COMPOSE),
        {"compose.yaml": COMPOSE + "    cap_drop:\n      - ALL\n"},
    ),
    Example(
        "an image that is not built here",
        {
            "k8s/api.yaml": POD.replace(
                "acme.example/api:1", "mcr.microsoft.com/dotnet/samples:aspnetapp-chiseled"
            )
            + "          securityContext: {runAsUser: 1654}\n"
        },
        {
            "k8s/api.yaml": POD.replace(
                "acme.example/api:1", "mcr.microsoft.com/dotnet/samples:aspnetapp-chiseled"
            )
            + "          securityContext: {runAsUser: 1654, capabilities: {drop: [ALL]}}\n"
        },
        level=Level.REVIEW,
        settings="applications: all\n",
    ),
    Example(
        "the image runs as root", in_pod(POD, AS_ROOT), refused="image-runs-as-root comes first"
    ),
    Example(
        "a port below 1024",
        in_pod(POD, DOCKERFILE.replace("COPY", "ENV ASPNETCORE_HTTP_PORTS=80\nCOPY")),
        refused="privileged-port comes first",
    ),
    Example(
        "the start-up changes the user",
        in_pod(POD, DOCKERFILE.replace('["dotnet"', '["gosu", "app", "dotnet"')),
        refused="changes the user at start-up",
    ),
    Example(
        "an init container of which nothing is known",
        in_pod(
            POD
            + "          securityContext: {capabilities: {drop: [ALL]}}\n"
            + "      initContainers:\n        - name: wait\n          image: acme.example/wait:2\n"
        ),
        refused="is not known",
    ),
    Example(
        "the image under the tag, by its config, needs none",
        in_pod(POD),
        {"k8s/api.yaml": POD + _DROPPED},
        digests=_published(User="1654", Env=["ASPNETCORE_HTTP_PORTS=8080"]),
    ),
    Example(
        "the image under the tag, by its config, still runs as root",
        in_pod(POD),
        refused="acme.example/api:1 runs as root (by its config); this waits until",
        digests=_published(Env=["ASPNETCORE_HTTP_PORTS=8080"]),
    ),
    Example(
        "the image under the tag, by its config, listens on a low port",
        in_pod(POD),
        refused="acme.example/api:1 listens on port 80 (by its config); this waits until",
        digests=_published(User="1654", Env=["ASPNETCORE_HTTP_PORTS=80"]),
    ),
    Example(
        "an image that the SDK publishes",
        published(project()),
        {"k8s/api.yaml": POD + _DROPPED},
    ),
    Example(
        "an image that the SDK publishes as root",
        published(project(NAMED + "    <ContainerUser>root</ContainerUser>\n")),
        refused="published-as-root comes first",
    ),
    Example("dropped already", in_pod(POD + _DROPPED), silent=True),
)
