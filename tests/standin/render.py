"""REST's way to show things."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import pulls, standing
from standin.diffs import changed_files
from standin.node_ids import node_id
from standin.state import AccountKind

if TYPE_CHECKING:
    from standin.gitstore import Person
    from standin.state import Account, Comment, Label, Pull, Repository, Review, Token, World

_USER_URLS = {
    "followers_url": "/followers", "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}", "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions", "organizations_url": "/orgs", "repos_url": "/repos",
    "events_url": "/events{/privacy}", "received_events_url": "/received_events",
}  # fmt: skip
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}", "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}", "contributors_url": "/contributors",
    "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
    "forks_url": "/forks", "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
    "languages_url": "/languages", "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}", "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}", "subscribers_url": "/subscribers",
    "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}  # fmt: skip


@dataclass(frozen=True)
class Renderer:
    """Answers with links that lead back to where the request came in."""

    world: World
    api: str
    web: str
    token: Token | None = None

    def user(self, account: Account) -> dict[str, Any]:
        url = f"{self.api}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("BOT" if account.kind is AccountKind.BOT else "U", account.id),
            "avatar_url": f"{self.web}/avatars/u/{account.id}?v=4",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.web}/{account.login}",
            "type": account.kind.value,
            "site_admin": False,
            **{name: url + part for name, part in _USER_URLS.items()},
        }

    def repository(self, repository: Repository) -> dict[str, Any]:
        """A repository as pull requests show it."""
        url, page = self._url(repository), f"{self.web}/{repository.full_name}"
        count = sum(one.is_open for one in repository.pulls.values())
        return {
            "id": repository.id,
            "node_id": node_id("R", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.user(repository.owner),
            "html_url": page,
            "description": None,
            "fork": repository.parent is not None,
            "url": url,
            **{name: url + part for name, part in _REPOSITORY_URLS.items()},
            "created_at": repository.created_at,
            "updated_at": self.world.clock.stamp,
            "pushed_at": self.world.clock.stamp,
            "git_url": f"git://{page.split('//')[1]}.git",
            "ssh_url": f"git@{page.split('//')[1].replace('/', ':', 1)}.git",
            "clone_url": f"{page}.git",
            "svn_url": page,
            "homepage": None,
            "mirror_url": page if repository.mirror else None,
            "language": "C#",
            "license": None,
            "size": 1,
            "default_branch": repository.default_branch,
            "open_issues": count,
            "open_issues_count": count,
            **dict.fromkeys(("forks", "forks_count", "watchers", "watchers_count"), 0),
            "stargazers_count": 0,
            "has_issues": True,
            **dict.fromkeys(
                ("has_projects", "has_wiki", "has_pages", "has_discussions", "has_downloads"), False
            ),
            "archived": repository.archived,
            "disabled": repository.disabled,
            "visibility": "private" if repository.private else "public",
            "allow_forking": True,
            "is_template": False,
            "topics": [],
            "web_commit_signoff_required": False,
        }

    def full_repository(self, repository: Repository) -> dict[str, Any]:
        more: dict[str, Any] = {
            "network_count": 0,
            "subscribers_count": 0,
            "allow_auto_merge": repository.auto_merge_allowed,
            "delete_branch_on_merge": repository.delete_branch_on_merge,
        }
        if self.token is not None:
            push = self.token.may("contents", "write")
            more["permissions"] = {"admin": False, "maintain": False, "push": push, "triage": push, "pull": True}  # fmt: skip  # noqa: E501
        if repository.parent is not None:
            more["parent"] = more["source"] = self.repository(repository.parent)
        return {**self.repository(repository), **more}

    def _url(self, repository: Repository) -> str:
        return f"{self.api}/repos/{repository.full_name}"

    # -- git

    def git_ref(self, repository: Repository, ref: str, oid: str) -> dict[str, Any]:
        url = self._url(repository)
        return {
            "ref": ref,
            "node_id": node_id("REF", f"{repository.id}:{ref}"),
            "url": f"{url}/git/{ref}",
            "object": {"sha": oid, "type": "commit", "url": f"{url}/git/commits/{oid}"},
        }

    def _verification(self, repository: Repository, oid: str) -> dict[str, Any]:
        commit = repository.store.commit_object(oid)
        good = oid in repository.verified
        return {
            "verified": good,
            "reason": "valid" if good else "unknown_key" if commit.signed else "unsigned",
            "signature": pulls.SIGNATURE if commit.signed else None,
            "payload": f"tree {commit.tree}" if commit.signed else None,
            "verified_at": self.world.clock.stamp if good else None,
        }

    def git_commit(self, repository: Repository, oid: str) -> dict[str, Any]:
        """A commit as git has it."""
        url, commit = self._url(repository), repository.store.commit_object(oid)
        page = f"{self.web}/{repository.full_name}/commit"
        return {
            "sha": oid,
            "node_id": node_id("C", f"{repository.id}:{oid}"),
            "url": f"{url}/git/commits/{oid}",
            "html_url": f"{page}/{oid}",
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
            "message": commit.message.rstrip("\n"),
            "parents": [
                {"sha": one, "url": f"{url}/git/commits/{one}", "html_url": f"{page}/{one}"}
                for one in commit.parents
            ],
            "verification": self._verification(repository, oid),
        }

    def commit(self, repository: Repository, oid: str, *, files: bool = False) -> dict[str, Any]:
        """A commit as the website has it: with accounts."""
        url, git = self._url(repository), self.git_commit(repository, oid)
        found = repository.store.commit_object(oid)
        shown = {
            "sha": oid,
            "node_id": git["node_id"],
            "url": f"{url}/commits/{oid}",
            "html_url": git["html_url"],
            "comments_url": f"{url}/commits/{oid}/comments",
            "commit": {
                key: git[key] for key in ("author", "committer", "message", "tree", "verification")
            }
            | {"url": git["url"], "comment_count": 0},
            "author": self._account_of(found.author),
            "committer": self._account_of(found.committer),
            "parents": git["parents"],
        }
        if files:
            before = found.parents[0] if found.parents else None
            entries = self.files(repository, before, oid)
            shown["files"] = entries
            shown["stats"] = {
                "additions": sum(one["additions"] for one in entries),
                "deletions": sum(one["deletions"] for one in entries),
                "total": sum(one["changes"] for one in entries),
            }
        return shown

    def _account_of(self, person: Person) -> dict[str, Any] | None:
        account = account_of(self.world, person)
        return self.user(account) if account else None

    def files(self, repository: Repository, old: str | None, new: str) -> list[dict[str, Any]]:
        page = f"{self.web}/{repository.full_name}"
        return [
            {
                "sha": one.oid,
                "filename": one.path,
                "status": one.status,
                "additions": one.additions,
                "deletions": one.deletions,
                "changes": one.additions + one.deletions,
                "blob_url": f"{page}/blob/{new}/{one.path}",
                "raw_url": f"{page}/raw/{new}/{one.path}",
                "contents_url": f"{self._url(repository)}/contents/{one.path}?ref={new}",
                **({"patch": one.patch} if one.patch else {}),
            }
            for one in changed_files(repository.store, old, new)
        ]

    def blob(self, repository: Repository, oid: str) -> dict[str, Any]:
        data = repository.store.read(oid, "blob")
        return {
            "sha": oid,
            "node_id": node_id("B", f"{repository.id}:{oid}"),
            "url": f"{self._url(repository)}/git/blobs/{oid}",
            "size": len(data),
            "content": base64.encodebytes(data).decode(),
            "encoding": "base64",
        }

    # -- conversations

    def label(self, repository: Repository, label: Label) -> dict[str, Any]:
        return {
            "id": label.id,
            "node_id": node_id("LA", label.id),
            "url": f"{self._url(repository)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description or "",
        }

    def comment(self, repository: Repository, number: int, comment: Comment) -> dict[str, Any]:
        url, page = self._url(repository), f"{self.web}/{repository.full_name}/pull/{number}"
        return {
            "id": comment.id,
            "node_id": node_id("IC", comment.id),
            "url": f"{url}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{url}/issues/{number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": standing.association(repository, comment.author),
            "performed_via_github_app": None,
        }

    def review(self, repository: Repository, pull: Pull, review: Review) -> dict[str, Any]:
        url = f"{self._url(repository)}/pulls/{pull.number}"
        page = f"{self.web}/{repository.full_name}/pull/{pull.number}#review-{review.id}"
        return {
            "id": review.id,
            "node_id": node_id("PRR", review.id),
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": url,
            "_links": {"html": {"href": page}, "pull_request": {"href": url}},
            "submitted_at": review.at,
            "commit_id": review.commit,
            "author_association": standing.association(repository, review.author),
        }


def account_of(world: World, person: Person) -> Account | None:
    """The account that an e-mail address belongs to."""
    if person.email == "noreply@github.com":
        return world.account(pulls.WEB_FLOW)
    return next((one for one in world.accounts.values() if one.email == person.email), None)


def _person(person: Person) -> dict[str, str]:
    return {"name": person.name, "email": person.email, "date": stamp(person.when)}


def stamp(seconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
