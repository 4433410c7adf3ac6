#!/usr/bin/env python3
"""Harden a repository made from `examples/shop`, offline, and show what happened.

    python scripts/demo.py

Makes a temporary git repository, hardens it on the branch `hardhull/harden` with one commit, and
shows the diff, the report, and where the text for a pull request is. Nothing here is touched.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from git import Actor, Repo

from hardhull.cli import main as hardhull

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "examples"
BRANCH: Final = "hardhull/harden"
_AUTHOR: Final = Actor("hardhull demo", "demo@example.invalid")
_COLOUR: Final = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def main() -> int:
    """Run the demo; a step that fails ends it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    folder = Path(tempfile.mkdtemp(prefix="hardhull-demo-"))
    digests = str(EXAMPLES / "digests.json")
    with make_repository(folder / "shop") as repository, contextlib.chdir(folder / "shop"):
        say("1", "A small repository: two .NET services, their manifests, a Compose file.")
        note(f"{repository.working_tree_dir}, branch {BRANCH}")

        say("2", "hardhull fix --diff: what would change, nothing written yet.")
        step("fix", "--diff", "--offline", "--digests", digests)

        say("3", "hardhull fix: written after every change was verified, then one commit.")
        body = folder / "pull-request.md"
        step(
            "fix", "--offline", "--digests", digests, "--format", "markdown", "--output", str(body)
        )
        commit(repository, body)

        say("4", "hardhull fix again: nothing is left to change.")
        step(
            "fix",
            "--offline",
            "--digests",
            digests,
            "--format",
            "json",
            "--output",
            str(folder / "again.json"),
        )
        note("no file changed" if not repository.is_dirty() else "files changed: a bug of ours")

        summary(repository, body)
        return int(repository.is_dirty())


def make_repository(folder: Path) -> Repo:
    """A git repository with the example, committed on `main`, and our branch checked out."""
    shutil.copytree(EXAMPLES / "shop", folder)
    repository = Repo.init(folder, initial_branch="main")
    with repository.config_writer() as config:
        config.set_value("core", "autocrlf", "false")
        config.set_value("commit", "gpgsign", "false")
    repository.git.add(all=True)
    repository.index.commit("The shop, as it was", author=_AUTHOR, committer=_AUTHOR)
    repository.create_head(BRANCH).checkout()
    return repository


def step(*arguments: str) -> None:
    """Run hardhull as the command line does."""
    sys.stdout.flush()
    code = hardhull([*arguments, "--color", "always" if _COLOUR else "never"])
    sys.stdout.flush()
    sys.stderr.flush()
    if code:
        raise SystemExit(code)


def commit(repository: Repo, body: Path) -> None:
    """Commit all changed files at once."""
    title = body.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    repository.git.add(update=True)
    made = repository.index.commit(title, author=_AUTHOR, committer=_AUTHOR)
    note(f"commit {made.hexsha[:10]} on {BRANCH}: {title}")


def summary(repository: Repo, body: Path) -> None:
    """What changed, in numbers, and where to look on."""
    say("5", "Look around.")
    note(next(line for line in body.read_text(encoding="utf-8").splitlines() if line[:1].isdigit()))
    print()
    lines = repository.head.commit.stats.files
    rows = [
        (str(path), f"+{count['insertions']}", f"-{count['deletions']}")
        for path, count in sorted(lines.items())
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for path, more, less in rows:
        shown = colour(more.rjust(widths[1]), "32"), colour(less.rjust(widths[2]), "31")
        print(f"   {path:{widths[0]}}  {shown[0]}  {shown[1]}")
    where = repository.working_tree_dir
    print()
    print(f"   pull request text  {colour(str(body), '1')}")
    print(f"   the commit         git -C {where} show")
    print(f"   undo it            git -C {where} reset --hard main")
    print("   on your code       hardhull scan PATH")


def say(number: str, text: str) -> None:
    """Begin a step."""
    print(f"\n{colour(number, '1;36')}  {colour(text, '1')}\n", flush=True)


def note(text: str) -> None:
    """A remark below a step."""
    print(f"   {colour(text, '2')}", flush=True)


def colour(text: str, code: str) -> str:
    """Text in a colour, on a terminal."""
    return f"\033[{code}m{text}\033[0m" if _COLOUR else text


if __name__ == "__main__":
    sys.exit(main())
