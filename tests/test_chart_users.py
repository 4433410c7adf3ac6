"""Who installs charts, and with which values: how each way of writing it is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hardhull.project.chart_proof import MOST_FLIPS
from hardhull.settings import Settings
from hardhull.survey import survey
from support import outcome, write

if TYPE_CHECKING:
    from hardhull.project.chart_users import Installs

CHARTS = {
    "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "charts/shop/values.yaml": "port: 80\n",
    "charts/cart/Chart.yaml": "apiVersion: v2\nname: cart\nversion: 1.0.0\n",
    "charts/cart/values.yaml": "port: 80\n",
    "env/prod.yaml": "port: 9000\n",
    "env/test.yaml": "port: 9001\n",
    "env/deep/values-eu.yaml": "port: 9002\n",
}
SHOP = {"charts/shop": ["env/prod.yaml"]}
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source:
    repoURL: https://git.example.com/shop
    path: charts/shop
    helm:
"""
FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop}
spec:
  chart:
    spec:
      chart: ./charts/shop
      sourceRef: {kind: GitRepository, name: shop}
"""


def read(root: Path, files: dict[str, str]) -> Installs:
    return survey(write(root, {**CHARTS, **files}), Settings()).project.workspace.installs


def paths(installs: Installs) -> dict[str, list[str]]:
    return {
        chart: [" ".join(map(str, (one.path, *one.at))) for one in found]
        for chart, found in installs.given.items()
    }


@pytest.mark.parametrize(
    ("path", "text", "given"),
    [
        ("deploy.sh", "helm upgrade --install shop ./charts/shop -f env/prod.yaml\n", SHOP),
        ("deploy.sh", "helm install --wait shop charts/shop \\\n  --values=env/prod.yaml\n", SHOP),
        (
            "ops/run.sh",
            "cd ..\nhelm upgrade shop ../charts/shop -f ../env/prod.yaml && echo\n",
            SHOP,
        ),
        ("deploy.ps1", "helm upgrade -i shop .\\charts\\shop -f .\\env\\prod.yaml\n", SHOP),
        ("deploy.sh", "helm template -n web shop shop -f prod.yaml | kubectl apply -f -\n", SHOP),
        (
            "deploy.sh",
            'helm upgrade shop charts/shop -f "env/$ENVIRONMENT.yaml"\n',
            {"charts/shop": ["env/prod.yaml", "env/test.yaml"]},
        ),
        (
            "deploy.sh",
            "for c in $CHARTS; do helm upgrade $c charts/$c -f env/prod.yaml; done\n",
            {"charts/cart": ["env/prod.yaml"], **SHOP},
        ),
        (
            "ops/run.sh",
            "helm upgrade $NAME $CHART -f ../env/prod.yaml\n",
            {"charts/cart": ["env/prod.yaml"], **SHOP},
        ),
        (
            "charts/run.sh",
            "helm install shop $CHART -f prod.yaml\n",
            {"charts/cart": ["env/prod.yaml"], **SHOP},
        ),
        ("Jenkinsfile", "sh 'helm upgrade shop charts/shop -f env/prod.yaml'\n", SHOP),
        ("deploy.sh", "helm upgrade redis bitnami/redis -f env/prod.yaml\n", {}),
        ("deploy.sh", "helm upgrade shop charts/shop -f $VALUES -f missing.yaml\n", {}),
        ("deploy.sh", "helm upgrade shop charts/shop -f ../../env/prod.yaml\n", SHOP),
        (
            ".github/workflows/deploy.yml",
            (
                "jobs:\n  a:\n    steps:\n      - run: |\n          helm upgrade shop \\\n"
                "            charts/shop -f env/${{ inputs.environment }}.yaml\n"
            ),
            {"charts/shop": ["env/prod.yaml", "env/test.yaml"]},
        ),
        (
            "azure-pipelines.yml",
            (
                "steps:\n  - task: HelmDeploy@0\n    inputs:\n      command: upgrade\n"
                "      chartPath: charts/shop\n      valueFile: env/prod.yaml\n"
            ),
            SHOP,
        ),
        (
            "helmfile.yaml",
            (
                "releases:\n  - name: shop\n    chart: ./charts/shop\n    values:\n"
                "      - env/prod.yaml\n      - port: 9003\n"
            ),
            {"charts/shop": ["env/prod.yaml", "helmfile.yaml 0 releases 0 values 1"]},
        ),
        (
            "skaffold.yaml",
            (
                "apiVersion: skaffold/v4beta6\nkind: Config\ndeploy:\n  helm:\n    releases:\n"
                "      - name: shop\n        chartPath: charts/shop\n"
                "        valuesFiles: [env/prod.yaml]\n"
            ),
            SHOP,
        ),
        ("argo/shop.yaml", f"{ARGO}      valueFiles: [../../env/prod.yaml]\n", SHOP),
        ("argo/shop.yaml", f"{ARGO}      valueFiles: [$values/env/prod.yaml]\n", SHOP),
        (
            "argo/shop.yaml",
            f"{ARGO}      valuesObject:\n        port: 9003\n",
            {"charts/shop": ["argo/shop.yaml 0 spec source helm valuesObject"]},
        ),
        (
            "argo/shop.yaml",
            f"{ARGO}      values: |\n        port: 9003\n",
            {"charts/shop": ["argo/shop.yaml 0 spec source helm values"]},
        ),
        (
            "flux/shop.yaml",
            f"{FLUX}      valuesFiles: [./env/prod.yaml]\n  values:\n    port: 9003\n",
            {"charts/shop": ["env/prod.yaml", "flux/shop.yaml 0 spec values"]},
        ),
    ],
)
def test_ways_to_install_a_chart(
    tmp_path: Path, path: str, text: str, given: dict[str, list[str]]
) -> None:
    assert paths(read(tmp_path, {path: text})) == given


def test_values_that_are_set_one_by_one(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "argo/shop.yaml": f"{ARGO}      parameters: [{{name: image.tag, value: v2}}]\n",
            "azure-pipelines.yml": "steps:\n  - task: HelmDeploy@0\n    inputs:\n"
            "      chartPath: charts/shop\n      overrideValues: 'a.b=1,c=2'\n",
        },
    )
    assert dict(found.sets) == {
        "image.tag": "argo/shop.yaml:5",
        "a.b": "azure-pipelines.yml:3",
        "c": "azure-pipelines.yml:3",
    }


def test_aliases_of_aliases_and_names_full_of_variables_end(tmp_path: Path) -> None:
    bomb = "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else 'u'}]\n" for i in range(12)
    )
    names = "$a" * 300
    found = read(
        tmp_path,
        {
            "argo/shop.yaml": f"{ARGO}      valueFiles: [../../env/prod.yaml]\n{bomb}",
            "deploy.sh": f"helm upgrade shop charts/shop -f env/{names}-b-{names}.yaml\n"
            + "helm " * 3000
            + "\n",
        },
    )
    assert paths(found) == SHOP


def test_more_values_files_than_are_looked_at_are_said(tmp_path: Path) -> None:
    files = {f"env/{i}/eu.yaml": "port: 1\n" for i in range(41)}
    files["deploy.sh"] = "helm upgrade shop charts/shop -f env/$I/eu.yaml\n"
    found = read(tmp_path, files)

    assert len(found.given["charts/shop"]) == 40
    assert [(one.path, one.line) for one in found.skipped] == [("charts/shop/Chart.yaml", 1)]


# ---------------------------------------------------------------- what follows from it

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
          image: "acme.example/shop:1"
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
"""
PROGRAM = {
    "shop/Dockerfile": "FROM mcr.microsoft.com/dotnet/aspnet:8.0\nWORKDIR /app\nCOPY out .\n"
    'USER $APP_UID\nENTRYPOINT ["dotnet", "Shop.dll"]\n',
    "shop/Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>'
    "<TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>\n",
    "shop/Program.cs": "WebApplication.CreateBuilder(args).Build().Run();\n",
    "charts/shop/Chart.yaml": CHARTS["charts/shop/Chart.yaml"],
    "charts/shop/values.yaml": "securityContext: {}\n",
    "charts/shop/templates/deployment.yaml": DEPLOYMENT,
}
INSTALLED = "helm upgrade shop charts/shop -f env/prod.yaml\n"
RULE = "privilege-escalation"


