"""The story of one run, read from top to bottom: discover, read, link, harden, pin, conclude."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from hardhull import discover as disk
from hardhull.acceptance import ID as STALE
from hardhull.acceptance import Decisions, as_findings
from hardhull.documents.document import read
from hardhull.documents.source import FileKind
from hardhull.documents.unreadable import Unreadable
from hardhull.engine import Ledger, find_all, harden, propose
from hardhull.facts.gather import Facts
from hardhull.model import Fix, Level, Skipped, UsageError, Withheld
from hardhull.outcome import Entry, Outcome, Status
from hardhull.project.builds import is_build_evidence, read_builds
from hardhull.project.context import Context
from hardhull.project.dotnet import Programs
from hardhull.project.evidence import EvidenceTexts
from hardhull.project.link import Workspace, link
from hardhull.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hardhull.documents.document import Document
    from hardhull.documents.source import Source
    from hardhull.facts.gather import Recorded
    from hardhull.model import Accepted, Finding, Rule
    from hardhull.settings import Settings


def run(
    root: Path,
    settings: Settings,
    *,
    recorded: Mapping[str, Recorded] | None = None,
    fixing: bool,
    today: datetime.date | None = None,
    rejected: frozenset[str] = frozenset(),
) -> Outcome:
    """Scan or harden one root. Nothing is written: the outcome holds the new texts.

    `rejected` holds fingerprints of findings that are not to be fixed. They are taken out before
    the rules run, so that what depends on them is refused with them.
    """
    context = survey(root, settings, recorded=recorded, today=today)
    return conclude(root, context, fixing=fixing, rejected=rejected)


def survey(
    root: Path,
    settings: Settings,
    *,
    recorded: Mapping[str, Recorded] | None = None,
    today: datetime.date | None = None,
) -> Context:
    """Discover, read and link one root."""
    found = disk.discover(root, settings.paths.include, settings.paths.exclude)
    documents, skipped, unread = read_all(found)
    facts = Facts(
        today or datetime.datetime.now(tz=datetime.UTC).date(),
        recorded if recorded is not None else {},
        {name: image.like for name, image in settings.base_images.items()},
    )
    builds = read_builds(_build_evidence(found), _of_kind(found, FileKind.DOCKERFILE))
    workspace = Workspace(
        settings,
        facts,
        builds,
        Programs(found),
        EvidenceTexts(_of_kind(found, FileKind.EVIDENCE), disk.read),
        (*found.skipped, *skipped),
        unread,
    )
    project = link(documents, workspace)
    return Context(project, facts, settings, project)


def read_all(
    found: disk.Found,
) -> tuple[dict[str, Document], list[Skipped], dict[str, str]]:
    """Read all Dockerfiles and manifests; what can't be read is skipped with line and reason."""
    documents: dict[str, Document] = {}
    skipped: list[Skipped] = []
    unread: dict[str, str] = {}
    for path, entry in found.files.items():
        if entry.kind is FileKind.EVIDENCE:
            continue
        try:
            source = disk.read(entry)
        except UsageError as error:
            skipped.append(Skipped(path, 0, str(error)))
            continue
        document = read(source)
        if isinstance(document, Unreadable):
            skipped.append(Skipped(path, document.line, document.reason))
            unread[path] = source.text
        else:
            documents[path] = document
    return documents, skipped, unread


def _of_kind(found: disk.Found, kind: FileKind) -> dict[str, disk.FileEntry]:
    return {path: entry for path, entry in found.files.items() if entry.kind is kind}


def _build_evidence(found: disk.Found) -> Iterable[Source]:
    for path, entry in found.files.items():
        if entry.kind is FileKind.EVIDENCE and is_build_evidence(path):
            try:
                yield disk.read(entry)
            except UsageError:
                continue  # went away since it was listed: nothing to learn from it


