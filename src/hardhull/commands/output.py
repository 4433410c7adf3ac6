"""Where output goes, and whether it may be coloured."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hardhull.model import UsageError

if TYPE_CHECKING:
    import argparse


class Output:
    """The standard output, or the file that `--output` names."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.file: str | None = arguments.output
        self._colour: str = arguments.color
        if self.file is not None:
            ready("--output", self.file)
        for stream in (sys.stdout, sys.stderr):
            _prepare(stream)

    @property
    def fancy(self) -> bool:
        """Whether the report goes to a terminal that shows colour."""
        return self.file is None and self.coloured(sys.stdout)

    def coloured(self, stream: IO[str]) -> bool:
        """Whether colour is wanted on `stream`."""
        if self._colour != "auto":
            return self._colour == "always"
        quiet = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return stream.isatty() and not quiet

    def write(self, text: str) -> None:
        """Write the report, to the letter."""
        if not text:
            return
        if self.file is None:
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        try:
            with Path(self.file).open(
                "w", encoding="utf-8", errors="surrogateescape", newline=""
            ) as file:
                file.write(text)
        except OSError as error:
            raise UsageError(f"--output {self.file}: {error.strerror}") from None


def _prepare(stream: IO[str]) -> None:
    """Pipes get UTF-8 and the line ends of files; a terminal gets what it can show."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    if stream.isatty():
        reconfigure(errors="backslashreplace")
    else:
        reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")


def ready(option: str, file: str) -> None:
    """Raise UsageError if `file` can't be written: asked before files of the user are changed."""
    place = Path(file)
    if not file:
        raise UsageError(f"{option}: an empty name was given; name a file")
    if place.is_dir():
        raise UsageError(f"{option} {file}: is a folder; name a file in it")
    if not place.absolute().parent.is_dir():
        raise UsageError(f"{option} {file}: its folder does not exist; make it first")
    if not os.access(place if place.exists() else place.absolute().parent, os.W_OK):
        raise UsageError(f"{option} {file}: can't be written: permission denied")


def tell(line: str = "") -> None:
    """Say something beside the report."""
    print(line, file=sys.stderr)  # noqa: T201  what a command says beside its report


def in_actions() -> bool:
    """Whether a GitHub runner reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"
