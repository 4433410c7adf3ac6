"""What is known of Microsoft's .NET images by their tag, without any network.

The facts come from `catalogue.json` (made by `scripts/make_catalogue.py`). A tag that is not
listed takes the facts of its class, the nearest known image of the same repository, version and
family, and says so (`by_class`). What fits no class is None: unknown, never guessed.

Longer than other modules: the grammar of tags, the classes and the table are one subject, and
each is read only to understand the others.
"""

from __future__ import annotations

import enum
import functools
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MICROSOFT_HOST: Final = "mcr.microsoft.com"
DOTNET_KINDS: Final = frozenset({"aspnet", "runtime", "runtime-deps", "sdk"})


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
    """`8.0`: the version asked for, even where the facts are those of another by class."""
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
    """None on Windows."""
    tag_state: TagState = TagState.UNKNOWN
    last_seen: str | None = None
    """ISO date on which the tag was last published, as far as the catalogue reaches."""
    end_of_life: str | None = None
    """ISO date on which support of the .NET version ends."""
    distro_end_of_life: str | None = None
    """ISO date on which free support of the distribution ends."""
    by_class: bool = False

    @property
    def major(self) -> int:
        """The .NET major version."""
        return int(self.version.partition(".")[0])

    @property
    def user_numeric(self) -> bool:
        """Whether Kubernetes can see from the image that its user is not root."""
        return self.user.isdigit()


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


class _Place(NamedTuple):
    """Where in the catalogue a name belongs. `exact` is False for images that mirror another."""

    repository: str
    tag: str
    exact: bool = True
    abandoned: bool = False


class _Tag(NamedTuple):
    version: str
    patch: str | None
    preview: str | None
    variant: str


_TAG = re.compile(
    r"""(?P<version>\d+\.\d+) (?:\.(?P<patch>\d+))?
        (?:-(?P<preview>(?:preview|rc)\.?\d*(?:\.\d+)*))?
        (?:-\d+)?
        (?:-(?P<variant>(?!amd64$|arm32v7$|arm64v8$)[A-Za-z][A-Za-z0-9.]*(?:-[A-Za-z0-9.]+)*?))?
        (?:-(?:amd64|arm32v7|arm64v8))?""",
    re.VERBOSE,
)
_HUB_TAG = re.compile(
    r"(?:(?P<version>[0-9][0-9.]*)-)?(?P<kind>aspnetcore-runtime|runtime-deps|runtime|sdk)"
    r"(?:-(?P<variant>.+))?",
)
_MONITOR_TAG = re.compile(r"(?P<major>\d+)(?:\.\d+)*(?:-.*)?")
_FRAMEWORK_TAG = re.compile(r"(?P<version>\d+\.\d+(?:\.\d+)?)(?:-(?P<variant>.*))?")
_ALPINE_TAG = re.compile(r"(\d+\.\d+)(?:\.\d+)?")
_NUMBERS = re.compile(r"\d+")

_FLAGS: Final = ("chiseled", "distroless", "composite", "extra", "aot")
_ROOTLESS_FLAGS: Final = frozenset({"chiseled", "distroless"})
_FIRST_MONITOR: Final = 8
_COMMANDS: Final = ("entrypoint", "cmd")


@functools.cache
def _catalogue() -> Mapping[str, Any]:
    return dict(json.loads(Path(__file__).with_name("catalogue.json").read_bytes()))


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
            return _framework(reference.repository, reference.tag)
        if path in {"monitor", "nightly/monitor"}:
            return _monitor(reference.tag)
    place = _place(reference.host, reference.repository, reference.tag)
    return _facts(place) if place is not None else None


def base_family(name: str) -> BaseFamily | None:
    """The family of an official Debian, Ubuntu or Alpine image, by its normalised name."""
    reference = parse_reference(name)
    if reference is None or reference.host != "docker.io":
        return None
    family = reference.repository.removeprefix("library/")
    if family not in {"debian", "ubuntu", "alpine"}:
        return None
    distro = _official_distro(family, reference.tag or "")
    row = _catalogue()["distros"].get(distro)
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
        if stable in _catalogue()["tags"]:
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
    versions: Mapping[str, Any] = _catalogue()["tags"][place.repository]
    tag = _parse_tag(place, versions)
    known = _known_version(place, tag, versions) if tag is not None else None
    if tag is None or known is None:
        return None
    entry = versions[known]
    suffix = _nearest_variant(tag.variant, entry["variants"])
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
        _class_facts(place.repository, tag, _catalogue()["classes"][row[0]]),
        tag_state=_tag_state(place, tag, live=bool(row[1]), exact=exact),
        # Of one patch among several it is not known when it was published last.
        last_seen=_catalogue()["last_seen"][row[2]] if exact and tag.patch is None else None,
        by_class=not exact,
    )
    if known != tag.version and facts.kind.startswith("runtime") and place.abandoned:
        # Before 2.1 only the ASP.NET Core images set a port.
        facts = replace(facts, port_env=None, http_port=None)
    # Another version's default, and previews of this one, can be of another distribution.
    moved = (known, suffix) != (tag.version, tag.variant) or bool(tag.patch and tag.preview)
    return _with_asked_distro(facts, tag) if moved else facts


