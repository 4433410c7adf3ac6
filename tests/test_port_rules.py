"""Rules about ports: what their examples can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

ID = "port-nobody-listens-on"
_CODE = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: acme.example/api:1
      ports:
        - containerPort: 80
"""


def test_what_other_variables_may_say_is_not_contradicted(tmp_path: Path) -> None:
    hidden = _POD + "      envFrom:\n        - configMapRef: {name: api}\n"
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE, "pod.yaml": hidden})

    assert outcome(tmp_path, ID).entries == ()


@pytest.mark.parametrize(
    "variable",
    [
        "{name: ASPNETCORE_HTTP_PORTS, value: '80'}",
        "{name: ASPNETCORE_URLS, value: 'http://+:80'}",
        "{name: ASPNETCORE_URLS, valueFrom: {configMapKeyRef: {name: a, key: b}}}",
    ],
)
def test_a_manifest_that_sets_the_port_itself_is_right(tmp_path: Path, variable: str) -> None:
    pod = _POD + f"      env:\n        - {variable}\n"
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE, "pod.yaml": pod})

    assert outcome(tmp_path, ID).entries == ()


def test_code_that_binds_a_port_is_never_contradicted(tmp_path: Path) -> None:
    code = {**_CODE, "api/Program.cs": 'WebApplication.Create(args).Run("http://*:5000");\n'}
    write(tmp_path, {**code, "api/Dockerfile": _DOCKERFILE, "pod.yaml": _POD})

    assert outcome(tmp_path, ID).entries == ()


def test_another_command_may_listen_anywhere(tmp_path: Path) -> None:
    pod = _POD + '      command: ["/bin/sh", "-c", "./start"]\n'
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE, "pod.yaml": pod})

    assert outcome(tmp_path, ID).entries == ()


def test_the_service_in_front_of_two_containers_is_left_alone(tmp_path: Path) -> None:
    pod = (
        _POD.replace("  name: api\n", "  name: api\n  labels: {app: api}\n", 1).replace(
            "containerPort: 80", "containerPort: 8080"
        )
        + "    - name: proxy\n      image: acme.example/proxy:1\n---\n"
        + "apiVersion: v1\nkind: Service\nmetadata: {name: api}\n"
        + "spec: {selector: {app: api}, ports: [{port: 80}]}\n"
    )
    write(tmp_path, {**_CODE, "api/Dockerfile": _DOCKERFILE, "pod.yaml": pod})

    assert outcome(tmp_path, ID).entries == ()


def test_a_legacy_host_ignores_the_ports_variable(tmp_path: Path) -> None:
    code = {**_CODE, "api/Program.cs": "WebHost.CreateDefaultBuilder(args).Build().Run();\n"}
    write(tmp_path, {**code, "api/Dockerfile": _DOCKERFILE, "pod.yaml": _POD})
    result = outcome(tmp_path, ID)

    assert texts(result) == {}
    assert "older host" in result.withheld[0].reason


def test_a_pod_whose_image_is_a_placeholder_may_run_it(tmp_path: Path) -> None:
    pod = _POD.replace("acme.example/api:1", "<REGISTRY>/api:<TAG>")
    dockerfile = _DOCKERFILE.replace("COPY", "EXPOSE 80\nCOPY")
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "pod.yaml": pod})
    result = outcome(tmp_path, ID)

    assert texts(result) == {}


def test_only_one_of_the_two_port_rules_speaks(tmp_path: Path) -> None:
    dockerfile = _DOCKERFILE.replace("COPY", "ENV ASPNETCORE_HTTP_PORTS=81\nCOPY")
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "pod.yaml": _POD})
    result = outcome(tmp_path, ID, "privileged-port")

    assert {entry.finding.rule for entry in result.entries} == {"privileged-port"}
