"""Charts as a whole: the laws over every example, and a helm that renders before and after.

The examples are in `cases/charts`; what each must become is told by `test_cases`.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hardhull.documents.source import apply_edits, undo_edits
from support import outcome, texts, write
from test_chart_rendering import HELM, helm, loaded, needs_helm

if TYPE_CHECKING:
    from hardhull.outcome import Outcome

FOLDERS = sorted(Path(__file__).parent.joinpath("cases", "charts").iterdir())
cases = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
BOM = b"\xef\xbb\xbf"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(root: Path, folder: Path, files: dict[str, bytes]) -> Outcome:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    write(root, files)
    return outcome(root, digests=case.get("digests"), only=False)


@cases
def test_a_second_run_changes_nothing(tmp_path: Path, folder: Path) -> None:
    files = {**files_of(folder / "before"), **files_of(folder / "after")}

    assert texts(run(tmp_path, folder, files)) == {}


@cases
def test_the_crlf_and_bom_twin_becomes_the_twin(tmp_path: Path, folder: Path) -> None:
    def twin(data: bytes) -> bytes:
        return BOM + data.replace(b"\n", b"\r\n")

    result = run(tmp_path, folder, {p: twin(d) for p, d in files_of(folder / "before").items()})
    changed = {path: result.after[path].to_bytes() for path in result.changed}

    assert changed == {path: twin(data) for path, data in files_of(folder / "after").items()}


@cases
def test_undoing_the_edits_gives_the_original(tmp_path: Path, folder: Path) -> None:
    result = run(tmp_path, folder, files_of(folder / "before"))
    steps = [(path, edits) for change in result.changes for path, edits in change.edits]
    seen = {path: [source.text] for path, source in result.before.items()}
    for path, edits in steps:
        seen[path].append(apply_edits(seen[path][-1], edits))
    assert {path: before[-1] for path, before in seen.items()} == {
        path: source.text for path, source in result.after.items()
    }
    for path, edits in reversed(steps):
        now = seen[path].pop()
        assert apply_edits(now, undo_edits(edits, seen[path][-1])) == seen[path][-1]


@cases
def test_files_cut_off_anywhere_never_raise(tmp_path: Path, folder: Path) -> None:
    files = files_of(folder / "before")
    charts = [p for p in files if p.endswith((".tpl", ".yaml", ".json"))]
    for number, path in enumerate(charts):
        length = len(files[path]) * (number % 4 + 1) // 5
        result = run(tmp_path, folder, {**files, path: files[path][:length]})
        assert result.crashes == ()


# ---------------------------------------------------------------- judged by helm


@needs_helm
@cases
def test_only_what_was_announced_differs(tmp_path: Path, folder: Path) -> None:
    """Objects before and after, rendered by helm, differ in hardened keys and moved ports alone."""
    before = files_of(folder / "before")
    after = {**before, **files_of(folder / "after")}
    write(tmp_path / "a", dict(before))
    write(tmp_path / "b", dict(after))
    for chart in sorted((tmp_path / "a").rglob("Chart.yaml")):
        root = chart.parent
        inside = root.parent.name == "charts"
        about = chart.read_text("utf-8")
        if inside or "repository:" in about or "library" in about:
            continue  # helm renders it with its parent, or only once it is packed
        other = tmp_path / "b" / root.relative_to(tmp_path / "a")
        for values in ((), *((path,) for path in sorted(root.glob("values?*.yaml")))):
            one = leaves(loaded(helm(root, *values)))
            two = leaves(loaded(helm(other, *(other / path.name for path in values))))
            changed = {key for key in one.keys() | two.keys() if one.get(key) != two.get(key)}
            assert [key for key in sorted(changed, key=repr) if not announced(key)] == []


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    found: dict[tuple[str | int, ...], Any] = {}
    entries: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    for key, inner in entries:
        found |= leaves(inner, (*at, key))
    return found if entries else {at: value}


def announced(key: tuple[str | int, ...]) -> bool:
    hardened = {"securityContext", "volumes", "volumeMounts", "automountServiceAccountToken"}
    return bool(hardened & set(key)) or key[-1] in (
        "image",
        "containerPort",
        "targetPort",
        "port",
    )


@needs_helm
@cases
def test_helm_lints_no_worse(tmp_path: Path, folder: Path) -> None:
    assert HELM is not None
    before = files_of(folder / "before")
    for name, files in (("a", before), ("b", {**before, **files_of(folder / "after")})):
        write(tmp_path / name, dict(files))
    for chart in sorted((tmp_path / "a").rglob("Chart.yaml")):
        codes = [
            subprocess.run([HELM, "lint", str(root)], check=False, capture_output=True).returncode
            for root in (chart.parent, tmp_path / "b" / chart.parent.relative_to(tmp_path / "a"))
        ]
        assert codes[1] <= codes[0]


# ---------------------------------------------------------------- what is told


DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/aspnet:8.0-noble-chiseled
COPY out /app
ENTRYPOINT ["dotnet", "/app/Shop.dll"]
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: registry.example/shop:{{ .Values.tag }}
"""
CHART = {
    "shop/Dockerfile": DOCKERFILE,
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "chart/values.yaml": "tag: '1'\n",
}
RULE = "privilege-escalation"


