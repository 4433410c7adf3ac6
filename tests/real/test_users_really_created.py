"""The lines that create users, run by the real tools; the images they make, started by an engine.

Needs root, and what `scripts/real_parts.sh FOLDER` installs, with HARDHULL_PARTS=FOLDER. What is
missing is skipped by name. The images are stand-ins: the distribution (or busybox, for Alpine)
with the user and the variables that the catalogue knows of the .NET image.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import outcome, texts, write

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow

PARTS = Path(os.environ.get("HARDHULL_PARTS", "/var/cache/hardhull-parts"))
PROJECT = '<Project Sdk="Microsoft.NET.Sdk.Web" />\n'
CODE = "WebApplication.CreateBuilder(args).Build().Run();\n"
DOCKERFILE = (
    "FROM {base}\n"
    "ENV ASPNETCORE_URLS=http://+:8080\n"
    "WORKDIR /app\n"
    "COPY publish .\n"
    'ENTRYPOINT ["/usr/bin/dotnet", "Api.dll"]\n'
)
# Stands for dotnet: says who runs it and what that user may do.
STUB = (
    "#!/bin/sh\n"
    'echo "uid=$(id -u) gid=$(id -g) home=$HOME"\n'
    'cat "$1" >/dev/null && echo reads\n'
    "( : >/app/new ) 2>/dev/null && echo writes\n"
    "( : >/tmp/new ) 2>/dev/null && echo temporary\n"
    "exit 0\n"
)


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may change roots and owners")
    if not PARTS.is_dir():
        pytest.skip(
            f"no real parts in {PARTS}: scripts/real_parts.sh FOLDER, HARDHULL_PARTS=FOLDER"
        )


def hardened(folder: Path, base: str) -> str:
    """Return the Dockerfile on `base` as hardhull writes it, and leave its context in `folder`."""
    write(
        folder,
        {
            "api/Api.csproj": PROJECT,
            "api/Program.cs": CODE,
            "api/publish/Api.dll": "a program\n",
            "api/Dockerfile": DOCKERFILE.format(base=base),
        },
    )
    new = texts(outcome(folder, "image-runs-as-root"))["api/Dockerfile"]
    write(folder, {"api/Dockerfile": new})
    return new


def line(text: str, keyword: str) -> str:
    return next(found for found in text.splitlines() if found.startswith(f"{keyword} "))


def busybox_root(folder: Path, users: Mapping[str, int]) -> Path:
    """Make a root like Alpine's: busybox alone, with accounts and the stub for dotnet."""
    own = PARTS / "busybox"
    busybox = str(own) if own.exists() else shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox here (scripts/real_parts.sh makes one)")
    applets = subprocess.run(
        [busybox, "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    if not users and "adduser" not in applets:
        pytest.skip("this busybox has no adduser (scripts/real_parts.sh makes one)")
    for name in ("bin", "etc", "home", "usr/bin", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    (folder / "dev").mkdir()
    os.mknod(folder / "dev/null", stat.S_IFCHR, os.makedev(1, 3))
    (folder / "dev/null").chmod(0o666)
    shutil.copy(busybox, folder / "bin/busybox")
    for applet in applets:
        if applet != "busybox":
            (folder / "bin" / applet).symlink_to("busybox")
    named = {"root": 0, **users}
    passwd = [
        f"{name}:x:{uid}:{uid}::{f'/home/{name}' if uid else '/root'}:/bin/sh"
        for name, uid in named.items()
    ]
    (folder / "etc/passwd").write_text("\n".join(passwd) + "\n", encoding="utf-8")
    groups = "".join(f"{name}:x:{uid}:\n" for name, uid in named.items())
    (folder / "etc/group").write_text(groups, encoding="utf-8")
    (folder / "etc/shadow").write_text("root:*:19000::::::\n", encoding="utf-8")
    for name, uid in users.items():
        (folder / "home" / name).mkdir()
        os.chown(folder / "home" / name, uid, uid)
    (folder / "usr/bin/dotnet").write_text(STUB, encoding="utf-8")
    (folder / "usr/bin/dotnet").chmod(0o755)
    return folder


def distribution(folder: Path, name: str) -> Path:
    """Copy the root of a distribution, without what only takes time to copy."""
    if not (PARTS / name / "etc/os-release").exists():
        pytest.skip(f"no {name} below {PARTS} (scripts/real_parts.sh makes it)")
    folder.mkdir()
    names = [
        place for place in sorted((PARTS / name).iterdir()) if place.name not in ("proc", "sys")
    ]
    subprocess.run(["cp", "-a", "--reflink=auto", *names, folder], check=True)
    (folder / "usr/bin/dotnet").write_text(STUB, encoding="utf-8")
    (folder / "usr/bin/dotnet").chmod(0o755)
    return folder


def inside(root: Path, command: str, user: str = "") -> subprocess.CompletedProcess[str]:
    chosen = [f"--userspec={user}"] if user else []
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}
    done = subprocess.run(
        ["chroot", *chosen, root, "/bin/sh", "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "cannot change root" in done.stderr:
        pytest.skip("this root may not change roots")
    return done


@pytest.mark.parametrize(
    ("part", "base"),
    [
        ("bookworm", "debian:bookworm-slim"),
        ("bookworm", "mcr.microsoft.com/dotnet/aspnet:6.0"),
        ("noble", "ubuntu:24.04"),
        ("busybox", "mcr.microsoft.com/dotnet/aspnet:6.0-alpine"),
    ],
)
def test_the_line_makes_a_user_who_can_run_the_program(
    tmp_path: Path, part: str, base: str
) -> None:
    text = hardened(tmp_path / "repository", base)
    place = tmp_path / "root"
    root = busybox_root(place, {}) if part == "busybox" else distribution(place, part)
    (root / "app").mkdir()
    (root / "app/Api.dll").write_text("a program\n", encoding="utf-8")

    made = inside(root, line(text, "RUN").removeprefix("RUN "))
    assert (made.returncode, made.stderr) == (0, "")

    assert line(text, "USER") == "USER 10001"
    account = inside(root, "grep '^nonroot:' /etc/passwd").stdout.split(":")
    assert account[2:4] == ["10001", "10001"]
    assert account[5] == "/home/nonroot"
    assert (root / "home/nonroot").stat().st_uid == 10001
    assert inside(root, "id nonroot").stdout.startswith("uid=10001(nonroot) gid=10001(nonroot)")
    ran = inside(root, "cd /app && /usr/bin/dotnet Api.dll", "10001:10001").stdout.split()
    assert ran[:2] == ["uid=10001", "gid=10001"]
    assert {"reads", "temporary"} <= set(ran)
    assert "writes" not in ran
    assert inside(root, ": >/home/nonroot/key", "10001:10001").returncode == 0


def test_the_templates_adduser_is_not_there_on_noble(tmp_path: Path) -> None:
    root = distribution(tmp_path / "root", "noble")
    assert inside(root, "command -v adduser || command -v addgroup").stdout == ""
    made = inside(root, "adduser -u 5678 --disabled-password --gecos '' appuser")
    assert made.returncode == 127
    assert inside(root, "command -v useradd").returncode == 0
    taken = inside(root, "groupadd --gid 1000 web")
    assert taken.returncode in (0, 4)  # official images have `ubuntu` there, bootstraps have not


# ---------------------------------------------------------------- an engine


def image(docker: list[str], root: Path, name: str, *changes: str) -> None:
    """Import a root as the image `name`."""
    archive = root.with_suffix(".tar")
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    options = [option for change in changes for option in ("--change", change)]
    subprocess.run([*docker, "import", *options, archive, name], check=True, capture_output=True)


def built(docker: list[str], context: Path) -> str:
    done = subprocess.run(
        [*docker, "build", "-q", "--network", "none", context],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()[-1]


@pytest.mark.parametrize(
    ("base", "users", "variables", "expected"),
    [
        ("aspnet:6.0-alpine", {}, (), "uid=10001 gid=10001 home=/home/nonroot"),
        (
            "aspnet:8.0-alpine",
            {"app": 1654},
            ("ENV APP_UID=1654",),
            "uid=1654 gid=1654 home=/home/app",
        ),
    ],
)
def test_the_image_starts_hardened(
    tmp_path: Path,
    docker: list[str],
    base: str,
    users: Mapping[str, int],
    variables: tuple[str, ...],
    expected: str,
) -> None:
    name = f"mcr.microsoft.com/dotnet/{base}"
    hardened(tmp_path / "repository", name)
    image(docker, busybox_root(tmp_path / "root", users), name, *variables)
    new = built(docker, tmp_path / "repository/api")
    user = subprocess.run(
        [*docker, "inspect", "--format", "{{.Config.User}}", new],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    ran = subprocess.run(
        [
            *(*docker, "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", new),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if "cgroup" in ran.stderr or "operation not permitted" in ran.stderr.lower():
        pytest.skip(f"containers can't be started here: {ran.stderr.strip()[-200:]}")

    assert user.isdigit()
    assert ran.stdout.splitlines() == [expected, "reads", "temporary"], ran.stderr
