"""The report as JSON, for other programs. Its form is in `shapes.py`."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from hardhull.model import Items, Pairs, Scalar
from hardhull.outcome import Status
from hardhull.report.places import place_of
from hardhull.report.shapes import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Change, Fix, Operation, Value, Withheld
    from hardhull.outcome import Entry, Outcome, Standing
    from hardhull.project.application import Application
    from hardhull.report import shapes

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")
# In JSON text: an escaped backslash or a surrogate pair, which stay, or a surrogate alone.
_LONE_SURROGATE = re.compile(
    r"(\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\ud[89a-f][0-9a-f]{2}"
)


def dumps(data: object, depth: int = 2) -> str:
    """JSON in ASCII, so that no text of a repository does anything to a terminal or a log.

    What stands deeper than `depth` is written on one line: one finding is one line, to compare
    and to search. Bytes that are not UTF-8 become the replacement character: JSON can't carry them.
    """
    text = _laid_out(data, depth, "\n")
    if "\\ud" in text:
        text = _LONE_SURROGATE.sub(lambda match: match[1] or "\\ufffd", text)
    # A runner's log takes `##[` for a command anywhere in a line; so spelled, JSON reads the same.
    return text.replace("##[", "#\\u0023[") + "\n"


def _laid_out(data: object, depth: int, line: str) -> str:
    # Only without indentation does the standard library's encoder run in C: a tenth of a scan.
    below = line + "  "
    if depth and data and isinstance(data, dict):
        items = [
            f"{json.dumps(key)}: {_laid_out(value, depth - 1, below)}"
            for key, value in data.items()
        ]
        return "{" + below + ("," + below).join(items) + line + "}"
    if depth and data and isinstance(data, list):
        items = [_laid_out(value, depth - 1, below) for value in data]
        return "[" + below + ("," + below).join(items) + line + "]"
    return json.dumps(data)


def join(roots: Sequence[shapes.RootShape]) -> str:
    """One report: an object for one root, a list of them for several."""
    if len(roots) == 1:
        return dumps({"schema": FORMAT, **roots[0]})
    return dumps({"schema": FORMAT, "roots": list(roots)}, depth=4)


def root_report(outcome: Outcome, label: str) -> shapes.RootShape:
    """Everything that happened in one root."""
    return {
        "root": label,
        "findings": [_finding(outcome, entry) for entry in outcome.entries],
        "changes": [_change(change) for change in outcome.changes],
        "withheld": [_withheld(held) for held in outcome.withheld],
        "skipped": [
            {"path": skip.path, "line": skip.line or None, "reason": skip.reason}
            for skip in outcome.skipped
        ],
        "applications": [_application(app) for app in outcome.project.applications],
        "pod_security": [_standing(standing) for standing in outcome.pod_security],
        "crashes": [f"{crash.rule}: {crash.where}" for crash in outcome.crashes],
        "notes": list(outcome.notes),
        "contacted": list(outcome.contacted),
    }


def _standing(standing: Standing) -> shapes.PodSecurityShape:
    return cast(
        "shapes.PodSecurityShape",
        {
            "path": standing.workload.path,
            "where": standing.workload.where,
            "before": standing.before.value,
            "after": standing.after.value,
            "wanted": standing.wanted.value,
            "version": standing.version,
            "hardened": standing.hardened,
            "missing": [
                {
                    "check": broken.check,
                    "message": broken.message,
                    "where": broken.where,
                    "line": broken.at.line,
                }
                for broken in standing.missing
            ],
        },
    )


def _finding(outcome: Outcome, entry: Entry) -> shapes.FindingShape:
    finding = entry.finding
    place = place_of(outcome, finding)
    level = finding.level if entry.fix is None else entry.fix.level
    level = entry.change.fix.level if entry.change is not None else level
    return {
        "rule": finding.rule,
        "path": finding.path,
        "line": place.line,
        "column": place.column,
        "end": {"line": place.end_line, "column": place.end_column},
        "where": finding.where,
        "severity": finding.severity.value,
        "level": level.value,
        "message": finding.message,
        "evidence": list(finding.evidence),
        "status": entry.status.value,
        "reason": entry.reason,
        "fixable": entry.status is Status.FIXED or entry.fix is not None,
        "fingerprint": finding.fingerprint,
    }


def _change(change: Change) -> shapes.ChangeShape:
    finding, fix = change.finding, change.fix
    return {
        "rule": finding.rule,
        "where": finding.where,
        "path": finding.path,
        "files": list(change.files or fix.paths),
        "summary": fix.summary,
        "level": fix.level.value,
        "reason": finding.message,
        "operations": _operations(fix),
        "notes": list(fix.notes),
        "if_wrong": fix.if_wrong,
        "fingerprint": finding.fingerprint,
    }


def _withheld(held: Withheld) -> shapes.ChangeShape:
    finding = held.finding
    place = f"{held.path}:{held.line}: " if held.path and held.line else ""
    return {
        "rule": finding.rule,
        "where": finding.where,
        "path": finding.path,
        "files": [],
        "summary": finding.message,
        "level": finding.level.value,
        "reason": place + held.reason,
        "operations": [],
        "notes": [],
        "if_wrong": "",
        "fingerprint": finding.fingerprint,
    }


def _operations(fix: Fix) -> list[shapes.OperationShape]:
    return [_operation(operation) for operation in fix.operations]


def _operation(operation: Operation) -> shapes.OperationShape:
    name = _WORD_START.sub("-", type(operation).__name__).lower()
    made: dict[str, Any] = {"operation": name}
    for field in fields(operation):
        value = getattr(operation, field.name)
        if isinstance(value, (Scalar, Pairs, Items)):
            value = _plain_value(value)
        made[field.name] = list(value) if isinstance(value, tuple) else value
    return cast("shapes.OperationShape", made)


def _plain_value(value: Value) -> object:
    match value:
        case Pairs(pairs):
            return {key: _plain_value(inner) for key, inner in pairs}
        case Items(items):
            return [_plain_value(item) for item in items]
        case Scalar(text, string):
            if not string and text in ("true", "false"):
                return text == "true"
            return int(text) if not string and _PLAIN_NUMBER.fullmatch(text) else text


def _application(app: Application) -> shapes.ApplicationShape:
    return {
        "name": app.name,
        "project": app.project.path if app.project is not None else None,
        "stages": [f"{stage.path} {stage.where}" for stage in app.stages],
        "containers": [f"{one.path} {one.where}" for one in app.containers],
        "services": [f"{one.path} {one.where}" for one in app.services],
        "evidence": list(app.evidence),
    }
