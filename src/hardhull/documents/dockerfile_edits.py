"""Operations on a Dockerfile to edits, and what the file must read as afterwards.

`render` and `expected` share no code: the one cuts text, the other computes on structures, so that
comparing them proves an edit.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, assert_never

from hardhull.documents.dockerfile import read_fragment
from hardhull.documents.dockerfile_lines import Malformed, is_continued
from hardhull.documents.dockerfile_words import PAIRS, words_of
from hardhull.documents.source import newline_at
from hardhull.model import (
    Edit,
    InsertInstruction,
    RemoveInstruction,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    Span,
    Unrenderable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hardhull.documents.dockerfile import Dockerfile, Instruction
    from hardhull.model import DockerfileOperation

Node: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...], bool, tuple[tuple[str, str], ...]]
"""Keyword, flags, word values, JSON form, heredocs (name, body)."""
Structure: TypeAlias = tuple[tuple[tuple[str, str], ...], tuple[Node, ...]]
"""Directives (name, value) sorted by name, and the instructions."""

# ---------------------------------------------------------------- structures


def structure(file: Dockerfile) -> Structure:
    """Return what the file says, without places and spelling of blanks."""
    directives = tuple(sorted((name, word.value) for name, word in file.directives.items()))
    return directives, tuple(_node(instruction) for instruction in file.instructions)


def expected(file: Dockerfile, operations: Sequence[DockerfileOperation]) -> Structure:
    """Return the structure of the file with the operations applied, without rendering them.

    For operations that `render` has accepted.
    """
    directives, nodes = structure(file)
    names = dict(directives)
    changed: list[list[Node]] = [[node] for node in nodes]
    inserted: list[list[Node]] = [[] for _ in range(len(nodes) + 1)]
    for operation in _of(file, operations):
        match operation:
            case ReplaceWord(_, at, word, text):
                changed[at] = [_with_word(node, word, text) for node in changed[at]]
            case ReplaceFlag(_, at, flag, text):
                changed[at] = [_with_flag(node, flag, text) for node in changed[at]]
            case RemoveInstruction(_, at):
                changed[at] = []
            case InsertInstruction(_, before, text, _):
                inserted[before] += [_node(item) for item in read_fragment(text, file.escape)]
            case ReplaceDirective(_, name, text):
                names[name] = text
            case _:
                assert_never(operation)
    result: list[Node] = []
    for new, kept in zip(inserted, [*changed, []], strict=True):
        result += new + kept
    return tuple(sorted(names.items())), tuple(result)


def _node(item: Instruction) -> Node:
    keyword = f"ONBUILD {item.trigger.keyword}" if item.trigger else item.keyword
    return (
        keyword,
        tuple(flag.value for flag in (item.trigger or item).flags),
        tuple(word.value for word in item.words),
        item.json,
        tuple((heredoc.name, heredoc.body) for heredoc in item.heredocs),
    )


def _with_word(node: Node, index: int, text: str) -> Node:
    keyword, flags, words, is_json, heredocs = node
    words = (*words[:index], text, *words[index + 1 :])
    if keyword.startswith("ONBUILD"):
        flags = words[1 : 1 + len(flags)]
    return keyword, flags, words, is_json, heredocs


def _with_flag(node: Node, index: int, text: str) -> Node:
    keyword, flags, words, is_json, heredocs = node
    if keyword.startswith("ONBUILD"):
        words = (*words[: index + 1], text, *words[index + 2 :])
    return keyword, (*flags[:index], text, *flags[index + 1 :]), words, is_json, heredocs


# ---------------------------------------------------------------- rendering


def render(file: Dockerfile, operations: Sequence[DockerfileOperation]) -> tuple[Edit, ...]:
    """Turn operations into edits in terms of the file's text. Raises Unrenderable.

    Operations for other paths are passed over; equal operations count once.
    """
    mine = _of(file, operations)
    if mine:
        _guard(file)
    removed = {item.instruction for item in mine if isinstance(item, RemoveInstruction)}
    edits: list[Edit] = []
    for operation in mine:
        match operation:
            case ReplaceWord() | ReplaceFlag():
                if operation.instruction in removed:
                    raise _refuse(file, "an instruction is both changed and removed")
                edits.append(_replacement(file, operation))
            case RemoveInstruction():
                edits.append(_removal(file, _instruction(file, operation.instruction)))
            case InsertInstruction():
                edits.append(_insertion(file, operation))
            case ReplaceDirective():
                edits.append(_directive(file, operation))
            case _:
                assert_never(operation)
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    for first, second in pairwise(ordered):
        if first.end > second.start:
            raise _refuse(file, "two operations touch one place", Span(*second[:2]))
    return tuple(ordered)


def _of(file: Dockerfile, operations: Sequence[DockerfileOperation]) -> list[DockerfileOperation]:
    return list(dict.fromkeys(item for item in operations if item.path == file.source.path))


def _guard(file: Dockerfile) -> None:
    for instruction in file.instructions:
        if any(heredoc.disputed for heredoc in instruction.heredocs):
            reason = "a heredoc that older builders don't see (`<< WORD`, or `${V%x}` in its line)"
            raise _refuse(file, reason, instruction.span)


def _refuse(file: Dockerfile, reason: str, span: Span | None = None) -> Unrenderable:
    return Unrenderable(reason, file.source.path, span)


def _instruction(file: Dockerfile, index: int) -> Instruction:
    if not 0 <= index < len(file.instructions):
        raise _refuse(file, f"there is no instruction {index}")
    return file.instructions[index]


def _replacement(file: Dockerfile, operation: ReplaceWord | ReplaceFlag) -> Edit:
    instruction = _instruction(file, operation.instruction)
    is_flag = isinstance(operation, ReplaceFlag)
    words = (instruction.trigger or instruction).flags if is_flag else instruction.words
    index = operation.flag if isinstance(operation, ReplaceFlag) else operation.word
    if not 0 <= index < len(words):
        raise _refuse(file, f"{instruction.keyword} has no such word", instruction.span)
    word = words[index]
    if any(word.span.start < comment.start < word.span.end for comment in file.comments):
        raise _refuse(file, "a comment stands within the word", word.span)
    text = operation.text
    if is_flag or word in (instruction.trigger.flags if instruction.trigger else ()):
        fits = text.startswith("--") and text.isascii() and not set(text) & set(" \t\r\n\v\f\"'\\`")
    elif instruction.json and word.text.startswith('"'):
        return Edit(*word.span, json.dumps(text, ensure_ascii=False))
    else:
        fits = _is_one_word(file, instruction, index, text)
    if not fits:
        raise _refuse(file, f"{text!r} can't stand here as one word", word.span)
    return Edit(*word.span, text)


def _is_one_word(file: Dockerfile, instruction: Instruction, index: int, text: str) -> bool:
    if not text or "\n" in text or "\r" in text or text.startswith("#"):
        return False
    if text.endswith(file.escape) or text != text.strip():
        return False
    if instruction.trigger and index == 0:
        return False
    inner = instruction.trigger or instruction
    if inner.keyword in PAIRS and "=" not in inner.words[0].value:
        if instruction.words[index] == inner.words[-1]:
            return True  # the value in `ENV name value` goes on to the end of the line
        return "=" not in text and len(text.split()) == 1
    keyword = "ENV" if inner.keyword in PAIRS else inner.keyword
    found = words_of(keyword, text, file.escape)
    return len(found) == 1 and found[0] == (0, len(text), text)


def _removal(file: Dockerfile, instruction: Instruction) -> Edit:
    text = file.source.text
    start = file.source.offset_of_line(instruction.first_line)
    end = text.find("\n", instruction.span.end)
    if end >= 0:
        return Edit(start, end + 1, "")
    if start > 0:  # keep the file without a final newline
        start -= 2 if text[start - 2 : start] == "\r\n" else 1
    return Edit(start, len(text), "")


def _insertion(file: Dockerfile, operation: InsertInstruction) -> Edit:
    if not 0 <= operation.before <= len(file.instructions):
        raise _refuse(file, f"there is no instruction {operation.before}")
    lines = operation.text.rstrip("\n").split("\n")
    if "\r" in operation.text or is_continued(lines[-1], file.escape) >= 0:
        raise _refuse(file, "the new instruction is no whole number of lines")
    try:
        whole = bool(read_fragment(operation.text, file.escape))
    except Malformed:
        whole = False
    if not whole:
        raise _refuse(file, f"{operation.text!r} is no instruction")
    if operation.before == len(file.instructions):
        return _insertion_at_end(file, lines)
    if operation.follows and operation.before > 0:
        return _insertion_behind(file, lines, file.instructions[operation.before - 1])
    following = file.instructions[operation.before]
    place = file.source.offset_of_line(_block_start(file, following.first_line))
    newline = newline_at(file.source.text, place)
    return Edit(place, place, "".join(line + newline for line in _indented(file, lines, following)))


def _insertion_behind(file: Dockerfile, lines: list[str], before: Instruction) -> Edit:
    place = file.source.offset_of_line(before.last_line + 1)
    newline = newline_at(file.source.text, before.span.start)
    return Edit(place, place, "".join(line + newline for line in _indented(file, lines, before)))


def _insertion_at_end(file: Dockerfile, lines: list[str]) -> Edit:
    """Insert behind the last instruction or comment; blank lines at the end stay at the end."""
    text = file.source.text
    last = file.instructions[-1]
    if last.open:
        raise _refuse(file, "the last instruction ends in a continuation", last.span)
    end = max([last.span.end, *(comment.end for comment in file.comments[-1:])])
    lines = _indented(file, lines, last)
    newline = newline_at(text, max(end - 1, 0))
    found = text.find("\n", end)
    if found >= 0:
        return Edit(found + 1, found + 1, "".join(line + newline for line in lines))
    return Edit(len(text), len(text), "".join(newline + line for line in lines))


def _block_start(file: Dockerfile, line: int) -> int:
    """Return the first line of the comments directly above a line: they belong to what follows."""
    comments = {file.source.line_of(comment.start) for comment in file.comments}
    if file.source.text.startswith("#!"):
        comments.discard(1)
    while line - 1 in comments:
        line -= 1
    return line


def _indented(file: Dockerfile, lines: list[str], neighbour: Instruction) -> list[str]:
    """Indent like the neighbour; never a heredoc, whose blanks are its content."""
    line = file.source.line_text(neighbour.first_line)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    if not indent or any("<<" in new for new in lines):
        return lines
    return [indent + new if new else new for new in lines]


def _directive(file: Dockerfile, operation: ReplaceDirective) -> Edit:
    word = file.directives.get(operation.name)
    if word is None:
        raise _refuse(file, f"there is no {operation.name} directive")
    text = operation.text
    if operation.name == "escape" or not text or text != text.strip() or len(text.split()) != 1:
        raise _refuse(file, f"the {operation.name} directive can't become {text!r}", word.span)
    return Edit(*word.span, text)