def reasons(root: Path, files: dict[str, str]) -> list[str]:
    write(root, dict(files))
    found = outcome(root, RULE).entries
    return [f"{entry.status.value} {entry.reason}".strip() for entry in found]


def test_a_suppression_in_a_template_counts(tmp_path: Path) -> None:
    said = DEPLOYMENT.replace(
        "        - name", f"        # hardhull: ignore[{RULE}] a demo\n        - name"
    )

    (reason,) = reasons(tmp_path, {**CHART, "chart/templates/a.yaml": said})

    assert reason == "accepted hardhull (chart/templates/a.yaml:10): a demo"


def test_findings_point_at_the_template(tmp_path: Path) -> None:
    write(tmp_path, {**CHART, "chart/templates/a.yaml": "{{/* one */}}\n" + DEPLOYMENT})
    (entry,) = outcome(tmp_path, RULE, fixing=False).entries

    assert entry.finding.path == "chart/templates/a.yaml"
    source = outcome(tmp_path, RULE, fixing=False).before["chart/templates/a.yaml"]
    assert source.line_of(entry.finding.span.start) == 11


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ if }}", "not a Go template: an action that is not complete"),
        ("kind: {{ .Values.tag }}\n a: {{ b", "not a Go template: an action that does not end"),
        ("kind: a\nb: [{{ .Values.tag }}\n", "chart template: renders what is not valid YAML"),
        ('kind: a\n{{ fail "no" }}', "chart template: the chart refuses its own default values"),
        ('{{ include "no" . }}', "chart template: calls a template of a chart that is not here"),
        ("kind: {{ $x }}", "chart template: the variable $x is not set"),
    ],
)
def test_what_can_not_be_rendered_is_told(tmp_path: Path, template: str, reason: str) -> None:
    write(tmp_path, {**CHART, "chart/templates/a.yaml": template})
    (skipped,) = outcome(tmp_path).skipped

    assert (skipped.path, skipped.line > 0) == ("chart/templates/a.yaml", True)
    assert skipped.reason.startswith(reason)


def test_a_chart_without_values_takes_what_its_template_says(tmp_path: Path) -> None:
    files = {**CHART, "chart/templates/a.yaml": DEPLOYMENT.replace("{{ .Values.tag }}", "1")}
    del files["chart/values.yaml"]

    assert reasons(tmp_path, files) == ["fixed"]


def test_a_place_that_only_values_could_fill_needs_a_values_file(tmp_path: Path) -> None:
    context = "          securityContext: {{- toYaml .Values.context | nindent 12 }}\n"
    text = DEPLOYMENT.replace("{{ .Values.tag }}", "1") + context
    files = {**CHART, "chart/templates/a.yaml": text}
    del files["chart/values.yaml"]

    assert reasons(tmp_path, files) == [
        "withheld chart/templates/a.yaml: the chart has no values file to say it in"
    ]


