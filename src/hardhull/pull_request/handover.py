"""A plan as data: what one job decided, so that another one, which may write, can do it.

The job that reads the repository needs no token that may write; the one that has it reads no file
of the repository. What it reads is this plan, and it is nobody's friend: every field is checked
by its type here, and by what GitHub says in `bring_plan`.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hardhull.model import UsageError
from hardhull.pull_request.commits import Commit, NewFile, Plan
from hardhull.pull_request.options import Operation
from hardhull.pull_request.state import State
from hardhull.pull_request.steps import (
    Comment,
    Decision,
    Delete,
    Draft,
    Edit,
    Open,
    Reopen,
    Rewrite,
    SetUp,
    Step,
)

LARGEST = 64 * 1024 * 1024
_FORMAT = 1
_MOST = 10_000
"""So many items has no list of a plan of ours."""
_TAG = "is"
_NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(Decision, Plan, Commit, NewFile, State, Draft, Operation, Mapping),
        *(Rewrite, Open, Reopen, Edit, SetUp, Comment, Delete),
    )
} | {"Step": Step}


@dataclass(frozen=True, slots=True)
class Handover:
    """What was decided for each branch, on which repository and commit."""

    repository: str
    base: str
    commit: str
    checks: str | None
    decisions: tuple[tuple[str, Decision], ...]


def written(handover: Handover) -> str:
    """The plan as JSON."""
    return json.dumps({"format": _FORMAT, "plan": _told(handover)}, indent=1) + "\n"


def read_plan(text: str) -> Handover:
    """Read a plan. Raises UsageError if it is not exactly of this form."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("the plan is not JSON; upload what the first job wrote") from None
    if not isinstance(data, dict) or set(data) != {"format", "plan"}:
        raise UsageError("the plan is none of hardhull's; upload what the first job wrote")
    if type(data["format"]) is not int or data["format"] != _FORMAT:
        raise UsageError(
            f"the plan is of another format than {_FORMAT}: use the same version in both jobs"
        )
    try:
        made = _made(data["plan"], Handover, "plan")
    except _Unfit as unfit:
        raise UsageError(f"the plan does not fit at {unfit}; it is not used") from None
    assert isinstance(made, Handover)  # noqa: S101  what `_made` was asked for
    return made


class _Unfit(Exception):
    """A value of another form than was expected."""

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"`{where}`: {expected} was expected")


# ---------------------------------------------------------------- both ways


def _told(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case enum.Enum():
            return value.value
        case str():
            return value
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Mapping():
            return {str(key): _told(one) for key, one in value.items()}
        case tuple() | list():
            return [_told(one) for one in value]
        case _:
            told = {field.name: _told(getattr(value, field.name)) for field in fields(value)}
            return {_TAG: type(value).__name__, **told}


def _made(data: Any, kind: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _one_of(data, get_args(kind), where)
    if origin is tuple:
        return _tuple(data, get_args(kind), where)
    if origin is not None:  # a mapping from text to text
        if not isinstance(data, dict) or len(data) > _MOST:
            raise _Unfit(where, "a mapping")
        return {str(key): _made(one, str, f"{where}.{key}") for key, one in data.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(data, kind, where)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        if data not in [one.value for one in kind]:
            raise _Unfit(where, "a word of ours")
        return kind(data)
    if kind is bytes:
        return _bytes(data, where)
    if type(data) is not kind:
        raise _Unfit(where, f"a {getattr(kind, '__name__', kind)}")
    return data


def _one_of(data: Any, kinds: tuple[Any, ...], where: str) -> Any:
    if data is None and NoneType in kinds:
        return None
    wanted = [kind for kind in kinds if kind is not NoneType]
    if len(wanted) == 1:
        return _made(data, wanted[0], where)
    named = {kind.__name__: kind for kind in wanted}
    tag = data.get(_TAG) if isinstance(data, dict) else None
    if not isinstance(tag, str) or tag not in named:
        raise _Unfit(where, f"one of {', '.join(named)}")
    return _made(data, named[tag], where)


def _tuple(data: Any, kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(data, list) or len(data) > _MOST:
        raise _Unfit(where, "a list")
    if kinds[-1] is Ellipsis:
        return tuple(_made(one, kinds[0], f"{where}[{at}]") for at, one in enumerate(data))
    if len(data) != len(kinds):
        raise _Unfit(where, f"{len(kinds)} items")
    pairs = enumerate(zip(data, kinds, strict=True))
    return tuple(_made(one, kind, f"{where}[{at}]") for at, (one, kind) in pairs)


def _dataclass(data: Any, kind: type, where: str) -> Any:
    hints = get_type_hints(kind, globalns=_NAMES)
    if not isinstance(data, dict) or set(data) != {_TAG, *hints} or data[_TAG] != kind.__name__:
        raise _Unfit(where, f"a {kind.__name__}")
    return kind(
        **{name: _made(data[name], hint, f"{where}.{name}") for name, hint in hints.items()}
    )


def _bytes(data: Any, where: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _Unfit(where, "base64") from None
