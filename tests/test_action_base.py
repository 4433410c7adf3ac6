"""The base of a pull request by blob ids: the same differences, however they are asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.actions.base import Head, Leaf, blob, differences
from hardhull.pull_request.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.pull_request.github import GitHub

NAMES = st.sampled_from(["a", "b", "a/c", "a/d", "a/e/f", "b/g", "h/i/j"])
TREES = st.dictionaries(NAMES, st.sampled_from(["1", "2", "3"]), max_size=7).filter(
    lambda files: (
        not any(f"{one}/" in other for one in files for other in files if one != other)
        and not any(other.startswith(f"{one}/") for one in files for other in files)
    )
)


def trees(files: Mapping[str, str]) -> dict[str, str]:
    """Every folder with an id that stands for what it holds."""
    folders = {path[:at] for path in files for at, char in enumerate(path) if char == "/"}
    return {
        folder: repr(
            sorted(
                (p.removeprefix(f"{folder}/"), i)
                for p, i in files.items()
                if p.startswith(f"{folder}/")
            )
        )
        for folder in folders
    }


class Server:
    """Trees as GitHub answers for them; `most` entries at once."""

    def __init__(self, files: Mapping[str, str], most: int) -> None:
        self.files, self.most = files, most
        self.folders = trees(files)
        self.asked: list[str] = []

    def read(self, path: str) -> SimpleNamespace:
        self.asked.append(path)
        name, _, query = path.removeprefix("/repos/acme/shop/git/trees/").partition("?")
        everything = self._below("", deep=True)
        if query:
            cut = len(everything) > self.most
            return SimpleNamespace(data={"tree": everything[: self.most], "truncated": cut})
        folder = next((f for f, number in self.folders.items() if number == name), "")
        return SimpleNamespace(data={"tree": self._below(folder, deep=False), "truncated": False})

    def _below(self, folder: str, *, deep: bool) -> list[dict[str, Any]]:
        start = f"{folder}/" if folder else ""
        found = [
            {"path": p.removeprefix(start), "mode": "100644", "type": "blob", "sha": i, "size": 1}
            for p, i in self.files.items()
            if p.startswith(start)
        ] + [
            {"path": p.removeprefix(start), "mode": "040000", "type": "tree", "sha": i}
            for p, i in self.folders.items()
            if p.startswith(start)
        ]
        return [one for one in found if deep or "/" not in str(one["path"])]


@given(TREES, TREES)
def test_a_tree_too_large_for_one_answer_is_walked_where_it_differs(
    base: dict[str, str], now: dict[str, str]
) -> None:
    leaves = {path: Leaf("100644", number) for path, number in now.items()}
    head = Head("h", (), "", leaves, trees(now))
    expected = {
        path: base.get(path) for path in sorted({*base, *now}) if base.get(path) != now.get(path)
    }
    for most in (100, 0):
        server = Server(base, most)
        found = differences(cast("GitHub", server), "acme/shop", "commit", head)
        told = {path: leaf.id if leaf is not None else None for path, leaf in found.items()}
        assert told == expected
        assert len(server.asked) == 1 or most == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"content": "eHg="}, "not those of this id"), ({}, "no file"), ({"content": "%"}, "no")],
)
def test_bytes_that_are_not_those_of_their_id_are_not_used(answer: Any, said: str) -> None:
    server = SimpleNamespace(read=lambda _: SimpleNamespace(data=answer))

    with pytest.raises(Refused, match=said):
        blob(cast("GitHub", server), "acme/shop", "1" * 40)
