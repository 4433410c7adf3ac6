"""Run hardhull over Kubernetes' own Pod Security test data and print one table.

    python benchmarks/pod_security.py TESTDATA [--only baseline/v1.37 ...]

TESTDATA is `test/testdata` of https://github.com/kubernetes/pod-security-admission: a pod a file,
below LEVEL/VERSION/{pass,fail}. Each LEVEL/VERSION is copied, and hardened by
`hardhull fix --select pod-security` with `applications: all` and this level and version. What
passes must stay as it is, byte for byte; what fails is fixed, or a finding says why it is not.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hardhull.cli import make_parser
from hardhull.commands.roots import settings_of
from hardhull.documents.source import FileKind, Source, apply_edits, undo_edits
from hardhull.documents.yaml import YamlFile
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import PodSecurityLevel
from hardhull.outcome import Status
from hardhull.project.kubernetes import read_manifest
from hardhull.project.pod_security import violations
from hardhull.project.pod_security_checks import CHECKS
from hardhull.rules import BY_ID
from hardhull.run import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardhull.outcome import Outcome

TODAY = datetime.date(2026, 11, 22)
_NAMES = {check.id.lower(): check.id for check in CHECKS}


@dataclass
class Tally:
    """What became of the pods. The keys are the ids of checks; `problems` must stay empty."""

    fixed: collections.Counter[str] = field(default_factory=collections.Counter)
    explained: collections.Counter[str] = field(default_factory=collections.Counter)
    unfixed: collections.Counter[str] = field(default_factory=collections.Counter)
    passing: int = 0
    identical: int = 0
    admitted: int = 0
    """Failing pods that pass everything afterwards."""
    problems: list[str] = field(default_factory=list)


def check_of(path: Path) -> str:
    """The check that a failing pod is about, by the name of its file."""
    return _NAMES[re.sub(r"\d+$", "", path.stem)]


def refused(text: str, level: str, version: str) -> frozenset[str]:
    """The checks that a pod fails."""
    file = read_yaml(Source("pod.yaml", FileKind.YAML, text))
    if not isinstance(file, YamlFile):
        raise TypeError(file.reason)
    (workload,) = read_manifest(file).workloads
    found = violations(workload, PodSecurityLevel(level), version)
    return frozenset(violation.check for violation in found)


def meant(check: str) -> frozenset[str]:
    """A check, and the restricted ones that stand in for it."""
    return frozenset({check, *(other.id for other in CHECKS if check in other.overrides)})


def disagreements(testdata: Path) -> Iterator[str]:
    """The pods that we judge otherwise than Kubernetes does."""
    for path in sorted(testdata.glob("*/v*/*/*.yaml")):
        level, version, wanted, _ = path.relative_to(testdata).parts
        found = refused(path.read_text(encoding="utf-8"), level, version)
        if (wanted == "pass" and found) or (wanted == "fail" and not found & meant(check_of(path))):
            yield f"{path.relative_to(testdata)}: {', '.join(sorted(found)) or 'passes'}"


def harden(root: Path) -> Outcome:
    """What `hardhull fix --select pod-security` does to a root, nothing written."""
    arguments = make_parser().parse_args(["fix", "--select", "pod-security", str(root)])
    return run(root, settings_of(root, arguments), fixing=True, today=TODAY)


def measure(folder: Path, tally: Tally) -> None:
    """Harden a copy of one LEVEL/VERSION, and count."""
    level, version = folder.parts[-2:]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "copy")
        shutil.copytree(folder, copy)
        (copy / ".github").mkdir()
        (copy / ".github" / "hardhull.yml").write_text(
            f"applications: all\npod-security: {{level: {level}, version: {version}}}\n",
            encoding="utf-8",
        )
        outcome = harden(copy)
        tally.problems += [f"{folder}: {crash.trace}" for crash in outcome.crashes]
        tally.problems += [f"{folder}: {problem}" for problem in undone(outcome)]
        for path in sorted(outcome.before):
            count(path, outcome, (level, version), tally)
        for path in outcome.changed:
            (copy / path).write_bytes(outcome.after[path].to_bytes())
        tally.problems += [f"{folder}/{path} changes again" for path in harden(copy).changed]


def count(path: str, outcome: Outcome, target: tuple[str, str], tally: Tally) -> None:
    """Count one pod."""
    after = outcome.after[path].text
    if path.startswith("pass/"):
        tally.passing += 1
        tally.identical += after == outcome.before[path].text
        return
    check = check_of(Path(path))
    left = refused(after, *target)
    tally.admitted += not left
    told = {
        known
        for entry in outcome.entries
        if entry.finding.path == path and entry.status is not Status.FIXED
        for known in BY_ID[entry.finding.rule].pod_security
    }
    if not left & meant(check):
        tally.fixed[check] += 1
    elif meant(check) & told:
        tally.explained[check] += 1
    else:
        tally.unfixed[check] += 1
    if unsaid := left - told:
        tally.problems.append(f"{target} {path}: nothing is said of {', '.join(sorted(unsaid))}")


def undone(outcome: Outcome) -> Iterator[str]:
    """Undo all edits, last first."""
    texts = {path: [source.text] for path, source in outcome.before.items()}
    steps = [(path, edits) for change in outcome.changes for path, edits in change.edits]
    for path, edits in steps:
        texts[path].append(apply_edits(texts[path][-1], edits))
    for path, states in texts.items():
        if states[-1] != outcome.after[path].text:
            yield f"{path}: the recorded edits don't give the result"
            continue
        text = states.pop()
        for _, edits in reversed([step for step in steps if step[0] == path]):
            text = apply_edits(text, undo_edits(edits, states.pop()))
        if text != outcome.before[path].text:
            yield f"{path}: undoing gives another text"


def measured(testdata: Path, only: Iterable[str] = ()) -> Tally:
    """Harden every LEVEL/VERSION, or only some."""
    tally = Tally()
    wanted = tuple(only)
    for folder in sorted(testdata.glob("*/v*")):
        if not wanted or folder.relative_to(testdata).as_posix() in wanted:
            measure(folder, tally)
    return tally


def main() -> int:
    """Print the table; exit code 1 if something that must hold did not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("testdata", type=Path)
    parser.add_argument("--only", nargs="*", default=[], metavar="LEVEL/VERSION")
    options = parser.parse_args()
    wrong = list(disagreements(options.testdata))
    tally = measured(options.testdata, options.only)
    print("| check | fixed | explained | unfixed |\n|---|--:|--:|--:|")
    counters = (tally.fixed, tally.explained, tally.unfixed)
    for check in CHECKS:
        numbers = [str(counter[check.id]) for counter in counters]
        print(f"| {check.id} | {' | '.join(numbers)} |")
    print(f"| all | {' | '.join(str(counter.total()) for counter in counters)} |\n")
    print(f"judged otherwise than by Kubernetes: {len(wrong)}")
    print(f"passing pods left as they are: {tally.identical} of {tally.passing}")
    failing = sum(counter.total() for counter in counters)
    print(f"failing pods that are admitted afterwards: {tally.admitted} of {failing}")
    print(f"problems: {len(tally.problems)}")
    for line in [*wrong, *tally.problems]:
        print(line, file=sys.stderr)
    good = not wrong and not tally.problems and tally.identical == tally.passing
    return 0 if good and not tally.unfixed else 1


if __name__ == "__main__":
    sys.exit(main())
