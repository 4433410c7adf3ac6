"""Rules about users: what their examples can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
