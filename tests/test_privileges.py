"""What the examples of the rules about privileges can't say: more files, levels, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.model import Level
from hardhull.outcome import Entry, Outcome, Status
from hardhull.rules.privileges.examples import (
    AS_ROOT,
    COMPOSE,
    DOCKERFILE,
    POD,
    SERVICE,
    in_compose,
    in_pod,
)
from support import outcome, texts, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RULES = (
    "privileged-container",
    "dangerous-capabilities",
    "capabilities-not-dropped",
    "privilege-escalation",
    "missing-seccomp-profile",
    "host-namespaces",
    "host-port",
    "host-path",
    "docker-socket",
    "service-account-token",
)
SPEC = "    spec:\n"
CONTEXT = "          securityContext:\n"


def run(root: Path, files: Mapping[str, str], *rules: str) -> Outcome:
    return outcome(write(root, files), *rules)


def only(result: Outcome, rule: str) -> Entry:
    (entry,) = [entry for entry in result.entries if entry.finding.rule == rule]
    return entry


def notes(entry: Entry) -> str:
    assert entry.change is not None, entry.reason
    return " ".join(entry.change.fix.notes)


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        ("os", "      os: {name: windows}\n"),
        ("selector", "      nodeSelector: {kubernetes.io/os: windows}\n"),
        ("image", ""),
    ],
)
def test_windows_pods_are_left_alone(tmp_path: Path, mark: str, text: str) -> None:
    pod = POD.replace(SPEC, SPEC + text + "      hostNetwork: true\n")
    if mark == "image":
        pod = pod.replace("api:1", "api:1-nanoserver-ltsc2022")
    pod += CONTEXT + "            privileged: true\n"

    result = run(tmp_path, in_pod(pod), *RULES)

    assert [entry.finding.rule for entry in result.entries] == []


def test_a_placeholder_is_never_overwritten(tmp_path: Path) -> None:
    pod = (
        POD
        + CONTEXT
        + (
            "            privileged: #{privileged}#\n"
            "            capabilities:\n"
            "              drop: ${DROP}\n"
            "            seccompProfile: {type: __PROFILE__}\n"
        )
    )

    result = run(tmp_path, in_pod(pod), "capabilities-not-dropped", "missing-seccomp-profile")

    assert texts(result) == {}


def test_what_a_pod_shares_is_one_finding_whatever_its_containers(tmp_path: Path) -> None:
    pod = POD.replace(SPEC, SPEC + "      hostPID: true\n      hostIPC: true\n")
    pod += "      initContainers:\n        - name: first\n          image: acme.example/api:1\n"

    result = run(tmp_path, in_pod(pod), "host-namespaces")

    assert [(e.finding.where, e.finding.what) for e in result.entries] == [
        ("Deployment/api", "hostPID"),
        ("Deployment/api", "hostIPC"),
    ]
    assert "host" not in texts(result)["k8s/api.yaml"]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("          env: [{name: AGENT, value: 'http://localhost:8126'}]\n", "speaks of localhost"),
        (
            "          livenessProbe: {httpGet: {host: 127.0.0.1, port: 8080}}\n",
            "asks the host's address",
        ),
        ("          ports: [{containerPort: 8080, hostPort: 8080}]\n", "has a hostPort"),
        ("          command: [nsenter, -t, '1']\n", "works on the host"),
    ],
)
def test_the_hosts_network_stays_where_it_is_used(tmp_path: Path, inside: str, reason: str) -> None:
    pod = POD.replace(SPEC, SPEC + "      hostNetwork: true\n") + inside
    files = {**in_pod(pod), "k8s/service.yaml": SERVICE}

    entry = only(run(tmp_path, files, "host-namespaces"), "host-namespaces")

    assert entry.status is Status.WITHHELD
    assert reason in entry.reason


def test_a_host_port_goes_with_its_address(tmp_path: Path) -> None:
    ports = "          ports: [{containerPort: 8080, hostPort: 8080, hostIP: 10.0.0.1}]\n"
    files = {**in_pod(POD + ports), "k8s/service.yaml": SERVICE}

    result = run(tmp_path, files, "host-port")

    assert texts(result)["k8s/api.yaml"] == POD + "          ports: [{containerPort: 8080}]\n"


def test_injected_sidecars_get_no_profile_of_ours(tmp_path: Path) -> None:
    pod = POD.replace("      labels: {app: api}\n", (
        "      labels: {app: api, sidecar.istio.io/inject: 'true'}\n"
    ))  # fmt: skip

    result = run(tmp_path, in_pod(pod), "missing-seccomp-profile")

    assert (
        "          securityContext:\n            seccompProfile:" in texts(result)["k8s/api.yaml"]
    )
    assert "sidecar.istio.io/inject adds others" in notes(only(result, "missing-seccomp-profile"))


def test_an_unknown_init_container_makes_the_pods_profile_a_matter_of_review(
    tmp_path: Path,
) -> None:
    pod = POD + "      initContainers: [{name: wait, image: 'acme.example/wait:2'}]\n"

    result = run(tmp_path, in_pod(pod), "missing-seccomp-profile")

    assert {change.fix.level for change in result.changes} == {Level.REVIEW}
    assert texts(result)["k8s/api.yaml"].count("RuntimeDefault") == 1


_ROUTE = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: api}\n"
_SET_THERE = (
    "missing-seccomp-profile",
    "capabilities-not-dropped",
    "privilege-escalation",
    "workload-may-run-as-root",
)


@pytest.mark.parametrize("rule", _SET_THERE)
def test_what_openshift_sets_itself_is_no_finding(tmp_path: Path, rule: str) -> None:
    files = in_pod(POD)

    assert run(tmp_path / "a", files, rule).entries
    assert run(tmp_path / "b", {**files, "k8s/route.yaml": _ROUTE}, rule).entries == ()


def test_what_openshift_would_be_told_otherwise_is_one(tmp_path: Path) -> None:
    pod = POD + (
        "          securityContext:\n            allowPrivilegeEscalation: true\n"
        "            seccompProfile: {type: Unconfined}\n            runAsUser: 0\n"
        "            capabilities: {drop: [KILL]}\n"
    )
    for rule in _SET_THERE:
        result = run(tmp_path / rule, {**in_pod(pod), "k8s/route.yaml": _ROUTE}, rule)
        assert result.entries, rule


def test_routes_of_others_are_not_openshifts(tmp_path: Path) -> None:
    route = _ROUTE.replace("route.openshift.io", "serving.knative.dev")

    assert run(tmp_path, {**in_pod(POD), "k8s/route.yaml": route}, "privilege-escalation").entries


def test_a_knative_service_has_no_context_of_its_pod(tmp_path: Path) -> None:
    pod = POD.replace("apps/v1", "serving.knative.dev/v1").replace("Deployment", "Service")

    result = run(tmp_path, in_pod(pod), "missing-seccomp-profile")

    assert (
        "          securityContext:\n            seccompProfile:" in texts(result)["k8s/api.yaml"]
    )


def test_todays_image_and_tomorrows_manifest(tmp_path: Path) -> None:
    result = run(tmp_path, in_pod(POD, AS_ROOT), "image-runs-as-root", "capabilities-not-dropped")
    entry = only(result, "capabilities-not-dropped")

    assert "USER $APP_UID" in texts(result)["api/Dockerfile"]
    assert "drop:" in texts(result)["k8s/api.yaml"]
    assert entry.change is not None
    assert entry.change.fix.level is Level.REVIEW
    assert "order of roll-out" in notes(entry)


def test_compose_builds_and_starts_together(tmp_path: Path) -> None:
    result = run(
        tmp_path, in_compose(COMPOSE, AS_ROOT), "image-runs-as-root", "capabilities-not-dropped"
    )
    entry = only(result, "capabilities-not-dropped")

    assert entry.change is not None
    assert entry.change.fix.level is Level.ROUTINE


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"api/start.sh": "#!/bin/sh\nexec gosu app dotnet /app/Api.dll\n"}, "changes the user"),
        ({"api/start.sh": "#!/bin/sh\n# gosu was here\nexec dotnet /app/Api.dll\n"}, ""),
        ({}, "whether start.sh changes the user"),
    ],
)
def test_scripts_are_read_where_they_are(tmp_path: Path, more: dict[str, str], reason: str) -> None:
    image = DOCKERFILE.replace('["dotnet", "/app/Api.dll"]', '["/app/start.sh"]')

    entry = only(
        run(tmp_path, {**in_pod(POD, image), **more}, "capabilities-not-dropped"),
        "capabilities-not-dropped",
    )

    assert reason in (entry.reason or notes(entry))
    assert (entry.status is Status.WITHHELD) == ("changes the user" in entry.reason)


def test_the_pods_command_replaces_the_images(tmp_path: Path) -> None:
    image = DOCKERFILE.replace('["dotnet"', '["gosu", "app", "dotnet"')
    pod = POD + '          command: ["dotnet", "/app/Api.dll"]\n'

    entry = only(
        run(tmp_path, in_pod(pod, image), "capabilities-not-dropped"), "capabilities-not-dropped"
    )

    assert entry.status is Status.FIXED


def test_programs_with_capabilities_of_their_own_need_them(tmp_path: Path) -> None:
    image = DOCKERFILE.replace("COPY", "RUN setcap cap_net_raw+ep /bin/ping\nCOPY", 1)

    entry = only(
        run(tmp_path, in_pod(POD, image), "capabilities-not-dropped"), "capabilities-not-dropped"
    )

    assert "could not start" in entry.reason


def test_an_unknown_image_that_must_not_be_root_is_a_matter_of_review(tmp_path: Path) -> None:
    pod = POD.replace(SPEC, SPEC + "      securityContext: {runAsNonRoot: true}\n")
    pod += "      initContainers: [{name: wait, image: 'acme.example/wait:2'}]\n"

    result = run(tmp_path, in_pod(pod), "capabilities-not-dropped")
    levels = {change.finding.where: change.fix.level for change in result.changes}

    assert levels == {
        "Deployment/api.containers[api]": Level.ROUTINE,
        "Deployment/api.initContainers[wait]": Level.REVIEW,
    }


@pytest.mark.parametrize("user", ["0", "root", '"0:0"'])
def test_compose_services_that_ask_for_root_keep_theirs(tmp_path: Path, user: str) -> None:
    entry = only(
        run(tmp_path, in_compose(COMPOSE + f"    user: {user}\n"), "capabilities-not-dropped"),
        "capabilities-not-dropped",
    )

    assert "the manifest asks for root" in entry.reason


def test_privileges_go_before_what_depends_on_them(tmp_path: Path) -> None:
    pod = POD + CONTEXT + "            privileged: true\n"

    result = run(
        tmp_path,
        in_pod(pod),
        "privileged-container",
        "capabilities-not-dropped",
        "privilege-escalation",
    )

    assert {entry.status for entry in result.entries} == {Status.FIXED}
    assert texts(result)["k8s/api.yaml"].startswith(pod.replace("true", "false"))


def test_mounts_in_both_directions_need_privileges(tmp_path: Path) -> None:
    pod = (
        POD
        + CONTEXT
        + (
            "            privileged: true\n"
            "          volumeMounts:\n"
            "            - {name: data, mountPath: /data, mountPropagation: Bidirectional}\n"
            "      volumes: [{name: data, hostPath: {path: /srv}}]\n"
        )
    )

    entry = only(run(tmp_path, in_pod(pod), "privileged-container"), "privileged-container")

    assert "Bidirectional" in entry.reason


def test_all_capabilities_at_once(tmp_path: Path) -> None:
    result = run(tmp_path, in_compose(COMPOSE + "    cap_add: [ALL]\n"), "dangerous-capabilities")

    assert texts(result) == {"compose.yaml": COMPOSE}


@pytest.mark.parametrize(
    ("mount", "found"),
    [
        ("/:/host:ro", True),
        ("/proc:/host/proc", True),
        ("/etc/localtime:/etc/localtime:ro", False),
        ("~/.aspnet/https:/https:ro", False),
        ("data:/etc", False),
    ],
)
def test_files_of_the_system_in_compose(tmp_path: Path, mount: str, found: bool) -> None:
    files = in_compose(COMPOSE + f"    volumes: ['{mount}']\n")

    assert bool(run(tmp_path, files, "host-path").entries) is found


def test_a_token_that_the_account_does_not_mount(tmp_path: Path) -> None:
    account = (
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\n"
        "automountServiceAccountToken: false\n"
    )

    result = run(tmp_path, {**in_pod(POD), "k8s/account.yaml": account}, "service-account-token")

    assert result.entries == ()


@pytest.mark.parametrize(
    "rule", ["privileged-container", "dangerous-capabilities", "host-namespaces"]
)
def test_what_an_unknown_program_was_given_stays(tmp_path: Path, rule: str) -> None:
    pod = POD.replace("api:1", "agent:1").replace(SPEC, SPEC + "      hostPID: true\n")
    pod += CONTEXT + "            privileged: true\n            capabilities: {add: [NET_ADMIN]}\n"
    write(tmp_path, {"k8s/agent.yaml": pod})

    entry = only(outcome(tmp_path, rule, settings="applications: all\n"), rule)

    assert "what it uses this for is not known" in entry.reason
