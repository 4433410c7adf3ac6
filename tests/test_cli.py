"""The command line as people and pipelines meet it: real processes, exit codes, files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardhull import __version__, cli
from hardhull.cli import make_parser
from hardhull.commands.roots import expanded, settings_of
from hardhull.model import UsageError
from hardhull.report.json_schema import report_schema
from hardhull.rules import BY_ID, RULES
from support import write

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DIGESTS = str(EXAMPLES / "digests.json")
DOCKERFILE = (
    'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out .\nENTRYPOINT ["dotnet", "a.dll"]\n'
)
FIXED = DOCKERFILE.replace("ENTRYPOINT", "USER $APP_UID\nENTRYPOINT")


def hardhull(
    *arguments: str, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program as a user would, with nothing of ours in the environment, and no network."""
    if arguments[:1] == ("fix",):
        arguments = ("fix", "--offline", *arguments[1:])
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "hardhull", *arguments],
        cwd=cwd,
        env={**kept, "HOME": str(cwd), **environment},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.invalid")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example as a git repository with everything committed."""
    root = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", root)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def api(tmp_path: Path) -> Path:
    """One Dockerfile that runs as root."""
    return write(tmp_path / "api", {"Dockerfile": DOCKERFILE})


# ---------------------------------------------------------------- exit codes


def test_version(tmp_path: Path) -> None:
    done = hardhull("--version", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"hardhull {__version__}\n")


def test_nothing_to_do_is_quiet(tmp_path: Path) -> None:
    for command in ("scan", "fix"):
        done = hardhull(command, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "none"), 0),
        (("--fail-on", "low"), 1),
        (("--ignore", "image-runs-as-root"), 0),
        (("--ignore", "user"), 0),
    ],
)
def test_scan_fails_on_what_is_bad_enough(api: Path, arguments: tuple[str, ...], code: int) -> None:
    assert hardhull("scan", *arguments, cwd=api).returncode == code


def test_fix_succeeds_unless_asked_otherwise(api: Path) -> None:
    assert hardhull("fix", "--diff", "--fail-on", "high", cwd=api).returncode == 0
    assert hardhull("fix", "--diff", "--fail-on", "medium", cwd=api).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "to start:"),
        (("scan", "nowhere"), "hardhull: nowhere: is not there\n"),
        (("scan", "Dockerfile"), "is a file; give the folder of a repository"),
        (("scan", "--select", "privilege"), "did you mean `privileges`?"),
        (("scan", "--format", "xml"), "see hardhull scan --help"),
        (("scan", "--output", "nowhere/report.json"), "its folder does not exist"),
        (("scan", "--digests", "nowhere.json"), "nowhere.json: can't be read"),
        (("scan", "--config", "Dockerfile"), "Dockerfile:1: "),
        (("explain", "image-run-as-root"), "did you mean `image-runs-as-root`?"),
    ],
)
def test_wrong_use_is_one_sentence(api: Path, arguments: tuple[str, ...], said: str) -> None:
    done = hardhull(*arguments, cwd=api)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_configuration_names_file_and_line(api: Path) -> None:
    write(api, {".github/hardhull.yml": "level: routine\nrule:\n  latest-tag: off\n"})
    done = hardhull("scan", cwd=api)

    assert done.returncode == 2
    assert done.stderr.startswith("hardhull: .github/hardhull.yml:")
    assert "did you mean `rules`?" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="symlinks need rights on Windows")
def test_a_configuration_that_links_outside_is_not_read(api: Path) -> None:
    write(api.parent, {"secret": "password: hunter2\n"})
    (api / ".github").mkdir()
    (api / ".github" / "hardhull.yml").symlink_to(api.parent / "secret")
    done = hardhull("scan", cwd=api)

    assert done.returncode == 2
    assert "hunter2" not in done.stderr + done.stdout


