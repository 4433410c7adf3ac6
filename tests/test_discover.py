"""Discovery: which files matter and as what, and safety in a hostile repository."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from hardhull.discover import SIZE_CAP, Found, discover, read
from hardhull.documents.source import FileKind
from hardhull.model import UsageError

if TYPE_CHECKING:
    from pathlib import Path

POD = "apiVersion: v1\nkind: Pod\n"
COMPOSE = "services:\n  web:\n    image: web\n"


def put(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())


def git(root: Path, *arguments: str) -> None:
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    return root


def kinds(found: Found) -> dict[str, str]:
    return {path: entry.kind.value for path, entry in found.files.items()}


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("Dockerfile", "FROM x", "dockerfile"),
        ("a/b/web.Dockerfile", "FROM x", "dockerfile"),
        ("a/Dockerfile.linux", "FROM x", "dockerfile"),
        ("a/web-dockerfile", "FROM x", "dockerfile"),
        ("Containerfile", "FROM x", "dockerfile"),
        ("DOCKERFILE-arm", "FROM x", "dockerfile"),
        ("Dockerfile.dockerignore", "bin", "evidence"),
        ("Dockerfile.md", "text", None),
        ("dockerfile.yml", "on: push", "evidence"),
        ("MyDockerfile", "FROM x", None),
        ("Dockerfile.j2", "FROM {{ x }}", "evidence"),
        (".github/Dockerfile", "FROM x", "evidence"),
        ("k8s/pod.yaml", POD, "yaml"),
        ("pod.yml", "\ufeff" + POD.replace("\n", "\r\n"), "yaml"),
        ("list.yaml", "kind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n", "yaml"),
        ("flow.yaml", "{kind: Pod, apiVersion: v1}", "yaml"),
        ("k8s/pod.json", '{"kind": "Pod", "apiVersion": "v1"}', "yaml"),
        ("k8s/other.json", '{"kind": "Pod"}', None),
        ("src/pod.json", '{"kind": "Pod", "apiVersion": "v1"}', None),
        ("docker-compose.yml", COMPOSE, "yaml"),
        ("docker-compose.override.yml", "x-a: 1\n", "yaml"),
        ("compose.prod.yaml", COMPOSE, "yaml"),
        ("stack.yml", COMPOSE, "yaml"),
        ("tye.yaml", "services:\n- name: a\n  image: b\n", "evidence"),
        ("ci.yml", "services:\n  - docker\nimage: x\n", "evidence"),
        ("azure.yaml", "services:\n  web:\n    image: x\n", "evidence"),
        ("skaffold.yaml", "apiVersion: skaffold/v4\nkind: Config\n", "evidence"),
        ("kustomization.yaml", "apiVersion: v1\nkind: Kustomization\n", "evidence"),
        ("values.prod.yaml", POD, "evidence"),
        (".github/workflows/build.yml", POD, "evidence"),
        ("patch.yaml", "- op: replace\n", "evidence"),
        ("deploy.yaml.tmpl", POD, "evidence"),
        ("Program.cs", "", "evidence"),
        ("appsettings.Development.json", "{}", "evidence"),
        ("Properties/launchSettings.json", "{}", "evidence"),
        ("package.json", "{}", None),
        ("Makefile", "", "evidence"),
        (".env", "", "evidence"),
        ("nginx.conf", "", "evidence"),
        ("docker-bake.hcl", "", "evidence"),
        ("renovate.json5", "", "evidence"),
        ("README.md", "", None),
        ("node_modules/a/Dockerfile", "FROM x", None),
    ],
)
def test_kind_of_a_file(tmp_path: Path, path: str, text: str, kind: str | None) -> None:
    put(tmp_path, {path: text})
    assert kinds(discover(tmp_path)).get(path) == kind


def test_bytes_come_back_exactly(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfFROM x\r\n# \xff\n"
    (tmp_path / "Dockerfile").write_bytes(data)
    (tmp_path / "run.sh").write_bytes(data)
    for entry in discover(tmp_path).files.values():
        assert read(entry).to_bytes() == data
        assert read(entry).kind is entry.kind


def test_git_lists_tracked_and_new_but_not_ignored_or_deleted(tree: Path) -> None:
    put(
        tree, {".gitignore": "out/\n", "out/Dockerfile": "", "a/Dockerfile": "", "b/Dockerfile": ""}
    )
    put(tree, {"bin/Dockerfile": "", "c/Dockerfile": ""})
    git(tree, "add", "a", "b", "bin")
    (tree / "b" / "Dockerfile").unlink()
    found = discover(tree)
    assert list(found.files) == ["a/Dockerfile", "bin/Dockerfile", "c/Dockerfile"]
    assert found.skipped == ()


def test_a_root_inside_a_bigger_tree_lists_only_what_is_below(tree: Path) -> None:
    put(tree, {"Dockerfile": "", "src/web/Dockerfile": "", "src/Dockerfile": ""})
    assert list(discover(tree / "src").files) == ["Dockerfile", "web/Dockerfile"]


def test_a_root_that_a_tree_above_ignores_is_walked(tree: Path) -> None:
    put(tree, {".gitignore": "out/\n", "out/Dockerfile": ""})
    assert list(discover(tree / "out").files) == ["Dockerfile"]


def test_walk_leaves_build_output_out(tmp_path: Path) -> None:
    put(tmp_path, {f"{name}/Dockerfile": "" for name in ("bin", "obj", "node_modules", "a")})
    assert list(discover(tmp_path).files) == ["a/Dockerfile"]


def test_broken_git_folder_is_walked_and_said(tmp_path: Path) -> None:
    put(tmp_path, {".git": "gitdir: nowhere\n", "Dockerfile": ""})
    found = discover(tmp_path)
    assert list(found.files) == ["Dockerfile"]
    assert "could not list" in found.skipped[0].reason


def test_odd_names(tree: Path) -> None:
    put(tree, {"a b/Dockerfile": "", "é\n/Dockerfile": "", '"x"/Dockerfile': ""})
    assert sorted(discover(tree).files) == sorted(
        ["a b/Dockerfile", "é\n/Dockerfile", '"x"/Dockerfile']
    )


def test_hostile_repository_starts_nothing(tree: Path, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    script = tree / "evil.sh"
    script.write_text(f"#!/bin/sh\necho x >> {mark}\n")
    script.chmod(0o755)
    put(tree, {"Dockerfile": "FROM x", ".gitattributes": "* filter=evil\n"})
    git(tree, "add", "Dockerfile")
    hooks = tree / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit"):
        (hooks / hook).symlink_to(script)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.pager"):
        git(tree, "config", key, str(script))
    git(tree, "config", "pager.ls-files", str(script))
    git(tree, "config", "core.hooksPath", str(hooks))
    git(tree, "config", "alias.ls-files", f"!{script}")
    mark.unlink(missing_ok=True)
    index = (tree / ".git" / "index").read_bytes()
    assert "Dockerfile" in discover(tree).files
    assert not mark.exists()
    assert (tree / ".git" / "index").read_bytes() == index


def test_environment_of_a_hook_does_not_lead_astray(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tree, {"Dockerfile": ""})
    monkeypatch.setenv("GIT_DIR", str(tree.parent / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tree.parent / "nowhere"))
    found = discover(tree)
    assert (list(found.files), found.skipped) == (["Dockerfile"], ())


def test_git_from_inside_the_root_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"git": "#!/bin/sh\ntouch started\n", "Dockerfile": ""})
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(discover(tmp_path).files) == ["Dockerfile"]
    assert not (tmp_path / "started").exists()


def test_symlinks(tree: Path, tmp_path: Path) -> None:
    put(tmp_path, {"outside/Dockerfile": "FROM secret", "outside/pod.yaml": POD})
    put(tree, {"real/Dockerfile": "FROM x", "real/prod.txt": "FROM y", "k8s/real.yaml": POD})
    (tree / "Dockerfile").symlink_to("real/Dockerfile")
    (tree / "Dockerfile.txt-link").symlink_to("real/prod.txt")
    (tree / "out.Dockerfile").symlink_to(tmp_path / "outside" / "Dockerfile")
    (tree / "broken.yaml").symlink_to("nowhere.yaml")
    (tree / "loop.yaml").symlink_to("loop.yaml")
    (tree / "config.sh").symlink_to(".git/config")
    (tree / "linked").symlink_to(tmp_path / "outside")
    (tree / "pod.yaml").symlink_to("k8s/real.yaml")
    found = discover(tree)
    assert kinds(found) == {
        "k8s/real.yaml": "yaml",
        "real/Dockerfile": "dockerfile",
        "real/prod.txt": "dockerfile",
    }
    assert found.links == {
        "Dockerfile": "real/Dockerfile",
        "Dockerfile.txt-link": "real/prod.txt",
        "pod.yaml": "k8s/real.yaml",
    }
    assert {skip.path: skip.reason for skip in found.skipped} == {
        "out.Dockerfile": "symlink to a file outside the root",
        "broken.yaml": "symlink to nothing",
        "loop.yaml": "symlink to nothing",
        "config.sh": "symlink to a file that is not part of the repository",
    }


def test_a_tracked_folder_swapped_for_a_symlink_is_not_entered(tree: Path, tmp_path: Path) -> None:
    put(tree, {"k8s/pod.yaml": POD, "k8s/run.sh": ""})
    git(tree, "add", ".")
    put(tmp_path, {"outside/pod.yaml": POD, "outside/run.sh": "secret"})
    for path in ("pod.yaml", "run.sh"):
        (tree / "k8s" / path).unlink()
    (tree / "k8s").rmdir()
    (tree / "k8s").symlink_to(tmp_path / "outside")
    assert discover(tree).files == {}


def test_what_can_not_be_read_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, {"big.yaml": " " * (SIZE_CAP + 1), "big.sh": " " * (SIZE_CAP + 1)})
    (tmp_path / "Dockerfile").write_bytes("FROM x".encode("utf-16"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.yaml")
    found = discover(tmp_path)
    assert found.files == {}
    reasons = {skip.path: skip.reason for skip in found.skipped}
    assert reasons["big.yaml"] == reasons["big.sh"] == "larger than 4 MiB"
    assert reasons["Dockerfile"] == "not a UTF-8 text file"
    assert reasons.get("pipe.yaml", "not a plain file") == "not a plain file"


def test_evidence_that_goes_away_is_a_usage_error(tmp_path: Path) -> None:
    put(tmp_path, {"run.sh": "x"})
    entry = discover(tmp_path).files["run.sh"]
    (tmp_path / "run.sh").unlink()
    with pytest.raises(UsageError, match=r"run\.sh: went away"):
        read(entry)


def test_what_belongs_to_a_chart_is_known_as_such(tmp_path: Path) -> None:
    put(tmp_path, {f"{path}/templates/a/pod.yaml": POD for path in ("chart", "other", "mychart")})
    put(tmp_path, {"chart/Chart.yaml": "name: x", "mychart/NotChart.yaml": "", "chart/v.yaml": POD})
    put(tmp_path, {"chart/templates/_helpers.tpl": "x"})
    put(tmp_path, {"chart/values-prod.yaml": "a: 1", "chart/templates/NOTES.txt": "Installed."})
    found = discover(tmp_path)
    assert found.skipped == ()
    assert kinds(found) == {
        "chart/Chart.yaml": "chart values",
        "chart/templates/_helpers.tpl": "chart template",
        "chart/templates/a/pod.yaml": "chart template",
        "chart/v.yaml": "yaml",
        "chart/values-prod.yaml": "chart values",
        "mychart/NotChart.yaml": "evidence",
        "mychart/templates/a/pod.yaml": "yaml",
        "other/templates/a/pod.yaml": "yaml",
    }


@pytest.mark.parametrize(
    ("include", "exclude", "edited"),
    [
        ((), ("legacy/",), ["Dockerfile", "src/a/Dockerfile", "src/legacy2/Dockerfile"]),
        ((), ("src/**/Dockerfile",), ["Dockerfile", "legacy/x/Dockerfile"]),
        (("src/*",), (), ["src/a/Dockerfile", "src/legacy2/Dockerfile"]),
        (("src/*",), ("src/a",), ["src/legacy2/Dockerfile"]),
        ((), ("Dockerfile",), []),
        (("?rc",), (), ["src/a/Dockerfile", "src/legacy2/Dockerfile"]),
    ],
)
def test_paths_say_what_may_be_edited(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], edited: list[str]
) -> None:
    paths = ["Dockerfile", "legacy/x/Dockerfile", "src/a/Dockerfile", "src/legacy2/Dockerfile"]
    put(tmp_path, dict.fromkeys(paths, "FROM x"))
    found = discover(tmp_path, include, exclude)
    assert [entry.path for entry in found.of_kind(FileKind.DOCKERFILE)] == edited
    assert list(found.files) == paths


def test_root_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        discover(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "piece", [" ", "\n", "-", "#\n", "services:\n", "{", "apiVersion", " image"]
)
def test_repetition_is_sniffed_in_reasonable_time(tmp_path: Path, piece: str) -> None:
    text = "apiVersion kind services:\nservices:\n image:" + piece * (500_000 // len(piece))
    put(tmp_path, {"a.yaml": text, "b.yml": text.partition("\n")[2]})
    start = time.perf_counter()
    discover(tmp_path)
    assert time.perf_counter() - start < 5
