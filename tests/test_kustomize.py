"""Kustomizations: what is read of them, and that what they build changes only as it should.

Where a `kustomize` program is on the PATH it is the judge: it builds before and after.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hardhull.outcome import Status
from hardhull.settings import Settings
from hardhull.survey import survey
from hardhull.writing import edits_of, write_all
from support import outcome, texts, write

if TYPE_CHECKING:
    from hardhull.project.kustomize import Kustomize

KUSTOMIZE = shutil.which("kustomize")
CASES = sorted(Path(__file__).parent.joinpath("cases", "kustomize").glob("*/case.json"))
TMP = "/tmp"  # noqa: S108  the container's, not ours
BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:1
"""


def read(root: Path) -> Kustomize:
    return survey(root, Settings()).project.kustomize


def test_names_of_objects_grow_by_the_prefixes_of_what_is_below(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: a-\n",
        "base/web.yaml": BASE,
        "middle/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\nnameSuffix: -c\n",
        "top/kustomization.yaml": "resources: [../middle]\nnamePrefix: d-\npatches:\n"
        + "".join(f"- patch: |\n    kind: Deployment\n    metadata: {{name: {name}}}\n"
                  for name in ("web", "a-web", "b-a-web-c", "d-b-a-web-c", "a-web-c")),
    }  # fmt: skip
    found = read(write(tmp_path, files)).patches_of("base/web.yaml", "Deployment", "web")
    names = [patch.cursor.get("metadata", "name").text for patch in found]  # type: ignore[union-attr]
    assert names == ["web", "a-web", "b-a-web-c"]


@pytest.mark.parametrize(
    ("target", "fits", "sure"),
    [
        ("{kind: Deployment, name: web}", True, True),
        ("{kind: Deployment}", True, True),
        ("{kind: StatefulSet, name: web}", False, True),
        ("{kind: Deployment, name: api}", False, True),
        ("{kind: 'Deployment|StatefulSet', name: '.*'}", True, True),
        ("{kind: Deployment, name: 'w.{2}'}", True, False),
        ("{name: web, labelSelector: app=web}", True, False),
    ],
)
def test_targets(tmp_path: Path, target: str, fits: bool, sure: bool) -> None:
    patch = "- op: remove\n  path: /spec\n"
    files = {
        "kustomization.yaml": "resources: [web.yaml]\n"
        f"patches:\n- target: {target}\n  path: p.yaml\n",
        "web.yaml": BASE,
        "p.yaml": patch,
    }
    found = read(write(tmp_path, files)).patches_of("web.yaml", "Deployment", "web")
    assert bool(found) is fits
    assert all(one.is_json and one.target.sure is sure for one in found)


def test_what_is_not_followed_is_said(tmp_path: Path) -> None:
    files = {
        "a/kustomization.yaml": """\
resources:
  - ../b
  - ../../out
  - /etc/passwd
  - https://acme.example/base?ref=v1
  - git@acme.example:base.git
helmCharts:
  - name: redis
generators: [g.yaml]
transformers: [t.yaml]
patches:
  - path: missing.yaml
  - path: ../../secret.yaml
""",
        "b/kustomization.yaml": "resources: [../a]\n",
        "c/kustomization.yaml": "{{ broken\n",
    }
    found = read(write(tmp_path, files))
    assert {(one.path, one.line) for one in found.skipped} == {
        *(("a/kustomization.yaml", line) for line in (1, 3, 4, 5, 6, 7, 9, 10, 12, 13)),
        ("b/kustomization.yaml", 1),
    }


def test_many_overlays_of_overlays_take_no_time_to_speak_of(tmp_path: Path) -> None:
    """Each level is built twice of the one below: two to the sixtieth ways, sixty folders."""
    files = {"0/kustomization.yaml": "resources: [web.yaml]\n", "0/web.yaml": BASE}
    for level in range(1, 61):
        for side in "ab":
            below = f"{level - 1}" if level == 1 else f"{level - 1}a"
            other = f"{level - 1}" if level == 1 else f"{level - 1}b"
            files[f"{level}{side}/kustomization.yaml"] = (
                f"namePrefix: {side}\nresources: [../{below}, ../{other}]\n"
            )
    assert read(write(tmp_path, files)).built["60a/kustomization.yaml"].keys() == {"0/web.yaml"}


