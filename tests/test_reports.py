"""The forms of the report: how they read, and that no repository writes in them."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hardhull.commands.forms import form_of
from hardhull.documents.source import FileKind, Source
from hardhull.model import Change, Edit, Finding, Fix, Level, Severity, Span
from hardhull.outcome import Entry, Outcome, Status
from hardhull.report import annotations as github
from hardhull.report import diff, machine, markdown, neutral, sarif, summary, text
from hardhull.report.annotations import Note
from hardhull.report.places import Root, place_of
from hardhull.report.terminal import show_pages
from hardhull.report.text import Told
from hardhull.rules import BY_ID
from support import outcome, write

if TYPE_CHECKING:
    from hardhull.commands.forms import FormName

HERE = Root(".", "", inside=True)
SCANNED = Told(fixing=False, written=False)
FIXED = Told(fixing=True, written=True, undo=("git restore api/Dockerfile",))
RULES = ("image-runs-as-root", "unpinned-image")
DOCKERFILE = f"""\
FROM mcr.microsoft.com/dotnet/aspnet:8.0@sha256:{"0" * 64}
COPY out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
PROGRAM = {
    "api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "api/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
}
COMPOSE = """\
services:
  api:
    build: api
  cache:
    image: redis:7
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One application: an image that runs as root, and a service that holds a fix back."""
    files = {"api/Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE, "broken.yaml": BROKEN}
    return write(tmp_path, {**PROGRAM, **files})


BROKEN = "apiVersion: v1\nkind: Pod\nmetadata: {name: a\n"


def printed(name: FormName, result: Outcome, told: Told = FIXED, root: Root = HERE) -> str:
    form = form_of(name)
    return form.join([form.piece(result, root)], told)


# ---------------------------------------------------------------- how it reads


def test_text_of_a_scan(small: Path) -> None:
    result = outcome(small, *RULES, fixing=False)

    assert re.sub(r" {2,}", "  ", printed("text", result, SCANNED)) == (
        "Api  api/Dockerfile → compose.yaml\n"
        "  high  api/Dockerfile:1  the image runs as root  fix: USER $APP_UID (1654)"
        "  [image-runs-as-root]\n"
        "other  belongs to no application found here\n"
        "  medium  compose.yaml:5  not pinned, and no digest is known for it  "
        "no digest of docker.io/library/redis:7 is known; record it and give it with "
        "--digests FILE  [unpinned-image]\n"
        f"skipped  broken.yaml:4  {result.skipped[0].reason}\n"
        "\n2 findings (1 high, 1 medium), at least 1 can be fixed. "
        "See how: hardhull fix --diff\n"
        "About a rule: hardhull explain image-runs-as-root\n"
    )


def test_text_of_a_fix(small: Path) -> None:
    result = outcome(small, *RULES)

    shown = re.sub(r" {2,}", "  ", printed("text", result))
    assert "  fixed  api/Dockerfile:1  USER $APP_UID (1654)  the image runs as root" in shown
    assert "  held  compose.yaml:5  not pinned, and no digest is known for it  no digest" in shown
    assert "1 file changed, 1 held back. Undo: git restore api/Dockerfile\n" in shown


def test_the_way_back_is_quoted_and_knows_where_it_is(small: Path) -> None:
    write(small, {"my api/Dockerfile": DOCKERFILE})
    result = outcome(small, *RULES)

    undo = text.undo_of("/far away", result.changed)
    told = Told(fixing=True, written=True, undo=(text.undo_of(".", result.changed), undo))

    assert undo == "git -C '/far away' restore api/Dockerfile 'my api/Dockerfile'"
    assert f"Undo: git restore api/Dockerfile 'my api/Dockerfile'; {undo}\n" in printed(
        "text", result, told
    )
    alone = Told(fixing=True, written=True, git=False)
    assert "Not in a git repository: nothing can undo this." in printed("text", result, alone)


def test_many_held_back_findings_are_counted(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/Dockerfile": DOCKERFILE for n in range(3)})
    services = "".join(f"  s{n}: {{image: 'acme/a{n}:1'}}\n" for n in range(9))
    write(tmp_path, {"compose.yaml": f"services:\n{services}"})
    shown = printed("text", outcome(tmp_path, "unpinned-image"))

    assert "and 6 more" in shown
    assert shown.count("compose.yaml:") < 9


def test_a_terminal_gets_columns_and_colour(small: Path) -> None:
    stream = io.StringIO()
    show_pages([text.page_of(outcome(small, *RULES), HERE)], FIXED, stream)

    assert "\033[32mfixed" in stream.getvalue()
    assert "git restore api/Dockerfile" in stream.getvalue()


def test_markdown_of_a_fix(small: Path) -> None:
    result = outcome(small, *RULES)
    shown = printed("markdown", result)

    assert shown.startswith(
        "## Harden containers: Api\n\n"
        "1 change in 1 file: 1 routine. Reverting this alone undoes all of it.\n\n"
        "| # | where | change | if it is wrong, you see |\n"
        "|--:|---|---|---|\n"
        "| 1 | `api/Dockerfile:1` | `USER $APP_UID (1654)` | "
    )
    for heading in ("**Checked:**", "**Not checked:**", "**Held back:**", "**Not read:**"):
        assert heading in shown
    assert shown == printed("markdown", outcome(small, *RULES))


def test_markdown_says_what_was_respected(small: Path) -> None:
    write(small, {"api/Dockerfile": "# hardhull: ignore[image-runs-as-root] legacy\n" + DOCKERFILE})
    shown = printed("markdown", outcome(small, *RULES))

    assert "**Respected:**" in shown
    assert "legacy" in shown


def test_github_annotates_what_is_left(small: Path) -> None:
    shown = printed("github", outcome(small, *RULES, fixing=False))

    assert shown.splitlines()[0] == (
        "::error file=api/Dockerfile,line=1,col=1,endColumn=113,"
        "title=hardhull%3A image-runs-as-root::the image runs as root%0A"
        "Fix: USER $APP_UID (1654) (hardhull fix makes it)"
    )
    below = Root("services", "services/", inside=True)
    assert "file=services/api/Dockerfile" in printed(
        "github", outcome(small, *RULES, fixing=False), SCANNED, below
    )


def test_github_shows_the_worst_ten_of_each_level() -> None:
    notes = [Note(-1, "warning", f"::warning::{n}") for n in range(12)]
    notes += [Note(-2, "error", f"::error::{n}") for n in range(12)]
    lines = github.join(notes).splitlines()

    assert [line.split("::")[1] for line in lines[:-1]] == ["error"] * 10 + ["warning"] * 10
    assert lines[-1] == "hardhull: 4 more are in the job summary"


def test_the_job_summary_is_appended_and_never_too_large(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    printed("github", outcome(small, *RULES))

    assert file.read_text().startswith("before\n# hardhull ")
    assert "| Api | 1 | 0 | 0 | 0 | 0 |\n| *none* | 0 | 0 | 1 | 0 | 0 |" in file.read_text()
    summary.append(str(file), ["ü" * 99 + "\n"] * 20_000)
    assert file.stat().st_size <= 1024 * 1024
    assert file.read_text().endswith("has all of it.*\n")


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_who_refreshes_pins_is_said_once_and_is_harmless(tmp_path: Path, form: FormName) -> None:
    write(
        tmp_path,
        {
            "Dockerfile": "FROM redis:7\nCOPY --from=redis:7 / /\n",
            ".github/workflows/a\x1b[31m##[group]|`x`.yml": (
                "on:\n  schedule: []\njobs: {a: {steps: [{uses: acme/hardhull@v1}]}}\n"
            ),
        },
    )
    digests = {"docker.io/library/redis:7": "sha256:" + "a" * 64}
    said = printed(form, outcome(tmp_path, "unpinned-image", digests=digests))

    assert said.count("Pins are refreshed by: hardhull's scheduled run") == 1
    assert "\x1b" not in said
    assert "##[" not in said


def test_long_markdown_is_cut_at_a_line() -> None:
    shown = markdown.join(["| a | b |\n" * 10_000])

    assert len(shown) <= 58_000
    assert shown.count("| a | b |\n") > 5_000
    assert shown.endswith("has all of it.*\n")


def test_sarif(small: Path) -> None:
    write(small, {"api/Dockerfile": "# hardhull: ignore[image-runs-as-root] legacy\n" + DOCKERFILE})
    log = json.loads(printed("sarif", outcome(small, *RULES, fixing=False)))
    (run,) = log["runs"]
    by_rule = {result["ruleId"]: result for result in run["results"]}

    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert re.fullmatch("[0-9a-f]{16}", result["partialFingerprints"]["hardhull/v1"])
    assert "suppressions" not in by_rule["unpinned-image"]
    assert by_rule["image-runs-as-root"]["suppressions"][0]["kind"] == "inSource"
    place = by_rule["unpinned-image"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "compose.yaml"
    assert place["region"]["startLine"] == 5


def test_sarif_paths_are_uris(tmp_path: Path) -> None:
    write(tmp_path, {"my api#1/Dockerfile": DOCKERFILE})
    log = sarif.run_of(outcome(tmp_path, *RULES, fixing=False), HERE)
    place = log["results"][0]["locations"][0]["physicalLocation"]

    assert place["artifactLocation"]["uri"] == "my%20api%231/Dockerfile"


def test_json_tells_operations_and_applications(small: Path) -> None:
    report = json.loads(printed("json", outcome(small, *RULES)))

    assert report["changes"][0]["operations"] == [
        {
            "operation": "insert-instruction",
            "path": "api/Dockerfile",
            "before": 2,
            "text": "USER $APP_UID",
            "follows": False,
        }
    ]
    assert report["withheld"][0]["reason"].startswith("compose.yaml:5: no digest")
    assert report["applications"][0]["stages"] == ["api/Dockerfile stage 0"]
    assert report["skipped"][0]["path"] == "broken.yaml"
    assert {one["status"] for one in report["findings"]} == {"fixed", "withheld"}


# ---------------------------------------------------------------- positions


def made_up(before: str, changes: list[Change], path: str = "a") -> Outcome:
    class Nothing:
        texts = type("Texts", (), {"source": staticmethod(lambda _: None)})()

    project: Any = type("Project", (), {"workspace": Nothing(), "applications": ()})()
    entries = tuple(Entry(c.finding, Status.FIXED, change=c) for c in changes)
    source = Source(path, FileKind.YAML, before)
    return Outcome(Path(), project, (), {path: source}, {path: source}, entries, tuple(changes))


def change(where: str, span: Span, *edits: Edit) -> Change:
    finding = Finding("r", "a", where, span, "m", Severity.LOW, Level.ROUTINE)
    return Change(finding, Fix((), "s"), (("a", edits),) if edits else ())


def test_a_finding_that_arose_later_is_placed_in_the_text_before() -> None:
    first = change("x", Span(0, 1), Edit(2, 2, "12345\n"), Edit(4, 6, ""))
    # In "a\n12345\nb\nd\n" the d is at 10; before it was at 6, in line 4.
    late = change("y", Span(10, 11), Edit(0, 0, "z\n"))
    result = made_up("a\nb\nc\nd\n", [first, late])

    assert place_of(result, late.finding) == (4, 1, 4, 2)


def test_a_place_within_an_insertion_is_where_it_was_inserted() -> None:
    first = change("x", Span(0, 1), Edit(2, 2, "12345\n"))
    late = change("y", Span(4, 6), Edit(0, 0, "z\n"))

    assert place_of(made_up("a\nb\n", [first, late]), late.finding) == (2, 1, 2, 1)


def test_a_place_outside_of_every_text_never_raises() -> None:
    far = Finding("r", "gone", "w", Span(50, 90), "m", Severity.LOW, Level.ROUTINE)
    beyond = Finding("r", "a", "w", Span(50, 90), "m", Severity.LOW, Level.ROUTINE)
    result = made_up("ab", [])

    assert place_of(result, far) == (1, 1, 1, 1)
    assert place_of(result, beyond) == (1, 3, 1, 3)


# ---------------------------------------------------------------- diffs


def test_a_diff_says_where_a_last_newline_is_missing() -> None:
    assert diff.text_diff("a\nb", "a\nb\nc", "x") == (
        "--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n"
        "+b\n+c\n\\ No newline at end of file\n"
    )


def test_hunks_far_apart_are_hunks_of_their_own() -> None:
    lines = [f"{n}\n" for n in range(40)]
    changed = lines.copy()
    changed[2], changed[30] = "x\n", "y\n"
    shown = diff.text_diff("".join(lines), "".join(changed), "x")

    assert re.findall("^@@.*", shown, re.MULTILINE) == [
        "@@ -1,6 +1,6 @@",
        "@@ -28,7 +28,7 @@",
    ]


def test_other_line_separators_do_not_split_lines() -> None:
    assert "@@ -1 +1 @@\n-a\u2028b\x0c\n+a\u2028c\x0c\n" in diff.text_diff(
        "a\u2028b\x0c\n", "a\u2028c\x0c\n", "x"
    )


def test_unusual_names_are_quoted_as_git_does() -> None:
    assert diff.text_diff("", "a\n", 'ü "x"').startswith('--- "a/\\303\\274 \\"x\\""\n')
    assert diff.text_diff("", "a\n", "a b").startswith("--- a/a b\t\n")


@given(
    st.lists(st.sampled_from(["a", "b", "ports:", "1", "2", "3"]), max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2), st.sampled_from("abx")), max_size=5),
)
@example(old=["a", "b", "b", "b", "1"], edits=[(0, 1, "b")])
def test_a_diff_has_all_lines_and_their_context(
    old: list[str], edits: list[tuple[int, int, str]]
) -> None:
    new = list(old)
    for at, removed, added in edits:
        new[at : at + removed] = [added]
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))

    made, at = list[str](), 0
    for hunk in diff.text_diff(before, after, "x").split("@@ -")[1:]:
        header, *lines = hunk.rstrip("\n").split("\n")
        start, count = (int(part) for part in (header.split()[0] + ",1").split(",")[:2])
        first = start - 1 if count else start
        made += old[at:first]
        made += [line[1:] for line in lines if line[0] != "-"]
        assert [line[1:] for line in lines if line[0] != "+"] == old[first : first + count]
        at = first + count
        # git takes a hunk without lines behind it for one at the end of the file, and refuses it.
        changed = [number for number, line in enumerate(lines) if line[0] != " "]
        assert changed[0] == min(3, first + changed[0])
        assert len(lines) - 1 - changed[-1] == min(3, len(old) - at + len(lines) - 1 - changed[-1])
    assert made + old[at:] == new


