"""Images that are built here and published already: what their config says of a new manifest."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from fake_registry import FakeRegistry, Reply, image, index, platform
from hardhull import cli
from hardhull.model import Level
from hardhull.wanted import wanted
from support import outcome, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hardhull.outcome import Outcome

NON_ROOT = "workload-may-run-as-root"
CAPABILITIES = "capabilities-not-dropped"
PORT = "privileged-port"
NAME = "acme.azurecr.io/api:1.4.2"
STARTS = f"today's {NAME} also starts under the new manifest (by its config)"
ROOT = f"today's {NAME} runs as root (by its config); this waits until the tag names"
HIGH, LOW = ["ASPNETCORE_HTTP_PORTS=8080"], ["ASPNETCORE_HTTP_PORTS=80"]
DOCKERFILE = (
    "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n{lines}COPY out .\n"
    'ENTRYPOINT ["dotnet", "Api.dll"]\n'
)
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels: {app: api}
  template:
    metadata:
      labels: {app: api}
    spec:
      containers:
        - name: api
          image: acme.azurecr.io/api:1.4.2
"""
CLAIM = """\
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


def files(lines: str = "USER $APP_UID\n", manifest: str = POD) -> dict[str, str]:
    return {
        "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
        "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
        "api/Dockerfile": DOCKERFILE.format(lines=lines),
        "k8s/api.yaml": manifest,
    }


def published(name: str = NAME, **config: object) -> dict[str, dict[str, Any]]:
    return {name: {"digest": f"sha256:{7:064x}", "config": {"os": "linux", **config}}}


def reasons(result: Outcome, rule: str) -> str:
    return "\n".join(e.reason for e in result.entries if e.finding.rule == rule)


def change(result: Outcome, rule: str) -> tuple[Level, tuple[str, ...]]:
    (one,) = (change for change in result.changes if change.finding.rule == rule)
    return one.fix.level, one.fix.notes


# ---------------------------------------------------------------- from a recording


def test_a_new_user_need_not_wait_for_an_image_that_has_one(tmp_path: Path) -> None:
    """The Dockerfile says root until this run; what is published from elsewhere does not."""
    root = write(tmp_path, files(""))
    rules = ("image-runs-as-root", NON_ROOT, CAPABILITIES)

    by_files = outcome(root, *rules)
    assert change(by_files, NON_ROOT)[0] is Level.REVIEW
    assert change(by_files, NON_ROOT)[1][0].startswith("order of roll-out")
    assert change(by_files, CAPABILITIES)[0] is Level.REVIEW

    known = outcome(root, *rules, digests=published(User="1654", Env=HIGH))
    assert change(known, NON_ROOT) == (Level.ROUTINE, (STARTS,))
    assert change(known, CAPABILITIES) == (Level.ROUTINE, (STARTS,))


def test_the_manifest_waits_for_the_tag_and_the_dockerfile_does_not(tmp_path: Path) -> None:
    root = write(tmp_path, files(""))
    rules = ("image-runs-as-root", NON_ROOT, CAPABILITIES)

    result = outcome(root, *rules, digests=published(Env=HIGH))

    assert result.changed == ("api/Dockerfile",)
    assert ROOT in reasons(result, NON_ROOT)
    assert ROOT in reasons(result, CAPABILITIES)
    assert result.crashes == ()


def test_a_pod_waits_only_for_the_container_that_has_to(tmp_path: Path) -> None:
    """What is required at the pod would keep the other one from starting."""
    second = POD + "        - name: two\n          image: acme.azurecr.io/api:1.4.1\n"
    root = write(tmp_path, files(manifest=second))
    digests = {**published(User="1654"), **published("acme.azurecr.io/api:1.4.1")}

    result = outcome(root, NON_ROOT, digests=digests)

    assert result.after["k8s/api.yaml"].text == second.replace(
        "1.4.2\n", "1.4.2\n          securityContext:\n            runAsNonRoot: true\n"
    )
    assert "today's acme.azurecr.io/api:1.4.1 runs as root" in reasons(result, NON_ROOT)


@pytest.mark.parametrize(("user", "said"), [("1654", False), ("2000", True)])
def test_a_volume_of_another_number_is_to_be_looked_at(
    tmp_path: Path, user: str, *, said: bool
) -> None:
    root = write(tmp_path, files(manifest=POD + CLAIM))

    level, notes = change(outcome(root, NON_ROOT, digests=published(User=user)), NON_ROOT)

    assert level is (Level.REVIEW if said else Level.ROUTINE)
    assert any("who owns the files of the volume" in note for note in notes) is said


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ({"Env": LOW}, 80),
        ({"Env": ["ASPNETCORE_URLS=http://+:81"]}, 81),
        ({"Env": [], "Entrypoint": ["dotnet", "Api.dll", "--urls", "http://+:82"]}, 82),
        ({"ExposedPorts": {"83/tcp": {}}}, 83),
    ],
)
def test_a_low_port_of_today_needs_a_capability(
    tmp_path: Path, config: Mapping[str, Any], port: int
) -> None:
    root = write(tmp_path, files())

    result = outcome(root, CAPABILITIES, digests=published(User="1654", **config))

    assert result.changed == ()
    assert f"today's {NAME} listens on port {port} (by its config)" in reasons(result, CAPABILITIES)


def test_a_variable_of_the_manifest_holds_for_todays_image(tmp_path: Path) -> None:
    manifest = POD + "          env: [{name: ASPNETCORE_HTTP_PORTS, value: '8080'}]\n"
    root = write(tmp_path, files(manifest=manifest))

    result = outcome(root, CAPABILITIES, digests=published(User="1654", Env=LOW))

    assert change(result, CAPABILITIES) == (Level.ROUTINE, (STARTS,))


def test_a_port_that_moves_is_looked_for_in_todays_image(tmp_path: Path) -> None:
    manifest = POD + "          ports: [{name: http, containerPort: 80}]\n"
    root = write(tmp_path, files("ENV ASPNETCORE_HTTP_PORTS=80\n", manifest))

    _, old = change(outcome(root, PORT, digests=published(Env=LOW)), PORT)
    level, new = change(outcome(root, PORT, digests=published(Env=HIGH)), PORT)
    _, other = change(outcome(root, PORT, digests=published(Env=["HTTP_PORTS=9000"])), PORT)

    assert [note for note in old if note.startswith("order of roll-out")]
    assert [note for note in other if note.startswith("order of roll-out")]
    assert level is Level.REVIEW
    assert f"today's {NAME} answers on the new port already (by its config)" in new
    assert not [note for note in new if note.startswith("order of roll-out")]


@pytest.mark.parametrize(
    "more",
    [
        {"k8s/api.yaml": POD.replace(":1.4.2", ':1.4.2 # {"$imagepolicy": "flux-system:api"}')},
        {"k8s/api.yaml": POD.replace(":1.4.2", "")},
    ],
)
def test_where_the_tag_is_not_the_one_that_runs_nothing_is_known(
    tmp_path: Path, more: dict[str, str]
) -> None:
    root = write(tmp_path, {**files(), **more})
    latest = published("acme.azurecr.io/api:latest")

    result = outcome(root, NON_ROOT, digests={**published(), **latest})

    assert change(result, NON_ROOT) == (Level.ROUTINE, ())


@pytest.mark.parametrize(
    ("entries", "waits"),
    [
        (["newTag: 2.0.0"], True),
        (["newTag: 1.4.2"], False),
        (["newTag: 2.0.0", "newTag: 1.4.2"], False),  # which of them runs first is not known
        (["newTag: 2.0.0, newName: acme.azurecr.io/other"], False),
    ],
)
def test_a_kustomization_says_which_tag_is_applied(
    tmp_path: Path, entries: list[str], *, waits: bool
) -> None:
    overlays = {
        f"k8s/{number}/kustomization.yaml": (
            "resources: [../base]\nimages:\n  - {name: acme.azurecr.io/api, " + entry + "}\n"
        )
        for number, entry in enumerate(entries)
    }
    base = {"k8s/base/kustomization.yaml": "resources: [api.yaml]\n", "k8s/base/api.yaml": POD}
    root = write(tmp_path, {**files(), "k8s/api.yaml": "", **base, **overlays})
    digests = {**published(User="1654"), **published("acme.azurecr.io/api:2.0.0")}

    result = outcome(root, NON_ROOT, digests=digests)

    assert ("api:2.0.0 runs as root" in reasons(result, NON_ROOT)) is waits
    assert (result.changed == ()) is waits


def test_in_two_steps_the_second_waits_for_the_tag(tmp_path: Path) -> None:
    root = write(tmp_path, files(""))
    rules = ("image-runs-as-root", NON_ROOT)
    commit(root, "init")
    first = outcome(root, *rules, settings="rollout: two-step\n", digests=published(User="1654"))
    assert first.changed == ("api/Dockerfile",)
    assert "until the change of its Dockerfile is committed" in reasons(first, NON_ROOT)

    write(root, {"api/Dockerfile": first.after["api/Dockerfile"].text})
    commit(root)
    early = outcome(root, *rules, settings="rollout: two-step\n", digests=published())
    assert early.changed == ()
    assert ROOT in reasons(early, NON_ROOT)
    later = outcome(root, *rules, settings="rollout: two-step\n", digests=published(User="1654"))
    assert change(later, NON_ROOT) == (Level.ROUTINE, (STARTS,))


def commit(root: Path, *first: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
    for words in (*((word, "-q") for word in first), ("add", "-A"), ("commit", "-qm", "step")):
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


# ---------------------------------------------------------------- from a registry


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
    one.push("mcr/dotnet/aspnet", "8.0", in_index({"Env": ["APP_UID=1654", *HIGH]}))
    yield one
    one.stop()


def in_index(config: Mapping[str, Any]) -> Any:
    return index((image(config), platform("linux", "amd64")))


def repository(root: Path, registry: FakeRegistry, **registries: object) -> Path:
    mirrors = {name: f"{registry.host}/{name.split('.')[0]}" for name in ("mcr.microsoft.com",)}
    mirrors |= {"acme.azurecr.io": f"{registry.host}/acme"}
    settings = {"registries": {"plain-http": [registry.host], "mirrors": mirrors, **registries}}
    return write(root, {**files(), ".github/hardhull.yml": json.dumps(settings)})


def fixed(root: Path, *more: str) -> str:
    rules = f"image-runs-as-root,{NON_ROOT},{CAPABILITIES}"
    assert cli.main(["fix", str(root), "--select", rules, *more]) == 0
    return (root / "k8s/api.yaml").read_text()


@pytest.mark.parametrize(("config", "changed"), [({"User": "1654"}, True), ({}, False)])
def test_a_fix_asks_for_the_tag_that_a_changed_manifest_names(
    registry: FakeRegistry, tmp_path: Path, config: dict[str, str], *, changed: bool
) -> None:
    registry.push("acme/api", "1.4.2", in_index({"Env": HIGH, **config}))
    root = repository(tmp_path / "shop", registry)

    text = fixed(root)

    assert ("runAsNonRoot: true" in text) is changed
    assert ("- ALL" in text) is changed
    assert f"image: {NAME}\n" in text  # what is built here gets no pin
    assert (registry.count("HEAD", "acme/api"), registry.count("GET", "acme/api")) == (1, 3)


def test_a_tag_that_is_not_there_yet_is_no_failure(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert cli.main(["record", str(root), "--output", str(file)]) == 0
    assert "not looked up" not in capsys.readouterr().out
    assert list(json.loads(file.read_text())["images"]) == ["mcr.microsoft.com/dotnet/aspnet:8.0"]

    assert "runAsNonRoot: true" in fixed(root)
    assert "api:1.4.2" not in capsys.readouterr().out


def test_a_registry_that_is_not_allowed_is_not_asked(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.push("acme/api", "1.4.2", in_index({}))
    root = repository(tmp_path / "shop", registry)
    other = POD.replace("acme.azurecr.io", "registry.corp.example")
    write(root, {"k8s/api.yaml": other})

    assert "runAsNonRoot: true" in fixed(root)
    assert registry.count("HEAD", "api") == 0
    assert "registry.corp.example is not among" not in capsys.readouterr().out


def test_recorded_and_replayed(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("acme/api", "1.4.2", in_index({}))
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"

    assert cli.main(["record", str(root), "--output", str(file)]) == 0
    recorded = json.loads(file.read_text())["images"][NAME]
    assert recorded["config"]["os"] == "linux"
    registry.seen.clear()

    assert "runAsNonRoot" not in fixed(root, "--digests", str(file), "--offline")
    assert registry.seen == []
    assert "runAsNonRoot: true" in fixed(root, "--offline")
    assert registry.seen == []


def test_what_nothing_changes_is_not_asked(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("acme/api", "1.4.2", in_index({}))
    root = repository(tmp_path / "shop", registry)
    done = POD + (
        "          securityContext:\n            runAsNonRoot: true\n"
        "            capabilities: {drop: [ALL]}\n"
    )
    write(root, {"k8s/api.yaml": done})

    assert fixed(root) == done
    assert registry.count("HEAD", "acme/api") == 0


def test_a_scan_contacts_nothing(registry: FakeRegistry, tmp_path: Path) -> None:
    root = repository(tmp_path / "shop", registry)

    cli.main(["scan", str(root)])
    assert registry.seen == []


# ---------------------------------------------------------------- the end of an image's life

LIFECYCLE = "application/vnd.microsoft.artifact.lifecycle"
KEY = "vnd.microsoft.artifact.lifecycle.end-of-life.date"


def referrers(*dates: object, kind: str = LIFECYCLE) -> bytes:
    entries = [{"artifactType": kind, "annotations": {KEY: date}} for date in dates]
    return json.dumps({"schemaVersion": 2, "manifests": entries}).encode()


def recorded_end(registry: FakeRegistry, tmp_path: Path, reply: Reply) -> Any:
    registry.script = lambda seen: reply if "/referrers/" in seen.path else None
    root, file = repository(tmp_path / "shop", registry), tmp_path / "digests.json"
    # A version whose end the catalogue does not know, whenever this test is run.
    registry.push("mcr/dotnet/aspnet", "99.0", in_index({"Env": ["APP_UID=1654", *HIGH]}))
    text = DOCKERFILE.replace("aspnet:8.0", "aspnet:99.0").format(lines="USER 1654\n")
    write(root, {"api/Dockerfile": text})
    assert cli.main(["record", str(root), "--output", str(file)]) == 0
    return json.loads(file.read_text())["images"]["mcr.microsoft.com/dotnet/aspnet:99.0"]


def test_the_end_that_a_registry_says_is_recorded_and_told(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = Reply(200, {}, referrers("2026-03-26", "2026-03-24", "soon", None, "2026-13-01"))

    entry = recorded_end(registry, tmp_path, reply)

    assert entry["end_of_life"] == "2026-03-24"
    (asked,) = (one for one in registry.seen if "/referrers/" in one.path)
    assert asked.method == "GET"
    assert asked.path == f"/v2/mcr/dotnet/aspnet/referrers/{entry['digest']}"
    assert asked.query == {"artifactType": [LIFECYCLE]}
    capsys.readouterr()
    arguments = ["scan", str(tmp_path / "shop"), "--digests", str(tmp_path / "digests.json")]
    cli.main([*arguments, "--select", "end-of-life-runtime"])
    said = capsys.readouterr().out
    assert ".NET 99.0 (since 2026-03-24, as its registry says)" in said


@pytest.mark.parametrize("dates", [(), ("2026-03-24",)])
def test_a_second_run_asks_for_no_end_either(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str], dates: tuple[str]
) -> None:
    recorded_end(registry, tmp_path, Reply(200, {}, referrers(*dates)))
    told = []
    for more in ([], [], ["--no-cache"]):
        registry.seen.clear()
        capsys.readouterr()
        cli.main(["fix", str(tmp_path / "shop"), "--diff", "--format", "json", *more])
        findings = json.loads(capsys.readouterr().out)["findings"]
        ends = sum("as its registry says" in str(one) for one in findings)
        referred = sum("/referrers/" in one.path for one in registry.seen)
        # That an image of our own is not there yet is no answer that is kept.
        told.append((ends, referred, len([one for one in registry.seen if "acme" not in one.path])))

    ended = len(dates)  # and what `record` was told counts too
    assert told == [(ended, 0, 0), (ended, 0, 0), (ended, 1, 2)]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404),
        Reply(400),
        Reply(200, {}, b"<html>"),
        Reply(200, {}, b'{"manifests": {}}'),
        Reply(200, {}, b'{"manifests": [1, {"artifactType": "x"}, {"annotations": []}]}'),
        Reply(200, {}, referrers()),
        Reply(200, {}, referrers("2026-03-24", kind="application/vnd.example.sbom")),
        Reply(200, {}, referrers("2026-03-24\x1b[31m")),
    ],
)
def test_a_registry_that_says_nothing_of_it_changes_nothing(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str], reply: Reply
) -> None:
    entry = recorded_end(registry, tmp_path, reply)

    assert "end_of_life" not in entry
    assert "config" in entry
    assert "not looked up" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ("rules: {end-of-life-runtime: off, tag-no-longer-rebuilt: off}\n", "dotnet/aspnet:10.0"),
        ("", "dotnet/aspnet:6.0"),  # the catalogue knows
        ("", "dotnet/aspnet:latest"),
    ],
)
def test_it_is_asked_only_where_it_tells_something_new(
    tmp_path: Path, settings: str, base: str
) -> None:
    root = write(tmp_path, files())
    text = (root / "api/Dockerfile").read_text()

    def asked(name: str, settings: str = "") -> bool:
        write(root, {"api/Dockerfile": text.replace("dotnet/aspnet:8.0", name)})
        found = wanted(outcome(root, settings=settings))
        (one,) = (one for one in found if one.name == f"mcr.microsoft.com/{name}")
        assert one.config
        return one.end_of_life

    assert asked("dotnet/aspnet:10.0")
    assert not asked(base, settings)
