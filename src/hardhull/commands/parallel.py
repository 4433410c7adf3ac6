"""The same work for many roots: on all processors at once, where a second process is cheap."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

_work: tuple[Callable[[Any], Any], Sequence[Any]]
"""In a worker: what to do, and with what. Copied with the process, so that it need not travel."""


def in_order(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """The result for each item, in their order; what one raises is raised in its place.

    Results travel between processes: `pickle` must know them. Where no process can be copied
    (Windows, macOS, a process with threads), and for a single item, all is done here.
    """
    workers = min(len(items), _processors())
    if workers < 2 or not _may_be_copied():  # noqa: PLR2004  one is this process
        yield from map(work, items)
        return
    import multiprocessing  # noqa: PLC0415  slow to import
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  as above
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415  as above

    context = multiprocessing.get_context("fork")
    done = 0
    with ProcessPoolExecutor(workers, context, _begin, (work, items)) as pool:
        try:
            for result in pool.map(_at, range(len(items))):
                yield result
                done += 1
        except BrokenProcessPool:
            pass  # one was killed, for want of memory perhaps: the rest one after the other
    yield from map(work, items[done:])


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _may_be_copied() -> bool:
    """Whether a copy of this process is safe: no other thread may hold a lock now."""
    return sys.platform == "linux" and threading.active_count() == 1


def _begin(work: Callable[[Any], Any], items: Sequence[Any]) -> None:
    global _work  # noqa: PLW0603  a worker has one task in its life
    _work = (work, items)
    # Who presses Ctrl+C means the run: its first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _at(index: int) -> Any:
    work, items = _work
    return work(items[index])
