"""GraphQL's view of what is said about a pull request: comments, reviews, versions of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import standing
from standin.connections import Connection, Leaf, connect
from standin.node_ids import node_id
from standin.nodes_git import GitThing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from standin.nodes import View
    from standin.state import AutoMerge, Comment, Edit, Pull, Repository, Review


def auto_merge(view: View, auto: AutoMerge) -> Leaf:
    return {
        "enabledAt": auto.at,
        "enabledBy": view.actor(auto.by),
        "mergeMethod": auto.method.upper(),
    }


def edits(view: View, found: Sequence[Edit], page: dict[str, Any]) -> Connection:
    """Versions of a body, newest first. `diff` is the whole text, whatever its name says."""
    nodes: list[Leaf] = [
        {
            "__typename": "UserContentEdit",
            "id": node_id("UCE", one.id),
            "editor": view.actor(one.editor),
            "diff": one.text,
            "deletedAt": None,
            "deletedBy": None,
            **dict.fromkeys(("createdAt", "editedAt", "updatedAt"), one.at),
        }
        for one in reversed(found)
    ]
    return connect(nodes, "userContentEdits", **page)


def comment(view: View, home: Repository, pull: Pull, one: Comment) -> Leaf:
    page = f"{view.web}/{home.full_name}/pull/{pull.number}"
    return {
        "__typename": "IssueComment",
        "id": node_id("IC", one.id),
        "databaseId": one.id,
        "author": view.actor(one.author),
        "authorAssociation": standing.association(home, one.author),
        "body": one.body,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "url": f"{page}#issuecomment-{one.id}",
        "viewerDidAuthor": one.author == view.token.account,
        "isMinimized": one.minimized is not None,
        "minimizedReason": one.minimized,
        "editor": view.actor(one.edits[-1].editor) if one.edits else None,
        "lastEditedAt": one.edits[-1].at if one.edits else None,
        "userContentEdits": lambda **page: edits(view, one.edits, page),
    }


def review(view: View, home: Repository, one: Review) -> Leaf:
    return {
        "__typename": "PullRequestReview",
        "id": node_id("PRR", one.id),
        "author": view.actor(one.author),
        "authorAssociation": standing.association(home, one.author),
        "state": one.state,
        "body": one.body,
        "commit": GitThing(view, home, one.commit),
        **dict.fromkeys(("createdAt", "submittedAt", "updatedAt"), one.at),
    }
