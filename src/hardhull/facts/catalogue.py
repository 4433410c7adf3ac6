"""What is known of Microsoft's .NET images by their tag, without any network.

The facts come from `catalogue.json` (made by `scripts/make_catalogue.py`). A tag that is not
listed takes the facts of its class, the nearest known image of the same repository, version and
family, and says so (`by_class`). What fits no class is None: unknown, never guessed.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hardhull.facts.distributions import base_family
from hardhull.facts.framework import framework
from hardhull.facts.kinds import BaseFamily, ImageFacts, TagState, UserTool
from hardhull.facts.tags import FLAGS, Tag, catalogue, nearest_variant, numbers, split_tag
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DOTNET_KINDS",
    "MICROSOFT_HOST",
    "RENAMES",
    "BaseFamily",
    "ImageFacts",
    "TagState",
    "UserTool",
    "base_family",
    "lookup",
    "renamed",
]

MICROSOFT_HOST: Final = "mcr.microsoft.com"
DOTNET_KINDS: Final = frozenset({"aspnet", "runtime", "runtime-deps", "sdk"})


class _Place(NamedTuple):
    """Where in the catalogue a name belongs. `exact` is False for images that mirror another."""

    repository: str
    tag: str
    exact: bool = True
    abandoned: bool = False


_HUB_TAG = re.compile(
    r"(?:(?P<version>[0-9][0-9.]*)-)?(?P<kind>aspnetcore-runtime|runtime-deps|runtime|sdk)"
    r"(?:-(?P<variant>.+))?",
)
_MONITOR_TAG = re.compile(r"(?P<major>\d+)(?:\.\d+)*(?:-.*)?")

_FIRST_MONITOR: Final = 8
_COMMANDS: Final = ("entrypoint", "cmd")


@functools.lru_cache(maxsize=4096)
def lookup(name: str) -> ImageFacts | None:
    """What is known of the image with this normalised name (`Reference.name`).

    A name without a tag belongs to a digest-only reference, which can be any version: None.
    """
    reference = parse_reference(name)
    if reference is None or reference.tag is None:
        return None
    if reference.host == MICROSOFT_HOST:
        path = reference.repository.removeprefix("dotnet/")
        if path.startswith("framework/"):
            return framework(reference.repository, reference.tag)
        if path in {"monitor", "nightly/monitor"}:
            return _monitor(reference.tag)
    place = _place(reference.host, reference.repository, reference.tag)
    return _facts(place) if place is not None else None


RENAMES: Final[Mapping[str, str]] = {
    f"dotnet/core/{kind}": f"dotnet/{kind}" for kind in sorted(DOTNET_KINDS)
}
"""Repositories of `mcr.microsoft.com` that got a new name. Only the tags that `renamed` accepts
are the same image there: `latest`, 2.2 and 3.0 are not, nor are Docker Hub's `microsoft/*`,
which stopped years before."""
_RENAMED_VERSIONS: Final = frozenset({"2.1", "3.1"})


def renamed(reference_text: str) -> str | None:
    """The same image under its new repository name, as written otherwise; None if there is none.

    The tag must be known under both names, with the same facts. A reference with a digest is
    left alone: that the digest exists under the other name was not checked.
    """
    reference = parse_reference(reference_text)
    if reference is None or reference.tag is None or reference.digest is not None:
        return None
    target = RENAMES.get(reference.repository) if reference.host == MICROSOFT_HOST else None
    old = lookup(reference.name)
    new = lookup(f"{MICROSOFT_HOST}/{target}:{reference.tag}") if target is not None else None
    if target is None or old is None or new is None or old.version not in _RENAMED_VERSIONS:
        return None
    same = replace(new, repository=old.repository, last_seen=old.last_seen) == old
    if old.by_class or not same:
        return None
    return reference_text.replace(reference.repository, target, 1)


# ---------------------------------------------------------------- from a name to a place


def _place(host: str, repository: str, tag: str) -> _Place | None:
    if host == MICROSOFT_HOST and repository.startswith("dotnet/"):
        stable = repository.replace("dotnet/nightly/", "dotnet/", 1)
        stable = stable.replace("dotnet/core-nightly/", "dotnet/core/", 1)
        if stable in catalogue()["tags"]:
            return _Place(stable, tag, exact=stable == repository)
    if host == "docker.io" and repository.startswith("microsoft/"):
        return _hub_place(repository.removeprefix("microsoft/"), tag)
    return None


def _hub_place(repository: str, tag: str) -> _Place | None:
    """Docker Hub's images of 1.0 to 2.2: `dotnet:2.1-sdk-alpine`, `aspnetcore:2.0`."""
    kinds = {"aspnetcore": "aspnet", "aspnetcore-build": "sdk"}
    if repository in kinds:
        return _Place(f"dotnet/core/{kinds[repository]}", tag, exact=False, abandoned=True)
    if repository != "dotnet":
        return None
    found = _HUB_TAG.fullmatch("sdk" if tag == "latest" else tag)
    if found is None:
        return None
    parts = [found["version"] or "latest", *([found["variant"]] if found["variant"] else [])]
    kind = "aspnet" if found["kind"] == "aspnetcore-runtime" else found["kind"]
    return _Place(f"dotnet/core/{kind}", "-".join(parts), exact=False, abandoned=True)


# ---------------------------------------------------------------- from a place to facts


