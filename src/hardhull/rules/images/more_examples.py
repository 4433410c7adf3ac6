"""Examples of the rules about names, ages and contents of images: tests and documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.model import Example

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOTNET = "mcr.microsoft.com/dotnet"
_START = 'ENTRYPOINT ["dotnet", "Api.dll"]\n'
_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: {image}
      env:
        - name: DB_PASSWORD
          {value}
"""
_CONFIG = """\
<configuration>
  <packageSourceCredentials>
    <acme>
      <add key="ClearTextPassword" value="{value}" />
    </acme>
  </packageSourceCredentials>
</configuration>
"""

RENAMED_IMAGE_REPOSITORY = (
    Example(
        "written out, or before a tag from an ARG",
        {
            "Dockerfile": (
                "ARG TAG=3.1\n"
                f"FROM {_DOTNET}/core/sdk:$TAG AS build\n"
                f"FROM {_DOTNET}/core/aspnet:3.1-alpine\n"
            )
        },
        {
            "Dockerfile": (
                f"ARG TAG=3.1\nFROM {_DOTNET}/sdk:$TAG AS build\nFROM {_DOTNET}/aspnet:3.1-alpine\n"
            )
        },
    ),
    Example(
        "in an ARG that serves this image alone",
        {"Dockerfile": f"ARG BASE={_DOTNET}/core/aspnet:3.1\nFROM $BASE\n{_START}"},
        {"Dockerfile": f"ARG BASE={_DOTNET}/aspnet:3.1\nFROM $BASE\n{_START}"},
    ),
    Example(
        "an ARG that two images share",
        {
            "Dockerfile": (
                f"ARG HOME={_DOTNET}/core\nFROM $HOME/sdk:3.1 AS build\nFROM $HOME/aspnet:3.1\n"
            )
        },
        refused="several parts, some of them from ARG HOME",
    ),
    Example(
        "2.2 is not the same image under the new name",
        {"Dockerfile": f"FROM {_DOTNET}/core/aspnet:2.2\n"},
        silent=True,
    ),
    Example("the new name", {"Dockerfile": f"FROM {_DOTNET}/aspnet:3.1\n"}, silent=True),
)


def _ended(tag: str) -> dict[str, Mapping[str, Any]]:
    """A recording in which the registry says that a tag's image has ended."""
    entry = {"digest": f"sha256:{7:064x}", "end_of_life": "2026-03-26"}
    return {f"{_DOTNET}/aspnet:{tag}": entry}


