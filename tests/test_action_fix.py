"""The action on a branch of one's own: a pull request, outputs, a summary; no trace of a token."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from fake_registry import image, index, platform
from runner import TOKEN, Done, Runner, check_out, event_of

if TYPE_CHECKING:
    from pathlib import Path

    from fake_registry import FakeRegistry
    from standin import RepositoryHandle, StandIn
    from standin.people import Files

DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'
)
FILES = {
    "src/Api/Dockerfile": DOCKERFILE,
    "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
}


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    hub.token(TOKEN)
    return hub.repository("acme/shop", FILES)


@pytest.fixture
def runner(tmp_path: Path, hub: StandIn) -> Runner:
    return Runner(tmp_path, hub)


def pushed(
    runner: Runner,
    shop: RepositoryHandle,
    branch: str = "main",
    *,
    apart: bool = False,
    **inputs: str,
) -> Done:
    head = shop.head(branch)
    assert head is not None
    check_out(runner, shop, f"refs/heads/{branch}", head)
    payload = event_of(
        "push",
        deleted=False,
        repository__default_branch="main",
        repository__full_name=shop.name,
    )
    job = runner.start if apart else runner.run
    return job("push", payload, **inputs)


def test_a_push_opens_a_pull_request(shop: RepositoryHandle, runner: Runner) -> None:
    done = pushed(runner, shop, labels="security")

    assert done.code == 0, done.log
    (pull,) = shop.pulls.values()
    assert (pull.state, pull.labels) == ("open", ["security"])
    assert "USER $APP_UID" in shop.files("hardhull")["src/Api/Dockerfile"].decode()
    assert done.outputs["pull-request-operation"] == "created"
    assert done.outputs["pull-request-number"] == str(pull.number)
    assert done.outputs["pull-request-head-sha"] == shop.head("hardhull") == pull.head
    assert done.outputs["pull-request-branch"] == "hardhull"
    assert done.outputs["pull-request-commits-verified"] == "true"
    assert json.loads(done.outputs["changed-files"]) == ["src/Api/Dockerfile"]
    assert json.loads(done.outputs["pull-requests"])[0]["number"] == pull.number
    assert f"pull request &#35;{pull.number} created" in done.summary
    assert "+USER $APP_UID" in done.summary
    assert "Contacted: `127.0.0.1`." in done.summary
    assert done.of("error", "warning") == []


def test_nothing_to_do_costs_little_and_says_so(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    pushed(Runner(tmp_path / "1", hub), shop)
    hub.forget()
    done = pushed(Runner(tmp_path / "2", hub), shop)

    assert (done.code, hub.writes) == (0, [])
    assert done.outputs["pull-request-operation"] == "none"
    assert "is current" in done.log
    assert done.summary.count("Contacted:") == 1

    dry = pushed(Runner(tmp_path / "3", hub), shop, dry_run="true")
    assert "dry run, nothing is written: nothing to do" in dry.summary


def test_a_dry_run_writes_nothing_and_says_what_it_would(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    done = pushed(runner, shop, dry_run="true")

    assert (done.code, hub.writes, list(shop.pulls)) == (0, [], [])
    assert "open a pull request from hardhull to main" in done.summary
    assert done.outputs["fixes"] != "0"


def test_another_branch_is_only_checked(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    shop.person_commits("topic", {"readme.txt": "x"}, new=True)
    done = pushed(runner, shop, "topic", fail_on="high")

    assert (done.code, hub.requests) == (1, [])
    assert "`topic` is not `main`: checked only" in done.log
    assert len(done.of("error")) == 1


def test_what_github_refuses_ends_with_four_and_the_setting(
    hub: StandIn, shop: RepositoryHandle, runner: Runner
) -> None:
    hub.token(TOKEN, permissions={"contents": "read"})
    done = pushed(runner, shop)

    assert done.code == 4
    (error,) = done.of("error")
    assert "contents: write" in error.data
    assert done.outputs["pull-request-operation"] == "blocked"


def test_an_empty_workspace_says_what_is_missing(runner: Runner) -> None:
    runner.variables["GITHUB_SHA"] = "1" * 40
    done = runner.run("push", {"repository": {"default_branch": "main"}})

    assert done.code == 2
    assert "actions/checkout" in done.of("error")[0].data


@pytest.mark.parametrize("name", ["merge_group", "release", "issue_comment"])
def test_nothing_to_do_ends_well_without_a_checkout(runner: Runner, name: str) -> None:
    done = runner.run(name, {"repository": {"default_branch": "main"}}, fail_on="low")

    assert (done.code, done.of("error")) == (0, [])
    assert done.outputs["pull-request-operation"] == "none"
    assert "Contacted: no host." in done.summary


def test_a_wrong_input_ends_with_two(runner: Runner) -> None:
    done = runner.run("push", {}, mode="sweep")

    assert done.code == 2
    assert "one of `auto`, `check`, `fix`" in done.of("error")[0].data


# ---------------------------------------------------------------- digests that grew old

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NAME = "mcr.microsoft.com/dotnet/aspnet:10.0"
PINNED = f'FROM {NAME}@{OLD}\nCOPY out .\nUSER $APP_UID\nENTRYPOINT ["dotnet", "Api.dll"]\n'


def test_a_push_refreshes_only_what_a_schedule_has_begun(
    hub: StandIn, shop: RepositoryHandle, tmp_path: Path
) -> None:
    known = {"digest": NEW, "recorded": "2026-01-01T00:00:00+00:00"}
    digests = json.dumps({"version": 1, "images": {NAME: known}})
    shop.person_commits("main", {"src/Api/Dockerfile": PINNED, "digests.json": digests})

    first = pushed(Runner(tmp_path / "1", hub), shop, digests="digests.json")
    assert (first.code, list(shop.pulls), first.outputs["fixes"]) == (0, [], "0"), first.log

    runner = Runner(tmp_path / "2", hub)
    check_out(runner, shop, "refs/heads/main", shop.head() or "")
    done = runner.run("schedule", {"schedule": "0 4 * * 1"}, digests="digests.json")
    assert done.code == 0, done.log
    (pull,) = shop.pulls.values()
    assert NEW in shop.files("hardhull")["src/Api/Dockerfile"].decode()

    shop.person_commits("main", {"readme.txt": "x\n"})
    hub.forget()
    last = pushed(Runner(tmp_path / "3", hub), shop, digests="digests.json")
    assert (last.code, hub.writes) == (0, []), last.log
    assert pull.state == "open"
    assert NEW in shop.files("hardhull")["src/Api/Dockerfile"].decode()


# ---------------------------------------------------------------- registries


def looked_up(shop: RepositoryHandle, registry: FakeRegistry, **settings: object) -> str:
    """A base image and one more in a registry on loopback; returns the digest of the base."""
    listed = index((image({"User": "root", "Env": ENV}), platform("linux", "amd64")))
    registry.push("mcr.microsoft.com/dotnet/aspnet", "10.0", listed)
    shop.person_commits("main", {".github/hardhull.yml": json.dumps(settings)})
    return listed.digest


ENV = ["APP_UID=1654", "ASPNET_VERSION=10.0.1", "ASPNETCORE_HTTP_PORTS=8080"]


@pytest.mark.parametrize("apart", [False, True], ids=["here", "in a process of its own"])
def test_digests_are_asked_for_and_end_up_in_the_pull_request(
    shop: RepositoryHandle, runner: Runner, registry: FakeRegistry, apart: bool
) -> None:
    mirrors = {"mcr.microsoft.com": f"{registry.host}/mcr.microsoft.com"}
    allowed = {"plain-http": [registry.host], "mirrors": mirrors}
    digest = looked_up(shop, registry, registries=allowed)

    done = pushed(runner, shop, apart=apart, offline="false", report_file="report.json")

    assert done.code == 0, done.log
    text = shop.files("hardhull")["src/Api/Dockerfile"].decode()
    assert text.startswith(f"FROM {NAME}@{digest}\n")
    assert "USER $APP_UID" in text
    (pull,) = shop.pulls.values()
    assert digest.removeprefix("sha256:")[:12] in pull.body
    assert f"Contacted: `127.0.0.1`, `{registry.host}`." in done.summary
    sent = repr(registry.seen)
    assert registry.seen
    assert TOKEN not in sent
    assert "runtime-token" not in sent


def test_a_registry_that_nobody_allowed_is_told_and_not_contacted(
    shop: RepositoryHandle, runner: Runner, registry: FakeRegistry
) -> None:
    named = f"{registry.host}/acme/base:1"
    shop.person_commits("main", {"src/Api/Dockerfile": DOCKERFILE.replace(NAME, named)})

    done = pushed(runner, shop, offline="false")

    assert (done.code, registry.seen) == (0, []), done.log
    assert "Contacted: `127.0.0.1`." in done.summary
    assert registry.host in done.summary


def test_a_check_of_a_pull_request_asks_no_registry(
    shop: RepositoryHandle, runner: Runner, registry: FakeRegistry
) -> None:
    mirrors = {"mcr.microsoft.com": f"{registry.host}/mcr.microsoft.com"}
    looked_up(shop, registry, registries={"plain-http": [registry.host], "mirrors": mirrors})
    shop.person_commits("topic", {"src/Api/Dockerfile": f"{DOCKERFILE}# more\n"}, new=True)

    done = pushed(runner, shop, "topic", mode="check", offline="false")

    assert (done.code, registry.seen) == (0, []), done.log


# ---------------------------------------------------------------- as the image starts it


def test_in_a_process_of_its_own_with_a_workspace_of_another_user(
    shop: RepositoryHandle, runner: Runner
) -> None:
    head = shop.head()
    assert head is not None
    check_out(runner, shop, "refs/heads/main", head)
    if os.name == "posix" and os.geteuid() == 0:
        for folder, folders, files in os.walk(runner.workspace):
            for name in (".", *folders, *files):
                os.chown(f"{folder}/{name}", 1001, 1001, follow_symlinks=False)
    done = pushed_again(runner, shop)

    assert done.code == 0, done.log
    assert done.outputs["pull-request-operation"] == "created"
    assert not (runner.folder / "home" / ".gitconfig").exists()


def pushed_again(runner: Runner, shop: RepositoryHandle, **inputs: str) -> Done:
    payload = event_of(
        "push", deleted=False, repository__default_branch="main", repository__full_name=shop.name
    )
    return runner.start("push", payload, **inputs)


HOSTILE: Files = {
    "a##[add-mask]main.Dockerfile": DOCKERFILE,
    "::error::x/Dockerfile": DOCKERFILE,
    "@acme|team`<b>/Dockerfile": DOCKERFILE.replace("aspnet:10.0", "aspnet:10.0-alpine"),
    "k8s/pod.yaml": (
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata:\n"
        '  name: "x<!-- hardhull:end -->"\n'
        "spec:\n"
        "  containers:\n"
        "    - name: web\n"
        '      image: "acme/web:##[set-env name=PATH]x" # ::set-output name=a::b\n'
        "      securityContext:\n"
        "        privileged: true\n"
    ),
    "compose.yaml": (
        "services:\n"
        "  web:\n"
        "    image: acme/x:1 # <img src=x onerror=alert(1)> @ann #1\n"
        "    privileged: true\n"
    ),
    "link": ("120000", "/etc/passwd"),
    "Dockerfile.link": ("120000", "../../../../../../etc/passwd"),
    "ok/Dockerfile": ("120000", "../src/Api/Dockerfile"),
}


@pytest.mark.parametrize("commit_mode", ["api", "git"])
def test_a_hostile_repository_gives_no_command_and_no_token(
    hub: StandIn, shop: RepositoryHandle, runner: Runner, commit_mode: str
) -> None:
    shop.person_commits("main", {**FILES, **HOSTILE})
    done = pushed(runner, shop, apart=True, commit_mode=commit_mode, report_file="report.json")

    assert done.code == 0, done.log
    assert {command.name for command in done.commands} <= {"add-mask", "warning", "notice"}
    changed = json.loads(done.outputs["changed-files"])
    assert "src/Api/Dockerfile" in changed
    assert not {"link", "Dockerfile.link", "ok/Dockerfile"} & set(changed)
    assert all(shop.modes("hardhull")[path] == "100644" for path in changed)
    assert "root:x:0:0" not in done.everything
    _nowhere(hub, shop, runner, done)
    (pull,) = shop.pulls.values()
    assert pull.body.count("<!-- hardhull:end -->") == 1
    assert "<img" not in pull.body
    assert "<img" not in done.summary


def _nowhere(hub: StandIn, shop: RepositoryHandle, runner: Runner, done: Done) -> None:
    """The token is in no log, output, file, configuration or text that anybody can read later."""
    forms = [TOKEN, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()]
    event = runner.folder / "workflow" / "event.json"
    texts = [done.everything, event.read_text()]
    texts += [path.read_text(errors="replace") for path in _files(runner.folder)]
    texts += [
        text for pull in shop.pulls.values() for text in (pull.body, pull.title, *pull.comments)
    ]
    texts += [json.dumps(seen.body, default=str) for seen in hub.requests]
    assert not [form for form in forms for text in texts if form in text]
    remotes = subprocess.run(
        ["git", "-C", runner.workspace, "config", "--list"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert TOKEN not in remotes


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_the_programs_it_starts_get_no_token(
    shop: RepositoryHandle, runner: Runner, tmp_path: Path
) -> None:
    real = subprocess.run(
        ["which", "git"], check=True, capture_output=True, text=True
    ).stdout.strip()
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv >> "{tmp_path}/seen"\nexec {real} "$@"\n')
    spy.chmod(0o755)
    runner.variables["PATH"] = f"{spy.parent}:{os.environ['PATH']}"
    done = pushed(runner, shop, apart=True)

    assert done.code == 0, done.log
    seen = (tmp_path / "seen").read_text()
    assert "HOME=" in seen
    assert "INPUT_" not in seen
    assert TOKEN not in seen
    assert "runtime-token" not in seen


def test_an_error_of_ours_is_told_without_the_token(
    shop: RepositoryHandle, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"see https://x-access-token:{TOKEN}@example\n::set-env name=a::b")

    monkeypatch.setattr("hardhull.actions.fixing.bring", fails)
    done = pushed(runner, shop)

    assert done.code == 3
    assert "paste this into an issue" in done.log
    assert TOKEN not in done.shown
    assert {command.name for command in done.commands} == {"add-mask", "error"}
