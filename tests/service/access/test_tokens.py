"""Tokens of a real issuer: an HTTP server with a discovery document and keys, which it rotates."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from service.access import fetching, issuer_keys, tokens
from service.access.keys import FollowedKeys
from service.access.tokens import TokenPlan, Tokens
from service.app import Collaborators, create_app
from service.errors import Problem


class Issuer:
    """An identity provider on a port of this machine."""

    def __init__(self):
        self.asked, self.down, self.says, self.elsewhere = 0, False, None, None
        self.keys = {}
        self.add("first", ec.generate_private_key(ec.SECP256R1()), "ES256")
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # the library's name
                issuer.asked += 1
                if issuer.down:
                    self.send_error(500)
                    return
                if issuer.elsewhere and self.path not in issuer.elsewhere:
                    self.send_response(302)
                    self.send_header("Location", issuer.elsewhere)
                    self.end_headers()
                    return
                said = issuer.discovery() if "well-known" in self.path else issuer.key_set()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, name, private, algorithm):
        self.keys[name] = (private, algorithm)

    def discovery(self):
        return {"issuer": self.says or self.address, "jwks_uri": f"{self.address}/keys"}

    def key_set(self):
        made = []
        for name, (private, algorithm) in self.keys.items():
            kind = jwt.algorithms.get_default_algorithms()[algorithm]
            made.append({**json.loads(kind.to_jwk(private.public_key())), "kid": name, "use": "sig", "alg": algorithm})
        return {"keys": made}

    def token(self, key="first", signed_by=None, headers=None, **claims):
        private, algorithm = signed_by or self.keys[key]
        now = int(time.time())
        said = {"iss": self.address, "aud": "grounds", "sub": "person-17", "iat": now, "exp": now + 60}
        said |= {"grounds_role": "practitioner", "grounds_agency": "gp"} | claims
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, private, algorithm, headers={"kid": key, **(headers or {})})


@pytest.fixture
def issuer():
    started = Issuer()
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def accepted(issuer):
    return Tokens(TokenPlan(issuer.address, "grounds", "grounds_role", "grounds_agency", b"s" * 32))


@pytest.fixture
def clock(monkeypatch):
    """The time as the service reads it for its issuer's keys, `clock.later` seconds from now."""
    made = SimpleNamespace(later=0.0)
    monkeypatch.setattr(issuer_keys, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + made.later))
    return made


def refused(accepted, token):
    with pytest.raises(Problem) as raised:
        accepted.caller(token)
    return raised.value.code


def test_a_token_gives_role_and_agency_and_no_name(issuer, accepted):
    caller = accepted.caller(issuer.token())
    assert (caller.role, caller.agency) == ("practitioner", "gp")
    assert caller.key_id.startswith("oidc-")
    assert "person-17" not in repr(caller)
    assert accepted.caller(issuer.token(iat=int(time.time()) - 5)) == caller
    assert accepted.caller(issuer.token(sub="person-18")).key_id != caller.key_id


def test_a_token_with_a_key_file_s_keys_beside_it(issuer, service):
    plan = TokenPlan(issuer.address, "grounds", "grounds_role", "grounds_agency", b"s" * 32)
    keys = FollowedKeys(service.settings.keys, Tokens(plan))
    client = create_app(Collaborators(service.released, service.log, keys, "test.invalid/log")).test_client()
    body = {"case_ref": "case-1", "agency": "gp", "features": {}}
    by_token = {"Authorization": f"Bearer {issuer.token()}"}
    made = client.post("/v1/screenings", json=body, headers=by_token)
    assert made.status_code == 201
    assert client.post("/v1/screenings", json=body, headers=service.practitioner).status_code == 201
    again = {"Authorization": f"Bearer {issuer.token(iat=int(time.time()) - 9)}"}
    assert client.get(made.headers["Location"], headers=again).status_code == 200
    other = {"Authorization": f"Bearer {issuer.token(sub='another', grounds_agency='police')}"}
    assert client.get(made.headers["Location"], headers=other).status_code == 404
    assert client.post("/v1/screenings", json={**body, "agency": "police"}, headers=by_token).status_code == 403
    payload = service.log.get(made.get_json()["screening_id"]).payload
    assert b"person-17" not in payload


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": timedelta(seconds=-120)},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"nbf": timedelta(seconds=600)},
    ],
)
def test_what_is_not_for_us_or_not_for_now_is_refused(issuer, accepted, claims):
    now = datetime.now(UTC)
    for name, value in claims.items():
        if isinstance(value, timedelta):
            claims = {**claims, name: int((now + value).timestamp())}
    assert refused(accepted, issuer.token(**claims)) == "token_refused"


def test_a_token_of_another_signature_is_refused(issuer, accepted):
    other = rsa.generate_private_key(65537, 2048)
    assert refused(accepted, issuer.token(signed_by=(other, "RS256"))) == "token_refused"
    assert refused(accepted, issuer.token(signed_by=(None, "none"))) == "token_refused"
    assert refused(accepted, issuer.token(signed_by=(b"0" * 64, "HS256"))) == "token_refused"
    assert refused(accepted, issuer.token()[:-4] + "AAAA") == "token_refused"
    assert refused(accepted, "not.a.token") == "token_refused"


