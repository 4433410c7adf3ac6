"""`hardhull record`: look up what a run needs to know, and write it down for `--digests`."""

from __future__ import annotations

import argparse
import datetime
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.commands.output import Output, tell
from hardhull.commands.roots import recorded_of, roots_of, settings_of, watched
from hardhull.commands.trouble import crash_block, failure_block
from hardhull.facts.asking import Desk
from hardhull.facts.recording import merged, written
from hardhull.model import UsageError
from hardhull.report.neutral import plain
from hardhull.rules.images.secrets import holds_secret
from hardhull.run import run
from hardhull.wanted import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.facts.gather import Recorded
    from hardhull.facts.lookups import Failure, Wanted
    from hardhull.facts.registry import Image
    from hardhull.model import Crash
    from hardhull.settings import RegistrySettings


class _Results:
    """What came back, and what is to be said about it."""

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.failures: dict[str, Failure] = {}
        self.contacted: set[str] = set()
        self.notes: dict[str, None] = {}


def record(arguments: argparse.Namespace) -> int:
    """Record; return the exit code."""
    output = Output(argparse.Namespace(output=None, color="never"))
    file = Path(arguments.output)
    before = _before(arguments, file)
    groups, crashes = _groups(arguments)
    results = _Results()
    for registries, names in groups:
        _look_up(registries, names, results)
    now = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    after = merged(before, results.images, now)
    _write(file, arguments.output, written(after))
    output.write("".join(f"{line}\n" for line in _summary(arguments.output, before, results)))
    traces = [failure.trace for failure in results.failures.values() if failure.trace]
    if crashes:
        tell(crash_block(crashes))
    if traces:
        tell(failure_block("A look-up failed", traces[0]))
    if crashes or traces:
        return 3
    return 1 if results.failures and not results.images else 0


def _before(arguments: argparse.Namespace, file: Path) -> Mapping[str, Recorded]:
    """What the file records until now; said before anything is looked up if it can't be used."""
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--output {arguments.output}: its folder does not exist; make it first")
    if not file.exists():
        return {}
    return recorded_of(argparse.Namespace(digests=arguments.output))


def _groups(
    arguments: argparse.Namespace,
) -> tuple[list[tuple[RegistrySettings, list[Wanted]]], list[Crash]]:
    """What is wanted, by the registries that may be contacted: no root widens another's list."""
    groups: list[tuple[RegistrySettings, list[Wanted]]] = []
    crashes: list[Crash] = []
    for root in roots_of(arguments):
        settings = settings_of(root, arguments)
        outcome = run(root, settings, fixing=True)
        crashes += outcome.crashes
        names = next((names for key, names in groups if key == settings.registries), None)
        if names is None:
            names = []
            groups.append((settings.registries, names))
        names += wanted(outcome)
    return groups, crashes


def _look_up(registries: RegistrySettings, names: list[Wanted], results: _Results) -> None:
    answers = Desk(os.environ, watched).ask(registries, names)
    results.failures |= answers.failures
    for name, image in answers.images.items():
        results.images[name] = _without_secrets(image)
        results.failures.pop(name, None)
    results.contacted |= set(answers.contacted)
    results.notes |= dict.fromkeys(answers.notes)


def _without_secrets(image: Image) -> Image:
    """The file is made to be committed: a password in an image's variables stays out of it."""
    variables = image.config.get("Env") if image.config is not None else None
    if image.config is None or variables is None:
        return image
    pairs = [(text.partition("=")[0], text.partition("=")[2], text) for text in variables]
    kept = [text for name, value, text in pairs if not holds_secret(name, value)]
    return replace(image, config={**image.config, "Env": kept})


def _write(file: Path, shown: str, text: str) -> None:
    """Write all or nothing, under a name that nobody can have prepared a link for."""
    part: Path | None = None
    try:
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o644
        handle, name = tempfile.mkstemp(prefix=".hardhull-", dir=file.absolute().parent)
        part = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
        part.chmod(mode)
        part.replace(file)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise UsageError(f"--output {shown}: can't be written: {error.strerror}") from None


def _summary(file: str, before: Mapping[str, Recorded], results: _Results) -> Iterator[str]:
    images = results.images
    new = [name for name in images if name not in before]
    moved = [
        name for name in images if name in before and before[name].digest != images[name].digest
    ]
    configs = sum(image.config is not None for image in images.values())
    yield (
        f"{plain(file)}: {_count(len(images), 'image')} looked up, {configs} with config; "
        f"{len(new)} new, {len(moved)} moved"
    )
    for name in sorted(moved):
        yield f"  moved  {plain(name)}"
    for name, image in sorted(images.items()):
        if image.gone:
            yield f"  gone   {plain(name)}: builds that pull it fail"
    if results.failures:
        yield f"not looked up: {_count(len(results.failures), 'image')}"
    for name, failure in sorted(results.failures.items()):
        advice = f"; {failure.advice}" if failure.advice else ""
        kept = "; what was recorded before stays" if name in before else ""
        yield f"  {plain(name)}  {plain(failure.reason + advice + kept)}"
    for note in results.notes:
        yield f"note: {plain(note)}"
    yield f"contacted: {plain(', '.join(sorted(results.contacted)) or 'no host')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
