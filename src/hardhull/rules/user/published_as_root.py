"""published-as-root: a project asks the SDK for an image whose program runs as root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import (
    Finding,
    Fix,
    Level,
    Refusal,
    RemoveElement,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.ports import listening
from hardhull.project.published import (
    BASE_IMAGE,
    USER,
    framework_version,
    projects_of,
    set_by_command,
    settings_in,
    used_by,
)
from hardhull.project.published_ports import ports_of, privileged_ports
from hardhull.project.starting import start_of
from hardhull.project.users import steps_down
from hardhull.rules.user.published_examples import PUBLISHED_AS_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.application import Application
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.dotnet import DotnetProject
    from hardhull.project.link import Project
    from hardhull.project.published import ImageSetting

ID = "published-as-root"
_ROOT = re.compile(r"(?:root|0+)(?::.*)?", re.IGNORECASE)
_HOME_OF_ROOT = re.compile(r"(?:^|[\s:=,;\"'])/root(?![\w.-])")
_FIRST_WITH_USER = (8, 0)
_PRIVILEGED = 1024
_LISTED = 2


def find(project: Project, context: Context) -> Iterator[Finding]:
    """Projects that set ContainerUser to root."""
    programs = context.project.workspace.programs
    for setting in settings_in(project.documents):
        if setting.name != USER or setting.item or _ROOT.fullmatch(setting.text) is None:
            continue
        yield Finding(
            ID,
            setting.path,
            used_by(setting.path, projects_of(setting.path, programs)),
            setting.span,
            "the published image runs as root",
            Severity.HIGH,
            Level.REVIEW,  # somebody wrote it down: overriding a decision needs a look
            USER,
            (f"{setting.place} sets {USER} to {setting.text}",),
            setting,
        )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Remove it: the SDK then takes the user that Microsoft's image has for programs."""
    setting: ImageSetting = finding.subject
    workspace = context.project.workspace
    if setting.doubt:
        return Refusal(setting.doubt, setting.path, setting.span)
    setter = set_by_command(USER, workspace.texts)
    if setter:
        return Refusal(f"{setter} sets {USER} too")
    projects = projects_of(setting.path, workspace.programs)
    if not projects:
        return Refusal("it is not seen which projects import it", setting.path, setting.span)
    refusal = _set_beside(setting, projects, context)
    if refusal is not None:
        return refusal
    for project in projects:
        refusal = _obstacle(project, context) or _where_it_runs(project, context)
        if refusal is not None:
            return refusal
    return Fix(
        (RemoveElement(setting.path, setting.element.index),),
        f"{USER} {setting.text} removed: the user of the base image ($APP_UID) runs it",
        Level.REVIEW,
        '"Permission denied" at a path that only root may write, such as /app',
        tuple(_notes(projects, context)),
    )


def _set_beside(
    setting: ImageSetting, projects: tuple[DotnetProject, ...], context: Context
) -> Refusal | None:
    """What these projects set of the image that needs root, or that hides which user it has."""
    programs = context.project.workspace.programs
    paths = {project.path for project in projects}
    concerned: dict[str, bool] = {}
    for other in settings_in(context.documents):
        if other.path not in concerned:
            owners = projects_of(other.path, programs)
            # Any project may import a file whose projects are not seen.
            concerned[other.path] = not owners or any(one.path in paths for one in owners)
        reason = _reason(other, setting, context) if concerned[other.path] else ""
        if reason:
            return Refusal(reason, other.path, other.span)
    return None


def _obstacle(project: DotnetProject, context: Context) -> Refusal | None:
    """What of a project needs root, or keeps its user from being known."""
    programs = context.project.workspace.programs
    for framework in project.target_frameworks or ("",):
        version = framework_version(framework)
        if version is None or version < _FIRST_WITH_USER:
            said = f"is for {framework}" if framework else "does not say for which .NET it is"
            return Refusal(f"{project.path} {said}: images have a user of their own from net8.0 on")
    for seen in programs.evidence(project.directory).outside_development().ports_in_code:
        if seen.how != "launch settings" and seen.port is not None and seen.port < _PRIVILEGED:
            return Refusal(f"{seen.path}:{seen.line} listens on port {seen.port}")
    for seen in programs.raw_sockets(project.directory):
        return Refusal(f"{seen.path}:{seen.line} sends pings or opens raw sockets")
    return None


