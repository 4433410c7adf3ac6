"""A registry client for tests: its pauses are noted instead of made."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from hardhull.facts.credentials import Keyring
from hardhull.facts.hosts import Hosts
from hardhull.facts.registry import Image, Registries
from hardhull.facts.transport import Limits, Transport
from hardhull.facts.trouble import RegistryError
from hardhull.images import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fake_registry import (
        FakeRegistry,
    )
    from hardhull.facts.cache import Cache


QUICK = Limits(connect=2, read=2, whole=5)


class Client:
    """A client whose pauses are noted instead of made."""

    def __init__(
        self,
        *registries: FakeRegistry,
        environment: Mapping[str, str] | None = None,
        limits: Limits = QUICK,
        cache: Cache | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        plain = tuple(one.host for one in registries)
        self.hosts = hosts or Hosts(plain_http=plain)
        self.pauses: list[float] = []
        self.transport = Transport(self.hosts, environment or {}, limits, self.pauses.append)
        self.keyring = Keyring(environment or {}, helper_seconds=5)
        self.registries = Registries(self.hosts, self.transport, self.keyring, cache)

    def look_up(self, name: str, *, config: bool = False) -> Image:
        reference = parse_reference(name)
        assert reference is not None
        return self.registries.look_up(reference, config=config)

    def failure(self, name: str, *, config: bool = False) -> RegistryError:
        with pytest.raises(RegistryError) as caught:
            self.look_up(name, config=config)
        return caught.value


def docker_config(folder: Path, data: object) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")
    return {"DOCKER_CONFIG": str(folder)}


def encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()
