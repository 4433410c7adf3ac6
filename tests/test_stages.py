"""Stages as BuildKit connects them: bases, where their names came from, what is in effect."""

from __future__ import annotations

import pytest

from hardhull.documents.dockerfile import Dockerfile, read_dockerfile
from hardhull.documents.source import FileKind, Source
from hardhull.project.stages import (
    Stage,
    copied_stage,
    effective,
    environment,
    parent_chain,
    stages,
)


def stages_of(text: str) -> tuple[Stage, ...]:
    source = Source("Dockerfile", FileKind.DOCKERFILE, text)
    file = read_dockerfile(source)
    assert isinstance(file, Dockerfile), file
    return stages(file)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("FROM a:1", "a:1"),
        ("ARG T=8.0\nFROM a:$T", "a:8.0"),
        ("ARG T='8.0'\nFROM a:${T}-b", "a:8.0-b"),
        ("ARG T=1\nARG T=2\nFROM a:$T", "a:2"),
        ("ARG T=1\nARG T\nFROM a:$T", "a:1"),
        ("ARG T\nFROM a:$T", None),
        ("ARG T\nFROM a:${T:-3}", "a:3"),
        ("FROM ${I:-a:1}", "a:1"),
        ("ARG A=1 B=2\nFROM a:$A$B", "a:12"),
        ("ARG A=1\nARG B=$A.0\nFROM a:$B", "a:1.0"),
        ("ARG A=8.0.1\nFROM a:${A%.*}", "a:8.0"),
        ("FROM b\nARG T=2\nFROM a:${T:-1}", "a:1"),
        ("ARG T=1\nFROM b\nARG T=2\nFROM a:$T", "a:1"),
        ("FROM a:$TARGETARCH", None),
        ("ARG TARGETARCH=amd64\nFROM a:$TARGETARCH", "a:amd64"),
        ("ARG TARGETARCH\nFROM a:$TARGETARCH", None),
        ("ARG B=$TARGETARCH\nFROM a:${B:-x}", None),
        ('FROM "a:1"', "a:1"),
        ("FROM --platform=$BUILDPLATFORM a:1", "a:1"),
        ("ARG E=\nFROM ${E}", None),
        ("FROM ${X", None),
    ],
)
def test_resolved(text: str, resolved: str | None) -> None:
    assert stages_of(text)[-1].base.resolved == resolved


def test_origins_point_at_the_argument() -> None:
    text = "ARG A=1 T='8.0'\nARG R=reg\nFROM $R/a:$T AS x\n"
    base = stages_of(text)[0].base
    assert (base.text, text[slice(*base.span)]) == ("$R/a:$T", "$R/a:$T")
    found = [(origin.name, origin.instruction, origin.word) for origin in base.origins]
    assert found == [("R", 1, 0), ("T", 0, 1)]
    spans = [origin.span for origin in base.origins if origin.span]
    assert [text[slice(*span)] for span in spans] == ["reg", "'8.0'"]


def test_names() -> None:
    found = stages_of("FROM later\nFROM a AS Base\nFROM bAsE AS later\nFROM scratch\nFROM 0\n")
    assert [stage.name for stage in found] == [None, "Base", "later", None, None]
    assert [stage.base.stage for stage in found] == [None, None, 1, None, None]
    assert [stage.base.is_scratch for stage in found] == [False, False, False, True, False]
    assert [stage.index for stage in parent_chain(found, 2)] == [2, 1]
    assert copied_stage(found, "BASE") == 1
    assert copied_stage(found, "0") == 0
    assert copied_stage(found, "9") is None
    assert copied_stage(found, "img:1") is None


def test_a_name_used_twice_means_the_latest_before() -> None:
    found = stages_of("FROM a AS x\nFROM x AS x\nFROM x\n")
    assert [stage.base.stage for stage in found] == [None, 0, 1]


def test_a_stage_named_through_an_argument() -> None:
    found = stages_of("ARG S=prod\nFROM a AS prod\nFROM $S\n")
    assert found[1].base.stage == 0
    assert [origin.name for origin in found[1].base.origins] == ["S"]


def test_instructions_are_those_behind_from() -> None:
    found = stages_of("ARG A=1\nFROM a\nUSER b\nFROM c\nRUN d\n")
    assert [[i.keyword for i in stage.instructions] for stage in found] == [["USER"], ["RUN"]]


def value(text: str, name: str, base: dict[str, str] | None = None) -> str | None:
    found = stages_of(text)
    return environment(found, len(found) - 1, base or {})[name].value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("FROM a\nENV X=1", "1"),
        ("FROM a\nENV X=1 Y=2\nENV X=$Y", "2"),
        ("FROM a\nENV Y=1\nENV Y=2 X=$Y", "1"),
        ("FROM a\nENV X 'a b'", "a b"),
        ('FROM a\nENV X="a b"', "a b"),
        ("FROM a\nENV X=$BASE/x", "/base/x"),
        ("FROM a\nENV X=$UNKNOWN", None),
        ("FROM a\nENV X=$UNKNOWN\nENV X=${X:-1}", None),
        ("FROM a\nARG X=1", "1"),
        ("FROM a\nARG X=1\nENV X=2", "2"),
        ("FROM a\nENV X=2\nARG X=1", "2"),
        ("FROM a\nARG Y=1\nENV X=$Y", "1"),
        ("ARG Y=1\nFROM a\nENV X=${Y:-2}", "2"),
        ("ARG Y=1\nFROM a\nARG Y\nENV X=$Y", "1"),
        ("ARG Y=1\nFROM a\nARG Y=3\nENV X=$Y", "3"),
        ("FROM a\nARG Y=3\nARG Y\nENV X=$Y", "3"),
        ("FROM a\nARG TARGETARCH\nENV X=$TARGETARCH", None),
        ("FROM a AS b\nENV X=1\nARG Y=2\nFROM b\nENV X=$X$Y", "12"),
        ("FROM a AS b\nENV X=1\nFROM b", "1"),
    ],
)
def test_environment(text: str, result: str | None) -> None:
    assert value(text, "X", {"BASE": "/base"}) == result


def test_environment_says_where() -> None:
    found = stages_of("FROM a AS b\nENV X=1\nFROM b\nENV Y=2\n")
    known = environment(found, 1, {"Z": "3"})
    assert (known["X"].instruction, known["X"].stage) == (1, 0)
    assert (known["Y"].instruction, known["Y"].stage) == (3, 1)
    assert (known["Z"].value, known["Z"].instruction) == ("3", -1)


@pytest.mark.parametrize(
    ("text", "keyword", "index"),
    [
        ("FROM a\nUSER b\nUSER c", "USER", 2),
        ("FROM a AS b\nUSER c\nFROM b", "USER", 1),
        ("FROM a\nUSER c\nFROM b", "USER", None),
        ("FROM a AS b\nCMD c\nFROM b\nENTRYPOINT d", "CMD", None),
        ("FROM a AS b\nCMD c\nFROM b\nENTRYPOINT d\nCMD e", "CMD", 4),
        ("FROM a AS b\nCMD c\nFROM b\nCMD d\nENTRYPOINT e", "CMD", 3),
        ("FROM a AS b\nENTRYPOINT c\nFROM b\nCMD d", "ENTRYPOINT", 1),
        ("FROM a", "WORKDIR", None),
    ],
)
def test_effective(text: str, keyword: str, index: int | None) -> None:
    found = stages_of(text)
    instruction = effective(found, len(found) - 1, keyword)
    assert (instruction.index if instruction else None) == index