def _running(project: DotnetProject, context: Context) -> Iterator[tuple[Application, Container]]:
    """Who runs the image of a project."""
    for app in context.project.applications:
        for container in app.containers if app.image is not None else ():
            if app.image is not None and app.image.path == project.path:
                yield app, container


def _where_it_runs(project: DotnetProject, context: Context) -> Refusal | None:
    """What needs root where a manifest or Compose file runs it."""
    for app, container in _running(project, context):
        for listener in listening(app, None, container).privileged:
            reason = f"{listener.evidence}: port {listener.port} may need root"
            return Refusal(f"{reason}; privileged-port comes first", listener.path)
        for mount in container.mounts:
            if _HOME_OF_ROOT.match(mount.target or ""):
                reason = "something is mounted below /root there"
                return Refusal(reason, mount.cursor.path, mount.cursor.span)
        start = start_of(container, context.project)
        stepping = next((line for line in start.lines if steps_down(line.text)), None)
        if stepping is not None:
            return Refusal(f"{stepping.place} changes the user at start-up", stepping.path)
    return None


def _reason(other: ImageSetting, setting: ImageSetting, context: Context) -> str:
    """Why another setting of the same project stands in the way; empty if it does not."""
    if other.name == USER and (other.path, other.element) != (setting.path, setting.element):
        return f"{other.place} sets {USER} too"
    if other.name == BASE_IMAGE:
        return _reason_of_base(other, context)
    low = privileged_ports(other)
    if low:
        return f"{other.place} sets port {low[0]}, which needs root on many clusters"
    if None in ports_of(other):
        return f"{other.place} sets a port that can't be read"
    if _HOME_OF_ROOT.search(other.text) or _HOME_OF_ROOT.search(other.item):
        return f"{other.place} names a path below /root"
    return ""


def _reason_of_base(base: ImageSetting, context: Context) -> str:
    if base.doubt:
        return f"{base.place}: {base.doubt}"
    reference = parse_reference(base.text)
    facts = context.facts.image(reference.name) if reference is not None else None
    if facts is None or facts.os != "linux" or facts.app_uid is None:
        return f"{base.place}: the base image is not known to have a user for programs (APP_UID)"
    return ""


def _notes(projects: tuple[DotnetProject, ...], context: Context) -> Iterator[str]:
    """What could not be checked, or may need a right that root has."""
    programs = context.project.workspace.programs
    if not all(any(_running(project, context)) for project in projects):
        yield "not checked: who runs the image, and what is mounted into it"
    for project in projects:
        for _, container in _running(project, context):
            for mount in container.mounts:
                if mount.kind in ("claim", "named", "bind"):
                    place = f"{mount.cursor.path}:{mount.cursor.line}"
                    yield f"not checked: who owns the files of the volume at {place}"
    for folder in dict.fromkeys(project.directory for project in projects):
        evidence = programs.evidence(folder)
        if not evidence.complete:
            yield f"the program in {folder or 'the root'} could not be read to the end"
        for seen in evidence.outside_development().file_writes[:_LISTED]:
            yield f"{seen.path}:{seen.line} writes files"


RULE = Rule(
    id=ID,
    title="A published image runs as root",
    concern="user",
    subject=SubjectKind.REPOSITORY,
    severity=Severity.HIGH,
    find=find,
    fix=fix,
    why=(
        "`ContainerUser` root takes back what .NET 8 and later give: without it, `dotnet publish` "
        "makes images that run as `$APP_UID`. A program that runs as root owns every file of its "
        "container, and a break-out starts with root's rights on the host."
    ),
    fix_note=(
        "Removes the property, with its line, from the project, `Directory.Build.props` or publish "
        "profile. The SDK then takes the user from the variable `APP_UID` of the base image."
    ),
    routine_when="never: it overrides a decision that somebody wrote down",
    review_when="every project it is for targets .NET 8 or later, sets and binds no port below "
    "1024, names no path below /root, and its base image is inferred or known to set APP_UID",
    refused_when="the target framework is older or not known, a port below 1024 is set or bound, a "
    "path below /root is named, the program sends pings, it hangs on a condition, or it is set in a second place",
    references=(
        "https://learn.microsoft.com/dotnet/core/containers/publish-configuration#containeruser",
        "https://learn.microsoft.com/dotnet/core/compatibility/containers/8.0/app-user",
    ),
    examples=PUBLISHED_AS_ROOT,
)
