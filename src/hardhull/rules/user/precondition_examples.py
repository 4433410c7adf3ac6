"""One example for each precondition of image-runs-as-root that refuses or asks for a look."""

from hardhull.model import Example, Level

_PROJECT = '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'
_CODE = "WebApplication.CreateBuilder(args).Build().Run();\n"
_PROGRAM = {"api/Api.csproj": _PROJECT, "api/Program.cs": _CODE}
_START = 'ENTRYPOINT ["dotnet", "Api.dll"]\n'
_BASE = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nWORKDIR /app\nCOPY out .\n"
_DOCKERFILE = _BASE + _START
_AFTER = _BASE + "USER $APP_UID\n" + _START
_SCRIPT = _BASE + 'COPY start.sh /\nENTRYPOINT ["/start.sh"]\n'
_POD = (
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: api\nspec:\n  containers:\n"
    "    - name: api\n      image: acme/api:1\n"
)


def _with(dockerfile: str, **others: str) -> dict[str, str]:
    return {**_PROGRAM, "api/Dockerfile": dockerfile, **others}


def _composed(lines: str) -> dict[str, str]:
    compose = f"services:\n  api:\n    build: api\n{lines}"
    return {**_with(_DOCKERFILE), "compose.yaml": compose}


STARTS = (
    Example(
        "it builds when it starts",
        _with(_BASE + 'ENTRYPOINT ["dotnet", "watch", "run"]\n'),
        refused="it builds when it starts",
    ),
    Example(
        "its start command needs root",
        _with(_BASE + "CMD update-ca-certificates && dotnet Api.dll\n"),
        refused="its start command does what only root can",
    ),
    Example(
        "a start script writes where root owns",
        {**_with(_SCRIPT), "api/start.sh": "#!/bin/sh\nsed -i s/a/b/ app.js\ndotnet Api.dll\n"},
        refused="api/start.sh:2 does what only root can",
    ),
    Example(
        "a start script speaks of what it does not do",
        {
            **_with(_SCRIPT),
            "api/start.sh": (
                '#!/bin/sh\necho "Please mount a volume at $DATA and chown it" >&2\n'
                "echo 'apt-get update: no'\ndotnet Api.dll\n"
            ),
        },
        {"api/Dockerfile": _SCRIPT.replace("ENTRYPOINT", "USER $APP_UID\nENTRYPOINT")},
    ),
    Example(
        "a start script says something while it does it",
        {
            **_with(_SCRIPT),
            "api/start.sh": '#!/bin/sh\necho "owner: $(chown app /data)"\ndotnet Api.dll\n',
        },
        refused="api/start.sh:2 does what only root can",
    ),
    Example(
        "a start script that is not here",
        _with(_SCRIPT),
        {"api/Dockerfile": _SCRIPT.replace("ENTRYPOINT", "USER $APP_UID\nENTRYPOINT")},
        level=Level.REVIEW,
    ),
    Example(
        "a container's command needs root",
        _composed('    command: sh -c "chown -R app /data && dotnet Api.dll"\n'),
        refused="its command does what only root can",
    ),
)

