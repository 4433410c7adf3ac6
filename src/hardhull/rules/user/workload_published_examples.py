"""Examples of workload-may-run-as-root for images that the SDK publishes."""

from hardhull.model import Example
from hardhull.rules.privileges.examples import DOCKERFILE, POD
from hardhull.rules.publishing_examples import NAMED, project, props, published

_REQUIRED = {"k8s/api.yaml": POD + "      securityContext:\n        runAsNonRoot: true\n"}
_AS_ROOT = "    <ContainerUser>root</ContainerUser>\n"
_PUBLISHES = "jobs:\n  image:\n    steps:\n      - run: dotnet publish {}\n"
_ASSEMBLY = (
    "    <AssemblyName>Acme.Api</AssemblyName>\n"
    "    <EnableSdkContainerSupport>true</EnableSdkContainerSupport>\n"
)


def _fixed(title: str, files: dict[str, str], after: dict[str, str] | None = None) -> Example:
    return Example(title, files, after if after is not None else _REQUIRED)


def _refused(title: str, files: dict[str, str], reason: str) -> Example:
    return Example(title, files, refused=reason)


PUBLISHED_WORKLOADS = (
    _fixed("published by the SDK for .NET 8", published(project())),
    _fixed(
        "published by the SDK, the name in a workflow",
        published(
            project(""),
            **{
                ".github/workflows/ci__yml": _PUBLISHES.format(
                    "src/Api/Api.csproj -t:PublishContainer -p:ContainerRepository=api"
                )
            },
        ),
    ),
    _fixed(
        "published by the SDK under its default name",
        {
            **published(project(_ASSEMBLY, "net10.0", sdk=".Worker")),
            "k8s/api.yaml": POD.replace("acme.example/api", "acme.example/acme-api"),
        },
        {"k8s/api.yaml": _REQUIRED["k8s/api.yaml"].replace("example/api", "example/acme-api")},
    ),
    _fixed(
        "published by a publish profile",
        published(
            project(""),
            **{"src/Api/Properties/PublishProfiles/Registry__pubxml": props(NAMED)},
        ),
    ),
    _fixed(
        "published for several frameworks that all have a user",
        published(project(framework="net8.0;net9.0")),
    ),
    _fixed(
        "published for one of several frameworks",
        published(
            project(framework="net6.0;net8.0"),
            publish__sh="dotnet publish src/Api -f net8.0 -t:PublishContainer\n",
        ),
    ),
    _fixed(
        "Directory.Build.props says for which .NET it is published",
        published(
            project(framework=""),
            Directory__Build__props=props("    <TargetFramework>net8.0</TargetFramework>\n"),
        ),
    ),
    _fixed(
        "published with a user by name",
        published(project(NAMED + "    <ContainerUser>app</ContainerUser>\n")),
        {
            "k8s/api.yaml": POD
            + "          securityContext:\n            runAsUser: 1654\n"
            + "      securityContext:\n        runAsNonRoot: true\n"
        },
    ),
    _refused(
        "published for .NET 6",
        published(project(framework="net6.0")),
        "aspnet:6.0, which starts as root: it has no user for programs",
    ),
    _refused(
        "published for frameworks whose images differ",
        published(project(framework="net6.0;net8.0")),
        "may be published on aspnet:6.0 and aspnet:8.0, whose images differ",
    ),
    _refused(
        "published as root, as Directory.Build.props says",
        published(project(), Directory__Build__props=props(_AS_ROOT)),
        "published-as-root comes first",
    ),
    _refused(
        "published with a user that hangs on a condition",
        published(
            project(NAMED + "    <ContainerUser Condition=\"'$(A)' == ''\">app</ContainerUser>\n")
        ),
        "line 5 sets it under a condition",
    ),
    _refused(
        "published with a user that a script sets",
        published(project(), publish__sh="dotnet publish -p ContainerUser=root\n"),
        "publish.sh:1 sets ContainerUser",
    ),
    _refused(
        "published on a base image that is not known",
        published(
            project(NAMED + "    <ContainerBaseImage>acme.example/base:1</ContainerBaseImage>\n")
        ),
        "base:1 is not known; say what it is like under base-images",
    ),
    Example(
        "published under a name that hangs on a condition",
        published(project(NAMED.replace("Repository>a", "Repository Condition=\"'$(A)'\">a"))),
        silent=True,
    ),
    Example(
        "published with settings in a file that it imports",
        published(
            project().replace("</Project>", '  <Import Project="../image.props" />\n</Project>'),
            **{"src/image__props": props(_AS_ROOT)},
        ),
        silent=True,
    ),
    Example(
        "published under a name that another project has too",
        published(project(), **{"src/Web/Web__csproj": project()}),
        silent=True,
    ),
    Example(
        "published by the SDK, and built by a Dockerfile",
        published(project(), **{"src/Api/Dockerfile": DOCKERFILE}),
        silent=True,
    ),
)
