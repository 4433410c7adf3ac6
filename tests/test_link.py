"""Linking: what belongs to a program, by which evidence, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import outcome, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.project.application import Application

PROGRAM = {
    "shop/Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "shop/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
    "shop/Dockerfile": (
        'FROM mcr.microsoft.com/dotnet/aspnet:8.0\nCOPY out .\nENTRYPOINT ["dotnet", "Shop.dll"]\n'
    ),
}
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{app: {label}}}
spec:
  containers:
    - name: main
      image: {image}
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec:
  selector: {app: front}
  ports: [{port: 80}]
"""


def pod(image: str, name: str = "one", label: str = "front") -> str:
    return POD.format(image=image, name=name, label=label)


def applications(root: Path, files: dict[str, str]) -> dict[str, Application]:
    write(root, files)
    return {app.name: app for app in outcome(root, fixing=False).project.applications}


@pytest.mark.parametrize(
    "image",
    [
        "acme.example/shop:1.2",
        "shop",
        "acme.example/team/SHOP:1".lower(),
        '"__REGISTRY__/shop:__TAG__"',
        '"${REGISTRY}/shop:${TAG}"',
        '"<registry>/shop"',
        '"{{registry}}/shop:{{tag}}"',
    ],
)
def test_the_last_part_of_an_image_is_the_name_of_its_folder(tmp_path: Path, image: str) -> None:
    shop = applications(tmp_path, {**PROGRAM, "pod.yaml": pod(image)})["Shop"]

    assert [workload.where for workload in shop.workloads] == ["Pod/one"]
    assert shop.evidence[-1] == "pod.yaml:8 Pod/one runs it (same name as shop/Dockerfile)"


@pytest.mark.parametrize(
    "image",
    [
        "mcr.microsoft.com/dotnet/shop:8.0",
        "acme.example/workshop:1",
        "acme.example/shop-admin:1",
        '"${IMAGE}"',
        '"acme.example/${NAME}:1"',
        '"__SHOP__"',
    ],
)
def test_other_images_are_not_taken_for_it(tmp_path: Path, image: str) -> None:
    shop = applications(tmp_path, {**PROGRAM, "pod.yaml": pod(image)})["Shop"]

    assert shop.workloads == ()


def test_a_build_command_is_stronger_than_a_name(tmp_path: Path) -> None:
    files = {
        **PROGRAM,
        "build.sh": "docker build -t acme.example/store:1 -f shop/Dockerfile .\n",
        "pod.yaml": pod("acme.example/store:2"),
    }
    shop = applications(tmp_path, files)["Shop"]

    assert "(build.sh:1 builds acme.example/store)" in shop.evidence[-1]


def test_a_service_belongs_to_the_nearest_pods_of_its_labels(tmp_path: Path) -> None:
    files = {
        **PROGRAM,
        "one/pod.yaml": pod("acme.example/shop:1") + SERVICE,
        "two/pod.yaml": pod("nginx:1.27", "two") + SERVICE,
    }
    shop = applications(tmp_path, files)["Shop"]

    assert [service.path for service in shop.services] == ["one/pod.yaml"]


def test_a_service_of_a_folder_above_selects_all_that_are_equally_near(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "front.yaml": SERVICE.removeprefix("---\n"),
            "blue/pod.yaml": pod("acme.example/shop:1", "blue"),
            "green/pod.yaml": pod("acme.example/shop:2", "green"),
        },
    )
    project = outcome(tmp_path, fixing=False).project
    selected = project.selected_by(project.all_services[0])

    assert [workload.name for workload in selected] == ["blue", "green"]


