"""`hardhull config`: the settings in force, and where each comes from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hardhull.commands.output import Output
from hardhull.commands.roots import config_of, expanded, roots_of, settings_of
from hardhull.configuration.schema import describe, schema
from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import UsageError
from hardhull.report.machine import dumps
from hardhull.report.neutral import plain
from hardhull.report.shapes import FORMAT
from hardhull.rules import BY_ID, RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from hardhull.documents.yaml import Cursor
    from hardhull.settings import Settings

    Row = tuple[str, str, str]

_HEADS = ("setting", "value", "from")


def config(arguments: argparse.Namespace) -> int:
    """Show the settings; return the exit code."""
    output = Output(arguments)
    if arguments.schema:
        output.write(dumps(schema(BY_ID), depth=99))
        return 0
    roots = roots_of(arguments)
    if len(roots) > 1:
        raise UsageError("config shows one repository at a time; give one PATH")
    rows = list(effective(roots[0], arguments))
    if arguments.format == "json":
        listed = [{"setting": name, "value": value, "from": source} for name, value, source in rows]
        output.write(dumps({"schema": FORMAT, "settings": listed}))
    elif output.fancy:
        from hardhull.report.terminal import show_table  # noqa: PLC0415  slow to import

        show_table(_HEADS, rows, sys.stdout)
    else:
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        output.write("".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}\n" for a, b, c in rows))
    return 0


def effective(root: Path, arguments: argparse.Namespace) -> Iterator[Row]:
    """A row for each setting: its name, its value, where it comes from."""
    settings = settings_of(root, arguments)
    lines = _Lines.of(config_of(root, arguments))
    for name, _, default, _ in describe():
        if name.startswith("rules") or default == "" or "<" in name:
            continue
        found = lines.place(name.split("."))
        source = "--level" if name == "level" and arguments.level else found
        yield name, plain(_shown(_value(settings, name))), source or "default"
    yield from _tables(settings, lines)
    for rule in RULES:
        source = _chosen_by(rule.id, arguments) or lines.place(["rules", rule.id])
        state = settings.state_of(rule).value
        if state == "fix" and rule.fix is None:
            state = "report"  # it has no fix
        yield f"rules.{rule.id}", state, source or "default"


def _tables(settings: Settings, lines: _Lines) -> Iterator[Row]:
    for name, image in settings.base_images.items():
        place = lines.place(["base-images", name])
        yield plain(f"base-images.{name}"), plain(f"like {image.like}"), place


def _value(settings: Settings, name: str) -> Any:
    value: Any = settings
    for part in name.replace("-", "_").split("."):
        value = getattr(value, part)
    return value


def _shown(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case dict():
            return ", ".join(f"{key} = {inner}" for key, inner in value.items()) or "none"
        case tuple() | list():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(getattr(value, "value", value))


def _chosen_by(rule: str, arguments: argparse.Namespace) -> str:
    for option in ("ignore", "enable", "select"):
        named = getattr(arguments, option)
        if rule in expanded(named):
            return f"--{option}"
    return "--select" if arguments.select else ""


class _Lines:
    """Lines of the configuration file by key."""

    def __init__(self, path: str, top: Cursor | None) -> None:
        self._path = path
        self._top = top

    @classmethod
    def of(cls, given: tuple[str, str] | None) -> _Lines:
        """Read the configuration once more, for its lines alone."""
        if given is None:
            return cls("", None)
        path, text = given
        file = read_yaml(Source(path, FileKind.EVIDENCE, text))
        if isinstance(file, Unreadable) or not file.cursors:
            return cls(path, None)
        return cls(path, file.cursors[0])

    def place(self, keys: list[str]) -> str:
        """Where a key is set: `path:line`; empty if it is not."""
        found = self._top.get(*keys) if self._top is not None else None
        return f"{plain(self._path)}:{found.line}" if found is not None else ""
