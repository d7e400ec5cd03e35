"""A CDS client: an issuer with a real key pair, bound to a key of the service, and its calls."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field, replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from model.dictionary import shipped_dictionary
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.cds_hooks.plan import cds_plan
from tests.service.fhir.forms import response_of

ISS = "https://ehr.example/"
URL = "https://grounds.example"
ORIGIN = "https://ehr.example"
VIEW = "/cds-services/grounds-patient-view"
SIGN = "/cds-services/grounds-order-sign"
FEATURES = {"child_stage": "newborn", "parent_mental_health_history": "yes"}


def public(private, kid, algorithm="ES384"):
    """The public half as a JSON Web Key."""
    of = jwt.get_algorithm_by_name(algorithm)
    return {**json.loads(of.to_jwk(private.public_key())), "kid": kid, "alg": algorithm, "use": "sig"}


@dataclass
class Client:
    """An issuer's system that calls the service."""

    service: object
    key_id: str
    key: dict[str, str]
    private: object
    kid: str = "key-1"
    algorithm: str = "ES384"
    claims: dict = field(default_factory=dict)

    def token(self, path, header=None, **changes):
        now = int(time.time())
        said = {"iss": ISS, "aud": URL + path, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4()), **changes}
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.private, self.algorithm, {"kid": self.kid, "typ": "JWT", **(header or {})})

    def post(self, path, body, token=None):
        headers = {"Authorization": f"Bearer {token or self.token(path)}"}
        return self.service.client.post(path, json=body, headers=headers)

    def call(self, features=None, path=VIEW, **changes):
        return self.post(path, hook_call(features, path, **changes))

    def feedback(self, entries, path=VIEW):
        return self.post(f"{path}/feedback", {"feedback": entries})


def hook_call(features=None, path=VIEW, agency=None, **changes):
    """The body of a call, as an EHR sends it: names, ids and tokens beside the answers."""
    answers = response_of(shipped_dictionary(), FEATURES if features is None else features, agency)
    context = {"userId": "Practitioner/zebedee-canary", "patientId": "9434765919"}
    if path == SIGN:
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": []}
    return {
        "hook": "patient-view" if path == VIEW else "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": "https://ehr.example/fhir",
        "fhirAuthorization": {"access_token": "canary-token", "token_type": "Bearer", "expires_in": 300},
        "context": context,
        "prefetch": {"answers": answers},
        **changes,
    }


@pytest.fixture
def client(service, settings, tmp_path):
    key = create_key(settings.keys, "practitioner", "health_visiting")[0]
    key_id = key.split("_")[2]
    private = ec.generate_private_key(ec.SECP384R1())
    folder = tmp_path / "issuers"
    folder.mkdir()
    (folder / "ehr.json").write_text(json.dumps({"keys": [public(private, "key-1")]}))
    (folder / "issuers.toml").write_text(
        f'[[issuer]]\niss = "{ISS}"\nkey = "{key_id}"\njwks_file = "ehr.json"\norigins = ["{ORIGIN}"]\n'
    )
    service.settings = replace(settings, public_url=URL, cds_issuers=folder / "issuers.toml")
    plan, keys = cds_plan(service.settings), Keys(read_keys(settings.keys))
    service.app = create_app(Collaborators(service.released, service.log, keys, settings.origin, cds=plan))
    return Client(service, key_id, {"Authorization": f"Bearer {key}"}, private)
