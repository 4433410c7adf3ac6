"""Examples of rules about ports for images that the SDK publishes."""

from hardhull.model import Example, Level
from hardhull.rules.publishing_examples import NAMED, project, props, published

_PORT = '    <ContainerPort Include="{}" Type="tcp" />\n'
_VARIABLE = '    <ContainerEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="{}" />\n'
_URLS = '    <ContainerEnvironmentVariable Include="ASPNETCORE_URLS" Value="http://+:{}" />\n'
_LABEL = '    <ContainerLabel Include="team" Value="shop" />\n'
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
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector: {{app: api}}
  ports:
    - port: 80
      targetPort: http
"""
_COMPOSE = """\
services:
  api:
    image: api
    ports:
      - "5000:{port}"
  web:
    image: acme.example/web:1
    environment:
      API: http://api{suffix}
"""
_BOTH = _PORT + _VARIABLE


def _both(port: int) -> str:
    return project(items=_BOTH.format(port, port))


def _at(port: int) -> str:
    return _MANIFEST.format(port=port)


def _composed(port: int, suffix: str) -> str:
    return _COMPOSE.format(port=port, suffix=suffix)


def _refused(title: str, files: dict[str, str], reason: str) -> Example:
    return Example(title, files, refused=reason)


PUBLISHED_PORTS = (
    Example(
        "published by the SDK: project, manifest, service and Compose",
        published(_both(80), _at(80), compose__yaml=_composed(80, "")),
        {
            "src/Api/Api.csproj": _both(8080),
            "k8s/api.yaml": _at(8080),
            "compose.yaml": _composed(8080, ":8080"),
        },
        level=Level.REVIEW,
    ),
    Example(
        "published for .NET 6, whose base image says 80",
        published(project(framework="net6.0", items=_LABEL), _at(80)),
        {
            "src/Api/Api.csproj": project(framework="net6.0", items=_LABEL + _URLS.format(8080)),
            "k8s/api.yaml": _at(8080),
        },
        level=Level.REVIEW,
    ),
    Example(
        "published, and the manifest decides",
        published(
            project(),
            _at(80).replace(
                "          ports:",
                "          env:\n            - {name: ASPNETCORE_HTTP_PORTS, value: '80'}\n"
                "          ports:",
            ),
        ),
        {
            "k8s/api.yaml": _at(8080).replace(
                "          ports:",
                "          env:\n            - {name: ASPNETCORE_HTTP_PORTS, value: '8080'}\n"
                "          ports:",
            ),
        },
    ),
    _refused(
        "published for .NET 6, and nothing of its image is written",
        published(project(framework="net6.0"), _at(80)),
        "has no ItemGroup about its image",
    ),
    _refused(
        "published with a port for all projects",
        published(
            project(),
            _at(80),
            **{
                "src/Web/Web__csproj": project(""),
                "src/Directory__Build__props": (
                    f"<Project>\n  <ItemGroup>\n{_VARIABLE.format(80)}  </ItemGroup>\n</Project>\n"
                ),
            },
        ),
        "it sets the port for other projects too",
    ),
    _refused(
        "published with a port that hangs on a condition",
        published(
            project(
                items=_VARIABLE.format(80)
                + _PORT.format(80).replace(" Type", " Condition=\"'$(A)'\" Type")
            ),
            _at(80),
        ),
        "sets it under a condition",
    ),
    _refused(
        "published with a port in a profile",
        published(
            _both(80),
            _at(80),
            **{
                "src/Api/Properties/PublishProfiles/Old__pubxml": (
                    f"<Project>\n  <ItemGroup>\n{_PORT.format(80)}  </ItemGroup>\n</Project>\n"
                )
            },
        ),
        "sets ContainerPort for a publish profile",
    ),
    _refused(
        "published, and the code binds it",
        published(_both(80), _at(80))
        | {"src/Api/Program.cs": 'builder.WebHost.UseUrls("http://*:80");\n'},
        "Program.cs:1 binds 80",
    ),
)
PUBLISHED_NOBODY = (
    Example(
        "published for .NET 8, and 80 is declared",
        published(project(items=_PORT.format(80)), _at(80)),
        {"src/Api/Api.csproj": project(items=_PORT.format(8080)), "k8s/api.yaml": _at(8080)},
    ),
    Example("published for .NET 8 on 8080", published(project(), _at(8080)), silent=True),
    Example(
        "published by frameworks that listen on different ports",
        published(project(framework="net6.0;net8.0"), _at(80)),
        silent=True,
    ),
    Example(
        "published on a port in a file for all, which is not certain",
        published(
            project(),
            _at(80),
            Directory__Build__props=props(
                "    <ContainerFamily Condition=\"'$(A)'\">alpine</ContainerFamily>\n" + NAMED
            ),
        ),
        silent=True,
    ),
)
