"""Comments that accept a finding: ours, with their mistakes, and those of other tools."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.documents.source import FileKind, Source
from hardhull.model import Rule, Severity, Span, SubjectKind
from hardhull.suppression import (
    EVERYTHING,
    ForeignDecision,
    Suppression,
    SuppressionError,
    annotation_decisions,
    equivalents,
    foreign_decisions,
    normal_id,
    parse_suppression,
    read_suppressions,
    rules_meant,
)

KNOWN = ("image-runs-as-root", "privileged-port", "unpinned-image")
DAY = datetime.date(2027, 1, 31)


def parse(comment: str) -> Suppression | SuppressionError | None:
    return parse_suppression(comment, "Dockerfile", 3, KNOWN)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# hardhull: ignore[privileged-port]", (("privileged-port",), None, "", "")),
        (
            "# hardhull: ignore[privileged-port, unpinned-image] until=2027-01-31 owner=@a why not",
            (("privileged-port", "unpinned-image"), DAY, "@a", "why not"),
        ),
        ("#hardhull:ignore[privileged-port] a=b stays", None),
        (
            "## Hardhull: ignore[privileged-port] legacy client, until=2027-01-31\r",
            (("privileged-port",), DAY, "", "legacy client,"),
        ),
        (
            "# hardhull: ignore[privileged-port] keeps x=1 in it",
            (("privileged-port",), None, "", "keeps x=1 in it"),
        ),
        ("# see hardhull: ignore[privileged-port]", "not ours"),
        ("# hardhullish", "not ours"),
        ("# plain", "not ours"),
    ],
)
def test_form(comment: str, expected: tuple[object, ...] | str | None) -> None:
    found = parse(comment)
    match expected:
        case "not ours":
            assert found is None
        case None:
            assert isinstance(found, SuppressionError)
        case _:
            assert isinstance(found, Suppression)
            assert (found.rules, found.until, found.owner, found.reason) == expected
            assert (found.path, found.line) == ("Dockerfile", 3)


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# hardhull: ignore[priviliged-port] x", "unknown rule `priviliged-port`, did you mean "),
        ("# hardhull: ignore[zzz] x", "`hardhull rules` lists them"),
        ("# hardhull: ignore[] x", "no rule is named"),
        ("# hardhull: ignore privileged-port", "expected `# hardhull: ignore[rule]"),
        ("# hardhull: skip", "expected `# hardhull: ignore[rule]"),
        ("# hardhull: ignore[privileged-port] until=2027-02-31", "is no date"),
        ("# hardhull: ignore[privileged-port] until=31.1.2027", "is no date"),
        ("# hardhull: ignore[privileged-port] untill=2027-01-31", "did you mean `until=`?"),
    ],
)
def test_mistakes_are_values(comment: str, message: str) -> None:
    found = parse(comment)
    assert isinstance(found, SuppressionError)
    assert message in found.message


def test_the_last_day_still_counts() -> None:
    found = parse("# hardhull: ignore[privileged-port] until=2027-01-31")
    assert isinstance(found, Suppression)
    assert not found.expired(DAY)
    assert found.expired(DAY + datetime.timedelta(days=1))


def test_all_comments_of_a_file() -> None:
    text = (
        "FROM x\n# a\n# hardhull: ignore[unpinned-image]\r\n# hardhull: no\n# HARDHULL: ignore[]\n"
    )
    spans = [Span(*hit.span()) for hit in re.finditer("#[^\n]*", text)]
    good, bad = read_suppressions(Source("Dockerfile", FileKind.DOCKERFILE, text), spans, KNOWN)
    assert [one.line for one in good] == [3]
    assert [one.line for one in bad] == [4, 5]


# ---------------------------------------------------------------- other tools


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("#checkov:skip=CKV_K8S_20:needs it", ("checkov", ("CKV_K8S_20",), "needs it", "object")),
        (
            "# checkov:skip=CKV_K8S_20,CKV_DOCKER_3",
            ("checkov", ("CKV_K8S_20", "CKV_DOCKER_3"), "", "object"),
        ),
        ("# hadolint ignore=DL3002, DL3008", ("hadolint", ("DL3002", "DL3008"), "", "next")),
        ("#hadolint global ignore=DL3002", ("hadolint", ("DL3002",), "", "file")),
        ("# hadolint ignore=DL3002 # setup", ("hadolint", ("DL3002",), "setup", "next")),
        ("# trivy:ignore:AVD-KSV-0012", ("trivy", ("AVD-KSV-0012",), "", "next")),
        (
            "#trivy:ignore:KSV012:exp:2027-01-01 #trivy:ignore:DS002 old",
            ("trivy", ("KSV012", "DS002"), "old", "next"),
        ),
        ("# kics-scan ignore-line", ("kics", (EVERYTHING,), "", "line")),
        ("# kics-scan ignore-block", ("kics", (EVERYTHING,), "", "next")),
        ("# kics-scan ignore", ("kics", (EVERYTHING,), "", "file")),
        (
            "# kics-scan disable=dd29336b-fe57-445b-a26e-e6aa867ae609",
            ("kics", ("dd29336b-fe57-445b-a26e-e6aa867ae609",), "", "file"),
        ),
    ],
)
def test_comments_of_other_tools(
    comment: str, expected: tuple[str, tuple[str, ...], str, str]
) -> None:
    tool, ids, reason, reach = expected
    assert foreign_decisions(f"FROM x\nUSER 0 {comment}\r\n", 7) == (
        ForeignDecision(tool, ids, reason, 8, reach),
    )


@pytest.mark.parametrize(
    "text",
    ["", "# plain", "RUN hadolint ignore=DL3002", "# we use hadolint", "# kics-scan enable=x"],
)
def test_what_is_no_decision(text: str) -> None:
    assert foreign_decisions(text) == ()


def test_annotations() -> None:
    annotations = {
        "checkov.io/skip1": "CKV_K8S_20=needs it",
        "checkov.io/skip2": "CKV_K8S_8",
        "ignore-check.kube-linter.io/run-as-non-root": "old image",
        "kube-linter.io/ignore-all": "generated",
        "polaris.fairwinds.com/privilegeEscalationAllowed-exempt": "true",
        "polaris.fairwinds.com/runAsRootAllowed-exempt": "false",
        "polaris.fairwinds.com/exempt": "true",
        "kubescape.io/ignore": "C-0016, C-0017: later",
        "example.com/skip": "CKV_K8S_20",
    }
    lines = {name: number for number, name in enumerate(annotations, 1)}
    found = annotation_decisions(annotations, lines)
    assert [(one.tool, one.ids, one.reason, one.line) for one in found] == [
        ("checkov", ("CKV_K8S_20",), "needs it", 1),
        ("checkov", ("CKV_K8S_8",), "", 2),
        ("kube-linter", ("run-as-non-root",), "old image", 3),
        ("kube-linter", (EVERYTHING,), "generated", 4),
        ("polaris", ("privilegeEscalationAllowed",), "", 5),
        ("polaris", (EVERYTHING,), "", 7),
        ("kubescape", ("C-0016", "C-0017"), "later", 8),
    ]


def rule(name: str, *same: str) -> Rule:
    return Rule(
        id=name, title="", concern="", subject=SubjectKind.STAGE, severity=Severity.LOW,
        find=lambda _subject, _context: iter(()), fix=None, why="", fix_note="", routine_when="",
        review_when="", refused_when="", equivalents=same,
    )  # fmt: skip


def test_decisions_mean_our_rules() -> None:
    known = equivalents(
        [
            rule("a", "trivy:KSV-0012", "checkov:CKV_K8S_23", "polaris:runAsRootAllowed"),
            rule("b", "trivy:AVD-KSV-0012", "hadolint:DL3002", "kics:ABC"),
            rule("c", "polaris:runAsPrivileged"),
        ]
    )

    def meant(tool: str, *ids: str) -> tuple[str, ...]:
        return rules_meant(ForeignDecision(tool, ids, "", 1), known)

    assert meant("trivy", "KSV012") == ("a", "b")
    assert meant("trivy", "AVD-KSV-0012", "DS002") == ("a", "b")
    assert meant("checkov", "CKV_K8S_23") == ("a",)
    assert meant("checkov", "CKV_K8S_2") == ()
    assert meant("hadolint", "dl3002") == ("b",)
    assert meant("polaris", EVERYTHING) == ("a", "c")
    assert meant("kubescape", EVERYTHING) == ()


@pytest.mark.parametrize("spelling", ["KSV012", "KSV-0012", "AVD-KSV-0012", "ksv-12", " KSV0012 "])
def test_aliases_of_trivy(spelling: str) -> None:
    assert normal_id("trivy", spelling) == normal_id("trivy", "KSV-0012")


@given(st.text("#: hardulignoe[]=,-0127until\nchekov:sp_CKVDL", max_size=60))
def test_never_raises(text: str) -> None:
    parse("# hardhull: ignore[privileged-port] " + text)
    parse("# hardhull:" + text)
    foreign_decisions(text)
    foreign_decisions("# hadolint ignore=" + text)
    annotation_decisions({"checkov.io/skip": text, f"kubescape.io/{text}": text})
