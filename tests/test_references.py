"""Image references: what BuildKit would resolve, and who else writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hardhull.settings import Settings
from hardhull.survey import survey
from support import outcome, write

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "c" * 64
HUB = "docker.io/library"


def names(root: Path, files: dict[str, str]) -> list[str | None]:
    """The names of all references, in order."""
    return [use.name for use in survey(write(root, files), Settings()).project.references]


def writers(root: Path, files: dict[str, str]) -> dict[str, str | None]:
    """Who writes each reference, by its file."""
    found = survey(write(root, files), Settings()).project.references
    return {use.path: use.writer for use in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG T=1\nFROM a:$T\nFROM b:${T}", [f"{HUB}/a:1", f"{HUB}/b:1"]),
        ("ARG A=1 B=2\nFROM a:$A-${B}", [f"{HUB}/a:1-2"]),
        ("ARG T=1\nARG T=2\nFROM a:$T", [f"{HUB}/a:2"]),
        ("ARG T=1\nFROM a:$T\nARG T=9\nFROM b:$T", [f"{HUB}/a:1", f"{HUB}/b:1"]),
        ("FROM ${V:-img:tag}", [f"{HUB}/img:tag"]),
        ("ARG V=8.0.1\nFROM a:${V%.*}", [f"{HUB}/a:8.0"]),
        ("ARG V\nFROM a:1$V", [None]),
        ("FROM a:1$NOBODY_DECLARES_THIS", [f"{HUB}/a:1"]),
        ("ARG T=$NOBODY-x\nFROM a:1$T", [f"{HUB}/a:1-x"]),
        ('FROM "a:1"', [f"{HUB}/a:1"]),
        ("ARG T=1\nFROM 'a:$T'", [None]),
        ("ARG I=a\nFROM $I", [f"{HUB}/a:latest"]),
        ("FROM a AS Base\nFROM base\nCOPY --from=BASE / /", [f"{HUB}/a:latest"]),
        ("FROM build\nFROM a AS build", [f"{HUB}/build:latest", f"{HUB}/a:latest"]),
        ("FROM a\nCOPY --from=later / /\nFROM b AS later", [f"{HUB}/a:latest", f"{HUB}/b:latest"]),
        ("FROM a\nCOPY --from=0 / /\nCOPY --from=-1 / /", [f"{HUB}/a:latest"]),
        ("FROM localhost:5000/a\nCOPY --from=b:1 / /", ["localhost:5000/a:latest", f"{HUB}/b:1"]),
        ("FROM \\\n# why\n  a:1 \\\n  AS b\nFROM b", [f"{HUB}/a:1"]),
        ("FROM a:1\r\nCOPY --from=b:2 / /\r\n", [f"{HUB}/a:1", f"{HUB}/b:2"]),
        ("FROM a:1\nRUN <<EOF\nFROM b:2\nCOPY --from=c:3 / /\nEOF", [f"{HUB}/a:1"]),
        ("FROM a:1\nRUN true \\\n  FROM b:2", [f"{HUB}/a:1"]),
        ("FROM a:1\nONBUILD COPY --from=b:2 / /", [f"{HUB}/a:1"]),
        (
            "FROM a:1\nRUN --mount=from=b:2,target=/b --mount=type=cache,FROM=c:3,target=/c true",
            [f"{HUB}/a:1", f"{HUB}/b:2", f"{HUB}/c:3"],
        ),
        ("FROM a:1\nRUN --mount=from=b,from=c:3,target=/c true", [f"{HUB}/a:1", f"{HUB}/c:3"]),
        ('FROM a:1\nRUN --mount=target=/b,"from=b:2" true', [f"{HUB}/a:1", f"{HUB}/b:2"]),
        ("FROM a:1\nRUN --mount='target=/b,\"from=b:2\"' true", [f"{HUB}/a:1", f"{HUB}/b:2"]),
        ("FROM a:1\nRUN --mount=type=cache,id=from=b,target=/b true", [f"{HUB}/a:1"]),
        ('FROM a:1\nCOPY --from="b:2" / /', [f"{HUB}/a:1", f"{HUB}/b:2"]),
        ("FROM a:1\nCOPY --from=\\\nb:2 / /", [f"{HUB}/a:1", f"{HUB}/b:2"]),
        (
            "#!/bin/x\n# check=skip=all\n# syntax=d/f:1 x\nFROM a:1",
            ["docker.io/d/f:1", f"{HUB}/a:1"],
        ),
        (f"FROM a@{DIGEST}\nFROM scratch", [f"{HUB}/a"]),
    ],
)
def test_names(tmp_path: Path, text: str, expected: list[str | None]) -> None:
    assert names(tmp_path, {"Dockerfile": text}) == expected


def test_an_argument_inside_an_argument_is_an_origin(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "ARG TAG=8.0\nARG IMAGE=a:$TAG\nFROM $IMAGE\n",
        "build.sh": "docker build --build-arg TAG=9.0 -t acme/x .\n",
    }

    assert writers(tmp_path, files) == {"Dockerfile": "build.sh:1 sets ARG TAG"}


def test_a_default_that_the_build_replaces_has_a_writer(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "ARG IMAGE\nFROM ${IMAGE:-a:1}\n",
        "build.sh": "docker build --build-arg IMAGE=b:2 .\n",
    }

    assert writers(tmp_path, files)["Dockerfile"] == "build.sh:1 sets ARG IMAGE"


def test_a_build_sets_the_arguments_of_its_own_dockerfile(tmp_path: Path) -> None:
    text = "ARG TAG=8.0\nFROM a:$TAG\n"
    files = {
        "one/Dockerfile": text,
        "two/Dockerfile": text,
        "build.sh": "docker build --build-arg TAG=9.0 -f one/Dockerfile one\n",
    }

    assert writers(tmp_path, files) == {
        "one/Dockerfile": "build.sh:1 sets ARG TAG",
        "two/Dockerfile": None,
    }


POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
    "  - name: web\n    image: acme/web:1\n"
)
ONE, TWO = "one/k8s/deployment.yaml", "two/k8s/deployment.yaml"


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("sed -i 's/acme/x/' one/k8s/deployment.yaml", {ONE}),
        ('sed -i "s|image: .*|image: $NEW|" "$ROOT/one/k8s/deployment.yaml"', {ONE}),
        ("sed -i 's/acme/x/' ../one/k8s/deployment.yaml", {ONE}),
        ("cd one/k8s\nsed -i 's/acme/x/' deployment.yaml", {ONE, TWO}),
        ("sed -i 's/acme/x/' deployment.yaml", {ONE, TWO}),
        ("sed -i 's/acme/x/' two/k8s/*.yaml", {TWO}),
        ("sed -i 's/acme/x/' two/k8s/${NAME}.yaml", {TWO}),
        ("for f in two/k8s/*.yaml; do\n  sed -i 's/acme/x/' $f\ndone", {TWO}),
        ("find two -name '*.yaml' | xargs sed -i 's/acme/x/'", {TWO}),
        ("sed -i 's/replicas: 1/replicas: 2/' one/k8s/deployment.yaml", set()),
        ("sed -i 's/image:[[:space:]]*acme/image: x/' one/k8s/deployment.yaml", {ONE}),
        ("sed -i 's/image:[[:space:]]*other/image: x/' one/k8s/deployment.yaml", set()),
        ("sed -i 's/image:[[.-.]]*acme/x/' one/k8s/deployment.yaml", {ONE}),
        ("V=$(cat one/k8s/deployment.yaml | sed -n 's/.*acme.web:\\(.*\\)/\\1/p')", set()),
        ("sed -n 's/acme/x/p' -i one/k8s/deployment.yaml", {ONE}),
        ("sed 's/:1/:2/' one/k8s/deployment.yaml | kubectl apply -f -", {ONE}),
        ("yq '.spec.containers[0].image' one/k8s/deployment.yaml", set()),
        ("yq -i '.spec.containers[0].image = \"b\"' one/k8s/deployment.yaml", {ONE}),
        ("yq -i '.metadata.name = \"b\"' one/k8s/deployment.yaml", set()),
        ("envsubst < one/k8s/deployment.yaml | kubectl apply -f -", set()),
        ("kubectl set image pod/web web=$IMAGE", {ONE, TWO}),
        ("kubectl set image pod/other web=$IMAGE", set()),
        ("kustomize edit set image acme/web=acme/web:$SHA", {ONE, TWO}),
        ("sed -i 's/acme/x/' one/k8s/service.yaml", set()),
    ],
)
def test_commands_that_write(tmp_path: Path, command: str, written: set[str]) -> None:
    found = writers(tmp_path, {"deploy.sh": command + "\n", ONE: POD, TWO: POD})

    assert {path for path, writer in found.items() if writer} == written


def test_an_editor_of_a_dockerfile(tmp_path: Path) -> None:
    files = {
        "update.sh": 'sed -i "s/ARG TAG=$OLD/ARG TAG=$NEW/" ./Dockerfile\n',
        "Dockerfile": "ARG TAG=1\nFROM a:$TAG\n",
        "other/Dockerfile": "ARG TAG=1\nFROM a:$TAG\n",
    }

    assert writers(tmp_path, files) == {"Dockerfile": "update.sh:1", "other/Dockerfile": None}


def test_a_kustomization_writes_what_is_built_with_it(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD,
        "prod/kustomization.yaml": "resources: [../base]\nimages:\n- name: acme/web\n  newTag: x\n",
        "elsewhere/pod.yaml": POD,
    }

    assert writers(tmp_path, files) == {
        "base/pod.yaml": "prod/kustomization.yaml:3",
        "elsewhere/pod.yaml": None,
        "prod/kustomization.yaml": None,
    }


def test_no_image_is_built_from_itself(tmp_path: Path) -> None:
    files = {
        "db/Dockerfile": "FROM postgres:11.4\nCOPY a /a\n",
        "app/Dockerfile": "FROM postgres\n",
        "compose.yaml": "services:\n  db:\n    image: postgres\n    build: ./db\n",
    }
    found = survey(write(tmp_path, files), Settings()).project.references

    assert {use.path: use.built_here is not None for use in found} == {
        "app/Dockerfile": True,
        "compose.yaml": True,
        "db/Dockerfile": False,
    }


def test_a_named_build_context_is_no_image(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "api/Dockerfile": (
                "FROM alpine:3.20\nCOPY --from=Shared /a /a\nCOPY --from=tools /b /b\n"
            ),
            "web/Dockerfile": "FROM alpine:3.20\nCOPY --from=lib /a /a\nCOPY --from=other /c /c\n",
            "compose.yaml": (
                "services:\n  api:\n    build:\n      context: api\n"
                "      additional_contexts:\n        - shared=./shared\n"
            ),
            "build.sh": "docker build --build-context tools=./tools api\n",
            ".github/workflows/ci.yml": (
                "jobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n"
                "        with:\n          context: web\n          build-contexts: |\n"
                "            lib=./lib\n"
            ),
        },
    )
    result = outcome(tmp_path, "unpinned-image", fixing=False)
    named = {entry.finding.subject.text for entry in result.entries}

    assert named == {"alpine:3.20", "other"}


def test_an_image_built_under_a_default_name_is_built_here(tmp_path: Path) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
        "  - name: a\n    image: shop/agg:linux-latest\n"
    )
    write(
        tmp_path,
        {
            "agg/Dockerfile": "FROM scratch\nCOPY a /a\n",
            "compose.yaml": (
                "services:\n  agg:\n    image: ${REGISTRY:-shop}/agg:${TAG:-latest}\n"
                "    build: agg\n"
            ),
            "k8s/a.yaml": pod,
        },
    )
    result = outcome(tmp_path, "unpinned-image", fixing=False)

    assert result.entries == ()


def test_a_step_that_builds_the_default_dockerfile_names_an_image_of_ours(tmp_path: Path) -> None:
    step = "      - uses: docker/build-push-action@v6\n        with:\n          tags: shop-local\n"
    write(
        tmp_path,
        {
            "Dockerfile": "FROM scratch\nCOPY a /a\n",
            "compose.yaml": "services:\n  shop:\n    image: shop-local\n",
            ".github/workflows/ci.yml": f"jobs:\n  a:\n    steps:\n{step}",
        },
    )
    result = outcome(tmp_path, "unpinned-image", fixing=False)

    assert result.entries == ()


# ---------------------------------------------------------------- bases that are built here

SDK_BASE = "FROM alpine:3\n"


@pytest.mark.parametrize(
    ("path", "name", "here"),
    [
        ("src/sdk-base-dockerfile", "shop-sdk-base:1", True),
        ("src/sdk-base.Dockerfile", "shop-sdk-base:1", True),
        ("Dockerfile.sdk-base", "shop-sdk-base", True),
        ("Dockerfile.sdk-base", "sdk-base", True),
        ("Dockerfile.sdk-base", "acme/shop-sdk-base:1", False),
        ("Dockerfile.sdk-base", "registry.example/sdk-base:1", False),
        ("Dockerfile.sdk-base", "sdk-based:1", False),
        ("redis.Dockerfile", "redis:7", False),
        ("redis.Dockerfile", "shop-redis:7", False),
        ("sdk-base/Dockerfile", "shop-sdk-base:1", False),
    ],
)
def test_a_bare_name_that_ends_like_a_dockerfile(
    tmp_path: Path, path: str, name: str, *, here: bool
) -> None:
    files = {path: SDK_BASE, "api/Dockerfile": f"FROM {name}\n"}
    write(tmp_path, files)
    uses = survey(tmp_path, Settings()).project.references
    (said,) = (use.built_here for use in uses if use.path == "api/Dockerfile")

    assert said == (f"{path} is named like it" if here else None)
    assert [use.built_here for use in uses if use.path == path] == [None]


AZURE = """\
steps:
- task: Docker@2
  inputs:
    command: build
    repository: sdkbase
    dockerfile: base/Dockerfile
    tags: |
      1.0
      latest
