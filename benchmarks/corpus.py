"""Run hardhull over a folder of repositories and print one table of what held and what did not.

    python benchmarks/corpus.py FOLDER [--only NAME ...] [--diffs FILE]

Each sub-folder is a root; it is copied first, nothing below FOLDER is written. Every reference
gets a made-up digest, so that pinning is exercised too. Checked per root: no crash, a second run
that changes nothing, edits that undo exactly, a CRLF + BOM twin that becomes the twin, and, where
the official parser is installed, rewritten Dockerfiles that differ only where announced. Then every
digest moves: each pin must follow or say why not, with no other byte changed.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import difflib
import gc
import hashlib
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardhull.documents.source import FileKind, apply_edits, undo_edits
from hardhull.facts.gather import Recorded
from hardhull.outcome import Status
from hardhull.rules import BY_ID
from hardhull.run import run
from hardhull.settings import Pins, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.outcome import Outcome

TODAY = datetime.date(2026, 11, 22)
LONG_AGO = "2026-01-01T00:00:00+00:00"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
Counts = collections.Counter[str]


class MadeUpDigests(dict[str, Recorded]):
    """A digest for every name that is asked for, the same each time."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002  the shape of dict.get
        """Return a digest made of the name."""
        return Recorded(made_up(name), recorded=LONG_AGO)


class MovedDigests(dict[str, Recorded]):
    """The same names a month later: each has another digest, and both images are recorded."""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002  the shape of dict.get
        """Return what is recorded of a name, or of the digest it had."""
        _, at, digest = name.partition("@")
        config = {"Env": ["A_VERSION=1.0" if at else "A_VERSION=1.1"]}
        return Recorded(digest if at else made_up(f"{name} moved"), config, LONG_AGO)


def made_up(name: str) -> str:
    """A digest made of a name."""
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def harden(root: Path) -> Outcome:
    """Run all default rules over a root."""
    return run(root, Settings(), recorded=MadeUpDigests(), fixing=True, today=TODAY)


def main() -> int:
    """Print the table; exit code 1 if something that must hold did not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--diffs", type=Path)
    options = parser.parse_args()
    gc.set_threshold(50_000, 20, 50)
    counts: Counts = collections.Counter()
    reasons: Counts = collections.Counter()
    diffs: list[str] = []
    for root in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        if options.only and not any(name in root.name for name in options.only):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, "copy")
            shutil.copytree(root, copy, symlinks=True)
            outcome = harden(copy)
            count(outcome, counts, reasons)
            diffs += diff(root.name, outcome)
            for problem in (*undone(outcome), *judged(outcome), *again(copy, outcome)):
                counts["PROBLEM " + problem.partition(":")[0]] += 1
                print(f"{root.name}: {problem}", file=sys.stderr)
            for problem in moved(copy, counts, reasons):
                counts["PROBLEM " + problem.partition(":")[0]] += 1
                print(f"{root.name}: {problem}", file=sys.stderr)
            for problem in twin(root, Path(scratch, "twin"), outcome):
                counts["PROBLEM " + problem.partition(":")[0]] += 1
                print(f"{root.name}: {problem}", file=sys.stderr)
    if options.diffs:
        options.diffs.write_text("".join(diffs), encoding="utf-8", errors="surrogateescape")
    show(counts, reasons)
    return 1 if any(name.startswith("PROBLEM") for name in counts) else 0


def count(outcome: Outcome, counts: Counts, reasons: Counts) -> None:
    """Add one root's figures."""
    counts["roots"] += 1
    counts["files read"] += len(outcome.before)
    counts["files changed"] += len(outcome.changed)
    counts["files skipped"] += len(outcome.skipped)
    counts["PROBLEM crash"] += len(outcome.crashes)
    if not outcome.crashes:
        counts.pop("PROBLEM crash", None) if not counts["PROBLEM crash"] else None
    for crash in outcome.crashes:
        print(f"{outcome.root}: {crash.rule}: {crash.trace}", file=sys.stderr)
    for entry in outcome.entries:
        counts[f"rule {entry.finding.rule} {entry.status.value}"] += 1
        counts[f"findings {entry.status.value}"] += 1
        if entry.status is Status.WITHHELD:
            reasons[f"{entry.finding.rule}: {generalised(entry.reason)}"] += 1
    for change in outcome.changes:
        counts[f"fixed {change.fix.level.value}"] += 1
    for skipped in outcome.skipped:
        reasons[f"skipped: {generalised(skipped.reason)}"] += 1


def generalised(reason: str) -> str:
    """A reason without the names of files and images, so that it can be counted."""
    reason = re.sub(r"[\w./+@-]*[./][\w./+@-]+(?::\d+)?", "…", reason)
    return re.sub(r"\b\d+\b", "N", reason)[:110]


def diff(name: str, outcome: Outcome) -> Iterator[str]:
    """The unified diff of a root."""
    for path in outcome.changed:
        before, after = outcome.before[path].text, outcome.after[path].text
        yield f"=== {name}\n"
        yield from difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
        )


