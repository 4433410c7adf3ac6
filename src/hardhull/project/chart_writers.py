"""Who else writes the image references that a chart renders: commands that set its values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hardhull.project.charts import values_behind
from hardhull.project.writers import chosen_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardhull.project.builds import Builds
    from hardhull.project.charts import View
    from hardhull.project.references import ImageUse


def in_chart(uses: Iterable[ImageUse], view: View, builds: Builds) -> Iterator[ImageUse]:
    """Say of each reference who sets the values that it is rendered from.

    Values may be set by `--set`, for any chart, or by an editor that is let loose on a values file.
    """
    files = {layer.path for layer in (*view.chart.layers, *view.chart.overlays)}
    for use in uses:
        behind = values_behind(view, use.cursor) if use.cursor is not None else ()
        writer = use.writer
        for path in behind:
            key = ".".join(str(part) for part in path)
            if writer is None and key in view.chart.commands:
                writer = f"{view.chart.commands[key]}, which sets {key},"
        for other in builds.writers if behind and writer is None else ():
            chosen = chosen_files(other, files) if other.file is not None else None
            if chosen:
                writer = f"{other.evidence}, which edits {min(chosen)},"
                break
        yield replace(use, writer=writer) if writer != use.writer else use
