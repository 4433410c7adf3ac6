"""tag-no-longer-rebuilt: a tag that looks alive, but has not been rebuilt for long."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from hardhull.facts.catalogue import TagState
from hardhull.model import Finding, Level, Rule, Severity, SubjectKind
from hardhull.rules.images.end_of_life_runtime import facts_of, is_over
from hardhull.rules.images.more_examples import TAG_NO_LONGER_REBUILT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.facts.catalogue import ImageFacts
    from hardhull.project.context import Context
    from hardhull.project.references import ImageUse

ID = "tag-no-longer-rebuilt"
_ONE_PATCH = re.compile(r"\d+\.\d+\.\d")
_EARLY = datetime.timedelta(days=60)
"""How long before its version's end a tag must have stopped for that to be news of its own."""


def find(use: ImageUse, context: Context) -> Iterator[Finding]:
    """Floating tags of .NET images that stopped before their version did."""
    facts = facts_of(use, context)
    if facts is None or facts.tag_state is not TagState.FROZEN or facts.last_seen is None:
        return
    tag = use.reference.tag if use.reference is not None else None
    if _ONE_PATCH.match(tag or "") or (is_over(facts, context) and not _stopped_early(facts)):
        return
    yield Finding(
        ID,
        use.path,
        use.where,
        use.span,
        f"the tag {tag} has not been rebuilt since {facts.last_seen}",
        Severity.MEDIUM,
        Level.MANUAL,
        use.name or "",
        (f"the catalogue saw {use.name} last on {facts.last_seen}",),
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
        "pulled although nobody rebuilds them: they keep the vulnerabilities of that day."
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
