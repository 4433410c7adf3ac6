"""Git's objects and refs, written and read without starting git: a scenario makes hundreds.

What is written is what git writes; `git http-backend` serves the same folder. Packs are never
made (`receive.unpackLimit`), so that everything can be read here.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ZERO = "0" * 40
CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[receive]
\tunpackLimit = 1000000
\tautogc = false
\tdenyDeleteCurrent = refuse
[gc]
\tauto = 0
[http]
\treceivepack = true
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
"""


@dataclass(frozen=True)
class Person:
    """Who wrote a commit and when, as it stands in the object."""

    name: str
    email: str
    when: int
    zone: str = "+0000"

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {self.when} {self.zone}"


@dataclass(frozen=True)
class CommitObject:
    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    signed: bool


@dataclass(frozen=True)
class Entry:
    mode: str
    oid: str

    @property
    def kind(self) -> str:
        return {"040000": "tree", "160000": "commit"}.get(self.mode, "blob")


class RefClash(Exception):
    """`a` and `a/b` cannot both be refs."""


@dataclass
class GitStore:
    path: Path
    extra: str = ""
    """A second folder of objects: the quarantine of a push that is being looked at."""
    _objects: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    @classmethod
    def create(cls, path: Path, default_branch: str) -> GitStore:
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks"):
            (path / folder).mkdir(parents=True)
        (path / "HEAD").write_text(f"ref: refs/heads/{default_branch}\n", "utf-8")
        (path / "config").write_text(CONFIG, "utf-8")
        return cls(path)

    # -- objects

    def write(self, kind: str, data: bytes) -> str:
        whole = f"{kind} {len(data)}\0".encode() + data
        oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        place = self._place(oid)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(whole, 1))
        self._objects[oid] = (kind, data)
        return oid

    def _place(self, oid: str) -> Path:
        return self.path / "objects" / oid[:2] / oid[2:]

    def find(self, oid: str) -> tuple[str, bytes] | None:
        """Kind and content, or None where there is no such object."""
        if not re.fullmatch(r"[0-9a-f]{40}", oid):
            return None
        if oid not in self._objects:
            whole = self._loose(oid)
            if whole is None:
                return None
            head, _, data = whole.partition(b"\0")
            self._objects[oid] = (head.split(b" ")[0].decode(), data)
        return self._objects[oid]

    def _loose(self, oid: str) -> bytes | None:
        places = [self._place(oid)]
        if self.extra:
            places.append(Path(self.extra) / oid[:2] / oid[2:])
        for place in places:
            try:
                return zlib.decompress(place.read_bytes())
            except FileNotFoundError:
                continue
        return None

    def kind(self, oid: str) -> str | None:
        found = self.find(oid)
        return found[0] if found else None

    def read(self, oid: str, kind: str) -> bytes:
        found = self.find(oid)
        if found is None or found[0] != kind:
            raise LookupError(f"no {kind} {oid}")
        return found[1]

    def blob(self, content: str | bytes) -> str:
        return self.write("blob", content if isinstance(content, bytes) else content.encode())

    def entries(self, tree: str) -> dict[str, Entry]:
        """One level of a tree."""
        data, found = self.read(tree, "tree"), {}
        while data:
            head, _, rest = data.partition(b"\0")
            mode, _, name = head.partition(b" ")
            found[name.decode("utf-8", "surrogateescape")] = Entry(
                mode.decode().zfill(6), rest[:20].hex()
            )
            data = rest[20:]
        return found

    def flat(self, tree: str, prefix: str = "") -> dict[str, Entry]:
        """All files below a tree, by path."""
        found: dict[str, Entry] = {}
        for name, entry in self.entries(tree).items():
            if entry.kind == "tree":
                found.update(self.flat(entry.oid, f"{prefix}{name}/"))
            else:
                found[prefix + name] = entry
        return found

    def tree(self, files: Mapping[str, Entry]) -> str:
        """The tree that holds these files."""
        level: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = entry
            else:
                level[first] = entry
        for name, more in below.items():
            level[name] = Entry("040000", self.tree(more))
        named = [(name.encode("utf-8", "surrogateescape"), one) for name, one in level.items()]
        named.sort(key=lambda pair: pair[0] + (b"/" if pair[1].kind == "tree" else b""))
        return self.write(
            "tree",
            b"".join(
                entry.mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(entry.oid)
                for name, entry in named
            ),
        )

    def commit(
        self,
        tree: str,
        parents: Iterable[str],
        author: Person,
        committer: Person,
        message: str,
        *,
        signature: str = "",
    ) -> str:
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author}", f"committer {committer}"]
        if signature:
            lines.append("gpgsig " + signature.replace("\n", "\n "))
        return self.write("commit", ("\n".join(lines) + "\n\n" + message).encode())

    def commit_object(self, oid: str) -> CommitObject:
        head, _, message = self.read(oid, "commit").decode("utf-8", "replace").partition("\n\n")
        parents: list[str] = []
        one: dict[str, str] = {}
        for line in head.split("\n"):
            key, _, value = line.partition(" ")
            if key == "parent":
                parents.append(value)
            elif key:
                one[key] = value
        return CommitObject(
            oid,
            one["tree"],
            tuple(parents),
            _person(one["author"]),
            _person(one["committer"]),
            message,
            "gpgsig" in one,
        )

    # -- refs

    def ref(self, name: str) -> str | None:
        place = self.path / name
        return place.read_text("ascii").strip() if place.is_file() else None

    def refs(self, prefix: str) -> dict[str, str]:
        """Refs whose full name starts with `prefix`, in order."""
        found = {}
        for place in (self.path / "refs").rglob("*"):
            name = place.relative_to(self.path).as_posix()
            if name.startswith(prefix) and place.is_file() and not name.endswith(".lock"):
                found[name] = place.read_text("ascii").strip()
        return dict(sorted(found.items()))

    def clashes(self, name: str) -> bool:
        parents = name.split("/")[3:] and [
            "/".join(name.split("/")[:end]) for end in range(3, len(name.split("/")))
        ]
        return any(self.ref(one) for one in parents or ()) or bool(self.refs(f"{name}/"))

    def set_ref(self, name: str, oid: str) -> None:
        place = self.path / name
        if self.clashes(name):
            raise RefClash(name)
        if place.is_dir():
            _remove_empty(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{oid}\n", "ascii")

    def delete_ref(self, name: str) -> None:
        (self.path / name).unlink()


def _person(line: str) -> Person:
    name, _, rest = line.partition(" <")
    email, _, moment = rest.rpartition("> ")
    when, _, zone = moment.partition(" ")
    return Person(name, email, int(when), zone)


def _remove_empty(folder: Path) -> None:
    for place in sorted(folder.rglob("*"), reverse=True):
        place.rmdir()
    folder.rmdir()
