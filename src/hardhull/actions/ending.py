"""How a job ends: annotations, job summary, files and outputs, all from one result."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hardhull.actions.files import write_inside, write_outputs
from hardhull.report import annotations as beside
from hardhull.report import machine, sarif, summary
from hardhull.report.diff import outcome_diff
from hardhull.report.neutral import code, fenced, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.actions.job import Job
    from hardhull.model import Severity
    from hardhull.outcome import Outcome

_LARGEST_DIFF = 512 * 1024
"""Of the 1 MiB that a summary may have."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a job found and did. `shown` is what people are told, `outcome` all there is."""

    headline: str
    outcome: Outcome | None = None
    shown: Outcome | None = None
    annotated: bool = False
    quiet: bool = False
    """Whether the headline says it all."""
    notes: tuple[str, ...] = ()
    contacted: tuple[str, ...] = ()
    failing: bool = False
    outputs: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    """What GitHub did not let us do; the job fails with it."""


def left_in(outcome: Outcome, threshold: Severity | None) -> bool:
    """Whether a finding of this severity or worse is left."""
    return threshold is not None and any(
        entry.left and entry.finding.severity.rank >= threshold.rank for entry in outcome.entries
    )


def tell(job: Job, result: Result) -> None:
    """Tell everybody who wants to know. Raises UsageError where something can't be written."""
    clean, outcome = job.log.clean, result.outcome
    truncated = outcome is not None and len(outcome.entries) > sarif.MOST_RESULTS
    if result.annotated and job.inputs.annotations and result.shown is not None:
        notes = beside.notes_of(result.shown, job.shown)
        text = beside.join(notes)
        truncated |= len(text.splitlines()) != len(notes)
        job.log.lines(text)
    outputs = {
        "pull-request-operation": "none",
        "findings": str(_count_left(result.shown)),
        "fixes": str(len(outcome.changes)) if outcome is not None else "0",
        "changed-files": _json([job.shown.shown(path) for path in outcome.changed])
        if outcome is not None
        else "[]",
        **_write_files(job, result),
        **result.outputs,
    }
    file = job.environment.get("GITHUB_STEP_SUMMARY")
    if file:
        parts, cut = _summary(job, result)
        truncated |= summary.append(file, [clean(part) for part in parts]) or cut
    outputs["truncated"] = "true" if truncated else "false"
    write_outputs(job.environment, {name: clean(value) for name, value in outputs.items()})


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=True)


def _count_left(shown: Outcome | None) -> int:
    return sum(entry.left for entry in shown.entries) if shown is not None else 0


def _write_files(job: Job, result: Result) -> dict[str, str]:
    """The files that were asked for, with everything there is; by the output that names each."""
    written: dict[str, str] = {}
    outcome, inputs = result.outcome, job.inputs
    if outcome is None:
        return written
    if inputs.report_file is not None:
        text = machine.join([machine.root_report(outcome, job.shown.label)])
        write_inside(job.workspace, inputs.report_file, "report-file", job.log.clean(text))
        written["report-file"] = inputs.report_file
    if inputs.sarif_file is not None:
        text = sarif.join([sarif.run_of(outcome, job.shown)])
        write_inside(job.workspace, inputs.sarif_file, "sarif-file", job.log.clean(text))
        written["sarif-file"] = inputs.sarif_file
    return written


def _summary(job: Job, result: Result) -> tuple[list[str], bool]:
    parts = [markdown(result.headline)]
    if result.refused:
        parts.append(f"\n**GitHub refused:** {markdown(result.refused)}")
    if result.notes:
        parts.append("\n" + "\n".join(f"- {markdown(note)}" for note in result.notes))
    if result.shown is not None and not result.quiet:
        # The hosts are told below, GitHub's among them.
        told = replace(result.shown, contacted=())
        parts.append("\n" + summary.part_of(told, job.shown).rstrip("\n"))
    hosts = ", ".join(code(host, table=False) for host in sorted(set(result.contacted)))
    parts.append(f"\nContacted: {hosts or 'no host'}.")
    # Last, and as much of it as fits: what is cut off there can be had elsewhere.
    diff, cut = _folded_diff(job, result.outcome)
    return [*parts, diff] if diff else parts, cut


def _folded_diff(job: Job, outcome: Outcome | None) -> tuple[str, bool]:
    if outcome is None or not outcome.changed:
        return "", False
    text = outcome_diff(outcome, job.shown.prefix)
    cut = len(text) > _LARGEST_DIFF
    if cut:
        text = text[: text.rfind("\n", 0, _LARGEST_DIFF)]
    more = "\n\n*The diff goes on: it is longer than a summary holds.*" if cut else ""
    folded = f"<details><summary>Diff</summary>\n\n{fenced(text, 'diff')}{more}\n\n</details>"
    return folded, cut
