"""Rules about users: what their examples can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.images import Reference, parse_reference
from hardhull.model import Level
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.outcome import Outcome

_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY out /app
{user}ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
_POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels: {app: api}
  template:
    metadata:
      labels: {app: api}
    spec:
      containers:
        - name: api
          image: acme.example/api:1
"""
_CODE = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}
WORKLOAD = "workload-may-run-as-root"


def levels(result: Outcome, rule: str) -> list[Level]:
    return [change.fix.level for change in result.changes if change.finding.rule == rule]


def notes(result: Outcome, rule: str) -> str:
    changes = [change for change in result.changes if change.finding.rule == rule]
    return "\n".join(note for change in changes for note in change.fix.notes)


def test_an_image_that_stops_being_root_in_the_same_run_gives_an_order_of_roll_out(
    tmp_path: Path,
) -> None:
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE.format(user=""), "k8s/api.yaml": _POD})
    result = outcome(tmp_path)

    assert "USER $APP_UID" in texts(result)["api/Dockerfile"]
    assert "runAsNonRoot: true" in texts(result)["k8s/api.yaml"]
    assert levels(result, WORKLOAD) == [Level.REVIEW]
    assert "order of roll-out" in notes(result, WORKLOAD)


def test_a_name_that_becomes_a_number_in_the_same_run_gives_an_order_of_roll_out(
    tmp_path: Path,
) -> None:
    dockerfile = _DOCKERFILE.format(user="USER app\n")
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "k8s/api.yaml": _POD})
    result = outcome(tmp_path, "image-user-by-name", WORKLOAD)

    assert levels(result, "image-user-by-name") == [Level.ROUTINE]
    assert levels(result, WORKLOAD) == [Level.REVIEW]


def test_a_number_in_the_manifest_holds_for_the_old_image_too(tmp_path: Path) -> None:
    pod = _POD + "          securityContext:\n            runAsUser: 1654\n"
    write(tmp_path, {"api/Dockerfile": _DOCKERFILE.format(user=""), "k8s/api.yaml": pod})
    result = outcome(tmp_path, WORKLOAD)

    assert levels(result, WORKLOAD) == [Level.ROUTINE]


def test_the_run_as_user_of_a_pod_goes_only_if_no_container_needs_it(tmp_path: Path) -> None:
    zero = _POD.replace(
        "      containers:\n", "      securityContext:\n        runAsUser: 0\n      containers:\n"
    )
    other = zero + "        - name: proxy\n          image: acme.example/proxy:1\n"
    dockerfile = _DOCKERFILE.format(user="USER $APP_UID\n")
    write(tmp_path / "one", {"api/Dockerfile": dockerfile, "k8s/api.yaml": zero})
    write(tmp_path / "two", {"api/Dockerfile": dockerfile, "k8s/api.yaml": other})
    alone, shared = outcome(tmp_path / "one", WORKLOAD), outcome(tmp_path / "two", WORKLOAD)

    assert texts(alone)["k8s/api.yaml"] == zero.replace("runAsUser: 0", "runAsNonRoot: true")
    assert levels(alone, WORKLOAD) == [Level.REVIEW]
    assert texts(shared) == {}
    assert "sets runAsUser: 0" in shared.withheld[0].reason


def test_a_zero_that_contradicts_the_pod_goes(tmp_path: Path) -> None:
    pod = _POD + "          securityContext:\n            runAsUser: 0\n"
    pod += "      securityContext:\n        runAsNonRoot: true\n"
    dockerfile = _DOCKERFILE.format(user="USER $APP_UID\n")
    write(tmp_path, {"api/Dockerfile": dockerfile, "k8s/api.yaml": pod})
    result = outcome(tmp_path, WORKLOAD)

    assert texts(result)["k8s/api.yaml"] == (
        _POD + "      securityContext:\n        runAsNonRoot: true\n"
    )
    assert levels(result, WORKLOAD) == [Level.REVIEW]


def test_a_claim_whose_user_changes_is_named(tmp_path: Path) -> None:
    pod = (
        _POD
        + "          securityContext: {runAsUser: 0, privileged: false}\n"
        + "          volumeMounts:\n            - {name: data, mountPath: /data}\n"
        + "      volumes:\n        - name: data\n          persistentVolumeClaim: {claimName: d}\n"
    )
    dockerfile = _DOCKERFILE.format(user="USER $APP_UID\n")
    write(tmp_path, {"api/Dockerfile": dockerfile, "k8s/api.yaml": pod})
    result = outcome(tmp_path, WORKLOAD)

    assert "{privileged: false}" in texts(result)["k8s/api.yaml"]
    assert "who owns the files of the volume at k8s/api.yaml" in notes(result, WORKLOAD)


