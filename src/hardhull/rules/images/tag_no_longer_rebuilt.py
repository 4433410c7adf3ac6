"""tag-no-longer-rebuilt: a tag that looks alive, but has not been rebuilt for long."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from hardhull.facts.catalogue import TagState
from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.images.end_of_life_runtime import (
    ended_in_registry,
    facts_of,
    is_over,
    patch_of,
)
from hardhull.rules.images.more_examples import TAG_NO_LONGER_REBUILT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.facts.catalogue import ImageFacts
    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "tag-no-longer-rebuilt"
_EARLY = datetime.timedelta(days=60)
"""How long before its version's end a tag must have stopped for that to be news of its own."""


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """Floating tags of .NET images that stopped before their version did."""
    facts = facts_of(use, context.facts)
    if facts is None or patch_of(use) is not None:
        return
    over, said = is_over(facts, context.facts), ended_in_registry(use, context.facts)
    tag = use.reference.tag if use.reference is not None else None
    if facts.tag_state is TagState.FROZEN and facts.last_seen is not None:
        if over and not _stopped_early(facts):
            return
        message = f"the tag {tag} has not been rebuilt since {facts.last_seen}"
        evidence = f"the catalogue saw {use.name} last on {facts.last_seen}"
    elif said is not None and facts.end_of_life is not None and not over:
        message = f"the tag {tag} is out of support since {said}"
        evidence = f"its registry says so of the image that {use.name} names"
    else:
        return
    yield Finding(
        ID,
        use.path,
        use.where,
        use.span,
        message,
        Severity.MEDIUM,
        Level.MANUAL,
        use.name or "",
        (evidence,),
        use,
    )


def _stopped_early(facts: ImageFacts) -> bool:
    if facts.last_seen is None or facts.end_of_life is None:
        return False
    end = datetime.date.fromisoformat(facts.end_of_life)
    return datetime.date.fromisoformat(facts.last_seen) < end - _EARLY


RULE = Rule(
    id=ID,
    title="The tag is not rebuilt any more",
    concern="images",
    subject=SubjectKind.REFERENCE,
    severity=Severity.MEDIUM,
    find=find,
    fix=None,
    why=(
        "Some floating tags, such as `8.0-alpine-composite` and all of CBL-Mariner, can still be "
        "pulled although nobody rebuilds them: they keep the vulnerabilities of that day. It is "
        "known from the catalogue, and where Microsoft's registry was asked, from there."
    ),
    fix_note=(
        "Reported only: choose a tag of the same version that is rebuilt. Which one fits depends "
        "on the distribution the program was made for."
    ),
    routine_when="never: it is reported",
    review_when="never: it is reported",
    refused_when="never: it is reported",
    references=(
        "https://github.com/dotnet/dotnet-docker/blob/main/documentation/supported-tags.md",
    ),
    equivalents=(),
    examples=TAG_NO_LONGER_REBUILT,
)
