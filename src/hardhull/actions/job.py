"""One job: what the runner said, read once, and what everything else is told of it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hardhull.actions.event import plan_for, read_event
from hardhull.actions.files import inside, read_payload, workspace_of
from hardhull.actions.inputs import read_inputs
from hardhull.commands.roots import config_of, recorded_of
from hardhull.configuration.reading import load
from hardhull.model import UsageError
from hardhull.report.places import Root
from hardhull.rules import BY_ID
from hardhull.settings import Settings
from hardhull.writing import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hardhull.actions.event import Event, Plan
    from hardhull.actions.inputs import Inputs
    from hardhull.actions.log import Log
    from hardhull.facts.asking import Desk
    from hardhull.facts.gather import Recorded
    from hardhull.pull_request.github import GitHub

_SHORT = 7


@dataclass(frozen=True)
class Job:
    """Inputs (their paths absolute), event and plan; `shown` says how files are called."""

    environment: Mapping[str, str]
    log: Log
    inputs: Inputs
    event: Event
    plan: Plan

    @classmethod
    def read(cls, environment: Mapping[str, str], log: Log) -> Job:
        """Read what the runner says. Raises UsageError."""
        inputs = read_inputs(environment)
        event = read_event(environment, read_payload(environment))
        return cls(environment, log, inputs, event, plan_for(event, inputs))

    @cached_property
    def workspace(self) -> Path:
        """Where the repository is checked out. Raises UsageError if nothing is."""
        return workspace_of(self.environment)

    @cached_property
    def root(self) -> Path:
        """The folder to work on. Raises UsageError if it is none, or not in the workspace."""
        place = inside(self.workspace, self.inputs.path, "path").resolve()
        if not place.is_dir():
            raise UsageError(f"input `path`: `{self.inputs.path}` is not a folder here")
        return place

    @cached_property
    def shown(self) -> Root:
        """How files of the root are called in the repository, wherever it is checked out."""
        folder = (git(self.root, "rev-parse", "--show-prefix") or b"").decode(
            "utf-8", "surrogateescape"
        )
        depth = folder.count("/")
        return Root.of(self.root, self.root.parents[depth - 1] if depth else self.root)

    @cached_property
    def config(self) -> str | None:
        """The configuration file of the inputs, if one is given."""
        file = self.inputs.config
        return str(inside(self.workspace, file, "config")) if file is not None else None

    def configured(self) -> Settings:
        """The settings that are checked out, before the inputs have their say. UsageError."""
        found = config_of(self.root, argparse.Namespace(config=self.config))
        return load(*found, BY_ID) if found is not None else Settings()

    @cached_property
    def recorded(self) -> Mapping[str, Recorded]:
        """What the digests file of the inputs says."""
        file = self.inputs.digests
        place = str(inside(self.workspace, file, "digests")) if file is not None else None
        return recorded_of(argparse.Namespace(digests=place))

    @property
    def token(self) -> str:
        """The token for GitHub. Raises UsageError if there is none."""
        names = ("GITHUB_TOKEN", "GH_TOKEN")
        token = self.inputs.token or next(filter(None, map(self.environment.get, names)), "")
        if not token:
            raise UsageError("input `token` is empty, and GITHUB_TOKEN is not set")
        return token

    def github(self) -> GitHub:
        """The account that the token speaks for. Raises UsageError."""
        from hardhull.pull_request.github import GitHub  # noqa: PLC0415  only where one is asked

        return GitHub.of_environment({**self.environment, "GITHUB_TOKEN": self.token})

    def desk(self) -> Desk | None:
        """Where registries are asked; None if nothing is to be contacted."""
        if self.inputs.offline:
            return None
        from hardhull.facts.asking import Desk  # noqa: PLC0415  slow to import

        # A login helper is started with these variables: it gets no input and no runner's token.
        given = {
            name: text
            for name, text in self.environment.items()
            if not name.startswith("INPUT_") and name != "ACTIONS_RUNTIME_TOKEN"
        }
        return Desk({"GITHUB_TOKEN": self.token, **given, **self.inputs.variables})

    @property
    def api_host(self) -> str:
        """The host of GitHub's API."""
        return urlsplit(self.environment.get("GITHUB_API_URL", "")).hostname or "api.github.com"

    def headline(self, what: str) -> str:
        """The first line of the summary: where, and what."""
        on = self.event.ref.removeprefix("refs/heads/").removeprefix("refs/")
        where = f"{on}@{self.event.sha[:_SHORT]}" if self.event.sha else on
        return " · ".join(part for part in (where, what) if part)