END_OF_LIFE_RUNTIME = (
    Example(
        "two versions, one line",
        {
            "api/Dockerfile": f"FROM {_DOTNET}/aspnet:6.0\n",
            "web/Dockerfile": f"FROM {_DOTNET}/sdk:7.0 AS build\nFROM {_DOTNET}/aspnet:7.0\n",
        },
        reported=True,
    ),
    Example("a version with support", {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n"}, silent=True),
    Example(
        "one patch of such a version that its registry says has ended",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0.1\n"},
        reported=True,
        digests=_ended("10.0.1"),
    ),
    Example(
        "a tag that its registry says has ended is another rule's",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n"},
        silent=True,
        digests=_ended("10.0"),
    ),
    Example(
        "latest names no version", {"Dockerfile": f"FROM {_DOTNET}/aspnet:latest\n"}, silent=True
    ),
)

TAG_NO_LONGER_REBUILT = (
    Example(
        "a floating tag that stands still",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0-alpine-composite\n"},
        reported=True,
    ),
    Example(
        "a distribution that was given up before the version",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:8.0-cbl-mariner2.0\n"},
        reported=True,
    ),
    Example(
        "a version that has ended is another rule's",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:6.0\n"},
        silent=True,
    ),
    Example(
        "a tag that its registry says has ended",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n"},
        reported=True,
        digests=_ended("10.0"),
    ),
    Example(
        "one patch comes to its end with the next",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0.1\n"},
        silent=True,
        digests=_ended("10.0.1"),
    ),
    Example("a tag that is rebuilt", {"Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n"}, silent=True),
)

LATEST_TAG = (
    Example("said", {"Dockerfile": f"FROM {_DOTNET}/aspnet:latest\n"}, reported=True),
    Example(
        "not said",
        {"compose.yaml": "services:\n  cache:\n    image: redis\n"},
        reported=True,
    ),
    Example(
        "Compose builds it",
        {
            "api/Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n{_START}",
            "compose.yaml": "services:\n  api:\n    build: api\n    image: api\n",
        },
        silent=True,
    ),
    Example(
        "Skaffold puts in the tag that it built",
        {
            "src/Dockerfile": f"FROM {_DOTNET}/aspnet:10.0\n{_START}",
            "skaffold.yaml": (
                "apiVersion: skaffold/v4beta6\nkind: Config\nbuild:\n  artifacts:\n"
                "    - image: api\n      context: src\n"
            ),
            "k8s/api.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: api\nspec:\n  containers:\n"
                "    - name: api\n      image: api\n"
            ),
        },
        silent=True,
    ),
    Example(
        "what a test reads",
        {"tests/fixtures/Dockerfile": f"FROM {_DOTNET}/aspnet:latest\n"},
        silent=True,
    ),
    Example(
        "a digest says which one",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:latest@sha256:{'a' * 64}\n"},
        silent=True,
    ),
)

SDK_IMAGE_AT_RUN_TIME = (
    Example(
        "one stage for all",
        {"Dockerfile": f"FROM {_DOTNET}/sdk:10.0\nCOPY . .\n{_START}"},
        reported=True,
    ),
    Example(
        "only the build",
        {"Dockerfile": f"FROM {_DOTNET}/sdk:10.0 AS build\nFROM {_DOTNET}/aspnet:10.0\n{_START}"},
        silent=True,
    ),
)

OBSOLETE_HARDENING_SCRIPT = (
    Example(
        "a script that deletes tools",
        {
            "Dockerfile": (
                f"FROM {_DOTNET}/aspnet:8.0-alpine\nCOPY harden.sh .\n"
                f"RUN sh harden.sh && rm harden.sh\n{_START}"
            )
        },
        reported=True,
    ),
    Example(
        "an image made by such a script",
        {"Dockerfile": f"FROM ironpeakservices/iron-alpine:3.21\nCOPY out .\n{_START}"},
        reported=True,
    ),
    Example(
        "another script",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\nRUN sh install.sh\n{_START}"},
        silent=True,
    ),
)

SECRET_IN_ENVIRONMENT = (
    Example(
        "in the image",
        {"Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\nENV Db__Password=hunter2\n{_START}"},
        reported=True,
    ),
    Example(
        "a password in a connection string",
        {
            "api/Dockerfile": f"FROM {_DOTNET}/aspnet:8.0\n{_START}",
            "compose.yaml": (
                "services:\n  api:\n    build: api\n    environment:\n"
                "      - ConnectionStrings__Main=Server=db;User Id=sa;Password=hunter2\n"
            ),
        },
        reported=True,
    ),
    Example(
        "in a manifest",
        {"pod.yaml": _POD.format(image=f"{_DOTNET}/samples:1", value="value: hunter2")},
        reported=True,
        settings=f"base-images:\n  {_DOTNET}/samples:\n    like: {_DOTNET}/aspnet:8.0\n",
    ),
    Example(
        "placeholders, files and settings about secrets",
        {
            "api/Dockerfile": (
                f"FROM {_DOTNET}/aspnet:8.0\nENV Db__Password= TOKEN_LIFETIME=60\n{_START}"
            ),
            "compose.yaml": (
                "services:\n  api:\n    build: api\n    environment:\n"
                "      Db__Password: ${DB_PASSWORD}\n"
                "      DB_PASSWORD_FILE: /run/secrets/db\n"
                "      ApiKey: <your key>\n"
                "      ConnectionStrings__Main: Server=db;Password=${DB_PASSWORD}\n"
            ),
        },
        silent=True,
    ),
    Example(
        "from a Secret",
        {
            "pod.yaml": _POD.format(
                image=f"{_DOTNET}/samples:1",
                value="valueFrom: {secretKeyRef: {name: db, key: password}}",
            )
        },
        silent=True,
        settings=f"base-images:\n  {_DOTNET}/samples:\n    like: {_DOTNET}/aspnet:8.0\n",
    ),
)

SECRET_IN_BUILD_ARGUMENT = (
    Example(
        "a token for NuGet",
        {
            "Dockerfile": (
                f"FROM {_DOTNET}/sdk:8.0 AS build\nARG NUGET_TOKEN\n"
                "RUN dotnet nuget add source https://nuget.acme.example --password $NUGET_TOKEN\n"
                f"FROM {_DOTNET}/aspnet:8.0\n{_START}"
            )
        },
        reported=True,
    ),
    Example(
        "a password in a copied nuget.config",
        {
            "nuget.config": _CONFIG.format(value="hunter2"),
            "Dockerfile": f"FROM {_DOTNET}/sdk:8.0 AS build\nCOPY nuget.config .\nRUN dotnet restore\n",
        },
        reported=True,
    ),
    Example(
        "a mounted secret, and a nuget.config that names a variable",
        {
            "nuget.config": _CONFIG.format(value="%NUGET_TOKEN%"),
            "Dockerfile": (
                f"FROM {_DOTNET}/sdk:8.0 AS build\nCOPY nuget.config .\n"
                "RUN --mount=type=secret,id=nuget-token,env=NUGET_TOKEN dotnet restore\n"
            ),
        },
        silent=True,
    ),
)
