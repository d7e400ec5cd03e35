"""Schemathesis against the running service, every check on: what the contract says is what the service does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from service.access.keys import create_key
from tests.service.cds_hooks.conftest import ISS, public
from tests.service.serving import serving

ROOT = Path(__file__).parents[3]
EXAMPLES = 8
"""Most cases an operation in the fuzzing phase; the coverage phase makes its own, a thousand and more in all."""
RUN = [
    str(Path(sys.executable).parent / "schemathesis"),
    *("run", "--checks", "all", "--max-examples", str(EXAMPLES), "--no-color", "--continue-on-failure"),
    *("--generation-database", "none"),
]
URL = "https://grounds.example"


@pytest.fixture
def clients(settings, tmp_path):
    """The environment of a run: keys of each role, and an issuer for CDS Hooks."""
    keys = {role: create_key(settings.keys, role)[0] for role in ("practitioner", "auditor")}
    fhir = create_key(settings.keys, "practitioner", "gp")[0]
    private = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / "ehr.json").write_text(json.dumps({"keys": [public(private, "key-1")]}))
    issuers = tmp_path / "issuers.toml"
    issuers.write_text(f'[[issuer]]\niss = "{ISS}"\nkey = "{fhir.split("_")[2]}"\njwks_file = "ehr.json"\n')
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return issuers, {
        "FUZZ_PRACTITIONER": keys["practitioner"],
        "FUZZ_AUDITOR": keys["auditor"],
        "FUZZ_FHIR": fhir,
        "FUZZ_ISS": ISS,
        "FUZZ_URL": URL,
        "FUZZ_PRIVATE": pem.decode(),
        "SCHEMATHESIS_HOOKS": "tests.service.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
    }


# Parameters about the log rest on one another (exactly one of index, entry and leaf_hash), which OpenAPI cannot say: a
# 400 that names them is right there. Every check runs on these operations too.
CONFIGURATION = """
[[operations]]
include-path-regex = "^/v1/log/"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 429]
# CDS Hooks 2.0 has 412 for answers that did not come with the call.
[[operations]]
include-path-regex = "^/cds-services/"
[operations.checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 412, 413, 415, 422, 429]
"""


def test_the_service_does_what_its_contract_says(settings, clients, tmp_path):
    issuers, environment = clients
    more = {"GROUNDS_AUDIT_RATE": "1000000/minute", "GROUNDS_CDS_ISSUERS": str(issuers), "GROUNDS_PUBLIC_URL": URL}
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with serving(settings, **more) as served:
        done = subprocess.run(
            [*RUN, "--seed", os.environ.get("FUZZ_SEED", "1"), f"{served.address}/openapi.json"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "failed" not in done.stdout.partition("SUMMARY")[0].lower()
