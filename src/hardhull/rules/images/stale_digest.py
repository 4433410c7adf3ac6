"""stale-digest: a pinned tag has moved, and the build still takes the image of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.facts.comparing import differences
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
from hardhull.rules.images.digest_examples import STALE_DIGEST
from hardhull.rules.images.pinning import is_to_refresh, rewritten
from hardhull.rules.images.published_examples import STALE_IN_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.facts.comparing import Difference
    from hardhull.facts.gather import Recorded
    from hardhull.images import Reference
    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "stale-digest"
_SHOWN = 19
_TOLD = 3
"""So many differences are told in a line; all of them are in the evidence."""


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """Pinned references whose tag has another digest now, and those that nothing can refresh."""
    reference = use.reference
    if reference is None or reference.digest is None:
        return
    if not is_to_refresh(use, context.project.workspace):
        return
    if reference.tag is None:
        if use.writer is None:
            yield _finding(
                use,
                "a digest without a tag: nothing says what would be newer; write the tag before it",
                Level.MANUAL,
                severity=Severity.LOW,
            )
        return
    old = context.facts.record(reference.exact)
    new = context.facts.record(reference.name)
    if new is None or new.digest == reference.digest:
        return
    told = _not_ours(use, reference, old, new)
    if told:
        yield _finding(use, told, Level.MANUAL)
        return
    found = differences(old, new) if old is not None else ()
    level = Level.REVIEW if any(one.look for one in found) else Level.ROUTINE
    evidence = tuple(one.text for one in found)
    unknown = _unknown(old, new)
    if unknown:
        level, evidence = Level.REVIEW, (*evidence, f"not checked: what changed in {unknown}")
    yield _finding(use, _moved(found, unknown), level, evidence, plan=found)


def _finding(
    use: ImageUse,
    message: str,
    level: Level,
    evidence: tuple[str, ...] = (),
    *,
    severity: Severity = Severity.MEDIUM,
    plan: tuple[Difference, ...] = (),
) -> Finding:
    return Finding(
        ID, use.path, use.where, use.span, message, severity, level, use.name or "", evidence, use,
        plan,
    )  # fmt: skip


def _not_ours(use: ImageUse, reference: Reference, old: Recorded | None, new: Recorded) -> str:
    """Why this is told and not changed; empty where it may be changed."""
    if use.writer is not None:
        return f"the tag has moved; {use.writer} writes this reference"
    if old is not None and old.gone is not None:
        return (
            f"its registry has no {reference.digest} any more: builds that pull it fail. The tag "
            f"is {new.digest} now; what changed can't be compared"
        )
    if old is not None and old.single and new.single is False:
        return (
            f"pinned to the image of one platform ({', '.join(old.platforms) or 'unknown'}), while "
            f"the tag is an index of {len(new.platforms)}: pin {new.digest} if all are meant"
        )
    return ""


def _unknown(old: Recorded | None, new: Recorded) -> str:
    """What can't be compared, for want of a config."""
    name = f"{new.digest[:_SHOWN]}…"
    if old is None or old.config is None:
        return f"{name}: nothing is recorded of the image it was pinned to"
    return f"{name}: its config is not recorded" if new.config is None else ""


def _moved(found: tuple[Difference, ...], unknown: str) -> str:
    if unknown:
        return "the tag has moved; it is not known what changed"
    if not found:
        return "the tag has moved: rebuilt, with nothing changed that is recorded"
    most = sorted(found, key=lambda one: not one.look)[:_TOLD]
    return f"the tag has moved: {'; '.join(one.text for one in most)}"


def fix(finding: Finding, context: Context) -> Fix | Refusal:
    """Replace the digest where it is written; nothing else."""
    use: ImageUse = finding.subject
    reference = use.reference
    new = context.facts.record(use.name or "")
    if reference is None or reference.digest is None or new is None:
        raise ValueError("found only where both digests are known")
    held = _held(new, context)
    if held:
        return Refusal(held, use.path, use.span)
    old = reference.digest

    def replaced(text: str) -> str | None:
        return text.replace(old, new.digest) if text.count(old) == 1 else None

    operation = rewritten(use, replaced, context)
    if isinstance(operation, Refusal):
        return operation
    found: tuple[Difference, ...] = finding.plan
    why = f" ({found[0].text})" if found else ""
    return Fix(
        (operation,),
        f"{use.text.partition('@')[0]}@{new.digest[:_SHOWN]}…{why}",
        finding.level,
        "what the new image does otherwise; the old digest is in the diff",
        tuple(f"{use.name}: {one.text}" for one in found if one.look),
    )


def _held(new: Recorded, context: Context) -> str:
    """Why the tag is not followed yet."""
    cooldown = context.settings.pin_cooldown
    match context.facts.seasoned(new, context.settings.cooldown):
        case True:
            return ""
        case False:
            return (
                f"the tag moved less than {cooldown} ago, which pin-cooldown asks for; a later run "
                "follows it"
            )
        case None:
            return (
                "it is not known how long the tag has had its digest: record it again after "
                f"{cooldown}, or set pin-cooldown: 0"
            )


RULE = Rule(
    id=ID,
    title="A pinned tag has moved on",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.MEDIUM,
    find=find,
    fix=fix,
    why=(
        "A digest keeps out what nobody looked at, and with it every fix of the distribution and "
        "the runtime. A pin that nobody refreshes is worse than none."
    ),
    fix_note=(
        "Replaces the digest by the one that the tag has now, and says what changed: versions, "
        "dates, user, command, variables, ports, size, platforms. Pins that Renovate or Dependabot "
        "keeps fresh are left to them (`pins: auto`), and a tag that moved is followed only after "
        "it stood still for `pin-cooldown`: by the recorded times, or where only one recording "
        "saw it, by the time that the image was made."
    ),
    routine_when="both images are recorded, and the new one is a later build of the same major "
    "version with the same platforms, user, command, ports and variables",
    review_when="a platform is lost, the user, command, working folder, ports or variables "
    "changed, a major version changed, the new image is older, or what changed is not recorded",
    refused_when="the tag moved within `pin-cooldown`, it is not known since when it has its "
    "digest, or the digest stands in an ARG that is used elsewhere too. Only told: a digest that "
    "the registry no longer has, one without a tag, and one of a single platform",
    references=(
        "https://github.com/dotnet/dotnet-docker/blob/main/documentation/supported-tags.md",
        "https://github.com/opencontainers/image-spec/blob/main/config.md",
    ),
    examples=(*STALE_DIGEST, *STALE_IN_PROJECT),
    phase=Phase.PIN,
)
