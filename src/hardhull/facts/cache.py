"""Manifests and image configs kept between runs: what a digest names never changes."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The folder where this platform's programs keep what they can make again."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    if platform == "win32":
        local = environment.get("LOCALAPPDATA")
        return Path(local) / "hardhull" / "Cache" if local else None
    own = environment.get("XDG_CACHE_HOME")
    if own and Path(own).is_absolute():
        return Path(own) / "hardhull"
    if not home:
        return None
    return Path(home) / ("Library/Caches" if platform == "darwin" else ".cache") / "hardhull"


class Cache:
    """Bodies by their sha256 digest. What can't be read or written is simply not there."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / "bodies" if folder is not None else None

    def get(self, digest: str, most: int) -> bytes | None:
        """The body of this digest, if it is there and still is what it was."""
        if self._folder is None:
            return None
        try:
            with self._place(self._folder, digest).open("rb") as file:
                body = file.read(most + 1)
        except OSError:
            return None
        return body if digest_of(body) == digest else None

    def put(self, digest: str, body: bytes) -> None:
        """Keep a body that was verified; readable for its owner alone, as it may be private."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A temporary name, then a rename: whoever reads at the same time sees all or nothing.
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(body)
            try:
                Path(file.name).replace(self._place(self._folder, digest))
            except OSError:
                Path(file.name).unlink(missing_ok=True)

    @staticmethod
    def _place(folder: Path, digest: str) -> Path:
        return folder / digest.removeprefix("sha256:")


def digest_of(body: bytes) -> str:
    """The sha256 digest of a body."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
