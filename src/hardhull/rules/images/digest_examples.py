"""Examples of the rules about digests that grow old, and about mirrors: tests, documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hardhull.model import Example, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

_OLD = "sha256:" + "0" * 64
_NEW = "sha256:" + "f" * 64
_DOTNET = "mcr.microsoft.com/dotnet"
_ASPNET = f"{_DOTNET}/aspnet:10.0"
_REDIS = "docker.io/library/redis:7"
_SEEN = "2026-11-20T08:00:00+00:00"


def _entry(digest: str, version: str, day: str, **more: Any) -> Mapping[str, Any]:
    """An image as a recording describes it; `more` is put into, or takes the place of, a part."""
    config = {
        "User": "",
        "Env": ["PATH=/usr/bin", "APP_UID=1654", f"ASPNET_VERSION={version}"],
        "created": f"2026-{day}T03:00:00Z",
    }
    entry: dict[str, Any] = {
        "digest": digest,
        "config": config | more.pop("config", {}),
        "platforms": ["linux/amd64", "linux/arm64"],
        "single": False,
        "size": 90_000_000,
        "recorded": _SEEN,
    }
    return entry | more


def _moved(name: str = _ASPNET, **more: Any) -> Mapping[str, Any]:
    """A recording in which a tag moved from the old digest to the new one."""
    return {
        name: _entry(_NEW, "10.0.1", "11-10", **more),
        f"{name}@{_OLD}": _entry(_OLD, "10.0.0", "10-14"),
    }


def _dockerfile(text: str) -> dict[str, str]:
    return {"Dockerfile": text}


_POD = (
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  name: cache\n"
    "spec:\n"
    "  containers:\n"
    "  - name: redis\n"
    '    image: "redis:7@{digest}" # cache\n'
)

STALE_DIGEST = (
    Example(
        "a later build of the same version",
        _dockerfile(f"FROM {_ASPNET}@{_OLD} AS base\n"),
        _dockerfile(f"FROM {_ASPNET}@{_NEW} AS base\n"),
        digests=_moved(),
    ),
    Example(
        "in ARGs, with the tag or alone",
        _dockerfile(
            f"ARG TAG=10.0@{_OLD}\n"
            f"ARG DIGEST={_OLD}\n"
            f"FROM {_DOTNET}/aspnet:$TAG AS one\n"
            f"FROM redis:7@${{DIGEST}} AS two\n"
        ),
        _dockerfile(
            f"ARG TAG=10.0@{_NEW}\n"
            f"ARG DIGEST={_NEW}\n"
            f"FROM {_DOTNET}/aspnet:$TAG AS one\n"
            f"FROM redis:7@${{DIGEST}} AS two\n"
        ),
        digests={**_moved(), **_moved(_REDIS)},
    ),
    Example(
        "a copied file, a mount, the syntax line, manifests and Compose",
        {
            "Dockerfile": (
                f"# syntax=docker/dockerfile:1@{_OLD}\n"
                "FROM scratch\n"
                f"COPY --from=redis:7@{_OLD} /a /a\n"
                f"RUN --mount=type=bind,from=redis:7@{_OLD},target=/b true\n"
            ),
            "k8s/cache.yaml": _POD.format(digest=_OLD),
            "compose.yaml": f"services:\n  cache:\n    image: redis:7@{_OLD}\n",
        },
        {
            "Dockerfile": (
                f"# syntax=docker/dockerfile:1@{_NEW}\n"
                "FROM scratch\n"
                f"COPY --from=redis:7@{_NEW} /a /a\n"
                f"RUN --mount=type=bind,from=redis:7@{_NEW},target=/b true\n"
            ),
            "k8s/cache.yaml": _POD.format(digest=_NEW),
            "compose.yaml": f"services:\n  cache:\n    image: redis:7@{_NEW}\n",
        },
        digests={**_moved("docker.io/docker/dockerfile:1"), **_moved(_REDIS)},
    ),
    Example(
        "a platform is lost",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        _dockerfile(f"FROM {_ASPNET}@{_NEW}\n"),
        level=Level.REVIEW,
        digests=_moved(platforms=["linux/amd64"]),
    ),
    Example(
        "the user and the command are others",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        _dockerfile(f"FROM {_ASPNET}@{_NEW}\n"),
        level=Level.REVIEW,
        digests=_moved(config={"User": "1654", "Entrypoint": ["/init"]}),
    ),
    Example(
        "a major version, under a tag that names none",
        _dockerfile(f"FROM {_DOTNET}/aspnet:latest@{_OLD}\n"),
        _dockerfile(f"FROM {_DOTNET}/aspnet:latest@{_NEW}\n"),
        level=Level.REVIEW,
        digests=_moved(f"{_DOTNET}/aspnet:latest", config={"Env": ["ASPNET_VERSION=11.0.0"]}),
    ),
    Example(
        "nothing is recorded of the image before",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        _dockerfile(f"FROM {_ASPNET}@{_NEW}\n"),
        level=Level.REVIEW,
        digests={_ASPNET: {"digest": _NEW, "recorded": _SEEN}},
    ),
    Example(
        "the tag moved some hours ago",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        refused="moved less than 24h ago",
        digests=_moved(recorded="2026-11-21T20:00:00+00:00", before=_OLD),
    ),
    Example(
        "nobody knows when it moved",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        refused="not known how long the tag has had its digest",
        digests={_ASPNET: _NEW},
    ),
    Example(
        "an ARG that is used elsewhere too",
        _dockerfile(f"ARG BASE=redis:7@{_OLD}\nFROM $BASE\nARG BASE\nLABEL base=$BASE\n"),
        refused="ARG BASE, which is used elsewhere too",
        digests=_moved(_REDIS),
    ),
    Example(
        "the registry has it no more",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        reported=True,
        digests={**_moved(), f"{_ASPNET}@{_OLD}": {"digest": _OLD, "gone": _SEEN}},
    ),
    Example(
        "the image of one platform",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        reported=True,
        digests={
            **_moved(),
            f"{_ASPNET}@{_OLD}": {"digest": _OLD, "single": True, "platforms": ["linux/arm64"]},
        },
    ),
    Example("a digest without a tag", _dockerfile(f"FROM redis@{_OLD}\n"), reported=True),
    Example(
        "a workflow writes it",
        {
            "k8s/cache.yaml": _POD.format(digest=_OLD),
            ".github/workflows/release.yml": (
                "on: push\njobs:\n  a:\n    steps:\n"
                "      - run: kubectl set image pod/cache redis=redis:7\n"
            ),
        },
        reported=True,
        digests=_moved(_REDIS),
    ),
    Example(
        "Dependabot keeps it fresh",
        {
            "src/Api/Dockerfile": f"FROM {_ASPNET}@{_OLD}\n",
            ".github/dependabot.yml": (
                "version: 2\nupdates:\n  - package-ecosystem: docker\n    directory: /src/Api\n"
            ),
        },
        silent=True,
        digests=_moved(),
    ),
    Example(
        "Renovate keeps it fresh",
        {
            "Dockerfile": f"FROM {_ASPNET}@{_OLD}\n",
            "renovate.json5": "{ // ours\n  extends: ['config:recommended'],\n}\n",
        },
        silent=True,
        digests=_moved(),
    ),
    Example(
        "the tag stands where it stood",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        silent=True,
        digests={_ASPNET: _OLD},
    ),
    Example(
        "`pins: add` refreshes none",
        _dockerfile(f"FROM {_ASPNET}@{_OLD}\n"),
        silent=True,
        settings="pins: add\n",
        digests=_moved(),
    ),
)

_MIRRORS = (
    "registries:\n  mirrors:\n    mcr.microsoft.com: mirror.example/mcr\n"
    "    docker.io: mirror.example/hub\n"
)

PUBLIC_BASE_IMAGE = (
    Example(
        "written out, with tag and digest",
        _dockerfile(
            "# syntax=docker/dockerfile:1\n"
            f"FROM --platform=$BUILDPLATFORM {_DOTNET}/sdk:10.0@{_OLD} AS build\n"
            f"ARG TAG\n"
            f"FROM {_DOTNET}/aspnet:10.0\n"
            "COPY --from=busybox /bin/true /bin/\n"
        ),
        _dockerfile(
            "# syntax=mirror.example/hub/docker/dockerfile:1\n"
            "FROM --platform=$BUILDPLATFORM mirror.example/mcr/dotnet/sdk:10.0"
            f"@{_OLD} AS build\n"
            f"ARG TAG\n"
            "FROM mirror.example/mcr/dotnet/aspnet:10.0\n"
            "COPY --from=mirror.example/hub/library/busybox /bin/true /bin/\n"
        ),
        level=Level.REVIEW,
        settings=_MIRRORS,
    ),
    Example(
        "before a tag from an ARG, and in an ARG that serves this image alone",
        _dockerfile(
            f'ARG TAG=10.0\nARG BASE="redis:7"\nFROM {_DOTNET}/sdk:$TAG AS build\nFROM $BASE\n'
        ),
        _dockerfile(
            'ARG TAG=10.0\nARG BASE="mirror.example/hub/library/redis:7"\n'
            "FROM mirror.example/mcr/dotnet/sdk:$TAG AS build\nFROM $BASE\n"
        ),
        level=Level.REVIEW,
        settings=_MIRRORS,
    ),
    Example(
        "manifests and Compose",
        {
            "k8s/cache.yaml": _POD.format(digest=_OLD),
            "compose.yaml": "services:\n  cache:\n    image: docker.io/acme/cache\n",
        },
        {
            "k8s/cache.yaml": _POD.format(digest=_OLD).replace(
                "redis:7", "mirror.example/hub/library/redis:7"
            ),
            "compose.yaml": "services:\n  cache:\n    image: mirror.example/hub/acme/cache\n",
        },
        level=Level.REVIEW,
        settings=_MIRRORS,
    ),
    Example(
        "an ARG that two images share",
        _dockerfile(f"ARG HOME={_DOTNET}\nFROM $HOME/sdk:10.0 AS build\nFROM $HOME/aspnet:10.0\n"),
        refused="several parts, some of them from ARG HOME",
        settings=_MIRRORS,
    ),
    Example(
        "registries without a mirror",
        _dockerfile("FROM ghcr.io/acme/base:1\nFROM mirror.example/mcr/dotnet/aspnet:10.0\n"),
        silent=True,
        settings=_MIRRORS,
    ),
)
