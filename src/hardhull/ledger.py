"""What a run asks rules and remembers: findings, proposed fixes, changes, refusals, crashes."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.documents.source import is_generated
from hardhull.model import Change, Crash, Finding, Fix, Level, Refusal, Withheld, worst
from hardhull.project.kubernetes import Workload
from hardhull.project.patched import coherent
from hardhull.project.pod_security import violations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.model import Rule
    from hardhull.project.context import Context


@dataclass
class Memory:
    """What each rule found in the latest project, so that nothing is asked twice."""

    project: object = None
    found: dict[str, list[Finding]] = field(default_factory=dict)
    crashes: dict[tuple[str, str], Crash] = field(default_factory=dict)

    def note_crash(self, rule: str, where: str) -> None:
        """Keep what a rule raised just now, once for each place."""
        self.crashes.setdefault((rule, where), Crash(rule, where, traceback.format_exc(limit=-6)))

    def of(self, project: object) -> dict[str, list[Finding]]:
        """The findings by rule in this project; those of an earlier one are forgotten."""
        if self.project is not project:
            self.project, self.found = project, {}
        return self.found


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finding with the fix that was proposed for it."""

    finding: Finding
    fix: Fix


@dataclass
class Ledger:
    """What has happened so far; with its memory the only thing in the engine that changes.

    `stage` is how far changes may go now; what needs more is `put_off`. `awaited` are findings
    that a change put off would alter: they wait for it.
    """

    changes: list[Change] = field(default_factory=list)
    withheld: dict[tuple[str, str, str, str], Withheld] = field(default_factory=dict)
    failed: set[tuple[str, ...]] = field(default_factory=set)
    texts: dict[str, set[str]] = field(default_factory=dict)
    stage: Level = Level.ROUTINE
    put_off: dict[tuple[str, ...], Candidate] = field(default_factory=dict)
    awaited: frozenset[tuple[str, ...]] = frozenset()
    memory: Memory = field(default_factory=Memory)

    def forget_solved(self, left: Mapping[tuple[str, str, str, str], Finding] | None) -> None:
        """Drop refusals of findings that something else solved; `left` are those that remain."""
        if left is not None:
            self.withheld = {key: held for key, held in self.withheld.items() if key in left}

    def refuse(self, finding: Finding, reason: str, path: str = "", line: int = 0) -> None:
        """Note why a finding is not fixed; a later reason replaces an earlier one."""
        self.withheld[finding.key] = Withheld(finding, reason, path, line)


def find_all(rule: Rule, context: Context, ledger: Ledger) -> list[Finding]:
    """Run a rule over all its subjects. A rule that raises is our bug: noted, not fatal."""
    known = ledger.memory.of(context.project)
    if rule.id in known:
        return known[rule.id]
    found: list[Finding] = []
    patches = context.project.patches if rule.patches else ()
    for subject in (*context.subjects(rule.subject), *patches):
        try:
            found += (
                one for one in rule.find(subject, context) if _is_asked_for(rule, one, context)
            )
        except Exception:  # noqa: BLE001  one rule's bug must not stop the run
            where = str(getattr(subject, "where", "") or getattr(subject, "name", ""))
            ledger.memory.note_crash(rule.id, where)
    known[rule.id] = _told_apart(found)
    return known[rule.id]


def _is_asked_for(rule: Rule, finding: Finding, context: Context) -> bool:
    """Whether it counts: asked for Pod Security alone, only what its level refuses does."""
    wanted = context.settings.pod_security
    if not wanted.asked or not rule.pod_security:
        return True
    subject = finding.subject
    project, patched = context.project, getattr(subject, "patched", None)
    if isinstance(subject, Workload):
        workload: Workload | None = subject
    else:
        workload = project.overlays.part_of(subject) if patched else project.workload_of(subject)
    if workload is None:
        return False
    places = (finding.where, workload.where)
    return any(
        refused.check in rule.pod_security
        and (refused.where in places or finding.where == workload.where)
        for refused in violations(workload, wanted.level, wanted.version)
    )


def _told_apart(found: Iterable[Finding]) -> list[Finding]:
    """Drop repeated findings; number those that stand at different places of one name."""
    unique: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        unique.setdefault((finding.key, finding.span), finding)
    counted: dict[tuple[str, ...], int] = {}
    told: list[Finding] = []
    for finding in sorted(unique.values(), key=lambda one: (one.path, one.span)):
        number = counted[finding.key] = counted.get(finding.key, 0) + 1
        told.append(
            finding if number == 1 else replace(finding, where=f"{finding.where} #{number}")
        )
    return told


def propose(rule: Rule, finding: Finding, context: Context, ledger: Ledger) -> Fix | Refusal:
    """Ask a rule for its fix, with the level that finding and fix deserve together."""
    if rule.fix is None or finding.level is Level.MANUAL:
        return Refusal("reported only")
    try:
        fix = rule.fix(finding, context)
        fix = coherent(fix, context.project) if isinstance(fix, Fix) else fix
    except Exception:  # noqa: BLE001  as above
        ledger.memory.note_crash(rule.id, finding.where)
        return Refusal("hardhull failed here; this is a bug of ours")
    if isinstance(fix, Refusal):
        return fix
    for path in fix.paths:
        if not context.settings.paths.allow(path):
            # Files that are read as evidence are not sorted out when they are listed.
            return Refusal("`paths` in the configuration says that it is not to be edited", path)
        if is_generated(context.document(path).source):
            return Refusal("the file's first lines say that a program writes it: change that", path)
    level = worst(fix.level, finding.level)
    return fix if level is fix.level else replace(fix, level=level)
