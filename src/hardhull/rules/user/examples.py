"""Examples of the rules about users: their tests and their documentation."""

from hardhull.model import Example, Level

_PROJECT = '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'
_CODE = "WebApplication.CreateBuilder(args).Build().Run();\n"
_PROGRAM = {"api/Api.csproj": _PROJECT, "api/Program.cs": _CODE}
_NET8 = (
    "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
    "WORKDIR /app\n"
    "COPY out .\n"
    'ENTRYPOINT ["dotnet", "Api.dll"]\n'
)
_NET8_AFTER = _NET8.replace("ENTRYPOINT", "USER $APP_UID\nENTRYPOINT")
_NET6 = (
    "FROM mcr.microsoft.com/dotnet/aspnet:6.0{variant}\n"
    "ENV ASPNETCORE_URLS=http://+:8080\n"
    "WORKDIR /app\n"
    "COPY out .\n"
    "{user}"
    'ENTRYPOINT ["dotnet", "Api.dll"]\n'
)

IMAGE_RUNS_AS_ROOT = (
    Example(
        ".NET 8 and later have a user at hand",
        {**_PROGRAM, "api/Dockerfile": _NET8},
        {"api/Dockerfile": _NET8_AFTER},
    ),
    Example(
        ".NET 6 on Debian: the user is made",
        {**_PROGRAM, "api/Dockerfile": _NET6.format(variant="", user="")},
        {
            "api/Dockerfile": _NET6.format(
                variant="",
                user=(
                    "RUN groupadd --gid 10001 nonroot && useradd --no-log-init --uid 10001 "
                    "--gid 10001 --create-home nonroot\nUSER 10001\n"
                ),
            )
        },
    ),
    Example(
        ".NET 6 on Alpine",
        {**_PROGRAM, "api/Dockerfile": _NET6.format(variant="-alpine", user="")},
        {
            "api/Dockerfile": _NET6.format(
                variant="-alpine",
                user=(
                    "RUN addgroup -g 10001 nonroot && adduser -D -u 10001 -G nonroot nonroot\n"
                    "USER 10001\n"
                ),
            )
        },
    ),
    Example(
        "an explicit USER root is overridden, to be looked at",
        {**_PROGRAM, "api/Dockerfile": _NET8.replace("ENTRYPOINT", "USER root\nENTRYPOINT")},
        {"api/Dockerfile": _NET8_AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a port below 1024 comes first",
        {**_PROGRAM, "api/Dockerfile": _NET6.replace(":8080", ":80").format(variant="", user="")},
        refused="privileged-port comes first",
    ),
    Example(
        "the entrypoint changes the user by itself",
        {**_PROGRAM, "api/Dockerfile": _NET8.replace('["dotnet"', '["gosu", "app", "dotnet"')},
        refused="changes the user by itself",
    ),
    Example(
        "the program writes beside itself",
        {
            "api/Api.csproj": _PROJECT,
            "api/Program.cs": 'File.WriteAllText("state.json", "{}");\n' + _CODE,
            "api/Dockerfile": _NET8,
        },
        refused="api/Program.cs:1 writes state.json",
    ),
    Example(
        "mounts below /root move along",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8,
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes:\n      - ./https:/root/.aspnet/https:ro\n"
            ),
        },
        {
            "api/Dockerfile": _NET8_AFTER,
            "compose.yaml": (
                "services:\n  api:\n    build: api\n"
                "    volumes:\n      - ./https:/home/app/.aspnet/https:ro\n"
            ),
        },
        level=Level.REVIEW,
    ),
    Example(
        "a named volume may hold files of root",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8,
            "compose.yaml": 'services:\n  api:\n    build: api\n    volumes: ["data:/data"]\n',
        },
        {"api/Dockerfile": _NET8_AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a folder of the host is mounted to be written, though no code is seen to",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8,
            "compose.yaml": "services:\n  api:\n    build: api\n    volumes: ['./data:/data']\n",
        },
        {"api/Dockerfile": _NET8_AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a single file of the host is read",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8,
            "compose.yaml": (
                "services:\n  api:\n    build: api\n    volumes: ['./a.json:/app/a.json']\n"
            ),
        },
        {"api/Dockerfile": _NET8_AFTER},
    ),
    Example(
        "a chiseled image is silent",
        {**_PROGRAM, "api/Dockerfile": _NET8.replace("8.0", "8.0-noble-chiseled")},
        silent=True,
    ),
    Example(
        "an unknown base image",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.replace(
                "mcr.microsoft.com/dotnet/aspnet:8.0", "acme.example/base:1"
            ),
        },
        reported=True,
    ),
)

_BY_NAME = (
    "FROM mcr.microsoft.com/dotnet/aspnet:8.0{variant}\n"
    "WORKDIR /app\n"
    "COPY out .\n"
    "{user}"
    'ENTRYPOINT ["dotnet", "Api.dll"]\n'
)
_CREATE = 'RUN adduser -u 5678 --disabled-password --gecos "" api && chown -R api /app\n'

IMAGE_USER_BY_NAME = (
    Example(
        "the user that .NET images bring",
        {**_PROGRAM, "api/Dockerfile": _BY_NAME.format(variant="", user="USER app\n")},
        {"api/Dockerfile": _BY_NAME.format(variant="", user="USER $APP_UID\n")},
    ),
    Example(
        "a user that the Dockerfile creates with a number; the group stays",
        {
            **_PROGRAM,
            "api/Dockerfile": _BY_NAME.format(variant="", user=_CREATE + "USER api:root\n"),
        },
        {"api/Dockerfile": _BY_NAME.format(variant="", user=_CREATE + "USER 5678:root\n")},
    ),
    Example(
        "the base image names its user",
        {
            **_PROGRAM,
            "api/Dockerfile": _BY_NAME.format(variant="-cbl-mariner2.0-distroless", user=""),
        },
        {
            "api/Dockerfile": _BY_NAME.format(
                variant="-cbl-mariner2.0-distroless", user="USER $APP_UID\n"
            )
        },
    ),
    Example(
        "a user without a number",
        {
            **_PROGRAM,
            "api/Dockerfile": _BY_NAME.format(variant="", user="RUN useradd api\nUSER api\n"),
        },
        refused="api is created without a number",
    ),
    Example(
        "a user that is created only sometimes",
        {
            **_PROGRAM,
            "api/Dockerfile": _BY_NAME.format(
                variant="", user="RUN id api || useradd -u 5678 api\nUSER api\n"
            ),
        },
        refused="created on a condition",
    ),
    Example(
        "a user from elsewhere",
        {**_PROGRAM, "api/Dockerfile": _BY_NAME.format(variant="", user="USER www-data\n")},
        refused="the number of www-data is not written",
    ),
    Example(
        "a variable names the user",
        {
            **_PROGRAM,
            "api/Dockerfile": _BY_NAME.format(variant="", user="ARG WHO=app\nUSER $WHO\n"),
        },
        refused="a variable names the user",
    ),
    Example(
        "a number is silent",
        {**_PROGRAM, "api/Dockerfile": _BY_NAME.format(variant="", user="USER $APP_UID\n")},
        silent=True,
    ),
)
