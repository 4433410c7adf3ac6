"""Image configs over the catalogue: what they say, what they can't, and who has the last word."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull import run as story
from hardhull.configuration.reading import load
from hardhull.facts.gather import Facts, Recorded, read_digests
from hardhull.rules import BY_ID
from support import TODAY, texts, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.outcome import Outcome

ASPNET = "mcr.microsoft.com/dotnet/aspnet:8.0"
OWN = "acme.example/aspnet:1"
SHA = f"sha256:{1:064x}"
NET = ["DOTNET_VERSION=9.0.4", "ASPNET_VERSION=9.0.4", "ASPNETCORE_HTTP_PORTS=8080"]


def facts(name: str, config: dict[str, Any], like: str = "") -> Facts:
    today = datetime.date(2026, 11, 22)
    return Facts(today, {name: Recorded(SHA, config)}, {name: like} if like else {})


def test_a_config_wins_over_the_catalogue() -> None:
    config = {"User": "4242", "Env": ["APP_UID=4242", "ASPNETCORE_URLS=http://+:9090"]}
    image = facts(ASPNET, config).image(ASPNET)

    assert image is not None
    assert (image.user, image.user_uid, image.app_uid) == ("4242", 4242, 4242)
    assert (image.port_env, image.http_port) == ("ASPNETCORE_URLS", 9090)
    assert image.distro.startswith("bookworm")
    assert image.source == " (by its config)"


@pytest.mark.parametrize(
    ("value", "port"),
    [
        ("http://+:5000", 5000),
        ("http://*:5000/", 5000),
        ("http://+:80;https://+:443", None),  # two are not one
        ("http://+", None),
        ("", None),
    ],
)
def test_one_port_or_none(value: str, port: int | None) -> None:
    image = facts(OWN, {"Env": [*NET, f"ASPNETCORE_URLS={value}"]}).image(OWN)

    assert image is not None
    assert (image.port_env, image.http_port) == ("ASPNETCORE_URLS", port)


@pytest.mark.parametrize("name", ["latest", "10.0"])
def test_the_version_is_that_of_the_config(name: str) -> None:
    """`latest` moves on after the catalogue was made."""
    tag = f"mcr.microsoft.com/dotnet/aspnet:{name}"
    image = facts(tag, {"Env": ["DOTNET_VERSION=11.0.2", "ASPNET_VERSION=11.0.2"]}).image(tag)

    assert image is not None
    assert (image.version, image.major) == ("11.0", 11)


@given(
    st.dictionaries(
        st.sampled_from(["User", "Env", "ExposedPorts", "Entrypoint", "Cmd", "os"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
            max_leaves=6,
        ),
    )
)
def test_any_config_is_read(config: dict[str, Any]) -> None:
    """A recording is a file that anyone may have written."""
    recorded = read_digests(
        "x", json.dumps({"version": 1, "images": {OWN: {"digest": SHA, "config": config}}})
    )
    for name in (OWN, ASPNET):
        Facts(TODAY, {name: recorded[OWN]}).image(name)


def test_what_the_configuration_says_wins_over_a_config() -> None:
    image = facts(OWN, {"User": "4242", "Env": NET}, like=ASPNET).image(OWN)

    assert image is not None
    assert image.user == "root"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"Env": NET}, "aspnet"),
        ({"Env": ["DOTNET_VERSION=9.0.4"]}, "runtime"),
        ({"Env": [*NET, "DOTNET_SDK_VERSION=9.0.100"]}, "sdk"),
        ({"Env": ["PATH=/bin"]}, None),
        ({"Env": ["DOTNET_VERSION=next"]}, "runtime"),
        ({"Env": ["DOTNET_RUNNING_IN_CONTAINER=true"]}, "runtime-deps"),
        ({"Entrypoint": ["/usr/bin/dotnet", "Shop.dll"]}, "runtime-deps"),
        ({"Cmd": ["dotnet", "Shop.dll"]}, "runtime-deps"),
        ({"Entrypoint": ["tini", "--"], "Cmd": ["dotnet", "Shop.dll"]}, None),
        ({}, None),
    ],
)
def test_an_unknown_image_is_dotnet_by_its_variables(
    config: dict[str, Any], kind: str | None
) -> None:
    image = facts(OWN, config).image(OWN)

    assert (image.kind if image is not None else None) == kind


def test_the_number_behind_a_name_is_not_guessed() -> None:
    named = facts(OWN, {"User": "web", "Env": NET}).image(OWN)
    app = facts(OWN, {"User": "app:app", "Env": [*NET, "APP_UID=1654"]}).image(OWN)

    assert named is not None
    assert (named.user, named.user_uid) == ("web", None)
    assert app is not None
    assert (app.user, app.user_uid) == ("app:app", None)  # it need not be Microsoft's `app`
    known = facts(ASPNET, {"User": "app", "Env": [*NET, "APP_UID=1654"]}).image(ASPNET)
    assert known is not None
    assert (known.user, known.user_uid) == ("app", 1654)


def hardened(root: Path, config: dict[str, Any] | None) -> Outcome:
    write(
        root,
        {
            "api/Dockerfile": f'FROM {OWN}\nCOPY out /app\nENTRYPOINT ["dotnet", "/app/Api.dll"]\n',
            "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
        },
    )
    settings = load("", "", BY_ID).choosing(BY_ID, select=["image-runs-as-root"])
    recorded = {OWN: Recorded(SHA, config)}
    return story.run(root, settings, recorded=recorded, fixing=True, today=TODAY)


def test_a_base_of_ones_own_is_left_if_its_user_is_not_root(tmp_path: Path) -> None:
    assert hardened(tmp_path, {"User": "1654", "Env": NET}).entries == ()


def test_a_base_of_ones_own_with_a_user_to_switch_to_is_switched(tmp_path: Path) -> None:
    result = hardened(tmp_path, {"Env": [*NET, "APP_UID=1654"]})

    assert "USER $APP_UID\nENTRYPOINT" in texts(result)["api/Dockerfile"]
    assert result.entries[0].finding.evidence == (f"{OWN} starts as root (by its config)",)


def test_no_user_is_made_where_the_distribution_is_not_known(tmp_path: Path) -> None:
    result = hardened(tmp_path, {"Env": NET})

    assert result.changed == ()
    assert "is not known; say what it is like" in result.withheld[0].reason


def test_a_base_that_nobody_read_stays_unknown(tmp_path: Path) -> None:
    result = hardened(tmp_path, None)

    assert result.changed == ()
    assert result.entries[0].finding.message == "the image may run as root"
