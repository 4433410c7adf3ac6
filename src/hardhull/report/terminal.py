"""Laying out a report on a terminal, with colour and columns that fit. The only user of rich."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hardhull.report.neutral import plain
from hardhull.report.text import closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hardhull.report.text import Block, Page, Row, Told

_NARROW = 64
_STYLES = {
    "fixed": "green",
    "review": "yellow",
    "held": "magenta",
    "accepted": "dim",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
}


def console(stream: IO[str]) -> Console:
    """A console that trusts nobody's markup and guesses nothing."""
    return Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)


def show_pages(pages: Sequence[Page], told: Told, stream: IO[str]) -> None:
    """Print the report."""
    out = console(stream)
    spaced = False
    for page in pages:
        if not (page.blocks or page.pods or page.skipped):
            continue
        if page.root.label != ".":
            out.print(Text(plain(page.root.label), style="bold underline"))
        for block in page.blocks:
            out.print(_block(block, out.width))
        for note in page.notes:
            out.print(Text.assemble(("note  ", "yellow"), note))
        for line in page.pods:
            out.print(Text.assemble(("pod security  ", "cyan"), line))
        for line in page.skipped:
            out.print(Text.assemble(("skipped  ", "dim"), line))
        # A block ends in an empty line of its own.
        spaced = bool(page.notes or page.pods or page.skipped)
    last = closing(pages, told)
    if spaced and last:
        out.print()
    for line in last:
        # Commands are copied from here: never wrapped by us.
        out.print(Text(line, style="bold"), soft_wrap=True)


def _block(block: Block, width: int) -> Group:
    title = Text.assemble((block.title, "bold"), "  ", (block.detail, "dim"))
    if width < _NARROW:
        return Group(title, *(part for row in block.rows for part in _stacked(row)), Text())
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    # A path is not cut, unless it would leave nothing for the words beside it.
    table.add_column(overflow="fold", max_width=max(24, width // 2))
    table.add_column(overflow="fold", ratio=1)
    for row in block.rows:
        table.add_row(Text(row.word, style=_STYLES.get(row.word, "")), row.place, _told(row))
    return Group(title, Padding(table, (0, 0, 1, 2)))


def _stacked(row: Row) -> tuple[Padding, Padding]:
    """A row where columns would leave no room for words: they stand below the place."""
    head = Text.assemble((row.word, _STYLES.get(row.word, "")), "  ", row.place)
    return Padding(head, (0, 0, 0, 2)), Padding(_told(row), (0, 0, 0, 4))


def _told(row: Row) -> Text:
    text = Text(row.what)
    if row.why:
        text.append(f"  {row.why}", style="dim")
    if row.word not in ("fixed", "review"):
        text.append(f"  {row.rule}", style="blue")
    return text


def show_markdown(text: str, stream: IO[str]) -> None:
    """Print Markdown of ours, such as the page about a rule."""
    from rich.markdown import Markdown  # noqa: PLC0415  slow to import

    console(stream).print(Markdown(text))


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]], stream: IO[str]) -> None:
    """Print a table of plain cells."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console(stream).print(table)


@contextmanager
def progress(total: int, stream: IO[str]) -> Iterator[Callable[[str], None]]:
    """A bar that goes away when done; the function that is given says what comes next."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(stream),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=total, completed=-1)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=name)

        yield advance
