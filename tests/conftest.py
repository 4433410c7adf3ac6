"""Fixtures for all tests. Only what a test asks for is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from standin import StandIn


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StandIn]:
    """A GitHub of the test's own; the test fails if GitHub's published contract was broken."""
    from standin import StandIn as Hub  # noqa: PLC0415  most tests need none

    with Hub.start(tmp_path) as started:
        yield started
