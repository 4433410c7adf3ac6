"""The grammar of .NET image tags, and which known variant stands for one that is not listed."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Tag(NamedTuple):
    """A tag, taken apart."""

    version: str
    patch: str | None
    preview: str | None
    variant: str


_TAG = re.compile(
    r"""(?P<version>\d+\.\d+) (?:\.(?P<patch>\d+))?
        (?:-(?P<preview>(?:preview|rc)\.?\d*(?:\.\d+)*))?
        (?:-\d+)?
        (?:-(?P<variant>(?!amd64$|arm32v7$|arm64v8$)[A-Za-z][A-Za-z0-9.]*(?:-[A-Za-z0-9.]+)*?))?
        (?:-(?:amd64|arm32v7|arm64v8))?""",
    re.VERBOSE,
)
_NUMBERS = re.compile(r"\d+")

FLAGS: Final = ("chiseled", "distroless", "composite", "extra", "aot")
_ROOTLESS_FLAGS: Final = frozenset({"chiseled", "distroless"})


@functools.cache
def catalogue() -> Mapping[str, Any]:
    """Return the table of what is known, read once."""
    return dict(json.loads(Path(__file__).with_name("catalogue.json").read_bytes()))


def split_tag(tag: str) -> Tag | None:
    """Take a tag apart; None if it is no tag of a .NET image."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    return Tag(found["version"], found["patch"], found["preview"], found["variant"] or "")


def nearest_variant(asked: str, known: Mapping[str, Any]) -> str | None:
    """The variant itself, else the newest known one of the same family and kind."""
    if asked in known:
        return asked
    base, flags = _split_variant(asked)
    family = _variant_family(base, flags)
    candidates = [name for name in known if _variant_family(*_split_variant(name)) == family]
    for wanted in _weaker(flags):
        fitting = [name for name in candidates if _split_variant(name)[1] == wanted]
        if fitting:
            return max(fitting, key=lambda name: _age(name, known[name]))
    return None


def _weaker(flags: frozenset[str]) -> Iterator[frozenset[str]]:
    """The flags, then without those that change neither user, shell nor port."""
    yield flags
    yield flags - {"aot", "composite"}
    yield flags & _ROOTLESS_FLAGS


def _split_variant(variant: str) -> tuple[str, frozenset[str]]:
    parts = variant.split("-")
    flags = frozenset(part for part in parts if part in FLAGS)
    return "-".join(part for part in parts if part not in flags), flags


def _variant_family(base: str, flags: frozenset[str]) -> str:
    """`alpine` for alpine3.20; the table's family for codenames; Ubuntu alone is chiseled."""
    distros = catalogue()["distros"]
    row = distros.get(base) or distros.get(f"{base}-slim")
    if row is not None and row["family"] != "windows":
        return str(row["family"])
    if "chiseled" in flags:
        return "ubuntu"
    stem = re.split(r"[\d-]", base, maxsplit=1)[0]
    return {"cbl": "mariner"}.get(stem, stem)


def _age(name: str, row: list[Any]) -> tuple[str, tuple[int, ...]]:
    base = _split_variant(name)[0]
    version = catalogue()["distros"].get(base, {}).get("version") or base
    return catalogue()["last_seen"][row[2]], numbers(version)


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare by."""
    return tuple(int(number) for number in _NUMBERS.findall(text))
