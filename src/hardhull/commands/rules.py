"""`hardhull rules` and `hardhull explain`."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

from hardhull.commands.output import Output
from hardhull.model import UsageError
from hardhull.report import pages
from hardhull.report.machine import dumps
from hardhull.report.shapes import FORMAT
from hardhull.rules import BY_ID, RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from hardhull.model import Rule

_HEADS = ("rule", "what is wrong", "severity", "it is", "default")


def rules(arguments: argparse.Namespace) -> int:
    """List the rules in their order of work."""
    output = Output(arguments)
    if arguments.format == "json":
        output.write(dumps({"schema": FORMAT, "rules": [rule_facts(rule) for rule in RULES]}))
    elif arguments.format == "markdown":
        output.write(pages.rule_table(RULES, "docs/rules/") + "\n")
    elif output.fancy:
        from hardhull.report.terminal import show_table  # noqa: PLC0415  slow to import

        show_table(_HEADS, pages.rule_rows(RULES), sys.stdout)
    else:
        output.write(_aligned(pages.rule_rows(RULES)))
    return 0


def _aligned(rows: Iterable[tuple[str, ...]]) -> str:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )


def rule_facts(rule: Rule) -> dict[str, object]:
    """A rule as JSON says it."""
    return {
        "id": rule.id,
        "title": rule.title,
        "concern": rule.concern,
        "subject": rule.subject.value,
        "severity": rule.severity.value,
        "fixes": rule.fix is not None,
        "default": rule.default,
        "why": rule.why,
        "fix_note": rule.fix_note,
        "routine_when": rule.routine_when,
        "review_when": rule.review_when,
        "refused_when": rule.refused_when,
        "references": list(rule.references),
        "equivalents": list(rule.equivalents),
    }


def explain(arguments: argparse.Namespace) -> int:
    """Show the page about a rule."""
    output = Output(arguments)
    rule = BY_ID.get(arguments.rule)
    if rule is None:
        near = difflib.get_close_matches(arguments.rule, BY_ID, n=1, cutoff=0.4)
        hint = f"did you mean `{near[0]}`?" if near else "`hardhull rules` lists them"
        raise UsageError(f"there is no rule `{arguments.rule}`; {hint}")
    page = pages.rule_page(rule, every_example=arguments.format == "markdown")
    if output.fancy and arguments.format == "text":
        from hardhull.report.terminal import show_markdown  # noqa: PLC0415  slow to import

        show_markdown(page, sys.stdout)
    else:
        output.write(page)
    return 0
