"""Laws of the pull request: whatever people do between runs, nothing of theirs is lost.

Sequences of runs and of what people do are made up at random, on the stand-in GitHub.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bringing import ESCALATION, FIXED, MANIFEST, SECCOMP, USER, Scene
from hardhull.pull_request.options import Operation
from hardhull.pull_request.state import block_in
from standin import Refused
from standin.history import ancestors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from standin import PullHandle, StandIn

YAML = "deploy/api.yaml"
NUMBERS = itertools.count()


class Play:
    """A scene and what has to hold in it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.theirs: list[str] = []
        """Commits of people that must stay within reach."""
        self.title: tuple[int, str] | None = None
        self.asked = False

    @property
    def pull(self) -> PullHandle | None:
        found = self.scene.repository.pulls
        return found[max(found)] if found else None

    def reach(self) -> set[str]:
        """Everything that a branch or a pull request still leads to."""
        home = self.scene.repository
        heads = [home.head(branch) for branch in home.branches()]
        heads += [pull.head for pull in home.pulls.values()]
        return {oid for head in heads if head for oid in ancestors(home.it.store, head)}

    def run(self) -> None:
        was_open = {n: p.state for n, p in self.scene.repository.pulls.items()}
        brought = self.scene.bring()
        assert not brought.refused, brought.blocked_reason
        writes = list(self.scene.hub.writes)
        again, more = self.scene.again()
        assert more == [], (writes, more)
        assert again.operation in (Operation.NONE, Operation.BLOCKED)
        pulls = self.scene.repository.pulls
        opened = [pull for pull in pulls.values() if pull.state == "open"]
        assert len(opened) <= 1
        assert len(pulls) <= len(was_open) + 1
        for pull in opened:
            assert pull.body.count("hardhull:begin") <= 1
            block = block_in(pull.body)
            assert block is None or len(block.state.heads) <= 2
        if self.asked:
            self.theirs.clear()
        else:
            assert set(self.theirs) <= self.reach()
        self.asked = False
        if self.title is not None:
            assert pulls[self.title[0]].title == self.title[1]

    # -- what people do

    def commits(self) -> None:
        if "hardhull" in self.scene.repository.branches():
            name = f"mine{len(self.theirs)}"
            made = self.scene.repository.person_commits("hardhull", {name: "1\n"})
            self.theirs.append(made)

    def amends(self) -> None:
        if "hardhull" in self.scene.repository.branches():
            self.theirs.clear()  # it is they who rewrite it
            made = self.scene.repository.person_amends("hardhull", {"amended": "1\n"})
            self.theirs.append(made)

    def closes(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            self.pull.close()

    def bot_closes(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            self.pull.goes_stale()

    def reopens(self) -> None:
        if self.pull is not None and self.pull.state == "closed":
            try:
                self.pull.reopen()
            except Refused:
                return

    def merges(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            try:
                self.pull.merge()
            except (Refused, AssertionError):
                return

    def renames(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            self.title = (self.pull.number, "theirs")
            self.pull.edit(title="theirs")

    def ticks_no(self) -> None:
        self._tick("no to 1")

    def ticks_anew(self) -> None:
        self.asked |= self._tick("<!-- regenerate -->")

    def _tick(self, marker: str) -> bool:
        pull = self.pull
        if pull is None or pull.state != "open":
            return False
        if not any(marker in line and "- [ ]" in line for line in pull.body.split("\n")):
            return False
        pull.tick(marker)
        return True

    def updates_branch(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            try:
                self.pull.update_branch()
            except (Refused, AssertionError):
                return

    def approves(self) -> None:
        if self.pull is not None and self.pull.state == "open":
            self.pull.approve()

    def fixes_main(self) -> None:
        self.scene.repository.person_commits("main", {YAML: FIXED})

    def reverts_main(self) -> None:
        self.scene.repository.person_commits("main", {YAML: MANIFEST})

    def moves_main(self) -> None:
        self.scene.repository.person_commits("main", {"other": f"{next(NUMBERS)}\n"})

    def deletes_branch(self) -> None:
        if "hardhull" in self.scene.repository.branches():
            self.scene.repository.deletes_branch("hardhull")

    def wants_more(self) -> None:
        self.scene.select = (ESCALATION, SECCOMP, USER)

    def wants_less(self) -> None:
        self.scene.select = (SECCOMP,)

    def week(self) -> None:
        self.scene.hub.clock.advance(days=6)

    def quarter(self) -> None:
        self.scene.hub.clock.advance(days=95)


ACTIONS: list[Callable[[Play], None]] = [
    Play.run, Play.run, Play.run, Play.commits, Play.amends, Play.closes, Play.bot_closes,
    Play.reopens, Play.merges, Play.renames, Play.ticks_no, Play.ticks_anew, Play.updates_branch,
    Play.approves, Play.fixes_main, Play.reverts_main, Play.moves_main, Play.deletes_branch,
    Play.wants_more, Play.wants_less, Play.week, Play.quarter,
]  # fmt: skip


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=9))
def test_nothing_of_people_is_lost_and_nothing_is_done_twice(
    hub: StandIn, tmp_path: Path, actions: list[Callable[[Play], None]]
) -> None:
    hub.forget()
    play = Play(Scene.make(hub, tmp_path, name=f"shop{next(NUMBERS)}"))
    play.run()
    for action in actions:
        action(play)
        hub.forget()
    play.run()
