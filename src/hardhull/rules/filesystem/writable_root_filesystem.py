"""writable-root-filesystem: the program's own files can be changed while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Example, Finding, Fix, Level, Refusal, Rule, Severity, SubjectKind
from hardhull.project.container import Platform
from hardhull.rules.filesystem.writing import hidden_by_mount, temporary_mount, writes
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.circumstances import left_alone
from hardhull.rules.privileges.examples import COMPOSE, DOCKERFILE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import on_windows
from hardhull.rules.publishing_examples import project, published
from hardhull.rules.rollout import at_roll_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "writable-root-filesystem"


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Containers whose root file system may be written to."""
    if container.read_only_root is not False or on_windows(container, context):
        return
    yield in_container(
        ID,
        Severity.LOW,
        container,
        "its own files can be changed while it runs",
        level=Level.REVIEW,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Make the root read-only and /tmp writable, together, if no other write is seen."""
    container: Container = finding.subject
    alone = left_alone(container, context)
    if alone is not None:
        return alone
    notes = list(at_roll_out(container, context))
    for obstacle in writes(container, context):
        if isinstance(obstacle, Refusal):
            return obstacle
        notes.append(obstacle)
    if container.platform is Platform.COMPOSE:
        notes.append(
            "Docker lets nothing in /tmp be executed; native libraries unpacked there fail"
        )
    if not temporary_mount(container):
        hidden = hidden_by_mount(container, context)
        if hidden is not None:
            return hidden
    return Fix(
        (*container.make_root_read_only(), *container.mount_temporary()),
        "read-only root, /tmp writable",
        Level.REVIEW,
        '"Read-only file system": the path it names needs a mount',
        tuple(notes),
    )


_AFTER = (
    POD
    + """\
          securityContext:
            readOnlyRootFilesystem: true
          volumeMounts:
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: tmp
          emptyDir: {}
"""
)
_MOUNTED = (
    POD
    + """\
          volumeMounts:
            - name: scratch
              mountPath: /tmp
            - name: logs
              mountPath: /app/logs
      volumes:
        - name: scratch
          emptyDir: {}
        - name: logs
          emptyDir: {}
"""
)
_LOGGING = 'Log.Logger = new LoggerConfiguration().WriteTo.File("logs/api.log").CreateLogger();\n'
_MOUNTED_SETTINGS = (
    COMPOSE
    + "    volumes:\n      - ./settings/appsettings.Logs.json:/app/appsettings.Logs.json:ro\n"
)
_LOG_SETTINGS = """\
{"Serilog": {"WriteTo": [{"Name": "File", "Args": {"path": "logs/api.log"}}]}}
"""
_SCRIPTED = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY out start.sh ./
USER $APP_UID
ENTRYPOINT ["sh", "/app/start.sh"]
"""
_DATABASE = '    <ContainerEnvironmentVariable Include="ConnectionStrings__Db" Value="Data Source=api.db" />\n'
_IN_APP = DOCKERFILE.replace("COPY", "WORKDIR /app\nCOPY")

RULE = Rule(
    id=ID,
    title="The root file system can be written to",
    concern="filesystem",
    subject=SubjectKind.CONTAINER,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Whoever takes over a program with a writable root can change the program itself or "
        "bring tools of their own. With a read-only root and a small place for temporary files "
        "neither is possible, and .NET starts as before."
    ),
    fix_note=(
        "Sets `readOnlyRootFilesystem: true` (Kubernetes) or `read_only: true` (Compose), always "
        "together with an `emptyDir` or `tmpfs` on `/tmp` unless something is mounted there: .NET "
        "up to 7 does not start without it, and uploads need it in every version."
    ),
    routine_when="never: what packages and native code write can't be read from here",
    review_when="no write elsewhere than to /tmp or a mounted path is seen",
    refused_when=(
        "code, settings, a variable, VOLUME or the start-up write elsewhere; the program is built "
        "when it starts or runs in an SDK image; neither image nor code are here; the container "
        "is there for a debugger; or a Compose file for Windows is laid over this one"
    ),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
        "https://docs.docker.com/reference/compose-file/services/#read_only",
    ),
    equivalents=(
        "checkov:CKV_K8S_22",
        "trivy:KSV-0014",
        "polaris:notReadOnlyRootFilesystem",
        "kubescape:C-0017",
        "kube-linter:no-read-only-root-fs",
        "kubesec:ReadOnlyRootFilesystem",
        "cis:5.7.3",
        "nsa:1.1",
    ),
    patches=True,
    examples=(
        Example("a Deployment", in_pod(POD), {"k8s/api.yaml": _AFTER}, level=Level.REVIEW),
        Example(
            "a Compose service",
            in_compose(COMPOSE),
            {"compose.yaml": COMPOSE + "    read_only: true\n    tmpfs:\n      - /tmp\n"},
            level=Level.REVIEW,
        ),
        Example(
            "what it writes to is mounted already",
            {**in_pod(_MOUNTED, _IN_APP), "api/Program.cs": _LOGGING},
            {
                "k8s/api.yaml": _MOUNTED.replace(
                    "api:1\n",
                    "api:1\n          securityContext:\n            readOnlyRootFilesystem: true\n",
                )
            },
            level=Level.REVIEW,
        ),
        Example(
            "the program writes a log beside itself",
            {**in_pod(POD, _IN_APP), "api/Program.cs": _LOGGING},
            refused="api/Program.cs:1 writes logs/api.log",
        ),
        Example(
            "a key file for development",
            {
                **in_pod(POD),
                "api/Identity.cs": "services.AddIdentityServer().AddDeveloperSigningCredential();\n",
            },
            refused="keeps its signing key in a file",
        ),
        Example(
            "a script starts one of several programs",
            {
                "Dockerfile": _SCRIPTED,
                "start.sh": "#!/bin/sh\nsleep 5\nexec dotnet Web.dll\n",
                "src/Web/Web.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
                "src/Web/Program.cs": _LOGGING,
                "src/Job/Job.csproj": '<Project Sdk="Microsoft.NET.Sdk.Worker" />\n',
                "src/Job/Program.cs": "Host.CreateApplicationBuilder(args).Build().Run();\n",
                "compose.yaml": COMPOSE.replace("build: api", "build: ."),
            },
            refused="src/Web/Program.cs:1 writes logs/api.log",
        ),
        Example(
            "settings that are mounted log to a file",
            {
                **in_compose(_MOUNTED_SETTINGS, _IN_APP),
                "settings/appsettings.Logs.json": _LOG_SETTINGS,
            },
            refused="makes it log to a file",
        ),
        Example(
            "a certificate to install",
            in_compose(
                COMPOSE + "    volumes:\n      - ./ca.crt:/usr/local/share/ca-certificates/ca.crt\n"
            ),
            refused="for update-ca-certificates",
        ),
        Example(
            "a container to debug in",
            in_compose(COMPOSE + "    volumes:\n      - ~/vsdbg:/vsdbg:ro\n"),
            refused="a debugger is mounted",
        ),
        Example(
            "built from a Dockerfile that is not here",
            {
                **in_compose(COMPOSE + "    image: acme.example/api:1\n"),
                "compose.override.yaml": (
                    "services:\n  api:\n    build: {context: api, dockerfile: dev.Dockerfile}\n"
                ),
            },
            silent=True,
        ),
        Example(
            "the image names a volume that no pod mounts",
            in_pod(POD, DOCKERFILE.replace("COPY", "VOLUME /data\nCOPY")),
            refused="mount a volume there first",
        ),
        Example(
            "it is built when it starts",
            in_compose(COMPOSE + "    command: dotnet watch\n"),
            refused="builds when it starts",
        ),
        Example(
            "an image that the SDK publishes",
            published(project()),
            {"k8s/api.yaml": _AFTER},
            level=Level.REVIEW,
        ),
        Example(
            "a published program writes a log beside itself",
            published(project()) | {"src/Api/Program.cs": _LOGGING},
            refused="src/Api/Program.cs:1 writes logs/api.log",
        ),
        Example(
            "a published program writes where its project mounts nothing",
            published(project(items=_DATABASE)),
            refused="makes it write to /app/api.db",
        ),
        Example(
            "a published program writes to what is mounted",
            published(project(), _MOUNTED) | {"src/Api/Program.cs": _LOGGING},
            {
                "k8s/api.yaml": _MOUNTED.replace(
                    "api:1\n",
                    "api:1\n          securityContext:\n            readOnlyRootFilesystem: true\n",
                )
            },
            level=Level.REVIEW,
        ),
        Example("read-only already", in_pod(_AFTER), silent=True),
    ),
)
