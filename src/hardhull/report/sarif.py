"""The report as SARIF 2.1.0, for GitHub code scanning and editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hardhull import __version__
from hardhull.model import Severity
from hardhull.outcome import Status
from hardhull.report.machine import dumps
from hardhull.report.neutral import plain
from hardhull.report.pages import rule_page
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Rule
    from hardhull.outcome import Entry, Outcome
    from hardhull.report.places import Root

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 5000
"""GitHub keeps so many results of a run, and the worst are kept by us."""
_LEVELS = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_SCORES = {Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}


def join(runs: Sequence[dict[str, Any]]) -> str:
    """One log with a run for each root."""
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": list(runs)}, depth=4)


def run_of(outcome: Outcome, root: Root) -> dict[str, Any]:
    """One root: what is left, and what was accepted as suppressed."""
    entries = [entry for entry in outcome.entries if entry.status is not Status.FIXED]
    entries.sort(key=lambda entry: -entry.finding.severity.rank)
    numbers = {rule.id: number for number, rule in enumerate(outcome.rules)}
    driver = {
        "name": "hardhull",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in outcome.rules],
    }
    return {
        "tool": {"driver": driver},
        # Several runs of one tool in one log are told apart by their category.
        "automationDetails": {"id": f"hardhull/{plain(root.label)}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The repository's root."}}},
        "invocations": [_invocation(outcome)],
        "results": [_result(outcome, entry, root, numbers) for entry in entries[:MOST_RESULTS]],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    page = rule_page(rule, every_example=False)
    made: dict[str, Any] = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\n{rule.fix_note}", "markdown": page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["security", "containers", rule.concern],
            "security-severity": _SCORES[rule.severity],
        },
    }
    if rule.references:
        made["helpUri"] = rule.references[0]
    return made


def _result(outcome: Outcome, entry: Entry, root: Root, numbers: dict[str, int]) -> dict[str, Any]:
    finding = entry.finding
    text = plain(finding.message)
    if entry.fix is not None:
        text += f". Fix: {plain(entry.fix.summary)}"
    elif entry.status is Status.WITHHELD or (entry.reason and entry.status is Status.UNFIXED):
        text += f". Not fixed: {plain(entry.reason)}"
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": numbers[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(outcome, entry, root)],
        "partialFingerprints": {"hardhull/v1": finding.fingerprint},
    }
    if entry.status is Status.ACCEPTED:
        made["suppressions"] = [{"kind": "inSource", "justification": plain(entry.reason)}]
    return made


def _location(outcome: Outcome, entry: Entry, root: Root) -> dict[str, Any]:
    finding = entry.finding
    place = place_of(outcome, finding)
    path = (root.shown(finding.path) if finding.path else ".").encode("utf-8", "surrogateescape")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(path), "uriBaseId": "SRCROOT"},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.end_line,
                "endColumn": place.end_column,
            },
        },
        "logicalLocations": [{"fullyQualifiedName": plain(finding.where)}],
    }


def _invocation(outcome: Outcome) -> dict[str, Any]:
    notes = [
        {
            "level": "warning",
            "message": {
                "text": f"not read: {plain(skip.path)}"
                f"{f':{skip.line}' if skip.line else ''}: {plain(skip.reason)}"
            },
        }
        for skip in outcome.skipped
    ]
    return {"executionSuccessful": not outcome.crashes, "toolExecutionNotifications": notes}