"""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("build.sh", "docker build -t sdkbase:1 -f base/Dockerfile base\n"),
        ("build.ps1", "docker build -t sdkbase:1 `\n  -f base/Dockerfile base\n"),
        ("build.cmd", "docker image build ^\r\n --tag=sdkbase:1 base\r\n"),
        ("Makefile", "base:\n\tdocker buildx build --tag sdkbase:1 --load base\n"),
        ("build.sh", "az acr build --registry acme --image sdkbase:1 base\n"),
        (
            ".github/workflows/a.yml",
            "jobs:\n a:\n  steps:\n  - run: docker build -t sdkbase base\n",
        ),
        ("azure-pipelines.yml", AZURE),
        ("compose.yaml", "services:\n  base:\n    image: sdkbase:1\n    build: base\n"),
    ],
)
def test_who_builds_a_base(tmp_path: Path, path: str, text: str) -> None:
    write(tmp_path, {"base/Dockerfile": SDK_BASE, "api/Dockerfile": "FROM sdkbase:1\n", path: text})
    uses = survey(tmp_path, Settings()).project.references
    (said,) = (use.built_here for use in uses if use.path == "api/Dockerfile")

    assert said is not None
    assert said.startswith(path)


WORKFLOW = """\
env:
  REGISTRY: registry.example
  IMAGE: acme/shop
