"""Settings: what `.github/hardhull.yml` may say, checked with file and line.

One table describes every key; checking, the JSON Schema and the documentation are made from it.
Longer than a module should be, because the table and its three readers belong side by side.
"""

from __future__ import annotations

import datetime
import difflib
import enum
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml import is_merge, key_text, read_yaml
from hardhull.globs import matcher
from hardhull.model import Level, PodSecurityLevel, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hardhull.documents.yaml import Cursor
    from hardhull.model import Rule

CONFIG_PATH = ".github/hardhull.yml"
TOOLS = ("checkov", "hadolint", "trivy", "kube-linter", "polaris", "kubescape", "kics")
"""Other tools whose inline decisions count for our equivalent rules."""

# ---------------------------------------------------------------- what a run gets


class RuleState(enum.StrEnum):
    """What is done about a rule's findings."""

    OFF = "off"
    REPORT = "report"
    FIX = "fix"


class Pins(enum.StrEnum):
    """What is done about digests: both, only one of the two, or neither."""

    AUTO = "auto"
    """Add them, and refresh those that no update tool keeps fresh."""
    ADD = "add"
    REFRESH = "refresh"
    """Refresh all of them, whatever update tools there are."""
    OFF = "off"

    @property
    def adds(self) -> bool:
        """Whether images that have no digest get one."""
        return self in (Pins.AUTO, Pins.ADD)

    @property
    def refreshes(self) -> bool:
        """Whether digests of tags that moved are replaced."""
        return self in (Pins.AUTO, Pins.REFRESH)


class Applications(enum.StrEnum):
    """Which workloads are hardened: those linked to an image built here, or all."""

    LINKED = "linked"
    ALL = "all"


class Rollout(enum.StrEnum):
    """How changes are brought in that old and new pods disagree about."""

    ONE_STEP = "one-step"
    TWO_STEP = "two-step"
    """First what old and new agree about; the rest once that is committed and rolled out."""


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that nobody can read, and the known image it is like."""

    like: str


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The user that is created where the base image brings none."""

    name: str = "nonroot"
    uid: int = 10001
    gid: int = 10001


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Globs, relative to the root, of what may be edited."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def allow(self, path: str) -> bool:
        """Whether the file at this path may be edited."""
        wanted, unwanted = matcher(self.include), matcher(self.exclude)
        if wanted is not None and not wanted.match(path):
            return False
        return unwanted is None or not unwanted.match(path)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Kubernetes quantities; None is not written."""

    cpu: str | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What `missing-resources` writes."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


@dataclass(frozen=True, slots=True)
class PodSecuritySettings:
    """The level of the Pod Security Standards that workloads should reach.

    `asked` says that nothing else was asked for (`--select pod-security`): its rules then find
    what this level refuses, no less and no more, and what nobody can know is left to a person.
    """

    level: PodSecurityLevel = PodSecurityLevel.RESTRICTED
    version: str = "latest"
    asked: bool = False


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """Registries beside the built-in list, and where else to ask."""

    allow: tuple[str, ...] = ()
    plain_http: tuple[str, ...] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a maintainer can decide about a run."""

    rules: Mapping[str, RuleState] = field(default_factory=dict)
    level: Level = Level.REVIEW
    images: Mapping[str, str] = field(default_factory=dict)
    base_images: Mapping[str, BaseImage] = field(default_factory=dict)
    applications: Applications = Applications.LINKED
    user: UserSettings = UserSettings()
    paths: PathSettings = PathSettings()
    respect: tuple[str, ...] = TOOLS
    rollout: Rollout = Rollout.ONE_STEP
    resources: Resources = Resources()
    pins: Pins = Pins.AUTO
    pin_cooldown: str = "24h"
    windows_digests: bool = False
    openshift: bool | None = None
    pod_security: PodSecuritySettings = PodSecuritySettings()
    registries: RegistrySettings = RegistrySettings()

    @property
    def cooldown(self) -> datetime.timedelta:
        """How long a tag must not have moved before its digest is written."""
        return duration(self.pin_cooldown)

    def state_of(self, rule: Rule) -> RuleState:
        """Return what is done about a rule; opt-in rules are off until they are named."""
        return self.rules.get(rule.id, RuleState.FIX if rule.default else RuleState.OFF)

    def state_of_id(self, rule_id: str) -> RuleState:
        """Return what is done about the findings of a rule that runs."""
        return self.rules.get(rule_id, RuleState.FIX)

    def choosing(
        self,
        known_rules: Collection[str],
        *,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        enable: Iterable[str] = (),
    ) -> Settings:
        """Return settings with rules chosen on the command line; `select` turns all others off."""
        wanted, unwanted, enabled = tuple(select), tuple(ignore), tuple(enable)
        for name in (*wanted, *unwanted, *enabled):
            if name not in known_rules:
                raise UsageError(_unknown("rule", name, known_rules))
        rules = dict(self.rules)
        if wanted:
            rules |= dict.fromkeys(set(known_rules) - set(wanted), RuleState.OFF)
        for name in (*wanted, *enabled):
            if rules.get(name, RuleState.OFF) is RuleState.OFF:
                rules[name] = RuleState.FIX
        return replace(self, rules=rules | dict.fromkeys(unwanted, RuleState.OFF))


