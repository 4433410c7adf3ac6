"""What changed between two images under one name, in the words of the people who run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hardhull.facts.gather import time_of
from hardhull.facts.manifests import variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.facts.gather import Recorded

_LONGEST: Final = 60
_PLAIN: Final = re.compile(r"[\w.,:/+*\[\];-]*")
_MANY: Final = 4
_TOLD: Final = ("PORT", "PORTS", "URLS", "UID")
_VERSION: Final = re.compile(r"v?(\d{1,9})((?:\.\d{1,9})*)(?:[-+~.][\w.+~-]*)?")
_MEGABYTE: Final = 1_000_000
_SAME_SIZE: Final = 0.01
"""A change of size below this share is no news."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was; `look` says that a person should look at it."""

    text: str
    look: bool = False


def differences(old: Recorded, new: Recorded) -> tuple[Difference, ...]:
    """What is known to differ, what matters most first. Empty for two unknown images."""
    found = [*_platforms(old, new)]
    if old.config is not None and new.config is not None:
        before, after = variables(old.config), variables(new.config)
        found += [*_versions(before, after), *_created(old.config, new.config)]
        found += [*_start(old.config, new.config), *_variables(before, after)]
        found += _ports(old.config, new.config)
    found += _size(old, new)
    return tuple(found)


def _platforms(old: Recorded, new: Recorded) -> Iterator[Difference]:
    if not old.platforms or not new.platforms:
        return
    before, after = set(old.platforms), set(new.platforms)
    # Windows images are listed with their build, which every update changes.
    plain = {_plain(one) for one in after}
    lost = sorted(one for one in before - after if _plain(one) not in plain)
    gained = sorted(one for one in after - before if _plain(one) not in {*map(_plain, before)})
    if lost:
        yield Difference(f"platforms lost: {_listed(lost)}", look=True)
    if gained:
        yield Difference(f"platforms gained: {_listed(gained)}")


def _plain(platform: str) -> str:
    return re.sub(r"\([^()]*\)", "", platform)


def _versions(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    """Variables that name a version; a major one that changes, or a step back, needs a look."""
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        if old != new and _is_version(name) and _is_shown(old, new):
            yield Difference(f"{name} {_short(old)} → {_short(new)}", not _is_minor(old, new))


def _is_version(name: str) -> bool:
    return name.upper().endswith("VERSION")


def _is_shown(*values: str) -> bool:
    """Whether values may be repeated: no connection string, and no address with a login."""
    return all(_PLAIN.fullmatch(value) is not None for value in values)


def _is_minor(old: str, new: str) -> bool:
    """Whether this is a later version of the same major one, as far as can be read."""
    versions = [_VERSION.fullmatch(text) for text in (old, new)]
    if versions[0] is None or versions[1] is None:
        return False
    (first, *rest), (second, *others) = (
        [int(match[1]), *(int(part) for part in match[2].split(".")[1:])]
        for match in versions
        if match is not None
    )
    return first == second and rest <= others


def _created(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = time_of(old.get("created")), time_of(new.get("created"))
    if before is None or after is None or before == after:
        return
    days = f"{after.date().isoformat()}, the one before {before.date().isoformat()}"
    if after < before:
        yield Difference(f"older than the one before: made {days}", look=True)
    else:
        yield Difference(f"made {days}")


def _start(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """User, command and working folder."""
    for key, word in (("User", "USER"), ("WorkingDir", "WORKDIR")):
        before, after = old.get(key) or "", new.get(key) or ""
        if before != after:
            yield Difference(
                f"{word} {_short(before) or 'none'} → {_short(after) or 'none'}", look=True
            )
    for key, word in (("Entrypoint", "ENTRYPOINT"), ("Cmd", "CMD")):
        before, after = old.get(key) or [], new.get(key) or []
        if before != after:
            words = " → ".join(_short(" ".join(one)) or "none" for one in (before, after))
            yield Difference(f"{word} {words}", look=True)


def _variables(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    """Variables that are new, gone, or other than before."""
    gone = sorted(before.keys() - after.keys())
    added = sorted(after.keys() - before.keys())
    changed = sorted(n for n in before.keys() & after.keys() if before[n] != after[n])
    shown = {name for name in changed if _is_shown(before[name], after[name])}
    changed = [name for name in changed if name not in shown or not _is_version(name)]
    if gone:
        yield Difference(f"ENV gone: {_listed(gone)}", look=True)
    # Of other variables only the names: a value may be a password.
    told = [name for name in changed if name in shown and name.upper().endswith(_TOLD)]
    for name in told[:_MANY]:
        yield Difference(
            f"ENV {_short(name)} {_short(before[name])} → {_short(after[name])}", look=True
        )
    if rest := [name for name in changed if name not in told[:_MANY]]:
        yield Difference(f"ENV changed: {_listed(rest)}", look=True)
    if added:
        yield Difference(f"ENV new: {_listed(added)}")


def _ports(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = ({*(one.get("ExposedPorts") or ())} for one in (old, new))
    if before != after:
        words = " → ".join(_listed(sorted(ports)) or "none" for ports in (before, after))
        yield Difference(f"exposed ports {words}", look=True)


def _size(old: Recorded, new: Recorded) -> Iterator[Difference]:
    if not old.size or not new.size:
        return
    more = new.size - old.size
    if abs(more) >= old.size * _SAME_SIZE:
        word = "larger" if more > 0 else "smaller"
        amount = f"{abs(more) / _MEGABYTE:.1f} MB {word}"
        yield Difference(f"{amount}: {new.size / _MEGABYTE:.1f} MB compressed")


def _listed(words: list[str]) -> str:
    shown = ", ".join(_short(word) for word in words[:_MANY])
    return f"{shown} and {len(words) - _MANY} more" if len(words) > _MANY else shown


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
