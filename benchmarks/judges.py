"""What other tools say of the files hardhull changed, before and after: nothing new may appear.

    python benchmarks/judges.py FOLDER --tools BIN [--checkov BIN] [--only NAME ...]

Each sub-folder of FOLDER is a repository. The changed files alone are copied, as they were and as
they are, and each tool reads both. Counted are (file, check) pairs. hadolint DL3066 on
`USER $APP_UID` is exempt: that variable holds a number, which hadolint can't see.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from corpus import harden  # the same run, with made-up digests

Found = collections.Counter[tuple[str, str]]
EXEMPT = {"DL3066"}


def main() -> int:
    """Print a table per tool; exit code 1 if something new appeared."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--checkov", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        before, after = Path(scratch, "before"), Path(scratch, "after")
        number = write_both(options, before, after)
        print(f"{number} changed files")
        worse = compare("hadolint", hadolint(options.tools, before), hadolint(options.tools, after))
        worse |= compare("trivy", trivy(options.tools, before), trivy(options.tools, after))
        if options.checkov:
            folder = options.checkov
            worse |= compare("checkov", checkov(folder, before), checkov(folder, after))
    return int(worse)


def write_both(options: argparse.Namespace, before: Path, after: Path) -> int:
    """Write all changed files as they were and as they are."""
    number = 0
    for root in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        if options.only and not any(name in root.name for name in options.only):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, "copy")
            shutil.copytree(root, copy, symlinks=True)
            outcome = harden(copy)
        for path in outcome.changed:
            number += 1
            for folder, sources in ((before, outcome.before), (after, outcome.after)):
                place = folder / root.name / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(sources[path].to_bytes())
    return number


def hadolint(tools: Path, folder: Path) -> Found:
    """Its codes by file."""
    files = [str(p) for p in sorted(folder.rglob("*")) if p.is_file() and "ockerfile" in p.name]
    found: Found = collections.Counter()
    for start in range(0, len(files), 200):
        command = [str(tools / "hadolint"), "--no-fail", "-f", "json", *files[start : start + 200]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for item in json.loads(done.stdout or "[]"):
            found[relative(item["file"], folder), item["code"]] += 1
    return found


def trivy(tools: Path, folder: Path) -> Found:
    """Its failed checks by file."""
    quiet = ["--skip-check-update", "--disable-telemetry", "--skip-version-check", "-q"]
    command = [str(tools / "trivy"), "config", *quiet, "-f", "json", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: Found = collections.Counter()
    for result in json.loads(done.stdout or "{}").get("Results", ()):
        for item in result.get("Misconfigurations", ()):
            found[result["Target"], item["ID"]] += 1
    return found


def checkov(tools: Path, folder: Path) -> Found:
    """Its failed checks by file."""
    found: Found = collections.Counter()
    for root in sorted(folder.iterdir()):
        kinds = ["--framework", "dockerfile", "kubernetes"]
        command = [str(tools / "checkov"), "--skip-download", "-d", str(root), *kinds]
        command += ["--compact", "--quiet", "-o", "json", "--soft-fail"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        match = re.search(r"^[\[{]", done.stdout, re.MULTILINE)
        reports = json.loads(done.stdout[match.start() :]) if match else []
        for report in reports if isinstance(reports, list) else [reports]:
            for item in report.get("results", {}).get("failed_checks", ()):
                found[root.name + item["file_path"], item["check_id"]] += 1
    return found


def relative(path: str, folder: Path) -> str:
    """A path below the folder."""
    return str(Path(path).relative_to(folder))


def compare(tool: str, before: Found, after: Found) -> bool:
    """Print the counts, and every pair that is there more often than before."""
    print(f"{tool}: {before.total()} before, {after.total()} after")
    new = [(place, number) for place, number in (after - before).items()]
    exempt = [pair for pair in new if pair[0][1] in EXEMPT]
    worse = [pair for pair in new if pair[0][1] not in EXEMPT]
    print(f"  new: {sum(n for _, n in worse)}; exempt {sum(n for _, n in exempt)}")
    by_check: collections.Counter[str] = collections.Counter()
    for (_, check), count in worse:
        by_check[check] += count
    for check, count in by_check.most_common():
        example = next(path for (path, other), _ in worse if other == check)
        print(f"    {check} x {count}, such as {example}")
    gone: collections.Counter[str] = collections.Counter()
    for (_, check), count in (before - after).items():
        gone[check] += count
    print("  gone: " + ", ".join(f"{check} x {count}" for check, count in gone.most_common(12)))
    return bool(worse)


if __name__ == "__main__":
    sys.exit(main())
