"""Two steps: each is stable by itself, says what it waits for, and what is committed counts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from hardhull.model import Level
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.outcome import Outcome

SETTINGS = "rollout: two-step\n"
PORT = "privileged-port"
FILES = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
    "api/Dockerfile": (
        "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENV ASPNETCORE_HTTP_PORTS=80\nEXPOSE 80\n"
        'COPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'
    ),
}
PODS = """\
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
          ports:
            - containerPort: 80
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - port: 80
"""
NAMED = PODS.replace("containerPort: 80\n", "containerPort: 80\n              name: http\n")
BY_NAME = SERVICE + "      targetPort: http\n"


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "step")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {**FILES, "k8s/api.yaml": PODS + SERVICE})
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def apply(root: Path, *rules: str, settings: str = SETTINGS) -> Outcome:
    result = outcome(root, *rules, settings=settings)
    assert result.crashes == ()
    write(root, {path: result.after[path].to_bytes() for path in result.changed})
    return result


def reasons(result: Outcome) -> str:
    return "\n".join(held.reason for held in result.withheld)


def test_the_port_is_named_first_and_moves_when_that_is_committed(root: Path) -> None:
    first = apply(root, PORT)

    assert texts(first) == {"k8s/api.yaml": NAMED + BY_NAME}
    assert [change.fix.level for change in first.changes] == [Level.REVIEW]
    assert "apply the workloads" in first.changes[0].fix.notes[0]

    again = apply(root, PORT)
    assert again.changed == ()
    assert "until the names of its ports are committed" in reasons(again)

    commit(root)
    second = apply(root, PORT)
    assert second.after["k8s/api.yaml"].text == (
        NAMED.replace("containerPort: 80", "containerPort: 8080") + BY_NAME
    )
    assert "ASPNETCORE_HTTP_PORTS=8080" in second.after["api/Dockerfile"].text
    assert apply(root, PORT).changed == ()


def test_names_that_are_there_need_one_step(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "k8s/api.yaml": NAMED + BY_NAME})
    git(tmp_path, "init", "-q")
    commit(tmp_path)

    assert "8080" in apply(tmp_path, PORT).after["k8s/api.yaml"].text


def test_a_service_that_could_use_the_name_does_so_as_the_number_moves(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "k8s/api.yaml": NAMED + SERVICE})
    git(tmp_path, "init", "-q")
    commit(tmp_path)

    moved = NAMED.replace("containerPort: 80", "containerPort: 8080")
    assert apply(tmp_path, PORT).after["k8s/api.yaml"].text == moved + BY_NAME


def test_nothing_is_named_where_the_port_could_not_move(root: Path) -> None:
    write(root, {"api/Program.cs": "app.Run(); k.ListenAnyIP(80);\n"})

    assert apply(root, PORT).changed == ()


def test_the_name_is_one_that_is_free(root: Path) -> None:
    sidecar = (
        "        - name: side\n          image: acme.example/side:1\n"
        "          ports: [{name: http, containerPort: 9000}]\n"
    )
    write(root, {"k8s/api.yaml": PODS + sidecar + SERVICE})
    commit(root)

    text = apply(root, PORT).after["k8s/api.yaml"].text
    assert "              name: web-http\n" in text
    assert "      targetPort: web-http\n" in text


def test_a_port_that_nobody_wrote_down_gets_an_entry(root: Path) -> None:
    bare = PODS.replace("          ports:\n            - containerPort: 80\n", "")
    write(root, {"k8s/api.yaml": bare + SERVICE})
    commit(root)

    text = apply(root, PORT).after["k8s/api.yaml"].text
    assert "            - name: http\n              containerPort: 80\n" in text


def test_a_manifest_waits_for_its_image(root: Path) -> None:
    write(
        root,
        {
            "api/Dockerfile": (
                "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out .\n"
                'ENTRYPOINT ["dotnet", "Api.dll"]\n'
            ),
            "k8s/api.yaml": PODS.replace("80", "8080"),
        },
    )
    commit(root)
    rules = ("image-runs-as-root", "workload-may-run-as-root", "capabilities-not-dropped")

    first = apply(root, *rules)
    assert first.changed == ("api/Dockerfile",)
    assert reasons(first).count("until the change of its Dockerfile is committed") == 2
    assert apply(root, *rules).changed == ()

    commit(root)
    second = apply(root, *rules)
    assert second.changed == ("k8s/api.yaml",)
    assert "runAsNonRoot: true" in second.after["k8s/api.yaml"].text
    assert "drop" in second.after["k8s/api.yaml"].text
    assert apply(root, *rules).changed == ()


def test_nothing_counts_as_rolled_out_without_commits(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "k8s/api.yaml": NAMED + BY_NAME})

    result = apply(tmp_path, PORT)
    assert result.changed == ()
    assert "second of two steps" in reasons(result)


def test_all_rules_settle_after_each_step(root: Path) -> None:
    for _ in range(3):
        apply(root)
        assert apply(root).changed == ()
        commit(root)
    assert apply(root).changed == ()
    assert "8080" in (root / "k8s/api.yaml").read_text()
    assert "runAsNonRoot: true" in (root / "k8s/api.yaml").read_text()
