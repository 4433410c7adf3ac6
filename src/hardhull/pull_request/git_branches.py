"""Commits made by git and pushed with a lease: for tokens whose commits GitHub does not sign.

Nothing is done in the checkout: a repository of our own, bare and empty, borrows its objects. So
no hook, filter or configuration of the checkout has a say. The token is in the environment of the
one process that pushes, in no file, address or message.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hardhull import writing
from hardhull.pull_request.commits import with_state
from hardhull.pull_request.github import Moved, Uncertain
from hardhull.pull_request.refusals import Refused, advice

if TYPE_CHECKING:
    from hardhull.pull_request.commits import Commit, Plan
    from hardhull.pull_request.github import GitHub
    from hardhull.pull_request.seen import Seen

_STALE = ("stale info", "fetch first", "non-fast-forward", "cannot lock ref", "already exists")
_LOST = ("could not resolve host", "connection", "timed out", "remote end hung up", "error: 5")


class GitBranches:
    """A repository for the length of a run; `close` removes it."""

    def __init__(self, github: GitHub, seen: Seen, root: Path) -> None:
        self._github = github
        self._seen = seen
        self._folder = tempfile.TemporaryDirectory(prefix="hardhull-")
        self._git = self._make(root)
        self.verified: bool | None = None

    def _make(self, root: Path) -> Any:
        import git  # noqa: PLC0415  takes 70 ms

        bare = Path(self._folder.name) / "git"
        environment = _environment()
        made = git.Git(self._folder.name)
        made.update_environment(**environment)
        made.init("--bare", "--quiet", "--template=", str(bare))
        objects = writing.git(root, "rev-parse", "--git-path", "objects")
        shallow = writing.git(root, "rev-parse", "--git-path", "shallow")
        place = (root / os.fsdecode(objects or b"").strip("\n")).resolve()
        (bare / "objects" / "info" / "alternates").write_text(f"{place}\n", encoding="utf-8")
        boundary = root / os.fsdecode(shallow or b"").strip("\n")
        if shallow is not None and boundary.is_file():
            (bare / "shallow").write_bytes(boundary.read_bytes())
        own = git.Git(str(bare))
        own.update_environment(**environment, GIT_DIR=str(bare))
        return own

    def close(self) -> None:
        """Remove what was made here."""
        self._folder.cleanup()

    def commit(self, plan: Plan) -> str:
        """Make all commits; nothing refers to them yet. Returns the last one's id."""
        for oid, data in plan.blobs.items():
            if self._write_blob(data) != oid:
                raise Refused(f"git stored other bytes than were given ({oid[:7]}); not used")
        parent = plan.parent
        self._git.read_tree(plan.tree, index_output=str(Path(self._folder.name) / "git" / "index"))
        for commit in plan.commits:
            parent = self._commit(commit, plan, parent)
        self.verified = False
        return parent

    def _write_blob(self, data: bytes) -> str:
        place = Path(self._folder.name) / "blob"
        place.write_bytes(data)
        return str(self._git.hash_object("-w", "--no-filters", "--", str(place)))

    def _commit(self, commit: Commit, plan: Plan, parent: str) -> str:
        for file in commit.files:
            self._git.update_index("--add", "--cacheinfo", f"{file.mode},{file.oid},{file.path}")
        tree = str(self._git.write_tree())
        message = Path(self._folder.name) / "message"
        message.write_text(with_state(commit.message, tree, plan.content), encoding="utf-8")
        name = self._seen.viewer
        number = f"{self._seen.viewer_id}+" if self._seen.viewer_id else ""
        host = urlsplit(self._github.server_url).hostname or "github.com"
        email = f"{number}{name}@users.noreply.{host}"
        with self._git.custom_environment(
            GIT_AUTHOR_NAME=name,
            GIT_AUTHOR_EMAIL=email,
            GIT_COMMITTER_NAME=name,
            GIT_COMMITTER_EMAIL=email,
        ):
            return str(self._git.commit_tree(tree, "-p", parent, "-F", str(message)))

    def move(self, branch: str, expected: str | None, to: str) -> None:
        """Push `to` to a branch, if it still is at `expected` (None: does not exist)."""
        self._push(branch, expected, f"{to}:refs/heads/{branch}")

    def delete(self, branch: str, expected: str) -> None:
        """Delete a branch, if it still is at `expected`."""
        self._push(branch, expected, f":refs/heads/{branch}")

    def _push(self, branch: str, expected: str | None, refspec: str) -> None:
        import git  # noqa: PLC0415  as above

        url = f"{self._github.server_url}/{self._seen.name}.git"
        lease = f"--force-with-lease=refs/heads/{branch}:{expected or ''}"
        self._github.count_push()
        try:
            with self._git.custom_environment(**self._credentials(url)):
                self._git.push("--porcelain", "--no-verify", lease, url, refspec)
        except git.GitCommandError as error:
            said = f"{error.stdout}\n{error.stderr}".replace(self._github.token, "***")
            lowered = said.lower()
            if any(text in lowered for text in _STALE):
                raise Moved(branch) from None
            if any(text in lowered for text in _LOST):
                raise Uncertain(f"push of {branch}") from None
            raise _refusal(said) from None

    def _credentials(self, url: str) -> dict[str, str]:
        """The token as configuration in the environment; the first, empty value drops others."""
        basic = base64.b64encode(f"x-access-token:{self._github.token}".encode()).decode("ascii")
        key = f"http.{url}.extraheader"
        values = ((key, ""), (key, f"AUTHORIZATION: basic {basic}"), ("credential.helper", ""))
        count = len(_SAFE)
        given = {"GIT_CONFIG_COUNT": str(count + len(values))}
        for index, (name, value) in enumerate(values, count):
            given |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
        return given


_SAFE = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.autocrlf", "false"),
    ("protocol.allow", "never"),
    ("protocol.https.allow", "always"),
    ("protocol.http.allow", "always"),
    ("http.followRedirects", "false"),
    ("commit.gpgSign", "false"),
    ("gc.auto", "0"),
)


def _environment() -> dict[str, str]:
    """Settings of ours alone: neither the machine's, nor the user's, nor the repository's."""
    given = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": str(len(_SAFE)),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ASKPASS": "",
        "LC_ALL": "C",
    }
    for index, (name, value) in enumerate(_SAFE):
        given |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
    return given


def _refusal(said: str) -> Refused:
    if "403" in said or "permission to" in said.lower():
        return Refused("the token may not push here: give it Contents: write", 403, said)
    if "401" in said or "authentication failed" in said.lower():
        return Refused("the token is not valid (any more): give another in GITHUB_TOKEN", 401, said)
    return advice(422, {"message": said})
