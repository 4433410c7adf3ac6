"""Registries on loopback that stop when a test ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_registry import (
    FakeRegistry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def start() -> Iterator[Callable[..., FakeRegistry]]:
    started: list[FakeRegistry] = []

    def one(**given: Any) -> FakeRegistry:
        started.append(FakeRegistry(**given).start())
        return started[-1]

    yield one
    for registry in started:
        registry.stop()


@pytest.fixture
def registry(start: Callable[..., FakeRegistry]) -> FakeRegistry:
    return start()