def duration(text: str) -> datetime.timedelta:
    """The time that `36h`, `3d` or `0` names."""
    number, unit = re.fullmatch(r"(\d+)([hd]?)", text).groups()  # type: ignore[union-attr]  # checked when read
    return datetime.timedelta(**{"days" if unit == "d" else "hours": int(number)})


# ---------------------------------------------------------------- the table of keys


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string of a form; `expected` says it in words."""

    pattern: str
    expected: str


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from 1 to what Kubernetes takes as an id; `refused` are taken by others."""

    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Several:
    """A sequence."""

    item: Choice | Text


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from names of the maintainer's to values; rule names are checked."""

    value: Shape
    name: str
    rules: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys."""

    keys: tuple[Key, ...]


Shape: TypeAlias = "Choice | Text | Number | Flag | Several | Table | Record"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its form, a sentence about it and what holds without it."""

    name: str
    shape: Shape
    doc: str
    default: object = None
    required: bool = False


_GLOB = Text(r"(?!/).+", "a glob relative to the root, such as `legacy/**`")
_TAKEN = (1000, 1654)
_LARGEST_ID = 2**31 - 1
_MOST_LISTED = 15
_AMOUNTS = Record(
    (
        Key("cpu", Text(r"\d+m|\d+(?:\.\d+)?", "a quantity such as `100m`"), "CPU."),
        Key(
            "memory",
            Text(r"\d+(?:[KMGT]i?|k)?", "a quantity such as `128Mi`"),
            "Memory.",
        ),
    )
)
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Fa-f0-9:]+\])(?::[0-9]{1,5})?"
_PATH = r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
_IDS = "Never 0, 1000 (taken in Ubuntu images) or 1654 (taken in .NET images)."

