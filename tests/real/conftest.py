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


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Start an engine of our own, for these tests only."""
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        pytest.skip("no dockerd here (Debian: docker.io)")
    folder = tmp_path_factory.mktemp("engine")
    # A short path: sockets allow about a hundred characters.
    socket = Path("/tmp") / f"hardhull-{os.getpid()}.sock"  # noqa: S108
    command: list[str | Path] = [
        *("dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec"),
        *("-p", folder / "pid", "-H", f"unix://{socket}", "--storage-driver", "vfs"),
        *("--iptables=false", "--ip6tables=false", "--bridge=none"),
    ]
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=log)
        client = ["docker", "-H", f"unix://{socket}"]
        try:
            for _ in range(100):
                if subprocess.run([*client, "info"], capture_output=True, check=False).returncode:
                    time.sleep(0.2)
                else:
                    break
                if engine.poll() is not None:
                    break
            else:
                pytest.skip("dockerd does not answer")
            if engine.poll() is not None:
                last = (folder / "log").read_text(errors="replace").splitlines()[-1:]
                pytest.skip(f"dockerd does not start here: {last}")
            yield client
        finally:
            engine.terminate()
            engine.wait(20)
            socket.unlink(missing_ok=True)
