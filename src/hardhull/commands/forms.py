"""The forms of a report: what each keeps of a root, and how the pieces become one text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, assert_never

from hardhull.report import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from hardhull.outcome import Outcome
    from hardhull.report.places import Root
    from hardhull.report.text import Told

    FormName = Literal["text", "json", "sarif", "github", "markdown"]


@dataclass(frozen=True, slots=True)
class Form:
    """`piece` takes from an outcome what is needed, so that its documents can be let go."""

    piece: Callable[[Outcome, Root], Any]
    join: Callable[[Sequence[Any], Told], str]

    def print(self, pieces: Sequence[Any], told: Told, stream: IO[str], fancy: bool) -> None:
        """Print the text form, laid out for a terminal if it is one."""
        if fancy:
            from hardhull.report.terminal import show_pages  # noqa: PLC0415  slow to import

            show_pages(pages=pieces, told=told, stream=stream)
        else:
            stream.write(self.join(pieces, told))
        stream.flush()


def form_of(name: FormName) -> Form:
    """The form of this name; the others are not even imported."""
    match name:
        case "text":
            return Form(text.page_of, _joined_text)
        case "json":
            from hardhull.report import machine  # noqa: PLC0415

            return Form(
                lambda outcome, root: machine.root_report(outcome, root.label),
                lambda pieces, _: machine.join(pieces),
            )
        case "sarif":
            from hardhull.report import sarif  # noqa: PLC0415

            return Form(sarif.run_of, lambda pieces, _: sarif.join(pieces))
        case "markdown":
            from hardhull.report import markdown  # noqa: PLC0415

            return Form(markdown.body_of, lambda pieces, _: markdown.join(pieces))
        case "github":
            return _github()
        case _:
            assert_never(name)


def _joined_text(pages: Sequence[text.Page], told: Told) -> str:
    return "".join(line + "\n" for line in text.lines_of(pages, told))


def _github() -> Form:
    from hardhull.commands.output import ready  # noqa: PLC0415
    from hardhull.report import annotations, summary  # noqa: PLC0415

    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file:
        ready("GITHUB_STEP_SUMMARY", file)

    def piece(outcome: Outcome, root: Root) -> Any:
        return annotations.notes_of(outcome, root), summary.part_of(outcome, root)

    def join(pieces: Sequence[Any], told: Told) -> str:  # noqa: ARG001  the shape of a form
        if file:
            summary.append(file, [part for _, part in pieces])
        notes = [note for notes, _ in pieces for note in notes]
        return annotations.join(notes, summarised=bool(file))

    return Form(piece, join)
