"""One GraphQL query for everything a decision needs, and its answer as frozen values.

Fields of protections and rulesets are asked for apart: servers that don't know them, and tokens
that may not see them, get the rest all the same.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from hardhull.project.updaters import OpenUpdate
from hardhull.pull_request.seen import (
    GITHUB_ITSELF,
    Command,
    Seen,
    SeenBase,
    SeenBranch,
    SeenCommit,
    SeenPull,
    Standing,
)
from hardhull.pull_request.steps import FAREWELL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BRANCH_PREFIX = "refs/heads/"
_COMMAND = re.compile(r"^/hardhull (regenerate|retry)[ \t]*$", re.MULTILINE)
_UPDATERS = {
    "renovate/": "Renovate",
    "dependabot/docker/": "Dependabot",
    "dependabot/docker_compose/": "Dependabot",
}
_COMMIT = "oid message tree{oid} parents(first:2){nodes{oid}} committer{user{login} name}"
_EVENTS = (
    "CLOSED_EVENT,REOPENED_EVENT,LABELED_EVENT,UNLABELED_EVENT,READY_FOR_REVIEW_EVENT,"
    "CONVERT_TO_DRAFT_EVENT,RENAMED_TITLE_EVENT,ASSIGNED_EVENT,REVIEW_REQUESTED_EVENT"
)
_DATED = "... on {0}{{actor{{__typename login}} createdAt}}"
_KINDS = ("ClosedEvent", "ReopenedEvent", "LabeledEvent", "UnlabeledEvent", "ReadyForReviewEvent",
          "ConvertToDraftEvent", "RenamedTitleEvent", "AssignedEvent",
          "ReviewRequestedEvent")  # fmt: skip
_PULL = f"""number url state title body createdAt closedAt mergedAt viewerDidAuthor
isCrossRepository baseRefName headRefName headRefOid mergeable reviewDecision
autoMergeRequest{{enabledAt}} labels(first:50){{nodes{{name}}}}
commits(last:60){{totalCount nodes{{commit{{{_COMMIT}}}}}}}
userContentEdits(first:50){{nodes{{editedAt editor{{__typename login}}}}}}
comments(last:20){{nodes{{author{{__typename login}} viewerDidAuthor createdAt body}}}}
reviews(last:20){{nodes{{author{{__typename login}} state createdAt}}}}
timelineItems(last:60, itemTypes:[{_EVENTS}]){{nodes{{__typename {
    " ".join(_DATED.format(kind) for kind in _KINDS)
}}}}}"""
_QUEUE = "isInMergeQueue"
_RULES = """branchProtectionRule{requiresStatusChecks requiresStrictStatusChecks}
refUpdateRule{requiredStatusCheckContexts}
rules(first:100){nodes{type parameters{... on RequiredStatusChecksParameters{
strictRequiredStatusChecksPolicy}}}}"""


def query(branches: Sequence[str], *, base: str | None, full: bool) -> tuple[str, dict[str, Any]]:
    """The query for these branches and their pull requests, and its variables.

    Not `full` leaves out what servers of some years ago don't have.
    """
    declared = ["$owner:String!", "$name:String!", "$like:String!"]
    variables: dict[str, Any] = {"like": branches[0]}
    pull = f"{_PULL} {_QUEUE if full else ''}"
    rules = _RULES if full else ""
    parts = []
    for index, branch in enumerate(branches):
        declared += [f"$q{index}:String!", f"$b{index}:String!"]
        variables |= {f"q{index}": BRANCH_PREFIX + branch, f"b{index}": branch}
        parts.append(
            f"r{index}:ref(qualifiedName:$q{index}){{target{{oid ... on Commit{{"
            f"history(first:30){{nodes{{{_COMMIT}}}}}}}}}}}\n"
            f"p{index}:pullRequests(headRefName:$b{index}, first:15, "
            f"orderBy:{{field:CREATED_AT, direction:DESC}}){{nodes{{{pull}}}}}"
        )
    head = f"name target{{oid}} {rules}"
    asked = f"defaultBranchRef{{{head if base is None else 'name'}}}"
    if base is not None:
        declared.append("$base:String!")
        variables["base"] = BRANCH_PREFIX + base
        asked += f" base:ref(qualifiedName:$base){{{head}}}"
    text = f"""query({", ".join(declared)}){{
viewer{{login databaseId}}
repository(owner:$owner, name:$name){{
id nameWithOwner isArchived isDisabled isLocked isMirror isEmpty {asked}
refs(refPrefix:"{BRANCH_PREFIX}", query:$like, first:100){{nodes{{name}}}}
open:pullRequests(states:OPEN, first:60, orderBy:{{field:UPDATED_AT, direction:DESC}}){{
nodes{{number title headRefName isCrossRepository author{{__typename login}}
files(first:50){{totalCount nodes{{path}}}}}}}}
{chr(10).join(parts)}
}}}}"""
    return text, variables


def blobs_query(commits: Iterable[str], paths: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """A query for the ids that files have in several commits; aliases are `c0_0`, …."""
    wanted = list(paths)
    declared, variables, parts = ["$owner:String!", "$name:String!"], {}, []
    for at, commit in enumerate(commits):
        for index, path in enumerate(wanted):
            declared.append(f"$c{at}_{index}:String!")
            variables[f"c{at}_{index}"] = f"{commit}:{path}"
            parts.append(f"c{at}_{index}:object(expression:$c{at}_{index}){{oid}}")
    text = (
        f"query({', '.join(declared)}){{repository(owner:$owner, name:$name){{{' '.join(parts)}}}}}"
    )
    return text, variables


# ---------------------------------------------------------------- the answer


def read(data: Mapping[str, Any], branches: Sequence[str]) -> Seen:
    """Make values of an answer. Fields that the token may not see count as not set."""
    home = data["repository"]
    base = home["base"] if "base" in home else home.get("defaultBranchRef")
    pulls: list[SeenPull] = []
    heads: dict[str, SeenBranch] = {}
    viewer = data["viewer"]["login"]
    for index, branch in enumerate(branches):
        target = (home.get(f"r{index}") or {}).get("target") or {}
        if target.get("oid"):
            history = tuple(_commit(one) for one in _nodes(target.get("history")))
            heads[branch] = SeenBranch(target["oid"], history)
        found = _nodes(home.get(f"p{index}"))
        pulls += [_pull(one, viewer) for one in found if not one["isCrossRepository"]]
    return Seen(
        id=home["id"],
        name=home["nameWithOwner"],
        viewer=viewer,
        viewer_id=data["viewer"].get("databaseId"),
        base=_base(base) if base is not None else None,
        unusable=_unusable(home),
        branches=heads,
        pulls=tuple(sorted(pulls, key=lambda pull: -pull.number)),
        names=tuple(sorted(one["name"] for one in _nodes(home.get("refs")))),
        updates=_updates(home),
    )


def _nodes(connection: Mapping[str, Any] | None) -> list[Any]:
    return [one for one in (connection or {}).get("nodes") or [] if one is not None]


def _unusable(home: Mapping[str, Any]) -> str:
    for name, reason in (
        ("isArchived", "is archived"),
        ("isDisabled", "is disabled"),
        ("isLocked", "is locked, for a migration or billing"),
        ("isMirror", "is a mirror: its source is elsewhere"),
        ("isEmpty", "is empty"),
    ):
        if home.get(name):
            return f"the repository {reason}; there is nothing to do"
    return ""


def _base(ref: Mapping[str, Any]) -> SeenBase:
    classic, seen = ref.get("branchProtectionRule") or {}, ref.get("refUpdateRule") or {}
    rules = [one for one in _nodes(ref.get("rules")) if one["type"] == "REQUIRED_STATUS_CHECKS"]
    strict = any((one.get("parameters") or {}).get("strictRequiredStatusChecksPolicy")
                 for one in rules)  # fmt: skip
    return SeenBase(
        ref["name"],
        ref["target"]["oid"],
        strict=strict or bool(classic.get("requiresStrictStatusChecks")),
        needs_checks=bool(rules)
        or bool(classic.get("requiresStatusChecks"))
        or bool(seen.get("requiredStatusCheckContexts")),
    )


def _updates(home: Mapping[str, Any]) -> tuple[OpenUpdate, ...]:
    found = []
    for one in _nodes(home.get("open")):
        branch = one["headRefName"]
        tool = next((name for start, name in _UPDATERS.items() if branch.startswith(start)), None)
        is_bot = (one["author"] or {}).get("__typename") == "Bot"
        if tool is None or one["isCrossRepository"] or not is_bot:
            continue
        files = one.get("files") or {}
        paths = frozenset(file["path"] for file in _nodes(files))
        whole = files.get("totalCount") == len(paths)
        found.append(
            OpenUpdate(tool, one["number"], one["title"], branch, paths if whole else None)
        )
    return tuple(sorted(found, key=lambda one: one.number))


def _commit(node: Mapping[str, Any]) -> SeenCommit:
    committer = node.get("committer") or {}
    user = (committer.get("user") or {}).get("login") or ""
    name = committer.get("name") or ""  # of bots there is nothing else
    return SeenCommit(
        node["oid"],
        node["tree"]["oid"],
        node["message"],
        tuple(parent["oid"] for parent in _nodes(node.get("parents"))),
        user or (GITHUB_ITSELF if name == "GitHub" else name),
    )


def _date(text: str | None) -> datetime.date | None:
    return datetime.datetime.fromisoformat(text).date() if text else None


def _day(text: str) -> datetime.date:
    return datetime.datetime.fromisoformat(text).date()


def _pull(node: Mapping[str, Any], viewer: str) -> SeenPull:
    created = _day(node["createdAt"])
    events = _nodes(node.get("timelineItems"))
    comments, reviews = _nodes(node.get("comments")), _nodes(node.get("reviews"))
    signs = [_day(one["createdAt"]) for one in events if _is_person(one.get("actor"), viewer)]
    signs += [
        _day(one["createdAt"]) for one in (*comments, *reviews) if _is_person(one["author"], viewer)
    ]
    edits = _nodes(node.get("userContentEdits"))
    signs += [_day(one["editedAt"]) for one in edits if _is_person(one.get("editor"), viewer)]
    closes = [one for one in events if one["__typename"] == "ClosedEvent"]
    closer = (closes[-1].get("actor") or {}) if closes else {}
    commits = node.get("commits") or {}
    set_up = {"LabeledEvent", "UnlabeledEvent", "ReviewRequestedEvent"}
    return SeenPull(
        number=node["number"],
        url=node["url"],
        branch=node["headRefName"],
        base=node["baseRefName"],
        head=node["headRefOid"],
        title=node["title"],
        body=node["body"] or "",
        standing=Standing(node["state"].lower()),
        ours=bool(node["viewerDidAuthor"]),
        created=created,
        last_sign=max([created, *signs]),
        commits=tuple(_commit(one["commit"]) for one in _nodes(commits)),
        commit_count=commits.get("totalCount") or 0,
        closed=_date(node.get("mergedAt") or node.get("closedAt")),
        by_machine=closer.get("__typename") == "Bot",
        conflicting=node.get("mergeable") == "CONFLICTING",
        approved=node.get("reviewDecision") == "APPROVED"
        or any(one["state"] == "APPROVED" for one in reviews),
        auto_merge=node.get("autoMergeRequest") is not None,
        in_queue=bool(node.get("isInMergeQueue")),
        labels=frozenset(one["name"] for one in _nodes(node.get("labels"))),
        set_up=any(one["__typename"] in set_up for one in events),
        commands=tuple(_commands(comments)),
        farewell=any(one["viewerDidAuthor"] and FAREWELL in one["body"] for one in comments),
    )


def _commands(comments: Iterable[Mapping[str, Any]]) -> Iterable[Command]:
    for one in comments:
        found = _COMMAND.search(one["body"].replace("\r\n", "\n"))
        author = one["author"] or {}
        if found is not None and author.get("__typename") == "User":
            when = datetime.datetime.fromisoformat(one["createdAt"])
            yield Command(int(when.timestamp()), author["login"], found[1])


def _is_person(actor: Mapping[str, Any] | None, viewer: str) -> bool:
    actor = actor or {}
    return actor.get("__typename") == "User" and actor.get("login") != viewer
