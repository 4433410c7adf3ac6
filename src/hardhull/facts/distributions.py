"""Official Debian, Ubuntu and Alpine images, in which .NET may be installed by hand."""

from __future__ import annotations

import re

from hardhull.facts.kinds import BaseFamily, UserTool
from hardhull.facts.tags import catalogue
from hardhull.images import parse_reference

_ALPINE_TAG = re.compile(r"(\d+\.\d+)(?:\.\d+)?")


def base_family(name: str) -> BaseFamily | None:
    """The family of an official Debian, Ubuntu or Alpine image, by its normalised name."""
    reference = parse_reference(name)
    if reference is None or reference.host != "docker.io":
        return None
    family = reference.repository.removeprefix("library/")
    if family not in {"debian", "ubuntu", "alpine"}:
        return None
    distro = _official_distro(family, reference.tag or "")
    row = catalogue()["distros"].get(distro)
    if row is None:
        # An unknown release: assume only what every release of the family has in common, and
        # that the number which only the newer ones take is taken.
        alpine = family == "alpine"
        taken = (1000,) if family == "ubuntu" else ()
        tool = UserTool.BUSYBOX if alpine else UserTool.USERADD
        manager, adduser = ("apk", "busybox") if alpine else ("apt", None)
        return BaseFamily(family, "", manager, not alpine, adduser, taken, tool, None)
    return BaseFamily(
        family=family,
        distro=distro.removesuffix("-slim"),
        package_manager=row["package_manager"],
        useradd=row["useradd"],
        adduser=row["adduser"],
        taken_uids=tuple(row["taken_uids"]),
        create_user=UserTool.BUSYBOX if row["adduser"] == "busybox" else UserTool.USERADD,
        distro_end_of_life=row["end"],
    )


def _official_distro(family: str, tag: str) -> str:
    """The catalogue's name of a distribution from a tag of its official image."""
    distros = catalogue()["distros"]
    if family == "alpine":
        found = _ALPINE_TAG.fullmatch(tag)
        return f"alpine{found[1]}" if found else ""
    head = tag.split("-", maxsplit=1)[0]
    release = head.split(".")[0] if family == "debian" else head
    for name, row in distros.items():
        codename = name.removesuffix("-slim")
        if row["family"] == family and release in {codename, row["version"]}:
            return str(name)
    return ""
