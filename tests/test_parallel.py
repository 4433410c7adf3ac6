"""Many roots at once: the same results as one after the other, whatever happens to a process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hardhull.commands import parallel
from support import write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux")

DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out .\nENTRYPOINT ["dotnet", "a.dll"]\n'
)
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  containers:
  - name: a
    image: acme.example/a:1
"""
START = """\
import os, signal, sys, threading
from pathlib import Path
from hardhull.commands import parallel
parallel._processors = lambda: 3
def work(item):
    {work}
try:
    print(list(parallel.in_order(work, list(range(7)))))
except ZeroDivisionError as error:
    print("raised", error)
"""


def run(work: str, before: str = "") -> str:
    """What a fresh process prints: this one may have threads."""
    script = before + START.replace("{work}", work)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_results_come_in_the_order_of_the_items() -> None:
    slow_first = "import time; time.sleep(0.05 * (item == 0)); return item * item"
    assert run(slow_first) == str([n * n for n in range(7)])


def test_other_processes_do_the_work() -> None:
    assert run("return os.getpid() != os.getppid() and os.getppid() == " + "BOSS", _boss()) == str(
        [True] * 7
    )


def _boss() -> str:
    return "import os\nBOSS = os.getpid()\n"


def test_what_one_item_raises_is_raised_in_its_place() -> None:
    assert run("return 1 // (item - 4)") == "raised integer division or modulo by zero"


def test_a_process_with_threads_is_not_copied() -> None:
    thread = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    assert run("return os.getpid() == BOSS", _boss() + thread) == str([True] * 7)


def test_the_rest_is_done_here_when_a_process_is_killed(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    work = (
        f"mark = Path({str(killed)!r})\n"
        "    if item == 3 and not mark.exists():\n"
        "        mark.touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return item"
    )
    assert run(work) == str(list(range(7)))
    assert killed.exists()


def test_one_item_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_processors", lambda: 3)
    assert list(parallel.in_order(lambda _: os.getpid(), ["only"])) == [os.getpid()]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("scan", "--format", form) for form in ("text", "json", "sarif", "markdown", "github")),
        ("fix", "--offline", "--diff"),
        ("fix", "--offline", "--format", "json", "--diff"),
        ("fix", "--offline"),  # refused: there is no git here
        ("fix", "--offline", "--allow-dirty"),
    ],
    ids=" ".join,
)
def test_all_processors_say_what_one_says(arguments: tuple[str, ...], tmp_path: Path) -> None:
    said = []
    for processors in (1, 4):
        base = tmp_path / str(processors)
        for name in ("one", "two", "three"):
            write(base / name, {"Dockerfile": DOCKERFILE, f"{name}.yaml": POD})
        write(
            base / "broken",
            {"Dockerfile": b"\xff\xfe", "a.yaml": "a: [\napiVersion: v1\nkind: Pod"},
        )
        script = (
            "import sys; from hardhull.commands import parallel; from hardhull.cli import main\n"
            f"parallel._processors = lambda: {processors}\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments, "one", "broken", "two", "three"],
            cwd=base,
            capture_output=True,
            text=True,
            check=False,
        )
        texts = {p.relative_to(base): p.read_bytes() for p in base.rglob("*") if p.is_file()}
        said.append((done.returncode, done.stdout, done.stderr, texts))
    assert said[0] == said[1]