def test_what_is_laid_over_a_chart_elsewhere_says_the_same_afterwards(tmp_path: Path) -> None:
    values = "securityContext:\n  allowPrivilegeEscalation: true\n"
    before = {**PROGRAM, "charts/shop/values.yaml": values}
    write(tmp_path, {**before, "env/prod.yaml": values, "deploy.sh": INSTALLED})

    result = outcome(tmp_path, RULE)

    mended = values.replace("true", "false")
    assert {path: result.after[path].text for path in result.changed} == {
        "charts/shop/values.yaml": mended,
        "env/prod.yaml": mended,
    }


@pytest.mark.parametrize(
    ("files", "place"),
    [
        (
            {
                "env/prod.yaml": "securityContext:\n  allowPrivilegeEscalation: true\n",
                "deploy.sh": INSTALLED,
            },
            ("env/prod.yaml", "true"),
        ),
        (
            {"argo.yaml": f"{ARGO}      valuesObject: {{securityContext: "
             "{allowPrivilegeEscalation: true}}\n"},
            ("argo.yaml", "true"),
        ),
        (
            {"argo.yaml": f"{ARGO}      values: |\n        securityContext:\n"
             "          allowPrivilegeEscalation: true\n"},
            ("argo.yaml", "|"),
        ),
    ],
)  # fmt: skip
def test_what_says_otherwise_refuses(
    tmp_path: Path, files: dict[str, str], place: tuple[str, str]
) -> None:
    result = outcome(write(tmp_path, {**PROGRAM, **files}), RULE)

    assert result.changed == ()
    (entry,) = result.entries
    assert "laid over the chart's own, say otherwise" in entry.reason
    path, word = place
    line = result.before.get(path)
    text = line.text if line is not None else files[path]
    number = 1 + text[: text.index(word)].count("\n")
    assert f"{path}:{number}" in entry.reason