def _parse_tag(place: _Place, versions: Mapping[str, Any]) -> _Tag | None:
    head, _, variant = place.tag.partition("-")
    if head == "latest":
        stable = [name for name, entry in versions.items() if not entry["preview"]]
        # Docker Hub's images ended before 3.0.
        stable = [name for name in stable if not place.abandoned or _numbers(name) < (3,)]
        # 5.0 existed under dotnet/core as previews only: `latest` stayed 3.1 there.
        if place.repository.startswith("dotnet/core/"):
            stable = [name for name in stable if _numbers(name) < (5,)]
        return _Tag(max(stable, key=_numbers), None, None, variant)
    found = _TAG.fullmatch(place.tag)
    if found is None:
        return None
    return _Tag(found["version"], found["patch"], found["preview"], found["variant"] or "")


def _known_version(place: _Place, tag: _Tag, versions: Mapping[str, Any]) -> str | None:
    """The version itself, or the one whose class stands for it."""
    if tag.version in versions and _has_variants(tag, versions[tag.version]):
        return tag.version
    newest = max(versions, key=_numbers)
    if place.repository in RENAMES.values() and _numbers(tag.version) > _numbers(newest):
        return newest
    if place.abandoned:
        # 2.0, and what the later names never carried: the next version that they did.
        later = [v for v in versions if _numbers(tag.version) <= _numbers(v) < (3,)]
        later = [v for v in later if _has_variants(tag, versions[v])]
        return min(later, key=_numbers, default=None)
    return None


def _has_variants(tag: _Tag, entry: Mapping[str, Any]) -> bool:
    return _nearest_variant(tag.variant, entry["variants"]) is not None


def _is_published(tag: _Tag, row: list[Any], *, preview: bool) -> bool:
    """Whether the tag is one that the catalogue has seen, not only one that fits."""
    if tag.patch is not None:
        first_last = row[3:]
        spelled = f"{tag.version}.{tag.patch}"
        return (
            tag.preview is None
            and bool(first_last)
            and _numbers(first_last[0]) <= _numbers(spelled) <= _numbers(first_last[1])
        )
    return tag.preview == ("preview" if preview else None)


def _tag_state(place: _Place, tag: _Tag, *, live: bool, exact: bool) -> TagState:
    if place.abandoned or (exact and not live):
        return TagState.FROZEN
    if tag.patch is not None:
        return TagState.PATCH
    return TagState.LIVE if exact else TagState.UNKNOWN


def _class_facts(repository: str, tag: _Tag, row: Mapping[str, Any]) -> ImageFacts:
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
        end_of_life=_catalogue()["dotnet_versions"].get(tag.version),
        distro_end_of_life=_catalogue()["distros"].get(row["distro"], {}).get("end"),
    )
    if tag.version == "8.0" and (tag.preview or "").startswith("preview"):
        # 8.0's previews started without APP_UID and then had another number.
        return replace(facts, app_uid=None)
    return facts


def _with_asked_distro(facts: ImageFacts, tag: _Tag) -> ImageFacts:
    base = "-".join(part for part in tag.variant.split("-") if part not in _FLAGS)
    end = _catalogue()["distros"].get(base, {}).get("end")
    return replace(facts, distro=base, distro_end_of_life=end)


# ---------------------------------------------------------------- the nearest variant


def _nearest_variant(asked: str, known: Mapping[str, Any]) -> str | None:
    """The variant itself, else the newest known one of the same family and kind."""
    if asked in known:
        return asked
    base, flags = _split_variant(asked)
    family = _variant_family(base, flags)
    candidates = [name for name in known if _variant_family(*_split_variant(name)) == family]
    for wanted in _weaker(flags):
        fitting = [name for name in candidates if _split_variant(name)[1] == wanted]
        if fitting:
            return max(fitting, key=lambda name: _age(name, known[name]))
    return None


def _weaker(flags: frozenset[str]) -> Iterator[frozenset[str]]:
    """The flags, then without those that change neither user, shell nor port."""
    yield flags
    yield flags - {"aot", "composite"}
    yield flags & _ROOTLESS_FLAGS


def _split_variant(variant: str) -> tuple[str, frozenset[str]]:
    parts = variant.split("-")
    flags = frozenset(part for part in parts if part in _FLAGS)
    return "-".join(part for part in parts if part not in flags), flags


def _variant_family(base: str, flags: frozenset[str]) -> str:
    """`alpine` for alpine3.20; the table's family for codenames; Ubuntu alone is chiseled."""
    distros = _catalogue()["distros"]
    row = distros.get(base) or distros.get(f"{base}-slim")
    if row is not None and row["family"] != "windows":
        return str(row["family"])
    if "chiseled" in flags:
        return "ubuntu"
    stem = re.split(r"[\d-]", base, maxsplit=1)[0]
    return {"cbl": "mariner"}.get(stem, stem)


def _age(name: str, row: list[Any]) -> tuple[str, tuple[int, ...]]:
    base = _split_variant(name)[0]
    version = _catalogue()["distros"].get(base, {}).get("version") or base
    return _catalogue()["last_seen"][row[2]], _numbers(version)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(text))


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


def _framework(repository: str, tag: str) -> ImageFacts:
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


# ---------------------------------------------------------------- official distribution images


def _official_distro(family: str, tag: str) -> str:
    """The catalogue's name of a distribution from a tag of its official image."""
    distros = _catalogue()["distros"]
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
