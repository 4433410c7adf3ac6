"""What is kept between runs: bodies, which their digests name for good, and recent answers."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECENT: Final = datetime.timedelta(hours=1)
"""So old an answer may be, at most: what is younger is younger than any tag that is followed."""
_LARGEST_ANSWER: Final = 8192


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
        if self._folder is not None:
            _keep(self._place(self._folder, digest), body)

    @staticmethod
    def _place(folder: Path, digest: str) -> Path:
        return folder / digest.removeprefix("sha256:")


class Recent:
    """What registries answered a short while ago; it may be otherwise by now.

    Answers younger than `life` are given back. Without a life none is, but what is new is still
    kept for the runs that follow.
    """

    def __init__(
        self,
        folder: Path | None,
        life: datetime.timedelta = datetime.timedelta(),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder / "answers" if folder is not None else None
        self._life = life.total_seconds()
        self._now = now

    def get(self, asked: str) -> str | None:
        """The answer to what was asked, if it is there and young."""
        if self._folder is None or self._life <= 0:
            return None
        try:
            with self._place(self._folder, asked).open("rb") as file:
                data: Any = json.loads(file.read(_LARGEST_ANSWER))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or data.get("asked") != asked:
            return None
        at, answer = data.get("at"), data.get("answer")
        if not isinstance(at, (int, float)) or not isinstance(answer, str):
            return None
        # A time that is still to come is that of a clock that was wrong.
        return answer if 0 <= self._now() - at < self._life else None

    def put(self, asked: str, answer: str) -> None:
        """Keep an answer, with the time."""
        if self._folder is not None:
            data = {"asked": asked, "answer": answer, "at": self._now()}
            _keep(self._place(self._folder, asked), json.dumps(data).encode())

    @staticmethod
    def _place(folder: Path, asked: str) -> Path:
        return folder / hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _keep(place: Path, body: bytes) -> None:
    """Write a file of the cache, for its owner alone; that it can't be written is no failure."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A temporary name, then a rename: whoever reads at the same time sees all or nothing.
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(body)
        try:
            Path(file.name).replace(place)
        except OSError:
            Path(file.name).unlink(missing_ok=True)


def digest_of(body: bytes) -> str:
    """The sha256 digest of a body."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
