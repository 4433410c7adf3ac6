"""Commits made by GitHub's API, which signs them, and branches moved by compare-and-swap."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hardhull.pull_request.commits import with_state
from hardhull.pull_request.github import Moved
from hardhull.pull_request.refusals import Refused, advice

if TYPE_CHECKING:
    from hardhull.pull_request.commits import Plan
    from hardhull.pull_request.github import Answer, GitHub
    from hardhull.pull_request.seen import Seen

_UPDATE = "mutation($input:UpdateRefsInput!){updateRefs(input:$input){clientMutationId}}"
_NOT_FOUND = 404


class ApiBranches:
    """Objects by REST, branches by GraphQL's `updateRefs`; by REST where a server lacks that."""

    def __init__(self, github: GitHub, seen: Seen) -> None:
        self._github = github
        self._home = f"/repos/{seen.name}"
        self._id = seen.id
        self._zero = "0" * (len(seen.base.head) if seen.base is not None else 40)
        self.verified: bool | None = None

    def commit(self, plan: Plan) -> str:
        """Make all commits; nothing refers to them yet. Returns the last one's id."""
        for oid, data in plan.blobs.items():
            blob = {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
            stored = self._post("git/blobs", blob)["sha"]
            if stored != oid:
                raise Refused(f"GitHub stored other bytes than were sent ({oid[:7]}); not used")
        parent, tree = plan.parent, plan.tree
        for commit in plan.commits:
            entries = [
                {"path": file.path, "mode": file.mode, "type": "blob", "sha": file.oid}
                for file in commit.files
            ]
            tree = self._post("git/trees", {"base_tree": tree, "tree": entries})["sha"]
            # Without author and committer: only then GitHub signs what a bot commits.
            message = with_state(commit.message, tree, plan.content)
            made = self._post(
                "git/commits", {"message": message, "tree": tree, "parents": [parent]}
            )
            parent = made["sha"]
            signed = bool((made.get("verification") or {}).get("verified"))
            self.verified = signed if self.verified is None else self.verified and signed
        return parent

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        # Objects are named by their content: made twice they are the same.
        return self._github.write("POST", f"{self._home}/{what}", body, again=True).data

    def move(self, branch: str, expected: str | None, to: str) -> None:
        """Let a branch be at `to`, if it still is at `expected` (None: does not exist)."""
        update = {
            "name": f"refs/heads/{branch}",
            "beforeOid": expected or self._zero,
            "afterOid": to,
            "force": True,
        }
        given = {"input": {"repositoryId": self._id, "refUpdates": [update]}}
        answer = self._github.mutate(_UPDATE, given)
        if not answer.get("errors"):
            return
        if _not_to_be_had(answer):
            self._move_by_rest(branch, expected, to)
            return
        now = self._now(branch)
        if now == to or (now is None and to == self._zero):
            return
        if now != expected:
            raise Moved(branch)
        raise _clash(advice(422, answer), branch, expected)

    def delete(self, branch: str, expected: str) -> None:
        """Delete a branch, if it still is at `expected`."""
        self.move(branch, expected, self._zero)

    def _now(self, branch: str) -> str | None:
        path = f"{self._home}/git/ref/heads/{quote(branch)}"
        try:
            return str(self._github.read(path).data["object"]["sha"])
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise

    def _move_by_rest(self, branch: str, expected: str | None, to: str) -> None:
        """Without compare-and-swap: look right before, so that little time is left for others."""
        if self._now(branch) != expected:
            raise Moved(branch)
        path = f"{self._home}/git/refs/heads/{quote(branch)}"
        if to == self._zero:
            self._rest(branch, "DELETE", path, None)
        elif expected is None:
            body = {"ref": f"refs/heads/{branch}", "sha": to}
            self._rest(branch, "POST", f"{self._home}/git/refs", body)
        else:
            self._rest(branch, "PATCH", path, {"sha": to, "force": True})

    def _rest(self, branch: str, verb: str, path: str, body: Any) -> Answer:
        try:
            return self._github.write(verb, path, body)
        except Refused as refused:
            if "already exists" in refused.said.lower():
                raise Moved(branch) from None
            raise


def _not_to_be_had(answer: dict[str, Any]) -> bool:
    """Whether the server lacks the mutation, or does not offer it to this kind of token."""
    return any(
        "not accessible by" in str(error.get("message", ""))
        or (error.get("extensions") or {}).get("code") == "undefinedField"
        or "doesn't exist on type" in str(error.get("message", ""))
        for error in answer["errors"]
    )


def _clash(refused: Refused, branch: str, expected: str | None) -> Refused:
    if expected is None and "reference update failed" in refused.said.lower():
        return Refused(
            f"branch {branch} can't be made: its name clashes with another branch's; "
            "give another name",
            refused.status,
            refused.said,
        )
    return refused
