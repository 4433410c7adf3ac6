"""What the rules about digests and names share: which references are ours to write, and where.

A reference can be put together of several words: the FROM itself, and ARGs that give it parts. A
change is made where the part is written, and in an ARG only if that serves this image alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference, pinned_text
from hardhull.model import (
    Level,
    Operation,
    Refusal,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    SetElementText,
    SetValue,
    value_of,
)
from hardhull.project.references import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hardhull.documents.dockerfile import Dockerfile, Instruction, Word
    from hardhull.project.context import Context
    from hardhull.project.kustomize import Entry
    from hardhull.project.link import Workspace
    from hardhull.project.references import ImageUse

    Rewrite = Callable[[str], str | None]
    """From a text to what it becomes; None if what is to be changed is not in it."""

_LAST_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))[\"']?$")
_WINDOWS = ("nanoserver", "windowsservercore", "/windows/", "ltsc20")
_QUOTED = "the flag is quoted or goes over a line: change it by hand"


# ---------------------------------------------------------------- which references


def is_made_elsewhere(use: ImageUse, workspace: Workspace) -> bool:
    """Whether this names an image that is pulled, and that pins are for: no Windows, as a rule."""
    if use.name is None or use.built_here is not None:
        return False
    return workspace.settings.windows_digests or not is_windows(use.name, workspace)


def is_to_add(use: ImageUse, workspace: Workspace) -> bool:
    """Whether a reference is to get a digest."""
    wanted = workspace.settings.pins.adds and not use.pinned
    return wanted and is_made_elsewhere(use, workspace)


def is_to_refresh(use: ImageUse, workspace: Workspace) -> bool:
    """Whether the digest of a reference is ours to keep fresh, in this run."""
    return may_be_refreshed(use, workspace) and workspace.update_of(use) is None


def may_be_refreshed(use: ImageUse, workspace: Workspace) -> bool:
    """The same, were there no open pull request of an update tool."""
    if not use.pinned or not workspace.refreshing or not workspace.settings.pins.refreshes:
        return False
    return is_made_elsewhere(use, workspace) and workspace.updater_of(use) is None


def is_windows(name: str, workspace: Workspace) -> bool:
    """Whether an image is one of Windows, as far as its name or what is known of it says."""
    facts = workspace.facts.image(name)
    if facts is not None:
        return facts.os == "windows"
    return any(word in name for word in _WINDOWS)


# ---------------------------------------------------------------- where a digest is added


def pinned(
    use: ImageUse, digest: str, context: Context
) -> tuple[tuple[Operation, ...], Level] | Refusal:
    """Append a digest where the tag is written."""
    if use.entry is not None:
        return _pinned_entry(use, use.entry, digest, context)
    if use.instruction is not None and use.word is not None and use.place is Place.FROM:
        operation, level = _pinned_from(use, use.instruction, use.word, digest, context)
        return (operation,), level
    whole = _changed_whole(use, lambda text: pinned_text(text, digest))
    return whole if isinstance(whole, Refusal) else ((whole,), Level.ROUTINE)


def _pinned_entry(
    use: ImageUse, entry: Entry, digest: str, context: Context
) -> tuple[tuple[Operation, ...], Level] | Refusal:
    """Give an entry of a kustomization's `images` a digest, and the tag that it stands for.

    Kustomize writes both. Renovate updates a digest behind the tag, and leaves alone an entry
    that has both keys.
    """
    if use.cursor is not None and use.cursor.shared:
        return Refusal("an alias stands there: change it by hand", use.path, use.span)
    renamed = _renamed_above(entry, context)
    if renamed is not None:
        return renamed
    at, tag = entry.cursor.address, use.reference.tag if use.reference is not None else None
    tag_after, tag_text = ("newName", "name"), tag or "latest"
    if context.project.workspace.updaters.of(use) is not None:
        value = value_of(f"{tag_text}@{digest}")
        level = Level.ROUTINE if entry.text("newTag") else Level.REVIEW
        return (SetValue(use.path, (*at, "newTag"), value, tag_after),), level
    named = SetValue(use.path, (*at, "newTag"), value_of(tag_text), tag_after)
    given = SetValue(use.path, (*at, "digest"), value_of(digest), ("newTag", *tag_after))
    if entry.text("newTag"):
        return (given,), Level.ROUTINE
    return (named, given), Level.REVIEW  # the manifests' own tag has no say from now on


def _renamed_above(entry: Entry, context: Context) -> Refusal | None:
    """A kustomization over this one that takes the image, digest and all, from another place."""
    above = set(context.project.kustomize.above(entry.path))
    name = entry.text("newName") or entry.name
    for other in context.project.kustomize.entries:
        said = set(other.cursor.keys()) & {"newName", "newTag", "digest"}
        if other.path in above and other.name == name and said == {"newName"}:
            reason = "it is taken from another registry here, which may have another digest"
            return Refusal(reason, other.path, other.cursor.span)
    return None


def _pinned_from(
    use: ImageUse, instruction: Instruction, word: Word, digest: str, context: Context
) -> tuple[Operation, Level]:
    number = instruction.words.index(word)
    suffix = f"{'' if use.reference is None or use.reference.tag else ':latest'}@{digest}"
    in_argument = _argument_at_end(use, word, context) if "$" in word.text else None
    if in_argument is not None:
        owner, index, value = in_argument
        text = _before_quote(value, suffix)
        return ReplaceWord(use.path, owner, index, text), Level.ROUTINE
    level = Level.REVIEW if "$" in word.text else Level.ROUTINE
    text = _before_quote(word.text, suffix)
    return ReplaceWord(use.path, instruction.index, number, text), level


def _before_quote(text: str, suffix: str) -> str:
    """Append inside the closing quote, if there is one."""
    return f"{text[:-1]}{suffix}{text[-1]}" if text[-1:] in ('"', "'") else text + suffix


def _argument_at_end(use: ImageUse, word: Word, context: Context) -> tuple[int, int, str] | None:
    """The ARG word whose value ends this reference, if nothing else uses that ARG."""
    match = _LAST_VARIABLE.search(word.text)
    name = (match["braced"] or match["plain"]) if match is not None else None
    origin = next((found for found in use.origins if found.name == name), None)
    if name is None or origin is None or origin.instruction < 0:
        return None
    if re.split(r"[:/]", word.text)[-1].count("$") > 1:
        return None  # several make up the tag: the digest belongs to none of them alone
    file = _dockerfile(use, context)
    if not _serves_alone(name, use, context, at_end=True):
        return None
    value = file.instructions[origin.instruction].words[origin.word].text
    return (origin.instruction, origin.word, value) if "$" not in value else None


# ---------------------------------------------------------------- where a part is changed


def rewritten(use: ImageUse, change: Rewrite, context: Context) -> Operation | Refusal:
    """Change a part of a reference at the one place where that part is written."""
    if use.entry is not None:
        return _changed_entry(use, use.entry, change)
    if use.place is not Place.FROM or use.instruction is None or use.word is None:
        return _changed_whole(use, change)
    text = change(use.word.text)
    if text is not None:
        number = use.instruction.words.index(use.word)
        return ReplaceWord(use.path, use.instruction.index, number, text)
    for name, operation in _in_arguments(use, change, context):
        if _serves_alone(name, use, context, at_end=False):
            return operation
        return Refusal(f"it stands in ARG {name}, which is used elsewhere too", use.path, use.span)
    names = ", ".join(origin.name for origin in use.origins)
    given = f", some of them from ARG {names}" if names else ""
    return Refusal(f"it is put together of several parts{given}", use.path, use.span)


def _changed_entry(use: ImageUse, entry: Entry, change: Rewrite) -> Operation | Refusal:
    """Change what a kustomization says of an image; `name` only says which image is meant."""
    for key in ("newName", "newTag", "digest"):
        text = entry.text(key)
        new = change(text) if text is not None else None
        if new is not None and new != text:
            return SetValue(use.path, (*entry.cursor.address, key), value_of(new))
    return Refusal("it stands in the manifests below", use.path, use.span)


def _in_arguments(
    use: ImageUse, change: Rewrite, context: Context
) -> Iterator[tuple[str, Operation]]:
    """The ARGs of a reference that hold the part, by name, with the change to each."""
    instructions = _dockerfile(use, context).instructions
    for origin in use.origins:
        if origin.instruction < 0:
            continue
        head, equals, value = (
            instructions[origin.instruction].words[origin.word].text.partition("=")
        )
        text = change(value)
        if text is not None:
            whole = f"{head}{equals}{text}"
            yield origin.name, ReplaceWord(use.path, origin.instruction, origin.word, whole)


def _changed_whole(use: ImageUse, change: Rewrite) -> Operation | Refusal:
    """Change a reference that is written in one piece: not in a FROM, which has ARGs."""
    if use.unsure:
        return Refusal(use.unsure, use.path, use.span)
    if use.place in (Place.COPY, Place.MOUNT) and parse_reference(use.text) != use.reference:
        return Refusal(_QUOTED, use.path, use.span)
    text = change(use.text)
    if text is None:
        return Refusal("it is not written in one piece: change it by hand", use.path, use.span)
    if use.cursor is not None:
        return SetValue(use.path, use.cursor.address, value_of(text))
    if use.element is not None:
        whole = use.element.text.replace(use.text, text, 1)
        return SetElementText(use.path, use.element.index, whole)
    if use.place is Place.SYNTAX:
        whole = use.word.text if use.word is not None else use.text
        return ReplaceDirective(use.path, "syntax", whole.replace(use.text, text, 1))
    if use.instruction is None or use.word is None:
        raise ValueError("a Dockerfile reference stands in an instruction")
    number = use.instruction.flags.index(use.word)
    offset = use.span.start - use.word.span.start
    flag = use.word.text
    spliced = flag[:offset] + text + flag[offset + len(use.text) :]
    return ReplaceFlag(use.path, use.instruction.index, number, spliced)


# ---------------------------------------------------------------- whom an ARG serves


def _serves_alone(name: str, use: ImageUse, context: Context, *, at_end: bool) -> bool:
    """Whether every use of the ARG is a reference to this one image, and ends it if asked."""
    others = [other for other in context.project.references if other.path == use.path]
    for other in others:
        if any(found.name == name for found in other.origins) and other.name != use.name:
            return False
    mention = re.compile(rf"\$(?:\{{)?{re.escape(name)}\b|^{re.escape(name)}(?:=|$)")
    definitions = 0
    for instruction in _dockerfile(use, context).instructions:
        if instruction.keyword == "FROM":
            if not _is_only_named(name, mention, instruction, at_end=at_end):
                return False
            continue
        words = [*instruction.words, *instruction.flags]
        if instruction.keyword == "ARG":
            definitions += sum(w.text.partition("=")[0] == name for w in words)
            words = [w for w in words if w.text.partition("=")[0] != name]
        if any(mention.search(w.text) for w in words):
            return False
        if instruction.heredocs and any(mention.search(h.body) for h in instruction.heredocs):
            return False
    return definitions == 1


def _is_only_named(
    name: str, mention: re.Pattern[str], instruction: Instruction, *, at_end: bool
) -> bool:
    """Whether a FROM uses the ARG for its image alone, if at all."""
    image = next(iter(instruction.words), None)
    if any(mention.search(flag.text) for flag in instruction.flags):
        return False
    if image is None or not at_end or not mention.search(image.text):
        return True
    ends = _LAST_VARIABLE.search(image.text)
    return ends is not None and (ends["braced"] or ends["plain"]) == name


def _dockerfile(use: ImageUse, context: Context) -> Dockerfile:
    document: Dockerfile = context.documents[use.path]  # type: ignore[assignment]  # a FROM's file
    return document
