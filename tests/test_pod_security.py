"""Pod Security: what is judged how since when, and what is done when its level is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.cli import make_parser
from hardhull.commands.roots import settings_of
from hardhull.documents.source import FileKind, Source
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Level, PodSecurityLevel
from hardhull.outcome import Outcome, Status
from hardhull.project.kubernetes import read_manifest
from hardhull.project.pod_security import NEWEST, level_of, minor_of, version_of, violations
from hardhull.project.pod_security_checks import CHECKS
from hardhull.report import markdown
from hardhull.report.machine import root_report
from hardhull.report.places import Root
from hardhull.report.text import page_of
from hardhull.rules import RULES
from hardhull.run import run
from support import TODAY, texts, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.project.kubernetes import Workload

HERE = Root(".", "", inside=True)
BASELINE, RESTRICTED = PodSecurityLevel.BASELINE, PodSecurityLevel.RESTRICTED
CONTEXT = "{allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
POD_CONTEXT = "{runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}"

AGENT = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  template:
    spec:
      hostPID: true
      containers: [{name: agent, image: acme.example/agent:1}]
"""


def pod(
    spec: str = f"securityContext: {POD_CONTEXT}",
    container: str = f"securityContext: {CONTEXT}",
    notes: str = "{}",
) -> str:
    """A pod with these lines at itself, at its container, and as annotations."""
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", "  name: web", f"  annotations: {notes}"]
    lines += ["spec:", *(f"  {line}" for line in spec.splitlines() if line)]
    lines += ["  containers:", "    - name: app", "      image: acme.example/app:1"]
    lines += [f"      {line}" for line in container.splitlines() if line]
    return "\n".join(lines) + "\n"


def workload(text: str) -> Workload:
    file = read_yaml(Source("k8s.yaml", FileKind.YAML, text))
    assert isinstance(file, YamlFile)
    (found,) = read_manifest(file).workloads
    return found


def refused(text: str, level: PodSecurityLevel = RESTRICTED, version: str = "latest") -> set[str]:
    return {broken.check for broken in violations(workload(text), level, version)}


# ---------------------------------------------------------------- what is judged how


def test_a_pod_with_all_that_is_wanted_is_restricted() -> None:
    assert level_of(workload(pod()), "latest") is RESTRICTED


def test_a_pod_that_says_nothing_is_baseline() -> None:
    assert level_of(workload(pod("", "")), "latest") is BASELINE
    assert refused(pod("", "")) == {
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    }


@pytest.mark.parametrize(
    ("text", "check", "level"),
    [
        (pod("hostPID: true"), "hostNamespaces", BASELINE),
        (pod("hostNetwork: true"), "hostNamespaces", BASELINE),
        (pod(container="securityContext: {privileged: true}"), "privileged", BASELINE),
        (
            pod(container="securityContext: {capabilities: {add: [NET_RAW]}}"),
            "capabilities_baseline",
            BASELINE,
        ),
        (
            pod(container="securityContext: {capabilities: {drop: [ALL], add: [CHOWN]}}"),
            "capabilities_restricted",
            RESTRICTED,
        ),
        (
            pod(container="securityContext: {capabilities: {drop: [all]}}"),
            "capabilities_restricted",
            RESTRICTED,
        ),
        (pod("volumes: [{name: a, hostPath: {path: /srv}}]"), "hostPathVolumes", BASELINE),
        (pod("volumes: [{name: a, nfs: {server: s, path: /}}]"), "restrictedVolumes", RESTRICTED),
        (
            pod(container="ports: [{containerPort: 80, hostPort: 80}]"),
            "hostPorts",
            BASELINE,
        ),
        (
            pod(container="livenessProbe: {httpGet: {host: 10.0.0.1, port: 80}}"),
            "hostProbesAndHostLifecycle",
            BASELINE,
        ),
        (
            pod(container="lifecycle: {preStop: {tcpSocket: {host: localhost, port: 80}}}"),
            "hostProbesAndHostLifecycle",
            BASELINE,
        ),
        (pod(container="securityContext: {procMount: Unmasked}"), "procMount", BASELINE),
        (
            pod("securityContext: {seLinuxOptions: {type: spc_t}}"),
            "seLinuxOptions",
            BASELINE,
        ),
        (
            pod("securityContext: {seLinuxOptions: {user: root}}"),
            "seLinuxOptions",
            BASELINE,
        ),
        (
            pod("securityContext: {appArmorProfile: {type: Unconfined}}"),
            "appArmorProfile",
            BASELINE,
        ),
        (
            pod(notes="{container.apparmor.security.beta.kubernetes.io/app: unconfined}"),
            "appArmorProfile",
            BASELINE,
        ),
        (
            pod("securityContext: {seccompProfile: {type: Unconfined}}"),
            "seccompProfile_baseline",
            BASELINE,
        ),
        (
            pod("securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}"),
            "sysctls",
            BASELINE,
        ),
        (
            pod("securityContext: {windowsOptions: {hostProcess: true}}"),
            "windowsHostProcess",
            BASELINE,
        ),
        (pod("securityContext: {runAsUser: 0}"), "runAsUser", RESTRICTED),
        (pod("securityContext: {runAsNonRoot: false}"), "runAsNonRoot", RESTRICTED),
    ],
)
def test_each_check_refuses(text: str, check: str, level: PodSecurityLevel) -> None:
    assert check in refused(text, level)


