"""What the functions of Helm and Sprig make of values, as far as they are plain computations.

A function that is not here gives a value that nobody knows; so does one that fails. Nothing here
reaches the cluster, the clock, the network or a file, and nothing takes a pattern of the chart's
(Go's patterns run in linear time, Python's may not). Semantics: https://masterminds.github.io/sprig/
and https://helm.sh/docs/chart_template_guide/function_list/.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 100_000
"""Longer texts and lists are not made."""
KUBERNETES = "v1.34.0"
"""The version that charts are told, where they ask."""


def empty(value: Any) -> bool:
    """What templates take for no value: false, 0, and whatever holds nothing."""
    return value is None or value is False or value == 0 or (
        isinstance(value, (str, list, dict)) and not value
    )  # fmt: skip


def shown(value: Any) -> str:
    """A value as Go prints it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004  beyond, Go has exponents
            return str(int(value))
        case list():
            return "[" + " ".join(shown(item) for item in value) + "]"
        case dict():
            inner = " ".join(f"{key}:{shown(item)}" for key, item in sorted(value.items()))
            return f"map[{inner}]"
    return str(value)


def _number(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    text = shown(value).strip()
    return int(text, 0) if re.fullmatch(r"[+-]?(?:0[xX][0-9a-fA-F]{1,15}|\d{1,18})", text) else 0


def _kind(value: Any) -> str:
    match value:
        case None:
            return "invalid"
        case bool():
            return "bool"
        case int() | float():
            return "float64"
        case str():
            return "string"
        case list():
            return "slice"
    return "map"


def _type(value: Any) -> str:
    return {"map": "map[string]interface {}", "slice": "[]interface {}"}.get(
        _kind(value), _kind(value)
    )


_VERSION = re.compile(r"v?(\d+)(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(-[\w.]+)?")
_CONSTRAINT = re.compile(r"\s*(>=|<=|!=|=|>|<|~|\^)?\s*(v?[\d.xX*]+(?:-[\w.]+)?)\s*,?")


def _version(text: str) -> tuple[int, int, int]:
    match = _VERSION.match(text)
    if match is None:
        raise ValueError("no version")
    parts = (part if part and part.isdecimal() else "0" for part in match.groups()[:3])
    major, minor, patch = (int(part[:9]) for part in parts)
    return major, minor, patch


def _fits(constraint: str, version: str) -> bool:
    """Whether a version fits a constraint; pre-releases count as their release."""
    return any(_all_fit(part, _version(version)) for part in constraint.split("||"))


def _all_fit(constraint: str, own: tuple[int, int, int]) -> bool:
    for sign, text in _CONSTRAINT.findall(constraint):
        wanted = _version(text)
        depth = len(re.findall(r"\d+", text.partition("-")[0]))
        fits = {
            ">=": own >= wanted, "<=": own <= wanted, ">": own > wanted, "<": own < wanted,
            "!=": own != wanted, "~": own[:2] == wanted[:2] and own >= wanted,
            "^": own[0] == wanted[0] and own >= wanted, "=": own == wanted,
            "": own[:depth] == wanted[:depth],
        }[sign]  # fmt: skip
        if not fits:
            return False
    return True


def _repeat(count: Any, text: Any) -> str:
    number, once = _number(count), shown(text)
    if number * len(once) > LONGEST:
        raise ValueError("too long")
    return once * max(number, 0)


def _replaced(old: Any, new: Any, text: Any) -> str:
    one, other, whole = shown(old), shown(new), shown(text)
    if len(whole) + whole.count(one) * len(other) > LONGEST:
        raise ValueError("too long")
    return whole.replace(one, other)


def _until(start: int, stop: int, step: int) -> list[int]:
    found = range(start, stop, step)
    if len(found) > LONGEST // 100:
        raise ValueError("too long")
    return list(found)


def _compare(one: Any, other: Any) -> int:
    if isinstance(one, str) != isinstance(other, str):
        raise TypeError("not comparable")
    return int(one > other) - int(one < other)


def _equal(one: Any, *others: Any) -> bool:
    return any((type(one) is type(other) and one == other) or (
        isinstance(one, (int, float)) and isinstance(other, (int, float))
        and not isinstance(one, bool) and not isinstance(other, bool) and one == other
    ) for other in others)  # fmt: skip


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def to_json(value: Any) -> str:
    """JSON as Go writes it: keys in order, no blanks."""
    text = json.dumps(_ordered(value), separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _trunc(length: Any, text: Any) -> str:
    number, whole = _number(length), shown(text)
    return whole[:number] if number >= 0 else whole[number:]


def _hash(name: str) -> Callable[..., str]:
    return lambda text: hashlib.new(name, shown(text).encode()).hexdigest()


def _has(key: Any, found: Any) -> bool:
    return found is not None and key in found


def _encoded(text: Any) -> str:
    return base64.b64encode(shown(text).encode()).decode()


def _decoded(text: Any) -> str:
    return base64.b64decode(shown(text)).decode()


def _joined(between: Any, items: Any) -> str:
    listed = [shown(item) for item in (items if isinstance(items, list) else [items])]
    if len(listed) * len(shown(between)) + sum(map(len, listed)) > LONGEST:
        raise ValueError("too long")
    return shown(between).join(listed)


def _dashed(text: Any) -> str:
    return re.sub(r"[\s_]+|(?<=[a-z0-9])(?=[A-Z])", "-", shown(text)).lower()


PLAIN: dict[str, Callable[..., Any]] = {
    "eq": _equal,
    "ne": lambda a, b: not _equal(a, b),
    "lt": lambda a, b: _compare(a, b) < 0,
    "le": lambda a, b: _compare(a, b) <= 0,
    "gt": lambda a, b: _compare(a, b) > 0,
    "ge": lambda a, b: _compare(a, b) >= 0,
    "empty": empty,
    "len": len,
    "trim": lambda text: shown(text).strip(),
    "trimAll": lambda marks, text: shown(text).strip(shown(marks)),
    "trimSuffix": lambda end, text: shown(text).removesuffix(shown(end)),
    "trimPrefix": lambda start, text: shown(text).removeprefix(shown(start)),
    "trunc": _trunc,
    "abbrev": lambda most, text: shown(text) if len(shown(text)) <= _number(most)
    else shown(text)[: max(_number(most) - 3, 0)] + "...",
    "upper": lambda text: shown(text).upper(),
    "lower": lambda text: shown(text).lower(),
    "title": lambda text: shown(text).title(),
    "untitle": lambda text: shown(text)[:1].lower() + shown(text)[1:],
    "replace": _replaced,
    "contains": lambda inner, text: shown(inner) in shown(text),
    "hasPrefix": lambda start, text: shown(text).startswith(shown(start)),
    "hasSuffix": lambda end, text: shown(text).endswith(shown(end)),
    "nospace": lambda text: re.sub(r"\s", "", shown(text)),
    "substr": lambda start, end, text: shown(text)[max(_number(start), 0): _number(end)
                                                   if _number(end) >= 0 else None],
    "repeat": _repeat,
    "cat": lambda *texts: " ".join(shown(text) for text in texts if text is not None),
    "kebabcase": _dashed,
    "snakecase": lambda text: _dashed(text).replace("-", "_"),
    "print": lambda *things: "".join(shown(thing) for thing in things),
    "println": lambda *things: " ".join(shown(thing) for thing in things) + "\n",
    "b64enc": _encoded,
    "b64dec": _decoded,
    "sha1sum": _hash("sha1"),
    "sha256sum": _hash("sha256"),
    "adler32sum": lambda text: str(_adler(shown(text).encode())),
    "toJson": to_json,
    "toRawJson": lambda value: json.dumps(_ordered(value), separators=(",", ":"),
                                          ensure_ascii=False),
    "fromJson": json.loads,
    "toString": shown,
    "toStrings": lambda items: [shown(item) for item in items],
    "int": _number,
    "int64": _number,
    "atoi": _number,
    "toDecimal": lambda text: int(shown(text), 8),
    "float64": lambda value: float(shown(value) or 0),
    "add": lambda *numbers: sum(_number(number) for number in numbers),
    "add1": lambda number: _number(number) + 1,
    "sub": lambda a, b: _number(a) - _number(b),
    "mul": lambda a, *rest: _product(a, rest),
    "div": lambda a, b: int(_number(a) / _number(b)),
    "mod": lambda a, b: _number(a) % _number(b),
    "max": lambda *numbers: max(_number(number) for number in numbers),
    "min": lambda *numbers: min(_number(number) for number in numbers),
    "ceil": lambda value: -int(-float(shown(value)) // 1),
    "floor": lambda value: int(float(shown(value)) // 1),
    "round": lambda value, places=0: round(float(shown(value)), _number(places)),
    "until": lambda stop: _until(0, _number(stop), 1),
    "untilStep": lambda a, b, c: _until(_number(a), _number(b), _number(c)),
    "kindOf": _kind,
    "kindIs": lambda wanted, value: _kind(value) == wanted,
    "typeOf": _type,
    "typeIs": lambda wanted, value: _type(value) == wanted,
    "typeIsLike": lambda wanted, value: _type(value) == wanted,
    "semverCompare": lambda wanted, version: _fits(shown(wanted), shown(version)),
    "has": lambda item, items: items is not None and item in items,
    "hasKey": lambda found, key: _has(key, found),
    "keys": lambda *dicts: [key for one in dicts for key in one],
    "values": lambda found: list(found.values()),
    "sortAlpha": lambda items: sorted(shown(item) for item in items),
    "reverse": lambda items: items[::-1],
    "uniq": lambda items: list(dict.fromkeys(items)),
    "compact": lambda items: [item for item in items if not empty(item)],
    "without": lambda items, *gone: [item for item in items if item not in gone],
    "append": lambda items, item: [*items, item],
    "prepend": lambda items, item: [item, *items],
    "concat": lambda *lists: [item for one in lists for item in one],
    "join": _joined,
    "splitList": lambda mark, text: shown(text).split(shown(mark)),
    "split": lambda mark, text: {f"_{index}": found for index, found
                                 in enumerate(shown(text).split(shown(mark)))},
    "env": lambda name: "",  # noqa: ARG005  Helm leaves it out; nothing of this machine is told
    "regexQuoteMeta": lambda text: re.escape(shown(text)),
    "html": lambda text: shown(text).replace("&", "&amp;").replace("<", "&lt;"),
    "dict": lambda *pairs: {shown(key): item for key, item in zip(pairs[::2], pairs[1::2],
                                                                  strict=False)},
    "dig": lambda *way: _dug(way),
}  # fmt: skip


def _product(first: Any, rest: tuple[Any, ...]) -> int:
    found = _number(first)
    for number in rest:
        found *= _number(number)
        if abs(found) > 1 << 63:
            raise ValueError("too large")
    return found


def _adler(data: bytes) -> int:
    import zlib  # noqa: PLC0415  for one rare function

    return zlib.adler32(data)


def _dug(way: tuple[Any, ...]) -> Any:
    *keys, otherwise, found = way
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return otherwise
        found = found[key]
    return found
