"""The parts of the pull request by themselves: commits, body, state, owners, decisions."""

from __future__ import annotations

import base64
import datetime
import json
import re
import subprocess
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.model import Level
from hardhull.pull_request.body import LARGEST, Text, write
from hardhull.pull_request.checkout import Checkout
from hardhull.pull_request.codeowners import CodeOwners
from hardhull.pull_request.commits import (
    Commit,
    NewFile,
    Plan,
    fixes_in,
    plan_commits,
    quiet,
    state_in,
    with_state,
)
from hardhull.pull_request.decide import decide
from hardhull.pull_request.fitting import OVERFLOW, Section, fitted
from hardhull.pull_request.memory import Memory, remember
from hardhull.pull_request.options import Operation
from hardhull.pull_request.refusals import advice
from hardhull.pull_request.seen import SeenBase, SeenBranch, SeenCommit, SeenPull, Standing
from hardhull.pull_request.state import (
    BEGIN,
    END,
    LARGEST_STATE,
    State,
    block_in,
    box,
    marks_of,
    notice_in,
    noticed,
    wrapped,
)
from hardhull.pull_request.unchanged import About
from hardhull.pull_request.view import View, Wanted
from hardhull.rules import RULES
from support import outcome
from support import write as write_files

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.model import Example
    from hardhull.outcome import Outcome

EXAMPLES = [
    pytest.param(example, id=f"{rule.id}: {example.title}")
    for rule in RULES
    for example in rule.examples[:3]
    if example.after and rule.default
]
OIDS = [f"{number:040x}" for number in range(20)]
FIX, OTHER = "a" * 16, "b" * 16


def committed(folder: Path, example: Example) -> tuple[Outcome, Checkout]:
    write_files(folder, example.before)
    for command in (
        ["init", "-q"],
        ["add", "-A", "-f"],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "start"],
    ):
        subprocess.run(["git", "-c", "core.autocrlf=false", *command], cwd=folder, check=True)
    found = outcome(folder, settings=example.settings, digests=example.digests)
    return found, Checkout.read(folder)


# ---------------------------------------------------------------- commits


@pytest.mark.parametrize("example", EXAMPLES)
def test_commits_replay_the_changes(tmp_path: Path, example: Example) -> None:
    result, checkout = committed(tmp_path, example)
    assert checkout.unwritable(result.before[p] for p in result.changed) == {}
    plan = plan_commits(result, checkout)
    last = {file.path: file for commit in plan.commits for file in commit.files}

    assert set(last) == set(result.changed)
    for path, file in last.items():
        assert file.data == result.after[path].to_bytes()
        done = subprocess.run(
            ["git", "hash-object", "--stdin"], input=file.data, capture_output=True, check=True
        )
        assert file.oid == done.stdout.decode().strip()
    assert plan.fixes == tuple(sorted({c.finding.fingerprint for c in result.changes}))
    assert plan_commits(result, checkout) == plan


def lines_of(result: Outcome) -> dict[str, list[str]]:
    return {path: sorted(source.text.split("\n")) for path, source in result.after.items()}


@pytest.mark.parametrize("example", EXAMPLES[::2])
def test_every_prefix_of_the_commits_is_a_fixed_point_of_fewer_rules(
    tmp_path: Path, example: Example
) -> None:
    """What a commit made stays: hardhull, run on a prefix, does what the later commits do."""
    result, checkout = committed(tmp_path, example)
    plan = plan_commits(result, checkout)
    for index, commit in enumerate(plan.commits):
        write_files(tmp_path, {file.path: file.data for file in commit.files})
        rest = outcome(tmp_path, settings=example.settings, digests=example.digests)
        left = {fix for later in plan.commits[index + 1 :] for fix in later.fixes}
        assert rest.crashes == ()
        assert {c.finding.fingerprint for c in rest.changes} <= left
        # Keys that two stages add to one mapping may come in another order.
        assert lines_of(rest) == lines_of(result)


