"""The unified diff of a run, as git would print it, and the diffs of single changes."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from hardhull.documents.document import read, render
from hardhull.documents.lines import TextFile
from hardhull.documents.source import FileKind
from hardhull.documents.unreadable import Unreadable
from hardhull.model import Unrenderable
from hardhull.project.chart_edits import carried
from hardhull.project.charts import Charts, read_charts
from hardhull.report.neutral import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hardhull.documents.source import Source
    from hardhull.model import Change, Edit, Operation
    from hardhull.outcome import Outcome

_CONTEXT = 3
_UNUSUAL = re.compile(r'[^ -~]|["\\]')
_Difference: TypeAlias = tuple[int, int, int, int]
_PRINTABLE = range(0x20, 0x7F)
_GREEN, _RED, _CYAN, _BOLD, _PLAIN = "\033[32m", "\033[31m", "\033[36m", "\033[1m", "\033[0m"


def outcome_diff(outcome: Outcome, prefix: str = "") -> str:
    """The diff of all files that changed: `git apply` takes it to the letter."""
    return "".join(
        source_diff(outcome.before[path], outcome.after[path], prefix) for path in outcome.changed
    )


def source_diff(before: Source, after: Source, prefix: str = "") -> str:
    """The diff of one file, byte order mark and line ends as they are."""
    old, new = (source.to_bytes().decode("utf-8", "surrogateescape") for source in (before, after))
    return text_diff(old, new, prefix + before.path, new_file=before.absent)


def text_diff(
    before: str, after: str, path: str, *, context: int = _CONTEXT, new_file: bool = False
) -> str:
    """The diff of two texts of one file."""
    old, new = _lines(before), _lines(after)
    hunks = "".join(_hunks(old, new, context))
    if not hunks:
        return ""
    old_name = "/dev/null" if new_file else _header("a/" + path)
    return f"--- {old_name}\n+++ {_header('b/' + path)}\n{hunks}"


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _header(name: str) -> str:
    """Quote a name as git does; one with a space ends in a tab."""
    if _UNUSUAL.search(name):
        octal = "".join(
            {34: '\\"', 92: "\\\\"}.get(byte, chr(byte) if byte in _PRINTABLE else f"\\{byte:03o}")
            for byte in name.encode("utf-8", "surrogateescape")
        )
        return f'"{octal}"'
    return f"{name}\t" if " " in name else name


def _hunks(old: Sequence[str], new: Sequence[str], context: int) -> Iterator[str]:
    group: list[_Difference] = []
    for found in (*_differences(old, new), None):
        if group and (found is None or found[0] - group[-1][1] > 2 * context):
            yield from _hunk(old, new, group, context)
            group = []
        if found is not None:
            group.append(found)


def _hunk(
    old: Sequence[str], new: Sequence[str], group: Sequence[_Difference], context: int
) -> Iterator[str]:
    """Differences that are near each other, with the lines around them."""
    before = min(context, group[0][0])
    after = min(context, len(old) - group[-1][1])
    at, end = group[0][0] - before, group[-1][1] + after
    yield _range(at, end, group[0][2] - before, group[-1][3] + after)
    for i1, i2, j1, j2 in group:
        yield from (_line(" ", line) for line in old[at:i1])
        yield from (_line("-", line) for line in old[i1:i2])
        yield from (_line("+", line) for line in new[j1:j2])
        at = i2
    yield from (_line(" ", line) for line in old[at:end])


def _differences(old: Sequence[str], new: Sequence[str]) -> Iterator[_Difference]:
    """The lines that differ, as ranges of both texts, in order.

    Comparing takes the square of the number of lines: only those between lines that are alike for
    sure are compared.
    """
    i, j = 0, 0
    for next_i, next_j in (*_alike(old, new), (len(old), len(new))):
        left, right = old[i:next_i], new[j:next_j]
        if left != right:
            matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
            for tag, i1, i2, j1, j2 in matcher.get_opcodes():
                if tag != "equal":
                    yield i + i1, i + i2, j + j1, j + j2
        i, j = next_i, next_j


def _alike(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where both texts can be cut, because the same line stands there.

    That is at the first difference, behind the last, and between them at lines that stand once in
    each text.
    """
    head, shortest = 0, min(len(old), len(new))
    while head < shortest and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shortest - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    yield head, head
    times_old, times_new = Counter(old), Counter(new)
    places = {line: at for at, line in enumerate(new)}
    last = head - 1
    for i in range(head, len(old) - tail):
        if times_old[old[i]] == times_new[old[i]] == 1 and places[old[i]] > last:
            last = places[old[i]]
            yield i, last
    yield len(old) - tail, len(new) - tail


