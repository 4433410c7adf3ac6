"""Inputs, events and files of the action: one table, clear refusals, nothing a text could abuse."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.actions.event import Doing, Event, Plan, plan_for, read_event
from hardhull.actions.files import inside, write_inside, write_outputs
from hardhull.actions.inputs import Inputs, Mode, read_inputs
from hardhull.actions.job import Job
from hardhull.actions.log import Log, Redacted, forms_of, take_secrets
from hardhull.actions.table import INPUTS, OUTPUTS, Kind
from hardhull.documents.source import FileKind, Source
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Level, Severity, UsageError
from hardhull.pull_request.options import PullRequestOptions, SplitBy
from hardhull.settings import RegistrySettings, Settings
from runner import command_in, event_of, outputs_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.actions.table import Input
    from hardhull.documents.yaml import Cursor

ROOT = Path(__file__).resolve().parent.parent

# ---------------------------------------------------------------- one table


def action_file(key: str) -> dict[str, Cursor]:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    file = read_yaml(Source("action.yml", FileKind.YAML, text))
    assert isinstance(file, YamlFile)
    found = file.cursors[0].get(key)
    assert found is not None
    return dict(found.pairs())


def test_the_table_is_the_dataclass() -> None:
    assert [one.field for one in INPUTS] == [one.name for one in fields(Inputs)]


def test_action_yml_declares_the_table_and_its_defaults() -> None:
    declared = action_file("inputs")
    assert list(declared) == [one.name for one in INPUTS]
    assert list(action_file("outputs")) == [one.name for one in OUTPUTS]
    given_by_default = {}
    for name, value in declared.items():
        default = value.get("default")
        if default is not None and name != "token":
            given_by_default[f"INPUT_{name.upper()}"] = str(default.text)

    assert read_inputs(given_by_default) == Inputs()


def test_the_page_describes_every_input_and_output() -> None:
    text = (ROOT / "docs" / "action.md").read_text(encoding="utf-8")

    rows = [(one.name, one.doc) for one in INPUTS] + [(one.name, one.doc) for one in OUTPUTS]
    assert [name for name, doc in rows if f"| `{name}` |" not in text or doc not in text] == []


def test_every_input_arrives_where_the_table_says() -> None:
    targets = {
        "Settings": Settings,
        "PullRequestOptions": PullRequestOptions,
    }
    for one in INPUTS:
        owner, _, name = one.feeds.partition(".")
        if owner in targets and name:
            assert name in {field.name for field in fields(targets[owner])}, one.name


def test_what_is_given_reaches_settings_and_options() -> None:
    inputs = read_inputs(
        {
            "INPUT_LEVEL": "routine",
            "INPUT_REGISTRY-ALLOW": "one.example, two.example",
            "INPUT_BASE": "develop",
            "INPUT_BRANCH": "bot/hardhull",
            "INPUT_TITLE": "Harden",
            "INPUT_LABELS": "security\ncontainers,",
            "INPUT_REVIEWERS": "ann",
            "INPUT_TEAM-REVIEWERS": "platform",
            "INPUT_DRAFT": "true",
            "INPUT_SPLIT-BY": "codeowners",
            "INPUT_MAX-OPEN-PULL-REQUESTS": "7",
            "INPUT_COMMIT-MODE": "git",
            "INPUT_COMMENT-COMMANDS": "TRUE",
            "INPUT_DRY-RUN": "True",
        }
    )
    settings = inputs.settings(Settings(registries=RegistrySettings(("own.example",))))
    assert settings.level is Level.ROUTINE
    assert settings.registries.allow == ("own.example", "one.example", "two.example")

    options = inputs.options("acme/shop")
    changed = {
        one.name
        for one in fields(PullRequestOptions)
        if getattr(options, one.name) != getattr(PullRequestOptions("acme/shop"), one.name)
    }
    assert changed == {one.name for one in fields(PullRequestOptions)} - {"repository"}
    assert options.split_by is SplitBy.CODEOWNERS
    assert options.labels == ("security", "containers")


def test_the_ids_of_azure_reach_the_client_of_the_registries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[Mapping[str, str]] = []
    monkeypatch.setattr("hardhull.facts.asking.Desk", known.append)
    ids = {"INPUT_AZURE-CLIENT-ID": "one", "AZURE_CLIENT_ID": "two", "AZURE_TENANT_ID": "three"}
    environment = {"INPUT_TOKEN": "ghs_t", "GITHUB_WORKSPACE": str(tmp_path), **ids}
    log, event = Log(io.StringIO(), ()), Event("schedule", "acme/shop")
    job = Job(environment, log, read_inputs(environment), event, Plan(Doing.FIX, ""))

    job.desk()

    (told,) = known
    assert (told["AZURE_CLIENT_ID"], told["AZURE_TENANT_ID"]) == ("one", "three")
    assert not [name for name in told if name.startswith("INPUT_")]


def test_without_inputs_the_options_are_their_own_defaults() -> None:
    assert Inputs().options("acme/shop") == PullRequestOptions("acme/shop")
    assert Inputs().settings(Settings()) == Settings()


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("DRY-RUN", "yes", "input `dry-run`: `yes` does not fit; `true` or `false` was expected"),
        ("DRAFT", "on", "`true` or `false` was expected"),
        ("MODE", "sweep", "input `mode`: `sweep` does not fit; one of `auto`, `check`, `fix`"),
        ("FAIL-ON", "critical", "one of `none`, `low`, `medium`, `high`"),
        ("LEVEL", "manual", "one of `routine`, `review`"),
        ("MAX-OPEN-PULL-REQUESTS", "0", "a whole number from 1 to 100"),
        ("MAX-OPEN-PULL-REQUESTS", "١", "a whole number from 1 to 100"),
        ("BRANCH", "a\nb", "one line of text"),
        ("BRNCH", "x", "unknown input `brnch`; did you mean `branch`?"),
        ("ZZZ", "x", "docs/action.md lists them"),
    ],
)
def test_what_does_not_fit_is_told(name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs({f"INPUT_{name}": text})

    assert said in str(caught.value)


def test_a_token_that_does_not_fit_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs({"INPUT_TOKEN": "ghs_secret\nsecond line"})

    assert "ghs_secret" not in str(caught.value)


@pytest.mark.parametrize("one", INPUTS, ids=lambda one: one.name)
@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_empty_is_unset(one: Input, text: str) -> None:
    name = one.name.upper()

    assert read_inputs({f"INPUT_{name}": text}) == Inputs()


def test_underscores_count_for_shells_that_know_no_hyphens() -> None:
    assert read_inputs({"INPUT_FAIL_ON": "high"}).fail_on is Severity.HIGH


@given(st.sampled_from([one for one in INPUTS if one.kind is not Kind.TEXT]), st.text(max_size=20))
def test_no_text_is_misread(one: Input, text: str) -> None:
    said = told = f"input `{one.name}`"
    try:
        read_inputs({f"INPUT_{one.name.upper()}": text})
    except UsageError as error:
        said = str(error)

    assert said.startswith(told)


# ---------------------------------------------------------------- events

RUNNER = {"GITHUB_REPOSITORY": "acme/shop", "GITHUB_SHA": "1" * 40}
PUSH = {"repository": {"default_branch": "main"}}


def planned(name: str, payload: object = None, ref: str = "refs/heads/main", **inputs: str) -> Plan:
    environment = RUNNER | {"GITHUB_EVENT_NAME": name, "GITHUB_REF": ref}
    event = read_event(environment, PUSH if payload is None else payload)
    given_ = {f"INPUT_{key.upper()}": text for key, text in inputs.items()}
    return plan_for(event, read_inputs(given_))


@pytest.mark.parametrize(
    ("name", "ref", "inputs", "doing", "refreshing"),
    [
        ("push", "refs/heads/main", {}, Doing.FIX, None),
        ("push", "refs/heads/topic", {}, Doing.SCAN, False),
        ("push", "refs/tags/v1", {}, Doing.SCAN, False),
        ("push", "refs/heads/hardhull", {}, Doing.NOTHING, False),
        ("push", "refs/heads/release", {"base": "release"}, Doing.FIX, None),
        ("push", "refs/heads/main", {"base": "release"}, Doing.SCAN, False),
        ("push", "refs/heads/main", {"mode": "check"}, Doing.SCAN, False),
        ("schedule", "refs/heads/main", {}, Doing.FIX, True),
        ("workflow_dispatch", "refs/heads/main", {}, Doing.FIX, True),
        ("workflow_dispatch", "refs/heads/topic", {}, Doing.SCAN, False),
        ("repository_dispatch", "refs/heads/main", {}, Doing.FIX, True),
        ("merge_group", "refs/heads/gh-readonly-queue/main/pr-1", {}, Doing.NOTHING, False),
        ("merge_group", "refs/heads/main", {"mode": "fix"}, Doing.NOTHING, False),
        ("issue_comment", "refs/heads/main", {}, Doing.NOTHING, False),
        ("issue_comment", "refs/heads/main", {"comment_commands": "true"}, Doing.FIX, None),
        ("release", "refs/tags/v1", {}, Doing.NOTHING, False),
        ("release", "refs/tags/v1", {"mode": "fix"}, Doing.FIX, None),
        ("workflow_run", "refs/heads/main", {"mode": "check"}, Doing.SCAN, False),
        ("pull_request_target", "refs/heads/main", {"mode": "check"}, Doing.SCAN, False),
    ],
)
def test_what_fits_the_event(
    name: str, ref: str, inputs: dict[str, str], doing: Doing, refreshing: bool | None
) -> None:
    plan = planned(name, ref=ref, **inputs)

    assert (plan.doing, plan.refreshing) == (doing, refreshing)
    assert "\n" not in plan.sentence


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run"])
@pytest.mark.parametrize("mode", ["auto", "fix"])
def test_events_with_a_writing_token_beside_foreign_code_are_refused(name: str, mode: str) -> None:
    with pytest.raises(UsageError, match="runs with a token that may write"):
        planned(name, mode=mode)


def test_code_is_never_written_to_a_pull_request() -> None:
    with pytest.raises(UsageError, match="never writes code"):
        planned("pull_request", event_of("pull_request.opened"), mode="fix")


@pytest.mark.parametrize(
    ("example", "doing"),
    [("opened", Doing.CHECK), ("synchronize", Doing.CHECK), ("closed", Doing.NOTHING)],
)
def test_published_pull_request_events(example: str, doing: Doing) -> None:
    assert planned("pull_request", event_of(f"pull_request.{example}")).doing is doing


def test_published_push_and_dispatch_events() -> None:
    push = event_of("push")
    branch = push["repository"]["default_branch"]
    assert planned("push", push, f"refs/heads/{branch}").doing is (
        Doing.NOTHING if push["deleted"] else Doing.FIX
    )
    push["deleted"] = False
    assert planned("push", push, f"refs/heads/{branch}").base == branch
    dispatch = event_of("workflow_dispatch")
    on = f"refs/heads/{dispatch['repository']['default_branch']}"
    assert planned("workflow_dispatch", dispatch, on).doing is Doing.FIX


def test_a_schedule_says_no_more_than_its_ref() -> None:
    plan = planned("schedule", {"schedule": "0 4 * * 1"}, "refs/heads/trunk")

    assert (plan.doing, plan.base) == (Doing.FIX, "trunk")


@pytest.mark.parametrize(
    "payload", [None, [], "x", {"pull_request": 3}, {"pull_request": {"number": "1"}}]
)
def test_a_payload_of_another_form_is_no_pull_request(payload: object) -> None:
    environment = RUNNER | {"GITHUB_EVENT_NAME": "pull_request"}

    assert read_event(environment, payload).pull is None


def test_outside_of_a_job_it_says_so() -> None:
    with pytest.raises(UsageError, match="runs in a job of GitHub Actions"):
        read_event({}, {})


def test_only_three_modes() -> None:
    assert {mode.value for mode in Mode} == set(next(i for i in INPUTS if i.name == "mode").words)


# ---------------------------------------------------------------- the log


def test_tokens_leave_the_environment() -> None:
    environment = {
        "INPUT_TOKEN": "ghs_one",
        "GITHUB_TOKEN": "ghs_two",
        "ACTIONS_RUNTIME_TOKEN": "runtime",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "identity",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example",
        "PATH": "/bin",
        "https_proxy": "http://proxy.example",
        "MY_OWN_SECRET": "that no program of ours needs",
    }
    assert set(take_secrets(environment)) == {"ghs_one", "ghs_two", "runtime", "identity"}
    assert environment == {"PATH": "/bin", "https_proxy": "http://proxy.example"}


TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


@given(TOKENS, st.text(max_size=40), st.text(max_size=40))
def test_no_secret_in_any_form_is_printed(token: str, before: str, after: str) -> None:
    stream = io.StringIO()
    log = Log(stream, [token])
    for form in forms_of(token):
        log.say(f"{before}{form}{after}")
        log.command("error", f"{before}{form}{after}", {"title": form})
        redacted = Redacted(stream, log)
        for char in f"{before}{form}{after}":
            redacted.write(char)
        redacted.close()

    assert not any(form in stream.getvalue() for form in forms_of(token))


ATTACKS = st.sampled_from(["::set-env name=x::", "##[add-mask]", "::error::", "  ::add-path::"])


@given(st.text(max_size=60), ATTACKS)
def test_no_text_becomes_a_command(text: str, attack: str) -> None:
    stream = io.StringIO()
    log = Log(stream, [])
    redacted = Redacted(stream, log)
    for line in (attack + text, text + "\n" + attack, text + attack):
        log.say(line)
        redacted.write(line + "\n")
    assert [command_in(line) for line in stream.getvalue().split("\n")] == [None] * (
        stream.getvalue().count("\n") + 1
    )


@given(st.text(max_size=40))
def test_a_command_of_ours_is_one_command_whatever_it_says(text: str) -> None:
    stream = io.StringIO()
    Log(stream, []).command("warning", text, {"title": text, "file": text})
    (line,) = stream.getvalue().removesuffix("\n").split("\n")
    found = command_in(line)
    assert found is not None
    assert found.name == "warning"


# ---------------------------------------------------------------- files


LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=60)


@given(st.dictionaries(st.sampled_from([out.name for out in OUTPUTS]), LINES))
def test_outputs_read_back_as_they_were(outputs: dict[str, str]) -> None:
    import tempfile  # noqa: PLC0415  hypothesis runs a test many times: no fixture

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "output"
        write_outputs({"GITHUB_OUTPUT": str(file)}, outputs)
        text = file.read_text(encoding="utf-8")
    found = outputs_in(text)
    assert {name: value.split() for name, value in found.items()} == {
        name: value.split() for name, value in outputs.items()
    }


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "link/x"])
def test_nothing_is_written_outside_of_the_workspace(tmp_path: Path, name: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="not in the workspace"):
        write_inside(workspace.resolve(), name, "report-file", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["workspace"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "workspace" / "secret"
    secret.parent.mkdir()
    secret.write_text("old")
    (secret.parent / "report.json").symlink_to("secret")

    write_inside(secret.parent.resolve(), "report.json", "report-file", "new")

    assert secret.read_text() == "old"
    assert not (secret.parent / "report.json").is_symlink()
    assert (secret.parent / "report.json").read_text() == "new"


def test_a_place_below_the_workspace(tmp_path: Path) -> None:
    assert inside(tmp_path.resolve(), "a/b", "path") == tmp_path.resolve() / "a/b"


def test_a_report_that_cannot_be_written_names_its_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="input `sarif-file`: file/x"):
        write_inside(tmp_path.resolve(), "file/x", "sarif-file", json.dumps({}))
