"""What is known of an image, and what of a distribution: the nouns of the catalogue."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_CONFIG: Final = " (by its config)"
"""Put behind what is known from an image's own config."""


class UserTool(enum.StrEnum):
    """How a distribution can be given a user."""

    USERADD = "useradd"
    BUSYBOX = "busybox"
    TDNF = "tdnf"
    """No tool there; `tdnf install shadow-utils` brings useradd."""
    DNF = "dnf"
    COPIED_PASSWD = "passwd"  # noqa: S105 - the name of a file
    """No shell: users are made in another stage, /etc/passwd and /etc/group are copied."""


class TagState(enum.StrEnum):
    """Whether a tag is still rebuilt."""

    LIVE = "live"
    FROZEN = "frozen"
    PATCH = "patch"
    """Names one patch: rebuilt only until the next patch appears."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One .NET image. None always means "not known" or "there is none", as the field says."""

    repository: str
    """`dotnet/aspnet`; `dotnet/core/aspnet` for the older name and for Docker Hub's images."""
    kind: str
    """aspnet, runtime, runtime-deps, sdk, monitor or framework."""
    version: str
    """`8.0`: the version asked for, even where the facts are those of another by class. Empty if
    it is not known."""
    variant: str
    """The tag behind the version, without its architecture: `alpine3.20`, `noble-chiseled`."""
    os: str
    """linux or windows."""
    distro: str
    """`bookworm-slim`, `alpine3.20`, `nanoserver-ltsc2022`; empty if not known."""
    family: str
    """debian, ubuntu, alpine, azurelinux, mariner or windows."""
    distroless: bool
    shell: bool
    """Whether there is a /bin/sh."""
    package_manager: str | None
    user: str
    """The image's USER: `root`, `1654`, `app`, `ContainerUser`, `ContainerAdministrator`."""
    user_uid: int | None
    """The number that `user` stands for, where known."""
    app_uid: int | None
    """The value of the variable APP_UID; None if the image does not set it."""
    port_env: str | None
    http_port: int | None
    """What `port_env` holds; None beside a `port_env` means that it is set to nothing."""
    useradd: bool
    adduser: str | None
    """`busybox`, `debian-perl` or None: their options differ."""
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    taken_uids: tuple[int, ...]
    create_user: UserTool | None
    """None on Windows, and where the distribution is not known."""
    tag_state: TagState = TagState.UNKNOWN
    last_seen: str | None = None
    """ISO date on which the tag was last published, as far as the catalogue reaches."""
    end_of_life: str | None = None
    """ISO date on which support of the .NET version ends."""
    distro_end_of_life: str | None = None
    """ISO date on which free support of the distribution ends."""
    by_class: bool = False
    by_config: bool = False
    """Whether the image's own config, as its registry has it, says so."""
    listed: bool = True
    """Whether the catalogue has it, or its class."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that it is known to set."""
        known = {"DOTNET_RUNNING_IN_CONTAINER": "true"}
        if self.app_uid is not None:
            known["APP_UID"] = str(self.app_uid)
        if self.port_env and self.http_port:
            urls = self.port_env.endswith("URLS")
            known[self.port_env] = f"http://+:{self.http_port}" if urls else str(self.http_port)
        return known

    @property
    def source(self) -> str:
        """From where it is known, to be put behind what is said; empty for the catalogue."""
        if self.by_config:
            return BY_CONFIG
        return " (by class)" if self.by_class else ""

    @property
    def major(self) -> int | None:
        """The .NET major version; None if it is not known."""
        return int(self.version.partition(".")[0]) if self.version else None

    def uid_of(self, user: str) -> int | None:
        """The number that a user's name stands for in this image; None if that is not known."""
        if user == self.user.partition(":")[0] and self.user_uid is not None:
            return self.user_uid
        return self.app_uid if self.listed and user == "app" else None


def outlined(repository: str, kind: str, version: str, os: str) -> ImageFacts:
    """An image of which no more is known than this: no distribution, tool, user or port."""
    return ImageFacts(
        repository=repository,
        kind=kind,
        version=version,
        variant="",
        os=os,
        distro="",
        family="",
        distroless=False,
        shell=False,
        package_manager=None,
        user="",
        user_uid=None,
        app_uid=None,
        port_env=None,
        http_port=None,
        useradd=False,
        adduser=None,
        entrypoint=None,
        cmd=None,
        taken_uids=(),
        create_user=None,
    )


@dataclass(frozen=True, slots=True)
class BaseFamily:
    """A well-known base that is not .NET: enough to create a user in it. Its user is root."""

    family: str
    distro: str
    """The codename or `alpine3.20`; empty for tags that move (`latest`, `stable`)."""
    package_manager: str
    useradd: bool
    adduser: str | None
    taken_uids: tuple[int, ...]
    create_user: UserTool
    distro_end_of_life: str | None
    shell: bool = True
    user: str = "root"
