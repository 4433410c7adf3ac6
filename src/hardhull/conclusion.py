"""What became of every finding: told once, for a scan and for a run that fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.acceptance import ID as STALE
from hardhull.ledger import propose
from hardhull.model import Fix, Level
from hardhull.outcome import Entry, Standing, Status
from hardhull.project.pod_security import level_of, version_of, violations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hardhull.ledger import Ledger
    from hardhull.model import Accepted, Finding, Rule, Withheld
    from hardhull.project.context import Context


def explain(
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


def entries(
    findings: Iterable[Finding],
    accepted: Mapping[tuple[str, str, str, str], Accepted],
    ledger: Ledger,
    proposed: Mapping[tuple[str, ...], Fix],
    left: Mapping[tuple[str, str, str, str], Finding] | None,
) -> tuple[Entry, ...]:
    """Say of each finding what became of it; `left` are those of the final text, if one is."""
    changes = {change.finding.key: change for change in ledger.changes}
    # A change of the text can rename a finding (another tag, say): it is told once, as it is last.
    renamed = {key[:3] for key in (*changes, *(left or ()))}
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
            if finding.key[:3] in renamed:
                continue
            found[finding.key] = Entry(finding, Status.FIXED, "solved by another change")
        else:
            fix = proposed.get(finding.key)
            found[finding.key] = Entry(finding, Status.UNFIXED, fix=fix)
    return tuple(
        sorted(found.values(), key=lambda e: (e.finding.path, e.finding.span, e.finding.rule))
    )


def standings(rules: Iterable[Rule], context: Context, final: Context) -> tuple[Standing, ...]:
    """Say of each workload which Pod Security level its pods passed, and which they pass now."""
    if not any(rule.pod_security for rule in rules):
        return ()
    wanted = context.settings.pod_security
    hardened = {(one.path, one.where) for one in final.project.workloads}
    found = []
    for path, manifest in final.project.manifests.items():
        first = context.project.manifests[path].workloads
        for before, after in zip(first, manifest.workloads, strict=True):
            standing = Standing(
                after,
                level_of(before, wanted.version),
                level_of(after, wanted.version),
                wanted.level,
                version_of(wanted.version),
                violations(after, wanted.level, wanted.version),
                (after.path, after.where) in hardened,
            )
            found.append(standing)
    return tuple(found)


def _reason(held: Withheld) -> str:
    return f"{held.path}:{held.line}: {held.reason}" if held.path and held.line else held.reason
