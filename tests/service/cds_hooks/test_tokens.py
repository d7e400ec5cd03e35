"""A token is trusted by signature, issuer, address, time and first use; every other one is refused and says why."""

import base64
import http.server
import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from service.access import issuer_keys
from service.access.keys import Keys, read_keys, revoke_key, rotate_key
from service.cds_hooks.plan import CdsPlan, Issuer
from service.cds_hooks.seen_tokens import SeenTokens
from service.cds_hooks.tokens import CdsClients
from service.errors import Problem
from tests.service.cds_hooks.conftest import ISS, URL, VIEW, hook_call, public
from tests.service.screening.test_api import problem

REFUSED = [
    ({"iss": "https://another.example/"}, {}, "its iss"),
    ({"iss": None}, {}, "its iss"),
    ({"aud": URL}, {}, "its aud"),
    ({"aud": "https://another.example" + VIEW}, {}, "its aud"),
    ({"exp": lambda now: now - 3600}, {}, "has expired"),
    ({"exp": lambda now: now + 7200}, {}, "more than 300 seconds"),
    ({"iat": lambda now: now + 3600}, {}, "in the future"),
    ({"jti": None}, {}, "needs all of"),
    ({"exp": None}, {}, "needs all of"),
    ({"exp": lambda now: str(int(now) + 120)}, {}, "its exp must be a number"),
    ({"exp": True}, {}, "has expired"),
    ({"exp": 1e999}, {}, "cannot be verified"),
    ({"jti": ""}, {}, "its jti"),
    ({}, {"kid": "another"}, "its kid"),
    ({}, {"jku": "https://evil.example/jwks"}, "its jku"),
]


@pytest.mark.parametrize(("claims", "header", "fix"), REFUSED)
def test_a_token_that_is_not_right_is_refused_with_the_reason(client, claims, header, fix):
    claims = {name: value(time.time()) if callable(value) else value for name, value in claims.items()}
    response = client.post(VIEW, hook_call(), client.token(VIEW, header, **claims))
    assert fix in problem(response, "token_refused")["detail"]
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.service.log.screenings() == 0


def test_another_s_signature_no_signature_and_a_shared_secret_are_refused(client):
    good = client.token(VIEW)
    others = replace(client, private=ec.generate_private_key(ec.SECP384R1())).token(VIEW)
    head, body, _ = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"key-1"}').rstrip(b"=").decode()
    said = jwt.decode(good, options={"verify_signature": False})
    secret = jwt.encode(said, "k" * 64, "HS384", {"kid": "key-1"})
    weaker = jwt.encode(said, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "key-1"})
    rsa_s = base64.urlsafe_b64encode(b'{"alg":"RS384","kid":"key-1"}').rstrip(b"=").decode()
    for token in (
        others,
        f"{rsa_s}.{body}.AAAA",
        f"{none}.{body}.",
        f"{head}.{body}.",
        secret,
        weaker,
        "abc",
        "a.b.c",
        "",
    ):
        response = client.service.client.post(VIEW, json=hook_call(), headers={"Authorization": f"Bearer {token}"})
        assert response.get_json()["code"] in ("token_refused", "no_token")
    problem(client.service.client.post(VIEW, json=hook_call()), "no_token")
    problem(client.service.client.post(VIEW, json=hook_call(), headers=client.key), "token_refused")
    assert client.service.log.screenings() == 0


def test_a_token_is_good_once_for_every_worker(client):
    token = client.token(VIEW)
    assert client.post(VIEW, hook_call(), token).status_code == 200
    assert "used before" in problem(client.post(VIEW, hook_call(), token), "token_refused")["detail"]
    other_worker = SeenTokens(client.service.settings.run / "seen-tokens")
    said = jwt.decode(token, options={"verify_signature": False})
    assert other_worker.first(ISS, said["jti"], said["exp"] + 31) is False
    assert client.service.log.screenings() == 1