FILES = (
    Example(
        "only root may read the program",
        _with(_BASE + "RUN chmod -R 700 /app\n" + _START),
        refused="takes the right to read from others than root",
    ),
    Example(
        "only root may start the program",
        _with(_BASE + 'RUN chmod u+x Api\nENTRYPOINT ["./Api"]\n'),
        refused="lets only root start what the image starts",
    ),
    Example(
        "it works below root's home",
        _with(_DOCKERFILE.replace("/app", "/root/app")),
        refused="WORKDIR uses a path below /root",
    ),
    Example(
        "programs are looked for in root's home",
        _with(
            'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nENV PATH="$PATH:/root/.dotnet/tools"\n'
            + _START
        ),
        refused="ENV looks for programs below /root",
    ),
    Example(
        "directories were made ready for somebody else",
        _with(_BASE + "RUN chown -R 1000 /app/data\n" + _START),
        {"api/Dockerfile": _BASE + "RUN chown -R 1000 /app/data\nUSER $APP_UID\n" + _START},
        level=Level.REVIEW,
    ),
    Example(
        "a volume of the image belongs to root",
        _with(_BASE + "VOLUME /data\n" + _START),
        {"api/Dockerfile": _BASE + "VOLUME /data\nUSER $APP_UID\n" + _START},
        level=Level.REVIEW,
    ),
    Example(
        "what the program writes was given to it",
        {
            **_with(_BASE + "RUN mkdir data && chown app data\n" + _START),
            "api/Program.cs": 'File.WriteAllText("data/a.json", "{}");\n' + _CODE,
        },
        {"api/Dockerfile": _BASE + "RUN mkdir data && chown app data\nUSER $APP_UID\n" + _START},
    ),
    Example(
        "only the contents of a folder of root's were given",
        {
            **_with(_BASE.replace("COPY", "COPY --chown=$APP_UID") + _START),
            "api/Program.cs": 'File.WriteAllText("a.json", "{}");\n' + _CODE,
        },
        {
            "api/Dockerfile": _BASE.replace("COPY", "COPY --chown=$APP_UID")
            + "USER $APP_UID\n"
            + _START
        },
        level=Level.REVIEW,
    ),
    Example(
        "only the contents of a folder that root made were given",
        {
            **_with(_BASE + "RUN mkdir -p data\nCOPY --chown=app seed data/\n" + _START),
            "api/Program.cs": 'File.WriteAllText("data/a.json", "{}");\n' + _CODE,
        },
        {
            "api/Dockerfile": _BASE
            + "RUN mkdir -p data\nCOPY --chown=app seed data/\nUSER $APP_UID\n"
            + _START
        },
        level=Level.REVIEW,
    ),
    Example(
        "a folder that came to be with its contents",
        {
            **_with(
                _BASE.replace("WORKDIR /app\nCOPY out .", "COPY --chown=app out /app\nWORKDIR /app")
                + _START
            ),
            "api/Program.cs": 'File.WriteAllText("a.json", "{}");\n' + _CODE,
        },
        {
            "api/Dockerfile": _BASE.replace(
                "WORKDIR /app\nCOPY out .", "COPY --chown=app out /app\nWORKDIR /app"
            )
            + "USER $APP_UID\n"
            + _START
        },
    ),
    Example(
        "a variable names the file, in a folder that only root may write",
        {
            **_composed("    volumes:\n      - /etc/localtime:/etc/localtime\n"),
            "api/nlog.config": (
                "<nlog><targets>\n"
                '<target type="File" fileName="logs/${shortdate}/a.log" />\n'
                "</targets></nlog>\n"
            ),
        },
        refused="api/nlog.config:2 writes logs/${shortdate}/a.log",
    ),
    Example(
        "the code is not here",
        {"api/Dockerfile": _DOCKERFILE},
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
)

IMAGES = (
    Example(
        "images made from it run its instructions",
        _with(_BASE + "ONBUILD RUN apt-get update\n" + _START),
        refused="run its ONBUILD instructions as its user",
    ),
    Example(
        "another Dockerfile builds on the image",
        {
            **_composed("    image: acme/api\n"),
            "other/Dockerfile": "FROM acme/api\nRUN apt-get update\n",
        },
        refused="it is the base image of another Dockerfile",
    ),
    Example(
        "another stage builds on the image",
        {
            **_with(
                _DOCKERFILE.replace("8.0", "8.0 AS api", 1)
                + "FROM api AS extended\nRUN apt-get update\n"
            ),
            "compose.yaml": "services:\n  api:\n    build:\n      context: api\n      target: api\n",
        },
        {
            "api/Dockerfile": _DOCKERFILE.replace("8.0", "8.0 AS api", 1)
            + "FROM api AS extended\nRUN apt-get update\nUSER $APP_UID\n"
        },
        refused="stage extended goes on from it and runs commands",
    ),
    Example(
        "the variable of the base was taken over",
        _with(_BASE + "ENV APP_UID=0\n" + _START),
        {"api/Dockerfile": _BASE + "ENV APP_UID=0\nUSER 1654\n" + _START},
    ),
    Example(
        "a variable that nobody sets leaves root",
        _with(_BASE + "USER $RUNNER\n" + _START),
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "the build passes the user",
        _with(_BASE + "ARG RUNNER\nUSER $RUNNER\n" + _START),
        reported=True,
    ),
    Example(
        "a user that the Dockerfile makes and forgot",
        _with(_BASE + "RUN useradd -u 4100 -G users web\n" + _START),
        {"api/Dockerfile": _BASE + "RUN useradd -u 4100 -G users web\nUSER 4100\n" + _START},
    ),
    Example(
        "a shell that makes no users",
        _with('FROM debian:12\nSHELL ["pwsh", "-Command"]\nWORKDIR /app\nCOPY out .\n' + _START),
        refused="SHELL is not one that makes users",
    ),
    Example(
        "a distribution that starts as root",
        _with("FROM debian:12\nWORKDIR /app\nCOPY out .\n" + _START),
        {
            "api/Dockerfile": (
                "FROM debian:12\nWORKDIR /app\nCOPY out .\n"
                "RUN groupadd --gid 10001 nonroot && useradd --no-log-init --uid 10001 "
                "--gid 10001 --create-home nonroot\nUSER 10001\n"
            )
            + _START
        },
    ),
)

CONTAINERS = (
    Example(
        "the Docker socket",
        _composed("    volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n"),
        refused="it is given the Docker socket",
    ),
    Example(
        "a capability that root uses",
        _composed("    cap_add: [SYS_TIME]\n"),
        refused="it is given the capability SYS_TIME",
    ),
    Example(
        "files that only root may read",
        {
            **_with(_DOCKERFILE),
            "api/k8s/pod.yaml": _POD
            + "      volumeMounts:\n        - name: key\n          mountPath: /keys\n"
            "  volumes:\n    - name: key\n      secret:\n        secretName: key\n"
            "        defaultMode: 0400\n",
        },
        refused="it is given files that only root may read",
    ),
    Example(
        "an init container needs root",
        {
            **_with(_DOCKERFILE),
            "api/k8s/pod.yaml": _POD
            + "  initContainers:\n    - name: own\n      image: acme/api:1\n"
            '      command: ["chown", "-R", "1654", "/data"]\n',
        },
        refused="an init container of the same image needs root",
    ),
    Example(
        "a device of the host",
        _composed("    devices:\n      - /dev/ttyUSB0:/dev/ttyUSB0\n"),
        refused="it is given a device of the host",
    ),
    Example(
        "a device of the host, and a group",
        _composed("    devices: ['/dev/dri/renderD128']\n    group_add: ['109']\n"),
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a key that is a file of the host",
        _composed("    volumes:\n      - ./api.pfx:/https/api.pfx:ro\n"),
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a secret that is a file of the host",
        _composed("    secrets: [password]\nsecrets:\n  password:\n    file: ./password.txt\n"),
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a secret that Compose writes itself",
        _composed("    secrets: [password]\nsecrets:\n  password:\n    environment: PASSWORD\n"),
        {"api/Dockerfile": _AFTER},
    ),
    Example(
        "a Compose file pulls the image and mounts what the host has",
        {
            **_with(_DOCKERFILE),
            "deploy/compose.yaml": (
                "services:\n  web:\n    image: acme.example/api:latest\n"
                "    volumes:\n      - ./data:/data\n"
            ),
        },
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a Compose file builds what a variable names",
        {
            **_with(_DOCKERFILE),
            "compose.yaml": (
                "services:\n  api:\n    build:\n      context: .\n"
                "      dockerfile: ${API_DOCKERFILE}\n"
                "    environment:\n      - ASPNETCORE_URLS=http://*:${API_PORT}\n"
            ),
        },
        {"api/Dockerfile": _AFTER},
        level=Level.REVIEW,
    ),
    Example(
        "a Compose file builds what a variable names, elsewhere",
        {
            **_with(_DOCKERFILE),
            "web/compose.yaml": "services:\n  web:\n    build: ./${FOLDER}\n",
        },
        {"api/Dockerfile": _AFTER},
    ),
    Example(
        "a service that stays root keeps its mounts",
        _composed("    user: root\n    volumes:\n      - ./https:/root/.aspnet/https:ro\n"),
        {"api/Dockerfile": _AFTER},
    ),
)

PRECONDITIONS = (*STARTS, *FILES, *IMAGES, *CONTAINERS)
