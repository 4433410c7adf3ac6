"""Images of the .NET Framework: known only to be Windows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.facts.kinds import outlined

if TYPE_CHECKING:
    from hardhull.facts.kinds import ImageFacts

_FRAMEWORK_TAG = re.compile(r"(?P<version>\d+\.\d+(?:\.\d+)?)(?:-(?P<variant>.*))?")


def framework(repository: str, tag: str) -> ImageFacts:
    """.NET Framework runs on Windows only; nothing else about it matters to us."""
    found = _FRAMEWORK_TAG.fullmatch(tag)
    version = found["version"] if found else "4.8"
    return replace(
        outlined(repository, "framework", version, "windows"),
        variant=(found["variant"] or "") if found else "",
        family="windows",
        user="ContainerAdministrator",
        by_class=True,
    )