def test_a_branch_that_is_not_taken_may_write_the_same_key(tmp_path: Path) -> None:
    branch = (
        "          {{- if .Values.strict }}\n"
        "          securityContext: {runAsUser: 1654}\n"
        "          {{- end }}\n"
    )

    assert reasons(tmp_path, {**CHART, "chart/templates/a.yaml": DEPLOYMENT + branch}) == [
        "withheld chart/templates/a.yaml:13: a branch that these values do not take writes it"
    ]


def test_a_value_that_a_command_sets_is_left_to_it(tmp_path: Path) -> None:
    context = (
        "          securityContext:\n"
        "            allowPrivilegeEscalation: {{ .Values.escalation }}\n"
    )
    files = {
        **CHART,
        "chart/values.yaml": "tag: '1'\nescalation: true\n",
        "chart/templates/a.yaml": DEPLOYMENT + context,
        "deploy.sh": "helm upgrade --install shop chart --set tag=2,escalation=true\n",
    }

    assert reasons(tmp_path, files) == [
        "withheld chart/templates/a.yaml: deploy.sh:1 sets this value too"
    ]


def test_what_would_stay_where_other_values_are_given_is_told(tmp_path: Path) -> None:
    context = (
        "          {{- if .Values.context }}\n"
        "          securityContext: {{- toYaml .Values.context | nindent 12 }}\n"
        "          {{- else }}\n"
        "          securityContext:\n"
        "            runAsUser: 1654\n"
        "          {{- end }}\n"
    )

    (reason,) = reasons(tmp_path, {**CHART, "chart/templates/a.yaml": DEPLOYMENT + context})

    assert reason.endswith(
        "securityContext.allowPrivilegeEscalation would stay as it is, if Values.context were set"
    )


def test_an_alias_in_values_is_refused(tmp_path: Path) -> None:
    context = "          securityContext: {{- toYaml .Values.context | nindent 12 }}\n"
    files = {
        **CHART,
        "chart/values.yaml": "tag: '1'\nbase: &base {runAsUser: 1654}\ncontext: *base\n",
        "chart/templates/a.yaml": DEPLOYMENT + context,
    }

    assert reasons(tmp_path, files) == [
        "withheld chart/values.yaml:3: the way goes through the alias *base"
    ]


def test_a_placeholder_in_values_is_no_value(tmp_path: Path) -> None:
    context = "          securityContext: {{- toYaml .Values.context | nindent 12 }}\n"
    files = {
        **CHART,
        "chart/values.yaml": "tag: __TAG__\ncontext: '__CONTEXT__'\n",
        "chart/templates/a.yaml": DEPLOYMENT + context,
    }
    assert reasons(tmp_path, files) == [
        "withheld chart/values.yaml:2: a placeholder stands here, its value is not known"
    ]


def test_excluded_charts_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {**CHART, "chart/templates/a.yaml": DEPLOYMENT})
    result = outcome(tmp_path, settings="paths: {exclude: [chart/]}\n")

    assert not [entry for entry in result.entries if "chart/" in entry.finding.path]
    assert not [path for path in result.changed if "chart/" in path]


def test_a_line_that_ends_in_what_another_file_defines_is_its_templates_own(tmp_path: Path) -> None:
    helpers = '{{- define "shop.full" -}}\n{{- .Release.Name }}-shop\n{{- end }}\n'
    volumes = (
        "          volumeMounts:\n            - mountPath: /config\n"
        '              name: {{ include "shop.full" . }}\n'
        "      volumes:\n        - configMap:\n            name: some\n"
        '          name: {{ include "shop.full" . }}  # ours\n'
        "      {{- with .Values.nodeSelector }}\n      nodeSelector: {{ toJson . }}\n"
        "      {{- end }}\n"
    )
    path = "chart/templates/a.yaml"
    files = {**CHART, "chart/templates/_helpers.tpl": helpers, path: DEPLOYMENT + volumes}
    result = outcome(write(tmp_path, files), "writable-root-filesystem", only=False)
    changed = {
        one: text for one, text in texts(result).items() if one.startswith("chart/templates")
    }

    mount = "            - name: tmp\n              mountPath: /tmp\n      volumes:\n"
    volume = "  # ours\n        - name: tmp\n          emptyDir: {}\n      {{- with"
    assert list(changed) == [path]
    assert mount in changed[path]
    assert volume in changed[path]
