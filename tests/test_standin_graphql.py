"""The stand-in GitHub answers GraphQL: whatever the published schema allows, or loudly not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException

from standin.client import ask, connect
from standin.gitstore import ZERO

if TYPE_CHECKING:
    from standin import RepositoryHandle, StandIn

STATE = """
query($owner: String!, $name: String!, $branch: String!, $ref: String!) {
  viewer { login }
  rateLimit { cost remaining resetAt }
  repository(owner: $owner, name: $name) {
    id nameWithOwner isArchived isDisabled isLocked isMirror isFork isEmpty viewerPermission
    defaultBranchRef { name target { oid ... on Commit { tree { oid } } } }
    ref(qualifiedName: $ref) { name target { oid } branchProtectionRule { pattern } }
    refs(refPrefix: "refs/heads/", first: 10) { totalCount nodes { name } }
    mergeQueue(branch: "main") { id entries(first: 1) { totalCount } }
    branchProtectionRules(first: 5) { nodes { pattern requiresStrictStatusChecks } }
    rulesets(first: 5) {
      nodes {
        name conditions { refName { include } }
        rules(first: 5) {
          nodes {
            type
            parameters {
              ... on RequiredStatusChecksParameters {
                strictRequiredStatusChecksPolicy requiredStatusChecks { context }
              }
            }
          }
        }
      }
    }
    pullRequests(headRefName: $branch, first: 5, orderBy: {field: CREATED_AT, direction: DESC}) {
      nodes {
        id number title body url state merged mergeable isDraft locked
        headRefName headRefOid headRepository { nameWithOwner } baseRefName baseRefOid
        author { login __typename } closed closedAt createdAt updatedAt mergedAt
        mergeCommit { oid } isInMergeQueue reviewDecision autoMergeRequest { enabledAt }
        labels(first: 10) { nodes { name } }
        commits(last: 5) {
          totalCount
          nodes {
            commit {
              oid messageHeadline messageBody message
              author { name email user { login } } committer { name }
              parents(first: 2) { nodes { oid } }
              signature { isValid } statusCheckRollup { state }
            }
          }
        }
        timelineItems(itemTypes: [CLOSED_EVENT, REOPENED_EVENT], last: 5) {
          nodes { __typename ... on ClosedEvent { actor { login } createdAt } }
        }
        comments(first: 5) { nodes { author { login } body } }
        latestReviews(first: 5) { nodes { state author { login } } }
        editor { login } maintainerCanModify viewerDidAuthor
        userContentEdits(first: 5) { nodes { editor { login } editedAt diff deletedAt } }
      }
    }
  }
}
"""


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    return hub.repository("acme/shop", {"Dockerfile": "FROM a\n", "src/a.cs": "class A {}\n"})


def state(hub: StandIn, branch: str = "hardhull") -> Any:
    given = {"owner": "acme", "name": "shop", "branch": branch, "ref": f"refs/heads/{branch}"}
    return ask(connect(hub), STATE, **given)


def update_refs(hub: StandIn, *updates: dict[str, Any], token: str = "t") -> None:  # noqa: S107
    client = connect(hub, token)
    query = 'query { repository(owner: "acme", name: "shop") { id } }'
    number = ask(client, query)["repository"]["id"]
    given = {"repositoryId": number, "refUpdates": list(updates)}
    client.requester.graphql_named_mutation("updateRefs", given, "clientMutationId")


def test_all_that_the_states_of_a_pull_request_ask(hub: StandIn, shop: RepositoryHandle) -> None:
    shop.requires_checks("build", strict=True)
    shop.rule("merge_queue", "main")
    shop.rule("non_fast_forward", "main", classic=True)
    head = shop.person_commits("hardhull", {"Dockerfile": "FROM b\n"}, message="T\n\nB", new=True)
    pull = shop.person_opens("hardhull", by="github-actions[bot]", title="T", body="one")
    pull.edit(by="ann", body="two")
    pull.label("x")
    pull.comment("hello", by="bob")
    pull.approve(by="ann")
    pull.enable_auto_merge()
    pull.enqueue()
    pull.close(by="ann")
    hub.token("t", permissions={"administration": "read", "checks": "read"})
    data = state(hub)
    assert data["viewer"] == {"login": "github-actions[bot]"}
    found = data["repository"]
    assert found["defaultBranchRef"]["target"]["oid"] == shop.head()
    assert found["ref"]["target"]["oid"] == head
    assert [one["name"] for one in found["refs"]["nodes"]] == ["hardhull", "main"]
    assert found["mergeQueue"]["entries"] == {"totalCount": 0}
    assert found["branchProtectionRules"]["nodes"][0]["pattern"] == "main"
    (one,) = found["pullRequests"]["nodes"]
    assert (one["number"], one["state"], one["closed"], one["merged"]) == (1, "CLOSED", True, False)
    assert one["author"] == {"login": "github-actions", "__typename": "Bot"}
    assert one["viewerDidAuthor"]
    assert one["editor"] == {"login": "ann"}
    assert [edit["diff"] for edit in one["userContentEdits"]["nodes"]] == ["two", "one"]
    assert one["reviewDecision"] == "APPROVED"
    (commit,) = one["commits"]["nodes"]
    assert commit["commit"]["messageBody"] == "B"
    assert commit["commit"]["author"]["user"] == {"login": "ann"}
    assert commit["commit"]["signature"] is None
    (event,) = one["timelineItems"]["nodes"]
    assert (event["__typename"], event["actor"]) == ("ClosedEvent", {"login": "ann"})


def test_files_are_read_by_commit_and_path(hub: StandIn, shop: RepositoryHandle) -> None:
    query = """query($oid: GitObjectID!) { repository(owner: "acme", name: "shop") {
      object(oid: $oid) { ... on Commit {
        docker: file(path: "Dockerfile") { mode object { ... on Blob { text byteSize isBinary } } }
        gone: file(path: "no/such") { oid }
        history(first: 1) { totalCount }
      } }
      folder: object(expression: "main:src") { ... on Tree { entries { name type mode } } }
      nothing: object(expression: "nowhere") { oid }
    } }"""
    found = ask(connect(hub), query, oid=shop.head())["repository"]
    assert found["object"]["docker"]["mode"] == 0o100644
    assert found["object"]["docker"]["object"]["text"] == "FROM a\n"
    assert found["object"]["gone"] is None
    assert found["folder"]["entries"] == [{"name": "a.cs", "type": "blob", "mode": 33188}]
    assert found["nothing"] is None


def test_binary_content_is_not_text(hub: StandIn, shop: RepositoryHandle) -> None:
    shop.person_commits("main", {"logo": b"\x00\x01"})
    query = """{ repository(owner: "acme", name: "shop") {
      object(expression: "main:logo") { ... on Blob { text isBinary isTruncated } } } }"""
    found = ask(connect(hub), query)["repository"]["object"]
    assert found == {"text": None, "isBinary": True, "isTruncated": False}


def test_refs_are_swapped_only_where_they_compare(hub: StandIn, shop: RepositoryHandle) -> None:
    name, base = "refs/heads/hardhull", shop.head()
    update_refs(hub, {"name": name, "beforeOid": ZERO, "afterOid": base})
    mine = shop.person_commits("hardhull", {"a": "a"})
    with pytest.raises(GithubException) as caught:
        update_refs(hub, {"name": name, "beforeOid": base, "afterOid": base, "force": True})
    assert caught.value.data["errors"][0]["type"] == "UNPROCESSABLE"
    with pytest.raises(GithubException):
        update_refs(hub, {"name": name, "beforeOid": ZERO, "afterOid": base})
    assert shop.head("hardhull") == mine
    with pytest.raises(GithubException, match="not a fast forward"):
        update_refs(hub, {"name": name, "beforeOid": mine, "afterOid": base})
    update_refs(hub, {"name": name, "beforeOid": mine, "afterOid": base, "force": True})
    update_refs(hub, {"name": name, "beforeOid": base, "afterOid": ZERO})
    assert shop.branches() == ["main"]
    assert hub.writes == [
        "updateRefs create hardhull",
        "updateRefs move hardhull force",
        "updateRefs create hardhull",
        "updateRefs move hardhull",
        "updateRefs move hardhull force",
        "updateRefs delete hardhull",
    ]


def test_all_refs_move_or_none(hub: StandIn, shop: RepositoryHandle) -> None:
    good = {"name": "refs/heads/a", "beforeOid": ZERO, "afterOid": shop.head()}
    with pytest.raises(GithubException):
        update_refs(hub, good, {**good, "name": "refs/heads/b", "beforeOid": shop.head()})
    with pytest.raises(GithubException):
        update_refs(hub, good, {**good, "name": "refs/heads/a/b"})
    with pytest.raises(GithubException, match="not a valid ref name"):
        update_refs(hub, {**good, "name": "refs/heads/../x"})
    assert shop.branches() == ["main"]


@pytest.mark.usefixtures("shop")
def test_an_older_server_lacks_fields(hub: StandIn) -> None:
    hub.world.lacking |= {"Ref.rules", "PullRequest.isInMergeQueue", "Mutation.updateRefs"}
    query = """{ repository(owner: "acme", name: "shop") {
      defaultBranchRef { rules(first: 1) { totalCount } }
      pullRequests(first: 1) { nodes { ...P } }
    } } fragment P on PullRequest { isInMergeQueue }"""
    with pytest.raises(GithubException) as caught:
        ask(connect(hub), query)
    assert "data" not in caught.value.data
    assert [one["message"] for one in caught.value.data["errors"]] == [
        "Field 'rules' doesn't exist on type 'Ref'",
        "Field 'isInMergeQueue' doesn't exist on type 'PullRequest'",
    ]
    with pytest.raises(GithubException, match="'updateRefs' doesn't exist on type 'Mutation'"):
        update_refs(hub)


def test_too_much_is_refused_and_the_rest_has_its_price(
    hub: StandIn, shop: RepositoryHandle
) -> None:
    assert shop.name == "acme/shop"
    query = """query($n: Int!) {{ rateLimit {{ cost nodeCount }}
      repository(owner: "acme", name: "shop") {{ pullRequests(first: 100) {{ nodes {{
        commits(last: 100) {{ nodes {{ commit {{ parents(first: $n) {{ totalCount }} }} }} }}
        comments(first: {0}) {{ totalCount }}
      }} }} }} }}"""
    found = ask(connect(hub), query.format(5), n=2)
    assert found["rateLimit"] == {"cost": 102, "nodeCount": 100 + 100 * 100 * 3 + 500}
    with pytest.raises(GithubException, match="exceeds the maximum limit of 500,000"):
        ask(connect(hub), query.format(5), n=100)


def test_what_only_administrators_and_checkers_see(hub: StandIn, shop: RepositoryHandle) -> None:
    query = """{ repository(owner: "acme", name: "shop") { defaultBranchRef {
      branchProtectionRule { requiresStrictStatusChecks }
      refUpdateRule { requiredStatusCheckContexts }
      target { ... on Commit { statusCheckRollup { state } } }
    } } }"""
    shop.it.checks[shop.head() or ""] = "SUCCESS"
    shop.rule(
        "required_status_checks", "main", classic=True, required_status_checks=[{"context": "b"}]
    )
    with pytest.raises(GithubException) as caught:
        ask(connect(hub), query)
    assert caught.value.data["data"]["repository"]["defaultBranchRef"] == {
        "branchProtectionRule": None,
        "refUpdateRule": {"requiredStatusCheckContexts": ["b"]},
        "target": {"statusCheckRollup": None},
    }
    assert {one["type"] for one in caught.value.data["errors"]} == {"FORBIDDEN"}
    hub.token("admin", permissions={"administration": "read", "checks": "read"})
    found = ask(connect(hub, "admin"), query)["repository"]["defaultBranchRef"]
    assert found["branchProtectionRule"] == {"requiresStrictStatusChecks": False}
    assert found["target"]["statusCheckRollup"] == {"state": "SUCCESS"}


def test_drafts_and_other_mutations(hub: StandIn, shop: RepositoryHandle) -> None:
    shop.person_commits("fix", {"a": "a"}, new=True)
    shop.person_opens("fix")
    client = connect(hub)
    for name, expected in (
        ("convertPullRequestToDraft", {"isDraft": True}),
        ("markPullRequestReadyForReview", {"isDraft": False}),
        ("closePullRequest", {"state": "CLOSED"}),
        ("reopenPullRequest", {"state": "OPEN"}),
    ):
        given = {"pullRequestId": connect(hub).get_repo("acme/shop").get_pull(1).node_id}
        (field,) = expected
        _, answer = client.requester.graphql_named_mutation(
            name, given, f"pullRequest {{ {field} }}"
        )
        assert answer["pullRequest"] == expected


def test_what_is_not_there(hub: StandIn, shop: RepositoryHandle) -> None:
    client = connect(hub)
    with pytest.raises(GithubException) as caught:
        ask(client, 'query { repository(owner: "acme", name: "none") { id } viewer { login } }')
    assert caught.value.data["data"]["repository"] is None
    assert caught.value.data["data"]["viewer"] == {"login": "github-actions[bot]"}
    assert caught.value.data["errors"][0]["type"] == "NOT_FOUND"
    with pytest.raises(GithubException, match="first` or `last"):
        ask(
            client,
            f'query {{ repository(owner: "{shop.it.owner.login}", name: "shop") '
            "{ pullRequests { totalCount } } }",
        )


@pytest.mark.usefixtures("shop")
def test_a_field_that_is_not_modelled_fails_the_test(hub: StandIn) -> None:
    with pytest.raises(GithubException):
        ask(connect(hub), 'query { repository(owner: "acme", name: "shop") { diskUsage } }')
    assert hub.violations == ["POST /graphql query: not modelled: Repository.diskUsage"]
    hub.violations.clear()


def test_a_document_that_the_schema_does_not_allow_fails_the_test(
    hub: StandIn, shop: RepositoryHandle
) -> None:
    with pytest.raises(GithubException):
        ask(connect(hub), 'query { repository(owner: "acme", name: "shop") { nothing } }')
    (violation,) = hub.violations
    assert "Cannot query field 'nothing' on type 'Repository'" in violation
    hub.violations.clear()
    with pytest.raises(GithubException):
        update_refs(hub, {"name": 1, "afterOid": "x", "nothing": True})
    assert hub.violations
    hub.violations.clear()
    assert shop.branches() == ["main"]
