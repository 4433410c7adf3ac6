"""Pins go where the tag is written, and nothing else changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hardhull.outcome import Status
from support import outcome, write

if TYPE_CHECKING:
    from pathlib import Path

    from hardhull.outcome import Outcome

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HUB = "docker.io/library"
DIGESTS = {
    f"{HUB}/a:1": A,
    f"{HUB}/a:latest": A,
    f"{HUB}/a:1-x": A,
    f"{HUB}/b:1": B,
    f"{HUB}/b:2": B,
    f"{HUB}/later:latest": B,
    "localhost:5000/a:latest": A,
    "docker.io/docker/dockerfile:1": B,
}


def pinned(root: Path, text: str) -> Outcome:
    """Run the rule alone over one Dockerfile, with what needs a look."""
    write(root, {"Dockerfile": text})
    return outcome(root, "unpinned-image", settings="level: review\n", digests=DIGESTS)


@pytest.mark.parametrize(
    "after",
    [
        f"FROM a:1@{A}\n",
        f"FROM a:latest@{A} AS Base\nFROM base\nCOPY --from=BASE / /\n",
        f"FROM localhost:5000/a:latest@{A}\n",
        f"ARG T=1@{A}\nFROM a:$T\n",
        f'ARG T="1@{A}"\nFROM a:$T\n',
        f"ARG T=1@{A}\nFROM a:$T\nFROM a:${{T}}\n",
        f"ARG I=a:latest@{A}\nFROM $I\n",
        f"ARG I=a:1@{A} J=b:1@{B}\nFROM $I\nFROM $J\n",
        f"ARG T=1\nFROM a:$T@{A}\nFROM b:$T@{B}\n",
        f"ARG T=0\nARG T=1\nFROM a:$T@{A}\n",
        f"ARG T=1\nFROM a:$T@{A}\nARG T=2\nRUN echo $T\n",
        f"ARG T=1\nFROM a:$T@{A}\nARG T\nRUN echo $T\n",
        f"ARG T=1 X=x\nFROM a:${{T}}-$X@{A}\n",
        f"ARG T=1\nARG I=a:$T\nFROM $I@{A}\n",
        f"ARG N=a\nFROM $N:1@{A}\n",
        f"FROM ${{V:-a:1}}@{A}\n",
        f"ARG V=1.0\nFROM a:${{V%.*}}@{A}\n",
        f'FROM "a:1@{A}"\n',
        f"FROM 'a:1@{A}'\n",
        f'ARG T=1\nRUN_\nFROM "a:$T@{A}"\nFROM b:$T@{B}\n'.replace("RUN_\n", ""),
        f'FROM "a":1@{A}\n',
        f"FROM \\\n  # why\n  --platform=$BUILDPLATFORM a:1@{A} \\\n  AS b\n",
        f"FROM a:1@{A}\r\nCOPY --from=b:2@{B} / /\r\n",
        f"FROM a:1@{A}\nRUN <<EOF\nFROM b:2\nCOPY --from=b:2 / /\nEOF\n",
        f"FROM a:1@{A}\nRUN true \\\n  FROM b:2\n",
        f"FROM a:1@{A}\nONBUILD COPY --from=b:2 / /\n",
        f"FROM a:1@{A}\nCOPY --from=0 / /\n",
        f"FROM later:latest@{B}\nFROM a:1@{A} AS later\n",
        f"FROM a:1@{A}\nRUN --mount=from=b:1@{B},target=/b --mount=target=/c,from=b:2@{B} true\n",
        f"FROM a:1@{A}\nRUN --mount=from=b:1,from=b:2@{B},target=/b true\n",
        f"#!/bin/x\n# check=skip=all\n# syntax=docker/dockerfile:1@{B} more\nFROM a:1@{A}\n",
        f"# syntax = docker/dockerfile:1@{B}\r\nFROM a:1@{A}\r\n",
    ],
)
def test_only_the_digest_is_added(tmp_path: Path, after: str) -> None:
    before = re.sub(r"(?::latest)?@sha256:[ab]{64}", "", after)
    result = pinned(tmp_path, before)

    assert result.crashes == ()
    assert result.after["Dockerfile"].text == after


@pytest.mark.parametrize(
    "text",
    ['FROM scratch\nCOPY --from="b:2" / /\n', "FROM scratch\nCOPY --from=\\\nb:2 / /\n"],
)
def test_a_flag_that_can_not_be_kept_as_it_is_written(tmp_path: Path, text: str) -> None:
    result = pinned(tmp_path, text)

    assert result.changed == ()
    assert [(e.status, "change it by hand" in e.reason) for e in result.entries] == [
        (Status.WITHHELD, True)
    ]


def test_an_argument_that_the_build_sets_keeps_its_default(tmp_path: Path) -> None:
    write(tmp_path, {"build.sh": "docker build --build-arg T=2 .\n"})
    result = pinned(tmp_path, "ARG T=1\nFROM a:$T\n")

    assert result.changed == ()
    assert "build.sh:1 sets ARG T" in result.entries[0].finding.message
