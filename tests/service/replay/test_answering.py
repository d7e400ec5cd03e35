"""What is shown of a record later speaks by the model that answered, whichever is in use now."""

import json
import shutil

import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import Keys, read_keys
from service.app import Collaborators, create_app
from service.cds_hooks.plan import cds_plan
from service.model_files import load_active
from tests.service.cds_hooks.conftest import VIEW, hook_call
from tests.service.cds_hooks.conftest import client as client  # the fixture
from tests.service.conftest import VERSION, hand_made_model, release_into
from tests.service.fhir.forms import response_of

FHIR_ANSWERS = "/v1/fhir/QuestionnaireResponse"


def newer_app(service, settings, cds=None):
    """The service after the release of a model that means something else by its outcome, features and agencies."""
    content = json.loads(hand_made_model(shipped_dictionary()))
    content["version"] = "test-newer"
    content["dictionary"]["outcome"]["meaning"] = "another outcome"
    for feature in content["dictionary"]["feature"]:
        if feature.get("unit"):
            feature["unit"] = "furlongs"
    for agency in content["dictionary"]["agency"]:
        agency["label"] = "Another agency"
    release_into(settings, json.dumps(content).encode(), "test-newer")
    released = load_active(settings.models, settings.keys)
    keys = Keys(read_keys(settings.keys))
    return create_app(
        Collaborators(released, service.log, keys, settings.origin, cds=cds, release_keys=settings.keys)
    ).test_client()


def test_an_older_record_as_fhir_and_as_a_summary_is_by_its_own_model(service, settings):
    sent = response_of(shipped_dictionary(), {"mother_age_years": 19})
    once = {**service.practitioner, "Idempotency-Key": "0123456789abcdef"}
    first = service.client.post(FHIR_ANSWERS, json=sent, headers=once)
    address = f"/v1/screenings/{first.get_json()['id']}/summary"
    summary = service.client.get(address, headers=service.practitioner).get_json()
    later = newer_app(service, settings)
    again = later.post(FHIR_ANSWERS, json=sent, headers=once)
    assert again.headers["Idempotent-Replayed"] == "true"
    looked = later.get(first.headers["Location"], headers=service.practitioner)
    for answer in (again, looked):
        told = answer.get_json()
        assert told["prediction"][0]["outcome"]["text"] == shipped_dictionary().outcome.meaning
        assert told["contained"] == first.get_json()["contained"]
    assert later.get(address, headers=service.practitioner).get_json() == summary
    fresh = later.post(FHIR_ANSWERS, json=sent, headers=service.practitioner).get_json()
    assert fresh["prediction"][0]["outcome"]["text"] == "another outcome"
    assert "Another agency" in json.dumps(fresh)


def test_a_card_that_is_asked_for_again_is_the_card_of_its_own_model(client, settings):
    body = hook_call()
    first = client.post(VIEW, body).get_json()
    assert "Another agency" not in json.dumps(first)
    service = client.service
    service.app = newer_app(service, settings, cds_plan(service.settings)).application
    assert client.post(VIEW, body).get_json() == first
    assert "Another agency" in json.dumps(client.call().get_json())


@pytest.mark.parametrize("gone", [True, False])
def test_without_its_model_a_record_is_shown_as_it_is_and_no_more(service, settings, gone):
    made = service.screen().get_json()
    later = newer_app(service, settings)
    if gone:
        shutil.rmtree(settings.models / VERSION)
    else:
        with (settings.models / VERSION / "model.json").open("ab") as file:
            file.write(b" ")
    address = f"/v1/screenings/{made['screening_id']}"
    for beyond in (f"{address}/summary", f"/v1/fhir/RiskAssessment/{made['screening_id']}"):
        refused = later.get(beyond, headers=service.practitioner)
        assert refused.status_code == 500
        assert "model_unreadable" in refused.text
    shown = later.get(address, headers=service.practitioner).get_json()
    assert (shown["score"], shown["model"]) == (made["score"], made["model"])


def test_without_the_release_key_only_the_model_in_use_is_known(service, settings):
    made = service.screen().get_json()
    newer_app(service, settings)
    released = load_active(settings.models, settings.keys)
    keys = Keys(read_keys(settings.keys))
    client = create_app(Collaborators(released, service.log, keys, settings.origin)).test_client()
    refused = client.get(f"/v1/screenings/{made['screening_id']}/summary", headers=service.practitioner)
    assert refused.get_json()["code"] == "model_unreadable"
