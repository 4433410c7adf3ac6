"""What other people do on GitHub's website, each in one line of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import pulls, refs
from standin.gitstore import ZERO, Entry, Person
from standin.state import AutoMerge, Comment, Label, Pull, Repository, Review, Rule

if TYPE_CHECKING:
    from standin.hub import StandIn
    from standin.state import Account, World

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
        oids = store.between(base, head) if base else list(store.history(head))[::-1]
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
        store = self.it.store
        parent = self.head(branch) or (self.head() if new else None)
        assert parent or new, f"no branch {branch}"
        tree = store.flat(store.commit_object(parent).tree) if parent else {}
        return self._push(
            branch, self._changed(tree, files), [parent] if parent else [], by, message
        )

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


@dataclass(frozen=True)
class PullHandle:
    on: RepositoryHandle
    it: Pull

    @property
    def _world(self) -> World:
        return self.on.world

    @property
    def state(self) -> str:
        return "merged" if self.it.merged_at else self.it.state

    @property
    def number(self) -> int:
        return self.it.number

    @property
    def title(self) -> str:
        return self.it.title

    @property
    def body(self) -> str:
        return self.it.body or ""

    @property
    def head(self) -> str:
        return self.it.head_sha

    @property
    def comments(self) -> list[str]:
        return [one.body for one in self.it.comments]

    @property
    def labels(self) -> list[str]:
        return list(self.it.labels)

    def _who(self, login: str) -> Account:
        return self._world.account(login)

    # -- its state

    def close(self, *, by: str = "ann") -> None:
        pulls.close(self._world, self.on.it, self.it, self._who(by))

    def goes_stale(self, *, by: str = "github-actions[bot]", say: str = "Closed as stale.") -> None:
        """A stale-bot's close: a comment and a close, by a workflow or an App."""
        self.comment(say, by=by)
        self.close(by=by)

    def reopen(self, *, by: str = "ann") -> None:
        pulls.reopen(self._world, self.on.it, self.it, self._who(by))

    def merge(self, *, by: str = "ann", method: str = "merge") -> str:
        """Press the button; `method` is merge or squash."""
        return pulls.merge(self._world, self.on.it, self.it, self._who(by), method)

    def to_draft(self, *, by: str = "ann") -> None:
        self.it.draft = True
        self._world.event(self.it, "ConvertToDraftEvent", self._who(by))

    def ready(self, *, by: str = "ann") -> None:
        self.it.draft = False
        self._world.event(self.it, "ReadyForReviewEvent", self._who(by))

    def lock(self) -> None:
        self.it.locked = True

    def enable_auto_merge(self, *, by: str = "ann", method: str = "squash") -> None:
        who = self._who(by)
        event = self._world.event(self.it, "AutoMergeEnabledEvent", who)
        self.it.auto_merge = AutoMerge(who, event.at, method)

    def enqueue(self, *, by: str = "ann") -> None:
        """Add to the merge queue."""
        self.it.queued_at = self._world.event(self.it, "AddedToMergeQueueEvent", self._who(by)).at

    # -- its text

    def edit(self, *, by: str = "ann", **change: str) -> None:
        """Edit title, body or base."""
        pulls.edit(self._world, self.on.it, self.it, self._who(by), change)

    def tick(self, marker: str, *, by: str = "ann") -> None:
        """Tick the checkbox of the first line that holds `marker`."""
        lines = self.body.split("\n")
        at = next(at for at, line in enumerate(lines) if marker in line and "- [ ]" in line)
        lines[at] = lines[at].replace("- [ ]", "- [x]", 1)
        self.edit(by=by, body="\n".join(lines))

    def comment(self, text: str, *, by: str = "ann") -> None:
        at = self._world.clock.tick()
        self.it.comments.append(Comment(self._world.number(), self._who(by), text, at, at))

    def review(self, state: str = "APPROVED", *, by: str = "ann", body: str = "") -> None:
        at = self._world.clock.tick()
        number, who = self._world.number(), self._who(by)
        self.it.reviews.append(Review(number, who, state, body, self.it.head_sha, at))

    def approve(self, *, by: str = "ann") -> None:
        self.review("APPROVED", by=by)

    def label(self, name: str, *, by: str = "ann") -> None:
        label = self.on.it.labels.setdefault(name, Label(self._world.number(), name))
        self.it.labels.append(name)
        self._world.event(self.it, "LabeledEvent", self._who(by), label=label)

    def unlabel(self, name: str, *, by: str = "ann") -> None:
        self.it.labels.remove(name)
        label = self.on.it.labels[name]
        self._world.event(self.it, "UnlabeledEvent", self._who(by), label=label)

    # -- its branch

    def update_branch(self, *, by: str = "ann") -> str:
        """Press "Update branch": a merge of the base into the head, signed by GitHub."""
        home, pull = self.on.it, self.it
        base = home.branch(pull.base_ref) or ""
        tree = home.store.merged_tree(pull.head_sha, base)
        assert tree is not None, "it conflicts: the button is not there"
        self._world.clock.tick()
        message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
        parents = [pull.head_sha, base]
        oid = pulls.website_commit(self._world, home, self._who(by), tree, parents, message)
        self.on.moves(pull.head_ref, oid, by=by)
        return oid

    def accepts_suggestion(self, files: Files, *, by: str = "ann") -> str:
        """Accept a review's suggestion: a commit on the branch, signed by GitHub."""
        home, pull = self.on.it, self.it
        tree = home.store.tree(self.on._changed(self.on._flat(pull.head_sha), files))
        self._world.clock.tick()
        message = f"Update {next(iter(files))}"
        oid = pulls.website_commit(self._world, home, self._who(by), tree, [pull.head_sha], message)
        self.on.moves(pull.head_ref, oid, by=by)
        return oid
