"""Who keeps digests fresh: what settings of Renovate and Dependabot say of which reference."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import pytest

from hardhull.settings import Settings
from hardhull.survey import survey
from support import outcome, texts, write

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (f"sha256:{digit * 64}" for digit in "0f")
FILES = {
    "Dockerfile": f"FROM redis:7@{OLD}\n",
    "src/Api/Dockerfile": (
        f"ARG TAG=7@{OLD}\nFROM redis:7@{OLD}\nCOPY --from=redis:7@{OLD} /a /a\nFROM redis:$TAG\n"
    ),
    "src/Api/Api.Dockerfile": f"FROM redis:7@{OLD}\n",
    "src/Web/api.containerfile.dev": f"FROM redis:7@{OLD}\n",
    "tests/Dockerfile": f"FROM redis:7@{OLD}\n",
    "compose.yaml": f"services:\n  a:\n    image: redis:7@{OLD}\n",
    "k8s/pod.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        f"spec:\n  containers:\n  - name: a\n    image: redis:7@{OLD}\n"
    ),
}
ALL = {*FILES, "src/Api/Dockerfile ARG", "src/Api/Dockerfile COPY"}


def covered(root: Path, **config: str) -> dict[str, str]:
    """What update tools refresh, and who, by file; what is special by file and kind."""
    write(root, {**FILES, **config})
    project = survey(root, Settings(), today=datetime.date(2026, 11, 22)).project
    found = {}
    for use in project.references:
        kind = " ARG" if "$" in use.text else " COPY" if use.place.value == "COPY --from" else ""
        updater = project.workspace.updaters.of(use)
        if updater is not None:
            found[use.path + kind] = str(updater)
    return found


def dependabot(ecosystem: str, *folders: str, more: str = "") -> dict[str, str]:
    text = f"version: 2\nupdates:\n  - package-ecosystem: {ecosystem}\n    {more or 'labels: []'}\n"
    text += f"    directories: {json.dumps(folders)}\n"
    return {".github/dependabot.yml": text}


@pytest.mark.parametrize(
    ("ecosystem", "folders", "expected"),
    [
        ("docker", ["/"], {"Dockerfile"}),
        ("docker", ["/src/Api/"], {"src/Api/Dockerfile", "src/Api/Api.Dockerfile"}),
        ("docker", ["src/Web"], {"src/Web/api.containerfile.dev"}),
        ("docker", ["/k8s"], {"k8s/pod.yaml"}),
        ("docker", ["/src"], set()),
        (
            "docker",
            ["/src/*"],
            {"src/Api/Dockerfile", "src/Api/Api.Dockerfile", "src/Web/api.containerfile.dev"},
        ),
        ("docker", ["/*"], {"tests/Dockerfile", "k8s/pod.yaml"}),
        ("docker", ["**/*"], set(FILES) - {"compose.yaml"}),
        ("docker-compose", ["/"], {"compose.yaml"}),
        ("nuget", ["/"], set()),
    ],
)
def test_what_dependabot_reads(
    tmp_path: Path, ecosystem: str, folders: list[str], expected: set[str]
) -> None:
    assert set(covered(tmp_path, **dependabot(ecosystem, *folders))) == expected


@pytest.mark.parametrize(
    "more",
    [
        "open-pull-requests-limit: 0",
        "ignore: [{dependency-name: '*'}]",
        "exclude-paths: ['**/*']",
    ],
)
def test_dependabot_that_does_nothing(tmp_path: Path, more: str) -> None:
    assert covered(tmp_path, **dependabot("docker", "/", more=more)) == {}


def test_its_settings_are_named(tmp_path: Path) -> None:
    found = covered(tmp_path, **dependabot("docker", "/", "/k8s", more="ignore: [{x: y}]"))

    assert found["k8s/pod.yaml"] == "Dependabot (.github/dependabot.yml: docker, /, /k8s)"


IN_DOCKERFILES = ALL - {"compose.yaml", "k8s/pod.yaml", "src/Web/api.containerfile.dev"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("{}", IN_DOCKERFILES | {"compose.yaml"}),
        ('{"extends": ["config:recommended"]}',
         IN_DOCKERFILES - {"tests/Dockerfile"} | {"compose.yaml"}),
        ('{"extends": ["config:recommended"], "ignorePaths": ["src/"]}',
         {"Dockerfile", "tests/Dockerfile", "compose.yaml"}),
        ('{"enabledManagers": ["docker-compose", "nuget"]}', {"compose.yaml"}),
        ('{"docker-compose": {"enabled": false}}', IN_DOCKERFILES),
        ('{"includePaths": ["compose.yaml"]}', {"compose.yaml"}),
        ('{"enabled": false}', set()),
        ('{"digest": {"enabled": false}}', set()),
        ('{"extends": ["docker:disable"]}', set()),
        ('{"extends": [":disableDigestUpdates"]}', set()),
        ('{"packageRules": [{"matchDatasources": ["docker"], "enabled": false}]}', set()),
        ('{"packageRules": [{"matchUpdateTypes": ["digest"], "enabled": false}]}', set()),
        ('{"packageRules": [{"matchUpdateTypes": ["major"], "enabled": false}]}',
         IN_DOCKERFILES | {"compose.yaml"}),
        ('{"packageRules": [{"matchPackageNames": ["redis"], "enabled": false}]}',
         IN_DOCKERFILES | {"compose.yaml"}),
        ('{"packageRules": [{"matchManagers": ["dockerfile"], "enabled": false}]}',
         {"compose.yaml"}),
        ('{"packageRules": [{"matchFileNames": ["src/**"], "enabled": false}]}',
         {"Dockerfile", "tests/Dockerfile", "compose.yaml"}),
        ('{"kubernetes": {"managerFilePatterns": ["/^k8s/.+\\\\.ya?ml$/"]}}',
         IN_DOCKERFILES | {"compose.yaml", "k8s/pod.yaml"}),
        ('{"kubernetes": {"managerFilePatterns": ["deploy/**"], "ignorePaths": []}}',
         IN_DOCKERFILES | {"compose.yaml"}),
        ('{"kubernetes": {"fileMatch": ["(^|/)k8s/[^/]*\\\\.yaml$"]}}',
         IN_DOCKERFILES | {"compose.yaml", "k8s/pod.yaml"}),
        ('{"kubernetes": {"fileMatch": ["\\\\.yaml$"], "ignorePaths": ["k8s/**"]}}',
         IN_DOCKERFILES | {"compose.yaml"}),
        ('{"dockerfile": {"managerFilePatterns": ["**/*.containerfile.dev"]}}',
         IN_DOCKERFILES | {"compose.yaml", "src/Web/api.containerfile.dev"}),
    ],
)  # fmt: skip
def test_what_renovate_reads(tmp_path: Path, config: str, expected: set[str]) -> None:
    assert set(covered(tmp_path, **{"renovate.json": config})) == expected


def test_a_pattern_that_could_take_forever_is_not_tried(tmp_path: Path) -> None:
    config = json.dumps({"kubernetes": {"fileMatch": ["(x+x+)+y", "(a|a)*$", ".*.*.*.*z"]}})

    assert "k8s/pod.yaml" in covered(tmp_path, **{"renovate.json": config})


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("renovate.json5", "// ours\n{ /* all\n of it */ extends: ['config:base'], 'x': '//', }\n"),
        (".github/renovate.jsonc", '{\n\t"a": "http://x", // {\n\t"extends": ["config:base"]\n}\n'),
        (".renovaterc", '{"extends": ["config:base"]}'),
        ("package.json", '{"name": "x", "renovate": {"extends": ["config:base"]}}'),
    ],
)
def test_where_renovate_is_told(tmp_path: Path, path: str, text: str) -> None:
    found = covered(tmp_path, **{path: text})

    assert set(found) == IN_DOCKERFILES - {"tests/Dockerfile"} | {"compose.yaml"}
    assert set(found.values()) == {f"Renovate ({path})"}


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 8_000,
        "'" * 15_999,
        "/*" * 8_000,
        "//" + "x" * 15_000,
        '{"a": "b\\\nc", "d": 1}',
    ],
)
def test_text_that_never_ends_ends(tmp_path: Path, text: str) -> None:
    covered(tmp_path, **{"renovate.json5": f"{text}\n" * 200})


def test_very_many_folders_are_not_all_compared(tmp_path: Path) -> None:
    entry = {"package-ecosystem": "docker", "directories": [f"/{n}/*/x" for n in range(900)]}
    last = {"package-ecosystem": "docker", "directory": "/"}
    text = json.dumps({"version": 2, "updates": [entry, entry, last]})

    assert covered(tmp_path, **{".github/dependabot.yml": text.replace(", ", ",\n")}) == {}


def test_a_package_without_renovate_says_nothing(tmp_path: Path) -> None:
    assert covered(tmp_path, **{"package.json": '{"keywords": ["renovate"], "renovated": 1}'}) == {}


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': [}", "/* " * 2000, "[1]", '"x"', '{"extends": 5}']
)
def test_settings_that_are_broken_crash_nothing(tmp_path: Path, text: str) -> None:
    covered(tmp_path, **{"renovate.json": text, ".github/dependabot.yml": text})


@pytest.mark.parametrize("text", ["{", '{"x": "' + "x" * 20_000 + '"}'])
def test_what_cannot_be_read_counts(tmp_path: Path, text: str) -> None:
    found = covered(tmp_path, **{"renovate.json": text})

    assert found["Dockerfile"] == "Renovate (renovate.json, which can't be read)"


# ---------------------------------------------------------------- what follows from it

NOBODY = "nobody yet: run hardhull on a schedule, or let Renovate or Dependabot do it"
DIGESTS = {"docker.io/library/redis:7": {"digest": NEW, "recorded": "2026-11-01T00:00:00+00:00"}}


def test_ours_is_what_nobody_else_refreshes(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, **dependabot("docker", "/src/Api")})
    changed = texts(outcome(tmp_path, "stale-digest", digests=DIGESTS))

    assert set(changed) == set(FILES) - {"src/Api/Api.Dockerfile"}
    # Dependabot reads neither variables nor what is copied from.
    lines = changed["src/Api/Dockerfile"].splitlines()
    assert [OLD in line for line in lines] == [False, True, False, False]


def test_refresh_means_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "renovate.json": "{}"})

    assert set(texts(outcome(tmp_path, "stale-digest", digests=DIGESTS))) == {
        "k8s/pod.yaml",
        "src/Web/api.containerfile.dev",
    }
    result = outcome(tmp_path, "stale-digest", digests=DIGESTS, settings="pins: refresh\n")
    assert set(texts(result)) == set(FILES)
    assert result.notes == (f"Pins are refreshed by: {NOBODY}",)


def test_a_run_that_is_not_refreshing(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "new/Dockerfile": "FROM redis:7\n"})
    result = outcome(tmp_path, digests=DIGESTS, refreshing=False)

    assert set(texts(result)) == {"new/Dockerfile"}
    assert not [e for e in result.entries if e.finding.rule == "stale-digest"]


@pytest.mark.parametrize(
    ("files", "settings", "note"),
    [
        ({}, "", NOBODY),
        ({"renovate.json": "{}"}, "", "Renovate (renovate.json)"),
        (
            {"renovate.json": '{"extends": ["config:best-practices"]}'},
            "",
            "Renovate (renovate.json, which adds pins too)",
        ),
        (
            {".github/workflows/h.yml": "on:\n  schedule: []\njobs: {a: {uses: x/hardhull@v1}}\n"},
            "",
            "hardhull's scheduled run (.github/workflows/h.yml)",
        ),
        (
            {".github/workflows/h.yml": "on:\n  schedule: []\njobs: {a: {uses: x/hardhull@v1}}\n"},
            "pins: add\n",
            NOBODY,
        ),
        (
            {"k/p.yaml": FILES["k8s/pod.yaml"].replace(f"@{OLD}", ""), "renovate.json": "{}"},
            "",
            f"Renovate (renovate.json) [Dockerfile]; {NOBODY} [k/p.yaml]",
        ),
    ],
)
def test_who_refreshes_is_said_once(
    tmp_path: Path, files: dict[str, str], settings: str, note: str
) -> None:
    write(tmp_path, {"Dockerfile": "FROM redis:7\nCOPY --from=redis:7 / /\n", **files})
    result = outcome(tmp_path, "unpinned-image", digests=DIGESTS, settings=settings)

    assert result.notes == (f"Pins are refreshed by: {note}",)


def test_nothing_is_said_where_nothing_is_pinned(tmp_path: Path) -> None:
    write(tmp_path, {"Dockerfile": "FROM redis:7\n"})

    assert outcome(tmp_path).notes == ()