def test_each_change_has_its_own_diff(small: Path) -> None:
    rules = ["image-runs-as-root", "privilege-escalation"]
    result = outcome(small, *rules)
    diffs = diff.change_diffs(result)

    assert [c.finding.rule for c in result.changes] == rules
    for one in result.changes:
        own = diffs[one.finding.key]
        assert ("+USER $APP_UID" in own) == (one.finding.rule == "image-runs-as-root")
        assert ("no-new-privileges" in own) == (one.finding.rule == "privilege-escalation")


# ---------------------------------------------------------------- hostile text


HOSTILE = "\x1b[31m::error::x\r##[group]`|<img src=x onerror=y>@everyone #1 ](http://e.vil)\u202e"


def test_plain_text_shows_what_cannot_be_seen() -> None:
    assert neutral.plain("a\x1b[0m\n\u202e\udcff") == r"a\x1b[0m\n\u202e\xff"
    assert neutral.plain("::error::x ##[group]") == r":\x3aerror:\x3ax #\x23[group]"
    assert neutral.plain("  ::1") == r"  :\x3a1"
    assert neutral.plain("http://[::1]:80 ok") == "http://[::1]:80 ok"
    assert neutral.plain("schlüssel → 日本") == "schlüssel → 日本"


def test_markdown_text_is_shown_to_the_letter() -> None:
    assert neutral.markdown("<b>|`@a #1 *x* [y](http://z)") == (
        r"&lt;b&gt;&#124;&#96;&#64;a &#35;1 \*x\* \[y\](http&#58;//z)"
    )
    assert neutral.code("a`b|c") == r"``a`b\|c``"
    assert neutral.code("`") == "`` ` ``"
    assert neutral.fenced("```\nx", "text") == "````text\n```\nx\n````"


