"""Measure how long 100 images take to look up in a registry that is 50 ms away.

    python benchmarks/registry.py [--images N] [--latency MS] [--rounds N]

The registry is the tests' own, on loopback; it waits before each answer. Three cases: an open
registry, one that gives a token for each repository, and one of which everything but the digests
is in the cache. Requests are counted beside the time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from fake_registry import FakeRegistry, Reply, Seen, image, index, platform
from hardhull.facts.cache import Cache
from hardhull.facts.credentials import Keyring
from hardhull.facts.hosts import Hosts
from hardhull.facts.lookups import Failure, Wanted, look_up_all
from hardhull.facts.registry import Registries
from hardhull.facts.transport import Transport


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--latency", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for what, tokens, config, cached, wanted in (
        ("open, digests", False, False, False, 1.0),
        ("a token for each repository, digests", True, False, False, 1.0),
        ("open, digests and configs", False, True, False, None),
        ("open, digests and cached configs", False, True, True, 1.0),
    ):
        times, requests = [], 0
        for _ in range(options.rounds):
            taken, requests = once(options, tokens=tokens, config=config, cached=cached)
            times.append(taken)
        taken = statistics.median(times)
        held = "" if wanted is None else f"wanted <= {wanted} s  "
        held += "" if wanted is None else ("ok" if taken <= wanted else "TOO SLOW")
        print(f"{what:40} {taken:.2f} s  {requests:4} requests  {held}".rstrip())
    return 0


def once(
    options: argparse.Namespace, *, tokens: bool, config: bool, cached: bool
) -> tuple[float, int]:
    """Look all images up with a new client; return the seconds and the number of requests."""

    def wait(_: Seen) -> Reply | None:
        time.sleep(options.latency / 1000)
        return None

    registry = FakeRegistry(tokens=tokens).start()
    names = []
    for number in range(options.images):
        user = {"User": str(number)}
        registry.push(f"app{number}", "1", index((image(user), platform("linux", "amd64"))))
        names.append(Wanted(f"{registry.host}/app{number}:1", config))
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder) if cached else None)
        if cached:
            look_up_all(client(registry, cache), names)
        registry.seen.clear()
        registry.script = wait
        begin = time.perf_counter()
        found = look_up_all(client(registry, cache), names)
        taken = time.perf_counter() - begin
    registry.stop()
    if any(isinstance(one, Failure) for one in found.values()):
        raise AssertionError("a look-up failed")
    return taken, len(registry.seen)


def client(registry: FakeRegistry, cache: Cache) -> Registries:
    """A client that knows nothing yet."""
    hosts = Hosts(plain_http=(registry.host,))
    return Registries(hosts, Transport(hosts, {}), Keyring({}), cache)


if __name__ == "__main__":
    sys.exit(main())