def test_an_object_of_other_values_alone_is_looked_at_as_these_render_it(tmp_path: Path) -> None:
    template = f"{{{{- if .Values.enabled }}}}\n{DEPLOYMENT}{{{{- end }}}}\n"
    files = {
        **PROGRAM,
        "charts/shop/values.yaml": "enabled: false\nsecurityContext: {}\n",
        "charts/shop/values-prod.yaml": "enabled: true\n",
        "charts/shop/templates/deployment.yaml": template,
    }
    result = outcome(write(tmp_path, files), RULE)

    assert result.changed == ("charts/shop/values.yaml",)
    assert "allowPrivilegeEscalation: false" in result.after["charts/shop/values.yaml"].text


def test_what_no_values_render_is_said(tmp_path: Path) -> None:
    template = f"{{{{- if .Values.enabled }}}}\n{DEPLOYMENT}{{{{- end }}}}\n"
    files = {**PROGRAM, "charts/shop/templates/deployment.yaml": template}
    result = outcome(write(tmp_path, files), RULE)

    assert [(one.path, one.line) for one in result.skipped] == [
        ("charts/shop/templates/deployment.yaml", 1)
    ]
    assert "not looked at" in result.skipped[0].reason


def test_more_branches_than_are_tried_are_said(tmp_path: Path) -> None:
    labels = "".join(f"    {{{{- if .Values.l{i} }}}}\n    l{i}: x\n    {{{{- end }}}}\n"
                     for i in range(MOST_FLIPS + 1))  # fmt: skip
    template = DEPLOYMENT.replace(
        "metadata: {name: shop}\n", f"metadata:\n  name: shop\n  labels:\n    a: b\n{labels}"
    )
    files = {**PROGRAM, "charts/shop/templates/deployment.yaml": template}
    result = outcome(write(tmp_path, files), RULE)

    assert [f"more than {MOST_FLIPS} branches" in one.reason for one in result.skipped] == [True]
    assert result.changed == ("charts/shop/values.yaml",)


def test_two_ports_of_one_value_are_told_apart_by_nobody(tmp_path: Path) -> None:
    """The reason names the value, so that the reader knows what to give a value of its own."""
    folder = Path(__file__).parent / "cases" / "charts" / "one-value-for-two-ports" / "before"
    shutil.copytree(folder, tmp_path / "root")
    result = outcome(tmp_path / "root", "privileged-port")
    (entry,) = result.entries

    assert entry.reason.endswith("would change too, as it has the same value service.port")