def test_workflow_commands_are_escaped() -> None:
    assert neutral.command_data("a%\nb") == "a%25%0Ab"
    assert neutral.command_property("a:b,c") == "a%3Ab%2Cc"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A repository whose every name is an attack; slashes alone can't be in one."""
    name = HOSTILE.replace("/", "_")
    return write(
        tmp_path,
        {
            f"{name}/Dockerfile": DOCKERFILE.replace("COPY", "ARG A=\x1b[1m::x\nCOPY"),
            f"{name}/{name}.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
            "compose.yaml": f"services:\n  api:\n    build: {json.dumps(name)}\n",
            f"{name}.yaml": BROKEN,
        },
    )


@pytest.mark.skipif(os.name != "posix", reason="such names can't exist on Windows")
@pytest.mark.parametrize("name", ["text", "json", "sarif", "github", "markdown"])
@pytest.mark.parametrize("fixing", [True, False])
def test_no_form_lets_a_repository_speak(
    hostile: Path, name: FormName, fixing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = hostile.parent / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    shown = printed(name, outcome(hostile, fixing=fixing), Told(fixing, fixing))
    if name == "github":
        shown += file.read_text()
        assert_commands_are_ours(shown)
    else:
        assert not re.search(r"^\s*::", shown, re.MULTILINE)

    assert all(char == "\n" or char.isprintable() for char in shown)
    assert "##[" not in shown
    if name == "markdown":
        assert_markdown_is_inert(shown)
    if name in ("json", "sarif"):
        json.loads(shown)


def assert_commands_are_ours(shown: str) -> None:
    for line in shown.splitlines():
        if line.lstrip().startswith("::"):
            assert re.match(r"::(error|warning|notice) (file=[^:]*,)?[^:]*title=[^:,]*::", line)


def assert_markdown_is_inert(shown: str) -> None:
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", shown)
    assert "<img" not in outside
    assert "@everyone" not in outside
    for line in outside.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5


@pytest.mark.skipif(os.name != "posix", reason="such names can't exist on Windows")
def test_a_looked_at_diff_is_harmless_and_a_piped_one_exact(hostile: Path) -> None:
    exact = diff.outcome_diff(outcome(hostile, "image-runs-as-root"))
    looked_at = diff.coloured(exact, colour=False)

    assert "ARG A=\x1b[1m::x\n" in exact
    assert r"ARG A=\x1b[1m:\x3ax" in looked_at
    assert all(char in "\n\t" or char.isprintable() for char in looked_at)
    assert not re.search(r"^\s*::", looked_at, re.MULTILINE)


def test_json_is_ascii_and_holds_no_half_characters() -> None:
    shown = machine.dumps({"a": "\udcff\\ud800 😀 \x1b"})

    assert shown.isascii()
    assert json.loads(shown) == {"a": "\ufffd\\ud800 😀 \x1b"}


def test_every_rule_of_a_run_is_known() -> None:
    assert set(RULES) <= set(BY_ID)
