"""What people do on the stand-in GitHub has the consequences that it has on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github import GithubException

from standin import Refused
from standin.client import ask, connect

if TYPE_CHECKING:
    from standin import PullHandle, RepositoryHandle, StandIn

BOT = "github-actions[bot]"


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    made = hub.repository("acme/shop", {"Dockerfile": "FROM a\nEXPOSE 80\n", "other": "1\n"})
    made.person_commits("hardhull", {"Dockerfile": "FROM b\nEXPOSE 80\n"}, by=BOT, new=True)
    return made


@pytest.fixture
def pull(shop: RepositoryHandle) -> PullHandle:
    return shop.person_opens("hardhull", by=BOT, title="T", body="- [ ] <!-- x --> do it\n")


def test_a_merge_and_a_squash(shop: RepositoryHandle, pull: PullHandle) -> None:
    shop.person_commits("main", {"other": "2\n"})
    merged = shop.it.store.commit_object(pull.merge())
    assert (pull.state, len(merged.parents)) == ("merged", 2)
    assert shop.files()["Dockerfile"] == b"FROM b\nEXPOSE 80\n"
    assert shop.files()["other"] == b"2\n"
    shop.person_commits("next", {"other": "3\n"}, new=True)
    second = shop.person_opens("next")
    squashed = shop.it.store.commit_object(second.merge(method="squash"))
    assert (second.number, squashed.parents) == (2, (merged.oid,))
    assert squashed.message.startswith("a change (#2)")


def test_a_merged_pull_request_keeps_its_commits(hub: StandIn, pull: PullHandle) -> None:
    pull.merge()
    api = connect(hub).get_repo("acme/shop")
    assert [one.sha for one in api.get_pull(1).get_commits()] == [pull.head]
    assert [one.filename for one in api.get_pull(1).get_files()] == ["Dockerfile"]


def test_a_branch_that_goes_closes_its_pull_request(
    shop: RepositoryHandle, pull: PullHandle
) -> None:
    shop.deletes_branch("hardhull")
    assert pull.state == "closed"
    with pytest.raises(Refused) as caught:
        pull.reopen()
    assert "has been deleted" in str(caught.value.errors)
    assert [one.kind for one in pull.it.events] == ["HeadRefDeletedEvent", "ClosedEvent"]
    assert shop.it.store.ref("refs/pull/1/head") == pull.head


def test_a_branch_that_has_nothing_left_closes_it(shop: RepositoryHandle, pull: PullHandle) -> None:
    shop.moves("hardhull", shop.head() or "")
    assert (pull.state, pull.it.merged_at) == ("closed", None)


def test_a_push_of_its_commits_to_the_base_merges_it(
    shop: RepositoryHandle, pull: PullHandle
) -> None:
    shop.moves("main", pull.head)
    assert pull.state == "merged"


def test_closing_and_reopening(shop: RepositoryHandle, pull: PullHandle) -> None:
    pull.close()
    shop.person_commits("hardhull", {"a": "a"})
    assert pull.head != shop.head("hardhull")
    pull.reopen()
    assert (pull.state, pull.head) == ("open", shop.head("hardhull"))
    pull.close(by="bob")
    shop.person_amends("hardhull", {"a": "b"})
    with pytest.raises(Refused) as caught:
        pull.reopen()
    assert "was force-pushed or recreated" in str(caught.value.errors)
    kinds = [(one.kind, one.actor.login) for one in pull.it.events]
    assert kinds == [("ClosedEvent", "ann"), ("ReopenedEvent", "ann"), ("ClosedEvent", "bob")]


def test_amending_keeps_the_author(shop: RepositoryHandle, pull: PullHandle) -> None:
    before = shop.it.store.commit_object(pull.head)
    shop.person_amends("hardhull", {"Dockerfile": "FROM c\n"}, by="ann")
    after = shop.it.store.commit_object(pull.head)
    assert (after.author, after.message, after.parents) == (
        before.author, before.message, before.parents,
    )  # fmt: skip
    assert after.committer.name == "ann"


def test_the_button_that_updates_a_branch(shop: RepositoryHandle, pull: PullHandle) -> None:
    base = shop.person_commits("main", {"Dockerfile": "FROM a\nEXPOSE 80\n\n# end\n"})
    before = pull.head
    merged = shop.it.store.commit_object(pull.update_branch())
    assert merged.parents == (before, base)
    assert (merged.author.name, merged.committer.name) == ("ann", "GitHub")
    assert shop.files("hardhull")["Dockerfile"] == b"FROM b\nEXPOSE 80\n\n# end\n"
    assert merged.oid in shop.it.verified


def test_suggestions_ticks_and_edits(hub: StandIn, pull: PullHandle) -> None:
    pull.accepts_suggestion({"Dockerfile": "FROM c\n"})
    assert len(pull.on.log("hardhull")) == 2
    pull.tick("<!-- x -->", by="ann")
    assert pull.body == "- [x] <!-- x --> do it\n"
    pull.edit(by="ann", title="mine")
    query = """{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) {
      title editor { login }
      userContentEdits(first: 5) { nodes { editor { login } diff } }
      timelineItems(itemTypes: [RENAMED_TITLE_EVENT], first: 5) {
        nodes { ... on RenamedTitleEvent { previousTitle currentTitle actor { login } } }
      }
    } } }"""
    found = ask(connect(hub), query)["repository"]["pullRequest"]
    assert found["editor"] == {"login": "ann"}
    editors = [one["editor"]["login"] for one in found["userContentEdits"]["nodes"]]
    assert editors == ["ann", "github-actions"]
    assert found["timelineItems"]["nodes"] == [
        {"previousTitle": "T", "currentTitle": "mine", "actor": {"login": "ann"}}
    ]


def test_a_browser_sends_crlf(pull: PullHandle) -> None:
    pull.edit(body="one\ntwo\r\nthree")
    assert pull.body == "one\r\ntwo\r\nthree"


def test_stale_approvals_may_be_dismissed(shop: RepositoryHandle, pull: PullHandle) -> None:
    shop.rule("pull_request", "main", dismiss_stale_reviews_on_push=True)
    pull.approve()
    shop.person_commits("hardhull", {"a": "a"})
    assert [one.state for one in pull.it.reviews] == ["DISMISSED"]


def test_a_branch_in_the_merge_queue_is_left_alone(
    hub: StandIn, shop: RepositoryHandle, pull: PullHandle
) -> None:
    pull.enqueue()
    ref = connect(hub).get_repo("acme/shop").get_git_ref("heads/hardhull")
    with pytest.raises(GithubException, match="has been added to a merge queue"):
        ref.edit(shop.head() or "", force=True)
    assert pull.head == shop.head("hardhull")


def test_the_base_is_changed_and_renamed(shop: RepositoryHandle, pull: PullHandle) -> None:
    shop.makes_branch("release")
    pull.edit(base="release")
    assert pull.it.base_ref == "release"
    pull.edit(base="main")
    shop.renames_default_branch("trunk")
    assert (pull.it.base_ref, pull.state) == ("trunk", "open")


def test_a_stale_bot_and_time(hub: StandIn, pull: PullHandle) -> None:
    hub.clock.advance(days=90)
    pull.goes_stale(by="stale[bot]")
    assert pull.comments == ["Closed as stale."]
    assert pull.it.closed_at == "2027-02-20T12:00:05Z"


def test_a_pull_request_from_a_fork(hub: StandIn, shop: RepositoryHandle) -> None:
    fork = hub.fork(shop, "cem")
    head = fork.person_commits("hardhull", {"x": "x"}, by="cem")
    pull = shop.person_opens("hardhull", by="cem", source=fork)
    api = connect(hub).get_repo("acme/shop")
    assert [one.number for one in api.get_pulls(head="cem:hardhull")] == [1]
    assert list(api.get_pulls(head="acme:hardhull")) == []
    shown = api.get_pull(1)
    assert (shown.head.sha, shown.head.repo.full_name, shown.head.repo.fork) == (
        head, "cem/shop", True,
    )  # fmt: skip
    fork.person_commits("hardhull", {"x": "y"}, by="cem")
    assert pull.head == fork.head("hardhull")
    pull.merge()
    assert shop.files()["x"] == b"y"


@pytest.mark.usefixtures("pull")
def test_conflicts_are_seen(hub: StandIn, shop: RepositoryHandle) -> None:
    query = '{ repository(owner: "acme", name: "shop") { pullRequest(number: 1) { mergeable } } }'

    def mergeable() -> str:
        found = ask(connect(hub), query)["repository"]["pullRequest"]["mergeable"]
        assert isinstance(found, str)
        return found

    shop.person_commits("main", {"Dockerfile": "FROM a\nEXPOSE 80\n\n\n# far away\n"})
    assert mergeable() == "MERGEABLE"
    shop.person_commits("main", {"Dockerfile": "FROM z\nEXPOSE 80\n"})
    assert mergeable() == "CONFLICTING"
    shop.it.mergeability_known = False
    assert mergeable() == "UNKNOWN"


def test_a_merged_branch_may_go_by_itself(shop: RepositoryHandle, pull: PullHandle) -> None:
    shop.it.delete_branch_on_merge = True
    pull.merge()
    assert shop.branches() == ["main"]
    assert pull.state == "merged"
