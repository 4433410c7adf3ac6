"""`hardhull record`: what it looks up, what it writes, what it says; and the replay."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_registry import FakeRegistry, Reply, image, index, platform
from hardhull import cli
from hardhull.configuration.reading import load
from hardhull.facts.gather import Recorded, read_digests
from hardhull.facts.lookups import Wanted
from hardhull.facts.recording import merged, written
from hardhull.facts.registry import Image, Registries
from hardhull.model import UsageError
from hardhull.rules import BY_ID
from hardhull.run import run
from hardhull.wanted import wanted
from support import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MCR = "mcr.microsoft.com/dotnet"
SHA = [f"sha256:{number:064x}" for number in range(9)]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeRegistry]:
    for name in ("DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    one = FakeRegistry().start()
    yield one
    one.stop()


def repository(root: Path, registry: FakeRegistry, **more: str) -> Path:
    """A repository all of whose images come from one registry, by mirrors."""
    mirrors = {"docker.io": f"{registry.host}/docker", "mcr.microsoft.com": f"{registry.host}/mcr"}
    settings = json.dumps({"registries": {"plain-http": [registry.host], "mirrors": mirrors}})
    return write(
        root,
        {
            ".github/hardhull.yml": settings,
            "src/Api/Dockerfile": (
                f"FROM {MCR}/sdk:8.0 AS build\n"
                f"FROM {MCR}/aspnet:8.0\n"
                'ENTRYPOINT ["dotnet", "Api.dll"]\n'
            ),
            "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>\n',
            "compose.yaml": "services:\n  cache:\n    image: redis:7.2\n",
            **more,
        },
    )


def push_all(registry: FakeRegistry) -> dict[str, str]:
    names = {
        f"{MCR}/sdk:8.0": ("mcr/dotnet/sdk", "8.0"),
        f"{MCR}/aspnet:8.0": ("mcr/dotnet/aspnet", "8.0"),
        "docker.io/library/redis:7.2": ("docker/library/redis", "7.2"),
    }
    return {
        name: registry.push(*place, index((image(), platform("linux", "amd64")))).digest
        for name, place in names.items()
    }


def images_of(file: Path) -> dict[str, Any]:
    data = json.loads(file.read_text(encoding="utf-8"))
    assert data["version"] == 1
    images: dict[str, Any] = data["images"]
    return images


def record(root: Path, file: Path) -> int:
    return cli.main(["record", str(root), "--output", str(file)])


def test_recorded_and_replayed(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert record(root, file) == 0

    images = images_of(file)
    assert {name: entry["digest"] for name, entry in images.items()} == digests
    assert list(images) == sorted(images)
    aspnet = images[f"{MCR}/aspnet:8.0"]
    assert aspnet["config"] == {
        "Env": ["APP_UID=1654"], "User": "1654", "os": "linux", "created": "2026-11-10T01:02:03Z",
    }  # fmt: skip
    assert aspnet["platforms"] == ["linux/amd64"]
    assert "config" not in images[f"{MCR}/sdk:8.0"]
    assert "config" not in images["docker.io/library/redis:7.2"]
    assert registry.count("HEAD") == 3
    assert registry.count("GET") == 3
    said = capsys.readouterr().out
    assert "3 images looked up, 1 with config; 3 new, 0 moved" in said
    assert f"contacted: {registry.host}\n" in said

    assert cli.main(["fix", str(root), "--select", "images", "--digests", str(file)]) == 0
    text = (root / "src/Api/Dockerfile").read_text()
    assert f"aspnet:8.0@{digests[f'{MCR}/aspnet:8.0']}\n" in text
    assert digests["docker.io/library/redis:7.2"] in (root / "compose.yaml").read_text()
    assert registry.count("HEAD") == 3


def test_a_fix_asks_for_itself(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = push_all(registry)
    root = repository(tmp_path / "shop", registry)

    assert cli.main(["fix", str(root), "--format", "json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["contacted"] == [registry.host]
    text = (root / "src/Api/Dockerfile").read_text()
    assert f"aspnet:8.0@{digests[f'{MCR}/aspnet:8.0']}\n" in text
    assert digests["docker.io/library/redis:7.2"] in (root / "compose.yaml").read_text()
    # The user of the base is known now, so that no USER is written.
    assert "USER" not in text
    assert (registry.count("HEAD"), registry.count("GET")) == (3, 3)

    cli.main(["fix", str(root), "--allow-dirty"])
    assert len(registry.seen) == 6  # what was asked a moment ago

    cli.main(["fix", str(root), "--allow-dirty", "--no-cache"])
    assert registry.count("HEAD") == 6  # the tags of the pins may have moved


def test_a_fix_asks_only_for_what_is_not_recorded(registry: FakeRegistry, tmp_path: Path) -> None:
    push_all(registry)
    root = repository(tmp_path / "shop", registry)
    file = tmp_path / "digests.json"
    file.write_text(
        written({f"{MCR}/aspnet:8.0": Recorded(SHA[1]), f"{MCR}/sdk:8.0": Recorded(SHA[2])})
    )

    assert cli.main(["fix", str(root), "--select", "images", "--digests", str(file)]) == 0

    assert f"aspnet:8.0@{SHA[1]}\n" in (root / "src/Api/Dockerfile").read_text()
    assert registry.count("HEAD") == 1


def test_nothing_is_asked_offline_or_by_a_scan(registry: FakeRegistry, tmp_path: Path) -> None:
    push_all(registry)
    root = repository(tmp_path / "shop", registry)

    cli.main(["fix", str(root), "--offline", "--diff"])
    cli.main(["scan", str(root)])

    assert registry.count("HEAD") == registry.count("GET") == 0


def test_an_image_that_is_not_there_is_told_and_all_else_is_written(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all(registry)
    other = "services:\n  other:\n    image: redis:8.9\n  far:\n    image: far.example/a:1\n"
    root = repository(tmp_path / "shop", registry, **{"other/compose.yaml": other})

    arguments = ["fix", str(root), "--select", "unpinned-image", "--format", "json"]
    assert cli.main(arguments) == 0

    report = json.loads(capsys.readouterr().out)
    reasons = {held["where"]: held["reason"] for held in report["withheld"]}
    assert len(reasons) == 2
    assert any("has no tag 8.9" in reason for reason in reasons.values())
    assert any('allow: ["far.example"]' in reason for reason in reasons.values())
    assert (root / "other/compose.yaml").read_text() == other
    assert "@sha256:" in (root / "compose.yaml").read_text()


def test_recording_again_changes_nothing(registry: FakeRegistry, tmp_path: Path) -> None:
    push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    record(root, file)
    data = json.loads(file.read_text())
    for entry in data["images"].values():
        entry["recorded"] = "2026-01-01T00:00:00+00:00"
    file.write_text(json.dumps(data, indent=2, sort_keys=True) + "\n")
    before = file.read_bytes()

    record(root, file)

    assert file.read_bytes() == before


def test_a_moved_tag_gets_a_new_time(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    record(root, file)
    text = file.read_text()
    data = json.loads(text)
    data["images"]["other.example/kept:1"] = {"digest": SHA[1]}
    for entry in data["images"].values():
        entry["recorded"] = "2026-01-01T00:00:00+00:00"
    file.write_text(json.dumps(data))
    moved = registry.push("mcr/dotnet/aspnet", "8.0", image({"User": "0"}))
    capsys.readouterr()

    record(root, file)

    images = images_of(file)
    aspnet = images[f"{MCR}/aspnet:8.0"]
    assert (aspnet["digest"], aspnet["config"]["User"]) == (moved.digest, "0")
    assert aspnet["recorded"] > "2026-01-02"
    assert images[f"{MCR}/sdk:8.0"]["recorded"] == "2026-01-01T00:00:00+00:00"
    assert "other.example/kept:1" in images
    assert f"  moved  {MCR}/aspnet:8.0\n" in capsys.readouterr().out


def test_what_fails_is_said_and_the_rest_is_written(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all(registry)
    root = repository(
        tmp_path / "shop",
        registry,
        **{"other/Dockerfile": "FROM registry.corp.example:5000/base:1\nFROM redis:9\n"},
    )
    file = tmp_path / "digests.json"

    assert record(root, file) == 0

    assert len(images_of(file)) == 3
    said = capsys.readouterr().out
    assert "not looked up: 2 images\n" in said
    assert (
        "  registry.corp.example:5000/base:1  registry.corp.example:5000 is not among the allowed "
        "registries; add to .github/hardhull.yml: "
        'registries: {allow: ["registry.corp.example:5000"]}\n'
    ) in said
    assert "has no tag 9 of" in said


def test_nothing_at_all_is_an_exit_code(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.script = lambda _: Reply(404)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert record(root, file) == 1
    assert images_of(file) == {}
    assert "not looked up: 3 images" in capsys.readouterr().out
    assert record(write(tmp_path / "empty", {"README.md": ""}), file) == 0
    assert "contacted: no host" in capsys.readouterr().out


def test_our_bug_is_an_exit_code_and_the_file_is_written(
    registry: FakeRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push_all(registry)
    whole = Registries.look_up

    def broken(self: Registries, reference: Any, *, config: bool) -> Image:
        if "redis" in reference.text:
            raise KeyError("oops")
        return whole(self, reference, config=config)

    monkeypatch.setattr(Registries, "look_up", broken)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert record(root, file) == 3
    assert len(images_of(file)) == 2
    assert "paste this into an issue" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "no" / "digests.json", "its folder does not exist"),
        (lambda folder: _bad(folder / "digests.json", "[]"), 'expected an object with "version"'),
        (lambda folder: _bad(folder / "digests.json", "{"), "not JSON"),
        (lambda folder: folder, "can't be read"),
    ],
)
def test_a_file_that_can_not_be_used(
    registry: FakeRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    message: str,
) -> None:
    root = repository(tmp_path / "shop", registry)

    assert record(root, make(tmp_path)) == 2
    assert message in capsys.readouterr().err
    assert registry.seen == []


def _bad(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_secrets_are_nowhere(
    registry: FakeRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry.user, registry.tokens = "ann", True
    push_all(registry)
    auths = {"auths": {registry.host: {"username": "ann", "password": registry.password}}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(auths))
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert record(root, file) == 0
    registry.password = "another-s3cret"  # noqa: S105  a test's
    assert record(root, file) == 1
    said = capsys.readouterr()
    everything = said.out + said.err
    everything += "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    assert "s3cret" not in everything
    assert "token-for" not in everything


def test_a_password_in_an_image_stays_out_of_the_file(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    push_all(registry)
    variables = ["APP_UID=1654", "DB_PASSWORD=hunter22", "C=Server=a;Password=hunter22;"]
    registry.push("mcr/dotnet/aspnet", "8.0", image({"User": "1654", "Env": variables}))
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert record(root, file) == 0
    assert images_of(file)[f"{MCR}/aspnet:8.0"]["config"]["Env"] == ["APP_UID=1654"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_replaced_not_followed(registry: FakeRegistry, tmp_path: Path) -> None:
    push_all(registry)
    root = repository(tmp_path / "shop", registry)
    outside = tmp_path / "outside.json"
    outside.write_text('{"version": 1, "images": {}}')
    (root / "digests.json").symlink_to(outside)

    assert record(root, root / "digests.json") == 0
    assert outside.read_text() == '{"version": 1, "images": {}}'
    assert len(images_of(root / "digests.json")) == 3
    assert not (root / "digests.json").is_symlink()


def test_one_root_does_not_widen_anothers_list(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all(registry)
    repository(tmp_path / "one", registry)
    write(tmp_path / "two", {"Dockerfile": f"FROM {registry.host}/mcr/dotnet/sdk:8.0\n"})
    file = tmp_path / "digests.json"
    arguments = ["record", str(tmp_path / "one"), str(tmp_path / "two"), "--output", str(file)]

    assert cli.main(arguments) == 0
    assert f"{registry.host} is not among the allowed registries" in capsys.readouterr().out
    assert len(images_of(file)) == 3


# ---------------------------------------------------------------- what is wanted


def names(root: Path, settings: str = "") -> dict[str, bool]:
    outcome = run(root, load("hardhull.yml", settings, BY_ID), fixing=True)
    return {one.name: one.config for one in wanted(outcome)}


APP = 'COPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n'


def test_what_is_pinned_or_asked_for_and_nothing_else(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "src/Api/Dockerfile": (
                f"ARG TAG\nFROM {MCR}/sdk:8.0 AS build\nFROM build AS test\n"
                "FROM corp.example/tools:$TAG AS tools\nFROM scratch AS nothing\n"
                "FROM corp.example/base/aspnet:8\nCOPY --from=busybox:1 /x /x\n" + APP
            ),
            "src/Old/Dockerfile": f"FROM mcr.microsoft.com/dotnet/core/aspnet:3.1\n{APP}",
            "src/Pinned/Dockerfile": f"FROM {MCR}/aspnet:8.0@{SHA[1]}\n{APP}",
            "src/Node/Dockerfile": f"FROM node:22\n{APP}",
            "src/Win/Dockerfile": f"FROM {MCR}/aspnet:8.0-nanoserver-ltsc2022\n{APP}",
            "src/Kept/Dockerfile": (
                "# hardhull: ignore[unpinned-image] it is fine\nFROM kept.example/x:1\n"
            ),
            "compose.yaml": (
                "services:\n  api:\n    build: src/Api\n    image: corp.example/shop/api:1\n"
                "  db:\n    image: docker.io/library/postgres:16\n"
            ),
            "deploy/api.yaml": (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
                "  - {name: a, image: ghcr.io/else/one:2}\n"
                "  - {name: b, image: '{{ image }}'}\n"
            ),
        },
    )

    found = names(root)

    assert found == {
        f"{MCR}/sdk:8.0": False,
        "corp.example/base/aspnet:8": True,
        "docker.io/library/busybox:1": False,
        f"{MCR}/aspnet:3.1": True,
        f"{MCR}/aspnet:8.0": True,
        "docker.io/library/node:22": False,
        "docker.io/library/postgres:16": False,
        "ghcr.io/else/one:2": True,
    }
    assert f"{MCR}/aspnet:8.0-nanoserver-ltsc2022" in names(root, "windows-digests: true\n")
    off = names(root, "rules: {unpinned-image: off}\n")
    assert set(off) == {name for name, config in found.items() if config} - {
        f"{MCR}/aspnet:3.1"
    } | {"mcr.microsoft.com/dotnet/core/aspnet:3.1"}


def test_a_pinned_tag_is_looked_up_with_what_is_written(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "a/Dockerfile": f"FROM redis:7@{SHA[2]}\nCOPY --from=redis:7@{SHA[1]} / /\n",
            "b/Dockerfile": f"FROM redis:8@{SHA[1]}\nFROM redis@{SHA[1]}\nFROM redis:9\n",
            ".github/dependabot.yml": (
                "version: 2\nupdates: [{package-ecosystem: docker, directory: /b}]\n"
            ),
        },
    )

    def asked(settings: str = "") -> tuple[Wanted, ...]:
        return wanted(run(root, load("hardhull.yml", settings, BY_ID), fixing=True))

    seven = Wanted("docker.io/library/redis:7", config=False, pins=(SHA[1], SHA[2]))
    eight = Wanted("docker.io/library/redis:8", config=False, pins=(SHA[1],))
    nine = Wanted("docker.io/library/redis:9", config=False)
    assert asked() == (seven, nine)
    assert asked("pins: add\n") == (nine,)
    assert asked("pins: refresh\n") == (seven, eight)
    assert asked("pins: off\n") == asked("rules: {unpinned-image: off, stale-digest: off}\n") == ()


# ---------------------------------------------------------------- tags that moved


def moved(root: Path, registry: FakeRegistry, file: Path, **config: Any) -> tuple[str, str]:
    """Pin redis, and move its tag; the digests of before and after."""
    place = ("docker/library/redis", "7.2")
    old = registry.push(*place, index((image(config), platform("linux", "amd64")))).digest
    write(root, {"compose.yaml": f"services:\n  cache:\n    image: redis:7.2@{old}\n"})
    assert record(root, file) == 0
    new = registry.push(*place, image({"User": "two"})).digest
    registry.seen.clear()
    return old, new


def test_of_a_tag_that_moved_both_images_are_read(registry: FakeRegistry, tmp_path: Path) -> None:
    push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    old, new = moved(root, registry, file, User="one")
    name = "docker.io/library/redis:7.2"
    assert f"{name}@{old}" not in images_of(file)

    assert record(root, file) == 0

    images = images_of(file)
    assert (images[name]["digest"], images[name]["before"]) == (new, old)
    assert (images[name]["single"], images[f"{name}@{old}"]["single"]) == (True, False)
    assert images[name]["size"] == images[f"{name}@{old}"]["size"] > 0
    assert images[name]["config"]["User"] == "two"
    assert images[f"{name}@{old}"]["config"]["User"] == "one"
    assert registry.count("HEAD", "redis") == 1
    assert registry.count("GET", "redis") == 5  # the index and its image, the image; two configs


def test_a_digest_that_is_gone_is_recorded_as_such(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    old, new = moved(root, registry, file)
    registry.script = lambda seen: Reply(404) if old in seen.path else None
    capsys.readouterr()

    assert record(root, file) == 0

    entry = images_of(file)[f"docker.io/library/redis:7.2@{old}"]
    assert entry["digest"] == old
    assert entry["gone"] == entry["recorded"]
    assert f"  gone   docker.io/library/redis:7.2@{old}: builds that pull it fail" in (
        capsys.readouterr().out
    )
    again = file.read_bytes()
    assert record(root, file) == 0
    assert file.read_bytes() == again
    assert cli.main(["scan", str(root), "--digests", str(file), "--select", "stale-digest"]) == 0
    said = capsys.readouterr().out
    assert f"its registry has no {old} any more" in said
    assert new in said


def test_an_unchanged_pin_costs_one_request(registry: FakeRegistry, tmp_path: Path) -> None:
    digests = push_all(registry)
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    digest = digests["docker.io/library/redis:7.2"]
    write(root, {"compose.yaml": f"services:\n  cache:\n    image: redis:7.2@{digest}\n"})

    assert record(root, file) == 0
    assert [one.method for one in registry.seen if "redis" in one.path] == ["HEAD"]


# ---------------------------------------------------------------- the file


def test_what_is_known_of_the_same_digest_stays() -> None:
    old = Recorded(SHA[1], {"User": "1"}, "2026-01-01T00:00:00+00:00", ("linux/amd64",))
    now = "2026-02-02T00:00:00+00:00"

    same = merged({"a": old, "b": old}, {"a": Image(SHA[1])}, now)
    assert same == {"a": old, "b": old}
    other = merged({"a": old}, {"a": Image(SHA[2])}, now)
    assert other == {"a": Recorded(SHA[2], None, now, (), before=SHA[1])}
    bare = merged({"a": Recorded(SHA[1])}, {"a": Image(SHA[1], {"User": "2"}, ("x/y",))}, now)
    assert bare == {"a": Recorded(SHA[1], {"User": "2"}, now, ("x/y",))}


def test_written_is_read_again() -> None:
    images = {
        "b": Recorded(
            SHA[2],
            {"User": "1", "os": "linux"},
            "2026-01-01T00:00:00+00:00",
            ("a", "b"),
            5,
            single=False,
            before=SHA[3],
            gone="2026-01-02T00:00:00+00:00",
        ),
        "a": Recorded(SHA[1]),
    }
    text = written(images)

    assert read_digests("x", text) == images
    assert text == written(dict(reversed(images.items())))
    assert text.endswith("}\n")


def test_a_config_of_another_form_is_not_read() -> None:
    config = {"Env": 5, "User": ["a"], "ExposedPorts": ["80"], "Cmd": ["a"], "os": "linux"}
    text = json.dumps({"version": 1, "images": {"a": {"digest": SHA[1], "config": config}}})

    assert read_digests("x", text)["a"].config == {"Cmd": ["a"], "os": "linux"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"recorded": "yesterday"}, "x: a: `recorded` is not a time"),
        ({"recorded": "2026-01-01T00:00:00"}, "x: a: `recorded` is not a time"),
        ({"recorded": 5}, "x: a: `recorded` is not a time"),
        ({"platforms": "linux/amd64"}, "x: a: `platforms` is not a list"),
        ({"platforms": [1]}, "x: a: `platforms` is not a list"),
        ({"size": "5"}, "x: a: `size` is not a number of bytes"),
        ({"single": 1}, "x: a: `single` is not true or false"),
        ({"before": "sha256:1"}, "x: a: `before` is not a digest"),
        ({"gone": "yes"}, "x: a: `gone` is not a time"),
    ],
)
def test_entries_that_do_not_fit(entry: dict[str, Any], message: str) -> None:
    text = json.dumps({"version": 1, "images": {"a": {"digest": SHA[1], **entry}}})

    with pytest.raises(UsageError, match=message):
        read_digests("x", text)


def test_wanted_once() -> None:
    assert Wanted("a", config=True) != Wanted("a", config=False)
