"""What became of every finding: told once, for a scan and for a run that fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.acceptance import ID as STALE
from hardhull.ledger import propose
from hardhull.model import Fix, Level, Phase, SubjectKind
from hardhull.outcome import Entry, Standing, Status
from hardhull.project.pod_security import level_of, version_of, violations
from hardhull.project.updaters import scheduled_run
from hardhull.rules.images.pinning import is_windows, may_be_refreshed
from hardhull.rules.images.stale_digest import ID as STALE_DIGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hardhull.ledger import Ledger
    from hardhull.model import Accepted, Finding, Rule, Withheld
    from hardhull.project.context import Context
    from hardhull.project.link import Project, Workspace

LEFT_TO = "Pins are left to: "
_LISTED = 3
_LOOKED_AT = SubjectKind.REFERENCE


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
        first = context.project.manifests.get(path)
        if first is None:
            continue  # a file that was made in this run
        for before, after in zip(first.workloads, manifest.workloads, strict=True):
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


def refreshers(
    told: Iterable[Entry], rules: Iterable[Rule], workspace: Workspace
) -> tuple[str, ...]:
    """Who keeps the digests fresh that this run writes, said once: a pin must not grow old."""
    pinning = {rule.id for rule in rules if rule.phase is Phase.PIN and rule.subject is _LOOKED_AT}
    files: dict[str, dict[str, None]] = {}
    for entry in told:
        if entry.finding.rule in pinning and (entry.change is not None or entry.fix is not None):
            updater = workspace.updater_of(entry.finding.subject)
            files.setdefault(str(updater or ""), {})[entry.finding.path] = None
    if not files:
        return ()
    others = files.pop("", None)
    named = [(by, list(paths)) for by, paths in files.items()]
    if others is not None:
        named.append((_ourselves(workspace), list(others)))
    if len(named) == 1:
        return (f"Pins are refreshed by: {named[0][0]}",)
    parts = (f"{by} [{_some(paths)}]" for by, paths in named)
    return (f"Pins are refreshed by: {'; '.join(parts)}",)


def left_to_updates(project: Project, rules: Iterable[Rule]) -> tuple[str, ...]:
    """Which open pull requests of update tools digests are left to, and in which files."""
    if not project.workspace.updaters.open or not any(rule.id == STALE_DIGEST for rule in rules):
        return ()
    files: dict[str, dict[str, None]] = {}
    for use in project.references:
        update = project.workspace.update_of(use)
        if update is not None and may_be_refreshed(use, project.workspace):
            files.setdefault(str(update), {})[use.path] = None
    parts = (f"{by} [{_some(list(paths))}]" for by, paths in files.items())
    return (f"{LEFT_TO}{'; '.join(parts)}",) if files else ()


def left_to_windows(project: Project) -> tuple[str, ...]:
    """One line about .NET Framework and images of Windows: seen, and left as they are."""
    space = project.workspace
    paths = [one.path for one in space.programs.projects() if one.of_framework]
    images = dict.fromkeys(
        use.text
        for use in project.references
        if use.name is not None and not use.pinned and is_windows(use.name, space)
    )
    if space.settings.windows_digests:
        images = {}
    found = [f"{_count(paths, '.NET Framework project')} ({_some(paths)})"] if paths else []
    if images:
        found.append(f"{_count(images, 'Windows image')} ({_some(list(images))})")
    return (f"Left as they are: {' and '.join(found)}",) if found else ()


def _count(things: Collection[str], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _ourselves(workspace: Workspace) -> str:
    workflow = scheduled_run(workspace.texts) if workspace.settings.pins.refreshes else None
    if workflow is not None:
        return f"hardhull's scheduled run ({workflow})"
    return "nobody yet: run hardhull on a schedule, or let Renovate or Dependabot do it"


def _some(paths: list[str]) -> str:
    shown = ", ".join(paths[:_LISTED])
    more = len(paths) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
