"""Two jobs: the one that reads the repository can't write, the other checks what it is handed."""

from __future__ import annotations

import base64
import datetime
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
    assert done.code == 0, done.log
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


# ---------------------------------------------------------------- split, created, opened again


PAY = DOCKERFILE.replace("Api", "Pay")
TWO: Files = {
    **FILES,
    "src/Pay/Dockerfile": PAY,
    "src/Pay/Pay.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
}


def branch_of(shop: RepositoryHandle, application: str) -> str:
    """The branch of an application's own pull request: its name ends with a mark."""
    start = f"hardhull-{application.lower()}-"
    (found,) = {p.it.head_ref for p in shop.pulls.values() if p.it.head_ref.startswith(start)}
    return found


def test_a_pull_request_for_each_application(hub: StandIn, tmp_path: Path) -> None:
    shop = hub.repository("acme/shop", TWO)
    _, plan = planned(hub, shop, tmp_path / "1", split_by="application")
    done = brought(hub, shop, tmp_path / "2", plan, split_by="application")

    assert done.code == 0, done.log
    assert len(shop.pulls) == 2
    for name, other in (("Api", "Pay"), ("Pay", "Api")):
        files = shop.files(branch_of(shop, name))
        assert b"USER $APP_UID" in files[f"src/{name}/Dockerfile"]
        assert b"USER" not in files[f"src/{other}/Dockerfile"]
    listed = json.loads(done.outputs["pull-requests"])
    assert {one["branch"]: one["head_sha"] for one in listed} == {
        pull.it.head_ref: pull.head for pull in shop.pulls.values()
    }

    again, plan = planned(hub, shop, tmp_path / "3", split_by="application")
    last = brought(hub, shop, tmp_path / "4", plan, split_by="application")
    assert (again.code, last.code, hub.writes) == (0, 0, []), last.log


def test_when_one_part_is_done_only_its_pull_request_is_closed(
    hub: StandIn, tmp_path: Path
) -> None:
    shop = hub.repository("acme/shop", TWO)
    _, plan = planned(hub, shop, tmp_path / "1", split_by="application")
    brought(hub, shop, tmp_path / "2", plan, split_by="application")
    api, pay = branch_of(shop, "Api"), branch_of(shop, "Pay")
    done_by_hand = shop.files(pay)["src/Pay/Dockerfile"].decode()
    shop.person_commits("main", {"src/Pay/Dockerfile": done_by_hand})

    _, plan = planned(hub, shop, tmp_path / "3", split_by="application")
    done = brought(hub, shop, tmp_path / "4", plan, split_by="application")

    assert done.code == 0, done.log
    assert {pull.it.head_ref: pull.state for pull in shop.pulls.values()} == {
        api: "open",
        pay: "closed",
    }
    assert sorted(shop.branches()) == sorted(["main", api])
    (listed,) = json.loads(done.outputs["pull-requests"])
    assert listed["branch"] == api


def test_no_more_pull_requests_than_may_be_open(hub: StandIn, tmp_path: Path) -> None:
    shop = hub.repository("acme/shop", TWO)
    inputs = {"split_by": "application", "max_open_pull_requests": "1"}
    _, plan = planned(hub, shop, tmp_path / "1", **inputs)
    done = brought(hub, shop, tmp_path / "2", plan, **inputs)

    assert done.code == 0, done.log
    assert len(shop.pulls) == 1
    assert sorted(shop.branches()) == sorted(["main", branch_of(shop, "Api")])