def test_a_composed_service_runs_the_stage_that_it_builds(tmp_path: Path) -> None:
    files = {
        **PROGRAM,
        "shop/Dockerfile.alpine": PROGRAM["shop/Dockerfile"].replace("8.0", "8.0-alpine"),
        "compose.yaml": "services:\n  shop:\n    build: shop\n",
    }
    shop = applications(tmp_path, files)["Shop"]

    assert [stage.path for stage in shop.stages] == ["shop/Dockerfile", "shop/Dockerfile.alpine"]
    assert [stage.path for stage in shop.stages_of(shop.containers[0])] == ["shop/Dockerfile"]


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        ("acme.example/shop:1.2", True),
        ("acme.example/front:latest", True),  # by the name of a build command
        ("${REGISTRY:-acme.example}/shop:${TAG}", True),
        ("${REGISTRY}/mail:${TAG}", False),
        ("${IMAGE}", False),
        ("acme.example/mail", False),
        ("redis:7", False),
        ("mcr.microsoft.com/mssql/shop", False),
    ],
)
def test_a_composed_service_may_pull_what_is_built_here(
    tmp_path: Path, image: str, *, runs: bool
) -> None:
    files = {
        **PROGRAM,
        "build.sh": "docker build -t acme.example/front:1 -f shop/Dockerfile .\n",
        "deploy/compose.yaml": f"services:\n  one:\n    image: {image}\n",
    }
    (shop,) = applications(tmp_path, files).values()

    assert [c.path for c in shop.containers] == (["deploy/compose.yaml"] if runs else [])


def test_stages_by_target_are_programs_of_their_own(tmp_path: Path) -> None:
    files = {
        "cart/Cart.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
        "mail/Mail.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
        "Dockerfile": (
            "FROM mcr.microsoft.com/dotnet/aspnet:8.0 AS base\n"
            'FROM base AS cart\nENTRYPOINT ["dotnet", "Cart.dll"]\n'
            'FROM base AS mail\nENTRYPOINT ["dotnet", "Mail.dll"]\n'
        ),
        "compose.yaml": (
            "services:\n"
            "  a:\n    build: {context: ., target: cart}\n"
            "  b:\n    build: {context: ., target: mail}\n"
        ),
    }
    found = applications(tmp_path, files)

    assert [container.name for container in found["Cart"].containers] == ["a"]
    assert [container.name for container in found["Mail"].containers] == ["b"]


def test_an_override_with_arguments_builds_the_same_image(tmp_path: Path) -> None:
    files = {
        **PROGRAM,
        "compose.yaml": "services:\n  a:\n    build: shop\n",
        "compose.override.yaml": "services:\n  a:\n    build: {args: {MODE: debug}}\n",
    }
    shop = applications(tmp_path, files)["Shop"]

    assert [stage.path for stage in shop.stages_of(shop.containers[0])] == ["shop/Dockerfile"]


def test_nothing_is_known_of_a_build_whose_dockerfile_is_not_here(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            **PROGRAM,
            "compose.yaml": "services:\n  a: {build: shop, image: acme.example/shop}\n"
            "  b: {build: elsewhere, image: acme.example/shop}\n",
        },
    )
    project = outcome(tmp_path, fixing=False).project
    found = {service.name: project.stages_of(service) for service in project.compose}

    assert [len(found[name]) for name in ("a", "b")] == [1, 0]


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("#!/bin/sh\nexec dotnet Shop.dll\n", "Shop"),
        ('#!/bin/sh\nexec dotnet /app/Shop.dll "$@"\n', "Shop"),
        ("#!/bin/sh\n# dotnet Shop.dll\nexec sleep 1\n", "image"),
        ("#!/bin/sh\n[ $1 ] && dotnet Shop.dll || dotnet Mail.dll\n", "image"),
    ],
)
def test_a_script_may_name_the_program(tmp_path: Path, script: str, name: str) -> None:
    files = {
        "src/Shop.csproj": PROGRAM["shop/Shop.csproj"],
        "mail/Mail.csproj": PROGRAM["shop/Shop.csproj"],
        "image/entrypoint.sh": script,
        "image/Dockerfile": PROGRAM["shop/Dockerfile"].replace(
            '["dotnet", "Shop.dll"]', '["./entrypoint.sh"]'
        ),
    }

    assert list(applications(tmp_path, files)) == [name]


