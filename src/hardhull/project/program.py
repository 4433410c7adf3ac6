"""What one file of a .NET program says of its ports, the files it writes and its endpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hardhull.project.calls import any_of, arguments_at, literal
from hardhull.project.code_ports import KEY_WORDS, PORT_WORDS, ports_in_code
from hardhull.project.code_writes import WRITE_WORDS, writes_in_code
from hardhull.project.sighting import (
    PROFILER,
    Sighting,
    blanked,
    code_and_bare,
    sighting,
    without_comments,
)

if TYPE_CHECKING:
    from hardhull.documents.source import Source

__all__ = ["RAW_SOCKETS", "Sighting", "says_nothing", "seen_in_code", "without_comments"]

RAW_SOCKETS = "raw_sockets"
"""The topic of what only root or CAP_NET_RAW may do on Linux: `ping` and its like."""

_HEALTH_WORD = "HealthChecks"
_PING_WORDS = ("Ping", ".Raw")

_HEALTH_CALL = re.compile(r"\b(?:Map|Use)HealthChecks\b")
_LEGACY_HOST = re.compile(r"\bWebHost\.(?:CreateDefaultBuilder|Start\w*)|\bnew\s+WebHostBuilder\b")
_PROTECTION = re.compile(r"\b(?:AddDataProtection|PersistKeysTo\w+)")
_CLUSTER_CLIENT = re.compile(
    r"\bInClusterConfig\b|\bKubernetesClientConfiguration\b|secrets/kubernetes\.io/serviceaccount"
    r"|\bKUBERNETES_SERVICE_(?:HOST|PORT)\b|\bkubernetes\.default\b"
)
_TOPICS = (
    ("legacy_host", ("WebHost",), _LEGACY_HOST),
    ("profiler", ("PROFIL", "DiagnosticPorts", "HOOKS"), PROFILER),
    ("data_protection", ("DataProtection", "PersistKeys"), _PROTECTION),
    (
        "kubernetes_client",
        (
            "InCluster",
            "KubernetesClient",
            "kubernetes.io/service",
            "KUBERNETES_SERVICE",
            "kubernetes.default",
        ),
        _CLUSTER_CLIENT,
    ),
)
"""By topic: the words without which there is nothing to look for, and what is looked for."""
_PINGS = re.compile(
    r"\b(?:[nN]ew\s+(?:\w+\.)*Ping|Ping\s+\w+\s*=\s*new)\s*(?=\()|\bSendPingAsync\b"
    r"|\bAddPingHealthCheck\b|\bMy\.Computer\.Network\.Ping\b|\bSocketType\.Raw\b"
)
_OF_THE_NETWORK = re.compile(
    r"\bNetworkInformation\b|\bSendPingAsync\b|\bPing(?:Reply|Options|Exception|HealthCheck)\b"
    r"|\bIPStatus\b|\bAddPingHealthCheck\b|\bMy\.Computer\b|\bSocketType\b"
)
"""Many programs have a class `Ping` of their own, such as a message to try a bus with."""
_NEVER = re.compile(
    r"^[ \t]*#if[ \t]+false\b.*?^[ \t]*#(?:endif|else|elif)\b", re.MULTILINE | re.DOTALL
)


_CODE_WORDS = (
    *PORT_WORDS, *KEY_WORDS, *WRITE_WORDS, "://", "ort", "PORT", "IFormFile", _HEALTH_WORD,
    *_PING_WORDS, *(word for _, words, _ in _TOPICS for word in words),
)  # fmt: skip
"""A code file without any of these words says nothing here: the test before anything else."""


def says_nothing(text: str) -> bool:
    """Tell, cheaply, that the text of a code file can't hold anything of interest."""
    return not any_of(_CODE_WORDS, text)


def seen_in_code(source: Source, language: str) -> tuple[Sighting, ...]:
    """Return what C#, F# or Visual Basic code shows, by line."""
    code, bare = code_and_bare(source.text, language)
    for never in reversed(list(_NEVER.finditer(code)) if "#if" in code else ()):
        start, end = never.span()
        code = code[:start] + blanked(never[0]) + code[end:]
        bare = bare[:start] + blanked(never[0]) + bare[end:]
    if says_nothing(code):
        return ()
    seen = [*ports_in_code(source, code, bare), *writes_in_code(source, code, bare)]
    for topic, words, pattern in _TOPICS:
        hits = pattern.finditer(code) if any_of(words, code) else ()
        seen += (sighting(source, topic, hit[0], hit.start()) for hit in hits)
    for hit in _HEALTH_CALL.finditer(bare) if _HEALTH_WORD in bare else ():
        endpoint = literal(next(iter(arguments_at(code, hit.end())), ""))
        seen.append(sighting(source, "health_endpoints", hit[0], hit.start(), endpoint))
    if any_of(_PING_WORDS, bare) and _OF_THE_NETWORK.search(bare):
        for hit in _PINGS.finditer(bare):
            seen.append(sighting(source, RAW_SOCKETS, hit[0].strip(), hit.start()))
    return tuple(sorted(dict.fromkeys(seen), key=lambda one: one.line))
