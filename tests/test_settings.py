"""Settings: what the configuration file may say, and how mistakes are told."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.configuration.reading import load
from hardhull.configuration.schema import describe, schema
from hardhull.model import Level, PodSecurityLevel, Rule, Severity, SubjectKind, UsageError
from hardhull.settings import (
    CONFIG_PATH,
    TOOLS,
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
)

KNOWN = ("image-runs-as-root", "privileged-port", "missing-resources")

FULL = """\
# all keys
rules:
  privileged-port: off
  image-runs-as-root: report
  "missing-resources": fix
level: routine
images:
  registry.example/shop/web: src/Web/Dockerfile
base-images:
  registry.example/base/aspnet: {like: "mcr.microsoft.com/dotnet/aspnet:10.0"}
applications: all
user: {name: runner, uid: 20000, gid: 20001}
paths:
  include: [src/**]
  exclude:
  - src/legacy
respect: [checkov, polaris]
rollout: one-step
resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {memory: 1Gi, cpu: 2}
pod-security: {level: baseline, version: v1.33}
pins: off
pin-cooldown: 3d
windows-digests: yes
registries:
  allow: ["registry.example:5000", "*.corp.example"]
  plain-http: ["localhost:5000"]
  mirrors: {docker.io: mirror.example/hub}
"""


def read(text: str) -> Settings:
    return load(CONFIG_PATH, text, KNOWN)


def rule(name: str, *, default: bool) -> Rule:
    return Rule(
        id=name, title="", concern="", subject=SubjectKind.STAGE, severity=Severity.LOW,
        find=lambda _subject, _context: iter(()), fix=None, why="", fix_note="", routine_when="",
        review_when="", refused_when="", default=default,
    )  # fmt: skip


def test_every_key() -> None:
    assert read(FULL) == Settings(
        rules={
            "privileged-port": RuleState.OFF,
            "image-runs-as-root": RuleState.REPORT,
            "missing-resources": RuleState.FIX,
        },
        level=Level.ROUTINE,
        images={"registry.example/shop/web": "src/Web/Dockerfile"},
        base_images={
            "registry.example/base/aspnet": BaseImage("mcr.microsoft.com/dotnet/aspnet:10.0")
        },
        applications=Applications.ALL,
        user=UserSettings("runner", 20000, 20001),
        paths=PathSettings(("src/**",), ("src/legacy",)),
        respect=("checkov", "polaris"),
        rollout=Rollout.ONE_STEP,
        resources=Resources(Amounts("100m", "128Mi"), Amounts("2", "1Gi")),
        pod_security=PodSecuritySettings(PodSecurityLevel.BASELINE, "v1.33"),
        pins=Pins.OFF,
        pin_cooldown="3d",
        windows_digests=True,
        registries=RegistrySettings(
            ("registry.example:5000", "*.corp.example"),
            ("localhost:5000",),
            {"docker.io": "mirror.example/hub"},
        ),
    )
    assert read("\ufeff" + FULL.replace("\n", "\r\n")) == read(FULL)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "rules:\nuser: ~\npaths: {}\n", "user:\n  uid:\n"]
)
def test_nothing_said_is_the_default(text: str) -> None:
    assert read(text) == Settings()


def test_respect_can_be_switched_off() -> None:
    assert read("respect: []").respect == ()
    assert Settings().respect == TOOLS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user: {uid: 99999999999}", "1: `99999999999` does not fit; a whole number from 1 to"),
        ("? [a]\n: b", "1: each key must be one word"),
        ("rules:\n\tlatest-tag: off", "2: indented with a tab; YAML takes spaces only"),
        ("levle: review", "1: unknown key `levle`, did you mean `level`?"),
        ("\n\nzzzzz: 1", "3: unknown key `zzzzz`, known are `applications`, `base-images`"),
        ("user:\n  name: x\n  id: 5", "3: unknown key `id`, did you mean `uid`?"),
        ("rules:\n  priviledged-port: off", "2: unknown rule `priviledged-port`, did you mean"),
        ("rules:\n  privileged-port: on", "2: `on` does not fit; one of `off`, `report`, `fix`"),
        ("rules: [privileged-port]", "1: lines such as `<rule>: …` were expected"),
        ("level: manual", "1: `manual` does not fit; one of `routine`, `review` was expected"),
        ("level: {{ x }}", "1: "),
        ("level: ${LEVEL}", "1: `${LEVEL}` does not fit"),
        ("images:\n  a: /etc/passwd", "2: `/etc/passwd` does not fit; the path of a Dockerfile"),
        ("images:\n  a: ../Dockerfile", "2: `../Dockerfile` does not fit"),
        ("images:\n  a: [x]", "2: `[x]` does not fit"),
        ("base-images:\n  a: {}", "2: `like:` is missing; give an image such as"),
        ("base-images:\n  a: b", "2: keys such as `like:` were expected"),
        ("user:\n  name: app", "2: `app` does not fit; a user name other than `app` and `root`"),
        (
            "user:\n  uid: 1654",
            "2: `1654` does not fit; a whole number from 1 to 2147483647 other than",
        ),
        ("user:\n  uid: 1000", "2: `1000` does not fit"),
        ("user:\n  gid: 0", "2: `0` does not fit"),
        ("user:\n  uid: '10001'", "2: `'10001'` does not fit"),
        ("paths:\n  include: src", "2: a list was expected, each item a glob"),
        ("paths:\n  include:\n  - /src", "3: `/src` does not fit"),
        ("respect: [chekov]", "1: `chekov` does not fit; one of `checkov`"),
        ("rollout: three-step", "1: `three-step` does not fit; one of `one-step`, `two-step`"),
        ("resources:\n  limits: {cpu: lots}", "2: `lots` does not fit; a quantity such as `100m`"),
        (
            "pins: always",
            "1: `always` does not fit; one of `auto`, `add`, `refresh`, `off` was expected",
        ),
        (
            "pin-cooldown: soon",
            "1: `soon` does not fit; a duration such as `24h`, `3d` or `0` was expected",
        ),
        ("windows-digests: maybe", "1: `maybe` does not fit; `true` or `false` was expected"),
        ("registries:\n  allow: a.example", "2: a list was expected, each item a host such as"),
        ("registries:\n  allow: [https://a.example]", "2: `https://a.example` does not fit"),
        ("registries:\n  allow: ['*']", "2: `'*'` does not fit; a host such as"),
        ("registries:\n  allow: [a.example/team]", "2: `a.example/team` does not fit"),
        ("registries:\n  plain-http: ['*.example']", "2: `'*.example'` does not fit"),
        ("registries:\n  mirrors: {docker.io: 'a/../b'}", "2: `'a/../b'` does not fit"),
        ("level: review\nlevel: routine", "2: this key stands twice; remove one"),
        ("- a", "1: keys such as `rules:` were expected"),
        ("level: review\n---\nlevel: review", "3: one document was expected"),
        ("level: [", "1: not valid YAML"),
    ],
)
def test_mistakes_name_file_line_and_way_out(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{CONFIG_PATH}:{message}")


def test_states_of_rules() -> None:
    settings = read("rules: {privileged-port: report}")
    assert settings.state_of(rule("privileged-port", default=True)) == "report"
    assert settings.state_of(rule("image-runs-as-root", default=True)) == "fix"
    assert settings.state_of(rule("missing-resources", default=False)) == "off"
    assert settings.state_of_id("privileged-port") == "report"
    assert settings.state_of_id("image-runs-as-root") == "fix"


def test_rules_of_the_command_line() -> None:
    settings = read("rules: {privileged-port: report, image-runs-as-root: off}")
    selected = settings.choosing(KNOWN, select=["privileged-port", "image-runs-as-root"])
    assert dict(selected.rules) == {
        "privileged-port": "report",
        "image-runs-as-root": "fix",
        "missing-resources": "off",
    }
    changed = settings.choosing(KNOWN, ignore=["privileged-port"], enable=["missing-resources"])
    assert changed.rules["privileged-port"] == "off"
    assert changed.rules["missing-resources"] == "fix"
    assert changed.rules["image-runs-as-root"] == "off"
    with pytest.raises(UsageError, match="unknown rule `privileged-prot`, did you mean"):
        settings.choosing(KNOWN, enable=["privileged-prot"])


def test_schema_and_documentation_follow_the_table() -> None:
    made = schema(KNOWN)
    json.dumps(made)
    assert set(made["properties"]["rules"]["properties"]) == set(KNOWN)
    assert made["additionalProperties"] is False
    assert made["properties"]["user"]["properties"]["uid"]["not"] == {"enum": [1000, 1654]}
    for name, default in (
        ("level", "review"),
        ("respect", list(TOOLS)),
        ("windows-digests", False),
    ):
        assert made["properties"][name]["default"] == default
    rows = {row[0]: row for row in describe()}
    assert set(made["properties"]) <= {re.split(r"[.]", name)[0] for name in rows}
    assert rows["user.uid"][2] == "10001"
    assert rows["base-images.<image>.like"][1].startswith("an image such as")
    assert all(row[3].endswith(".") for row in rows.values())


def test_the_schema_takes_what_a_reader_takes() -> None:
    cooldown = schema(KNOWN)["properties"]["pin-cooldown"]

    assert "number" in cooldown["type"]  # `0` is a number in YAML
    assert read("pin-cooldown: 0").cooldown == datetime.timedelta(0)
    assert read("pin-cooldown: 36h").cooldown == datetime.timedelta(hours=36)
    assert Settings().cooldown == datetime.timedelta(days=1)


def test_defaults_of_the_table_are_those_of_the_values() -> None:
    lines = [
        f"{name}: {json.dumps(key['default'])}"
        for name, key in schema(KNOWN)["properties"].items()
        if "default" in key
    ]
    assert read("\n".join(lines)) == Settings()
    user = schema(KNOWN)["properties"]["user"]["properties"]
    assert UserSettings(**{name: key["default"] for name, key in user.items()}) == UserSettings()


@given(st.text("rulesvi:{}[]-'\"\n &*~#0", max_size=40))
def test_any_text_is_settings_or_a_usage_error(text: str) -> None:
    for whole in (text, "user:\n  " + text, "rules: " + text):
        assert _is_settings_or_usage_error(whole)


def _is_settings_or_usage_error(text: str) -> bool:
    try:
        load(CONFIG_PATH, text, KNOWN)
    except UsageError as error:
        return re.match(re.escape(CONFIG_PATH) + r":\d+: ", str(error)) is not None
    return True
