"""Azure's registries by the identity of the job: three exchanges, and what each refusal says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from hardhull.facts.azure import AzureJob
from hardhull.facts.credentials import Keyring
from hardhull.facts.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUNNER = "https://token.actions.example/request?api-version=2"
ENTRA = "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token"
ACR = "https://acme.azurecr.io/oauth2/exchange"
JOB = {
    "AZURE_CLIENT_ID": "client-1",
    "AZURE_TENANT_ID": "tenant-1",
    "ACTIONS_ID_TOKEN_REQUEST_URL": RUNNER,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-secret",
}
GOOD = {
    "GET": {"value": "job-token"},
    ENTRA: {"access_token": "entra-token"},
    ACR: {"refresh_token": "acr-token"},
}


class Servers:
    """The three servers; `answers` are by address, and by method for the runner."""

    def __init__(self, answers: Mapping[str, object] = GOOD, status: int = 200) -> None:
        self.answers = dict(answers)
        self.status = status
        self.asked: list[tuple[str, str, str, dict[str, list[str]]]] = []

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        most: int,
        body: bytes | None = None,
    ) -> Answer:
        assert most
        form = parse_qs((body or b"").decode())
        self.asked.append((method, url, headers.get("Authorization", ""), form))
        answer = self.answers.get(url, self.answers.get(method))
        if answer is None:
            return Answer(self.status, {}, b'{"error": "s3cret words"}')
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Answer(200, {}, text)


def job(servers: Servers, **more: str) -> AzureJob:
    return AzureJob({**JOB, **more}, servers)  # type: ignore[arg-type]  # sends what is sent


def test_a_token_is_exchanged_three_times() -> None:
    servers = Servers()
    login = job(servers).find("acme.azurecr.io")

    assert login is not None
    assert login.identity_token == "acr-token"  # noqa: S105  made up
    runner, entra, registry = servers.asked
    assert runner[1] == f"{RUNNER}&audience=api%3A%2F%2FAzureADTokenExchange"
    assert runner[2] == "Bearer runner-secret"
    assert entra[1:3] == (ENTRA, "")
    assert entra[3]["client_assertion"] == ["job-token"]
    assert entra[3]["client_id"] == ["client-1"]
    assert registry[1:3] == (ACR, "")
    assert registry[3] == {
        "grant_type": ["access_token"],
        "service": ["acme.azurecr.io"],
        "tenant": ["tenant-1"],
        "access_token": ["entra-token"],
    }


def test_entra_is_asked_once_for_all_registries() -> None:
    other = ACR.replace("acme", "other")
    servers = Servers({**GOOD, other: {"refresh_token": "other-token"}})
    azure = job(servers)

    for host in ("acme.azurecr.io", "other.azurecr.io", "acme.azurecr.io"):
        assert azure.find(host) is not None
    assert [url for _, url, _, _ in servers.asked[1:]] == [ENTRA, ACR, other]


@pytest.mark.parametrize(
    "host",
    ["ghcr.io", "acme.azurecr.io.evil.example", "evilazurecr.io", "a.b.azurecr.io", "azurecr.io"],
)
def test_no_other_host_gets_a_token(host: str) -> None:
    servers = Servers()

    assert job(servers).find(host) is None
    assert servers.asked == []


@pytest.mark.parametrize("missing", ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"])
def test_nothing_is_asked_where_no_application_is_named(missing: str) -> None:
    servers = Servers()

    assert job(servers, **{missing: ""}).find("acme.azurecr.io") is None
    assert servers.asked == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"GET": None}, "id-token: write"),
        ({ENTRA: None}, "federated credential"),
        ({ACR: None}, "AcrPull"),
        ({ACR: b"[]"}, "AcrPull"),
        ({ACR: b"{"}, "AcrPull"),
        ({ACR: {"refresh_token": "with a blank"}}, "AcrPull"),
        ({ACR: {"refresh_token": 5}}, "AcrPull"),
    ],
)
def test_a_refusal_says_what_to_set_and_nothing_that_was_sent(
    change: dict[str, object], says: str
) -> None:
    azure = job(Servers({**GOOD, **change}, status=400))

    assert azure.find("acme.azurecr.io") is None
    assert azure.find("acme.azurecr.io") is None
    assert len(azure.notes) == 1
    assert says in azure.notes[0]
    for secret in ("s3cret", "runner-secret", "job-token", "entra-token", "acr-token"):
        assert secret not in azure.notes[0]


@pytest.mark.parametrize("name", ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
def test_a_job_without_an_identity(name: str) -> None:
    servers = Servers()
    azure = job(servers, **{name: ""})

    assert azure.find("acme.azurecr.io") is None
    assert "id-token: write" in azure.notes[0]
    assert servers.asked == []


def test_another_cloud() -> None:
    there = ENTRA.replace("login.microsoftonline.com", "login.microsoftonline.us")
    servers = Servers({**GOOD, there: GOOD[ENTRA], ACR.replace(".io", ".us"): GOOD[ACR]})
    azure = job(servers, AZURE_AUTHORITY_HOST="https://login.microsoftonline.us/")

    assert azure.find("acme.azurecr.us") is not None
    assert servers.asked[1][1] == there


def test_an_id_leads_nowhere_else() -> None:
    servers = Servers()
    azure = job(servers, AZURE_TENANT_ID="../../evil.example")

    assert azure.find("acme.azurecr.io") is None
    assert len(servers.asked) == 1


def test_what_is_written_in_files_comes_first(tmp_path: Path) -> None:
    auths = {"auths": {"acme.azurecr.io": {"username": "ann", "password": "pass"}}}
    servers = Servers()
    environment = {**JOB, "DOCKER_AUTH_CONFIG": json.dumps(auths), "HOME": str(tmp_path)}
    keyring = Keyring(environment, job=job(servers))

    login = keyring.find("acme.azurecr.io", "shop/api")

    assert login is not None
    assert login.username == "ann"
    assert servers.asked == []
    assert keyring.find("other.azurecr.io", "shop/api") is None
    assert "other.azurecr.io" in keyring.notes[0]
