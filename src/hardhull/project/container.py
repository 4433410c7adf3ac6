"""What rules ask of a container, be it in a Kubernetes pod or a Compose service."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Operation, Span


class Platform(enum.Enum):
    """Who starts the container."""

    KUBERNETES = "kubernetes"
    COMPOSE = "compose"


class Role(enum.Enum):
    """When the container runs in its pod; Compose services are always MAIN."""

    MAIN = "main"
    INIT = "init"


class Seccomp(enum.Enum):
    """The system-call filter that is in force."""

    FILTERED = "filtered"
    UNCONFINED = "unconfined"
    NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Setting:
    """A scalar setting and where it stands; `value` is None if a placeholder hides it."""

    value: str | None
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class PortUse:
    """A place of a container's own port.

    `number` is None for a name or a placeholder; `name` is the port's name where it defines one.
    """

    number: int | None
    name: str | None
    cursor: Cursor
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class Mount:
    """Something mounted over the image's file system; `volume` is its name or host path."""

    target: str | None
    kind: str
    """`empty`, `claim`, `named`, `bind`, `config`, `tmpfs` or `unknown`."""
    volume: str
    cursor: Cursor
    host: str | None = None
    """The path on the host that a bind shows."""

    @property
    def writable(self) -> bool:
        """Whether the container may write there."""
        if self.kind == "config":
            return False
        for key in ("readOnly", "read_only"):
            found = self.cursor.get(key)
            if found is not None and found.as_bool() is not False:
                return False
        options = (self.cursor.node.value or "").rpartition(":")[2].split(",")
        return "ro" not in options

    def covers(self, path: str) -> bool:
        """Whether `path` is the mount itself or lies below it."""
        target = (self.target or "").rstrip("/")
        return bool(target) and (path.rstrip("/") == target or path.startswith(f"{target}/"))


class Container(Protocol):
    """The questions and the verbs that Kubernetes containers and Compose services share.

    Questions read the current text. Verbs return the operations that change it; they raise
    nothing: what can't be rendered is found out when it is rendered.
    """

    @property
    def path(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def platform(self) -> Platform: ...
    @property
    def role(self) -> Role: ...
    @property
    def cursor(self) -> Cursor: ...
    @property
    def span(self) -> Span: ...
    @property
    def image(self) -> Cursor | None: ...
    @property
    def user(self) -> Setting | None: ...
    @property
    def privileged(self) -> Cursor | None: ...
    @property
    def escalation_forbidden(self) -> bool | None: ...
    @property
    def dropped_capabilities(self) -> tuple[Cursor, ...]: ...
    @property
    def added_capabilities(self) -> tuple[Cursor, ...]: ...
    @property
    def seccomp(self) -> Seccomp: ...
    @property
    def read_only_root(self) -> bool | None: ...
    @property
    def mounts(self) -> tuple[Mount, ...]: ...
    @property
    def ports(self) -> tuple[PortUse, ...]: ...
    @property
    def environment(self) -> Mapping[str, Setting]: ...
    @property
    def command(self) -> tuple[Cursor, ...]: ...
    @property
    def windows(self) -> bool: ...
    @property
    def host_namespaces(self) -> tuple[tuple[str, Cursor], ...]: ...

    def forbid_escalation(self) -> tuple[Operation, ...]: ...
    def take_privileges(self) -> tuple[Operation, ...]: ...
    def drop_all_capabilities(self) -> tuple[Operation, ...]: ...
    def remove_capabilities(self, names: tuple[Cursor, ...]) -> tuple[Operation, ...]: ...
    def filter_system_calls(self, *, whole_pod: bool) -> tuple[Operation, ...]: ...
    def make_root_read_only(self) -> tuple[Operation, ...]: ...
    def mount_temporary(self) -> tuple[Operation, ...]: ...


_WINDOWS_IMAGE = re.compile(r"nanoserver|windowsservercore|-ltsc20\d\d")


def is_windows_image(image: Cursor | None) -> bool:
    """Whether an image's name says that it needs Windows."""
    return image is not None and _WINDOWS_IMAGE.search(image.text or "") is not None


def capability(cursor: Cursor) -> str:
    """Return a capability's name in upper case and without the `CAP_` prefix."""
    return (cursor.text or "").upper().removeprefix("CAP_")
