"""Today's image of a container that is built here: what the registry has under its tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.facts.kinds import BY_CONFIG
from hardhull.project.container import Platform
from hardhull.project.ports import PRIVILEGED, listening

if TYPE_CHECKING:
    from hardhull.facts.described import ImageConfig
    from hardhull.images import Reference
    from hardhull.project.container import Container
    from hardhull.project.context import Context
    from hardhull.project.link import Project
    from hardhull.project.ports import Listening


@dataclass(frozen=True, slots=True)
class TodaysImage:
    """The image that a manifest names, by its own config; `heard` is what it listens on there."""

    name: str
    config: ImageConfig
    heard: Listening

    @property
    def starts(self) -> str:
        """What a report says where nothing has to wait for another image."""
        return f"today's {self.name} also starts under the new manifest{BY_CONFIG}"

    @property
    def uid(self) -> int | None:
        """The number it starts as; None for a name other than root's."""
        user = self.config.user.partition(":")[0]
        if user in ("", "root"):
            return 0
        return int(user) if user.isascii() and user.isdecimal() else None

    @property
    def non_root_waits(self) -> str:
        """Why runAsNonRoot waits; empty if this image satisfies it."""
        if self.uid is None:
            what = f"runs as {self.config.user}, a name, which Kubernetes can't check"
            return self._waits(what, "an image whose user is a number")
        return self._waits("runs as root", "an image that does not") if self.uid == 0 else ""

    @property
    def low_ports(self) -> tuple[int, ...]:
        """Ports below 1024: those it listens on; if its variables are not known, it exposes."""
        known = {one.port for one in self.heard.listeners}
        if not known and self.config.environment is None:
            known = set(self.config.exposed)
        return tuple(sorted(port for port in known if port < PRIVILEGED))

    def capabilities_wait(self, *, own_user: bool) -> str:
        """Why dropping capabilities waits; with a user of the manifest's own, that one counts."""
        if self.uid == 0 and not own_user:
            return self._waits("runs as root", "an image that does not")
        if self.low_ports:
            what = f"listens on port {self.low_ports[0]}"
            return self._waits(what, f"an image that listens on {PRIVILEGED} or above")
        return ""

    def _waits(self, what: str, until: str) -> str:
        return f"today's {self.name} {what}{BY_CONFIG}; this waits until the tag names {until}"


def named_today(container: Container, project: Project) -> Reference | None:
    """The image that is pulled today for a container that runs what is built here.

    None without a tag that is written in a file, where something else writes the reference, and
    where Compose builds the image itself.
    """
    image = container.image
    if image is None or not project.makes(container):
        return None
    if container.platform is Platform.COMPOSE and container.cursor.get("build") is not None:
        return None
    reference = project.applied.image(image)
    named = reference is not None and (reference.tag or reference.digest)
    return reference if named else None


def todays_image(container: Container, context: Context) -> TodaysImage | None:
    """Today's image, where its config is recorded; None leaves the files to decide."""
    app = context.project.owner_of(container)
    reference = named_today(container, context.project)
    if reference is None or app is None:
        return None
    config = context.facts.own_config(reference.exact)
    if config is None or config.os == "windows":
        return None
    heard = listening(app, None, container, config)
    return TodaysImage(reference.text, config, heard)
