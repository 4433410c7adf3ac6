"""The one table of all keys; checking, the JSON Schema and the documentation are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hardhull.settings import TOOLS, listed


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
LARGEST_ID = 2**31 - 1
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


def expected(shape: Shape) -> str:
    """What is expected, in words."""
    match shape:
        case Choice(words):
            return f"one of {listed(words)}" if len(words) > 1 else listed(words)
        case Text(_, form):
            return form
        case Number(refused):
            besides = f" other than {', '.join(str(number) for number in refused)}"
            return f"a whole number from 1 to {LARGEST_ID}" + (besides if refused else "")
        case Flag():
            return "`true` or `false`"
        case Several(item):
            return f"a list, each item {expected(item)}"
        case Table(value, name):
            return f"a mapping from {name} to {expected(value)}"
        case Record(keys):
            return f"a mapping with {listed(key.name for key in keys)}"
