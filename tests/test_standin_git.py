"""Git itself talks to the stand-in GitHub: fetches, pushes, leases, rules and tokens."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from standin import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from standin import RepositoryHandle, StandIn

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("git") is None,
    reason="git http-backend is looked for on Unix only",
)


@pytest.fixture
def shop(hub: StandIn) -> RepositoryHandle:
    hub.token("good")
    hub.token("weak", permissions={"contents": "read"})
    return hub.repository("acme/shop", {"Dockerfile": "FROM a\n"})


@pytest.fixture
def checkout(hub: StandIn, shop: RepositoryHandle, tmp_path: Path) -> Path:
    place = hub.clone(shop, tmp_path / "checkout")
    git(place, "switch", "-qc", "hardhull")
    commit(place, "FROM b\n")
    return place


def git(place: Path, *words: str, token: str = "good", twice: bool = False) -> tuple[int, str]:  # noqa: S107
    """Run git with nothing of the machine's configuration, and the token in a header."""
    packed = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    headers = [f"Authorization: Basic {packed}"] * (2 if twice else 1)
    given = {
        "user.name": "ann",
        "user.email": "ann@example.org",
        "protocol.version": "2",
        "safe.directory": "*",
    }
    pairs = [*given.items(), *(("http.extraHeader", one) for one in headers)]
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(pairs)),
    }
    for at, (key, value) in enumerate(pairs):
        environment |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    done = subprocess.run(
        ["git", *words], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def commit(place: Path, text: str) -> None:
    (place / "Dockerfile").write_text(text, "utf-8")
    assert git(place, "commit", "-qam", "a fix")[0] == 0


def test_a_push_makes_a_branch_that_is_not_verified(
    hub: StandIn, shop: RepositoryHandle, checkout: Path
) -> None:
    status, said = git(checkout, "push", "-q", "origin", "hardhull")
    assert (status, said) == (0, "")
    assert shop.files("hardhull")["Dockerfile"] == b"FROM b\n"
    assert hub.writes == ["push create hardhull"]
    assert not shop.it.verified


def test_a_lease_protects_a_person_s_push(
    hub: StandIn, shop: RepositoryHandle, checkout: Path
) -> None:
    git(checkout, "push", "-q", "origin", "hardhull")
    mine = shop.head("hardhull")
    pull = shop.person_opens("hardhull")
    theirs = shop.person_commits("hardhull", {"b": "b"})
    git(checkout, "commit", "-q", "--amend", "-m", "another")
    lease = f"--force-with-lease=refs/heads/hardhull:{mine}"
    status, said = git(checkout, "push", "-q", lease, "origin", "hardhull")
    assert status != 0
    assert "stale info" in said
    assert shop.head("hardhull") == theirs
    lease = f"--force-with-lease=refs/heads/hardhull:{theirs}"
    assert git(checkout, "push", "-q", lease, "origin", "hardhull")[0] == 0
    assert pull.head == shop.head("hardhull") != theirs
    assert hub.writes == ["push create hardhull", "push move hardhull force"]


def test_a_person_comes_between_reading_and_pushing(
    hub: StandIn, shop: RepositoryHandle, checkout: Path
) -> None:
    git(checkout, "push", "-q", "origin", "hardhull")
    hub.faults.before("git-receive-pack$", lambda: shop.person_commits("hardhull", {"b": "b"}))
    git(checkout, "commit", "-q", "--amend", "-m", "another")
    lease = f"--force-with-lease=refs/heads/hardhull:{shop.head('hardhull')}"
    # The first of the two requests that match only reads; the person comes before it.
    assert git(checkout, "push", "-q", lease, "origin", "hardhull")[0] != 0
    assert shop.log("hardhull") == ["a fix", "a person's change"]


def test_deleting_over_git_closes_the_pull_request(
    hub: StandIn, shop: RepositoryHandle, checkout: Path
) -> None:
    git(checkout, "push", "-q", "origin", "hardhull")
    pull = shop.person_opens("hardhull")
    git(checkout, "push", "-q", "origin", ":hardhull")
    assert pull.state == "closed"
    assert hub.writes[-1] == "push delete hardhull"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("weak", "Permission to acme/shop.git denied to github-actions[bot]."),
        ("none", "could not read Username"),
    ],
)
def test_tokens_are_checked(shop: RepositoryHandle, checkout: Path, token: str, said: str) -> None:
    status, output = git(checkout, "push", "-q", "origin", "hardhull", token=token)
    assert status != 0
    assert said in output
    assert shop.branches() == ["main"]


def test_two_authorization_headers_are_refused(checkout: Path) -> None:
    status, output = git(checkout, "push", "-q", "origin", "hardhull", twice=True)
    assert status != 0
    assert 'remote: Duplicate header: "Authorization"' in output
    assert "error: 400" in output


@pytest.mark.parametrize(
    ("kind", "classic", "texts"),
    [
        (
            "required_signatures",
            False,
            [
                "remote: error: GH013: Repository rule violations found for refs/heads/hardhull.",
                "remote: - Commits must have verified signatures.",
                "remote:   Found 1 violation:",
            ],
        ),
        ("creation", False, ["remote: - Cannot create ref due to creations being restricted."]),
        (
            "required_signatures",
            True,
            [
                "remote: error: GH006: Protected branch update failed for refs/heads/hardhull.",
                "remote: error: Commits must have verified signatures.",
            ],
        ),
    ],
)
def test_rules_stop_pushes(
    shop: RepositoryHandle, checkout: Path, kind: str, classic: bool, texts: list[str]
) -> None:
    shop.rule(kind, "hardhull", classic=classic)
    status, output = git(checkout, "push", "-q", "origin", "hardhull")
    assert status != 0
    for text in texts:
        assert text in output
    assert "! [remote rejected] hardhull -> hardhull" in output
    assert shop.branches() == ["main"]


def test_workflow_files_stop_pushes(checkout: Path) -> None:
    place = checkout / ".github/workflows/x.yml"
    place.parent.mkdir(parents=True)
    place.write_text("on: push\n", "utf-8")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "a workflow")
    status, output = git(checkout, "push", "-q", "origin", "hardhull")
    assert status != 0
    assert (
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml`"
        " without `workflows` permission" in output
    )


@pytest.mark.usefixtures("shop")
def test_a_clone_over_http(hub: StandIn, tmp_path: Path) -> None:
    url = f"{hub.server_url}/acme/shop"
    assert git(tmp_path, "clone", "-q", "--depth=1", url, "there")[0] == 0
    assert (tmp_path / "there/Dockerfile").read_text("utf-8") == "FROM a\n"
    assert all(seen.status in {200, 304} for seen in hub.requests)


def test_a_push_is_lost_after_it_was_taken(
    hub: StandIn, shop: RepositoryHandle, checkout: Path
) -> None:
    hub.faults.on("POST .*git-receive-pack$", Fault.LOST_AFTER)
    assert git(checkout, "push", "-q", "origin", "hardhull")[0] != 0
    assert shop.files("hardhull")["Dockerfile"] == b"FROM b\n"
    assert hub.writes == ["push create hardhull → lost"]
