"""What the action takes and gives: one table, from which action.yml and its page are made."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
