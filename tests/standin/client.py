"""PyGithub as a client of the stand-in: no pauses, no second tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from github import Auth, Github

if TYPE_CHECKING:
    from standin import StandIn


def connect(hub: StandIn, token: str = "t", **more: Any) -> Github:  # noqa: S107  a test's
    """A client with this token, which is issued if it is not yet there."""
    if token not in hub.world.tokens:
        hub.token(token)
    given = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, **more}
    return Github(auth=Auth.Token(token), base_url=hub.api_url, **given)


def ask(client: Github, query: str, **variables: Any) -> Any:
    """The data of a GraphQL answer."""
    _, answer = client.requester.graphql_query(query, variables)
    return answer["data"]