def test_a_long_row_of_overlays_and_aliases_of_aliases_end(tmp_path: Path) -> None:
    row = {f"{i}/kustomization.yaml": f"resources: [../{i - 1}]\n" for i in range(1, 1500)}
    bomb = "".join(
        f"- op: add\n  path: /spec/template/spec/x{i}\n"
        f"  value: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'u'}]\n"
        for i in range(12)
    )
    files = {
        "0/kustomization.yaml": "resources: [web.yaml]\n"
        "patches:\n- {path: p.yaml, target: {kind: Deployment}}\n",
        "0/web.yaml": BASE,
        "0/p.yaml": bomb,
        **row,
    }
    result = outcome(write(tmp_path, files), settings="applications: all\n")
    assert result.crashes == ()
    assert result.changed == ("0/web.yaml",)


# ---------------------------------------------------------------- the law


_CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "allowPrivilegeEscalation": st.booleans(),
        "readOnlyRootFilesystem": st.booleans(),
        "privileged": st.booleans(),
        "runAsUser": st.sampled_from([0, 1654]),
        "capabilities": st.fixed_dictionaries(
            {},
            optional={
                "drop": st.lists(st.sampled_from(["ALL", "NET_RAW"]), unique=True, max_size=2),
                "add": st.lists(st.sampled_from(["SYS_TIME", "CHOWN", "SYS_ADMIN"]), max_size=2),
            },
        ),
    },
)
_POD_CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "runAsNonRoot": st.booleans(),
        "seccompProfile": st.fixed_dictionaries(
            {"type": st.sampled_from(["Unconfined", "RuntimeDefault"])}
        ),
    },
)
_PORTS = st.lists(st.fixed_dictionaries({"containerPort": st.sampled_from([80, 9000])}), max_size=1)
_POD = "/spec/template/spec"


@st.composite
def _containers(draw: st.DrawFn, *, image: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "shop"}
    if image:
        found["image"] = "acme.example/shop:1"
    if draw(st.booleans()):
        found["securityContext"] = draw(_CONTEXTS)
    if image or draw(st.booleans()):
        found["ports"] = draw(_PORTS)
    if draw(st.booleans()):
        found["volumeMounts"] = [{"name": "data", "mountPath": draw(st.sampled_from(["/d", TMP]))}]
    return found


@st.composite
def _pods(draw: st.DrawFn, *, image: bool) -> dict[str, Any]:
    pod: dict[str, Any] = {"containers": [draw(_containers(image=image))]}
    if "volumeMounts" in pod["containers"][0]:
        pod["volumes"] = [{"name": "data", "emptyDir": {}}]
    if draw(st.booleans()):
        pod["securityContext"] = draw(_POD_CONTEXTS)
    return pod


@st.composite
def _operations(draw: st.DrawFn, base: dict[str, Any]) -> list[dict[str, Any]]:
    """JSON patches that can be applied to the base."""
    container = base["containers"][0]
    at = f"{_POD}/containers/0"
    possible: list[dict[str, Any]] = [
        {"op": "add", "path": f"{at}/securityContext", "value": draw(_CONTEXTS)},
        {"op": "add", "path": f"{_POD}/securityContext", "value": draw(_POD_CONTEXTS)},
        {"op": "add", "path": f"{at}/volumeMounts", "value": []},
        {"op": "add", "path": f"{_POD}/containers/0", "value": {"name": "log", "image": "log:1"}},
        {"op": "add", "path": f"{at}/readinessProbe", "value": {"tcpSocket": {"port": 80}}},
    ]
    if container.get("ports"):
        place = f"{at}/ports/0/containerPort"
        possible.append({"op": "replace", "path": place, "value": draw(st.sampled_from([80, 81]))})
    if "securityContext" in container:
        possible.append({"op": "remove", "path": f"{at}/securityContext"})
        place = f"{at}/securityContext/allowPrivilegeEscalation"
        possible += [
            {"op": verb, "path": place, "value": draw(st.booleans())} for verb in ("add", "test")
        ]
    chosen = draw(st.lists(st.sampled_from(possible), max_size=3, unique_by=repr))
    return chosen if all(o["path"] != f"{_POD}/containers/0" for o in chosen[:-1]) else []


