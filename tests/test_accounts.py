"""Users that RUN instructions create, in all the spellings of the three tools."""

from __future__ import annotations

import pytest

from hardhull.documents.dockerfile import Dockerfile, read_dockerfile
from hardhull.documents.source import FileKind, Source
from hardhull.project.accounts import accounts


def made(line: str) -> list[tuple[str, int | None, str, bool]]:
    source = Source("Dockerfile", FileKind.DOCKERFILE, f"FROM a\n{line}\n")
    file = read_dockerfile(source)
    assert isinstance(file, Dockerfile)
    return [
        (one.name, one.uid, one.home, one.certain)
        for instruction in file.instructions
        for one in accounts(instruction)
    ]


@pytest.mark.parametrize(
    ("line", "name", "uid", "home"),
    [
        ("RUN useradd web", "web", None, "/home/web"),
        ("RUN useradd -u 4100 -G users web", "web", 4100, "/home/web"),
        ("RUN useradd web --groups users --uid=4100", "web", 4100, "/home/web"),
        ("RUN useradd -rm -d /srv/web -s /bin/bash -g root -u4100 web", "web", 4100, "/srv/web"),
        ("RUN useradd -ms /bin/bash web", "web", None, "/home/web"),
        ('RUN adduser -u 5678 --disabled-password --gecos "A B" web', "web", 5678, "/home/web"),
        ("RUN adduser --system --group --home /app web", "web", None, "/app"),
        ("RUN addgroup -S g && adduser -S -D -H -h /app -u 4100 -G g web", "web", 4100, "/app"),
        ('RUN ["useradd", "-u", "4100", "web"]', "web", 4100, "/home/web"),
        ("RUN <<EOF\nuseradd -u 4100 web\nEOF", "web", 4100, "/home/web"),
        (
            "RUN apt-get update \\\n # why\n && /usr/sbin/useradd -u 4100 web",
            "web",
            4100,
            "/home/web",
        ),
        ("RUN sudo busybox adduser -D -u 4100 web", "web", 4100, "/home/web"),
    ],
)
def test_spellings(line: str, name: str, uid: int | None, home: str) -> None:
    assert made(line) == [(name, uid, home, True)]


@pytest.mark.parametrize(
    "line",
    [
        "RUN apt-get install -y adduser curl",
        "RUN adduser web docker",
        "RUN echo useradd web",
        "RUN which adduser",
    ],
)
def test_what_creates_nobody(line: str) -> None:
    assert made(line) == []


def test_what_is_not_certain() -> None:
    assert not made("RUN id web || useradd -u 1 web")[0][3]
    assert not made("RUN if true; then useradd -u 1 web; fi")[0][3]
    assert not made("RUN useradd -u 1 web; usermod -u 2 web")[0][3]
