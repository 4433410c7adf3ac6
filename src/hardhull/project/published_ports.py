"""The ports that MSBuild files give to an image which the SDK publishes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.published import PORT, VARIABLE
from hardhull.project.sighting import ports_of_address

if TYPE_CHECKING:
    from hardhull.project.published import ImageSetting

_PRIVILEGED = 1024
_NUMBER = re.compile(r"[0-9]{1,5}")
_DECIDING = re.compile(
    r"(?:ASPNETCORE_|DOTNET_)?(?:URLS|HTTP_PORTS|HTTPS_PORTS)|Kestrel__.*Url", re.IGNORECASE
)
"""Variables that say where ASP.NET Core listens."""


def ports_of(setting: ImageSetting) -> tuple[int | None, ...]:
    """The ports that a setting is about, None for one that can't be read; empty if about none."""
    if setting.name == PORT:
        written = (setting.item or setting.text).partition("/")[0].strip()
        return (int(written),) if _NUMBER.fullmatch(written) else (None,)
    if setting.name == VARIABLE and _DECIDING.fullmatch(setting.item):
        found = tuple(port for _, port in ports_of_address(setting.text))
        return found or ((None,) if setting.text else ())
    return ()


def privileged_ports(setting: ImageSetting) -> tuple[int, ...]:
    """Those of them below 1024."""
    return tuple(port for port in ports_of(setting) if port is not None and port < _PRIVILEGED)
