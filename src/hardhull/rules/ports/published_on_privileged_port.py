"""published-on-privileged-port: a project gives its image a port that needs root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Level, Rule, Severity, SubjectKind
from hardhull.project.published import PORT, projects_of, settings_in, used_by
from hardhull.project.published_ports import ports_of, privileged_ports
from hardhull.rules.ports.claims import heard_by, wrong_claims
from hardhull.rules.ports.doubts import low_listeners
from hardhull.rules.publishing_examples import project, published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.model import Span
    from hardhull.project.context import Context
    from hardhull.project.link import Project

ID = "published-on-privileged-port"


def find(project: Project, context: Context) -> Iterator[Finding]:
    """Ports below 1024 that MSBuild files give to published images."""
    told = frozenset(_moved_with_callers(project, context))
    for setting in settings_in(project.documents):
        for port in privileged_ports(setting):
            if (setting.path, setting.span, port) in told:
                continue
            does = "declares" if setting.name == PORT else "makes it listen on"
            whose = used_by(setting.path, projects_of(setting.path, project.workspace.programs))
            yield Finding(
                ID,
                setting.path,
                f"{whose} {setting.name} {setting.item}",
                setting.span,
                f"{setting.name} {does} port {port}, which needs root on many clusters; it is told "
                "only, since nothing here is seen to run the image on that port",
                Severity.MEDIUM,
                Level.MANUAL,
                str(port),
                (),
                setting,
            )


def _moved_with_callers(project: Project, context: Context) -> Iterator[tuple[str, Span, int]]:
    """What privileged-port and port-nobody-listens-on speak of, with all who call the image."""
    for app in project.applications:
        if app.image is None:
            continue
        low = {listener.port for listener in low_listeners(app, context)}
        for one in app.image.ports:
            yield from ((one.path, one.span, port) for port in low.intersection(ports_of(one)))
        heard = heard_by(app)
        for claim in wrong_claims(app, heard) if heard is not None else ():
            yield claim.path, claim.span, claim.port


def _project(item: str) -> dict[str, str]:
    """A project with an item."""
    head = '<Project Sdk="Microsoft.NET.Sdk.Web">\n  <ItemGroup>\n    '
    return {"src/Api/Api.csproj": f"{head}{item}\n  </ItemGroup>\n</Project>\n"}


EXAMPLES = (
    Example(
        "a port",
        _project('<ContainerPort Include="80" Type="tcp" />'),
        reported=True,
    ),
    Example(
        "a variable that says where to listen",
        _project('<ContainerEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="80" />'),
        reported=True,
    ),
    Example(
        "a port that anyone may open",
        _project('<ContainerPort Include="8080" Type="tcp" />'),
        silent=True,
    ),
    Example(
        "a port of an image that a manifest runs: privileged-port speaks of it",
        published(
            project(items='    <ContainerEnvironmentVariable Include="URLS" Value="http://*" />\n')
        ),
        silent=True,
    ),
    Example(
        "a port of an image that a manifest runs, which listens elsewhere",
        published(project(items='    <ContainerPort Include="80" />\n')),
        silent=True,
    ),
    Example(
        "443 of an image that a manifest runs, which listens elsewhere",
        published(project(items='    <ContainerPort Include="443" />\n')),
        reported=True,
    ),
    Example(
        "a variable about something else",
        _project('<ContainerEnvironmentVariable Include="MAX_USERS" Value="80" />'),
        silent=True,
    ),
)
RULE = Rule(
    id=ID,
    title="A published image is given a port that needs root",
    concern="ports",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "Where the kernel's default is kept, only root may open ports below 1024, and the images "
        "of .NET 8 and later don't run as root: the program can't start, or is made root again."
    ),
    fix_note=(
        "Reported only, where no manifest or Compose file here is seen to run the image: Services, "
        "probes and whoever else calls it must move with it. Where one is, `privileged-port` and "
        "`port-nobody-listens-on` speak of it, and move all together. Set 8080 in the project, in "
        "`containerPort`, `targetPort` and probes in one change; a Service may keep `port: 80`."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=(
        "https://learn.microsoft.com/dotnet/core/containers/publish-configuration#containerport",
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/aspnet-port",
    ),
    examples=EXAMPLES,
)
