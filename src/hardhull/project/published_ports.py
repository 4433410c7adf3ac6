"""The ports that MSBuild files give to an image which the SDK publishes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.listeners import (
    OTHER_OPTION,
    Decider,
    Listener,
    decides_port,
    ports_in,
    urls_argument,
)
from hardhull.project.published import PORT, START, VARIABLE
from hardhull.project.sighting import ports_of_address

if TYPE_CHECKING:
    from hardhull.project.published import ImageSetting
    from hardhull.project.published_image import PublishedImage

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


def variables_of_image(image: PublishedImage) -> dict[str, tuple[str | None, Listener]]:
    """The variables of an image that decide ports, with their values if those are known."""
    found: dict[str, tuple[str | None, Listener]] = {}
    for name, (value, setting) in image.variables.items():
        if not decides_port(name):
            continue
        decider = Decider.BASE if setting is None else Decider.VARIABLE
        path, line = (setting.path, setting.line) if setting is not None else (image.path, 0)
        evidence = f"{setting.place if setting is not None else image.base} sets {name}"
        found[name] = (value, Listener(0, "", decider, evidence, path, line, name))
    return found


def arguments_of_image(image: PublishedImage) -> tuple[Listener, ...]:
    """What the arguments that a project gives to its program tell it to listen on."""
    words = [one.item or one.text for one in image.start]
    found = urls_argument(tuple(word for text in words for word in text.split(";")))
    if found is None:
        return ()
    at = next(one for one in image.start if found[1] in (one.item or one.text))
    evidence = f"{at.place} starts it with --urls {found[1]}"
    return tuple(
        Listener(port, scheme, Decider.ARGUMENT, evidence, at.path, at.line)
        for scheme, port in ports_in("URLS", found[1])
    )


def hidden_in_image(image: PublishedImage) -> tuple[str, ...]:
    """What keeps from being known what a published image listens on."""
    doubts = [f"{one.path}: {one.doubt}" for one in (*image.ports, *image.start) if one.doubt]
    doubts += [image.settings.doubt(PORT, VARIABLE, *START)]
    doubts += [image.base_doubt] if image.facts is None else []
    doubts += [
        f"{one.place} tells it where to listen: {one.item or one.text}"
        for one in image.start
        if OTHER_OPTION.search(one.item or one.text)
    ]
    return tuple(dict.fromkeys(doubt for doubt in doubts if doubt))
