"""Examples of published-as-root: its tests and its documentation."""

from hardhull.model import Example, Level
from hardhull.rules.privileges.examples import POD
from hardhull.rules.publishing_examples import NAMED, project, published

_ROOT = "    <ContainerUser>root</ContainerUser>\n"
_VOLUME = POD + (
    "          volumeMounts:\n            - {name: data, mountPath: /data}\n"
    "      volumes:\n        - name: data\n          persistentVolumeClaim: {claimName: data}\n"
)
_COMMAND = "      - run: dotnet publish -t:PublishContainer -p:ContainerUser=0\n"


def _project(properties: str, framework: str = "net8.0", items: str = "") -> str:
    """A project with these properties and items."""
    group = f"  <ItemGroup>\n{items}  </ItemGroup>\n" if items else ""
    return (
        '<Project Sdk="Microsoft.NET.Sdk.Web">\n'
        "  <PropertyGroup>\n"
        f"    <TargetFramework>{framework}</TargetFramework>\n"
        f"{properties}"
        "    <Nullable>enable</Nullable>\n"
        "  </PropertyGroup>\n"
        f"{group}"
        "</Project>\n"
    )


def _refused(title: str, reason: str, *given: str, **more: str) -> Example:
    """A project whose ContainerUser stays, for one reason."""
    files = {"Api.csproj": _project(*given)} | {
        name.replace("__", "."): text for name, text in more.items()
    }
    return Example(title, files, refused=reason)


PUBLISHED_AS_ROOT = (
    Example(
        "the property goes, comments stay",
        {
            "src/Api/Api.csproj": _project(
                "    <!-- the image -->\n"
                "    <ContainerRepository>api</ContainerRepository>\n" + _ROOT,
                "net10.0",
                '    <ContainerPort Include="8080" Type="tcp" />\n',
            )
        },
        {
            "src/Api/Api.csproj": _project(
                "    <!-- the image -->\n    <ContainerRepository>api</ContainerRepository>\n",
                "net10.0",
                '    <ContainerPort Include="8080" Type="tcp" />\n',
            )
        },
        level=Level.REVIEW,
    ),
    Example(
        "as a number, on a base image that has a user",
        {
            "Api.csproj": _project(
                "    <ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:8.0</ContainerBaseImage>\n"
                "    <ContainerUser>0:0</ContainerUser>\n"
            )
        },
        {
            "Api.csproj": _project(
                "    <ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:8.0</ContainerBaseImage>\n"
            )
        },
        level=Level.REVIEW,
    ),
    Example(
        "for all projects",
        {
            "Directory.Build.props": f"<Project>\n  <PropertyGroup>\n{_ROOT}  </PropertyGroup>\n</Project>\n",
            "src/Api/Api.csproj": _project(""),
        },
        {"Directory.Build.props": "<Project>\n  <PropertyGroup>\n  </PropertyGroup>\n</Project>\n"},
        level=Level.REVIEW,
    ),
    Example(
        "whose image a manifest runs",
        published(project(NAMED + _ROOT), _VOLUME),
        {"src/Api/Api.csproj": project()},
        level=Level.REVIEW,
    ),
    Example(
        "whose image a manifest runs on port 80",
        published(
            project(NAMED + _ROOT),
            POD + "          env:\n            - {name: ASPNETCORE_HTTP_PORTS, value: '80'}\n",
        ),
        refused="k8s/api.yaml:16 sets ASPNETCORE_HTTP_PORTS: port 80 may need root",
    ),
    Example(
        "whose image a manifest gives something below /root",
        published(project(NAMED + _ROOT), _VOLUME.replace("/data", "/root/keys")),
        refused="something is mounted below /root",
    ),
    Example("another user", {"Api.csproj": _project("    <ContainerUser>app</ContainerUser>\n")}, silent=True),
    _refused(".NET before 8", "Api.csproj is for net7.0", _ROOT, "net7.0"),
    _refused("several frameworks", "Api.csproj is for net6.0", _ROOT, "net8.0;net6.0"),
    _refused(
        "a port below 1024",
        "Api.csproj:8 sets port 80",
        _ROOT, "net8.0", '    <ContainerPort Include="80" Type="tcp" />\n',
    ),
    _refused(
        "a variable that listens below 1024",
        "Api.csproj:8 sets port 80",
        _ROOT,
        "net8.0",
        '    <ContainerEnvironmentVariable Include="ASPNETCORE_URLS" Value="http://+:80" />\n',
    ),
    _refused(
        "a path of root's",
        "Api.csproj:8 names a path below /root",
        _ROOT,
        "net8.0",
        '    <ContainerEnvironmentVariable Include="KEYS" Value="/root/keys" />\n',
    ),
    _refused(
        "a base image that is not known",
        "Api.csproj:4: the base image is not known to have a user",
        "    <ContainerBaseImage>acme.azurecr.io/base:3</ContainerBaseImage>\n" + _ROOT,
    ),
    _refused(
        "a condition",
        "line 4 sets it under a condition",
        "    <ContainerUser Condition=\"'$(Old)' == '1'\">root</ContainerUser>\n",
    ),
    _refused(
        "set in two places",
        "Directory.Build.props:3 sets ContainerUser too",
        _ROOT,
        Directory__Build__props=(
            "<Project>\n  <PropertyGroup>\n    <ContainerUser>0</ContainerUser>\n"
            "  </PropertyGroup>\n</Project>\n"
        ),
    ),
    _refused("a script sets it", "publish.sh:1 sets ContainerUser too", _ROOT, publish__sh=_COMMAND),
    _refused(
        "the code listens below 1024",
        "Program.cs:1 listens on port 80",
        _ROOT,
        Program__cs='builder.WebHost.UseUrls("http://*:80");\n',
    ),
)  # fmt: skip