def _facts(place: _Place) -> ImageFacts | None:
    versions: Mapping[str, Any] = catalogue()["tags"][place.repository]
    tag = _parse_tag(place, versions)
    known = _known_version(place, tag, versions) if tag is not None else None
    if tag is None or known is None:
        return None
    entry = versions[known]
    suffix = nearest_variant(tag.variant, entry["variants"])
    if suffix is None:
        return None
    row = entry["variants"][suffix]
    exact = (
        place.exact
        and (known, suffix) == (tag.version, tag.variant)
        and place.tag != "latest"
        and _is_published(tag, row, preview=entry["preview"])
    )
    facts = replace(
        _class_facts(place.repository, tag, catalogue()["classes"][row[0]]),
        tag_state=_tag_state(place, tag, live=bool(row[1]), exact=exact),
        # Of one patch among several it is not known when it was published last.
        last_seen=catalogue()["last_seen"][row[2]] if exact and tag.patch is None else None,
        by_class=not exact,
    )
    if known != tag.version and facts.kind.startswith("runtime") and place.abandoned:
        # Before 2.1 only the ASP.NET Core images set a port.
        facts = replace(facts, port_env=None, http_port=None)
    # Another version's default, and previews of this one, can be of another distribution.
    moved = (known, suffix) != (tag.version, tag.variant) or bool(tag.patch and tag.preview)
    return _with_asked_distro(facts, tag) if moved else facts


def _parse_tag(place: _Place, versions: Mapping[str, Any]) -> Tag | None:
    head, _, variant = place.tag.partition("-")
    if head == "latest":
        stable = [name for name, entry in versions.items() if not entry["preview"]]
        # Docker Hub's images ended before 3.0.
        stable = [name for name in stable if not place.abandoned or numbers(name) < (3,)]
        # 5.0 existed under dotnet/core as previews only: `latest` stayed 3.1 there.
        if place.repository.startswith("dotnet/core/"):
            stable = [name for name in stable if numbers(name) < (5,)]
        return Tag(max(stable, key=numbers), None, None, variant)
    return split_tag(place.tag)


def _known_version(place: _Place, tag: Tag, versions: Mapping[str, Any]) -> str | None:
    """The version itself, or the one whose class stands for it."""
    if tag.version in versions and _has_variants(tag, versions[tag.version]):
        return tag.version
    newest = max(versions, key=numbers)
    if place.repository in RENAMES.values() and numbers(tag.version) > numbers(newest):
        return newest
    if place.abandoned:
        # 2.0, and what the later names never carried: the next version that they did.
        later = [v for v in versions if numbers(tag.version) <= numbers(v) < (3,)]
        later = [v for v in later if _has_variants(tag, versions[v])]
        return min(later, key=numbers, default=None)
    return None


def _has_variants(tag: Tag, entry: Mapping[str, Any]) -> bool:
    return nearest_variant(tag.variant, entry["variants"]) is not None


def _is_published(tag: Tag, row: list[Any], *, preview: bool) -> bool:
    """Whether the tag is one that the catalogue has seen, not only one that fits."""
    if tag.patch is not None:
        first_last = row[3:]
        spelled = f"{tag.version}.{tag.patch}"
        return (
            tag.preview is None
            and bool(first_last)
            and numbers(first_last[0]) <= numbers(spelled) <= numbers(first_last[1])
        )
    return tag.preview == ("preview" if preview else None)


def _tag_state(place: _Place, tag: Tag, *, live: bool, exact: bool) -> TagState:
    if place.abandoned or (exact and not live):
        return TagState.FROZEN
    if tag.patch is not None:
        return TagState.PATCH
    return TagState.LIVE if exact else TagState.UNKNOWN


def _class_facts(repository: str, tag: Tag, row: Mapping[str, Any]) -> ImageFacts:
    tool = row["create_user"]
    typed: dict[str, Any] = {key: tuple(row[key]) if row[key] else None for key in _COMMANDS}
    typed["taken_uids"] = tuple(row["taken_uids"])
    typed["create_user"] = UserTool(tool) if tool is not None else None
    facts = ImageFacts(
        repository=repository,
        kind=repository.rpartition("/")[2],
        version=tag.version,
        variant=tag.variant,
        **{**row, **typed},
        end_of_life=catalogue()["dotnet_versions"].get(tag.version),
        distro_end_of_life=catalogue()["distros"].get(row["distro"], {}).get("end"),
    )
    if tag.version == "8.0" and (tag.preview or "").startswith("preview"):
        # 8.0's previews started without APP_UID and then had another number.
        return replace(facts, app_uid=None)
    return facts


def _with_asked_distro(facts: ImageFacts, tag: Tag) -> ImageFacts:
    base = "-".join(part for part in tag.variant.split("-") if part not in FLAGS)
    end = catalogue()["distros"].get(base, {}).get("end")
    return replace(facts, distro=base, distro_end_of_life=end)


# ---------------------------------------------------------------- images beside the runtime


def _monitor(tag: str) -> ImageFacts | None:
    """dotnet-monitor from 8 on; it has its own ports, and only its user matters to us."""
    found = _MONITOR_TAG.fullmatch(tag)
    if found is None or int(found["major"]) < _FIRST_MONITOR:
        return None
    like = lookup(f"{MICROSOFT_HOST}/dotnet/aspnet:{found['major']}.0-azurelinux3.0-distroless")
    if like is None:
        return None
    return replace(
        like,
        repository="dotnet/monitor",
        kind="monitor",
        variant="",
        distro="",
        family="",
        entrypoint=("dotnet-monitor",),
        cmd=None,
        http_port=None,
        tag_state=TagState.UNKNOWN,
        last_seen=None,
        end_of_life=None,
        distro_end_of_life=None,
        by_class=True,
    )
