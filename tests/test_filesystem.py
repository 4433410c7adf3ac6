"""What the examples of the rules about the file system can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.outcome import Entry, Outcome, Status
from hardhull.rules.privileges.examples import COMPOSE, DOCKERFILE, POD, in_compose, in_pod
from support import outcome, texts, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOT = "writable-root-filesystem"
DIAGNOSTICS = "diagnostics-on-read-only-root"
READ_ONLY = "          securityContext: {readOnlyRootFilesystem: true}\n"
HIDDEN = "      volumes: #{volumes}#\n"
OLD = DOCKERFILE.replace("8.0-noble-chiseled", "6.0")


def entry(result: Outcome, where: str = "") -> Entry:
    (found,) = [one for one in result.entries if where in one.finding.where]
    return found


def run(root: Path, files: Mapping[str, str], rule: str) -> Outcome:
    return outcome(write(root, files), rule)


def test_containers_of_a_pod_do_not_share_their_temporary_files(tmp_path: Path) -> None:
    name = "a" * 63
    pod = POD + f"        - name: {name}\n          image: acme.example/api:1\n"

    text = texts(run(tmp_path, in_pod(pod), ROOT))["k8s/api.yaml"]

    assert text.count("mountPath: /tmp") == 2
    assert text.count("emptyDir: {}") == 2
    assert "- name: tmp-api\n" in text
    assert f"- name: tmp-{'a' * 59}\n" in text


def test_a_volume_of_the_same_name_is_not_taken(tmp_path: Path) -> None:
    pod = POD + "      volumes:\n        - name: tmp\n          configMap: {name: api}\n"

    text = texts(run(tmp_path, in_pod(pod), ROOT))["k8s/api.yaml"]

    assert "- name: tmp-api\n          emptyDir: {}" in text


def test_neither_image_nor_code_are_known(tmp_path: Path) -> None:
    pod = POD + "      initContainers: [{name: wait, image: 'acme.example/wait:2'}]\n"

    found = entry(run(tmp_path, in_pod(pod), ROOT), "wait")

    assert "what it writes is not known" in found.reason


@pytest.mark.parametrize(
    ("mount", "fixed"),
    [
        ("          volumeMounts: [{name: data, mountPath: /data}]\n", True),
        ("          volumeMounts: [{name: data, mountPath: /data/}]\n", True),
        ("          volumeMounts: [{name: data, mountPath: /data, readOnly: true}]\n", False),
        ("          volumeMounts: [{name: data, mountPath: /dat}]\n", False),
        ("          volumeMounts: [{name: settings, mountPath: /data}]\n", False),
    ],
)
def test_only_a_writable_mount_takes_what_is_written(
    tmp_path: Path, mount: str, fixed: bool
) -> None:
    volumes = (
        "      volumes:\n"
        "        - {name: data, persistentVolumeClaim: {claimName: data}}\n"
        "        - {name: settings, configMap: {name: settings}}\n"
    )
    files = {
        **in_pod(POD + mount + volumes),
        "api/Program.cs": 'File.WriteAllText("/data/state.json", "{}");\n',
    }

    found = entry(run(tmp_path, files, ROOT))

    assert (found.status is Status.FIXED) is fixed
    assert fixed or "api/Program.cs:1 writes /data/state.json" in found.reason


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("    environment:\n      ConnectionStrings__Db: Data Source=app.db\n", "/app.db"),
        ("    environment:\n      - TMPDIR=/scratch\n", "/scratch"),
        ("    command: sh -c 'update-ca-certificates && dotnet /app/Api.dll'\n", "at start-up"),
        ("    entrypoint: [dotnet, run]\n", "builds when it starts"),
    ],
)
def test_writes_that_the_manifest_shows(tmp_path: Path, more: str, reason: str) -> None:
    found = entry(run(tmp_path, in_compose(COMPOSE + more), ROOT))

    assert found.status is Status.WITHHELD
    assert reason in found.reason


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("RUN dotnet publish -p:IncludeNativeLibrariesForSelfExtract=true\n", "unpacks itself"),
        ("ENV ASPNETCORE_TEMP=/app/temp\n", "/app/temp"),
        ("ENV DATA=/data\nVOLUME $DATA\n", "writes to /data"),
        ("COPY seed /tmp/seed\n", "keeps files in /tmp"),
    ],
)
def test_writes_that_the_image_shows(tmp_path: Path, instruction: str, reason: str) -> None:
    image = DOCKERFILE.replace("COPY", instruction + "COPY", 1)

    assert reason in entry(run(tmp_path, in_pod(POD, image), ROOT)).reason


def test_docker_mounts_a_volume_where_the_image_names_one(tmp_path: Path) -> None:
    image = DOCKERFILE.replace("COPY", "VOLUME /data\nCOPY")

    assert entry(run(tmp_path, in_compose(COMPOSE, image), ROOT)).status is Status.FIXED


def test_the_sdk_image_writes_below_its_home(tmp_path: Path) -> None:
    image = DOCKERFILE.replace("aspnet:8.0-noble-chiseled", "sdk:8.0")

    assert "whose tools write" in entry(run(tmp_path, in_pod(POD, image), ROOT)).reason


def test_keys_of_data_protection_are_mentioned(tmp_path: Path) -> None:
    files = {**in_pod(POD), "api/Program.cs": "services.AddDataProtection();\n"}

    found = entry(run(tmp_path, files, ROOT))

    assert found.change is not None
    assert any("api/Program.cs:1 uses DataProtection" in note for note in found.change.fix.notes)


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("5.0", "ENV COMPlus_EnableDiagnostics=0\n"),
        ("6.0", "ENV DOTNET_EnableDiagnostics=0\n"),
        ("7.0", "ENV DOTNET_EnableDiagnostics=0\n"),
        ("8.0", ""),
    ],
)
def test_the_switch_by_version(tmp_path: Path, version: str, line: str) -> None:
    image = OLD.replace("6.0", version)
    result = run(tmp_path, in_pod(POD + READ_ONLY + HIDDEN, image), DIAGNOSTICS)

    changed = image.replace("ENTRYPOINT", line + "ENTRYPOINT")
    assert texts(result) == ({"api/Dockerfile": changed} if line else {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{app: api}\n    spec:", "{app: api, admission.datadoghq.com/enabled: 'true'}\n    spec:"),
        ("labels: {app: api}\n    spec:", (
            "labels: {app: api}\n      annotations:\n"
            "        instrumentation.opentelemetry.io/inject-dotnet: 'true'\n    spec:"
        )),
        ("      containers:\n", (
            "      containers:\n        - name: monitor\n"
            "          image: mcr.microsoft.com/dotnet/monitor:6\n"
        )),
    ],
)  # fmt: skip
def test_no_switch_beside_what_looks_inside(tmp_path: Path, old: str, new: str) -> None:
    pod = POD.replace(old, new) + READ_ONLY + HIDDEN

    found = entry(run(tmp_path, in_pod(pod, OLD), DIAGNOSTICS), "[api]")

    assert "needs diagnostics" in found.reason


def test_no_mount_over_what_the_image_keeps_there(tmp_path: Path) -> None:
    image = OLD.replace("out /app", "out /tmp/app")

    found = entry(run(tmp_path, in_pod(POD + READ_ONLY, image), DIAGNOSTICS))

    assert "would hide" in found.reason


def test_temporary_files_may_live_elsewhere(tmp_path: Path) -> None:
    pod = (
        POD
        + READ_ONLY
        + (
            "          env: [{name: TMPDIR, value: /scratch}]\n"
            "          volumeMounts: [{name: scratch, mountPath: /scratch}]\n"
            "      volumes: [{name: scratch, emptyDir: {}}]\n"
        )
    )

    assert run(tmp_path, in_pod(pod, OLD), DIAGNOSTICS).entries == ()


def test_only_dotnet_is_meant(tmp_path: Path) -> None:
    write(tmp_path, {"k8s/cache.yaml": POD + READ_ONLY})

    assert outcome(tmp_path, DIAGNOSTICS, settings="applications: all\n").entries == ()
