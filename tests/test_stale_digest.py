"""stale-digest: what is said of a tag that moved, how far that is trusted, and when it waits."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest

from hardhull.facts.comparing import differences
from hardhull.facts.gather import Facts, Recorded
from hardhull.facts.mirrors import original
from hardhull.model import Level
from hardhull.outcome import Status
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (f"sha256:{digit * 64}" for digit in "0f")
NAME = "docker.io/library/redis:7"


def entry(digest: str, **config: Any) -> dict[str, Any]:
    return {"digest": digest, "config": config, "recorded": "2026-11-01T00:00:00+00:00"}


def told(root: Path, old: dict[str, Any], new: dict[str, Any], **more: Any) -> Any:
    write(root, {"Dockerfile": f"FROM redis:7@{OLD}\n"})
    digests = {f"{NAME}@{OLD}": entry(OLD, **old), NAME: entry(NEW, **new) | more}
    result = outcome(root, "stale-digest", digests=digests)
    (one,) = result.entries
    return one


ENV = ["DOTNET_VERSION=10.0.0", "PATH=/a"]


@pytest.mark.parametrize(
    ("old", "new", "level", "said"),
    [
        ({"Env": ENV}, {"Env": ["DOTNET_VERSION=10.0.1", "PATH=/a"]}, "routine",
         "DOTNET_VERSION 10.0.0 → 10.0.1"),
        ({"Env": ENV}, {"Env": ["DOTNET_VERSION=10.1.0-rc.2.3", "PATH=/a"]}, "routine",
         "DOTNET_VERSION 10.0.0 → 10.1.0-rc.2.3"),
        ({"Env": ENV}, {"Env": ["DOTNET_VERSION=11.0.0", "PATH=/a"]}, "review",
         "DOTNET_VERSION 10.0.0 → 11.0.0"),
        ({"Env": ENV}, {"Env": ["DOTNET_VERSION=9.0.9", "PATH=/a"]}, "review",
         "DOTNET_VERSION 10.0.0 → 9.0.9"),
        ({"Env": ["A_VERSION=7.10.2"]}, {"Env": ["A_VERSION=7.9.9"]}, "review", "7.10.2 → 7.9.9"),
        ({"Env": ["A_VERSION=noble"]}, {"Env": ["A_VERSION=trixie"]}, "review", "noble → trixie"),
        ({"created": "2026-10-14T00:00:00Z"}, {"created": "2026-11-10T00:00:00.123456789Z"},
         "routine", "made 2026-11-10, the one before 2026-10-14"),
        ({"created": "2026-11-10T00:00:00Z"}, {"created": "2026-10-14T00:00:00Z"}, "review",
         "older than the one before: made 2026-10-14, the one before 2026-11-10"),
        ({"User": "1654"}, {"User": ""}, "review", "USER 1654 → none"),
        ({"WorkingDir": "/a"}, {"WorkingDir": "/b"}, "review", "WORKDIR /a → /b"),
        ({"Entrypoint": ["a", "b"]}, {}, "review", "ENTRYPOINT a b → none"),
        ({"Cmd": ["a"]}, {"Cmd": ["b"]}, "review", "CMD a → b"),
        ({"ExposedPorts": {"80/tcp": {}}}, {"ExposedPorts": {"8080/tcp": {}}}, "review",
         "exposed ports 80/tcp → 8080/tcp"),
        ({"Env": ["A=1", "HTTP_PORTS=80"]}, {"Env": ["A=1", "HTTP_PORTS=8080"]}, "review",
         "ENV HTTP_PORTS 80 → 8080"),
        ({"Env": ENV}, {"Env": ENV[:1]}, "review", "ENV gone: PATH"),
        ({"Env": ENV[:1]}, {"Env": ENV}, "routine", "ENV new: PATH"),
        ({}, {}, "routine", "the tag has moved: rebuilt, with nothing changed that is recorded"),
    ],
)  # fmt: skip
def test_what_changed_and_who_must_look(
    tmp_path: Path, old: dict[str, Any], new: dict[str, Any], level: str, said: str
) -> None:
    one = told(tmp_path, old, new)

    assert one.status is Status.FIXED
    assert one.change.fix.level.value == level
    assert said in one.finding.message


def test_the_value_of_a_variable_is_not_told(tmp_path: Path) -> None:
    one = told(tmp_path, {"Env": ["TOKEN=hunter2"]}, {"Env": ["TOKEN=hunter3"]})

    assert "ENV changed: TOKEN" in one.finding.message
    assert "hunter" not in f"{one.finding} {one.change.fix}"


def test_a_config_that_is_not_recorded_is_said(tmp_path: Path) -> None:
    one = told(tmp_path, {}, {}, config=None)

    assert one.change.fix.level is Level.REVIEW
    assert one.finding.evidence[-1].startswith("not checked: what changed in sha256:ff")


def test_platforms_and_size() -> None:
    config: dict[str, Any] = {}
    windows = ("windows(10.0.1)/amd64", "windows(10.0.2)/amd64")
    old = Recorded(
        OLD, config, platforms=("linux/amd64", "linux/arm/v7", windows[0]), size=100_000_000
    )
    new = Recorded(
        NEW, config, platforms=("linux/amd64", "linux/s390x", windows[1]), size=90_500_000
    )

    assert [(one.text, one.look) for one in differences(old, new)] == [
        ("platforms lost: linux/arm/v7", True),
        ("platforms gained: linux/s390x", False),
        ("9.5 MB smaller: 90.5 MB compressed", False),
    ]
    assert differences(Recorded(OLD), Recorded(NEW)) == ()


def test_the_fingerprint_does_not_know_the_digest(tmp_path: Path) -> None:
    text = f"FROM redis:7@{OLD} AS a\nCOPY --from=redis:7@{OLD} /a /a\n"
    write(tmp_path, {"Dockerfile": text})
    before = outcome(tmp_path, "stale-digest", digests={NAME: entry(NEW)}, fixing=False)
    write(tmp_path, {"Dockerfile": text.replace(OLD, NEW)})
    after = outcome(tmp_path, "stale-digest", digests={NAME: entry(OLD)}, fixing=False)

    assert len(before.entries) == 2
    assert [e.finding.fingerprint for e in before.entries] == [
        e.finding.fingerprint for e in after.entries
    ]


@pytest.mark.parametrize(
    ("old", "message"),
    [
        (
            {"digest": OLD, "gone": "2026-11-20T00:00:00+00:00"},
            f"its registry has no {OLD} any more",
        ),
        (
            {"digest": OLD, "single": True, "platforms": ["linux/arm64"]},
            "pinned to the image of one platform (linux/arm64), while the tag is an index of 2",
        ),
    ],
)
def test_what_is_explained_and_left(tmp_path: Path, old: dict[str, Any], message: str) -> None:
    write(tmp_path, {"Dockerfile": f"FROM redis:7@{OLD}\n"})
    new = entry(NEW) | {"single": False, "platforms": ["linux/amd64", "linux/arm64"]}
    result = outcome(tmp_path, "stale-digest", digests={NAME: new, f"{NAME}@{OLD}": old})

    assert texts(result) == {}
    assert message in result.entries[0].finding.message


def test_windows_is_left_unless_wanted(tmp_path: Path) -> None:
    name = "mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-ltsc2022"
    write(tmp_path, {"Dockerfile": f"FROM {name}@{OLD}\n"})
    digests = {name: entry(NEW)}

    assert outcome(tmp_path, "stale-digest", digests=digests).entries == ()
    result = outcome(tmp_path, "stale-digest", digests=digests, settings="windows-digests: true\n")
    assert NEW in texts(result)["Dockerfile"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM redis:7@{}\r\n",
        'FROM "redis:7@{}" AS a\n',
        "FROM \\\n  # why\n  --platform=$BUILDPLATFORM redis:7@{} \\\n  AS b\n",
        "ARG D={}\nFROM redis:7@$D\nFROM redis:7@${{D}}\n",
        'ARG I="redis:7@{}" X=1\nFROM $I\n',
        "FROM redis:${{T:-7}}@{}\n",
        "FROM ${{I:-redis:7@{}}}\n",
        "ARG T=7\nFROM redis:$T@{}\nFROM redis:6-$T\n",
        "FROM scratch\nRUN --mount=target=/a,from=redis:7@{} true\n",
    ],
)
def test_only_the_digest_changes(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"Dockerfile": text.format(OLD)})
    result = outcome(tmp_path, "stale-digest", digests={NAME: entry(NEW)})

    assert result.after["Dockerfile"].text == text.format(NEW)


@pytest.mark.parametrize(
    "text",
    [
        f"ARG D={OLD}\nFROM redis:7@$D\nFROM redis:6@$D\n",
        f"ARG D={OLD}\nFROM redis:7@$D\nARG D\nRUN echo $D\n",
        f"ARG D={OLD}\nARG D={OLD}\nFROM redis:7@$D\n",
        f"ARG D={OLD}\nARG I=redis:7@$D\nFROM $I\n",
        f'FROM scratch\nCOPY --from="redis:7@{OLD}" / /\n',
    ],
)
def test_what_is_shared_or_cut_up_stays(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"Dockerfile": text})
    result = outcome(tmp_path, "stale-digest", digests={NAME: entry(NEW)})

    assert texts(result) == {}
    assert result.withheld


# ---------------------------------------------------------------- the cooldown

DAY = datetime.timedelta(days=1)
RECENT, LONG_AGO = "2026-11-21T12:00:00+00:00", "2026-11-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Recorded(NEW, recorded=LONG_AGO), True),
        (Recorded(NEW, recorded=RECENT, before=OLD), False),
        # Seen to move: that it was made earlier says nothing about the tag.
        (Recorded(NEW, {"created": LONG_AGO}, RECENT, before=OLD), False),
        (Recorded(NEW, {"created": LONG_AGO}, RECENT), True),
        (Recorded(NEW, {"created": RECENT}, RECENT), False),
        (Recorded(NEW, {"created": RECENT}, LONG_AGO), True),
        (Recorded(NEW, {"created": LONG_AGO}), True),
        (Recorded(NEW, {"created": "2030-01-01T00:00:00Z"}), None),
        (Recorded(NEW, {"created": "last week"}), None),
        (Recorded(NEW, recorded=RECENT), None),
        (Recorded(NEW), None),
    ],
)
def test_how_long_a_tag_has_stood_still(image: Recorded, expected: bool | None) -> None:
    facts = Facts(datetime.date(2026, 11, 22))

    assert facts.seasoned(image, DAY) is expected
    assert facts.seasoned(image, datetime.timedelta(0)) is True


@pytest.mark.parametrize(
    ("setting", "followed"), [("24h", False), ("12h", True), ("3d", False), ("0", True)]
)
def test_the_cooldown_is_as_it_is_set(tmp_path: Path, setting: str, followed: bool) -> None:
    write(tmp_path, {"Dockerfile": f"FROM redis:7@{OLD}\n"})
    digests = {NAME: entry(NEW) | {"recorded": RECENT, "before": OLD}}
    result = outcome(
        tmp_path, "stale-digest", digests=digests, settings=f"pin-cooldown: {setting}\n"
    )

    assert bool(texts(result)) is followed


def test_an_unknown_age_holds_a_refresh_and_no_pin(tmp_path: Path) -> None:
    write(tmp_path, {"a/Dockerfile": f"FROM redis:7@{OLD}\n", "b/Dockerfile": "FROM redis:7\n"})

    assert set(texts(outcome(tmp_path, digests={NAME: NEW}))) == {"b/Dockerfile"}


def test_the_config_of_a_pinned_image_is_that_of_its_digest() -> None:
    recorded = {
        NAME: Recorded(NEW, {"User": "new"}),
        f"{NAME}@{OLD}": Recorded(OLD, {"User": "old"}),
    }
    facts = Facts(datetime.date(2026, 11, 22), recorded)

    assert facts.config(NAME) == {"User": "new"}
    assert facts.config(f"{NAME}@{OLD}") == {"User": "old"}
    assert facts.config(f"{NAME}@{NEW}") == {"User": "new"}
    assert facts.config(f"{NAME}@sha256:{'1' * 64}") is None


# ---------------------------------------------------------------- mirrors

MIRRORS = {"docker.io": "mirror.example/hub", "mcr.microsoft.com": "mirror.example/hub/mcr"}
MCR = "mcr.microsoft.com/dotnet/aspnet:8.0"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mirror.example/hub/library/redis:7", NAME),
        ("mirror.example/hub/mcr/dotnet/aspnet:8.0", MCR),
        (f"mirror.example/hub/library/redis:7@{OLD}", f"{NAME}@{OLD}"),
        ("mirror.example/hubs/redis:7", "mirror.example/hubs/redis:7"),
        (NAME, NAME),
    ],
)
def test_the_name_at_the_origin(name: str, expected: str) -> None:
    assert original(name, MIRRORS) == expected


def test_a_mirror_of_two_registries_says_nothing() -> None:
    mirrors = {"docker.io": "mirror.example", "quay.io": "mirror.example"}

    assert original("mirror.example/a/b:1", mirrors) == "mirror.example/a/b:1"


def test_all_rules_know_an_image_by_its_name_on_the_mirror(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "src/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "src/Dockerfile": f'FROM {MCR}\nCOPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n',
        },
    )
    settings = "registries: {mirrors: {mcr.microsoft.com: mirror.example/mcr}}\n"
    chosen = ("public-base-image", "unpinned-image", "image-runs-as-root")
    result = outcome(tmp_path, *chosen, settings=settings, digests={MCR: entry(NEW)})

    assert result.after["src/Dockerfile"].text == (
        f"FROM mirror.example/mcr/dotnet/aspnet:8.0@{NEW}\nCOPY out .\nUSER $APP_UID\n"
        'ENTRYPOINT ["dotnet", "Api.dll"]\n'
    )