def test_two_containers_of_a_pod_are_one_edit(tmp_path: Path) -> None:
    pod = _POD + "        - name: worker\n          image: acme.example/worker:1\n"
    dockerfile = _DOCKERFILE.format(user="USER $APP_UID\n")
    write(
        tmp_path,
        {"api/Dockerfile": dockerfile, "worker/Dockerfile": dockerfile, "k8s/api.yaml": pod},
    )
    result = outcome(tmp_path, WORKLOAD)

    assert texts(result)["k8s/api.yaml"].count("runAsNonRoot") == 1
    assert result.withheld == ()


@pytest.mark.parametrize(
    ("line", "user", "number"),
    [
        ("RUN useradd -r -u 1001 -g root api", "api", "1001"),
        ("RUN adduser --uid=1001 api && chown -R api /app", "api:api", "1001:api"),
        ("RUN useradd --uid 1001 other && useradd --uid 1002 api", '"api"', "1002"),
    ],
)
def test_the_number_that_a_dockerfile_gives(
    tmp_path: Path, line: str, user: str, number: str
) -> None:
    write(tmp_path, {"Dockerfile": _DOCKERFILE.format(user=f"{line}\nUSER {user}\n")})
    result = outcome(tmp_path, "image-user-by-name")

    assert f"\nUSER {number}\n" in texts(result)["Dockerfile"]


@pytest.mark.parametrize(
    "line",
    [
        "RUN useradd -u $UID api",
        "RUN useradd -u 1001 api; usermod -u 1002 api",
        "RUN adduser -S api",
    ],
)
def test_numbers_that_are_not_certain_are_refused(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"Dockerfile": _DOCKERFILE.format(user=f"{line}\nUSER api\n")})
    result = outcome(tmp_path, "image-user-by-name")

    assert texts(result) == {}
    assert len(result.withheld) == 1


ROOT = "image-runs-as-root"


def refusals(result: Outcome, rule: str) -> str:
    return "\n".join(str(e.reason) for e in result.entries if e.finding.rule == rule)


@pytest.mark.parametrize("folder", ["", "deploy/"])
def test_an_ordinary_mount_moves_where_only_the_debugging_file_builds_another_stage(
    tmp_path: Path, folder: str
) -> None:
    up = "../" if folder else ""
    build = f"    build:\n      context: {up or '.'}\n      dockerfile: api/Dockerfile\n"
    mount = "    volumes:\n      - ~/{0}:/root/{0}:ro\n"
    write(
        tmp_path,
        {
            **_CODE,
            "api/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\nWORKDIR /app\n"
            'FROM base AS final\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n',
            f"{folder}docker-compose.yml": f"services:\n  api:\n{build}",
            f"{folder}docker-compose.override.yml": "services:\n  api:\n"
            + mount.format(".microsoft/usersecrets"),
            f"{folder}docker-compose.vs.debug.yml": "services:\n  api:\n" + mount.format(".nuget"),
            f"{folder}docker-compose.tools.yml": f"services:\n  api:\n{build}      target: base\n"
            + mount.format(".vsdbg"),
        },
    )
    changed = texts(outcome(tmp_path, ROOT))
    assert set(changed) == {"api/Dockerfile", f"{folder}docker-compose.override.yml"}
    override = changed[f"{folder}docker-compose.override.yml"]
    assert "/home/app/.microsoft/usersecrets" in override


def test_paths_that_labels_of_the_debugger_name_stay(tmp_path: Path) -> None:
    compose = (
        "services:\n  api:\n    build: api\n    volumes:\n      - ~/.nuget:/root/.nuget:ro\n"
        "    labels:\n      com.microsoft.visualstudio.debuggee.arguments: --path /root/.nuget\n"
    )
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE.format(user=""), "c/x.yml": ""})
    write(tmp_path, {"docker-compose.yml": compose})
    assert set(texts(outcome(tmp_path, ROOT))) == {"api/Dockerfile"}


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("ARG ID\nRUN useradd -u $ID web\n", "the argument ID (api/Dockerfile:3), which the build"),
        ("ENV ID=900\nRUN useradd -u $ID web\n", "comes from the variable ID (api/Dockerfile:3)"),
        ("RUN useradd -u $ID web\n", "comes from ID, which this Dockerfile does not set"),
        (
            "ARG WHO=web\nARG ID=900\nRUN useradd --uid=${ID} ${WHO}\nUSER $WHO\n",
            "the number of web comes from the argument ID (api/Dockerfile:4: 900 unless",
        ),
    ],
)
def test_a_number_from_elsewhere_is_refused_with_its_place(
    tmp_path: Path, before: str, reason: str
) -> None:
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE.format(user=before)})
    result = outcome(tmp_path, ROOT, "image-user-by-name")
    assert texts(result) == {}
    assert reason in refusals(result, ROOT) + refusals(result, "image-user-by-name")


