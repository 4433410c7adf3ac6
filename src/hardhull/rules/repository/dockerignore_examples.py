"""Examples of missing-dockerignore: its tests, and its page of documentation."""

from __future__ import annotations

from hardhull.model import Example, Level

_PROJECT = {"src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'}
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
COPY {source} .
RUN dotnet publish -o /out
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY --from=build /out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
_COPIES = _DOCKERFILE.format(source="src/Api/Api.csproj src/Api/")
_LINES = (
    "**/.git",
    "**/.vs",
    "**/.vscode",
    "**/.idea",
    "**/*.user",
    "**/.env",
    "**/*.pfx",
    "**/bin",
    "**/obj",
    "**/node_modules",
)


def _text(*without: str) -> str:
    return "".join(f"{line}\n" for line in _LINES if line not in without)


_COMPOSE = (
    "services:\n  api:\n    image: acme.example/api\n    build:\n      context: .\n"
    "      dockerfile: src/Api/Dockerfile\n"
)

MISSING_DOCKERIGNORE = (
    Example(
        "the sources show the folder",
        {**_PROJECT, "src/Api/Dockerfile": _COPIES},
        {".dockerignore": _text()},
        level=Level.REVIEW,
    ),
    Example(
        "Compose names the folder",
        {
            **_PROJECT,
            "src/Api/Dockerfile": _DOCKERFILE.format(source="."),
            "compose.yaml": _COMPOSE,
        },
        {".dockerignore": _text()},
        level=Level.REVIEW,
    ),
    Example(
        "what is copied by name, or needed, is not hidden",
        {
            "src/Api/Api.csproj": (
                '<Project Sdk="Microsoft.NET.Sdk.Web"><ItemGroup>\n'
                '  <PackageReference Include="MinVer" Version="6.0.0" />\n'
                "</ItemGroup></Project>\n"
            ),
            "compose.yaml": _COMPOSE,
            "src/Api/Dockerfile": _DOCKERFILE.format(source="src/Api/Api.csproj src/Api/bin"),
        },
        {".dockerignore": _text("**/.git", "**/bin")},
        level=Level.REVIEW,
    ),
    Example(
        "which folder it is built in is not certain",
        {**_PROJECT, "src/Api/Dockerfile": _DOCKERFILE.format(source=".")},
        refused="fit no folder, or several",
    ),
    Example(
        "a variable names what it copies",
        {
            **_PROJECT,
            "src/Api/Dockerfile": "ARG WHAT=src\n" + _DOCKERFILE.format(source="$WHAT"),
            "compose.yaml": _COMPOSE,
        },
        refused="a variable names what it copies",
    ),
    Example(
        "there is one, for the folder or for the Dockerfile",
        {**_PROJECT, "src/Api/Dockerfile": _COPIES, ".dockerignore": "**/.git\n"},
        silent=True,
    ),
    Example(
        "one for the Dockerfile alone",
        {
            **_PROJECT,
            "src/Api/Dockerfile": _COPIES,
            "src/Api/Dockerfile.dockerignore": "**/.git\n",
        },
        silent=True,
    ),
)
