"""An engine of the tests' own, for those that really build and start images."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


_DRIVERS = ("overlay2", "vfs")
"""Where layers can't lie over each other, each is a whole copy: it works, slowly."""


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Start an engine of our own, for these tests only."""
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        pytest.skip("no dockerd here (Debian: docker.io)")
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may start an engine")
    last = ""
    for driver in _DRIVERS:
        folder = tmp_path_factory.mktemp("engine")
        # A short path: sockets allow about a hundred characters.
        socket = Path("/tmp") / f"hardhull-{os.getpid()}-{driver}.sock"  # noqa: S108
        engine = _started(folder, socket, driver)
        client = ["docker", "-H", f"unix://{socket}"]
        try:
            if _answers(engine, client):
                yield client
                return
            last = (folder / "log").read_text(errors="replace").strip().rpartition("\n")[2]
        finally:
            engine.terminate()
            engine.wait(20)
            socket.unlink(missing_ok=True)
    pytest.skip(f"dockerd does not start here: {last}")


def _started(folder: Path, socket: Path, driver: str) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [
        *("dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec"),
        *("-p", folder / "pid", "-H", f"unix://{socket}", "--storage-driver", driver),
        *("--iptables=false", "--ip6tables=false", "--bridge=none"),
    ]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _answers(engine: subprocess.Popen[bytes], client: list[str]) -> bool:
    for _ in range(100):
        if engine.poll() is not None:
            return False
        if not subprocess.run([*client, "info"], capture_output=True, check=False).returncode:
            return True
        time.sleep(0.2)
    return False