def test_of_many_at_once_one_is_first_and_what_has_ended_is_forgotten(tmp_path):
    seen, firsts = SeenTokens(tmp_path), []
    ends = int(time.time()) + 60
    threads = [threading.Thread(target=lambda: firsts.append(seen.first(ISS, "one", ends))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == [False] * 15 + [True]
    assert SeenTokens(tmp_path).first(ISS, "old", int(time.time()) - 1)
    assert SeenTokens(tmp_path).first(ISS, "two", ends)
    assert sorted(path.name.rpartition("-")[2] for path in tmp_path.iterdir()) == [str(ends)] * 2


def test_a_revoked_key_ends_its_issuer(client):
    assert client.call().status_code == 200
    revoke_key(client.service.settings.keys, client.key_id)
    keys = Keys(read_keys(client.service.settings.keys))
    plan = CdsPlan({ISS: Issuer(ISS, client.key_id, None, None, frozenset())}, URL, client.service.settings.run)
    assert keys.by_id(client.key_id) is None
    clients = CdsClients(plan, keys)
    clients._public[ISS].key = lambda _: jwt.PyJWK(public(client.private, "key-1"))
    with pytest.raises(Problem) as refused:
        clients.caller(f"Bearer {client.token(VIEW)}", VIEW)
    assert (refused.value.code, "revoked" in refused.value.detail) == ("token_refused", True)


def test_an_rsa_key_and_a_rotation_of_the_file_are_followed(client):
    second = rsa.generate_private_key(65537, 2048)
    path = client.service.settings.cds_issuers.parent / "ehr.json"
    later = path.with_suffix(".new")
    later.write_text(json.dumps({"keys": [public(second, "key-2", "RS384")]}))
    later.replace(path)
    rotated = replace(client, private=second, kid="key-2", algorithm="RS384")
    assert rotated.call().status_code == 200
    problem(client.call(), "token_refused")


@pytest.fixture
def address(client):
    """A real server of the issuer's keys; what it serves can be changed."""
    served = {"body": json.dumps({"keys": [public(client.private, "key-1")]}).encode(), "status": 200, "count": 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            served["count"] += 1
            self.send_response(served["status"])
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(served["body"])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks", served
    server.shutdown()
    server.server_close()


def test_keys_from_an_address_are_kept_and_asked_for_seldom(client, address, monkeypatch, settings):
    later = 0.0
    monkeypatch.setattr(issuer_keys, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + later))
    url, served = address
    issuer = Issuer(ISS, client.key_id, None, url, frozenset())
    clients = CdsClients(CdsPlan({ISS: issuer}, URL, settings.run), Keys(read_keys(settings.keys)))

    def call(header=None):
        return clients.caller(f"Bearer {client.token(VIEW, header)}", VIEW)

    assert call({"jku": url}).key_id == client.key_id
    assert call().agency == "health_visiting"
    for _ in range(5):
        with pytest.raises(Problem, match="token_refused"):
            call({"kid": "unknown"})
    assert served["count"] == 1
    later = 1900.0  # it is time to ask again
    served["status"] = 500
    assert call().key_id == client.key_id  # kept, though the address fails
    for status in (500, 302):
        later += 3700.0  # and now they are no longer believed
        served["status"] = status
        with pytest.raises(Problem) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (503, "issuer_keys_unavailable")


def test_a_rotated_key_hands_its_issuer_on_and_the_last_one_ends_it(client, settings):
    from service.app import Collaborators, create_app
    from service.cds_hooks.plan import cds_plan

    service, call = client.service, hook_call()

    def called():
        keys = Keys(read_keys(settings.keys))
        plan = cds_plan(service.settings)
        service.app = create_app(Collaborators(service.released, service.log, keys, settings.origin, cds=plan))
        return client.post(VIEW, call)

    first = called().get_json()
    _, second = rotate_key(settings.keys, client.key_id)
    revoke_key(settings.keys, client.key_id)
    assert called().get_json() == first, "the same call again: one card, one entry"
    assert service.log.screenings() == 1
    card = first["cards"][0]["uuid"]
    said = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-04-01T09:30:00Z"}
    assert client.feedback([said]).status_code == 200
    assert json.loads(service.log.latest_of_kind("response").payload)["caller"]["key_id"] == second.key_id
    revoke_key(settings.keys, second.key_id)
    problem(called(), "token_refused")
