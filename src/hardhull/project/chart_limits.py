"""What of charts is not looked at: containers in branches not taken, branches beyond the limit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.model import Skipped
from hardhull.project.chart_proof import MOST_FLIPS, flips
from hardhull.project.charts import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.charts import Chart

_OBJECT = re.compile(
    r"^kind:[ \t]*[\"']?(?:Pod|Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Rollout)\b",
    re.MULTILINE,
)
_ITEM = re.compile(r"^[ \t]*-[ \t]+(?:name|image):", re.MULTILINE)
_IMAGE = re.compile(r"^[ \t]*(?:-[ \t]+)?image:", re.MULTILINE)


def unseen(chart: Chart) -> Iterator[Skipped]:
    """What no values that are known here render, where it holds a container; and the limit."""
    for path in chart.templates:
        view = chart.shown(path)
        if not isinstance(view, View):
            continue
        for piece in view.rendering.pieces:
            if piece.skipped is None:
                continue
            source = chart.parts[piece.file].source
            body = source.text[piece.skipped.start : piece.skipped.end]
            if _OBJECT.search(body) or (_ITEM.search(body) and _IMAGE.search(body)):
                reason = "these values do not render the container here: it is not looked at"
                yield Skipped(piece.file, source.line_of(piece.skipped.start), reason)
        if len({asked for asked, _ in flips(chart, view, MOST_FLIPS + 1)}) > MOST_FLIPS:
            reason = f"more than {MOST_FLIPS} branches: the others are not tried after a change"
            yield Skipped(path, 1, reason)
