"""unpinned-image: a reference without a digest may mean another image tomorrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import (
    Finding,
    Fix,
    Level,
    Phase,
    Refusal,
    Rule,
    Severity,
    SubjectKind,
)
from hardhull.rules.images.examples import UNPINNED_IMAGE
from hardhull.rules.images.pinning import is_to_add, pinned
from hardhull.rules.images.published_examples import UNPINNED_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "unpinned-image"


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """References that name an image made elsewhere, by tag alone."""
    workspace = context.project.workspace
    if use.name is None and use.unsure and workspace.settings.pins.adds:
        yield _finding(use, Level.ROUTINE, "what image this is, hangs on MSBuild")
        return
    if use.name is None or not is_to_add(use, workspace):
        return
    level, message = Level.ROUTINE, "the tag may mean another image tomorrow"
    if use.writer is not None:
        level, message = Level.MANUAL, f"not pinned: {use.writer} writes this reference"
    elif context.facts.digest(use.name) is None and not (use.unsure or use.ignores_digest):
        message = "not pinned, and no digest is known for it"
    yield _finding(use, level, message)


def _finding(use: ImageUse, level: Level, message: str) -> Finding:
    what = use.name or use.text
    return Finding(
        ID, use.path, use.where, use.span, message, Severity.MEDIUM, level, what, (), use
    )


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Append the digest where the tag is written, the tag kept."""
    use: ImageUse = finding.subject
    if use.unsure or use.ignores_digest:
        return Refusal(use.unsure or use.ignores_digest, use.path, use.span)
    image = context.facts.record(use.name or "")
    if image is None:
        unknown = f"no digest of {use.name} is known; record it and give it with --digests FILE"
        return Refusal(context.facts.failure(use.name or "") or unknown, use.path, use.span)
    if context.facts.seasoned(image, context.settings.cooldown) is False:
        return Refusal(
            f"the image is younger than {context.settings.pin_cooldown}, which pin-cooldown asks "
            "for; a later run pins it",
            use.path,
            use.span,
        )
    placed = pinned(use, image.digest, context)
    if isinstance(placed, Refusal):
        return placed
    operations, level = placed
    return Fix(
        operations,
        f"{use.text}@{image.digest[:19]}…",
        level,
        "nothing: the tag is kept, and the digest is the one it has now",
    )


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
        "refresh it. The digest goes into an ARG only if all its uses name this one image, and into "
        "the `images` of a kustomization where that names the image: as `digest`, or behind the "
        "tag where Renovate updates it. Who keeps the digest fresh is said in the report. "
        "`ContainerBaseImage` of a project that the SDK publishes gets one where that SDK is "
        "certain to heed it: .NET 10, or a global.json at the root that asks for 9.0.200 or later."
    ),
    routine_when="the reference is written out, or its ARG serves this image alone",
    review_when="the reference comes from an ARG that is used elsewhere too: the digest then "
    "follows the expansion and must be refreshed when the ARG changes; or a kustomization left the "
    "tag to the manifests, and says it from now on",
    refused_when="no digest is known, the image is known to be younger than `pin-cooldown`, the "
    "flag that names it is quoted or continued, an overlay takes it from another registry, or, in a "
    "project, the SDK may be one that silently ignores digests, or the image hangs on a condition "
    "or a property",
    references=(
        "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
        "https://github.com/opencontainers/image-spec/blob/main/image-index.md",
    ),
    equivalents=("checkov:CKV_K8S_43", "kubescape:C-0306"),
    examples=(*UNPINNED_IMAGE, *UNPINNED_IN_PROJECT),
    phase=Phase.PIN,
)
