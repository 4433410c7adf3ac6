"""Projects that the SDK publishes as images: what is read of them, and what is left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hardhull import cli
from hardhull.project.users import published_user
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


# ---------------------------------------------------------------- applications


def deployment(image: str, name: str = "api") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  template:\n    spec:\n      containers:\n"
        f"        - name: {name}\n          image: {image}\n"
    )


NAMED = "    <ContainerRepository>shop/api</ContainerRepository>\n"


def applications(root: Path, files: dict[str, str]) -> dict[str, list[str]]:
    """The applications found in these files that are published, with the containers they run."""
    found = survey(write(root, files), Settings()).project.applications
    return {
        app.name: [f"{one.path} {one.name}" for one in app.containers]
        for app in found
        if app.image is not None
    }


@pytest.mark.parametrize(
    ("image", "linked"),
    [
        ("acme.azurecr.io/shop/api:1", True),
        ("shop/api", True),
        ("acme.azurecr.io/team/shop/api:1", True),
        ("__REGISTRY__/api:#{tag}#", True),
        ("acme.azurecr.io/other/api:1", False),
        ("acme.azurecr.io/api:1", False),
        ("mcr.microsoft.com/dotnet/shop/api:1", False),
    ],
)
def test_an_image_is_linked_by_its_repository(tmp_path: Path, image: str, *, linked: bool) -> None:
    found = applications(
        tmp_path, {"src/Api/Api.csproj": project(NAMED), "k8s.yaml": deployment(image)}
    )

    assert found == ({"Api": ["k8s.yaml api"]} if linked else {})


@pytest.mark.parametrize(
    ("image", "linked"),
    [("ghcr.io/shop/api:1", True), ("shop/api", True), ("acme.azurecr.io/shop/api:1", False)],
)
def test_a_registry_that_is_known_must_be_the_same(
    tmp_path: Path, image: str, *, linked: bool
) -> None:
    inside = NAMED + "    <ContainerRegistry>ghcr.io</ContainerRegistry>\n"
    found = applications(
        tmp_path, {"src/Api/Api.csproj": project(inside), "k8s.yaml": deployment(image)}
    )

    assert bool(found) is linked


@pytest.mark.parametrize(
    ("inside", "image"),
    [
        ("    <ContainerImageName>old</ContainerImageName>\n" + NAMED, "old"),
        ("    <containerrepository>small</containerrepository>\n", "small"),
        ("    <ContainerRepository>Shop.Api/Web</ContainerRepository>\n", "shop-api/web"),
        ("    <ContainerRepository>shop.api</ContainerRepository>\n", "shop.api"),
        ("    <PublishProfile>DefaultContainer</PublishProfile>\n", "acme-api"),
        ("    <ContainerPort>8080</ContainerPort>\n", "acme-api"),
    ],
)
def test_the_name_is_made_as_the_sdk_makes_it(tmp_path: Path, inside: str, image: str) -> None:
    files = {"src/Acme.Api.csproj": project(inside), "k8s.yaml": deployment(f"x.io/{image}:1")}

    assert applications(tmp_path, files) == {"Acme.Api": ["k8s.yaml api"]}


COMMANDS = {
    ".github/workflows/ci.yml": (
        "jobs:\n  a:\n    steps:\n      - run: >\n          dotnet publish --no-build\n"
        "          /t:PublishContainer\n          -p:ContainerRepository=${{ env.O }}/svc\n"
        "        working-directory: src/Api/\n      - run: dotnet publish src/Web\n"
    ),
    "build.sh": "cd src/Api\ndotnet publish -t:PublishContainer -p ContainerRepository=svc\n",
    "src/Api/build.ps1": (
        "dotnet publish -c Release `\n  -p:PublishProfile=DefaultContainer `\n"
        "  -p:ContainerRepository=svc\n"
    ),
    "Makefile": (
        "image:\n\tdotnet publish --os linux -c Release src/Api/Api.csproj "
        '"-p:PublishProfile=DefaultContainer;ContainerRepository=svc"\n'
    ),
    "src/Api/publish.sh": (
        "dotnet publish -t:PublishContainer\ndocker tag api:1.0.0 acme.io/svc:$TAG\n"
    ),
    "skaffold.yaml": (
        "build:\n  artifacts:\n    - image: svc\n      context: src/Api\n      custom:\n"
        "        buildCommand: dotnet publish -t:PublishContainer\n"
    ),
}


@pytest.mark.parametrize(("path", "text"), COMMANDS.items(), ids=COMMANDS.keys())
def test_a_command_names_the_image(tmp_path: Path, path: str, text: str) -> None:
    files = {
        "src/Api/Api.csproj": project(""),
        "src/Web/Web.csproj": project(""),
        "k8s.yaml": deployment("acme.io/svc:1"),
        path: text,
    }

    assert applications(tmp_path, files) == {"Api": ["k8s.yaml api"]}


def test_a_command_for_all_projects_gives_them_their_own_names(tmp_path: Path) -> None:
    files = {
        "Shop.sln": "",
        "src/Api/Api.csproj": project(""),
        "src/Web/Web.csproj": project(""),
        "api.yaml": deployment("acme.io/api:1"),
        "web.yaml": deployment("acme.io/web:1", "web"),
        "build.sh": "dotnet publish Shop.sln -c Release /t:PublishContainer\n",
    }

    assert applications(tmp_path, files) == {"Api": ["api.yaml api"], "Web": ["web.yaml web"]}


def test_a_compose_service_runs_what_is_published(tmp_path: Path) -> None:
    files = {
        "src/Api/Api.csproj": project(NAMED),
        "compose.yaml": (
            "services:\n  a: {image: 'shop/api:1'}\n  b: {image: 'shop/api', build: .}\n"
        ),
    }

    assert applications(tmp_path, files) == {"Api": ["compose.yaml a"]}


UNSURE = {
    "two projects": {"src/Web/Web.csproj": project(NAMED)},
    "a Dockerfile": {
        "src/Api/Dockerfile": f'FROM {IMAGE}\nCOPY out /app\nENTRYPOINT ["dotnet", "Api.dll"]\n'
    },
    "a condition": {
        "src/Api/Api.csproj": project(NAMED.replace("y>s", "y Condition=\"'$(A)'\">s"))
    },
    "an import": {
        "src/Api/Api.csproj": project(NAMED).replace(
            "</Project>", '<Import Project="..\\name.props" /></Project>'
        ),
        "src/name.props": "<Project><PropertyGroup>" + NAMED + "</PropertyGroup></Project>",
    },
}


@pytest.mark.parametrize("more", UNSURE.values(), ids=UNSURE.keys())
def test_what_is_not_certain_is_no_link_and_no_pin(tmp_path: Path, more: dict[str, str]) -> None:
    files = {"src/Api/Api.csproj": project(NAMED), "k8s.yaml": deployment("acme.io/shop/api:1")}
    write(tmp_path, files | more)

    result = outcome(tmp_path, "unpinned-image", digests={"acme.io/shop/api:1": DIGEST})

    assert "k8s.yaml" not in texts(result)
    assert not any(
        "k8s.yaml" in one.path for app in result.project.applications for one in app.containers
    )


def test_what_is_published_here_is_never_pinned(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "src/Api/Api.csproj": project(NAMED),
            "k8s.yaml": deployment("acme.io/shop/api:1"),
            "compose.yaml": "services:\n  a: {image: 'acme.io/shop/api:1'}\n",
        },
    )

    assert texts(outcome(tmp_path, "unpinned-image", digests={"acme.io/shop/api:1": DIGEST})) == {}


def family(name: str) -> str:
    return f"<ContainerFamily>{name}</ContainerFamily>"


@pytest.mark.parametrize(
    ("inside", "framework", "base"),
    [
        ("", "net8.0", "aspnet:8.0"),
        ("<SelfContained>true</SelfContained>", "net9.0", "runtime-deps:9.0"),
        ("<PublishAot>true</PublishAot>", "net8.0", "runtime-deps:8.0-noble-chiseled-extra"),
        ("<PublishTrimmed>true</PublishTrimmed>", "net6.0", "aspnet:6.0"),
        (
            "<ContainerFamily>jammy-chiseled</ContainerFamily>",
            "net6.0",
            "aspnet:6.0-jammy-chiseled",
        ),
        (
            family("noble-chiseled") + "<InvariantGlobalization>true</InvariantGlobalization>",
            "net10.0",
            "aspnet:10.0-noble-chiseled",
        ),
        (
            family("noble-chiseled"),
            "net10.0",
            "aspnet:10.0-noble-chiseled-extra",
        ),
        ("<RuntimeIdentifier>linux-musl-x64</RuntimeIdentifier>", "net8.0", "aspnet:8.0-alpine"),
    ],
)
def test_the_base_image_is_inferred_as_the_sdk_does(
    tmp_path: Path, inside: str, framework: str, base: str
) -> None:
    files = {
        "src/Api/Api.csproj": project(NAMED + inside, framework),
        "k8s.yaml": deployment("acme.io/shop/api:1"),
    }
    (found,) = survey(write(tmp_path, files), Settings()).project.applications

    assert found.image is not None
    assert found.image.base == f"mcr.microsoft.com/dotnet/{base}"
    assert found.image.facts is not None


def test_only_the_nearest_inherited_file_counts_unless_it_imports_the_next(tmp_path: Path) -> None:
    root = "    <ContainerUser>root</ContainerUser>\n"
    files = {
        "src/Api/Api.csproj": project(NAMED),
        "k8s.yaml": deployment("acme.io/shop/api:1"),
        "Directory.Build.props": f"<Project><PropertyGroup>{root}</PropertyGroup></Project>",
        "src/Directory.Build.props": "<Project />",
    }
    (alone,) = survey(write(tmp_path, files), Settings()).project.applications
    above = '<Project><Import Project="../Directory.Build.props" /></Project>'
    write(tmp_path, {"src/Directory.Build.props": above})
    (both,) = survey(tmp_path, Settings()).project.applications

    assert alone.image is not None
    assert alone.image.user is None
    assert both.image is not None
    assert both.image.user is not None


def item(text: str) -> str:
    """An item between the properties of a project."""
    return f"  </PropertyGroup>\n  <ItemGroup>\n    <{text} />\n  </ItemGroup>\n  <PropertyGroup>\n"


USERS = {
    "a variable of its own": (
        "8.0",
        item('ContainerEnvironmentVariable Include="APP_UID" Value="2000"'),
        None,
    ),
    "an older framework on a newer image": (
        "7.0",
        "    <ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:8.0</ContainerBaseImage>\n",
        None,
    ),
    "an older framework on a chiseled image": ("6.0", family("jammy-chiseled"), "1654"),
    "a package that publishes": (
        "8.0",
        item('PackageReference Include="Microsoft.NET.Build.Containers" Version="7.0.100"'),
        None,
    ),
}


@pytest.mark.parametrize(("version", "inside", "user"), USERS.values(), ids=USERS.keys())
def test_the_user_is_known_only_where_every_sdk_gives_the_same(
    tmp_path: Path, version: str, inside: str, user: str | None
) -> None:
    files = {
        "src/Api/Api.csproj": project(NAMED + inside, f"net{version}"),
        "k8s.yaml": deployment("acme.io/shop/api:1"),
    }
    (found,) = survey(write(tmp_path, files), Settings()).project.applications

    assert found.image is not None
    assert published_user(found.image).name == user


def test_a_command_that_may_mean_two_projects_names_none(tmp_path: Path) -> None:
    files = {
        "Api.csproj": project(""),
        "src/Web/Web.csproj": project(""),
        "k8s.yaml": deployment("acme.io/svc:1"),
        "src/Web/build.sh": "dotnet publish -t:PublishContainer -p:ContainerRepository=svc\n",
    }

    assert applications(tmp_path, files) == {}


def test_one_name_for_all_projects_of_a_solution_is_no_name(tmp_path: Path) -> None:
    files = {
        "Shop.sln": "",
        "src/Api/Api.csproj": project(""),
        "k8s.yaml": deployment("acme.io/api:1"),
        "build.sh": "dotnet publish Shop.sln -t:PublishContainer -p:ContainerRepository=$NAME\n",
        "src/Web/Web.csproj": project(""),
    }

    assert applications(tmp_path, files) == {}


def test_a_variable_that_is_taken_away_leaves_the_port_unknown(tmp_path: Path) -> None:
    more = item('ContainerEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="80"') + item(
        'ContainerEnvironmentVariable Remove="ASPNETCORE_HTTP_PORTS"'
    )
    write(
        tmp_path,
        {
            "src/Api/Api.csproj": project(NAMED + more),
            "k8s.yaml": deployment("acme.io/shop/api:1"),
        },
    )
    (entry,) = outcome(tmp_path, "privileged-port").entries

    assert "takes away what is set elsewhere" in entry.reason
