"""A .NET project file, as far as its text says without running MSBuild."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

PROPERTY = re.compile(r"<(\w+)(?:\s[^<>]*)?>([^<]*)</")
OWN_PROPERTY = re.compile(
    r"<(TargetFrameworks?|TargetFrameworkVersion|AssemblyName|IsTestProject|EnableSdkContainerSupport"
    r"|PublishProfile|Container\w+)"
    r"(?:\s[^<>]*)?>([^<]*)</"
)
SDK = re.compile(
    r"<(?:Project|Import)\b[^<>]*\bSdk\s*=\s*[\"']([^\"']+)"
    r"|<Sdk\b[^<>]*\bName\s*=\s*[\"']([^\"']+)"
)
ITEM = re.compile(r"<(\w+)\s[^<>]*?\bInclude\s*=\s*[\"']([^\"']*)[\"']")
_VARIABLE = re.compile(r"\$\((\w+)\)")
_OF_FRAMEWORK = re.compile(r"net[1-4]\d{1,2}", re.IGNORECASE)
_OLD_VERSION = re.compile(r"v([1-4](?:\.\d){1,2})", re.IGNORECASE)
_TEST_NAME = re.compile(
    r"(?i:(?:^|[._-])(?:unit|integration|functional|acceptance|e2e|component|system|api)?tests?$)"
    r"|[a-z]Tests$"
)
_TEST_PACKAGES = frozenset({"microsoft.net.test.sdk", "xunit", "nunit", "mstest.testframework"})


@dataclass(frozen=True, slots=True)
class DotnetProject:
    """A project file, as far as its text says without running MSBuild."""

    path: str
    directory: str
    """POSIX, relative to the root; empty for the root itself."""
    name: str
    assembly_name: str
    target_frameworks: tuple[str, ...]
    sdk: str
    is_web: bool
    is_test: bool
    container: tuple[tuple[str, str], ...]
    """`Container…` properties and items, `EnableSdkContainerSupport` and `PublishProfile`, as
    written."""
    packages: tuple[tuple[str, int], ...]
    """Names of package references, with their lines."""
    references: tuple[str, ...]
    """Paths of the project files that this one refers to."""
    unresolved: tuple[str, ...] = ()
    """References as written that lead to no file here; its own name where it can't be read."""
    linked: tuple[str, ...] = ()
    """Folders outside its own from which it compiles files."""

    @property
    def of_framework(self) -> bool:
        """Whether it is for .NET Framework alone, which runs on Windows."""
        return bool(self.target_frameworks) and all(
            _OF_FRAMEWORK.fullmatch(one) for one in self.target_frameworks
        )


def frameworks_of(own: list[tuple[str, str]], properties: dict[str, str]) -> tuple[str, ...]:
    """The target frameworks; of a project in the old form `net48` for its version `v4.8`.

    All that it says itself, whatever the conditions; else what it inherits.
    """
    said = ";".join(text for name, text in own if name in ("TargetFramework", "TargetFrameworks"))
    if not said.strip(";\r\n\t "):
        said = properties.get("TargetFrameworks") or properties.get("TargetFramework", "")
    version = _OLD_VERSION.fullmatch(properties.get("TargetFrameworkVersion", "").strip())
    if not said and version is not None:
        return (f"net{version[1].replace('.', '')}",)
    parts = (part.strip() for part in expand(said, properties).split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


def expand(text: str, properties: dict[str, str]) -> str:
    """Put properties in for `$(Name)`, a few levels deep; what is unknown stays as written."""
    for _ in range(4):
        text = _VARIABLE.sub(lambda hit: properties.get(hit[1], hit[0]), text)
    return text.strip()


def resolve(directory: str, include: str) -> str:
    """Return the POSIX path of an MSBuild path, relative to the root."""
    plain = include.replace("$(MSBuildThisFileDirectory)", "").replace(
        "$(MSBuildProjectDirectory)", "."
    )
    return posixpath.normpath(posixpath.join(directory, plain.replace("\\", "/").strip()))


def is_test(
    name: str, sdk: str, properties: dict[str, str], packages: tuple[tuple[str, int], ...]
) -> bool:
    """Whether the project is one of tests: it says so, or its name or packages do."""
    said = properties.get("IsTestProject", "").strip().lower()
    if said in ("true", "false"):
        return said == "true"
    return (
        sdk.startswith("MSTest.Sdk")
        or _TEST_NAME.search(name) is not None
        or any(package.lower() in _TEST_PACKAGES for package, _ in packages)
    )


def container_settings(
    properties: dict[str, str], items: list[tuple[str, str, int]]
) -> tuple[tuple[str, str], ...]:
    """Return what the project says of the image that the SDK would build."""
    found = [
        (name, value.strip())
        for name, value in properties.items()
        if name.startswith("Container") or name in ("EnableSdkContainerSupport", "PublishProfile")
    ]
    found += [(item, include) for item, include, _ in items if item.startswith("Container")]
    return tuple(found)


def linked_folders(directory: str, items: list[tuple[str, str, int]]) -> tuple[str, ...]:
    """Return the folders outside the project's own that it takes code from."""
    found: list[str] = []
    for item, include, _ in items:
        if item in ("Compile", "Content", "None", "EmbeddedResource") and ".." in include:
            fixed = re.split(r"[*?]", include.replace("\\", "/"), maxsplit=1)[0]
            target = resolve(directory, fixed)
            if not target.startswith("..") and "$(" not in target:
                found.append(target + "/" if fixed.endswith("/") else target)
    return tuple(dict.fromkeys(found))
