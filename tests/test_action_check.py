"""The action on somebody's pull request: what is new in it, told once, and nothing written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hardhull.actions.comment import MARKER
from runner import TOKEN, Done, Runner, check_out, check_out_merge, pull_event

if TYPE_CHECKING:
    from pathlib import Path

    from standin import PullHandle, RepositoryHandle, StandIn

GOOD = (
    "FROM mcr.microsoft.com/dotnet/aspnet:10.0@sha256:" + "a" * 64 + "\n"
    "COPY out .\n"
    "USER $APP_UID\n"
    'ENTRYPOINT ["dotnet", "Api.dll"]\n'
)
BAD = GOOD.replace("USER $APP_UID\n", "")
OLD = {
    "src/Api/Dockerfile": GOOD,
    "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "src/Pay/Dockerfile": BAD.replace("Api", "Pay"),
    "readme.txt": "a shop\n",
}


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    hub.token(TOKEN, permissions={"contents": "read", "pull_requests": "write"})
    return hub.repository("acme/shop", OLD)


@pytest.fixture
def runner(tmp_path: Path, hub: StandIn) -> Runner:
    return Runner(tmp_path, hub)


def opened(
    shop: RepositoryHandle, files: dict[str, str | None], branch: str = "topic"
) -> PullHandle:
    shop.person_commits(branch, files, new=True)
    return shop.person_opens(branch)


def checked(runner: Runner, pull: PullHandle, **inputs: str) -> Done:
    if not (runner.workspace / ".git").exists():
        check_out_merge(runner, pull)
    return runner.run("pull_request", pull_event(pull), **inputs)


def test_only_what_is_new_is_told(hub: StandIn, shop: RepositoryHandle, runner: Runner) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD, "readme.txt": "a bigger shop\n"})

    done = checked(runner, pull)

    assert done.code == 0, done.log
    assert [c.properties["file"] for c in done.of("error")] == ["src/Api/Dockerfile"]
    assert done.outputs["findings"] == "1"
    assert done.outputs["pull-request-operation"] == "none"
    (comment,) = pull.comments
    assert comment.startswith(f"{MARKER}\n**hardhull: 1 new problem here** (1 older one on `main`")
    assert "`src/Api/Dockerfile:1`" in comment
    assert "src/Pay" not in comment
    assert "src/Api/Dockerfile" in done.summary
    assert "src/Pay" not in done.summary
    assert hub.writes == [f"POST issues/{pull.number}/comments"]
    # a tree, the old Dockerfile, the comments, the comment: the text file is not fetched
    assert len(hub.requests) == 4


def test_nothing_new_is_silent(hub: StandIn, shop: RepositoryHandle, runner: Runner) -> None:
    done = checked(runner, opened(shop, {"readme.txt": "a bigger shop\n"}))

    assert (done.code, done.of("error", "warning", "notice"), hub.writes) == (0, [], [])
    headline, contacted = done.summary.splitlines()[2::2]
    assert headline.endswith("nothing new, 1 older on main not shown")
    assert contacted == "Contacted: `127.0.0.1`."
    assert len(hub.requests) == 2


def test_the_comment_is_edited_in_place_and_left_alone_when_nothing_changed(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    checked(Runner(tmp_path / "1", hub), pull)
    hub.forget()
    assert checked(Runner(tmp_path / "2", hub), pull).code == 0
    assert hub.writes == []

    shop.person_commits("topic", {"src/New/Dockerfile": BAD.replace("Api", "New")})
    checked(Runner(tmp_path / "3", hub), pull)
    assert len(pull.comments) == 1
    assert "2 new problems" in pull.comments[0]

    shop.person_commits("topic", {"src/Api/Dockerfile": GOOD, "src/New/Dockerfile": None})
    hub.forget()
    done = checked(Runner(tmp_path / "4", hub), pull)
    assert done.code == 0
    assert pull.comments == [f"{MARKER}\nhardhull: nothing new here any more.\n"]
    assert [line.split()[0] for line in hub.writes] == ["PATCH"]


def test_at_most_three_rows_worst_first(shop: RepositoryHandle, runner: Runner) -> None:
    files = {f"src/{n}/Dockerfile": BAD.replace("Api", n) for n in ("A", "B", "C", "D")}
    files["src/E/Dockerfile"] = GOOD.replace("$APP_UID", "app").replace("Api", "E")
    pull = opened(shop, dict(files))

    done = checked(runner, pull)

    (comment,) = pull.comments
    rows = [line for line in comment.splitlines() if line.startswith("- ")]
    assert len(rows) == 3
    assert all("image-runs-as-root" in row for row in rows)
    assert "And 2 more" in comment
    assert "src/E/Dockerfile" in done.summary


def test_another_authors_marker_is_not_ours(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    pull.comment(f"{MARKER}\nlooks fine to me", by="ann")

    checked(runner, pull)

    assert pull.comments[0] == f"{MARKER}\nlooks fine to me"
    assert len(pull.comments) == 2
    assert hub.writes == [f"POST issues/{pull.number}/comments"]


def test_a_token_that_can_only_read_degrades_to_the_summary(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    hub.token(TOKEN, permissions={"contents": "read", "pull_requests": "read"})
    pull = opened(shop, {"src/Api/Dockerfile": BAD})

    done = checked(runner, pull, fail_on="high")

    assert (done.code, pull.comments) == (1, [])
    assert "give the job `pull-requests: write`" in done.log
    assert len(done.of("error")) == 1
    assert "src/Api/Dockerfile" in done.summary


@pytest.mark.parametrize(("fail_on", "code"), [("none", 0), ("high", 4)])
def test_a_base_that_cannot_be_read_is_told_and_never_judged(
    hub: StandIn, shop: RepositoryHandle, runner: Runner, fail_on: str, code: int
) -> None:
    hub.token(TOKEN, permissions={})
    done = checked(runner, opened(shop, {"src/Api/Dockerfile": BAD}), fail_on=fail_on)

    assert done.code == code
    assert "can't be read" in done.log
    assert "`contents: read`" in done.log
    assert hub.writes == []


def test_the_base_configuration_counts(shop: RepositoryHandle, runner: Runner) -> None:
    off = "rules:\n  image-runs-as-root: off\n"
    pull = opened(shop, {"src/Api/Dockerfile": BAD, ".github/hardhull.yml": off})

    done = checked(runner, pull)

    assert done.outputs["findings"] == "1"
    assert ".github/hardhull.yml is changed here: it counts once merged" in done.log


def test_a_broken_configuration_in_the_pull_request_is_only_told(
    shop: RepositoryHandle, runner: Runner
) -> None:
    done = checked(runner, opened(shop, {".github/hardhull.yml": "rule: {}\n"}))

    assert done.code == 0
    assert "once merged, it would be refused" in done.log
    assert "did you mean `rules`" in done.log


def test_a_configuration_of_the_base_that_the_pull_request_removes(
    shop: RepositoryHandle, runner: Runner
) -> None:
    shop.person_commits("main", {".github/hardhull.yml": "rules:\n  image-runs-as-root: off\n"})
    pull = opened(shop, {"src/Api/Dockerfile": BAD, ".github/hardhull.yml": None})

    assert checked(runner, pull).outputs["findings"] == "0"


def test_a_head_that_was_checked_out_itself_is_compared_with_the_common_ancestor(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    shop.person_commits("main", {"src/Pay/Dockerfile": GOOD.replace("Api", "Pay")})
    check_out(runner, shop, "refs/heads/topic", pull.head)

    done = checked(runner, pull)

    assert done.outputs["findings"] == "1", "what main fixed meanwhile is not new here"
    assert len(hub.requests) == 5


def test_a_moved_and_a_removed_file(shop: RepositoryHandle, runner: Runner) -> None:
    pull = opened(
        shop,
        {
            "src/Pay/Dockerfile": None,
            "src/Api/Dockerfile": None,
            "src/Front/Dockerfile": GOOD.replace("Api", "Front"),
        },
    )
    done = checked(runner, pull)

    assert (done.code, done.outputs["findings"]) == (0, "0")


def test_a_folder_below_the_top(shop: RepositoryHandle, runner: Runner) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})

    done = checked(runner, pull, path="src/Api")

    assert [c.properties["file"] for c in done.of("error")] == ["src/Api/Dockerfile"]
    assert "hardhull fix src/Api" in pull.comments[0]


def test_locked_conversations_are_left_alone(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    pull.lock()
    done = checked(runner, pull)

    assert (done.code, hub.writes) == (0, [])
    assert "locked" in done.log


@pytest.mark.parametrize("inputs", [{"comment": "never"}, {"dry_run": "true"}])
def test_no_comment_when_none_is_wanted(
    hub: StandIn, shop: RepositoryHandle, runner: Runner, inputs: dict[str, str]
) -> None:
    done = checked(runner, opened(shop, {"src/Api/Dockerfile": BAD}), **inputs)

    assert (done.code, hub.writes) == (0, [])
    assert "src/Api/Dockerfile" in done.summary


def test_files_for_other_tools_have_everything(shop: RepositoryHandle, runner: Runner) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    done = checked(runner, pull, report_file="out/report.json", sarif_file="hardhull.sarif")

    report = json.loads((runner.workspace / "out/report.json").read_text())
    assert {f["path"] for f in report["findings"]} == {"src/Api/Dockerfile", "src/Pay/Dockerfile"}
    sarif = json.loads((runner.workspace / "hardhull.sarif").read_text())
    assert len(sarif["runs"][0]["results"]) == 2
    assert done.outputs["report-file"] == "out/report.json"
    assert done.outputs["sarif-file"] == "hardhull.sarif"


# ---------------------------------------------------------------- lines that went

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: api
spec:
  containers:
    - name: api
      image: acme.example/api:1
      securityContext:
        allowPrivilegeEscalation: false
"""


