"""The stand-in GitHub answers PyGithub as GitHub does: every operation, each way it goes well."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException, InputGitTreeElement

from standin.client import connect

if TYPE_CHECKING:
    from github.Repository import Repository

    from standin import RepositoryHandle, StandIn
    from standin.people import Files

FILES: Files = {
    "Dockerfile": "FROM a\nUSER root\n",
    "run.sh": ("100755", "#!/bin/sh\n"),
    "src/Program.cs": "class P {}\n",
}


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    return hub.repository("acme/shop", FILES, people={"ann": "write", "bob": "read"})


@pytest.fixture
def api(hub: StandIn, shop: RepositoryHandle) -> Repository:
    return connect(hub).get_repo(shop.name)


def committed(api: Repository, branch: str, files: dict[str, bytes | None]) -> str:
    """The four calls of a commit over REST."""
    base = api.get_git_commit(api.get_git_ref("heads/main").object.sha)
    elements = [
        InputGitTreeElement(path, "100644", "blob", sha=None)
        if content is None
        else InputGitTreeElement(
            path,
            "100644",
            "blob",
            sha=api.create_git_blob(base64.b64encode(content).decode(), "base64").sha,
        )
        for path, content in files.items()
    ]
    tree = api.create_git_tree(elements, base_tree=base.tree)
    commit = api.create_git_commit("a fix", tree, [base])
    api.create_git_ref(f"refs/heads/{branch}", commit.sha)
    return commit.sha


def test_a_repository_says_what_it_is(api: Repository) -> None:
    assert (api.full_name, api.default_branch, api.archived) == ("acme/shop", "main", False)
    assert api.owner.type == "Organization"
    assert api.permissions.push


def test_blobs_are_git_s_own_byte_for_byte(api: Repository) -> None:
    content = b"\xef\xbb\xbfa\r\n\xff\x00"
    made = api.create_git_blob(base64.b64encode(content).decode(), "base64")
    whole = b"blob %d\0" % len(content) + content
    assert made.sha == hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    assert base64.b64decode(api.get_git_blob(made.sha).content) == content


def test_a_tree_keeps_what_it_is_not_told_about(api: Repository, shop: RepositoryHandle) -> None:
    oid = committed(api, "fix", {"src/Program.cs": b"class Q {}\n", "Dockerfile": None})
    assert shop.files(oid) == {"run.sh": b"#!/bin/sh\n", "src/Program.cs": b"class Q {}\n"}
    assert shop.modes(oid)["run.sh"] == "100755"
    listed = api.get_git_tree(oid, recursive=True)
    assert [one.path for one in listed.tree] == ["run.sh", "src", "src/Program.cs"]


def test_commits_carry_their_people_and_their_dates(hub: StandIn, api: Repository) -> None:
    commit = api.get_git_commit(committed(api, "fix", {"a": b"a"}))
    assert commit.author.email == "41898282+github-actions[bot]@users.noreply.github.com"
    assert commit.committer.name == "GitHub"
    assert commit.author.date == hub.clock.now
    shown = api.get_commit(commit.sha)
    assert (shown.author.login, shown.committer.login) == ("github-actions[bot]", "web-flow")
    assert [(one.filename, one.status, one.additions) for one in shown.files] == [("a", "added", 1)]


@pytest.mark.parametrize(
    ("actor", "author", "verified"),
    [
        ("github-actions[bot]", False, True),
        ("hardhull[bot]", False, True),
        ("hardhull[bot]", True, False),
        ("ann", False, False),
    ],
)
def test_github_signs_only_what_an_app_leaves_to_it(
    hub: StandIn, shop: RepositoryHandle, actor: str, author: bool, verified: bool
) -> None:
    hub.token("other", actor=actor)
    api = connect(hub, "other").get_repo(shop.name)
    base = api.get_git_commit(shop.head() or "")
    given = {"author": {"name": "n", "email": "n@example.org"}} if author else {}
    body = {"message": "m", "tree": base.tree.sha, "parents": [base.sha], **given}
    _, answer = api.requester.requestJsonAndCheck("POST", f"{api.url}/git/commits", input=body)
    assert answer["verification"]["verified"] is verified


def test_refs_are_made_moved_listed_and_deleted(api: Repository, shop: RepositoryHandle) -> None:
    oid = committed(api, "hardhull/level", {"a": b"a"})
    ref = api.get_git_ref("heads/hardhull/level")
    assert ref.object.sha == oid
    ref.edit(shop.head() or "", force=True)
    assert shop.head("hardhull/level") == shop.head()
    assert [one.ref for one in api.get_git_matching_refs("heads/hard")] == [
        "refs/heads/hardhull/level"
    ]
    ref.delete()
    assert shop.branches() == ["main"]


def test_history_and_comparison(api: Repository, shop: RepositoryHandle) -> None:
    base, head = shop.head(), committed(api, "fix", {"Dockerfile": b"FROM b\nUSER root\n"})
    shop.person_commits("main", {"b": "b"})
    found = api.compare("main", "fix")
    assert (found.status, found.ahead_by, found.behind_by) == ("diverged", 1, 1)
    assert found.merge_base_commit.sha == base
    assert [one.sha for one in found.commits] == [head]
    assert [one.patch for one in found.files] == ["@@ -1,2 +1,2 @@\n-FROM a\n+FROM b\n USER root"]
    assert [one.sha for one in api.get_commits(sha="fix")] == [head, base]
    assert [one.sha for one in api.get_commits(path="b")] == [shop.head()]


def test_contents_of_files_and_folders(api: Repository) -> None:
    one = api.get_contents("src/Program.cs")
    assert not isinstance(one, list)
    assert one.decoded_content == b"class P {}\n"
    many = api.get_contents("src")
    assert isinstance(many, list)
    assert [one.path for one in many] == ["src/Program.cs"]


def test_a_pull_request_from_beginning_to_end(api: Repository, shop: RepositoryHandle) -> None:
    head = committed(api, "hardhull", {"Dockerfile": b"FROM b\nUSER root\n"})
    pull = api.create_pull("main", "hardhull", title="T", body="B")
    assert (pull.number, pull.head.sha, pull.state, pull.draft) == (1, head, "open", False)
    assert (pull.user.login, pull.user.type) == ("github-actions[bot]", "Bot")
    assert (pull.mergeable, pull.changed_files, pull.commits) == (True, 1, 1)
    pull.edit(title="T2", body="B2")
    assert [one.number for one in api.get_pulls(head="acme:hardhull")] == [1]
    assert [one.filename for one in pull.get_files()] == ["Dockerfile"]
    assert [one.sha for one in pull.get_commits()] == [head]
    pull.create_review_request(reviewers=["ann"])
    assert [one.login for one in pull.get_review_requests()[0]] == ["ann"]
    pull.delete_review_request(reviewers=["ann"])
    shop.pulls[1].approve(by="ann")
    assert [one.state for one in pull.get_reviews()] == ["APPROVED"]
    pull.edit(state="closed")
    assert list(api.get_pulls()) == []
    pull.edit(state="open")
    merged = pull.merge(merge_method="squash")
    assert merged.merged
    assert shop.head() == merged.sha
    assert api.get_pull(1).merged


def test_comments_and_labels(api: Repository, shop: RepositoryHandle) -> None:
    committed(api, "hardhull", {"a": b"a"})
    pull = api.create_pull("main", "hardhull", title="T", body="B")
    comment = pull.create_issue_comment("one")
    comment.edit("two")
    assert [one.body for one in pull.get_issue_comments()] == ["two"]
    assert api.get_issue(1).get_comment(comment.id).body == "two"
    comment.delete()
    assert shop.pulls[1].comments == []
    api.create_label("known", "00ff00")
    assert api.get_label("known").color == "00ff00"
    pull.add_to_labels("known", "made")
    pull.remove_from_labels("known")
    pull.set_labels("made", "third")
    assert [one.name for one in pull.get_labels()] == ["made", "third"]
    assert [one.name for one in api.get_labels()] == ["known", "made", "third"]
    assert api.get_issue(1).closed_by is None


def test_settings_rules_and_people(api: Repository, shop: RepositoryHandle, hub: StandIn) -> None:
    shop.requires_checks("build", strict=True)
    shop.rule("non_fast_forward", "main", classic=True)
    hub.token("admin", permissions={"administration": "read", "contents": "read"})
    admin = connect(hub, "admin").get_repo(shop.name)
    kinds = asked(api, "rules/branches/main")
    assert [one["type"] for one in kinds] == ["required_status_checks"]
    assert asked(api, "rules/branches/other/one") == []
    assert [one["enforcement"] for one in asked(api, "rulesets")] == ["active"]
    assert api.get_branch("main").protected
    assert [one.name for one in api.get_branches()] == ["main"]
    assert not asked(admin, "branches/main/protection")["allow_force_pushes"]["enabled"]
    assert asked(admin, "actions/permissions")["enabled"]
    assert asked(admin, "actions/permissions/workflow")["can_approve_pull_request_reviews"]
    assert api.get_collaborator_permission("ann") == "write"
    assert api.get_collaborator_permission("bob") == "read"


def asked(api: Repository, path: str) -> Any:
    return api.requester.requestJsonAndCheck("GET", f"{api.url}/{path}")[1]


def test_a_sarif_file_arrives(hub: StandIn, shop: RepositoryHandle) -> None:
    hub.token("scan", permissions={"security_events": "write"})
    api = connect(hub, "scan").get_repo(shop.name)
    packed = base64.b64encode(gzip.compress(json.dumps({"version": "2.1.0"}).encode())).decode()
    body = {"commit_sha": shop.head(), "ref": "refs/heads/main", "sarif": packed}
    api.requester.requestJsonAndCheck("POST", f"{api.url}/code-scanning/sarifs", input=body)
    assert shop.it.sarifs[0]["sarif"] == {"version": "2.1.0"}


def test_lists_have_pages_and_answers_have_tags(hub: StandIn, shop: RepositoryHandle) -> None:
    for number in range(5):
        shop.person_commits("main", {"a": str(number)})
    client = connect(hub, per_page=2)
    api = client.get_repo(shop.name)
    before = len(hub.requests)
    assert len(list(api.get_commits())) == 6
    assert len(hub.requests) - before == 3
    url = f"/repos/{shop.name}/git/ref/heads/main"
    status, headers, _ = client.requester.requestJson("GET", url)
    again, _, body = client.requester.requestJson(
        "GET", url, headers={"If-None-Match": headers["etag"]}
    )
    assert (status, again, body) == (200, 304, "")


def test_a_renamed_repository_is_found(hub: StandIn, shop: RepositoryHandle) -> None:
    hub.rename(shop, "acme/store")
    assert connect(hub).get_repo("acme/shop").full_name == "acme/store"


def test_who_am_i(hub: StandIn) -> None:
    hub.token("mine", actor="ann")
    assert connect(hub, "mine").get_user().login == "ann"
    assert connect(hub).get_rate_limit().rate.remaining == 4999
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        _ = connect(hub).get_user().login
