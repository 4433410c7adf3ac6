"""Reading Kubernetes objects: kinds, lists, what a container is told and what selects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.project.kubernetes import read_manifest
from hardhull.project.kubernetes_container import is_windows_pod

if TYPE_CHECKING:
    from hardhull.project.kubernetes import Manifest

POD = "{containers: [{name: a, image: x}]}"


def manifest(text: str) -> Manifest:
    file = read_yaml(Source("k8s.yaml", FileKind.YAML, text))
    assert not isinstance(file, Unreadable)
    return read_manifest(file)


@pytest.mark.parametrize(
    ("api", "kind", "body"),
    [
        ("v1", "Pod", f"spec: {POD}"),
        ("v1", "ReplicationController", f"spec: {{template: {{spec: {POD}}}}}"),
        ("v1", "PodTemplate", f"template: {{spec: {POD}}}"),
        ("apps/v1", "Deployment", f"spec: {{template: {{spec: {POD}}}}}"),
        ("extensions/v1beta1", "Deployment", f"spec: {{template: {{spec: {POD}}}}}"),
        ("apps/v1", "StatefulSet", f"spec: {{template: {{spec: {POD}}}}}"),
        ("apps/v1", "DaemonSet", f"spec: {{template: {{spec: {POD}}}}}"),
        ("batch/v1", "Job", f"spec: {{template: {{spec: {POD}}}}}"),
        ("batch/v1", "CronJob", f"spec: {{jobTemplate: {{spec: {{template: {{spec: {POD}}}}}}}}}"),
        ("argoproj.io/v1alpha1", "Rollout", f"spec: {{template: {{spec: {POD}}}}}"),
        ("apps.openshift.io/v1", "DeploymentConfig", f"spec: {{template: {{spec: {POD}}}}}"),
        ("serving.knative.dev/v1", "Service", f"spec: {{template: {{spec: {POD}}}}}"),
    ],
)
def test_kinds_that_make_pods(api: str, kind: str, body: str) -> None:
    found = manifest(f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: one}}\n{body}\n")

    assert [workload.where for workload in found.workloads] == [f"{kind}/one"]
    assert found.workloads[0].containers[0].where == f"{kind}/one.containers[a]"


@pytest.mark.parametrize(
    ("api", "kind"),
    [("acme.example/v1", "Deployment"), ("v1", "Service"), ("kafka.strimzi.io/v1", "Kafka")],
)
def test_kinds_that_do_not(api: str, kind: str) -> None:
    body = f"spec: {{template: {{spec: {POD}}}}}"
    found = manifest(f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: one}}\n{body}\n")

    assert found.workloads == ()


def test_lists_are_unfolded_and_documents_are_many() -> None:
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: NAME}}, spec: {POD}}}"
    one, two, three = (pod.replace("NAME", name) for name in ("one", "two", "three"))
    found = manifest(f"apiVersion: v1\nkind: List\nitems:\n- {one}\n- {two}\n---\n{three}\n")

    assert [workload.name for workload in found.workloads] == ["one", "two", "three"]


def test_what_a_container_takes_its_variables_from() -> None:
    text = """\
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers:
    - name: a
      envFrom:
        - configMapRef: {name: settings}
        - prefix: X_
          secretRef: {name: secrets}
    - name: b
"""
    first, second = manifest(text).workloads[0].containers

    named = [source.get("configMapRef", "name") for source in first.environment_sources]
    assert [name.text if name is not None else None for name in named] == ["settings", None]
    assert not first.environment_is_complete
    assert second.environment_sources == ()
    assert second.environment_is_complete


@pytest.mark.parametrize(
    ("service", "pod", "selects"),
    [
        ("namespace: a", "namespace: a", True),
        ("namespace: a", "namespace: b", False),
        ("labels: {}", "namespace: b", True),
    ],
)
def test_a_service_selects_in_its_namespace(service: str, pod: str, *, selects: bool) -> None:
    text = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: one, {pod}, labels: {{app: one}}}}
spec: {POD}
---
apiVersion: v1
kind: Service
metadata: {{name: one, {service}}}
spec: {{selector: {{app: one}}}}
"""
    found = manifest(text.replace("labels: {}, ", ""))

    assert found.services[0].selects(found.workloads[0]) is selects


def test_a_service_without_a_selector_selects_nothing() -> None:
    text = f"""\
apiVersion: v1
kind: Pod
metadata: {{name: one, labels: {{app: one}}}}
spec: {POD}
---
apiVersion: v1
kind: Service
metadata: {{name: one}}
spec: {{type: ExternalName, externalName: one.example}}
"""
    found = manifest(text)

    assert not found.services[0].selects(found.workloads[0])


@pytest.mark.parametrize(
    ("spec", "windows"),
    [
        ("os: {name: windows}", True),
        ("os: {name: linux}", False),
        ("nodeSelector: {kubernetes.io/os: windows}", True),
        ("nodeSelector: {beta.kubernetes.io/os: windows}", True),
        ("nodeSelector: {kubernetes.io/os: linux}", False),
        ("securityContext: {windowsOptions: {runAsUserName: ContainerUser}}", True),
        ("tolerations: [{key: os, value: windows}]", True),
        ("restartPolicy: Never", False),
    ],
)
def test_windows_pods(spec: str, *, windows: bool) -> None:
    pod = POD.replace("{containers", f"{{{spec}, containers")
    found = manifest(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: one}}\nspec: {pod}\n")

    assert is_windows_pod(found.workloads[0].pod) is windows
