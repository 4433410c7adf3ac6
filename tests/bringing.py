"""A scene for the pull request: a stand-in GitHub, a repository with something to fix, a clone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hardhull.configuration.reading import load
from hardhull.facts.gather import Recorded
from hardhull.pull_request.bring import bring
from hardhull.pull_request.github import GitHub
from hardhull.pull_request.options import PullRequestOptions
from hardhull.rules import BY_ID
from hardhull.run import run

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hardhull.outcome import Outcome
    from hardhull.project.updaters import OpenUpdate
    from hardhull.pull_request.options import Brought
    from standin import PullHandle, RepositoryHandle, StandIn

DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish -o /out

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /out .
ENTRYPOINT ["dotnet", "Api.dll"]
"""
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      automountServiceAccountToken: false
      containers:
        - name: api
          image: acme.example/api:1.4.2
          ports:
            - containerPort: 8080
"""
FILES: Mapping[str, str] = {
    "src/Api/Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web" />\n',
    "src/Api/Program.cs": "WebApplication.Create().Run();\n",
    "src/Api/Dockerfile": DOCKERFILE,
    "deploy/api.yaml": MANIFEST,
}
DIGEST = "sha256:" + "ab" * 32
NAMES = ("mcr.microsoft.com/dotnet/sdk:10.0", "mcr.microsoft.com/dotnet/aspnet:10.0")
BOT = "github-actions[bot]"
OBJECTS = ["POST git/blobs", "POST git/trees", "POST git/commits"]
"""What one file in one commit takes."""
FIX = "          securityContext:\n            allowPrivilegeEscalation: false\n"
FIXED = MANIFEST.replace("          ports:\n", f"{FIX}          ports:\n")
"""The manifest after what the scene's only rule does."""
CREATE = [*OBJECTS, "updateRefs create hardhull", "POST pulls"]
REWRITE = [*OBJECTS, "PATCH pulls/1 body", "updateRefs move hardhull force"]
CLOSE = ["PATCH pulls/1 body state=closed", "POST issues/1/comments", "updateRefs delete hardhull"]
ESCALATION, SECCOMP, USER = "privilege-escalation", "missing-seccomp-profile", "image-runs-as-root"


def options(**more: Any) -> PullRequestOptions:
    """The defaults, for the repository of the scene."""
    return PullRequestOptions(**{"repository": "acme/shop", **more})


@dataclass
class Scene:
    """What a scenario acts on. `settings` is configuration; `digests` are what pins would get."""

    hub: StandIn
    repository: RepositoryHandle
    root: Path
    settings: str = ""
    select: tuple[str, ...] = (ESCALATION,)
    digests: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, Recorded] = field(default_factory=dict)
    known: dict[tuple[object, ...], Outcome] = field(default_factory=dict)
    checked_out: str | None = None

    @classmethod
    def make(
        cls, hub: StandIn, folder: Path, files: Mapping[str, str] = FILES, name: str = "shop"
    ) -> Scene:
        repository = hub.repository(f"acme/{name}", {**files})
        return cls(hub, repository, hub.clone(repository, folder / f"clone of {name}"))

    @property
    def today(self) -> datetime.date:
        return self.hub.clock.now.date()

    def produce(self, rejected: frozenset[str], updates: tuple[OpenUpdate, ...]) -> Outcome:
        """As a front door does it; the same question has the same answer."""
        digests = tuple(self.digests.items())
        key = (self.checked_out, self.settings, self.select, digests, rejected, updates)
        if key not in self.known or self.checked_out is None:
            self.known[key] = self._produce(rejected, updates)
        return self.known[key]

    def _produce(self, rejected: frozenset[str], updates: tuple[OpenUpdate, ...]) -> Outcome:
        settings = load(".github/hardhull.yml", self.settings, BY_ID)
        return run(
            self.root,
            settings.choosing(BY_ID, select=self.select),
            recorded={
                **self.recorded,
                **{name: Recorded(digest) for name, digest in self.digests.items()},
            },
            fixing=True,
            today=self.today,
            rejected=rejected,
            updates=updates,
        )

    def github(self, token: str = "ghs_t", wait: Callable[[float], None] | None = None) -> GitHub:  # noqa: S107  a test's
        if token not in self.hub.world.tokens:
            self.hub.token(token)
        return GitHub(
            token,
            self.hub.api_url,
            server_url=self.hub.server_url,
            graphql_url=self.hub.graphql_url,
            wait=wait or (lambda _: None),
        )

    def bring(self, *, token: str = "ghs_t", **more: Any) -> Brought:  # noqa: S107  a test's
        """One run of the bot on the newest commit of the default branch."""
        self.update()
        return self.bring_stale(token=token, **more)

    def bring_stale(self, *, token: str = "ghs_t", **more: Any) -> Brought:  # noqa: S107  a test's
        """One run on what was checked out before."""
        github = more.pop("github", None) or self.github(token)
        chosen = options(**{"repository": self.repository.name, **more})
        return bring(self.root, self.produce, github, chosen, today=self.today)

    def update(self) -> None:
        """Check out the newest commit of the default branch."""
        head = self.repository.head()
        if self.checked_out == head:
            return
        self.checked_out = head
        self._git("fetch", "-q", str(self.repository.it.store.path), "HEAD")
        self._git("reset", "-q", "--hard", "FETCH_HEAD")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def again(self, **more: Any) -> tuple[Brought, list[str]]:
        """Run once more; what was written then."""
        self.hub.forget()
        brought = self.bring(**more)
        return brought, self.hub.writes

    @property
    def pull(self) -> PullHandle:
        """The newest pull request."""
        return self.repository.pulls[max(self.repository.pulls)]
