"""Our own bugs, told so that they can be reported: a block to paste into an issue."""

from __future__ import annotations

import platform
import traceback
from typing import TYPE_CHECKING

from hardhull import __version__
from hardhull.report.neutral import fenced, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.model import Crash

_ASK = "This is a bug of hardhull's. Please paste this into an issue, without what is secret:"


def issue_block(what: str, error: BaseException) -> str:
    """The block for an exception that nobody expected."""
    trace = "".join(traceback.format_exception(error, limit=-8))
    return f"{what}. {_ASK}\n\n{fenced(_about() + trace, 'text')}"


def crash_block(crashes: Sequence[Crash]) -> str:
    """The block for rules that failed; the run went on without them."""
    first = crashes[0]
    more = f" and {len(crashes) - 1} more times" if len(crashes) > 1 else ""
    what = f"The rule {first.rule} failed at {first.where or 'a place without a name'}{more}"
    return f"{plain(what)}. {_ASK}\n\n{fenced(_about() + first.trace, 'text')}"


def failure_block(what: str, trace: str) -> str:
    """The block for something that failed while the rest of the work went on."""
    return f"{what}. {_ASK}\n\n{fenced(_about() + trace, 'text')}"


def _about() -> str:
    python = platform.python_version()
    return f"hardhull {__version__}, Python {python}, {platform.system()}\n\n"
