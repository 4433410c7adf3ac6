"""Rules about images, and the advice about Dockerfiles: what their examples can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.rules.images.secrets import asks_for_secret, holds_secret
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

_DOTNET = "mcr.microsoft.com/dotnet"
_START = 'ENTRYPOINT ["dotnet", "Api.dll"]\n'


def test_an_end_of_life_version_is_told_once_for_the_repository(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/Dockerfile": f"FROM {_DOTNET}/sdk:6.0 AS build\nFROM {_DOTNET}/aspnet:6.0\n{_START}",
            "b/Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\n{_START}",
            "c/Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n{_START}",
        },
    )
    (entry,) = outcome(tmp_path, "end-of-life-runtime").entries

    assert entry.finding.what == "6.0, 8.0"
    assert "6.0 (since 2024-11-12)" in entry.finding.message
    assert "named in 2 files" in entry.finding.message


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("aspnet:8.0-alpine-composite", True),
        ("aspnet:8.0-cbl-mariner2.0", True),
        ("aspnet:6.0", False),
        ("aspnet:8.0.4-alpine3.18", False),
        ("aspnet:latest", False),
        ("runtime:10.0-noble", False),
    ],
)
def test_which_tags_stand_still(tmp_path: Path, tag: str, told: bool) -> None:
    write(tmp_path, {"Dockerfile": f"FROM {_DOTNET}/{tag}\n{_START}"})

    assert bool(outcome(tmp_path, "tag-no-longer-rebuilt").entries) is told


def test_a_tag_that_a_build_sets_keeps_its_old_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "api/Dockerfile": f"ARG TAG=3.1\nFROM {_DOTNET}/core/aspnet:$TAG\n{_START}",
            "compose.yaml": (
                "services:\n  api:\n    build:\n      context: api\n      args: {TAG: '2.2'}\n"
            ),
        },
    )
    result = outcome(tmp_path, "renamed-image-repository")

    assert texts(result) == {}
    assert len(result.withheld) == 1


def test_a_renamed_image_in_a_manifest_keeps_its_quotes(tmp_path: Path) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        f'spec:\n  containers:\n    - name: a\n      image: "{_DOTNET}/core/aspnet:3.1" # old\n'
    )
    write(tmp_path, {"pod.yaml": pod})

    assert texts(outcome(tmp_path, "renamed-image-repository")) == {
        "pod.yaml": pod.replace("/core", "")
    }


def test_an_image_built_here_is_still_latest_in_a_manifest(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "api/Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n{_START}",
            "pod.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
                "spec: {containers: [{name: api, image: acme.example/api}]}\n"
            ),
        },
    )
    (entry,) = outcome(tmp_path, "latest-tag").entries

    assert entry.finding.path == "pod.yaml"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SA_PASSWORD", True),
        ("Azure__ClientSecret", True),
        ("GITHUB_TOKEN", True),
        ("OpenAi__ApiKey", True),
        ("NUGET_PAT", True),
        ("DB_PASSWORD_FILE", False),
        ("Jwt__TokenLifetime", False),
        ("SECRET_NAME", False),
        ("PATH_BASE", False),
        ("COMPATIBILITY", False),
    ],
)
def test_which_names_ask_for_a_secret(name: str, secret: bool) -> None:
    assert asks_for_secret(name) is secret


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("ConnectionStrings__Db", "Server=db;User Id=sa;Password=hunter2;", True),
        ("ConnectionStrings__Db", "Server=db;Pwd=hunter2", True),
        ("ConnectionStrings__Db", "Server=db;Password=${PW}", False),
        ("ConnectionStrings__Db", "Server=db;Integrated Security=true", False),
        ("PASSWORD", "changeme", False),
        ("PASSWORD", "#{Password}#", False),
        ("PASSWORD", "__PASSWORD__", False),
        ("PASSWORD", "", False),
        ("PASSWORD", "hunter2", True),
        ("PASSWORD", None, False),
    ],
)
def test_which_values_are_secrets(name: str, value: str | None, secret: bool) -> None:
    assert holds_secret(name, value) is secret


def test_the_value_of_a_secret_is_never_shown(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "nuget.config": '<add key="ClearTextPassword" value="hunter2" />\n',
            "Dockerfile": (
                f"FROM {_DOTNET}/sdk:8.0 AS build\nARG FEED_TOKEN=hunter2\nCOPY . .\n"
                f"RUN dotnet restore $FEED_TOKEN\nFROM {_DOTNET}/aspnet:8.0\n"
                f"ENV Db__Password=hunter2 A=b\n{_START}"
            ),
            "compose.yaml": (
                "services:\n  api:\n    build: .\n    environment:\n"
                "      Db__Password: hunter2\n      ApiKey: hunter2\n"
            ),
        },
    )
    result = outcome(tmp_path, "secret-in-environment", "secret-in-build-argument")

    assert len(result.entries) == 5
    for entry in result.entries:
        finding = entry.finding
        text = result.before[finding.path].text[slice(*finding.span)]
        assert "hunter2" not in f"{finding} {finding.message} {finding.evidence} {text}"
    assert any("--mount=type=secret" in entry.finding.message for entry in result.entries)


_PIPE = "RUN cat /a | sort > /b\n"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (f"{_PIPE}HEALTHCHECK CMD wget -q localhost\n{_START}", "HEALTHCHECK in shell form"),
        (f"HEALTHCHECK CMD wget -q localhost\n{_PIPE}{_START}", "HEALTHCHECK in shell form"),
        (f"{_PIPE}RUN echo 'a\\nb' > /c\n{_START}", "echo with a backslash"),
        (_PIPE, "would inherit the shell"),
    ],
)
def test_a_shell_that_would_change_more_is_not_named(
    tmp_path: Path, rest: str, reason: str
) -> None:
    write(tmp_path, {"Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\n{rest}"})
    result = outcome(tmp_path, "pipe-without-pipefail")

    assert texts(result) == {}
    assert [reason in held.reason for held in result.withheld] == [True]


def test_the_health_check_of_compose_would_run_in_the_new_shell(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\n{_PIPE}{_START}",
            "compose.yaml": (
                "services:\n  api:\n    build: .\n    healthcheck:\n      test: wget -q localhost\n"
            ),
        },
    )
    result = outcome(tmp_path, "pipe-without-pipefail")

    assert texts(result) == {}


def test_one_shell_serves_all_later_pipes_and_the_stages_made_from_it(tmp_path: Path) -> None:
    text = f"FROM {_DOTNET}/sdk:8.0 AS a\n{_PIPE}{_PIPE}FROM a AS b\n{_PIPE}{_START}"
    write(tmp_path, {"Dockerfile": text})
    result = outcome(tmp_path, "pipe-without-pipefail")

    assert texts(result)["Dockerfile"].count("SHELL") == 1


def test_a_continued_add_keeps_its_lines(tmp_path: Path) -> None:
    text = f"FROM {_DOTNET}/aspnet:8.0\nadd run.sh \\\n    # why\n    /app/\n{_START}"
    write(tmp_path, {"Dockerfile": text, "run.sh": "#!/bin/sh\n"})

    assert texts(outcome(tmp_path, "add-instead-of-copy")) == {
        "Dockerfile": text.replace("add", "copy")
    }


def test_add_of_a_checksum_stays(tmp_path: Path) -> None:
    text = f"FROM {_DOTNET}/aspnet:8.0\nADD --keep-git-dir=true run.sh /app/\n{_START}"
    write(tmp_path, {"Dockerfile": text, "run.sh": "#!/bin/sh\n"})
    result = outcome(tmp_path, "add-instead-of-copy")

    assert texts(result) == {}
    assert "COPY does not know --keep-git-dir" in result.withheld[0].reason
