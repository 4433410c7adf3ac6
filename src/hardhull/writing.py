"""Writing what was verified: all files of a root or none, and never over uncommitted work."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hardhull.outcome import Outcome


_NEW_FILE = 0o644


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file to be written: where it is, what it must still hold, what it will hold.

    `before` is None for a file that must not be there yet.
    """

    path: str
    location: Path
    before: bytes | None
    after: bytes


def edits_of(outcome: Outcome) -> tuple[FileEdit, ...]:
    """The files that a run changed."""
    root = outcome.root.resolve()
    return tuple(
        FileEdit(
            path,
            root / path,
            None if outcome.before[path].absent else outcome.before[path].to_bytes(),
            outcome.after[path].to_bytes(),
        )
        for path in outcome.changed
    )


def write_all(edits: Sequence[FileEdit]) -> None:
    """Overwrite these files, all or none. Raises UsageError; nothing is changed then."""
    staged: list[tuple[FileEdit, Path]] = []
    written: list[FileEdit] = []
    edit: FileEdit | None = None
    try:
        for edit in edits:
            _check(edit)
            staged.append((edit, _staged(edit.location, edit.after)))
        for edit, temporary in staged:
            temporary.replace(edit.location)
            written.append(edit)
    except OSError as error:
        path = edit.path if edit is not None else "?"
        left = _put_back(written)
        done = f"put these back yourself: {', '.join(left)}" if left else "nothing was changed"
        raise UsageError(f"{path}: can't be written ({error.strerror or error}); {done}") from None
    except BaseException:
        _put_back(written)  # interrupted half-way: all or none holds for that too
        raise
    finally:
        for _, temporary in staged:
            temporary.unlink(missing_ok=True)


def _check(edit: FileEdit) -> None:
    """The file is what was read: a plain file, in its place, with the same bytes."""
    if edit.before is None:
        if os.path.lexists(edit.location):
            raise UsageError(f"{edit.path}: came to be while hardhull was running; run it again")
        if edit.location.parent.resolve() != edit.location.parent:
            raise UsageError(f"{edit.path}: its folder is reached by a link; nothing was changed")
        return
    status = edit.location.lstat()
    if not stat.S_ISREG(status.st_mode) or edit.location.resolve() != edit.location:
        raise UsageError(f"{edit.path}: is no plain file any more; nothing was changed")
    if edit.location.read_bytes() != edit.before:
        raise UsageError(
            f"{edit.path}: changed while hardhull was running; nothing was changed, run it again"
        )


def _staged(location: Path, data: bytes) -> Path:
    """Write `data` beside `location` with its permission bits (and owner, if allowed)."""
    location.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".hardhull-", dir=location.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A new file belongs to whom its folder belongs.
        new = not location.exists()
        status = (location.parent if new else location).stat()
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):
                os.chown(temporary, status.st_uid, status.st_gid)
        temporary.chmod(_NEW_FILE if new else stat.S_IMODE(status.st_mode))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _put_back(written: Sequence[FileEdit]) -> list[str]:
    """Bring back the bytes of before; returns the paths where even that failed."""
    left = []
    for edit in written:
        try:
            if edit.before is None:
                edit.location.unlink(missing_ok=True)
            else:
                _staged(edit.location, edit.before).replace(edit.location)
        except OSError:
            left.append(edit.path)
    return left


# ---------------------------------------------------------------- git


def in_git(root: Path) -> bool:
    """Whether a git repository holds `root`."""
    root = root.resolve()
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def by_repository(root: Path, paths: Sequence[str]) -> dict[str, list[str]]:
    """Paths by the folder where git knows them: a repository below `root`, else "" for the root.

    A folder of clones is no repository itself, and those inside have uncommitted work too. The
    paths are relative to their folder.
    """
    root = root.resolve()
    found: dict[str, list[str]] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and not (root / folder / ".git").exists():
            folder = folder.rpartition("/")[0]
        found.setdefault(folder, []).append(path[len(folder) + 1 :] if folder else path)
    return found


def uncommitted(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of `paths` whose text git could not bring back: changed, staged or untracked.

    Empty outside of a git repository. Raises UsageError where git can't say.
    """
    dirty: list[str] = []
    for folder, own in by_repository(root, paths).items():
        prefix = f"{folder}/" if folder else ""
        dirty += [prefix + path for path in _uncommitted(root / folder, own)]
    return tuple(dirty)


def _uncommitted(root: Path, paths: Sequence[str]) -> Iterator[str]:
    if not in_git(root):
        return
    listed = git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames",
                  "--ignored=matching", "--ignore-submodules=all", "--", *paths)  # fmt: skip
    if listed is None:
        raise UsageError(
            f"{root.as_posix()}: git can't say what is committed here; "
            "commit your work and give --allow-dirty"
        )
    top = os.fsdecode(git(root, "rev-parse", "--show-prefix") or b"").strip("\n")
    for entry in listed.split(b"\0"):
        if entry:
            yield os.fsdecode(entry)[3:].removeprefix(top)


def git(root: Path, *arguments: str) -> bytes | None:
    """What git says, with nothing started that a repository names; None if it can't say."""
    program = shutil.which("git")
    if program is None or Path(program).resolve().is_relative_to(root.resolve()):
        return None
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    environment |= {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # A partial clone would fetch what it misses, by whatever program its configuration names.
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
    }
    # The repository may be hostile: nothing that its configuration names is started. For `status`
    # a clean filter runs on every file whose time differs: each one it has is switched off by name.
    options = ["core.hooksPath=" + os.devnull, "core.fsmonitor=false", "safe.directory=*"]
    command = [program, "--no-pager", "-C", str(root)]
    for option in options:
        command += ["-c", option]
    if arguments[0] == "status":
        names = [*command, "config", "--name-only", "-z", "--get-regexp", r"^filter\..*"]
        found = _run(names, environment)
        for name in sorted({os.fsdecode(key) for key in (found or b"").split(b"\0") if key}):
            value = "false" if name.endswith(".required") else ""
            command += ["-c", f"{name}={value}"]
    return _run([*command, *arguments], environment)


def _run(command: list[str], environment: dict[str, str]) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603  # found on the PATH, with options of ours
            command, check=False, env=environment, stdin=subprocess.DEVNULL, capture_output=True
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
