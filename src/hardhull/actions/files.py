"""Files that a job shares with its runner, and files in a workspace that is not trusted."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGEST_EVENT = 64 * 1024 * 1024


def read_payload(environment: Mapping[str, str]) -> object:
    """The event's payload; nothing where there is no file. Raises UsageError if it is no JSON."""
    name = environment.get("GITHUB_EVENT_PATH", "")
    if not name:
        return {}
    try:
        with Path(name).open("rb") as file:
            data = file.read(_LARGEST_EVENT + 1)
        if len(data) > _LARGEST_EVENT:
            raise UsageError(f"GITHUB_EVENT_PATH={name}: too large to be an event")
        payload: object = json.loads(data)
    except OSError as error:
        raise UsageError(f"GITHUB_EVENT_PATH={name}: can't be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"GITHUB_EVENT_PATH={name}: not the JSON of an event") from None
    return payload


def workspace_of(environment: Mapping[str, str]) -> Path:
    """The checked-out folder. Raises UsageError if nothing was checked out."""
    place = Path(environment.get("GITHUB_WORKSPACE") or ".")
    if not place.is_dir() or not any(place.iterdir()):
        raise UsageError("the workspace is empty; add a step with actions/checkout before this one")
    return place.resolve()


def inside(workspace: Path, name: str, what: str) -> Path:
    """A place in the workspace by its name there. Raises UsageError if it lies elsewhere."""
    place = workspace / name
    real = place.resolve()
    if Path(name).is_absolute() or ".." in Path(name).parts or not real.is_relative_to(workspace):
        raise UsageError(f"input `{what}`: `{name}` is not in the workspace; give a path below it")
    return place


def read_inside(workspace: Path, name: str, what: str, largest: int) -> str:
    """Read a file of the workspace. Raises UsageError if it is not one of a sensible size."""
    place = inside(workspace, name, what)
    try:
        with place.open("rb") as file:
            data = file.read(largest + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise UsageError(f"input `{what}`: {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"input `{what}`: {name}: not UTF-8") from None
    if len(data) > largest:
        raise UsageError(f"input `{what}`: {name}: too large")
    return text


def write_inside(workspace: Path, name: str, what: str, text: str) -> None:
    """Write a file of ours, whole or not at all; a link that lies there is replaced, not followed.

    Raises UsageError.
    """
    place = inside(workspace, name, what)
    part: Path | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            raise UsageError(f"input `{what}`: `{name}` is a folder; name a file in it")
        handle, temporary = tempfile.mkstemp(prefix=".hardhull-", dir=place.parent)
        part = Path(temporary)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
        part.chmod(0o644)  # later steps may run as somebody else
        part.replace(place)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise UsageError(f"input `{what}`: {name}: {error.strerror}") from None


def write_outputs(environment: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Append to the file that GITHUB_OUTPUT names; nothing where there is none."""
    name = environment.get("GITHUB_OUTPUT", "")
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8", errors="replace", newline="\n") as file:
            for key, value in outputs.items():
                # Nobody can know the delimiter before: a value can't end itself and begin another.
                mark = f"hardhull_{secrets.token_hex(16)}"
                file.write(f"{key}<<{mark}\n{value}\n{mark}\n")
    except OSError as error:
        raise UsageError(f"GITHUB_OUTPUT={name}: can't be written: {error.strerror}") from None