def undone(outcome: Outcome) -> Iterator[str]:
    """Undo all edits, last first."""
    texts = {path: [source.text] for path, source in outcome.before.items()}
    steps = [(path, edits) for change in outcome.changes for path, edits in change.edits]
    for path, edits in steps:
        texts[path].append(apply_edits(texts[path][-1], edits))
    for path, states in texts.items():
        if states[-1] != outcome.after[path].text:
            yield f"undo: {path}: the recorded edits don't give the result"
            continue
        text = states.pop()
        for _, edits in reversed([step for step in steps if step[0] == path]):
            text = apply_edits(text, undo_edits(edits, states.pop()))
        if text != outcome.before[path].text:
            yield f"undo: {path}: undoing gives another text"


def again(copy: Path, outcome: Outcome) -> Iterator[str]:
    """Write the result, and run a second time."""
    for path in outcome.changed:
        (copy / path).write_bytes(outcome.after[path].to_bytes())
    for path in harden(copy).changed:
        yield f"second run: {path} changes again"


def moved(copy: Path, counts: Counts, reasons: Counts) -> Iterator[str]:
    """Move every tag under the hardened copy: all pins follow, or it is said why not."""
    settings = Settings(pins=Pins.REFRESH).choosing(BY_ID, select=["stale-digest"])
    outcome = run(copy, settings, recorded=MovedDigests(), fixing=True, today=TODAY)
    told = {entry.finding.span: entry for entry in outcome.entries}
    for use in outcome.project.references:
        if use.reference is None or use.reference.digest is None:
            continue
        entry = told.get(use.span)
        refused = entry is None and (use.built_here or "windows" in use.text or "nano" in use.text)
        status = "not ours" if refused else entry.status.value if entry is not None else ""
        if not status:
            yield f"moved: {use.path}: {use.text} neither followed nor explained"
        counts[f"moved {status}"] += 1
        if entry is not None and entry.status is not Status.FIXED:
            reasons[f"moved: {generalised(entry.reason or entry.finding.message)}"] += 1
    for path in outcome.changed:
        before, after = outcome.before[path].text, outcome.after[path].text
        if DIGEST.sub("", before) != DIGEST.sub("", after):
            yield f"moved: {path}: more than digests changed"
        (copy / path).write_bytes(outcome.after[path].to_bytes())
    again = run(copy, settings, recorded=MovedDigests(), fixing=True, today=TODAY)
    for path in again.changed:
        yield f"moved: {path} changes again"


def twin(root: Path, copy: Path, outcome: Outcome) -> Iterator[str]:
    """Give every file CRLF and a BOM: the result must be the twin of the result."""
    shutil.copytree(root, copy, symlinks=True)
    plain = [p for p, s in outcome.before.items() if "\r" not in s.text and not s.bom]
    for path in plain:
        (copy / path).write_bytes(twin_of(outcome.before[path].text))
    result = harden(copy)
    for path in plain:
        if path not in result.after:
            yield f"twin: {path} could not be read"
        elif result.after[path].to_bytes() != twin_of(outcome.after[path].text):
            yield f"twin: {path} becomes something else"


def twin_of(text: str) -> bytes:
    """The bytes of a text with CRLF line ends and a byte order mark."""
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def judged(outcome: Outcome) -> Iterator[str]:
    """Compare rewritten Dockerfiles by the official parser: only announced changes may show."""
    try:
        import dockerfile  # noqa: PLC0415  a judge that is not everywhere
    except ImportError:
        return
    texts = collections.defaultdict(list)
    for change in outcome.changes:
        for operation in change.fix.operations:
            known = dataclasses.asdict(operation)
            if isinstance(known.get("text"), str):
                texts[operation.path].append(known["text"].split("\n")[0])
    for path in outcome.changed:
        if outcome.before[path].kind is not FileKind.DOCKERFILE:
            continue
        try:
            before = [part(item) for item in dockerfile.parse_string(outcome.before[path].text)]
        except dockerfile.GoParseError:
            continue
        after = [part(item) for item in dockerfile.parse_string(outcome.after[path].text)]
        for item in news(before, after):
            if not any(text.split("=")[-1].strip('"') in item for text in texts[path]):
                yield f"judge: {path}: {item[:80]} was not announced"


def news(before: list[str], after: list[str]) -> Iterator[str]:
    """The instructions that are new or other than before."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, _, _, start, end in matcher.get_opcodes():
        yield from after[start:end] if kind != "equal" else ()


def part(item: Any) -> str:
    """What the official parser says of an instruction, as text."""
    return " ".join([item.cmd, *item.flags, *item.value])


def show(counts: Counts, reasons: Counts) -> None:
    """Print the table and the commonest reasons."""
    for name, number in sorted(counts.items()):
        print(f"{number:7}  {name}")
    print("\nreasons, commonest first")
    for name, number in reasons.most_common(60):
        print(f"{number:7}  {name}")


if __name__ == "__main__":
    sys.exit(main())
