"""The page about a rule, in Markdown: documentation, `hardhull explain` and SARIF's help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import Level, SubjectKind
from hardhull.report.diff import text_diff
from hardhull.report.neutral import fenced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hardhull.model import Example, Rule

_LOOKS_AT = {
    SubjectKind.STAGE: "stages of Dockerfiles",
    SubjectKind.CONTAINER: "containers in Kubernetes manifests and Compose files",
    SubjectKind.WORKLOAD: "Kubernetes workloads",
    SubjectKind.APPLICATION: "applications: Dockerfile, manifests, Services and Compose at once",
    SubjectKind.REFERENCE: "image references",
    SubjectKind.REPOSITORY: "the whole repository",
}

TOOLS = {
    "checkov": "Checkov",
    "trivy": "Trivy",
    "polaris": "Polaris",
    "kubescape": "Kubescape",
    "kube-linter": "kube-linter",
    "kubesec": "kubesec",
    "hadolint": "hadolint",
}
"""The tools of the table of equivalents, by their names in `equivalents`."""
STANDARDS = {"cis": "CIS", "nsa": "NSA", "pss": "Pod Security"}
"""Likewise standards, which have no inline decisions."""


def rule_page(rule: Rule, *, every_example: bool = True) -> str:
    """All there is to say about a rule; with one example only, if wanted."""
    parts = [
        f"# {rule.id}\n\n{rule.title}.",
        _facts(rule),
        f"## Why\n\n{rule.why}",
        f"## The fix\n\n{rule.fix_note}" if rule.fix is not None else _only_reported(rule),
        *_levels(rule),
        *_examples(rule, every=every_example),
        _refusing(rule),
        *_same_elsewhere(rule),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(rule: Rule) -> str:
    state = "on" if rule.default else "off"
    return (
        f"**Severity** {rule.severity.value} · **concern** {rule.concern} · **looks at** "
        f"{_LOOKS_AT[rule.subject]} · **{state} by default**"
    )


def _only_reported(rule: Rule) -> str:
    return f"## What to do\n\n{rule.fix_note}\n\nhardhull reports this and changes nothing."


def _levels(rule: Rule) -> list[str]:
    if rule.fix is None:
        return []
    rows = (
        ("routine", "made, every precondition was checked", rule.routine_when),
        ("review", "made, and a person should look", rule.review_when),
        ("held back", "not made, the report says why", rule.refused_when),
    )
    lines = [f"- **{word}** ({meaning}): {when}." for word, meaning, when in rows if when]
    return ["## How far it can be trusted\n\n" + "\n".join(lines)]


def _examples(rule: Rule, *, every: bool) -> list[str]:
    changed = [example for example in rule.examples if example.after]
    parts = []
    for example in changed if every else changed[:1]:
        level = " (for review)" if example.level is Level.REVIEW else ""
        parts.append(
            f"{_sentence(example.title)}{level}:\n\n{fenced(example_diff(example), 'diff')}"
        )
    if parts:
        parts[0] = f"## Example{'s' if len(parts) > 1 else ''}\n\n{parts[0]}"
    if not every:
        return parts
    held = [f"- {example.title}: {example.refused}" for example in rule.examples if example.refused]
    if held:
        parts.append("Held back, with a part of the reason given:\n\n" + "\n".join(held))
    silent = [f"- {example.title}" for example in rule.examples if example.silent]
    if silent:
        parts.append("No finding:\n\n" + "\n".join(silent))
    return parts


def example_diff(example: Example) -> str:
    """What an example changes, as one diff."""
    return "".join(
        text_diff(example.before.get(path, ""), after, path)
        for path, after in sorted(example.after.items())
    )


def _sentence(title: str) -> str:
    return title[:1].upper() + title[1:]


def _refusing(rule: Rule) -> str:
    comment = f"# hardhull: ignore[{rule.id}] until=2027-12-31 owner=team reason"
    config = f"rules:\n  {rule.id}: off   # or: report"
    return (
        "## Living with it\n\nOne place, by a comment on its line or above it:\n\n"
        f"{fenced(comment, 'yaml')}\n\n"
        f"The whole repository, in `.github/hardhull.yml`:\n\n{fenced(config, 'yaml')}"
    )


def _same_elsewhere(rule: Rule) -> Iterable[str]:
    in_tools: list[str] = []
    in_standards: list[str] = []
    for name in rule.equivalents:
        standard = name.partition(":")[0] in STANDARDS
        (in_standards if standard else in_tools).append(f"`{name}`")
    if in_tools:
        named = ", ".join(in_tools)
        yield f"## The same in other tools\n\n{named}. Their inline decisions count here too."
    if in_standards:
        yield f"## In standards\n\n{', '.join(in_standards)}." + _when_asked(rule)
    if rule.references:
        yield "## References\n\n" + "\n".join(f"- <{link}>" for link in rule.references)


def _when_asked(rule: Rule) -> str:
    if not rule.pod_security:
        return ""
    found = (
        " With `--select pod-security` it finds what the level under `pod-security` in the "
        "configuration refuses, no less and no more"
    )
    if rule.fix is None:
        return f"{found}."
    return f"{found}; what is then taken from an image that is not built here is for review."


def equivalents_table(rules: Iterable[Rule]) -> str:
    """Every rule with what other tools and standards call it."""
    columns = {**TOOLS, **STANDARDS}
    lines = [f"| rule | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for rule in rules:
        named: dict[str, list[str]] = {}
        for name in rule.equivalents:
            whose, _, check = name.partition(":")
            named.setdefault(whose, []).append(check)
        cells = ["<br>".join(named.get(whose, ())) for whose in columns]
        lines.append(f"| [`{rule.id}`]({rule.id}.md) | {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines)


def rule_rows(rules: Iterable[Rule]) -> list[tuple[str, str, str, str, str]]:
    """Id, title, severity, what is done, and whether it is on: a row for each rule."""
    return [
        (
            rule.id,
            rule.title,
            rule.severity.value,
            "fixed" if rule.fix is not None else "reported",
            "on" if rule.default else "off",
        )
        for rule in rules
    ]


def rule_table(rules: Iterable[Rule], folder: str) -> str:
    """The rules as a Markdown table; `folder` is where their pages are."""
    lines = ["| rule | what is wrong | severity | |", "|---|---|---|---|"]
    for name, title, severity, done, state in rule_rows(rules):
        mark = done if state == "on" else f"{done}, off until enabled"
        lines.append(f"| [`{name}`]({folder}{name}.md) | {title} | {severity} | {mark} |")
    return "\n".join(lines)
