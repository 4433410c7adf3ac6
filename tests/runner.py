"""A runner of the tests' own: starts the action as GitHub's does, and reads its log as it does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardhull import action
from standin.history import merged_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standin import PullHandle, RepositoryHandle, StandIn

EVENTS = Path(__file__).parent / "standin" / "contract" / "events"
TOKEN = "ghs_" + "16C7e42F292c6912E7" * 2  # of the form of the runner's own
_COMMANDS = frozenset(
    {
        *("add-mask", "add-path", "add-matcher", "remove-matcher", "debug", "echo", "endgroup"),
        *("error", "group", "internal-set-repo-path", "notice", "save-state", "set-env"),
        *("set-output", "stop-commands", "warning"),
    }
)


@dataclass(frozen=True)
class Command:
    """A workflow command that the runner would obey."""

    name: str
    properties: Mapping[str, str]
    data: str


def command_in(line: str) -> Command | None:
    """Read a line as actions/runner does: its `ActionCommand.TryParseV2`, else `TryParse`."""
    trimmed = line.lstrip()
    if trimmed.startswith("::") and (end := trimmed.find("::", 2)) >= 0:
        name, _, rest = trimmed[2:end].partition(" ")
        if name in _COMMANDS:
            return Command(name, _pairs(rest, ","), _unescaped(trimmed[end + 2 :]))
    start = line.find("##[")
    if start >= 0 and (end := line.find("]", start)) >= 0:
        name, _, rest = line[start + 3 : end].partition(" ")
        if name in _COMMANDS:
            return Command(name, _pairs(rest, ";"), line[end + 1 :])
    return None


def _pairs(text: str, separator: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(separator) if "=" in part)
    return {key.strip(): _unescaped(value) for key, _, value in pairs}


def _unescaped(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


@dataclass
class Done:
    """How a job ended."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]
    environment: Mapping[str, str] = field(repr=False)

    @property
    def commands(self) -> list[Command]:
        return [found for line in self.log.splitlines() if (found := command_in(line)) is not None]

    def of(self, *names: str) -> list[Command]:
        return [command for command in self.commands if command.name in names]

    @property
    def shown(self) -> str:
        """The log as people see it: the runner swallows what it is asked to mask."""
        return "".join(
            f"{line}\n"
            for line in self.log.splitlines()
            if (found := command_in(line)) is None or found.name != "add-mask"
        )

    @property
    def everything(self) -> str:
        """All that anybody can read later."""
        return self.shown + self.summary + json.dumps(self.outputs)


