"""The reusable workflow, step by step, as a runner does it: locked packages, then a real run.

Runs with the other real parts (HARDHULL_PARTS=FOLDER): it fetches packages, which takes a while.
Nothing but the steps of other actions (checkout, setup-python) is stood in for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hardhull.documents.source import FileKind, Source
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from runner import TOKEN, Runner, check_out, event_of, outputs_in

if TYPE_CHECKING:
    from standin import StandIn

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOW = ROOT / ".github/workflows/hardhull.yml"
DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:10.0\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'
)


def scripts() -> list[tuple[str, dict[str, str], str]]:
    """Name, environment and script of every `run` step."""
    file = read_yaml(Source("w.yml", FileKind.YAML, WORKFLOW.read_text(encoding="utf-8")))
    assert isinstance(file, YamlFile)
    steps = file.cursors[0].get("jobs", "hardhull", "steps")
    assert steps is not None
    found = []
    for step in steps.items():
        run, name, environment = step.get("run"), step.get("name"), step.get("env")
        if run is not None and name is not None:
            pairs = environment.pairs() if environment is not None else []
            found.append((name.text or "", {key: one.raw for key, one in pairs}, run.text or ""))
    return found


def evaluated(text: str, values: dict[str, str]) -> str:
    """The expressions of this workflow, by their text."""
    for expression, value in values.items():
        text = text.replace(f"${{{{ {expression} }}}}", value)
    assert "${{" not in text, text
    return text


def test_it_installs_by_hash_and_runs(hub: StandIn, tmp_path: Path) -> None:
    if "HARDHULL_PARTS" not in os.environ:
        pytest.skip("fetches packages: set HARDHULL_PARTS to run it")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    hub.token(TOKEN)
    shop = hub.repository("acme/shop", {
        "src/Api/Dockerfile": DOCKERFILE,
        "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    })  # fmt: skip
    runner = Runner(tmp_path, hub)
    job = runner.workspace
    runner.workspace = job / "repository"
    runner.workspace.mkdir()
    check_out(runner, shop, "refs/heads/main", shop.head() or "")
    _copy_project(job / "hardhull")
    payload = event_of(
        "push", deleted=False, repository__default_branch="main", repository__full_name=shop.name
    )
    outside = {
        name: value
        for name, value in runner.environment("push", payload).items()
        if not name.startswith("INPUT_")
    }
    own = tmp_path / "bin"
    own.mkdir()
    (own / "python").symlink_to(sys.executable)
    # What pip needs to reach its packages here; the rest of this machine's variables stay out.
    outside |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    outside["PATH"] = f"{own}:{os.environ['PATH']}"
    values = {
        "job.workflow_sha": "1" * 40,
        "github.workspace": str(job),
        "secrets.token || github.token": TOKEN,
        **{f"inputs.{name}": "" for name in ("level", "base", "labels")},
        "inputs.mode": "auto",
        "inputs.path": ".",
        "inputs.fail-on": "none",
        "inputs.branch": "hardhull",
        "inputs.dry-run": "false",
    }
    for name, environment, script in scripts():
        given = {key: evaluated(text, values) for key, text in environment.items()}
        done = subprocess.run(
            [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=job, env={**outside, **given}, check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode and "Install" in name and "hash" not in done.stderr.lower():
            pytest.skip(f"no packages, is there no network? {done.stderr[-300:]}")
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    outputs = outputs_in(Path(outside["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))
    assert outputs["pull-request-operation"] == "created"
    (pull,) = shop.pulls.values()
    assert outputs["pull-request-number"] == str(pull.number)


def _copy_project(place: Path) -> None:
    """What a checkout of this project has, as far as installing reads it."""
    for name in ("src", "requirements", "data"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, place / name)
