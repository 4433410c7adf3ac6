"""`hardhull fix` asks registries itself: what it asks, what comes of the answers, what fails."""

from __future__ import annotations

import datetime
import io
import json
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fake_registry import FakeRegistry, Reply, image, index, platform
from hardhull import cli
from hardhull.configuration.reading import load
from hardhull.facts.asking import Desk
from hardhull.facts.cache import Recent
from hardhull.facts.registry import Registries
from hardhull.outcome import Status
from hardhull.rules import BY_ID
from hardhull.run import run
from support import TODAY, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hardhull.outcome import Outcome

MCR = "mcr.microsoft.com/dotnet"
ENV = ["PATH=/bin", "DOTNET_RUNNING_IN_CONTAINER=true", "DOTNET_VERSION=8.0.11"]
ASPNET = [*ENV, "ASPNET_VERSION=8.0.11", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080"]


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


def configuration(registry: FakeRegistry, **more: Any) -> dict[str, Any]:
    mirrors = {
        host: f"{registry.host}/{host}"
        for host in ("docker.io", "mcr.microsoft.com", "ghcr.io", "acme.azurecr.io")
    }
    return {"registries": {"plain-http": [registry.host], "mirrors": mirrors}, **more}


def repository(root: Path, registry: FakeRegistry, files: dict[str, str], **more: Any) -> Path:
    settings = json.dumps(configuration(registry, **more))
    return write(root, {".github/hardhull.yml": settings, **files})


def fixed(root: Path, registry: FakeRegistry, files: dict[str, str], **more: Any) -> Outcome:
    """Run over files with all rules, online."""
    write(root, files)
    settings = load("hardhull.yml", json.dumps(configuration(registry, **more)), BY_ID)
    ask = partial(Desk({}).ask, settings.registries)
    outcome = run(root, settings, ask=ask, fixing=True, today=TODAY)
    assert outcome.crashes == ()
    return outcome


def api(base: str = f"{MCR}/aspnet:8.0", more: str = "") -> dict[str, str]:
    return {
        "src/Api/Dockerfile": f'FROM {base}\n{more}COPY out .\nENTRYPOINT ["dotnet", "Api.dll"]\n',
        "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>\n',
        "src/Api/Program.cs": "var app = WebApplication.Create(args);\napp.Run();\n",
    }


def text(outcome: Outcome, path: str = "src/Api/Dockerfile") -> str:
    return outcome.after[path].text


# ---------------------------------------------------------------- asking


def test_fix_asks_pins_and_says_whom_it_asked(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = index((image({"User": "root", "Env": ASPNET}), platform("linux", "amd64")))
    registry.push("mcr.microsoft.com/dotnet/aspnet", "8.0", listed)
    redis = registry.push("docker.io/library/redis", "7.2", image())
    files = {**api(), "compose.yaml": "services:\n  cache:\n    image: redis:7.2\n"}
    root = repository(tmp_path / "shop", registry, files)

    assert cli.main(["fix", str(root)]) == 0

    written = (root / "src/Api/Dockerfile").read_text()
    assert written.startswith(f"FROM {MCR}/aspnet:8.0@{listed.digest}\n")
    assert "USER $APP_UID\n" in written
    assert f"redis:7.2@{redis.digest}" in (root / "compose.yaml").read_text()
    assert f"\nContacted: {registry.host}\n" in capsys.readouterr().out
    assert (registry.count("HEAD"), registry.count("GET")) == (2, 3)

    assert cli.main(["fix", str(root), "--allow-dirty", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["changes"], again["contacted"]) == ([], [])
    assert len(registry.seen) == 5

    arguments = ["fix", str(root), "--allow-dirty", "--format", "json", "--no-cache"]
    assert cli.main(arguments) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["changes"], again["contacted"]) == ([], [registry.host])
    # Whether the tags have moved is asked; what the digests mean is in the cache.
    assert (registry.count("HEAD"), registry.count("GET")) == (4, 3)


def test_a_tag_that_is_followed_at_once_is_asked_for_in_every_run(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.push("docker.io/library/redis", "7.2", image())
    files = {"compose.yaml": "services:\n  cache:\n    image: redis:7.2\n"}
    root = repository(tmp_path / "shop", registry, files, **{"pin-cooldown": "0"})
    cli.main(["fix", str(root)])
    moved = registry.push("docker.io/library/redis", "7.2", image({"User": "1"}))

    assert cli.main(["fix", str(root), "--allow-dirty"]) == 0

    assert moved.digest in (root / "compose.yaml").read_text()


def test_an_answer_grows_old(tmp_path: Path) -> None:
    hour, time = datetime.timedelta(hours=1), [1000.0]
    recent = Recent(tmp_path, hour, lambda: time[0])
    recent.put("https://registry.example/v2/a/manifests/1", "sha256:1")

    def said(life: datetime.timedelta = hour, asked: str = "a") -> str | None:
        url = f"https://registry.example/v2/{asked}/manifests/1"
        return Recent(tmp_path, life, lambda: time[0]).get(url)

    assert (said(), said(asked="b"), said(datetime.timedelta())) == ("sha256:1", None, None)
    time[0] += 3599
    assert said() == "sha256:1"
    time[0] += 1
    assert said() is None
    time[0] = 999
    assert said() is None, "the clock was wrong then, or is wrong now"


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 4000, '{"asked": 1}', '{"at": "x"}'])
def test_an_answer_that_cannot_be_read_is_asked_for(tmp_path: Path, text: str) -> None:
    recent = Recent(tmp_path, datetime.timedelta(hours=1))
    recent.put("a", "sha256:1")
    (kept,) = (tmp_path / "answers").iterdir()
    kept.write_text(text)

    assert recent.get("a") is None


@pytest.mark.parametrize("arguments", [["scan"], ["fix", "--offline"], ["images"]])
def test_these_contact_nobody(
    registry: FakeRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    root = repository(tmp_path / "shop", registry, api())

    cli.main([arguments[0], str(root), *arguments[1:]])

    assert registry.seen == []
    assert "Contacted" not in capsys.readouterr().out


def test_what_is_recorded_is_not_asked(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("docker.io/library/redis", "7.2", image())
    files = {"compose.yaml": "services:\n  a:\n    image: redis:7.2\n  b:\n    image: nginx:1\n"}
    nginx = registry.push("docker.io/library/nginx", "1", image())
    root = repository(tmp_path / "shop", registry, files)
    recorded = f"sha256:{7:064x}"
    file = write(
        tmp_path,
        {
            "digests.json": json.dumps(
                {"version": 1, "images": {"docker.io/library/redis:7.2": {"digest": recorded}}}
            )
        },
    )

    assert cli.main(["fix", str(root), "--digests", str(file / "digests.json")]) == 0

    written = (root / "compose.yaml").read_text()
    assert f"redis:7.2@{recorded}" in written
    assert f"nginx:1@{nginx.digest}" in written
    assert registry.count("HEAD", "redis") == 0


def test_roots_share_answers_but_no_list(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("docker.io/library/redis", "7.2", image())
    compose = {"compose.yaml": "services:\n  cache:\n    image: redis:7.2\n"}
    for name in ("one", "two"):
        repository(tmp_path / name, registry, compose)
    other = {"compose.yaml": f"services:\n  x:\n    image: {registry.host}/docker.io/library/x:1\n"}
    write(tmp_path / "three", other)

    roots = [str(tmp_path / name) for name in ("one", "two", "three")]
    assert cli.main(["fix", *roots]) == 0
    assert [(one.method, one.path) for one in registry.seen] == [
        ("HEAD", "/v2/docker.io/library/redis/manifests/7.2")
    ]


# ---------------------------------------------------------------- failing


def test_a_failing_image_says_why_and_the_rest_is_written(
    registry: FakeRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    redis = registry.push("docker.io/library/redis", "7.2", image())
    services = "services:\n" + "".join(
        f"  s{number}:\n    image: {name}\n"
        for number, name in enumerate(
            ("redis:7.2", "redis:99", "registry.corp.example/x:1", "ghcr.io/acme/secret:1")
        )
    )

    def script(seen: Any) -> Reply | None:
        return Reply(403) if "acme/secret" in seen.path else None

    registry.script = script
    root = repository(tmp_path / "shop", registry, {"compose.yaml": services})

    assert cli.main(["fix", str(root), "--format", "json"]) == 0

    assert (root / "compose.yaml").read_text() == services.replace(
        "redis:7.2", f"redis:7.2@{redis.digest}"
    )
    report = json.loads(capsys.readouterr().out)
    reasons = {
        one["message"] + one["reason"]
        for one in report["findings"]
        if (one["rule"], one["status"]) == ("unpinned-image", "withheld")
    }
    assert len(reasons) == 3
    said = "\n".join(reasons)
    assert "has no tag 99" in said
    assert "registry.corp.example is not among the allowed registries" in said
    assert 'add to .github/hardhull.yml: registries: {allow: ["registry.corp.example"]}' in said
    assert "does not let" in said


def test_a_host_that_is_down_is_given_up_at_once(
    registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def nobody(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    redis = registry.push("docker.io/library/redis", "7.2", image())
    whole = socket.getaddrinfo

    def known(host: str, *rest: Any, **more: Any) -> Any:
        return (nobody if host == "quay.io" else whole)(host, *rest, **more)

    monkeypatch.setattr("socket.getaddrinfo", known)
    monkeypatch.setattr("hardhull.facts.transport.time.sleep", lambda _: None)
    images = [f"quay.io/acme/app{number}:1" for number in range(40)]
    services = "".join(f"  s{n}:\n    image: {name}\n" for n, name in enumerate(images))
    compose = f"services:\n  cache:\n    image: redis:7.2\n{services}"

    outcome = fixed(tmp_path, registry, {"compose.yaml": compose})

    assert asked == ["quay.io"] * 2
    assert f"redis:7.2@{redis.digest}" in text(outcome, "compose.yaml")
    held = [e for e in outcome.entries if e.status is Status.WITHHELD]
    assert len(held) == 40
    assert all("not known to the name service" in entry.reason for entry in held)


def test_a_bug_in_a_look_up_is_told_and_the_rest_is_written(
    registry: FakeRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nginx = registry.push("docker.io/library/nginx", "1", image())
    whole = Registries.look_up

    def broken(self: Registries, reference: Any, *, config: bool) -> Any:
        if "redis" in reference.text:
            raise KeyError("oops")
        return whole(self, reference, config=config)

    monkeypatch.setattr(Registries, "look_up", broken)
    files = {"compose.yaml": "services:\n  a:\n    image: redis:7.2\n  b:\n    image: nginx:1\n"}
    root = repository(tmp_path / "shop", registry, files)

    assert cli.main(["fix", str(root)]) == 3
    assert f"nginx:1@{nginx.digest}" in (root / "compose.yaml").read_text()
    assert "docker.io/library/redis:7.2" in capsys.readouterr().err


# ---------------------------------------------------------------- configs in rules


def users(outcome: Outcome) -> list[tuple[str, str]]:
    return [
        (entry.finding.rule, entry.finding.evidence[0])
        for entry in outcome.entries
        if entry.finding.rule in ("image-runs-as-root", "image-user-by-name")
    ]


def test_a_private_base_that_has_a_user_is_left_alone(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    made = registry.push("ghcr.io/acme/aspnet", "8", image({"User": "1654", "Env": ASPNET}))

    outcome = fixed(tmp_path, registry, api("ghcr.io/acme/aspnet:8"))

    assert users(outcome) == []
    assert text(outcome).startswith(f"FROM ghcr.io/acme/aspnet:8@{made.digest}\nCOPY")


def test_a_private_base_that_is_root_gets_its_own_variable(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.push("ghcr.io/acme/aspnet", "8", image({"Env": ASPNET}))

    outcome = fixed(tmp_path, registry, api("ghcr.io/acme/aspnet:8"))

    assert "USER $APP_UID\nENTRYPOINT" in text(outcome)
    assert users(outcome) == [
        (
            "image-runs-as-root",
            "ghcr.io/acme/aspnet:8 starts as root (by its config)",
        )
    ]


def test_without_the_variable_nothing_is_guessed(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.push("ghcr.io/acme/runtime", "8", image({"Env": ENV}))

    outcome = fixed(tmp_path, registry, api("ghcr.io/acme/runtime:8"))

    assert "USER" not in text(outcome)
    held = [e.reason for e in outcome.entries if e.finding.rule == "image-runs-as-root"]
    assert "say what it is like under base-images" in held[0]


def test_the_number_of_a_name_is_not_guessed(registry: FakeRegistry, tmp_path: Path) -> None:
    """`app` has the number APP_UID in Microsoft's images; elsewhere it may have any."""
    registry.push("ghcr.io/acme/aspnet", "8", image({"User": "app", "Env": ASPNET}))
    registry.push("mcr.microsoft.com/dotnet/aspnet", "8.0", image({"User": "app", "Env": ASPNET}))

    outcome = fixed(tmp_path / "private", registry, api("ghcr.io/acme/aspnet:8"))
    assert "USER" not in text(outcome)
    outcome = fixed(tmp_path / "known", registry, api())
    assert "USER $APP_UID\nENTRYPOINT" in text(outcome)


def test_the_config_wins_over_the_catalogue(registry: FakeRegistry, tmp_path: Path) -> None:
    """What the mirror serves under Microsoft's name is what is built on."""
    low = [*ENV, "ASPNET_VERSION=8.0.11", "APP_UID=1500", "ASPNETCORE_URLS=http://+:80"]
    registry.push("mcr.microsoft.com/dotnet/aspnet", "8.0", image({"Env": low}))
    compose = "services:\n  api:\n    build: src/Api\n"

    outcome = fixed(tmp_path, registry, {**api(), "compose.yaml": compose})

    port = next(e for e in outcome.entries if e.finding.rule == "privileged-port")
    sets = f"{MCR}/aspnet:8.0 sets ASPNETCORE_URLS (by its config)"
    assert port.finding.evidence == (sets,)
    assert "ENV ASPNETCORE_URLS=http://+:8080\n" in text(outcome)
    user = next(e for e in outcome.entries if e.finding.rule == "image-runs-as-root")
    assert user.change is not None
    assert user.change.fix.summary == "USER $APP_UID (1500)"


def test_the_configuration_is_stronger_than_a_config(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    registry.push("ghcr.io/acme/aspnet", "8", image({"User": "1654", "Env": ASPNET}))
    like = {"ghcr.io/acme/aspnet": {"like": f"{MCR}/aspnet:8.0"}}

    outcome = fixed(tmp_path, registry, api("ghcr.io/acme/aspnet:8"), **{"base-images": like})

    assert "USER $APP_UID\nENTRYPOINT" in text(outcome)
    assert registry.count("GET") == 0


def test_a_pinned_base_is_judged_by_that_image(registry: FakeRegistry, tmp_path: Path) -> None:
    old = registry.push("ghcr.io/acme/aspnet", "old", image({"Env": ASPNET}))
    registry.push("ghcr.io/acme/aspnet", "8", image({"User": "1654", "Env": ASPNET}))

    outcome = fixed(tmp_path, registry, api(f"ghcr.io/acme/aspnet:8@{old.digest}"))

    assert "USER $APP_UID\nENTRYPOINT" in text(outcome)


def test_a_self_contained_program_on_a_base_that_is_dotnet_by_config(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    marked = ["DOTNET_RUNNING_IN_CONTAINER=true", "APP_UID=1654"]
    registry.push("ghcr.io/acme/deps", "8", image({"Env": marked}))
    registry.push("ghcr.io/acme/node", "8", image({"Env": ["NODE_VERSION=22"]}))
    files = {
        name: f'FROM ghcr.io/acme/{base}:8\nCOPY out .\nENTRYPOINT ["./Shop"]\n'
        for name, base in (("one/Dockerfile", "deps"), ("two/Dockerfile", "node"))
    }

    outcome = fixed(tmp_path, registry, files)

    assert "USER $APP_UID\nENTRYPOINT" in text(outcome, "one/Dockerfile")
    assert "USER" not in text(outcome, "two/Dockerfile")


def test_a_base_whose_own_entrypoint_changes_the_user(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    config = {"Env": ASPNET, "Entrypoint": ["gosu", "app"]}
    registry.push("ghcr.io/acme/aspnet", "8", image(config))
    files = {
        "src/Api/Dockerfile": 'FROM ghcr.io/acme/aspnet:8\nCOPY out .\nCMD ["dotnet", "Api.dll"]\n'
    }

    outcome = fixed(tmp_path, registry, files)

    assert "USER" not in text(outcome)
    held = [e.reason for e in outcome.entries if e.finding.rule == "image-runs-as-root"]
    assert "changes the user by itself: ghcr.io/acme/aspnet:8 brings it along" in held[0]


POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/acme/{name}:1
"""


def test_a_gitops_repository_of_images_that_are_dotnet_by_config(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    start = ["dotnet", "Shop.dll"]
    low = [one for one in ASPNET if "PORTS" not in one] + ["ASPNETCORE_URLS=http://+:80"]
    for name, config in (
        ("shop", {"User": "1654", "Env": ASPNET, "Entrypoint": start}),
        ("low", {"User": "1654", "Env": low, "Entrypoint": start}),
        ("root", {"Env": ASPNET, "Entrypoint": start}),
        ("named", {"User": "app", "Env": ASPNET, "Entrypoint": start}),
        ("other", {"User": "999", "Entrypoint": ["redis-server"]}),
    ):
        registry.push(f"ghcr.io/acme/{name}", "1", image(config))
    names = ("shop", "low", "root", "named", "other")

    outcome = fixed(tmp_path, registry, {f"{n}.yaml": POD.format(name=n) for n in names})

    assert {a.name for a in outcome.project.applications} == {"shop", "low", "root", "named"}
    changed = {n: text(outcome, f"{n}.yaml") for n in names}
    assert "runAsNonRoot: true" in changed["shop"]
    assert "drop:" in changed["shop"]
    assert "drop:" not in changed["low"]
    assert "runAsNonRoot" not in changed["root"] + changed["named"] + changed["other"]
    reasons = {e.finding.path: e.reason for e in outcome.entries if e.status is Status.WITHHELD}
    assert reasons
    assert "securityContext" not in changed["other"]


# ---------------------------------------------------------------- a terminal


def test_someone_who_watches_sees_what_is_looked_up(
    registry: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"app{number}" for number in range(12)]
    for name in names:
        registry.push(f"ghcr.io/acme/{name}", "1", image())
    services = "".join(f"  {name}:\n    image: ghcr.io/acme/{name}:1\n" for name in names)
    root = repository(tmp_path / "shop", registry, {"compose.yaml": f"services:\n{services}"})
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", terminal)

    assert cli.main(["fix", str(root)]) == 0
    assert "ghcr.io/acme/app" in terminal.getvalue()


# ---------------------------------------------------------------- what is never told


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "markdown"])
@pytest.mark.parametrize("more", [[], ["--diff"]], ids=["fix", "diff"])
def test_a_secret_of_an_image_is_in_no_output(
    registry: FakeRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    form: str,
    more: list[str],
) -> None:
    def variables(number: int) -> list[str]:
        secret = f"hunter{number}2"
        return [
            *ASPNET[:-2],
            f"DB_PASSWORD={secret}",
            f"API_TOKEN={secret}",
            f"SQL_VERSION=Server=a;Password={secret};",
            f"PROXY_URLS=https://ann:{secret}@proxy.example",
            f"ASPNETCORE_HTTP_PORTS=80;{secret}@",
            "APP_UID=1654",
        ]

    made = [image({"User": "root", "Env": variables(number)}) for number in (0, 1)]
    for one in made:
        registry.push("acme.azurecr.io/base", "1", one)
    pinned = f"acme.azurecr.io/base:1@{made[0].digest}"
    root = repository(tmp_path / "shop", registry, api(pinned), **{"pin-cooldown": "0"})

    assert cli.main(["fix", str(root), "--format", form, *more]) == 0

    said = capsys.readouterr()
    assert "hunter" not in said.out + said.err
    if form == "json":
        assert "ENV changed: API_TOKEN, ASPNETCORE_HTTP_PORTS, DB_PASSWORD, PROXY" in said.out
    written = "".join(path.read_text() for path in (root / "src").rglob("*") if path.is_file())
    assert "hunter" not in written
    assert (made[1].digest in written) != bool(more)