class Runner:
    """The folders and variables of one job. `workspace` is where the repository is checked out."""

    def __init__(self, folder: Path, hub: StandIn | None = None) -> None:
        self.folder = folder / "github"
        for name in ("workspace", "home", "workflow", "file_commands", "runner_temp"):
            (self.folder / name).mkdir(parents=True)
        self.workspace = self.folder / "workspace"
        self.variables: dict[str, str] = {}
        if hub is not None:
            self.variables |= {
                name: value
                for name, value in hub.environment(TOKEN).items()
                if name != "GITHUB_TOKEN"
            }

    def environment(
        self, event: str, payload: Mapping[str, Any] | None, **inputs: str
    ) -> dict[str, str]:
        """All variables of the job; inputs are given with underscores, and arrive as they do."""
        files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH"):
            place = self.folder / "file_commands" / name.lower()
            place.write_bytes(b"")
            files[name] = str(place)
        file = self.folder / "workflow" / "event.json"
        file.write_text(json.dumps(payload or {}), encoding="utf-8")
        given = {
            "token": TOKEN,
            "offline": "true",
            **{name.replace("_", "-"): text for name, text in inputs.items()},
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.folder / "runner_temp"),
            "GITHUB_REF": "refs/heads/main",
            "ACTIONS_RUNTIME_TOKEN": "runtime-token-that-nobody-sees",
            **files,
            **{f"INPUT_{name.upper()}": text for name, text in given.items()},
            **self.variables,
        }

    def run(self, event: str, payload: Mapping[str, Any] | None = None, **inputs: str) -> Done:
        """One job, in this process."""
        environment = self.environment(event, payload, **inputs)
        known = dict(environment)
        log = io.StringIO()
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            code = action.main(environment)
        return self._done(code, log.getvalue(), known, environment)

    def start(self, event: str, payload: Mapping[str, Any] | None = None, **inputs: str) -> Done:
        """One job, in a process of its own, as the image's entry point."""
        known = self.environment(event, payload, **inputs)
        done = subprocess.run(
            [sys.executable, "-m", "hardhull"],
            env=known, cwd=self.workspace, check=False, capture_output=True, text=True,
        )  # fmt: skip
        return self._done(done.returncode, done.stdout + done.stderr, known, known)

    def _done(
        self, code: int, log: str, known: Mapping[str, str], after: Mapping[str, str]
    ) -> Done:
        for name in ("GITHUB_ENV", "GITHUB_PATH"):
            assert Path(known[name]).read_bytes() == b"", f"{name} is never written"
        summary = Path(known["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
        outputs = outputs_in(Path(known["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))
        return Done(code, log, summary, outputs, after)


def outputs_in(text: str) -> dict[str, str]:
    """Read GITHUB_OUTPUT as the runner does; fails where it would fail the step."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, mark = line.partition("<<")
        assert sign, f"no delimiter in {line!r}"
        assert re.fullmatch(r"hardhull_[0-9a-f]{32}", mark), "a delimiter nobody can guess"
        value = []
        for inner in lines:
            if inner == mark:
                break
            value.append(inner)
        else:
            raise AssertionError(f"{name} has no end")
        found[name] = "\n".join(value)
    return found


# ---------------------------------------------------------------- events and checkouts


def event_of(name: str, **change: Any) -> dict[str, Any]:
    """One of GitHub's published examples, with other values at dotted paths."""
    payload: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    for path, value in change.items():
        part = payload
        *folders, last = path.split("__")
        for folder in folders:
            part = part[folder]
        part[last] = value
    return payload


def pull_event(pull: PullHandle, action_name: str = "opened") -> dict[str, Any]:
    """The event of a pull request of the stand-in's."""
    return event_of(
        f"pull_request.{action_name}",
        number=pull.number,
        pull_request__number=pull.number,
        pull_request__base__ref=pull.it.base_ref,
        pull_request__base__sha=pull.on.head(pull.it.base_ref),
        pull_request__head__sha=pull.head,
        pull_request__head__ref=pull.it.head_ref,
        pull_request__head__repo__full_name=pull.it.head_repository.full_name,
        repository__full_name=pull.on.name,
        repository__default_branch=pull.on.it.default_branch,
    )


def check_out_merge(runner: Runner, pull: PullHandle) -> None:
    """What actions/checkout does for a pull request: one commit, the merge of both sides."""
    store = pull.on.it.store
    base = pull.on.head(pull.it.base_ref) or ""
    tree = merged_tree(store, base, pull.head)
    assert tree is not None, "it conflicts: GitHub starts no job"
    person = store.commit_object(base).author
    oid = store.commit(tree, [base, pull.head], person, person, "Merge\n")
    store.set_ref(f"refs/pull/{pull.number}/merge", oid)
    check_out(runner, pull.on, f"refs/pull/{pull.number}/merge", oid)


def check_out(runner: Runner, repository: RepositoryHandle, ref: str, oid: str) -> None:
    """A shallow checkout, as actions/checkout leaves it."""
    git = ["git", "-C", str(runner.workspace)]
    source = repository.it.store.path.as_uri()
    for command in (
        ["init", "-q", "-b", "main"],
        ["fetch", "-q", "--depth=1", "--no-tags", source, f"+{ref}:refs/remotes/work"],
        ["checkout", "-q", "--detach", "refs/remotes/work"],
    ):
        subprocess.run([*git, *command], check=True, capture_output=True)
    runner.variables |= {
        "GITHUB_SHA": oid,
        "GITHUB_REF": ref,
        "GITHUB_REPOSITORY": repository.name,
    }
