"""What the action takes and gives: one table, from which action.yml and its page are made.

The runner hands inputs over as `INPUT_` and the name in capitals, hyphens kept; a shell step can
only set names with underscores, so both count. An empty value is one that was not given.
"""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hardhull.model import Level, Severity, UsageError
from hardhull.pull_request.options import CommitMode, PullRequestOptions, SplitBy
from hardhull.settings import Pins, RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.settings import Settings


class Mode(enum.Enum):
    """What the user asked for: what the event suggests, or one thing whatever it is."""

    AUTO = "auto"
    CHECK = "check"
    FIX = "fix"
    BRING = "bring"


class Kind(enum.Enum):
    """How the text of an input is read."""

    TEXT = "text"
    WORD = "word"
    FLAG = "flag"
    LIST = "list"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Input:
    """One input.

    `feeds` names what it becomes, such as `Settings.level` or `PullRequestOptions.branch`.
    `default` is written in action.yml; empty means that something else decides.
    """

    name: str
    doc: str
    feeds: str
    kind: Kind = Kind.TEXT
    default: str = ""
    words: tuple[str, ...] = ()

    @property
    def field(self) -> str:
        """Its name in `Inputs`."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Output:
    """One output."""

    name: str
    doc: str


INPUTS: tuple[Input, ...] = (
    Input(
        "token",
        "Token for GitHub. With the job's own token, checks of the pull request wait until someone "
        "approves them; the token of a GitHub App starts them at once.",
        "GitHub.token",
        default="${{ github.token }}",
    ),
    Input(
        "mode",
        "`auto` does what fits the event: fix on a push to the base branch, a schedule or a manual "
        "run; check on a pull request. `check` never writes code. `fix` also runs on other events. "
        "`bring` does what an earlier job planned, and needs no checkout.",
        "Plan.mode",
        Kind.WORD,
        "auto",
        ("auto", "check", "fix", "bring"),
    ),
    Input(
        "plan-file",
        "For two jobs: write the plan here, relative to the workspace, instead of writing to "
        "GitHub; with `mode: bring`, do what it says.",
        "Plan.plan_file",
    ),
    Input("path", "Folder to work on, relative to the workspace.", "Plan.root", default="."),
    Input(
        "config",
        "Configuration, relative to the workspace; `.github/hardhull.yml` if not given. In a pull "
        "request the base branch's version of it counts.",
        "Settings",
    ),
    Input(
        "level",
        "`routine` makes only changes whose every precondition was checked; `review` also those "
        "where a person should look. The configuration decides if not given.",
        "Settings.level",
        Kind.WORD,
        words=("routine", "review"),
    ),
    Input(
        "pins",
        "`auto` pins images by digest and, on schedules and manual runs, refreshes pins that no "
        "update tool keeps fresh; `add` and `refresh` do only one of both (`refresh` for all "
        "pins), `off` neither. The configuration decides if not given.",
        "Settings.pins",
        Kind.WORD,
        words=("auto", "add", "refresh", "off"),
    ),
    Input(
        "fail-on",
        "Fail the job if a finding of at least this severity is left; in a pull request only new "
        "ones count.",
        "Plan.fail_on",
        Kind.WORD,
        "none",
        ("none", "low", "medium", "high"),
    ),
    Input(
        "digests",
        "File with recorded digests (`hardhull record`), relative to the workspace.",
        "Recorded",
    ),
    Input(
        "offline", "Contact no registry: only what is recorded is known.", "Ask", Kind.FLAG, "false"
    ),
    Input(
        "registry-allow",
        "Registries to contact beside the well-known and the configured ones, by comma or line.",
        "Settings.registries",
        Kind.LIST,
    ),
    Input(
        "azure-client-id",
        "Client id of the application whose identity the job takes for Azure's registries; needs "
        "`azure-tenant-id` and `permissions: id-token: write`. `AZURE_CLIENT_ID` decides if not "
        "given.",
        "Desk.AZURE_CLIENT_ID",
    ),
    Input(
        "azure-tenant-id",
        "Tenant of that application. `AZURE_TENANT_ID` decides if not given.",
        "Desk.AZURE_TENANT_ID",
    ),
    Input("base", "Branch to harden; the default branch if not given.", "PullRequestOptions.base"),
    Input(
        "branch",
        "Branch of the pull request.",
        "PullRequestOptions.branch",
        default="hardhull",
    ),
    Input(
        "title",
        "Title of the pull request; one that names the applications if not given.",
        "PullRequestOptions.title",
    ),
    Input(
        "labels",
        "Labels to set when the pull request is made, by comma or line.",
        "PullRequestOptions.labels",
        Kind.LIST,
    ),
    Input(
        "reviewers",
        "People to ask for a review when it is made, by comma or line.",
        "PullRequestOptions.reviewers",
        Kind.LIST,
    ),
    Input(
        "team-reviewers",
        "Teams to ask for a review when it is made, by comma or line; needs a token that may see "
        "teams.",
        "PullRequestOptions.team_reviewers",
        Kind.LIST,
    ),
    Input(
        "draft",
        "Make the pull request as a draft. Whether it stays one is yours.",
        "PullRequestOptions.draft",
        Kind.FLAG,
        "false",
    ),
    Input(
        "split-by",
        "One pull request, or one for each level, application or code owner. What belongs together "
        "is never split.",
        "PullRequestOptions.split_by",
        Kind.WORD,
        "none",
        ("none", "level", "application", "codeowners"),
    ),
    Input(
        "max-open-pull-requests",
        "At most so many open pull requests at a time, when they are split.",
        "PullRequestOptions.max_open",
        Kind.NUMBER,
        "10",
    ),
    Input(
        "commit-mode",
        "`api` makes commits that GitHub verifies; `git` pushes them, for other tokens and older "
        "servers.",
        "PullRequestOptions.commit_mode",
        Kind.WORD,
        "api",
        ("api", "git"),
    ),
    Input(
        "comment-commands",
        "Also follow `/hardhull regenerate` and `/hardhull retry` in comments of people who may "
        "write.",
        "PullRequestOptions.comment_commands",
        Kind.FLAG,
        "false",
    ),
    Input(
        "comment",
        "On other people's pull requests: `auto` keeps one comment while there is something to "
        "say; `never` leaves it to the job summary.",
        "Plan.comment",
        Kind.WORD,
        "auto",
        ("auto", "never"),
    ),
    Input(
        "annotations",
        "Show findings beside the code, worst first.",
        "Plan.annotations",
        Kind.FLAG,
        "true",
    ),
    Input(
        "report-file",
        "Write the whole report as JSON here, relative to the workspace.",
        "Plan.report_file",
    ),
    Input(
        "sarif-file",
        "Write SARIF for code scanning here, relative to the workspace.",
        "Plan.sarif_file",
    ),
    Input(
        "dry-run",
        "Write nothing to GitHub; the job summary says what would be done.",
        "PullRequestOptions.dry_run",
        Kind.FLAG,
        "false",
    ),
)

OUTPUTS: tuple[Output, ...] = (
    Output(
        "pull-request-operation",
        "What became of the pull request: `none`, `created`, `updated`, `closed`, `reopened` or "
        "`blocked`.",
    ),
    Output("blocked-reason", "Why it is blocked, in one line; empty if it is not."),
    Output("pull-request-number", "Its number; the first one's if there are several."),
    Output("pull-request-url", "Its address."),
    Output("pull-request-head-sha", "Its newest commit."),
    Output("pull-request-branch", "Its branch."),
    Output(
        "pull-requests",
        "All of them as JSON: a list of objects with `number`, `url`, `head_sha` and `branch`.",
    ),
    Output(
        "pull-request-commits-verified",
        "`true` if GitHub shows the commits as verified; empty if none was made.",
    ),
    Output(
        "checks",
        "`waiting` if checks of the pull request wait for an approval, `start` if they start by "
        "themselves; empty if there are none to speak of.",
    ),
    Output("findings", "Number of findings that are left; in a pull request, of new ones."),
    Output("fixes", "Number of changes that were made and verified."),
    Output("changed-files", "Paths of changed files, as a JSON list."),
    Output("report-file", "The report, if one was asked for and written."),
    Output("sarif-file", "The SARIF file, if one was asked for and written."),
    Output(
        "truncated",
        "`true` if annotations, job summary or SARIF show less than there is; the report file has "
        "all of it.",
    ),
)


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

    def options(self, repository: str, base: str | None) -> PullRequestOptions:
        """What is chosen about the pull request."""
        return PullRequestOptions(
            repository,
            base=base,
            branch=self.branch,
            title=self.title,
            labels=self.labels,
            reviewers=self.reviewers,
            team_reviewers=self.team_reviewers,
            draft=self.draft,
            split_by=self.split_by,
            max_open=self.max_open_pull_requests,
            commit_mode=self.commit_mode,
            dry_run=self.dry_run,
            comment_commands=self.comment_commands,
        )


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
