"""What a runner puts into `event.json`: GitHub's published examples, about the test's repository.

The examples' own names stay wherever nothing of the test takes their place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standin import render_pulls
from standin.gitstore import ZERO
from standin.render import Renderer

if TYPE_CHECKING:
    from standin.people import RepositoryHandle
    from standin.people_pulls import PullHandle

EXAMPLES = Path(__file__).parent / "contract" / "events"


def _example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_bytes())
    return found


def _renderer(on: RepositoryHandle) -> Renderer:
    return Renderer(on.world, on.hub.api_url, on.hub.server_url)


def _about(payload: dict[str, Any], on: RepositoryHandle, sender: str) -> dict[str, Any]:
    """The parts that all events have."""
    render = _renderer(on)
    payload.pop("organization", None)
    payload["repository"] = {**payload["repository"], **render.repository(on.it)}
    payload["sender"] = render.user(on.world.account(sender))
    return payload


def push(
    on: RepositoryHandle, *, branch: str | None = None, before: str = ZERO, by: str = "ann"
) -> dict[str, Any]:
    """A push to a branch, the default one if none is named."""
    name = branch or on.it.default_branch
    changed = {
        "ref": f"refs/heads/{name}",
        "before": before,
        "after": on.head(name),
        "created": before == ZERO,
        "deleted": False,
        "forced": False,
        "pusher": {"name": by, "email": on.world.account(by).email},
    }
    return _about(_example("push") | changed, on, by)


def pull_request(pull: PullHandle, action: str = "opened", *, before: str = ZERO) -> dict[str, Any]:
    """`opened`, `synchronize` or `closed`; from a fork if the pull request is."""
    home, it = pull.on.it, pull.it
    payload = _example(f"pull_request.{action}")
    shown = render_pulls.full(_renderer(pull.on), home, it)
    payload["number"] = it.number
    payload["pull_request"] = {**payload["pull_request"], **shown}
    if action == "synchronize":
        payload |= {"before": before, "after": it.head_sha}
    return _about(payload, pull.on, it.author.login)


def workflow_dispatch(
    on: RepositoryHandle, *, by: str = "ann", inputs: dict[str, str] | None = None
) -> dict[str, Any]:
    """Started by hand, on the default branch."""
    changed = {"ref": f"refs/heads/{on.it.default_branch}", "inputs": inputs}
    return _about(_example("workflow_dispatch") | changed, on, by)


def schedule(on: RepositoryHandle, cron: str = "17 4 * * 1") -> dict[str, Any]:
    """By the clock. No example is published: it has the repository, and the schedule."""
    example = {key: _example("workflow_dispatch")[key] for key in ("repository", "sender")}
    return _about({"schedule": cron, **example}, on, "github-actions[bot]")


def write(place: Path, payload: dict[str, Any]) -> Path:
    """The file that `GITHUB_EVENT_PATH` names."""
    place.write_text(json.dumps(payload, indent=2), "utf-8")
    return place