@st.composite
def _repositories(draw: st.DrawFn) -> dict[str, str]:
    base = draw(_pods(image=True))
    return repository(base, draw(_pods(image=False)), draw(_operations(base)))


def repository(
    base: dict[str, Any], part: dict[str, Any], operations: list[dict[str, Any]]
) -> dict[str, str]:
    """A program built here, its pod as a base, and two overlays: a part and a JSON patch."""
    objects: dict[str, Any] = {"kind": "Deployment", "metadata": {"name": "shop"}}
    web = {"apiVersion": "apps/v1", **objects}
    web["spec"] = {
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {"metadata": {"labels": {"app": "shop"}}, "spec": base},
    }
    over = {"apiVersion": "apps/v1", **objects, "spec": {"template": {"spec": part}}}
    target = {"kind": "Deployment", "name": "shop"}
    overlays: dict[str, Any] = {
        "k/part": {"resources": ["../base"], "patches": [{"path": "patch.yaml"}]},
        "k/json": {
            "resources": ["../base"],
            "patches": [{"path": "patch.yaml", "target": target}] if operations else [],
        },
    }
    return {
        "shop/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:6.0\nWORKDIR /app\nEXPOSE 80\n"
        'COPY out .\nENTRYPOINT ["dotnet", "Shop.dll"]\n',
        "shop/Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>'
        "<TargetFramework>net6.0</TargetFramework></PropertyGroup></Project>\n",
        "shop/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
        "k/base/kustomization.yaml": "resources: [web.yaml]\n",
        "k/base/web.yaml": spelled(web),
        "k/part/patch.yaml": spelled(over),
        "k/json/patch.yaml": spelled(operations),
        **{f"{path}/kustomization.yaml": spelled(text) for path, text in overlays.items()},
    }


def spelled(thing: object) -> str:
    from io import StringIO  # noqa: PLC0415  only here

    text = StringIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(json.loads(json.dumps(thing)), text)
    return text.getvalue()


def loaded(text: str) -> Any:
    return YAML(typ="safe").load(text)


def merged(base: Any, part: Any) -> Any:
    """A strategic merge of what these tests write, as kustomize does it."""
    if isinstance(base, dict) and isinstance(part, dict):
        return {
            key: merged_list(key, base[key], part[key])
            if key in base and key in part
            else part.get(key, base.get(key))
            for key in [*base, *(key for key in part if key not in base)]
        }
    return part


def merged_list(key: str, base: Any, part: Any) -> Any:
    names = {"containers": "name", "volumes": "name", "volumeMounts": "mountPath",
             "ports": "containerPort"}  # fmt: skip
    if key not in names or not isinstance(base, list):
        return merged(base, part)
    below = {item[names[key]]: item for item in base}
    first = [merged(below.pop(item[names[key]], {}), item) for item in part]
    return [*first, *below.values()]


def patched(base: Any, operations: list[dict[str, Any]] | None) -> Any:
    """A JSON patch of what these tests write, applied."""
    whole = json.loads(json.dumps(base))
    for operation in operations or ():
        *way, last = operation["path"].split("/")[1:]
        here = whole
        for key in way:
            here = here[int(key)] if isinstance(here, list) else here[key]
        if isinstance(here, list) and operation["op"] == "add":
            here.insert(int(last), operation["value"])
        elif operation["op"] == "remove":
            del here[last]
        elif operation["op"] == "test" and here[last] != operation["value"]:
            raise KeyError(last)
        else:
            here[last] = operation["value"]
    return whole


