"""Our part of a pull request's body: found between its markers, with what it remembers.

Nothing is kept anywhere else. Whoever may edit the body may edit this too, so it is size-capped,
checked field by field, and only ever says which commits and fixes are ours: no path or command is
taken from it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

BEGIN, END = "<!-- hardhull:begin v1 -->", "<!-- hardhull:end -->"
LARGEST_STATE = 24_000
_LARGEST_JSON = 200_000
_STATE = re.compile(r"<!-- hardhull:state:([A-Za-z0-9+/=]{0,24000}) -->")
_TICK = re.compile(
    r"^[ \t]*[-*] \[([ xX])\] <!-- (no|regenerate)((?: [0-9a-f]{6,16}){0,2000}) -->",
    re.MULTILINE,
)
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT = re.compile(r"[0-9a-f]{16}")
_LEAST, _FULL = 6, 16


@dataclass(frozen=True, slots=True)
class State:
    """What a pull request of ours remembers.

    `heads` maps commits that we put on its branch (the one it has, and the one we were about to
    give it) to what they change. `facts` stands for what the body says, whatever its wording.
    `title` stands for the title we gave it. `closing` is the head for which we closed it.
    """

    key: str
    heads: Mapping[str, str] = field(default_factory=dict)
    fixes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    facts: str = ""
    title: str = ""
    closing: str = ""
    answered: int = 0
    """When the last command in a comment was given that was followed."""


@dataclass(frozen=True, slots=True)
class Block:
    """A body taken apart: what stands around our part, and what our part says."""

    before: str
    text: str
    after: str
    state: State
    regenerate: bool = False
    ticked: frozenset[str] = frozenset()
    unticked: frozenset[str] = frozenset()

    def replaced(self, ours: str) -> str:
        """The whole body with our part replaced; what people wrote around it stays."""
        return f"{self.before}{ours}{self.after}"


def block_in(body: str) -> Block | None:
    """Our part of a body; None if its markers are gone, doubled, or its state can't be read."""
    body = body.replace("\r\n", "\n")  # what the editor of GitHub makes of line ends
    if body.count(BEGIN) != 1 or body.count(END) != 1:
        return None
    start, end = body.index(BEGIN), body.index(END) + len(END)
    if end < start:
        return None
    text = body[start:end]
    found = _STATE.findall(text)
    state = _unpacked(found[0]) if len(found) == 1 else None
    if state is None:
        return None
    ticked: set[str] = set()
    unticked: set[str] = set()
    regenerate = False
    for mark, what, fingerprints in _TICK.findall(text):
        if what == "regenerate":
            regenerate |= mark != " "
        else:
            meant = _meant(fingerprints.split(), {*state.fixes, *state.refused})
            (unticked if mark == " " else ticked).update(meant)
    return Block(
        body[:start], text, body[end:], state, regenerate, frozenset(ticked), frozenset(unticked)
    )


def wrapped(text: str, state: State) -> str:
    """Our part of a body."""
    return f"{BEGIN}\n{text}\n<!-- hardhull:state:{_packed(state)} -->\n{END}"


def _meant(marks: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """The fixes that a box stands for: a mark is the start of a fingerprint in the same body."""
    for mark in marks:
        yield from [mark] if len(mark) == _FULL else [f for f in known if f.startswith(mark)]


def marks_of(fixes: Collection[str]) -> Mapping[str, str]:
    """The shortest starts by which fingerprints are told apart: many boxes fill a body."""
    for length in range(_LEAST, _FULL):
        if len({fix[:length] for fix in fixes}) == len(set(fixes)):
            return {fix: fix[:length] for fix in fixes}
    return {fix: fix for fix in fixes}


def box(what: str, *, ticked: bool = False, fixes: Iterable[str] = ()) -> str:
    """A checkbox that the next run reads."""
    marks = "".join(f" {fingerprint}" for fingerprint in fixes)
    return f"- [{'x' if ticked else ' '}] <!-- {what}{marks} -->"


# ---------------------------------------------------------------- packing


def _packed(state: State) -> str:
    fixes, refused = list(state.fixes), list(state.refused)
    while True:
        data = {
            "v": 1,
            "key": state.key,
            "heads": dict(state.heads),
            "fixes": "".join(fixes),
            "refused": "".join(refused),
            "facts": state.facts,
            "title": state.title,
            "closing": state.closing,
            "answered": state.answered,
        }
        text = json.dumps(data, separators=(",", ":"), sort_keys=True)
        packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        if len(packed) <= LARGEST_STATE:
            return packed
        # The trailers of the commits know all fixes; what is refused is known here alone.
        fixes, refused = (fixes[: len(fixes) // 2], refused) if fixes else ([], refused[:-50])


def _unpacked(packed: str) -> State | None:
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(base64.b64decode(packed, validate=True), _LARGEST_JSON)
        data = json.loads(text.decode())
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("v") != 1:
        return None
    heads = data.get("heads")
    if not isinstance(heads, dict) or not all(_fits(_OID, k) for k in heads):
        return None
    if not all(_fits(_SHORT, v) for v in heads.values()):
        return None
    short = [data.get(name, "") for name in ("facts", "title")]
    closing, key = data.get("closing", ""), data.get("key")
    if not all(one == "" or _fits(_SHORT, one) for one in short):
        return None
    if not isinstance(key, str) or not (closing == "" or _fits(_OID, closing)):
        return None
    fixes, refused = _fingerprints(data.get("fixes")), _fingerprints(data.get("refused"))
    if fixes is None or refused is None:
        return None
    answered = data.get("answered", 0)
    if not isinstance(answered, int) or isinstance(answered, bool):
        return None
    return State(key, heads, fixes, refused, short[0], short[1], closing, answered)


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _fingerprints(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, str) or re.fullmatch(r"(?:[0-9a-f]{16})*", value) is None:
        return None
    return tuple(value[at : at + 16] for at in range(0, len(value), 16))


# ---------------------------------------------------------------- notices

_NOTICE = re.compile(
    r"<!-- hardhull:notice ([a-z0-9:. /_-]*) -->\n.*?\n<!-- /notice -->\n\n", re.DOTALL
)


def notice_in(text: str) -> str:
    """The code of the notice that stands in our part; empty if there is none."""
    found = _NOTICE.search(text)
    return found[1] if found else ""


def noticed(block: Block, code: str, words: str, state: State | None = None) -> str:
    """The whole body with this notice at the top of our part, in place of the one before.

    The rest stays as it was written: it describes what the branch holds.
    """
    text = _NOTICE.sub("", block.text)
    if code:
        notice = f"<!-- hardhull:notice {code} -->\n> {words}\n<!-- /notice -->\n\n"
        text = text.replace(f"{BEGIN}\n", f"{BEGIN}\n{notice}", 1)
    if state is not None:
        text = _STATE.sub(f"<!-- hardhull:state:{_packed(state)} -->", text)
    return block.replaced(text)
