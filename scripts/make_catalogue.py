#!/usr/bin/env python3
"""Make the package's image catalogue from `data/dotnet-images.json`.

    python scripts/make_catalogue.py           write src/hardhull/facts/catalogue.json
    python scripts/make_catalogue.py --check   fail if it is not what would be written

Needs nothing but Python. The input keeps one line per tag so that its changes can be read; the
output shares equal facts among tags so that loading it takes a few milliseconds.
"""

from __future__ import annotations

import argparse
import calendar
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
INPUT: Final = ROOT / "data" / "dotnet-images.json"
OUTPUT: Final = ROOT / "src" / "hardhull" / "facts" / "catalogue.json"

Json = dict[str, Any]

_FAMILIES: Final = {"cbl-mariner": "mariner"}
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_FIRST_WITH_APP_UID: Final = 8


def main() -> int:
    """Write the catalogue, or with `--check` compare it."""
    parser = argparse.ArgumentParser(description="Make the package's image catalogue.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    arguments = parser.parse_args()
    text = make(json.loads(INPUT.read_text(encoding="utf-8")))
    if not arguments.check:
        OUTPUT.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if OUTPUT.is_file() and OUTPUT.read_text(encoding="utf-8") == text:
        return 0
    print(f"{OUTPUT.name} is stale: run python scripts/make_catalogue.py", file=sys.stderr)
    return 1


def make(data: Json) -> str:
    """The catalogue's text: classes of equal facts, and tags that point at them."""
    classes: dict[str, int] = {}
    seen: dict[str, int] = {}
    tags: Json = {}
    for repository, versions in data["repos"].items():
        for version, entry in versions.items():
            variants = {
                suffix: _tag(facts, version, data["distros"], classes, seen)
                for suffix, facts in entry["variants"].items()
            }
            tags.setdefault(repository, {})[version] = {
                "preview": entry["floating_prefix"].endswith("-preview"),
                "variants": variants,
            }
    catalogue = {
        "source": data["_meta"]["source"],
        "dotnet_versions": {name: row["eol"] for name, row in data["dotnet_versions"].items()},
        "distros": {name: _distro(row) for name, row in data["distros"].items()},
        "classes": [json.loads(text) for text in classes],
        "last_seen": list(seen),
        "tags": tags,
    }
    lines = (f"{json.dumps(key)}:{_compact(value)}" for key, value in catalogue.items())
    return "{" + ",\n".join(lines) + "}\n"


def _tag(
    facts: Json,
    version: str,
    distros: Json,
    classes: dict[str, int],
    seen: dict[str, int],
) -> list[Any]:
    """`[class, live?, last seen, first and last full version]`."""
    row: list[Any] = [
        classes.setdefault(_compact(_class(facts, version, distros)), len(classes)),
        int(facts["tag_state"] == "live-at-snapshot"),
        seen.setdefault(facts["last_seen"], len(seen)),
    ]
    if "fixed_versions" in facts:
        # One version alone is both the first and the last.
        row += [facts["fixed_versions"][0], facts["fixed_versions"][-1]]
    return row


def _class(facts: Json, version: str, distros: Json) -> Json:
    distro = _known_distro(facts["distro"], distros)
    windows = facts["os"] == "windows"
    family = "windows" if windows else _family(distros[distro]["family"])
    if not windows and "package_manager" not in facts:
        # The evaluation knew no tools for this one (`bullseye` beside `bullseye-slim`).
        tools = distros[distro]["tools"]
        facts = facts | tools | {"package_manager": distros[distro]["package_manager"]}
    uid = facts.get("app_uid")
    user_uid = _user_uid(facts["user"], uid)
    # In the order and with the names of ImageFacts.
    return {
        "os": facts["os"],
        "distro": distro,
        "family": family,
        "distroless": facts.get("distroless", False),
        "shell": facts.get("shell", False),
        "package_manager": _none(facts.get("package_manager")),
        "user": facts["user"],
        "user_uid": user_uid,
        # The input's number comes from APP_UID or from the line that made the user; only the
        # first can be written as $APP_UID. Before 8.0 the chiseled images alone set it.
        "app_uid": uid if _sets_app_uid(facts["user"], version) else None,
        "port_env": _port_variable(facts.get("port_env")),
        "http_port": facts.get("default_http_port"),
        "useradd": facts.get("useradd", False),
        "adduser": facts.get("adduser"),
        "entrypoint": facts.get("base_entrypoint"),
        "cmd": facts.get("base_cmd"),
        "taken_uids": sorted({*distros.get(distro, {}).get("taken_uids", []), *_made(uid)}),
        "create_user": _user_tool(facts),
    }


def _made(uid: int | None) -> tuple[int, ...]:
    return () if uid is None else (uid,)


def _user_tool(facts: Json) -> str | None:
    """The name of the UserTool that gives this image a user."""
    if facts["os"] == "windows":
        return None
    if facts["distroless"]:
        return "passwd"
    if facts["useradd"]:
        return "useradd"
    return {"apk": "busybox", "tdnf": "tdnf", "dnf": "dnf"}[facts["package_manager"]]


def _sets_app_uid(user: str, version: str) -> bool:
    return int(version.partition(".")[0]) >= _FIRST_WITH_APP_UID or user.isdigit()


def _user_uid(user: str, app_uid: int | None) -> int | None:
    if user == "root":
        return 0
    if user.isdigit():
        return int(user)
    return app_uid if user == "app" else None


def _port_variable(text: str | None) -> str | None:
    # "ASPNETCORE_URLS (emptied)": the variable is there, without a port.
    return text.partition(" ")[0] if text else None


def _known_distro(name: str, distros: Json) -> str:
    slim = f"{name}-slim"
    return slim if name not in distros and slim in distros else name


def _distro(row: Json) -> Json:
    return {
        "family": _family(row["family"]),
        "version": row.get("version"),
        "package_manager": row.get("package_manager"),
        "end": _date(row.get("lts_eol")) or _date(row.get("standard_eol")),
        "useradd": row.get("tools", {}).get("useradd", False),
        "adduser": row.get("tools", {}).get("adduser"),
        "taken_uids": row.get("taken_uids", []),
    }


def _family(name: str) -> str:
    return _FAMILIES.get(name, name)


def _date(text: str | None) -> str | None:
    """The ISO date at the start of `text`; a month alone means its last day, a year no date."""
    found = _DATE.match(text or "")
    if found is None:
        return None
    year, month, day = found.groups()
    return f"{year}-{month}-{day or calendar.monthrange(int(year), int(month))[1]}"


def _none(text: str | None) -> str | None:
    return None if text == "none" else text


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=False)


if __name__ == "__main__":
    raise SystemExit(main())
