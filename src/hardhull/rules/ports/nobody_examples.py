"""Examples of port-nobody-listens-on: its tests and its documentation."""

from hardhull.model import Example, Level

_PROGRAM = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
{expose}COPY out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
_SILENT = _DOCKERFILE.format(expose="")
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels: {{app: api}}
  template:
    metadata:
      labels: {{app: api}}
    spec:
      containers:
        - name: api
          image: acme.example/api:1
          ports:
            - name: http
              containerPort: {port}
{more}          livenessProbe:
            tcpSocket: {{port: {probe}}}
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {{app: api}}
  ports:
    - port: 80
{target}"""
_MORE = "            - {name: admin, containerPort: 9000}\n"
_BARE = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
  labels: {app: api}
spec:
  containers:
    - name: api
      image: acme.example/api:1
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
_COMPOSE = """\
services:
  api:
    build: api
    ports:
      - "5000:{port}"
  web:
    image: acme.example/web:1
    environment:
      API: http://api{suffix}/v1
"""


def _manifest(port: int, target: str, more: str = "") -> str:
    return _MANIFEST.format(port=port, probe=port, target=target, more=more)


PORT_NOBODY_LISTENS_ON = (
    Example(
        "the Service uses the port's name",
        {
            **_PROGRAM,
            "api/Dockerfile": _SILENT,
            "api.yaml": _manifest(80, "      targetPort: http\n"),
        },
        {"api.yaml": _manifest(8080, "      targetPort: http\n")},
    ),
    Example(
        "a Service without targetPort, in front of a pod that declares no port",
        {**_PROGRAM, "api/Dockerfile": _SILENT, "api.yaml": _BARE},
        {"api.yaml": _BARE + "      targetPort: 8080\n"},
        level=Level.REVIEW,
    ),
    Example(
        "only the Service is wrong",
        {
            **_PROGRAM,
            "api/Dockerfile": _SILENT,
            "api.yaml": _manifest(8080, "      targetPort: 80\n"),
        },
        {"api.yaml": _manifest(8080, "      targetPort: http\n")},
    ),
    Example(
        "Compose, with a caller",
        {
            **_PROGRAM,
            "api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 80\nEXPOSE 443\n"),
            "compose.yaml": _COMPOSE.format(port=80, suffix=""),
        },
        {
            "api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 8080\nEXPOSE 443\n"),
            "compose.yaml": _COMPOSE.format(port=8080, suffix=":8080"),
        },
    ),
    Example(
        "EXPOSE alone",
        {**_PROGRAM, "api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 80/tcp\n")},
        {"api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 8080/tcp\n")},
    ),
    Example(
        "several ports are declared",
        {
            **_PROGRAM,
            "api/Dockerfile": _SILENT,
            "api.yaml": _manifest(80, "      targetPort: http\n", _MORE),
        },
        refused="which one is the HTTP port is not clear",
    ),
    Example(
        "the code is not here",
        {"api/Dockerfile": _SILENT, "api.yaml": _manifest(80, "      targetPort: http\n")},
        refused="the program's code is not here",
    ),
    Example(
        "a script tells the program where to listen",
        {
            **_PROGRAM,
            "api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 80\n"),
            "run.sh": "docker run -e ASPNETCORE_URLS=http://+:80 -p 80:80 acme.example/api\n",
        },
        refused="run.sh:1 may tell it to listen on 80",
    ),
    Example(
        "a port below 1024 is another rule's",
        {
            **_PROGRAM,
            "api/Dockerfile": _SILENT.replace("8.0", "6.0"),
            "compose.yaml": _COMPOSE.format(port=5000, suffix=""),
        },
        silent=True,
    ),
    Example(
        "right already, beside a port for something else",
        {
            **_PROGRAM,
            "api/Dockerfile": _DOCKERFILE.format(expose="EXPOSE 8080\nEXPOSE 8081\n"),
            "api.yaml": _manifest(8080, "      targetPort: 8080\n", _MORE),
        },
        silent=True,
    ),
)
