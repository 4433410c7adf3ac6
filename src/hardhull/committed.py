"""What is committed of the files of a root: the state that may be running somewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardhull.documents.document import read
from hardhull.documents.source import Source
from hardhull.documents.unreadable import Unreadable
from hardhull.writing import by_repository, git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hardhull.documents.document import Document


def committed(root: Path, documents: Mapping[str, Document]) -> dict[str, Document]:
    """These documents as the last commit has them; those it does not have are left out.

    Empty outside of a git repository: nothing is known to have been rolled out then.
    """
    found: dict[str, Document] = {}
    for folder, own in by_repository(root, tuple(documents)).items():
        changed = _changed(root / folder)
        if changed is None:
            continue
        prefix = f"{folder}/" if folder else ""
        for name in own:
            document = documents[prefix + name]
            if name in changed:
                data = git(root / folder, "cat-file", "blob", f"HEAD:./{name}")
                if data is None:
                    continue  # new since then
                old = read(Source.from_bytes(prefix + name, document.source.kind, data))
                if isinstance(old, Unreadable):
                    continue
                document = old
            found[prefix + name] = document
    return found


def _changed(folder: Path) -> frozenset[str] | None:
    """The files that are not as the last commit has them; None where there is no commit."""
    tracked = git(folder, "diff-index", "-z", "--name-only", "--relative", "HEAD", "--")
    others = git(folder, "ls-files", "-z", "--others")
    if tracked is None or others is None:
        return None
    return frozenset(
        name.decode("utf-8", "surrogateescape") for name in (tracked + others).split(b"\0") if name
    )
