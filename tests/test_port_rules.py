"""Rules about ports: what their examples can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.model import Level
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
    pod = _POD.replace("acme.example/api:1", "<IMAGE>")
    dockerfile = _DOCKERFILE.replace("COPY", "EXPOSE 80\nCOPY")
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "pod.yaml": pod})
    result = outcome(tmp_path, ID)

    assert texts(result) == {}


def test_only_one_of_the_two_port_rules_speaks(tmp_path: Path) -> None:
    dockerfile = _DOCKERFILE.replace("COPY", "ENV ASPNETCORE_HTTP_PORTS=81\nCOPY")
    write(tmp_path, {**_CODE, "api/Dockerfile": dockerfile, "pod.yaml": _POD})
    result = outcome(tmp_path, ID, "privileged-port")

    assert {entry.finding.rule for entry in result.entries} == {"privileged-port"}


OLD = "privileged-port"
_NET6 = {
    **_CODE,
    "api/Dockerfile": _DOCKERFILE.replace("8.0", "6.0").replace("COPY", "EXPOSE 80\nCOPY"),
}
_WEB = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
  labels: {app: api}
spec:
  containers:
    - name: api
      image: acme.example/api:1
      ports:
        - {name: http, containerPort: 80}
"""
_FRONT = """\
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports: [{port: 80, targetPort: http}]
"""
_COMPOSED = "services:\n  api:\n    build: api\n    ports: ['5000:80']\n"


def _object(api: str, kind: str, rest: str) -> str:
    return f"{_WEB}---\napiVersion: {api}\nkind: {kind}\nmetadata:\n  name: other\n{rest}"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"a.yaml": _object("cilium.io/v2", "CiliumNetworkPolicy",
             "spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80'}]}]}]}\n")},
            "CiliumNetworkPolicy/other names port 80 too",
        ),
        (
            {"a.yaml": _object("security.istio.io/v1", "AuthorizationPolicy",
             "spec: {rules: [{to: [{operation: {ports: ['80']}}]}]}\n")},
            "AuthorizationPolicy/other names port 80 too",
        ),
        (
            {"a.yaml": _object("security.istio.io/v1", "PeerAuthentication",
             "spec: {portLevelMtls: {80: {mode: STRICT}}}\n")},
            "PeerAuthentication/other names port 80 too",
        ),
        (
            {"a.yaml": _object("monitoring.coreos.com/v1", "ServiceMonitor",
             "spec: {selector: {matchLabels: {app: api}}, endpoints: [{targetPort: 80}]}\n")},
            "ServiceMonitor/other names port 80 too",
        ),
        (
            {"a.yaml": _object("networking.k8s.io/v1", "NetworkPolicy",
             "spec: {podSelector: {}, egress: [{ports: [{port: 80}]}]}\n")},
            "NetworkPolicy/other names the port, and it holds for all destinations",
        ),
        (
            {"a.yaml": _object("networking.k8s.io/v1", "NetworkPolicy",
             "spec: {podSelector: {matchLabels: {app: api}},"
             " ingress: [{ports: [{port: 79, endPort: 81}]}]}\n")},
            "NetworkPolicy/other names a range of ports",
        ),
        (
            {"a.yaml": _WEB + _FRONT.replace("selector:", "clusterIP: None\n  selector:")},
            "clients of a headless Service",
        ),
        (
            {"a.yaml": _WEB + "      livenessProbe: {exec: {command: [nc, localhost, '80']}}\n"},
            "a command names the port in a way that is not understood",
        ),
        (
            {"a.yaml": _WEB + "    - {name: gate, image: x, args: [--to=http://localhost]}\n"},
            "gate calls it on the old port, in the same pod",
        ),
        (
            {"a.yaml": _WEB + "    - {name: gate, image: x, args: [--listen=:8080]}\n"},
            "gate, in the same pod, names the new port",
        ),
        (
            {"a.yaml": _WEB, "run.sh": "kubectl port-forward pod/api 5000:80\n"},
            "run.sh:1 forwards to the old port",
        ),
        (
            {"a.yaml": _WEB, "run.sh": "docker run \\\n  -p 5000:80 \\\n  acme.example/api\n"},
            "run.sh:2 publishes the old port",
        ),
        (
            {"a.yaml": _WEB, "infra/app.bicep": "ingress: {\n  targetPort: 80\n}\n"},
            "infra/app.bicep:2 names the container's port",
        ),
        ({"compose.yaml": _COMPOSED.replace("5000:80", "79-80:79-80")}, "a range of ports"),
        (
            {"compose.yaml": _COMPOSED + "    env_file: api.env\n",
             "api.env": "ASPNETCORE_URLS=http://+:80\n"},
            "api.env:1 decides the port too, by ASPNETCORE_URLS",
        ),
        (
            {"compose.yaml": _COMPOSED, "haproxy.cfg": "backend x\n  server one api:80 check\n"},
            "haproxy.cfg:2 calls it on the old port",
        ),
        (
            {"compose.yaml": _COMPOSED + "    command: [--http_ports, '80']\n"},
            "compose.yaml:5 tells it where to listen",
        ),
        (
            {"compose.yaml": _COMPOSED + "    environment: {SELF: 'http://localhost/x'}\n"},
            "SELF may call the program itself on the old port",
        ),
    ],
)  # fmt: skip
def test_what_keeps_a_port_where_it_is(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    write(tmp_path, {**_NET6, **files})
    result = outcome(tmp_path, OLD)

    assert texts(result) == {}
    assert reason in result.withheld[0].reason


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": _WEB + _FRONT, "run.sh": "kubectl port-forward svc/api 5000:80\n"},
        {"a.yaml": _object("networking.k8s.io/v1", "NetworkPolicy",
         "spec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}],"
         " ports: [{port: 80}]}]}\n")},
        {"a.yaml": _WEB.replace("spec:\n", "spec:\n  hostNetwork: false\n")},
        {"compose.yaml": _COMPOSED + "  web: {image: x, environment: {A: 'http://api-admin'}}\n"},
        {"compose.yaml": _COMPOSED.replace("5000:80'", "5000:80', '9000-9001:9000-9001'")},
    ],
)  # fmt: skip
def test_what_does_not(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, {**_NET6, **files})

    assert "api/Dockerfile" in texts(outcome(tmp_path, OLD))


def test_a_manifest_that_decides_the_port_itself_needs_no_order_of_roll_out(
    tmp_path: Path,
) -> None:
    pod = _WEB + "      env: [{name: ASPNETCORE_URLS, value: 'http://+:80'}]\n"
    write(tmp_path, {**_NET6, "a.yaml": pod + _FRONT})
    result = outcome(tmp_path, OLD)

    assert result.changes[0].fix.level is Level.ROUTINE
    assert result.changes[0].fix.notes == ()


def test_an_image_that_is_published_must_be_built_first(tmp_path: Path) -> None:
    compose = _COMPOSED + "    image: acme.example/api:1\n"
    write(tmp_path, {**_NET6, "compose.yaml": compose})
    result = outcome(tmp_path, OLD)

    assert result.changes[0].fix.level is Level.REVIEW
    assert "order of roll-out" in result.changes[0].fix.notes[0]