KEYS = Record(
    (
        Key(
            "rules",
            Table(Choice(("off", "report", "fix")), "rule", rules=True),
            "What is done about each rule: nothing, a finding, or a finding with its fix.",
            {},
        ),
        Key(
            "level",
            Choice(("routine", "review")),
            "Which changes are made: `routine` only those whose every precondition was checked.",
            "review",
        ),
        Key(
            "images",
            Table(Text(r"(?!/)(?!(?:.*/)?\.\.(?:/|$)).+", "the path of a Dockerfile"), "image"),
            "Images that are built here: name, and Dockerfile relative to the root.",
            {},
        ),
        Key(
            "base-images",
            Table(
                Record(
                    (
                        Key(
                            "like",
                            Text(r"\S+", "an image such as `mcr.microsoft.com/dotnet/aspnet:10.0`"),
                            "A known image with the same user, tools and variables.",
                            required=True,
                        ),
                    )
                ),
                "image",
            ),
            "Base images that can't be looked up, and the known image each is like.",
            {},
        ),
        Key(
            "applications",
            Choice(("linked", "all")),
            "Which workloads are hardened: those linked to an image built here, or all.",
            "linked",
        ),
        Key(
            "user",
            Record(
                (
                    Key(
                        "name",
                        Text(
                            r"(?!(?:app|root)$)[a-z_][a-z0-9_-]{0,31}",
                            "a user name other than `app` and `root`",
                        ),
                        "Its name; never `app`, which .NET images bring.",
                        "nonroot",
                    ),
                    Key("uid", Number(_TAKEN), f"Its number. {_IDS}", 10001),
                    Key("gid", Number(_TAKEN), f"The number of its group. {_IDS}", 10001),
                )
            ),
            "The user that is created where the base image brings none.",
        ),
        Key(
            "paths",
            Record(
                (
                    Key("include", Several(_GLOB), "Edit only these; all if empty.", []),
                    Key("exclude", Several(_GLOB), "Never edit these.", []),
                )
            ),
            "Which files may be edited; the others are still read as evidence.",
        ),
        Key(
            "respect",
            Several(Choice(TOOLS)),
            "Other tools whose inline decisions count for the equivalent rule.",
            list(TOOLS),
        ),
        Key(
            "rollout",
            Choice(("one-step", "two-step")),
            "How changes that old and new pods disagree about are brought in: at once, or first "
            "what both agree about (ports get names, images get users), and the rest in a run "
            "that finds this committed.",
            "one-step",
        ),
        Key(
            "resources",
            Record(
                (
                    Key("requests", _AMOUNTS, "What is asked for."),
                    Key("limits", _AMOUNTS, "What is never exceeded."),
                )
            ),
            "What `missing-resources` writes; nothing where no number is given.",
        ),
        Key(
            "pod-security",
            Record(
                (
                    Key(
                        "level",
                        Choice(("baseline", "restricted")),
                        "Reported for each workload, and asked for by `--select pod-security`.",
                        "restricted",
                    ),
                    Key(
                        "version",
                        Text(r"latest|v1\.[0-9]{1,2}", "`latest` or a version such as `v1.33`"),
                        "The version of Kubernetes whose checks count.",
                        "latest",
                    ),
                )
            ),
            "The level of the Pod Security Standards that workloads should reach.",
        ),
        Key(
            "pins",
            Choice(("auto", "add", "refresh", "off")),
            "What is done about digests: `add` them, `refresh` those of tags that moved, or both; "
            "`auto` leaves those alone that Renovate or Dependabot keeps fresh.",
            "auto",
        ),
        Key(
            "pin-cooldown",
            Text(r"0|\d{1,4}[hd]", "a duration such as `24h`, `3d` or `0`"),
            "A tag that moved is followed only after it stayed the same for so long.",
            "24h",
        ),
        Key(
            "openshift",
            Flag(),
            "Whether the manifests are for OpenShift: created users get group 0, and what its "
            "restricted-v2 sets itself is no finding. Without this key it is so where a Route, "
            "DeploymentConfig, ImageStream or SecurityContextConstraints is seen.",
        ),
        Key("windows-digests", Flag(), "Pin Windows images by digest too.", default=False),
        Key(
            "registries",
            Record(
                (
                    Key(
                        "allow",
                        Several(
                            Text(
                                rf"{_HOST}|\*\.[A-Za-z0-9.-]*[A-Za-z0-9]",
                                "a host such as `registry.example:5000`, or `*.registry.example`",
                            )
                        ),
                        "Contact these too; written out, also at a private address.",
                        [],
                    ),
                    Key(
                        "plain-http",
                        Several(Text(_HOST, "a host such as `localhost:5000`")),
                        "Contact these without encryption.",
                        [],
                    ),
                    Key(
                        "mirrors",
                        Table(
                            Text(_HOST + _PATH, "a host, perhaps with a path"),
                            "registry",
                        ),
                        "Ask here instead, such as `docker.io: mirror.example/hub`.",
                        {},
                    ),
                )
            ),
            "Which registries may be asked about images, beside the well-known ones.",
        ),
    )
)

