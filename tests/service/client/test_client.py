"""The generated client is what the contract generates, and works against the running service."""

import importlib.util
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from service.access.keys import create_key
from service.client.generate import client_source
from service.screening.idempotency import IDEMPOTENCY_PARAMETER
from tests.service.serving import free_port, serving

ROOT = Path(__file__).parents[3]
CLIENT = ROOT / "docs/examples/grounds_client.py"
EXAMPLE = ROOT / "docs/examples/screen_a_case.py"
CASE = {"case_ref": "case-0001", "agency": "gp", "features": {"immediate_danger": "yes"}}


def load():
    found = importlib.util.spec_from_file_location("grounds_client", CLIENT)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


client = load()


def test_the_shipped_client_is_the_one_that_the_contract_generates(service):
    spec = service.client.get("/openapi.json").get_json()
    same = CLIENT.read_text(encoding="utf-8") == client_source(spec)
    assert same, "the contract changed: make run, then curl -s ADDRESS/openapi.json | python -m service client - > it"


def test_the_command_prints_it(service, tmp_path):
    contract = tmp_path / "openapi.json"
    contract.write_bytes(service.client.get("/openapi.json").data)
    done = subprocess.run(
        [sys.executable, "-m", "service", "client", str(contract)], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == CLIENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{}", "[]", "not json"])
def test_what_is_no_contract_is_one_line(tmp_path, text):
    contract = tmp_path / "openapi.json"
    contract.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "service", "client", str(contract)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_it_works_against_the_running_service(settings):
    sandbox = create_key(settings.keys, "sandbox")[0]
    auditor = create_key(settings.keys, "auditor")[0]
    with serving(settings) as served:
        grounds = client.GroundsClient(served.address, served.key)
        once = str(uuid.uuid4())
        first, again = (grounds.post_screening(CASE, idempotency_key=once) for _ in range(2))
        assert first["screening_id"] == again["screening_id"]
        seen = grounds.get_screening(first["screening_id"])
        assert seen["score"] == first["score"]
        said = grounds.post_screening_response(first["screening_id"], {"action": "referred", "reasons": []})
        assert said["action"] == "referred"
        assert grounds.get_fhir_risk_assessment(first["screening_id"])["resourceType"] == "RiskAssessment"
        assert "<html" in grounds.get_screening_summary(first["screening_id"], format="html")
        with pytest.raises(client.GroundsError) as refused:
            grounds.post_screening({**CASE, "agency": "nobody"})
        assert (refused.value.status, refused.value.code) == (422, "refused")
        assert [error["field"] for error in refused.value.errors] == ["agency"]
        with pytest.raises(client.GroundsError) as refused:
            grounds.post_fhir_questionnaire_response({"resourceType": "Patient"})
        assert refused.value.errors[0]["field"] == "resourceType"
        auditing = client.GroundsClient(served.address, auditor)
        found = auditing.get_log_entries(kind="screening", from_="2026-01-01T00:00:00Z")
        assert first["screening_id"] in [entry["entry_id"] for entry in found["entries"]]

        # Two workers open the sandbox at once; the example works there, and the live log holds none of it.
        done = subprocess.run(
            [sys.executable, str(EXAMPLE), served.address, sandbox], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Consider a referral" in done.stdout
        trial = client.GroundsClient(served.address, sandbox)
        for case in trial.get_sandbox_cases()["cases"] * 3:
            assert trial.post_screening(case["request"])["record"]["log"].endswith("/sandbox")
        assert len(auditing.get_log_entries(kind="screening")["entries"]) == 1


def test_a_service_that_is_not_there_is_an_error_of_its_own(monkeypatch):
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.0)
    grounds = client.GroundsClient(f"http://127.0.0.1:{free_port()}", "none", timeout=1)
    with pytest.raises(client.GroundsError) as refused:
        grounds.get_model()
    assert (refused.value.status, refused.value.code) == (0, "not_reached")


def test_retries_rest_on_the_header_that_the_contract_names():
    assert IDEMPOTENCY_PARAMETER["name"] in CLIENT.read_text(encoding="utf-8")