@pytest.mark.parametrize("role", [None, "director", ["practitioner"], 7])
def test_a_token_without_a_role_of_ours_is_refused(issuer, accepted, role):
    assert refused(accepted, issuer.token(grounds_role=role)) == "no_role"


def test_keys_are_followed_when_the_issuer_rotates_them(issuer, accepted, clock):
    old = issuer.token()
    accepted.caller(old)
    issuer.add("second", rsa.generate_private_key(65537, 2048), "RS256")
    assert refused(accepted, issuer.token("second")) == "token_refused"  # asked a moment ago
    clock.later += tokens.LOOK_AGAIN_SECONDS
    assert accepted.caller(issuer.token("second")).role == "practitioner"
    del issuer.keys["first"]
    clock.later += tokens.KEYS_LAST_SECONDS
    assert refused(accepted, old) == "token_refused"  # remembered as good, by a key that is withdrawn


def test_unknown_keys_do_not_make_us_ask_again_and_again(issuer, accepted):
    accepted.caller(issuer.token())
    asked = issuer.asked
    for number in range(20):
        refused(accepted, issuer.token(headers={"kid": f"k{number}"}))
    assert issuer.asked == asked


def test_an_issuer_that_is_away_is_said_so_and_comes_back(issuer, accepted, clock):
    issuer.down = True
    for _ in range(20):
        assert refused(accepted, issuer.token()) == "issuer_unavailable"
    assert issuer.asked == 1  # and not by every token
    issuer.down = False
    clock.later += tokens.LOOK_AGAIN_SECONDS
    assert accepted.caller(issuer.token()).role == "practitioner"


def test_while_the_issuer_is_away_an_unknown_key_is_not_called_wrong(issuer, accepted, clock):
    good = issuer.token()
    accepted.caller(good)
    issuer.down = True
    clock.later += tokens.LOOK_AGAIN_SECONDS
    assert refused(accepted, issuer.token(headers={"kid": "perhaps-new"})) == "issuer_unavailable"
    assert accepted.caller(good).role == "practitioner"  # its key is still believed
    clock.later += tokens.KEYS_LAST_SECONDS
    assert refused(accepted, good) == "issuer_unavailable"


def test_an_issuer_that_hangs_keeps_one_request_waiting_and_no_other(issuer, accepted, clock, monkeypatch):
    good = issuer.token()
    accepted.caller(good)
    let_go, hung = threading.Event(), threading.Event()

    def hangs(_address):
        hung.set()
        let_go.wait(60)
        raise OSError

    monkeypatch.setattr(tokens, "fetched", hangs)
    clock.later += tokens.LOOK_AGAIN_SECONDS
    first = threading.Thread(target=refused, args=(accepted, issuer.token(headers={"kid": "new"})))
    first.start()
    assert hung.wait(30)
    clock.later += tokens.KEYS_LAST_SECONDS * 0.6  # by now every request would ask
    for _ in range(50):
        assert accepted.caller(good).role == "practitioner"
        assert accepted.caller(issuer.token(iat=int(time.time()) - 7)).role == "practitioner"
    assert refused(accepted, issuer.token(headers={"kid": "another"})) == "issuer_unavailable"
    assert first.is_alive()
    let_go.set()
    first.join()


def test_what_is_no_token_does_not_make_us_ask(issuer, accepted):
    for token in ("a.b.c", issuer.token(signed_by=(b"0" * 64, "HS256")), issuer.token(signed_by=(None, "none"))):
        assert refused(accepted, token) == "token_refused"
    assert issuer.asked == 0


@pytest.mark.parametrize("claims", [{"exp": 1e999}, {"exp": "never"}, {"exp": [1]}, {"iat": {}}, {"sub": 7}])
def test_claims_of_a_wrong_kind_are_refused(issuer, accepted, claims):
    assert refused(accepted, issuer.token(**claims)) == "token_refused"


def test_an_issuer_s_address_is_the_whole_host(issuer):
    for address in ("http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://localhost@evil.example"):
        with pytest.raises(ValueError, match="HTTPS"):
            fetching.fetched(address)


def test_a_redirect_is_not_followed(issuer, accepted):
    issuer.elsewhere = f"{issuer.address}/.well-known/another"
    assert refused(accepted, issuer.token()) == "issuer_unavailable"
    assert issuer.asked == 1


def test_a_token_is_a_bearer_s_and_tokens_are_guessed_as_keys_are(issuer, service):
    plan = TokenPlan(issuer.address, "grounds", "grounds_role", "grounds_agency", b"s" * 32)
    keys = FollowedKeys(service.settings.keys, Tokens(plan))
    client = create_app(Collaborators(service.released, service.log, keys, "test.invalid/log")).test_client()
    answer = client.get("/v1/dictionary", headers={"Authorization": f"Basic {issuer.token()}"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "no_key")
    codes = [
        client.get("/v1/dictionary", headers={"Authorization": "Bearer a.b.c"}).get_json()["code"] for _ in range(22)
    ]
    assert codes == ["token_refused"] * 20 + ["too_many_guesses"] * 2
    good = {"Authorization": f"Bearer {issuer.token()}"}
    assert client.get("/v1/dictionary", headers=good).status_code == 200


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer, accepted):
    issuer.says = "https://elsewhere.example"
    assert refused(accepted, issuer.token()) == "issuer_unavailable"
