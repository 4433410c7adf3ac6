"""The identity of the job from end to end: GitHub, Entra and registry stood in for, over TLS."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import urllib3.util.connection

from certificates import make_certificate
from fake_registry import FakeRegistry, Reply, Seen, body_of, image
from hardhull.facts.asking import Answers, Desk
from hardhull.facts.lookups import Wanted
from hardhull.settings import RegistrySettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT, TENANT = "6f9f2c1e-0000-4000-8000-000000000001", "6f9f2c1e-0000-4000-8000-000000000002"
RUNNER = "runner.actions.example"
ENTRA = "login.microsoftonline.com"
ACR = "acme.azurecr.io"
JOB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{RUNNER}/token?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret-right",
    "AZURE_CLIENT_ID": CLIENT,
    "AZURE_TENANT_ID": TENANT,
}


class Cloud:
    """GitHub's token service, Entra and one of Azure's registries, told apart by host name."""

    def __init__(self) -> None:
        self.registry = FakeRegistry(script=self.script)
        self.refused: set[str] = set()
        self.anonymous = False

    def script(self, seen: Seen) -> Reply | None:
        if seen.host in self.refused:
            return Reply(401, body=b'{"error": "s3cret-echo"}')
        given = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        if seen.host == RUNNER:
            assert seen.query == {
                "api-version": ["2.0"],
                "audience": ["api://AzureADTokenExchange"],
            }
            right = seen.authorization == "Bearer s3cret-right"
            return Reply(200, body=body_of({"value": "s3cret-github"})) if right else Reply(401)
        if seen.host == ENTRA:
            assert seen.path == f"/{TENANT}/oauth2/v2.0/token"
            assert given["client_assertion"] == "s3cret-github"
            assert (given["client_id"], given["grant_type"]) == (CLIENT, "client_credentials")
            assert given["scope"] == "https://containerregistry.azure.net/.default"
            return Reply(200, body=body_of({"access_token": "s3cret-entra"}))
        assert seen.host == ACR
        if seen.path == "/oauth2/exchange":
            wanted = {
                "grant_type": "access_token",
                "service": ACR,
                "tenant": TENANT,
                "access_token": "s3cret-entra",
            }
            assert given == wanted
            return Reply(200, body=body_of({"refresh_token": "s3cret-refresh"}))
        if seen.path == "/oauth2/token":
            return self._token(seen, given)
        scope = f"repository:{seen.path.removeprefix('/v2/').partition('/manifests')[0]}:pull"
        if seen.authorization == f"Bearer s3cret-access-{scope}":
            return None
        realm = f'Bearer realm="https://{ACR}/oauth2/token",service="{ACR}",scope="{scope}"'
        return Reply(401, {"WWW-Authenticate": realm})

    def _token(self, seen: Seen, given: dict[str, str]) -> Reply:
        scope = given.get("scope") or seen.query["scope"][0]
        if given.get("refresh_token") == "s3cret-refresh" or self.anonymous:
            return Reply(200, body=body_of({"access_token": f"s3cret-access-{scope}"}))
        return Reply(401)

    def hosts(self) -> list[str]:
        return [one.host for one in self.registry.seen]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """The three under their own names, by TLS: only where their addresses lead is made up."""
    certificate, key = make_certificate(tmp_path, RUNNER, ENTRA, ACR, "other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    one = Cloud()
    one.registry.start(context)
    port = int(one.registry.host.rpartition(":")[2])
    inner = [(2, 1, 6, "", ("127.0.0.1", port))]
    public = [(2, 1, 6, "", ("20.0.0.1", 443))]

    def looked_up(host: str, *_: Any, **__: Any) -> Any:
        return inner if host == "127.0.0.1" else public

    whole = urllib3.util.connection.create_connection

    def led(address: tuple[str, int], *rest: Any, **more: Any) -> Any:
        assert address == ("20.0.0.1", 443)
        return whole(("127.0.0.1", port), *rest, **more)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr("socket.getaddrinfo", looked_up)
    monkeypatch.setattr("urllib3.util.connection.create_connection", led)
    yield one
    one.registry.stop()


def asked(environment: dict[str, str], *names: str, allow: tuple[str, ...] = ()) -> Answers:
    wanted = [Wanted(name, config=False) for name in names or (f"{ACR}/team/app:1",)]
    return Desk(environment).ask(RegistrySettings(allow), wanted)


def test_the_job_logs_in_by_itself(cloud: Cloud) -> None:
    digests = {
        f"{ACR}/{name}:1": cloud.registry.push(name, "1", image()).digest
        for name in ("team/app", "team/base")
    }

    answers = asked(JOB, *digests)

    assert {name: found.digest for name, found in answers.images.items()} == digests
    assert answers.notes == ()
    assert answers.contacted == (ACR, ENTRA, RUNNER)
    # One token of GitHub, of Entra and of the registry; then one for each repository.
    assert (cloud.hosts().count(RUNNER), cloud.hosts().count(ENTRA)) == (1, 1)
    assert cloud.registry.count("POST", "/oauth2/exchange") == 1
    assert cloud.registry.count("POST", "/oauth2/token") == 2
    assert "s3cret" not in repr(answers)


def test_a_login_that_is_stored_comes_first(cloud: Cloud) -> None:
    cloud.registry.push("team/app", "1", image())
    stored = {"auths": {ACR: {"identitytoken": "s3cret-refresh"}}}

    answers = asked({**JOB, "DOCKER_AUTH_CONFIG": json.dumps(stored)})

    assert len(answers.images) == 1
    assert set(cloud.hosts()) == {ACR}


def test_nobody_else_is_sent_anything(cloud: Cloud) -> None:
    """A registry that is not Azure's wants a login: the job's identity is not used for it."""
    host = "other.example"
    cloud.registry.script = lambda _: Reply(
        401, {"WWW-Authenticate": f'Bearer realm="https://{host}/t",service="x",scope="y"'}
    )

    answers = asked(JOB, f"{host}/team/app:1", allow=(host,))

    assert "wants a login" in next(iter(answers.failures.values())).reason
    assert set(cloud.hosts()) == {host}
    assert all(b"s3cret" not in one.body for one in cloud.registry.seen)


@pytest.mark.parametrize(
    ("refusing", "said"),
    [
        (RUNNER, "the runner gives no token (status 401)"),
        (ENTRA, f"{ENTRA} gives no token (status 401); give the application of azure-client-id"),
    ],
)
def test_a_refusal_is_told_without_a_word_of_it(cloud: Cloud, refusing: str, said: str) -> None:
    cloud.refused.add(refusing)

    answers = asked(JOB)

    assert "wants a login" in answers.failures[f"{ACR}/team/app:1"].reason
    assert len(answers.notes) == 1
    assert f"{ACR}: {said}" in answers.notes[0]
    assert "s3cret" not in repr(answers)


def test_what_everyone_may_read_is_read_without_it(cloud: Cloud) -> None:
    cloud.anonymous = True
    cloud.registry.push("team/app", "1", image())

    answers = asked({"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": TENANT})

    assert len(answers.images) == 1
    assert "give the job `permissions: id-token: write`" in answers.notes[0]