def within(hub: StandIn, changed: int) -> bool:
    """Whether a check cost no more than it may: 4 requests, and one for each changed file."""
    return len(hub.requests) <= 4 + changed


def test_the_comment_tells_what_the_base_has_and_which_commit_took_it_away(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"readme.txt": "first\n"})
    taken = shop.person_commits("topic", {"src/Api/Dockerfile": BAD})
    shop.person_commits("topic", {"readme.txt": "last\n"})

    checked(runner, pull)

    (comment,) = pull.comments
    assert f"On `main`: `USER $APP_UID`, gone in {taken[:7]}. Fix: " in comment
    assert len(hub.requests) == 4
    assert within(hub, 2)


def test_of_several_commits_that_touched_the_file_the_one_that_took_the_line_is_told(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": f"# api\n{GOOD}"})
    taken = shop.person_commits("topic", {"src/Api/Dockerfile": f"# api\n{BAD}"})
    shop.person_commits("topic", {"src/Api/Dockerfile": f"# the api\n{BAD}"})

    checked(runner, pull)

    assert f"gone in {taken[:7]}." in pull.comments[0]
    assert within(hub, 1)


def test_a_line_that_came_back_and_went_again_went_in_the_later_commit(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": BAD})
    shop.person_commits("topic", {"src/Api/Dockerfile": GOOD})
    taken = shop.person_commits("topic", {"src/Api/Dockerfile": f"{BAD}# again\n"})

    checked(runner, pull)

    assert f"gone in {taken[:7]}." in pull.comments[0]
    assert within(hub, 1)


def test_where_a_request_more_would_be_too_many_no_commit_is_told(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    pull = opened(shop, {"src/Api/Dockerfile": f"# api\n{GOOD}"})
    shop.person_commits("topic", {"src/Api/Dockerfile": BAD})
    check_out(runner, shop, "refs/heads/topic", pull.head)

    checked(runner, pull)

    assert "On `main`: `USER $APP_UID`. Fix: " in pull.comments[0]
    assert len(hub.requests) == 5
    assert within(hub, 1)


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (
            MANIFEST.replace("Escalation: false", "Escalation: true"),
            "allowPrivilegeEscalation: false",
        ),
        (
            "\n".join(MANIFEST.splitlines()[:-2]) + "\n  restartPolicy: Always\n",
            "allowPrivilegeEscalation: false",
        ),
    ],
    ids=["another value", "the whole block"],
)
def test_a_setting_of_a_manifest_that_was_changed_or_removed(
    hub: StandIn, shop: RepositoryHandle, runner: Runner, now: str, line: str
) -> None:
    shop.person_commits("main", {"k8s/api.yaml": MANIFEST, "compose.yaml": COMPOSE})
    pull = opened(shop, {"k8s/api.yaml": now})

    checked(runner, pull)

    (comment,) = pull.comments
    rows = [row for row in comment.splitlines() if "(`privilege-escalation" in row]
    assert len(rows) == 1, comment
    assert f"On `main`: `{line}`, gone in {pull.head[:7]}" in rows[0]
    assert within(hub, 1)


COMPOSE = "services:\n  api:\n    build: src/Api\n    image: acme.example/api:1\n"


def test_a_server_without_files_of_commits_still_gets_the_comment(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    hub.world.lacking |= {"Commit.file"}
    pull = opened(shop, {"src/Api/Dockerfile": BAD})

    done = checked(runner, pull)

    assert done.code == 0, done.log
    assert "On `main`: `USER $APP_UID`. Fix: " in pull.comments[0]
    assert within(hub, 1)


def test_what_was_never_there_has_no_history(shop: RepositoryHandle, runner: Runner) -> None:
    pull = opened(shop, {"src/New/Dockerfile": BAD.replace("Api", "New")})

    checked(runner, pull)

    assert "On `main`" not in pull.comments[0]


def test_a_line_whose_return_would_not_help_is_not_told(
    shop: RepositoryHandle, runner: Runner
) -> None:
    """The stage that ran as a user is gone altogether: its USER line explains nothing."""
    before = GOOD.replace("FROM ", "FROM scratch AS old\nUSER 1000\nFROM ", 1)
    shop.person_commits("main", {"src/Api/Dockerfile": before})
    pull = opened(shop, {"src/Api/Dockerfile": BAD})

    checked(runner, pull)

    assert "`USER 1000`" not in pull.comments[0]


def test_what_the_base_has_is_text_and_no_markdown(shop: RepositoryHandle, runner: Runner) -> None:
    hostile = "allowPrivilegeEscalation: false # `</b>` @acme/all <!-- hardhull:report v1 -->"
    manifest = MANIFEST.replace("allowPrivilegeEscalation: false", hostile)
    shop.person_commits("main", {"k8s/api.yaml": manifest, "compose.yaml": COMPOSE})
    pull = opened(shop, {"k8s/api.yaml": MANIFEST.replace("Escalation: false", "Escalation: true")})

    checked(runner, pull)

    (comment,) = pull.comments
    shown = hostile.replace("<!--", r"<!\x2d-")
    assert f"On `main`: ``{shown}``, gone in {pull.head[:7]}" in comment
    assert comment.count(MARKER) == 1
