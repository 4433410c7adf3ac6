"""renamed-image-repository: an image is fetched under a name that is not kept up any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.catalogue import renamed
from hardhull.images import parse_reference
from hardhull.model import (
    Finding,
    Fix,
    Level,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.project.references import Place
from hardhull.rules.images.more_examples import RENAMED_IMAGE_REPOSITORY
from hardhull.rules.images.pinning import rewritten
from hardhull.rules.images.published_examples import RENAMED_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "renamed-image-repository"


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """References whose very image has another name now."""
    if use.reference is None or use.built_here is not None or use.place is Place.SYNTAX:
        return
    new = renamed(use.reference.text)
    facts = context.facts.image(use.name) if use.name is not None else None
    if new is None or (facts is not None and facts.os == "windows"):
        return
    yield Finding(
        ID,
        use.path,
        use.where,
        use.span,
        f"the image is called {new} now; the old name gets no updates",
        Severity.LOW,
        Level.ROUTINE,
        use.name or "",
        (),
        use,
        new,
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Write the new name where the old one stands."""
    use: ImageUse = finding.subject
    if use.writer is not None:
        return Refusal(f"{use.writer}: the tag may be another one", use.path, use.span)
    old, new = _repositories(use)
    operation = rewritten(
        use, lambda text: text.replace(old, new, 1) if old in text else None, context
    )
    if isinstance(operation, Refusal):
        return operation
    return Fix((operation,), str(finding.plan), if_wrong="the image can't be pulled")


def _repositories(use: ImageUse) -> tuple[str, str]:
    """The repository as it is now and as it was renamed: `dotnet/core/aspnet`, `dotnet/aspnet`."""
    if use.reference is None:
        raise ValueError("found only where the reference is known")
    new = parse_reference(renamed(use.reference.text) or "")
    return use.reference.repository, new.repository if new is not None else ""


RULE = Rule(
    id=ID,
    title="An image is fetched under its former name",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.LOW,
    find=find,
    fix=fix,
    why=(
        "Microsoft moved the .NET images from `dotnet/core/*` to `dotnet/*`. Update tools and "
        "scanners follow the new name; the old one ends with .NET Core 3.1."
    ),
    fix_note=(
        "Replaces the repository's name and keeps the tag. Only tags that are the same image "
        "under both names are renamed: 2.1 and 3.1, but neither 2.2, 3.0 nor Docker Hub's images."
    ),
    routine_when="the name is written out, or in an ARG that serves this image alone",
    review_when="never: it is the same image",
    refused_when="the name comes from an ARG that is used elsewhere too, or a build sets the tag",
    references=("https://github.com/dotnet/dotnet-docker/issues/2375",),
    equivalents=(),
    examples=(*RENAMED_IMAGE_REPOSITORY, *RENAMED_IN_PROJECT),
)
