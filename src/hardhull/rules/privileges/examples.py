"""Files that the examples of several rules about privileges share."""

POD = """\
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
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {app: api}
  ports:
    - port: 80
      targetPort: 8080
"""
DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled
COPY out /app
ENTRYPOINT ["dotnet", "/app/Api.dll"]
"""
AS_ROOT = DOCKERFILE.replace("8.0-noble-chiseled", "8.0")
COMPOSE = """\
services:
  api:
    build: api
"""
PROGRAM = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}


def in_pod(manifest: str, dockerfile: str = DOCKERFILE) -> dict[str, str]:
    """One image and the manifest that runs it."""
    return {**PROGRAM, "api/Dockerfile": dockerfile, "k8s/api.yaml": manifest}


def in_compose(compose: str, dockerfile: str = DOCKERFILE) -> dict[str, str]:
    """One image and the Compose file that builds and runs it."""
    return {**PROGRAM, "api/Dockerfile": dockerfile, "compose.yaml": compose}
