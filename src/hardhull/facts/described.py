"""What an image's own config says, as its registry has it: it wins over what the catalogue knows.

A config is complete: what it does not set is not set. (Every image has a PATH: a recording
without variables has left them out.) What a config can't say (the number behind a
user's name, which tools the image has) comes from the catalogue where the image is listed, and
is unknown elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hardhull.facts.kinds import outlined
from hardhull.facts.manifests import variables
from hardhull.facts.tags import catalogue
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.facts.kinds import ImageFacts

_MARKS: Final = (
    "DOTNET_RUNNING_IN_CONTAINER",
    "DOTNET_VERSION",
    "ASPNET_VERSION",
    "ASPNETCORE_VERSION",
    "DOTNET_SDK_VERSION",
)
"""Variables that Microsoft's images set, and that images made from them therefore have."""
_VERSION: Final = re.compile(r"(?P<version>\d+\.\d+)(?:\.|-|\Z)")
_PORT_VARIABLES: Final = ("ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS")
_PORT: Final = re.compile(r"(?:[^;]*:)?(?P<port>\d{1,5})/?")
_FIRST_ALIGNED: Final = 3
"""Before .NET Core 3.0 the SDK's version said nothing about that of the runtime."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image starts, as whom, with which variables. Empty means that it is not set."""

    user: str = ""
    environment: Mapping[str, str] | None = None
    """None if its variables were not recorded."""
    exposed: frozenset[int] = frozenset()
    """TCP ports."""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    os: str = ""

    @property
    def variables(self) -> Mapping[str, str]:
        """Its variables, as far as they are known."""
        return self.environment if self.environment is not None else {}

    @property
    def is_dotnet(self) -> bool:
        """Whether it says that it holds .NET, or starts `dotnet`."""
        start = self.entrypoint or self.cmd
        return any(mark in self.variables for mark in _MARKS) or (
            bool(start) and posixpath.basename(start[0]) == "dotnet"
        )

    @property
    def version(self) -> str:
        """The .NET version it names, `8.0`; empty if it names none."""
        for name in _MARKS[1:]:
            found = _VERSION.match(self.variables.get(name, ""))
            if found is None:
                continue
            aligned = int(found["version"].partition(".")[0]) >= _FIRST_ALIGNED
            if aligned or name != "DOTNET_SDK_VERSION":
                return found["version"]
        return ""


def read_image_config(given: Mapping[str, Any]) -> ImageConfig:
    """Read what was recorded; what does not fit the OCI image specification is left out."""
    exposed = given.get("ExposedPorts")
    named = exposed if isinstance(exposed, dict) else {}
    ports = (key.partition("/") for key in named if isinstance(key, str))
    user, system = given.get("User"), given.get("os")
    return ImageConfig(
        user if isinstance(user, str) else "",
        variables(given) if "Env" in given else None,
        frozenset(
            int(port)
            for port, _, kind in ports
            if port.isascii() and port.isdecimal() and kind.lower() in ("", "tcp")
        ),
        _words(given.get("Entrypoint")),
        _words(given.get("Cmd")),
        system if isinstance(system, str) else "",
    )


def _words(given: object) -> tuple[str, ...]:
    return tuple(word for word in given if isinstance(word, str)) if isinstance(given, list) else ()


def described(name: str, config: ImageConfig, listed: ImageFacts | None) -> ImageFacts | None:
    """The facts of an image whose config was read; None if it is not seen to be a .NET image.

    `listed` is what the catalogue says of it, None for images that it does not list.
    """
    if listed is not None and listed.kind == "framework":
        return listed
    reference = parse_reference(name)
    if reference is None or (listed is None and not config.is_dotnet):
        return None
    known = listed if listed is not None else _unlisted(reference.repository, config)
    if config.version and config.version != known.version:
        # `latest` is another version than it was when the catalogue was made.
        end = catalogue()["dotnet_versions"].get(config.version)
        known = replace(known, version=config.version, end_of_life=end)
    if config.environment is not None:
        known = _with_variables(known, config.environment)
    system = config.os or known.os
    user, uid = _user(config, listed, system)
    return replace(
        known,
        os=system,
        user=user,
        user_uid=uid,
        entrypoint=config.entrypoint or None,
        cmd=config.cmd or None,
        by_class=False,
        by_config=True,
    )


def _with_variables(facts: ImageFacts, environment: Mapping[str, str]) -> ImageFacts:
    number = environment.get("APP_UID", "")
    variable = next((one for one in _PORT_VARIABLES if one in environment), None)
    port = _PORT.fullmatch(environment[variable]) if variable is not None else None
    return replace(
        facts,
        app_uid=int(number) if number.isascii() and number.isdecimal() else None,
        port_env=variable,
        http_port=int(port["port"]) if port is not None else None,
    )


def _unlisted(repository: str, config: ImageConfig) -> ImageFacts:
    """An image that only its config tells of: its distribution and its tools are not known."""
    known = outlined(repository, _kind(config), config.version, "linux")
    end = catalogue()["dotnet_versions"].get(config.version)
    return replace(known, end_of_life=end, listed=False)


def _kind(config: ImageConfig) -> str:
    given = config.variables
    if given.get("DOTNET_SDK_VERSION"):
        return "sdk"
    if given.get("ASPNET_VERSION") or given.get("ASPNETCORE_VERSION"):
        return "aspnet"
    return "runtime" if given.get("DOTNET_VERSION") else "runtime-deps"


def _user(config: ImageConfig, listed: ImageFacts | None, system: str) -> tuple[str, int | None]:
    """The user, and its number where that is certain: a name may stand for any."""
    if system == "windows":
        return config.user or (listed.user if listed is not None else ""), None
    user = config.user or "root"
    name = user.partition(":")[0]
    if name.isascii() and name.isdecimal():
        return user, int(name)
    if name in ("", "root"):
        return user, 0
    return user, listed.uid_of(name) if listed is not None else None
