"""diagnostics-on-read-only-root: .NET finds no place for its temporary files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.documents.document import render
from hardhull.model import (
    Example,
    Finding,
    Fix,
    InsertInstruction,
    Level,
    Operation,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
    Unrenderable,
)
from hardhull.rules.filesystem.mounted import TEMPORARY, writable
from hardhull.rules.filesystem.writing import hidden_by_mount, temporary_mount
from hardhull.rules.finding import in_container
from hardhull.rules.privileges.examples import COMPOSE, DOCKERFILE, POD, in_compose, in_pod
from hardhull.rules.privileges.scope import on_windows, runs_dotnet, workload_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hardhull.project.application import AppStage
    from hardhull.project.container import Container
    from hardhull.project.context import Context

ID = "diagnostics-on-read-only-root"

_SWITCHES = ("DOTNET_EnableDiagnostics", "COMPlus_EnableDiagnostics")
_LAST_FATAL = 7
_LAST_WITHOUT_PREFIX = 5
_PROFILING = (
    "CORECLR_",
    "COR_",
    "DOTNET_PROFILER",
    "DOTNET_DiagnosticPorts",
    "DOTNET_STARTUP_HOOKS",
)
_INJECTING = ("instrumentation.opentelemetry.io/", "admission.datadoghq.com/", "newrelic.com/")


def find(container: Container, context: Context) -> Iterator[Finding]:
    """Programs on a read-only root without a place for temporary files, diagnostics on."""
    if container.read_only_root is not True or on_windows(container, context):
        return
    if not runs_dotnet(container, context) or _has_a_place(container, context):
        return
    stages = context.project.stages_of(container)
    facts = [stage.facts for stage in stages]
    image = context.project.image_of(container)
    facts += [image.facts] if image is not None else []
    majors = [one.major for one in facts if one is not None]
    versions = [major for major in majors if major is not None]
    fatal = bool(versions) and min(versions) <= _LAST_FATAL
    yield in_container(
        ID,
        Severity.HIGH if fatal else Severity.MEDIUM,
        container,
        f"its root is read-only and {TEMPORARY} is not writable: "
        + (f".NET up to {_LAST_FATAL} does not start" if fatal else "larger uploads fail"),
    )


def _has_a_place(container: Container, context: Context) -> bool:
    if temporary_mount(container):
        return True
    stages = context.project.stages_of(container)
    moved = container.environment.get("TMPDIR")
    if moved is not None:
        place = moved.value
        if place is None or (writable(container, place) and not place.startswith(TEMPORARY)):
            return True
    switched = [name in container.environment for name in _SWITCHES]
    if any(switched):
        return True  # somebody decided how .NET is to live here
    image = context.project.image_of(container)
    if image is not None:
        return any(name in image.variables for name in _SWITCHES)
    return bool(stages) and all(
        any(name in stage.environment for name in _SWITCHES) for stage in stages
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Mount /tmp; where that can't be written, switch diagnostics off in the image."""
    container: Container = finding.subject
    hidden = hidden_by_mount(container, context)
    if hidden is not None:
        return hidden
    mounting = container.mount_temporary()
    reason = _unrenderable(mounting, context)
    if mounting and reason is None:
        return Fix(mounting, f"{TEMPORARY} writable beside the read-only root")
    return _switched_off(container, reason or "something is mounted there", context)


def _unrenderable(operations: Sequence[Operation], context: Context) -> str | None:
    """Why these operations can't be written, if so: through an alias, into a placeholder."""
    for path in {operation.path for operation in operations}:
        own = [operation for operation in operations if operation.path == path]
        try:
            render(context.documents[path], own)
        except Unrenderable as error:
            return error.reason
    return None


def _switched_off(container: Container, reason: str, context: Context) -> Fix | Refusal:
    mount = f"{TEMPORARY} can't be mounted here ({reason})"
    watcher = _watcher(container, context)
    if watcher is not None:
        return Refusal(f"{mount}, and {watcher} needs diagnostics", container.path, container.span)
    stages = context.project.stages_of(container)
    operations = []
    for stage in stages:
        major = stage.facts.major if stage.facts is not None else None
        if stage.facts is None or major is None:
            version = f"which .NET {stage.base or 'its base image'} holds is not known"
            return Refusal(f"{mount}, and {version}", stage.path, stage.stage.from_.span)
        if major > _LAST_FATAL:
            return Refusal(
                f"{mount}; .NET {stage.facts.version} starts without it, but uploads need it: "
                "mount it by hand",
                container.path,
                container.span,
            )
        name = _SWITCHES[major <= _LAST_WITHOUT_PREFIX]
        operations.append(InsertInstruction(stage.path, _before_start(stage), f"ENV {name}=0"))
    if not operations:
        image = context.project.image_of(container)
        said = f"; a ContainerEnvironmentVariable of {image.path} could" if image else ""
        reason = f"{mount}, and no Dockerfile here could switch diagnostics off{said}"
        return Refusal(reason, container.path, container.span)
    names = sorted({operation.text for operation in operations})
    return Fix(
        tuple(operations),
        ", ".join(names),
        Level.ROUTINE,
        "dotnet-trace and dotnet-dump find no program",
        (f"{mount}: uploads larger than 64 KB still fail",),
    )


