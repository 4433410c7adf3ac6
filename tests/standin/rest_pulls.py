"""REST: pull requests, their files, commits, reviews and reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin import history, policy, pulls, render_pulls, standing
from standin.routing import Answer, Call, route
from standin.state import Refused, invalid

if TYPE_CHECKING:
    from standin.state import Pull, Repository

PULLS = "/repos/{owner}/{repo}/pulls"
ONE = f"{PULLS}/{{pull_number}}"


def _pull(call: Call) -> tuple[Repository, Pull]:
    number = call.params["pull_number"]
    pull = call.repository.pulls.get(int(number)) if number.isdigit() else None
    if pull is None:
        raise Refused(404, "Not Found")
    return call.repository, pull


@route("GET", PULLS)
def list_pulls(call: Call) -> Answer:
    home = call.require("pull_requests", "read")
    state, head = call.query.get("state", "open"), call.query.get("head")
    found = [
        pull
        for pull in home.pulls.values()
        if state in {"all", pull.state}
        and call.query.get("base", pull.base_ref) == pull.base_ref
        # Without an owner, GitHub ignores the filter.
        and (not head or ":" not in head or head == _label(pull))
    ]
    key = call.query.get("sort", "created")
    found.sort(
        key=lambda pull: (pull.updated_at if key == "updated" else pull.created_at, pull.number),
        reverse=call.query.get("direction", "desc" if key == "created" else "asc") == "desc",
    )
    return call.page([render_pulls.simple(call.render, home, pull) for pull in found])


def _label(pull: Pull) -> str:
    return f"{pull.head_repository.owner.login}:{pull.head_ref}"


@route("POST", PULLS)
def create_pull(call: Call) -> Answer:
    home = call.require("pull_requests")
    policy.may_open_pulls(call.token, home)
    body = call.body
    owner, _, branch = body["head"].rpartition(":")
    source = home
    if owner and owner != home.owner.login:
        found = [
            one
            for one in call.world.repositories.values()
            if one.owner.login == owner and one.parent is home
        ]
        if not found:
            raise invalid("PullRequest", field="head", code="invalid")
        source = found[0]
    if body.get("maintainer_can_modify") and source is not home and call.token.is_app:
        said = "Fork collab can't be granted by someone without permission"
        raise invalid("PullRequest", said, field="fork_collab")
    pull = pulls.open_pull(
        call.world,
        home,
        call.token.account,
        head=(source, branch),
        base=body["base"],
        title=body.get("title", ""),
        body=body.get("body"),
        draft=bool(body.get("draft")),
        maintainer_can_modify=body.get("maintainer_can_modify", True),
    )
    answer = render_pulls.full(call.render, home, pull)
    return Answer(201, answer, {"Location": answer["url"]})


@route("GET", ONE)
def get_pull(call: Call) -> Answer:
    call.require("pull_requests", "read")
    home, pull = _pull(call)
    return Answer(200, render_pulls.full(call.render, home, pull))


@route("PATCH", ONE)
def update_pull(call: Call) -> Answer:
    call.require("pull_requests")
    home, pull = _pull(call)
    actor, body = call.token.account, call.body or {}
    pulls.edit(call.world, home, pull, actor, body)
    match body.get("state"):
        case "closed":
            pulls.close(call.world, home, pull, actor)
        case "open":
            pulls.reopen(call.world, home, pull, actor)
    if "maintainer_can_modify" in body:
        pull.maintainer_can_modify = body["maintainer_can_modify"]
    return Answer(200, render_pulls.full(call.render, home, pull))


@route("GET", f"{ONE}/files")
def list_files(call: Call) -> Answer:
    call.require("pull_requests", "read")
    home, pull = _pull(call)
    base = pull.merge_base_at_close or history.merge_base(
        home.store, home.branch(pull.base_ref) or pull.base_sha, pull.head_sha
    )
    return call.page(call.render.files(home, base, pull.head_sha))


@route("GET", f"{ONE}/commits")
def list_commits(call: Call) -> Answer:
    call.require("pull_requests", "read")
    home, pull = _pull(call)
    return call.page([call.render.commit(home, oid) for oid in standing.commits_of(home, pull)])


@route("GET", f"{ONE}/reviews")
def list_reviews(call: Call) -> Answer:
    call.require("pull_requests", "read")
    home, pull = _pull(call)
    return call.page([call.render.review(home, pull, one) for one in pull.reviews])


@route("GET", f"{ONE}/requested_reviewers")
def list_reviewers(call: Call) -> Answer:
    call.require("pull_requests", "read")
    home, pull = _pull(call)
    shown = render_pulls.simple(call.render, home, pull)
    return Answer(200, {"users": shown["requested_reviewers"], "teams": shown["requested_teams"]})


@route("POST", f"{ONE}/requested_reviewers")
def request_reviewers(call: Call) -> Answer:
    call.require("pull_requests")
    home, pull = _pull(call)
    people = call.body.get("reviewers", [])
    teams = call.body.get("team_reviewers", [])
    if pull.author.login in people:
        raise Refused(422, "Review cannot be requested from pull request author.")
    strangers = [one for one in people if one not in home.people]
    if strangers or not set(teams) <= home.teams:
        raise Refused(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams"
            f" you specified is not a collaborator of the {home.full_name} repository.",
        )
    pull.reviewers += [one for one in people if one not in pull.reviewers]
    pull.team_reviewers += [one for one in teams if one not in pull.team_reviewers]
    call.world.event(pull, "ReviewRequestedEvent", call.token.account)
    return Answer(201, render_pulls.simple(call.render, home, pull))


@route("DELETE", f"{ONE}/requested_reviewers")
def remove_reviewers(call: Call) -> Answer:
    call.require("pull_requests")
    home, pull = _pull(call)
    gone, teams = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    pull.reviewers = [one for one in pull.reviewers if one not in gone]
    pull.team_reviewers = [one for one in pull.team_reviewers if one not in teams]
    return Answer(200, render_pulls.simple(call.render, home, pull))


@route("PUT", f"{ONE}/merge")
def merge_pull(call: Call) -> Answer:
    call.require("pull_requests")
    call.require("contents")
    home, pull = _pull(call)
    body = call.body or {}
    if body.get("sha", pull.head_sha) != pull.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    method = body.get("merge_method", "merge")
    oid = pulls.merge(call.world, home, pull, call.token.account, method)
    said = "Pull Request successfully merged"
    return Answer(200, {"sha": oid, "merged": True, "message": said})