def test_what_was_done_and_comes_back_is_opened_again(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    hub.clock.now = datetime.datetime.now(datetime.UTC)  # the action has no other clock
    _, plan = planned(hub, shop, tmp_path / "1")
    brought(hub, shop, tmp_path / "2", plan)
    (pull,) = shop.pulls.values()
    shop.person_commits(
        "main", {"src/Api/Dockerfile": shop.files("hardhull")["src/Api/Dockerfile"].decode()}
    )
    _, plan = planned(hub, shop, tmp_path / "3")
    done = brought(hub, shop, tmp_path / "4", plan)
    assert (done.outputs["pull-request-operation"], pull.state) == ("closed", "closed"), done.log

    shop.person_reverts({"src/Api/Dockerfile": DOCKERFILE})
    _, plan = planned(hub, shop, tmp_path / "5")
    done = brought(hub, shop, tmp_path / "6", plan)

    assert done.outputs["pull-request-operation"] == "reopened", done.log
    assert (list(shop.pulls), pull.state) == ([pull.number], "open")
    assert b"USER $APP_UID" in shop.files("hardhull")["src/Api/Dockerfile"]
    assert done.outputs["pull-request-head-sha"] == shop.head("hardhull") == pull.head


CREATING = (
    "rules:\n  missing-dockerignore: fix\n  no-update-automation: fix\n  image-runs-as-root: off\n"
)


def test_files_that_are_created(hub: StandIn, tmp_path: Path) -> None:
    copies = DOCKERFILE.replace("COPY out .", "COPY Api.csproj Program.cs ./")
    shop = hub.repository(
        "acme/shop", {**FILES, "src/Api/Dockerfile": copies, ".github/hardhull.yml": CREATING}
    )
    before = set(shop.files("main"))
    _, plan = planned(hub, shop, tmp_path / "1")
    done = brought(hub, shop, tmp_path / "2", plan)

    assert done.code == 0, done.log
    assert set(shop.files("hardhull")) - before == {
        "src/Api/.dockerignore",
        ".github/dependabot.yml",
    }
    assert shop.modes("hardhull")["src/Api/.dockerignore"] == "100644"

    again, plan = planned(hub, shop, tmp_path / "3")
    last = brought(hub, shop, tmp_path / "4", plan)
    assert (again.code, last.code, hub.writes) == (0, 0, []), last.log


def test_settings_of_dependabot_that_are_there_under_their_other_name(
    hub: StandIn, tmp_path: Path
) -> None:
    there = ".github/dependabot.yaml"
    shop = hub.repository(
        "acme/shop",
        {**FILES, ".github/hardhull.yml": CREATING, there: "version: 2\nupdates: []\n"},
    )
    _, plan = planned(hub, shop, tmp_path / "1")
    done = brought(hub, shop, tmp_path / "2", plan)

    assert done.code == 0, done.log
    assert b"docker" in shop.files("hardhull")[there]
    assert ".github/dependabot.yml" not in shop.files("hardhull")


def test_a_project_file_that_names_its_base(hub: StandIn, tmp_path: Path) -> None:
    digest = "sha256:" + "a" * 64
    known = {"digest": digest, "recorded": "2026-01-01T00:00:00+00:00"}
    name = "mcr.microsoft.com/dotnet/aspnet:10.0"
    project = (
        '<Project Sdk="Microsoft.NET.Sdk.Web">\n  <PropertyGroup>\n'
        "    <TargetFramework>net10.0</TargetFramework>\n"
        f"    <ContainerBaseImage>{name}</ContainerBaseImage>\n"
        "  </PropertyGroup>\n</Project>\n"
    )
    shop = hub.repository(
        "acme/shop",
        {
            "src/Api/Api.csproj": project,
            "digests.json": json.dumps({"version": 1, "images": {name: known}}),
        },
    )
    _, plan = planned(hub, shop, tmp_path / "1", digests="digests.json")
    done = brought(hub, shop, tmp_path / "2", plan)

    assert done.code == 0, done.log
    pinned = shop.files("hardhull")["src/Api/Api.csproj"].decode()
    assert pinned == project.replace(name, f"{name}@{digest}")


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
    "a new Dockerfile": put("src/New/Dockerfile"),
    "a new project file": put("src/Api/New.csproj"),
    "a new list for git's own folder": put(".git/.dockerignore"),
    "a new list among workflows": put(".github/workflows/.dockerignore"),
    "a new list that can be run": put(".dockerignore", "100755"),
    "a link that is new": put(".dockerignore", "120000"),
    "Dependabot's settings where they don't belong": put(".GitHub/dependabot.yml"),
    "other settings beside Dependabot's": put(".github/other.yml"),
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
