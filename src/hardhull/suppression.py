"""What people wrote beside the code to live with a finding: our comments and other tools' marks."""

from __future__ import annotations

import datetime
import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from hardhull.documents.source import Source
    from hardhull.model import Rule, Span

EVERYTHING = "*"
"""As an id of a foreign decision: all checks of that tool."""

# ---------------------------------------------------------------- our own comments


@dataclass(frozen=True, slots=True)
class Suppression:
    """`# hardhull: ignore[rule] until=2027-01-31 owner=@team reason`."""

    rules: tuple[str, ...]
    until: datetime.date | None
    owner: str
    reason: str
    path: str
    line: int

    def expired(self, today: datetime.date) -> bool:
        """Tell whether its last day is over."""
        return self.until is not None and self.until < today


@dataclass(frozen=True, slots=True)
class SuppressionError:
    """A comment that is meant for hardhull and can't be followed."""

    path: str
    line: int
    message: str


# No two parts of a pattern here can share what they match: a comment may be megabytes long.
_OURS = re.compile(r"\s*(?:#+|<!--)\s*hardhull\s*:(.*)", re.IGNORECASE | re.DOTALL)
_IGNORE = re.compile(r"ignore\s*\[([^\[\]]*)\](?:\s+|\Z|(?=[a-z]+=))(.*)", re.DOTALL)
_ATTRIBUTE = re.compile(r"([a-z]+)=(\S*)")
_FORM = "`# hardhull: ignore[rule] until=YYYY-MM-DD owner=… reason`"


def parse_suppression(
    comment: str, path: str, line: int, known_rules: Collection[str]
) -> Suppression | SuppressionError | None:
    """Read one comment, its `#` or `<!-- -->` included; None if it does not speak to hardhull."""
    ours = _OURS.fullmatch(comment.removesuffix("-->"))
    if ours is None:
        return None
    form = _IGNORE.fullmatch(ours[1].strip())
    if form is None:
        return SuppressionError(path, line, f"expected {_FORM}")
    rules = tuple(dict.fromkeys(name.strip() for name in form[1].split(",") if name.strip()))
    if not rules:
        return SuppressionError(path, line, "no rule is named; write it in the brackets")
    for rule in rules:
        if rule not in known_rules:
            return SuppressionError(path, line, _unknown("rule", rule, known_rules))
    attributes, reason = _attributes(form[2].split())
    for name in attributes:
        if name not in ("until", "owner"):
            return SuppressionError(path, line, _unknown("word", f"{name}=", ("until=", "owner=")))
    until = None
    if "until" in attributes:
        until = _date(attributes["until"])
        if until is None:
            message = f"`until={attributes['until']}` is no date; write it as until=YYYY-MM-DD"
            return SuppressionError(path, line, message)
    return Suppression(rules, until, attributes.get("owner", ""), reason, path, line)


def read_suppressions(
    source: Source, comments: Iterable[Span], known_rules: Collection[str]
) -> tuple[tuple[Suppression, ...], tuple[SuppressionError, ...]]:
    """Read all comments of a file."""
    good: list[Suppression] = []
    bad: list[SuppressionError] = []
    for start, end in comments:
        if source.text.find("ardhull", start, end) < 0 and "HARDHULL" not in source.text[start:end]:
            continue
        read = parse_suppression(
            source.text[start:end], source.path, source.line_of(start), known_rules
        )
        match read:
            case Suppression():
                good.append(read)
            case SuppressionError():
                bad.append(read)
            case None:
                pass
    return tuple(good), tuple(bad)


def _attributes(words: list[str]) -> tuple[dict[str, str], str]:
    """Part attributes from the reason; ours count anywhere, unknown ones before the reason."""
    attributes: dict[str, str] = {}
    reason: list[str] = []
    for word in words:
        attribute = _ATTRIBUTE.fullmatch(word)
        if attribute and (not reason or attribute[1] in ("until", "owner")):
            attributes.setdefault(attribute[1], attribute[2])
        else:
            reason.append(word)
    return attributes, " ".join(reason)


def _date(text: str) -> datetime.date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else "`hardhull rules` lists them"
    return f"unknown {what} `{name}`, {hint}"


# ---------------------------------------------------------------- other tools


@dataclass(frozen=True, slots=True)
class ForeignDecision:
    """Another tool's mark that a finding of its own is accepted.

    `reach` says for what it stands: `next` (the next instruction or block), `line`, `object` (the
    manifest or Dockerfile it is in) or `file`. `line` is 1-based, 0 where it is not known.
    """

    tool: str
    ids: tuple[str, ...]
    reason: str
    line: int
    reach: str = "object"


_CHECKOV = re.compile(
    r"(?:checkov|bridgecrew):skip=\s*([A-Z][A-Z0-9_]*(?:\s*,\s*[A-Z][A-Z0-9_]*)*)(?::([^\n]*))?"
)
_HADOLINT = re.compile(
    r"#+\s*hadolint\s+(global\s+)?ignore\s*=\s*((?:DL|SC)\d+(?:\s*,\s*(?:DL|SC)\d+)*)\s*(.*)",
    re.IGNORECASE,
)
_TRIVY = re.compile(r"(?:trivy|tfsec):ignore:([\w.*-]+)(?::(?:exp|ws):\S+)*")
_KICS = re.compile(
    r"#+\s*kics-scan\s+(?:(ignore-line|ignore-block|ignore)\b|disable=([0-9a-f, -]+))",
    re.IGNORECASE,
)
_KICS_REACH = {"ignore-line": "line", "ignore-block": "next", "ignore": "file"}
_MARKS = ("checkov:", "bridgecrew:", "hadolint", "trivy:", "tfsec:", "kics-scan")