@pytest.mark.parametrize("example", EXAMPLES[::4])
def test_routine_commits_come_first(tmp_path: Path, example: Example) -> None:
    result, checkout = committed(tmp_path, example)
    routine = {c.finding.fingerprint for c in result.changes if c.fix.level is Level.ROUTINE}
    kinds = [set(c.fixes) <= routine for c in plan_commits(result, checkout).commits]

    assert kinds == sorted(kinds, reverse=True)


@pytest.mark.parametrize("example", EXAMPLES[::6])
def test_messages_are_short_and_name_their_fixes(tmp_path: Path, example: Example) -> None:
    result, checkout = committed(tmp_path, example)
    for commit in plan_commits(result, checkout).commits:
        subject, blank, *rest = commit.message.split("\n")
        assert 0 < len(subject) <= 72
        assert blank == ""
        assert any("If it is wrong" in line for line in rest)
        message = with_state(commit.message, OIDS[1], FIX)
        assert fixes_in(message) == set(commit.fixes)
        assert state_in(message) == (OIDS[1], FIX)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("aspnet:10.0@sha256:ab", "aspnet:10.0@sha256:ab"),
        ("@ann", "@\u200bann"),
        ("closes #12", "closes #\u200b12"),
        ("[skip ci]", "[\u200bskip ci]"),
        ("a\n\nHardhull-Fixes: 0", r"a\n\nHardhull-Fixes: 0"),
        ("\x1b[31m", r"\x1b[31m"),
    ],
)
def test_a_message_speaks_to_nobody(text: str, shown: str) -> None:
    assert quiet(text) == shown


# ---------------------------------------------------------------- body


@pytest.mark.parametrize("example", EXAMPLES[::3])
def test_a_body_answers_in_order_and_says_the_same_again(tmp_path: Path, example: Example) -> None:
    result, checkout = committed(tmp_path, example)
    plan = plan_commits(result, checkout)
    text = write(result, plan, About("main"))
    order = ["Does it run as before?", "If it is wrong", "Not checked", "How to say no", "| # |"]
    places = [text.text.index(part) for part in order]

    assert places == sorted(places)
    assert write(result, plan, About("main")) == text
    block = block_in(wrapped(text.text, State("hardhull", fixes=plan.fixes)))
    assert block is not None
    assert block.unticked == set(plan.fixes)
    assert text.text.count("<!-- no ") == len({c.finding.fingerprint for c in result.changes})
    assert len(text.text) < 6000
    assert not re.search(r"\d{1,2}:\d{2}:\d{2}|!\[|https?://", text.text)


def test_facts_do_not_hang_on_lines_or_words(tmp_path: Path) -> None:
    example = next(rule for rule in RULES if rule.id == "privilege-escalation").examples[0]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    result, checkout = committed(tmp_path / "one", example)
    moved = {path: f"# a comment\n{text}" for path, text in example.before.items()}
    later, second = committed(tmp_path / "two", replace(example, before=moved))
    one, two = plan_commits(result, checkout), plan_commits(later, second)

    assert one.content == two.content
    assert one.commits[0].files[0].oid != two.commits[0].files[0].oid
    assert write(result, one, About("main")).facts == write(later, two, About("main")).facts


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(200, 3000))
def test_what_does_not_fit_is_counted(sizes: list[int], room: int) -> None:
    sections = [
        Section(f"head {index}", tuple(f"- line {number}" for number in range(size)))
        for index, size in enumerate(sizes)
    ]
    text = fitted(sections, room)
    whole = fitted(sections, 10**6)

    assert len(text) <= room
    assert text == whole or OVERFLOW in text
    for index, size in enumerate(sizes):
        if text != whole and f"head {index}" in text and len(text) < room - 200:
            shown = text.split(f"head {index}")[1].split("head ")[0]
            more = re.search(r"and (\d+) more", shown)
            assert shown.count("- line ") + (int(more[1]) if more else 0) == size