jobs:
  a:
    steps:
{steps}
"""
BUILD = """\
      - uses: docker/build-push-action@v6
        with:
          context: ${{{{ github.workspace }}}}/api
          {line}
"""
METADATA = """\
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: |
            ghcr.io/acme/shop
            ${{ env.REGISTRY }}/${{ env.IMAGE }}
"""


@pytest.mark.parametrize(
    ("steps", "here"),
    [
        (BUILD.format(line="tags: ${{ env.REGISTRY }}/${{env.IMAGE}}:${{ github.sha }}"), True),
        (BUILD.format(line="tags: ghcr.io/x/y:1,registry.example/acme/shop:1"), True),
        (
            BUILD.format(line='outputs: type=image,"name=registry.example/acme/shop"'),
            True,
        ),
        (METADATA + BUILD.format(line="tags: ${{ steps.meta.outputs.tags }}"), True),
        (METADATA + BUILD.format(line="tags: ${{ steps.other.outputs.tags }}"), False),
        (BUILD.format(line="tags: ${{ inputs.registry }}/acme/shop:1"), True),
        (BUILD.format(line="tags: ${{ inputs.registry }}/other/shop:1"), False),
        (BUILD.format(line="tags: ${{ env.REGISTRY }}/acme/other:1"), False),
    ],
)
def test_a_workflow_names_what_it_builds(tmp_path: Path, steps: str, *, here: bool) -> None:
    """With variables, with the action that makes tags, or as what comes out."""
    image = "registry.example/acme/shop:latest"
    files = {
        "api/Dockerfile": "FROM scratch\nCOPY a /a\n",
        "compose.yaml": f"services:\n  shop:\n    image: {image}\n",
        ".github/workflows/ci.yml": WORKFLOW.format(steps=steps),
    }
    write(tmp_path, files)
    uses = survey(tmp_path, Settings()).project.references
    (said,) = (use.built_here for use in uses if use.text == image)

    assert (said is not None) is here


def test_a_workflow_may_compute_the_argument_it_sets(tmp_path: Path) -> None:
    step = BUILD.format(line="build-args: |\n            TAG=${{ inputs.tag }}")
    files = {
        "api/Dockerfile": "ARG TAG=8.0\nFROM mcr.microsoft.com/dotnet/aspnet:$TAG\n",
        "web/Dockerfile": "ARG TAG=8.0\nFROM mcr.microsoft.com/dotnet/aspnet:$TAG\n",
        ".github/workflows/ci.yml": WORKFLOW.format(steps=step),
    }

    assert writers(tmp_path, files) == {
        "api/Dockerfile": ".github/workflows/ci.yml:7 sets ARG TAG",
        "web/Dockerfile": None,
    }