def test_the_name_of_a_user_may_come_from_an_argument(tmp_path: Path) -> None:
    made = "ARG WHO=web\nRUN useradd -u 900 $WHO\nUSER web\n"
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE.format(user=made)})
    assert "USER 900\n" in texts(outcome(tmp_path, "image-user-by-name"))["api/Dockerfile"]


def test_a_windows_file_says_nothing_about_a_tag_that_is_for_linux_only(tmp_path: Path) -> None:
    six = "FROM mcr.microsoft.com/dotnet/aspnet:6.0{}\nENV ASPNETCORE_URLS=http://+:8080\n"
    for variant, changes in (("", False), ("-jammy", True)):
        dockerfile = six.format(variant) + "COPY out .\n" + 'ENTRYPOINT ["dotnet", "Api.dll"]\n'
        compose = "services:\n  api:\n    build: api\n"
        files = {"docker-compose.yml": compose, "docker-compose.windows.yml": compose}
        root = tmp_path / f"six{variant}"
        write(root, {**_CODE, "api/Dockerfile": dockerfile, **files})
        assert bool(texts(outcome(root, ROOT))) is changes


def test_ping_from_a_package_is_a_matter_of_that_program(tmp_path: Path) -> None:
    install = "RUN apt-get update && apt-get install -y iputils-ping\n"
    code = "var reply = await sender.SendPingAsync(host);\n"
    dockerfile = _DOCKERFILE.format(user=install)
    write(tmp_path, {**_CODE, "api/Net.cs": code, "api/Dockerfile": dockerfile})
    result = outcome(tmp_path, ROOT)
    assert levels(result, ROOT) == [Level.REVIEW]
    assert "api/Net.cs:1 pings" in notes(result, ROOT)


def test_a_pod_that_starts_an_image_without_a_command_is_told_of(tmp_path: Path) -> None:
    dockerfile = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out /app\n"
    pod = _POD + '          command: ["dotnet", "/app/Api.dll"]\n'
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "k8s/api.yaml": pod})
    result = outcome(tmp_path, ROOT)
    found = [e.finding for e in result.entries if e.finding.rule == ROOT]
    assert [one.level for one in found] == [Level.MANUAL]
    assert "k8s/api.yaml:15 says what it starts" in found[0].message


def test_four_hundred_dockerfiles_are_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(text: str) -> Reference | None:
        asked.append(text)
        return parse_reference(text)

    monkeypatch.setattr("hardhull.rules.user.derived.parse_reference", counted)
    for number in range(40):
        write(tmp_path, {f"a{number}/Dockerfile": _DOCKERFILE.format(user="")})
    assert len(texts(outcome(tmp_path, ROOT))) == 40
    assert len(asked) <= 4 * 40


def test_a_port_bound_for_development_alone_does_not_hide_the_one_that_the_image_names(
    tmp_path: Path,
) -> None:
    code = "k.ConfigureKestrel(o =>\n{\n  if (dev)\n  {\n    o.ListenAnyIP(5000);\n  }\n});\n"
    user = "ENV ASPNETCORE_HTTP_PORTS=80\n"
    write(
        tmp_path,
        {**_CODE, "api/Program.cs": code, "api/Dockerfile": _DOCKERFILE.format(user=user)},
    )
    result = outcome(tmp_path, "image-runs-as-root")

    assert result.changed == ()
    assert "can't bind port 80" in result.withheld[0].reason


def test_on_openshift_a_new_user_is_of_group_0(tmp_path: Path) -> None:
    old = (
        _DOCKERFILE.format(user="")
        .replace("8.0", "6.0")
        .replace("ENTRY", "ENV ASPNETCORE_URLS=http://+:8080\nENTRY")
    )
    for tag, line in (
        (
            "6.0",
            "RUN useradd --no-log-init --uid 10001 --gid 0 --create-home nonroot && "  # noqa: ISC004
            "chmod g=u /home/nonroot\nUSER 10001\n",
        ),
        (
            "6.0-alpine",
            "RUN adduser -D -u 10001 -G root nonroot && chmod g=u /home/nonroot\nUSER 10001\n",
        ),
    ):
        write(tmp_path / tag, {**_CODE, "api/Dockerfile": old.replace("6.0", tag)})
        result = outcome(tmp_path / tag, "image-runs-as-root", settings="openshift: true\n")
        assert line in texts(result)["api/Dockerfile"]
