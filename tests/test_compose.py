"""Reading Compose files: ports in all spellings, variables in both forms, layers."""

from __future__ import annotations

import pytest

from hardhull.documents.source import FileKind, Source
from hardhull.documents.unreadable import Unreadable
from hardhull.documents.yaml_reading import read_yaml
from hardhull.model import Scalar, SetValue
from hardhull.project.compose import ComposeService, with_port, with_variable
from hardhull.project.compose_reading import read_compose


def services(**files: str) -> dict[str, ComposeService]:
    read = []
    for name, text in files.items():
        file = read_yaml(Source(f"{name.replace('__', '.')}.yaml", FileKind.YAML, text))
        assert not isinstance(file, Unreadable)
        read.append(file)
    return {service.name: service for service in read_compose(read)}


def one(body: str) -> ComposeService:
    return services(compose=f"services:\n  one:\n    {body}\n")["one"]


@pytest.mark.parametrize(
    ("port", "number", "moved"),
    [
        ('"80"', 80, Scalar("8080")),
        ('"5000:80"', 80, Scalar("5000:8080", string=True)),
        ('"127.0.0.1:5000:80/tcp"', 80, Scalar("127.0.0.1:5000:8080/tcp", string=True)),
        ('"[::1]:5000:80"', 80, Scalar("[::1]:5000:8080", string=True)),
        ('"${PORT:-80}:80"', 80, Scalar("${PORT:-80}:8080", string=True)),
        ("80", 80, Scalar("8080")),
        ("{target: 80, published: 5000}", 80, Scalar("8080")),
        ('"53:53/udp"', 53, Scalar("53:8080/udp", string=True)),
    ],
)
def test_the_container_side_of_a_port(port: str, number: int, moved: Scalar) -> None:
    use = one(f"ports: [{port}]").ports[0]

    assert use.number == number
    assert with_port(use, 8080).value.text == moved.text  # type: ignore[union-attr]


@pytest.mark.parametrize("port", ['"80:${INNER}"', '"8000-8010:80-90"', '"5000:${P:-80}"'])
def test_a_port_that_is_not_one_number(port: str) -> None:
    assert one(f"ports: [{port}]").ports[0].number is None


@pytest.mark.parametrize(
    ("block", "value", "written"),
    [
        ("environment: {P: '80'}", "80", Scalar("8080", string=True)),
        ("environment: {P: 80}", "80", Scalar("8080")),
        ("environment: [P=80]", "80", Scalar("P=8080", string=True)),
        ("environment: ['P=http://+:80']", "http://+:80", Scalar("P=8080", string=True)),
    ],
)
def test_a_variable_keeps_its_form(block: str, value: str, written: Scalar) -> None:
    setting = one(block).environment["P"]

    assert setting.value == value
    assert with_variable(setting, "P", "8080").value == written


@pytest.mark.parametrize(
    "block", ["environment: [P]", "environment: {P: }", "environment: ['P=${P}']"]
)
def test_a_variable_that_comes_from_elsewhere(block: str) -> None:
    assert one(block).environment["P"].value is None


def test_overrides_lie_over_the_base_file() -> None:
    found = services(
        compose__override="services:\n  one: {environment: {A: over}, ports: ['1:80']}\n",
        compose="services:\n  one: {image: x, environment: {A: base, B: base}, ports: ['2:81']}\n",
    )["one"]

    assert {name: setting.value for name, setting in found.environment.items()} == {
        "A": "over",
        "B": "base",
    }
    assert [use.number for use in found.ports] == [81, 80]
    assert found.path == "compose.yaml"


def test_what_is_extended_is_a_layer_below() -> None:
    found = services(
        compose="services:\n  base: {environment: {A: base}}\n"
        "  one: {extends: {service: base}, image: x, environment: {B: own}}\n"
    )["one"]

    assert [layer.address[-1] for _, layer in found.layers] == ["base", "one"]
    assert set(found.environment) == {"A", "B"}


@pytest.mark.parametrize(
    ("build", "dockerfile", "target"),
    [
        ("build: api", "api/Dockerfile", None),
        ("build: ./api/", "api/Dockerfile", None),
        ("build: {context: ., dockerfile: api/Dockerfile.prod}", "api/Dockerfile.prod", None),
        ("build: {context: api, target: final}", "api/Dockerfile", "final"),
        ("build: {context: .., dockerfile: x}", None, None),
        ("build: https://example.org/x.git", None, None),
        ("build: {context: ., dockerfile_inline: FROM x}", None, None),
    ],
)
def test_what_a_service_builds(build: str, dockerfile: str | None, target: str | None) -> None:
    found = one(build).build

    assert found is not None
    assert (found.dockerfile, found.target) == (dockerfile, target)


def test_a_build_is_merged_over_the_files() -> None:
    found = services(
        compose="services:\n  one:\n    build: {context: api, dockerfile: D, args: {A: 1, B: 1}}\n",
        compose__override="services:\n  one:\n    build: {args: {B: 2}}\n",
    )["one"].build

    assert found is not None
    assert (found.context, found.dockerfile, found.target) == ("api", "api/D", None)
    assert {name: one.value for name, one in found.arguments.items()} == {"A": "1", "B": "2"}
    assert found.cursor.path == "compose.yaml"


def test_the_short_form_of_a_build_is_its_context() -> None:
    found = services(
        compose="services:\n  one: {build: api}\n",
        compose__override="services:\n  one: {build: {target: final}}\n",
    )["one"].build

    assert found is not None
    assert (found.dockerfile, found.target) == ("api/Dockerfile", "final")


def test_another_file_is_another_way_to_build() -> None:
    found = services(
        compose="services:\n  one: {build: api}\n",
        compose__prod="services:\n  one: {build: {dockerfile: Dockerfile.prod}}\n",
    )["one"]

    assert found.build is found.builds[0]
    assert [one.dockerfile for one in found.builds] == ["api/Dockerfile", "api/Dockerfile.prod"]


def test_where_alternatives_contradict_nothing_is_certain() -> None:
    found = services(
        compose="services:\n  one: {image: x, user: root, environment: {A: 1, B: 1}}\n",
        compose__prod=(
            "services:\n  one: {user: '1654', environment: {A: 2, B: 1, C: 3},"
            " volumes: ['data:/data'], read_only: false}\n"
        ),
    )["one"]

    assert found.user is not None
    assert found.user.value is None
    assert {name: one.value for name, one in found.environment.items()} == {
        "A": None,
        "B": "1",
        "C": "3",
    }
    assert found.sometimes == {"C"}
    assert not found.mounts[0].covers("/data")
    assert {operation.path for operation in found.make_root_read_only()} == {"compose.yaml"}


def test_new_keys_stand_behind_the_last_of_those_that_name_the_image() -> None:
    found = one("image: x\n    build: .\n    container_name: y\n    restart: always")

    operation = found.make_root_read_only()[0]
    assert isinstance(operation, SetValue)
    assert operation.after[0] == "container_name"
