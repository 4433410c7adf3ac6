"""From an outcome to commits: one for each rule, routine first, every prefix a working state.

A commit is a replay of the edits as they were made, so that no fix is torn apart. Only when a rule
had something to do again after another one does it get a second commit.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import Level
from hardhull.report.neutral import plain
from hardhull.report.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hardhull.documents.source import Source
    from hardhull.model import Change
    from hardhull.outcome import Outcome
    from hardhull.pull_request.checkout import Checkout

FIXES, STATE = "Hardhull-Fixes", "Hardhull-State"
"""Trailers: what a commit fixes; its own tree, and what all commits together do."""
_SUBJECT, _LINE, _MOST_PLACES, _PER_TRAILER = 72, 400, 20, 8
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_FIXES = re.compile(rf"^{FIXES}: ([0-9a-f ]+)$", re.MULTILINE)
_STATE = re.compile(rf"^{STATE}: ([0-9a-f]{{40,64}}) ([0-9a-f]{{16}})$", re.MULTILINE)
# In a message these would notify someone, close an issue, or keep checks from running.
_SPEAKS = re.compile(
    r"(?<!\w)@(?=\w)|#(?=\d)|\bgh-(?=\d)|\[(?=\s*(?:skip|ci|no|actions|dependabot)\b)|\*\*\*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of a commit as it will be: path in the repository, mode, id and bytes."""

    path: str
    mode: str
    oid: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: its message (less the trailer that needs its tree) and the files it changes."""

    message: str
    files: tuple[NewFile, ...]
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All commits on top of `parent`. `content` says what they change, wherever it stands."""

    parent: str
    tree: str
    commits: tuple[Commit, ...]
    content: str

    @property
    def fixes(self) -> tuple[str, ...]:
        """The fingerprints of everything fixed, sorted."""
        return tuple(sorted({fix for commit in self.commits for fix in commit.fixes}))

    @property
    def blobs(self) -> Mapping[str, bytes]:
        """The distinct new file contents by id."""
        return {file.oid: file.data for commit in self.commits for file in commit.files}


def plan_commits(outcome: Outcome, checkout: Checkout) -> Plan:
    """Replay an outcome's changes as commits. Raises ValueError if the replay misses its end."""
    texts = dict(outcome.before)
    commits = []
    edits_told: list[str] = []
    for changes in _by_rule(outcome.changes):
        before = dict(texts)
        for change in changes:
            for path, edits in change.edits:
                edits_told += _told(checkout.in_repository(path), texts[path], edits)
                texts[path] = texts[path].edited(edits)
        touched = [path for path in sorted(texts) if texts[path].text != before[path].text]
        files = tuple(_file(checkout, path, texts[path]) for path in touched)
        fixes = tuple(sorted({change.finding.fingerprint for change in changes}))
        if files:
            message = _message(outcome, checkout, changes, files, fixes)
            commits.append(Commit(message, files, fixes))
    if any(texts[path].text != outcome.after[path].text for path in outcome.changed):
        raise ValueError("the changes, replayed, do not give the texts that were verified")
    content = [*sorted(edits_told), *sorted({fix for commit in commits for fix in commit.fixes})]
    return Plan(checkout.commit, checkout.tree, tuple(commits), short_hash("\0".join(content)))


def _by_rule(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Neighbours of one rule and level. A batch is of one rule: its edits are with its first."""
    for _, group in itertools.groupby(changes, key=lambda c: (c.fix.level, c.finding.rule)):
        yield list(group)


def _told(path: str, before: Source, edits: Iterable[tuple[int, int, str]]) -> Iterator[str]:
    """Edits without their positions: the same change in a text that moved on is the same."""
    for start, end, new in edits:
        yield f"{path}\0{before.text[start:end]}\0{new}"


def _file(checkout: Checkout, path: str, source: Source) -> NewFile:
    data, place = source.to_bytes(), checkout.in_repository(path)
    return NewFile(place, checkout.mode_of(place), checkout.blob_id(data), data)


def short_hash(text: str) -> str:
    """Sixteen hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ---------------------------------------------------------------- messages


def quiet(text: str) -> str:
    """Text of a repository in a commit message: on one line, speaking to nobody."""
    return _SPEAKS.sub(lambda found: found[0] + "\u200b", plain(text))


def _message(
    outcome: Outcome,
    checkout: Checkout,
    changes: Sequence[Change],
    files: Sequence[NewFile],
    fixes: Sequence[str],
) -> str:
    rule = next(rule for rule in outcome.rules if rule.id == changes[0].finding.rule)
    lines = [_subject(changes, files), "", *_wrapped(rule.why)]
    wrong = dict.fromkeys(change.fix.if_wrong for change in changes)
    lines += ["", "If it is wrong, you see:", *(f"- {quiet(text)[:_LINE]}" for text in wrong)]
    if changes[0].fix.level is not Level.ROUTINE:
        lines += ["", "Needs a look: see the pull request for what was not checked."]
    lines += ["", "Where:"]
    for change in changes[:_MOST_PLACES]:
        line = place_of(outcome, change.finding).line
        place = f"{checkout.in_repository(change.finding.path)}:{line}"
        lines.append(f"- {quiet(place)}  {quiet(change.fix.summary)}"[:_LINE])
    if len(changes) > _MOST_PLACES:
        lines.append(f"- and {len(changes) - _MOST_PLACES} more")
    for start in range(0, len(fixes), _PER_TRAILER):
        separator = [""] if start == 0 else []
        lines += [*separator, f"{FIXES}: {' '.join(fixes[start : start + _PER_TRAILER])}"]
    return "\n".join(lines) + "\n"


def _subject(changes: Sequence[Change], files: Sequence[NewFile]) -> str:
    summaries = list(dict.fromkeys(change.fix.summary for change in changes))
    what = summaries[0]
    if len(summaries) > 1:
        what = f"{changes[0].finding.rule}: {len(changes)} changes"
    where = files[0].path if len(files) == 1 else f"{len(files)} files"
    line = f"{quiet(what)} in {quiet(where)}"
    if len(line) > _SUBJECT and len(files) == 1:
        line = f"{quiet(what)} in {quiet(files[0].path.rpartition('/')[2])}"
    if len(line) > _SUBJECT:
        line = f"{changes[0].finding.rule} in {quiet(where)}"
    return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1] + "…"


def _wrapped(text: str) -> list[str]:
    import textwrap  # noqa: PLC0415  needed only here

    return textwrap.wrap(text, _SUBJECT)


# ---------------------------------------------------------------- trailers


def with_state(message: str, tree: str, content: str) -> str:
    """A message that vouches for its own commit: a change of the tree makes it untrue."""
    return f"{message}{STATE}: {tree} {content}\n"


def fixes_in(message: str) -> frozenset[str]:
    """The fingerprints that a message's trailers hold."""
    return frozenset(f for line in _FIXES.findall(message) for f in _FINGERPRINT.findall(line))


def state_in(message: str) -> tuple[str, str] | None:
    """The tree and the content that a message vouches for; None if it is none of ours."""
    found = _STATE.findall(message)
    return found[-1] if found else None
