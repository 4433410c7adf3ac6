"""Fixtures for all tests. Only what a test asks for is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from fake_registry import FakeRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from standin import StandIn

# How long an example takes says something of the machine, and nothing of us.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandIn]:
    """A GitHub of the test's own; the test fails if GitHub's published contract was broken."""
    from standin import StandIn as Hub  # noqa: PLC0415  most tests need none

    with Hub.start(tmp_path) as started:
        yield started


@pytest.fixture
def start() -> Iterator[Callable[..., FakeRegistry]]:
    """Starts registries on loopback that stop when the test ends."""
    started: list[FakeRegistry] = []

    def one(**given: Any) -> FakeRegistry:
        started.append(FakeRegistry(**given).start())
        return started[-1]

    yield one
    for registry in started:
        registry.stop()


@pytest.fixture
def registry(start: Callable[..., FakeRegistry]) -> FakeRegistry:
    """A registry on loopback."""
    return start()
