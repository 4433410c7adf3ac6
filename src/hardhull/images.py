"""Image references as container engines read them.

The grammar is that of the `distribution/reference` package, which Docker, BuildKit, containerd
and Kubernetes share. Normalised parts are for looking things up; texts are never rewritten to
their normalised form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DEFAULT_HOST: Final = "docker.io"
_DOCKER_HUB_HOSTS: Final = frozenset({DEFAULT_HOST, "index.docker.io", "registry-1.docker.io"})
_MAXIMUM_NAME: Final = 255

_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST: Final = re.compile(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST: Final = re.compile(
    r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}",
)
# A bare run of 64 hexadecimal digits names a local image by its id, not a repository.
_IMAGE_ID: Final = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One image reference, taken apart. `text` is what was written, to the letter."""

    host: str
    repository: str
    tag: str | None
    digest: str | None
    text: str

    @property
    def repository_name(self) -> str:
        """Host and repository: `docker.io/library/alpine`."""
        return f"{self.host}/{self.repository}"

    @property
    def spelled(self) -> str:
        """Host and repository as they are written, without tag and digest."""
        return _split_tag(self.text.partition("@")[0])[0]

    @property
    def name(self) -> str:
        """The full normalised reference with its tag and without its digest.

        Without tag and digest an engine reads `:latest`, and so does this. A reference that has
        only a digest names no tag at all: its name is the repository, `tag` stays None.
        """
        if self.tag is not None:
            return f"{self.repository_name}:{self.tag}"
        if self.digest is not None:
            return self.repository_name
        return f"{self.repository_name}:latest"

    @property
    def exact(self) -> str:
        """The normalised name, with the digest if there is one."""
        return f"{self.name}@{self.digest}" if self.digest is not None else self.name


@lru_cache(maxsize=65_536)
def parse_reference(text: str) -> Reference | None:
    """Take an image reference apart; None if a container engine would refuse it."""
    name, at, digest = text.partition("@")
    if at and _DIGEST.fullmatch(digest) is None:
        return None
    name, tag = _split_tag(name)
    if tag is not None and _TAG.fullmatch(tag) is None:
        return None
    host, repository = _split_host(name)
    if _HOST.fullmatch(host) is None or _PATH.fullmatch(repository) is None:
        return None
    if _IMAGE_ID.fullmatch(name) or len(f"{host}/{repository}") > _MAXIMUM_NAME:
        return None
    return Reference(host, repository, tag, digest if at else None, text)


def pinned_text(reference_text: str, digest: str) -> str:
    """Append `digest` to a reference; its tag stays, an untagged one gets `:latest`.

    A reference that already has a digest is returned unchanged.
    """
    reference = parse_reference(reference_text)
    if reference is None:
        raise ValueError(f"not an image reference: {reference_text!r}")
    if _DIGEST.fullmatch(digest) is None:
        raise ValueError(f"not a digest: {digest!r}")
    if reference.digest is not None:
        return reference_text
    tag = "" if reference.tag is not None else ":latest"
    return f"{reference_text}{tag}@{digest}"


def _split_tag(name: str) -> tuple[str, str | None]:
    # A colon before the last slash belongs to the host's port.
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, None
    return repository, tag


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    # The engines' own rule: only a first part that can't be a Docker Hub user name is a host.
    is_host = any(mark in first for mark in ".:") or first == "localhost" or first.lower() != first
    if not slash or not is_host:
        first, rest = DEFAULT_HOST, name
    if first in _DOCKER_HUB_HOSTS:
        return DEFAULT_HOST, rest if "/" in rest else f"library/{rest}"
    return first, rest
