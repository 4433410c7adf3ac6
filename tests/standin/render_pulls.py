"""REST's way to show pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import history, standing
from standin.diffs import changed_files
from standin.node_ids import node_id

if TYPE_CHECKING:
    from standin.render import Renderer
    from standin.state import Pull, Repository


def simple(render: Renderer, home: Repository, pull: Pull) -> dict[str, Any]:
    """A pull request as lists show it."""
    url, page = f"{render.api}/repos/{home.full_name}", f"{render.web}/{home.full_name}"
    here, issue = f"{url}/pulls/{pull.number}", f"{url}/issues/{pull.number}"
    shown = f"{page}/pull/{pull.number}"
    urls = {
        "comments_url": f"{issue}/comments",
        "commits_url": f"{here}/commits",
        "review_comment_url": f"{url}/pulls/comments{{/number}}",
        "review_comments_url": f"{here}/comments",
        "statuses_url": f"{url}/statuses/{pull.head_sha}",
    }
    links = {
        "self": here, "html": shown, "issue": issue, "comments": urls["comments_url"],
        "review_comments": urls["review_comments_url"],
        "review_comment": urls["review_comment_url"], "commits": urls["commits_url"],
        "statuses": urls["statuses_url"],
    }  # fmt: skip
    return {
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "number": pull.number,
        "url": here,
        "html_url": shown,
        "diff_url": f"{shown}.diff",
        "patch_url": f"{shown}.patch",
        "issue_url": issue,
        **urls,
        "_links": {name: {"href": link} for name, link in links.items()},
        "state": pull.state,
        "locked": pull.locked,
        "active_lock_reason": None,
        "title": pull.title,
        "body": pull.body,
        "user": render.user(pull.author),
        "labels": [render.label(home, home.labels[name]) for name in pull.labels],
        "milestone": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [
            render.user(render.world.account(login)) for login in pull.reviewers
        ],
        "requested_teams": [team(render, home, slug) for slug in pull.team_reviewers],
        "draft": pull.draft,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "author_association": standing.association(home, pull.author),
        "auto_merge": _auto_merge(render, pull),
        "head": _side(render, pull.head_repository, pull.head_ref, pull.head_sha),
        "base": _side(render, home, pull.base_ref, pull.base_sha),
    }


def full(render: Renderer, home: Repository, pull: Pull) -> dict[str, Any]:
    """A pull request by itself: with what has to be worked out."""
    commits = standing.commits_of(home, pull)
    base = history.merge_base(
        home.store, pull.head_sha, home.branch(pull.base_ref) or pull.base_sha
    )
    files = changed_files(home.store, pull.merge_base_at_close or base, pull.head_sha)
    mergeable = standing.mergeable(home, pull)
    return {
        **simple(render, home, pull),
        "merged": pull.merged_at is not None,
        "merged_by": render.user(pull.merged_by) if pull.merged_by else None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": _mergeable_state(home, pull, mergeable),
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(commits),
        "additions": sum(one.additions for one in files),
        "deletions": sum(one.deletions for one in files),
        "changed_files": len(files),
    }


def team(render: Renderer, home: Repository, slug: str) -> dict[str, Any]:
    url = f"{render.api}/organizations/{home.owner.id}/team/{slug}"
    return {
        "id": 1,
        "node_id": node_id("T", slug),
        "name": slug,
        "slug": slug,
        "url": url,
        "html_url": f"{render.web}/orgs/{home.owner.login}/teams/{slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "description": None,
        "permission": "push",
        "privacy": "closed",
        "parent": None,
        "type": "organization",
        "organization_id": home.owner.id,
    }


def _side(render: Renderer, repository: Repository, ref: str, oid: str) -> dict[str, Any]:
    return {
        "label": f"{repository.owner.login}:{ref}",
        "ref": ref,
        "sha": oid,
        "user": render.user(repository.owner),
        "repo": render.repository(repository),
    }


def _auto_merge(render: Renderer, pull: Pull) -> dict[str, Any] | None:
    if pull.auto_merge is None:
        return None
    return {
        "enabled_by": render.user(pull.auto_merge.by),
        "merge_method": pull.auto_merge.method,
        "commit_title": pull.title,
        "commit_message": pull.body or "",
    }


def _mergeable_state(home: Repository, pull: Pull, mergeable: bool | None) -> str:
    if mergeable is None:
        return "unknown"
    if not mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    if standing.review_decision(home, pull) in {"REVIEW_REQUIRED", "CHANGES_REQUESTED"}:
        return "blocked"
    return "clean"