def _watcher(container: Container, context: Context) -> str | None:
    """What looks into the program from outside, which the switch would blind."""
    stages = context.project.stages_of(container)
    names = [*container.environment, *(name for stage in stages for name in stage.environment)]
    image = context.project.image_of(container)
    names += image.variables if image is not None else ()
    for name in names:
        if name.startswith(_PROFILING):
            return name
    workload = workload_of(container, context)
    if workload is not None:
        for key in (*workload.annotations, *workload.labels):
            if key.startswith(_INJECTING):
                return key
        for other in workload.containers:
            if other.image is not None and "dotnet-monitor" in other.image.raw.replace("/", "-"):
                return f"the container {other.name}"
    app = context.project.owner_of(container)
    if app is not None and app.program is not None and app.program.profiler:
        seen = app.program.profiler[0]
        return f"{seen.path}:{seen.line}"
    return None


def _before_start(stage: AppStage) -> int:
    """The index of its first ENTRYPOINT or CMD; its end if it has none of its own."""
    own = stage.stage.instructions
    for instruction in own:
        if instruction.keyword in ("ENTRYPOINT", "CMD"):
            return instruction.index
    return (own[-1] if own else stage.stage.from_).index + 1


_READ_ONLY = POD + "          securityContext:\n            readOnlyRootFilesystem: true\n"
_MOUNT = "          volumeMounts:\n            - name: tmp\n              mountPath: /tmp\n"
_VOLUME = "      volumes:\n        - name: tmp\n          emptyDir: {}\n"
_OLD = DOCKERFILE.replace("8.0-noble-chiseled", "6.0")
_COMPOSE = COMPOSE + "    read_only: true\n"
_SHARED = _COMPOSE.replace(
    "services:\n",
    "x-mounts: &mounts [/run]\nservices:\n  web:\n    image: acme.example/web:2\n    tmpfs: *mounts\n",
)
_ALIAS = _SHARED + "    tmpfs: *mounts\n"

RULE = Rule(
    id=ID,
    title="A read-only root without a place for temporary files",
    concern="filesystem",
    subject=SubjectKind.CONTAINER,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        ".NET up to 7 makes pipes for debuggers in /tmp and does not start where it can't "
        "(`Failed to create CoreCLR`). Later versions start, but uploads larger than 64 KB fail."
    ),
    fix_note=(
        "Mounts an `emptyDir` or `tmpfs` on `/tmp`. Only where that can't be written it sets "
        "`COMPlus_EnableDiagnostics=0` (.NET 5 and earlier) or `DOTNET_EnableDiagnostics=0` (6 and "
        "7) in the image; later versions need no switch."
    ),
    routine_when="the root is read-only already, and nothing of the image lies in /tmp",
    review_when="never",
    refused_when=(
        "the image keeps files in /tmp; or /tmp can't be mounted and a profiler or monitor needs "
        "diagnostics, or the version is 8 or later or not known"
    ),
    references=(
        "https://learn.microsoft.com/dotnet/core/runtime-config/debugging-profiling",
        "https://github.com/dotnet/runtime/issues/86259",
    ),
    examples=(
        Example(
            "a mount is added",
            in_pod(_READ_ONLY, _OLD),
            {"k8s/api.yaml": _READ_ONLY + _MOUNT + _VOLUME},
        ),
        Example(
            "a Compose service",
            in_compose(_COMPOSE),
            {"compose.yaml": COMPOSE + "    tmpfs:\n      - /tmp\n    read_only: true\n"},
        ),
        Example(
            "the list of mounts is shared with others: .NET 6",
            in_compose(_ALIAS, _OLD),
            {
                "api/Dockerfile": _OLD.replace(
                    "ENTRYPOINT", "ENV DOTNET_EnableDiagnostics=0\nENTRYPOINT"
                )
            },
        ),
        Example(
            "the list of mounts is shared with others: .NET 5",
            in_compose(_ALIAS, _OLD.replace("6.0", "5.0")),
            {
                "api/Dockerfile": _OLD.replace("6.0", "5.0").replace(
                    "ENTRYPOINT", "ENV COMPlus_EnableDiagnostics=0\nENTRYPOINT"
                )
            },
        ),
        Example(
            "the list of mounts is shared with others: .NET 8",
            in_compose(_ALIAS),
            refused="starts without it",
        ),
        Example(
            "a profiler needs diagnostics",
            in_compose(_ALIAS, _OLD.replace("COPY", "ENV CORECLR_ENABLE_PROFILING=1\nCOPY")),
            refused="CORECLR_ENABLE_PROFILING needs diagnostics",
        ),
        Example(
            "switched off already",
            in_pod(_READ_ONLY, _OLD.replace("COPY", "ENV COMPlus_EnableDiagnostics=0\nCOPY")),
            silent=True,
        ),
        Example("a mount is there", in_pod(_READ_ONLY + _MOUNT + _VOLUME, _OLD), silent=True),
    ),
)
