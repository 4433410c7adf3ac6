"""Examples of no-update-automation: its tests, and its page of documentation."""

from __future__ import annotations

from hardhull.model import Example

_FILES = {
    "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "src/Api/Dockerfile": (
        "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out /app\n"
        'ENTRYPOINT ["dotnet", "/app/Api.dll"]\n'
    ),
    "compose.yaml": "services:\n  cache:\n    image: redis:7.2\n",
}
_GUARD = """\
    ignore:
      - dependency-name: dotnet/*
        update-types:
          - version-update:semver-major
"""


def _entry(ecosystem: str, folder: str, *, guard: bool = True) -> str:
    text = (
        f"  - package-ecosystem: {ecosystem}\n    directory: {folder}\n"
        "    schedule:\n      interval: weekly\n"
    )
    return text + (_GUARD if guard else "")


_HEAD = "version: 2\nupdates:\n"
_NUGET = _entry("nuget", "/src/Api", guard=False)
_DOCKER, _COMPOSE = _entry("docker", "/src/Api"), _entry("docker-compose", "/")

NO_UPDATE_AUTOMATION = (
    Example(
        "nothing is there",
        _FILES,
        {".github/dependabot.yml": _HEAD + _DOCKER + _COMPOSE + _NUGET},
    ),
    Example(
        "what is missing is added",
        {**_FILES, ".github/dependabot.yml": f"# ours\n{_HEAD}{_NUGET}"},
        {".github/dependabot.yml": f"# ours\n{_HEAD}{_NUGET}{_DOCKER}{_COMPOSE}"},
    ),
    Example(
        "settings that can't be read",
        {**_FILES, ".github/dependabot.yml": "version: 2\n"},
        refused="its `updates:` can't be read",
    ),
    Example(
        "all is looked at, or was switched off",
        {
            **_FILES,
            ".github/dependabot.yml": _HEAD
            + _NUGET
            + _DOCKER
            + _COMPOSE.replace("    schedule", "    open-pull-requests-limit: 0\n    schedule"),
        },
        silent=True,
    ),
    Example("Renovate is used", {**_FILES, "renovate.json": "{}\n"}, silent=True),
)
