"""The inputs of the action, read from the runner's variables.

The runner hands inputs over as `INPUT_` and the name in capitals, hyphens kept; a shell step can
only set names with underscores, so both count. An empty value is one that was not given.
"""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hardhull.actions.table import INPUTS, Input, Kind
from hardhull.model import Level, Severity, UsageError
from hardhull.pull_request.options import CommitMode, PullRequestOptions, SplitBy
from hardhull.settings import Pins, RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.settings import Settings

_OPTIONS = f"{PullRequestOptions.__name__}."


class Mode(enum.Enum):
    """What the user asked for: what the event suggests, or one thing whatever it is."""

    AUTO = "auto"
    CHECK = "check"
    FIX = "fix"
    BRING = "bring"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs, read. None and empty tuples are what was not given."""

    token: str | None = None
    mode: Mode = Mode.AUTO
    plan_file: str | None = None
    path: str = "."
    config: str | None = None
    level: Level | None = None
    pins: Pins | None = None
    fail_on: Severity | None = None
    digests: str | None = None
    offline: bool = False
    registry_allow: tuple[str, ...] = ()
    azure_client_id: str | None = None
    azure_tenant_id: str | None = None
    base: str | None = None
    branch: str = "hardhull"
    title: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    draft: bool = False
    split_by: SplitBy = SplitBy.NONE
    max_open_pull_requests: int = 10
    commit_mode: CommitMode = CommitMode.API
    comment_commands: bool = False
    comment: str = "auto"
    annotations: bool = True
    report_file: str | None = None
    sarif_file: str | None = None
    dry_run: bool = False

    def settings(self, settings: Settings) -> Settings:
        """The configuration's settings with what the inputs say instead."""
        if self.level is not None:
            settings = replace(settings, level=self.level)
        if self.pins is not None:
            settings = replace(settings, pins=self.pins)
        if self.registry_allow:
            old = settings.registries
            wider = RegistrySettings(
                (*old.allow, *self.registry_allow), old.plain_http, old.mirrors
            )
            settings = replace(settings, registries=wider)
        return settings

    @property
    def variables(self) -> dict[str, str]:
        """What the client of the registries is told beside the environment."""
        given = {
            "AZURE_CLIENT_ID": self.azure_client_id,
            "AZURE_TENANT_ID": self.azure_tenant_id,
        }
        return {name: text for name, text in given.items() if text is not None}

    def options(self, repository: str) -> PullRequestOptions:
        """What is chosen about the pull request: each input for the option that it feeds."""
        chosen = {
            one.feeds.removeprefix(_OPTIONS): getattr(self, one.field)
            for one in INPUTS
            if one.feeds.startswith(_OPTIONS)
        }
        return PullRequestOptions(repository, **chosen)


# ---------------------------------------------------------------- reading

_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
"""YAML 1.2, and no other words: in 1.1 `no` was one, and so was Norway."""
_PREFIX = "INPUT_"
_MOST = 100
"""So large a number is a mistake."""


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Read all inputs. Raises UsageError that names the input and what was expected."""
    known = {one.name.upper(): one for one in INPUTS}
    texts: dict[str, str] = {}
    for name, text in environment.items():
        if not name.startswith(_PREFIX):
            continue
        wanted = name.removeprefix(_PREFIX).upper().replace("_", "-")
        if wanted not in known:
            shown = wanted.lower()
            near = difflib.get_close_matches(shown, [one.name for one in INPUTS], n=1)
            hint = f"did you mean `{near[0]}`?" if near else "docs/action.md lists them"
            raise UsageError(f"unknown input `{shown}`; {hint}")
        if text.strip():
            texts[wanted] = text.strip()
    values = {one.field: _value(one, texts[key]) for key, one in known.items() if key in texts}
    return Inputs(**values)


def _value(one: Input, text: str) -> Any:
    match one.kind:
        case Kind.FLAG:
            if text not in (*_TRUE, *_FALSE):
                _wrong(one, text, "`true` or `false`")
            return text in _TRUE
        case Kind.LIST:
            return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())
        case Kind.NUMBER:
            if not re.fullmatch(r"[1-9][0-9]{0,2}", text, re.ASCII) or int(text) > _MOST:
                _wrong(one, text, f"a whole number from 1 to {_MOST}")
            return int(text)
        case Kind.WORD:
            if text not in one.words:
                _wrong(one, text, f"one of {', '.join(f'`{word}`' for word in one.words)}")
            return _meaning(one, text)
        case Kind.TEXT:
            if not text.isprintable():
                _wrong(one, text, "one line of text")
            return text


def _meaning(one: Input, word: str) -> Any:
    match one.name:
        case "mode":
            return Mode(word)
        case "level":
            return Level(word)
        case "fail-on":
            return None if word == "none" else Severity(word)
        case "pins":
            return Pins(word)
        case "split-by":
            return SplitBy(word)
        case "commit-mode":
            return CommitMode(word)
        case _:
            return word


def _wrong(one: Input, text: str, expected: str) -> None:
    shown = "something secret" if one.name == "token" else f"`{text}`"
    raise UsageError(f"input `{one.name}`: {shown} does not fit; {expected} was expected")
