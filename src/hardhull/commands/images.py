"""`hardhull images`: every image reference of a repository."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from hardhull.commands.output import Output
from hardhull.commands.roots import recorded_of, roots_of, settings_of
from hardhull.report.machine import dumps
from hardhull.report.neutral import plain
from hardhull.report.places import Root
from hardhull.report.shapes import FORMAT
from hardhull.survey import survey

if TYPE_CHECKING:
    import argparse

    from hardhull.project.link import Project
    from hardhull.project.references import ImageUse
    from hardhull.report.shapes import ImageShape

_HEADS = ("where", "image", "", "used by")


def images(arguments: argparse.Namespace) -> int:
    """List the references; return the exit code."""
    output = Output(arguments)
    recorded = recorded_of(arguments)
    reports: list[dict[str, Any]] = []
    for given in roots_of(arguments):
        project = survey(given, settings_of(given, arguments), recorded=recorded).project
        found = [image_of(project, use) for use in project.references]
        found.sort(key=lambda image: (image["path"], image["line"], image["column"]))
        reports.append({"root": Root.of(given).label, "images": found})
    several = len(reports) > 1
    if arguments.format == "json" and several:
        output.write(dumps({"schema": FORMAT, "roots": reports}, depth=4))
        return 0
    if arguments.format == "json":
        output.write(dumps({"schema": FORMAT, "images": reports[0]["images"]}))
        return 0
    rows = [
        _row(image, f"{report['root']}/" if several else "")
        for report in reports
        for image in report["images"]
    ]
    if output.fancy:
        from hardhull.report.terminal import show_table  # noqa: PLC0415  slow to import

        show_table(_HEADS, rows, sys.stdout)
    else:
        output.write("".join("  ".join(filter(None, row)) + "\n" for row in rows))
    return 0


def image_of(project: Project, use: ImageUse) -> ImageShape:
    """One reference as JSON says it."""
    source = project.documents[use.path].source
    # The span of a YAML value holds its quotes: the text itself may begin behind them.
    at = source.text.find(use.text, use.span.start, use.span.end)
    line, column = source.position(at if at >= 0 else use.span.start)
    lines = dict.fromkeys(
        source.line_of(origin.span.start) for origin in use.origins if origin.span is not None
    )
    return {
        "path": use.path,
        "line": line,
        "column": column,
        "text": use.text,
        "resolved_from": ", ".join(f"{use.path}:{line}" for line in sorted(lines)) or None,
        "name": use.name,
        "built_here": use.built_here is not None,
        "pinned": use.pinned,
        "used_by": use.used_by,
    }


def _row(image: ImageShape, prefix: str) -> tuple[str, str, str, str]:
    name = image["name"]
    shown = plain(image["text"])
    if image["resolved_from"] is not None and name is not None:
        shown += f" = {plain(name)} (from {plain(image['resolved_from'])})"
    states = [
        word
        for word, holds in (
            ("built here", image["built_here"]),
            ("pinned", image["pinned"]),
            ("unresolved", name is None),
        )
        if holds
    ]
    place = plain(f"{prefix}{image['path']}:{image['line']}")
    return place, shown, ", ".join(states), plain(image["used_by"])
