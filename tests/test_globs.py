"""Globs of the configuration: what they match, and that none of them takes long."""

from __future__ import annotations

import time

import pytest

from hardhull.globs import matcher


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("Dockerfile", "a/b/Dockerfile", True),
        ("a/Dockerfile", "b/a/Dockerfile", False),
        ("legacy/**", "legacy/a/b", True),
        ("legacy/**", "legacy", False),
        ("legacy", "src/legacy/a/b", True),
        ("legacy/", "src/legacy/a", True),
        ("**/test/*.yaml", "a/test/x.yaml", True),
        ("**/test/*.yaml", "a/test/b/x.yaml", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("*a*b", "xaxxb", True),
        ("*a*b", "xaxxbc", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("legacy/**", "legacy/a\nb", True),
    ],
)
def test_globs(glob: str, path: str, matches: bool) -> None:
    pattern = matcher([glob])

    assert pattern is not None
    assert (pattern.match(path) is not None) is matches


@pytest.mark.parametrize("glob", ["**/" * 20 + "x", "*a" * 40 + "b", "a/**/" * 12 + "z"])
def test_no_glob_takes_long(glob: str) -> None:
    pattern = matcher([glob])
    assert pattern is not None
    start = time.perf_counter()
    for path in ("/".join("a" * 800), "a" * 2000):
        assert pattern.match(path) is None

    assert time.perf_counter() - start < 1
