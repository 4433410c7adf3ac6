"""public-base-image: an image is pulled from a public registry that has a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.mirrors import mirrored
from hardhull.model import (
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.rules.images.digest_examples import PUBLIC_BASE_IMAGE
from hardhull.rules.images.pinning import is_made_elsewhere, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "public-base-image"
_QUOTES = "\"'"


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """References to registries for which the configuration names a mirror."""
    if use.reference is None or not is_made_elsewhere(use, context.project.workspace):
        return
    name = mirrored(use.reference, context.settings.registries.mirrors)
    if name is None:
        return
    level, message = (
        Level.REVIEW,
        f"pulled from {use.reference.host}, whose mirror has it as {name}",
    )
    if use.writer is not None:
        level, message = Level.MANUAL, f"{message}; {use.writer} writes this reference"
    what = use.reference.name
    yield Finding(
        ID, use.path, use.where, use.span, message, Severity.LOW, level, what, (), use, name
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Write the mirror's name before tag and digest, which stay."""
    use: ImageUse = finding.subject
    if use.reference is None:
        raise ValueError("found only where the reference is known")
    old, new = use.reference.spelled, str(finding.plan)

    def renamed(text: str) -> str | None:
        quote = text[:1] if text[:1] in _QUOTES else ""
        rest = text[len(quote) :].removeprefix(old)
        found = text.startswith(quote + old) and rest[:1] in ("", ":", "@", *_QUOTES)
        return f"{quote}{new}{rest}" if found else None

    operation = rewritten(use, renamed, context)
    if isinstance(operation, Refusal):
        return operation
    host = new.partition("/")[0]
    return Fix(
        (operation,),
        new,
        Level.REVIEW,
        "the image can't be pulled",
        (f"not checked: that {host} has these images, and that builds and nodes may pull them",),
    )


RULE = Rule(
    id=ID,
    title="An image is pulled from a public registry that has a mirror",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "A registry of your own keeps what you pulled when the public one is slow, down, limits "
        "requests or removes an image, and is a place to scan and approve images."
    ),
    fix_note=(
        "Replaces host and repository by the name under `registries: {mirrors: …}`; tag and digest "
        "stay. What is known of the image still is, under its name on the mirror too. Off until "
        "it is enabled: mirrors alone are only where hardhull asks."
    ),
    routine_when="never: that the mirror holds the image was not checked",
    review_when="the name is written out, or in an ARG that serves this image alone",
    refused_when="the name is put together of several parts, or stands in an ARG that is used "
    "elsewhere too",
    references=("https://docs.docker.com/docker-hub/image-library/mirror/",),
    examples=PUBLIC_BASE_IMAGE,
    default=False,
)
