"""Files that examples share which are about projects that the SDK publishes as images."""

from hardhull.rules.privileges.examples import POD

NAMED = "    <ContainerRepository>api</ContainerRepository>\n"
PROGRAM = {"src/Api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n"}


def project(
    properties: str = NAMED, framework: str = "net8.0", items: str = "", sdk: str = ".Web"
) -> str:
    """A project with these properties and items; no framework leaves it to others."""
    names = f"TargetFramework{'s' if ';' in framework else ''}"
    group = f"  <ItemGroup>\n{items}  </ItemGroup>\n" if items else ""
    return (
        f'<Project Sdk="Microsoft.NET.Sdk{sdk}">\n'
        "  <PropertyGroup>\n"
        + (f"    <{names}>{framework}</{names}>\n" if framework else "")
        + f"{properties}"
        "  </PropertyGroup>\n"
        f"{group}"
        "</Project>\n"
    )


def published(text: str, manifest: str = POD, **more: str) -> dict[str, str]:
    """A project and the manifest that runs its image; `__` in further names stands for a dot."""
    files = {name.replace("__", "."): content for name, content in more.items()}
    return {**PROGRAM, "src/Api/Api.csproj": text, "k8s/api.yaml": manifest, **files}


def props(inside: str) -> str:
    """A file of MSBuild's that says this about projects or a publish profile."""
    return f"<Project>\n  <PropertyGroup>\n{inside}  </PropertyGroup>\n</Project>\n"
