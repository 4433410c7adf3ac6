"""The states a pull request can be in, each as a scenario: all writes that are made, no other.

Numbers are those of the table that the pull request was designed by; what it does not number
comes from the project's own promises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bringing import (
    BOT,
    CLOSE,
    CREATE,
    DIGEST,
    ESCALATION,
    FIXED,
    MANIFEST,
    NAMES,
    OBJECTS,
    REWRITE,
    SECCOMP,
    USER,
    Scene,
)
from hardhull.pull_request.options import Operation
from hardhull.rules import RULES
from standin import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hardhull.model import Finding
    from standin import StandIn

YAML = "deploy/api.yaml"
NOTHING = ("docker-socket",)


@pytest.fixture
def scene(hub: StandIn, tmp_path: Path) -> Scene:
    return Scene.make(hub, tmp_path)


@pytest.fixture
def opened(scene: Scene) -> Scene:
    """With a pull request that was opened by an earlier run."""
    assert scene.bring().operation is Operation.CREATED
    scene.hub.forget()
    return scene


def test_01_nothing_to_do(scene: Scene) -> None:
    scene.select = NOTHING
    brought = scene.bring()

    assert (brought.operation, scene.hub.writes) == (Operation.NONE, [])
    assert brought.requests <= 3


def test_02_a_branch_of_ours_that_nobody_needs(scene: Scene) -> None:
    scene.repository.it.actions_may_open_pulls = False
    assert scene.bring().refused
    scene.select = NOTHING
    brought, writes = scene.again()

    assert (brought.operation, writes) == (Operation.NONE, ["updateRefs delete hardhull"])


def test_02_a_branch_of_someone_else(scene: Scene) -> None:
    head = scene.repository.person_commits("hardhull", {"a": "a"}, new=True)
    scene.select = NOTHING
    brought = scene.bring()

    assert (scene.hub.writes, scene.repository.head("hardhull")) == ([], head)
    assert "not ours" in brought.notes[0]


def test_03_solved_by_someone_else(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: FIXED})
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.CLOSED, CLOSE)
    assert (opened.pull.state, opened.repository.branches()) == ("closed", ["main"])
    assert (opened.repository.head() or "") in opened.pull.comments[0]
    assert opened.again()[1] == []


def test_03_the_same_problem_is_back_within_a_week(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: FIXED})
    opened.again()
    opened.repository.person_reverts({YAML: MANIFEST})
    opened.hub.clock.advance(days=6)
    brought, writes = opened.again()

    assert brought.operation is Operation.REOPENED
    assert writes == ["updateRefs create hardhull", "PATCH pulls/1 body state=open", *REWRITE]
    assert (opened.pull.number, opened.pull.state) == (1, "open")
    assert opened.repository.files("hardhull")[YAML].decode() == FIXED
    assert brought.pull_requests[0].head_sha == opened.repository.head("hardhull")
    assert opened.again()[1] == []


def test_03_the_same_problem_is_back_later(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: FIXED})
    opened.again()
    opened.repository.person_reverts({YAML: MANIFEST})
    opened.hub.clock.advance(days=9)
    brought, writes = opened.again()

    assert (brought.operation, writes, opened.pull.number) == (Operation.CREATED, CREATE, 2)


def test_03_what_can_not_be_opened_again_is_opened_anew(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: FIXED})
    opened.again()
    opened.repository.person_reverts({YAML: MANIFEST})
    opened.hub.forget()
    opened.hub.faults.on(r"PATCH .*/pulls/1$", Fault.UNRESOLVED, times=3)
    brought = opened.bring()

    assert [pull.state for pull in opened.repository.pulls.values()] == ["closed", "open"]
    assert brought.pull_requests[0].number == 2


def test_04_solved_but_someone_committed_here(opened: Scene) -> None:
    mine = opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.repository.person_commits("main", {YAML: FIXED})
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.UPDATED, ["PATCH pulls/1 body"])
    assert "Nothing is left to change" in opened.pull.body
    assert (opened.pull.state, opened.repository.head("hardhull")) == ("open", mine)
    assert opened.again()[1] == []


def test_05_something_to_do(scene: Scene) -> None:
    brought = scene.bring()

    assert (brought.operation, scene.hub.writes) == (Operation.CREATED, CREATE)
    assert scene.repository.files("hardhull")[YAML].decode() == FIXED
    assert brought.commits_verified is True
    assert brought.pull_requests[0].head_sha == scene.repository.head("hardhull")
    assert scene.again()[1] == []


def test_06_the_branch_is_there_but_no_pull_request(scene: Scene) -> None:
    scene.repository.it.actions_may_open_pulls = False
    brought = scene.bring()
    assert brought.refused
    assert "Workflow permissions" in brought.blocked_reason
    scene.repository.it.actions_may_open_pulls = True
    brought, writes = scene.again()

    assert (brought.operation, writes) == (Operation.CREATED, ["POST pulls"])
    assert scene.again()[1] == []


def test_06_the_branch_is_there_with_older_content(scene: Scene) -> None:
    scene.repository.it.actions_may_open_pulls = False
    scene.bring()
    scene.repository.it.actions_may_open_pulls = True
    scene.repository.person_commits("main", {"other": "1\n"})

    assert scene.again()[1] == [*OBJECTS, "updateRefs move hardhull force", "POST pulls"]


def test_07_the_branch_is_someone_elses(scene: Scene) -> None:
    head = scene.repository.person_commits("hardhull", {"a": "a"}, new=True)
    brought = scene.bring()

    assert (brought.operation, scene.hub.writes) == (Operation.BLOCKED, [])
    assert not brought.refused
    assert "branch hardhull" in brought.blocked_reason
    assert scene.repository.head("hardhull") == head


def test_07_our_branch_with_a_commit_on_top(scene: Scene) -> None:
    scene.repository.it.actions_may_open_pulls = False
    scene.bring()
    scene.repository.it.actions_may_open_pulls = True
    scene.repository.person_commits("hardhull", {"a": "a"})
    brought, writes = scene.again()

    assert (brought.operation, writes) == (Operation.BLOCKED, [])


def test_08_all_is_there(opened: Scene) -> None:
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.NONE, [])
    assert brought.requests <= 5
    assert [pull.number for pull in brought.pull_requests] == [1]


def test_09_more_to_do(opened: Scene) -> None:
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert brought.operation is Operation.UPDATED
    assert writes == [
        "POST git/blobs",
        *OBJECTS,
        *OBJECTS[1:],
        "PATCH pulls/1 body",
        "updateRefs move hardhull force",
    ]
    assert len(opened.repository.log("hardhull")) == 2
    assert opened.again()[1] == []


def test_10_the_base_moved_on(opened: Scene) -> None:
    opened.repository.person_commits("main", {"other": "1\n"})

    assert opened.again()[1] == []


def test_10_the_base_moved_on_in_the_same_file(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: f"# above\n{MANIFEST}"})

    assert opened.again()[1] == []


@pytest.mark.parametrize("classic", [True, False])
def test_10_the_base_moved_on_and_rules_are_strict(opened: Scene, *, classic: bool) -> None:
    may_see = {"contents": "write", "pull_requests": "write", "administration": "read"}
    opened.hub.token("ghs_t", permissions=may_see)
    opened.repository.rule(
        "required_status_checks", "main", classic=classic,
        strict_required_status_checks_policy=True, required_status_checks=[{"context": "build"}],
    )  # fmt: skip
    opened.repository.person_commits("main", {"other": "1\n"})

    assert opened.again()[1] == REWRITE
    assert opened.again()[1] == []


def test_11_a_conflict(opened: Scene) -> None:
    moved = MANIFEST.replace("image: acme.example/api:1.4.2", "image: acme.example/api:1.5.0")
    opened.repository.person_commits("main", {YAML: moved})
    assert opened.again()[1] == REWRITE
    assert b"api:1.5.0" in opened.repository.files("hardhull")[YAML]
    assert opened.again()[1] == []


def test_12_someone_committed_here(opened: Scene) -> None:
    mine = opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.UPDATED, ["PATCH pulls/1 body"])
    assert "Paused:** 1 commit by others" in opened.pull.body
    assert opened.repository.head("hardhull") == mine
    assert opened.again()[1] == []


def test_12_until_the_box_is_ticked(opened: Scene) -> None:
    opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.again()
    opened.pull.tick("<!-- regenerate -->")
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.UPDATED, REWRITE)
    assert "mine" not in opened.repository.files("hardhull")
    assert "Paused" not in opened.pull.body
    assert opened.again()[1] == []


def test_12_an_amended_commit_is_someones(opened: Scene) -> None:
    mine = opened.repository.person_amends("hardhull", {YAML: FIXED + "# mine\n"})
    opened.select = (ESCALATION, SECCOMP)

    assert opened.again()[1] == ["PATCH pulls/1 body"]
    assert opened.repository.head("hardhull") == mine


def test_12_an_accepted_suggestion_is_someones(opened: Scene) -> None:
    mine = opened.pull.accepts_suggestion({YAML: FIXED + "# mine\n"})
    opened.select = (ESCALATION, SECCOMP)

    assert opened.again()[1] == ["PATCH pulls/1 body"]
    assert opened.repository.head("hardhull") == mine


def test_12_a_button_that_merges_the_base_is_nobodys(opened: Scene) -> None:
    opened.repository.person_commits("main", {"other": "1\n"})
    opened.pull.update_branch()
    assert opened.again()[1] == []
    opened.select = (ESCALATION, SECCOMP)
    writes = opened.again()[1]

    assert writes[-2:] == ["PATCH pulls/1 body", "updateRefs move hardhull force"]
    assert opened.again()[1] == []


def test_12_the_commits_went_away_again(opened: Scene) -> None:
    before = opened.repository.head("hardhull")
    opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.again()
    opened.repository.moves("hardhull", before or "")

    assert opened.again()[1] == ["PATCH pulls/1 body"]
    assert "Paused" not in opened.pull.body
    assert opened.again()[1] == []


def test_13_closed_by_a_person(opened: Scene) -> None:
    opened.pull.close()
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.NONE, ["updateRefs delete hardhull"])
    opened.hub.clock.advance(days=400)
    assert opened.again()[1] == []


def test_13_what_is_new_still_gets_a_pull_request(opened: Scene) -> None:
    opened.pull.close()
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert brought.operation is Operation.CREATED
    assert writes == [*OBJECTS, "updateRefs move hardhull force", "POST pulls"]
    text = opened.repository.files("hardhull")[YAML].decode()
    assert ("seccompProfile" in text, "allowPrivilegeEscalation" in text) == (True, False)
    assert "Refused before" in opened.pull.body
    assert opened.again()[1] == []
    opened.pull.close()
    assert opened.again()[1] == ["updateRefs delete hardhull"]


def test_13_a_label_takes_the_no_back(opened: Scene) -> None:
    opened.pull.close()
    opened.again()
    opened.pull.label("hardhull:retry")

    assert opened.again()[1] == CREATE


def test_13_opening_it_again_takes_the_no_back(opened: Scene) -> None:
    opened.pull.close()
    opened.pull.reopen()

    assert opened.again()[1] == []


def test_13_a_closed_one_with_commits_of_a_person_is_not_overwritten(opened: Scene) -> None:
    mine = opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.pull.close()
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.BLOCKED, [])
    assert opened.repository.head("hardhull") == mine


def test_14_closed_by_our_own_login_is_not_closed_by_us(opened: Scene) -> None:
    opened.pull.goes_stale(by=BOT)
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.NONE, [])
    assert "quiet until" in brought.notes[0]
    opened.hub.clock.advance(days=89)
    assert opened.again()[1] == []
    opened.hub.clock.advance(days=2)
    assert opened.again()[1][-1] == "POST pulls"


def test_15_merged(opened: Scene) -> None:
    opened.pull.merge()
    assert opened.again()[1] == ["updateRefs delete hardhull"]
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.CREATED, CREATE)
    assert opened.again()[1] == []


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_15_merged_and_reverted(opened: Scene, method: str) -> None:
    opened.pull.merge(method=method)
    opened.repository.person_reverts({YAML: MANIFEST})
    brought, writes = opened.again()

    assert writes == ["updateRefs delete hardhull"]
    assert "reverted" in brought.notes[0]
    opened.hub.clock.advance(days=91)
    assert opened.again()[1] == CREATE


def test_16_a_draft_is_made_once(scene: Scene) -> None:
    scene.bring(draft=True)
    assert scene.pull.it.draft
    scene.pull.ready()
    scene.select = (ESCALATION, SECCOMP)
    scene.again(draft=True)

    assert not scene.pull.it.draft


def test_16_a_draft_of_a_persons_stays(opened: Scene) -> None:
    opened.pull.to_draft()
    opened.select = (ESCALATION, SECCOMP)
    opened.again()

    assert opened.pull.it.draft


def test_17_in_the_merge_queue(opened: Scene) -> None:
    opened.pull.enqueue()
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert (brought.operation, writes) == (Operation.NONE, [])
    assert "merge queue" in brought.notes[0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("creation", "forbids to create this branch"),
        ("required_signatures", "commit-mode api"),
    ],
)
def test_18_a_rule_forbids_our_branch(scene: Scene, rule: str, said: str) -> None:
    scene.repository.rule(rule, "hardhull*")
    scene.hub.token("pat", actor="ann")
    brought = scene.bring(token="pat")  # noqa: S106  a test's

    assert (brought.operation, brought.refused) == (Operation.BLOCKED, True)
    assert said in brought.blocked_reason
    assert "\n" not in brought.blocked_reason


@pytest.mark.parametrize(
    ("rule", "said"),
    [("non_fast_forward", "force-push"), ("update", "protect"), ("pull_request", "pull request")],
)
def test_18_a_rule_forbids_to_rewrite_it(opened: Scene, rule: str, said: str) -> None:
    opened.repository.rule(rule, "hardhull*")
    opened.select = (ESCALATION, SECCOMP)
    brought, _ = opened.again()

    assert (brought.operation, brought.refused) == (Operation.BLOCKED, True)
    assert said in brought.blocked_reason
    assert "exempt" in brought.blocked_reason


def test_19_labels_are_given_once(scene: Scene) -> None:
    brought = scene.bring(labels=("security", "docker"))
    assert scene.hub.writes == [*CREATE, "POST issues/1/labels"]
    assert brought.notes == ()
    assert scene.again(labels=("security", "docker"))[1] == []
    scene.pull.unlabel("docker")
    scene.select = (ESCALATION, SECCOMP)
    writes = scene.again(labels=("security", "docker"))[1]

    assert "POST issues/1/labels" not in writes
    assert scene.pull.labels == ["security"]


def test_20_a_title_of_a_persons_stays(opened: Scene) -> None:
    opened.pull.edit(title="chore: harden")
    opened.select = (ESCALATION, SECCOMP, USER)
    opened.again()

    assert opened.pull.title == "chore: harden"


def test_20_our_own_title_follows(opened: Scene) -> None:
    assert opened.pull.title == "Harden containers: Api"
    opened.select = (ESCALATION, "writable-root-filesystem")
    opened.again()

    assert opened.pull.title == "Harden containers: Api (1 needs a look)"


def test_21_what_people_wrote_around_our_part_stays(opened: Scene) -> None:
    opened.pull.edit(body=f"Mine above\r\n{opened.pull.body}\r\nMine below")
    assert opened.again()[1] == []
    opened.select = (ESCALATION, SECCOMP)
    opened.again()

    assert opened.pull.body.startswith("Mine above")
    assert opened.pull.body.endswith("Mine below")
    assert "2 changes in 1 file" in opened.pull.body
    assert opened.again()[1] == []


def test_21_a_body_without_our_part_is_not_edited(opened: Scene) -> None:
    opened.pull.edit(body="All mine.")
    assert opened.again()[1] == []
    opened.select = (ESCALATION, SECCOMP)
    writes = opened.again()[1]

    assert writes[-1] == "updateRefs move hardhull force"
    assert opened.pull.body == "All mine."
    assert opened.again()[1] == []


def test_22_it_goes_to_another_base_now(opened: Scene) -> None:
    opened.repository.makes_branch("release")
    opened.pull.edit(base="release")
    opened.select = (ESCALATION, SECCOMP)

    assert opened.again()[1] == ["PATCH pulls/1 body"]
    assert "another branch" in opened.pull.body
    assert opened.again()[1] == []


def test_23_another_run_is_faster(scene: Scene) -> None:
    scene.hub.faults.before("updateRefs", lambda: scene.bring_stale(token="other"))  # noqa: S106
    brought = scene.bring()

    assert len(scene.repository.pulls) == 1
    assert len(scene.repository.log("hardhull")) == 1
    assert not brought.refused
    assert scene.again()[1] == []


def test_24_the_pull_request_is_there_already(scene: Scene) -> None:
    scene.hub.faults.before(r"POST .*/pulls$", scene.bring_stale)
    brought = scene.bring()

    assert len(scene.repository.pulls) == 1
    assert not brought.refused
    assert scene.again()[1] == []


def test_25_labels_come_late(scene: Scene) -> None:
    scene.hub.faults.on("labels", Fault.UNRESOLVED, times=2)
    brought = scene.bring(labels=("security",))

    assert (brought.operation, brought.notes) == (Operation.CREATED, ())
    assert scene.pull.labels == ["security"]


def test_25_labels_that_can_not_be_set_are_no_failure(scene: Scene) -> None:
    scene.hub.faults.on("labels", Fault.UNRESOLVED, times=9)
    brought = scene.bring(labels=("security",))

    assert (brought.operation, brought.refused) == (Operation.CREATED, False)
    assert "labels could not be set" in brought.notes[0]


def test_25_reviewers_who_can_not_be(scene: Scene) -> None:
    brought = scene.bring(reviewers=("stranger",))

    assert brought.operation is Operation.CREATED
    assert "requested reviewers could not be set" in brought.notes[0]


def test_26_the_branch_name_clashes(scene: Scene) -> None:
    scene.repository.makes_branch("hardhull/mine")
    brought = scene.bring()

    assert scene.hub.writes == [*OBJECTS, "updateRefs create hardhull-fix", "POST pulls"]
    assert brought.pull_requests[0].branch == "hardhull-fix"
    assert scene.again()[1] == []


def test_27_a_locked_conversation(opened: Scene) -> None:
    opened.pull.lock()
    opened.hub.token("ghs_t", permissions={"contents": "write", "pull_requests": "write"})
    opened.repository.person_commits("main", {YAML: FIXED})
    brought, _ = opened.again()

    assert brought.operation is Operation.CLOSED
    assert opened.pull.state == "closed"


@pytest.mark.parametrize("what", ["archived", "disabled", "locked", "mirror"])
def test_28_a_repository_that_takes_nothing(scene: Scene, what: str) -> None:
    setattr(scene.repository.it, what, True)
    brought = scene.bring()

    assert (brought.operation, scene.hub.writes) == (Operation.NONE, [])
    assert f"{what}" in brought.notes[0]


def test_29_an_empty_repository(hub: StandIn, scene: Scene) -> None:
    hub.repository("acme/empty")
    brought = scene.bring(repository="acme/empty")

    assert (brought.operation, scene.hub.writes) == (Operation.NONE, [])
    assert "empty" in brought.notes[0]


def test_30_a_fork_with_our_branchs_name(hub: StandIn, scene: Scene) -> None:
    fork = hub.fork(scene.repository, "eve")
    fork.person_commits("hardhull", {"a": "evil\n"}, by="eve", new=True)
    scene.repository.person_opens("hardhull", by="eve", source=fork)
    brought = scene.bring()

    assert (brought.operation, scene.hub.writes) == (Operation.CREATED, CREATE)


def test_31_a_repository_that_moved(hub: StandIn, opened: Scene) -> None:
    hub.rename(opened.repository, "acme/store")
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()

    assert (brought.operation, writes[-1]) == (Operation.UPDATED, "updateRefs move hardhull force")


def test_32_the_default_branch_got_another_name(opened: Scene) -> None:
    opened.repository.renames_default_branch("trunk")

    assert opened.again()[1] == []


def test_33_a_token_that_may_only_read(scene: Scene) -> None:
    scene.hub.token("weak", permissions={"contents": "read", "pull_requests": "read"})
    brought = scene.bring(token="weak")  # noqa: S106  a test's

    assert (brought.operation, brought.refused) == (Operation.BLOCKED, True)
    assert "contents: write" in brought.blocked_reason
    assert scene.hub.writes == ["POST git/blobs → 403"]


def test_34_nobody_reacts(opened: Scene) -> None:
    opened.hub.clock.advance(days=31)
    moved = MANIFEST.replace("image: acme.example/api:1.4.2", "image: acme.example/api:1.5.0")
    opened.repository.person_commits("main", {YAML: moved})
    assert opened.again()[1] == []
    opened.hub.clock.advance(days=60)
    assert opened.again()[1] == ["PATCH pulls/1 body"]
    assert "nobody reacted for 90 days" in opened.pull.body
    opened.select = (ESCALATION, SECCOMP)
    assert opened.again()[1] == []
    opened.pull.comment("still interested")
    assert opened.again()[1][-1] == "updateRefs move hardhull force"
    assert "nobody reacted" not in opened.pull.body


# ---------------------------------------------------------------- the project's own promises


def test_an_approved_one_is_rewritten_for_a_conflict_only(opened: Scene) -> None:
    opened.repository.rule("pull_request", "main", required_approving_review_count=1)
    opened.pull.approve()
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again()
    assert writes == []
    assert "approved" in brought.notes[0]
    moved = MANIFEST.replace("image: acme.example/api:1.4.2", "image: acme.example/api:1.5.0")
    opened.repository.person_commits("main", {YAML: moved})

    assert opened.again()[1][-1] == "updateRefs move hardhull force"


def test_one_that_will_merge_by_itself_is_left(opened: Scene) -> None:
    opened.pull.enable_auto_merge()
    opened.select = (ESCALATION, SECCOMP)

    assert opened.again()[1] == []


def test_a_new_versions_wording_changes_nothing(
    opened: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hardhull.pull_request.body.__version__", "99.0")
    monkeypatch.setattr("hardhull.pull_request.body._checked", lambda: "All is well.")
    monkeypatch.setattr("hardhull.pull_request.commits._subject", lambda *_: "Another subject")

    assert opened.again()[1] == []


def test_a_box_refuses_one_fix(scene: Scene) -> None:
    scene.select = (ESCALATION, SECCOMP)
    scene.bring()
    scene.pull.tick("no to 1")
    writes = scene.again()[1]

    assert writes == REWRITE
    text = scene.repository.files("hardhull")[YAML].decode()
    assert ("seccompProfile" in text, "allowPrivilegeEscalation" in text) == (True, False)
    assert "Refused before" in scene.pull.body
    assert scene.again()[1] == []
    scene.pull.merge()
    assert scene.again()[1] == ["updateRefs delete hardhull"]


def test_a_box_refuses_one_fix_of_several_in_a_row(scene: Scene) -> None:
    scene.select = ("unpinned-image",)
    scene.digests = dict.fromkeys(NAMES, DIGEST)
    scene.bring()
    boxes = [line for line in scene.pull.body.split("\n") if "no to 1: " in line]
    assert len(boxes) == len(NAMES)
    scene.pull.tick(boxes[0].partition("--> ")[2])
    writes = scene.again()[1]

    assert writes == REWRITE
    lines = scene.repository.files("hardhull")["src/Api/Dockerfile"].decode().split("\n")
    assert [DIGEST in line for line in lines if line.startswith("FROM")] == [False, True]
    assert scene.again()[1] == []


def test_a_comment_makes_it_anew_where_that_is_wanted(opened: Scene) -> None:
    opened.repository.it.people["eve"] = "read"
    opened.repository.person_commits("hardhull", {"mine": "1\n"})
    opened.again(comment_commands=True)
    opened.pull.comment("/hardhull regenerate", by="eve")
    assert opened.again(comment_commands=True)[1] == []
    opened.pull.comment("Please:\r\n/hardhull regenerate", by="ann")
    assert opened.again()[1] == []
    assert opened.again(comment_commands=True)[1] == REWRITE
    mine = opened.repository.person_commits("hardhull", {"mine": "2\n"})
    assert opened.again(comment_commands=True)[1] == ["PATCH pulls/1 body"]
    assert opened.repository.head("hardhull") == mine


def test_a_comment_takes_a_no_back_where_that_is_wanted(opened: Scene) -> None:
    opened.pull.close()
    opened.again()
    opened.pull.comment("/hardhull retry")
    assert opened.again()[1] == []

    assert opened.again(comment_commands=True)[1] == CREATE


def test_an_unticked_box_takes_it_back(scene: Scene) -> None:
    scene.select = (ESCALATION, SECCOMP)
    scene.bring()
    scene.pull.tick("no to 1")
    scene.again()
    scene.pull.edit(body=scene.pull.body.replace("- [x]", "- [ ]"))
    scene.again()

    text = scene.repository.files("hardhull")[YAML].decode()
    assert ("seccompProfile" in text, "allowPrivilegeEscalation" in text) == (True, True)
    assert "Refused before" not in scene.pull.body
    assert scene.again()[1] == []


def test_a_refused_pin_stays_refused_when_its_digest_moves(scene: Scene) -> None:
    scene.select = ("unpinned-image",)
    scene.digests = dict.fromkeys(NAMES, DIGEST)
    scene.bring()
    scene.pull.close()
    scene.digests = dict.fromkeys(NAMES, DIGEST.replace("ab", "cd"))

    assert scene.again()[1] == ["updateRefs delete hardhull"]


def test_a_digest_that_is_not_to_be_had_takes_no_pin_back(scene: Scene) -> None:
    scene.select = ("unpinned-image",)
    scene.digests = dict.fromkeys(NAMES, DIGEST)
    scene.bring()
    scene.digests = {}
    brought, writes = scene.again()

    assert (brought.operation, writes, scene.pull.state) == (Operation.NONE, [], "open")
    assert "a digest that was not to be had" in brought.notes[0]


def test_a_rule_that_fails_takes_nothing_back(
    opened: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Iterator[Finding]:
        raise ValueError("a bug")

    rules = [replace(one, find=fails) if one.id == ESCALATION else one for one in RULES]
    monkeypatch.setattr("hardhull.run.RULES", tuple(rules))
    opened.known.clear()
    brought, writes = opened.again()

    assert (brought.operation, writes, opened.pull.state) == (Operation.NONE, [], "open")


def test_one_that_a_person_opened_again_and_closed_is_closed_by_a_person(opened: Scene) -> None:
    opened.repository.person_commits("main", {YAML: FIXED})
    opened.again()
    opened.repository.makes_branch("hardhull", opened.pull.head)
    opened.pull.reopen()
    opened.repository.person_reverts({YAML: MANIFEST})
    opened.again()
    opened.pull.close()

    assert opened.again()[1] == ["updateRefs delete hardhull"]


def test_checks_that_wait_are_said_before_anything_is_made(scene: Scene) -> None:
    scene.repository.requires_checks("build")
    brought = scene.bring()

    assert brought.checks == "waiting"
    assert scene.pull.body.split("\n")[2].startswith("**Its checks wait")
    assert "GITHUB_TOKEN" in brought.notes[0]
    scene.hub.token("app", actor="hardhull[bot]")
    assert scene.bring(token="app").checks == "start"  # noqa: S106  a test's


def test_a_checkout_behind_the_base_gives_up_quietly(scene: Scene) -> None:
    scene.update()
    scene.repository.person_commits("main", {"other": "1\n"})
    brought = scene.bring_stale()

    assert (brought.operation, brought.refused, scene.hub.writes) == (Operation.NONE, False, [])


def test_a_dry_run_writes_nothing(scene: Scene) -> None:
    brought = scene.bring(dry_run=True)

    assert (brought.operation, scene.hub.writes) == (Operation.CREATED, [])
    assert brought.plan[1].startswith("open a pull request from hardhull to main")
    assert "allowPrivilegeEscalation" in brought.bodies[0]


def test_another_accounts_pull_request_is_left_alone(opened: Scene) -> None:
    opened.hub.token("app", actor="hardhull[bot]")
    opened.select = (ESCALATION, SECCOMP)
    brought, writes = opened.again(token="app")  # noqa: S106  a test's

    assert (brought.operation, writes) == (Operation.BLOCKED, [])
    assert "another account" in brought.blocked_reason
