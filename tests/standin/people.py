"""What other people do on GitHub's website to a repository, each in one line of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import history, pulls, refs
from standin.gitstore import ZERO, Entry, Person
from standin.people_pulls import PullHandle
from standin.state import Rule

if TYPE_CHECKING:
    from standin.hub import StandIn
    from standin.state import Repository, World

Files = Mapping[str, str | bytes | tuple[str, str | bytes] | None]
"""Text or bytes by path; None deletes; a pair gives the mode before the content."""


@dataclass(frozen=True)
class RepositoryHandle:
    hub: StandIn
    it: Repository

    @property
    def world(self) -> World:
        return self.hub.world

    @property
    def name(self) -> str:
        return self.it.full_name

    @property
    def pulls(self) -> dict[int, PullHandle]:
        return {number: PullHandle(self, pull) for number, pull in self.it.pulls.items()}

    # -- looking

    def head(self, branch: str | None = None) -> str | None:
        return self.it.branch(branch or self.it.default_branch)

    def branches(self) -> list[str]:
        return [one.removeprefix("refs/heads/") for one in self.it.store.refs("refs/heads/")]

    def files(self, commit: str | None = None) -> dict[str, bytes]:
        """All files of a branch or a commit, with their bytes."""
        store = self.it.store
        return {path: store.read(entry.oid, "blob") for path, entry in self._flat(commit).items()}

    def modes(self, commit: str | None = None) -> dict[str, str]:
        return {path: entry.mode for path, entry in self._flat(commit).items()}

    def _flat(self, commit: str | None) -> dict[str, Entry]:
        oid = self.it.branch(commit or self.it.default_branch) or commit or ""
        return self.it.store.flat(self.it.store.commit_object(oid).tree)

    def log(self, branch: str) -> list[str]:
        """First lines of the messages of a branch that the default branch has not, oldest first."""
        store, head, base = self.it.store, self.head(branch), self.head()
        assert head is not None
        oids = history.between(store, base, head) if base else history.back(store, head)[::-1]
        return [store.commit_object(oid).message.split("\n")[0] for oid in oids]

    # -- committing

    def person_commits(
        self,
        branch: str,
        files: Files,
        *,
        by: str = "ann",
        message: str = "a person's change",
        new: bool = False,
    ) -> str:
        """Commit and push to a branch; `new` makes it, from the default branch if there is one."""
        with self.hub.lock:
            store = self.it.store
            parent = self.head(branch) or (self.head() if new else None)
            assert parent or new, f"no branch {branch}"
            tree = store.flat(store.commit_object(parent).tree) if parent else {}
            changed = self._changed(tree, files)
            return self._push(branch, changed, [parent] if parent else [], by, message)

    def person_amends(self, branch: str, files: Files, *, by: str = "ann") -> str:
        """Amend the last commit, keeping its author and message, and force-push."""
        store = self.it.store
        last = store.commit_object(self.head(branch) or "")
        self.world.clock.tick()
        tree = store.tree(self._changed(store.flat(last.tree), files))
        oid = store.commit(tree, last.parents, last.author, self._person(by), last.message)
        self.moves(branch, oid, by=by)
        return oid

    def person_reverts(self, files: Files, *, by: str = "ann", what: str = "the fix") -> str:
        """Put files of the default branch back to what they were."""
        return self.person_commits(self.it.default_branch, files, by=by, message=f'Revert "{what}"')

    def deletes_branch(self, branch: str, *, by: str = "ann") -> None:
        self.moves(branch, ZERO, by=by)

    def makes_branch(self, branch: str, at: str | None = None, *, by: str = "ann") -> None:
        self.moves(branch, at or self.head() or "", by=by)

    def moves(self, branch: str, oid: str, *, by: str = "ann") -> None:
        """Push a branch to a commit, with force if need be."""
        ref = f"refs/heads/{branch}"
        with self.hub.lock:
            old = self.it.store.ref(ref) or ZERO
            move = refs.moving(self.it, ref, old, oid)
            refs.apply(self.world, self.it, move, self.world.account(by))

    def renames_default_branch(self, to: str, *, by: str = "ann") -> None:
        """GitHub takes open pull requests along."""
        was = self.it.default_branch
        oid = self.head() or ""
        self.it.store.set_ref(f"refs/heads/{to}", oid)
        self.it.default_branch = to
        (self.it.store.path / "HEAD").write_text(f"ref: refs/heads/{to}\n", "utf-8")
        for pull in self.it.pulls.values():
            if pull.is_open and pull.base_ref == was:
                pull.base_ref = to
                self.world.event(
                    pull, "BaseRefChangedEvent", self.world.account(by),
                    previousRefName=was, currentRefName=to,
                )  # fmt: skip
        self.it.store.delete_ref(f"refs/heads/{was}")

    def _changed(self, tree: dict[str, Entry], files: Files) -> dict[str, Entry]:
        changed = dict(tree)
        for path, given in files.items():
            if given is None:
                changed.pop(path)
                continue
            mode = changed[path].mode if path in changed else "100644"
            if isinstance(given, tuple):
                mode, given = given  # noqa: PLW2901  the pair is taken apart
            changed[path] = Entry(mode, self.it.store.blob(given))
        return changed

    def _push(
        self, branch: str, tree: dict[str, Entry], parents: list[str], by: str, message: str
    ) -> str:
        self.world.clock.tick()
        person = self._person(by)
        store = self.it.store
        oid = store.commit(store.tree(tree), parents, person, person, f"{message}\n")
        self.moves(branch, oid, by=by)
        return oid

    def _person(self, login: str) -> Person:
        account = self.world.account(login)
        return Person(login, account.email, self.world.clock.seconds)

    def take(self, other: Repository, oid: str) -> None:
        """Have another repository's objects too."""
        pulls.bring(other, self.it, oid)

    # -- settings

    def rule(
        self, kind: str, branches: str = "~ALL", *, classic: bool = False, **parameters: Any
    ) -> None:
        """Set a rule: `required_signatures`, `non_fast_forward`, `pull_request`, `update`, …."""
        self.it.rules.append(Rule(kind, branches, parameters, classic=classic))

    def requires_checks(
        self, *contexts: str, branches: str = "~DEFAULT_BRANCH", strict: bool = False
    ) -> None:
        self.rule(
            "required_status_checks",
            branches,
            strict_required_status_checks_policy=strict,
            do_not_enforce_on_create=False,
            required_status_checks=[{"context": one} for one in contexts],
        )

    def person_opens(
        self, branch: str, *, by: str = "ann", title: str = "a change", body: str | None = None,
        base: str | None = None, source: RepositoryHandle | None = None, draft: bool = False,
    ) -> PullHandle:  # fmt: skip
        """Open a pull request, from a fork if `source` is one."""
        made = pulls.open_pull(
            self.world, self.it, self.world.account(by), head=((source or self).it, branch),
            base=base or self.it.default_branch, title=title, body=body, draft=draft,
        )  # fmt: skip
        return PullHandle(self, made)
