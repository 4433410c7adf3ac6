"""`hardhull scan` and `hardhull fix`: run over each root, write what was verified, report."""

from __future__ import annotations

import gc
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardhull import writing
from hardhull.commands import forms
from hardhull.commands.output import Output, in_actions, tell
from hardhull.commands.parallel import in_order
from hardhull.commands.roots import asking_of, desk_of, recorded_of, roots_of, settings_of
from hardhull.commands.trouble import crash_block
from hardhull.model import Severity, UsageError
from hardhull.outcome import Status
from hardhull.report.diff import coloured, outcome_diff
from hardhull.report.neutral import plain
from hardhull.report.places import Root
from hardhull.report.text import Told, undo_of
from hardhull.run import run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from hardhull.facts.asking import Desk
    from hardhull.model import Crash
    from hardhull.outcome import Outcome
    from hardhull.settings import Settings


@dataclass
class _Results:
    """What is kept of the roots: pieces of the report and bytes to write, no documents."""

    pieces: list[Any] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    edits: list[writing.FileEdit] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)
    failing: bool = False
    git: bool = True
    undo: list[str] = field(default_factory=list)

    def add(self, other: _Results) -> None:
        """Put the results of another root behind these."""
        self.pieces += other.pieces
        self.diffs += other.diffs
        self.edits += other.edits
        self.crashes += other.crashes
        self.failing |= other.failing
        self.git &= other.git
        self.undo += other.undo


def check(arguments: argparse.Namespace) -> int:
    """Scan or fix; return the exit code."""
    output = Output(arguments)
    form = forms.form_of(arguments.format)
    fixing = arguments.command == "fix"
    roots = roots_of(arguments)
    settings = [settings_of(root, arguments) for root in roots]
    recorded = recorded_of(arguments)
    # What was imported lives as long as we do: the collector need not look at it again.
    gc.freeze()
    results = _Results()
    desk = desk_of(arguments)

    def one(given: tuple[Path, Settings]) -> _Results:
        return _kept(_outcome(*given, recorded, desk, arguments), given[0], form, arguments)

    # Who asks a person or a registry does so for one root after the other.
    apart = desk is not None or getattr(arguments, "interactive", False)
    each = (map if apart else in_order)(one, list(zip(roots, settings, strict=True)))
    with _progress(roots) as advance:
        for root in roots:
            advance(plain(root.as_posix()))
            results.add(next(each))
    write = fixing and not arguments.diff
    if write:
        _write(results)
    told = Told(fixing, write, tuple(results.undo), tuple(arguments.paths), results.git)
    _report(results, form, told, arguments, output)
    if results.crashes:
        tell(crash_block(results.crashes))
        return 3
    return 1 if results.failing else 0


def _outcome(
    root: Path,
    settings: Settings,
    recorded: Any,
    desk: Desk | None,
    arguments: argparse.Namespace,
) -> Outcome:
    ask = asking_of(desk, settings, arguments)
    if not getattr(arguments, "interactive", False):
        fixing = arguments.command == "fix"
        return run(root, settings, recorded=recorded, fixing=fixing, ask=ask)
    from hardhull.commands.interactive import asked  # noqa: PLC0415  needed only then

    return asked(root, settings, recorded, ask)


def _kept(
    outcome: Outcome, given: Path, form: forms.Form, arguments: argparse.Namespace
) -> _Results:
    """Take from an outcome what is needed later, and let the rest go."""
    root = Root.of(given)
    results = _Results([form.piece(outcome, root)], crashes=list(outcome.crashes))
    results.failing = _failing(outcome, arguments.fail_on)
    if not outcome.changed:
        return results
    if getattr(arguments, "diff", False):
        results.diffs.append(outcome_diff(outcome, root.prefix))
        return results
    dirty = () if arguments.allow_dirty else writing.uncommitted(given, outcome.changed)
    if dirty:
        files = ", ".join(plain(Path(root.label, path).as_posix()) for path in dirty)
        raise UsageError(
            f"{files}: not committed, and hardhull would change it; nothing was written. "
            "Commit or stash first, look with --diff, or give --allow-dirty"
        )
    results.edits += writing.edits_of(outcome)
    for folder, own in writing.by_repository(given, outcome.changed).items():
        results.git &= writing.in_git(given / folder)
        if not arguments.allow_dirty:
            prefix = f"{folder}/" if folder else ""
            new = [path for path in own if outcome.before[prefix + path].absent]
            old = [path for path in own if path not in new]
            results.undo.append(undo_of(Path(root.label, folder).as_posix(), old, new))
    return results


def _failing(outcome: Outcome, fail_on: str) -> bool:
    if fail_on == "none":
        return False
    threshold = Severity(fail_on).rank
    return any(
        entry.status in (Status.UNFIXED, Status.WITHHELD)
        and entry.finding.severity.rank >= threshold
        for entry in outcome.entries
    )


def _write(results: _Results) -> None:
    places = [edit.location for edit in results.edits]
    for edit in results.edits:
        if places.count(edit.location) > 1:
            raise UsageError(f"{edit.path}: lies in two of the given folders; give one of them")
    writing.write_all(results.edits)


def _report(
    results: _Results,
    form: forms.Form,
    told: Told,
    arguments: argparse.Namespace,
    output: Output,
) -> None:
    diff = "".join(results.diffs)
    if diff and arguments.format == "text":
        # Into a pipe goes the patch itself, to the letter, and what is said about it elsewhere.
        looked_at = output.fancy or in_actions() or (output.file is None and sys.stdout.isatty())
        output.write(coloured(diff, colour=output.fancy) if looked_at else diff)
        form.print(results.pieces, told, sys.stderr, output.coloured(sys.stderr))
        return
    if output.file is None and arguments.format == "text":
        if sys.stdout.isatty() and not any(page.blocks or page.skipped for page in results.pieces):
            tell("Nothing found.")  # silence is for pipelines; a person would wonder
        form.print(results.pieces, told, sys.stdout, output.fancy)
    else:
        output.write(form.join(results.pieces, told))


def _progress(roots: Sequence[Path]) -> AbstractContextManager[Callable[[str], object]]:
    """A bar for long work that someone watches."""
    if len(roots) < 2 or not sys.stderr.isatty():  # noqa: PLR2004  one root has no progress
        return nullcontext(lambda _: None)
    from hardhull.report.terminal import progress  # noqa: PLC0415  slow to import

    return progress(len(roots), sys.stderr)
