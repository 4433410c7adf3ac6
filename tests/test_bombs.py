"""Small files made to cost hours or memory: each run ends, and says what it did not read.

Nothing is timed: where a guard is missing, the test does not end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import outcome, write

if TYPE_CHECKING:
    from pathlib import Path

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: a
    image: acme/a:1
"""
DOCKERFILE = 'FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{}\nENTRYPOINT ["dotnet", "A.dll"]\n'

MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join(f'*a{n - 1}' for _ in range(9))}]\n" for n in range(1, 40)
)
DOUBLING = "ARG A0=aaaaaaaaaaaaaaaa\n" + "".join(
    f"ARG A{n}=${{A{n - 1}}}${{A{n - 1}}}\n" for n in range(1, 60)
)
BOMBS = {
    "merge keys of merge keys": {"compose.yaml": f"{MERGES}services:\n  a: *a39\n"},
    "arguments that double": {"Dockerfile": DOUBLING + "FROM alpine:$A59\n"},
    "variables that double": {"Dockerfile": DOCKERFILE.format(DOUBLING.replace("ARG", "ENV"))},
    "a number of many digits": {
        "Dockerfile": DOCKERFILE.format("EXPOSE " + "8" * 5000),
        "A.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
        "appsettings.json": '{"Urls": "http://*:' + "8" * 5000 + '"}\n',
        "compose.yaml": f'services:\n  a:\n    build: .\n    ports: ["80:{"8" * 5000}"]\n',
    },
    "a variable of many digits": {
        "Dockerfile": DOCKERFILE.format(f"ENV ASPNETCORE_URLS=http://+:{'8' * 5000}")
    },
    "a long line in a Dockerfile": {"Dockerfile": DOCKERFILE.format("RUN " + "a=" * 40_000)},
    "a long line in a manifest": {"k8s/a.yaml": POD + f"    args: [{'x,' * 200_000}]\n"},
    "a long line in a script": {"build.sh": "sed -i " + "'s/a/" * 40_000 + "x.yaml\n"},
    "a long line in code": {"A.csproj": "<a " * 20_000, "Program.cs": "File.Write(" * 4_000},
    "colons in Compose": {
        "Dockerfile": DOCKERFILE.format(""),
        "compose.yaml": f'services:\n  a:\n    build: .\n    volumes: ["{":" * 20_000}"]\n'
        f'    ports: ["{"1:" * 9_000}x"]\n',
    },
    "extends of extends": {
        "compose.yaml": "services:\n"
        + "".join(f"  a{n}:\n    extends: {{service: a{n + 1}}}\n" for n in range(300))
        + "  a300:\n    image: acme/a:1\n"
    },
    "deep nesting": {"k8s/a.yaml": POD + "    x: " + "[" * 30_000 + "\n"},
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"ok/Dockerfile": "FROM alpine:3.20\n", **BOMBS[name]})
    digest = {"docker.io/library/alpine:3.20": "sha256:" + "a" * 64}
    result = outcome(tmp_path, digests=digest)

    assert result.crashes == ()
    assert "ok/Dockerfile" in result.changed
