"""Measure speed beside other tools, as ratios taken in one run.

    python benchmarks/run.py --tools BIN [--corpus FOLDER] [--rounds N] [--quick]

FOLDER holds repositories, one a sub-folder; without it a set is generated. BIN is where hadolint,
checkov and trivy are. Every command runs as a whole process; the median of the rounds counts.
Our modules are compiled first, as `pip install` leaves them.
"""

from __future__ import annotations

import argparse
import compileall
import gc
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hardhull as package
from hardhull import discover
from hardhull.documents.source import FileKind

PYTHON = sys.executable
DOCKERFILE = """\
FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish -c Release -o /app/publish
FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /app
COPY --from=build /app/publish .
ENTRYPOINT ["dotnet", "Api{n}.dll"]
"""
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api{n}
spec:
  selector:
    matchLabels:
      app: api{n}
  template:
    metadata:
      labels:
        app: api{n}
    spec:
      containers:
      - name: api{n}
        image: acme.example/api{n}:1
        ports:
        - containerPort: 8080
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata:
  name: api{n}
spec:
  selector:
    app: api{n}
  ports:
  - port: 80
"""
COMPOSE = """\
  api{n}:
    build: src/Api{n}
    image: acme.example/api{n}:1
    ports:
    - "{port}:80"
    environment:
      NEXT: http://api{other}/orders
"""


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", type=Path)
    parser.add_argument("--corpus", type=Path, default=os.environ.get("HARDHULL_CORPUS"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave the slow judges out")
    options = parser.parse_args()
    compileall.compile_dir(Path(package.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(options.corpus) if options.corpus else generate(Path(scratch, "set"), 50)
        roots = sorted(str(path) for path in corpus.iterdir() if path.is_dir())
        table = Table(options.rounds)
        compare(table, roots, options)
        every_file_changes(table, Path(scratch, "changing"))
        growing(table, Path(scratch, "growing"))
        one_large_root(table, Path(scratch, "large"))
        start_up(table)
    table.show()
    return 0


class Table:
    """Rows of what was measured, with the ratio that was asked for."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.rows: list[tuple[str, str, str]] = []

    def time(self, command: list[str]) -> float:
        """The median wall time of a command in seconds; its output is thrown away."""
        times = []
        for _ in range(self.rounds):
            begin = time.perf_counter()
            subprocess.run(command, check=False, capture_output=True)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    def ratio(self, what: str, measured: float, against: float, wanted: float) -> None:
        """Note a ratio beside the one that is wanted."""
        held = "ok" if measured <= wanted * against else "TOO SLOW"
        text = f"{measured:.2f} s / {against:.2f} s = {measured / against:.3f}"
        self.rows.append((what, text, f"wanted <= {wanted}  {held}"))

    def show(self) -> None:
        """Print all rows."""
        for what, text, wanted in self.rows:
            print(f"{what:44} {text:30} {wanted}")


def hardhull(*arguments: str) -> list[str]:
    """The command line of hardhull itself."""
    return [PYTHON, "-m", "hardhull", *arguments]


def compare(table: Table, roots: list[str], options: argparse.Namespace) -> None:
    """Scan and fix beside hadolint, Checkov, Trivy and bare reading."""
    scan = table.time(hardhull("scan", "--format", "json", "--fail-on", "none", *roots))
    fix = table.time(hardhull("fix", "--offline", "--diff", *roots))
    table.ratio("fix --diff / scan", fix, scan, 3)
    reading = bare_reading(roots, table.rounds)
    table.ratio("scan / (read all + libyaml events)", scan, reading, 6)
    files = dockerfiles(roots)
    for name, command, wanted in (
        ("hadolint", ["hadolint", "--no-fail", "-f", "json", *files], 0.6),
        ("checkov", checkov(roots), 0.2),
        ("trivy", ["trivy", "config", "--skip-check-update", "-q", "-f", "json"], 0.06),
    ):
        tool = find(command[0], options.tools)
        if tool is None or (options.quick and name != "hadolint"):
            table.rows.append((f"scan / {name}", "not measured", "not installed here"))
            continue
        if name == "trivy":
            common = os.path.commonpath(roots)
            other = table.time([tool, *command[1:], common])
        else:
            other = table.time([tool, *command[1:]])
        table.ratio(f"scan / {name}", scan, other, wanted)
        if name == "hadolint":
            table.ratio("fix --diff / hadolint", fix, other, 0.9)
    table.rows.append(("peak memory of fix --diff", f"{peak(roots):.0f} MB", "wanted <= 200 MB"))


def find(name: str, tools: Path | None) -> str | None:
    """Where a judge is installed."""
    local = tools / name if tools is not None else None
    return str(local) if local is not None and local.exists() else shutil.which(name)


def checkov(roots: list[str]) -> list[str]:
    """Checkov over all roots, without its network."""
    folders = [part for root in roots for part in ("-d", root)]
    kinds = ["--framework", "dockerfile", "kubernetes"]
    return ["checkov", "--skip-download", "--compact", "--quiet", *kinds, *folders, "-o", "json"]