def built(root: Path) -> dict[str, Any]:
    base = loaded((root / "k/base/web.yaml").read_text())
    return {
        "base": base,
        "part": merged(base, loaded((root / "k/part/patch.yaml").read_text())),
        "json": patched(base, loaded((root / "k/json/patch.yaml").read_text())),
    }


def safe(made: Any) -> dict[str, bool]:
    pod = made["spec"]["template"]["spec"]
    container = next(one for one in pod["containers"] if one["name"] == "shop")
    own, of_pod = container.get("securityContext") or {}, pod.get("securityContext") or {}
    lists = own.get("capabilities") or {}
    return {
        "privilege-escalation": own.get("allowPrivilegeEscalation") is False,
        "writable-root-filesystem": own.get("readOnlyRootFilesystem") is True,
        "workload-may-run-as-root": own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is True,
        "missing-seccomp-profile": (of_pod.get("seccompProfile") or {}).get("type")
        == "RuntimeDefault",
        "capabilities-not-dropped": "ALL" in (lists.get("drop") or []),
        "privileged-container": not own.get("privileged"),
    }


def contradictions(made: Any) -> set[str]:
    """What Kubernetes would refuse, or could not start."""
    pod = made["spec"]["template"]["spec"]
    found: set[str] = set()
    for container in pod["containers"]:
        own = container.get("securityContext") or {}
        added = (own.get("capabilities") or {}).get("add") or []
        if own.get("allowPrivilegeEscalation") is False and (
            own.get("privileged") or "SYS_ADMIN" in added
        ):
            found.add("escalation")
        required = own.get("runAsNonRoot", (pod.get("securityContext") or {}).get("runAsNonRoot"))
        if required and own.get("runAsUser") == 0:
            found.add("root")
        names = [port["containerPort"] for port in container.get("ports") or []]
        if len(names) != len(set(names)):
            found.add("ports")
        volumes = {volume["name"] for volume in pod.get("volumes") or []}
        if {mount["name"] for mount in container.get("volumeMounts") or []} - volumes:
            found.add("volumes")
        if own.get("readOnlyRootFilesystem") and not any(
            mount["mountPath"] == TMP for mount in container.get("volumeMounts") or []
        ):
            found.add("tmp")
    return found


_SHOP = {"name": "shop", "image": "acme.example/shop:1"}
_CONTEXT = f"{_POD}/containers/0/securityContext"
_REMOVED = {"op": "remove", "path": _CONTEXT}


def shop(
    own: dict[str, Any], *operations: dict[str, Any], of_pod: dict[str, Any] | None = None
) -> dict[str, str]:
    """A shop with this security context, and a JSON patch over it."""
    base = {"containers": [{**_SHOP, "securityContext": own, "ports": []}]}
    pod = base if of_pod is None else {**base, "securityContext": of_pod}
    return repository(pod, {"containers": [{"name": "shop"}]}, list(operations))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=_repositories())
