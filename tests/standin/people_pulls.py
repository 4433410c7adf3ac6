"""What other people do to a pull request on GitHub's website, each in one line of a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from standin import history, pulls
from standin.state import AutoMerge, Comment, Label, Pull, Review

if TYPE_CHECKING:
    from standin.people import Files, RepositoryHandle
    from standin.state import Account, World


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
        """Edit title, body or base. A browser sends a text with CRLF, whatever it was before."""
        if "body" in change:
            change["body"] = "\r\n".join(change["body"].replace("\r\n", "\n").split("\n"))
        pulls.edit(self._world, self.on.it, self.it, self._who(by), change)

    def tick(self, marker: str, *, by: str = "ann") -> None:
        """Tick the checkbox of the first line that holds `marker`."""
        lines = self.body.split("\n")
        at = next(at for at, line in enumerate(lines) if marker in line and "- [ ]" in line)
        lines[at] = lines[at].replace("- [ ]", "- [x]", 1)
        ticked = {"body": "\n".join(lines)}
        pulls.edit(self._world, self.on.it, self.it, self._who(by), ticked)

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
        tree = history.merged_tree(home.store, pull.head_sha, base)
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
