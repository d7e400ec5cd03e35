"""The contract as data and as a page."""

import re

from openapi_spec_validator import validate

from model.dictionary import shipped_dictionary
from service.errors import PROBLEMS


def test_openapi_is_valid_and_complete(service):
    spec = service.client.get("/openapi.json").get_json()
    validate(spec)
    assert spec["openapi"] == "3.1.0"
    paths = {path for path in spec["paths"] if not path.startswith("/v1/log/")}  # held by test_log_api.py
    assert paths == {
        "/v1/screenings",
        "/v1/screenings/batch",
        "/v1/screenings/{screening_id}",
        "/v1/screenings/{screening_id}/response",
        "/v1/screenings/{screening_id}/summary",
        "/v1/drift",
        "/v1/responses",
        "/v1/dictionary",
        "/v1/model",
    }
    features = spec["components"]["schemas"]["ScreeningRequest"]["properties"]["features"]
    assert set(features["properties"]) == {feature.name for feature in shipped_dictionary().features}
    assert features["additionalProperties"] is False


def test_the_examples_in_the_contract_are_accepted(service):
    spec = service.client.get("/openapi.json").get_json()
    content = spec["paths"]["/v1/screenings"]["post"]["requestBody"]["content"]["application/json"]
    assert set(content["examples"]) == {"one_agency", "pooled"}
    for example in content["examples"].values():
        response = service.client.post("/v1/screenings", json=example["value"], headers=service.practitioner)
        assert response.status_code == 201


def test_the_page_has_every_problem_feature_and_nothing_from_elsewhere(service):
    page = service.client.get("/docs").text
    for code in PROBLEMS:
        assert f'id="{code}"' in page
    for feature in shipped_dictionary().features:
        assert feature.name in page
    assert "must not be used about a real child" in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!/|#)', page)
    with service.client.get("/static/docs.css") as sheet:
        assert sheet.status_code == 200


def test_dictionary_and_model_are_those_that_are_served(service):
    dictionary = service.client.get("/v1/dictionary", headers=service.practitioner).get_json()
    assert [f["name"] for f in dictionary["feature"]] == [f.name for f in shipped_dictionary().features]
    card = service.client.get("/v1/model", headers=service.auditor).get_json()
    assert card["version"] == service.released.model.version
    assert card["sha256"] == service.released.sha256
    assert card["synthetic"] is True


def test_status_needs_no_key_and_holds_no_case_data(service):
    assert service.client.get("/healthz").get_json() == {"status": "running"}
    ready = service.client.get("/readyz").get_json()
    assert ready["status"] == "ready"
    assert ready["model"]["version"] == service.released.model.version


def test_no_page_is_kept_by_a_cache_or_guessed_at(service):
    for address in ("/docs", "/openapi.json", "/healthz"):
        headers = service.client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