# What one line of a patch says, a later one takes away again.
@example(
    files=shop(
        {}, {"op": "add", "path": f"{_CONTEXT}/allowPrivilegeEscalation", "value": True}, _REMOVED
    )
)
@example(files=shop({}, {"op": "add", "path": _CONTEXT, "value": {}}, _REMOVED))
# An overlay takes away what its base had all along, beside something else that is mended.
@example(
    files=shop(
        {"runAsUser": 0},
        {"op": "add", "path": _CONTEXT, "value": {}},
        {"op": "add", "path": f"{_POD}/securityContext", "value": {}},
        of_pod={"runAsNonRoot": True},
    )
)
def test_overlays_get_what_their_base_gets_or_nobody_does(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    root = write(tmp_path_factory.mktemp("root"), files)
    try:
        before = built(root)
    except KeyError:
        reject()  # a patch needs what another line of it removed: nobody builds that
    if KUSTOMIZE is not None:
        agrees(root, before)
    result = outcome(root)
    assert result.crashes == ()
    write_all(edits_of(result))
    after = built(root)
    if KUSTOMIZE is not None:
        agrees(root, after)
    at_base = {
        entry.finding.rule
        for entry in result.entries
        if entry.status is Status.FIXED and entry.finding.path == "k/base/web.yaml"
    }
    # What the base had all along and an overlay takes away is the overlay's own affair.
    at_base -= {rule for rule, holds in safe(before["base"]).items() if holds}
    for name, made in after.items():
        told = {rule for rule, holds in safe(made).items() if not holds}
        assert not told & at_base, name
        assert not contradictions(made) - contradictions(before[name]), name
        worse = {rule for rule, holds in safe(before[name]).items() if holds} & told
        assert not worse, name
    assert texts(outcome(root)) == {}


def agrees(root: Path, made: dict[str, Any]) -> None:
    """What these tests take for a build is what kustomize builds."""
    for name, own in made.items():
        assert normal(build(root / "k" / name)) == normal([own])


def build(folder: Path) -> list[Any]:
    done = subprocess.run(
        [KUSTOMIZE or "kustomize", "build", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    return list(YAML(typ="safe").load_all(done.stdout))


def normal(objects: list[Any]) -> Any:
    """Kustomize leaves empty lists and mappings out in places; nobody minds."""

    def plain(thing: Any) -> Any:
        if isinstance(thing, dict):
            kept = {key: plain(value) for key, value in thing.items()}
            return {key: value for key, value in kept.items() if value not in ({}, [], None)}
        return [plain(item) for item in thing] if isinstance(thing, list) else thing

    return plain(objects)


# ---------------------------------------------------------------- kustomize as the judge


@pytest.mark.skipif(KUSTOMIZE is None, reason="no kustomize on the PATH")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)
def test_cases_build_as_before_but_for_the_keys_that_are_meant(case: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(case.parent / "before", root)
    folders = [path.parent for path in root.rglob("kustomization.yaml")]
    before = {folder: tried(folder) for folder in folders}
    shutil.copytree(case.parent / "after", root, dirs_exist_ok=True)
    meant = {
        "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities", "drop", "add",
        "securityContext", "runAsNonRoot", "seccompProfile", "privileged", "volumes",
        "volumeMounts", "containerPort", "port", "targetPort", "value", "image", "runAsUser",
        "automountServiceAccountToken",
    }  # fmt: skip
    for folder in folders:
        if (old := before[folder]) is not None:
            assert changed(old, build(folder)) <= meant


def tried(folder: Path) -> list[Any] | None:
    """What it builds; None if it does not (a component, a base that is far away)."""
    try:
        return build(folder)
    except subprocess.CalledProcessError:
        return None


def changed(one: Any, other: Any, key: str = "") -> set[str]:
    """The keys below which two builds differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        gone = {name for name in {*one, *other} if (name in one) != (name in other)}
        both = [changed(one[name], other[name], name) for name in one if name in other]
        return gone.union(*both)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return set().union(*(changed(a, b, key) for a, b in zip(one, other, strict=True)))
    return set() if one == other else {key}


def test_a_kustomization_that_is_excluded_is_not_edited(tmp_path: Path) -> None:
    files = {
        "k8s/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
        "    - name: a\n      image: nginx:1.25\n",
        "k8s/kustomization.yaml": "resources: [pod.yaml]\nimages:\n"
        "  - name: nginx\n    newTag: '1.27'\n",
    }
    digests = {"docker.io/library/nginx:1.27": "sha256:" + "a" * 64}
    write(tmp_path, files)

    assert outcome(tmp_path, "unpinned-image", digests=digests).changed
    without = "paths: {exclude: [k8s/kustomization.yaml]}\n"
    assert not outcome(tmp_path, "unpinned-image", digests=digests, settings=without).changed
