"""REST: comments and labels; a pull request is an issue here too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import pulls, render_pulls
from standin.routing import Answer, Call, route
from standin.state import Comment, Label, Refused, invalid

if TYPE_CHECKING:
    from standin.state import Pull, Repository

REPO = "/repos/{owner}/{repo}"
ISSUE = f"{REPO}/issues/{{issue_number}}"
COMMENT = f"{REPO}/issues/comments/{{comment_id}}"


def _issue(call: Call) -> tuple[Repository, Pull]:
    number = call.params["issue_number"]
    pull = call.repository.pulls.get(int(number)) if number.isdigit() else None
    if pull is None:
        raise Refused(404, "Not Found")
    return call.repository, pull


@route("GET", ISSUE)
def get_issue(call: Call) -> Answer:
    call.require("issues" if call.token.may("issues", "read") else "pull_requests", "read")
    home, pull = _issue(call)
    shown, url = render_pulls.simple(call.render, home, pull), f"{call.render.api}{call.path}"
    kept = ("number", "state", "locked", "title", "body", "user", "labels", "created_at",
            "updated_at", "closed_at", "author_association", "html_url", "comments_url",
            "active_lock_reason", "draft", "assignee", "assignees", "milestone")  # fmt: skip
    return Answer(
        200,
        {key: shown[key] for key in kept}
        | {
            "id": pull.id,
            "node_id": shown["node_id"],
            "url": url,
            "events_url": f"{url}/events",
            "labels_url": f"{url}/labels{{/name}}",
            "repository_url": f"{call.render.api}/repos/{home.full_name}",
            "comments": len(pull.comments),
            "state_reason": None,
            "closed_by": _closer(call, pull),
            "pull_request": {
                "url": shown["url"],
                "html_url": shown["html_url"],
                "diff_url": shown["diff_url"],
                "patch_url": shown["patch_url"],
                "merged_at": pull.merged_at,
            },
        },
    )


def _closer(call: Call, pull: Pull) -> dict[str, Any] | None:
    closings = [one for one in pull.events if one.kind == "ClosedEvent"]
    return call.render.user(closings[-1].actor) if closings and not pull.is_open else None


# -- comments


@route("GET", f"{ISSUE}/comments")
def list_comments(call: Call) -> Answer:
    call.require("issues" if call.token.may("issues", "read") else "pull_requests", "read")
    home, pull = _issue(call)
    return call.page([call.render.comment(home, pull.number, one) for one in pull.comments])


@route("POST", f"{ISSUE}/comments")
def create_comment(call: Call) -> Answer:
    call.require_either("pull_requests", "issues")
    home, pull = _issue(call)
    if pull.locked and call.token.account.login not in home.people:
        raise Refused(403, "Unable to create comment because issue is locked.")
    body = call.body["body"]
    if not body.strip():
        raise invalid("IssueComment", field="data", code="unprocessable")
    pulls.fits("IssueComment", body=body)
    at = call.world.clock.tick()
    comment = Comment(call.world.number(), call.token.account, body, at, at)
    pull.comments.append(comment)
    answer = call.render.comment(home, pull.number, comment)
    return Answer(201, answer, {"Location": answer["url"]})


def _comment(call: Call) -> tuple[Repository, Pull, Comment]:
    wanted = call.params["comment_id"]
    for pull in call.repository.pulls.values():
        for comment in pull.comments:
            if str(comment.id) == wanted:
                return call.repository, pull, comment
    raise Refused(404, "Not Found")


@route("GET", COMMENT)
def get_comment(call: Call) -> Answer:
    home, pull, comment = _comment(call)
    return Answer(200, call.render.comment(home, pull.number, comment))


@route("PATCH", COMMENT)
def update_comment(call: Call) -> Answer:
    call.require_either("pull_requests", "issues")
    home, pull, comment = _comment(call)
    new = call.body["body"]
    pulls.fits("IssueComment", body=new)
    if new != comment.body:
        actor = call.token.account
        pulls.edited(call.world, comment, actor, comment.body, new, comment.created_at)
        comment.body, comment.updated_at = new, call.world.clock.stamp
    return Answer(200, call.render.comment(home, pull.number, comment))


@route("DELETE", COMMENT)
def delete_comment(call: Call) -> Answer:
    call.require_either("pull_requests", "issues")
    _, pull, comment = _comment(call)
    pull.comments.remove(comment)
    return Answer(204)


# -- labels


@route("GET", f"{ISSUE}/labels")
def list_issue_labels(call: Call) -> Answer:
    home, pull = _issue(call)
    return call.page([call.render.label(home, home.labels[name]) for name in pull.labels])


@route("POST", f"{ISSUE}/labels")
def add_labels(call: Call) -> Answer:
    return _label(call, replace=False)


@route("PUT", f"{ISSUE}/labels")
def set_labels(call: Call) -> Answer:
    return _label(call, replace=True)


def _label(call: Call, *, replace: bool) -> Answer:
    call.require_either("pull_requests", "issues")
    home, pull = _issue(call)
    given = call.body["labels"] if isinstance(call.body, dict) else call.body
    names = [one if isinstance(one, str) else one["name"] for one in given]
    if replace:
        for gone in [name for name in pull.labels if name not in names]:
            unlabel(call, pull, gone)
    for name in names:
        # GitHub makes a label that isn't there yet.
        home.labels.setdefault(name, Label(call.world.number(), name))
        if name not in pull.labels:
            pull.labels.append(name)
            call.world.event(pull, "LabeledEvent", call.token.account, label=home.labels[name])
    return Answer(200, [call.render.label(home, home.labels[name]) for name in pull.labels])


def unlabel(call: Call, pull: Pull, name: str) -> None:
    pull.labels.remove(name)
    label = call.repository.labels[name]
    call.world.event(pull, "UnlabeledEvent", call.token.account, label=label)


@route("DELETE", f"{ISSUE}/labels/{{name}}")
def remove_label(call: Call) -> Answer:
    call.require_either("pull_requests", "issues")
    home, pull = _issue(call)
    if call.params["name"] not in pull.labels:
        raise Refused(404, "Label does not exist")
    unlabel(call, pull, call.params["name"])
    return Answer(200, [call.render.label(home, home.labels[name]) for name in pull.labels])


@route("GET", f"{REPO}/labels")
def list_labels(call: Call) -> Answer:
    home = call.repository
    return call.page([call.render.label(home, one) for one in home.labels.values()])


@route("POST", f"{REPO}/labels")
def create_label(call: Call) -> Answer:
    home = call.require_either("issues", "pull_requests")
    name = call.body["name"]
    if name.lower() in {one.lower() for one in home.labels}:
        raise invalid("Label", field="name", code="already_exists")
    label = Label(
        call.world.number(), name, call.body.get("color", "ededed"), call.body.get("description")
    )
    home.labels[name] = label
    return Answer(201, call.render.label(home, label))


@route("GET", f"{REPO}/labels/{{name}}")
def get_label(call: Call) -> Answer:
    label = call.repository.labels.get(call.params["name"])
    if label is None:
        raise Refused(404, "Not Found")
    return Answer(200, call.render.label(call.repository, label))
