#!/usr/bin/env python3
"""Make the documentation that follows from the code.

    python scripts/make_docs.py           write what is missing or stale, remove what has no rule
    python scripts/make_docs.py --check   fail if anything would be written

A page for each rule, their index and what others call them, the command line, the configuration,
both JSON Schemas (in docs/ for people, in the package for programs), the action's file and page,
and in README.md the diff and the table of rules.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Final

from hardhull.actions.table import INPUTS, OUTPUTS, Kind
from hardhull.cli import make_parser
from hardhull.configuration.schema import describe, schema
from hardhull.report import pages
from hardhull.report.diff import text_diff
from hardhull.report.json_schema import report_schema
from hardhull.report.neutral import code, fenced
from hardhull.rules import BY_ID, RULES
from hardhull.run import run
from hardhull.settings import Settings

ROOT: Final = Path(__file__).resolve().parent.parent
RULE_PAGES: Final = "docs/rules/"
SHOWN_RULES: Final = ("privileged-port", "image-runs-as-root")
SHOWN_FILES: Final = ("src/Orders/Dockerfile", "deploy/orders.yaml")
_CHECKS: Final = "https://github.com/kubernetes/pod-security-admission/tree/master/policy"
_MADE: Final = "<!-- Made by scripts/make_docs.py. -->\n\n"


def main() -> int:
    """Write the documentation, or with `--check` compare it."""
    parser = argparse.ArgumentParser(description="Make the documentation that follows from code.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    check = parser.parse_args().check
    wanted = documents()
    stale = [path for path, text in wanted.items() if _text(ROOT / path) != text]
    left_over = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / RULE_PAGES).glob("*.md"))
        if path.relative_to(ROOT).as_posix() not in wanted
    ]
    if check:
        for path in [*stale, *left_over]:
            print(f"{path} is stale: run make docs", file=sys.stderr)
        return int(bool(stale or left_over))
    for path in stale:
        place = ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(wanted[path], encoding="utf-8", newline="\n")
        print(f"wrote {path}")
    for path in left_over:
        (ROOT / path).unlink()
        print(f"removed {path}")
    return 0


def documents() -> dict[str, str]:
    """Every generated file and its text."""
    schemas = {"report": _json(report_schema()), "config": _json(schema(BY_ID))}
    return {
        **{f"{RULE_PAGES}{rule.id}.md": _MADE + pages.rule_page(rule) for rule in RULES},
        f"{RULE_PAGES}README.md": _index(),
        f"{RULE_PAGES}equivalents.md": _equivalents(),
        "docs/configuration.md": _configuration(),
        "docs/cli.md": _command_line(),
        "docs/action.md": _action_page(),
        "action.yml": _action_file(),
        **{f"docs/{name}.schema.json": text for name, text in schemas.items()},
        **{f"src/hardhull/schemas/{name}.schema.json": text for name, text in schemas.items()},
        "README.md": _readme(),
    }


def _text(place: Path) -> str | None:
    return place.read_text(encoding="utf-8") if place.is_file() else None


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _readme() -> str:
    text = _text(ROOT / "README.md") or ""
    text = _between(text, "rules", pages.rule_table(RULES, RULE_PAGES))
    return _between(text, "diff", fenced(_shown_diff(), "diff"))


def _between(text: str, name: str, new: str) -> str:
    """Put `new` between `<!-- name -->` and `<!-- /name -->`."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(start)
    if not found or end not in rest:
        raise SystemExit(f"{start} and {end} are missing in a page")
    return f"{before}{start}\n{new}\n{end}{rest.partition(end)[2]}"


def _shown_diff() -> str:
    """What two rules do to one service of the example."""
    settings = Settings().choosing(BY_ID, select=SHOWN_RULES)
    outcome = run(ROOT / "examples" / "shop", settings, fixing=True)
    return "".join(
        text_diff(outcome.before[path].text, outcome.after[path].text, path, context=1)
        for path in SHOWN_FILES
    )


def _index() -> str:
    parts = [
        _MADE + "# Rules",
        "In their order of work. `hardhull explain RULE` shows the same page in the terminal.",
    ]
    concerns = dict.fromkeys(rule.concern for rule in RULES)
    for concern in concerns:
        own = [rule for rule in RULES if rule.concern == concern]
        parts.append(f"## {concern}\n\n{pages.rule_table(own, '')}")
    return "\n\n".join(parts) + "\n"


def _equivalents() -> str:
    return f"""{_MADE}# What others call it

Each rule with the checks of other tools that look at the same thing; they seldom agree in every
case. Decisions that are written beside the code for Checkov, Trivy, Polaris, Kubescape,
kube-linter, hadolint and KICS count here too (`respect` in the configuration); KICS' long ids are
on the pages of the rules.

{pages.equivalents_table(RULES)}

CIS is the CIS Kubernetes Benchmark v1.10 (Checkov's own comments use older numbers), NSA the
numbering of Trivy's `k8s-nsa-1.0` for the Kubernetes Hardening Guidance of NSA and CISA, Pod
Security the ids of the checks in [kubernetes/pod-security-admission]({_CHECKS}). The rules with
one of these together are `--select pod-security`.

## Without a rule here

- A user of 10000 or above (`CKV_K8S_40`, `KSV-0020`, `KSV-0021`): .NET images bring 1654, and Pod
  Security takes every number but 0.
- `imagePullPolicy: Always` (`CKV_K8S_15`, `pullPolicyNotAlways`, `C-0075`): a digest pins the
  image.
- Probes (`CKV_K8S_8`, `CKV_K8S_9`, `livenessProbeMissing`, `readinessProbeMissing`, `C-0056`,
  `C-0018`): one that nobody knows to work restarts a program that does.
- `HEALTHCHECK` (`CKV_DOCKER_2`, `DS-0026`): Kubernetes does not read it.
"""


