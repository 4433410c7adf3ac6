"""Examples of the rules about ports: their tests and their documentation."""

from hardhull.model import Example, Level

_PROGRAM = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}
_NET6 = """\
FROM mcr.microsoft.com/dotnet/aspnet:6.0 AS base
WORKDIR /app
EXPOSE {port}
{variable}
FROM base AS final
COPY out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
_URLS = "ENV ASPNETCORE_URLS=http://+:8080\n"
_COMPOSE = """\
services:
  api:
    build: api
    ports:
      - "5000:{port}"
  web:
    image: acme.example/web:1
    environment:
      - API=http://api{suffix}/v1
"""
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
            - {name}containerPort: {port}
          readinessProbe:
            httpGet: {{path: /ready, port: {port}}}
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
_NET8 = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
ENV ASPNETCORE_HTTP_PORTS={port}
EXPOSE {port}
COPY out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""

PRIVILEGED_PORT = (
    Example(
        "below .NET 8, run by Compose, with a caller",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET6.format(port=80, variable=""),
            "compose.yaml": _COMPOSE.format(port=80, suffix=""),
        },
        {
            "api/Dockerfile": _NET6.format(port=8080, variable=_URLS),
            "compose.yaml": _COMPOSE.format(port=8080, suffix=":8080"),
        },
    ),
    Example(
        "a Service without targetPort, a number in the manifest",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=80),
            "k8s/api.yaml": _MANIFEST.format(port=80, name="", target=""),
        },
        {
            "api/Dockerfile": _NET8.format(port=8080),
            "k8s/api.yaml": _MANIFEST.format(port=8080, name="", target="      targetPort: 8080\n"),
        },
        level=Level.REVIEW,
    ),
    Example(
        "a named container port: the Service uses the name",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=80),
            "k8s/api.yaml": _MANIFEST.format(
                port=80, name="name: http\n              ", target="      targetPort: 80\n"
            ),
        },
        {
            "api/Dockerfile": _NET8.format(port=8080),
            "k8s/api.yaml": _MANIFEST.format(
                port=8080, name="name: http\n              ", target="      targetPort: http\n"
            ),
        },
        level=Level.REVIEW,
    ),
    Example(
        "code binds the port",
        {
            **_PROGRAM,
            "api/Program.cs": "var app = WebApplication.CreateBuilder(args).Build();\n"
            'app.Run("http://*:80");\n',
            "api/Dockerfile": _NET8.format(port=80),
            "compose.yaml": _COMPOSE.format(port=80, suffix=""),
        },
        refused="api/Program.cs:2 binds 80",
    ),
    Example(
        "nothing here runs it",
        {**_PROGRAM, "api/Dockerfile": _NET8.format(port=80)},
        refused="no manifest or Compose file here runs it",
    ),
    Example(
        "a proxy's settings call it on the old port",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=80),
            "compose.yaml": _COMPOSE.format(port=80, suffix=""),
            "proxy/nginx.conf": "location / {\n  proxy_pass http://api/;\n}\n",
        },
        refused="proxy/nginx.conf:2 calls it on the old port",
    ),
    Example(
        "a headless Service",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=80),
            "k8s/api.yaml": _MANIFEST.format(port=80, name="", target="  clusterIP: None\n"),
        },
        refused="headless Service",
    ),
    Example(
        "a script publishes the port",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=80),
            "k8s/api.yaml": _MANIFEST.format(port=80, name="", target=""),
            "run.sh": "docker run -p 5000:80 acme.example/api:1\n",
        },
        refused="run.sh:1 publishes the old port",
    ),
    Example(
        "8080 already",
        {
            **_PROGRAM,
            "api/Dockerfile": _NET8.format(port=8080),
            "compose.yaml": _COMPOSE.format(port=8080, suffix=":8080"),
        },
        silent=True,
    ),
)
