"""The places of a port in the projects of published images: each moves or refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.model import InsertElement, Operation, Refusal, SetAttribute, SetElementText
from hardhull.project.listeners import Decider, moved, ports_in
from hardhull.project.ports import listening
from hardhull.project.published import PORT, projects_of
from hardhull.project.published_ports import ports_of
from hardhull.rules.ports.moving import Moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hardhull.documents.msbuild import Element
    from hardhull.project.application import Application
    from hardhull.project.context import Context
    from hardhull.project.published import ImageSetting
    from hardhull.project.published_image import PublishedImage

_HTTP = 80
_VARIABLE = "ASPNETCORE_URLS"


def in_published(
    image: PublishedImage, context: Context, moves: Mapping[int, int]
) -> Iterator[Moved | Refusal]:
    """Ports and variables that the files of a project give to its image."""
    if image.settings.unseen:
        yield Refusal(image.settings.unseen, image.path)
    for one in image.ports:
        named = ports_of(one)
        if not any(port is None or port in moves for port in named):
            continue
        if one.doubt or None in named:
            reason = one.doubt or f"{one.name} names a port in a way that is not understood"
            yield Refusal(reason, one.path, one.span)
        elif len(projects_of(one.path, context.project.workspace.programs)) != 1:
            reason = "it sets the port for other projects too"
            yield Refusal(reason, one.path, one.span)
        else:
            yield _moved(one, image, moves)
    for one in image.start:
        if any(port in moves for _, port in ports_in("URLS", one.item or one.text)):
            yield Refusal("it is started on the old port", one.path, one.span)


def _moved(one: ImageSetting, image: PublishedImage, moves: Mapping[int, int]) -> Moved | Refusal:
    if one.name != PORT:
        return Moved((_with_value(one, moved(one.item, one.text, moves)),))
    written, slash, protocol = (one.item or one.text).partition("/")
    new = moves[int(written)]
    if any(other.name == PORT and new in ports_of(other) for other in image.ports):
        return Refusal(f"port {new} is declared too", one.path, one.span)
    text = f"{new}{slash}{protocol}"
    return Moved((_with_name(one, text),))


def _with_name(one: ImageSetting, text: str) -> Operation:
    """The item with another name; the property with another text."""
    for name in ("Include", "Update"):
        if one.element.attribute(name) is not None:
            return SetAttribute(one.path, one.element.index, name, text)
    return SetElementText(one.path, one.element.index, text)


def _with_value(one: ImageSetting, text: str) -> Operation:
    """The item with another value, in its attribute or in the element inside."""
    attribute = one.element.attribute("Value")
    if attribute is not None:
        return SetAttribute(one.path, one.element.index, attribute.name, text)
    inner = next(child for child in one.element.children if child.name.lower() == "value")
    return SetElementText(one.path, inner.index, text)


def announced(app: Application, moves: Mapping[int, int]) -> Iterator[Moved | Refusal]:
    """Below .NET 8 the base image says 80: the project must say otherwise, once."""
    image = app.image
    if image is None or _HTTP not in moves:
        return
    heard = [
        one for container in app.containers for one in listening(app, None, container).privileged
    ]
    if not any(one.decider is Decider.BASE for one in heard):
        return
    group = _group(image)
    if group is None:
        reason = (
            f"{image.base} listens on port {_HTTP}, and {image.path} has no ItemGroup about its "
            f"image: a ContainerEnvironmentVariable {_VARIABLE} there would say otherwise"
        )
        yield Refusal(reason, image.path)
        return
    value = (("Include", _VARIABLE), ("Value", f"http://+:{moves[_HTTP]}"))
    path, parent = group
    yield Moved((InsertElement(path, parent, "ContainerEnvironmentVariable", value),))


def _group(image: PublishedImage) -> tuple[str, int] | None:
    """The group of the project's own that holds what is certain of its image."""
    for one in reversed(image.settings.settings):
        if one.path != image.path or not one.item or one.doubt:
            continue
        parent: Element | None = next(iter(one.file.parents(one.element)), None)
        if parent is not None:
            return one.path, parent.index
    return None
