"""The stand-in GitHub refuses as GitHub does, in its words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException, InputGitTreeElement

from standin import WORKFLOW, TokenKind
from standin.client import connect
from standin.gitstore import ZERO
from test_standin_graphql import update_refs

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.Repository import Repository

    from standin import RepositoryHandle, StandIn


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    made = hub.repository("acme/shop", {"Dockerfile": "FROM a\n"})
    made.person_commits("hardhull", {"Dockerfile": "FROM b\n"}, new=True)
    return made


@pytest.fixture
def api(hub: StandIn, shop: RepositoryHandle) -> Repository:
    return connect(hub).get_repo(shop.name)


def refused(act: Callable[[], Any], status: int, said: str) -> None:
    with pytest.raises(GithubException) as caught:
        act()
    data = caught.value.data
    texts = [data["message"], *(one.get("message", one) for one in data.get("errors", ()))]
    assert (caught.value.status, said in texts) == (status, True), texts


def create(api: Repository, **more: Any) -> Callable[[], Any]:
    given = {"base": "main", "head": "hardhull", "title": "T", **more}
    return lambda: api.create_pull(**given)


def test_a_token_that_is_none(hub: StandIn, shop: RepositoryHandle) -> None:
    client = connect(hub)
    hub.world.tokens.clear()
    refused(lambda: client.get_repo(shop.name), 401, "Bad credentials")


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        (TokenKind.ACTIONS, 403, "Resource not accessible by integration"),
        (TokenKind.APP, 403, "Resource not accessible by integration"),
        (TokenKind.FINE_GRAINED, 403, "Resource not accessible by personal access token"),
        (TokenKind.CLASSIC, 404, "Not Found"),
    ],
)
def test_a_token_without_the_permission(
    hub: StandIn, shop: RepositoryHandle, kind: TokenKind, status: int, said: str
) -> None:
    hub.token("weak", kind=kind, permissions={"contents": "read", "pull_requests": "read"})
    api = connect(hub, "weak").get_repo(shop.name)
    assert api.get_git_ref("heads/main").object.sha == shop.head()
    refused(lambda: api.create_git_blob("x", "utf-8"), status, said)
    refused(create(api), status, said)
    with pytest.raises(GithubException, match=said):
        update_refs(
            hub,
            {"name": "refs/heads/x", "beforeOid": ZERO, "afterOid": shop.head()},
            token="weak",  # noqa: S106
        )
    assert hub.writes == [
        f"POST git/blobs → {status}", f"POST pulls → {status}", "updateRefs create x",
    ]  # fmt: skip


def test_the_setting_that_stops_workflows(hub: StandIn, shop: RepositoryHandle) -> None:
    shop.it.actions_may_open_pulls = False
    said = "GitHub Actions is not permitted to create or approve pull requests."
    refused(create(connect(hub).get_repo(shop.name)), 403, said)
    hub.token("app", actor="hardhull[bot]")
    assert create(connect(hub, "app").get_repo(shop.name))().number == 1


def test_pull_requests_that_cannot_be(api: Repository, shop: RepositoryHandle) -> None:
    refused(create(api, head="none"), 422, "Validation Failed")
    refused(create(api, base="none"), 422, "Validation Failed")
    shop.makes_branch("same")
    refused(create(api, head="same"), 422, "No commits between main and same")
    create(api)()
    refused(create(api), 422, "A pull request already exists for acme:hardhull.")


def test_texts_that_are_too_long(api: Repository) -> None:
    said = "body is too long (maximum is 65536 characters)"
    refused(create(api, body="x" * 65537), 422, said)
    pull = create(api, body="x" * 65536)()
    refused(lambda: pull.edit(body="x" * 65537), 422, said)
    refused(lambda: pull.create_issue_comment("x" * 65537), 422, said)
    refused(
        lambda: pull.edit(title="x" * 257), 422, "title is too long (maximum is 256 characters)"
    )


def test_reviewers_who_cannot_be(api: Repository, shop: RepositoryHandle) -> None:
    pull = create(api)()
    said = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/shop repository."  # noqa: E501
    refused(lambda: pull.create_review_request(reviewers=["stranger"]), 422, said)
    refused(lambda: pull.create_review_request(team_reviewers=["crew"]), 422, said)
    shop.it.teams.add("crew")
    pull.create_review_request(team_reviewers=["crew"])
    assert shop.pulls[1].it.team_reviewers == ["crew"]


def test_refs_that_cannot_be(api: Repository, shop: RepositoryHandle) -> None:
    head = shop.head() or ""
    refused(lambda: api.create_git_ref("refs/heads/main", head), 422, "Reference already exists")
    refused(
        lambda: api.create_git_ref("refs/heads/hardhull/x", head), 422, "Reference update failed"
    )
    refused(lambda: api.create_git_ref("refs/heads/new", "1" * 40), 422, "Object does not exist")
    branch = api.get_git_ref("heads/hardhull")
    refused(lambda: branch.edit(head), 422, "Update is not a fast forward")
    shop.deletes_branch("hardhull")
    refused(branch.delete, 422, "Reference does not exist")
    refused(lambda: branch.edit(head), 422, "Reference does not exist")
    refused(lambda: api.get_git_ref("heads/hardhull"), 404, "Not Found")


def test_trees_and_commits_that_cannot_be(api: Repository, shop: RepositoryHandle) -> None:
    base = api.get_git_commit(shop.head() or "")

    def tree(path: str, **more: Any) -> Callable[[], Any]:
        element = InputGitTreeElement(path, "100644", "blob", **more)
        return lambda: api.create_git_tree([element], base_tree=base.tree)

    refused(tree("gone", sha=None), 422, "GitRPC::BadObjectState")
    said = "tree.path contains a malformed path component"
    refused(tree("../x", content="x"), 422, said)
    refused(tree(".git/config", content="x"), 422, said)
    refused(tree("x", sha="1" * 40), 422, f"tree.sha {'1' * 40} is not a valid blob")
    body = {"message": "m", "tree": "1" * 40, "parents": [base.sha]}

    def commit() -> None:
        api.requester.requestJsonAndCheck("POST", f"{api.url}/git/commits", input=body)

    refused(commit, 422, "Tree SHA does not exist")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("required_signatures", "Commits must have verified signatures."),
        ("non_fast_forward", "Cannot force-push to this branch"),
        ("update", "Cannot update this protected ref."),
        ("pull_request", "Changes must be made through a pull request."),
    ],
)
def test_rules(hub: StandIn, shop: RepositoryHandle, kind: str, said: str) -> None:
    shop.rule(kind, "hardhull*")
    base, head = shop.head() or "", shop.head("hardhull") or ""
    hub.token("mine", actor="ann")
    api = connect(hub, "mine").get_repo(shop.name)
    commit = api.get_git_commit(base)
    tree = api.create_git_tree(
        [InputGitTreeElement("a", "100644", "blob", content="a")], base_tree=commit.tree
    )
    oid = api.create_git_commit("m", tree, [commit]).sha
    ref = api.get_git_ref("heads/hardhull")
    text = f"Repository rule violations found\n\n{said}\n\n"
    refused(lambda: ref.edit(oid, force=True), 422, text)
    update = {"name": "refs/heads/hardhull", "beforeOid": head, "afterOid": oid, "force": True}
    with pytest.raises(GithubException, match=said):
        update_refs(hub, update, token="mine")  # noqa: S106
    assert shop.head("hardhull") == head


def test_rules_about_making_and_deleting(api: Repository, shop: RepositoryHandle) -> None:
    shop.rule("creation", "new")
    shop.rule("deletion", "hardhull")
    head = shop.head() or ""
    text = "Repository rule violations found\n\n{}\n\n"
    said = "Cannot create ref due to creations being restricted."
    refused(lambda: api.create_git_ref("refs/heads/new", head), 422, text.format(said))
    ref = api.get_git_ref("heads/hardhull")
    refused(ref.delete, 422, text.format("Cannot delete this branch"))


def test_classic_protection(api: Repository, shop: RepositoryHandle) -> None:
    shop.rule("non_fast_forward", "hardhull", classic=True)
    ref = api.get_git_ref("heads/hardhull")
    said = "Cannot force-push to this protected branch"
    refused(lambda: ref.edit(shop.head() or "", force=True), 422, said)


def test_workflow_files_need_their_own_permission(hub: StandIn, shop: RepositoryHandle) -> None:
    for token, may in (("t", False), ("app", True)):
        more = {"workflows": "write"} if may else {}
        hub.token(token, actor="hardhull[bot]", permissions={**WORKFLOW, **more})
        api = connect(hub, token).get_repo(shop.name)
        commit = api.get_git_commit(shop.head() or "")
        element = InputGitTreeElement(".github/workflows/x.yml", "100644", "blob", content=token)
        tree = api.create_git_tree([element], base_tree=commit.tree)
        oid = api.create_git_commit("m", tree, [commit]).sha
        if may:
            api.create_git_ref("refs/heads/w", oid)
        else:
            said = "Resource not accessible by integration"
            refused(partial(api.create_git_ref, "refs/heads/w", oid), 403, said)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("archived", "Repository was archived so is read-only."),
        ("disabled", "Repository access blocked"),
        ("locked", "Repository has been locked for migration."),
    ],
)
def test_repositories_that_take_nothing(
    api: Repository, shop: RepositoryHandle, state: str, said: str
) -> None:
    setattr(shop.it, state, True)
    refused(lambda: api.create_git_blob("x", "utf-8"), 403, said)


def test_an_empty_repository(hub: StandIn) -> None:
    empty = hub.repository("acme/empty")
    api = connect(hub).get_repo(empty.name)
    refused(lambda: api.create_git_blob("x", "utf-8"), 409, "Git Repository is empty.")
    refused(lambda: api.get_git_ref("heads/main"), 409, "Git Repository is empty.")


def test_a_locked_conversation(api: Repository, shop: RepositoryHandle) -> None:
    pull = create(api)()
    shop.pulls[1].lock()
    said = "Unable to create comment because issue is locked."
    refused(lambda: pull.create_issue_comment("x"), 403, said)


def test_merging_what_cannot_be_merged(api: Repository, shop: RepositoryHandle) -> None:
    pull = create(api)()
    shop.person_commits("main", {"Dockerfile": "FROM c\n"})
    assert (api.get_pull(1).mergeable, api.get_pull(1).mergeable_state) == (False, "dirty")
    refused(pull.merge, 405, "Pull Request is not mergeable")
    said = "Head branch was modified. Review and try the merge again."
    refused(lambda: pull.merge(sha="1" * 40), 409, said)
