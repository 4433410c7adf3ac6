"""Examples of the rules about images: their tests and their documentation."""

from hardhull.model import Example, Level

_A = "sha256:" + "a" * 64
_B = "sha256:" + "b" * 64
_ASPNET = "mcr.microsoft.com/dotnet/aspnet:8.0"
_SDK = "mcr.microsoft.com/dotnet/sdk:8.0"

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: proxy}
spec:
  containers:
    - name: proxy
      image: nginx:1.25
"""
_SET = "resources: [pod.yaml]\nimages:\n  - name: nginx\n    newTag: '1.27'\n"
_NGINX = "docker.io/library/nginx:1.27"

UNPINNED_IMAGE = (
    Example(
        "an image that a kustomization names",
        {"k8s/pod.yaml": _POD, "k8s/kustomization.yaml": _SET},
        {"k8s/kustomization.yaml": f"{_SET}    digest: {_A}\n"},
        digests={_NGINX: _A},
    ),
    Example(
        "an overlay takes it from another registry",
        {
            "k8s/pod.yaml": _POD,
            "k8s/kustomization.yaml": _SET,
            "prod/kustomization.yaml": (
                "resources: [../k8s]\nimages:\n  - name: nginx\n    newName: acme.example/nginx\n"
            ),
        },
        refused="from another registry",
        digests={_NGINX: _A},
    ),
    Example(
        "tags are kept, the flag and the comment too",
        {
            "Dockerfile": (
                "# build\n"
                "FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:8.0 as build\n"
                "FROM mcr.microsoft.com/dotnet/aspnet:8.0\n"
                "COPY --from=build /out /app\n"
            )
        },
        {
            "Dockerfile": (
                "# build\n"
                f"FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:8.0@{_B} as build\n"
                f"FROM mcr.microsoft.com/dotnet/aspnet:8.0@{_A}\n"
                "COPY --from=build /out /app\n"
            )
        },
        digests={_ASPNET: _A, _SDK: _B},
    ),
    Example(
        "an ARG that serves one image",
        {"Dockerfile": "ARG TAG=8.0\nFROM mcr.microsoft.com/dotnet/aspnet:${TAG}\n"},
        {"Dockerfile": f"ARG TAG=8.0@{_A}\nFROM mcr.microsoft.com/dotnet/aspnet:${{TAG}}\n"},
        digests={_ASPNET: _A},
    ),
    Example(
        "an ARG that two images share stays as it is",
        {
            "Dockerfile": (
                "ARG TAG=8.0\n"
                "FROM mcr.microsoft.com/dotnet/sdk:$TAG AS build\n"
                "FROM mcr.microsoft.com/dotnet/aspnet:$TAG\n"
            )
        },
        {
            "Dockerfile": (
                "ARG TAG=8.0\n"
                f"FROM mcr.microsoft.com/dotnet/sdk:$TAG@{_B} AS build\n"
                f"FROM mcr.microsoft.com/dotnet/aspnet:$TAG@{_A}\n"
            )
        },
        level=Level.REVIEW,
        digests={_ASPNET: _A, _SDK: _B},
    ),
    Example(
        "an untagged image, a copied file, a mount and the syntax line",
        {
            "Dockerfile": (
                "# syntax=docker/dockerfile:1\n"
                "FROM alpine\n"
                "COPY --from=busybox:1.36 /bin/true /bin/\n"
                "RUN --mount=type=bind,from=busybox:1.36,target=/b true\n"
            )
        },
        {
            "Dockerfile": (
                f"# syntax=docker/dockerfile:1@{_A}\n"
                f"FROM alpine:latest@{_A}\n"
                f"COPY --from=busybox:1.36@{_B} /bin/true /bin/\n"
                f"RUN --mount=type=bind,from=busybox:1.36@{_B},target=/b true\n"
            )
        },
        digests={
            "docker.io/docker/dockerfile:1": _A,
            "docker.io/library/alpine:latest": _A,
            "docker.io/library/busybox:1.36": _B,
        },
    ),
    Example(
        "manifests and Compose",
        {
            "k8s/cache.yaml": (
                "apiVersion: v1\n"
                "kind: Pod\n"
                "metadata: {name: cache}\n"
                "spec:\n"
                "  containers:\n"
                '  - image: "redis:7" # cache\n'
                "    name: redis\n"
            ),
            "compose.yaml": "services:\n  cache:\n    image: redis:7\n",
        },
        {
            "k8s/cache.yaml": (
                "apiVersion: v1\n"
                "kind: Pod\n"
                "metadata: {name: cache}\n"
                "spec:\n"
                "  containers:\n"
                f'  - image: "redis:7@{_A}" # cache\n'
                "    name: redis\n"
            ),
            "compose.yaml": f"services:\n  cache:\n    image: redis:7@{_A}\n",
        },
        digests={"docker.io/library/redis:7": _A},
    ),
    Example(
        "no digest known",
        {"Dockerfile": "FROM alpine:3.20\n"},
        refused="no digest of docker.io/library/alpine:3.20 is known",
    ),
    Example(
        "an image that was made less than a day ago",
        {"Dockerfile": "FROM alpine:3.20\n"},
        refused="younger than 24h",
        digests={
            "docker.io/library/alpine:3.20": {
                "digest": _A,
                "config": {"created": "2026-11-21T12:00:00Z"},
            }
        },
    ),
    Example(
        "`pins: refresh` adds none",
        {"Dockerfile": "FROM alpine:3.20\n"},
        silent=True,
        settings="pins: refresh\n",
        digests={"docker.io/library/alpine:3.20": _A},
    ),
    Example(
        "stages, scratch and images that are built here",
        {
            "Dockerfile": f"FROM alpine:3.20@{_A} AS Base\nFROM base\nCOPY --from=BASE /a /a\n",
            "empty/Dockerfile": "FROM scratch\nCOPY a /a\n",
            "compose.yaml": "services:\n  a:\n    build: .\n    image: acme/a:1\n",
        },
        silent=True,
    ),
)
