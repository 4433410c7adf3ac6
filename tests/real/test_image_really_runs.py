"""The action's own image, really built and really started, with a runner's mounts and files.

Needs root, an engine, and a network that Debian's and Python's packages come from; what is missing
is skipped by name. The base is a stand-in: Debian with a Python at the place where the official
image has its own, so everything but the first line of each stage is built as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner import TOKEN, Done, Runner, check_out, event_of, outputs_in

if TYPE_CHECKING:
    from standin import StandIn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = Path(os.environ.get("HARDHULL_PARTS", "/var/cache/hardhull-parts"))
BASE, IMAGE = "hardhull-test-base", "hardhull-test"
_FROM = re.compile(r"^FROM python:\S+", re.MULTILINE)
STAND_IN = """\
FROM hardhull-test-debian
COPY etc /etc
RUN apt-get update \\
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \\
    && cp /etc/own.crt /etc/ssl/certs/ca-certificates.crt \\
    && python3 -m venv /usr/local
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
"""
DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'
)


@pytest.fixture(scope="module")
def debian() -> Path:
    """The distribution that stands in for the base; looked for before an engine is started."""
    if not (PARTS / "bookworm/etc/os-release").exists():
        pytest.skip(f"no bookworm below {PARTS} (scripts/real_parts.sh makes it)")
    return PARTS / "bookworm"


@pytest.fixture(scope="module")
def image(debian: Path, docker: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the real Dockerfile on the stand-in base."""
    folder = tmp_path_factory.mktemp("image")
    _import(docker, debian, folder)
    context = folder / "base"
    (context / "etc").mkdir(parents=True)
    (context / "Dockerfile").write_text(STAND_IN)
    # The builds see the network as this machine does: its authorities, its mirrors.
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", context / "etc/own.crt")
    for name in ("pip.conf", "apt/apt.conf.d"):
        place = Path("/etc") / name
        if place.is_dir():
            shutil.copytree(place, context / "etc" / name)
        elif place.exists():
            shutil.copy(place, context / "etc" / name)
    built = _build(docker, context, BASE)
    if built.returncode:
        pytest.skip(f"no stand-in base, is there no network? {built.stdout[-300:]}")
    own = folder / "own"
    _copy_context(own)
    built = _build(docker, own, IMAGE)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return IMAGE


def _import(docker: list[str], debian: Path, folder: Path) -> None:
    archive = folder / "debian.tar"
    subprocess.run(
        ["tar", "-C", debian, "--exclude=./proc/*", "--exclude=./sys/*",
         "--exclude=./dev/*", "-cf", archive, "."], check=True,
    )  # fmt: skip
    subprocess.run([*docker, "import", archive, "hardhull-test-debian"], check=True)
    archive.unlink()


def _copy_context(place: Path) -> None:
    """What git has of this project, its Dockerfile on the stand-in base."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-zco", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if name.startswith(("src/", "requirements/")) or "/" not in name:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, place / name)
    text = (place / "Dockerfile").read_text(encoding="utf-8")
    text, count = _FROM.subn(f"FROM {BASE}", text)
    assert count == 2, "both stages are of one base"
    (place / "Dockerfile").write_text(text, encoding="utf-8")


def _build(docker: list[str], context: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*docker, "build", "--network", "host", "-t", name, context],
        env={**os.environ, "DOCKER_BUILDKIT": "0"}, check=False, capture_output=True, text=True,
    )  # fmt: skip


def start(docker: list[str], image: str, runner: Runner, environment: dict[str, str]) -> Done:
    """Start the image as the runner does: its mounts, its names for them, as root."""
    inside = {
        name: value.replace(str(runner.folder), "/github") for name, value in environment.items()
    }
    del inside["PATH"]
    options = ["--rm", "--network", "host", "--workdir", "/github/workspace"]
    for name in ("workspace", "home", "workflow", "file_commands", "runner_temp"):
        options += ["-v", f"{runner.folder / name}:/github/{name}"]
    for name in inside:
        options += ["-e", name]
    done = subprocess.run(
        [*docker, "run", *options, image],
        env={**os.environ, **inside}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if "cgroup" in done.stderr or "operation not permitted" in done.stderr.lower():
        pytest.skip(f"containers can't be started here: {done.stderr.strip()[-200:]}")
    return Done(
        done.returncode,
        done.stdout + done.stderr,
        Path(environment["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8"),
        outputs_in(Path(environment["GITHUB_OUTPUT"]).read_text(encoding="utf-8")),
        environment,
    )


def test_it_starts_fast_and_has_no_tools_to_build_or_install(image: str, docker: list[str]) -> None:
    began = time.monotonic()
    version = _run(docker, image, "--version")
    print(f"start of the image: {time.monotonic() - began:.2f} s")  # noqa: T201  a measure, no test
    assert version.stdout.startswith("hardhull ")
    for tool in ("pip", "gcc", "make", "hatchling"):
        found = _run(docker, image, "-c", f"command -v {tool}", entrypoint="/bin/sh")
        assert found.stdout == "", tool
    for module in ("pip", "hatchling", "pytest"):
        code = f"import {module}"
        assert _run(docker, image, "-c", code, entrypoint="/opt/hardhull/bin/python").returncode
    size = subprocess.run(
        [*docker, "image", "inspect", "--format", "{{.Size}}", image],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    print(f"size of the image on the stand-in base: {int(size) / 1e6:.0f} MB")  # noqa: T201  as above


def _run(
    docker: list[str], image: str, *arguments: str, entrypoint: str = ""
) -> subprocess.CompletedProcess[str]:
    entry = ["--entrypoint", entrypoint] if entrypoint else []
    return subprocess.run(
        [*docker, "run", "--rm", "--network", "none", *entry, image, *arguments],
        check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_the_image_holds_no_token(image: str, docker: list[str]) -> None:
    history = subprocess.run(
        [*docker, "history", "--no-trunc", image], check=True, capture_output=True, text=True
    ).stdout
    environment = _run(docker, image, "-c", "env", entrypoint="/bin/sh").stdout
    assert not re.search(r"gh[psuor]_|TOKEN|PASSWORD", history + environment)


def test_a_push_in_the_real_image(
    image: str, docker: list[str], hub: StandIn, tmp_path: Path
) -> None:
    """A workspace of somebody else's, events and inputs as files and variables, a real write."""
    hub.token(TOKEN)
    shop = hub.repository("acme/shop", {
        "src/Api/Dockerfile": DOCKERFILE,
        "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
        "a##[add-mask]main.Dockerfile": DOCKERFILE,
        "etc": ("120000", "/etc"),
    })  # fmt: skip
    runner = Runner(tmp_path, hub)
    head = shop.head()
    assert head is not None
    check_out(runner, shop, "refs/heads/main", head)
    for folder, folders, files in os.walk(runner.workspace):
        for name in (".", *folders, *files):
            os.chown(f"{folder}/{name}", 1001, 1001, follow_symlinks=False)
    payload = event_of(
        "push", deleted=False, repository__default_branch="main", repository__full_name=shop.name
    )
    environment = runner.environment("push", payload, report_file="report.json")

    done = start(docker, image, runner, environment)

    assert done.code == 0, done.log
    (pull,) = shop.pulls.values()
    assert done.outputs["pull-request-number"] == str(pull.number)
    assert "USER $APP_UID" in shop.files("hardhull")["src/Api/Dockerfile"].decode()
    assert {command.name for command in done.commands} <= {"add-mask", "warning", "notice"}
    assert TOKEN not in done.everything
    assert json.loads((runner.workspace / "report.json").read_text())["findings"]
    assert not (runner.folder / "home" / ".gitconfig").exists()
