"""REST: the repository itself, its settings, branches, rules, and what is uploaded to it."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from standin.routing import Answer, Call, route
from standin.state import Refused

REPO = "/repos/{owner}/{repo}"


@route("GET", REPO)
def get_repository(call: Call) -> Answer:
    return Answer(200, call.render.full_repository(call.require("metadata", "read")))


@route("GET", "/user")
def get_user(call: Call) -> Answer:
    if call.token.is_app:
        raise Refused(403, "Resource not accessible by integration")
    more: dict[str, Any] = dict.fromkeys(
        ("name", "company", "location", "email", "hireable", "bio", "twitter_username")
    )
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    stamps = dict.fromkeys(("created_at", "updated_at"), call.world.clock.stamp)
    user = call.render.user(call.token.account)
    return Answer(200, {**user, **more, "blog": None, **counts, **stamps})


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    rate = {"limit": 5000, "used": 1, "remaining": 4999, "reset": call.world.clock.seconds + 3600}
    return Answer(200, {"resources": {"core": rate, "search": rate, "graphql": rate}, "rate": rate})


@route("GET", f"{REPO}/collaborators/{{username}}/permission")
def collaborator_permission(call: Call) -> Answer:
    home = call.require("metadata", "read")
    login = call.params["username"]
    if login not in call.world.accounts:
        raise Refused(404, f"{login} is not a user")
    account = call.world.account(login)
    role = "admin" if login == home.owner.login else home.people.get(login, "none")
    if role == "none" and not home.private:
        role = "read"
    plain = {"maintain": "write", "triage": "read"}.get(role, role)
    return Answer(
        200,
        {
            "permission": plain,
            "role_name": role,
            "user": {**call.render.user(account), "role_name": role},
        },
    )


# -- branches and rules


@route("GET", f"{REPO}/branches")
def list_branches(call: Call) -> Answer:
    home = call.require("contents", "read")
    found = home.store.refs("refs/heads/")
    return call.page(
        [_branch(call, ref.removeprefix("refs/heads/"), oid) for ref, oid in found.items()]
    )


def _branch(call: Call, name: str, oid: str) -> dict[str, Any]:
    url = f"{call.render.api}/repos/{call.repository.full_name}"
    return {
        "name": name,
        "commit": {"sha": oid, "url": f"{url}/commits/{oid}"},
        "protected": any(call.repository.rules_for(name)),
    }


@route("GET", f"{REPO}/branches/{{branch}}")
def get_branch(call: Call) -> Answer:
    home, name = call.require("contents", "read"), call.params["branch"]
    oid = home.branch(name)
    if oid is None:
        raise Refused(404, "Branch not found")
    url = f"{call.render.api}{call.path}"
    return Answer(
        200,
        _branch(call, name, oid)
        | {
            "commit": call.render.commit(home, oid),
            "_links": {"self": url, "html": f"{call.render.web}/{home.full_name}/tree/{name}"},
            "protection": {"enabled": any(one.classic for one in home.rules_for(name))},
            "protection_url": f"{url}/protection",
        },
    )


@route("GET", f"{REPO}/branches/{{branch}}/protection")
def branch_protection(call: Call) -> Answer:
    home, name = call.require("administration", "read"), call.params["branch"]
    rules = {one.kind: one for one in home.rules_for(name) if one.classic}
    if not rules:
        raise Refused(404, "Branch not protected")
    url = f"{call.render.api}{call.path}"
    checks = rules.get("required_status_checks")
    contexts = [
        one["context"]
        for one in (checks.parameters if checks else {}).get("required_status_checks", ())
    ]
    answer: dict[str, Any] = {
        "url": url,
        "allow_force_pushes": {"enabled": "non_fast_forward" not in rules},
        "allow_deletions": {"enabled": "deletion" not in rules},
        "required_linear_history": {"enabled": "required_linear_history" in rules},
        "required_signatures": {
            "url": f"{url}/required_signatures",
            "enabled": "required_signatures" in rules,
        },
    }
    if checks:
        answer["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": bool(checks.parameters.get("strict_required_status_checks_policy")),
            "contexts": contexts,
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": one, "app_id": None} for one in contexts],
        }
    return Answer(200, answer)


@route("GET", f"{REPO}/rules/branches/{{branch}}")
def branch_rules(call: Call) -> Answer:
    home = call.require("metadata", "read")
    rules = [one for one in home.rules_for(call.params["branch"]) if not one.classic]
    return call.page(
        [
            {
                "type": one.kind,
                **({"parameters": dict(one.parameters)} if one.parameters else {}),
                "ruleset_source_type": "Repository",
                "ruleset_source": home.full_name,
                "ruleset_id": 1,
            }
            for one in rules
        ]
    )


@route("GET", f"{REPO}/rulesets")
def list_rulesets(call: Call) -> Answer:
    home = call.require("metadata", "read")
    found = []
    if any(not one.classic for one in home.rules):
        found.append(
            {
                "id": 1,
                "name": "rules",
                "target": "branch",
                "source_type": "Repository",
                "source": home.full_name,
                "enforcement": "active",
            }
        )
    return call.page(found)


# -- Actions, checks, code scanning


@route("GET", f"{REPO}/actions/permissions")
def actions_permissions(call: Call) -> Answer:
    home = call.require("administration", "read")
    return Answer(200, {"enabled": home.actions_enabled, "allowed_actions": "all"})


@route("GET", f"{REPO}/actions/permissions/workflow")
def workflow_permissions(call: Call) -> Answer:
    home = call.require("administration", "read")
    return Answer(
        200,
        {
            "default_workflow_permissions": home.default_workflow_permissions,
            "can_approve_pull_request_reviews": home.actions_may_open_pulls,
        },
    )


@route("POST", f"{REPO}/code-scanning/sarifs")
def upload_sarif(call: Call) -> Answer:
    home = call.require("security_events")
    try:
        sarif = json.loads(gzip.decompress(base64.b64decode(call.body["sarif"])))
    except (ValueError, OSError):
        raise Refused(400, "rejecting SARIF, as there was a problem unpacking it") from None
    if home.store.kind(call.body["commit_sha"]) != "commit":
        raise Refused(422, f"commit not found: {call.body['commit_sha']}")
    home.sarifs.append({**call.body, "sarif": sarif})
    number = f"00000000-0000-0000-0000-{len(home.sarifs):012}"
    url = f"{call.render.api}{call.path}/{number}"
    return Answer(202, {"id": number, "url": url})