def test_a_rule_that_fails_is_our_bug(
    api: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("::error::what a repository says")

    rule = BY_ID["image-runs-as-root"]
    monkeypatch.setattr(type(rule), "__setattr__", object.__setattr__)
    monkeypatch.setattr(rule, "find", broken)
    code = cli.main(["scan", "--format", "json", str(api)])
    told = capsys.readouterr()

    assert code == 3
    assert json.loads(told.out)["crashes"]
    assert "Please paste this into an issue" in told.err
    assert "::error" not in told.err


def test_an_unexpected_error_is_our_bug(
    api: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hardhull.commands.check.run", lambda *_, **__: 1 // 0)

    assert cli.main(["scan", str(api)]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


# ---------------------------------------------------------------- fix


def test_fix_writes_exactly_the_change(api: Path) -> None:
    done = hardhull("fix", "--select", "image-runs-as-root", cwd=api)

    assert done.returncode == 0
    assert (api / "Dockerfile").read_text() == FIXED
    assert "1 file changed" in done.stdout


def test_fix_names_the_way_back(shop: Path) -> None:
    done = hardhull("fix", cwd=shop)
    undo = done.stdout.partition("Undo: ")[2].splitlines()[0]

    assert git(shop, "status", "--porcelain")
    subprocess.run(undo, shell=True, check=True, cwd=shop)  # noqa: S602  as a user pastes it
    assert git(shop, "status", "--porcelain") == ""


def test_a_second_fix_changes_nothing(shop: Path) -> None:
    hardhull("fix", "--digests", DIGESTS, cwd=shop)
    once = git(shop, "diff")
    hardhull("fix", "--digests", DIGESTS, "--allow-dirty", cwd=shop)

    assert git(shop, "diff") == once


def test_uncommitted_work_is_not_overwritten(shop: Path) -> None:
    text = (shop / "src/Api/Dockerfile").read_text()
    write(shop, {"src/Api/Dockerfile": text + "# mine\n"})
    done = hardhull("fix", cwd=shop)

    assert done.returncode == 2
    assert "src/Api/Dockerfile: not committed" in done.stderr
    assert git(shop, "status", "--porcelain").split() == ["M", "src/Api/Dockerfile"]
    assert hardhull("fix", "--allow-dirty", cwd=shop).returncode == 0


def test_uncommitted_work_elsewhere_is_no_obstacle(shop: Path) -> None:
    write(shop, {"README.md": "changed\n"})

    assert hardhull("fix", cwd=shop).returncode == 0


def test_the_diff_is_a_patch_and_writes_nothing(shop: Path) -> None:
    done = hardhull("fix", "--diff", "--digests", DIGESTS, cwd=shop)

    assert git(shop, "status", "--porcelain") == ""
    assert "Nothing was written" in done.stderr
    subprocess.run(["git", "apply", "-"], cwd=shop, input=done.stdout.encode(), check=True)
    patched = git(shop, "diff")
    git(shop, "checkout", "-q", ".")
    hardhull("fix", "--digests", DIGESTS, cwd=shop)
    assert git(shop, "diff") == patched


def test_the_diff_keeps_line_ends_and_the_byte_order_mark(api: Path) -> None:
    data = b"\xef\xbb\xbf" + DOCKERFILE.replace("\n", "\r\n").rstrip().encode()
    write(api, {"Dockerfile": data})
    git(api, "init", "-q")
    run = [sys.executable, "-m", "hardhull", "fix", "--diff", "--select", "image-runs-as-root"]
    patch = subprocess.run(run, cwd=api, check=True, capture_output=True).stdout
    subprocess.run(["git", "apply", "-"], cwd=api, input=patch, check=True)
    patched = (api / "Dockerfile").read_bytes()
    write(api, {"Dockerfile": data})
    hardhull("fix", "--select", "image-runs-as-root", "--allow-dirty", cwd=api)

    assert patched == (api / "Dockerfile").read_bytes() != data


def test_interactive_takes_what_was_refused_out_before_the_rules_run(shop: Path) -> None:
    arguments = ("fix", "--interactive", "--select", "image-runs-as-root,workload-may-run-as-root")
    answers = "n\n" + "y\n" * 9
    done = hardhull(*arguments, cwd=shop, stdin=answers)
    changed = git(shop, "diff")

    assert "USER" not in changed or "runAsNonRoot" not in changed.partition("api.yaml")[0]
    assert done.stderr.count("Make this change?") >= 1
    git(shop, "checkout", "-q", ".")
    assert hardhull(*arguments, cwd=shop, stdin="q\n").returncode == 0
    assert git(shop, "status", "--porcelain") == ""
    hardhull(*arguments, cwd=shop, stdin="a\n")
    everything = git(shop, "diff")
    git(shop, "checkout", "-q", ".")
    hardhull(*arguments[:1], *arguments[2:], cwd=shop)
    assert git(shop, "diff") == everything != ""


def test_level_routine_makes_only_routine_changes(shop: Path) -> None:
    done = hardhull("fix", "--diff", "--level", "routine", "--format", "json", cwd=shop)

    levels = {change["level"] for change in json.loads(done.stdout)["changes"]}
    assert levels == {"routine"}


# ---------------------------------------------------------------- output


def test_json_fits_its_schema(shop: Path) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator(report_schema())
    for arguments in (("scan",), ("fix", "--diff"), ("scan", ".", "src"), ("fix", "--diff", "src")):
        done = hardhull(*arguments, "--format", "json", cwd=shop)
        report = json.loads(done.stdout)
        assert list(validator.iter_errors(report)) == []
        assert report["schema"] == 1


def test_several_roots_are_looked_at_one_by_one(shop: Path) -> None:
    done = hardhull("scan", "src/Api", "src/Orders", "src/Api/", "--format", "json", cwd=shop)

    assert [root["root"] for root in json.loads(done.stdout)["roots"]] == ["src/Api", "src/Orders"]


def test_roots_that_overlap_are_not_both_fixed(shop: Path) -> None:
    done = hardhull("fix", ".", "src/Api", cwd=shop)

    assert done.returncode == 2
    assert "two of the given folders" in done.stderr
    assert git(shop, "status", "--porcelain") == ""


def test_output_goes_to_a_file(shop: Path, tmp_path: Path) -> None:
    done = hardhull("scan", "--format", "sarif", "--output", str(tmp_path / "o.sarif"), cwd=shop)

    assert done.stdout == ""
    assert json.loads((tmp_path / "o.sarif").read_text())["version"] == "2.1.0"


def test_colour_only_where_it_is_wanted(shop: Path) -> None:
    assert "\033" not in hardhull("scan", cwd=shop).stdout
    assert "\033" in hardhull("scan", "--color", "always", cwd=shop).stdout
    diff = hardhull("fix", "--diff", "--color", "always", cwd=shop).stdout
    assert "\033[32m+" in diff


def test_images(shop: Path) -> None:
    write(
        shop,
        {"Dockerfile": "ARG TAG=3.20\nFROM alpine:$TAG AS a\nFROM scratch\nCOPY --from=a / /\n"},
    )
    done = hardhull("images", "--format", "json", cwd=shop)
    found = {(one["path"], one["line"]): one for one in json.loads(done.stdout)["images"]}

    assert found["Dockerfile", 2] == {
        "path": "Dockerfile",
        "line": 2,
        "column": 6,
        "text": "alpine:$TAG",
        "resolved_from": "Dockerfile:1",
        "name": "docker.io/library/alpine:3.20",
        "built_here": False,
        "pinned": False,
        "used_by": "stage a",
    }
    assert found["deploy/api.yaml", 19]["built_here"] is True
    assert ("Dockerfile", 3) not in found
    assert "alpine:$TAG = docker.io/library/alpine:3.20 (from Dockerfile:1)" in hardhull(
        "images", cwd=shop
    ).stdout  # fmt: skip


def test_rules_and_explain(tmp_path: Path) -> None:
    listed = hardhull("rules", cwd=tmp_path).stdout
    data = json.loads(hardhull("rules", "--format", "json", cwd=tmp_path).stdout)

    assert [line.split()[0] for line in listed.splitlines()] == [rule.id for rule in RULES]
    assert [rule["id"] for rule in data["rules"]] == [rule.id for rule in RULES]
    page = hardhull("explain", "image-runs-as-root", cwd=tmp_path).stdout
    assert page.startswith("# image-runs-as-root\n")
    assert "```diff\n" in page


def test_config_says_where_each_setting_comes_from(api: Path) -> None:
    text = "level: routine\nrules:\n  latest-tag: report\nuser:\n  uid: 20000\n"
    write(api, {".github/hardhull.yml": text})
    done = hardhull("config", "--ignore", "host-path", "--format", "json", cwd=api)
    rows = {
        row["setting"]: (row["value"], row["from"]) for row in json.loads(done.stdout)["settings"]
    }

    assert rows["level"] == ("routine", ".github/hardhull.yml:1")
    assert rows["rules.latest-tag"] == ("report", ".github/hardhull.yml:3")
    assert rows["user.uid"] == ("20000", ".github/hardhull.yml:5")
    assert rows["user.gid"] == ("10001", "default")
    assert rows["rules.host-path"] == ("off", "--ignore")
    schema = json.loads(hardhull("config", "--schema", cwd=api).stdout)
    assert set(schema["properties"]["rules"]["properties"]) == set(BY_ID)


def test_a_concern_stands_for_its_rules() -> None:
    own = [rule.id for rule in RULES if rule.concern == "privileges"]

    assert expanded(["privileges, latest-tag", "privileges"]) == [*own, "latest-tag"]
    with pytest.raises(UsageError, match="unknown rule `nothing-like-it`"):
        expanded(["nothing-like-it"])


@pytest.mark.parametrize(
    ("arguments", "configured", "expected"),
    [
        (["--select", "images"], {}, {"public-base-image": False, "unpinned-image": True}),
        (["--select", "public-base-image"], {}, {"public-base-image": True, "latest-tag": False}),
        (["--select", "images", "--enable", "public-base-image"], {}, {"public-base-image": True}),
        (["--select", "images"], {"public-base-image": "fix"}, {"public-base-image": True}),
        (["--select", "images"], {"latest-tag": "off"}, {"latest-tag": False}),
        (["--select", "latest-tag"], {"latest-tag": "off"}, {"latest-tag": True}),
        (["--select", "advice", "--enable", "advice"], {}, {"missing-resources": True}),
        (["--enable", "advice"], {}, {"missing-resources": True, "latest-tag": True}),
        (["--select", "pod-security"], {}, {"unsafe-sysctls": True, "latest-tag": False}),
    ],
)
def test_a_group_selects_its_rules_that_are_on(
    tmp_path: Path, arguments: list[str], configured: dict[str, str], expected: dict[str, bool]
) -> None:
    write(tmp_path, {".github/hardhull.yml": json.dumps({"rules": configured})})
    settings = settings_of(tmp_path, make_parser().parse_args(["fix", *arguments]))

    assert {one: settings.state_of(BY_ID[one]) != "off" for one in expected} == expected


def test_a_group_whose_rules_are_all_off_says_so(tmp_path: Path) -> None:
    arguments = make_parser().parse_args(["fix", "--select", "advice"])

    with pytest.raises(UsageError, match="--select advice: all its rules are off; name them"):
        settings_of(tmp_path, arguments)


def test_starting_imports_little() -> None:
    code = "import sys, hardhull.cli; hardhull.cli.make_parser(); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())

    assert not loaded & {"rich", "git", "github", "json", "subprocess", "hardhull.model"}