@pytest.mark.parametrize(
    ("text", "check", "before", "since"),
    [
        # Refused until a version, ...
        (pod("securityContext: {seLinuxOptions: {type: container_engine_t}}"), "seLinuxOptions",
         "v1.30", ""),
        (pod("securityContext: {sysctls: [{name: net.ipv4.tcp_rmem, value: '1'}]}"), "sysctls",
         "v1.31", ""),
        (pod("securityContext: {sysctls: [{name: net.ipv4.tcp_notsent_lowat, value: '1'}]}"),
         "sysctls", "v1.36", ""),
        (pod(f"os: {{name: windows}}\nsecurityContext: {POD_CONTEXT}", ""),
         "allowPrivilegeEscalation", "v1.24", ""),
        (pod("hostUsers: false\nsecurityContext: {runAsUser: 0}"), "runAsUser", "v1.34", ""),
        (pod("hostUsers: false", ""), "runAsNonRoot", "v1.34", ""),
        (pod(notes="{seccomp.security.alpha.kubernetes.io/pod: unconfined}"),
         "seccompProfile_baseline", "v1.18", ""),
        # ... or since one.
        (pod(container=""), "allowPrivilegeEscalation", "", "v1.8"),
        (pod(container=""), "capabilities_restricted", "", "v1.22"),
        (pod("securityContext: {runAsUser: 0}"), "runAsUser", "", "v1.23"),
        (pod("", ""), "seccompProfile_restricted", "", "v1.19"),
        (pod(container="startupProbe: {tcpSocket: {host: localhost, port: 1}}"),
         "hostProbesAndHostLifecycle", "", "v1.34"),
    ],
)  # fmt: skip
def test_checks_change_with_versions(text: str, check: str, before: str, since: str) -> None:
    if before:
        assert check in refused(text, version=before)
        assert check not in refused(text, version=f"v1.{minor_of(before) + 1}")
    else:
        assert check in refused(text, version=since)
        assert check not in refused(text, version=f"v1.{minor_of(since) - 1}")


def test_root_that_is_nobody_on_the_host_may_see_proc_at_baseline_only() -> None:
    text = pod("hostUsers: false", "securityContext: {procMount: Unmasked}")

    assert "procMount" not in refused(text, BASELINE, "v1.35")
    assert "procMount" in refused(text, BASELINE, "v1.34")
    assert "procMount_restricted" in refused(text, RESTRICTED, "v1.35")


def test_a_placeholder_is_not_known_to_pass() -> None:
    text = pod(container="securityContext: {privileged: '{{ .Values.privileged }}'}")

    assert "privileged" in refused(text, BASELINE)


@pytest.mark.parametrize("empty", ["null", "~", ""])
def test_null_is_nothing(empty: str) -> None:
    text = pod(f"hostPID: {empty}\nsecurityContext: {POD_CONTEXT}")

    assert level_of(workload(text), "latest") is RESTRICTED


def test_containers_of_all_kinds_count() -> None:
    inner = "[{name: a, image: b, securityContext: {privileged: true}}]"
    for key in ("initContainers", "ephemeralContainers"):
        found = violations(workload(pod(f"{key}: {inner}")), BASELINE, "latest")

        assert [(broken.check, broken.where) for broken in found] == [
            ("privileged", f"Pod/web.{key}[a]")
        ]


@pytest.mark.parametrize(
    ("api", "kind", "body"),
    [
        ("apps/v1", "Deployment", "{template: {spec: &pod {hostIPC: true, containers: []}}}"),
        ("batch/v1", "Job", "{template: {spec: {hostIPC: true, containers: []}}}"),
        (
            "batch/v1",
            "CronJob",
            "{jobTemplate: {spec: {template: {spec: {hostIPC: true, containers: []}}}}}",
        ),
    ],
)
def test_all_kinds_of_workloads_are_judged_by_their_pods(api: str, kind: str, body: str) -> None:
    text = f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: web}}\nspec: {body}\n"

    assert level_of(workload(text), "latest") is PodSecurityLevel.PRIVILEGED


