"""Two jobs: the one that reads the repository can't write, the other checks what it is handed."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.model import UsageError
from hardhull.pull_request.handover import read_plan, written
from runner import TOKEN, Done, Runner, check_out, event_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from standin import RepositoryHandle, StandIn
    from standin.people import Files

DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'
)
FILES: Files = {
    "src/Api/Dockerfile": DOCKERFILE,
    "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "src/Api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
    ".github/workflows/ci.yml": "on: push\n",
    "run.sh": ("100755", "true\n"),
}
READ = {"contents": "read", "pull_requests": "read"}
PLAN = "plan.json"


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    return hub.repository("acme/shop", FILES)


def event(shop: RepositoryHandle) -> dict[str, Any]:
    return event_of(
        "push", deleted=False, repository__default_branch="main", repository__full_name=shop.name
    )


def planned(hub: StandIn, shop: RepositoryHandle, folder: Path, **inputs: str) -> tuple[Done, str]:
    """The first job, with a token that can only read."""
    hub.token(TOKEN, permissions=READ)
    runner = Runner(folder, hub)
    head = shop.head()
    assert head is not None
    check_out(runner, shop, "refs/heads/main", head)
    done = runner.run("push", event(shop), plan_file=PLAN, **inputs)
    return done, (runner.workspace / PLAN).read_text(encoding="utf-8")


def brought(hub: StandIn, shop: RepositoryHandle, folder: Path, plan: str, **inputs: str) -> Done:
    """The second job, which may write, in a workspace that holds nothing but the plan."""
    hub.token(TOKEN)
    hub.forget()
    runner = Runner(folder, hub)
    (runner.workspace / PLAN).write_text(plan, encoding="utf-8")
    runner.variables |= {"GITHUB_SHA": shop.head() or "", "GITHUB_REPOSITORY": shop.name}
    return runner.run("push", event(shop), mode="bring", plan_file=PLAN, **inputs)


def test_what_one_plans_the_other_does(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    first, plan = planned(hub, shop, tmp_path / "1")
    assert (first.code, hub.writes) == (0, []), first.log
    assert "planned for the next job" in first.log
    assert TOKEN not in plan

    second = brought(hub, shop, tmp_path / "2", plan)

    assert second.code == 0, second.log
    (pull,) = shop.pulls.values()
    assert second.outputs["pull-request-operation"] == "created"
    assert second.outputs["pull-request-number"] == str(pull.number)
    assert second.outputs["pull-request-commits-verified"] == "true"
    assert "USER $APP_UID" in shop.files("hardhull")["src/Api/Dockerfile"].decode()

    again, plan = planned(hub, shop, tmp_path / "3")
    last = brought(hub, shop, tmp_path / "4", plan)
    assert (again.code, last.code, hub.writes) == (0, 0, [])

    shop.person_commits("main", {"src/Api/Dockerfile": DOCKERFILE + "# a comment\n"})
    _, plan = planned(hub, shop, tmp_path / "5")
    last = brought(hub, shop, tmp_path / "6", plan)
    assert last.code == 0, last.log
    assert shop.pulls[pull.number].state == "open"


def test_the_same_as_in_one_job(hub: StandIn, shop: RepositoryHandle, tmp_path: Path) -> None:
    other = hub.repository("acme/other", FILES)
    _, plan = planned(hub, shop, tmp_path / "1")
    brought(hub, shop, tmp_path / "2", plan)
    hub.token(TOKEN)
    runner = Runner(tmp_path / "3", hub)
    check_out(runner, other, "refs/heads/main", other.head() or "")
    runner.run("push", event(other))

    assert shop.files("hardhull") == other.files("hardhull")
    assert shop.log("hardhull") == other.log("hardhull")
    (one,), (two,) = shop.pulls.values(), other.pulls.values()
    assert one.title == two.title


def test_a_base_that_moved_on_is_left_to_the_next_run(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    _, plan = planned(hub, shop, tmp_path / "1")
    shop.person_commits("main", {"readme.txt": "new\n"})
    done = brought(hub, shop, tmp_path / "2", plan)

    assert (done.code, hub.writes) == (0, [])
    assert "the base moved on" in done.log


def test_a_person_who_was_faster_is_left_alone(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    _, plan = planned(hub, shop, tmp_path / "1")
    head = shop.person_commits("hardhull", {"mine.txt": "mine\n"}, new=True)
    done = brought(hub, shop, tmp_path / "2", plan)

    assert (done.code, hub.writes) == (0, [])
    assert shop.head("hardhull") == head


# ---------------------------------------------------------------- a plan of somebody else's


def steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan["plan"]["decisions"][0][1]["steps"]
    return found


def file(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = steps(plan)[0]["plan"]["commits"][0]["files"][0]
    return found


def put(path: str, mode: str = "100644", data: bytes = b"x") -> Callable[[dict[str, Any]], None]:
    def change(plan: dict[str, Any]) -> None:
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        coded = base64.b64encode(data).decode()
        file(plan).update(path=path, mode=mode, data=coded, oid=oid)

    return change


def key(step: int, name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(plan: dict[str, Any]) -> None:
        steps(plan)[step][name] = value

    return change


def another_branch(plan: dict[str, Any]) -> None:
    plan["plan"]["decisions"][0][0] = "main"
    for step in steps(plan):
        if "branch" in step:
            step["branch"] = "main"


def another_tree(plan: dict[str, Any]) -> None:
    steps(plan)[0]["plan"]["tree"] = "1" * 40


def another_parent(plan: dict[str, Any]) -> None:
    steps(plan)[0]["plan"]["parent"] = "1" * 40


def more(kind: str, **step: Any) -> Callable[[dict[str, Any]], None]:
    return lambda plan: steps(plan).append({"is": kind, **step})


HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "a workflow": put(".github/workflows/ci.yml"),
    "a new workflow": put(".github/workflows/new.yml"),
    "a script": put("run.sh", "100755"),
    "source code": put("src/Api/Program.cs"),
    "a file that is not there": put("deploy/new.yaml"),
    "a path upwards": put("../src/Api/Dockerfile"),
    "git's own": put(".git/config"),
    "a link": put("src/Api/Dockerfile", "120000"),
    "another mode": put("src/Api/Dockerfile", "100755"),
    "other bytes than the id says": lambda plan: file(plan).update(data="eHh4"),
    "the base itself": another_branch,
    "another branch": key(0, "branch", "release"),
    "another tree": another_tree,
    "another parent": another_parent,
    "another base": key(1, "base", "release"),
    "a title of two lines": key(1, "title", "a\nb"),
    "another's pull request": more("Edit", number=1, title="x", body=None, close=True),
    "a comment on another's": more("Comment", number=1, text="hello"),
    "the deletion of the base": more("Delete", branch="main", expected="1" * 40),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=list(HOSTILE))
def test_a_plan_that_is_not_like_ours_does_nothing(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    shop.person_commits("topic", {"a.txt": "a\n"}, new=True)
    theirs = shop.person_opens("topic")
    assert theirs.number == 1
    _, text = planned(hub, shop, tmp_path / "1")
    plan = json.loads(text)
    change(plan)

    done = brought(hub, shop, tmp_path / "2", json.dumps(plan))

    assert done.code == 2, done.log
    assert "the plan holds what hardhull never does" in done.log
    assert hub.writes == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "none of hardhull's"),
        ('{"format": 2, "plan": {}}', "use the same version in both jobs"),
        ('{"format": true, "plan": {}}', "use the same version in both jobs"),
        ('{"format": 1, "plan": {}}', "does not fit at `plan`"),
    ],
)
def test_a_file_of_another_form_is_told(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_plan(text)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> str:
    from standin import StandIn as Hub  # noqa: PLC0415  one for all examples

    folder = tmp_path_factory.mktemp("example")
    with Hub.start(folder) as hub:
        return planned(hub, hub.repository("acme/shop", FILES), folder)[1]


def test_a_plan_reads_back_as_it_was(example: str) -> None:
    assert written(read_plan(example)) == example


VALUES: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
)


@given(st.data())
def test_any_change_of_form_is_refused_or_of_the_same_form(
    example: str, data: st.DataObject
) -> None:
    plan = json.loads(example)
    node, name = plan, "plan"
    while isinstance(node[name], (dict, list)) and node[name] and data.draw(st.booleans()):
        node = node[name]
        names = list(node) if isinstance(node, dict) else range(len(node))
        name = data.draw(st.sampled_from(list(names)))
    node[name] = data.draw(VALUES)
    try:
        read = read_plan(json.dumps(plan))
    except UsageError:
        return
    assert json.loads(written(read)) == plan
