"""Writing: all files or none, nothing but the bytes, and never over uncommitted work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hardhull import writing
from hardhull.discover import discover
from hardhull.model import UsageError
from hardhull.writing import FileEdit, uncommitted, write_all
from support import write

posix = pytest.mark.skipif(os.name != "posix", reason="permission bits and hooks are POSIX here")


def edit(root: Path, path: str, before: bytes, after: bytes) -> FileEdit:
    return FileEdit(path, root.resolve() / path, before, after)


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def repository(root: Path, files: dict[str, str | bytes]) -> Path:
    write(root, files)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


def test_bytes_are_written_to_the_letter(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"\xef\xbb\xbfone\r\n\xff"})

    write_all([edit(tmp_path, "a", b"\xef\xbb\xbfone\r\n\xff", b"\xef\xbb\xbftwo\r\n\xff")])

    assert (tmp_path / "a").read_bytes() == b"\xef\xbb\xbftwo\r\n\xff"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@posix
def test_permission_bits_are_kept(tmp_path: Path) -> None:
    write(tmp_path, {"run.sh": b"old"})
    (tmp_path / "run.sh").chmod(0o751)

    write_all([edit(tmp_path, "run.sh", b"old", b"new")])

    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o751


def test_a_file_that_changed_meanwhile_stops_all(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"a", "b": b"somebody else's"})

    with pytest.raises(UsageError, match="b: changed while hardhull was running"):
        write_all([edit(tmp_path, "a", b"a", b"A"), edit(tmp_path, "b", b"b", b"B")])

    assert (tmp_path / "a").read_bytes() == b"a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_when_one_write_fails_the_others_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a": b"a", "b": b"b"})
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UsageError, match=r"No space left on device.*nothing was changed"):
        write_all([edit(tmp_path, "a", b"a", b"A"), edit(tmp_path, "b", b"b", b"B")])

    assert (tmp_path / "a").read_bytes() == b"a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@posix
def test_a_file_that_became_a_symlink_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"outside": b"a", "root/other": b""})
    (tmp_path / "root" / "a").symlink_to(tmp_path / "outside")

    with pytest.raises(UsageError, match="no plain file"):
        write_all([edit(tmp_path / "root", "a", b"a", b"A")])

    assert (tmp_path / "outside").read_bytes() == b"a"


@posix
def test_a_folder_that_became_a_symlink_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"outside/a": b"a", "root/other": b""})
    (tmp_path / "root" / "in").symlink_to(tmp_path / "outside")

    with pytest.raises(UsageError, match="no plain file"):
        write_all([edit(tmp_path / "root", "in/a", b"a", b"A")])

    assert (tmp_path / "outside" / "a").read_bytes() == b"a"


def test_outside_of_git_nothing_is_uncommitted(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"a"})
    if writing.in_git(tmp_path):
        pytest.skip("the temporary folder lies in a repository")

    assert uncommitted(tmp_path, ["a"]) == ()


def test_changed_staged_and_untracked_files_are_uncommitted(tmp_path: Path) -> None:
    repository(tmp_path, {"clean": "1", "changed": "1", "staged": "1", "sp ace/ü": "1"})
    write(tmp_path, {"changed": "2", "staged": "2", "new": "1", "sp ace/ü": "2", "ignored": "1"})
    write(tmp_path, {".gitignore": "ignored\n"})
    git(tmp_path, "add", "staged")
    paths = ["clean", "changed", "staged", "new", "sp ace/ü", "ignored"]

    assert sorted(uncommitted(tmp_path, paths)) == sorted(paths[1:])


def test_a_root_below_the_top_names_its_own_paths(tmp_path: Path) -> None:
    repository(tmp_path, {"services/pay/Dockerfile": "1", "Dockerfile": "1"})
    write(tmp_path, {"services/pay/Dockerfile": "2"})

    assert uncommitted(tmp_path / "services" / "pay", ["Dockerfile"]) == ("Dockerfile",)


@posix
def test_nothing_that_the_repository_configures_is_started(tmp_path: Path) -> None:
    root = repository(tmp_path / "root", {"Dockerfile": "1", ".gitattributes": "* filter=evil\n"})
    started = tmp_path / "started"
    for name in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor"):
        git(root, "config", name, f"touch {started}; cat")
    git(root, "config", "filter.evil.required", "true")
    write(root, {"Dockerfile": "2"})

    assert uncommitted(root, ["Dockerfile"]) == ("Dockerfile",)
    assert not started.exists()


def test_a_repository_that_git_cannot_read_is_a_mistake_with_a_way_out(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"a", ".git": b"gitdir: nowhere\n"})

    with pytest.raises(UsageError, match="--allow-dirty"):
        uncommitted(tmp_path, ["a"])


def test_clones_below_the_folder_have_uncommitted_work_too(tmp_path: Path) -> None:
    repository(tmp_path / "one", {"a/Dockerfile": "FROM a\n"})
    repository(tmp_path / "two", {"Dockerfile": "FROM a\n"})
    write(tmp_path, {"one/a/Dockerfile": "FROM a\n# mine\n", "loose": "x"})
    paths = ["one/a/Dockerfile", "two/Dockerfile", "loose"]

    assert uncommitted(tmp_path, paths) == ("one/a/Dockerfile",)
    assert writing.by_repository(tmp_path, paths) == {
        "one": ["a/Dockerfile"],
        "two": ["Dockerfile"],
        "": ["loose"],
    }


def test_an_interruption_half_way_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a": b"a", "b": b"b"})
    replace = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        if target.name == "b":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all([edit(tmp_path, "a", b"a", b"A"), edit(tmp_path, "b", b"b", b"B")])

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"a", "b": b"b"}


@posix
def test_a_partial_clone_fetches_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {"a": "a\n"})
    marker = tmp_path / "started"
    program = tmp_path / "upload-pack"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    for name, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", str(tmp_path / "elsewhere")),
        ("remote.origin.promisor", "true"),
        ("remote.origin.uploadpack", str(program)),
        ("protocol.file.allow", "always"),
    ):
        git(root, "config", name, value)
    for found in (root / ".git" / "objects").glob("??/*"):
        found.chmod(0o600)
        found.unlink()
    write(root, {"a": "b\n"})

    with pytest.raises(UsageError, match="git can't say"):
        uncommitted(root, ["a"])
    discover(root)
    assert not marker.exists()


def test_a_new_file_is_written_and_taken_back(tmp_path: Path) -> None:
    root = write(tmp_path, {"a": "old\n"}).resolve()
    new = FileEdit("x/new", root / "x" / "new", None, b"new\n")
    lost = FileEdit("a", root / "a", b"other\n", b"changed\n")

    with pytest.raises(UsageError, match="changed while hardhull was running"):
        write_all([new, lost])
    assert not (root / "x" / "new").exists()

    write_all([new])
    assert (root / "x" / "new").read_bytes() == b"new\n"
    with pytest.raises(UsageError, match="came to be"):
        write_all([new])


def test_a_new_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / ".github").symlink_to(outside)

    with pytest.raises(UsageError, match="reached by a link"):
        write_all([FileEdit(".github/a", root.resolve() / ".github" / "a", None, b"new\n")])
    assert list(outside.iterdir()) == []
