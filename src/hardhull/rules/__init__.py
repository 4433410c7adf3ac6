"""The catalogue of rules, in order of work: each needs what those before it do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.rules.images import unpinned_image
from hardhull.rules.ports import privileged_port
from hardhull.rules.privileges import privilege_escalation
from hardhull.rules.repository import stale_suppression
from hardhull.rules.user import image_runs_as_root

if TYPE_CHECKING:
    from hardhull.model import Rule

RULES: tuple[Rule, ...] = (
    privileged_port.RULE,
    image_runs_as_root.RULE,
    privilege_escalation.RULE,
    stale_suppression.RULE,
    unpinned_image.RULE,
)

BY_ID = {rule.id: rule for rule in RULES}
