"""What the catalogue says of tags: listed ones, ones that fit a class, and ones that don't."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.facts import tags
from hardhull.facts.catalogue import (
    ImageFacts,
    TagState,
    UserTool,
    base_family,
    lookup,
    renamed,
)

ROOT = Path(__file__).resolve().parent.parent
MCR = "mcr.microsoft.com/dotnet"


def known(name: str) -> ImageFacts:
    """Facts of an image that must be known."""
    facts = lookup(name)
    assert facts is not None, name
    return facts


def test_package_data_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_catalogue.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_listed_tag_is_found_as_itself() -> None:
    listed = 0
    for repository, versions in tags.catalogue()["tags"].items():
        for version, entry in versions.items():
            prefix = f"{version}-preview" if entry["preview"] else version
            for suffix in entry["variants"]:
                tag = f"{prefix}-{suffix}" if suffix else prefix
                facts = known(f"mcr.microsoft.com/{repository}:{tag}")
                assert (facts.by_class, facts.variant) == (False, suffix), (repository, tag)
                listed += 1
    assert listed > 1000


def test_loading_takes_a_few_milliseconds() -> None:
    best = 1.0
    for _ in range(5):
        tags.catalogue.cache_clear()
        start = time.perf_counter()
        tags.catalogue()
        best = min(best, time.perf_counter() - start)
    # Measured 1 to 2 ms; the margin is for slow machines.
    assert best < 0.02


# The classes of the reference table: USER, APP_UID, port variable, port, ENTRYPOINT.
DOTNET = "/usr/bin/dotnet"
CLASSES = [
    ("aspnet:3.1", "root", None, "ASPNETCORE_URLS", 80, None),
    ("runtime:6.0-alpine3.20", "root", None, "ASPNETCORE_URLS", 80, None),
    ("runtime-deps:7.0", "root", None, "ASPNETCORE_URLS", 80, None),
    ("sdk:2.1", "root", None, "ASPNETCORE_URLS", 80, None),
    ("sdk:3.1", "root", None, None, None, None),
    ("sdk:5.0", "root", None, "ASPNETCORE_URLS", None, None),
    ("sdk:7.0", "root", None, "ASPNETCORE_URLS", None, None),
    ("sdk:8.0", "root", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    ("sdk:10.0-alpine", "root", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    ("aspnet:6.0-jammy-chiseled", "1654", 1654, "ASPNETCORE_URLS", 8080, DOTNET),
    ("aspnet:7.0-jammy-chiseled-extra", "1654", 1654, "ASPNETCORE_URLS", 8080, DOTNET),
    ("runtime-deps:6.0-jammy-chiseled", "1654", 1654, "ASPNETCORE_URLS", 8080, None),
    ("aspnet:6.0-cbl-mariner2.0-distroless", "app", None, "ASPNETCORE_URLS", 8080, None),
    ("aspnet:7.0-cbl-mariner1.0-distroless", "app", None, "ASPNETCORE_URLS", 80, None),
    ("aspnet:8.0", "root", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    ("runtime:9.0-alpine3.24", "root", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    ("aspnet:10.0-azurelinux3.0", "root", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    ("aspnet:8.0-cbl-mariner2.0-distroless", "app", 1654, "ASPNETCORE_HTTP_PORTS", 8080, DOTNET),
    ("aspnet:10.0-noble-chiseled", "1654", 1654, "ASPNETCORE_HTTP_PORTS", 8080, DOTNET),
    ("runtime:9.0-noble-chiseled", "1654", 1654, "ASPNETCORE_HTTP_PORTS", 8080, DOTNET),
    ("runtime-deps:8.0-noble-chiseled", "1654", 1654, "ASPNETCORE_HTTP_PORTS", 8080, None),
    (
        "aspnet:9.0-azurelinux3.0-distroless",
        "1654",
        1654,
        "ASPNETCORE_HTTP_PORTS",
        8080,
        DOTNET,
    ),
    ("aspnet:8.0-nanoserver-ltsc2022", "ContainerUser", None, None, 8080, None),
    (
        "aspnet:8.0-windowsservercore-ltsc2022",
        "ContainerAdministrator",
        None,
        None,
        8080,
        None,
    ),
    ("aspnet:6.0-nanoserver-1809", "ContainerUser", None, None, 80, None),
]


@pytest.mark.parametrize(("image", "user", "app_uid", "port_env", "port", "entrypoint"), CLASSES)
def test_the_effective_configuration_of_each_class(
    image: str,
    user: str,
    app_uid: int | None,
    port_env: str | None,
    port: int | None,
    entrypoint: str | None,
) -> None:
    facts = known(f"{MCR}/{image}")
    assert not facts.by_class
    assert (facts.user, facts.app_uid) == (user, app_uid)
    assert (facts.port_env, facts.http_port) == (port_env, port)
    if facts.os == "linux" and not facts.family.startswith("mariner"):
        assert facts.entrypoint == ((entrypoint,) if entrypoint else None)


def test_app_uid_is_set_nowhere_else() -> None:
    for repository, versions in tags.catalogue()["tags"].items():
        for version, entry in versions.items():
            for suffix, row in entry["variants"].items():
                facts = tags.catalogue()["classes"][row[0]]
                chiseled = version in {"6.0", "7.0"} and suffix.startswith("jammy-chiseled")
                expected = facts["os"] == "linux" and (int(version.split(".")[0]) >= 8 or chiseled)
                assert (facts["app_uid"] == 1654) == expected, (repository, version, suffix)


@pytest.mark.parametrize(
    ("image", "distro", "family", "state"),
    [
        ("aspnet:8.0", "bookworm-slim", "debian", TagState.LIVE),
        ("aspnet:8.0-alpine3.20-amd64", "alpine3.20", "alpine", TagState.FROZEN),
        ("aspnet:8.0-arm64v8", "bookworm-slim", "debian", TagState.LIVE),
        ("aspnet:8.0.11", "bookworm-slim", "debian", TagState.PATCH),
        ("sdk:8.0.404-1-bookworm-slim-arm64v8", "bookworm-slim", "debian", TagState.PATCH),
        ("sdk:6.0.428", "bullseye-slim", "debian", TagState.FROZEN),
        ("sdk:3.1-bullseye", "bullseye-slim", "debian", TagState.FROZEN),
        ("aspnet:10.0-alpine-composite", "alpine3.22", "alpine", TagState.FROZEN),
        ("aspnet:11.0-preview", "resolute", "ubuntu", TagState.LIVE),
        ("core/aspnet:2.2", "stretch-slim", "debian", TagState.FROZEN),
    ],
)
def test_a_listed_tag(image: str, distro: str, family: str, state: TagState) -> None:
    facts = known(f"{MCR}/{image}")
    assert not facts.by_class
    assert (facts.distro, facts.family, facts.tag_state) == (distro, family, state)


@pytest.mark.parametrize(
    ("image", "version", "distro", "family", "app_uid"),
    [
        ("aspnet:8.0.99", "8.0", "bookworm-slim", "debian", 1654),
        ("aspnet:8.0-alpine3.99", "8.0", "alpine3.99", "alpine", 1654),
        ("aspnet:6.0-alpine3.99-composite", "6.0", "alpine3.99", "alpine", None),
        ("aspnet:10.0-zesty-chiseled", "10.0", "zesty", "ubuntu", 1654),
        ("aspnet:8.0-focal", "8.0", "focal", "ubuntu", 1654),
        ("aspnet:10.0-azurelinux5.0-distroless", "10.0", "azurelinux5.0", "azurelinux", 1654),
        ("aspnet:11.0", "11.0", "resolute", "ubuntu", 1654),
        ("aspnet:12.0", "12.0", "", "ubuntu", 1654),
        ("aspnet:12.0-alpine3.30", "12.0", "alpine3.30", "alpine", 1654),
        ("aspnet:latest", "10.0", "noble", "ubuntu", 1654),
        ("core/aspnet:latest", "3.1", "buster-slim", "debian", None),
        ("nightly/aspnet:9.0", "9.0", "bookworm-slim", "debian", 1654),
        ("core-nightly/sdk:3.1", "3.1", "buster", "debian", None),
        ("runtime:8.0.0-preview.3-alpine3.17", "8.0", "alpine3.17", "alpine", None),
        ("runtime:8.0.0-rc.2", "8.0", "", "debian", 1654),
        ("aspnet:8.0-nanoserver-ltsc2030", "8.0", "nanoserver-ltsc2030", "windows", None),
    ],
)
def test_a_tag_that_fits_a_class(
    image: str, version: str, distro: str, family: str, app_uid: int | None
) -> None:
    facts = known(f"{MCR}/{image}")
    assert facts.by_class
    assert facts.last_seen is None
    assert (facts.version, facts.distro, facts.family) == (version, distro, family)
    assert facts.app_uid == app_uid
    assert facts.major == int(version.split(".", maxsplit=1)[0])


@pytest.mark.parametrize(
    "name",
    [
        f"{MCR}/aspnet",  # by digest only: any version
        f"{MCR}/aspnet:8.0-solaris",
        f"{MCR}/aspnet:10.0-trixie-slim",  # no Debian image of 10.0 is known
        f"{MCR}/aspnet:2.2",  # never published under this name
        f"{MCR}/aspnet:8",
        f"{MCR}/aspnet:12.0-bookworm-slim",
        f"{MCR}/core/aspnet:6.0",
        f"{MCR}/samples:aspnetapp",
        f"{MCR}/monitor:6.0",
        "mcr.microsoft.com/playwright/dotnet:v1",
        "docker.io/dotnet/aspnet:8.0",
        "docker.io/microsoft/dotnet:2.1-samples",
        "docker.io/microsoft/mssql-server-linux:2017",
        "example.com/dotnet/aspnet:8.0",
        "docker.io/library/alpine:3.20",
        "not a name",
    ],
)
def test_what_is_not_known_is_not_guessed(name: str) -> None:
    assert lookup(name) is None


@pytest.mark.parametrize(
    ("name", "repository", "version", "family", "port"),
    [
        ("dotnet:2.1-aspnetcore-runtime", "dotnet/core/aspnet", "2.1", "debian", 80),
        ("dotnet:2.1-sdk-alpine3.7", "dotnet/core/sdk", "2.1", "alpine", 80),
        ("dotnet:2.2-runtime-deps-bionic", "dotnet/core/runtime-deps", "2.2", "ubuntu", 80),
        ("dotnet:2.0-runtime", "dotnet/core/runtime", "2.0", "debian", None),
        ("dotnet:1.1.1-sdk", "dotnet/core/sdk", "1.1", "debian", None),
        ("dotnet:latest", "dotnet/core/sdk", "2.2", "debian", 80),
        ("aspnetcore:2.0", "dotnet/core/aspnet", "2.0", "debian", 80),
        ("aspnetcore-build:2.0-jessie", "dotnet/core/sdk", "2.0", "debian", 80),
    ],
)
def test_docker_hub_images_of_old(
    name: str, repository: str, version: str, family: str, port: int | None
) -> None:
    facts = known(f"docker.io/microsoft/{name}")
    assert (facts.repository, facts.version, facts.family) == (repository, version, family)
    assert (facts.user, facts.app_uid, facts.http_port) == ("root", None, port)
    assert (facts.by_class, facts.tag_state) == (True, TagState.FROZEN)


@pytest.mark.parametrize(
    ("image", "tool", "adduser", "taken"),
    [
        ("aspnet:6.0", UserTool.USERADD, "debian-perl", ()),
        ("aspnet:8.0", UserTool.USERADD, "debian-perl", (1654,)),
        ("aspnet:10.0", UserTool.USERADD, None, (1000, 1654)),
        ("aspnet:6.0-alpine", UserTool.BUSYBOX, "busybox", ()),
        ("aspnet:10.0-azurelinux3.0", UserTool.TDNF, None, (1654,)),
        ("aspnet:11.0-preview-azurelinux4.0", UserTool.DNF, None, (1654,)),
        ("aspnet:6.0-cbl-mariner2.0-distroless", UserTool.COPIED_PASSWD, None, (101,)),
        ("aspnet:10.0-noble-chiseled", UserTool.COPIED_PASSWD, None, (1000, 1654)),
        ("aspnet:8.0-nanoserver-ltsc2022", None, None, ()),
    ],
)
def test_how_a_user_is_made(
    image: str, tool: UserTool | None, adduser: str | None, taken: tuple[int, ...]
) -> None:
    facts = known(f"{MCR}/{image}")
    assert (facts.create_user, facts.adduser, facts.taken_uids) == (tool, adduser, taken)
    assert facts.shell == (tool not in {UserTool.COPIED_PASSWD, None})


def test_the_uid_behind_a_name() -> None:
    assert known(f"{MCR}/aspnet:8.0").user_uid == 0
    assert known(f"{MCR}/aspnet:8.0-noble-chiseled").user_uid == 1654
    assert known(f"{MCR}/aspnet:6.0-cbl-mariner2.0-distroless").user_uid == 101
    assert known(f"{MCR}/aspnet:7.0-cbl-mariner1.0-distroless").user_uid is None


def test_ends_of_support_are_dates() -> None:
    facts = known(f"{MCR}/aspnet:8.0-alpine3.20")
    assert (facts.end_of_life, facts.distro_end_of_life) == ("2026-11-10", "2026-04-01")
    assert known(f"{MCR}/aspnet:10.0").distro_end_of_life == "2029-04-30"
    assert known(f"{MCR}/aspnet:10.0-azurelinux3.0").distro_end_of_life is None
    assert known(f"{MCR}/aspnet:12.0").end_of_life is None


def test_images_beside_the_runtime() -> None:
    framework = known(f"{MCR}/framework/aspnet:4.8-windowsservercore-ltsc2019")
    assert (framework.os, framework.kind, framework.version) == ("windows", "framework", "4.8")
    monitor = known(f"{MCR}/monitor:9.0-azurelinux-distroless")
    assert (monitor.kind, monitor.user, monitor.http_port) == ("monitor", "1654", None)
    assert known(f"{MCR}/monitor:8").end_of_life is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("core/aspnet:3.1", "aspnet:3.1"),
        ("core/sdk:2.1", "sdk:2.1"),
        ("core/runtime-deps:3.1-alpine3.12", "runtime-deps:3.1-alpine3.12"),
        ("core/aspnet:3.1-buster-slim-arm64v8", "aspnet:3.1-buster-slim-arm64v8"),
        ("core/aspnet:3.1.9", "aspnet:3.1.9"),
        ("core/aspnet:3.1.4", None),  # not published under the new name
        ("core/aspnet:3.1-alpine3.11", None),
        ("core/aspnet:2.2", None),
        ("core/aspnet:3.0", None),
        ("core/aspnet:latest", None),
        ("core/aspnet", None),
        (f"core/aspnet:3.1@sha256:{'a' * 64}", None),
        ("core-nightly/aspnet:3.1", None),
        ("aspnet:3.1", None),
    ],
)
def test_renames_are_only_those_of_the_same_image(old: str, new: str | None) -> None:
    assert renamed(f"{MCR}/{old}") == (None if new is None else f"{MCR}/{new}")


@pytest.mark.parametrize("name", ["microsoft/dotnet:2.1-sdk", "not a name", "alpine:3"])
def test_other_images_have_no_new_name(name: str) -> None:
    assert renamed(name) is None


@pytest.mark.parametrize(
    ("image", "family", "distro", "adduser", "taken"),
    [
        ("debian:12", "debian", "bookworm", "debian-perl", ()),
        ("debian:12.5-slim", "debian", "bookworm", "debian-perl", ()),
        ("debian:bookworm-20240101-slim", "debian", "bookworm", "debian-perl", ()),
        ("debian:trixie", "debian", "trixie", None, ()),
        ("debian:latest", "debian", "", None, ()),
        ("ubuntu:22.04", "ubuntu", "jammy", "debian-perl", ()),
        ("ubuntu:noble-20240423", "ubuntu", "noble", None, (1000,)),
        ("ubuntu:latest", "ubuntu", "", None, (1000,)),
        ("alpine:3.20.1", "alpine", "alpine3.20", "busybox", ()),
        ("alpine:edge", "alpine", "", "busybox", ()),
    ],
)
def test_well_known_distributions(
    image: str, family: str, distro: str, adduser: str | None, taken: tuple[int, ...]
) -> None:
    found = base_family(f"docker.io/library/{image}")
    assert found is not None
    assert (found.family, found.distro, found.adduser) == (family, distro, adduser)
    assert (found.taken_uids, found.user, found.shell) == (taken, "root", True)
    assert found.create_user is (UserTool.BUSYBOX if family == "alpine" else UserTool.USERADD)


@pytest.mark.parametrize(
    "name",
    ["docker.io/library/nginx:1", "docker.io/me/debian:12", "example.com/library/debian:12"],
)
def test_other_bases_have_no_family(name: str) -> None:
    assert base_family(name) is None


@given(st.from_regex(r"[0-9]{1,2}\.[0-9](\.[0-9]{1,3})?(-[a-z0-9.]{1,12}){0,4}", fullmatch=True))
def test_any_tag_gives_facts_or_none(tag: str) -> None:
    for kind in ("aspnet", "sdk", "core/runtime"):
        facts = lookup(f"{MCR}/{kind}:{tag}")
        assert facts is None or facts.app_uid in {None, 1654}
    lookup(f"docker.io/microsoft/dotnet:{tag}")
    lookup(f"docker.io/microsoft/aspnetcore:{tag}")
