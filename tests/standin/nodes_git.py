"""GraphQL's view of git: refs, commits, trees and blobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import history
from standin.connections import Connection, Leaf, connect
from standin.node_ids import node_id
from standin.pulls import SIGNATURE
from standin.render import account_of, stamp
from standin.state import Refused

if TYPE_CHECKING:
    from standin.gitstore import CommitObject, Entry, Person
    from standin.nodes import View
    from standin.state import Repository

TEXT_LIMIT = 512_000


def git_actor(view: View, person: Person) -> Leaf:
    account = account_of(view.world, person)
    return {
        "__typename": "GitActor",
        "name": person.name,
        "email": person.email,
        "date": stamp(person.when),
        "user": view.user(account) if account else None,
    }


@dataclass(frozen=True)
class GitThing:
    """What blobs, trees and commits have in common."""

    view: View
    home: Repository
    oid: str

    @property
    def abbreviated_oid(self) -> str:
        return self.oid[:7]

    @property
    def repository(self) -> Any:
        return self.view.repository_node(self.home)

    @property
    def id(self) -> str:
        kind = {"blob": "B", "tree": "T", "commit": "C"}[self.home.store.kind(self.oid) or ""]
        return node_id(kind, f"{self.home.id}:{self.oid}")

    @property
    def typename(self) -> str:
        return {"blob": "Blob", "tree": "Tree", "commit": "Commit"}[
            self.home.store.kind(self.oid) or ""
        ]

    # -- blobs

    @property
    def _data(self) -> bytes:
        return self.home.store.read(self.oid, "blob")

    @property
    def byte_size(self) -> int:
        return len(self._data)

    @property
    def is_binary(self) -> bool:
        return b"\0" in self._data[:8000]

    @property
    def is_truncated(self) -> bool:
        return len(self._data) > TEXT_LIMIT

    @property
    def text(self) -> str | None:
        return None if self.is_binary else self._data[:TEXT_LIMIT].decode("utf-8", "replace")

    # -- trees

    @property
    def entries(self) -> list[TreeEntry]:
        return [
            TreeEntry(self.view, self.home, name, entry)
            for name, entry in self.home.store.entries(self.oid).items()
        ]

    # -- commits

    @property
    def _commit(self) -> CommitObject:
        return self.home.store.commit_object(self.oid)

    @property
    def url(self) -> str:
        return f"{self.view.web}/{self.home.full_name}/commit/{self.oid}"

    commit_url = url

    @property
    def tree(self) -> GitThing:
        return GitThing(self.view, self.home, self._commit.tree)

    def file(self, path: str) -> TreeEntry | None:
        tree = self._commit.tree
        *folders, name = path.strip("/").split("/")
        for folder in folders:
            entry = self.home.store.entries(tree).get(folder)
            if entry is None or entry.kind != "tree":
                return None
            tree = entry.oid
        found = self.home.store.entries(tree).get(name)
        return TreeEntry(self.view, self.home, path.strip("/"), found) if found else None

    @property
    def message(self) -> str:
        return self._commit.message.rstrip("\n")

    @property
    def message_headline(self) -> str:
        return self.message.partition("\n")[0]

    @property
    def message_body(self) -> str:
        return self.message.partition("\n")[2].strip("\n")

    @property
    def author(self) -> Leaf:
        return git_actor(self.view, self._commit.author)

    @property
    def committer(self) -> Leaf:
        return git_actor(self.view, self._commit.committer)

    @property
    def authored_date(self) -> str:
        return stamp(self._commit.author.when)

    @property
    def committed_date(self) -> str:
        return stamp(self._commit.committer.when)

    @property
    def signature(self) -> Leaf | None:
        if not self._commit.signed:
            return None
        good = self.oid in self.home.verified
        return {
            "__typename": "GpgSignature",
            "isValid": good,
            "state": "VALID" if good else "UNKNOWN_KEY",
            "wasSignedByGitHub": good,
            "signature": SIGNATURE,
            "signer": None,
        }

    @property
    def status_check_rollup(self) -> Leaf | None:
        if self.view.token.is_app and not self.view.token.may("checks", "read"):
            raise Refused(403, "Resource not accessible by integration")
        state = self.home.checks.get(self.oid)
        return {"state": state} if state else None

    def parents(self, **page: Any) -> Connection:
        found = [GitThing(self.view, self.home, one) for one in self._commit.parents]
        return connect(found, "parents", **page)

    def history(
        self, first: int | None = None, last: int | None = None,
        after: str | None = None, before: str | None = None,
    ) -> Connection:  # fmt: skip
        found = [
            GitThing(self.view, self.home, one) for one in history.back(self.home.store, self.oid)
        ]
        return connect(found, "history", first=first, last=last, after=after, before=before)

    def associated_pull_requests(self, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        found = [
            self.view.pull_node(self.home, pull)
            for pull in self.home.pulls.values()
            if pull.merge_commit == self.oid or self.oid in self.view.commits_of(self.home, pull)
        ]
        return connect(found, "associatedPullRequests", **page)


@dataclass(frozen=True)
class TreeEntry:
    view: View
    home: Repository
    path: str
    entry: Entry
    typename = "TreeEntry"

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def oid(self) -> str:
        return self.entry.oid

    @property
    def mode(self) -> int:
        """Octal in git, a plain number here: 33188 is 100644."""
        return int(self.entry.mode, 8)

    @property
    def type(self) -> str:
        return self.entry.kind

    @property
    def size(self) -> int:
        return len(self.home.store.read(self.oid, "blob")) if self.type == "blob" else 0

    @property
    def object(self) -> GitThing | None:
        if self.entry.kind == "commit":
            return None
        return GitThing(self.view, self.home, self.entry.oid)


@dataclass(frozen=True)
class RefNode:
    view: View
    home: Repository
    full: str
    typename = "Ref"

    @property
    def id(self) -> str:
        return node_id("REF", f"{self.home.id}:{self.full}")

    @property
    def prefix(self) -> str:
        return "/".join(self.full.split("/")[:2]) + "/"

    @property
    def name(self) -> str:
        return self.full.removeprefix(self.prefix)

    @property
    def target(self) -> GitThing:
        oid = self.home.store.ref(self.full)
        if oid is None:
            raise Refused(404, "Not Found")
        return GitThing(self.view, self.home, oid)

    @property
    def repository(self) -> Any:
        return self.view.repository_node(self.home)

    @property
    def branch_protection_rule(self) -> Any:
        return self.view.protection(self.home, self.name)

    @property
    def ref_update_rule(self) -> Any:
        return self.view.update_rule(self.home, self.name)

    def rules(self, order_by: Any = None, **page: Any) -> Connection:
        del order_by
        return connect(self.view.rules(self.home, self.name), "rules", **page)

    def associated_pull_requests(self, states: Any = None, **page: Any) -> Connection:
        home = self.view.repository_node(self.home)
        return home.pull_requests(head_ref_name=self.name, states=states, **page)


def by_expression(view: View, home: Repository, expression: str) -> GitThing | None:
    """What `REV` or `REV:path` names, as `git rev-parse` has it."""
    rev, colon, path = expression.partition(":")
    store = home.store
    names = (rev, f"refs/{rev}", f"refs/heads/{rev}", f"refs/tags/{rev}")
    oid = next(
        (found for name in names if name.startswith("refs/") and (found := store.ref(name))), None
    )
    if rev == "HEAD":
        oid = home.branch(home.default_branch)
    oid = oid or (rev if store.kind(rev) else None)
    if oid is None:
        return None
    thing = GitThing(view, home, oid)
    if not colon:
        return thing
    if not path:
        return thing.tree
    entry = thing.file(path)
    return entry.object if entry else None