def test_versions_are_read_as_kubernetes_reads_them() -> None:
    assert minor_of("latest") == minor_of("v1.99") == NEWEST
    assert version_of("latest") == f"v1.{NEWEST}"
    assert version_of("v1.30") == "v1.30"


@given(st.integers(0, NEWEST), st.sampled_from([pod("hostPID: true"), pod("", ""), pod()]))
def test_what_passes_a_level_passes_the_lower_one(minor: int, text: str) -> None:
    version = f"v1.{minor}"
    if not refused(text, RESTRICTED, version):
        assert not refused(text, BASELINE, version)
    assert not refused(text, PodSecurityLevel.PRIVILEGED, version)


def test_every_check_has_a_rule() -> None:
    covered = {check for rule in RULES for check in rule.pod_security}

    assert covered == {check.id for check in CHECKS}


# ---------------------------------------------------------------- what is done when it is asked for


def asked(root: Path, files: dict[str, str], settings: str = "", *more: str) -> Outcome:
    """What `hardhull fix --select pod-security` does."""
    write(root, files)
    write(root, {".github/hardhull.yml": f"applications: all\n{settings}"})
    arguments = make_parser().parse_args(["fix", "--select", "pod-security", *more, str(root)])
    return run(root, settings_of(root, arguments), fixing=True, today=TODAY)


def test_a_pod_of_an_unknown_image_is_brought_to_its_level(tmp_path: Path) -> None:
    before = pod(
        f"hostNetwork: true\nhostPID: true\nsecurityContext: {POD_CONTEXT}",
        """\
ports:
  - containerPort: 8080
    hostPort: 8080
livenessProbe:
  httpGet:
    host: 127.0.0.1
    port: 8080
securityContext:
  privileged: true
  procMount: Unmasked
  appArmorProfile:
    type: Unconfined
  capabilities:
    add: [SYS_ADMIN, chown, NET_BIND_SERVICE]
""",
    )
    after = pod(
        f"securityContext: {POD_CONTEXT}",
        """\
ports:
  - containerPort: 8080
livenessProbe:
  httpGet:
    port: 8080
securityContext:
  privileged: false
  procMount: Default
  capabilities:
    add: [NET_BIND_SERVICE]
    drop:
      - ALL
  allowPrivilegeEscalation: false
""",
    )
    result = asked(tmp_path, {"pod.yaml": before})

    assert level_of(workload(result.after["pod.yaml"].text), "latest") is RESTRICTED
    assert texts(result) == {"pod.yaml": after}
    assert all(change.fix.level is Level.REVIEW for change in result.changes)


def test_at_baseline_nothing_is_done_that_only_restricted_wants(tmp_path: Path) -> None:
    settings = "pod-security: {level: baseline}\n"
    result = asked(tmp_path, {"pod.yaml": pod("", "")}, settings)

    assert result.entries == ()


def test_at_baseline_a_capability_is_spelled_as_it_is_read(tmp_path: Path) -> None:
    text = pod("", "securityContext: {capabilities: {add: [chown, NET_ADMIN, KILL]}}")
    result = asked(tmp_path, {"pod.yaml": text}, "pod-security: {level: baseline}\n")

    assert texts(result) == {"pod.yaml": text.replace("chown, NET_ADMIN", "CHOWN")}


def test_before_a_check_came_nothing_is_done_for_it(tmp_path: Path) -> None:
    text = pod(container="")
    settings = "pod-security: {version: v1.7}\n"

    assert asked(tmp_path, {"pod.yaml": text}, settings).entries == ()


def test_what_is_seen_to_need_the_host_still_keeps_it(tmp_path: Path) -> None:
    text = pod("hostPID: true", "command: [nsenter, -t, '1']")
    result = asked(tmp_path, {"pod.yaml": text}, "pod-security: {level: baseline}\n")
    (entry,) = result.entries

    assert entry.status is Status.WITHHELD
    assert "works on the host" in entry.reason


@pytest.mark.parametrize(
    "text",
    [
        pod("hostPID: true\nvolumes: [{name: host, hostPath: {path: /}}]"),
        pod("hostPID: true").replace("  name: web\n", "  name: web\n  namespace: kube-system\n"),
        AGENT,
    ],
    ids=["will not pass anyway", "the cluster's own", "on every node"],
)
def test_what_looks_after_nodes_loses_nothing(tmp_path: Path, text: str) -> None:
    result = asked(tmp_path, {"pod.yaml": text}, "pod-security: {level: baseline}\n")
    held = [e for e in result.entries if e.finding.rule == "host-namespaces"]

    assert texts(result) == {}
    assert [entry.status for entry in held] == [Status.WITHHELD]
    assert "what it uses this for is not known" in held[0].reason


