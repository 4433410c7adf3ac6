"""Examples of privilege-escalation."""

from __future__ import annotations

from hardhull.model import Example, Level

_POD = """\
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
"""
_DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled
COPY out /app
ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
_COMPOSE = """\
services:
  api:
    build: api
"""
_PINGING = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
RUN apt-get install -y iputils-ping
COPY out /app
ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
_SUDO = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
COPY out start.sh /app/
ENTRYPOINT ["sh", "/app/start.sh"]
"""
_ON_WINDOWS = """\
services:
  cache:
    image: redis:nanoserver
  web:
    build:
      args:
        TOOLS: acme/tools-windows:2
"""
_BARE = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: acme.example/api:1
"""

EXAMPLES = (
    Example(
        "a Deployment",
        {"api/Dockerfile": _DOCKERFILE, "k8s/api.yaml": _POD},
        {
            "k8s/api.yaml": _POD
            + "          securityContext:\n            allowPrivilegeEscalation: false\n"
        },
    ),
    Example(
        "a Compose service",
        {"api/Dockerfile": _DOCKERFILE, "compose.yaml": _COMPOSE},
        {"compose.yaml": _COMPOSE + "    security_opt:\n      - no-new-privileges:true\n"},
    ),
    Example(
        "a privileged container",
        {
            "api/Dockerfile": _DOCKERFILE,
            "k8s/api.yaml": _POD + "          securityContext:\n            privileged: true\n",
        },
        refused="privileged-container comes first",
    ),
    Example(
        "the image can ping",
        {
            "api/Dockerfile": _PINGING,
            "compose.yaml": _COMPOSE,
        },
        {"compose.yaml": _COMPOSE + "    security_opt:\n      - no-new-privileges:true\n"},
        level=Level.REVIEW,
    ),
    Example(
        "the start-up uses sudo",
        {
            "api/Dockerfile": _SUDO,
            "api/start.sh": "#!/bin/sh\nsudo update-ca-certificates\nexec dotnet /app/Api.dll\n",
            "compose.yaml": _COMPOSE,
        },
        refused="uses sudo when it starts",
    ),
    Example(
        "a setuid program that was made on purpose",
        {
            "api/Dockerfile": _PINGING.replace(
                "apt-get install -y iputils-ping", "chmod u+s /app/mount-helper"
            ),
            "k8s/api.yaml": _POD,
        },
        refused="gives a program rights of its own (chmod u+s)",
    ),
    Example(
        "a container to debug in",
        {
            "api/Dockerfile": _DOCKERFILE,
            "compose.yaml": _COMPOSE + "    volumes:\n      - ~/vsdbg:/vsdbg:ro\n",
        },
        refused="a debugger is mounted",
    ),
    Example(
        "Windows containers too",
        {
            "api/Dockerfile": _DOCKERFILE,
            "docker-compose.yml": _COMPOSE + "  web:\n    image: acme.example/web:1\n",
            "docker-compose.windows.yml": _ON_WINDOWS,
        },
        refused="for Windows containers",
    ),
    Example(
        "a Compose file for Windows that stands by itself",
        {
            "api/Dockerfile": _DOCKERFILE,
            "docker-compose.yml": _COMPOSE,
            "docker-compose-windows.yml": _ON_WINDOWS.replace(
                "args:\n        TOOLS: acme/tools-windows:2\n", "context: win\n"
            ),
        },
        {"docker-compose.yml": _COMPOSE + "    security_opt:\n      - no-new-privileges:true\n"},
    ),
    Example(
        "a Pod, which can't be changed while it exists",
        {"api/Dockerfile": _DOCKERFILE, "k8s/api.yaml": _BARE},
        {
            "k8s/api.yaml": _BARE
            + "      securityContext:\n        allowPrivilegeEscalation: false\n"
        },
        level=Level.REVIEW,
    ),
    Example(
        "forbidden already",
        {
            "api/Dockerfile": _DOCKERFILE,
            "k8s/api.yaml": _POD + "          securityContext: {allowPrivilegeEscalation: false}\n",
        },
        silent=True,
    ),
)
