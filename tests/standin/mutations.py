"""GraphQL's mutations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standin import nodes_said, policy, pulls, refs
from standin.gitstore import ZERO
from standin.node_ids import node_id, parse_node_id
from standin.nodes import Query, RepositoryNode
from standin.nodes_git import RefNode
from standin.nodes_pulls import PullNode
from standin.state import Refused

if TYPE_CHECKING:
    from standin.nodes import View
    from standin.state import Repository


@dataclass(frozen=True)
class Payload:
    client_mutation_id: str | None
    ref: Any = None
    pull_request: Any = None
    minimized_comment: Any = None
    actor: Any = None


class Mutation:
    """The roots of mutations."""

    def __init__(self, view: View) -> None:
        self.view = view

    def _repository(self, given: str) -> Repository:
        found = Query(self.view).find(given)
        if not isinstance(found, RepositoryNode):
            raise Refused(404, f"Could not resolve to a node with the global id of '{given}'.")
        return found.home

    def _pull(self, given: str, *, writes: bool = True) -> PullNode:
        found = Query(self.view).find(given)
        if not isinstance(found, PullNode):
            raise Refused(404, f"Could not resolve to a node with the global id of '{given}'.")
        if writes:
            policy.require(self.view.token, found.home, "pull_requests")
        return found

    def update_refs(self, input: dict[str, Any]) -> Payload:  # noqa: A002  the schema's name
        home = self._repository(input["repositoryId"])
        wanted = [
            refs.Wanted(one["name"], one["afterOid"], one.get("beforeOid"), one.get("force", False))
            for one in input["refUpdates"]
        ]
        refs.move_refs(self.view.world, home, self.view.token, wanted)
        return Payload(input.get("clientMutationId"))

    def create_ref(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        home, name = self._repository(input["repositoryId"]), input["name"]
        if home.store.ref(name) is not None:
            raise Refused(422, f'A ref named "{name}" already exists in the repository.')
        if home.store.clashes(name):
            raise Refused(422, "Ref cannot be created.")
        wanted = [refs.Wanted(name, input["oid"], ZERO)]
        refs.move_refs(self.view.world, home, self.view.token, wanted)
        return Payload(input.get("clientMutationId"), ref=RefNode(self.view, home, name))

    def _ref(self, given: str) -> tuple[Repository, str]:
        kind, number = parse_node_id(given) or ("", "")
        repository, _, name = number.partition(":")
        for home in self.view.world.repositories.values():
            if kind == "REF" and str(home.id) == repository and home.store.ref(name):
                return home, name
        raise Refused(404, f"Could not resolve to a node with the global id of '{given}'.")

    def update_ref(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        home, name = self._ref(input["refId"])
        wanted = [refs.Wanted(name, input["oid"], None, input.get("force", False))]
        refs.move_refs(self.view.world, home, self.view.token, wanted)
        return Payload(input.get("clientMutationId"), ref=RefNode(self.view, home, name))

    def delete_ref(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        home, name = self._ref(input["refId"])
        refs.move_refs(self.view.world, home, self.view.token, [refs.Wanted(name, ZERO)])
        return Payload(input.get("clientMutationId"))

    # -- pull requests

    def convert_pull_request_to_draft(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        node = self._pull(input["pullRequestId"])
        if not node.pull.draft:
            node.pull.draft = True
            self.view.world.event(node.pull, "ConvertToDraftEvent", self.view.token.account)
        return Payload(input.get("clientMutationId"), pull_request=node)

    def mark_pull_request_ready_for_review(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        node = self._pull(input["pullRequestId"])
        if node.pull.draft:
            node.pull.draft = False
            self.view.world.event(node.pull, "ReadyForReviewEvent", self.view.token.account)
        return Payload(input.get("clientMutationId"), pull_request=node)

    def close_pull_request(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        node = self._pull(input["pullRequestId"])
        pulls.close(self.view.world, node.home, node.pull, self.view.token.account)
        return Payload(input.get("clientMutationId"), pull_request=node)

    def reopen_pull_request(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        node = self._pull(input["pullRequestId"])
        try:
            pulls.reopen(self.view.world, node.home, node.pull, self.view.token.account)
        except Refused as refused:
            said = refused.errors[0]["message"] if refused.errors else refused.message
            raise Refused(422, f"Could not open the pull request: {said}") from None
        return Payload(input.get("clientMutationId"), pull_request=node)

    def disable_pull_request_auto_merge(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        node = self._pull(input["pullRequestId"])
        node.pull.auto_merge = None
        actor = self.view.token.account
        self.view.world.event(node.pull, "AutoMergeDisabledEvent", actor)
        return Payload(input.get("clientMutationId"), pull_request=node)

    def minimize_comment(self, input: dict[str, Any]) -> Payload:  # noqa: A002
        for home in self.view.world.repositories.values():
            for pull in home.pulls.values():
                for comment in pull.comments:
                    if node_id("IC", comment.id) == input["subjectId"]:
                        policy.require(self.view.token, home, "pull_requests")
                        comment.minimized = input["classifier"].lower()
                        node = nodes_said.comment(self.view, home, pull, comment)
                        return Payload(input.get("clientMutationId"), minimized_comment=node)
        raise Refused(
            404, f"Could not resolve to a node with the global id of '{input['subjectId']}'."
        )