def test_compose_is_no_matter_of_pod_security(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  web:\n    build: .\n    privileged: true\n"}
    files["Dockerfile"] = "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCMD dotnet app.dll\n"

    assert asked(tmp_path, files).entries == ()


def test_other_rules_beside_it_find_what_they_always_do(tmp_path: Path) -> None:
    text = pod("automountServiceAccountToken: true\n" + f"securityContext: {POD_CONTEXT}")
    result = asked(tmp_path, {"pod.yaml": text}, "", "--select", "service-account-token")

    assert {entry.finding.rule for entry in result.entries} == {"service-account-token"}


def test_a_rule_that_is_selected_by_its_own_name_is_not_limited(tmp_path: Path) -> None:
    write(tmp_path, {"pod.yaml": pod("", "")})
    write(
        tmp_path, {".github/hardhull.yml": "applications: all\npod-security: {level: baseline}\n"}
    )
    arguments = make_parser().parse_args(["fix", "--select", "privilege-escalation", str(tmp_path)])
    result = run(tmp_path, settings_of(tmp_path, arguments), fixing=True, today=TODAY)

    assert [entry.status for entry in result.entries] == [Status.FIXED]


def test_kubernetes_that_reads_annotations_gets_one(tmp_path: Path) -> None:
    text = pod("", "", "{seccomp.security.alpha.kubernetes.io/pod: unconfined}")
    settings = "pod-security: {level: baseline, version: v1.18}\n"

    assert texts(asked(tmp_path, {"pod.yaml": text}, settings)) == {
        "pod.yaml": text.replace("unconfined", "runtime/default")
    }


def test_a_host_process_keeps_the_network_it_needs(tmp_path: Path) -> None:
    text = pod("hostNetwork: true\nsecurityContext: {windowsOptions: {hostProcess: true}}", "")
    result = asked(tmp_path, {"pod.yaml": text}, "pod-security: {level: baseline}\n")

    assert texts(result) == {}
    assert {entry.finding.rule for entry in result.entries} == {"host-process", "host-namespaces"}


# ---------------------------------------------------------------- what is told


def test_reports_tell_the_level_before_and_after(tmp_path: Path) -> None:
    text = pod(f"hostPID: true\nsecurityContext: {POD_CONTEXT}")
    result = asked(tmp_path, {"pod.yaml": text})

    assert page_of(result, HERE).pods == ("pod.yaml Pod/web: privileged → restricted",)
    assert "| `pod.yaml` `Pod/web` | privileged → restricted | nothing |" in markdown.body_of(
        result, HERE
    )
    (told,) = root_report(result, ".")["pod_security"]
    assert (told["before"], told["after"], told["missing"]) == ("privileged", "restricted", [])


def test_what_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    text = pod("hostUsers: true\nsecurityContext: {seccompProfile: {type: RuntimeDefault}}")
    result = asked(tmp_path, {"pod.yaml": text})

    assert page_of(result, HERE).pods == (
        f"pod.yaml Pod/web: baseline; for restricted v1.{NEWEST}: runAsNonRoot",
    )
    (told,) = root_report(result, ".")["pod_security"]
    assert told["missing"] == [
        {
            "check": "runAsNonRoot",
            "message": "runAsNonRoot is not true",
            "where": "Pod/web.containers[app]",
            "line": 10,
        }
    ]


def test_workloads_alike_share_a_line(tmp_path: Path) -> None:
    files = {f"{name}.yaml": pod("", "").replace("web", name) for name in ("a", "b", "c")}
    result = asked(tmp_path, files, "pod-security: {version: v1.7}\n")

    assert [line.partition(";")[0] for line in page_of(result, HERE).pods] == [
        "a.yaml Pod/a and 2 more: baseline"
    ]


def test_a_workload_as_it_should_be_is_not_told(tmp_path: Path) -> None:
    result = asked(tmp_path, {"pod.yaml": pod()})

    assert page_of(result, HERE).pods == ()
    assert json.dumps(root_report(result, ".")["pod_security"]).count("restricted") == 3


def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    text = pod("", "").replace("name: web", 'name: "we\\u001b[31mb\\n::error::x"')
    result = asked(tmp_path, {"pod.yaml": text})
    (line,) = page_of(result, HERE).pods

    assert "\x1b" not in line
    assert "\n" not in line
