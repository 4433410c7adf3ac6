"""The front door at the terminal: arguments in, exit code out.

Everything but the parser is imported when a command needs it: `hardhull --version` is fast.
Longer than a module should be, because all commands' options are compared side by side.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import re
import sys
from typing import TYPE_CHECKING, NoReturn

from hardhull import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

FOUND, WRONG_USE, OUR_BUG, INTERRUPTED = 1, 2, 3, 130
_COMMANDS = ("scan", "fix", "pr", "images", "rules", "explain", "config")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What goes wrong with the place that output is written to."""

_EXIT_CODES = """\
exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  wrong use or configuration
  3  a bug of hardhull's (with a block to paste into an issue)
  4  GitHub refused; the message names the setting to change
"""
_START = """\
to start:
  hardhull scan            what is wrong here, and what can be fixed
  hardhull fix --diff      what would be changed; writes nothing
  hardhull fix             change it
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    # A run makes many small values that live to its end, and little garbage in circles: looking
    # for it took a tenth of the time and freed a tenth of the memory. A huge run may still look.
    gc.set_threshold(5_000_000, 50, 100)
    _open_streams()
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is left in the buffer has no reader.
        sys.stdout = None
        return 0
    except OSError as error:
        if error.errno not in _FULL:
            return _failed(error)
        sys.stdout = None
        print(f"hardhull: the report can't be written: {error.strerror}", file=sys.stderr)  # noqa: T201  a command's output
        return WRONG_USE
    except Exception as error:  # noqa: BLE001  the last place before a bare traceback
        return _failed(error)


def _open_streams() -> None:
    """A stream that whoever started us has closed takes what it is given, and gives nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  it is ours to the end


def _run(argv: Sequence[str]) -> int:
    if not argv and os.environ.get("GITHUB_ACTIONS") == "true" and _has_inputs():
        from hardhull.action import main as action  # noqa: PLC0415

        return action()
    parser = make_parser()
    arguments = parser.parse_args(argv)
    match arguments.command:
        case "scan" | "fix":
            from hardhull.commands.check import check as command  # noqa: PLC0415
        case "pr":
            from hardhull.commands.pr import pr as command  # noqa: PLC0415
        case "images":
            from hardhull.commands.images import images as command  # noqa: PLC0415
        case "record":
            from hardhull.commands.record import record as command  # noqa: PLC0415
        case "rules":
            from hardhull.commands.rules import rules as command  # noqa: PLC0415
        case "explain":
            from hardhull.commands.rules import explain as command  # noqa: PLC0415
        case "config":
            from hardhull.commands.config import config as command  # noqa: PLC0415
        case _:
            parser.print_help(sys.stderr)
            return WRONG_USE
    return command(arguments)


def _has_inputs() -> bool:
    """Whether a runner starts us as an action: without arguments, with inputs."""
    return any(name.startswith("INPUT_") for name in os.environ)


def _failed(error: Exception) -> int:
    from hardhull.commands.trouble import issue_block  # noqa: PLC0415
    from hardhull.model import UsageError  # noqa: PLC0415
    from hardhull.report.neutral import plain  # noqa: PLC0415

    if isinstance(error, UsageError):
        print(f"hardhull: {plain(str(error))}", file=sys.stderr)  # noqa: T201  a command's output
        return WRONG_USE
    print(issue_block("hardhull failed", error), file=sys.stderr)  # noqa: T201  as above
    return OUR_BUG


# ---------------------------------------------------------------- arguments


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and where the help is."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"argument COMMAND: invalid choice: '(.*)' \(choose from", message)
        if unknown is not None:
            import difflib  # noqa: PLC0415  needed only here

            near = difflib.get_close_matches(unknown[1], _COMMANDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(_COMMANDS)}"
            self.exit(WRONG_USE, f"hardhull: there is no command `{unknown[1]}`; {hint}\n")
        self.exit(WRONG_USE, f"hardhull: {message}; see {self.prog} --help\n")


def make_parser() -> argparse.ArgumentParser:
    """All commands and options; the help texts in docs/cli.md are made from it."""
    parser = _Parser(
        prog="hardhull",
        description="Finds and fixes what is not hardened in the Dockerfiles, Kubernetes\n"
        "manifests and Compose files of .NET repositories. A fix changes only the\n"
        "bytes it must, and is kept only if it was verified.",
        epilog=f"{_START}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hardhull {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_scan(commands)
    _add_fix(commands)
    _add_pr(commands)
    _add_images(commands)
    _add_record(commands)
    _add_rules(commands)
    _add_config(commands)
    return parser


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[_Parser]  # noqa: SLF001  it has no public name


def _add(commands: _Commands, name: str, summary: str, more: str = "") -> _Parser:
    description = f"{summary[0].upper()}{summary[1:]}. {more}".strip()
    return commands.add_parser(name, help=summary, description=description)


def _add_scan(commands: _Commands) -> None:
    parser = _add(commands, "scan", "report what is not hardened", "Writes nothing.")
    _paths(parser)
    _choosing(parser)
    _facts(parser)
    _reporting(parser, fail_on="high")


def _add_fix(commands: _Commands) -> None:
    parser = _add(
        commands,
        "fix",
        "fix what is not hardened",
        "All changed files are written after every change was verified, or none is.",
    )
    _paths(parser)
    how = parser.add_argument_group("how")
    how.add_argument(
        "--diff", action="store_true", help="write nothing; as text: show the unified diff"
    )
    how.add_argument("--interactive", action="store_true", help="ask before each change")
    how.add_argument(
        "--allow-dirty",
        action="store_true",
        help="also change files with uncommitted changes; git can't undo that",
    )
    _choosing(parser)
    _facts(parser)
    _reporting(parser, fail_on="none")


def _add_pr(commands: _Commands) -> None:
    parser = _add(
        commands,
        "pr",
        "bring the fixes to GitHub as a pull request",
        "Opens one pull request, keeps it current, and closes it when nothing is left to change. "
        "What people commit, close, edit or approve stays as they left it. Needs a clone at the "
        "newest commit of the base, and a token in GITHUB_TOKEN or GH_TOKEN.",
    )
    _paths(parser)
    how = parser.add_argument_group("the pull request")
    how.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help="on GitHub (default: GITHUB_REPOSITORY, or where the clone came from)",
    )
    how.add_argument("--base", metavar="BRANCH", help="it goes here (default: default branch)")
    how.add_argument(
        "--branch", default="hardhull", help="it comes from here (default: %(default)s)"
    )
    how.add_argument("--title", help="its title (default: says what it changes)")
    for name, what in (("label", "a label it gets"), ("reviewer", "who is asked to review it")):
        how.add_argument(
            f"--{name}", action="append", default=[], metavar="NAME", help=f"{what}; repeatable"
        )
    how.add_argument("--draft", action="store_true", help="open it as a draft")
    how.add_argument(
        "--split-by",
        choices=("none", "level", "application", "codeowners"),
        default="none",
        help="a pull request for each of these (default: %(default)s)",
    )
    how.add_argument(
        "--max-open-pull-requests",
        type=int,
        default=10,
        metavar="NUMBER",
        help="no more than this many at a time (default: %(default)s)",
    )
    how.add_argument(
        "--commit-mode",
        choices=("api", "git"),
        default="api",
        help="api: GitHub makes the commits, and signs them for bots; git: they are pushed "
        "(default: %(default)s)",
    )
    how.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and the text; write nothing"
    )
    _choosing(parser)
    _facts(parser)


