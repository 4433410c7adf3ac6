"""The job's log: everything that is printed goes through here, secrets and commands taken out.

The runner reads commands from the log: `::` at the start of a line, `##[` anywhere in it. Texts
of a repository are made harmless before they are printed; commands of ours are built here.
"""

from __future__ import annotations

import base64
import re
import sys
from typing import IO, TYPE_CHECKING

from hardhull.report.neutral import command_data, command_property, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

_SECRET = (
    "INPUT_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
"""Variables that hold a token on a runner."""
_SHORTEST = 6
"""Anything shorter would be found in ordinary words."""
_STARS = "***"


_NEEDED = re.compile(
    r"PATH|PATHEXT|HOME|USER|LOGNAME|USERPROFILE|(?:LOCAL)?APPDATA|PROGRAMDATA|SYSTEM(?:ROOT|DRIVE)"
    r"|WINDIR|COMSPEC|TMPDIR|TE?MP|TZ|LANG|LANGUAGE|LC_\w+|XDG_\w+|PYTHON\w+|(?:\w+_)?PROXY"
    r"|SSL_CERT_(?:FILE|DIR)|(?:REQUESTS|CURL)_CA_BUNDLE|GITHUB_ACTIONS",
    re.IGNORECASE,
)
"""What git and the libraries may need: finding programs and folders, speaking, connecting."""


def take_secrets(environment: MutableMapping[str, str]) -> tuple[str, ...]:
    """Leave in the environment only what programs that we start may see; return the tokens."""
    found = [environment.get(name, "").strip() for name in _SECRET]
    for name in list(environment):
        if not _NEEDED.fullmatch(name):
            del environment[name]
    return tuple(dict.fromkeys(text for text in found if len(text) >= _SHORTEST))


def forms_of(secret: str) -> tuple[str, ...]:
    """A token, and how it reads in the header that git sends."""
    basic = base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    return secret, basic, base64.b64encode(secret.encode()).decode()


class Log:
    """Prints lines for a person and commands for the runner; knows what must never be shown."""

    def __init__(self, stream: IO[str], secrets: Iterable[str]) -> None:
        self.stream = stream
        self._secrets = sorted(
            {form for secret in secrets for form in forms_of(secret)}, key=len, reverse=True
        )

    def clean(self, text: str) -> str:
        """The text without any of the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _STARS)
        return text

    def mask(self) -> None:
        """Ask the runner to hide the secrets in everything that follows, in this job."""
        for secret in self._secrets:
            self.stream.write(f"::add-mask::{command_data(secret)}\n")
        self.stream.flush()

    def say(self, text: str) -> None:
        """Lines for a person, made harmless."""
        for line in text.split("\n"):
            self._write(plain(line))

    def command(self, name: str, message: str, properties: Mapping[str, str] | None = None) -> None:
        """A command for the runner, such as `error`."""
        listed = ",".join(f"{key}={command_property(v)}" for key, v in (properties or {}).items())
        self._write(f"::{name}{' ' if listed else ''}{listed}::{command_data(message)}")

    def lines(self, text: str) -> None:
        """Lines that are commands already, as `report.annotations` makes them."""
        for line in text.splitlines():
            self._write(line)

    def _write(self, line: str) -> None:
        self.stream.write(self.clean(line) + "\n")
        self.stream.flush()


class Redacted:
    """A stream in front of another one, line by line, so that no secret is cut in two.

    Stands in for `sys.stdout` and `sys.stderr` while others print: libraries, and Python itself.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, stream: IO[str], log: Log) -> None:
        self._stream, self._log = stream, log
        self._held = ""

    def write(self, text: str) -> int:
        """Print whole lines; keep the rest."""
        *lines, self._held = (self._held + text).split("\n")
        for line in lines:
            self._stream.write(self._log.clean(plain(line)) + "\n")
        return len(text)

    def flush(self) -> None:
        """Lines are printed at once; a piece of one waits for its end."""
        self._stream.flush()

    def close(self) -> None:
        """Print what is left."""
        if self._held:
            self.write("\n")
        self._stream.flush()

    def isatty(self) -> bool:
        """A runner's log is no terminal."""
        return False


def real_stdout() -> IO[str]:
    """Standard output as the runner reads it: UTF-8, whatever the image's locale."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    return sys.stdout