def dockerfiles(roots: list[str]) -> list[str]:
    """All Dockerfiles, as hardhull finds them."""
    return [
        os.path.join(root, entry.path)  # noqa: PTH118  thousands of them
        for root in roots
        for entry in discover.discover(Path(root)).of_kind(FileKind.DOCKERFILE)
    ]


def bare_reading(roots: list[str], rounds: int) -> float:
    """Read every file and pull libyaml's events of every YAML file to the end."""
    script = (
        "import sys, pathlib\n"
        "from _ruamel_yaml import CParser\n"
        "for path in sys.stdin.read().splitlines():\n"
        "    data = pathlib.Path(path).read_bytes()\n"
        "    if path.endswith(('.yml', '.yaml')):\n"
        "        try:\n"
        "            parser = CParser(data.decode())\n"
        "            while parser.check_event(): parser.get_event()\n"
        "        except Exception: pass\n"
    )
    listed = "\n".join(
        os.path.join(root, path)  # noqa: PTH118  as above
        for root in roots
        for path in discover.discover(Path(root)).files
    )
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run([PYTHON, "-c", script], input=listed, text=True, check=False)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def peak(roots: list[str]) -> float:
    """Peak memory of a run in MB, as the operating system accounts for it."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    command = [PYTHON, "-c", script, *hardhull("fix", "--offline", "--diff", *roots)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def generate(folder: Path, number: int) -> Path:
    """Write `number` applications into one root below `folder`."""
    root = folder / "root"
    digests = {}
    for n in range(number):
        place = root / f"src/Api{n}"
        place.mkdir(parents=True)
        (place / "Dockerfile").write_text(DOCKERFILE.replace("{n}", str(n)))
        (place / f"Api{n}.csproj").write_text('<Project Sdk="Microsoft.NET.Sdk.Web" />\n')
        (place / "Program.cs").write_text("WebApplication.CreateBuilder(args).Build().Run();\n")
        (place / "deploy.yaml").write_text(MANIFEST.replace("{n}", str(n)))
    for name in ("sdk", "aspnet"):
        digests[f"mcr.microsoft.com/dotnet/{name}:8.0"] = {"digest": "sha256:" + "a" * 64}
    (folder / "digests.json").write_text(json.dumps({"version": 1, "images": digests}))
    return folder


def every_file_changes(table: Table, folder: Path) -> None:
    """A set in which every Dockerfile and every manifest changes."""
    root = str(generate(folder, 100) / "root")
    digests = str(folder / "digests.json")
    scan = table.time(hardhull("scan", "--fail-on", "none", "--digests", digests, root))
    fix = table.time(hardhull("fix", "--offline", "--diff", "--digests", digests, root))
    table.rows.append(("where every file changes: fix / scan", f"{fix / scan:.2f}", ""))


def growing(table: Table, folder: Path) -> None:
    """1 and 20 copies of a root, as roots of their own: the time must grow no faster."""
    generate(folder / "0", 10)
    for n in range(1, 20):
        shutil.copytree(folder / "0", folder / str(n))
    roots = [str(folder / str(n) / "root") for n in range(20)]
    none = table.time(hardhull("--version"))
    one = table.time(hardhull("fix", "--offline", "--diff", roots[0])) - none
    many = table.time(hardhull("fix", "--offline", "--diff", *roots)) - none
    table.ratio("20 copies / 20 x 1 copy", many, 20 * one, 1.1)


def one_large_root(table: Table, folder: Path) -> None:
    """One repository of many services that call each other, all on port 80: 400 beside 100."""
    small, large = (monorepo(folder / str(number), number) for number in (100, 400))
    none = table.time(hardhull("--version"))
    for command in (("scan", "--fail-on", "none"), ("fix", "--offline", "--diff")):
        four = 4 * (table.time(hardhull(*command, small)) - none)
        many = table.time(hardhull(*command, large)) - none
        table.ratio(f"{command[0]}: 400 applications / 4 x 100", many, four, 1.25)


def monorepo(folder: Path, number: int) -> str:
    """Write one root with `number` applications that Compose and Kubernetes run on port 80."""
    root = generate(folder, number) / "root"
    services = ["services:\n"]
    for n in range(number):
        dockerfile = root / f"src/Api{n}/Dockerfile"
        dockerfile.write_text(dockerfile.read_text().replace("aspnet:8.0", "aspnet:6.0"))
        manifest = root / f"src/Api{n}/deploy.yaml"
        manifest.write_text(manifest.read_text().replace("8080", "80") + SERVICE.format(n=n))
        services.append(COMPOSE.format(n=n, port=5000 + n, other=(n + 1) % number))
    (root / "compose.yaml").write_text("".join(services))
    return str(root)


def start_up(table: Table) -> None:
    """What `--version` costs over bare Python."""
    bare, own = table.time([PYTHON, "-c", ""]), table.time(hardhull("--version"))
    text = f"{(own - bare) * 1000:.0f} ms"
    table.rows.append(("--version over bare Python", text, "wanted <= 80 ms"))


if __name__ == "__main__":
    gc.disable()
    sys.exit(main())
