"""The grammar of image references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardhull.images import Reference, parse_reference, pinned_text

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest", "name"),
    [
        ("alpine", "docker.io", "library/alpine", None, None, "docker.io/library/alpine:latest"),
        (
            "alpine:3.20",
            "docker.io",
            "library/alpine",
            "3.20",
            None,
            "docker.io/library/alpine:3.20",
        ),
        (
            f"alpine@{DIGEST}",
            "docker.io",
            "library/alpine",
            None,
            DIGEST,
            "docker.io/library/alpine",
        ),
        (
            f"alpine:3.20@{DIGEST}",
            "docker.io",
            "library/alpine",
            "3.20",
            DIGEST,
            "docker.io/library/alpine:3.20",
        ),
        ("me/app", "docker.io", "me/app", None, None, "docker.io/me/app:latest"),
        ("docker.io/me/app:1", "docker.io", "me/app", "1", None, "docker.io/me/app:1"),
        (
            "docker.io/alpine",
            "docker.io",
            "library/alpine",
            None,
            None,
            "docker.io/library/alpine:latest",
        ),
        (
            "index.docker.io/alpine:3",
            "docker.io",
            "library/alpine",
            "3",
            None,
            "docker.io/library/alpine:3",
        ),
        (
            "registry-1.docker.io/library/alpine",
            "docker.io",
            "library/alpine",
            None,
            None,
            "docker.io/library/alpine:latest",
        ),
        ("localhost/app:1", "localhost", "app", "1", None, "localhost/app:1"),
        (
            "localhost:5000/a/b/c:v_1",
            "localhost:5000",
            "a/b/c",
            "v_1",
            None,
            "localhost:5000/a/b/c:v_1",
        ),
        ("host:5000/app", "host:5000", "app", None, None, "host:5000/app:latest"),
        ("UPPER/app", "UPPER", "app", None, None, "UPPER/app:latest"),
        ("[2001:db8::1]:443/app", "[2001:db8::1]:443", "app", None, None, None),
        (
            "mcr.microsoft.com/dotnet/aspnet:8.0",
            "mcr.microsoft.com",
            "dotnet/aspnet",
            "8.0",
            None,
            "mcr.microsoft.com/dotnet/aspnet:8.0",
        ),
        ("a__b/c-d--e.f:T", "docker.io", "a__b/c-d--e.f", "T", None, None),
        ("app:" + "t" * 128, "docker.io", "library/app", "t" * 128, None, None),
        ("app:5000", "docker.io", "library/app", "5000", None, None),
    ],
)
def test_a_reference_is_taken_apart(
    text: str,
    host: str,
    repository: str,
    tag: str | None,
    digest: str | None,
    name: str | None,
) -> None:
    reference = parse_reference(text)
    assert reference == Reference(host, repository, tag, digest, text)
    assert reference.repository_name == f"{host}/{repository}"
    if name is not None:
        assert reference.name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " alpine",
        "alpine ",
        "alpine\n",
        "Alpine",
        "me/App",
        "alpine:",
        "alpine:-x",
        "alpine:.x",
        "alpine:a/b",
        "alpine:" + "t" * 129,
        "alpine:ä",
        "alpine@",
        "alpine@sha256:abc",
        f"alpine@{DIGEST.upper()}",
        f"alpine@md5:{'a' * 32}",
        f"alpine@{DIGEST}@{DIGEST}",
        "/alpine",
        "alpine/",
        "a//b",
        "a___b",
        "-a",
        "a-",
        "a/.b",
        "host:port/app",
        "http://host/app",
        "${IMAGE}",
        "{{ .Values.image }}",
        "repo:$TAG",
        "f" * 64,
        "example.com/" + "a" * 250,
    ],
)
def test_what_an_engine_refuses_is_none(text: str) -> None:
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("alpine:3.20", f"alpine:3.20@{DIGEST}"),
        ("alpine", f"alpine:latest@{DIGEST}"),
        ("localhost:5000/app", f"localhost:5000/app:latest@{DIGEST}"),
        (f"alpine:3.20@{OTHER}", f"alpine:3.20@{OTHER}"),
        (f"alpine@{OTHER}", f"alpine@{OTHER}"),
    ],
)
def test_pinning_keeps_the_text_and_its_tag(text: str, pinned: str) -> None:
    assert pinned_text(text, DIGEST) == pinned
    assert pinned_text(pinned, OTHER) == pinned


@pytest.mark.parametrize(("text", "digest"), [("Not Valid", DIGEST), ("alpine", "sha256:1")])
def test_pinning_nonsense_is_our_bug(text: str, digest: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        pinned_text(text, digest)


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    reference = parse_reference(text)
    if reference is not None:
        again = parse_reference(reference.name)
        assert again is not None
        assert again.repository_name == reference.repository_name