def test_a_body_never_outgrows_what_github_takes(tmp_path: Path) -> None:
    rule = next(rule for rule in RULES if rule.id == "privilege-escalation")
    before = {
        f"services/a-service-with-a-long-name-{index}/{path}": text
        for index in range(500)
        for path, text in rule.examples[0].before.items()
        if path.endswith("yaml")
    }
    result, checkout = committed(
        tmp_path, replace(rule.examples[0], before=before, settings="applications: all\n")
    )
    assert len(result.changes) >= 400
    plan = Plan(OIDS[1], OIDS[2], (), FIX)
    text = write(result, plan, About("main"))

    assert len(wrapped(text.text, State("hardhull", {OIDS[1]: FIX}, plan.fixes))) <= LARGEST
    assert OVERFLOW in text.text
    assert checkout.prefix == ""


# ---------------------------------------------------------------- state

shorts = st.text("0123456789abcdef", min_size=16, max_size=16)
oids = st.text("0123456789abcdef", min_size=40, max_size=40)
states = st.builds(
    State,
    key=st.just("hardhull"),
    heads=st.dictionaries(oids, shorts, max_size=2),
    fixes=st.lists(shorts, max_size=30).map(tuple),
    refused=st.lists(shorts, max_size=30).map(tuple),
    facts=shorts,
    title=shorts,
    closing=oids,
)


@given(states, st.text(max_size=50), st.text(max_size=50))
def test_a_state_is_read_back(state: State, before: str, after: str) -> None:
    block = block_in(f"{before}{wrapped('text', state)}{after}")

    assert block is not None
    assert block.state == state
    body = noticed(block, "quiet", "words")
    again = block_in(body)
    assert again is not None
    assert (again.state, notice_in(again.text)) == (state, "quiet")
    assert noticed(again, "", "").replace("\r\n", "\n") == (
        f"{before}{wrapped('text', state)}{after}".replace("\r\n", "\n")
    )


@given(st.sets(shorts, min_size=1, max_size=8), st.data())
def test_marks_of_boxes_stand_for_one_fix_each(fixes: set[str], data: st.DataObject) -> None:
    alike = {fix[:9] + other[9:] for fix in fixes for other in fixes}
    marks = marks_of(alike)
    ticked = data.draw(st.sets(st.sampled_from(sorted(alike))))
    boxes = [box("no", ticked=fix in ticked, fixes=(marks[fix],)) for fix in sorted(alike)]
    block = block_in(wrapped("\n".join(boxes), State("hardhull", fixes=tuple(sorted(alike)))))

    assert block is not None
    assert (set(block.ticked), set(block.unticked)) == (ticked, alike - ticked)


def test_a_mark_that_stands_for_nothing_here_is_nothing() -> None:
    block = block_in(wrapped("- [x] <!-- no bbbbbb -->", STATE))
    assert block is not None
    assert block.ticked == frozenset()


def test_too_much_to_remember_is_cut() -> None:
    many = tuple(f"{number * 7919:016x}" for number in range(100_000))
    body = wrapped("text", State("hardhull", {OIDS[1]: FIX}, many, many[:50]))
    block = block_in(body)

    assert len(body) < LARGEST_STATE + 200
    assert block is not None
    assert block.state.refused == many[:50]


def packed(data: Any) -> str:
    raw = zlib.compress(json.dumps(data).encode())
    return f"{BEGIN}\n<!-- hardhull:state:{base64.b64encode(raw).decode()} -->\n{END}"


GOOD: dict[str, Any] = {
    "v": 1, "key": "hardhull", "heads": {OIDS[1]: FIX}, "fixes": FIX, "refused": "",
    "facts": FIX, "title": "", "closing": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"key": 1}, {"heads": []}, {"heads": {"x": FIX}}, {"heads": {OIDS[1]: "../.."}},
        {"fixes": "abc"}, {"fixes": None}, {"refused": ["a"]}, {"facts": "x"}, {"title": 3},
        {"closing": "main"},
    ],
)  # fmt: skip
def test_a_state_of_another_form_is_none(change: dict[str, Any]) -> None:
    assert block_in(packed(GOOD)) is not None
    assert block_in(packed({**GOOD, **change})) is None


