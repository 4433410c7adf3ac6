"""The folded parts of a body: what was pinned to which digest, and how a fix spans files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference
from hardhull.model import Phase
from hardhull.pull_request.fitting import Section
from hardhull.report.neutral import code, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hardhull.model import Change
    from hardhull.outcome import Outcome

_PLAIN = re.compile(r"[A-Za-z0-9 ./_-]")
_MOST_FILES = 12
"""A graph of more files says nothing."""
_DIGITS = len("sha256:") + 12


def digests_of(outcome: Outcome) -> Section:
    """Each image that was pinned: its tag, its index digest, its platforms, since when."""
    facts = outcome.project.workspace.facts
    pins = {rule.id for rule in outcome.rules if rule.phase is Phase.PIN}
    names = {c.finding.what for c in outcome.changes if c.finding.rule in pins}
    lines = []
    for name in sorted(names):
        known = facts.recorded.get(name)
        if known is None or parse_reference(name) is None:
            continue
        platforms = f": {markdown(', '.join(known.platforms))}" if known.platforms else ""
        since = f", since {known.recorded[:10]}" if known.recorded else ""
        digest = f"{known.digest[:_DIGITS]}…"  # the diff has all of it
        lines.append(f"- {code(name, table=False)} {code(digest, table=False)}"
                     f"{platforms}{since}")  # fmt: skip
    return Section("", tuple(lines), folded="Pinned digests")


def links_of(changes: Sequence[Change], prefix: str) -> Section:
    """A graph of the files that belong together, because one fix edits all of them."""
    spanning = [change for change in changes if len(change.files) > 1]
    if not spanning:
        return Section("", ())
    drawn: list[Change] = []
    for change in spanning:
        files = {path for other in (*drawn, change) for path in other.files}
        if not drawn or len(files) <= _MOST_FILES:
            drawn.append(change)
    paths = sorted({path for change in drawn for path in change.files})
    names = {path: f"f{number}" for number, path in enumerate(paths)}
    lines = ["```mermaid", "graph LR"]
    lines += [f'  {names[path]}["{_label(prefix + path)}"]' for path in paths]
    edges: dict[tuple[str, str], dict[str, None]] = {}
    for change in drawn:
        first = change.finding.path if change.finding.path in names else change.files[0]
        for path in change.files:
            if path != first:
                edges.setdefault((names[first], names[path]), {})[change.finding.rule] = None
    lines += [_edge(ends, rules) for ends, rules in edges.items()]
    return _graph([*lines, "```"], len(drawn), len(spanning))


def _graph(lines: Sequence[str], drawn: int, count: int) -> Section:
    text = "\n".join(lines)
    what = "change spans" if drawn == 1 else "changes span"
    of = "" if drawn == count else f" of {count}"
    return Section(
        f"<details><summary>How {drawn}{of} {what} several files</summary>\n\n{text}\n\n</details>"
    )


def _edge(ends: tuple[str, str], rules: Iterable[str]) -> str:
    return f'  {ends[0]} ---|"{", ".join(rules)}"| {ends[1]}'


def _label(text: str) -> str:
    """Text within quotes of a graph: whatever is not plain is spelled as a number."""
    return "".join(char if _PLAIN.match(char) else f"#{ord(char)};" for char in text)