def _range(i1: int, i2: int, j1: int, j2: int) -> str:
    sides = []
    for start, end in ((i1, i2), (j1, j2)):
        length = end - start
        line = start + (1 if length else 0)
        sides.append(str(line) if length == 1 else f"{line},{length}")
    return f"@@ -{sides[0]} +{sides[1]} @@\n"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


# ---------------------------------------------------------------- for eyes


def coloured(diff: str, *, colour: bool = True) -> str:
    """A diff to be looked at: harmless on a terminal and in a log, coloured if wanted."""
    shown = []
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        text = line[:1] + _kept_tabs(line[1:].removesuffix("\r"))
        shown.append(f"{_colour(line)}{text}{_PLAIN}" if colour and _colour(line) else text)
    return "".join(line + "\n" for line in shown)


def _kept_tabs(line: str) -> str:
    # A leading space is a mark of the diff's, and the runner ignores it: what follows must not
    # begin with a command, which `plain` sees to.
    return "\t".join(plain(part) for part in line.split("\t"))


def _colour(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return _BOLD
    return {"+": _GREEN, "-": _RED, "@": _CYAN}.get(line[:1], "")


# ---------------------------------------------------------------- single changes


def change_diffs(outcome: Outcome) -> dict[tuple[str, ...], str]:
    """The diff of each change by the key of its finding, on the text it was made on.

    Fixes of a rule are made together, and their edits noted with the first: each one alone is
    rendered again from its operations. Empty where that is not possible.
    """
    texts = dict(outcome.before)  # absent files too: they are empty
    starts = [i for i, change in enumerate(outcome.changes) if change.edits]
    diffs: dict[tuple[str, ...], str] = {}
    for start, end in pairwise([*starts, len(outcome.changes)]):
        batch = outcome.changes[start:end]
        charts = _charts((path for change in batch for path in change.fix.paths), texts)
        for change in batch:
            diffs[change.finding.key] = _own_diff(change, texts, charts)
        for path, edits in batch[0].edits:
            texts[path] = texts[path].edited(edits)
    return diffs


def _own_diff(change: Change, texts: dict[str, Source], charts: Charts) -> str:
    wanted: dict[str, list[Operation]] = {}
    for operation in change.fix.operations:
        wanted.setdefault(operation.path, []).append(operation)
    edits: dict[str, Sequence[Edit]] = {}
    try:
        changes = carried(charts, wanted)
        edits |= {path: sorted(made) for path, made in changes.edits.items()}
        for path, own in changes.operations.items():
            absent = texts[path].absent
            document = TextFile(texts[path]) if absent else read(texts[path])
            if isinstance(document, Unreadable):
                return ""
            edits[path] = render(document, own)
    except Unrenderable:
        return ""
    parts = []
    for path, made in sorted(edits.items()):
        old = texts[path]
        new = old.edited(made)
        parts.append(text_diff(old.text, new.text, path, context=1, new_file=old.absent))
    return "".join(parts)


def _charts(paths: Iterable[str], texts: dict[str, Source]) -> Charts:
    """The charts of these texts, if a template is among the paths."""
    kinds = (FileKind.CHART, FileKind.VALUES)
    if all(texts[path].kind is not FileKind.CHART for path in paths):
        return Charts()
    read_again = {path: read(source) for path, source in texts.items() if source.kind in kinds}
    return read_charts(
        {path: one for path, one in read_again.items() if not isinstance(one, Unreadable)}
    )
