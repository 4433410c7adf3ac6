"""What looks like a secret: names that ask for one, and values that are not placeholders."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"PASSWORD|PASSWD|SECRET|TOKEN|API_*KEY|ACCESS_*KEY|PRIVATE_*KEY|ACCOUNT_*KEY"
    r"|(?:^|_)(?:PWD|PAT|PASS)$"
)
_ABOUT_ONE = re.compile(
    r"(?:FILE|PATH|DIR|URL|URI|ENDPOINT|HOST|NAME|USER|LENGTH|LIFETIME|EXPIR\w*|TTL|TIMEOUT|MINUTES"
    r"|SECONDS|HOURS|DAYS|ISSUER|AUDIENCE|AUTHORITY|ALGORITHM|TYPE|POLICY|ENABLED|DISABLED|REQUIRED?"
    r"|SCHEME|HEADER|SCOPES?|REF|MODE|VERSION|ID|STORE|PROVIDER|EMPTY_PASSWORD|RANDOM_ROOT_PASSWORD)$"
)
_CONNECTION = re.compile(r"(?:^|;)\s*(?:password|pwd)\s*=\s*(?P<value>[^;]*)", re.IGNORECASE)
_ACCOUNT_KEY = re.compile(r"(?:AccountKey|SharedAccessKey)=(?P<value>[^;]+)")
_PLACEHOLDER = re.compile(
    r"(?:\$|%\w+%|#\{|\{\{|\{\w|<|__|\[)|^(?:true|false|yes|no|none|null|changeme|change[-_ ]me|todo|tbd"
    r"|replace[-_ ]?me|placeholder|redacted|dummy|x+|\*+|\.+|-+)$|^your[-_ ]|[-_ ]here$|/run/secrets",
    re.IGNORECASE,
)


def asks_for_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, not something about one."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).upper()
    return _NAME.search(plain) is not None and _ABOUT_ONE.search(plain) is None


def is_written_out(value: str | None) -> bool:
    """Whether a value is a secret itself: not empty and not a stand-in for one."""
    text = (value or "").strip().strip("\"'")
    return bool(text) and _PLACEHOLDER.search(text) is None


def holds_secret(name: str, value: str | None) -> bool:
    """Whether a variable holds a secret: by its name, or a password in a connection string."""
    if value is None:
        return False
    for pattern in (_CONNECTION, _ACCOUNT_KEY):
        inner = pattern.search(value.strip("\"'"))
        if inner is not None:
            return is_written_out(inner["value"])
    return asks_for_secret(name) and is_written_out(value)
