"""Examples of rules about images in projects that the SDK publishes: tests and documentation."""

from hardhull.model import Example

_OLD = "sha256:" + "0" * 64
_NEW = "sha256:" + "f" * 64
_ASPNET = "mcr.microsoft.com/dotnet/aspnet:10.0"
_NINE = "mcr.microsoft.com/dotnet/aspnet:9.0"
_SDK = '{\n  "sdk": {\n    // built with\n    "version": "9.0.203"\n  }\n}\n'
_SEEN = "2026-11-20T08:00:00+00:00"


def _project(image: str, framework: str = "net10.0", attribute: str = "") -> str:
    """A project that says which image it is put on."""
    return (
        '<Project Sdk="Microsoft.NET.Sdk.Web">\n'
        "  <PropertyGroup>\n"
        f"    <TargetFramework>{framework}</TargetFramework>\n"
        "    <!-- published by the SDK -->\n"
        f"    <ContainerBaseImage{attribute}>{image}</ContainerBaseImage>\n"
        "  </PropertyGroup>\n"
        "</Project>\n"
    )


def _recorded(digest: str, version: str, day: str) -> dict[str, object]:
    return {
        "digest": digest,
        "config": {
            "Env": ["PATH=/usr/bin", "APP_UID=1654", f"ASPNET_VERSION={version}"],
            "created": f"2026-{day}T03:00:00Z",
        },
        "platforms": ["linux/amd64"],
        "single": False,
        "recorded": _SEEN,
    }


UNPINNED_IN_PROJECT = (
    Example(
        "a project that only SDKs build which heed a digest",
        {"src/Api/Api.csproj": _project(_ASPNET)},
        {"src/Api/Api.csproj": _project(f"{_ASPNET}@{_NEW}")},
        digests={_ASPNET: _NEW},
    ),
    Example(
        "a global.json at the root asks for such an SDK",
        {"global.json": _SDK, "src/Api/Api.csproj": _project(_NINE, "net9.0")},
        {"src/Api/Api.csproj": _project(f"{_NINE}@{_NEW}", "net9.0")},
        digests={_NINE: _NEW},
    ),
    Example(
        "for all projects, and in a publish profile",
        {
            "Directory.Build.props": _project(_ASPNET),
            "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "src/Api/Properties/PublishProfiles/container.pubxml": _project(_ASPNET),
            "tests/Api.Tests/Api.Tests.csproj": (
                "<Project>\n<PropertyGroup><TargetFramework>net8.0</TargetFramework>"
                "</PropertyGroup>\n</Project>\n"
            ),
        },
        {
            "Directory.Build.props": _project(f"{_ASPNET}@{_NEW}"),
            "src/Api/Properties/PublishProfiles/container.pubxml": _project(f"{_ASPNET}@{_NEW}"),
        },
        digests={_ASPNET: _NEW},
    ),
    Example(
        "an SDK that may silently ignore the digest",
        {"src/Api/Api.csproj": _project(_NINE, "net9.0")},
        refused="it may be built by a .NET SDK before 9.0.200",
        digests={_NINE: _NEW},
    ),
    Example(
        "another global.json on the way asks for an older one",
        {
            "global.json": _SDK,
            "src/global.json": '{"sdk": {"version": "8.0.400"}}',
            "src/Api/Api.csproj": _project(_NINE, "net9.0"),
        },
        refused="silently ignores a digest",
        digests={_NINE: _NEW},
    ),
    Example(
        "a condition",
        {"Api.csproj": _project(_ASPNET, attribute=" Condition=\"'$(Arm)' == ''\"")},
        refused="line 5 sets it under a condition",
        digests={_ASPNET: _NEW},
    ),
    Example(
        "put together of properties",
        {"Api.csproj": _project("mcr.microsoft.com/dotnet/aspnet:$(Version)")},
        refused="line 5 puts it together of properties",
    ),
    Example(
        "projects that are not seen to import it",
        {"build/images.props": _project(_ASPNET)},
        refused="not seen which projects import images.props",
        digests={_ASPNET: _NEW},
    ),
    Example(
        "a workflow sets another image",
        {
            "Api.csproj": _project(_ASPNET),
            ".github/workflows/ci.yml": (
                "on: push\n"
                "jobs:\n"
                "  publish:\n"
                "    runs-on: ubuntu-latest\n"
                "    steps:\n"
                "      - run: dotnet publish -t:PublishContainer -p:ContainerBaseImage=acme/base:1\n"
            ),
        },
        reported=True,
        digests={_ASPNET: _NEW},
    ),
)
RENAMED_IN_PROJECT = (
    Example(
        "the base image of a project",
        {"Api.csproj": _project("mcr.microsoft.com/dotnet/core/aspnet:3.1", "netcoreapp3.1")},
        {"Api.csproj": _project("mcr.microsoft.com/dotnet/aspnet:3.1", "netcoreapp3.1")},
    ),
)
STALE_IN_PROJECT = (
    Example(
        "the base image of a project",
        {"Api.csproj": _project(f"{_ASPNET}@{_OLD}")},
        {"Api.csproj": _project(f"{_ASPNET}@{_NEW}")},
        digests={
            _ASPNET: _recorded(_NEW, "10.0.1", "11-10"),
            f"{_ASPNET}@{_OLD}": _recorded(_OLD, "10.0.0", "10-14"),
        },
    ),
)
LATEST_IN_PROJECT = (
    Example(
        "the base image of a project",
        {"Api.csproj": _project("mcr.microsoft.com/dotnet/aspnet:latest")},
        reported=True,
    ),
)
END_OF_LIFE_IN_PROJECT = (
    Example(
        "the base image of a project",
        {"Api.csproj": _project("mcr.microsoft.com/dotnet/aspnet:6.0", "net6.0")},
        reported=True,
    ),
)
_VARIABLES = (
    '<Project Sdk="Microsoft.NET.Sdk.Web">\n  <ItemGroup>\n{item}  </ItemGroup>\n</Project>\n'
)
SECRET_IN_PROJECT = (
    Example(
        "a variable of the image that the SDK publishes",
        {
            "Api.csproj": _VARIABLES.format(
                item='    <ContainerEnvironmentVariable Include="DB_PASSWORD" Value="hunter2" />\n'
            )
        },
        reported=True,
    ),
    Example(
        "a variable that a property gives",
        {
            "Api.csproj": _VARIABLES.format(
                item='    <ContainerEnvironmentVariable Include="DB_PASSWORD" Value="$(Password)" />\n'
            )
        },
        silent=True,
    ),
)
