"""Examples of image-runs-as-root that look at more than the Dockerfile: code, Windows, Studio."""

from hardhull.model import Example, Level

_PROJECT = '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'
_CODE = "WebApplication.CreateBuilder(args).Build().Run();\n"
_START = 'ENTRYPOINT ["dotnet", "Api.dll"]\n'
_BASE = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nWORKDIR /app\nCOPY out .\n"
_AFTER = _BASE + "USER $APP_UID\n" + _START
_SIX = _BASE.replace("8.0\n", "6.0\nENV ASPNETCORE_URLS=http://+:8080\n")
_STAGED = (
    "FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\nWORKDIR /app\n"
    "FROM base AS final\nCOPY out .\n{user}" + _START
)


def _with(dockerfile: str, code: str = _CODE, **others: str) -> dict[str, str]:
    program = {"api/Api.csproj": _PROJECT, "api/Program.cs": code}
    return {**program, "api/Dockerfile": dockerfile, **others}


_CODE_NEEDS_ROOT = (
    Example(
        "the signing key for development is written beside the program",
        _with(
            _BASE + _START,
            "builder.Services.AddIdentityServer().AddDeveloperSigningCredential();\n",
        ),
        refused="api/Program.cs:1 writes tempkey.jwk",
    ),
    Example(
        "the signing key for development is kept in memory",
        _with(
            _BASE + _START,
            "services.AddIdentityServer().AddDeveloperSigningCredential(persistKey: false);\n",
        ),
        {"api/Dockerfile": _AFTER},
    ),
    Example(
        "the program pings",
        _with(
            _BASE + _START,
            "using System.Net.NetworkInformation;\nusing var ping = new Ping();\n" + _CODE,
        ),
        refused="api/Program.cs:2 opens a raw socket (new Ping), which on Linux needs root or "
        "CAP_NET_RAW",
    ),
    Example(
        "a message that is called Ping",
        _with(_BASE + _START, "await mediator.Send(new Ping());\n" + _CODE),
        {"api/Dockerfile": _AFTER},
    ),
    Example(
        "the program calls the methods of File by their bare names",
        _with(
            _BASE + _START,
            'using static System.IO.File;\nWriteAllText("state.json", "{}");\n' + _CODE,
        ),
        refused="api/Program.cs:2 writes state.json",
    ),
)

_CONTAINERS = (
    Example(
        "files for debugging in Visual Studio stay as they are",
        {
            **_with(_STAGED.format(user="")),
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes:\n      - ./https:/root/.aspnet/https:ro\n"
            ),
            "compose.vs.debug.yaml": (
                "services:\n  api:\n    build:\n      target: base\n    volumes:\n"
                "      - ~/.nuget/packages:/root/.nuget/packages:ro\n"
            ),
        },
        {
            "api/Dockerfile": _STAGED.format(user="USER $APP_UID\n"),
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes:\n      - ./https:/home/app/.aspnet/https:ro\n"
            ),
        },
        level=Level.REVIEW,
    ),
    Example(
        "Windows builds the same Dockerfile",
        {
            **_with(_SIX + _START),
            "compose.yaml": "services:\n  api:\n    build: api\n",
            "compose.windows.yaml": (
                "services:\n  api:\n    build: api\n  cache:\n    image: redis:nanoserver\n"
            ),
        },
        refused="compose.windows.yaml builds it for Windows containers too, where RUN groupadd",
    ),
    Example(
        "a Compose file for Windows is laid over the one that builds it",
        {
            **_with(_SIX + _START),
            "compose.yaml": "services:\n  api:\n    build: api\n  cache:\n    image: redis\n",
            "compose.windows.yaml": (
                "services:\n  api:\n    environment:\n      CACHE: cache\n"
                "  cache:\n    image: redis:nanoserver\n"
            ),
        },
        refused="compose.windows.yaml builds it for Windows containers too",
    ),
    Example(
        "a mounted certificate is installed when the container starts",
        {
            **_with(_BASE + _START),
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes: ['./ca.crt:/usr/local/share/ca-certificates/ca.crt:ro']\n"
                "    entrypoint: ./trust.sh\n"
            ),
            "trust.sh": "#!/bin/sh\nupdate-ca-certificates && exec dotnet Api.dll\n",
        },
        refused="a certificate is mounted for update-ca-certificates, which only root can run",
    ),
    Example(
        "a mounted certificate that nobody is seen to install",
        {
            **_with(_BASE + _START),
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes: ['./ca.crt:/usr/local/share/ca-certificates/ca.crt:ro']\n"
            ),
        },
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "only a Compose file says what the image starts",
        {
            **_with(_BASE),
            "compose.yaml": ("services:\n  api:\n    build: api\n    command: dotnet Api.dll\n"),
        },
        reported=True,
    ),
    Example(
        "an image that nothing starts is a base of others",
        {**_with(_BASE), "compose.yaml": "services:\n  api:\n    build: api\n"},
        silent=True,
    ),
)

_NUMBER = (
    Example(
        "the user's number comes from an argument of the build",
        _with(_BASE + "ARG UID=1000\nRUN useradd --uid ${UID} web\n" + _START),
        refused="comes from the argument UID (api/Dockerfile:4: 1000 unless the build sets another)",
    ),
)

MORE = (*_CODE_NEEDS_ROOT, *_CONTAINERS, *_NUMBER)

BY_NAME = (
    Example(
        "the number of a named user comes from an argument",
        _with(_BASE + "ARG UID=1000\nRUN useradd -u $UID web\nUSER web\n" + _START),
        refused="comes from the argument UID (api/Dockerfile:4: 1000 unless the build sets another)",
    ),
)
