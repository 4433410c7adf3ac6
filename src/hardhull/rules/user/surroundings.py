"""What a program and its containers do that only root may, beside starting: named checks."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.project.compose import ComposeService
from hardhull.project.starting import start_of
from hardhull.rules.privileges.circumstances import left_alone
from hardhull.rules.user.obstacle import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.yaml import Cursor
    from hardhull.project.application import Application, AppStage
    from hardhull.project.container import Container, Mount
    from hardhull.project.context import Context
    from hardhull.rules.user.creating import NewUser

_LAST_ON_WINDOWS = 7
"""Later tags without a distribution's name are for Linux only."""
_TRUST = re.compile(r"/usr/local/share/ca-certificates\b|/etc/pki/ca-trust/source\b")
_DEVICE = re.compile(r"/dev/(?!shm\b|null\b|zero\b|u?random\b|log\b)")
_KEYS = re.compile(
    r"\.(?:pfx|p12|key|pem)\b|\b(?:https|certs?|certificates|ssl|tls|secrets|dataprotection\S*)(?:/|\s|$)",
    re.IGNORECASE,
)
_TRUSTS = re.compile(r"\bupdate-ca-(?:certificates|trust)\b")
_PING_INSTALLED = re.compile(r"\b(?:iputils(?:-ping)?|inetutils-ping)\b")


def pings(stage: AppStage, app: Application) -> Iterator[Refusal | Doubt]:
    """Raw sockets, which Linux gives to root and CAP_NET_RAW; .NET falls back on /bin/ping."""
    if app.directory is None:
        return
    installed = any(
        instruction.keyword == "RUN" and _PING_INSTALLED.search(instruction.text)
        for instruction in stage.instructions
    )
    for seen in app.programs.raw_sockets(app.directory):
        place = f"{seen.path}:{seen.line}"
        if installed and "Raw" not in seen.how:
            yield Doubt(f"not checked: {place} pings ({seen.how}), by the program ping if not root")
        else:
            yield Refusal(
                f"{place} opens a raw socket ({seen.how}), which on Linux needs root or "
                "CAP_NET_RAW",
                seen.path,
            )


def certificates(containers: list[Container], context: Context) -> Iterator[Refusal | Doubt]:
    """Certificates that are mounted to be trusted: only root may install them."""
    for container in containers:
        for mount in container.mounts:
            if not _TRUST.match(mount.target or ""):
                continue
            hooks = container.cursor.get("lifecycle")
            hooked = hooks is not None and _TRUSTS.search(hooks.raw) is not None
            if hooked or start_of(container, context.project).first(_TRUSTS) is not None:
                yield Refusal(
                    "a certificate is mounted for update-ca-certificates, which only root can run",
                    mount.cursor.path,
                    mount.cursor.span,
                )
            else:
                yield Doubt(
                    f"not checked: what installs the certificate mounted at {mount.cursor.path}:"
                    f"{mount.cursor.line}; update-ca-certificates needs root"
                )


def devices(containers: list[Container]) -> Iterator[Refusal | Doubt]:
    """Devices of the host, which root and their group may open; Docker gives them as they are."""
    for container in _with_its_user(containers):
        given = container.devices if isinstance(container, ComposeService) else ()
        places = [(one.path, one.span, one.line) for one in given]
        places += [
            (mount.cursor.path, mount.cursor.span, mount.cursor.line)
            for mount in container.mounts
            if _DEVICE.match(mount.host or "")
        ]
        for path, span, line in places[:1]:
            grouped = _is_in_groups(container)
            if grouped:
                yield Doubt(f"not checked: whether its groups may open the device at {path}:{line}")
            else:
                reason = "it is given a device of the host, which only root and a group may open"
                yield Refusal(reason, path, span)


def _is_in_groups(container: Container) -> bool:
    if isinstance(container, ComposeService):
        return container.option("group_add") is not None
    pod: Cursor = container.pod  # type: ignore[attr-defined]  # only Kubernetes has one
    return pod.get("securityContext", "supplementalGroups") is not None


def keys_of_the_host(containers: list[Container]) -> Iterator[Doubt]:
    """Keys and secrets that are files of the host: most tools make them for their owner alone."""
    for container in _with_its_user(containers):
        if not isinstance(container, ComposeService):
            continue  # Kubernetes makes the files of a Secret readable for all
        files = [m.cursor for m in container.mounts if m.kind == "bind" and _holds_keys(m)]
        for one in (*files, *container.secret_files):
            yield Doubt(
                f"not checked: who may read the host's files given at {one.path}:{one.line}"
            )


def _with_its_user(containers: list[Container]) -> Iterator[Container]:
    """The containers that run as the image's user, and not as one of their own."""
    return (container for container in containers if container.user is None)


def _holds_keys(mount: Mount) -> bool:
    """Whether keys are mounted; those of a developer's own home are of no concern elsewhere."""
    if (mount.host or "").startswith(("~", "$")):
        return False
    return (
        not mount.writable and _KEYS.search(f"{mount.host or ''} {mount.target or ''}") is not None
    )


def windows_too(
    stage: AppStage, user: NewUser, containers: list[Container], context: Context
) -> Iterator[Refusal]:
    """A Dockerfile that Windows builds too: the same tag is another image there."""
    facts = stage.facts
    major = facts.major if facts is not None else None
    both = facts is not None and not facts.variant and (major or 0) <= _LAST_ON_WINDOWS
    if not both or not user.creation:
        return
    for container in containers:
        path = _windows_file(stage, container, context)
        if path is not None:
            reason = f"{path} builds it for Windows containers too, where RUN groupadd fails"
            yield Refusal(reason, path)


def _windows_file(stage: AppStage, container: Container, context: Context) -> str | None:
    """The Compose file that builds this Dockerfile on Windows, by itself or laid over another."""
    if not isinstance(container, ComposeService) or container.build is None:
        return None
    if container.build.dockerfile != stage.path:
        return None
    for path, layer in container.layers:
        if _says_windows(path) and layer.get("build") is not None:
            return path
    beside = left_alone(container, context)
    return beside.path if beside is not None and _says_windows(beside.path or "") else None


def _says_windows(path: str) -> bool:
    return "windows" in posixpath.basename(path).lower()
