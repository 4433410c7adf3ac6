"""From arguments to what a run takes: roots, settings, digests."""

from __future__ import annotations

import datetime
import difflib
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.configuration.reading import load
from hardhull.facts.gather import read_digests
from hardhull.model import Level, UsageError
from hardhull.rules import BY_ID, RULES
from hardhull.settings import CONFIG_PATH, RuleState, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from hardhull.facts.asking import Desk
    from hardhull.facts.gather import Recorded
    from hardhull.model import Rule
    from hardhull.run import Ask

_LARGEST_CONFIG = 1024 * 1024
_LARGEST_DIGESTS = 64 * 1024 * 1024
_POD_SECURITY = "pod-security"
"""The rules about checks of the Pod Security Standards, as a group beside the concerns."""
_GROUPS = (_POD_SECURITY, *dict.fromkeys(rule.concern for rule in RULES))


def roots_of(arguments: argparse.Namespace) -> list[Path]:
    """The folders to look at, each once."""
    found: dict[Path, Path] = {}
    for given in arguments.paths or ["."]:
        path = Path(given)
        if not given:
            # Most likely a variable that is not set: the current folder is not what was meant.
            raise UsageError("an empty PATH was given; name a folder, or `.` for this one")
        if not path.is_dir():
            what = "is a file; give the folder of a repository" if path.exists() else "is not there"
            raise UsageError(f"{path.as_posix()}: {what}")
        found.setdefault(path.resolve(), path)
    return list(found.values())


def config_of(root: Path, arguments: argparse.Namespace) -> tuple[str, str] | None:
    """The configuration's path, as it is shown, and its text; None if there is none."""
    if arguments.config is not None:
        return arguments.config, _read(Path(arguments.config), arguments.config, _LARGEST_CONFIG)
    place = root / CONFIG_PATH
    if not os.path.lexists(place):
        return None
    shown = CONFIG_PATH if root == Path() else place.as_posix()
    if not place.is_file():
        raise UsageError(f"{shown}: not a plain file; make it one, or remove it")
    # What it says comes back in messages: a link out of the repository is not followed.
    if not place.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{shown}: a link to outside of the repository; put the file itself there")
    return shown, _read(place, shown, _LARGEST_CONFIG)


def settings_of(root: Path, arguments: argparse.Namespace) -> Settings:
    """The settings in force for a root: its configuration, then the command line."""
    config = config_of(root, arguments)
    settings = load(*config, BY_ID) if config is not None else Settings()
    enable = expanded(arguments.enable)
    settings = settings.choosing(
        BY_ID,
        select=_selected(arguments.select, settings.choosing(BY_ID, enable=enable)),
        ignore=expanded(arguments.ignore),
        enable=enable,
    )
    if _POD_SECURITY in _names(arguments.select):
        asked = replace(settings.pod_security, asked=True)
        settings = replace(settings, pod_security=asked)
    return replace(settings, level=Level(arguments.level)) if arguments.level else settings


def expanded(names: Iterable[str]) -> list[str]:
    """Rule ids of what was named: rules, concerns, `pod-security`, several at once with commas."""
    found: list[str] = []
    for name in _names(names):
        group = [rule.id for rule in RULES if name in _groups_of(rule)]
        if name and name not in BY_ID and not group:
            near = difflib.get_close_matches(name, [*BY_ID, *_GROUPS], n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else "`hardhull rules` lists them"
            raise UsageError(f"unknown rule `{name}`; {hint}")
        found += group or [name]
    return [name for name in dict.fromkeys(found) if name]


def _selected(names: Iterable[str], settings: Settings) -> list[str]:
    """Rule ids of what is selected: of a group those that are on, by its own id any."""
    found: list[str] = []
    for name in _names(names):
        ids = expanded([name]) if name else []
        on = [one for one in ids if settings.state_of(BY_ID[one]) is not RuleState.OFF]
        if ids and not on and name not in BY_ID:
            raise UsageError(
                f"--select {name}: all its rules are off; name them ({', '.join(ids)}), or give "
                f"--enable {name} too"
            )
        found += ids if name in BY_ID else on
    return list(dict.fromkeys(found))


def _groups_of(rule: Rule) -> tuple[str, ...]:
    return (rule.concern, _POD_SECURITY) if rule.pod_security else (rule.concern,)


def _names(given: Iterable[str]) -> list[str]:
    names = list(given)
    if not all(name.strip(", ") for name in names):
        # Most likely a variable that is not set: `--select ""` must not mean all rules.
        raise UsageError("an empty RULE was given; `hardhull rules` lists them")
    return [part.strip() for name in names for part in name.split(",")]


def recorded_of(arguments: argparse.Namespace) -> Mapping[str, Recorded]:
    """What the digests file records."""
    if arguments.digests is None:
        return {}
    shown = arguments.digests
    try:
        return read_digests(shown, _read(Path(shown), shown, _LARGEST_DIGESTS))
    except RecursionError:
        raise UsageError(f"{shown}: nested too deeply to be a digests file") from None


def desk_of(arguments: argparse.Namespace) -> Desk | None:
    """Where registries are asked; None where nothing is to be contacted, as in every scan."""
    if arguments.command == "scan" or arguments.offline:
        return None
    from hardhull.facts.asking import Desk  # noqa: PLC0415  slow to import

    # Several roots have a bar of their own.
    return Desk(os.environ, watched) if len(arguments.paths) <= 1 else Desk(os.environ)


def asking_of(desk: Desk | None, settings: Settings, arguments: argparse.Namespace) -> Ask | None:
    """How a run asks the desk. A tag that is followed at once is asked for in every run.

    With a `pin-cooldown` no digest is written that is younger than an answer that was kept.
    """
    if desk is None:
        return None
    from hardhull.facts.cache import RECENT  # noqa: PLC0415  only where a desk was imported

    kept_for = datetime.timedelta() if arguments.no_cache else min(RECENT, settings.cooldown)
    return partial(desk.ask, settings.registries, kept_for=kept_for)


_MANY = 10


def watched(number: int) -> AbstractContextManager[Callable[[str], object]]:
    """A bar for so many look-ups, if they take a while and someone watches."""
    if number < _MANY or not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    from hardhull.report.terminal import progress  # noqa: PLC0415  slow to import

    return progress(number, sys.stderr)


def _read(path: Path, shown: str, largest: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)  # a device has no end
    except OSError as error:
        raise UsageError(f"{shown}: can't be read: {error.strerror}") from None
    if len(data) > largest:
        raise UsageError(f"{shown}: too large to be what was expected")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{shown}:{line}: not UTF-8; save it as UTF-8") from None
