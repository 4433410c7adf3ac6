"""Images of the .NET Framework: known only to be Windows."""

from __future__ import annotations

import re

from hardhull.facts.kinds import ImageFacts

_FRAMEWORK_TAG = re.compile(r"(?P<version>\d+\.\d+(?:\.\d+)?)(?:-(?P<variant>.*))?")


def framework(repository: str, tag: str) -> ImageFacts:
    """.NET Framework runs on Windows only; nothing else about it matters to us."""
    found = _FRAMEWORK_TAG.fullmatch(tag)
    return ImageFacts(
        repository=repository,
        kind="framework",
        version=found["version"] if found else "4.8",
        variant=(found["variant"] or "") if found else "",
        os="windows",
        distro="",
        family="windows",
        distroless=False,
        shell=False,
        package_manager=None,
        user="ContainerAdministrator",
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
        by_class=True,
    )