def _configuration() -> str:
    lines = ["| key | takes | default | |", "|---|---|---|---|"]
    for name, takes, default, doc in describe():
        shown = f"`{default}`" if default and default not in ("none", "empty") else default
        lines.append(f"| `{name}` | {takes} | {shown} | {doc} |".replace("  |", " |"))
    return (
        f"{_MADE}# Configuration\n\n"
        "hardhull needs none. What `.github/hardhull.yml` says is checked: an unknown key is an "
        "error that names the nearest one. `hardhull config` shows the settings in force and where "
        "each comes from.\n\n"
        + "\n".join(lines)
        + "\n\nFor completion and checks while editing, begin the file with this line "
        "(`hardhull config --schema` prints the schema):\n\n"
        + fenced("# yaml-language-server: $schema=hardhull.schema.json", "yaml")
        + "\n\n## One place only\n\nA comment on the line of a finding, or above it:\n\n"
        + fenced(
            "# hardhull: ignore[writable-root-filesystem] until=2027-12-31 owner=shop it caches",
            "yaml",
        )
        + "\n\nIt needs no date, owner or reason, but takes them. One that has expired, or that "
        "accepts nothing any more, is a finding itself. What was accepted is always listed. "
        "Decisions written for other tools (`respect`) count for the equivalent rule.\n"
    )


_ACTION: Final = """\
# Made by scripts/make_docs.py, but for the image, which a release sets.
name: hardhull
description: >-
  Opens the pull request that hardens .NET containers: Dockerfiles, Kubernetes manifests and
  Compose files. Every change is verified before it is kept.
author: The hardhull authors
branding:
  icon: shield
  color: blue
"""


def _action_file() -> str:
    """action.yml, from the table of inputs; its image stays as it is."""
    image = re.search(r"^  image: (.+)$", _text(ROOT / "action.yml") or "", re.MULTILINE)
    lines = [_ACTION, "inputs:"]
    for one in INPUTS:
        lines += [f"  {one.name}:", "    description: >-", *_folded(one.doc)]
        if one.default:
            quoted = one.default if one.default.startswith("$") else f'"{one.default}"'
            lines.append(f"    default: {quoted}")
    lines += ["", "outputs:"]
    for out in OUTPUTS:
        lines += [f"  {out.name}:", "    description: >-", *_folded(out.doc)]
    lines += ["", "runs:", "  using: docker", f"  image: {image[1] if image else 'Dockerfile'}"]
    return "\n".join(lines) + "\n"


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="      ", subsequent_indent="      ")


def _action_page() -> str:
    takes = {Kind.FLAG: "`true` or `false`", Kind.LIST: "list", Kind.NUMBER: "number"}
    lines = ["| input | takes | default | |", "|---|---|---|---|"]
    for one in INPUTS:
        words = ", ".join(f"`{word}`" for word in one.words)
        default = code(one.default) if one.default else ""
        lines.append(
            f"| `{one.name}` | {words or takes.get(one.kind, 'text')} | {default} | {one.doc} |"
        )
    outputs = ["| output | |", "|---|---|", *(f"| `{out.name}` | {out.doc} |" for out in OUTPUTS)]
    text = _text(ROOT / "docs" / "action.md") or ""
    text = _between(text, "inputs", "\n".join(lines).replace("  |", " |"))
    return _between(text, "outputs", "\n".join(outputs))


def _command_line() -> str:
    parser = make_parser()
    parts = [_MADE + "# Command line", fenced(parser.epilog or "", "text")]
    for action in parser._actions:  # noqa: SLF001  argparse has no other way to its subparsers
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  as above
            for name, command in action.choices.items():
                parts += _command(name, command)
    return "\n\n".join(parts) + "\n"


def _command(name: str, parser: argparse.ArgumentParser) -> list[str]:
    """A section about a command; not argparse's own text, which changes with its version."""
    own = [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001  as above
    named = [action for action in own if not action.option_strings]
    takes = "".join(
        f" [{action.metavar} ...]" if action.nargs == "*" else f" {action.metavar}"
        for action in named
    )
    lines = ["| | |", "|---|---|"]
    for action in [*named, *(action for action in own if action.option_strings)]:
        value = "|".join(action.choices) if action.choices else action.metavar
        spelled = action.option_strings[0] if action.option_strings else ""
        shown = " ".join(part for part in (spelled, str(value) if value else "") if part)
        lines.append(f"| {code(shown)} | {action.help or ''} |")
    return [
        f"## hardhull {name}",
        fenced(f"hardhull {name} [options]{takes}", "text"),
        parser.description or "",
        "\n".join(lines),
    ]


if __name__ == "__main__":
    sys.exit(main())