def _add_images(commands: _Commands) -> None:
    parser = _add(
        commands,
        "images",
        "list every image reference",
        "From Dockerfiles (FROM, COPY --from, RUN --mount, # syntax), manifests and Compose files.",
    )
    _paths(parser)
    _facts(parser)
    parser.set_defaults(select=[], ignore=[], enable=[], level=None)
    _output(parser, ("text", "json"))


def _add_record(commands: _Commands) -> None:
    parser = _add(
        commands,
        "record",
        "look images up in their registries, for --digests",
        "Writes the digest of every image that would be pinned or refreshed, and the config of "
        "those whose user and ports matter, or whose tag has moved. What the file holds already "
        "stays. "
        "Exits with 1 if there was something to look up and every look-up failed.",
    )
    _paths(parser)
    parser.add_argument(
        "--output", metavar="FILE", required=True, help="write here, or add to what is there"
    )
    _choosing(parser)
    _config_file(parser)


def _add_rules(commands: _Commands) -> None:
    parser = _add(commands, "rules", "list the rules")
    _output(parser, ("text", "json", "markdown"))
    parser = _add(commands, "explain", "explain a rule: why, how it is fixed, and when not")
    parser.add_argument("rule", metavar="RULE", help="id of a rule, as `hardhull rules` lists it")
    _output(parser, ("text", "markdown"))


def _add_config(commands: _Commands) -> None:
    parser = _add(commands, "config", "show the settings in force, and where each comes from")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a repository (default: .)")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of the configuration file"
    )
    _choosing(parser)
    _config_file(parser)
    _output(parser, ("text", "json"))


def _paths(parser: _Parser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="folder of a repository; several are looked at one by one (default: .)",
    )


def _choosing(parser: _Parser) -> None:
    group = parser.add_argument_group("which changes")
    for name, meaning in (
        (
            "select",
            "only this rule, the rules of this concern that are on, or what `pod-security` refuses",
        ),
        ("ignore", "not this rule or concern"),
        ("enable", "also this rule, or all of this concern, though off by default"),
    ):
        group.add_argument(
            f"--{name}", action="append", default=[], metavar="RULE", help=f"{meaning}; repeatable"
        )
    group.add_argument(
        "--level",
        choices=("routine", "review"),
        help="routine: only changes whose every precondition was checked; "
        "review: also those where a person should look (default)",
    )


def _facts(parser: _Parser) -> None:
    group = parser.add_argument_group("what is known")
    group.add_argument(
        "--digests",
        metavar="FILE",
        help="what is known of images, for pinning; `hardhull record` writes it",
    )
    group.add_argument(
        "--offline",
        action="store_true",
        help="contact nothing: what --digests does not hold is not known; `scan` and `images` "
        "contact nothing anyway",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="ask registries for every tag, also where a run of the last hour did",
    )
    _config_file(group)


def _config_file(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--config",
        metavar="FILE",
        help="configuration (default: .github/hardhull.yml in each PATH, if there is one)",
    )


def _reporting(parser: _Parser, *, fail_on: str) -> None:
    group = _output(parser, ("text", "json", "sarif", "github", "markdown"))
    group.add_argument(
        "--fail-on",
        choices=("low", "medium", "high", "none"),
        default=fail_on,
        help=f"exit with 1 if a finding of this severity or worse is left (default: {fail_on})",
    )


def _output(parser: _Parser, formats: tuple[str, ...]) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", choices=formats, default="text", help="form of the report (default: text)"
    )
    group.add_argument("--output", metavar="FILE", help="write the report to this file")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour (default: auto, on a terminal unless NO_COLOR is set)",
    )
    return group