def conclude(
    root: Path, context: Context, *, fixing: bool, rejected: frozenset[str] = frozenset()
) -> Outcome:
    """Find, fix if wanted, and say what became of every finding."""
    rules = tuple(rule for rule in RULES if context.settings.state_of(rule) != "off")
    decisions = Decisions.read(context, rules)
    ledger = Ledger()
    before = [finding for rule in rules for finding in find_all(rule, context, ledger)]
    accepted = {f.key: a for f in before if (a := decisions.accepted(f, context)) is not None}
    if any(rule.id == STALE for rule in rules):
        errors = (*decisions.errors, *decisions.unused(before, context))
        before += as_findings(errors, context)

    def gate(finding: Finding, now: Context) -> bool:
        if context.settings.state_of_id(finding.rule) != "fix" or finding.key in accepted:
            return False
        if rejected and finding.fingerprint in rejected:
            return False
        return not decisions.marks or Decisions.read(now, rules).accepted(finding, now) is None

    final = context
    proposed: Mapping[tuple[str, ...], Fix] = {}
    if fixing:
        final, ledger = harden(context, rules, gate, _relink, ledger.memory)
    else:
        proposed = _explain(rules, before, context, ledger)
    left = {f.key: f for rule in rules for f in find_all(rule, final, ledger)} if fixing else None
    ledger.forget_solved(left)
    later = [change.finding for change in ledger.changes]
    later += [held.finding for held in ledger.withheld.values()]
    entries = _entries([*before, *later], accepted, ledger, proposed, left)
    return Outcome(
        root,
        context.project,
        rules,
        {path: document.source for path, document in context.documents.items()},
        {path: document.source for path, document in final.documents.items()},
        entries,
        tuple(ledger.changes),
        tuple(entry_withheld for entry_withheld in ledger.withheld.values()),
        tuple(accepted.values()),
        context.project.workspace.skipped,
        tuple(ledger.memory.crashes.values()),
        fixing,
    )


def _relink(documents: Mapping[str, Document], context: Context) -> Context:
    project = link(documents, context.project.workspace, context.project)
    return Context(project, context.facts, context.settings, context.first)


def _explain(
    rules: Iterable[Rule], findings: list[Finding], context: Context, ledger: Ledger
) -> dict[tuple[str, ...], Fix]:
    """For a scan: ask each rule for its fix or what stands in its way, without proving anything."""
    by_id = {rule.id: rule for rule in rules}
    proposed: dict[tuple[str, ...], Fix] = {}
    for finding in findings:
        if context.settings.state_of_id(finding.rule) != "fix":
            continue
        answer = propose(by_id[finding.rule], finding, context, ledger)
        if isinstance(answer, Fix):
            if answer.level.rank <= context.settings.level.rank:
                proposed[finding.key] = answer
            else:
                ledger.refuse(
                    finding, f"needs a look ({answer.level.value}); only routine is wanted"
                )
            continue
        if finding.level is not Level.MANUAL and by_id[finding.rule].fix is not None:
            ledger.refuse(finding, answer.reason, answer.path)
    return proposed


def _entries(
    findings: Iterable[Finding],
    accepted: Mapping[tuple[str, str, str, str], Accepted],
    ledger: Ledger,
    proposed: Mapping[tuple[str, ...], Fix],
    left: Mapping[tuple[str, str, str, str], Finding] | None,
) -> tuple[Entry, ...]:
    """Say of each finding what became of it; `left` are those of the final text, if one is."""
    changes = {change.finding.key: change for change in ledger.changes}
    found: dict[tuple[str, str, str, str], Entry] = {}
    for finding in findings:
        change, held = changes.get(finding.key), ledger.withheld.get(finding.key)
        if finding.key in found:
            continue
        if finding.key in accepted:
            by = accepted[finding.key]
            found[finding.key] = Entry(finding, Status.ACCEPTED, f"{by.by}: {by.reason}")
        elif change is not None:
            found[finding.key] = Entry(finding, Status.FIXED, "", change)
        elif held is not None:
            found[finding.key] = Entry(
                finding, Status.UNFIXED if left is None else Status.WITHHELD, _reason(held)
            )
        elif left is not None and finding.key not in left and finding.rule != STALE:
            found[finding.key] = Entry(finding, Status.FIXED, "solved by another change")
        else:
            fix = proposed.get(finding.key)
            found[finding.key] = Entry(finding, Status.UNFIXED, fix=fix)
    return tuple(
        sorted(found.values(), key=lambda e: (e.finding.path, e.finding.span, e.finding.rule))
    )


def _reason(held: Withheld) -> str:
    return f"{held.path}:{held.line}: {held.reason}" if held.path and held.line else held.reason
