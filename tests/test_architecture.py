"""Imports go one way: model, documents, project, rules, engine, run, and the front doors last."""

from __future__ import annotations

import ast
from pathlib import Path

import hardhull

SOURCE = Path(hardhull.__file__).parent
ORDER = (
    ("model", "__init__"),
    ("images", "globs", "documents"),
    ("discover", "suppression", "facts"),
    ("settings",),
    ("configuration",),
    ("project",),
    ("rules", "proof"),
    ("acceptance", "ledger", "conflicts"),
    ("engine",),
    ("outcome",),
    ("survey", "conclusion", "writing", "committed"),
    ("run", "wanted"),
    ("report", "pull_request"),
    ("commands",),
    ("actions",),
    ("cli", "action", "__main__"),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}


def imports_of(path: Path) -> set[str]:
    """Rooms and modules of ours that a module needs when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hardhull"):
            parts = (node.module or "").split(".")
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            found |= set(names)
    return found


def test_every_module_has_its_place() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in SOURCE.iterdir()}

    assert rooms - {"__pycache__", "py.typed", "schemas"} <= set(RANK)


def test_imports_go_one_way() -> None:
    backwards = [
        f"{path.relative_to(SOURCE)} imports {name}"
        for path in sorted(SOURCE.rglob("*.py"))
        for name in sorted(imports_of(path))
        if RANK.get(name, 0) > RANK[path.relative_to(SOURCE).parts[0].removesuffix(".py")]
    ]

    assert backwards == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_only_the_ends_touch_the_world() -> None:
    worldly = {"os", "socket", "subprocess", "shutil", "urllib", "requests", "tempfile"}
    ends = {"discover.py", "cli.py", "action.py", "writing.py", "__main__.py"}
    ends |= {"transport.py", "connections.py", "credentials.py", "cache.py"}  # of facts
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name in ends or path.parent.name in (
            "report",
            "pull_request",
            "commands",
            "actions",
        ):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [f"{path.relative_to(SOURCE)}: {n}" for n in names if n in worldly]

    assert found == []
