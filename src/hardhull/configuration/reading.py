"""Reading `.github/hardhull.yml` into settings; what is wrong is told with file and line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from hardhull.configuration.keys import (
    KEYS,
    LARGEST_ID,
    Choice,
    Flag,
    Number,
    Record,
    Several,
    Table,
    Text,
    expected,
)
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_nodes import is_merge, key_text
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Level, PodSecurityLevel, UsageError
from hardhull.settings import (
    Amounts,
    Applications,
    BaseImage,
    PathSettings,
    Pins,
    PodSecuritySettings,
    RegistrySettings,
    Resources,
    Rollout,
    RuleState,
    Settings,
    UserSettings,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from hardhull.configuration.keys import Shape
    from hardhull.documents.yaml import Cursor


def load(path: str, text: str, known_rules: Collection[str]) -> Settings:
    """Read a configuration file. Raises UsageError with file, line and what to do."""
    file = read_yaml(Source(path, FileKind.EVIDENCE, text.removeprefix("\ufeff")))
    if isinstance(file, Unreadable):
        written = text.split("\n")[max(0, file.line - 1) : file.line]
        if written and written[0].strip(" ").startswith("\t"):
            raise UsageError(f"{path}:{file.line}: indented with a tab; YAML takes spaces only")
        raise UsageError(f"{path}:{file.line}: {file.reason}; write it as plain YAML")
    roots = file.cursors
    if len(roots) > 1:
        _wrong(roots[1], "one document was expected; remove what follows `---`")
    given = _record(roots[0], KEYS, known_rules) if roots else {}
    return _settings(given)


def _settings(given: dict[str, Any]) -> Settings:
    resources = given.get("resources", {})
    pod_security = given.get("pod-security", {})
    known: dict[str, Any] = {
        "rules": {name: RuleState(state) for name, state in given.get("rules", {}).items()},
        "level": Level(given.get("level", "review")),
        "images": given.get("images", {}),
        "base_images": {
            name: BaseImage(**image) for name, image in given.get("base-images", {}).items()
        },
        "applications": Applications(given.get("applications", "linked")),
        "user": UserSettings(**given.get("user", {})),
        "paths": PathSettings(**given.get("paths", {})),
        "pod_security": PodSecuritySettings(
            PodSecurityLevel(pod_security.get("level", "restricted")),
            pod_security.get("version", "latest"),
        ),
        "registries": RegistrySettings(
            **{name.replace("-", "_"): value for name, value in given.get("registries", {}).items()}
        ),
        "resources": Resources(**{name: Amounts(**amounts) for name, amounts in resources.items()}),
    }
    if "pins" in given:
        known["pins"] = Pins(given["pins"])
    if "rollout" in given:
        known["rollout"] = Rollout(given["rollout"])
    for name in ("respect", "pin-cooldown", "windows-digests", "openshift"):
        if name in given:
            known[name.replace("-", "_")] = given[name]
    return Settings(**known)


def _value(cursor: Cursor, shape: Shape, known_rules: Collection[str]) -> Any:
    match shape:
        case Record():
            return _record(cursor, shape, known_rules)
        case Table():
            return _table(cursor, shape, known_rules)
        case Several(item):
            if not cursor.is_sequence:
                _wrong(cursor, f"a list was expected, each item {expected(item)}")
            return tuple(_value(one, item, known_rules) for one in cursor.items())
        case _:
            value = _scalar(cursor, shape)
            return _wrong(cursor, _unfit(cursor, shape)) if value is None else value


def _scalar(cursor: Cursor, shape: Choice | Text | Number | Flag) -> str | int | None:
    """Return what is written if it fits; `off` is a word here, whatever YAML says of it."""
    text = cursor.text
    match shape:
        case Flag():
            return cursor.as_bool()
        case Number(refused):
            number = cursor.as_int()
            fits = number is not None and 1 <= number <= LARGEST_ID and number not in refused
            return number if fits else None
        case Text(pattern):
            return text if text is not None and re.fullmatch(pattern, text) else None
        case Choice(words):
            return text if text in words else None


def _record(cursor: Cursor, record: Record, known_rules: Collection[str]) -> dict[str, Any]:
    keys = {key.name: key for key in record.keys}
    found: dict[str, Any] = {}
    for name, value in _pairs(cursor, f"keys such as `{record.keys[0].name}:` were expected"):
        if name not in keys:
            _wrong(value, unknown("key", name, keys))
        if not value.is_null:
            found[name] = _value(value, keys[name].shape, known_rules)
    for key in record.keys:
        if key.required and key.name not in found:
            _wrong(cursor, f"`{key.name}:` is missing; give {expected(key.shape)}")
    return found


def _table(cursor: Cursor, table: Table, known_rules: Collection[str]) -> dict[str, Any]:
    pairs = _pairs(cursor, f"lines such as `<{table.name}>: …` were expected")
    for name, value in pairs:
        if table.rules and name not in known_rules:
            _wrong(value, unknown("rule", name, known_rules))
    return {name: _value(value, table.value, known_rules) for name, value in pairs}


def _pairs(cursor: Cursor, expected: str) -> list[tuple[str, Cursor]]:
    if cursor.is_null:
        return []
    if not cursor.is_mapping:
        _wrong(cursor, expected)
    if any(key_text(name) is None and not is_merge(name) for name, _ in cursor.node.pairs):
        _wrong(cursor, "each key must be one word")
    if cursor.duplicates:
        _wrong(cursor.get(cursor.duplicates[0]) or cursor, "this key stands twice; remove one")
    return cursor.pairs()


def _wrong(cursor: Cursor, what: str) -> NoReturn:
    raise UsageError(f"{cursor.path}:{cursor.line}: {what}")


def _unfit(cursor: Cursor, shape: Shape) -> str:
    written = cursor.raw.partition("\n")[0] or "nothing"
    return f"`{written}` does not fit; {expected(shape)} was expected"
