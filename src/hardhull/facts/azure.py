"""Azure's registries by the identity of the job: no password is kept anywhere.

The runner vouches for the job, Microsoft Entra exchanges that for a token of the application that
trusts it, and the registry exchanges this one for its own:

1. `ACTIONS_ID_TOKEN_REQUEST_URL` gives the job's own token (`permissions: id-token: write`),
   https://docs.github.com/en/actions/reference/security/oidc;
2. Entra's `/oauth2/v2.0/token` takes it as a client assertion,
   https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow;
3. the registry's `/oauth2/exchange` gives a refresh token for what Entra gave,
   https://learn.microsoft.com/en-us/rest/api/containerregistry/refresh-tokens.

`AZURE_CLIENT_ID` and `AZURE_TENANT_ID` name the application. `AZURE_AUTHORITY_HOST` names another
cloud than the public one, as it does for Microsoft's own tools.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from hardhull.facts.credentials import Credential
from hardhull.facts.trouble import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hardhull.facts.transport import Transport

_REGISTRY: Final = re.compile(r"[a-z0-9-]+\.azurecr\.(?:io|us|cn)")
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The user that a registry expects beside a refresh token."""
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}")
_LARGEST: Final = 256 * 1024
_OK: Final = 200
_AUDIENCE: Final = "api://AzureADTokenExchange"
_SCOPE: Final = "https://containerregistry.azure.net/.default"
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AzureJob:
    """Logs in to Azure's registries as the job that runs; may be used by several threads."""

    def __init__(self, environment: Mapping[str, str], transport: Transport) -> None:
        self._environment = environment
        self._transport = transport
        self._lock = threading.Lock()
        self._entra: str | None = None
        self._known: dict[str, Credential | None] = {}
        self.notes: tuple[str, ...] = ()

    def find(self, host: str) -> Credential | None:
        """The login for a registry; None for others than Azure's, and where the job has none."""
        if _REGISTRY.fullmatch(host) is None or not self._is_set_up():
            return None
        with self._lock:
            if host not in self._known:
                try:
                    self._known[host] = self._logged_in(host)
                except RegistryError as error:
                    self._known[host] = None
                    self.notes = (*self.notes, f"{host}: {error.reason}; {error.advice}")
            return self._known[host]

    def _is_set_up(self) -> bool:
        return bool(self._given("AZURE_CLIENT_ID") and self._given("AZURE_TENANT_ID"))

    def _given(self, name: str) -> str:
        return self._environment.get(name, "").strip()

    def _logged_in(self, host: str) -> Credential:
        if self._entra is None:
            self._entra = self._token_of_entra(self._token_of_job())
        form = {
            "grant_type": "access_token",
            "service": host,
            "tenant": self._given("AZURE_TENANT_ID"),
            "access_token": self._entra,
        }
        token = self._posted(f"https://{host}/oauth2/exchange", form, "refresh_token", _MAY_PULL)
        return Credential(_NOBODY, identity_token=token)

    def _token_of_job(self) -> str:
        url = self._given("ACTIONS_ID_TOKEN_REQUEST_URL")
        secret = self._given("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
        if not url.startswith("https://") or not secret:
            raise RegistryError("the job has no identity to log in with", _PERMISSION)
        joined = "&" if "?" in url else "?"
        asked = f"{url}{joined}{urlencode({'audience': _AUDIENCE})}"
        bearer = {"Authorization": f"Bearer {secret}"}
        answer = self._transport.send("GET", asked, bearer, most=_LARGEST)
        return _read(answer.status, answer.body, "value", "the runner", _PERMISSION)

    def _token_of_entra(self, assertion: str) -> str:
        client, tenant = self._given("AZURE_CLIENT_ID"), self._given("AZURE_TENANT_ID")
        if _ID.fullmatch(client) is None or _ID.fullmatch(tenant) is None:
            raise RegistryError("azure-client-id or azure-tenant-id is no id", _TRUST)
        cloud = self._given("AZURE_AUTHORITY_HOST").rstrip("/") or _PUBLIC_CLOUD
        if not cloud.startswith("https://"):
            cloud = f"https://{cloud}"
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": _SCOPE,
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }
        return self._posted(f"{cloud}/{tenant}/oauth2/v2.0/token", form, "access_token", _TRUST)

    def _posted(self, url: str, form: Mapping[str, str], key: str, advice: str) -> str:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        answer = self._transport.send("POST", url, headers, most=_LARGEST, body=body)
        return _read(answer.status, answer.body, key, url.split("/")[2], advice)


_PUBLIC_CLOUD: Final = "https://login.microsoftonline.com"
_PERMISSION: Final = "give the job `permissions: id-token: write`"
_TRUST: Final = (
    "give the application of azure-client-id a federated credential for this repository, in the "
    "tenant of azure-tenant-id"
)
_MAY_PULL: Final = "give the application of azure-client-id the role AcrPull on the registry"


def _read(status: int, body: bytes, key: str, who: str, advice: str) -> str:
    """One token of an answer; what else is in it is never repeated."""
    if status != _OK:
        raise RegistryError(f"{who} gives no token (status {status})", advice)
    data: Any = None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    token = data.get(key) if isinstance(data, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise RegistryError(f"{who} gives no token that can be read", advice)
    return token
