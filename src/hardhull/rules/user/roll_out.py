"""What happens to a pod whose containers must not run as root while today's image still runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardhull.model import Refusal
from hardhull.project.users import built_users, container_user, image_user_of
from hardhull.rules.finding import place
from hardhull.rules.rollout import image_first, waits_for_image
from hardhull.rules.todays_image import todays_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hardhull.project.context import Context
    from hardhull.project.kubernetes_container import KubernetesContainer
    from hardhull.rules.todays_image import TodaysImage


@dataclass(frozen=True, slots=True)
class RollOut:
    """What is to be said of a container; `doubts` are for a person to look at."""

    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def roll_out(container: KubernetesContainer, context: Context) -> RollOut | Refusal:
    """What today's image does under the new manifest, by its config, else by the first files."""
    doubts = tuple(_by_files(container, context))
    waiting = waits_for_image(container, context, doubts) or _waits_for_tag(container, context)
    if waiting:
        return Refusal(waiting, container.path, container.span)
    today = _known_today(container, context)
    if today is None:
        return RollOut(doubts=doubts)
    return RollOut((today.starts,), tuple(_other_number(today, container, context)))


def fits(container: KubernetesContainer, context: Context) -> bool:
    """Whether Kubernetes sees that it runs as a number other than 0."""
    user = container_user(container, context.project)
    return user.root is False and user.numeric


def joins(container: KubernetesContainer, context: Context) -> bool:
    """Whether what is required of its whole pod lets it start, now and with today's image."""
    return fits(container, context) and not _waits_for_tag(container, context)


def _known_today(container: KubernetesContainer, context: Context) -> TodaysImage | None:
    """Today's image, where its user counts: the manifest's own number holds for any image."""
    if container.user is not None and fits(container, context):
        return None
    return todays_image(container, context)


def _waits_for_tag(container: KubernetesContainer, context: Context) -> str:
    today = _known_today(container, context)
    return today.non_root_waits if today is not None else ""


def _by_files(container: KubernetesContainer, context: Context) -> Iterator[str]:
    """What today's published image, built from the files before any change, does under this."""
    setting = container.user
    if setting is not None and fits(container, context):
        return  # the manifest's own number holds for the old image too
    published = context.first.image_of(container) is not None
    for user in built_users(container, context.first):
        # To a published image whose user is a name the fix adds the number that it stands for.
        if user.root is False and (user.numeric or (published and user.uid)):
            continue
        if container.image is not None and container.image.text:
            yield image_first(container.platform, "today's image does not start under runAsNonRoot")
        yield from unchecked_volumes(container)


def _other_number(
    today: TodaysImage, container: KubernetesContainer, context: Context
) -> Iterator[str]:
    """Files on volumes belong to the number that made them."""
    if today.uid != image_user_of(container, context.project).uid:
        yield from unchecked_volumes(container)


def unchecked_volumes(container: KubernetesContainer) -> Iterator[str]:
    """Volumes whose files may belong to the user of before."""
    for mount in container.mounts:
        if mount.kind == "claim":
            yield f"not checked: who owns the files of the volume at {place(mount.cursor)}"
