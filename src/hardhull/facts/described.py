"""What a registry's image config says of a .NET image: it wins over what the catalogue knows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hardhull.facts.kinds import ImageFacts
from hardhull.facts.manifests import variables
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORT_VARIABLES: Final = ("ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS")
_PORT: Final = re.compile(r"(?:http://[^:;]*:)?(\d{1,5})\b")
_VERSION: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\b")
_VERSIONED_BY: Final = ("ASPNET_VERSION", "DOTNET_VERSION", "DOTNET_SDK_VERSION")


def described(name: str, config: Mapping[str, Any], known: ImageFacts | None) -> ImageFacts | None:
    """The facts of an image whose config was read; None if it is not seen to be a .NET image.

    What a config does not say (the distribution, its tools) is that of the catalogue, where the
    catalogue knows the image, else unknown.
    """
    environment = variables(config)
    facts = known or _unknown_image(name, environment)
    if facts is None:
        return None
    if "Env" in config:  # every image has a PATH: a config without variables leaves them out
        facts = _with_variables(facts, environment)
    user = str(config.get("User") or "root").partition(":")[0] or "root"
    return replace(
        facts,
        os=config.get("os") or facts.os,
        user=user,
        user_uid=_uid(user, facts.app_uid, known),
        entrypoint=tuple(config.get("Entrypoint") or ()) or None,
        cmd=tuple(config.get("Cmd") or ()) or None,
        by_class=False,
        by_config=True,
    )


def _with_variables(facts: ImageFacts, environment: Mapping[str, str]) -> ImageFacts:
    app_uid = environment.get("APP_UID", "")
    port_env = next((one for one in _PORT_VARIABLES if one in environment), None)
    port = _PORT.match(environment[port_env]) if port_env is not None else None
    return replace(
        facts,
        app_uid=int(app_uid) if app_uid.isdecimal() else None,
        port_env=port_env,
        http_port=int(port[1]) if port is not None else None,
    )


def _uid(user: str, app_uid: int | None, known: ImageFacts | None) -> int | None:
    """The number behind a user: a config holds no passwd, so that most names stay names."""
    if user == "root":
        return 0
    if user.isdecimal():
        return int(user)
    if known is not None and known.user == user:
        return known.user_uid
    return app_uid if user == "app" else None


def _unknown_image(name: str, environment: Mapping[str, str]) -> ImageFacts | None:
    """An image that only its variables show to be .NET: its distribution is not known."""
    found = ((one, _VERSION.match(environment.get(one, ""))) for one in _VERSIONED_BY)
    versions = {one: match[0] for one, match in found if match is not None}
    reference = parse_reference(name)
    if not versions or reference is None:
        return None
    runtime = versions.get("ASPNET_VERSION") or versions.get("DOTNET_VERSION")
    kind = "aspnet" if "ASPNET_VERSION" in versions else "runtime"
    if "DOTNET_SDK_VERSION" in versions:
        kind = "sdk"
    return ImageFacts(
        repository=reference.repository,
        kind=kind,
        version=runtime or next(iter(versions.values())),
        variant="",
        os="linux",
        distro="",
        family="",
        distroless=False,
        shell=False,
        package_manager=None,
        user="root",
        user_uid=0,
        app_uid=None,
        port_env=None,
        http_port=None,
        useradd=False,
        adduser=None,
        entrypoint=None,
        cmd=None,
        taken_uids=(),
        create_user=None,
    )