def foreign_decisions(text: str, first_line: int = 1) -> tuple[ForeignDecision, ...]:
    """Read other tools' marks in comments: one comment, or any text that has some."""
    lowered = text.lower()
    if not any(mark in lowered for mark in _MARKS):
        return ()
    found: list[ForeignDecision] = []
    for number, whole in enumerate(text.split("\n"), first_line):
        start = whole.find("#")
        if start >= 0:
            found += _marks(whole[start:].rstrip("\r"), number)
    return tuple(found)


def _marks(comment: str, line: int) -> Iterator[ForeignDecision]:
    for hit in _CHECKOV.finditer(comment):
        yield ForeignDecision("checkov", _ids(hit[1]), _reason(hit[2]), line)
    if hadolint := _HADOLINT.match(comment):
        reach = "file" if hadolint[1] else "next"
        yield ForeignDecision("hadolint", _ids(hadolint[2]), _reason(hadolint[3]), line, reach)
    trivy = list(_TRIVY.finditer(comment))
    if trivy:
        ids = tuple(dict.fromkeys(hit[1] for hit in trivy))
        yield ForeignDecision("trivy", ids, _reason(comment[trivy[-1].end() :]), line, "next")
    if kics := _KICS.match(comment):
        ids = _ids(kics[2]) if kics[2] else (EVERYTHING,)
        reach = _KICS_REACH[kics[1].lower()] if kics[1] else "file"
        yield ForeignDecision("kics", ids, "", line, reach)


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _reason(text: str | None) -> str:
    return (text or "").strip(" \t:#-–—")


_KUBESCAPE_ID = re.compile(r"\bC-\d{4}\b")
_TRUE = frozenset({"true", "yes", "1"})


def annotation_decisions(
    annotations: Mapping[str, str], lines: Mapping[str, int] | None = None
) -> tuple[ForeignDecision, ...]:
    """Read other tools' marks among the annotations of an object; `lines` says where each is."""
    where = lines or {}
    return tuple(
        decision
        for name, value in annotations.items()
        if (decision := _annotation(name, value.strip(), where.get(name, 0))) is not None
    )


def _annotation(name: str, value: str, line: int) -> ForeignDecision | None:
    domain, _, check = name.partition("/")
    match domain:
        case "checkov.io" | "bridgecrew.io" if check.startswith("skip"):
            checks, _, reason = value.partition("=")
            return ForeignDecision("checkov", _ids(checks), reason.strip(), line)
        case "ignore-check.kube-linter.io" if check:
            return ForeignDecision("kube-linter", (check,), value, line)
        case "kube-linter.io" if check == "ignore-all":
            return ForeignDecision("kube-linter", (EVERYTHING,), value, line)
        case "polaris.fairwinds.com" if value.lower() in _TRUE:
            if check == "exempt":
                return ForeignDecision("polaris", (EVERYTHING,), "", line)
            if check.endswith("-exempt"):
                return ForeignDecision("polaris", (check.removesuffix("-exempt"),), "", line)
        case _ if domain == "kubescape.io" or domain.endswith(".kubescape.io"):
            ids = tuple(dict.fromkeys(_KUBESCAPE_ID.findall(f"{name} {value}")))
            if ids:
                return ForeignDecision(
                    "kubescape", ids, _KUBESCAPE_ID.sub("", value).strip(" ,:=-"), line
                )
    return None


# ---------------------------------------------------------------- what they mean for our rules

_TRIVY_ID = re.compile(r"(?:AVD-)?(KSV|KCV|DS)-?(\d+)", re.IGNORECASE)


def normal_id(tool: str, check: str) -> str:
    """Return one spelling for a check of a tool: KSV012 and AVD-KSV-0012 are KSV-0012."""
    check = check.strip()
    trivy = _TRIVY_ID.fullmatch(check) if tool == "trivy" else None
    return f"{trivy[1]}-{trivy[2].lstrip('0'):0>4}".lower() if trivy else check.lower()


def equivalents(rules: Iterable[Rule]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return our rules by tool and normalised check, from each rule's `equivalents`."""
    found: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        for text in rule.equivalents:
            tool, _, check = text.partition(":")
            for name in (normal_id(tool, check), EVERYTHING):
                here = found.setdefault((tool, name), [])
                if rule.id not in here:
                    here.append(rule.id)
    return {key: tuple(ids) for key, ids in found.items()}


def rules_meant(
    decision: ForeignDecision, known: Mapping[tuple[str, str], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the ids of our rules that a decision of another tool speaks of."""
    meant = [
        rule
        for check in decision.ids
        for rule in known.get((decision.tool, normal_id(decision.tool, check)), ())
    ]
    return tuple(dict.fromkeys(meant))