# ---------------------------------------------------------------- reading


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
                _wrong(cursor, f"a list was expected, each item {_expected(item)}")
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
            fits = number is not None and 1 <= number <= _LARGEST_ID and number not in refused
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
            _wrong(value, _unknown("key", name, keys))
        if not value.is_null:
            found[name] = _value(value, keys[name].shape, known_rules)
    for key in record.keys:
        if key.required and key.name not in found:
            _wrong(cursor, f"`{key.name}:` is missing; give {_expected(key.shape)}")
    return found


def _table(cursor: Cursor, table: Table, known_rules: Collection[str]) -> dict[str, Any]:
    pairs = _pairs(cursor, f"lines such as `<{table.name}>: …` were expected")
    for name, value in pairs:
        if table.rules and name not in known_rules:
            _wrong(value, _unknown("rule", name, known_rules))
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
    return f"`{written}` does not fit; {_expected(shape)} was expected"


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {_listed(sorted(known))}"
    if not near and what == "rule" and len(known) > _MOST_LISTED:
        hint = "`hardhull rules` lists them"
    return f"unknown {what} `{name}`, {hint}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _expected(shape: Shape) -> str:
    match shape:
        case Choice(words):
            return f"one of {_listed(words)}" if len(words) > 1 else _listed(words)
        case Text(_, expected):
            return expected
        case Number(refused):
            besides = f" other than {', '.join(str(number) for number in refused)}"
            return f"a whole number from 1 to {_LARGEST_ID}" + (besides if refused else "")
        case Flag():
            return "`true` or `false`"
        case Several(item):
            return f"a list, each item {_expected(item)}"
        case Table(value, name):
            return f"a mapping from {name} to {_expected(value)}"
        case Record(keys):
            return f"a mapping with {_listed(key.name for key in keys)}"


# ---------------------------------------------------------------- what is made from the table


def schema(known_rules: Collection[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of the configuration file."""
    made = _schema(KEYS, known_rules)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "hardhull configuration",
        **made,
    }


def _schema(shape: Shape, known_rules: Collection[str]) -> dict[str, Any]:
    match shape:
        case Choice(words):
            return {"type": "string", "enum": list(words)}
        case Text(pattern, expected):
            written = any(re.fullmatch(pattern, number) for number in ("0", "1"))
            kinds = ["string", "number"] if written else "string"
            return {"type": kinds, "pattern": f"^(?:{pattern})$", "title": expected}
        case Number(refused):
            return {
                "type": "integer",
                "minimum": 1,
                "maximum": _LARGEST_ID,
                "not": {"enum": list(refused)},
            }
        case Flag():
            return {"type": "boolean"}
        case Several(item):
            return {"type": "array", "items": _schema(item, known_rules)}
        case Table(value, _, rules):
            inner = _schema(value, known_rules)
            if rules and known_rules:
                named = dict.fromkeys(sorted(known_rules), inner)
                return {"type": "object", "properties": named, "additionalProperties": False}
            return {"type": "object", "additionalProperties": inner}
        case Record(keys):
            return _record_schema(keys, known_rules)


def _record_schema(keys: tuple[Key, ...], known_rules: Collection[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key in keys:
        properties[key.name] = {"description": key.doc, **_schema(key.shape, known_rules)}
        if key.default is not None:
            properties[key.name]["default"] = key.default
    made: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    required = [key.name for key in keys if key.required]
    return made | ({"required": required} if required else {})


def describe() -> tuple[tuple[str, str, str, str], ...]:
    """Return a row for each key: dotted name, what it takes, its default and its sentence."""
    return tuple(_rows("", KEYS))


def _rows(prefix: str, record: Record) -> Iterable[tuple[str, str, str, str]]:
    for key in record.keys:
        name = prefix + key.name
        inner = key.shape
        if isinstance(inner, Table) and isinstance(inner.value, Record):
            name, inner = f"{name}.<{inner.name}>", inner.value
        if isinstance(inner, Record):
            yield (name, "mapping", "", key.doc)
            yield from _rows(name + ".", inner)
        else:
            yield (name, _expected(inner), _spelled(key.default), key.doc)


def _spelled(default: object) -> str:
    match default:
        case None | {} | []:
            return "none" if default is None else "empty"
        case bool():
            return "true" if default else "false"
        case list():
            return ", ".join(str(word) for word in default)
        case _:
            return str(default)
