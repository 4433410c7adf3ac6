"""GraphQL's view of rulesets and of branch protection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin.connections import Connection, Leaf, connect
from standin.node_ids import node_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standin.state import Repository, Rule


def protection(home: Repository, pattern: str) -> Leaf:
    """A branch protection rule: GitHub has one for a pattern, with switches for each kind."""
    rules = {one.kind: one for one in home.rules if one.classic and one.branches == pattern}
    checks = rules["required_status_checks"].parameters if "required_status_checks" in rules else {}
    reviews = rules["pull_request"].parameters if "pull_request" in rules else {}
    count = int(reviews.get("required_approving_review_count", 0))
    return {
        "__typename": "BranchProtectionRule",
        "id": node_id("BPR", f"{home.id}:{pattern}"),
        "pattern": pattern,
        "requiresStatusChecks": "required_status_checks" in rules,
        "requiresStrictStatusChecks": bool(checks.get("strict_required_status_checks_policy")),
        "requiredStatusCheckContexts": _contexts(checks),
        "requiresCommitSignatures": "required_signatures" in rules,
        "requiresLinearHistory": "required_linear_history" in rules,
        "requiresApprovingReviews": count > 0,
        "requiredApprovingReviewCount": count,
        "allowsForcePushes": "non_fast_forward" not in rules,
        "allowsDeletions": "deletion" not in rules,
    }


def _contexts(parameters: Mapping[str, Any]) -> list[str]:
    return [one["context"] for one in parameters.get("required_status_checks", ())]


def ruleset(home: Repository, branches: str) -> Leaf:
    rules = [one for one in home.rules if one.branches == branches and not one.classic]

    def found(type: str | None = None, **page: Any) -> Connection:  # noqa: A002  the schema's
        chosen = [rule_node(one) for one in rules if type in {None, one.kind.upper()}]
        return connect(chosen, "rules", **page)

    return {
        "__typename": "RepositoryRuleset",
        "id": node_id("RRS", f"{home.id}:{branches}"),
        "name": f"rules of {branches}",
        "enforcement": "ACTIVE",
        "target": "BRANCH",
        "conditions": {"refName": {"include": [branches], "exclude": []}},
        "rules": found,
    }


def rule_node(rule: Rule) -> Leaf:
    given, parameters = rule.parameters, None
    match rule.kind:
        case "required_status_checks":
            parameters = {
                "__typename": "RequiredStatusChecksParameters",
                "strictRequiredStatusChecksPolicy": bool(
                    given.get("strict_required_status_checks_policy")
                ),
                "requiredStatusChecks": [
                    {"context": one, "integrationId": None} for one in _contexts(given)
                ],
            }
        case "pull_request":
            count = int(given.get("required_approving_review_count", 0))
            parameters = {
                "__typename": "PullRequestParameters",
                "requiredApprovingReviewCount": count,
            }
    return {"__typename": "RepositoryRule", "type": rule.kind.upper(), "parameters": parameters}