def test_tye_and_skaffold_say_what_is_built_under_which_name(tmp_path: Path) -> None:
    tye = (
        "registry: acme.example/shop\nservices:\n- name: Front\n  dockerFile: one/Dockerfile\n"
        "- name: other\n  project: two/Two.csproj\n"
    )
    skaffold = (
        "apiVersion: skaffold/v4\nkind: Config\nbuild:\n  artifacts:\n"
        "    - image: acme.example/back\n      context: two\n"
    )
    found = applications(
        tmp_path,
        {
            "tye.yaml": tye,
            "skaffold.yaml": skaffold,
            "one/Dockerfile": PROGRAM["shop/Dockerfile"].replace("Shop", "One"),
            "two/Dockerfile": PROGRAM["shop/Dockerfile"].replace("Shop", "Two"),
            "k8s/front.yaml": pod("acme.example/shop/front:1"),
            "k8s/back.yaml": pod("acme.example/back:1", "two", "back"),
        },
    )

    assert {path for app in found.values() for path in (c.path for c in app.containers)} == {
        "k8s/front.yaml",
        "k8s/back.yaml",
    }
    evidence = " ".join(text for app in found.values() for text in app.evidence)
    assert "tye.yaml:3" in evidence
    assert "skaffold.yaml:5" in evidence


@pytest.mark.parametrize(("image", "runs"), [("storefront:v1", True), ("redis:7", False)])
def test_a_name_without_an_owner_is_built_here_or_official(
    tmp_path: Path, image: str, runs: bool
) -> None:
    """Nobody but Docker can publish under such a name: the only Dockerfile makes the others."""
    files = {**PROGRAM, "chart/pod.yaml": pod(image)}
    files = {path.removeprefix("shop/"): text for path, text in files.items()}
    (app,) = applications(tmp_path, files).values()

    assert bool(app.workloads) is runs


@pytest.mark.parametrize(
    ("path", "base", "image", "here"),
    [
        ("src/cart/Dockerfile", "node:22", "registry.example/demo/cart:v1", True),
        ("src/cart/Dockerfile", "node:22", "registry.example/demo/basket:v1", False),
        ("src/server/Dockerfile", "node:22", "mcr.microsoft.com/mssql/server:2022", False),
        ("redis/Dockerfile", "node:22", "redis:7", False),
        ("grafana/Dockerfile", "grafana/grafana:11", "grafana/grafana:11", False),
    ],
)
def test_an_image_with_the_name_of_a_dockerfile_is_not_pinned(
    tmp_path: Path, path: str, base: str, image: str, here: bool
) -> None:
    write(tmp_path, {path: f"FROM {base}\nCMD run\n", "k8s/pod.yaml": pod(image)})
    uses = outcome(tmp_path, fixing=False).project.references

    assert [use.built_here is not None for use in uses if use.path == "k8s/pod.yaml"] == [here]


@pytest.mark.parametrize(
    ("image", "runs"),
    [("acme.example/front:v1", True), ('"{{registry}}/front:{{tag}}"', True), ("back:v1", False)],
)
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compose.yaml", "services:\n  a:\n    image: ${REG-}front\n    build: shop\n"),
        ("build.sh", "docker build -t $REG/front:$TAG shop\n"),
    ],
)
def test_what_a_build_names_its_image_links_it_in_every_registry(
    tmp_path: Path, path: str, text: str, image: str, runs: bool
) -> None:
    """Else a port would move in the image alone."""
    found = applications(tmp_path, {**PROGRAM, path: text, "k8s/pod.yaml": pod(image)})

    assert bool(found["Shop"].workloads) is runs


def test_a_name_that_two_builds_give_links_none_of_them_by_it(tmp_path: Path) -> None:
    other = {f"b/{path}": text.replace("Shop", "Other") for path, text in PROGRAM.items()}
    script = "docker build -t $A/front shop\ndocker build -t $B/front b/shop\n"
    files = {**PROGRAM, **other, "build.sh": script, "k8s/pod.yaml": pod("acme.example/front")}

    assert not any(app.workloads for app in applications(tmp_path, files).values())


@pytest.mark.parametrize(
    ("image", "runs"),
    [("mcr.microsoft.com/mssql/server:2022", False), ("acme.example/server:2022", True)],
)
def test_what_only_its_owner_can_publish_is_no_program_of_that_name(
    tmp_path: Path, image: str, runs: bool
) -> None:
    files = {
        path.replace("shop/", "server/").replace("Shop", "Server"): text.replace("Shop", "Server")
        for path, text in PROGRAM.items()
    }
    (app,) = applications(tmp_path, {**files, "k8s/pod.yaml": pod(image)}).values()

    assert bool(app.workloads) is runs