@pytest.mark.parametrize(
    "body",
    [
        "", BEGIN, f"{END}\n{BEGIN}", packed(GOOD) * 2, packed([]), packed("x"),
        f"{BEGIN}\n<!-- hardhull:state:!!!! -->\n{END}",
        f"{BEGIN}\n<!-- hardhull:state:{base64.b64encode(b'x' * 99).decode()} -->\n{END}",
        (f"{BEGIN}\n<!-- hardhull:state:"
        f"{base64.b64encode(zlib.compress(b'[' * 10**7)).decode()} -->\n{END}"),
    ],
)  # fmt: skip
def test_a_body_of_another_form_is_none(body: str) -> None:
    assert block_in(body) is None


# ---------------------------------------------------------------- owners

OWNERS = """\
# the last line that matches a file names its owners
*                 @acme/all
*.js              @js            # said beside it
/build/logs/      @doctocat
docs/*            docs@acme.example
apps/             @octocat
/docs/            @doctocat
/scripts/         @doctocat @octocat
**/logs           @logs
/apps/github
!bad              @bad
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("a/b.py", ("@acme/all",)),
        ("a/b.js", ("@js",)),
        ("build/logs/x", ("@logs",)),
        ("sub/build/logs/x", ("@logs",)),
        ("docs/a.md", ("@doctocat",)),
        ("sub/docs/a.md", ("@acme/all",)),
        ("x/apps/y/z", ("@octocat",)),
        ("scripts/a/b.sh", ("@doctocat", "@octocat")),
        ("apps/github/x", ()),
        ("bad", ("@acme/all",)),
    ],
)
def test_owners(path: str, owners: tuple[str, ...]) -> None:
    assert CodeOwners.parse(OWNERS).of(path) == owners


def test_a_star_at_the_end_means_what_is_directly_there() -> None:
    owners = CodeOwners.parse("docs/* @a\n")

    assert owners.of("docs/a.md") == ("@a",)
    assert owners.of("docs/more/a.md") == ()
    assert owners.of_all(["docs/a.md", "x"]) == ("@a",)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("status", "said", "names"),
    [
        (403, "GitHub Actions is not permitted to create or approve pull requests.", "Settings"),
        (403, "Resource not accessible by integration", "contents: write"),
        (403, "Resource not accessible by personal access token", "Contents: write"),
        (422, "Commits must have verified signatures.", "commit-mode api"),
        (422, "Changes must be made through a pull request.", "Settings"),
        (422, "Cannot create ref due to creations being restricted.", "Settings"),
        (422, "Cannot force-push to this branch", "Settings"),
        (422, "Cannot update this protected ref.", "Settings"),
        (422, "This branch must not contain merge commits.", "rule"),
        (403, "Repository was archived so is read-only.", "archived"),
        (401, "Bad credentials", "GITHUB_TOKEN"),
        (404, "Not Found", "repository's name"),
        (418, "a\n::error::teapot", "418"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_change(status: int, said: str, names: str) -> None:
    reason = advice(status, {"message": "Failed", "errors": [{"message": said}]}).reason

    assert names in reason
    assert "\n" not in reason
    assert "::error" not in reason


# ---------------------------------------------------------------- decisions

TODAY = datetime.date(2026, 11, 25)
BASE = SeenBase("main", OIDS[0])
PLAN = Plan(OIDS[0], OIDS[9], (Commit("m", (NewFile("f", "100644", OIDS[8], b"x"),), (FIX,)),), FIX)
WANTED = Wanted(PLAN, Text("A title", "text", FIX))
OURS = SeenCommit(OIDS[1], OIDS[9], f"m\n\nHardhull-Fixes: {FIX}\n", (OIDS[0],), "bot")
STATE = State("hardhull", {OIDS[1]: FIX}, (FIX,), (), FIX)
CHAINED = replace(OURS, message=with_state(OURS.message, OIDS[9], FIX))


def pull(**more: Any) -> SeenPull:
    given = {
        "number": 1, "url": "", "branch": "hardhull", "base": "main", "head": OIDS[1],
        "title": "A title", "body": wrapped("text", more.pop("state", STATE)),
        "standing": Standing.OPEN, "ours": True, "created": TODAY, "last_sign": TODAY,
        "commits": (OURS,), "commit_count": 1, **more,
    }  # fmt: skip
    return SeenPull(**given)


def view(*pulls: SeenPull, **more: Any) -> View:
    at = more.pop("at", SeenBranch(OIDS[1], (CHAINED,)) if pulls else None)
    memory = more.pop("memory", remember(pulls, TODAY))
    return View("hardhull", "hardhull", BASE, "bot", TODAY, at, pulls, memory, **more)


DAYS = datetime.timedelta(days=1)
THEIRS = SeenCommit(OIDS[2], OIDS[3], "theirs", (OIDS[1],), "ann")
BUTTON = SeenCommit(OIDS[2], OIDS[3], "Merge", (OIDS[1], OIDS[4]), "web-flow")
MORE = replace(WANTED, plan=replace(PLAN, content=OTHER))
CLOSED = {"standing": Standing.CLOSED, "closed": TODAY}
TABLE: list[tuple[str, View, Wanted | None, Operation, list[str]]] = [
    ("1 nothing", view(), None, Operation.NONE, []),
    ("2 our branch", view(at=SeenBranch(OIDS[1], (CHAINED,))), None, Operation.NONE, ["Delete"]),
    ("2 their branch", view(at=SeenBranch(OIDS[2], (THEIRS,))), None, Operation.NONE, []),
    ("3 solved", view(pull()), None, Operation.CLOSED, ["Edit", "Comment", "Delete"]),
    ("4 solved, theirs", view(pull(head=OIDS[2], commits=(OURS, THEIRS), commit_count=2)), None,
     Operation.UPDATED, ["Edit"]),
    ("5 create", view(), WANTED, Operation.CREATED, ["Rewrite", "Open"]),
    ("5 create, labels", view(set_up=True), WANTED, Operation.CREATED,
     ["Rewrite", "Open", "SetUp"]),
    ("6 our branch", view(at=SeenBranch(OIDS[1], (CHAINED,))), WANTED, Operation.CREATED,
     ["Open"]),
    ("7 their branch", view(at=SeenBranch(OIDS[2], (THEIRS, CHAINED))), WANTED,
     Operation.BLOCKED, []),
    ("8 same", view(pull()), WANTED, Operation.NONE, []),
    ("9 more", view(pull()), MORE, Operation.UPDATED, ["Rewrite"]),
    ("10 base moved", view(pull(commits=(replace(OURS, parents=(OIDS[7],)),))), WANTED,
     Operation.NONE, []),
    ("11 conflict", view(pull(conflicting=True)), WANTED, Operation.UPDATED, ["Rewrite"]),
    ("12 theirs", view(pull(head=OIDS[2], commits=(OURS, THEIRS), commit_count=2)), MORE,
     Operation.UPDATED, ["Edit"]),
    ("12 a button", view(pull(head=OIDS[2], commits=(OURS, BUTTON), commit_count=2),
                         merged_only=frozenset({1})), WANTED, Operation.NONE, []),
    ("12 a button that mixed", view(pull(head=OIDS[2], commits=(OURS, BUTTON), commit_count=2)),
     WANTED, Operation.UPDATED, ["Edit"]),
    ("13 closed by us, over a week ago", view(
        pull(**{**CLOSED, "closed": TODAY - 8 * DAYS}, state=replace(STATE, closing=OIDS[1])),
        at=None), WANTED, Operation.CREATED, ["Rewrite", "Open"]),
    ("3 closed by us, back", view(pull(**CLOSED, state=replace(STATE, closing=OIDS[1])), at=None),
     WANTED, Operation.REOPENED, ["Reopen", "Rewrite"]),
    ("14 a bot closed", view(pull(**CLOSED, by_machine=True)), WANTED, Operation.NONE, []),
    ("14 closing said for another head", view(
        pull(**CLOSED, by_machine=True, state=replace(STATE, closing=OIDS[5]))), WANTED,
     Operation.NONE, []),
    ("15 merged", view(pull(standing=Standing.MERGED, closed=TODAY), at=None), MORE,
     Operation.CREATED, ["Rewrite", "Open"]),
    ("17 queued", view(pull(in_queue=True)), MORE, Operation.NONE, []),
    ("20 their title", view(pull(title="theirs")), MORE, Operation.UPDATED, ["Rewrite"]),
    ("21 no markers", view(pull(body="mine", commits=(CHAINED,))), WANTED, Operation.NONE, []),
    ("21 no markers, more", view(pull(body="mine", commits=(CHAINED,))), MORE,
     Operation.UPDATED, ["Rewrite"]),
    ("22 another base", view(pull(base="x")), MORE, Operation.UPDATED, ["Edit"]),
    ("24 another account", view(pull(ours=False)), WANTED, Operation.BLOCKED, []),
    ("34 a month", view(pull(last_sign=TODAY - 31 * DAYS, conflicting=True)), WANTED,
     Operation.NONE, []),
    ("34 a month, more", view(pull(last_sign=TODAY - 31 * DAYS)), MORE, Operation.UPDATED,
     ["Rewrite"]),
    ("34 three months", view(pull(last_sign=TODAY - 90 * DAYS)), MORE, Operation.UPDATED,
     ["Edit"]),
    ("approved", view(pull(approved=True)), MORE, Operation.NONE, []),
    ("approved, conflict", view(pull(approved=True, conflicting=True)), MORE, Operation.UPDATED,
     ["Rewrite"]),
    ("auto-merge", view(pull(auto_merge=True)), MORE, Operation.NONE, []),
    ("other words", view(pull()), replace(WANTED, text=Text("Other title", "other", FIX)),
     Operation.NONE, []),
    ("other facts", view(pull()), replace(WANTED, text=Text("A title", "other", OTHER)),
     Operation.UPDATED, ["Edit"]),
    ("labels were lost", view(pull(), set_up=True), WANTED, Operation.UPDATED, ["SetUp"]),
    ("labels were given", view(pull(set_up=True), set_up=True), WANTED, Operation.NONE, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "wanted", "operation", "steps"),
    [pytest.param(*row[1:], id=row[0]) for row in TABLE],
)
def test_decisions(
    seen: View, wanted: Wanted | None, operation: Operation, steps: list[str]
) -> None:
    decision = decide(seen, wanted)

    assert (decision.operation, [type(step).__name__ for step in decision.steps]) == (
        operation,
        steps,
    )
    assert decide(seen, wanted) == decision


def test_what_is_remembered() -> None:
    person = pull(**CLOSED)
    ours = pull(**CLOSED, number=2, state=replace(STATE, closing=OIDS[1]))
    bot = pull(**CLOSED, number=3, by_machine=True)
    merged = pull(number=4, standing=Standing.MERGED, closed=TODAY - 89 * DAYS)
    retried = replace(person, labels=frozenset({"hardhull:retry"}))
    ticked = pull(body=wrapped(f"- [x] <!-- no {OTHER} -->", STATE))
    unticked = pull(body=wrapped(f"- [ ] <!-- no {OTHER} -->", replace(STATE, refused=(OTHER,))))

    assert remember([person], TODAY).refused == {FIX}
    assert remember([retried], TODAY).refused == frozenset()
    assert remember([replace(person, number=9), retried], TODAY).refused == {FIX}
    assert remember([ours], TODAY) == Memory()
    assert remember([bot], TODAY).silent_until == TODAY + 90 * DAYS
    assert remember([bot], TODAY + 90 * DAYS).silent_until is None
    assert remember([merged], TODAY).reverted == {FIX}
    assert remember([merged], TODAY + 2 * DAYS).reverted == frozenset()
    assert remember([ticked], TODAY).refused == {OTHER}
    assert remember([unticked], TODAY).refused == frozenset()
    assert remember([replace(person, ours=False)], TODAY) == Memory()
    assert remember([replace(person, body="gone")], TODAY).refused == {FIX}
