"""What a run is told: the values of `.github/hardhull.yml` and of the command line."""

from __future__ import annotations

import datetime
import difflib
import enum
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.globs import matcher
from hardhull.model import Level, PodSecurityLevel, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hardhull.model import Rule

CONFIG_PATH = ".github/hardhull.yml"
TOOLS = ("checkov", "hadolint", "trivy", "kube-linter", "polaris", "kubescape", "kics")
"""Other tools whose inline decisions count for our equivalent rules."""
_MOST_LISTED = 15

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
                raise UsageError(unknown("rule", name, known_rules))
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


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """One sentence about a name that nobody knows, with the nearest that somebody does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else f"known are {listed(sorted(known))}"
    if not near and what == "rule" and len(known) > _MOST_LISTED:
        hint = "`hardhull rules` lists them"
    return f"unknown {what} `{name}`, {hint}"


def listed(words: Iterable[str]) -> str:
    """Words as a list: `a`, `b`."""
    return ", ".join(f"`{word}`" for word in words)