@pytest.mark.parametrize(
    ("image", "here"),
    [
        ("acme.example/team/other:1", False),
        ("acme.example/other:1", False),
        ("acme.example/team/redis:7", False),
        ("local:1", True),
        ("redis:7", False),
        ("other/one:1\n      imagePullPolicy: Never", True),
        ("other/one:1\n      imagePullPolicy: Always", False),
    ],
)
def test_what_nobody_else_publishes_is_not_pinned(tmp_path: Path, image: str, here: bool) -> None:
    """A pin would keep what is released under that tag from being rolled out."""
    files = {
        **PROGRAM,
        "k8s/a.yaml": pod("acme.example/team/shop:1"),
        "k8s/b.yaml": pod(image),
        "k8s/c.yaml": pod("other/two:1\n      imagePullPolicy: Never"),
    }
    uses = outcome(write(tmp_path, files), fixing=False).project.references

    assert [use.built_here is not None for use in uses if use.path == "k8s/b.yaml"] == [here]


def test_what_may_be_released_beside_what_is_built_here_is_told(tmp_path: Path) -> None:
    files = {
        **PROGRAM,
        "k8s/a.yaml": pod("acme.example/team/shop:1"),
        "k8s/b.yaml": pod("acme.example/team/other:1"),
    }
    digests = {"acme.example/team/other:1": "sha256:" + "a" * 64}
    result = outcome(write(tmp_path, files), "unpinned-image", digests=digests)
    told = [entry for entry in result.entries if entry.finding.path == "k8s/b.yaml"]

    assert [entry.status.value for entry in told] == ["unfixed"]
    assert "acme.example/team/shop, which is built here" in told[0].finding.message


def test_a_jenkinsfile_says_what_is_built(tmp_path: Path) -> None:
    script = "sh 'docker build -t acme.example/front:1 -f shop/Dockerfile .'\n"
    found = applications(
        tmp_path, {**PROGRAM, "Jenkinsfile": script, "k8s/pod.yaml": pod("acme.example/front:1")}
    )
    assert [len(app.workloads) for app in found.values()] == [1]


STEPS = """\
env: {{REGISTRY: ghcr.io}}
jobs:
  a:
    steps:
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            {images}
      - uses: docker/build-push-action@v6
        with:
          context: shop
          tags: ${{{{ steps.meta.outputs.tags }}}}
"""
REUSED = """\
jobs:
  a:
    uses: docker/github-builder/.github/workflows/build.yml@v1
    with:
      context: shop
      meta-images: {images}
"""


@pytest.mark.parametrize("workflow", [STEPS, REUSED])
@pytest.mark.parametrize(
    "images",
    [
        "ghcr.io/acme/front",
        "ghcr.io/${{ github.repository_owner }}/front",
        "${{ env.REGISTRY }}/${{ github.repository }}/front",
    ],
)
def test_names_that_a_step_puts_together_are_those_of_the_build(
    tmp_path: Path, workflow: str, images: str
) -> None:
    files = {
        **PROGRAM,
        ".github/workflows/ci.yml": workflow.format(images=images),
        "k8s/pod.yaml": pod("ghcr.io/acme/front:latest"),
    }
    found = applications(tmp_path, files)

    assert [workload.where for workload in found["Shop"].workloads] == ["Pod/one"]


@pytest.mark.parametrize(
    ("built", "image", "here"),
    [
        ("$REGISTRY/front:$TAG", "acme.example/front:1", True),
        ("$REGISTRY/front:$TAG", "front/acme:1", False),
        ("$REGISTRY/front:$TAG", "acme.example/my-front:1", False),
        ("acme/$A-x-$B/front", "acme/one-x-two/front:1", True),
        ("acme/$A-x-$B/front", "acme/one-x-/front:1", False),
        ("acme/$A-x-$B/front", "other/one-x-two/front:1", False),
        ("acme/" + "${A}" * 2000 + "/front", "acme/" + "a" * 150 + "/front", False),
    ],
)
def test_a_build_of_a_name_with_variables_is_known_by_its_last_part(
    tmp_path: Path, built: str, image: str, here: bool
) -> None:
    """Also where what is built is no program of .NET."""
    files = {
        "x/Dockerfile": "FROM node:22\n",
        "build.sh": f"docker build -t {built} x\n",
        "k8s/pod.yaml": pod(image),
    }
    uses = outcome(write(tmp_path, files), fixing=False).project.references

    assert [use.built_here is not None for use in uses if use.path == "k8s/pod.yaml"] == [here]
