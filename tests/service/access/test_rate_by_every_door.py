"""A key's rate counts whatever it does to screenings, by whichever door: each makes an entry in the log."""

from dataclasses import replace

import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import Keys, create_key, read_keys
from service.app import Collaborators, create_app
from service.cds_hooks.plan import cds_plan
from service.running import worker
from tests.service.cds_hooks.conftest import VIEW, hook_call
from tests.service.cds_hooks.conftest import client as client  # the fixture
from tests.service.fhir.forms import response_of

RATE = 40
CASE = {"case_ref": "case-0001", "agency": "health_visiting", "features": {}}


@pytest.fixture
def limited(client):
    """A service with CDS Hooks whose keys may ask 40 times an hour, and the key of its issuer."""
    service = client.service
    keys = Keys(read_keys(service.settings.keys))
    plan = cds_plan(service.settings)
    service.app = create_app(
        Collaborators(service.released, service.log, keys, "test.invalid/log", screening_rate=f"{RATE}/hour", cds=plan)
    )
    return client


def doors(client, screening_id):
    service, headers = client.service, client.key
    fhir = response_of(shipped_dictionary(), {})
    return [
        lambda: service.client.post("/v1/screenings", json=CASE, headers=headers),
        lambda: service.client.post("/v1/screenings/batch", json={"cases": [CASE]}, headers=headers),
        lambda: service.client.post("/v1/screenings/batch", json={"cases": "none"}, headers=headers),
        lambda: service.client.post("/v1/fhir/QuestionnaireResponse", json=fhir, headers=headers),
        lambda: service.client.get(f"/v1/screenings/{screening_id}", headers=headers),
        lambda: service.client.get(f"/v1/screenings/{screening_id}/summary", headers=headers),
        lambda: service.client.get(f"/v1/fhir/RiskAssessment/{screening_id}", headers=headers),
        lambda: service.client.post(f"/v1/screenings/{screening_id}/response", json={}, headers=headers),
        lambda: client.post(VIEW, hook_call()),
        lambda: client.feedback([]),
    ]


def test_every_door_counts_and_what_is_refused_makes_no_entry(limited):
    made = limited.service.client.post("/v1/screenings", json=CASE, headers=limited.key)
    asked = 1
    screening_id = made.get_json()["screening_id"]
    while asked < RATE:
        for door in doors(limited, screening_id)[: RATE - asked]:
            assert door().status_code != 429
            asked += 1
    before = limited.service.log.size()
    for door in doors(limited, screening_id):
        refused = door()
        assert refused.status_code == 429
        assert "rate_limited" in refused.text
        assert int(refused.headers["Retry-After"]) >= 1
    assert limited.service.log.size() == before


def test_a_request_that_no_rate_would_ever_let_in_is_refused_with_the_number(limited):
    told = limited.service.client.post("/v1/screenings/batch", json={"cases": [CASE] * (RATE + 1)}, headers=limited.key)
    assert (told.status_code, told.get_json()["code"]) == (422, "refused")
    assert told.get_json()["errors"] == [
        {"field": "cases", "fix": f"send {RATE} cases at most; this service lets no key screen more in its time"}
    ]
    told = limited.service.client.post("/v1/screenings/batch", json={"cases": [CASE] * (RATE - 1)}, headers=limited.key)
    assert told.status_code == 201


def test_a_worker_s_sandbox_has_the_rate_too(settings, monkeypatch):
    key = create_key(settings.keys, "sandbox")[0]
    monkeypatch.setattr(worker, "end_with_parent", lambda: None)
    monkeypatch.setattr(worker, "claim_core", lambda _: 0)
    monkeypatch.setattr(worker.gc, "freeze", lambda: None)
    monkeypatch.setattr(worker.gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(worker, "read_settings", lambda: replace(settings, screening_rate="3/hour"))
    app = worker.assembled()
    case = {**CASE, "case_ref": "sandbox-1"}
    said = [
        app.test_client().post("/v1/screenings", json=case, headers={"Authorization": f"Bearer {key}"}).status_code
        for _ in range(5)
    ]
    assert said == [201, 201, 201, 429, 429]
