"""unpinned-image: a reference without a digest may mean another image tomorrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.images import parse_reference, pinned_text
from hardhull.model import (
    Finding,
    Fix,
    Level,
    Operation,
    Phase,
    Refusal,
    ReplaceDirective,
    ReplaceFlag,
    ReplaceWord,
    Rule,
    SetValue,
    Severity,
    SubjectKind,
    value_of,
)
from hardhull.project.references import Place
from hardhull.rules.images.examples import UNPINNED_IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.documents.dockerfile import Dockerfile, Instruction, Word
    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "unpinned-image"
_LAST_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))[\"']?$")


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """References that name an image made elsewhere, by tag alone."""
    if use.pinned or use.name is None or use.built_here is not None:
        return
    if not context.settings.windows_digests and _is_windows(use.name, context):
        return
    level, message = Level.ROUTINE, "the tag may mean another image tomorrow"
    if use.writer is not None:
        level, message = Level.MANUAL, f"not pinned: {use.writer} writes this reference"
    elif context.facts.digest(use.name) is None:
        message = "not pinned, and no digest is known for it"
    yield Finding(
        ID, use.path, use.where, use.span, message, Severity.MEDIUM, level, use.name, (), use
    )


def _is_windows(name: str, context: Context) -> bool:
    facts = context.facts.image(name)
    if facts is not None:
        return facts.os == "windows"
    return any(word in name for word in ("nanoserver", "windowsservercore", "/windows/", "ltsc20"))


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Append the digest where the tag is written, the tag kept."""
    use: ImageUse = finding.subject
    digest = context.facts.digest(use.name or "")
    if digest is None:
        return Refusal(
            f"no digest of {use.name} is known; record it and give it with --digests FILE",
            use.path,
            use.span,
        )
    if use.place in (Place.COPY, Place.MOUNT) and parse_reference(use.text) != use.reference:
        return Refusal("the flag is quoted or goes over a line: pin it by hand", use.path, use.span)
    operation, level = _pin(use, digest, context)
    return Fix(
        (operation,),
        f"{use.text}@{digest[:19]}…",
        level,
        "nothing: the tag is kept, and the digest is the one it has now",
    )


def _pin(use: ImageUse, digest: str, context: Context) -> tuple[Operation, Level]:
    if use.cursor is not None:
        text = pinned_text(use.text, digest)
        return SetValue(use.path, use.cursor.address, value_of(text)), Level.ROUTINE
    if use.place is Place.SYNTAX:
        text = pinned_text(use.text, digest)
        whole = use.word.text if use.word is not None else use.text
        return ReplaceDirective(use.path, "syntax", whole.replace(use.text, text, 1)), Level.ROUTINE
    if use.instruction is None or use.word is None:
        raise ValueError("a Dockerfile reference stands in an instruction")
    if use.place is not Place.FROM:
        number = use.instruction.flags.index(use.word)
        offset = use.span.start - use.word.span.start
        text = _spliced(use.word.text, offset, use.text, pinned_text(use.text, digest))
        return ReplaceFlag(use.path, use.instruction.index, number, text), Level.ROUTINE
    return _pin_from(use, use.instruction, use.word, digest, context)


def _spliced(whole: str, offset: int, old: str, new: str) -> str:
    return whole[:offset] + new + whole[offset + len(old) :]


def _pin_from(
    use: ImageUse, instruction: Instruction, word: Word, digest: str, context: Context
) -> tuple[Operation, Level]:
    number = instruction.words.index(word)
    suffix = f"{'' if use.reference is None or use.reference.tag else ':latest'}@{digest}"
    in_argument = argument_of(use, word, context) if "$" in word.text else None
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


def argument_of(use: ImageUse, word: Word, context: Context) -> tuple[int, int, str] | None:
    """The ARG word whose value ends this reference, if nothing else uses that ARG."""
    match = _LAST_VARIABLE.search(word.text)
    name = (match["braced"] or match["plain"]) if match is not None else None
    origin = next((found for found in use.origins if found.name == name), None)
    document = context.documents[use.path]
    if name is None or origin is None or origin.instruction < 0:
        return None
    if re.split(r"[:/]", word.text)[-1].count("$") > 1:
        return None  # several make up the tag: the digest belongs to none of them alone
    if not _only_names(name, use, context, document):  # type: ignore[arg-type]  # a FROM's file
        return None
    owner = document.instructions[origin.instruction]  # type: ignore[union-attr]  # as above
    value = owner.words[origin.word].text
    return (origin.instruction, origin.word, value) if "$" not in value else None


def _only_names(name: str, use: ImageUse, context: Context, file: Dockerfile) -> bool:
    """Whether every use of the ARG is a reference to this one image, at its end."""
    others = [other for other in context.project.references if other.path == use.path]
    for other in others:
        if any(found.name == name for found in other.origins) and other.name != use.name:
            return False
    mention = re.compile(rf"\$(?:\{{)?{re.escape(name)}\b|^{re.escape(name)}(?:=|$)")
    definitions = 0
    for instruction in file.instructions:
        if instruction.keyword == "FROM":
            image = next((w for w in instruction.words), None)
            ends = _LAST_VARIABLE.search(image.text) if image is not None else None
            used = image is not None and mention.search(image.text)
            if used and (ends is None or (ends["braced"] or ends["plain"]) != name):
                return False
            if any(mention.search(flag.text) for flag in instruction.flags):
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


RULE = Rule(
    id=ID,
    title="An image is named by a tag alone",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "A tag is moved whenever its image is rebuilt: two builds of one commit can differ, and "
        "whoever can push to the tag can change what runs. A digest names one image for good."
    ),
    fix_note=(
        "Appends the index digest (all platforms) and keeps the tag, so that update tools can "
        "refresh it. The digest goes into an ARG only if all its uses name this one image."
    ),
    routine_when="the reference is written out, or its ARG serves this image alone",
    review_when="the reference comes from an ARG that is used elsewhere too: the digest then "
    "follows the expansion and must be refreshed when the ARG changes",
    refused_when="no digest is known, or the flag that names the image is quoted or continued",
    references=(
        "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
        "https://github.com/opencontainers/image-spec/blob/main/image-index.md",
    ),
    equivalents=("checkov:CKV_K8S_43", "kubescape:C-0306"),
    examples=UNPINNED_IMAGE,
    phase=Phase.PIN,
)
