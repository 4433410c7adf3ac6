"""A GitHub of the tests' own: REST, GraphQL and git over HTTP, on real bare repositories.

    with StandIn.start(tmp_path) as hub:
        shop = hub.repository("acme/shop", {"Dockerfile": "FROM scratch\\n"})
        token = hub.token("ghs_1", permissions={"contents": "write", "pull_requests": "write"})
        …                                   # what is tested talks to hub.api_url
        shop.pulls[1].close(by="ann")
        assert hub.writes == ["POST git/blobs", …]

What it knows of GitHub, and from where, is in `contract/README.md`.
"""

from standin.faults import Fault
from standin.hub import WORKFLOW, StandIn
from standin.people import RepositoryHandle
from standin.people_pulls import PullHandle
from standin.requests_seen import Seen
from standin.state import Refused, TokenKind

__all__ = [
    "WORKFLOW",
    "Fault",
    "PullHandle",
    "Refused",
    "RepositoryHandle",
    "Seen",
    "StandIn",
    "TokenKind",
]
