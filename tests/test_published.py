"""Projects that the SDK publishes as images: what is read of them, and what is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hardhull import cli
from hardhull.settings import Settings
from hardhull.survey import survey
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "mcr.microsoft.com/dotnet/aspnet:10.0"
DIGEST = "sha256:" + "c" * 64


def project(inside: str, framework: str = "net10.0") -> str:
    return (
        '<Project Sdk="Microsoft.NET.Sdk.Web">\n  <PropertyGroup>\n'
        f"    <TargetFramework>{framework}</TargetFramework>\n"
        f"{inside}  </PropertyGroup>\n</Project>\n"
    )


BASE = f"    <ContainerBaseImage>{IMAGE}</ContainerBaseImage>\n"


def test_images_are_listed_with_place_and_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"src/Api/Api.csproj": b"\xef\xbb\xbf" + project(BASE).encode()})

    assert cli.main(["images", "--format", "json", str(tmp_path)]) == 0
    (found,) = json.loads(capsys.readouterr().out)["images"]

    place = [found[key] for key in ("path", "line", "column", "text", "used_by")]
    assert place == ["src/Api/Api.csproj", 4, 25, IMAGE, "project Api"]


def test_what_is_excluded_is_not_edited(tmp_path: Path) -> None:
    write(tmp_path, {"a/A.csproj": project(BASE), "b/B.csproj": project(BASE)})

    result = outcome(
        tmp_path,
        "unpinned-image",
        settings="paths: {exclude: [b/**]}\n",
        digests={IMAGE: DIGEST},
    )

    assert list(texts(result)) == ["a/A.csproj"]


def test_a_file_in_another_encoding_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"A.csproj": project(BASE).encode("utf-16")})

    result = outcome(tmp_path)

    assert (result.entries, result.skipped) == ((), ())


def test_a_file_that_is_no_xml_is_skipped_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, {"A.csproj": project(BASE + "    <Other>\n")})

    (skipped,) = outcome(tmp_path).skipped

    assert (skipped.path, skipped.line) == ("A.csproj", 6)


def test_an_ignore_comment_is_heeded(tmp_path: Path) -> None:
    mark = "    <!-- hardhull: ignore[unpinned-image] the mirror rebuilds it -->\n"
    write(tmp_path, {"A.csproj": project(mark + BASE)})

    result = outcome(tmp_path, "unpinned-image", digests={IMAGE: DIGEST})

    assert texts(result) == {}
    assert [one.reason for one in result.accepted] == ["the mirror rebuilds it"]


def test_renovate_keeps_it_fresh(tmp_path: Path) -> None:
    write(tmp_path, {"A.csproj": project(BASE), "renovate.json": '{"extends": ["config:base"]}'})
    (use,) = survey(tmp_path, Settings()).project.references

    by = survey(tmp_path, Settings()).project.workspace.updater_of(use)

    assert str(by).startswith("Renovate")


@pytest.mark.parametrize(
    ("framework", "version", "pinned"),
    [
        ("net10.0", None, True),
        ("net10.0-linux", None, True),
        ("net9.0", None, False),
        ("net10.0;net8.0", None, False),
        ("net10.0</TargetFramework>\n<TargetFramework Condition=\"'$(X)'\">net8.0", None, False),
        ("net9.0", "9.0.200", True),
        ("net9.0", "9.0.200-preview.0.24575.35", False),
        ("net9.0", "9.0.101", False),
        ("net8.0", "10.0.100-rc.1.25451.107", True),
        ("net8.0", "8.0.400", False),
        ("net8.0", "99999.0.0", False),
        ("$(Framework)", None, False),
    ],
)
def test_a_digest_is_added_only_where_it_is_heeded(
    tmp_path: Path, framework: str, version: str | None, pinned: bool
) -> None:
    files = {"src/A.csproj": project(BASE, framework)}
    if version is not None:
        files["global.json"] = json.dumps({"sdk": {"version": version}})
    write(tmp_path, files)

    result = outcome(tmp_path, "unpinned-image", digests={IMAGE: DIGEST})

    assert bool(texts(result)) is pinned


@pytest.mark.parametrize("text", ["", "[]", '{"sdk": 1}', '{"sdk": {"version": 9}}', "[" * 99999])
def test_a_global_json_that_says_nothing_proves_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"A.csproj": project(BASE, "net9.0"), "global.json": text})

    result = outcome(tmp_path, "unpinned-image", digests={IMAGE: DIGEST})

    assert (texts(result), result.crashes) == ({}, ())


def test_the_last_of_two_counts(tmp_path: Path) -> None:
    write(tmp_path, {"A.csproj": project(BASE.replace("10.0", "10.0-alpine") + BASE)})

    result = outcome(tmp_path, "unpinned-image", digests={IMAGE: DIGEST, f"{IMAGE}-alpine": DIGEST})

    assert [held.reason for held in result.withheld] == ["line 5 sets ContainerBaseImage again"]
    assert f"{IMAGE}@{DIGEST}" in texts(result)["A.csproj"]


OLD = (
    '<Project ToolsVersion="15.0" xmlns="http://schemas.microsoft.com/developer/msbuild/2003">\n'
    "  <PropertyGroup>\n    <TargetFrameworkVersion>v4.7.2</TargetFrameworkVersion>\n"
    "  </PropertyGroup>\n</Project>\n"
)
WINDOWS = "mcr.microsoft.com/dotnet/framework/aspnet:4.8"


def test_net_framework_takes_one_note_and_no_edit(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "old/Old.csproj": OLD,
            "web/Web.csproj": project("", "net48"),
            "both/Both.csproj": project("", "net48;net8.0"),
            "old/Dockerfile": f"FROM {WINDOWS}\nCOPY . /app\n",
            "web/Dockerfile": f"FROM {WINDOWS}\nCOPY . /app\n",
        },
    )

    result = outcome(tmp_path, digests={WINDOWS: DIGEST})

    assert texts(result) == {}
    assert [note for note in result.notes if "Framework" in note] == [
        (
            "Left as they are: 2 .NET Framework projects (old/Old.csproj, web/Web.csproj) and "
            f"1 Windows image ({WINDOWS})"
        )
    ]


def test_without_windows_there_is_no_note(tmp_path: Path) -> None:
    write(tmp_path, {"A.csproj": project("")})

    assert outcome(tmp_path).notes == ()
